"""What work took: counted as attempts end, told by the API, kept when the work is forgotten."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from coordinator.cli.app import run
from coordinator.database import Database, transitions, use
from coordinator.database.use import Scope
from coordinator.dispatcher.counting import Counting
from coordinator.dispatcher.janitor import Janitor
from coordinator.dispatcher.limits import Limits
from coordinator.dispatcher.metrics import Metrics
from shared.errors import ClusterError, RenderError
from shared.plan import ChunkSpec
from shared.storage import LocalStore
from tests.api import RunningApi
from tests.dispatching import dispatching, ended, on_a_database, until
from tests.farm import PaintedWorkers, add_export

WALL_S = 0.01
"""Of every attempt of the painted workers."""


async def used(database: Database, by: use.By | None = None, **scope: Any) -> list[dict[str, Any]]:
    async with database.reading() as connection:
        return list(await use.list_use(connection, Scope(**scope), by, {"default": 3600}, limit=50))


@on_a_database
async def test_what_an_export_took_is_counted_as_its_attempts_end(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store)
    errors = [RenderError("It was odd."), ClusterError("Its node is lost.")]
    workers.fail = lambda _, item: errors.pop() if isinstance(item, ChunkSpec) and errors else None
    async with dispatching(database, workers, store):
        export = await ended(database, await add_export(database))
        (total,) = await used(database, export_id=export["id"])
        assert total["attempts"] == export["chunks"] + 3 + 2
        assert total["slot_s"] == pytest.approx(WALL_S * total["attempts"])
        assert total["failed_s"] == total["lost_s"] == pytest.approx(WALL_S)
        assert total["useful_s"] == pytest.approx(total["slot_s"] - 2 * WALL_S)
        assert total["cost"] == pytest.approx(total["slot_s"])
        assert total["frames"] == export["frames"]
        assert total["frames_found"] == 0
        kinds = {row["about"]: row for row in await used(database, "kind", user_id="ada")}
        assert kinds["stitch"]["stored_bytes"] == export["file_size"]
        assert kinds["intake"]["attempts"] == 1

        again = await ended(database, await add_export(database))
        (total,) = await used(database, export_id=again["id"])
        assert (total["frames"], total["frames_found"]) == (0, again["frames"])

    async with database.transaction() as connection:
        await transitions.delete_export(connection, "ada", export["id"])
    await Janitor(database, store, Limits()).clean_deleted()
    exports = {row["about"]: row["name"] for row in await used(database, "export")}
    assert exports == {export["id"]: None, again["id"]: "song"}


@on_a_database
async def test_second_attempts_and_those_that_nobody_wants_are_told_apart(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store)
    workers.hold = lambda _, item: isinstance(item, ChunkSpec)
    async with dispatching(database, workers, store) as dispatcher:
        export_id = await add_export(database)

        async def are_under_way() -> bool:
            chunks = [each for each in dispatcher._under_way if each.item.kind == "chunk"]
            return len(chunks) >= workers.slots and all(each.started_s for each in chunks)

        await until(are_under_way)
        chunk = next(each for each in dispatcher._under_way if each.item.kind == "chunk")
        async with database.transaction() as connection:
            second = await transitions.add_attempt(connection, chunk.item.id, dispatcher._epoch)
            assert second is not None
            await connection.execute(
                "update attempts set wall_s = 7, frames = 5 where id = %s", (second,)
            )
        workers.hold = lambda *_: False
        await ended(database, export_id)
        async with database.transaction() as connection:
            await transitions.release_attempt(connection, second)
        (total,) = await used(database, export_id=export_id)
        assert total["duplicate_s"] == pytest.approx(7)
        assert total["frames_wasted"] == 5

        workers.hold = lambda _, item: isinstance(item, ChunkSpec)
        other = await add_export(database, seconds=8.0)
        await until(are_under_way)
        async with database.transaction() as connection:
            await connection.execute("update attempts set wall_s = 3 where outcome is null")
            await transitions.cancel_export(connection, "ada", other)
            # What is under way is forgotten with its work items; its time is not.
            await transitions.retry_export(connection, "ada", other)
        (total,) = await used(database, export_id=other)
        assert total["cancelled_s"] >= 3 * workers.slots


@on_a_database
async def test_slot_seconds_are_told_to_prometheus_and_old_use_is_forgotten(
    database: Database, store: LocalStore
) -> None:
    metrics = Metrics()

    async def beside(*_: object) -> None:
        raise AssertionError

    counting = Counting(
        database, metrics, quota_running=None, folder=None, in_thread=beside, every_s=0.01
    )
    task = asyncio.create_task(counting.run())

    def told(spent_on: str) -> float:
        labels = {"spent_on": spent_on}
        return metrics.registry.get_sample_value("midifarm_slot_seconds_total", labels) or 0.0

    async def is_counting() -> bool:
        labels = {"status": "queued"}
        return metrics.registry.get_sample_value("midifarm_exports", labels) is not None

    await until(is_counting)
    async with dispatching(database, PaintedWorkers(store), store):
        export = await ended(database, await add_export(database))
    spent_s = WALL_S * (export["chunks"] + 3)

    async def are_told() -> bool:
        return told("useful") == pytest.approx(spent_s)

    await until(are_told)
    task.cancel()
    assert told("failed") == 0

    janitor = Janitor(database, store, Limits(use_retention_s=86400.0))
    await janitor.clean_old()
    assert await used(database)
    async with database.transaction() as connection:
        await connection.execute("update farm_use set day = day - 2")
    await janitor.clean_old()
    assert not await used(database)


@pytest.fixture
def api(migrated_database_url: str, tmp_path: Path) -> Iterator[RunningApi]:
    store = LocalStore(tmp_path / "store")
    with RunningApi(migrated_database_url, store, slot_prices={"gpu": 1.5}) as running:
        yield running


@pytest.fixture
def midifarm(
    api: RunningApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    monkeypatch.setenv("MIDIFARM_URL", api.url)
    monkeypatch.setenv("MIDIFARM_TOKEN", api.key("ops", scope="operator"))
    monkeypatch.setenv("COLUMNS", "160")

    def command(*arguments: str, status: int = 0) -> str:
        assert run([*arguments]) == status
        told = capsys.readouterr()
        return told.out if status == 0 else told.err

    return command


def spend(api: RunningApi, user: str, slot_s: float, **columns: Any) -> None:
    """Have something been used."""
    fields = {
        "day": datetime.now(UTC).date(),
        "user_id": user,
        "pool": "default",
        "kind": "chunk",
        "spent_on": "useful",
        "attempts": 1,
        "slot_s": slot_s,
        **columns,
    }
    api.sql(
        f"insert into farm_use ({', '.join(fields)})"  # noqa: S608  # names of ours
        f" values ({', '.join(['%s'] * len(fields))})",
        *fields.values(),
    )


@pytest.mark.services
def test_users_see_their_own_use_and_operators_everybodys(api: RunningApi) -> None:
    batch, (first, second) = api.add_batch("ada")
    spend(api, "ada", 3600, export_id=first, batch_id=batch, pool="gpu", frames=100)
    spend(api, "ada", 60, export_id=second, batch_id=batch, spent_on="failed", frames=4)
    spend(api, "ada", 9, day=datetime.now(UTC).date() - timedelta(days=40))
    spend(api, "bob", 10, stored_bytes=7)
    ada, bob, ops = (api.client(name) for name in ("ada", "bob", "eve"))
    ops = api.client("ops", scope="operator")

    found = ada.get("/v1/use").json()
    assert found["total"]["slot_s"] == 3660
    assert found["total"]["failed_s"] == 60
    assert found["total"]["frames"] == 100
    assert found["total"]["frames_wasted"] == 4
    assert found["total"]["cost"] == 1.5
    assert [each["about"] for each in found["entries"]] == [found["last_day"]]
    long_ago = {"from": "2020-01-01", "by": "export"}
    found = ada.get("/v1/use", params=long_ago).json()
    assert [each["about"] for each in found["entries"]] == [first, second, None]
    assert found["entries"][0]["name"] == "Song"
    assert ada.get("/v1/use", params=long_ago | {"limit": 1}).json()["has_more"]

    assert ada.get(f"/v1/exports/{first}/use").json()["total"]["slot_s"] == 3600
    found = ada.get(f"/v1/batches/{batch}/use").json()
    assert [each["about"] for each in found["entries"]] == [first, second]
    for address in (f"/v1/exports/{first}/use", f"/v1/batches/{batch}/use"):
        assert bob.get(address).status_code == 404
    assert bob.get("/v1/farm/use").status_code == 403
    entries = ops.get("/v1/farm/use").json()["entries"]
    assert [(each["about"], each["slot_s"]) for each in entries] == [("ada", 3660), ("bob", 10)]
    found = ops.get("/v1/farm/use", params={"user_id": "bob", "by": "pool"}).json()
    assert found["total"]["stored_bytes"] == 7
    days = {"from": "2026-02-02", "to": "2026-02-01"}
    assert ada.get("/v1/use", params=days).json()["code"] == "invalid"


@pytest.mark.services
def test_use_is_a_table_without_formulas(api: RunningApi, midifarm: Callable[..., str]) -> None:
    export = api.add_export("ops", name="=cmd|' /C calc'!A0")
    spend(api, "ops", 30, export_id=export)
    spend(api, "@sum(a1)", 10)
    ops = api.client("ops", scope="operator")
    asked = ops.get("/v1/use?by=export", headers={"Accept": "text/csv"})
    assert asked.headers["Content-Type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(asked.text))
    assert (row["about"], row["name"]) == (export, "'=cmd|' /C calc'!A0")
    assert (row["slot_s"], row["cost"]) == ("30.0", "0.0")
    rows = csv.DictReader(io.StringIO(midifarm("farm", "use", "--csv")))
    assert [row["about"] for row in rows] == ["ops", "'@sum(a1)"]

    told = midifarm("use", "--by", "export")
    assert export in told
    assert "slot-seconds" in told
    assert '"slot_s": 30.0' in midifarm("use", "--export", export, "--json")
    assert "name no days" in midifarm("use", "--export", export, "--from", "2026-01-01", status=2)
