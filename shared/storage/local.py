"""Objects as files in a folder.

The object ``exports/7/video.mp4`` is the file ``exports=/7=/video.mp4``. Folders carry a mark
that no name may contain, so that ``a`` and ``a/b`` can both be objects; files keep their names,
so that whoever looks into the folder finds ordinary videos. What is being written lies in
``.tmp``, where no key leads, until it is whole.

Every folder on the way is opened without following symbolic links, one inside the other: no key
leads out of the store, whatever somebody has put into it.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import fcntl
import io
import os
import shutil
import stat
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from shared.errors import InputError, ObjectNotFoundError, StorageError, StorageFullError
from shared.storage.keys import check_key, check_prefix
from shared.storage.port import ObjectInfo

if TYPE_CHECKING:
    from typing_extensions import Buffer  # in collections.abc from Python 3.12 on

FOLDER_MARK: Final = "="
TEMPORARY: Final = ".tmp"

LEFTOVER_AGE_S: Final = 24 * 60 * 60
"""Nothing is written for so long: an older temporary file belonged to a writer that died."""

COPY_BYTES: Final = 64 * 1024 * 1024

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a pipe that somebody put there would wait for ever.
_READ_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_SWEEP_FLAGS: Final = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class LocalStore:
    """An ObjectStore in one folder of a file system; safe between threads and processes."""

    def __init__(self, root: Path) -> None:
        """Open the store in ``root``, making the folder if there is none.

        Raises:
            StorageError: if the folder can be neither found nor made.
        """
        self.root = root.absolute()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise self._translated(exc, "be opened") from exc
        # A store that may only be read is a store all the same.
        with contextlib.suppress(StorageError):
            self.sweep(LEFTOVER_AGE_S)

    def __repr__(self) -> str:
        return f"LocalStore({str(self.root)!r})"

    @contextlib.contextmanager
    def writer(self, key: str) -> Iterator[BinaryIO]:
        """Stream bytes into ``key``; see ObjectStore.writer."""
        names = check_key(key)
        action = f"store {key}"
        with self._errors(action), self._folder([TEMPORARY], create=True) as folder:
            temporary, fd = _create_temporary(folder)
        # The descriptor stays ours: who closes the file early loses nothing.
        raw = _Stream(fd, "wb", lambda exc: self._translated(exc, action))
        file = io.BufferedWriter(raw)
        try:
            yield file
            if not file.closed:
                file.flush()
            with self._errors(action):
                os.fsync(fd)
                self._publish(temporary, names)
        except BaseException:
            # Closes without flushing what is still buffered: it is not wanted any more.
            raw.close()
            with contextlib.suppress(OSError), self._folder([TEMPORARY]) as folder:
                os.unlink(temporary, dir_fd=folder)
            raise
        finally:
            raw.close()
            os.close(fd)

    @contextlib.contextmanager
    def reader(self, key: str, start: int = 0, stop: int | None = None) -> Iterator[BinaryIO]:
        """Stream the object's bytes; see ObjectStore.reader."""
        if start < 0 or (stop is not None and stop < 0):
            raise ValueError("A range of bytes begins and ends at zero or later.")
        fd = self._open(key)
        try:
            size_bytes = os.fstat(fd).st_size
            os.lseek(fd, min(start, size_bytes), os.SEEK_SET)
            room = None if stop is None else max(0, min(stop, size_bytes) - start)
            raw = _Stream(fd, "rb", lambda exc: self._translated(exc, f"read {key}"), room)
            with io.BufferedReader(raw) as file:
                yield file
        finally:
            os.close(fd)

    def put_bytes(self, key: str, data: bytes) -> None:
        """Store a small object from memory; see ObjectStore.put_bytes."""
        with self.writer(key) as file:
            file.write(data)

    def get_bytes(self, key: str) -> bytes:
        """Read a small object into memory; see ObjectStore.get_bytes."""
        with self.reader(key) as file:
            return file.read()

    def put_file(self, key: str, path: Path) -> None:
        """Store a copy of a file, sharing its blocks where the file system can."""
        check_key(key)
        with path.open("rb") as source, self.writer(key) as target:
            # Where it does not work, or stops early, plain copying does the rest and says
            # what is wrong.
            with contextlib.suppress(OSError):
                while os.copy_file_range(source.fileno(), target.fileno(), COPY_BYTES):
                    pass
            shutil.copyfileobj(source, target)

    @contextlib.contextmanager
    def as_file(self, key: str) -> Iterator[Path]:
        """Lend the object's own file; who deletes or replaces the object takes it away."""
        os.close(self._open(key))
        *folders, name = check_key(key)
        yield self.root.joinpath(*(folder + FOLDER_MARK for folder in folders), name)

    def stat(self, key: str) -> ObjectInfo:
        """Size and time of the object; see ObjectStore.stat."""
        fd = self._open(key)
        try:
            return _info(key, os.fstat(fd))
        finally:
            os.close(fd)

    def exists(self, key: str) -> bool:
        """Whether the key holds an object; see ObjectStore.exists."""
        try:
            os.close(self._open(key))
        except ObjectNotFoundError:
            return False
        return True

    def delete(self, key: str) -> None:
        """Remove the object, and the folders that are empty without it."""
        *folders, name = _path(check_key(key))
        with self._errors(f"delete {key}"):
            try:
                with self._folder(folders) as folder:
                    os.unlink(name, dir_fd=folder)
            except FileNotFoundError:
                return
        # Where two look the same moment, one finds the folders gone; where a writer was faster,
        # they are not empty.
        with (
            contextlib.suppress(OSError),
            self._folder([TEMPORARY], create=True) as pruning,
            _lock(pruning, fcntl.LOCK_EX),
        ):
            while folders:
                *folders, name = folders
                with self._folder(folders) as folder:
                    os.rmdir(name, dir_fd=folder)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object whose key begins with ``prefix``; see ObjectStore.list."""
        return self._walk([], "", check_prefix(prefix))

    def link(
        self,
        key: str,
        *,
        file_name: str,
        content_type: str,
        valid_s: int,
        is_inline: bool = False,
    ) -> str | None:
        """None: nobody serves the folder; see ObjectStore.link."""
        del file_name, content_type, valid_s, is_inline
        check_key(key)
        return None

    def sweep(self, older_than_s: float) -> int:
        """Remove what writers that died have left behind; see ObjectStore.sweep."""
        now = time.time()
        swept = 0
        with self._errors("be swept"):
            try:
                with self._folder([TEMPORARY]) as folder, os.scandir(folder) as entries:
                    for entry in entries:
                        with contextlib.suppress(FileNotFoundError):
                            age_s = now - entry.stat(follow_symlinks=False).st_mtime
                            if age_s >= older_than_s:
                                swept += _remove_leftover(folder, entry.name, age_s)
            except FileNotFoundError:
                return 0  # nothing was ever written
        return swept

    def check(self) -> None:
        """Raise if nothing can be written; see ObjectStore.check."""
        try:
            with self._folder([TEMPORARY], create=True) as folder:
                name, fd = _create_temporary(folder)
                os.close(fd)
                os.unlink(name, dir_fd=folder)
        except OSError as exc:
            if exc.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise InputError(
                    f"Nothing can be written to {self.root}: {exc.strerror}. Give midifarm the "
                    "right to write there, or choose another folder.",
                    folder=str(self.root),
                ) from exc
            raise self._translated(exc, "be written to") from exc

    def _walk(self, folders: builtins.list[str], base: str, prefix: str) -> Iterator[ObjectInfo]:
        """The objects in one folder and below; ``base`` is what their keys begin with."""
        found: dict[str, os.stat_result | None] = {}
        with self._errors("be listed"):
            try:
                with self._folder(folders) as folder, os.scandir(folder) as entries:
                    for entry in entries:
                        _collect(entry, base, prefix, found)
            except FileNotFoundError:
                return  # deleted and pruned meanwhile
        # A folder counts as "name/", which puts its objects among the others in the order of
        # whole keys: "a", "a-b", "a/b", "a0".
        for key in sorted(found):
            status = found[key]
            if status is None:
                name = key[len(base) : -1] + FOLDER_MARK
                yield from self._walk([*folders, name], key, prefix)
            else:
                yield _info(key, status)

    def _open(self, key: str) -> int:
        """A descriptor of the object's file."""
        *folders, name = _path(check_key(key))
        with self._errors(f"read {key}"):
            try:
                with self._folder(folders) as folder:
                    fd = os.open(name, _READ_FLAGS, dir_fd=folder)
            except FileNotFoundError as exc:
                raise ObjectNotFoundError(
                    f"There is no object {key} in {self.root}.", key=key
                ) from exc
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise StorageError(f"What {self.root} holds for {key} is no ordinary file.", key=key)
        return fd

    def _publish(self, temporary: str, names: Sequence[str]) -> None:
        """Give a whole temporary file its name, and see that it survives a power cut."""
        *folders, name = _path(names)
        with (
            self._folder([TEMPORARY]) as source,
            _lock(source, fcntl.LOCK_SH),
            self._folder(folders, create=True) as target,
        ):
            os.replace(temporary, name, src_dir_fd=source, dst_dir_fd=target)
            os.fsync(target)

    @contextlib.contextmanager
    def _folder(self, path: Sequence[str], *, create: bool = False) -> Iterator[int]:
        """A descriptor of a folder inside the store. Raises FileNotFoundError."""
        try:
            # The store's own folder may be a symbolic link: that is its owner's choice.
            fd = os.open(self.root, _FOLDER_FLAGS & ~os.O_NOFOLLOW)
        except FileNotFoundError as exc:
            # Not the same as an object that is missing: perhaps a disk is not mounted.
            raise StorageError(f"The object store's folder {self.root} is gone.") from exc
        try:
            for name in path:
                inner = _open_folder(fd, name, create=create)
                os.close(fd)
                fd = inner
            yield fd
        finally:
            os.close(fd)

    @contextlib.contextmanager
    def _errors(self, action: str) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise self._translated(exc, action) from exc

    def _translated(self, exc: OSError, action: str) -> StorageError:
        reason = exc.strerror or str(exc)
        if exc.errno in _FULL:
            try:
                free_bytes = shutil.disk_usage(self.root).free
            except OSError:
                free_bytes = 0
            return StorageFullError(
                f"There is no room in {self.root} to {action}: {reason} "
                f"({free_bytes / 1e6:,.0f} MB free). Make room there, or choose another folder.",
                folder=str(self.root),
                free_bytes=free_bytes,
            )
        return StorageError(
            f"The object store in {self.root} could not {action}: {reason}.",
            folder=str(self.root),
        )


