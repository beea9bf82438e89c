"""Links: a finished video for who has no key, and for nobody else."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from coordinator.api.limits import ApiLimits
from coordinator.database import Database, api_keys
from coordinator.dispatcher.janitor import Janitor
from coordinator.dispatcher.limits import Limits
from shared.storage import LocalStore, open_store
from tests.api import WITHIN_S, RunningApi

pytestmark = pytest.mark.services

VIDEO = bytes(range(256)) * 9_000  # more than two blocks
HASH = hashlib.sha256(VIDEO).hexdigest()
MOST = 5
NOWHERE = (404, "not_found")


@pytest.fixture
def api(migrated_database_url: str, tmp_path: Path) -> Iterator[RunningApi]:
    limits = ApiLimits(links=MOST, stranger_burst=20)
    with RunningApi(migrated_database_url, LocalStore(tmp_path / "store"), limits) as running:
        yield running


@pytest.fixture
def ada(api: RunningApi) -> httpx.Client:
    return api.client("ada")


@pytest.fixture
def export_id(api: RunningApi) -> str:
    """A finished export of Ada's."""
    made = api.add_export("ada", name="Été")
    api.complete(made, VIDEO, HASH)
    return made


def link_to(client: httpx.Client, export_id: str, **body: Any) -> dict[str, Any]:
    """A new link."""
    answer = client.post(f"/v1/exports/{export_id}/links", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    made: dict[str, Any] = answer.json()
    return made


def told(answer: httpx.Response) -> tuple[int, str]:
    """An answer's status, and the code of its problem."""
    return answer.status_code, answer.json()["code"]


def test_whoever_has_the_link_sees_what_its_owner_downloads(
    api: RunningApi, ada: httpx.Client, export_id: str
) -> None:
    made = link_to(ada, export_id)
    download = ada.get(f"/v1/exports/{export_id}/download")
    answer = api.visitor.get(made["url"])
    assert (answer.status_code, answer.content) == (200, download.content)
    for name in ("content-type", "content-length", "etag", "accept-ranges", "cache-control"):
        assert answer.headers[name] == download.headers[name]
    saved = download.headers["content-disposition"]
    assert answer.headers["content-disposition"] == saved.replace("attachment", "inline")
    assert answer.headers["x-content-type-options"] == "nosniff"
    asked_to_save = api.visitor.get(made["url"], params={"download": True})
    assert asked_to_save.headers["content-disposition"] == saved
    part = api.visitor.get(made["url"], headers={"Range": "bytes=1000000-2000000"})
    assert (part.status_code, part.content) == (206, VIDEO[1_000_000:2_000_001])
    assert part.headers["content-range"] == f"bytes 1000000-2000000/{len(VIDEO)}"
    head = api.visitor.head(made["url"])
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(VIDEO))
    had = api.visitor.get(made["url"], headers={"If-None-Match": download.headers["etag"]})
    assert had.status_code == 304
    for each in (answer, asked_to_save, part, head, had):
        assert each.headers["referrer-policy"] == "no-referrer"
        assert each.headers["x-robots-tag"] == "noindex"
    outside = api.visitor.get(made["url"], headers={"Range": f"bytes={len(VIDEO)}-"})
    assert told(outside) == (416, "range_not_satisfiable")


def test_a_link_ends_when_its_time_is_over(
    api: RunningApi, ada: httpx.Client, export_id: str
) -> None:
    made = [link_to(ada, export_id, expires_in_s=60), link_to(ada, export_id)]
    rows = api.sql(
        "select id, extract(epoch from expires_at - created_at)::float as s from links"
        " order by created_at"
    )
    assert [(row["id"], row["s"]) for row in rows] == [
        (made[0]["id"], 60), (made[1]["id"], 7 * 86_400),
    ]  # fmt: skip
    api.sql("update links set expires_at = now() where id = %s", made[0]["id"])
    assert told(api.visitor.get(made[0]["url"])) == NOWHERE
    assert api.visitor.head(made[0]["url"]).status_code == 404
    assert api.visitor.get(made[1]["url"]).content == VIDEO
    for odd in (59, 90 * 86_400 + 1, 60.5, "60", True, None, -1):
        answer = ada.post(f"/v1/exports/{export_id}/links", json={"expires_in_s": odd})
        assert told(answer) == (422, "invalid")
    assert ada.post(f"/v1/exports/{export_id}/links").status_code == 201  # without a body


