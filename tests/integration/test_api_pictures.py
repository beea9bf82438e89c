"""Small pictures over the API: thumbnails of styles, and posters of finished videos."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image

from shared.storage import LocalStore
from shared.styles import STYLES, thumbnail
from tests.api import RunningApi
from tests.postgres import PostgresServers

VIDEO = b"video"
HASH = hashlib.sha256(VIDEO).hexdigest()
DAY = "private, max-age=86400, immutable"


@pytest.fixture(scope="module")
def api(
    postgres_servers: PostgresServers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApi]:
    store = LocalStore(tmp_path_factory.mktemp("store"))
    with (
        postgres_servers.fresh_database("embedded", is_migrated=True) as url,
        RunningApi(url, store) as running,
    ):
        yield running


def jpeg(width: int, height: int) -> bytes:
    target = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(target, "JPEG")
    return target.getvalue()


def finished(api: RunningApi, poster: bytes, user_id: str = "ada") -> str:
    """The address of the poster of a finished export."""
    export_id = api.add_export(user_id)
    key = f"exports/po/{export_id}.jpg"
    api.store.put_bytes(key, poster)
    api.complete(export_id, VIDEO, HASH, poster_key=key)
    return f"/v1/exports/{export_id}/poster"


def shown(answer: httpx.Response) -> tuple[str | None, tuple[int, int]]:
    """Format and size of the picture in an answer, as Pillow sees them."""
    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as picture:
        picture.load()
        assert answer.headers["content-type"] == f"image/{(picture.format or '').lower()}"
        return picture.format, picture.size


@pytest.mark.parametrize(
    ("query", "picture"),
    [
        ("width=320", ("JPEG", (320, 180))),
        ("width=320&format=webp", ("WEBP", (320, 180))),
        ("width=16", ("JPEG", (16, 9))),
        ("width=999&format=webp", ("WEBP", (999, 562))),
        ("width=1280", ("JPEG", (1000, 563))),
        ("width=1280&format=webp", ("WEBP", (1000, 563))),
        ("format=webp", ("WEBP", (1000, 563))),
        ("", ("JPEG", (1000, 563))),
    ],
)
def test_a_poster_comes_in_the_width_that_is_asked_for_and_is_never_enlarged(
    api: RunningApi, query: str, picture: tuple[str, tuple[int, int]]
) -> None:
    whole = jpeg(1000, 563)
    client, address = api.client(), finished(api, whole)
    answer = client.get(f"{address}?{query}")
    assert shown(answer) == picture
    assert answer.headers["cache-control"] == DAY
    assert (answer.content == whole) == (picture == ("JPEG", (1000, 563))), "as it is stored"


def test_what_a_client_has_of_a_poster_is_not_sent_again(api: RunningApi) -> None:
    client, address = api.client(), finished(api, jpeg(640, 360))
    queries = ("", "width=64", "width=65", "width=64&format=webp", "format=webp")
    etags = [client.get(f"{address}?{query}").headers["etag"] for query in queries]
    assert len(set(etags)) == len(queries)
    for query, etag in zip(queries, etags, strict=True):
        again = client.get(f"{address}?{query}", headers={"If-None-Match": etag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert again.headers["cache-control"] == DAY
        other = client.get(f"{address}?width=32", headers={"If-None-Match": etag})
        assert other.status_code == 200
    stranger = api.client("bob").get(f"{address}?width=64", headers={"If-None-Match": etags[1]})
    assert stranger.status_code == 404


def test_a_poster_that_is_lost_or_damaged_is_told_as_such(api: RunningApi) -> None:
    client, whole = api.client(), jpeg(640, 360)
    for poster in (b"\xff\xd8\xff poster", whole[: len(whole) // 2], b""):
        answer = client.get(f"{finished(api, poster)}?width=64")
        assert (answer.status_code, answer.json()["code"]) == (410, "result_lost")
    address = finished(api, whole)
    api.store.delete(f"exports/po/{address.split('/')[3]}.jpg")
    assert client.get(f"{address}?width=64").json()["code"] == "result_lost"


@pytest.mark.parametrize("style", STYLES)
def test_thumbnails_of_styles_come_small(api: RunningApi, style: str) -> None:
    client, address = api.client(), f"/v1/styles/{style}/thumbnail"
    whole = client.get(address)
    assert (whole.content, shown(whole)) == (thumbnail(style), ("JPEG", (480, 270)))
    small = client.get(f"{address}?width=160&format=webp")
    assert shown(small) == ("WEBP", (160, 90))
    assert len(small.content) < len(whole.content) / 2
    assert client.get(f"{address}?width=160&format=webp").content == small.content
    assert shown(client.get(f"{address}?width=1280")) == ("JPEG", (480, 270))
    etag = small.headers["etag"]
    assert etag != whole.headers["etag"]
    again = client.get(f"{address}?width=160&format=webp", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == small.headers["cache-control"]


@pytest.mark.parametrize("query", ["width=15", "width=1281", "width=wide", "width=", "format=png"])
def test_a_picture_that_cannot_be_had_so_is_refused(api: RunningApi, query: str) -> None:
    client = api.client()
    for address in ("/v1/styles/neon/thumbnail", finished(api, jpeg(640, 360))):
        answer = client.get(f"{address}?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert client.get("/v1/styles/none/thumbnail?width=64").json()["code"] == "no_style"
