"""Signing a browser in and out, over real HTTP; what its cookie is good for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from coordinator.api.auth import COOKIE
from coordinator.api.limits import ApiLimits
from shared.storage import LocalStore
from tests.api import WITHIN_S, RunningApi
from tests.identity_provider import IdentityProvider
from tests.postgres import PostgresServers

OURS = {"Sec-Fetch-Site": "same-origin"}
DAY_S = 86_400


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with IdentityProvider() as running:
        yield running


@pytest.fixture(scope="module")
def api(
    postgres_servers: PostgresServers,
    provider: IdentityProvider,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningApi]:
    store = LocalStore(tmp_path_factory.mktemp("store"))
    with (
        postgres_servers.fresh_database("embedded", is_migrated=True) as url,
        RunningApi(url, store, ApiLimits(key_cache_s=0.1), provider=provider.provider) as running,
    ):
        yield running


@pytest.fixture
def browser(api: RunningApi) -> Iterator[httpx.Client]:
    """What keeps cookies, and says that its own page asks."""
    with httpx.Client(base_url=api.url, headers=OURS, timeout=WITHIN_S) as client:
        yield client


def sign_in(browser: httpx.Client, token: str) -> httpx.Response:
    answer = browser.post("/v1/session", json={"token": token})
    assert answer.status_code == 201, answer.text
    return answer


def until_refused(browser: httpx.Client) -> str:
    """Wait until the cookie is worth nothing; the code of the problem."""
    until_s = time.monotonic() + WITHIN_S
    while (answer := browser.get("/v1/me")).status_code == 200:
        assert time.monotonic() < until_s
        time.sleep(0.02)
    assert answer.status_code == 401
    code: str = answer.json()["code"]
    return code


def test_a_browser_that_signed_in_needs_no_token(api: RunningApi, browser: httpx.Client) -> None:
    assert browser.get("/v1/me").json()["code"] == "unauthenticated"
    answer = sign_in(browser, api.key("ada", scope="operator"))
    assert answer.json()["user_id"] == "ada"
    assert answer.json()["scope"] == "operator"
    assert answer.headers["cache-control"] == "no-store"
    assert browser.get("/v1/me").json()["user_id"] == "ada"
    assert browser.post("/v1/farm/pause").status_code == 200
    assert browser.post("/v1/farm/resume").status_code == 200


def test_no_script_and_no_other_site_gets_the_cookie(
    api: RunningApi, browser: httpx.Client
) -> None:
    token = api.key("ada")
    for origin, is_secure in (("http://127.0.0.1", False), ("https://farm.example", True)):
        answer = browser.post("/v1/session", json={"token": token}, headers={"Origin": origin})
        cookie = SimpleCookie(answer.headers["set-cookie"])[COOKIE]
        assert cookie.value.startswith("mf_")
        assert cookie.value != token
        assert bool(cookie["httponly"])
        assert cookie["samesite"] == "strict"
        assert cookie["path"] == "/"
        assert not cookie["domain"]
        assert bool(cookie["secure"]) is is_secure
        assert token not in answer.text
        assert cookie.value not in answer.text


@pytest.mark.parametrize("site", ["same-site", "cross-site", "none"])
def test_another_page_can_do_nothing_with_it(
    api: RunningApi, browser: httpx.Client, site: str
) -> None:
    sign_in(browser, api.key("ada"))
    foreign = {"Sec-Fetch-Site": site}
    body = {"name": f"stolen {site}"}
    for answer in (
        browser.post("/v1/keys", json=body, headers=foreign),
        browser.delete("/v1/session", headers=foreign),
    ):
        assert answer.status_code == 403
        assert answer.json()["code"] == "cross_site"
    assert browser.get("/v1/me").status_code == 200
    assert body["name"] not in browser.get("/v1/keys").text
    # A program that shows a token is not asked where it comes from.
    named = {"Authorization": f"Bearer {api.key('ada')}", **foreign}
    assert browser.post("/v1/keys", json=body, headers=named).status_code == 201


def test_another_page_signs_nobody_in(api: RunningApi, browser: httpx.Client) -> None:
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = browser.post("/v1/session", json={"token": api.key("eve")}, headers=headers)
    assert answer.json()["code"] == "cross_site"
    assert "set-cookie" not in answer.headers


def test_who_signs_out_is_out_everywhere(api: RunningApi, browser: httpx.Client) -> None:
    sign_in(browser, api.key("ada"))
    stolen = dict(browser.cookies)
    assert browser.delete("/v1/session").status_code == 204
    assert not browser.cookies
    browser.cookies.update(stolen)
    assert browser.get("/v1/me").json()["code"] == "invalid_token"


def test_signing_out_leaves_a_key_alone(api: RunningApi) -> None:
    client = api.client("ada")
    assert client.delete("/v1/session").status_code == 204
    assert client.get("/v1/me").status_code == 200


def test_a_session_ends_with_the_key_that_opened_it(api: RunningApi, browser: httpx.Client) -> None:
    token = api.key("ada")
    sign_in(browser, token)
    # Nor does it help to sign in once more with what the cookie holds.
    sign_in(browser, browser.cookies[COOKIE])
    owner = api.client("ada")
    keys = owner.get("/v1/keys?limit=50").json()["keys"]
    (opened_with,) = {
        row["opened_with"]
        for row in api.sql(
            "select opened_with from api_keys where is_session and user_id = 'ada'"
            " and created_at > now() - interval '5 s' order by created_at desc limit 2"
        )
    }
    assert any(key["is_session"] for key in keys)
    assert owner.delete(f"/v1/keys/{opened_with}").status_code == 204
    assert until_refused(browser) == "invalid_token"


def test_a_session_lasts_as_long_as_what_opened_it(
    api: RunningApi, provider: IdentityProvider, browser: httpx.Client
) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=90)
    jwt = provider.token(sub="cy", exp=int(soon.timestamp()))
    until = datetime.fromisoformat(sign_in(browser, jwt).json()["expires_at"])
    assert abs((until - soon).total_seconds()) < 2
    assert browser.get("/v1/me").json()["user_id"] == "cy"
    lasting = datetime.fromisoformat(sign_in(browser, api.key("ada")).json()["expires_at"])
    assert abs((lasting - datetime.now(UTC)).total_seconds() - 30 * DAY_S) < 60
    api.sql("update api_keys set expires_at = now() where is_session and user_id = 'ada'")
    assert until_refused(browser) == "expired_token"


def test_a_wrong_token_signs_nobody_in(api: RunningApi, browser: httpx.Client) -> None:
    for token, code in (("mf_wrong", "invalid_token"), ("hello", "invalid_token")):
        answer = browser.post("/v1/session", json={"token": token})
        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert "set-cookie" not in answer.headers
    assert browser.post("/v1/session", json={"token": ""}).status_code == 422


def test_a_websocket_takes_the_cookie_of_our_page_alone(
    api: RunningApi, browser: httpx.Client
) -> None:
    sign_in(browser, api.key("ada"))
    address = f"{api.url.replace('http', 'ws', 1)}/v1/events"
    cookie = {"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
    with connect(
        address, additional_headers=cookie | {"Origin": api.url}, proxy=None, open_timeout=WITHIN_S
    ) as websocket:
        assert "ready" in websocket.recv(WITHIN_S)
    for origin in ("https://evil.example", "http://127.0.0.1:1"):
        with pytest.raises(InvalidStatus) as refused:
            connect(address, additional_headers=cookie | {"Origin": origin}, proxy=None)
        assert refused.value.response.status_code == 403


def test_who_signed_in_streams_events(api: RunningApi, browser: httpx.Client) -> None:
    sign_in(browser, api.key("ada"))
    export_id = api.add_export("ada")
    with api.stream(browser, "events") as stream:
        told = stream.told()
        assert next(told).event == "ready"
        api.end(export_id)
        assert next(told).data["id"] == export_id
