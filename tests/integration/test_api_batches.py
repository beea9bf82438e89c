"""Batches, pages of long lists, what is made once, and what is deleted: over real HTTP."""

from __future__ import annotations

import csv
import io
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.storage import LocalStore
from tests.api import RunningApi
from tests.integration.test_api import PNG, code, compose, faults, midi, queue, upload

pytestmark = pytest.mark.services


@pytest.fixture
def api(migrated_database_url: str, tmp_path: Path) -> Iterator[RunningApi]:
    with RunningApi(migrated_database_url, LocalStore(tmp_path / "store")) as running:
        yield running


def submit(
    client: httpx.Client, body: dict[str, Any], key: str | None = None, path: str = "/v1/batches"
) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(path, json=body, headers=headers)


def batch_of(client: httpx.Client, count: int = 3, **fields: Any) -> dict[str, Any]:
    """The request for a batch of so many songs."""
    items = [{"composition_id": compose(client, name=f"Song {n}")["id"]} for n in range(count)]
    return {"name": "Catalogue", "presets": ["youtube_4k", "tiktok_vertical"], "items": items} | (
        fields
    )


# Batches


def test_a_batch_is_many_songs_in_many_formats(api: RunningApi) -> None:
    client = api.client()
    body = batch_of(client, priority=3, template="clean-minimal")
    body["items"][1] |= {"presets": ["instagram_square"], "name": "Second", "end_s": 1.5}
    body["items"][2] |= {"priority": -7, "branding": {"watermark": None}}
    answer = submit(client, body)
    assert answer.status_code == 202, answer.text
    batch = answer.json()
    assert (batch["name"], batch["total"], batch["progress"], batch["ended"]) == (
        "Catalogue", 5, 0, False,
    )  # fmt: skip
    assert {status: n for status, n in batch["counts"].items() if n} == {"queued": 5}
    assert client.get(f"/v1/batches/{batch['id']}").json() == batch
    listed = client.get("/v1/exports", params={"batch_id": batch["id"]}).json()["exports"]
    assert [each["name"] for each in reversed(listed)] == [
        "Song 0 - YouTube 4K",
        "Song 0 - TikTok Vertical",
        "Second",
        "Song 2 - YouTube 4K",
        "Song 2 - TikTok Vertical",
    ]
    assert [each["priority"] for each in reversed(listed)] == [3, 3, 3, -7, -7]
    assert listed[2]["end_s"] == 1.5
    marks = [each["config"]["branding"]["watermark"] for each in reversed(listed)]
    assert [mark is not None for mark in marks] == [True, True, True, False, False]
    items = api.sql("select export_id from work_items where kind = 'intake' order by queued_at")
    assert [item["export_id"] for item in items] == [each["id"] for each in reversed(listed)]


def test_a_batch_is_accepted_whole_or_not_at_all(api: RunningApi) -> None:
    client, other = api.client("ada"), api.client("bob")
    body = batch_of(client)
    foreign = compose(other)["id"]
    for item in ({"composition_id": foreign}, {"composition_id": "cmp_none"}):
        answer = submit(client, body | {"items": [*body["items"], item]})
        assert code(answer) == (404, "not_found")
        assert "items.3.composition_id" in answer.json()["detail"]

    def fault_of(*items: dict[str, Any], **fields: Any) -> str:
        return " ".join(faults(submit(client, body | fields | {"items": [*items]})).values())

    first, second, third = body["items"]
    assert "items.1 ends before it begins" in fault_of(first, second | {"start_s": 9}, end_s=5)
    assert "items.2 says no files" in fault_of(
        first | {"presets": ["youtube_1080p"]}, second | {"config": CONFIG}, third, presets=None
    )
    assert "youtube_9k" in fault_of(first | {"presets": ["youtube_9k"]})
    assert "at least 1 item" in fault_of()
    assert "no such field" in fault_of(first | {"colour": 1})
    too_many = [first] * 9_999 + [second]
    assert "20,000 exports" in fault_of(*too_many)
    api.sql("update assets set status = 'rejected', reason = 'Too odd.'")
    assert code(submit(client, body)) == (409, "asset_rejected")
    assert api.sql("select * from export_jobs") == []
    assert api.sql("select * from batches") == []


