"""Operators over real HTTP, by the client and the command line: what they see and do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from coordinator.api.limits import ApiLimits
from coordinator.cli.app import run
from coordinator.client import AccessError, Client
from coordinator.quotas import QuotaLimits
from shared.storage import LocalStore
from tests.api import RunningApi

pytestmark = pytest.mark.services

GIB = 2**30
Command = Callable[..., str]


@pytest.fixture
def api(migrated_database_url: str, tmp_path: Path) -> Iterator[RunningApi]:
    limits = ApiLimits(quotas=QuotaLimits(queued=100, stored_bytes=GIB))
    with RunningApi(migrated_database_url, LocalStore(tmp_path / "store"), limits) as running:
        yield running


@pytest.fixture
def ops(api: RunningApi) -> httpx.Client:
    return api.client("ops", scope="operator")


@pytest.fixture
def midifarm(
    api: RunningApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """A command of an operator's; what it printed."""
    monkeypatch.setenv("MIDIFARM_URL", api.url)
    monkeypatch.setenv("MIDIFARM_TOKEN", api.key("ops", scope="operator"))
    monkeypatch.setenv("COLUMNS", "160")

    def command(*arguments: str, status: int = 0) -> str:
        found = run(["farm", *arguments])
        told = capsys.readouterr()
        assert found == status, told.err
        return told.out if status == 0 else told.err

    return command


def queue(api: RunningApi, user: str = "ada", **columns: Any) -> str:
    """An export with its first work item."""
    export = api.add_export(user, **columns)
    api.sql(
        "insert into work_items (kind, export_id, user_id, priority, queued_at, held, spec)"
        " select 'intake', id, user_id, priority, created_at, paused_at is not null, '{}'"
        " from export_jobs where id = %s",
        export,
    )
    return export


def begin(api: RunningApi, export: str, node: str | None = "n1") -> None:
    """Have its first work item be under way."""
    api.sql("update export_jobs set status = 'rendering' where id = %s", export)
    api.sql("update work_items set status = 'running' where export_id = %s", export)
    api.sql(
        "insert into attempts (item_id, number, epoch, node, worker, frames)"
        " select id, 1, 1, %s, 'n1:7', 42 from work_items where export_id = %s",
        node,
        export,
    )


def lead(api: RunningApi, slots: int = 2, **columns: Any) -> None:
    """As a dispatcher would leave it that leads."""
    api.sql("update dispatcher set leader = 'host 1', heartbeat_at = now(), slots = %s", slots)
    for name, value in columns.items():
        api.sql(f"update dispatcher set {name} = %s", value)  # noqa: S608


def add_nodes(api: RunningApi, *names: str) -> None:
    for number, name in enumerate(names, 1):
        api.sql(
            "insert into nodes (id, name, cpus, gpus) values (%s, %s, 4, 1)", f"n{number}", name
        )


def audited(api: RunningApi) -> list[tuple[Any, ...]]:
    found = api.sql("select user_id, action, target, detail from audit_log order by id")
    return [tuple(row.values()) for row in found]


def why(client: httpx.Client, export: str) -> dict[str, Any]:
    answer = client.get(f"/v1/exports/{export}/why-waiting")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_farm_is_seen_whole(api: RunningApi, ops: httpx.Client) -> None:
    lead(api)
    add_nodes(api, "alpha", "beta")
    running, waiting = queue(api), queue(api, priority=7)
    held = queue(api, "ben", paused_at="now()")
    begin(api, running)
    found = ops.get("/v1/farm").json()
    assert (found["leader"], found["slots"], found["paused"]) == ("host 1", 2, None)
    assert 0 <= found["silent_s"] < 20
    assert [(each["name"], each["running"]) for each in found["nodes"]] == [
        ("alpha", 1),
        ("beta", 0),
    ]
    (attempt,) = found["running"]
    assert (attempt["export_id"], attempt["kind"], attempt["user_id"]) == (running, "intake", "ada")
    assert (attempt["node"], attempt["worker"], attempt["frames"]) == ("n1", "n1:7", 42)
    assert found["queue"] == [
        {
            "user_id": "ada",
            "ready": 1,
            "held": 0,
            "running": 1,
            "priority": 7,
            "exports_queued": 1,
            "exports_rendering": 1,
        },
        {
            "user_id": "ben",
            "ready": 0,
            "held": 1,
            "running": 0,
            "priority": None,
            "exports_queued": 1,
            "exports_rendering": 0,
        },
    ]
    for export in (running, waiting, held):
        assert ops.get(f"/v1/farm/exports/{export}").json()["id"] == export