def test_links_are_listed_without_their_addresses_and_revoked(
    api: RunningApi, ada: httpx.Client, export_id: str
) -> None:
    path = f"/v1/exports/{export_id}/links"
    made = [link_to(ada, export_id) for _ in range(3)]
    shown = [{name: each[name] for name in each if name != "url"} for each in reversed(made)]
    assert ada.get(path).json() == {"links": shown, "has_more": False}
    assert ada.get(path, params={"limit": 1, "offset": 1}).json() == {
        "links": shown[1:2],
        "has_more": True,
    }
    assert ada.delete(f"{path}/{made[1]['id']}").status_code == 204
    assert ada.get(path).json()["links"] == [shown[0], shown[2]]
    assert told(api.visitor.get(made[1]["url"])) == NOWHERE
    assert told(ada.delete(f"{path}/{made[1]['id']}")) == NOWHERE
    assert api.visitor.get(made[0]["url"]).status_code == 200


def test_links_of_others_are_not_there(api: RunningApi, ada: httpx.Client, export_id: str) -> None:
    made, bob = link_to(ada, export_id), api.client("bob")
    path = f"/v1/exports/{export_id}/links"
    his = api.add_export("bob")
    api.complete(his, VIDEO, HASH)
    for answer in (
        bob.post(path),
        bob.get(path),
        bob.delete(f"{path}/{made['id']}"),
        bob.delete(f"/v1/exports/{his}/links/{made['id']}"),
    ):
        assert told(answer) == NOWHERE
    assert api.visitor.get(made["url"]).status_code == 200
    assert api.visitor.get(path).status_code == 401


def test_only_what_has_a_video_is_linked_to(api: RunningApi, ada: httpx.Client) -> None:
    export_id = api.add_export("ada")
    path = f"/v1/exports/{export_id}/links"
    assert told(ada.post(path)) == (409, "not_completed")
    key = api.complete(export_id, VIDEO, HASH)
    made = link_to(ada, export_id)
    api.store.delete(key)
    assert told(api.visitor.get(made["url"])) == (410, "result_lost")
    api.tell(export_id, passing=False, download_url=None, expired_at="now()")
    assert told(api.visitor.get(made["url"])) == (410, "export_expired")
    assert told(ada.post(path)) == (410, "export_expired")
    assert ada.delete(f"/v1/exports/{export_id}").status_code == 204
    assert told(api.visitor.get(made["url"])) == NOWHERE
    assert told(ada.post(path)) == NOWHERE


def test_no_more_links_to_an_export_are_valid_than_may_be(
    api: RunningApi, ada: httpx.Client, export_id: str
) -> None:
    path = f"/v1/exports/{export_id}/links"
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: ada.post(path), range(2 * MOST)))
    refused = [answer for answer in answers if answer.status_code != 201]
    assert len(refused) == MOST
    assert {told(answer) for answer in refused} == {(409, "conflict")}
    assert "Revoke one" in refused[0].json()["detail"]
    api.sql("update links set expires_at = now() where id = (select min(id) from links)")
    link_to(ada, export_id)
    assert told(ada.post(path)) == (409, "conflict")
    other = api.add_export("ada")
    api.complete(other, VIDEO, HASH)
    link_to(ada, other)


def test_the_token_is_told_once_and_kept_nowhere(
    api: RunningApi, ada: httpx.Client, export_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    path, key = f"/v1/exports/{export_id}/links", {"Idempotency-Key": "one"}
    made = ada.post(path, headers=key).json()
    assert ada.post(path, headers=key).json() == made | {"url": None}
    assert len(ada.get(path).json()["links"]) == 1
    token = made["url"].removeprefix("/v1/links/")
    assert len(token) == 43
    with caplog.at_level(logging.DEBUG):
        assert api.visitor.get(made["url"]).status_code == 200
        api.sql("alter table links rename to links_away")
        answer = api.visitor.get(made["url"])
        api.sql("alter table links_away rename to links")
    assert told(answer) == (503, "database_unavailable")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("coord")]
    assert any("path=/v1/links/…" in message for message in ours)
    # httpx, which tells of what the test asks for, is the other side.
    assert not any(token in message for message in ours)
    tables = [row["name"] for row in api.sql("select tablename as name from pg_tables"
        " where schemaname = 'public'")]  # fmt: skip
    for table in tables:
        for row in api.sql(f"select t::text as text from {table} t"):  # noqa: S608  # ours
            assert token not in row["text"]
    assert api.sql("select token_hash from links") == [{"token_hash": api_keys.token_hash(token)}]
    assert token not in api.visitor.get("/metrics").text


