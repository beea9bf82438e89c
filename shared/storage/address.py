"""From the address in a setting to the object store that it means."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from shared.errors import InputError
from shared.storage.local import LocalStore
from shared.storage.port import ObjectStore


def open_store(url: str) -> ObjectStore:
    """The object store at ``url``: a folder, or a bucket of an S3 service.

    A folder is ``file:///path/to/folder``, or simply its path. A bucket is
    ``s3://bucket[/prefix]?endpoint=https://host[:port][&region=…][&public_endpoint=https://…]``;
    its keys come from the environment, and nothing is asked of it here: check() does that.
    Opening a bucket again is cheap, for a process keeps its connections.

    Raises:
        InputError: if the address is not understood, or half of a bucket's keys is missing.
        StorageError: if the store cannot be opened.
    """
    if url.startswith("s3:"):
        # Only who keeps objects in a bucket waits for the client to be imported.
        from shared.storage.s3 import S3Store
        from shared.storage.s3.address import S3Address

        return S3Store(S3Address.parse(url))
    folder: str | None = url
    if url.startswith("file:"):
        parts = urlsplit(url)
        understood = parts.netloc in ("", "localhost") and not parts.query and not parts.fragment
        folder = unquote(parts.path) if understood and parts.path.startswith("/") else None
    elif re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", url):
        folder = None
    if not folder or "\0" in folder:
        raise InputError(
            f"{url!r} is no object store that midifarm knows. "
            "Give the path of a folder, file:///path/to/folder, or "
            "s3://bucket?endpoint=https://host.",
            url=url,
        )
    return LocalStore(Path(folder))
