"""Reading one object as a stream that survives broken connections."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from minio.error import S3Error
from urllib3.response import BaseHTTPResponse

from shared.errors import StorageError
from shared.storage.s3.connection import Connection
from shared.storage.s3.faults import FAILURES, Meaning, read_fault
from shared.storage.s3.patience import LONG_S, Patience

if TYPE_CHECKING:
    from typing_extensions import Buffer  # in collections.abc from Python 3.12 on

BLOCK_BYTES: Final = 256 * 1024
_PARTIAL: Final = 206


class Source(io.RawIOBase):
    """The bytes of one object, from first to last.

    A connection that breaks is made anew from the byte that was reached, on condition that the
    object is still the same (its ETag): nobody ever reads a mix of two.
    """

    def __init__(
        self, connection: Connection, name: str, key: str, start: int, stop: int | None
    ) -> None:
        """Open the object ``name``, which callers know as ``key``.

        Raises:
            ObjectNotFoundError: if there is none.
            StorageError: if it cannot be read.
        """
        super().__init__()
        self._connection = connection
        self._name = name
        self._key = key
        self._at = start
        self._stop = stop
        self._etag: str | None = None
        self._patience = Patience(LONG_S)
        self._response: BaseHTTPResponse | None = self._open()

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        """Read as much as there is room for, or as came in one piece; 0 at the end."""
        with memoryview(buffer).cast("B") as view:
            while self._response is not None and len(view):
                try:
                    data = self._response.read(len(view))
                except FAILURES as exc:
                    self._reopen(exc)
                    continue
                if not data:
                    self._drop()
                    break
                view[: len(data)] = data
                self._at += len(data)
                self._patience.reset()
                return len(data)
            return 0

    def readall(self) -> bytes:
        """Read the rest."""
        blocks = []
        while block := self.read(BLOCK_BYTES):
            blocks.append(block)
        return b"".join(blocks)

    def close(self) -> None:
        """Let go of the connection."""
        self._drop()
        super().close()

    def _drop(self) -> None:
        response, self._response = self._response, None
        if response is not None:
            # What was read to its end is used again, what was not is closed.
            response.close()
            response.release_conn()

    def _reopen(self, broken: BaseException) -> None:
        """Go on after a failure, or fail with its error."""
        self._drop()
        action, fault = f"read {self._key}", read_fault(broken)
        if fault.meaning is not Meaning.PASSING or not self._patience.wait():
            raise self._connection.error(fault, action, self._key) from broken
        try:
            self._response = self._connection.call(action, self._ask, key=self._key)
        except StorageError as exc:
            cause = exc.__cause__
            meaning = read_fault(cause).meaning if cause is not None else None
            if meaning not in (Meaning.CHANGED, Meaning.MISSING):
                raise
            raise StorageError(
                f"The object {self._key} in {self._connection.address.place} was replaced or "
                "deleted while it was read, and the connection broke.",
                key=self._key,
            ) from exc

    def _open(self) -> BaseHTTPResponse | None:
        """The answer to the first request; None if the range holds no byte."""
        connection, action = self._connection, f"read {self._key}"
        if self._stop is None or self._stop > self._at:
            return connection.call(action, self._ask, key=self._key)
        bucket = connection.address.bucket
        connection.call(
            action, lambda: connection.client.stat_object(bucket, self._name), key=self._key
        )
        return None

    def _ask(self) -> BaseHTTPResponse | None:
        """Ask for what is still to be read; None if there is nothing."""
        try:
            return self._asked()
        except S3Error as exc:
            if read_fault(exc).meaning is Meaning.NO_RANGE:
                return None
            raise

    def _asked(self) -> BaseHTTPResponse:
        headers: dict[str, str | list[str] | tuple[str]] = {}
        if self._etag is not None:
            headers["If-Match"] = self._etag
        whole = self._at == 0 and self._stop is None
        response = self._connection.client.get_object(
            self._connection.address.bucket,
            self._name,
            offset=self._at,
            length=0 if self._stop is None else self._stop - self._at,
            request_headers=headers,
        )
        if not whole and response.status != _PARTIAL:
            response.close()
            raise StorageError(
                f"{self._connection.address.endpoint} gives no ranges of objects "
                f"(HTTP status {response.status}): midifarm cannot read {self._key} from it.",
                key=self._key,
            )
        self._etag = response.headers.get("ETag")
        return response
