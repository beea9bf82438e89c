"""The local object store is kept at a size, and nothing in use is taken away."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from coordinator.trimming import trim_store
from shared.storage import LocalStore

HOUR_S = 3600


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


def put(store: LocalStore, key: str, *, size_bytes: int = 10, age_h: float) -> None:
    store.put_bytes(key, bytes(size_bytes))
    then = time.time() - age_h * HOUR_S
    with store.as_file(key) as path:
        os.utime(path, (then, then))


def keys_in(store: LocalStore) -> set[str]:
    return {info.key for info in store.list()}


@pytest.mark.parametrize(
    ("limit_bytes", "kept", "freed"),
    [
        (40, {"d/newest", "a/new", "c/old", "b/oldest"}, 0),
        (39, {"d/newest", "a/new", "c/old"}, 10),
        (30, {"d/newest", "a/new", "c/old"}, 10),
        (29, {"d/newest", "a/new"}, 20),
        (10, {"d/newest"}, 30),
        (0, set(), 40),
    ],
)
def test_the_oldest_go_first_and_no_more_than_needed(
    store: LocalStore, limit_bytes: int, kept: set[str], freed: int
) -> None:
    for age_h, key in [(3, "d/newest"), (4, "a/new"), (50, "c/old"), (1000, "b/oldest")]:
        put(store, key, age_h=age_h)
    assert trim_store(store, limit_bytes) == freed
    assert keys_in(store) == kept


def test_what_may_be_in_use_stays_even_beyond_the_limit(store: LocalStore) -> None:
    put(store, "a", age_h=0, size_bytes=1000)
    put(store, "b", age_h=1.9, size_bytes=1000)
    put(store, "c", age_h=2.1, size_bytes=1)
    assert trim_store(store, 0) == 1
    assert keys_in(store) == {"a", "b"}


def test_an_empty_store_is_small_enough(store: LocalStore) -> None:
    assert trim_store(store, 0) == 0


def test_sizes_count_and_not_the_number_of_objects(store: LocalStore) -> None:
    put(store, "large", age_h=30, size_bytes=100)
    for index in range(5):
        put(store, f"small/{index}", age_h=10 + index, size_bytes=1)
    assert trim_store(store, 50) == 100
    assert keys_in(store) == {f"small/{index}" for index in range(5)}


def test_an_object_that_is_written_again_is_young_again(store: LocalStore) -> None:
    put(store, "a", age_h=100)
    put(store, "b", age_h=50)
    store.put_bytes("a", bytes(10))
    trim_store(store, 10)
    assert keys_in(store) == {"a"}
