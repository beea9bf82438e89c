"""Live progress: nothing is missed, nothing comes twice, and everything ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from coordinator.api.limits import ApiLimits
from shared.storage import LocalStore
from tests.api import WITHIN_S, RunningApi, ids
from tests.bench.watching import measure


@pytest.fixture
def api(migrated_database_url: str, tmp_path: Path) -> Iterator[RunningApi]:
    with RunningApi(migrated_database_url, LocalStore(tmp_path / "store")) as running:
        yield running


def _event_ids(api: RunningApi, export_id: str) -> list[int]:
    rows = api.sql("select id from events where export_id = %s order by id", export_id)
    return [row["id"] for row in rows]


def test_a_stream_shows_the_state_then_changes_and_ends_with_the_export(api: RunningApi) -> None:
    export_id, client = api.add_export(), api.client()
    with api.watch(client, export_id) as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["cache-control"] == "no-cache"
        messages = iter(stream)
        assert 1000 <= (next(messages).retry or 0) <= 3000
        first = next(messages)
        assert (first.event, first.data["status"], first.data["id"]) == (
            "status",
            "queued",
            export_id,
        )
        api.tell(export_id, passing=False, status="rendering", stage="rendering", frames=100)
        api.tell(export_id, passing=True, frames_done=40, progress=0.4, fps=20, eta_s=3)
        api.end(export_id)
        rest = list(messages)  # ends, for the server closes
    assert [message.event for message in rest] == ["status", "progress", "status"]
    assert rest[1].data["frames_done"] == 40
    assert rest[1].data["eta_s"] == 3
    assert rest[2].data["status"] == "cancelled"
    assert [first.id, *ids(rest)] == _event_ids(api, export_id)


def test_who_reconnects_gets_what_was_missed_and_what_comes(api: RunningApi) -> None:
    export_id, client = api.add_export(), api.client()
    api.tell(export_id, passing=False, status="rendering", frames=1000)
    with api.watch(client, export_id) as stream:
        seen = next(message for message in stream if message.data is not None)
    for frame in range(1, 701):  # more than one page
        api.tell(export_id, passing=True, frames_done=frame)
    with api.watch(client, export_id, last_event_id=seen.id) as stream:
        messages = (message for message in stream if message.data is not None)
        missed = [next(messages) for _ in range(700)]
        api.end(export_id)
        rest = list(messages)
    assert [message.data["frames_done"] for message in missed] == list(range(1, 701))
    assert [*ids(missed), *ids(rest)] == [
        number for number in _event_ids(api, export_id) if number > (seen.id or 0)
    ]


def test_the_last_id_may_be_in_the_address(api: RunningApi) -> None:
    export_id, client = api.add_export(), api.client()
    first = _event_ids(api, export_id)[0]
    api.end(export_id)
    address = f"/v1/exports/{export_id}/events"
    answer = client.get(address, params={"last_event_id": str(first)})
    assert answer.text.count("data: ") == 1
    assert '"cancelled"' in answer.text


def test_who_has_seen_the_end_is_told_not_to_come_again(api: RunningApi) -> None:
    export_id, client = api.add_export(), api.client()
    api.end(export_id)
    last = _event_ids(api, export_id)[-1]
    address = f"/v1/exports/{export_id}/events"
    assert client.get(address, headers={"Last-Event-ID": str(last)}).status_code == 204
    # Without an id one gets the end once more.
    assert '"cancelled"' in client.get(address).text


@pytest.mark.parametrize("strange", ["", "abc", "-1", "99999999999999999", "9" * 400, "1.5"])
def test_a_strange_last_id_counts_as_none(api: RunningApi, strange: str) -> None:
    export_id, client = api.add_export(), api.client()
    api.end(export_id)
    answer = client.get(f"/v1/exports/{export_id}/events", headers={"Last-Event-ID": strange})
    assert answer.status_code == 200
    assert answer.text.count("event: status") == 1
    assert '"cancelled"' in answer.text


def test_a_replay_goes_on_beyond_an_end_that_was_retried(api: RunningApi) -> None:
    export_id, client = api.add_export(), api.client()
    first = _event_ids(api, export_id)[0]
    api.end(export_id)
    api.tell(export_id, passing=False, status="queued", stage="queued")
    with api.watch(client, export_id, last_event_id=first) as stream:
        messages = (message for message in stream if message.data is not None)
        replayed = [next(messages) for _ in range(2)]
        api.end(export_id)
        rest = list(messages)
    assert [message.data["status"] for message in [*replayed, *rest]] == [
        "cancelled",
        "queued",
        "cancelled",
    ]


def test_an_export_whose_events_are_gone_shows_its_row(api: RunningApi) -> None:
    export_id, client = api.add_export(), api.client()
    api.sql("delete from events")
    with api.watch(client, export_id) as stream:
        messages = (message for message in stream if message.data is not None)
        first = next(messages)
        assert first.id is None
        assert first.data["status"] == "queued"
        api.end(export_id)
        assert [message.data["status"] for message in messages] == ["cancelled"]


def test_other_peoples_exports_cannot_be_watched(api: RunningApi) -> None:
    export_id = api.add_export("ada")
    other = api.client("bob")
    answer = other.get(f"/v1/exports/{export_id}/events")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert httpx.get(f"{api.url}/v1/exports/{export_id}/events").status_code == 401


def test_nothing_is_missed_when_the_listening_connection_is_lost(api: RunningApi) -> None:
    export_id, client = api.add_export(), api.client()
    api.tell(export_id, passing=False, status="rendering", frames=100)
    with api.watch(client, export_id) as stream:
        messages = (message for message in stream if message.data is not None)
        next(messages)
        for round_ in range(3):
            gone = api.sql(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and query ilike 'listen midifarm_events%%'"
            )
            api.tell(export_id, passing=True, frames_done=10 * round_ + 1)  # nobody listens now
            assert next(messages).data["frames_done"] == 10 * round_ + 1
            assert round_ > 0 or len(gone) == 1
        api.end(export_id)
        assert [message.data["status"] for message in messages] == ["cancelled"]


def test_a_slow_client_is_served_from_the_database(
    migrated_database_url: str, tmp_path: Path
) -> None:
    store, limits = LocalStore(tmp_path / "store"), ApiLimits(watch_queue=2)
    with RunningApi(migrated_database_url, store, limits) as api:
        export_id, client = api.add_export(), api.client()
        api.tell(export_id, passing=False, status="rendering", frames=10_000)
        padding = "x" * 20_000  # fills the buffers on the way, so that the queue overflows
        with api.watch(client, export_id) as stream:
            messages = (message for message in stream if message.data is not None)
            first = next(messages)
            for frame in range(1, 401):
                api.tell(export_id, passing=True, frames_done=frame, reason=padding)
            api.end(export_id)
            rest = list(messages)
        assert [first.id, *ids(rest)] == _event_ids(api, export_id)[1:]


def test_a_client_that_goes_away_is_forgotten(api: RunningApi) -> None:
    assert api.server is not None
    hub = api.server.hub
    export_id, client = api.add_export(), api.client()
    with api.watch(client, export_id) as stream:
        next(message for message in stream if message.data is not None)
        assert hub.clients == 1
    until_s = time.monotonic() + WITHIN_S
    while hub.clients:
        assert time.monotonic() < until_s
        api.tell(export_id, passing=True)
        time.sleep(0.02)


def test_open_streams_end_at_once_when_the_server_stops(api: RunningApi) -> None:
    export_id, client = api.add_export(), api.client()
    with api.watch(client, export_id) as stream:
        messages = (message for message in stream if message.data is not None)
        next(messages)
        began_s = time.monotonic()
        api.stop()
        assert list(messages) == []
        assert time.monotonic() - began_s < 2


def test_a_hundred_clients_watch_a_hundred_exports(api: RunningApi) -> None:
    exports, commits = 100, 20
    found = measure(api, clients=exports, exports=exports, commits=commits)
    assert found.received == found.expected  # every message, once, in order, to everybody
    print(f"\n100 clients, {exports * commits} commits: {found.summary()}")  # noqa: T201