def test_who_guesses_links_is_held_up_and_who_has_one_is_not(
    api: RunningApi, ada: httpx.Client, export_id: str
) -> None:
    made, over = link_to(ada, export_id), link_to(ada, export_id)
    api.sql("update links set expires_at = now() where id = %s", over["id"])
    # One that is over is no guess.
    assert {told(api.visitor.get(over["url"])) for _ in range(40)} == {NOWHERE}
    assert api.visitor.head(made["url"]).status_code == 200
    guesses = itertools.count()

    def guess() -> httpx.Response:
        return api.visitor.get(f"/v1/links/guess{next(guesses)}")

    assert told(guess()) == NOWHERE
    until_s = time.monotonic() + WITHIN_S
    while told(answer := guess()) == NOWHERE:
        assert time.monotonic() < until_s
    assert told(answer) == (429, "rate_limited")
    assert int(answer.headers["retry-after"]) >= 1
    assert api.visitor.head(made["url"]).status_code == 200
    # What is guessed of keys counts with it.
    while True:
        key = api.visitor.get("/v1/keys", headers={"Authorization": f"Bearer mf_{next(guesses)}"})
        assert time.monotonic() < until_s
        if told(key) == (429, "rate_limited"):
            break
    assert ada.get("/v1/keys").status_code == 200


def test_a_link_leads_into_a_bucket_no_longer_than_it_is_valid(
    migrated_database_url: str, s3_url: str
) -> None:
    with RunningApi(migrated_database_url, open_store(s3_url)) as api:
        export_id = api.add_export("ada", name="Prelude")
        api.complete(export_id, VIDEO, HASH)
        made = link_to(api.client("ada"), export_id, expires_in_s=60)
        answer = api.visitor.get(made["url"])
        assert (answer.status_code, answer.headers["cache-control"]) == (307, "no-store")
        assert answer.headers["referrer-policy"] == "no-referrer"
        address = httpx.URL(answer.headers["location"])
        assert 0 < int(address.params["X-Amz-Expires"]) <= 60
        video = httpx.get(address, headers={"Range": "bytes=0-9"})
        assert (video.status_code, video.content) == (206, VIDEO[:10])
        assert video.headers["content-disposition"].startswith('inline; filename="Prelude.mp4"')
        saved = httpx.get(api.visitor.get(f"{made['url']}?download=true").headers["location"])
        assert saved.headers["content-disposition"].startswith("attachment")
        assert api.visitor.head(made["url"]).headers["content-length"] == str(len(VIDEO))


def test_the_janitor_forgets_links_and_sessions_a_day_after_their_time(
    api: RunningApi, ada: httpx.Client, export_id: str, tmp_path: Path
) -> None:
    links = [link_to(ada, export_id)["id"] for _ in range(3)]
    api.sql("update api_keys set id = 'key_own', expires_at = now() - interval '2 days'")
    for name in ("old", "ended", "open"):
        api.sql(
            "insert into api_keys (id, user_id, name, token_hash, is_session)"
            " values (%s, 'ada', 'browser', sha256(%s::bytea), true)",
            name,
            name,
        )
    for table, old, ended in (("links", *links[:2]), ("api_keys", "old", "ended")):
        for each, age in ((old, "25 hours"), (ended, "23 hours")):
            api.sql(
                f"update {table} set expires_at = now() - %s::interval where id = %s",  # noqa: S608
                age,
                each,
            )

    async def clean() -> None:
        async with Database(api.database_url) as database:
            janitor = Janitor(database, LocalStore(tmp_path / "store"), Limits())
            await janitor.clean_old()
            await janitor.clean_deleted()
            await janitor.close()

    asyncio.run(clean())
    kept = {row["id"] for row in api.sql("select id from links")}
    assert kept == set(links[1:])
    # A key of another kind stays in the list of keys, expired or not.
    assert {row["id"] for row in api.sql("select id from api_keys")} == {
        *("key_own", "ended", "open")
    }
    api.sql("update export_jobs set deleted_at = now()")
    asyncio.run(clean())
    assert api.sql("select id from links") == []
