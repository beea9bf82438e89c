"""Make the bucket that MIDIFARM_STORAGE_URL names, unless it is there: python make_bucket.py."""

from __future__ import annotations

import os
import sys

from minio import Minio
from minio.error import S3Error

from shared.storage.s3.address import S3Address


def main() -> None:
    """Make it, with the keys that midifarm uses."""
    address = S3Address.parse(os.environ["MIDIFARM_STORAGE_URL"])
    client = Minio(
        address.endpoint.host,
        os.environ["MIDIFARM_S3_ACCESS_KEY"],
        os.environ["MIDIFARM_S3_SECRET_KEY"],
        secure=address.endpoint.secure,
        region=address.region,
    )
    try:
        client.make_bucket(address.bucket)
    except S3Error as exc:
        if exc.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            sys.exit(f"The bucket {address.bucket} could not be made: {exc}")


if __name__ == "__main__":
    main()
