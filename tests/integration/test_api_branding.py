"""Branding over HTTP: templates, overrides, images by id and by address, and batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest

from coordinator.api.limits import ApiLimits
from coordinator.fetching import Fetcher
from shared.keys import asset_key, digest
from shared.storage import LocalStore
from tests.api import RunningApi
from tests.https import Web, running, trusting
from tests.integration.test_api import code, compose, faults, upload

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
FONT = b"OTTO" + bytes(64)
CARD = {"text": "Bye", "socialMedia": {"handles": {"youtube": "@me"}, "showQrCode": True}}


async def resolve(host: str, port: int) -> Sequence[str]:
    known = {"images.test": ["127.0.0.2"], "inside.test": ["127.0.0.1"]}
    if host not in known:
        raise OSError("no such name")
    return known[host]


@pytest.fixture
def api(migrated_database_url: str, tmp_path: Path) -> Iterator[RunningApi]:
    fetcher = Fetcher(allowed=[ip_network("127.0.0.2")], resolve=resolve, certificates=trusting())
    limits = ApiLimits(templates=3, template_versions=4, addresses=2)
    store = LocalStore(tmp_path / "store")
    with RunningApi(migrated_database_url, store, limits, fetcher) as running_api:
        yield running_api


@pytest.fixture
def web() -> Iterator[Web]:
    with running("127.0.0.2") as server:
        yield server


def queue(client: httpx.Client, composition: str, **fields: Any) -> list[dict[str, Any]]:
    answer = client.post("/v1/exports", json={"composition_id": composition} | fields)
    assert answer.status_code == 202, answer.text
    found: list[dict[str, Any]] = answer.json()["exports"]
    return found


def intake(api: RunningApi, export: dict[str, Any]) -> dict[str, Any]:
    [row] = api.sql("select spec from work_items where export_id = %s", export["id"])
    spec: dict[str, Any] = row["spec"]
    return spec


# Branding in exports


def test_a_template_and_what_overrides_it_reach_every_export_of_a_batch(api: RunningApi) -> None:
    client = api.client()
    song, logo = compose(client)["id"], upload(client, PNG, name="logo.png")
    one, two = queue(
        client,
        song,
        presets=["youtube_1080p", "tiktok_vertical"],
        template="social-media-pack",
        branding={"watermark": {"imageUrl": logo["id"]}, "endCard": {"text": "Bye"}},
        too_long="fade",
    )
    assert one["config"]["branding"] == two["config"]["branding"]
    branding = one["config"]["branding"]
    assert branding["template"] == "social-media-pack@1"
    assert branding["watermark"] == {
        "imageUrl": logo["id"],
        "position": "bottom-left",
        "opacity": 0.5,
        "scale": 0.15,
    }
    assert (branding["endCard"]["text"], branding["endCard"]["duration"]) == ("Bye", 3)
    assert two["config"]["socialMedia"]["tooLong"] == "fade"
    spec = intake(api, two)
    key = asset_key(logo["sha256"])
    assert spec["branding"]["watermark"]["image_url"] == key
    assert spec["branding"]["end_card"]["logo_url"] == "builtin:end-card-logo"
    assert spec["names"][key] == "logo.png"
    # A new export like it, from the same files.
    client.post(f"/v1/exports/{two['id']}/cancel")
    again = client.post(f"/v1/exports/{two['id']}/re-export").json()
    assert again["config"] == two["config"]
    assert intake(api, again) == spec


def test_a_configuration_has_branding_of_its_own(api: RunningApi) -> None:
    client = api.client()
    song, font = compose(client)["id"], upload(client, FONT)
    config = {
        "name": "Mine",
        "format": {"container": "webm", "videoCodec": "vp9"},
        "quality": {"resolution": {"width": 320, "height": 180}, "framerate": 30},
        "branding": {"end_card": CARD | {"font": font["id"]}},
    }
    [export] = queue(client, song, config=config)
    assert (export["container"], export["media_type"]) == ("webm", "video/webm")
    assert intake(api, export)["branding"]["end_card"]["font"] == asset_key(font["sha256"])
    [export] = queue(client, song, config=config, branding={"endCard": None})
    assert export["config"]["branding"]["endCard"] is None
    alone = config | {"format": {"container": "m4a"}, "branding": None}
    [export] = queue(client, song, config=alone)
    assert intake(api, export)["with_audio"]
    body = {"composition_id": song, "config": alone, "template": "clean-minimal"}
    assert "no picture to brand" in faults(client.post("/v1/exports", json=body))["config"]


def test_what_cannot_be_used_in_branding_is_named_by_its_field(api: RunningApi, web: Web) -> None:
    client = api.client()
    song, font = compose(client)["id"], upload(client, FONT, name="a.otf")["id"]
    foreign = upload(api.client("bob"), PNG)["id"]
    rejected = upload(client, PNG + b"x", name="odd.png")["id"]
    api.sql("update assets set status = 'rejected', reason = 'Too odd.' where id = %s", rejected)

    def fault_of(branding: Any = None, **fields: Any) -> dict[str, str]:
        body = {"composition_id": song, "presets": ["youtube_1080p"], "branding": branding} | fields
        return faults(client.post("/v1/exports", json=body))

    def mark(name: str) -> dict[str, Any]:
        return {"watermark": {"imageUrl": name}}

    mark_field, logo_field = "branding.watermark.imageUrl", "branding.endCard.logoUrl"
    assert "no asset 'ast_x'" in fault_of(mark("ast_x"))[mark_field]
    assert "no asset" in fault_of(mark(foreign))[mark_field]
    assert "a.otf is a font, not an image" in fault_of(mark(font))[mark_field]
    assert "Too odd." in fault_of(mark(rejected))[mark_field]
    assert "no asset" in fault_of(mark("builtin:other"))[mark_field]
    assert "only https" in fault_of(mark("http://images.test/a.png"))[mark_field]
    both = mark("https://inside.test/a.png") | {"endCard": {"logoUrl": "https://127.0.0.1/b.png"}}
    told = fault_of(both)
    assert list(told) == [mark_field, logo_field]
    assert all("no public address" in each for each in told.values())
    page = web.serve("/a.png", b"<html>")
    assert "a web page" in fault_of(mark(page))[mark_field]
    config = {
        "name": "Mine",
        "quality": {"resolution": {"width": 320, "height": 180}, "framerate": 30},
        "branding": mark("ast_x"),
    }
    assert list(fault_of(presets=None, config=config)) == ["config." + mark_field]
    assert list(fault_of(presets=None, configs=[config])) == ["configs.0." + mark_field]
    assert "opacity" in str(fault_of({"watermark": {"imageUrl": "ast_x", "opacity": 2}}))
    assert "template" in fault_of(template="no such name")
    assert (
        "at most 2"
        in fault_of(
            presets=None,
            configs=[config | {"branding": mark(web.url(f"/{n}.png"))} for n in range(3)],
        )["branding"]
    )
    assert api.sql("select * from export_jobs") == []
    missing = client.post(
        "/v1/exports",
        json={"composition_id": song, "presets": ["youtube_1080p"], "template": "tpl_none"},
    )
    assert code(missing) == (404, "not_found")


def test_an_image_is_fetched_once_and_becomes_an_asset(api: RunningApi, web: Web) -> None:
    client = api.client()
    song, url = compose(client)["id"], web.serve("/logo.png", PNG)
    exports = queue(
        client,
        song,
        presets=["youtube_1080p", "tiktok_vertical"],
        branding={"watermark": {"imageUrl": url}, "endCard": {"logoUrl": url}},
    )
    assert len(web.seen) == 1
    branding = exports[0]["config"]["branding"]
    asset = client.get(f"/v1/assets/{branding['watermark']['imageUrl']}").json()
    assert (asset["name"], asset["sha256"], asset["kind"]) == ("logo.png", digest(PNG), "image")
    assert branding["endCard"]["logoUrl"] == asset["id"]
    assert api.store.get_bytes(asset_key(digest(PNG))) == PNG
    probes = api.sql("select * from work_items where kind = 'probe' and asset_id = %s", asset["id"])
    assert len(probes) == 1  # looked at like an upload
    queue(client, song, presets=["youtube_1080p"], branding={"watermark": {"imageUrl": url}})
    images = client.get("/v1/assets?kind=image").json()["assets"]
    assert [each["id"] for each in images] == [asset["id"]]


def test_exports_of_a_batch_that_show_the_same_are_marked(api: RunningApi) -> None:
    client = api.client()
    quality = {"resolution": {"width": 320, "height": 180}, "framerate": 30}
    configs = [
        {"name": "a", "quality": quality | {"crf": 20}},
        {"name": "b", "quality": quality | {"crf": 30}},
        {"name": "c", "quality": quality | {"framerate": 60}},
    ]
    exports = queue(client, compose(client)["id"], configs=configs)
    assert len({each["batch_id"] for each in exports}) == 1
    rows = {row["id"]: row["shared_frames"] for row in api.sql("select * from export_jobs")}
    assert [rows[each["id"]] for each in exports] == [True, True, False]


# Templates


def test_a_template_is_kept_revised_listed_and_deleted(api: RunningApi) -> None:
    client, other = api.client("ada"), api.client("bob")
    logo = upload(client, PNG)["id"]
    document = {"name": "Mine", "branding": {"watermark": {"imageUrl": logo}, "endCard": CARD}}
    answer = client.post("/v1/templates", json=document)
    assert answer.status_code == 201
    made = answer.json()
    address = f"/v1/templates/{made['id']}"
    assert (made["version"], made["built_in"]) == (1, False)
    assert made["branding"]["watermark"]["imageUrl"] == logo
    song = compose(client)["id"]
    [first] = queue(client, song, presets=["youtube_1080p"], template=made["id"])
    assert first["config"]["branding"]["template"] == f"{made['id']}@1"
    assert client.put(address, json=document).json() == made  # an equal one changes nothing
    document["branding"] = {"endCard": CARD | {"text": "Hello"}}
    revised = client.put(address, json=document).json()
    assert (revised["version"], revised["branding"]["watermark"]) == (2, None)
    assert client.get(address).json() == revised
    old = client.get(address, params={"version": 1}).json()
    assert (old["version"], old["newest_version"]) == (1, 2)
    assert old["branding"] == made["branding"]
    assert code(client.get(address, params={"version": 3})) == (404, "not_found")
    for template, text in ((made["id"], "Hello"), (f"{made['id']}@1", "Bye")):
        [export] = queue(client, song, presets=["youtube_1080p"], template=template)
        assert export["config"]["branding"]["endCard"]["text"] == text
    listed = client.get("/v1/templates").json()
    assert [each["id"] for each in listed["built_in"]] == ["clean-minimal", "social-media-pack"]
    assert listed["templates"] == [revised]
    assert other.get("/v1/templates").json()["templates"] == []
    assert code(other.get(address)) == (404, "not_found")
    assert code(other.put(address, json={"name": "x", "branding": {}})) == (404, "not_found")
    assert code(other.delete(address)) == (404, "not_found")
    theirs = {
        "composition_id": compose(other)["id"],
        "presets": ["youtube_1080p"],
        "template": made["id"],
    }
    assert code(other.post("/v1/exports", json=theirs)) == (404, "not_found")
    assert client.delete(address).status_code == 204
    assert code(client.get(address)) == (404, "not_found")
    assert code(client.delete(address)) == (404, "not_found")
    assert client.get(f"/v1/exports/{first['id']}").json()["config"] == first["config"]


def test_built_in_templates_can_be_seen_and_not_changed(api: RunningApi) -> None:
    client = api.client()
    found = client.get("/v1/templates/clean-minimal").json()
    assert (found["built_in"], found["version"]) == (True, 1)
    assert found["branding"]["watermark"]["opacity"] == 0.3
    assert code(client.get("/v1/templates/clean-minimal?version=2")) == (404, "not_found")
    changed = client.put("/v1/templates/clean-minimal", json={"name": "x", "branding": {}})
    assert code(changed) == (409, "conflict")
    assert code(client.delete("/v1/templates/clean-minimal")) == (409, "conflict")
    # What is shown can be sent back as one's own.
    own = client.post("/v1/templates", json={"name": "Mine", "branding": found["branding"]})
    assert own.json()["branding"] == found["branding"] | {"template": None}


def test_a_templates_images_are_fetched_when_it_is_kept(api: RunningApi, web: Web) -> None:
    client = api.client()
    url = web.serve("/logo.png", PNG)
    document = {"name": "Mine", "branding": {"watermark": {"imageUrl": url}}}
    made = client.post("/v1/templates", json=document).json()
    assert made["branding"]["watermark"]["imageUrl"].startswith("ast_")
    song = compose(client)["id"]
    [export] = queue(client, song, presets=["youtube_1080p"], template=made["id"])
    assert intake(api, export)["branding"]["watermark"]["image_url"] == asset_key(digest(PNG))
    assert len(web.seen) == 1
    inside = {"watermark": {"imageUrl": "https://inside.test/"}}
    answer = client.post("/v1/templates", json={"name": "x", "branding": inside})
    assert "no public address" in faults(answer)["branding.watermark.imageUrl"]
    api.sql("update assets set status = 'rejected', reason = 'Broken.' where kind = 'image'")
    body = {"composition_id": song, "presets": ["youtube_1080p"], "template": made["id"]}
    told = faults(client.post("/v1/exports", json=body))
    assert "Broken." in told["template.watermark.imageUrl"]


def test_there_is_an_end_to_templates_and_versions(api: RunningApi) -> None:
    client = api.client()

    def document(text: str) -> dict[str, Any]:
        return {"name": text, "branding": {"endCard": {"text": text}}}

    made = [client.post("/v1/templates", json=document(str(n))).json() for n in range(3)]
    refused = client.post("/v1/templates", json=document("one more"))
    assert code(refused) == (409, "conflict")
    address = f"/v1/templates/{made[0]['id']}"
    for version in range(2, 5):
        answer = client.put(address, json=document(f"version {version}"))
        assert answer.json()["version"] == version
    assert code(client.put(address, json=document("one more"))) == (409, "conflict")
    assert client.delete(address).status_code == 204
    assert client.post("/v1/templates", json=document("again")).status_code == 201
    page = client.get("/v1/templates?limit=2").json()
    assert (len(page["templates"]), page["has_more"]) == (2, True)
    wrong = {"name": "two\nlines", "branding": {"watermark": {}}, "colour": 1}
    assert set(faults(client.post("/v1/templates", json=wrong))) == {
        "name",
        "branding.watermark.imageUrl",
        "colour",
    }
    zero = {"name": "x", "branding": {"endCard": {"text": "a\0b"}}}
    assert "U+0000" in faults(client.post("/v1/templates", json=zero))["branding"]