CONFIG = {
    "name": "Small",
    "format": {"container": "webm", "videoCodec": "vp9"},
    "quality": {"resolution": {"width": 64, "height": 36}, "framerate": 30, "crf": 30},
}


def test_a_batch_is_cancelled_and_tried_again_as_a_whole(api: RunningApi) -> None:
    client = api.client()
    batch = submit(client, batch_of(client)).json()
    address = f"/v1/batches/{batch['id']}"
    done = client.get("/v1/exports", params={"batch_id": batch["id"]}).json()["exports"][0]["id"]
    api.complete(done, b"video", "a" * 64)
    cancelled = client.post(f"{address}/cancel").json()
    assert (cancelled["exports"], cancelled["batch"]["ended"]) == (5, True)
    assert cancelled["batch"]["progress"] == 1
    assert client.post(f"{address}/cancel").json()["exports"] == 0
    assert api.sql("select count(*) as n from work_items where status = 'cancelled'")[0]["n"] == 5
    assert client.post(f"{address}/retry", json={}).json()["exports"] == 0  # none has failed
    again = client.post(f"{address}/retry", json={"statuses": ["cancelled"]}).json()
    assert (again["exports"], again["batch"]["ended"]) == (5, False)
    assert again["batch"]["counts"]["completed"] == 1
    told = api.sql("select export_id, data ->> 'status' as status from events order by id")
    for export in {row["export_id"] for row in told} - {done}:
        story = [row["status"] for row in told if row["export_id"] == export]
        assert story == ["queued", "cancelled", "queued"]
    other = api.client("bob")
    for answer in (
        other.get(address),
        other.post(f"{address}/cancel"),
        other.post(f"{address}/retry", json={}),
        other.get(f"{address}/manifest"),
    ):
        assert code(answer) == (404, "not_found")
    assert other.get("/v1/batches").json()["batches"] == []


def test_a_manifest_tells_what_came_of_every_export(api: RunningApi) -> None:
    client = api.client()
    body = batch_of(client, count=1, name="=2+2 Songs")
    body["items"][0]["name"] = "=HYPERLINK(1)"
    body["items"][0]["presets"] = ["youtube_4k"]
    body["items"] += batch_of(client, count=300)["items"]
    batch = submit(client, body).json()
    address = f"/v1/batches/{batch['id']}/manifest"
    answer = client.get(address)
    assert answer.headers["content-type"] == "application/json"
    assert "2+2 Songs.json" in answer.headers["content-disposition"]
    results = answer.json()["results"]
    assert len(results) == 601  # more than one page of the database
    assert [each["format"] for each in results[1:3]] == ["YouTube 4K", "TikTok Vertical"]
    assert results[0]["download_url"] is None
    api.complete(results[0]["export_id"], b"video", "b" * 64)
    rows = list(csv.DictReader(io.StringIO(client.get(address, params={"format": "csv"}).text)))
    assert len(rows) == 601
    assert rows[0]["status"] == "completed"
    assert rows[0]["sha256"] == "b" * 64
    assert rows[0]["download_url"] == f"/v1/exports/{results[0]['export_id']}/download"
    assert rows[0]["name"] == "'=HYPERLINK(1)"  # no formula for a spreadsheet
    assert rows[1]["error_message"] == ""


# Once


