"""Pools over real HTTP: what may be asked for, what is refused, and what exports wait for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from coordinator.api.limits import ApiLimits
from coordinator.cli.app import run
from coordinator.client import Client
from shared.storage import LocalStore
from tests.api import RunningApi
from tests.integration.test_api import code, compose, midi
from tests.integration.test_api_farm import lead, queue, why

pytestmark = pytest.mark.services


@pytest.fixture
def api(migrated_database_url: str, tmp_path: Path) -> Iterator[RunningApi]:
    limits = ApiLimits(declared_pools=("spot",))
    with RunningApi(migrated_database_url, LocalStore(tmp_path / "store"), limits) as running:
        yield running


def serve(api: RunningApi, pool: str, slots: int = 4, *, ago: str = "0 s") -> None:
    """As a dispatcher would leave a pool that nodes serve, or have served."""
    api.sql(
        "insert into pools (name, slots, seen_at) values (%s, %s, now() - %s::interval)",
        pool,
        slots,
        ago,
    )


def add_node(api: RunningApi, name: str, *pools: str, **columns: Any) -> None:
    """A node that serves pools."""
    fields = {
        "id": f"id-{name}",
        "name": name,
        "cpus": 4,
        "gpus": 0,
        "slots": 4,
        "pools": list(pools),
        "engine": "paint 1" if pools else None,
        "renderer": "paint",
        **columns,
    }
    api.sql(
        f"insert into nodes ({', '.join(fields)})"  # noqa: S608  # names of ours
        f" values ({', '.join(['%s'] * len(fields))})",
        *fields.values(),
    )


def ask(client: httpx.Client, pool: str | None, **fields: Any) -> httpx.Response:
    body = {"composition_id": compose(client)["id"], "presets": ["youtube_1080p"]}
    return client.post("/v1/exports", json=body | ({} if pool is None else {"pool": pool}) | fields)


def test_an_export_asks_for_a_pool_that_is_served(api: RunningApi) -> None:
    client = api.client()
    (plain,) = ask(client, None).json()["exports"]
    assert plain["pool"] == "default"
    serve(api, "gpu")
    (made,) = ask(client, "gpu").json()["exports"]
    assert (made["pool"], client.get(f"/v1/exports/{made['id']}").json()["pool"]) == ("gpu", "gpu")
    assert api.sql("select pool from work_items where export_id = %s", made["id"]) == [
        {"pool": "gpu"}
    ]
    found = [each["pool"] for each in client.get("/v1/exports").json()["exports"]]
    assert sorted(found) == ["default", "gpu"]


def test_a_pool_that_nobody_serves_is_refused_with_those_that_there_are(api: RunningApi) -> None:
    client = api.client()
    serve(api, "4k")
    serve(api, "asleep", slots=0, ago="6 days")
    serve(api, "gone", slots=0, ago="8 days")
    answer = ask(client, "gpu")
    assert code(answer) == (422, "unknown_pool")
    assert answer.json()["detail"] == (
        "No node serves the pool 'gpu'; there are: default, 4k, asleep, spot."
    )
    assert code(ask(client, "gone")) == (422, "unknown_pool")
    assert api.sql("select * from export_jobs") == []
    for accepted in ("4k", "asleep", "spot", "default"):
        assert ask(client, accepted).status_code == 202, accepted
    assert client.get("/v1/pools").json()["pools"] == [
        {"name": "4k", "slots": 4},
        {"name": "asleep", "slots": 0},
        {"name": "default", "slots": 0},
        {"name": "spot", "slots": 0},
    ]


def test_a_name_that_no_pool_can_have_does_not_fit(api: RunningApi) -> None:
    client = api.client()
    for name in ("", "GPU", "-gpu", "gpu-", "a b", "g" * 33, "gpu\n", None, 7):
        body = {"composition_id": "cmp_x", "presets": ["youtube_1080p"], "pool": name}
        answer = client.post("/v1/exports", json=body)
        assert code(answer) == (422, "invalid"), name
        assert [each["field"] for each in answer.json()["errors"]] == ["pool"]


def test_items_of_a_batch_outrank_its_pool(api: RunningApi) -> None:
    client = api.client()
    serve(api, "gpu")
    items = [{"composition_id": compose(client, name=f"Song {n}")["id"]} for n in range(2)]
    items[1]["pool"] = "default"
    body = {"name": "Album", "presets": ["youtube_1080p"], "pool": "gpu", "items": items}
    assert client.post("/v1/batches", json=body).status_code == 202
    rows = api.sql("select pool from export_jobs order by created_at")
    assert [row["pool"] for row in rows] == ["gpu", "default"]
    items[1]["pool"] = "none"
    assert code(client.post("/v1/batches", json=body)) == (422, "unknown_pool")


def test_the_pool_is_kept_by_a_retry_and_by_a_re_export_unless_it_says_another(
    api: RunningApi,
) -> None:
    client = api.client()
    serve(api, "gpu")
    (made,) = ask(client, "gpu").json()["exports"]
    path = f"/v1/exports/{made['id']}"
    client.post(f"{path}/cancel")
    assert client.post(f"{path}/re-export").json()["pool"] == "gpu"
    assert client.post(f"{path}/re-export", json={"pool": "spot"}).json()["pool"] == "spot"
    assert code(client.post(f"{path}/re-export", json={"pool": "none"})) == (422, "unknown_pool")
    assert code(client.post(f"{path}/re-export", json={"speed": 1})) == (422, "invalid")
    api.sql("update pools set slots = 0, seen_at = now() - interval '8 days' where name = 'gpu'")
    assert code(client.post(f"{path}/re-export")) == (422, "unknown_pool")
    # What was accepted once is tried again, and waits.
    assert client.post(f"{path}/retry").json()["pool"] == "gpu"
    pools = api.sql("select distinct pool from work_items where export_id = %s", made["id"])
    assert pools == [{"pool": "gpu"}]


def test_an_export_says_what_it_waits_for_in_its_pool(api: RunningApi) -> None:
    ada, export = api.client(), queue(api, pool="gpu")

    def reason() -> str:
        found = why(ada, export)
        return f"{found['code']}: {found['message']}"

    lead(api)
    add_node(api, "head", cpus=0, slots=0)
    add_node(api, "one", "default")
    assert reason() == "no_nodes: No node serves the pool gpu; it begins when one joins."
    add_node(api, "two")
    assert reason() == "no_nodes: No node serves the pool gpu yet; 1 node starting."
    api.sql("update nodes set kept_out = 'It has no OpenGL.' where name = 'two'")
    assert "; 1 node kept out" in reason()
    serve(api, "gpu", slots=0)
    api.sql("update nodes set pools = '{gpu,4k}', engine = 'paint 1' where name = 'two'")
    assert reason().startswith("no_slots: No node of the pool gpu takes work: 1 kept out,")
    api.sql("update nodes set kept_out = null, draining_at = now() where name = 'two'")
    add_node(api, "three", "gpu", is_leaving=True)
    assert reason() == "no_slots: No node of the pool gpu takes work: 2 draining."
    api.sql("update nodes set seen_at = now() - interval '20 s' where 'gpu' = any (pools)")
    assert reason().startswith("no_nodes: ")
    api.sql("update nodes set draining_at = null, seen_at = now() where name = 'two'")
    api.sql("update pools set slots = 4 where name = 'gpu'")
    assert reason() == "turn: It is next: it begins when a slot is free."
    # Its chunks were planned for an engine that has gone.
    api.sql("update work_items set engine = md5('paint 2')::uuid")
    assert reason().startswith("no_engine: No node of the pool gpu has the engine")
    api.sql("update nodes set engine = 'paint 2' where name = 'two'")
    assert why(ada, export)["code"] == "turn"


def test_operators_see_the_nodes_and_pools(
    api: RunningApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lead(api, slots=4)
    serve(api, "gpu", slots=8)
    add_node(api, "alpha", "default", "gpu", slots=8, renderer="NVIDIA H200")
    add_node(api, "beta", "gpu", slots=0, kept_out="It runs midifarm 0.1: install the same.")
    for _ in range(3):
        queue(api, pool="gpu")
    queue(api, pool="fallen")
    api.sql("update work_items set status = 'running' where id = 1")
    ops = api.client("ops", scope="operator")
    nodes = {each["name"]: each for each in ops.get("/v1/farm").json()["nodes"]}
    assert nodes["alpha"]["pools"] == ["default", "gpu"]
    assert (nodes["alpha"]["slots"], nodes["alpha"]["renderer"]) == (8, "NVIDIA H200")
    assert nodes["beta"]["kept_out"].startswith("It runs midifarm 0.1")
    pools = {
        each["name"]: (each["nodes"], each["slots"], each["waiting"], each["running"])
        for each in ops.get("/v1/farm/pools").json()["pools"]
    }
    assert pools == {
        "default": (1, 4, 0, 0),
        "fallen": (0, 0, 1, 0),
        "gpu": (2, 8, 2, 1),
        "spot": (0, 0, 0, 0),
    }
    assert code(api.client().get("/v1/farm/pools")) == (403, "forbidden")
    monkeypatch.setenv("MIDIFARM_URL", api.url)
    monkeypatch.setenv("MIDIFARM_TOKEN", api.key("ops", scope="operator"))
    monkeypatch.setenv("COLUMNS", "160")
    assert run(["farm", "nodes"]) == 0
    shown = capsys.readouterr().out
    for expected in ("default, gpu", "NVIDIA H200", "open", "kept out: It runs midifarm 0.1"):
        assert expected in shown
    assert run(["farm", "pools"]) == 0
    assert "no node takes its work" in capsys.readouterr().out
    assert run(["farm", "pools", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["pools"]) == 4


def test_the_client_and_the_commands_ask_for_pools(
    api: RunningApi,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    serve(api, "gpu")
    token = api.key("ada")
    monkeypatch.setenv("MIDIFARM_URL", api.url)
    monkeypatch.setenv("MIDIFARM_TOKEN", token)
    (tmp_path / "one.mid").write_bytes(midi(1))
    (tmp_path / "album.csv").write_text("midi,pool\none.mid,spot\none.mid,\n")
    assert run(["submit", str(tmp_path / "one.mid"), "--pool", "gpu", "--json"]) == 0
    (export,) = json.loads(capsys.readouterr().out)["exports"]
    assert export["pool"] == "gpu"
    assert run(["submit", str(tmp_path / "one.mid"), "--pool", "none"]) == 2
    assert "there are: default, gpu, spot." in capsys.readouterr().err
    assert run(["batch", str(tmp_path / "album.csv"), "--pool", "gpu", "--json"]) == 0
    rows = api.sql("select pool from export_jobs where batch_id is not null order by created_at")
    assert [row["pool"] for row in rows] == ["spot", "gpu"]
    with Client(api.url, token) as client:
        assert [each.name for each in client.pools()] == ["default", "gpu", "spot"]
        client.cancel(export["id"])
        assert client.re_export(export["id"]).pool == "gpu"
        assert client.re_export(export["id"], pool="spot").pool == "spot"