def test_the_farm_is_paused_and_resumed(api: RunningApi, ops: httpx.Client) -> None:
    found = ops.post("/v1/farm/pause", json={"reason": "Moving."}).json()
    since = found["paused"]["since"]
    assert found["paused"] == {"since": since, "by": "ops", "reason": "Moving."}
    again = api.client("other", scope="admin").post("/v1/farm/pause").json()
    assert again["paused"] == found["paused"]
    assert ops.post("/v1/farm/resume").json()["paused"] is None
    assert ops.post("/v1/farm/resume").json()["paused"] is None
    assert audited(api)[:3] == [
        ("ops", "farm.pause", None, {"reason": "Moving."}),
        ("other", "farm.pause", None, {"reason": None}),
        ("ops", "farm.resume", None, {}),
    ]
    (key,) = api.sql("select id from api_keys where user_id = 'ops'")
    assert api.sql("select key_id from audit_log order by id limit 1") == [{"key_id": key["id"]}]


def test_an_export_is_held_moved_and_cancelled(api: RunningApi, ops: httpx.Client) -> None:
    export = queue(api)
    path = f"/v1/farm/exports/{export}"
    assert ops.post(f"{path}/pause").json()["paused_at"] is not None
    assert ops.post(f"{path}/pause").status_code == 200
    assert api.client().get(f"/v1/exports/{export}").json()["reason"] == "Paused by an operator."
    assert api.sql("select held from work_items") == [{"held": True}]
    found = ops.post(f"{path}/resume").json()
    assert (found["paused_at"], found["reason"]) == (None, "Resumed by an operator.")
    assert api.sql("select held from work_items") == [{"held": False}]
    assert ops.patch(path, json={"priority": 50}).json()["priority"] == 50
    assert api.sql("select priority from work_items") == [{"priority": 50}]
    found = ops.post(f"{path}/cancel").json()
    assert (found["status"], found["reason"]) == ("cancelled", "Cancelled by an operator.")
    assert ops.post(f"{path}/pause").status_code == 409
    assert ops.patch(path, json={"priority": 1}).status_code == 409
    told = [
        row["data"]["reason"]
        for row in api.sql("select data from events where export_id = %s order by id", export)
    ]
    assert told == [
        None,
        "Paused by an operator.",
        "Resumed by an operator.",
        "Cancelled by an operator.",
    ]
    assert audited(api) == [
        ("ops", "export.pause", export, {}),
        ("ops", "export.pause", export, {}),
        ("ops", "export.resume", export, {}),
        ("ops", "export.prioritise", export, {"before": 0, "priority": 50}),
        ("ops", "export.cancel", export, {}),
    ]


def test_nodes_drain(api: RunningApi, ops: httpx.Client) -> None:
    add_nodes(api, "alpha")
    first = ops.post("/v1/farm/nodes/n1/drain").json()
    assert (first["name"], first["running"]) == ("alpha", 0)
    assert first["draining_at"] is not None
    assert ops.post("/v1/farm/nodes/n1/drain").json()["draining_at"] == first["draining_at"]
    assert ops.post("/v1/farm/nodes/n1/undrain").json()["draining_at"] is None
    assert ops.post("/v1/farm/nodes/n2/drain").status_code == 404
    assert [(action, target) for _, action, target, _ in audited(api)] == [
        ("node.drain", "n1"),
        ("node.drain", "n1"),
        ("node.undrain", "n1"),
    ]