class _Stream(io.FileIO):
    """A descriptor, forwards only as the port says, that fails with the store's errors."""

    def __init__(
        self,
        fd: int,
        mode: str,
        translated: Callable[[OSError], StorageError],
        room: int | None = None,
    ) -> None:
        """Wrap a descriptor, of which at most ``room`` more bytes are to be read."""
        super().__init__(fd, mode, closefd=False)
        self._translated = translated
        self._room = room

    def seekable(self) -> bool:
        return False

    def seek(self, *_: object) -> int:
        raise io.UnsupportedOperation("An object is read and written from its first byte on.")

    def tell(self) -> int:
        raise io.UnsupportedOperation("An object is read and written from its first byte on.")

    def write(self, data: Buffer, /) -> int:
        try:
            return super().write(data)
        except OSError as exc:
            raise self._translated(exc) from exc

    def readinto(self, buffer: Buffer, /) -> int:
        with memoryview(buffer).cast("B") as view:
            try:
                done = super().readinto(view if self._room is None else view[: self._room])
            except OSError as exc:
                raise self._translated(exc) from exc
        if self._room is not None:
            self._room -= done
        return done

    def readall(self) -> bytes:
        if self._room is not None:
            blocks = []
            while block := self.read(min(self._room, COPY_BYTES)):
                blocks.append(block)
            return b"".join(blocks)
        try:
            return super().readall()
        except OSError as exc:
            raise self._translated(exc) from exc

    def read(self, size: int | None = -1, /) -> bytes:
        # FileIO's own would go past readinto and its bounds.
        return cast("bytes", io.RawIOBase.read(self, -1 if size is None else size))


