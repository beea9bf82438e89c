"""Live progress of batches and of everything of a user's: nothing is missed, and all agree."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from coordinator.api.limits import ApiLimits
from coordinator.client import BatchEvent, Client, ExportEvent
from shared.states import ExportStatus
from shared.storage import LocalStore
from tests.api import WITHIN_S, Message, RunningApi

LIMITS = ApiLimits(watch_batch_s=0.1, watch_pace_s=0.01)


@pytest.fixture
def api(migrated_database_url: str, tmp_path: Path) -> Iterator[RunningApi]:
    with RunningApi(migrated_database_url, LocalStore(tmp_path / "store"), LIMITS) as running:
        yield running


def until(messages: Iterator[Message], event: str) -> list[Message]:
    """Messages up to the first of a kind, which is the last of them."""
    found = []
    for message in messages:
        found.append(message)
        if message.event == event:
            return found
    raise AssertionError(f"no {event}, but {found}")


def statuses(messages: list[Message]) -> list[tuple[str, str]]:
    """Of which export what is told, without progress and batches."""
    return [(each.data["id"], each.data["status"]) for each in messages if each.event == "status"]


def test_a_batch_tells_of_each_export_and_of_the_whole_until_all_have_ended(
    api: RunningApi,
) -> None:
    batch_id, (first, second) = api.add_batch()
    with api.stream(api.client(), f"batches/{batch_id}/events") as stream:
        messages = stream.told()
        (begin,) = until(messages, "batch")
        assert begin.data == {
            "id": batch_id,
            "name": "Album",
            "created_at": begin.data["created_at"],
            "total": 2,
            "counts": {status: 2 if status == "queued" else 0 for status in ExportStatus},
            "progress": 0.0,
            "ended": False,
            "updated_at": begin.data["updated_at"],
        }
        api.tell(first, passing=False, status="rendering", frames=100)
        api.tell(first, passing=True, progress=0.5)
        found = until(messages, "batch")
        while found[-1].data["progress"] < 0.25:
            found += until(messages, "batch")
        assert found[-1].data["counts"] | {"queued": 1, "rendering": 1} == found[-1].data["counts"]
        assert found[0].data["batch_id"] == batch_id
        assert found[0].data["name"] == "Song"
        api.end(first)
        api.end(second)
        rest = list(messages)
    assert statuses([*found, *rest]) == [
        (first, "rendering"),
        (first, "cancelled"),
        (second, "cancelled"),
    ]
    end = rest[-1]
    assert (end.event, end.data["ended"], end.data["progress"]) == ("batch", True, 1.0)
    assert end.data["counts"]["cancelled"] == 2
    assert end.place == f"{rest[-1].id}-end"


def test_who_has_seen_the_end_of_a_batch_is_told_not_to_come_again(api: RunningApi) -> None:
    batch_id, exports = api.add_batch()
    for export_id in exports:
        api.end(export_id)
    client, path = api.client(), f"batches/{batch_id}/events"
    with api.stream(client, path) as stream:
        (end,) = stream.rest()
    assert end.data["ended"]
    assert client.get(f"/v1/{path}", headers={"Last-Event-ID": end.place or ""}).status_code == 204
    # Who has the last event, but lost the connection before the last word, still gets that.
    with api.stream(client, path, end.id) as stream:
        assert stream.rest()[-1].place == end.place
    api.tell(exports[0], passing=False, status="queued")  # retried
    with api.stream(client, path, end.place) as stream:
        assert not until(stream.told(), "batch")[-1].data["ended"]


def test_a_batch_is_taken_up_where_the_connection_was_cut(api: RunningApi) -> None:
    batch_id, exports = api.add_batch(exports=3)
    client, path = api.client(), f"batches/{batch_id}/events"
    with api.stream(client, path) as stream:
        last = until(stream.told(), "batch")[-1]
    for export_id in exports:
        api.tell(export_id, passing=False, status="rendering", frames=1000)
        for frame in range(300):
            api.tell(export_id, passing=True, frames_done=frame)
        api.end(export_id)
    with api.stream(client, path, last.place) as stream:
        found = stream.rest()
    assert [each for each in statuses(found) if each[1] != "queued"] == [
        (export_id, status) for export_id in exports for status in ("rendering", "cancelled")
    ]
    assert found[-1].data["ended"]


@pytest.mark.parametrize(("kind", "mark"), [("batch", "batch"), ("user", "ready")])
def test_an_event_that_was_committed_late_is_not_missed(
    api: RunningApi, kind: str, mark: str
) -> None:
    batch_id, (first, second) = api.add_batch()
    client, path = api.client(), f"batches/{batch_id}/events" if kind == "batch" else "events"
    with psycopg.connect(api.database_url) as slow:
        slow.execute("update export_jobs set status = 'rendering' where id = %s", (first,))
        slow.execute("select tell_export(%s, false)", (first,))
        api.tell(second, passing=False, status="rendering")
        with api.stream(client, path) as stream:
            messages = stream.told()
            found = until(messages, mark)
            assert statuses(found) == [(second, "rendering")]
            slow.commit()  # who listens gets it, although its id is lower
            (told,) = [next(m for m in messages if m.event == "status")]
    assert told.data["id"] == first
    assert (told.id or 0) < (found[0].id or 0)
    # And who was not there when it was committed gets it, although it has a later one.
    with api.stream(client, path, found[-1].place) as stream:
        assert (first, "rendering") in statuses(until(stream.told(), mark))


def test_only_changes_of_the_last_minutes_are_told_again(api: RunningApi) -> None:
    batch_id, (first, second) = api.add_batch()
    api.tell(first, passing=False, status="rendering", frames=10)
    api.sql("update events set created_at = now() - interval '3 minutes'")
    api.tell(second, passing=False, status="rendering", frames=10)
    api.tell(second, passing=True, frames_done=5)
    latest = api.sql("select max(id) as id from events")[0]["id"]
    with api.stream(api.client(), f"batches/{batch_id}/events", latest) as stream:
        *told, whole = until(stream.told(), "batch")
    assert statuses(told) == [(second, "rendering")]
    assert len(told) == 1  # progress is not told again
    assert whole.id == latest


def test_a_user_is_told_of_all_his_exports_and_of_no_others(api: RunningApi) -> None:
    running, waiting = api.add_export("ada"), api.add_export("ada")
    others = api.add_export("bob")
    for export_id in (running, others):
        api.tell(export_id, passing=False, status="rendering")
    with api.stream(api.client("ada"), "events") as stream:
        messages = stream.told()
        *begin, ready = until(messages, "ready")
        assert statuses(begin) == [(running, "rendering")]
        assert ready.data == {}
        for export_id in (others, waiting, running):
            api.end(export_id)
        assert statuses([next(messages), next(messages)]) == [
            (waiting, "cancelled"),
            (running, "cancelled"),
        ]
        new = api.add_export("ada")
        assert statuses([next(messages)]) == [(new, "queued")]
    ended = api.add_export("ada")
    api.end(ended)
    with api.stream(api.client("ada"), "events", ready.id) as stream:
        found = statuses(until(stream.told(), "ready"))
    assert found[-2:] == [(ended, "queued"), (ended, "cancelled")]
    assert others not in {export_id for export_id, _ in found}


def test_who_has_nothing_yet_misses_nothing_either(api: RunningApi) -> None:
    client = api.client()
    with api.stream(client, "events") as stream:
        (ready,) = until(stream.told(), "ready")
    assert ready.place == "0"
    export_id = api.add_export()
    with api.stream(client, "events", ready.place) as stream:
        assert statuses(until(stream.told(), "ready")) == [(export_id, "queued")]


def test_other_peoples_batches_cannot_be_watched(api: RunningApi) -> None:
    batch_id, _ = api.add_batch("ada")
    answer = api.client("bob").get(f"/v1/batches/{batch_id}/events")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert api.client().get("/v1/batches/bat_none/events").status_code == 404


def test_the_client_tells_no_older_state_after_a_newer_one(api: RunningApi) -> None:
    batch_id, (first, second) = api.add_batch()
    with Client(api.url, api.key("ada")) as client:
        events = client.watch_batch(batch_id)
        begin = next(events)
        assert isinstance(begin, BatchEvent)
        assert begin.counts["queued"] == 2
        api.tell(first, passing=False, status="rendering", frames=10)
        told = [_next_of(events, first)]
        # Every connection to PostgreSQL is cut, so that all is read once more.
        api.sql(
            "select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen %%'"
        )
        api.tell(first, passing=True, frames_done=5)
        told.append(_next_of(events, first))
        api.end(first)
        api.end(second)
        rest = list(events)
    of_first = [e for e in [*told, *rest] if isinstance(e, ExportEvent) and e.id == first]
    numbers = [int(event.event_id) for event in of_first]
    assert numbers == sorted(set(numbers))
    assert of_first[-1].status is ExportStatus.CANCELLED
    assert isinstance(rest[-1], BatchEvent)
    assert rest[-1].ended


def test_the_client_tells_of_everything(api: RunningApi) -> None:
    export_id = api.add_export()
    api.tell(export_id, passing=False, status="rendering")
    with Client(api.url, api.key("ada")) as client:
        events = client.watch_all()
        assert next(events).status is ExportStatus.RENDERING
        api.end(export_id)
        assert next(events).status is ExportStatus.CANCELLED


def _next_of(events: Iterator[ExportEvent | BatchEvent], export_id: str) -> ExportEvent:
    return next(e for e in events if isinstance(e, ExportEvent) and e.id == export_id)


def test_two_hundred_clients_of_one_batch_all_get_its_end(
    migrated_database_url: str, tmp_path: Path
) -> None:
    with RunningApi(migrated_database_url, LocalStore(tmp_path / "store")) as api:
        _let_many_watch(api)


def _let_many_watch(api: RunningApi) -> None:
    clients, exports, steps = 200, 10, 200  # 2,000 events beside the first ones
    batch_id, export_ids = api.add_batch(exports=exports)
    token = api.key("ada")
    connected = threading.Semaphore(0)

    def work() -> None:
        for _ in range(clients):
            assert connected.acquire(timeout=WITHIN_S)
        with psycopg.connect(api.database_url) as connection:
            for step in range(1, steps + 1):
                status = "cancelled" if step == steps else "rendering"
                # All in one transaction, as the dispatcher notes how far exports are.
                connection.execute(
                    "update export_jobs set status = %s, progress = %s where batch_id = %s",
                    (status, step / (steps + 1), batch_id),
                )
                connection.execute(
                    "select tell_export(id, %s) from export_jobs where batch_id = %s",
                    (1 < step < steps, batch_id),
                )
                connection.commit()

    async def watch() -> tuple[dict[str, int], set[str], dict[str, object]]:
        reader, writer = await asyncio.open_connection(*api.socket.getsockname())
        writer.write(
            f"GET /v1/batches/{batch_id}/events HTTP/1.1\r\nHost: test\r\n"
            f"Authorization: Bearer {token}\r\n\r\n".encode()
        )
        newest: dict[str, int] = {}
        ended: set[str] = set()
        number, event, whole = 0, b"", {}
        while (line := await reader.readline()) != b"0\r\n":
            assert line
            if line.startswith(b"id: "):
                number = int(line[4:].removesuffix(b"-end\n"))
            elif line.startswith(b"event: "):
                event = line[7:].strip()
            elif line.startswith(b"data: "):
                if event != b"batch":
                    data = json.loads(line[6:])
                    assert number > newest.get(data["id"], 0)
                    newest[data["id"]] = number
                    if data["status"] == "cancelled":
                        ended.add(data["id"])
                else:
                    if not whole:
                        connected.release()
                    whole = json.loads(line[6:])
        writer.close()
        await writer.wait_closed()
        return newest, ended, whole

    async def watch_all() -> list[tuple[dict[str, int], set[str], dict[str, object]]]:
        async with asyncio.timeout(120):
            return await asyncio.gather(*(watch() for _ in range(clients)))

    worker = threading.Thread(target=work)
    worker.start()
    found = asyncio.run(watch_all())
    worker.join()
    for _, ended, whole in found:
        assert ended == set(export_ids)
        assert whole["ended"]
        assert whole["progress"] == 1.0