def test_quotas_are_said_and_dropped(api: RunningApi, ops: httpx.Client) -> None:
    user = "https://idp.example/users/7"
    path = "/v1/farm/quotas/https:%2F%2Fidp.example%2Fusers%2F7"
    lead(api, quota_running=6)
    assert ops.get(path).json() == {"running": 6, "queued": 100, "stored_bytes": GIB}
    assert ops.delete(path).status_code == 404
    said = ops.put(path, json={"running": 2, "stored_bytes": 5}).json()
    assert (said["user_id"], said["running"], said["queued"]) == (user, 2, None)
    assert ops.get(path).json() == {"running": 2, "queued": 100, "stored_bytes": 5}
    page = ops.get("/v1/farm/quotas").json()
    assert ([each["user_id"] for each in page["quotas"]], page["has_more"]) == ([user], False)
    assert ops.delete(path).status_code == 204
    assert ops.get("/v1/farm/quotas").json()["quotas"] == []
    for body in ({"running": -1}, {"queued": 2**31}, {"stored_bytes": 2**63}, {"other": 1}):
        assert ops.put(path, json=body).status_code == 422
    assert audited(api) == [
        ("ops", "quota.set", user, {"running": 2, "queued": None, "stored_bytes": 5}),
        ("ops", "quota.drop", user, {}),
    ]


def test_what_a_user_has_is_counted(api: RunningApi, ops: httpx.Client) -> None:
    queue(api)
    begin(api, queue(api))
    api.complete(api.add_export(), b"video", "5" * 64)
    api.sql(
        "insert into assets (id, user_id, kind, name, sha256, size_bytes)"
        " values ('ast_1', 'ada', 'midi', 'a.mid', repeat('0', 64), 100)"
    )
    found = ops.get("/v1/farm/users/ada").json()
    assert found == {
        "user_id": "ada",
        "exports_queued": 1,
        "exports_rendering": 1,
        "exports_uploading": 0,
        "running": 1,
        "assets": 1,
        "asset_bytes": 100,
        "videos": 1,
        "video_bytes": 5,
        "quota": {"running": None, "queued": 100, "stored_bytes": GIB},
        "has_own_quota": False,
    }
    nobody = ops.get("/v1/farm/users/nobody").json()
    assert (nobody["exports_queued"], nobody["asset_bytes"]) == (0, 0)