@contextlib.contextmanager
def _lock(folder: int, kind: int) -> Iterator[None]:
    """Keep empty folders from being pruned away under a writer: many write, or one prunes.

    Without it a writer could only try again, and with disks that commit in step it was seen to
    lose a hundred times in a row.
    """
    fcntl.flock(folder, kind)
    try:
        yield
    finally:
        fcntl.flock(folder, fcntl.LOCK_UN)


def _create_temporary(folder: int) -> tuple[str, int]:
    """A new file that nobody sweeps away while it is open: its name and its descriptor."""
    while True:
        name = uuid.uuid4().hex
        fd = os.open(name, _CREATE_FLAGS, 0o666, dir_fd=folder)
        # Where the file system cannot lock, only age speaks for a file.
        with contextlib.suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_EX)
        if os.fstat(fd).st_nlink:
            return name, fd
        os.close(fd)  # swept away before it was locked


def _remove_leftover(folder: int, name: str, age_s: float) -> bool:
    """Remove a temporary file if its writer has died; whether it had.

    Raises:
        FileNotFoundError: if its writer was faster.
    """
    try:
        fd = os.open(name, _SWEEP_FLAGS, dir_fd=folder)
    except FileNotFoundError:
        raise
    except OSError:
        return False  # no file of ours, or not ours to remove
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        died = False  # it lives, however slow it is
    except OSError:
        died = age_s >= LEFTOVER_AGE_S  # the file system cannot lock
    else:
        died = True
    try:
        # Under the lock: who has just made the file sees that it is gone.
        if died:
            os.unlink(name, dir_fd=folder)
    finally:
        os.close(fd)
    return died


