"""A video appears at its place whole or not at all, and nothing is left beside it."""

from __future__ import annotations

import errno
import io
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from coordinator.output import check_output, publish
from shared.errors import InputError, ObjectNotFoundError, StorageFullError
from shared.storage import LocalStore

KEY = "exports/aa/video.mp4"
VIDEO = bytes(range(256)) * 4096 * 3  # more than one block


class BrokenReader(io.BytesIO):
    """Gives some bytes and then fails."""

    def __init__(self, number: int) -> None:
        super().__init__(VIDEO)
        self._number = number

    def read(self, size: int | None = -1, /) -> bytes:
        """Read once; the second time fails."""
        if self.tell():
            raise OSError(self._number, os.strerror(self._number))
        return super().read(size)


class EventfulStore(LocalStore):
    """Does something while it is read."""

    def __init__(self, root: Path, event: Callable[[], BinaryIO | None]) -> None:
        super().__init__(root)
        self._event = event

    @contextmanager
    def reader(self, key: str) -> Iterator[BinaryIO]:
        """See ObjectStore; the event happens first, and may read something else."""
        with super().reader(key) as source:
            yield self._event() or source


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "store")
    store.put_bytes(KEY, VIDEO)
    return store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "videos"
    folder.mkdir()
    return folder


def eventful(store: LocalStore, event: Callable[[], BinaryIO | None]) -> EventfulStore:
    return EventfulStore(store.root, event)


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_video_is_put_where_nothing_was(store: LocalStore, folder: Path, overwrite: bool) -> None:
    path = folder / "song.mp4"
    check_output(path, overwrite=overwrite)
    assert list(folder.iterdir()) == [], "looking leaves nothing behind"
    publish(store, KEY, path, overwrite=overwrite)
    assert path.read_bytes() == VIDEO
    assert list(folder.iterdir()) == [path]


def test_a_video_is_replaced_only_when_that_was_asked_for(store: LocalStore, folder: Path) -> None:
    path = folder / "song.mp4"
    path.write_bytes(b"old")
    for action in (
        lambda: check_output(path, overwrite=False),
        lambda: publish(store, KEY, path, overwrite=False),
    ):
        with pytest.raises(InputError, match=r"song\.mp4 exists already; give --overwrite"):
            action()
    assert path.read_bytes() == b"old"
    check_output(path, overwrite=True)
    publish(store, KEY, path, overwrite=True)
    assert path.read_bytes() == VIDEO
    assert list(folder.iterdir()) == [path]


def test_while_a_video_is_copied_its_name_is_not_taken(store: LocalStore, folder: Path) -> None:
    path = folder / "song.mp4"
    path.write_bytes(b"old")
    seen: list[tuple[bytes, list[str]]] = []

    def look() -> None:
        others = [entry.name for entry in folder.iterdir() if entry != path]
        seen.append((path.read_bytes(), others))

    publish(eventful(store, look), KEY, path, overwrite=True)
    [(content, others)] = seen
    assert content == b"old"
    assert len(others) == 1
    assert others[0].startswith(".song.")
    assert path.read_bytes() == VIDEO


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_who_was_faster_keeps_the_name(
    store: LocalStore, folder: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    path = folder / "song.mp4"
    if not links:
        without_hard_links(monkeypatch)

    def somebody_else() -> None:
        path.write_bytes(b"theirs")

    with pytest.raises(InputError, match="exists already"):
        publish(eventful(store, somebody_else), KEY, path, overwrite=False)
    assert path.read_bytes() == b"theirs"
    assert list(folder.iterdir()) == [path]


def without_hard_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, _target: Path) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(self))

    monkeypatch.setattr(Path, "hardlink_to", refuse)


