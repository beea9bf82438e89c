"""Who is who over real HTTP: keys that expire, JWTs, rate limits, the audit log, metrics."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from coordinator.api.limits import ApiLimits
from coordinator.client import Client
from shared.errors import AccessError
from shared.storage import LocalStore
from tests.api import WITHIN_S, RunningApi
from tests.identity_provider import IdentityProvider
from tests.postgres import PostgresServers

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
GOOD = (200, "")


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
    limits = ApiLimits(key_cache_s=0.2, rate_per_s=20, rate_burst=40, stranger_burst=20)
    with (
        postgres_servers.fresh_database("embedded", is_migrated=True) as url,
        RunningApi(url, store, limits, provider=provider.provider) as running,
    ):
        yield running


def ask(api: RunningApi, token: str, path: str = "/v1/keys") -> httpx.Response:
    return api.visitor.get(path, headers={"Authorization": f"Bearer {token}"})


def told(answer: httpx.Response) -> tuple[int, str]:
    """An answer's status, and the code of its problem."""
    return answer.status_code, answer.json().get("code", "")


@pytest.mark.parametrize(("kid", "algorithm"), [("rsa", "PS384"), ("ec", "ES256"), ("ed", "EdDSA")])
def test_the_subject_of_a_jwt_is_the_user(
    api: RunningApi, provider: IdentityProvider, kid: str, algorithm: str
) -> None:
    user = f"auth0|{kid}"
    mine = api.key(user)
    token = provider.token(kid, algorithm, sub=user, aud=["other", "midifarm"])
    keys = ask(api, token).json()["keys"]
    assert [key["user_id"] for key in keys] == [user]
    assert ask(api, mine).json()["keys"][0]["id"] == keys[0]["id"]


def test_the_scope_of_a_jwt_is_what_its_claim_says(
    api: RunningApi, provider: IdentityProvider
) -> None:
    def audit(scope: Any) -> httpx.Response:
        return ask(api, provider.token(midifarm_scope=scope), "/v1/audit")

    answer = audit(None)
    assert told(answer) == (403, "forbidden")
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert told(audit("user")) == (403, "forbidden")
    assert told(audit("operator")) == GOOD
    assert told(audit("admin")) == GOOD
    for odd in ("root", "", 1, ["admin"], {"admin": True}):
        assert told(audit(odd)) == (401, "invalid_token")


def test_a_key_works_until_it_expires(api: RunningApi) -> None:
    client = api.client("ada")
    for odd in ("2020-01-01T00:00:00Z", "3020-01-01T00:00:00", "soon", 5e300):
        answer = client.post("/v1/keys", json={"name": "short", "expires_at": odd})
        assert told(answer) == (422, "invalid")
        assert answer.json()["errors"][0]["field"] == "expires_at"
    made = client.post("/v1/keys", json={"name": "short", "expires_at": "3020-01-01T00:00:00Z"})
    key = made.json()
    assert key["expires_at"] == "3020-01-01T00:00:00Z"
    assert told(ask(api, key["token"])) == GOOD
    api.sql(
        "update api_keys set expires_at = now() + interval '0.5 seconds' where id = %s", key["id"]
    )
    until_s = time.monotonic() + WITHIN_S
    while told(answer := ask(api, key["token"])) == GOOD:
        assert time.monotonic() < until_s
        time.sleep(0.02)
    assert told(answer) == (401, "expired_token")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_what_an_admin_does_with_keys_of_others_is_noted(api: RunningApi) -> None:
    root = api.key("root", scope="admin")
    with Client(api.url, root) as admin, Client(api.url, api.key("ada")) as user:
        key = admin.create_key("bob", name="his")
        admin.create_key("root", name="mine")
        admin.revoke_key(key.id)
        assert [(entry.action, entry.user_id) for entry in admin.audit(target=key.id)] == [
            ("key.revoke", "root"),
            ("key.create", "root"),
        ]
        assert admin.audit(target=key.id)[1].detail == {"user": "bob", "scope": "user"}
        others = [admin.create_key("bob", name="his").id for _ in range(3)]
        assert [entry.target for entry in admin.audit(most=3)] == others[::-1]
        with pytest.raises(AccessError, match="operators"):
            user.audit()
    with httpx.Client(base_url=api.url, headers={"Authorization": f"Bearer {root}"}) as client:
        page = client.get("/v1/audit?limit=2").json()
        assert [entry["target"] for entry in page["entries"]] == others[:0:-1]
        assert page["has_more"]
        before = page["entries"][-1]["id"]
        older = client.get(f"/v1/audit?limit=1&before={before}").json()["entries"]
        assert [entry["target"] for entry in older] == others[:1]


