"""Writing one object: in one request if it is small, in parts of one size if it is not.

Parts go through private methods of the client, which has no public ones for them
(``minio==7.2.*`` is pinned, and the tests make every call). The public way, ``put_object`` of a
stream, would take a thread and a pipe for every writer, ends an object at a writer's crash as if
it were whole, and begins again from the first byte where one part fails.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
from typing import TYPE_CHECKING, Final

from minio.datatypes import Part

from shared.errors import MidifarmError, StorageError, StorageFullError
from shared.storage.s3.connection import Connection
from shared.storage.s3.faults import FAILURES, Meaning, read_fault
from shared.storage.s3.patience import LONG_S, SHORT_S, Patience

if TYPE_CHECKING:
    from typing_extensions import Buffer  # in collections.abc from Python 3.12 on

PART_BYTES: Final = 16 * 1024 * 1024
MAX_PARTS: Final = 10_000
"""Of S3, and of R2."""


class Upload:
    """One object on its way into the bucket; visible from publish() on."""

    def __init__(self, connection: Connection, name: str, key: str) -> None:
        """Prepare to write the object ``name``, which callers know as ``key``."""
        self._connection = connection
        self._client = connection.client
        self._bucket = connection.address.bucket
        self._name = name
        self._key = key
        self._id: str | None = None
        self._parts: dict[int, str] = {}

    def put_whole(self, data: Buffer) -> None:
        """Store the object in one request."""
        headers = _headers(data)
        self._connection.call(
            f"store {self._key}",
            lambda: self._client._put_object(self._bucket, self._name, data, dict(headers)),  # type: ignore[arg-type]  # noqa: SLF001
        )

    def begin(self) -> None:
        """Begin to store the object in parts."""
        self._id = self._connection.call(
            f"begin to store {self._key}",
            lambda: self._client._create_multipart_upload(self._bucket, self._name, {}),  # noqa: SLF001
        )

    def put_part(self, number: int, data: Buffer) -> None:
        """Store part ``number``, from 1 on; parts may be stored at once by several threads."""
        assert self._id is not None  # noqa: S101  # begin() has been called
        upload_id, headers = self._id, _headers(data)
        self._parts[number] = self._connection.call(
            f"store part {number} of {self._key}",
            lambda: self._client._upload_part(  # noqa: SLF001
                self._bucket,
                self._name,
                data,  # type: ignore[arg-type]  # any buffer will do
                dict(headers),
                upload_id,
                number,
            ),
        )

    def publish(self) -> None:
        """Make the object of its parts."""
        assert self._id is not None  # noqa: S101  # begin() has been called
        upload_id, action = self._id, f"store {self._key}"
        parts = [Part(number, etag) for number, etag in sorted(self._parts.items())]
        patience = Patience(LONG_S)
        while True:
            try:
                done = self._client._complete_multipart_upload(  # noqa: SLF001
                    self._bucket, self._name, upload_id, parts
                )
            except FAILURES as exc:
                fault = read_fault(exc)
                # It was done, and the answer to that got lost.
                if fault.meaning is Meaning.NO_UPLOAD and self._is_there():
                    break
                if fault.meaning is not Meaning.PASSING or not patience.wait():
                    raise self._connection.error(fault, action) from exc
            else:
                # AWS may answer 200 before it knows, and then say that it failed.
                if done.etag or self._is_there():
                    break
                if not patience.wait():
                    raise StorageError(
                        f"Could not {action} in {self._connection.address.place}: "
                        "its parts were not joined."
                    )
        self._id = None

    def abort(self) -> None:
        """Discard the parts, as far as the service can be reached; sweep() does the rest."""
        upload_id, self._id = self._id, None
        if upload_id is None:
            return
        with contextlib.suppress(MidifarmError):
            self._connection.call(
                f"discard {self._key}",
                lambda: self._client._abort_multipart_upload(self._bucket, self._name, upload_id),  # noqa: SLF001
                patience_s=SHORT_S,
            )

    def _is_there(self) -> bool:
        """Whether the object of these very parts is the one in the bucket."""
        try:
            digests = b"".join(bytes.fromhex(etag) for _, etag in sorted(self._parts.items()))
            found = self._client.stat_object(self._bucket, self._name).etag
        except (*FAILURES, ValueError):  # an encrypted bucket has ETags of another kind
            return False
        return found == f"{_md5(digests).hexdigest()}-{len(self._parts)}"


class Sink(io.RawIOBase):
    """What a writer writes to; holds one part in memory."""

    def __init__(self, upload: Upload) -> None:
        """Write into an upload that has not begun."""
        super().__init__()
        self._upload = upload
        self._part = bytearray()
        self._sent = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Buffer, /) -> int:
        """Take all of ``data``; sends every part that is full."""
        with memoryview(data).cast("B") as view:
            taken = 0
            while taken < len(view):
                if len(self._part) == PART_BYTES:  # more follows: it is not the last one
                    self._send()
                piece = view[taken : taken + PART_BYTES - len(self._part)]
                self._part += piece
                taken += len(piece)
            return taken

    def publish(self) -> None:
        """Send the rest and make the object visible."""
        if not self._sent:
            self._upload.put_whole(self._part)
            return
        self._send()
        self._upload.publish()

    def _send(self) -> None:
        if not self._sent:
            self._upload.begin()
        if self._sent == MAX_PARTS:
            raise StorageFullError(
                f"An object of unknown length may have {MAX_PARTS * PART_BYTES / 1e9:.0f} GB, as "
                f"{MAX_PARTS:,} parts. Write it to a file first."
            )
        self._upload.put_part(self._sent + 1, self._part)
        self._sent += 1
        self._part = bytearray()


def part_size(size_bytes: int) -> int:
    """The size of the parts of an object of known length, in bytes."""
    needed = -(-size_bytes // MAX_PARTS)
    mebibyte = 1024 * 1024
    return max(PART_BYTES, -(-needed // mebibyte) * mebibyte)


def _headers(data: Buffer) -> dict[str, str | list[str] | tuple[str]]:
    """So that the service refuses what was damaged on its way."""
    return {
        "Content-Type": "application/octet-stream",
        "Content-MD5": base64.b64encode(_md5(data).digest()).decode(),
    }


def _md5(data: Buffer) -> hashlib._Hash:
    return hashlib.md5(data, usedforsecurity=False)
