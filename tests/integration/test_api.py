"""The API over real HTTP, on a real database: who may do what, and what errors say."""

from __future__ import annotations

import hashlib
import itertools
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from coordinator.api.limits import ApiLimits, UploadLimits
from shared.export import ExportConfiguration
from shared.keys import asset_key
from shared.presets import PRESETS
from shared.storage import LocalStore
from tests.api import WITHIN_S, RunningApi
from tests.clips import make_clip
from tests.songs import SongFile

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
WAV = b"RIFF\x40\0\0\0WAVEfmt " + bytes(64)


@pytest.fixture
def api(migrated_database_url: str, tmp_path: Path) -> Iterator[RunningApi]:
    folder = tmp_path / "uploads"
    folder.mkdir()
    limits = ApiLimits(
        uploads=UploadLimits(midi=100_000, image=200_000),
        upload_folder=folder,
        json_bytes=50_000,
        key_cache_s=0.3,
    )
    with RunningApi(migrated_database_url, LocalStore(tmp_path / "store"), limits) as running:
        yield running
    assert list(folder.iterdir()) == []  # nothing lies about, whatever the test did


def midi(notes: int = 4) -> bytes:
    song = SongFile("Test")
    for number in range(notes):
        song.note(number / 2, number / 2 + 0.5, 60 + number % 12)
    return song.to_bytes()


def upload(client: httpx.Client, data: bytes, **query: str) -> dict[str, Any]:
    answer = client.post("/v1/assets", params=query, content=data)
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    return found


