"""The object store in a local folder."""

from __future__ import annotations

import fcntl
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.errors import (
    InputError,
    InvalidKeyError,
    ObjectNotFoundError,
    StorageError,
    StorageFullError,
)
from shared.storage import LocalStore, open_store
from shared.storage.keys import check_key
from shared.storage.local import LEFTOVER_AGE_S
from tests.store_conformance import StoreConformance

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "outer" / "store")


def temporary_files(store: LocalStore) -> list[Path]:
    return list((store.root / ".tmp").iterdir())


class TestConformance(StoreConformance):
    """The local folder is an object store."""


@given(st.text(max_size=30) | st.text("./\\a~\0", max_size=12))
@example("..")
@settings(deadline=None)
def test_a_key_is_valid_or_refused_and_leads_nowhere_else(key: str) -> None:
    try:
        names = check_key(key)
    except InvalidKeyError as error:
        assert str(error).isprintable()  # noqa: PT017  # valid text takes the other branch
    else:
        assert "/".join(names) == key
        assert all(name.isascii() and name[0] != "." for name in names)
        assert Path(os.path.normpath(key)) == Path(key)


def test_files_keep_their_names(store: LocalStore) -> None:
    store.put_bytes("exports/7/video.mp4", b"x")
    assert (store.root / "exports=/7=/video.mp4").read_bytes() == b"x"
    with store.as_file("exports/7/video.mp4") as path:
        assert path == store.root / "exports=/7=/video.mp4"


def test_nothing_is_made_outside_the_store(store: LocalStore, tmp_path: Path) -> None:
    for key in ["../a", "/a", "a/../../b", str(tmp_path / "x"), "..\\a"]:
        with pytest.raises(InvalidKeyError):
            store.put_bytes(key, b"x")
    assert [path.name for path in tmp_path.rglob("*")] == ["outer", "store"]


def test_symbolic_links_lead_nowhere(store: LocalStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "b").write_bytes(b"secret")
    (store.root / "a=").symlink_to(secret)
    (store.root / "c").symlink_to(secret / "b")
    for key in ["a/b", "c"]:
        with pytest.raises(StorageError):
            store.get_bytes(key)
        with pytest.raises(StorageError), store.as_file(key):
            pass
    with pytest.raises(StorageError):
        store.put_bytes("a/new", b"x")
    with pytest.raises(StorageError):
        store.delete("a/b")
    assert list(store.list()) == []
    store.put_bytes("c", b"replaces the link")
    assert [path.name for path in secret.iterdir()] == ["b"]
    assert (secret / "b").read_bytes() == b"secret"


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    LocalStore(tmp_path / "link").put_bytes("a", b"x")
    assert (tmp_path / "disk" / "a").read_bytes() == b"x"


def test_a_pipe_is_no_object(store: LocalStore) -> None:
    os.mkfifo(store.root / "pipe")
    with pytest.raises(StorageError, match="no ordinary file"):
        store.get_bytes("pipe")
    assert list(store.list()) == []


def test_a_failed_writer_leaves_no_file(store: LocalStore) -> None:
    def write_half() -> None:
        with store.writer("a/b") as file:
            file.write(b"x" * 1_000_000)
            assert len(temporary_files(store)) == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert temporary_files(store) == []
    store.put_bytes("a/b", b"x")
    assert temporary_files(store) == []


