"""Objects in a bucket of an S3 service: MinIO, Cloudflare R2, SeaweedFS, AWS and others.

What these services do differently, and what we do about it:

- R2 wants all parts of a multipart upload but the last to be of one size, so parts never grow
  while an object of unknown length is written. It signs for the region ``auto`` and knows no
  GetBucketLocation: the region always comes from the address, never from a question.
- Services of one's own have no virtual hosts: buckets are named in the path everywhere but on AWS.
- SeaweedFS lists folder by folder (``a/b`` before ``a-b``), the others by bytes: we sort.
- Copies of one object differ in their ETag when their parts differ in size: an ETag is only
  compared with one of the same upload.

The client that speaks S3 is imported here and nowhere else.
"""

from shared.storage.s3.store import S3Store

__all__ = ["S3Store"]
