"""The sentences of ``shared/storage/port.py`` as tests, for every implementation alike."""

from __future__ import annotations

import pickle
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import InvalidKeyError, ObjectNotFoundError
from shared.storage import ObjectStore

NAMES = st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,39}", fullmatch=True)
KEYS = st.lists(NAMES, min_size=1, max_size=8).map("/".join)
# Few letters, so that keys that begin with one another are the rule.
CROWDED_NAMES = st.text("a-.0", min_size=1, max_size=3).filter(lambda name: name[0] != ".")
CROWDED_KEYS = st.lists(CROWDED_NAMES, min_size=1, max_size=4).map("/".join)

INVALID_KEYS = [
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "../a",
    "a/../b",
    "a/..",
    "a/./b",
    ".tmp/a",
    "a/.hidden",
    "a\\b",
    "..\\a",
    "a\0b",
    "a\n",
    "a b",
    "a=",
    "a=/b",
    "a:b",
    "a%2fb",
    "~",
    "é",
    "\N{FULLWIDTH FULL STOP}\N{FULLWIDTH FULL STOP}/a",
    "a\N{FRACTION SLASH}b",
    "a\N{DIVISION SLASH}b",
    "\N{ONE DOT LEADER}\N{ONE DOT LEADER}/a",
    "\N{ARABIC-INDIC DIGIT ONE}",
    "\ud800",
    "a/b/c/d/e/f/g/h/i",
    "n" * 201,
    "/".join(["n" * 100] * 6),
]

# The store outlives the examples of a test: an example replaces what the one before has left.
shared_store = settings(
    # It is meant that several subclasses run the same test.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    deadline=None,
    max_examples=30,
)