def test_a_killed_writer_leaves_nothing_to_see(store: LocalStore) -> None:
    program = (
        "import sys; from pathlib import Path; from shared.storage import LocalStore\n"
        "with LocalStore(Path(sys.argv[1])).writer('a/b') as file:\n"
        "    file.write(b'x' * 1_000_000); file.flush(); print('written', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(store.root)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        writer.kill()
    assert not store.exists("a/b")
    assert list(store.list()) == []
    [leftover] = temporary_files(store)

    LocalStore(store.root)
    assert leftover.exists(), "it might still be at work"
    assert store.sweep(5) == 0, "it is too young"
    make_old(leftover, 6)
    assert store.sweep(5) == 1
    assert not leftover.exists()


def make_old(path: Path, age_s: float) -> None:
    then = time.time() - age_s
    os.utime(path, (then, then))


def test_opening_a_store_removes_what_is_a_day_old(store: LocalStore) -> None:
    store.put_bytes("a", b"x")
    leftover = store.root / ".tmp" / "leftover"
    leftover.write_bytes(b"x")
    make_old(leftover, LEFTOVER_AGE_S - 60)
    LocalStore(store.root)
    assert leftover.exists()
    make_old(leftover, LEFTOVER_AGE_S + 60)
    LocalStore(store.root)
    assert not leftover.exists()


def test_a_writer_that_lives_is_never_swept_away(store: LocalStore) -> None:
    with store.writer("a") as file:
        file.write(b"slow")
        [temporary] = temporary_files(store)
        make_old(temporary, 100 * LEFTOVER_AGE_S)
        assert store.sweep(0) == 0
        LocalStore(store.root)
    assert store.get_bytes("a") == b"slow"


def test_writers_and_sweeps_at_once_lose_nothing(store: LocalStore) -> None:
    done = threading.Event()
    swept: list[int] = []

    def sweep() -> None:
        while not done.is_set():
            swept.append(LocalStore(store.root).sweep(0))

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    try:
        for number in range(300):
            store.put_bytes(f"a/{number}", b"x" * number)
    finally:
        done.set()
        sweeper.join()
    assert [info.size_bytes for info in store.list()] == sorted(range(300), key=str)
    assert temporary_files(store) == []
    assert len(swept) > 10


def test_a_file_that_was_swept_away_before_its_lock_is_made_anew(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock
    swept: list[Path] = []

    def lose_the_race(fd: int, kind: int) -> None:
        if not swept:
            swept.extend(temporary_files(store))
            swept[0].unlink()
        lock(fd, kind)

    monkeypatch.setattr("shared.storage.local.fcntl.flock", lose_the_race)
    store.put_bytes("a", b"x")
    assert len(swept) == 1
    assert store.get_bytes("a") == b"x"
    assert temporary_files(store) == []


def test_a_check_says_where_nothing_can_be_written(tiny_disk: Path) -> None:
    store = LocalStore(tiny_disk / "store")
    store.check()
    assert temporary_files(store) == []
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    with pytest.raises(InputError, match="Nothing can be written") as caught:
        store.check()
    assert str(store.root) in str(caught.value)


def test_a_check_says_that_the_folder_is_gone(store: LocalStore) -> None:
    store.root.rename(store.root.with_name("elsewhere"))
    with pytest.raises(StorageError, match="is gone"):
        store.check()


def test_a_folder_has_no_links(store: LocalStore) -> None:
    assert store.link("a", file_name="a.mp4", content_type="video/mp4", valid_s=60) is None


@pytest.fixture
def small_files() -> Iterator[int]:
    """No file of this process may grow beyond this many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = 1_000_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_refused_write_says_where_there_is_no_room(
    store: LocalStore, tmp_path: Path, small_files: int
) -> None:
    source = tmp_path / "source"
    with source.open("wb") as sparse:
        sparse.truncate(small_files)

    def write_too_much() -> None:
        with store.writer("a") as file:
            for _ in range(3):
                file.write(source.read_bytes())

    with pytest.raises(StorageFullError, match="no room") as caught:
        write_too_much()
    assert str(store.root) in str(caught.value)
    assert caught.value.facts["free_bytes"] > 0
    with pytest.raises(StorageFullError):
        store.put_bytes("a", b"x" * (small_files + 1))
    assert not store.exists("a")
    assert temporary_files(store) == []
    store.put_file("a", source)
    assert store.stat("a").size_bytes == small_files


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for one megabyte."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system takes root")
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine lets nobody mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_named_and_left_clean(tiny_disk: Path, tmp_path: Path) -> None:
    store = LocalStore(tiny_disk)
    store.put_bytes("kept", b"x")
    source = tmp_path / "source"
    source.write_bytes(b"x" * 2_000_000)
    with pytest.raises(StorageFullError, match="MB free") as caught:
        store.put_file("a/b", source)
    assert caught.value.facts["folder"] == str(tiny_disk)
    with pytest.raises(StorageFullError):
        store.put_bytes("a/b", source.read_bytes())
    assert temporary_files(store) == []
    assert [info.key for info in store.list()] == ["kept"]
    store.put_bytes("small", b"x" * 500_000)


def test_deleting_prunes_folders_but_never_under_a_writer(store: LocalStore) -> None:
    start = threading.Barrier(2)
    failures: list[BaseException] = []

    def write_and_delete(name: str) -> None:
        try:
            start.wait()
            for _ in range(200):
                store.put_bytes(f"a/b/{name}", name.encode())
                assert store.get_bytes(f"a/b/{name}") == name.encode()
                store.delete(f"a/b/{name}")
        except BaseException as exc:  # shown by the test, not by a thread
            failures.append(exc)

    threads = [threading.Thread(target=write_and_delete, args=(name,)) for name in "xy"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [path.name for path in store.root.iterdir()] == [".tmp"]


def test_a_store_that_has_gone_is_not_an_empty_one(store: LocalStore) -> None:
    store.root.rename(store.root.with_name("elsewhere"))
    with pytest.raises(StorageError, match="is gone") as caught:
        store.exists("a")
    assert not isinstance(caught.value, ObjectNotFoundError)
    with pytest.raises(StorageError, match="is gone"):
        list(store.list())


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match=r"could not be opened: Not a directory"):
        LocalStore(tmp_path / "file" / "store")


def test_strange_files_in_the_folder_are_passed_over(store: LocalStore) -> None:
    (store.root / ".DS_Store").write_bytes(b"")
    (store.root / "a=").write_bytes(b"")
    (store.root / "b").mkdir()
    store.put_bytes("c", b"x")
    assert [info.key for info in store.list()] == ["c"]


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}", "file:{}"])
def test_an_address_opens_the_folder(tmp_path: Path, form: str) -> None:
    store = open_store(form.format(tmp_path / "store"))
    assert isinstance(store, LocalStore)
    assert store.root == tmp_path / "store"


def test_an_address_may_be_escaped_and_a_path_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    escaped, relative = open_store(f"file://{tmp_path}/my%20store"), open_store("relative")
    assert isinstance(escaped, LocalStore)
    assert isinstance(relative, LocalStore)
    assert escaped.root == tmp_path / "my store"
    assert relative.root == tmp_path / "relative"


@pytest.mark.parametrize(
    "url", ["", "ftp://bucket/x", "http://host/x", "file://host/x", "file:x", "file:///x?y", "a\0b"]
)
def test_other_addresses_are_refused_with_what_would_work(url: str) -> None:
    with pytest.raises(InputError, match="file:///path/to/folder"):
        open_store(url)