@pytest.mark.parametrize("kind", ["exports", "batches", "compositions", "templates", "keys"])
def test_the_same_request_under_the_same_key_is_fulfilled_once(api: RunningApi, kind: str) -> None:
    client, table = api.client(), {"keys": "api_keys", "exports": "export_jobs"}.get(kind, kind)
    bodies = {
        "exports": {"composition_id": compose(client)["id"], "presets": ["youtube_1080p"]},
        "batches": batch_of(client),
        "compositions": {"name": "Prelude", "midi": upload(client, midi())["id"]},
        "templates": {"name": "Mine", "branding": {"endCard": {"text": "Thanks"}}},
        "keys": {"name": "laptop"},
    }
    count = f"select count(*) as n from {table}"  # noqa: S608  # a name of ours
    before, path = api.sql(count)[0]["n"], f"/v1/{kind}"
    first = submit(client, bodies[kind], "once", path)
    assert first.status_code in (201, 202), first.text
    assert "idempotency-replayed" not in first.headers
    again = submit(client, bodies[kind], "once", path)
    assert again.status_code == first.status_code
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json() | ({"token": None} if kind == "keys" else {})
    assert code(submit(client, bodies[kind] | {"name": "Other"}, "once", path)) == (
        422,
        "idempotency_key_reused",
    )
    assert submit(client, bodies[kind], "twice", path).json() != first.json()
    assert api.sql(count)[0]["n"] - before in (2, 12)
    for odd in ("", "x" * 201):
        assert faults(submit(client, bodies[kind], odd, path)).keys() == {"idempotency-key"}
    other = submit(api.client("bob"), bodies[kind], "once", path)  # everybody has his own keys
    assert "idempotency-replayed" not in other.headers


def test_a_request_that_failed_can_be_sent_again_under_its_key(api: RunningApi) -> None:
    client = api.client()
    body = batch_of(client)
    api.sql("update assets set status = 'rejected', reason = 'Too odd.'")
    assert code(submit(client, body, "key")) == (409, "asset_rejected")
    api.sql("update assets set status = 'pending', reason = null")
    assert submit(client, body, "key").status_code == 202


