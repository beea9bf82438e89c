"""Previews over HTTP: asked for once, waited for, remembered by clients."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from coordinator.api.limits import ApiLimits
from shared.keys import digest
from shared.storage import LocalStore
from tests.api import WITHIN_S, RunningApi
from tests.integration.test_api import code, compose, faults, upload

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest.fixture
def api(migrated_database_url: str, tmp_path: Path) -> Iterator[RunningApi]:
    limits = ApiLimits(preview_wait_s=WITHIN_S)
    store = LocalStore(tmp_path / "store")
    with RunningApi(migrated_database_url, store, limits) as running:
        yield running


class Painter:
    """Answers previews as a dispatcher with its workers does, each with its own number."""

    def __init__(self, api: RunningApi) -> None:
        self.specs: list[dict[str, Any]] = []
        self.hold = threading.Event()
        self.hold.set()
        self.reason: str | None = None
        self._api = api
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Painter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.hold.set()
        self._thread.join()

    def _run(self) -> None:
        with psycopg.connect(self._api.database_url, autocommit=True) as connection:
            connection.execute("listen midifarm_work")
            while not self._over.is_set():
                rows = connection.execute(
                    "select id, spec from previews where status = 'pending'"
                ).fetchall()
                for preview_id, spec in rows:
                    self.hold.wait()
                    self._paint(connection, preview_id, spec)
                for _ in connection.notifies(timeout=0.05, stop_after=1):
                    pass

    def _paint(
        self, connection: psycopg.Connection[Any], preview_id: str, spec: dict[str, Any]
    ) -> None:
        self.specs.append(spec)
        if self.reason is not None:
            connection.execute(
                "update previews set status = 'failed', reason = %s, ended_at = now()"
                " where id = %s",
                (self.reason, preview_id),
            )
            return
        data = PNG + str(len(self.specs)).encode()
        self._api.store.put_bytes(spec["key"], data)
        connection.execute(
            "update previews set status = 'ready', object_key = %s, media_type = 'image/png',"
            " width = 64, height = 36, size_bytes = %s, sha256 = %s, ended_at = now()"
            " where id = %s",
            (spec["key"], len(data), digest(data), preview_id),
        )


@pytest.fixture
def painter(api: RunningApi) -> Iterator[Painter]:
    with Painter(api) as running:
        yield running


def ask(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = client.post("/v1/previews", json=fields)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_preview_is_asked_for_and_fetched(api: RunningApi, painter: Painter) -> None:
    client = api.client()
    song, logo = compose(client)["id"], upload(client, PNG)["id"]
    painter.hold.clear()
    wanted: dict[str, Any] = {
        "composition_id": song,
        "kind": "sheet",
        "preset": "tiktok_vertical",
        "template": "clean-minimal",
        "branding": {"watermark": {"imageUrl": logo}},
        "at_s": 1.5,
        "width": 64,
    }
    asked = ask(client, **wanted)
    assert (asked["status"], asked["kind"], asked["image_url"]) == ("pending", "sheet", None)
    assert ask(client, **wanted)["id"] == asked["id"]  # nobody draws it twice
    assert ask(client, **wanted | {"at_s": 2})["id"] != asked["id"]
    painter.hold.set()
    address = f"/v1/previews/{asked['id']}"
    image = client.get(f"{address}/image")  # waits
    assert (image.status_code, image.headers["content-type"]) == (200, "image/png")
    assert image.content.startswith(PNG)
    shown = client.get(address).json()
    assert (shown["status"], shown["image_url"]) == ("ready", f"{address}/image")
    assert shown["sha256"] == digest(image.content)
    kept = client.get(f"{address}/image", headers={"If-None-Match": image.headers["etag"]})
    assert (kept.status_code, kept.content) == (304, b"")
    part = client.get(f"{address}/image", headers={"Range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, b"PNG")
    spec = painter.specs[0]
    assert (spec["kind"], spec["at_s"], spec["width"]) == ("sheet", 1.5, 64)
    assert spec["configuration"]["quality"]["resolution"] == {"width": 1080, "height": 1920}
    assert spec["intake"]["branding"]["watermark"]["image_url"].startswith("assets/")
    assert spec["intake"]["branding"]["watermark"]["opacity"] == 0.3
    other = api.client("bob")
    assert code(other.get(address)) == (404, "not_found")
    assert code(other.get(f"{address}/image")) == (404, "not_found")


def test_a_composition_is_looked_at_directly(api: RunningApi, painter: Painter) -> None:
    client = api.client()
    made = compose(client)
    address = f"/v1/compositions/{made['id']}/preview"
    query = {"at_s": "2", "preset": "instagram_square", "width": "320", "format": "webp"}
    first = client.get(address, params=query)
    assert first.status_code == 200, first.text
    assert painter.specs[0]["key"].endswith(".webp")
    again = client.get(address, params=query)
    assert (again.content, len(painter.specs)) == (first.content, 1)
    same = client.get(address, params=query, headers={"If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.headers["etag"]) == (304, first.headers["etag"])
    assert "no-cache" in first.headers["cache-control"]
    document = made["document"] | {"style": "neon"}
    client.put(f"/v1/compositions/{made['id']}", json=document)
    etag = {"If-None-Match": first.headers["etag"]}
    assert client.get(address, params=query, headers=etag).status_code == 200  # drawn anew
    old = client.get(address, params=query | {"revision": "1"}, headers=etag)
    assert old.status_code == 304
    assert len(painter.specs) == 2
    assert code(api.client("bob").get(address)) == (404, "not_found")
    assert list(faults(client.get(address, params={"preset": "vimeo"}))) == ["preset"]
    assert list(faults(client.get(address, params={"at_s": "-1"}))) == ["at_s"]
    assert list(faults(client.get(address, params={"format": "bmp"}))) == ["format"]
    assert list(faults(client.get(address, params={"template": "a b"}))) == ["template"]


def test_many_who_wait_for_one_picture_get_it_at_once(api: RunningApi, painter: Painter) -> None:
    client = api.client()
    address = f"/v1/compositions/{compose(client)['id']}/preview"
    painter.hold.clear()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(client.get, address) for _ in range(8)]
        until_s = time.monotonic() + WITHIN_S
        while not api.sql("select id from previews"):
            assert time.monotonic() < until_s
            time.sleep(0.01)
        painter.hold.set()
        answers = [each.result() for each in waiting]
    assert {answer.status_code for answer in answers} == {200}


def test_who_is_not_waited_for_any_more_is_told_where_it_will_be(
    migrated_database_url: str, tmp_path: Path
) -> None:
    limits, store = ApiLimits(preview_wait_s=0.1), LocalStore(tmp_path / "store")
    with RunningApi(migrated_database_url, store, limits) as api, Painter(api) as painter:
        painter.hold.clear()
        client = api.client()
        answer = client.get(f"/v1/compositions/{compose(client)['id']}/preview")
        assert (answer.status_code, answer.json()["status"]) == (202, "pending")
        assert answer.headers["retry-after"] == "1"
        painter.hold.set()
        until_s = time.monotonic() + WITHIN_S
        while (answer := client.get(answer.headers["location"])).status_code == 202:
            assert time.monotonic() < until_s
        assert answer.content.startswith(PNG)


def test_why_a_preview_failed_is_told(api: RunningApi, painter: Painter) -> None:
    client = api.client()
    painter.reason = "The MIDI holds no notes."
    address = f"/v1/compositions/{compose(client)['id']}/preview"
    answer = client.get(address)
    assert code(answer) == (409, "preview_failed")
    assert answer.json()["detail"] == "The MIDI holds no notes."
    painter.reason = None
    assert client.get(address).status_code == 200  # tried again


def test_what_cannot_be_previewed_is_refused(api: RunningApi) -> None:
    client = api.client()
    song = compose(client)["id"]
    quality = {"resolution": {"width": 64, "height": 64}, "framerate": 30}
    config = {"name": "Mine", "format": {"container": "m4a"}, "quality": quality}

    def fault_of(**fields: Any) -> list[str]:
        body = {"composition_id": song} | fields
        return list(faults(client.post("/v1/previews", json=body)))

    assert fault_of(config=config) == ["config"]
    assert fault_of(config=config, preset="youtube_1080p") == [""]
    assert fault_of(kind="latest") == ["kind"]
    assert fault_of(width=8) == ["width"]
    assert fault_of(start_s=3, end_s=2) == [""]
    assert fault_of(branding={"watermark": {"imageUrl": "ast_x"}}) == [
        "branding.watermark.imageUrl"
    ]
    assert code(client.post("/v1/previews", json={"composition_id": "x"})) == (404, "not_found")
    assert code(client.get("/v1/previews/prv_x")) == (404, "not_found")


def test_the_last_finished_frame_of_an_export_is_shown(api: RunningApi, painter: Painter) -> None:
    client = api.client()
    export_id = api.add_export()
    address = f"/v1/exports/{export_id}/latest"
    assert code(client.get(address)) == (409, "nothing_finished")
    for index, key in enumerate(("segments/aa/a.a1.segment", "segments/bb/b.a2.segment")):
        api.sql(
            "insert into work_items (kind, export_id, user_id, chunk_index, start_frame,"
            " stop_frame, status, report, ended_at) values ('chunk', %s, 'ada', %s, %s, %s, 'done',"
            " jsonb_build_object('key', %s::text), now() + make_interval(secs => %s))",
            *(export_id, index, index * 10, index * 10 + 10, key, index),
        )
        answer = client.get(address, params={"width": 64})
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "private, max-age=2"
        assert client.get(address, params={"width": 64}).content == answer.content
        spec = painter.specs[-1]
        assert (spec["kind"], spec["segment_key"], spec["intake"]) == ("latest", key, None)
    assert len(painter.specs) == 2
    assert code(api.client("bob").get(address)) == (404, "not_found")