def test_hard_links_are_not_needed(
    store: LocalStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_hard_links(monkeypatch)
    publish(store, KEY, folder / "song.mp4", overwrite=False)
    assert (folder / "song.mp4").read_bytes() == VIDEO
    assert len(list(folder.iterdir())) == 1


def test_a_video_is_as_readable_as_any_new_file(store: LocalStore, folder: Path) -> None:
    publish(store, KEY, folder / "song.mp4", overwrite=False)
    (folder / "plain").touch()
    assert (folder / "song.mp4").stat().st_mode == (folder / "plain").stat().st_mode


@pytest.mark.parametrize(
    ("number", "error", "sentence"),
    [
        (errno.ENOSPC, StorageFullError, "There is no space left for "),
        (errno.EDQUOT, StorageFullError, "There is no space left for "),
        (errno.EIO, InputError, "cannot be written: Input/output error"),
    ],
)
def test_a_failure_half_way_leaves_what_was_there(
    store: LocalStore, folder: Path, number: int, error: type[Exception], sentence: str
) -> None:
    path = folder / "song.mp4"
    path.write_bytes(b"old")
    with pytest.raises(error, match=sentence):
        publish(eventful(store, lambda: BrokenReader(number)), KEY, path, overwrite=True)
    assert path.read_bytes() == b"old"
    assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ValueError])
def test_an_interruption_leaves_nothing_behind(
    store: LocalStore, folder: Path, interruption: type[BaseException]
) -> None:
    def interrupt() -> None:
        raise interruption

    with pytest.raises(interruption):
        publish(eventful(store, interrupt), KEY, folder / "song.mp4", overwrite=False)
    assert list(folder.iterdir()) == []


def test_a_missing_object_leaves_nothing_behind(store: LocalStore, folder: Path) -> None:
    with pytest.raises(ObjectNotFoundError):
        publish(store, "exports/aa/other.mp4", folder / "song.mp4", overwrite=False)
    assert list(folder.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for a part of the video."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode:
        pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_told_as_such(store: LocalStore, small_disk: Path) -> None:
    path = small_disk / "song.mp4"
    path.write_bytes(b"old")
    with pytest.raises(StorageFullError, match="There is no space left for "):
        publish(store, KEY, path, overwrite=True)
    assert path.read_bytes() == b"old"
    assert list(small_disk.iterdir()) == [path]


def test_a_folder_is_no_place_for_a_video(store: LocalStore, folder: Path) -> None:
    for overwrite in (True, False):
        with pytest.raises(InputError, match="is a folder; name a file in it"):
            check_output(folder, overwrite=overwrite)
        with pytest.raises(InputError):
            publish(store, KEY, folder, overwrite=overwrite)
    assert list(folder.iterdir()) == []
    assert {entry.name for entry in folder.parent.iterdir()} == {"store", "videos"}


@pytest.mark.parametrize("name", ["missing/song.mp4", "file/song.mp4"])
def test_a_missing_folder_is_named(store: LocalStore, folder: Path, name: str) -> None:
    (folder / "file").touch()
    with pytest.raises(InputError, match=r"There is no folder .*/(missing|file) to put"):
        check_output(folder / name, overwrite=False)
    with pytest.raises(InputError, match="cannot be written: "):
        publish(store, KEY, folder / name, overwrite=False)
    assert [entry.name for entry in folder.iterdir()] == ["file"]


def test_a_folder_that_cannot_be_written_to_is_named() -> None:
    # Even root cannot make files here.
    with pytest.raises(InputError, match=r"^Nothing can be written to /proc: .+\.$"):
        check_output(Path("/proc/song.mp4"), overwrite=False)


def test_a_name_that_is_too_long_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be written: File name too long\."):
        check_output(folder / ("x" * 300), overwrite=False)


@pytest.mark.parametrize("letter", ["x", "é", "🎹"])
def test_a_name_may_be_as_long_as_the_file_system_allows(
    store: LocalStore, folder: Path, letter: str
) -> None:
    path = folder / (letter * (250 // len(letter.encode())) + ".mp4")
    check_output(path, overwrite=False)
    publish(store, KEY, path, overwrite=False)
    assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_device_is_never_replaced(folder: Path, overwrite: bool) -> None:
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="is no ordinary file and cannot be replaced"):
        check_output(pipe, overwrite=overwrite)
    assert pipe.is_fifo()


def test_a_link_that_leads_nowhere_takes_a_name_too(store: LocalStore, folder: Path) -> None:
    path = folder / "song.mp4"
    path.symlink_to(folder / "gone.mp4")
    with pytest.raises(InputError, match="exists already"):
        check_output(path, overwrite=False)
    with pytest.raises(InputError, match="exists already"):
        publish(store, KEY, path, overwrite=False)
    assert path.is_symlink()
    assert list(folder.iterdir()) == [path]