def test_only_operators_get_at_the_farm(api: RunningApi, ops: httpx.Client) -> None:
    export = queue(api)
    user, described = api.client(), ops.get("/v1/openapi.json").json()
    routes = [
        (method, path)
        for path, methods in described["paths"].items()
        if path.startswith("/v1/farm")
        for method in methods
    ]
    assert len(routes) >= 15
    for method, path in routes:
        for name, value in {"export_id": export, "node_id": "n1", "user_id": "ada"}.items():
            path = path.replace(f"{{{name}}}", value)
        body = {"priority": 1} if method in ("patch", "put") else None
        answer = user.request(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
        assert httpx.request(method, api.url + path).status_code == 401, path
    assert audited(api) == []
    for path in ("/v1/farm/exports/exp_none", "/v1/farm/exports/exp_none/pause"):
        method = "POST" if path.endswith("pause") else "GET"
        assert ops.request(method, path).status_code == 404


def test_an_export_says_what_it_waits_for(api: RunningApi, ops: httpx.Client) -> None:
    ada, first, second = api.client(), queue(api), queue(api)
    urgent = queue(api, "ben", priority=9)
    assert why(ada, second)["code"] == "no_dispatcher"
    lead(api, slots=0)
    assert why(ada, second)["code"] == "no_slots"
    lead(api)
    found = why(ada, second)
    assert (found["code"], found["own_ahead"]) == ("turn", 1)
    assert (found["users_waiting"], found["users_ahead"]) == (1, 1)
    assert "1 export of yours before it" in found["message"]
    assert why(api.client("ben"), urgent)["message"].endswith("shared with 1 other user.")
    api.sql(
        "update work_items set not_before = now() + interval '1 h' where export_id = %s", second
    )
    found = why(ada, second)
    assert found["code"] == "resting"
    assert found["not_before"] is not None
    begin(api, first)
    assert why(ada, first)["code"] == "under_way"
    ops.put("/v1/farm/quotas/ada", json={"running": 1})
    assert why(ada, second)["code"] == "quota"
    ops.post(f"/v1/farm/exports/{second}/pause")
    assert why(ada, second)["code"] == "export_paused"
    ops.post("/v1/farm/pause", json={"reason": "Moving."})
    assert "Moving." in why(ada, second)["message"]
    ada.post(f"/v1/exports/{second}/cancel")
    assert (why(ada, second)["code"], why(ada, second)["status"]) == ("ended", "cancelled")
    assert api.client("ben").get(f"/v1/exports/{second}/why-waiting").status_code == 404


def test_what_is_made_elsewhere_is_waited_for(api: RunningApi) -> None:
    lead(api)
    ada, first, second = api.client(), queue(api), queue(api)
    begin(api, first)
    api.sql("update work_items set content_key = 'audio/same'")
    assert why(ada, second)["code"] == "made_elsewhere"


def test_the_commands_see_and_hold_the_farm(api: RunningApi, midifarm: Command) -> None:
    lead(api)
    add_nodes(api, "alpha", "beta", "beta")
    export = queue(api)
    begin(api, export)
    shown = midifarm("status")
    assert "host 1 leads; 2 slots." in shown
    assert "alpha" in shown
    assert "intake" in shown
    assert json.loads(midifarm("status", "--json"))["slots"] == 2
    assert "by ops: Moving [it]" in midifarm("pause", "--reason", "Moving [it]")
    assert "Paused" in midifarm("status")
    assert "leads" in midifarm("resume")
    assert "paused" in midifarm("pause", export)
    assert json.loads(midifarm("resume", export, "--json"))["reason"] == "Resumed by an operator."
    assert "--reason is for the whole farm" in midifarm("pause", export, "--reason", "x", status=2)
    assert "drains; it is still at 1." in midifarm("drain", "alpha")
    assert "takes work" in midifarm("undrain", "n1")
    assert "may be one of beta (n2), beta (n3)" in midifarm("drain", "beta", status=2)
    assert "There is no node gamma" in midifarm("drain", "gamma", status=2)
    assert json.loads(midifarm("drain", "n2", "--json"))["id"] == "n2"
    shown = midifarm("quota", "ada", "--running", "3", "--stored-gib", "1.5")
    assert "1.50 GiB" in shown
    assert "ada" in midifarm("quota")
    found = json.loads(midifarm("quota", "ada", "--json"))
    assert found["quota"] == {"running": 3, "queued": 100, "stored_bytes": 3 * GIB // 2}
    assert json.loads(midifarm("quota", "ada", "--drop", "--json"))["has_own_quota"] is False
    assert "Name the user" in midifarm("quota", "--running", "3", status=2)


def test_the_client_reaches_every_route(api: RunningApi) -> None:
    lead(api)
    export = queue(api)
    with Client(api.url, api.key("ops", scope="operator")) as client:
        assert client.any_export(export).id == export
        assert client.prioritise_any(export, 3).priority == 3
        assert client.set_quota("a/b", queued=1).user_id == "a/b"
        assert client.quota("a/b").queued == 1
        assert client.user_use("a/b").has_own_quota
        assert client.cancel_any(export).status == "cancelled"
    with Client(api.url, api.key("ada")) as client:
        assert client.why_waiting(export).code == "ended"
        with pytest.raises(AccessError, match="Only operators"):
            client.farm()
