"""Operators over real HTTP, by the client and the command line: what they see and do."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from coordinator.api.limits import ApiLimits
from coordinator.cli.app import run
from coordinator.client import AccessError, Client
from coordinator.quotas import QuotaLimits
from shared.keys import log_key
from shared.states import ExportStatus
from shared.storage import LocalStore
from tests.api import RunningApi

pytestmark = pytest.mark.services

GIB = 2**30
GRAFANA = "https://grafana.test/d/farm"
Command = Callable[..., str]


@pytest.fixture
def api(migrated_database_url: str, tmp_path: Path) -> Iterator[RunningApi]:
    limits = ApiLimits(quotas=QuotaLimits(queued=100, stored_bytes=GIB))
    store = LocalStore(tmp_path / "store")
    with RunningApi(migrated_database_url, store, limits, grafana_url=GRAFANA) as running:
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

    def command(*arguments: str, status: int = 0, errors: bool = False) -> str:
        found = run(["farm", *arguments])
        told = capsys.readouterr()
        assert found == status, told.err
        return told.err if errors or status else told.out

    return command


def queue(api: RunningApi, user: str = "ada", **columns: Any) -> str:
    """An export with its first work item."""
    export = api.add_export(user, **columns)
    api.sql(
        "insert into work_items (kind, export_id, user_id, priority, queued_at, held, pool, spec)"
        " select 'intake', id, user_id, priority, created_at, paused_at is not null, pool, '{}'"
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


def end(api: RunningApi, export: str, outcome: str, ago_s: int = 0, **columns: Any) -> int:
    """Have an attempt at its first work item have ended a while ago; the attempt's number."""
    (before,) = api.sql(
        "select w.id, count(a.id) as tries from work_items w left join attempts a"
        " on a.item_id = w.id where w.export_id = %s group by w.id order by w.id limit 1",
        export,
    )
    fields = {
        "item_id": before["id"],
        "number": before["tries"] + 1,
        "epoch": 1,
        "node": "n1",
        "worker": "n1:7",
        "outcome": outcome,
        "ended_at": datetime.now(UTC) - timedelta(seconds=ago_s),
        **columns,
    }
    (made,) = api.sql(
        f"insert into attempts ({', '.join(fields)})"  # noqa: S608  # names of ours
        f" values ({', '.join(['%s'] * len(fields))}) returning id",
        *fields.values(),
    )
    return int(made["id"])


def add_chunk(api: RunningApi, frames: int) -> str:
    """An export that is one chunk."""
    export = api.add_export()
    api.sql(
        "insert into work_items (kind, export_id, user_id, chunk_index, start_frame, stop_frame)"
        " values ('chunk', %s, 'ada', 0, 10, 10 + %s)",
        export,
        frames,
    )
    return export


def ids_of(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["exports"]]