class StoreConformance:
    """Subclass this with a fixture ``store`` that gives an empty store."""

    @given(key=KEYS, data=st.binary(max_size=5000))
    @shared_store
    def test_what_was_stored_is_read_back(self, store: ObjectStore, key: str, data: bytes) -> None:
        store.put_bytes(key, data)
        assert store.get_bytes(key) == data
        assert store.exists(key)
        assert store.stat(key).key == key
        assert store.stat(key).size_bytes == len(data)
        assert key in [info.key for info in store.list(key)]

    def test_the_longest_keys_work(self, store: ObjectStore) -> None:
        for key in ["n" * 200, "/".join(["n" * 63] * 8), "/".join(["n" * 200] * 2)]:
            store.put_bytes(key, b"x")
            assert [info.key for info in store.list(key)] == [key]

    @pytest.mark.parametrize("key", INVALID_KEYS, ids=ascii)
    def test_what_is_no_key_is_refused_everywhere(
        self, store: ObjectStore, key: str, tmp_path: Path
    ) -> None:
        source = tmp_path / "source"
        source.write_bytes(b"x")
        calls: list[Any] = [
            lambda: store.writer(key).__enter__(),
            lambda: store.reader(key).__enter__(),
            lambda: store.as_file(key).__enter__(),
            lambda: store.put_bytes(key, b"x"),
            lambda: store.put_file(key, source),
            lambda: store.get_bytes(key),
            lambda: store.stat(key),
            lambda: store.exists(key),
            lambda: store.delete(key),
            lambda: store.link(key, file_name="a", content_type="a/b", valid_s=1),
        ]
        for call in calls:
            with pytest.raises(InvalidKeyError):
                call()
        assert list(store.list()) == []

    @pytest.mark.parametrize("prefix", ["/", "..", "a//", "a/.", "a/../", "a\\", "=", "é"])
    def test_what_begins_no_key_is_refused_at_once(self, store: ObjectStore, prefix: str) -> None:
        with pytest.raises(InvalidKeyError):
            store.list(prefix)

    def test_missing_objects_are_said_to_be_missing(self, store: ObjectStore) -> None:
        store.put_bytes("a/b", b"x")
        for key in ["a", "b", "a/b/c", "a/c"]:
            calls: list[Any] = [
                lambda key=key: store.reader(key).__enter__(),
                lambda key=key: store.as_file(key).__enter__(),
                lambda key=key: store.get_bytes(key),
                lambda key=key: store.stat(key),
            ]
            for call in calls:
                with pytest.raises(ObjectNotFoundError) as caught:
                    call()
                assert caught.value.facts["key"] == key
            assert not store.exists(key)
            store.delete(key)
        assert store.get_bytes("a/b") == b"x"

    def test_keys_that_begin_with_one_another_coexist(self, store: ObjectStore) -> None:
        keys = ["a", "a/b", "a/b/c"]
        for key in keys:
            store.put_bytes(key, key.encode())
        assert [store.get_bytes(key) for key in keys] == [key.encode() for key in keys]
        store.delete("a")
        store.delete("a/b/c")
        assert [info.key for info in store.list()] == ["a/b"]

    def test_an_object_appears_when_its_block_ends(self, store: ObjectStore) -> None:
        with store.writer("a/b") as file:
            file.write(b"one ")
            file.flush()
            assert not store.exists("a/b")
            assert list(store.list()) == []
            file.write(b"two")
        assert store.get_bytes("a/b") == b"one two"

    @pytest.mark.parametrize("error", [RuntimeError, OSError, KeyboardInterrupt])
    def test_what_a_failed_block_wrote_is_discarded(
        self, store: ObjectStore, error: type[BaseException]
    ) -> None:
        store.put_bytes("old", b"old")

        def write_half(key: str) -> None:
            with store.writer(key) as file:
                file.write(b"half")
                raise error("stop")

        for key in ["old", "new"]:
            with pytest.raises(error, match="stop"):
                write_half(key)
        assert store.get_bytes("old") == b"old"
        assert [info.key for info in store.list()] == ["old"]

    def test_a_writer_may_close_its_file(self, store: ObjectStore) -> None:
        with store.writer("a") as file:
            file.write(b"whole")
            file.close()
        assert store.get_bytes("a") == b"whole"

    def test_streams_go_forwards_only(self, store: ObjectStore) -> None:
        with store.writer("a") as target:
            assert not target.seekable()
            target.write(b"abc")
        with store.reader("a") as source:
            assert not source.seekable()
            assert source.read(1) == b"a"
            assert source.read() == b"bc"
            assert source.read() == b""

    def test_large_objects_are_streamed(self, store: ObjectStore) -> None:
        block = bytes(range(256)) * 4096
        with store.writer("large") as target:
            for _ in range(12):
                target.write(block)
        assert store.stat("large").size_bytes == 12 * len(block)
        with store.reader("large") as source:
            for _ in range(12):
                assert source.read(len(block)) == block
            assert source.read() == b""

    @given(
        data=st.binary(max_size=200),
        start=st.integers(0, 300),
        stop=st.none() | st.integers(0, 300),
    )
    @shared_store
    def test_a_range_is_what_a_slice_is(
        self, store: ObjectStore, data: bytes, start: int, stop: int | None
    ) -> None:
        store.put_bytes("a", data)
        with store.reader("a", start, stop) as whole:
            assert whole.read() == data[start:stop]
        with store.reader("a", start, stop) as pieces:
            assert b"".join(iter(lambda: pieces.read(7), b"")) == data[start:stop]

    def test_ranges_of_a_large_object(self, store: ObjectStore) -> None:
        block = bytes(range(256)) * 4096
        store.put_bytes("large", block * 3)
        with store.reader("large", len(block) + 5, 2 * len(block) + 9) as source:
            assert source.read() == block[5:] + block[:9]
        with store.reader("large", 3 * len(block) - 1) as last:
            assert last.read() == b"\xff"

    def test_a_range_of_nothing_needs_an_object_all_the_same(self, store: ObjectStore) -> None:
        for start, stop in [(0, 0), (5, 3), (9, None), (0, 9)]:
            with pytest.raises(ObjectNotFoundError):
                store.reader("a", start, stop).__enter__()
        for start, stop in [(-1, None), (0, -1)]:
            with pytest.raises(ValueError, match="zero or later"):
                store.reader("a", start, stop).__enter__()

    def test_a_usable_store_passes_its_check(self, store: ObjectStore) -> None:
        store.check()
        assert list(store.list()) == []

    def test_a_sweep_takes_no_object_and_no_writer_at_work(self, store: ObjectStore) -> None:
        store.put_bytes("a", b"x")
        with store.writer("b") as file:
            file.write(b"x" * 20_000_000)
            assert store.sweep(3600) == 0
        assert [info.key for info in store.list()] == ["a", "b"]

    def test_a_link_is_an_address_or_none(self, store: ObjectStore) -> None:
        store.put_bytes("a", b"x")
        link = store.link("a", file_name="a.mp4", content_type="video/mp4", valid_s=60)
        assert link is None or link.startswith("http")

    def test_a_copy_in_another_process_is_the_same_store(self, store: ObjectStore) -> None:
        store.put_bytes("a", b"x")
        assert pickle.loads(pickle.dumps(store)).get_bytes("a") == b"x"  # noqa: S301  # our own

    def test_a_second_write_replaces_the_first(self, store: ObjectStore) -> None:
        store.put_bytes("a", b"first, and longer")
        store.put_bytes("a", b"second")
        assert store.get_bytes("a") == b"second"
        assert [info.size_bytes for info in store.list()] == [6]

    def test_a_reader_keeps_what_it_opened(self, store: ObjectStore) -> None:
        first = b"1" * 3_000_000
        store.put_bytes("a", first)
        with store.reader("a") as replaced:
            assert replaced.read(10) == first[:10]
            store.put_bytes("a", b"2")
            assert replaced.read() == first[10:]
        store.put_bytes("a", first)
        with store.reader("a") as deleted:
            assert deleted.read(10) == first[:10]
            store.delete("a")
            assert deleted.read() == first[10:]

    def test_deleting_twice_is_no_error(self, store: ObjectStore) -> None:
        store.put_bytes("a/b", b"x")
        store.delete("a/b")
        store.delete("a/b")
        assert not store.exists("a/b")
        assert list(store.list()) == []

    @pytest.mark.parametrize("size_bytes", [0, 1, 3_000_001])
    def test_a_file_is_copied_in_and_lent_out(
        self, store: ObjectStore, tmp_path: Path, size_bytes: int
    ) -> None:
        source = tmp_path / "source"
        source.write_bytes(b"\xa5" * size_bytes)
        store.put_file("a/b.bin", source)
        source.write_bytes(b"changed")
        with store.as_file("a/b.bin") as path:
            assert path.read_bytes() == b"\xa5" * size_bytes
            assert path.suffix == ".bin"

    def test_a_file_that_cannot_be_read_is_the_callers_error(
        self, store: ObjectStore, tmp_path: Path
    ) -> None:
        with pytest.raises(FileNotFoundError):
            store.put_file("a", tmp_path / "absent")
        assert not store.exists("a")

    def test_an_objects_time_is_when_it_was_written(self, store: ObjectStore) -> None:
        before = datetime.now(UTC)
        store.put_bytes("a", b"abc")
        info = store.stat("a")
        # A store may count in whole seconds, on a clock of its own machine.
        assert before - timedelta(seconds=2) <= info.modified_at
        assert info.modified_at <= datetime.now(UTC) + timedelta(seconds=2)
        assert info.modified_at.utcoffset() == timedelta(0)
        assert [listed.key for listed in store.list()] == ["a"]

    @given(keys=st.sets(CROWDED_KEYS, max_size=12), prefix=CROWDED_KEYS, cut=st.integers(0, 4))
    @shared_store
    def test_lists_are_in_the_order_of_keys(
        self, store: ObjectStore, keys: set[str], prefix: str, cut: int
    ) -> None:
        for info in store.list():
            store.delete(info.key)
        for key in keys:
            store.put_bytes(key, key.encode())
        assert [info.key for info in store.list()] == sorted(keys)
        for start in {prefix[:cut].removesuffix("."), *keys}:
            expected = sorted(key for key in keys if key.startswith(start))
            assert [info.key for info in store.list(start)] == expected
        assert all(info.size_bytes == len(info.key) for info in store.list())

    def test_one_of_many_writers_wins_whole(self, store: ObjectStore) -> None:
        writers = 8
        start = threading.Barrier(writers)
        failures: list[BaseException] = []

        def write(letter: bytes) -> None:
            try:
                start.wait()
                with store.writer("same/key") as file:
                    for _ in range(64):
                        file.write(letter * 4096)
            except BaseException as exc:  # shown by the test, not by a thread
                failures.append(exc)

        threads = [
            threading.Thread(target=write, args=(bytes([ord("a") + index]),))
            for index in range(writers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        data = store.get_bytes("same/key")
        assert len(data) == 64 * 4096
        assert len(set(data)) == 1
        assert [info.key for info in store.list()] == ["same/key"]
