"""The log of an attempt: what is kept of it, and that it never holds up the work."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator
from typing import Any

import av.logging
import pytest

from cluster import attempt_log
from cluster.attempt_log import Ends, Keeper, logged
from cluster.errand import Errand
from shared.errors import CancelledError, RenderError
from shared.keys import log_key
from shared.logs import JsonFormatter
from shared.plan import SegmentReport
from shared.storage import LocalStore, ObjectStore

ERRAND = Errand(attempt="a17", kind="render_chunk", export="exp_1", chunk=3, log_key=log_key(17))
PATIENCE_S = 10.0


@pytest.fixture(autouse=True)
def _quiet_libav() -> Iterator[None]:
    yield
    av.logging.set_level(None)
    attempt_log._have_libav_tell.cache_clear()


def line(message: str, *arguments: object, **bound: Any) -> dict[str, Any]:
    record = logging.LogRecord("farm", logging.INFO, "", 0, message, arguments, None)
    told: dict[str, Any] = json.loads(JsonFormatter(**bound).format(record))
    return told


def test_ids_and_pairs_of_a_line_are_fields() -> None:
    told = line("attempt_failed attempt=%s chunk=%s error=%s", "a1", None, "It broke, twice: x.")
    assert told["event"] == "attempt_failed"
    assert told["attempt"] == "a1"
    assert told["error"] == "It broke, twice: x."
    assert "chunk" not in told
    assert line("node_joined renderer=%r slots=2", "a b")["renderer"] == "'a b'"
    assert line("leading epoch=1", attempt="a2", export=None)["attempt"] == "a2"
    assert "event" not in line("Read the manual, at=once")


def test_the_first_and_the_last_lines_are_kept() -> None:
    ends = Ends(30)
    for number in range(100):
        ends.add(f"line {number:03d}".encode())
    kept = list(ends.lines())
    assert kept[:3] == [b"line 000", b"line 001", b"line 002"]
    assert b"94 lines" in kept[3]
    assert kept[4:] == [b"line 097", b"line 098", b"line 099"]


class Told:
    """What is kept in a store, once it is there."""

    def __init__(self, store: LocalStore) -> None:
        """Look into a store."""
        self._store = store
        self._kept = threading.Event()

    def opened(self) -> ObjectStore:
        """The store, for a keeper; it says when it has stored something."""
        put, kept = self._store.put_bytes, self._kept

        class Noticed(LocalStore):
            def put_bytes(self, key: str, data: bytes) -> None:
                put(key, data)
                kept.set()

        return Noticed(self._store.root)

    def lines(self) -> list[dict[str, Any]]:
        """The lines of the log of the errand."""
        assert self._kept.wait(PATIENCE_S)
        self._kept.clear()
        return [json.loads(each) for each in self._store.get_bytes(log_key(17)).splitlines()]


def test_everything_that_is_said_in_an_attempt_is_kept_with_its_ids(store: LocalStore) -> None:
    told = Told(store)
    with logged(ERRAND, "node:1", told.opened) as tell_report:
        logging.getLogger("some.library").warning("It is odd.")
        os.write(2, b"a driver complains\n")
        tell_report(SegmentReport(index=3, key="k", frames=240, size_bytes=9, sha256="0" * 64))
    lines = told.lines()
    for each in lines:
        assert (each["export"], each["attempt"], each["worker"]) == ("exp_1", "a17", "node:1")
        assert each["chunk"] == 3
    assert [each["event"] for each in lines if "event" in each] == [
        "attempt_began",
        "attempt_reports",
        "attempt_done",
    ]
    said = {each["message"] for each in lines}
    assert {"It is odd.", "a driver complains"} <= said
    assert next(each for each in lines if each.get("event") == "attempt_reports")["frames"] == "240"


@pytest.mark.parametrize(
    ("error", "event"),
    [(RenderError("It broke."), "attempt_failed"), (CancelledError("No."), "attempt_cancelled")],
)
def test_an_attempt_that_fails_or_is_cancelled_leaves_its_log(
    store: LocalStore, error: Exception, event: str
) -> None:
    told = Told(store)
    with pytest.raises(type(error)), logged(ERRAND, "node:1", told.opened):
        raise error
    last = told.lines()[-1]
    assert last["event"] == event
    assert ("Traceback" in last.get("exception", "")) is (event == "attempt_failed")


def test_a_store_that_hangs_holds_up_nobody(store: LocalStore) -> None:
    goes_on = threading.Event()

    def hang() -> ObjectStore:
        assert goes_on.wait(PATIENCE_S)
        return store

    keeper = Keeper()
    taken = [keeper.keep(log_key(number), b"text", hang) for number in range(40)]
    assert taken[0]
    assert not taken[-1]
    goes_on.set()


def test_logs_lie_in_the_order_of_their_attempts() -> None:
    keys = [log_key(number) for number in (1, 9, 10, 9_999, 10_000, 123_456_789, 2**62)]
    assert keys == sorted(keys)