def lead(api: RunningApi, slots: int = 2, **columns: Any) -> None:
    """As a dispatcher would leave it that leads."""
    api.sql("update dispatcher set leader = 'host 1', heartbeat_at = now(), slots = %s", slots)
    api.sql("update pools set slots = %s", slots)
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
    assert found["grafana_url"] == GRAFANA
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
    assert len(routes) >= 20
    for method, path in routes:
        own = {"export_id": export, "node_id": "n1", "user_id": "ada", "attempt_id": "1"}
        for name, value in own.items():
            path = path.replace(f"{{{name}}}", value)
        body = {"priority": 1} if method in ("patch", "put") else None
        answer = user.request(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
        assert httpx.request(method, api.url + path).status_code == 401, path
    assert audited(api) == []
    for action in ("", "/pause", "/why-waiting", "/chunks", "/attempts"):
        method = "POST" if action == "/pause" else "GET"
        assert ops.request(method, f"/v1/farm/exports/exp_none{action}").status_code == 404


def test_an_export_says_what_it_waits_for(api: RunningApi, ops: httpx.Client) -> None:
    ada, first, second = api.client(), queue(api), queue(api)
    urgent = queue(api, "ben", priority=9)
    assert why(ada, second)["code"] == "no_dispatcher"
    lead(api, slots=0)
    assert why(ada, second)["code"] == "no_nodes"
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


def test_everybodys_exports_are_listed_by_status_and_user(
    api: RunningApi, ops: httpx.Client
) -> None:
    queued = [api.add_export(user) for user in ("ada", "ben", "ada")]
    rendering, failed, deleted = (api.add_export("ben") for _ in range(3))
    api.tell(rendering, passing=False, status="rendering")
    api.tell(failed, passing=False, status="failed", error_message="It broke.")
    api.tell(deleted, passing=False, status="cancelled", deleted_at="now()")
    path = "/v1/farm/exports"
    assert ids_of(ops.get(path)) == [failed, rendering, *reversed(queued)]
    unfinished = {"status": ["queued", "rendering", "uploading", "queued"]}
    assert ids_of(ops.get(path, params=unfinished)) == [rendering, *reversed(queued)]
    assert ids_of(ops.get(path, params={"status": "failed"})) == [failed]
    of_ben = unfinished | {"user_id": "ben"}
    assert ids_of(ops.get(path, params=of_ben)) == [rendering, queued[1]]
    assert ids_of(ops.get(path, params={"user_id": "nobody"})) == []
    assert ops.get(path, params={"status": ["queued", "done"]}).status_code == 422


def test_pages_of_everybodys_exports_lead_through_all_of_them_once(
    api: RunningApi, ops: httpx.Client
) -> None:
    made = [api.add_export(user) for user in ("ada", "ben", "ada", "cleo", "ben")]
    api.sql("update export_jobs set created_at = '2026-01-01 00:00Z'")  # only ids tell them apart
    api.tell(made[1], passing=False, status="rendering")
    found, cursor = [], None
    while True:
        query = {"limit": 2} if cursor is None else {"limit": 2, "cursor": cursor}
        page = ops.get("/v1/farm/exports", params=query).json()
        found += [each["id"] for each in page["exports"]]
        cursor = page["next_cursor"]
        assert page["has_more"] is (cursor is not None)
        if cursor is None:
            break
        api.add_export("new")
    assert found == made[::-1]


def test_anybodys_export_is_seen_as_its_owner_sees_it(api: RunningApi, ops: httpx.Client) -> None:
    lead(api)
    ada, first, export = api.client(), queue(api), queue(api)
    attempt = end(api, export, "failed", error_kind="suspect", error_message="No.", log="Said.")
    silent = end(api, export, "failed", error_kind="suspect", error_message="No.")
    api.sql(
        "insert into work_items (kind, export_id, user_id, chunk_index, start_frame, stop_frame)"
        " values ('chunk', %s, 'ada', 0, 0, 60)",
        export,
    )
    for part in ("", "/chunks", "/attempts", "/attempts?chunk=0", "/why-waiting"):
        own, theirs = (
            ada.get(f"/v1/exports/{export}{part}"),
            ops.get(f"/v1/farm/exports/{export}{part}"),
        )
        if part != "/why-waiting":
            assert own.json() == theirs.json()
        else:
            assert own.json()["message"].endswith("1 export of yours before it.")
            assert theirs.json()["message"].endswith("1 export of its owner's before it.")
            assert theirs.json()["own_ahead"] == 1
    tried = ada.get(f"/v1/exports/{export}/attempts").json()["attempts"]
    assert [(each["attempt_id"], each["has_log"]) for each in tried] == [
        (silent, False),
        (attempt, True),
    ]
    assert why(ada, first)["own_ahead"] == 0


def test_throughput_has_every_minute(api: RunningApi, ops: httpx.Client) -> None:
    chunk, other, stitched = add_chunk(api, 90), add_chunk(api, 30), queue(api)
    now = datetime.now(UTC)
    for export, outcome, ago in (
        (chunk, "committed", 0),
        (other, "committed", 1),
        (other, "failed", 1),
        (stitched, "committed", 1),
        (stitched, "lost", 2),
        (stitched, "late", 2),
        (stitched, "failed", 120),
    ):
        end(api, export, outcome, ended_at=now - timedelta(minutes=ago))
    api.complete(api.add_export(), b"video", "6" * 64)
    failed = api.add_export()
    api.tell(failed, passing=False, status="failed", error_message="No.", completed_at=now)
    api.end(api.add_export())
    api.sql("update export_jobs set completed_at = %s where status = 'completed'", now)
    minutes = ops.get("/v1/farm/throughput", params={"minutes": 5}).json()["minutes"]
    began = [datetime.fromisoformat(each.pop("at")) for each in minutes]
    assert len(began) == 5
    assert {late - early for early, late in itertools.pairwise(began)} == {timedelta(minutes=1)}
    counted = [tuple(each.values()) for each in minutes]
    nothing = (0, 0, 0, 0, 0, 0)
    # A minute may have passed since.
    while counted[-1] == nothing:
        counted = [nothing, *counted[:-1]]
    assert counted == [
        nothing,
        nothing,
        (0, 0, 0, 0, 0, 1),
        (30, 1, 0, 0, 1, 0),
        (90, 1, 1, 1, 0, 0),
    ]
    assert len(ops.get("/v1/farm/throughput").json()["minutes"]) == 60
    for wrong in (0, 181, "x"):
        assert ops.get("/v1/farm/throughput", params={"minutes": wrong}).status_code == 422


def test_what_failed_lately_is_told_with_its_node(api: RunningApi, ops: httpx.Client) -> None:
    add_nodes(api, "alpha", "beta")
    api.sql("update nodes set set_aside_until = now() + interval '5 minutes' where id = 'n2'")
    export = queue(api, "ben")
    lost = end(api, export, "lost", 90, node="gone")
    end(api, export, "committed", 80)
    failed = end(
        api,
        export,
        "failed",
        70,
        node="n2",
        error_kind="suspect",
        error_message="No.",
        log="So.",
    )
    end(api, export, "cancelled", 60)
    end(api, export, "failed", 3700)
    found = ops.get("/v1/farm/failures").json()
    assert [each["attempt_id"] for each in found["attempts"]] == [failed, lost]
    told = found["attempts"][0]
    assert {name: told[name] for name in told if not name.endswith("_at")} == {
        "attempt_id": failed,
        "kind": "intake",
        "export_id": export,
        "export_name": "Song",
        "chunk_index": None,
        "user_id": "ben",
        "number": 3,
        "node": "n2",
        "worker": "n1:7",
        "outcome": "failed",
        "error_kind": "suspect",
        "error_message": "No.",
        "has_log": True,
    }
    nodes = {each["id"]: each for each in found["nodes"]}
    assert {
        name: (each["name"], each["committed"], each["failed"], each["lost"])
        for name, each in nodes.items()
    } == {"n1": ("alpha", 1, 0, 0), "n2": ("beta", 0, 1, 0), "gone": (None, 0, 0, 1)}
    aside = nodes["n2"]["set_aside_until"]
    assert aside is not None
    assert nodes["n1"]["set_aside_until"] is None
    shown = ops.get("/v1/farm").json()["nodes"]
    assert [each["set_aside_until"] for each in shown] == [None, aside]
    query = {"minutes": 180, "limit": 1}
    assert len(ops.get("/v1/farm/failures", params=query).json()["attempts"]) == 1
    assert len(ops.get("/v1/farm/failures?minutes=180").json()["attempts"]) == 3
    assert ops.get("/v1/farm/failures?minutes=1").json()["attempts"] == []


def test_the_log_of_an_attempt_is_read_by_operators(api: RunningApi, ops: httpx.Client) -> None:
    export = queue(api)
    said = end(api, export, "failed", log="Traceback:\n  <b>é</b>")
    silent = end(api, export, "failed")
    answer = ops.get(f"/v1/farm/attempts/{said}/log")
    assert (answer.status_code, answer.text) == (200, "Traceback:\n  <b>é</b>")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    for attempt, code in ((silent, "no_log"), (10**9, "not_found")):
        refused = ops.get(f"/v1/farm/attempts/{attempt}/log")
        assert (refused.status_code, refused.json()["code"]) == (404, code)
    assert answer.headers["log-source"] == "last-words"
    assert ops.get(f"/v1/farm/attempts/{said}/log?format=jsonl").json() == {
        "message": "Traceback:\n  <b>é</b>"
    }
    # Not even by who owns the export.
    assert api.client().get(f"/v1/farm/attempts/{said}/log").status_code == 403


def test_the_log_that_a_worker_kept_is_told_before_the_last_words(
    api: RunningApi, ops: httpx.Client, midifarm: Command
) -> None:
    attempt = end(api, queue(api), "failed", log="Its last words.")
    assert "process was ended" in midifarm("log", f"a{attempt}", errors=True)
    line = '{"at": "now", "level": "error", "logger": "x", "message": "No.", "exception": "Why"}'
    api.store.put_bytes(log_key(attempt), f"{line}\nno JSON\n".encode())
    answer = ops.get(f"/v1/farm/attempts/{attempt}/log")
    assert answer.text == "now error x No.\nWhy\nno JSON\n"
    assert answer.headers["log-source"] == "worker"
    assert midifarm("log", str(attempt)) == answer.text
    assert midifarm("log", f"a{attempt}", "--json").startswith(line)
    assert "is no attempt" in midifarm("log", "seven", status=2)
    # It may be asked for when everything else about the attempt is forgotten.
    api.sql("delete from attempts where id = %s", attempt)
    assert ops.get(f"/v1/farm/attempts/{attempt}/log").text == answer.text


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
    api.sql("update nodes set set_aside_until = '2026-01-01 12:30Z' where id = 'n1'")
    assert "set aside until 12:30 UTC" in midifarm("status")
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
        assert [each.id for each in client.everybodys_exports(user_id="ada")] == [export]
        assert list(client.everybodys_exports(statuses=[ExportStatus.FAILED])) == []
        assert len(client.throughput(5)) == 5
        attempt = end(api, queue(api, "ben"), "failed", log="It broke.")
        (failure,) = client.failures(5, limit=1).attempts
        assert (failure.attempt_id, failure.user_id, failure.has_log) == (attempt, "ben", True)
        assert client.attempt_log(attempt) == ("It broke.", False)
        assert client.prioritise_any(export, 3).priority == 3
        assert client.set_quota("a/b", queued=1).user_id == "a/b"
        assert client.quota("a/b").queued == 1
        assert client.user_use("a/b").has_own_quota
        assert client.cancel_any(export).status == "cancelled"
    with Client(api.url, api.key("ada")) as client:
        assert client.why_waiting(export).code == "ended"
        with pytest.raises(AccessError, match="Only operators"):
            client.farm()
