"""Downloading finished videos: from the local store in parts, and from a bucket by address."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from coordinator.api.byte_ranges import wanted_bytes
from coordinator.api.downloads import disposition, download_name
from shared.codecs import CONTAINERS, Container
from shared.errors import InputError
from shared.storage import LocalStore, open_store
from tests.api import WITHIN_S, RunningApi

VIDEO = bytes(range(256)) * 12_000  # three blocks
HASH = hashlib.sha256(VIDEO).hexdigest()
ETAG = f'"{HASH}"'


@pytest.fixture
def api(migrated_database_url: str, tmp_path: Path) -> Iterator[RunningApi]:
    with RunningApi(migrated_database_url, LocalStore(tmp_path / "store")) as running:
        yield running


def test_the_whole_video_arrives_under_its_name(api: RunningApi) -> None:
    client, export_id = api.client(), api.add_export(name="Été: Nº 1")
    api.complete(export_id, VIDEO, HASH)
    export = client.get(f"/v1/exports/{export_id}").json()
    answer = client.get(export["download_url"])
    assert (answer.status_code, answer.content) == (200, VIDEO)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-length"] == str(len(VIDEO))
    assert answer.headers["etag"] == ETAG
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"Ete_ No 1.mp4\"; filename*=UTF-8''%C3%89t%C3%A9_%20N%C2%BA%201.mp4"
    )
    head = client.head(export["download_url"])
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(VIDEO))


@pytest.mark.parametrize(
    ("headers", "status", "start", "stop"),
    [
        ({"Range": "bytes=0-0"}, 206, 0, 1),
        ({"Range": "bytes=1000000-2500000"}, 206, 1_000_000, 2_500_001),
        ({"Range": "bytes=100-"}, 206, 100, len(VIDEO)),
        ({"Range": "bytes=-100"}, 206, len(VIDEO) - 100, len(VIDEO)),
        ({"Range": "bytes=5-99999999999"}, 206, 5, len(VIDEO)),
        ({"Range": "bytes=5-9", "If-Range": ETAG}, 206, 5, 10),
        ({"Range": "bytes=5-9", "If-Range": '"older"'}, 200, 0, len(VIDEO)),
        ({"Range": "bytes=0-1,5-6"}, 200, 0, len(VIDEO)),
        ({"Range": "lines=1-2"}, 200, 0, len(VIDEO)),
        ({"Range": "bytes=9-5"}, 200, 0, len(VIDEO)),
    ],
)
def test_a_part_is_sent_where_one_is_asked_for(
    api: RunningApi, headers: dict[str, str], status: int, start: int, stop: int
) -> None:
    client, export_id = api.client(), api.add_export()
    api.complete(export_id, VIDEO, HASH)
    answer = client.get(f"/v1/exports/{export_id}/download", headers=headers)
    assert answer.status_code == status
    assert answer.content == VIDEO[start:stop]
    assert answer.headers["content-length"] == str(stop - start)
    if status == 206:
        assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(VIDEO)}"


def test_a_part_outside_is_refused(api: RunningApi) -> None:
    client, export_id = api.client(), api.add_export()
    api.complete(export_id, VIDEO, HASH)
    answer = client.get(
        f"/v1/exports/{export_id}/download", headers={"Range": f"bytes={len(VIDEO)}-"}
    )
    assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["content-range"] == f"bytes */{len(VIDEO)}"


def test_what_cannot_be_downloaded_says_why(api: RunningApi) -> None:
    client, export_id = api.client(), api.add_export()
    address = f"/v1/exports/{export_id}/download"

    def problem() -> tuple[int, Any, Any]:
        answer = client.get(address)
        shown = client.get(f"/v1/exports/{export_id}").json()["download_url"]
        return answer.status_code, answer.json()["code"], shown

    assert problem() == (409, "not_completed", None)
    key = api.complete(export_id, VIDEO, HASH)
    api.store.delete(key)
    assert problem() == (410, "result_lost", address)
    api.tell(export_id, passing=False, download_url=None, expired_at="now()")
    assert problem() == (410, "export_expired", None)
    assert "re-export" in client.get(address).json()["detail"]


def test_a_client_that_goes_away_closes_the_file(api: RunningApi) -> None:
    client, export_id = api.client(), api.add_export()
    large = bytes(64 << 20)
    digest = hashlib.sha256(large).hexdigest()
    api.complete(export_id, large, digest)
    assert isinstance(api.store, LocalStore)

    def open_files() -> int:
        found = 0
        for link in Path("/proc/self/fd").iterdir():
            try:
                found += digest in str(link.readlink())
            except FileNotFoundError:
                continue
        return found

    with client.stream("GET", f"/v1/exports/{export_id}/download") as answer:
        blocks = answer.iter_bytes()
        next(blocks)
        assert open_files() == 1
    until_s = time.monotonic() + WITHIN_S
    while open_files():
        assert time.monotonic() < until_s
        time.sleep(0.01)


def test_a_bucket_is_named_by_an_address_that_works_for_a_while(
    migrated_database_url: str, s3_url: str
) -> None:
    store = open_store(s3_url)
    with RunningApi(migrated_database_url, store) as api:
        client, export_id = api.client(), api.add_export(name="Prelude")
        api.complete(export_id, VIDEO, HASH)
        address = f"/v1/exports/{export_id}/download"
        answer = client.get(address)
        assert (answer.status_code, answer.headers["cache-control"]) == (307, "no-store")
        # Without our token: the address alone is enough.
        video = httpx.get(answer.headers["location"], headers={"Range": "bytes=0-9"})
        assert (video.status_code, video.content) == (206, VIDEO[:10])
        assert video.headers["content-type"] == "video/mp4"
        assert "Prelude.mp4" in video.headers["content-disposition"]
        head = client.head(address)
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(VIDEO)))
        store.delete(f"exports/{HASH[:2]}/{HASH}.mp4")
        assert client.get(address).json()["code"] == "result_lost"


@pytest.mark.parametrize("container", list(CONTAINERS))
def test_every_format_has_its_type_and_suffix(api: RunningApi, container: Container) -> None:
    config = json.dumps({"format": {"container": container}})
    client, export_id = api.client(), api.add_export(name="Prelude", config=config)
    api.complete(export_id, VIDEO, HASH)
    export = client.get(f"/v1/exports/{export_id}").json()
    assert (export["container"], export["media_type"]) == (
        container,
        CONTAINERS[container].media_type,
    )
    answer = client.get(export["download_url"])
    assert answer.headers["content-type"] == CONTAINERS[container].media_type
    assert f'filename="Prelude.{container}"' in answer.headers["content-disposition"]


def test_a_client_that_has_the_video_gets_nothing(api: RunningApi) -> None:
    client, export_id = api.client(), api.add_export()
    api.complete(export_id, VIDEO, HASH)
    address = f"/v1/exports/{export_id}/download"
    for given in (ETAG, f'"other", {ETAG}', f"W/{ETAG}", "*"):
        answer = client.get(address, headers={"If-None-Match": given})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", ETAG)
    assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_poster_is_there_as_long_as_the_video(api: RunningApi) -> None:
    client, export_id = api.client(), api.add_export()
    address = f"/v1/exports/{export_id}/poster"
    assert client.get(address).json()["code"] == "not_completed"
    api.store.put_bytes("exports/po/poster.jpg", b"\xff\xd8\xff poster")
    api.complete(
        export_id,
        VIDEO,
        HASH,
        poster_key="exports/po/poster.jpg",
        audio_lufs=-14.1,
        audio_peak=-1.2,
    )
    export = client.get(f"/v1/exports/{export_id}").json()
    assert (export["poster_url"], export["audio_lufs"], export["audio_peak"]) == (
        address,
        -14.1,
        -1.2,
    )
    answer = client.get(address)
    assert (answer.content, answer.headers["content-type"]) == (
        b"\xff\xd8\xff poster",
        "image/jpeg",
    )
    again = client.get(address, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert api.client("bob").get(address).status_code == 404
    api.tell(export_id, passing=False, download_url=None, expired_at="now()")
    assert client.get(address).json()["code"] == "export_expired"
    assert client.get(f"/v1/exports/{export_id}").json()["poster_url"] is None
    silent = api.add_export(config='{"format": {"container": "m4a"}}')
    api.complete(silent, VIDEO, HASH)
    assert client.get(f"/v1/exports/{silent}").json()["poster_url"] is None
    assert client.get(f"/v1/exports/{silent}/poster").json()["code"] == "no_poster"


def test_ranges_that_are_no_ranges_are_none() -> None:
    for header in (None, "", "bytes", "bytes=-", "bytes=a-b", "bytes=1-2-3", "bytes=٣-٤"):
        assert wanted_bytes(header, 10) is None
    assert wanted_bytes(" Bytes = 2-3 ", 10) == (2, 4)
    assert wanted_bytes("bytes=-99", 10) == (0, 10)
    for header in ("bytes=10-", "bytes=-0"):
        with pytest.raises(InputError):
            wanted_bytes(header, 10)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Prelude", "Prelude.mp4"),
        ('a/b\\c:d"e', "a_b_c_d_e.mp4"),
        ("..", "video.mp4"),
        ("夜想曲", "夜想曲.mp4"),
        ("x" * 200, "x" * 180 + ".mp4"),
    ],
)
def test_every_system_takes_the_files_name(name: str, file: str) -> None:
    assert download_name(name, "mp4") == file
    header = disposition(file)
    header.encode("latin-1")
    assert "\n" not in header
