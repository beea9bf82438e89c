"""Receiving a file: streamed to a temporary one, measured, hashed and sniffed on the way."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, get_args

from anyio import to_thread
from fastapi import Request
from starlette.requests import ClientDisconnect

from coordinator.api.limits import UploadLimits
from coordinator.api.problems import ApiError, field_error
from coordinator.api.sniffing import HEAD_BYTES, fault, is_boxed, possible
from coordinator.api.tracks import is_silent_movie
from shared.errors import StorageFullError
from shared.intake import AssetKind

_KINDS: Final[tuple[AssetKind, ...]] = get_args(AssetKind)
_BLOCK_BYTES: Final = 1 << 20
_DRAIN_BYTES: Final = 64 << 20
_DRAIN_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A file that has arrived."""

    path: Path
    """Where it lies, for as long as the block lasts."""
    kind: AssetKind
    """What it is."""
    sha256: str
    """Hash of its bytes."""
    size_bytes: int
    """Its length, at least 1."""


@asynccontextmanager
async def received(
    request: Request, *, kind: AssetKind | None, limits: UploadLimits, folder: Path | None
) -> AsyncIterator[Received]:
    """The body of a request as a file, which is gone when the block ends, however it ends.

    Args:
        request: Whose body.
        kind: What the file is to be; None for whatever it is.
        limits: How large it may be.
        folder: Where it lies meanwhile; the system's temporary folder without it.

    Raises:
        ApiError: It is too large, or not of its kind.
        InputError: It is empty.
        StorageFullError: There is no room for it.
    """
    most = limits.most(_KINDS if kind is None else (kind,))
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        await _drain(request)
        raise _too_large(most, kind)
    with _temporary(folder) as file:
        arrival = _Arrival(file, kind, limits)
        try:
            async for piece in request.stream():
                await arrival.take(piece)
            size_bytes = await arrival.finish()
        except ApiError:
            await _drain(request)
            raise
        assert arrival.kind is not None  # noqa: S101  # finish() has found it
        yield Received(
            path=Path(file.name),
            kind=arrival.kind,
            sha256=arrival.hash.hexdigest(),
            size_bytes=size_bytes,
        )


class _Arrival:
    """A file that is arriving; blocks of a megabyte go to the disk in a thread."""

    def __init__(self, file: IO[bytes], kind: AssetKind | None, limits: UploadLimits) -> None:
        self.kind = kind
        self._kinds = _KINDS if kind is None else (kind,)
        """What it may be, the likeliest first."""
        self._boxed = False
        self.hash = hashlib.sha256()
        self._file = file
        self._limits = limits
        self._waiting = bytearray()
        self._size_bytes = 0
        self._looked = False

    async def take(self, piece: bytes) -> None:
        self._waiting += piece
        self._size_bytes += len(piece)
        if not self._looked and len(self._waiting) >= HEAD_BYTES:
            self._look()
        self._measure()
        if len(self._waiting) >= _BLOCK_BYTES:
            await self._write()

    async def finish(self) -> int:
        if self._size_bytes == 0:
            raise field_error("body", "the file is empty; send its bytes as the request's body")
        if not self._looked:
            self._look()
        await self._write()
        if self.kind is None:
            self.kind = self._kinds[0]
            if self._boxed and "video" in self._kinds:
                # Only the whole file says whether there is sound in it.
                silent = await to_thread.run_sync(is_silent_movie, Path(self._file.name))
                self.kind = "video" if silent else "audio"
        self._kinds = (self.kind,)
        self._measure()
        return self._size_bytes

    def _look(self) -> None:
        self._looked = True
        head = bytes(self._waiting[:HEAD_BYTES])
        sentence = fault(head, self.kind)
        if sentence is not None:
            raise ApiError(415, sentence, code="unsupported_file")
        if self.kind is None:
            self._kinds, self._boxed = possible(head), is_boxed(head)

    def _measure(self) -> None:
        most = self._limits.most(self._kinds)
        if self._size_bytes > most:
            raise _too_large(most, self._kinds[0] if self._looked else self.kind)

    async def _write(self) -> None:
        block, self._waiting = self._waiting, bytearray()
        await to_thread.run_sync(self._write_block, block)

    def _write_block(self, block: bytearray) -> None:
        self.hash.update(block)
        left = memoryview(block)
        with _disk_errors():
            while left:
                left = left[self._file.write(left) :]


def _temporary(folder: Path | None) -> tempfile._TemporaryFileWrapper[bytes]:
    with _disk_errors():
        return tempfile.NamedTemporaryFile(prefix="midifarm-upload-", dir=folder, buffering=0)


@contextlib.contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise StorageFullError(f"An upload could not be kept: {exc}.") from exc


def _too_large(most: int, kind: AssetKind | None) -> ApiError:
    what = f"of kind {kind} " if kind else ""
    return ApiError(413, f"A file {what}may have {most:,} bytes at most.")


async def _drain(request: Request) -> None:
    """Read on for a moment: most clients listen to the answer only after they have sent all."""
    if request.headers.get("expect", "").lower() == "100-continue":
        return
    left = _DRAIN_BYTES
    with contextlib.suppress(TimeoutError, ClientDisconnect, RuntimeError):
        async with asyncio.timeout(_DRAIN_S):
            async for piece in request.stream():
                left -= len(piece)
                if left < 0:
                    return