def compose(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    document = {"name": "Prelude", "midi": upload(client, midi(), name="prelude.mid")["id"]}
    answer = client.post("/v1/compositions", json=document | fields)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def queue(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    body = {"composition_id": compose(client)["id"], "presets": ["youtube_1080p"]} | fields
    answer = client.post("/v1/exports", json=body)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


def faults(answer: httpx.Response) -> dict[str, str]:
    """What is wrong with which field."""
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid"
    return {fault["field"]: fault["message"] for fault in answer.json()["errors"]}


def code(answer: httpx.Response) -> tuple[int, str]:
    """A problem's status and code, after a look at its form."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["type"] == f"urn:midifarm:problem:{problem['code']}"
    assert problem["title"]
    assert problem["detail"]
    return answer.status_code, problem["code"]


# Assets


def test_a_file_is_stored_once_and_a_worker_is_asked_to_look_at_it(api: RunningApi) -> None:
    ada, bob, data = api.client("ada"), api.client("bob"), midi()
    first = ada.post("/v1/assets?name=song.mid", content=data)
    assert first.status_code == 201
    asset = first.json()
    assert (asset["kind"], asset["name"], asset["status"]) == ("midi", "song.mid", "pending")
    assert (asset["size_bytes"], asset["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert api.store.get_bytes(asset_key(asset["sha256"])) == data
    again = ada.post("/v1/assets?name=other.mid&kind=midi", content=data)
    assert (again.status_code, again.json()) == (200, asset)
    his = upload(bob, data)
    assert his["id"] != asset["id"]
    assert len(list(api.store.list())) == 1
    probes = api.sql("select asset_id, user_id, spec from work_items where kind = 'probe'")
    assert {(row["asset_id"], row["user_id"]) for row in probes} == {
        (asset["id"], "ada"),
        (his["id"], "bob"),
    }
    assert probes[0]["spec"]["name"] == "song.mid"
    assert ada.get(f"/v1/assets/{asset['id']}").json() == asset
    assert code(bob.get(f"/v1/assets/{asset['id']}")) == (404, "not_found")
    assert [each["id"] for each in ada.get("/v1/assets").json()["assets"]] == [asset["id"]]
    assert ada.get("/v1/assets?kind=audio").json()["assets"] == []


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_file_beyond_its_limit_is_refused(api: RunningApi, is_streamed: bool) -> None:
    client, data = api.client(), midi() + bytes(100_000)
    blocks = iter([data[:60_000], data[60_000:]])
    content = blocks if is_streamed else data
    answer = client.post("/v1/assets?kind=midi", content=content)
    assert code(answer) == (413, "too_large")
    assert "100,000 bytes" in answer.json()["detail"]
    # An image of that size is fine; a limit is the kind's also where nobody said the kind.
    assert upload(client, PNG + bytes(100_000))["kind"] == "image"
    assert code(client.post("/v1/assets", content=data)) == (413, "too_large")
    assert len(list(api.store.list())) == 1


def test_a_file_of_another_kind_is_refused_with_what_it_looks_like(api: RunningApi) -> None:
    client = api.client()
    answer = client.post("/v1/assets?kind=midi", content=PNG)
    assert code(answer) == (415, "unsupported_file")
    assert "It looks like an image" in answer.json()["detail"]
    answer = client.post("/v1/assets", content=b"PK\x03\x04 and more")
    assert code(answer) == (415, "unsupported_file")
    assert "a ZIP archive" in answer.json()["detail"]
    assert "empty" in faults(client.post("/v1/assets", content=b""))["body"]
    assert "kind" in faults(client.post("/v1/assets?kind=photo", content=PNG))
    assert list(api.store.list()) == []


def test_a_movie_is_a_recording_if_it_has_sound_and_a_video_if_asked_for(
    api: RunningApi, tmp_path: Path
) -> None:
    client = api.client()
    options = {"frames": 3, "options": {"preset": "ultrafast"}}
    silent = make_clip(tmp_path / "silent.mp4", "libx264", **options).read_bytes()
    film = make_clip(tmp_path / "film.mov", "libx264", sound=True, **options).read_bytes()
    web = make_clip(tmp_path / "web.mkv", "libx264", **options).read_bytes()
    assert upload(client, silent)["kind"] == "video"
    assert upload(client, silent, kind="audio")["kind"] == "audio"  # a worker rejects it
    assert upload(client, web)["kind"] == "video"
    heard, seen = upload(client, film), upload(client, film, kind="video", name="film.mov")
    assert (heard["kind"], seen["kind"]) == ("audio", "video")
    assert heard["id"] != seen["id"]
    assert upload(client, film, kind="video") == seen
    gif = b"GIF89a" + bytes(30)
    assert upload(client, gif)["kind"] == "image"
    assert upload(client, gif, kind="video")["name"] == "video"
    assert len(client.get("/v1/assets?kind=video").json()["assets"]) == 4
    probes = api.sql("select spec from work_items where asset_id = %s", seen["id"])
    assert probes[0]["spec"]["kind"] == "video"
    foreign = client.post("/v1/assets?kind=video", content=PNG)
    assert code(foreign) == (415, "unsupported_file")
    assert "not a video (MP4" in foreign.json()["detail"]
    # A GIF may be large only as a video, and is one only if that is said.
    assert code(client.post("/v1/assets", content=gif + bytes(200_000))) == (413, "too_large")
    assert upload(client, gif + bytes(200_000), kind="video")["kind"] == "video"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/song.mid", "song.mid"),
        ("C:\\Music\\song.mid", "song.mid"),
        ("so\nng\x00\u202e.mid", "song.mid"),
        ("Übung №1 – 夜.mid", "Übung №1 – 夜.mid"),
        ("", "song.mid"),
        ("..", "song.mid"),
        ("x" * 300 + ".mid", "x" * 196 + ".mid"),
    ],
)
def test_file_names_are_made_harmless(api: RunningApi, given: str, kept: str) -> None:
    assert upload(api.client(), midi(), name=given)["name"] == kept


def test_an_upload_that_breaks_off_leaves_nothing(api: RunningApi, tmp_path: Path) -> None:
    token = api.key("ada")
    folder = tmp_path / "uploads"
    with socket.create_connection(api.socket.getsockname()) as connection:
        connection.sendall(
            b"POST /v1/assets?kind=image HTTP/1.1\r\nHost: test\r\nContent-Length: 150000\r\n"
            b"Authorization: Bearer " + token.encode() + b"\r\n\r\n" + PNG + bytes(70_000)
        )
        until_s = time.monotonic() + WITHIN_S
        while not list(folder.iterdir()):
            assert time.monotonic() < until_s
            time.sleep(0.01)
    while list(folder.iterdir()):
        assert time.monotonic() < until_s
        time.sleep(0.01)
    assert api.sql("select * from assets") == []
    assert list(api.store.list()) == []


# Compositions


def test_a_composition_is_made_read_revised_listed_and_deleted(api: RunningApi) -> None:
    client, other = api.client("ada"), api.client("bob")
    made = compose(client, style="paper")
    address = f"/v1/compositions/{made['id']}"
    assert (made["revision"], made["document"]["style"]) == (1, "paper")
    document = made["document"] | {"style": "neon", "name": "Fugue"}
    revised = client.put(address, json=document).json()
    assert (revised["revision"], revised["name"]) == (2, "Fugue")
    assert client.put(address, json=document).json() == revised  # an equal one changes nothing
    assert client.get(address).json() == revised
    first = client.get(address, params={"revision": 1}).json()
    assert (first["revision"], first["newest_revision"]) == (1, 2)
    assert first["document"] == made["document"]
    assert code(client.get(address, params={"revision": 3})) == (404, "not_found")
    listed = client.get("/v1/compositions").json()["compositions"]
    assert [(each["id"], each["revision"]) for each in listed] == [(made["id"], 2)]
    mine = document | {"midi": upload(other, midi())["id"]}
    assert code(other.get(address)) == (404, "not_found")
    assert code(other.put(address, json=mine)) == (404, "not_found")
    assert code(other.delete(address)) == (404, "not_found")
    assert client.delete(address).status_code == 204
    assert code(client.get(address)) == (404, "not_found")
    assert code(client.delete(address)) == (404, "not_found")
    assert client.get("/v1/compositions").json()["compositions"] == []


def test_what_does_not_fit_is_named_by_its_field(api: RunningApi) -> None:
    client = api.client()
    song, picture = upload(client, midi())["id"], upload(client, PNG, name="sky.png")["id"]
    foreign = upload(api.client("bob"), WAV)["id"]

    def fault_of(**fields: Any) -> dict[str, str]:
        document = {"name": "Prelude", "midi": song} | fields
        return faults(client.post("/v1/compositions", json=document))

    assert "Field required" in faults(client.post("/v1/compositions", json={"name": "x"}))["midi"]
    assert "no asset" in fault_of(audio=foreign)["audio"]
    assert "sky.png is an image, not a MIDI file" in fault_of(midi=picture)["midi"]
    assert "aurora" in fault_of(style="baroque")["style"]
    assert (
        "not both"
        in fault_of(style="neon", composition={"layers": [{"type": "grid"}]})["composition"]
    )
    layers: list[dict[str, Any]] = [
        {"type": "background", "image": song},
        {"type": "piano_roll", "gap": 7},
        {"type": "title", "text": "Hi", "font": "ast_none"},
    ]
    composition = {"layers": layers}
    assert list(fault_of(composition=composition)) == ["composition.layers.1.gap"]
    layers[1]["gap"] = 0.1
    assert list(fault_of(composition=composition)) == [
        "composition.layers.0.image",
        "composition.layers.2.font",
    ]
    assert "composition.layers.0.colour" in fault_of(
        composition={"layers": [{"type": "background", "colour": "blurple"}]}
    )
    assert list(fault_of(composition={"layers": [{"type": "nope"}]})) == ["composition.layers.0"]
    assert "colour" in " ".join(fault_of(colour=1))
    assert "name" in fault_of(name="two\nlines")
    assert fault_of(composition={"layers": [{"type": "title", "text": "a\0b"}]})
    assert fault_of(dressing={"artist": "a\0b"})
    assert fault_of(dressing={"cover": song, "background_video": picture}) == {
        "dressing.cover": "song.mid is a MIDI file, not an image",
        "dressing.background_video": "sky.png is an image, not a video",
    }
    assert fault_of(dressing={"background": picture, "background_video": picture}) == {
        "dressing": "give a background or a background_video, not both"
    }
    timeless = "The lyrics have no time stamps, such as [01:23.45]"
    assert fault_of(dressing={"lyrics": "La"})["dressing.lyrics"].startswith(timeless)
    lyrics = {"layers": [{"type": "lyrics", "lrc": "La"}]}
    assert fault_of(composition=lyrics)["composition.layers.0.lrc"].startswith(timeless)
    api.sql("update assets set status = 'rejected', reason = 'Too odd.' where id = %s", song)
    assert "Too odd." in fault_of()["midi"]


# Exports


def test_an_export_is_queued_with_what_its_worker_needs(api: RunningApi) -> None:
    client = api.client()
    image, font = upload(client, PNG, name="sky.png"), upload(client, b"OTTO" + bytes(50))
    audio = upload(client, WAV, name="take.wav")
    made = compose(
        client,
        audio=audio["id"],
        audio_offset_s=0.25,
        composition={
            "layers": [
                {"type": "background", "image": image["id"]},
                {"type": "title", "font": font["id"]},
                {"type": "piano_roll"},
            ]
        },
    )
    answer = client.post(
        "/v1/exports",
        json={
            "composition_id": made["id"],
            "presets": ["youtube_1080p", "tiktok_vertical"],
            "start_s": 1,
            "end_s": 2.5,
            "priority": 7,
        },
    )
    assert answer.status_code == 202
    body = answer.json()
    one, two = body["exports"]
    assert (one["status"], one["progress"], one["priority"]) == ("queued", 0, 7)
    assert (one["name"], two["name"]) == ("Prelude - YouTube 1080p", "Prelude - TikTok Vertical")
    assert one["batch_id"] == two["batch_id"] == body["batch_id"] is not None
    assert one["config"]["socialMedia"]["platform"] == "youtube"
    assert one["download_url"] is None
    items = api.sql("select * from work_items where kind = 'intake' order by id")
    assert [item["export_id"] for item in items] == [one["id"], two["id"]]
    spec = items[0]["spec"]
    sky = asset_key(image["sha256"])
    assert spec["recording_key"] == asset_key(audio["sha256"])
    assert spec["composition"]["layers"][0]["image"] == sky
    assert spec["composition"]["layers"][1]["font"] == asset_key(font["sha256"])
    assert spec["composition"]["audio_offset_s"] == 0.25
    assert (spec["names"][sky], spec["names"][spec["midi_key"]]) == ("sky.png", "prelude.mid")
    assert (spec["start_s"], spec["end_s"], spec["with_audio"]) == (1, 2.5, True)
    assert client.get(f"/v1/exports/{one['id']}").json() == one


def test_what_dresses_a_style_is_kept_and_told_to_workers(api: RunningApi) -> None:
    client = api.client()
    cover = upload(client, PNG, name="cover.png")
    dressing = {"title": "Nocturne", "cover": cover["id"], "lyrics": "[00:01.00]La"}
    made = compose(client, style="neon", dressing=dressing)
    kept = made["document"]["dressing"]
    assert {name: value for name, value in kept.items() if value} == dressing
    queue(client, composition_id=made["id"])
    (item,) = api.sql("select spec from work_items where kind = 'intake'")
    layers = {layer["type"]: layer for layer in item["spec"]["composition"]["layers"]}
    key = asset_key(cover["sha256"])
    assert layers["title"]["text"] == "Nocturne"
    assert (layers["image"]["image"], item["spec"]["names"][key]) == (key, "cover.png")
    assert layers["lyrics"]["lrc"] == "[00:01.00]La"
    document = made["document"] | {"dressing": dressing | {"title": "Berceuse"}}
    revised = client.put(f"/v1/compositions/{made['id']}", json=document).json()
    assert (revised["revision"], revised["document"]["dressing"]["title"]) == (2, "Berceuse")


def test_a_configuration_of_ones_own_is_checked_to_the_last_field(api: RunningApi) -> None:
    client = api.client()
    config: dict[str, Any] = {
        "name": "Small",
        "quality": {
            "resolution": {"width": 320, "height": 180},
            "framerate": "30000/1001",
            "bitrate": 500,
            "encoderSpeed": "fast",
        },
    }
    queued = queue(client, presets=None, config=config, name="Mine")
    assert queued["batch_id"] is None
    assert queued["exports"][0]["name"] == "Mine"
    assert queued["exports"][0]["config"]["quality"]["encoderSpeed"] == "fast"
    known = {"composition_id": queued["exports"][0]["composition_id"]}

    def fault_of(**body: Any) -> list[str]:
        return list(faults(client.post("/v1/exports", json=known | body)))

    config["quality"]["sharpness"] = 3
    assert fault_of(config=config) == ["config.quality.sharpness"]
    assert fault_of(presets=["vimeo"]) == ["presets.0"]
    assert fault_of(presets=[]) == ["presets"]
    assert fault_of(presets=["youtube_1080p"] * 2) == ["presets"]
    assert fault_of() == [""]
    assert fault_of(presets=["youtube_1080p"], start_s=5, end_s=5) == ["end_s"]
    assert fault_of(presets=["youtube_1080p"], priority=101) == ["priority"]
    assert fault_of(presets=["youtube_1080p"], colour="red") == ["colour"]
    gone = client.post(
        "/v1/exports", json={"composition_id": "cmp_x", "presets": ["youtube_1080p"]}
    )
    assert code(gone) == (404, "not_found")


def test_an_asset_that_was_rejected_meanwhile_stops_the_export(api: RunningApi) -> None:
    client = api.client()
    made = compose(client)
    api.sql("update assets set status = 'rejected', reason = 'It holds no notes.'")
    answer = client.post(
        "/v1/exports", json={"composition_id": made["id"], "presets": ["youtube_1080p"]}
    )
    assert code(answer) == (409, "asset_rejected")
    assert "midi: prelude.mid cannot be used: It holds no notes." in answer.json()["detail"]


def test_exports_are_cancelled_retried_and_made_again(api: RunningApi) -> None:
    client = api.client()
    export = queue(client, start_s=1, end_s=2, priority=3)["exports"][0]
    address = f"/v1/exports/{export['id']}"
    assert code(client.post(f"{address}/retry")) == (409, "conflict")
    assert code(client.post(f"{address}/re-export")) == (409, "conflict")
    assert client.patch(address, json={"priority": -5}).json()["priority"] == -5
    cancelled = client.post(f"{address}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert cancelled.json()["reason"]
    assert client.post(f"{address}/cancel").json()["status"] == "cancelled"
    assert code(client.patch(address, json={"priority": 1})) == (409, "conflict")
    again = client.post(f"{address}/re-export")
    assert again.status_code == 202
    copy = again.json()
    assert copy["reexport_of"] == export["id"]
    assert copy["id"] != export["id"]
    same = ("composition_id", "composition_revision", "config", "start_s", "end_s", "name")
    assert [copy[name] for name in same] == [export[name] for name in same]
    retried = client.post(f"{address}/retry")
    assert (retried.status_code, retried.json()["status"]) == (202, "queued")
    assert client.get(f"{address}/attempts").json() == {"attempts": []}
    listed = client.get("/v1/exports").json()["exports"]
    assert [each["id"] for each in listed] == [copy["id"], export["id"]]


def test_nobody_sees_or_touches_somebody_elses_exports(api: RunningApi) -> None:
    export = queue(api.client("ada"))["exports"][0]
    bob = api.client("bob")
    address = f"/v1/exports/{export['id']}"
    for path in ("", "/attempts", "/download", "/events", "/poster", "/latest"):
        assert code(bob.get(address + path)) == (404, "not_found")
    for path in ("/cancel", "/retry", "/re-export"):
        assert code(bob.post(address + path)) == (404, "not_found")
    assert code(bob.patch(address, json={"priority": 9})) == (404, "not_found")
    assert bob.get("/v1/exports").json()["exports"] == []
    body = {"composition_id": export["composition_id"], "presets": ["youtube_1080p"]}
    assert code(bob.post("/v1/exports", json=body)) == (404, "not_found")
    missing = bob.get("/v1/exports/exp_nothing").json()
    foreign = bob.get(address).json()
    assert missing["detail"].replace("exp_nothing", export["id"]) == foreign["detail"]


def test_the_history_has_pages_newest_first(api: RunningApi) -> None:
    client = api.client()
    made = [api.add_export() for _ in range(25)]
    made.reverse()
    page = client.get("/v1/exports").json()
    assert ([each["id"] for each in page["exports"]], page["has_more"]) == (made[:20], True)
    page = client.get("/v1/exports?limit=5&offset=20").json()
    assert ([each["id"] for each in page["exports"]], page["has_more"]) == (made[20:], False)
    api.end(made[3])
    page = client.get("/v1/exports?status=cancelled").json()
    assert [each["id"] for each in page["exports"]] == [made[3]]
    assert list(faults(client.get("/v1/exports?limit=51"))) == ["limit"]
    assert list(faults(client.get("/v1/exports?limit=0"))) == ["limit"]
    assert list(faults(client.get("/v1/exports?offset=-1"))) == ["offset"]
    assert list(faults(client.get("/v1/exports?status=canceled"))) == ["status.0"]


# Keys


def test_without_a_valid_key_nothing_is_told(api: RunningApi) -> None:
    for authorization, reason in (
        ("", "unauthenticated"),
        ("Basic YTpi", "unauthenticated"),
        ("Bearer mf_wrong", "invalid_token"),
    ):
        headers = {"Authorization": authorization} if authorization else {}
        paths = "assets compositions presets formats templates previews/x exports keys"
        for path in (
            *paths.split(),
            "exports/x/events",
            "exports/x/latest",
            "compositions/x/preview",
        ):
            answer = httpx.get(f"{api.url}/v1/{path}", headers=headers)
            assert code(answer) == (401, reason)
            assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_key_is_shown_once_and_stops_working_within_seconds(api: RunningApi) -> None:
    client = api.client("ada")
    answer = client.post("/v1/keys", json={"name": "laptop"})
    assert answer.status_code == 201
    key = answer.json()
    token = key.pop("token")
    assert (token[:3], len(token)) == ("mf_", 46)
    mine = client.get("/v1/keys").json()["keys"]
    assert key in mine
    assert token not in json.dumps(mine)
    stored = api.sql("select * from api_keys where id = %s", key["id"])[0]
    assert stored["token_hash"] == hashlib.sha256(token.encode()).digest()
    assert token not in str(stored)
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{api.url}/v1/presets", headers=headers).status_code == 200
    used = api.sql("select last_used_at from api_keys where id = %s", key["id"])[0]
    assert used["last_used_at"] is not None
    # Revoked elsewhere: this process finds out when its memory of it has passed.
    api.sql("update api_keys set revoked_at = now() where id = %s", key["id"])
    until_s = time.monotonic() + WITHIN_S
    while httpx.get(f"{api.url}/v1/presets", headers=headers).status_code == 200:
        assert time.monotonic() < until_s
        time.sleep(0.02)


def test_a_key_revoked_here_stops_at_once(api: RunningApi) -> None:
    client = api.client("ada")
    key = client.post("/v1/keys", json={"name": "laptop"}).json()
    headers = {"Authorization": f"Bearer {key['token']}"}
    assert httpx.get(f"{api.url}/v1/presets", headers=headers).status_code == 200
    assert code(api.client("bob").delete(f"/v1/keys/{key['id']}")) == (404, "not_found")
    assert client.delete(f"/v1/keys/{key['id']}").status_code == 204
    assert httpx.get(f"{api.url}/v1/presets", headers=headers).status_code == 401


def test_only_an_admin_makes_keys_for_others(api: RunningApi) -> None:
    user, admin = api.client("ada"), api.client("root", scope="admin")
    for body in ({"user_id": "bob"}, {"scope": "admin"}):
        assert code(user.post("/v1/keys", json={"name": "x"} | body)) == (403, "forbidden")
    assert code(user.get("/v1/keys?everybody=true")) == (403, "forbidden")
    made = admin.post("/v1/keys", json={"name": "x", "user_id": "bob"}).json()
    assert (made["user_id"], made["scope"]) == ("bob", "user")
    users = {key["user_id"] for key in admin.get("/v1/keys?everybody=true").json()["keys"]}
    assert users == {"ada", "bob", "root"}
    assert admin.delete(f"/v1/keys/{made['id']}").status_code == 204


# Errors, health, description


def test_every_error_is_a_problem(api: RunningApi) -> None:
    client = api.client()
    assert code(client.get("/v1/nothing")) == (404, "not_found")
    assert code(client.get("/docs")) == (404, "not_found")
    assert code(client.delete("/v1/exports")) == (405, "method_not_allowed")
    form = client.post("/v1/exports", data={"composition_id": "x"})
    assert code(form) == (415, "unsupported_media_type")
    broken = client.post("/v1/exports", content=b"{", headers={"Content-Type": "application/json"})
    assert code(broken) == (422, "invalid")
    assert broken.json()["title"] == "Unprocessable Content"
    large = client.post("/v1/compositions", json={"name": "x" * 60_000, "midi": "x"})
    assert code(large) == (413, "too_large")
    streamed = client.post(
        "/v1/compositions",
        content=iter([b"{" + b" " * 30_000, b" " * 30_000]),
        headers={"Content-Type": "application/json"},
    )
    assert code(streamed) == (413, "too_large")
    assert code(client.get("/v1/exports/%00")) == (422, "invalid")
    assert code(client.get("/v1/assets/%ff%fe")) == (404, "not_found")


def test_an_error_inside_tells_nothing_of_the_inside(api: RunningApi) -> None:
    client = api.client()
    api.sql("alter table compositions rename to mislaid")
    answer = client.get("/v1/compositions")
    assert code(answer) == (503, "database_unavailable")
    assert answer.headers["retry-after"] == "2"
    assert "compositions" not in answer.json()["detail"]


def test_a_store_that_fails_is_told_as_such(api: RunningApi) -> None:
    client = api.client()
    assert isinstance(api.store, LocalStore)
    api.store.root.rename(api.store.root.with_name("elsewhere"))
    answer = client.post("/v1/assets", content=midi())
    assert code(answer) == (503, "storage_unavailable")
    assert str(api.store.root) not in answer.text
    assert api.sql("select * from assets") == []
    answer = httpx.get(f"{api.url}/readyz")
    assert answer.status_code == 503
    assert not answer.json()["parts"]["storage"]["ready"]


def test_readiness_says_which_part_is_not_ready(api: RunningApi) -> None:
    assert httpx.get(f"{api.url}/healthz").json() == {"status": "ok"}
    answer = httpx.get(f"{api.url}/readyz")
    assert answer.status_code == 200
    parts = answer.json()["parts"]
    assert (parts["database"]["ready"], parts["storage"]["ready"]) == (True, True)
    assert not parts["dispatcher"]["ready"]
    assert "dispatcher" in parts["dispatcher"]["reason"]
    api.sql("update dispatcher set leader = 'x', heartbeat_at = now()")
    until_s = time.monotonic() + WITHIN_S
    while not httpx.get(f"{api.url}/readyz").json()["parts"]["dispatcher"]["ready"]:
        assert time.monotonic() < until_s
        time.sleep(0.05)
    api.sql("insert into schema_migrations (number, name) values (9999, 'future')")
    while httpx.get(f"{api.url}/readyz").status_code == 200:
        assert time.monotonic() < until_s
        time.sleep(0.05)
    reason = httpx.get(f"{api.url}/readyz").json()["parts"]["database"]["reason"]
    assert "9999" in reason


def test_presets_and_styles_are_listed(api: RunningApi) -> None:
    found = api.client().get("/v1/presets").json()
    presets = {each["name"]: each["config"] for each in found["presets"]}
    assert list(presets) == list(PRESETS)
    assert presets["instagram_square"]["socialMedia"]["maxDuration"] == 60
    assert presets["tiktok_vertical"]["socialMedia"]["requirements"] == {
        "maxFileSize": int(287.6 * 1024 * 1024),
        "recommendedBitrate": 2000,
        "supportedFormats": ["mp4"],
    }
    assert found["presets"][0]["config"]["quality"]["resolution"] == {
        "width": 1920,
        "height": 1080,
    }
    assert found["styles"][0]["name"] == "aurora"


def test_the_formats_say_what_goes_together(api: RunningApi) -> None:
    found = api.client().get("/v1/formats").json()
    containers = {each["name"]: each for each in found["containers"]}
    assert containers["webm"] == {
        "name": "webm",
        "media_type": "video/webm",
        "video_codecs": ["vp9", "av1"],
        "audio_codecs": ["opus"],
    }
    assert containers["m4a"]["video_codecs"] == containers["gif"]["audio_codecs"] == []
    codecs = {each["name"]: each for each in found["video_codecs"]}
    assert codecs["h264"]["pixel_formats"][0] == {
        "name": "yuv420p",
        "profiles": ["high", "main", "baseline"],
        "alpha": False,
        "bits": 8,
        "containers": ["mp4", "mov"],
    }
    assert (codecs["h264"]["crf_max"], codecs["gif"]["crf_max"]) == (51, None)
    assert [each["name"] for each in codecs["vp9"]["pixel_formats"] if each["alpha"]] == [
        "yuva420p"
    ]
    assert codecs["vp9"]["pixel_formats"][-1]["containers"] == ["webm"]
    assert [name for name, each in codecs.items() if each["max_framerate"]] == ["gif"]
    assert {each["name"] for each in found["audio_codecs"]} == {"aac", "mp3", "opus"}
    assert "30000/1001" in found["framerates"]


def test_what_the_formats_say_of_sound_is_what_a_configuration_may_ask_for(api: RunningApi) -> None:
    found = api.client().get("/v1/formats").json()
    holds = {"aac": "m4a", "mp3": "mp3", "opus": "ogg"}
    said = {
        (each["name"], bounds["sample_rate"], bounds["channels"], kbps)
        for each in found["audio_codecs"]
        for bounds in each["bitrates"]
        for kbps in each["bitrate_steps"] or range(bounds["least"], bounds["most"] + 1)
    }
    everything = itertools.product(holds, (44100, 48000), (1, 2), range(6, 600))
    assert said == {asked for asked in everything if is_taken(holds[asked[0]], *asked[1:])}


def is_taken(container: str, sample_rate: int, channels: int, kbps: int) -> bool:
    """Whether sound alone may be asked for so."""
    asked = {
        "name": "Sound",
        "format": {"container": container},
        "quality": {"resolution": {"width": 320, "height": 180}, "framerate": "30"},
        "audio": {"sampleRate": sample_rate, "channels": channels, "bitrate": kbps},
    }
    try:
        ExportConfiguration.model_validate(asked)
    except ValidationError:
        return False
    return True


FOR_ALL = {("post", "/v1/session"), ("get", "/v1/links/{token}")}
"""What needs no token."""


def test_the_description_names_keys_problems_and_examples(api: RunningApi) -> None:
    described = api.visitor.get("/v1/openapi.json").json()
    assert described["info"]["title"] == "midifarm"
    schemas = described["components"]["schemas"]
    for name in ("ExportRequest", "CompositionDocument", "KeyRequest", "PriorityRequest"):
        assert schemas[name]["examples"]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], path
            if (method, path) in FOR_ALL:
                assert "security" not in operation
            elif path.startswith("/v1/"):
                assert operation["security"] == [{"token": []}, {"session": []}]
                assert "application/problem+json" in operation["responses"]["401"]["content"]
    references = {
        part.partition('"')[0] for part in json.dumps(described).split("#/components/schemas/")[1:]
    }
    assert references <= set(schemas)


def test_the_docs_name_every_route(api: RunningApi) -> None:
    text = Path("docs/api.md").read_text("utf-8")
    described = api.visitor.get("/v1/openapi.json").json()
    for path, methods in described["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in text


def test_the_api_loads_no_media_library() -> None:
    program = (
        "import sys; from coordinator.api import server; "
        "print({'av', 'moderngl', 'ray', 'workers', 'numpy'} & {m for m in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout == "set()\n"