def test_who_comes_too_often_waits_and_nobody_else_does(
    api: RunningApi, provider: IdentityProvider
) -> None:
    token = provider.token(sub="eager")
    with httpx.Client(base_url=api.url, headers={"Authorization": f"Bearer {token}"}) as client:
        answers = [client.get("/v1/keys") for _ in range(100)]
    limited = [answer for answer in answers if answer.status_code == 429]
    assert 0 < len(limited) <= 60
    assert {answer.status_code for answer in answers} == {200, 429}
    assert told(limited[0]) == (429, "rate_limited")
    assert int(limited[0].headers["retry-after"]) >= 1
    assert told(ask(api, provider.token(sub="calm"))) == GOOD
    assert samples(api)["midifarm_api_rate_limited_requests_total",] == len(limited)
    # The same user's other tokens share what he may; his keys have their own.
    assert ask(api, api.key("eager")).status_code == 200


def test_who_guesses_tokens_is_held_up_and_known_callers_behind_him_are_not(
    api: RunningApi, provider: IdentityProvider
) -> None:
    token = api.key("ada")
    assert told(ask(api, token)) == GOOD
    answers = [ask(api, f"mf_guess{number}") for number in range(40)]
    assert told(answers[0]) == (401, "invalid_token")
    assert told(answers[-1]) == (429, "rate_limited")
    assert int(answers[-1].headers["retry-after"]) >= 1
    guesses, over_s = itertools.count(40), time.monotonic() + 0.5
    while time.monotonic() < over_s:  # what is remembered of the key passes meanwhile
        while told(ask(api, f"mf_guess{next(guesses)}")) != (429, "rate_limited"):
            pass
        assert told(ask(api, token)) == GOOD
        assert told(ask(api, provider.token())) == GOOD
        time.sleep(0.05)
    until_s = time.monotonic() + WITHIN_S
    while told(ask(api, "mf_guess")) != (401, "invalid_token"):
        assert time.monotonic() < until_s
        time.sleep(0.02)
    new = api.key("bob")
    while told(ask(api, new)) != GOOD:  # a moment later, others are let in again
        assert time.monotonic() < until_s
        time.sleep(0.02)


def samples(api: RunningApi) -> dict[tuple[str, ...], float]:
    """What is counted, by name and the values of its labels."""
    answer = api.visitor.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=1.0.0")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_metrics_tell_requests_apart_by_route_and_by_nothing_that_clients_choose(
    api: RunningApi,
) -> None:
    client = api.client("ada")
    before = samples(api)
    for number in range(3):
        client.get(f"/v1/exports/exp_{number}")
        client.get(f"/v1/nothing/{number}")
        client.request(f"ODD{number}", "/v1/exports")
    upload = client.post("/v1/assets?kind=image", content=PNG)
    assert upload.status_code == 201
    ask(api, "not one of ours")
    api.visitor.get("/v1/exports")
    after = samples(api)

    def grown(*name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    name = "midifarm_api_requests_total"
    assert grown(name, "GET", "/v1/exports/{export_id}", "404") == 3
    assert grown(name, "GET", "unmatched", "404") == 3
    assert sum(grown(*each) for each in after if each[:2] == (name, "other")) == 3
    assert grown(name, "POST", "/v1/assets", "201") == 1
    assert grown("midifarm_api_uploaded_bytes_total") == len(PNG)
    assert grown("midifarm_api_refused_logins_total", "invalid_token") == 1
    assert grown("midifarm_api_refused_logins_total", "unauthenticated") == 1
    duration = "midifarm_api_request_duration_seconds_count"
    assert grown(duration, "GET", "/v1/exports/{export_id}") == 3
    described = api.visitor.get("/v1/openapi.json").json()["paths"]
    routes = {each[2] for each in after if each[0] == name}
    assert routes <= {*described, "unmatched", "/v1/openapi.json"}
    assert ("midifarm_api_database_connections", "idle") in after
    assert after[("midifarm_api_database_waiting_requests",)] == 0


def test_metrics_tell_of_streams_and_are_named_as_is_the_custom(api: RunningApi) -> None:
    client = api.client("ada")
    export_id = api.add_export()
    with api.watch(client, export_id) as stream:
        assert next(iter(stream)).retry is not None
        assert samples(api)[("midifarm_api_event_streams",)] == 1
    text = api.visitor.get("/metrics").text
    document = Path("docs/metrics.md").read_text("utf-8")
    for family in text_string_to_metric_families(text):
        if family.name.endswith("_created"):
            continue
        assert family.documentation
        assert family.name.startswith("midifarm_")
        shown = f"{family.name}_total" if family.type == "counter" else family.name
        assert f"`{shown}`" in document
        assert family.type != "histogram" or family.name.endswith("_seconds")
