"""The object store in a bucket."""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final, cast
from urllib.parse import quote

from minio.datatypes import Object, parse_list_objects
from minio.datatypes import Upload as ListedUpload

from shared.errors import (
    InvalidKeyError,
    ObjectNotFoundError,
    ScratchFullError,
    StorageError,
)
from shared.storage.keys import check_key, check_prefix
from shared.storage.port import ObjectInfo
from shared.storage.s3.address import S3Address
from shared.storage.s3.connection import Connection, connect
from shared.storage.s3.download import BLOCK_BYTES, Source
from shared.storage.s3.faults import FAILURES, Meaning, read_fault
from shared.storage.s3.patience import SHORT_S
from shared.storage.s3.upload import PART_BYTES, Sink, Upload, part_size

PARALLEL_PARTS: Final = 3
"""Parts of one file under way at once; each is held in memory."""

MAX_LINK_S: Final = 7 * 24 * 60 * 60
"""Of version 4 of AWS's signatures."""

_COPY_BYTES: Final = 1024 * 1024
_MEDIA_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+-]+(?:; ?[\w-]+=[\w.-]+)*", re.ASCII)


class S3Store:
    """An ObjectStore in one bucket, or under a prefix of it.

    Safe between threads; processes that it is pickled into connect anew, with the keys in their
    own environment. Nothing is asked of the service before the first object is.
    """

    def __init__(self, address: S3Address) -> None:
        """Open the store at an address.

        Raises:
            InputError: if only one half of the keys is given.
        """
        self.address = address
        self._connection: Connection = connect(address)
        self._client = self._connection.client

    def __repr__(self) -> str:
        return f"S3Store({str(self.address)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (S3Store, (self.address,))

    @contextlib.contextmanager
    def writer(self, key: str) -> Iterator[BinaryIO]:
        """Stream bytes into ``key``; see ObjectStore.writer."""
        upload = self._upload(key)
        # What is sent stays the sink's: who closes the file early loses nothing.
        raw = Sink(upload)
        file = io.BufferedWriter(raw, _COPY_BYTES)
        try:
            yield cast("BinaryIO", file)
            if not file.closed:
                file.flush()
            raw.publish()
        except BaseException:
            # Closes without flushing what is still buffered: it is not wanted any more.
            raw.close()
            upload.abort()
            raise
        finally:
            raw.close()

    @contextlib.contextmanager
    def reader(self, key: str, start: int = 0, stop: int | None = None) -> Iterator[BinaryIO]:
        """Stream the object's bytes; see ObjectStore.reader."""
        name = self._name(key)
        if start < 0 or (stop is not None and stop < 0):
            raise ValueError("A range of bytes begins and ends at zero or later.")
        with Source(self._connection, name, key, start, stop) as raw:
            yield cast("BinaryIO", io.BufferedReader(raw, BLOCK_BYTES))

    def put_bytes(self, key: str, data: bytes) -> None:
        """Store a small object from memory; see ObjectStore.put_bytes."""
        if len(data) <= PART_BYTES:
            self._upload(key).put_whole(data)
            return
        with self.writer(key) as file:
            file.write(data)

    def get_bytes(self, key: str) -> bytes:
        """Read a small object into memory; see ObjectStore.get_bytes."""
        with self.reader(key) as file:
            return file.read()

    def put_file(self, key: str, path: Path) -> None:
        """Store a copy of a file, some parts at a time; see ObjectStore.put_file."""
        upload = self._upload(key)
        with path.open("rb") as file:
            fd, size_bytes = file.fileno(), os.fstat(file.fileno()).st_size
            if size_bytes <= PART_BYTES:
                upload.put_whole(_piece(fd, 0, size_bytes))
                return
            step = part_size(size_bytes)

            def put(start: int) -> None:
                piece = _piece(fd, start, min(step, size_bytes - start))
                upload.put_part(start // step + 1, piece)

            upload.begin()
            pool = ThreadPoolExecutor(PARALLEL_PARTS, thread_name_prefix="put_file")
            try:
                for done in [pool.submit(put, start) for start in range(0, size_bytes, step)]:
                    done.result()
                upload.publish()
            except BaseException:
                # A part that is still under way would outlive the abort, and be paid for.
                pool.shutdown(cancel_futures=True)
                upload.abort()
                raise
            finally:
                pool.shutdown()

    @contextlib.contextmanager
    def as_file(self, key: str) -> Iterator[Path]:
        """Lend a temporary copy of the object; see ObjectStore.as_file."""
        name = check_key(key)[-1]
        with contextlib.ExitStack() as stack:
            with self.reader(key) as source:
                try:
                    folder = stack.enter_context(
                        tempfile.TemporaryDirectory(prefix="midifarm-", ignore_cleanup_errors=True)
                    )
                    path = Path(folder, name)
                    with path.open("wb") as target:
                        shutil.copyfileobj(source, target, _COPY_BYTES)
                except OSError as exc:
                    raise _no_copy(key, exc) from exc
            yield path

    def stat(self, key: str) -> ObjectInfo:
        """Size and time of the object; see ObjectStore.stat."""
        name = self._name(key)
        try:
            found = self._connection.call(
                f"look at {key}",
                lambda: self._client.stat_object(self.address.bucket, name),
                key=key,
            )
        except ObjectNotFoundError:
            # The answer to HEAD has no body that tells a missing object from a missing bucket.
            self._see_bucket(f"look at {key}")
            raise
        return _info(key, found)

    def exists(self, key: str) -> bool:
        """Whether the key holds an object; see ObjectStore.exists."""
        try:
            self.stat(key)
        except ObjectNotFoundError:
            return False
        return True

    def delete(self, key: str) -> None:
        """Remove the object; see ObjectStore.delete."""
        name = self._name(key)
        # Some services complain where S3 does not.
        with contextlib.suppress(ObjectNotFoundError):
            self._connection.call(
                f"delete {key}",
                lambda: self._client.remove_object(self.address.bucket, name),
                key=key,
            )

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object whose key begins with ``prefix``; see ObjectStore.list.

        All of them are held in memory, some 300 bytes each: not every service lists in order.
        """
        return self._listed(check_prefix(prefix))

    def link(
        self,
        key: str,
        *,
        file_name: str,
        content_type: str,
        valid_s: int,
        is_inline: bool = False,
    ) -> str | None:
        """A signed address of the object; see ObjectStore.link."""
        name = self._name(key)
        if not 1 <= valid_s <= MAX_LINK_S:
            raise ValueError(f"A link is valid for 1 to {MAX_LINK_S} seconds.")
        if not _MEDIA_TYPE.fullmatch(content_type):
            raise ValueError(f"{content_type!r} is no media type.")
        return self._connection.call(
            f"sign a link to {key}",
            lambda: self._connection.public_client.get_presigned_url(
                "GET",
                self.address.bucket,
                name,
                expires=timedelta(seconds=valid_s),
                response_headers={
                    "response-content-disposition": _disposition(file_name, is_inline=is_inline),
                    "response-content-type": content_type,
                },
            ),
        )

    def sweep(self, older_than_s: float) -> int:
        """Discard uploads to which nothing was added for so long; see ObjectStore.sweep."""
        oldest = datetime.now(UTC) - timedelta(seconds=older_than_s)
        swept = 0
        for upload in self._unfinished():
            if self._touched_at(upload) < oldest:
                self._abort(upload)
                swept += 1
        return swept

    def check(self) -> None:
        """Raise if the store cannot be used; see ObjectStore.check."""
        try:
            # Unlike HEAD, it says what is wrong with keys.
            self._connection.call(
                "look into it", lambda: self._page(self.address.prefix, None, 1), patience_s=SHORT_S
            )
        except StorageError as exc:
            raise self._connection.unusable(exc) from exc

    def _name(self, key: str) -> str:
        check_key(key)
        return self.address.prefix + key

    def _upload(self, key: str) -> Upload:
        return Upload(self._connection, self._name(key), key)

    def _see_bucket(self, action: str) -> None:
        """Raise StorageError if there is no bucket: a store that has gone is not an empty one."""
        self._connection.call(action, lambda: self._page(self.address.prefix, None, 1))

    def _listed(self, prefix: str) -> Iterator[ObjectInfo]:
        found: builtins.list[ObjectInfo] = []
        token: str | None = None
        while True:
            objects, token = self._connection.call(
                "list objects",
                lambda token=token: self._page(self.address.prefix + prefix, token, 1000),  # type: ignore[misc]
            )
            for listed in objects:
                key = (listed.object_name or "").removeprefix(self.address.prefix)
                # What others have put there and is no object of ours is passed over.
                with contextlib.suppress(InvalidKeyError):
                    check_key(key)
                    found.append(_info(key, listed))
            if token is None:
                break
        found.sort(key=lambda info: info.key)
        yield from found

    def _page(
        self, prefix: str, token: str | None, count: int
    ) -> tuple[builtins.list[Object], str | None]:
        """Some of the objects, and the token for the rest.

        The client's own list cannot go on after a failure without listing from the start.
        """
        query = {"list-type": "2", "prefix": prefix, "max-keys": str(count), "encoding-type": "url"}
        if token is not None:
            query["continuation-token"] = token
        answer = self._client._execute(  # noqa: SLF001
            "GET", self.address.bucket, query_params={**query, "delimiter": ""}
        )
        objects, more, token, _ = parse_list_objects(answer)
        return objects, token if more else None

    def _unfinished(self) -> builtins.list[ListedUpload]:
        found: dict[str, ListedUpload] = {}
        marker: str | None = None
        while True:
            page = self._connection.call(
                "list unfinished uploads",
                lambda marker=marker: self._client._list_multipart_uploads(  # type: ignore[misc]  # noqa: SLF001
                    self.address.bucket, prefix=self.address.prefix, key_marker=marker
                ),
            )
            # A service may compare prefixes by whole names, or not at all.
            for upload in page.uploads:
                if upload.object_name.startswith(self.address.prefix) and upload.upload_id:
                    found[upload.upload_id] = upload
            following = page.next_key_marker
            if not page.is_truncated or not following or following == marker:
                return [*found.values()]
            marker = following

    def _touched_at(self, upload: ListedUpload) -> datetime:
        """When the upload was begun, or got its last part."""
        times = [upload.initiated_time or datetime.now(UTC)]
        try:
            marker: str | None = None
            while True:
                parts = self._client._list_parts(  # noqa: SLF001
                    self.address.bucket,
                    upload.object_name,
                    upload.upload_id or "",
                    part_number_marker=marker,
                )
                times += [part.last_modified for part in parts.parts if part.last_modified]
                marker = parts.next_part_number_marker
                if not parts.is_truncated or not marker:
                    return max(times)
        except FAILURES as exc:
            fault = read_fault(exc)
            if fault.meaning in (Meaning.PASSING, Meaning.REFUSED):
                raise self._connection.error(fault, "list the parts of an upload") from exc
            return max(times)  # it has just ended, or the service cannot list parts

    def _abort(self, upload: ListedUpload) -> None:
        with contextlib.suppress(ObjectNotFoundError):
            self._connection.call(
                "discard an unfinished upload",
                lambda: self._client._abort_multipart_upload(  # noqa: SLF001
                    self.address.bucket, upload.object_name, upload.upload_id or ""
                ),
                key=upload.object_name,
            )


def _info(key: str, found: Object) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size_bytes=found.size or 0,
        modified_at=(found.last_modified or datetime.now(UTC)).astimezone(UTC),
    )


def _piece(fd: int, start: int, size_bytes: int) -> bytearray:
    """Bytes of a file. Raises OSError, also where it has become shorter."""
    piece = bytearray(size_bytes)
    with memoryview(piece) as view:
        done = 0
        while done < size_bytes:
            read = os.preadv(fd, [view[done:]], start + done)
            if not read:
                raise OSError(errno.EIO, "The file became shorter while it was being stored")
            done += read
    return piece


def _no_copy(key: str, exc: OSError) -> StorageError:
    folder, reason = tempfile.gettempdir(), exc.strerror or str(exc)
    if exc.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return ScratchFullError(
            f"There is no room in {folder} for a copy of {key}: {reason}. Make room there, or "
            "point TMPDIR to another folder.",
            folder=folder,
        )
    return StorageError(f"A copy of {key} could not be put into {folder}: {reason}.", folder=folder)


def _disposition(file_name: str, *, is_inline: bool) -> str:
    """Content-Disposition that names a file: for every browser, and in full (RFC 6266)."""
    printable = "".join(
        character if character.isprintable() and character not in '/\\"' else "_"
        for character in file_name
    )
    plain = printable.encode("ascii", "replace").decode().replace("?", "_").replace("%", "_")
    kind = "inline" if is_inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(printable, safe='')}"
