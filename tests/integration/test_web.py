"""How the page and its files are served, and what a browser may do with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import httpx
import pytest

from coordinator.web.files import read_files
from shared.storage import LocalStore, open_store
from tests.api import RunningApi
from tests.postgres import PostgresServers

MOST_BYTES = 300_000
"""What the page may cost, pictures and answers of the API included."""


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


class Tags(HTMLParser):
    """The tags of a page, each with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def addresses(self) -> set[str]:
        return {
            value
            for _, attributes in self.found
            for name in ("src", "href")
            if (value := attributes.get(name)) and not value.startswith("#")
        }


def policy(answer: httpx.Response) -> dict[str, list[str]]:
    """A page's CSP: sources by directive."""
    parts = [part.split() for part in answer.headers["content-security-policy"].split(";")]
    return {name: sources for name, *sources in parts}


def test_the_page_needs_no_token_and_names_only_what_is_ours(api: RunningApi) -> None:
    answer = api.visitor.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    addresses = Tags(answer.text).addresses()
    assert any(address.endswith("/app.js") for address in addresses)
    for address in addresses:
        assert address.startswith("/"), address
        assert api.visitor.get(address).status_code == 200, address
    assert api.visitor.head("/").status_code == 200
    assert api.visitor.get("/favicon.ico").headers["content-type"] == "image/svg+xml"


def test_the_page_has_nothing_inline_and_may_load_nothing_foreign(api: RunningApi) -> None:
    answer = api.visitor.get("/")
    for tag, attributes in Tags(answer.text).found:
        assert tag != "style"
        assert tag != "script" or attributes.get("src")
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
    allowed = policy(answer)
    assert allowed["default-src"] == ["'none'"]
    assert allowed["require-trusted-types-for"] == ["'script'"]
    for name, sources in allowed.items():
        if name.endswith("-src"):
            assert set(sources) <= {"'self'", "'none'", "blob:"}
    assert "blob:" not in allowed["script-src"]
    for name, value in (
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
    ):
        assert answer.headers[name] == value


@pytest.mark.services
def test_videos_may_come_from_the_object_store(s3_url: str, migrated_database_url: str) -> None:
    with RunningApi(migrated_database_url, open_store(s3_url)) as api:
        sources = policy(api.visitor.get("/"))["media-src"]
        assert sources[0] == "'self'"
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", sources[1])
        export_id = api.add_export("ada")
        api.complete(export_id, b"video", "ab" * 32)
        link = api.client("ada").get(f"/v1/exports/{export_id}/download").headers["location"]
        assert link.startswith(f"{sources[1]}/")


def test_files_are_kept_for_ever_below_their_version(api: RunningApi) -> None:
    web = read_files()
    for path, file in web.by_path.items():
        answer = api.visitor.get(f"/web/{web.version}/{path}")
        assert answer.content == file.data
        assert answer.headers["content-type"] == file.media_type
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
    plain = api.visitor.get(f"/web/{web.version}/app.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    # Another replica's page, while they are upgraded.
    other = api.visitor.get("/web/0123456789abcdef/app.js")
    assert (other.status_code, other.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.parametrize(
    "path", ["nothing.js", "../files.py", "..%2ffiles.py", "", "create", "%00", "app.js/"]
)
def test_nothing_else_is_served(api: RunningApi, path: str) -> None:
    version = read_files().version
    answer = api.visitor.get(f"/web/{version}/{path}")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_the_page_is_small() -> None:
    files = read_files().by_path.items()
    packed = sum(len(file.packed) for path, file in files if not path.startswith("farm/"))
    assert packed < MOST_BYTES / 2