def test_the_same_request_twice_at_the_same_time_is_fulfilled_once(api: RunningApi) -> None:
    client = api.client()
    body, gate = batch_of(client, count=30), threading.Barrier(6)

    def send(_: int) -> httpx.Response:
        gate.wait()
        return submit(client, body, "key")

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(send, range(6)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert api.sql("select count(*) as n from export_jobs")[0]["n"] == 60


def test_retries_and_re_exports_are_made_once(api: RunningApi) -> None:
    client = api.client()
    export = queue(client)["exports"][0]
    client.post(f"/v1/exports/{export['id']}/cancel")
    again = f"/v1/exports/{export['id']}/re-export"
    first, second = (submit(client, {}, "key", again).json() for _ in range(2))
    assert first == second
    assert first["reexport_of"] == export["id"]
    retry = f"/v1/exports/{export['id']}/retry"
    assert submit(client, {}, "other", retry).json()["status"] == "queued"
    # Without the key it would be a conflict: it is queued already.
    assert submit(client, {}, "other", retry).json()["status"] == "queued"
    assert code(submit(client, {}, None, retry)) == (409, "conflict")


# Long lists


def test_a_history_is_filtered_and_paged_by_cursors(api: RunningApi) -> None:
    client = api.client()
    first, second = compose(client, name="One"), compose(client, name="Two")
    made = [queue(client, composition_id=first["id"])["exports"][0]["id"] for _ in range(3)]
    made += [queue(client, composition_id=second["id"])["exports"][0]["id"] for _ in range(4)]
    made.reverse()

    def walk(limit: int, **params: Any) -> list[str]:
        found: list[str] = []
        cursor = None
        while True:
            query = params | {"limit": limit} | ({"cursor": cursor} if cursor else {})
            page = client.get("/v1/exports", params=query).json()
            found += [each["id"] for each in page["exports"]]
            assert page["has_more"] == (page["next_cursor"] is not None)
            if (cursor := page["next_cursor"]) is None:
                return found

    assert walk(3) == walk(7) == walk(50) == made
    assert walk(2, composition_id=second["id"]) == made[:4]
    api.end(made[5])
    assert walk(1, status="cancelled") == [made[5]]
    assert walk(4, status="queued") == [each for each in made if each != made[5]]
    api.tell(made[4], passing=False, status="rendering")
    assert walk(1, status=["cancelled", "rendering"]) == made[4:6]
    assert walk(2, status=["queued", "rendering", "queued"]) == [*made[:5], made[6]]
    assert walk(2, status=["queued", "cancelled"], composition_id=first["id"]) == made[5:]
    assert walk(2, status=["completed", "failed"]) == []
    page = client.get("/v1/exports?status=cancelled&status=queued&limit=2&offset=3").json()
    assert ([each["id"] for each in page["exports"]], page["has_more"]) == (
        [made[3], made[5]],
        True,
    )
    at = client.get(f"/v1/exports/{made[2]}").json()["created_at"]
    assert walk(2, since=at) == made[:3]
    assert walk(2, until=at) == made[3:]
    # What comes while somebody pages does not shift the pages.
    page = client.get("/v1/exports", params={"limit": 3}).json()
    queue(client, composition_id=first["id"])
    rest = client.get("/v1/exports", params={"cursor": page["next_cursor"], "limit": 50}).json()
    assert [each["id"] for each in rest["exports"]] == made[3:]
    for cursor in ("x", "%00", "MQ", "OTk5OTk5OTk5OTk5OTk5OTk5OTk6YQ"):
        assert "cursor" in faults(client.get("/v1/exports", params={"cursor": cursor}))
    assert "since" in faults(client.get("/v1/exports", params={"since": "2026-01-01T00:00:00"}))


def test_a_history_is_searched_by_name(api: RunningApi) -> None:
    client = api.client()
    names = ["Été 100% (live)", "under_score", "UNDERSCORE", "back\\slash"]
    made = {name: api.add_export(name=name) for name in names}
    api.add_export("bob", name=names[0])

    def found(**params: Any) -> list[str]:
        shown = client.get("/v1/exports", params=params).json()["exports"]
        assert all(made[each["name"]] == each["id"] for each in shown)
        return [each["name"] for each in shown]

    assert found(name="under") == ["UNDERSCORE", "under_score"]
    assert found(name=" ÉTÉ ") == [names[0]]
    # They stand for themselves alone.
    assert found(name="%") == [names[0]]
    assert found(name="r_s") == ["under_score"]
    assert found(name="\\") == ["back\\slash"]
    assert found(name="nowhere") == []
    api.end(made["under_score"])
    assert found(name="SCORE", status=["cancelled", "failed"]) == ["under_score"]
    for odd in ("", "x" * 201, "a\0b"):
        assert list(faults(client.get("/v1/exports", params={"name": odd}))) == ["name"]


def test_chunks_tell_how_each_piece_stands(api: RunningApi) -> None:
    client = api.client()
    export = api.add_export()
    address = f"/v1/exports/{export}"
    assert client.get(f"{address}/chunks").json() == {"chunks": [], "has_more": False}
    for index, status in enumerate(("done", "running", "ready")):
        (item,) = api.sql(
            "insert into work_items (kind, export_id, user_id, chunk_index, start_frame,"
            " stop_frame, status, report, ended_at) values ('chunk', %s, 'ada', %s, %s, %s,"
            " %s, case when %s then '{\"size_bytes\": 77}'::jsonb end,"
            " case when %s then now() end) returning id",
            export, index, index * 30, index * 30 + 30, status, status == "done", status == "done",
        )  # fmt: skip
        if status == "ready":
            continue
        for number in (1, 2):
            last = number == 2 and status == "running"
            api.sql(
                "insert into attempts (item_id, number, epoch, worker, frames, outcome, ended_at)"
                " values (%s, %s, 1, %s, 11, %s, case when %s then null else now() end)",
                item["id"], number, f"node:{number}",
                None if last else "committed" if number == 1 and status == "done" else "failed",
                last,
            )  # fmt: skip
    done, running, ready = client.get(f"{address}/chunks").json()["chunks"]
    assert (done["status"], done["frames_done"], done["size_bytes"]) == ("done", 30, 77)
    assert (done["attempts"], done["worker"]) == (2, "node:1")  # the one that counts
    assert (running["status"], running["frames_done"], running["worker"]) == (
        "running", 11, "node:2",
    )  # fmt: skip
    assert (ready["start_frame"], ready["attempts"], ready["worker"]) == (60, None, None)
    page = client.get(f"{address}/chunks", params={"limit": 1, "offset": 1}).json()
    assert ([each["index"] for each in page["chunks"]], page["has_more"]) == ([1], True)
    tried = client.get(f"{address}/attempts", params={"chunk": 1}).json()["attempts"]
    assert [(each["chunk_index"], each["number"]) for each in tried] == [(1, 2), (1, 1)]


# Deleting


def test_an_export_that_has_ended_can_be_deleted(api: RunningApi) -> None:
    client = api.client()
    export = queue(client)["exports"][0]["id"]
    address = f"/v1/exports/{export}"
    assert code(client.delete(address)) == (409, "conflict")
    client.post(f"{address}/cancel")
    assert code(api.client("bob").delete(address)) == (404, "not_found")
    assert client.delete(address).status_code == 204
    assert code(client.delete(address)) == (404, "not_found")
    for path in ("", "/download", "/chunks", "/attempts", "/events", "/poster", "/latest"):
        assert code(client.get(address + path)) == (404, "not_found")
    for path in ("/cancel", "/retry", "/re-export"):
        assert code(client.post(address + path)) == (404, "not_found")
    assert code(client.patch(address, json={"priority": 1})) == (404, "not_found")
    assert client.get("/v1/exports").json()["exports"] == []


def test_an_asset_is_deleted_when_nothing_uses_it(api: RunningApi) -> None:
    client = api.client()
    song, sky = upload(client, midi(), name="a.mid"), upload(client, PNG, name="sky.png")
    plain = {"name": "Prelude", "midi": song["id"], "dressing": {"background": sky["id"]}}
    made = client.post("/v1/compositions", json=plain).json()
    branding = {"watermark": {"imageUrl": sky["id"], "position": "center"}}
    template = client.post("/v1/templates", json={"name": "Mine", "branding": branding}).json()
    wanted = {"composition_id": made["id"], "presets": ["youtube_1080p"]}
    export = client.post("/v1/exports", json=wanted | {"branding": branding}).json()["exports"][0]

    def uses(asset: dict[str, Any]) -> list[tuple[str, str]]:
        found = client.get(f"/v1/assets/{asset['id']}/uses").json()["uses"]
        return [(each["kind"], each["id"]) for each in found]

    assert uses(song) == [("composition", made["id"]), ("export", export["id"])]
    assert uses(sky) == [
        ("composition", made["id"]), ("export", export["id"]), ("template", template["id"]),
    ]  # fmt: skip
    refused = client.delete(f"/v1/assets/{sky['id']}")
    assert code(refused) == (409, "conflict")
    assert made["id"] in refused.json()["detail"]
    client.delete(f"/v1/templates/{template['id']}")
    # A composition is what its newest revision is.
    document = {"name": "Prelude", "midi": song["id"]}
    client.put(f"/v1/compositions/{made['id']}", json=document)
    assert uses(sky) == [("export", export["id"])]
    assert code(client.delete(f"/v1/assets/{sky['id']}")) == (409, "conflict")
    client.post(f"/v1/exports/{export['id']}/cancel")
    assert code(api.client("bob").delete(f"/v1/assets/{sky['id']}")) == (404, "not_found")
    assert client.delete(f"/v1/assets/{sky['id']}").status_code == 204
    assert code(client.get(f"/v1/assets/{sky['id']}")) == (404, "not_found")
    doomed = api.sql("select object_key from doomed_objects")
    assert [row["object_key"] for row in doomed] == [f"assets/{sky['sha256'][:2]}/{sky['sha256']}"]
    # The export was made from it, and cannot be made again.
    for path in ("retry", "re-export"):
        answer = client.post(f"/v1/exports/{export['id']}/{path}")
        assert code(answer) == (409, "asset_deleted")
        assert "sky.png" in answer.json()["detail"]


def test_bytes_that_somebody_else_has_too_stay(api: RunningApi) -> None:
    ada, bob = api.client("ada"), api.client("bob")
    mine, his = upload(ada, PNG), upload(bob, PNG)
    assert ada.delete(f"/v1/assets/{mine['id']}").status_code == 204
    assert api.sql("select * from doomed_objects") == []
    assert bob.delete(f"/v1/assets/{his['id']}").status_code == 204
    assert len(api.sql("select * from doomed_objects")) == 1


def test_assets_are_found_by_their_bytes(api: RunningApi) -> None:
    client = api.client()
    song = upload(client, midi())
    found = client.get("/v1/assets", params={"sha256": song["sha256"]}).json()["assets"]
    assert found == [song]
    assert client.get("/v1/assets", params={"sha256": "0" * 64}).json()["assets"] == []
    assert "sha256" in faults(client.get("/v1/assets", params={"sha256": uuid.uuid4().hex}))


# What a user may have, and who is told


def test_a_user_may_have_so_much_and_no_more(api: RunningApi) -> None:
    client, operator = api.client("ada"), api.client("root", scope="operator")
    assert operator.put("/v1/farm/quotas/ada", json={"queued": 5}).status_code == 200
    body = batch_of(client)
    refused = submit(client, body)
    assert code(refused) == (403, "quota_exceeded")
    assert "5 exports" in refused.json()["detail"]
    assert api.sql("select * from batches") == []
    batch = submit(client, body | {"presets": ["youtube_4k"]}, "key").json()
    one = {"composition_id": body["items"][0]["composition_id"], "presets": ["youtube_1080p"]}
    assert client.post("/v1/exports", json=one).status_code == 202
    export = client.post("/v1/exports", json=one).json()["exports"][0]["id"]
    assert code(client.post("/v1/exports", json=one)) == (403, "quota_exceeded")
    client.post(f"/v1/exports/{export}/cancel")
    client.post(f"/v1/batches/{batch['id']}/cancel")
    assert operator.put("/v1/farm/quotas/ada", json={"queued": 2}).status_code == 200
    retry = {"statuses": ["cancelled"]}
    again = f"/v1/batches/{batch['id']}/retry"
    assert code(client.post(again, json=retry)) == (403, "quota_exceeded")
    assert client.post(f"/v1/exports/{export}/retry").status_code == 202
    assert code(client.post(f"/v1/exports/{export}/retry")) == (409, "conflict")
    made = client.get("/v1/me").json()
    assert (made["user_id"], made["scope"], made["use"]["exports_queued"]) == ("ada", "user", 2)
    assert made["use"]["quota"]["queued"] == 2
    assert code(client.get("/v1/farm/quotas/ada")) == (403, "forbidden")


def test_what_does_not_fit_into_a_users_store_leaves_nothing(api: RunningApi) -> None:
    client, operator = api.client("ada"), api.client("root", scope="operator")
    song = upload(client, midi())
    room = song["size_bytes"] + 10
    operator.put("/v1/farm/quotas/ada", json={"stored_bytes": room})
    assert code(client.post("/v1/assets", content=PNG)) == (403, "quota_exceeded")
    assert [row["object_key"].rpartition("/")[2] for row in api.sql("select * from doomed_objects")]
    assert len(api.sql("select * from assets")) == 1
    assert upload(client, midi())["id"] == song["id"]  # what is there takes no more room
    operator.put("/v1/farm/quotas/ada", json={"stored_bytes": song["size_bytes"]})
    full = client.post("/v1/assets", content=PNG)
    assert code(full) == (403, "quota_exceeded")
    assert client.get("/v1/me").json()["use"]["asset_bytes"] == song["size_bytes"]


def test_exports_name_who_is_told_of_them(api: RunningApi) -> None:
    client = api.client()
    secret = "whsec_" + "c2VjcmV0" * 4
    told = {"url": "https://example.org/hook", "secret": secret}
    body = batch_of(client, count=2) | {"webhook": told}
    local = body | {"webhook": told | {"url": "https://127.0.0.1/hook"}}
    assert "items.0.webhook.url" in faults(submit(client, local))
    body["webhook"] = told | {"url": "https://1.1.1.1/hook"}
    body["items"][1]["webhook"] = None
    assert submit(client, body).status_code == 202
    rows = api.sql("select webhook_id from export_jobs order by created_at")
    first, second, third, fourth = [row["webhook_id"] for row in rows]
    assert first == second is not None
    assert third is fourth is None
    export = client.get("/v1/exports", params={"limit": 1, "offset": 3}).json()["exports"][0]["id"]
    client.post(f"/v1/exports/{export}/cancel")
    deliveries = api.sql("select event, export_id, webhook_id from deliveries")
    assert [(row["event"], row["export_id"]) for row in deliveries] == [
        ("export.cancelled", export)
    ]
    assert deliveries[0]["webhook_id"] == first