def _path(names: Sequence[str]) -> list[str]:
    """The names of the folders and of the file that an object with these names lies in."""
    return [*(name + FOLDER_MARK for name in names[:-1]), names[-1]]


def _open_folder(parent: int, name: str, *, create: bool) -> int:
    try:
        return os.open(name, _FOLDER_FLAGS, dir_fd=parent)
    except FileNotFoundError:
        if not create:
            raise
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, dir_fd=parent)
    os.fsync(parent)
    return os.open(name, _FOLDER_FLAGS, dir_fd=parent)


def _collect(
    entry: os.DirEntry[str], base: str, prefix: str, found: dict[str, os.stat_result | None]
) -> None:
    """Add an entry of a folder to ``found`` if objects with the prefix can be in it."""
    if entry.name.startswith("."):
        return
    if entry.name.endswith(FOLDER_MARK):
        key = f"{base}{entry.name.removesuffix(FOLDER_MARK)}/"
        if (key.startswith(prefix) or prefix.startswith(key)) and entry.is_dir(
            follow_symlinks=False
        ):
            found[key] = None
        return
    key = base + entry.name
    if key.startswith(prefix) and entry.is_file(follow_symlinks=False):
        with contextlib.suppress(FileNotFoundError):
            found[key] = entry.stat(follow_symlinks=False)


def _info(key: str, status: os.stat_result) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size_bytes=status.st_size,
        modified_at=datetime.fromtimestamp(status.st_mtime, UTC),
    )
