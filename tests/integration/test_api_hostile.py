"""What is sent to break the API, over real HTTP: a documented problem, and nothing is left."""

from __future__ import annotations

import http.client
import itertools
import json
import select
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi.routing import iter_route_contexts

from coordinator.api import auth
from coordinator.api.app import create_app
from coordinator.api.limits import ApiLimits, UploadLimits
from coordinator.database import Database
from shared.storage import LocalStore
from tests.api import WITHIN_S, RunningApi
from tests.identity_provider import SECRET, IdentityProvider, claims_of, forged, public_jwk
from tests.postgres import PostgresServers
from tests.songs import SongFile

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
IDLE_S = 0.4


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with IdentityProvider() as running:
        yield running


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def api(
    postgres_servers: PostgresServers,
    provider: IdentityProvider,
    uploads: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningApi]:
    limits = ApiLimits(
        uploads=UploadLimits(image=200_000),
        upload_folder=uploads,
        upload_idle_s=IDLE_S,
        preview_wait_s=0,
        rate_per_s=0,
        stranger_per_s=0,
    )
    store = LocalStore(tmp_path_factory.mktemp("store"))
    with (
        postgres_servers.fresh_database("embedded", is_migrated=True) as url,
        RunningApi(url, store, limits, provider=provider.provider) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def described(api: RunningApi) -> dict[str, dict[str, Any]]:
    """The paths of the API's description."""
    paths: dict[str, dict[str, Any]] = api.visitor.get("/v1/openapi.json").json()["paths"]
    return paths


@pytest.fixture
def _nothing_is_left(api: RunningApi, uploads: Path) -> Iterator[None]:
    before = _footprint(api, uploads) | {"files": 0}
    yield
    _wait_for(api, uploads, before)


def _wait_for(api: RunningApi, uploads: Path, expected: dict[str, int]) -> None:
    """Wait until nothing more is there: a client may hear of its mistake before we have tidied."""
    until_s = time.monotonic() + WITHIN_S
    while (found := _footprint(api, uploads)) != expected:
        assert time.monotonic() < until_s, (found, expected)
        time.sleep(0.02)


def _footprint(api: RunningApi, uploads: Path) -> dict[str, int]:
    """How many rows, objects and files there are; keys aside, with which the tests come."""
    tables = api.sql("select tablename from pg_tables where schemaname = 'public'")
    counted = {
        name: api.sql(f"select count(*) as n from {name}")[0]["n"]  # noqa: S608  # names of ours
        for name in (row["tablename"] for row in tables)
        if name != "api_keys"
    }
    return counted | {
        "objects": len(list(api.store.list())),
        "files": len(list(uploads.iterdir())),
    }


class Answer(NamedTuple):
    """What came back."""

    status: int
    code: str
    headers: http.client.HTTPMessage


def send(
    api: RunningApi,
    method: str,
    path: str,
    token: str,
    body: bytes | None = None,
    content_type: str = "application/json",
) -> Answer:
    """A request as it is, with a path that no client has tidied up."""
    headers = {"Authorization": f"Bearer {token}"}
    if body is not None:
        headers["Content-Type"] = content_type
    with closing(http.client.HTTPConnection(*api.socket.getsockname(), WITHIN_S)) as connection:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return _answer(response)


def _answer(response: http.client.HTTPResponse) -> Answer:
    if response.headers.get_content_type() != "application/problem+json":
        return Answer(response.status, "", response.headers)
    problem = json.loads(response.read())
    assert problem["status"] == response.status
    return Answer(response.status, problem["code"], response.headers)


# Tokens


def _bad_tokens(provider: IdentityProvider) -> Iterator[tuple[str, str]]:
    """Tokens that must not let anybody in, each with what is wrong with it."""
    key = provider.keys["rsa"]
    good = provider.token()
    head, payload, signature = good.split(".")
    other = jwt.encode(claims_of(sub="bob"), SECRET, "HS256").split(".")[1]
    public = key.public_key()
    yield "alg none", forged({"alg": "none"}, claims_of(), None) + "AA"
    yield "alg none, no signature", forged({"alg": "none"}, claims_of(), None)
    yield "alg nOnE", forged({"alg": "nOnE", "kid": "rsa"}, claims_of(), None) + "AA"
    yield "alg missing", forged({"kid": "rsa"}, claims_of(), SECRET.encode())
    for alg in (None, [], {}, 7, "HS384", "HS512", "ES256", "RS256"):
        yield f"alg {alg}", forged({"alg": alg, "kid": "rsa"}, claims_of(), SECRET.encode())
    for encoding, form in itertools.product(
        (Encoding.PEM, Encoding.DER), (PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1)
    ):
        secret = public.public_bytes(encoding, form)
        for each in (secret, secret.strip()):
            header = {"alg": "HS256", "kid": "rsa"}
            yield f"HS256 by the public key, {form}", forged(header, claims_of(), each)
    for alg in ("HS384", "HS512"):
        yield f"the secret with {alg}", jwt.encode(claims_of(), SECRET, alg)
    modulus = json.dumps(public_jwk(key)).encode()
    yield "HS256 by the public JWK", forged({"alg": "HS256"}, claims_of(), modulus)
    yield "HS256 by nothing", forged({"alg": "HS256"}, claims_of(), b"")
    own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    yield "signed by another key", jwt.encode(claims_of(), own, "RS256", {"kid": "rsa"})
    yield "kid unknown", jwt.encode(claims_of(), own, "RS256", {"kid": "mine"})
    for name, value in (
        ("jwk", public_jwk(own)),
        ("jku", provider.url),
        ("x5u", provider.url),
        ("x5c", ["MIIB"]),
        ("crit", ["exp"]),
        ("b64", False),
    ):
        header = {"kid": "rsa", name: value}
        yield f"brings its {name}", jwt.encode(claims_of(), own, "RS256", header)
    for kid in ("../../dev/null", "' or 1=1 --", "", "\0"):
        yield f"kid {kid!r}", forged({"alg": "RS256", "kid": kid}, claims_of(), b"")
    yield "kid is no text", forged({"alg": "RS256", "kid": ["rsa"]}, claims_of(), b"x")
    yield (
        "signed with the key of another type",
        forged({"alg": "EdDSA", "kid": "ec"}, claims_of(), b"x"),
    )
    yield "payload swapped", f"{head}.{other}.{signature}"
    yield "signature cut", f"{head}.{payload}.{signature[:-4]}"
    yield "signature gone", f"{head}.{payload}."
    yield "four parts", f"{good}.{signature}"
    yield "spaces", good.replace(".", ". ")
    yield "odd characters", f"{head}.{payload}.{signature}=\xe9"
    yield "header nested deeply", _with_header(b"[" * 5000)
    yield "header of a long number", _with_header(b'{"alg": ' + b"9" * 5000 + b"}")
    yield "header of no UTF-8", _with_header(b"\xff\xfe")
    yield "header is a list", _with_header(b"[]")
    yield "too long", provider.token(more="x" * 9000)
    yield "nothing", "."
    yield "dots", ".."
    for changes in (
        {"aud": "other"},
        {"aud": None},
        {"aud": []},
        {"aud": ["other", 7]},
        {"iss": "https://evil.test"},
        {"iss": None},
        {"iss": ["https://login.test"]},
        {"nbf": time.time() + 100},
        {"iat": time.time() + 100},
        {"exp": None},
        {"exp": "soon"},
        {"exp": []},
        {"sub": None},
        {"sub": ""},
        {"sub": " ada"},
        {"sub": "ada\n"},
        {"sub": "a\0b"},
        {"sub": "\ud800"},
        {"sub": "\u202eada"},
        {"sub": "x" * 201},
        {"sub": 7},
        {"sub": ["ada"]},
        {"midifarm_scope": "root"},
    ):
        # By a library that asks for nothing: PyJWT itself refuses to make some of these.
        claims = json.dumps(claims_of(**changes)).encode()
        yield f"claims {changes}", forged({"alg": "HS256"}, claims, SECRET.encode())
    for claims in (b"[]", b"7", b"{", b"\xff", b"[" * 3000, b'{"exp": 1e999}', b'{"exp": NaN}'):
        yield f"payload {claims[:20]!r}", forged({"alg": "HS256"}, claims, SECRET.encode())


def _with_header(plain: bytes) -> str:
    _, payload, signature = forged({}, plain, b"x").split(".")
    return f"{payload}.{payload}.{signature}"


@pytest.mark.usefixtures("_nothing_is_left")
def test_no_forged_or_broken_token_lets_anybody_in(
    api: RunningApi, provider: IdentityProvider
) -> None:
    good = forged({"alg": "HS256"}, claims_of(), SECRET.encode())
    for token in (good, provider.token(), provider.token(nbf=time.time() + 3)):
        assert send(api, "GET", "/v1/keys", token).status == 200
    passed = []
    for what, token in _bad_tokens(provider):
        answer = send(api, "GET", "/v1/keys", token)
        if (answer.status, answer.code) != (401, "invalid_token"):
            passed.append((what, answer.status, answer.code))
        elif not answer.headers["www-authenticate"].startswith("Bearer "):
            passed.append((what, 401, "no challenge"))
    assert passed == []
    expired = send(api, "GET", "/v1/keys", provider.token(exp=time.time() - 30))
    assert (expired.status, expired.code) == (401, "expired_token")
    assert provider.visits <= 2


@pytest.mark.usefixtures("_nothing_is_left")
def test_a_wrong_authorization_gives_nobody_away(api: RunningApi) -> None:
    token = api.key("ada")
    for given in ("", "Bearer", token, f"Basic {token}", f"Bearer {token}x", "Bearer mf_"):
        answer = api.visitor.get("/v1/keys", headers={"Authorization": given})
        assert answer.status_code == 401
        assert answer.json()["code"] in ("unauthenticated", "invalid_token")
        assert token not in answer.text
    assert api.visitor.get(f"/v1/keys?token={token}").status_code == 401


# Paths

TRICKS = (
    "..", "%2e%2e", "../..", "..%2f..%2fetc%2fpasswd", "%2e%2e%2f", "..%5c", "%00", "a%00b",
    "%ff%fe", "%0d%0aX-Evil:%201", "%c3%a9%e5%a4%9c", "%e2%80%ae", "%ed%a0%80", "'%20or%201=1--",
    "%25s", "{0}", "*", "null", "-1", "99999999999999999999999", "", "/", "a//b", "x" * 5000,
)  # fmt: skip


@pytest.mark.usefixtures("_nothing_is_left")
def test_tricks_in_a_path_lead_nowhere(
    api: RunningApi, described: dict[str, dict[str, Any]]
) -> None:
    token, odd = api.key("ada"), []
    for path, method in _with_parameters(described):
        for trick in TRICKS:
            body = b"{}" if "requestBody" in described[path][method] else None
            answer = send(api, method.upper(), _filled(path, trick), token, body)
            if answer.status not in (403, 404, 405, 422) or not answer.code:
                odd.append((method, path, trick[:30], answer.status, answer.code))
            assert "x-evil" not in answer.headers
    assert odd == []


def _with_parameters(described: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for path, methods in described.items():
        if "{" in path:
            for method in methods:
                yield path, method


def _filled(path: str, value: str) -> str:
    return "/".join(value if part.startswith("{") else part for part in path.split("/"))


# What belongs to somebody else


@pytest.fixture(scope="module")
def his(api: RunningApi) -> dict[str, str]:
    """An id of Bob's for each parameter of a path."""
    bob = api.client("bob")
    midi = bob.post("/v1/assets?name=song.mid", content=_song()).json()["id"]
    composition = bob.post("/v1/compositions", json={"name": "His", "midi": midi}).json()["id"]
    queued = {"composition_id": composition, "presets": ["youtube_1080p", "tiktok_vertical"]}
    accepted = bob.post("/v1/exports", json=queued).json()
    template = bob.post("/v1/templates", json={"name": "His", "branding": {}}).json()["id"]
    preview = bob.post("/v1/previews", json={"composition_id": composition}).json()["id"]
    key = bob.post("/v1/keys", json={"name": "his"}).json()["id"]
    api.sql(
        "insert into webhooks (id, user_id, name, url, secret, is_enabled)"
        " values ('whk_1', 'bob', '', '', '', false)"
    )
    api.sql(
        "insert into deliveries (id, webhook_id, user_id, event, data)"
        " values ('dlv_1', 'whk_1', 'bob', 'ping', '{}')"
    )
    api.sql("insert into nodes (id, name, cpus, gpus) values ('node_1', 'one', 1, 0)")
    api.sql(
        "insert into links (id, export_id, token_hash, expires_at)"
        " values ('lnk_1', %s, sha256('his'), now() + interval '1 day')",
        accepted["exports"][0]["id"],
    )
    (attempt,) = api.sql(
        "insert into attempts (item_id, number, epoch, outcome, ended_at, log)"
        " select id, 1, 1, 'failed', now(), 'His.' from work_items where export_id = %s"
        " returning id",
        accepted["exports"][0]["id"],
    )
    return {
        "asset_id": midi,
        "composition_id": composition,
        "template_id": template,
        "preview_id": preview,
        "export_id": accepted["exports"][0]["id"],
        "link_id": "lnk_1",
        "batch_id": accepted["batch_id"],
        "key_id": key,
        "webhook_id": "whk_1",
        "delivery_id": "dlv_1",
        "node_id": "node_1",
        "attempt_id": str(attempt["id"]),
        "user_id": "bob",
    }


def _song() -> bytes:
    song = SongFile("Test")
    song.note(0, 1, 60)
    return song.to_bytes()


PUBLIC = {"/v1/styles/{name}/thumbnail", "/v1/links/{token}"}
"""Routes whose parameter names what belongs to nobody, or to whoever knows it."""
BODIES: dict[tuple[str, str], Any] = {
    ("put", "/v1/compositions/{composition_id}"): {"name": "Mine"},
    ("put", "/v1/templates/{template_id}"): {"name": "Mine", "branding": {}},
    ("patch", "/v1/exports/{export_id}"): {"priority": 1},
    ("post", "/v1/batches/{batch_id}/retry"): {},
    ("patch", "/v1/webhooks/{webhook_id}"): {"name": "Mine"},
    ("patch", "/v1/farm/exports/{export_id}"): {"priority": 1},
    ("put", "/v1/farm/quotas/{user_id}"): {},
}
"""What fits where a body is needed."""


def test_what_belongs_to_somebody_else_is_not_there_on_any_route(
    api: RunningApi, described: dict[str, dict[str, Any]], his: dict[str, str], uploads: Path
) -> None:
    token = api.key("eve")
    midi = httpx.post(
        f"{api.url}/v1/assets?name=song.mid",
        content=_song(),
        headers={"Authorization": f"Bearer {token}"},
    ).json()["id"]
    before, wrong, operators = _footprint(api, uploads), [], _for_operators()
    for path, method in _with_parameters(described):
        if path in PUBLIC:
            continue
        operation = described[path][method]
        body = BODIES.get((method, path))
        if body is not None and path.startswith("/v1/compositions"):
            body = body | {"midi": midi}
        needs_one = operation.get("requestBody", {}).get("required", False)
        assert body is not None or not needs_one, f"BODIES lacks {method} {path}"
        answer = send(
            api,
            method.upper(),
            path.format(**his),
            token,
            None if body is None else json.dumps(body).encode(),
        )
        expected = (403, "forbidden") if (method, path) in operators else (404, "not_found")
        if (answer.status, answer.code) != expected:
            wrong.append((method, path, answer.status, answer.code))
        assert str(expected[0]) in operation["responses"], (method, path)
    assert wrong == []
    _wait_for(api, uploads, before | {"files": 0})
    bob = api.client("bob")
    for kind in ("assets", "compositions", "templates", "exports"):
        assert his[f"{kind[:-1]}_id"] in bob.get(f"/v1/{kind}").text


def _for_operators() -> set[tuple[str, str]]:
    """The routes that only operators may take."""
    app = create_app(database=Database(""), store=LocalStore(Path("/")), limits=ApiLimits())
    found = set()
    for context in iter_route_contexts(app.routes):
        asked = [getattr(context.original_route, "dependant", None)]
        while asked:
            dependant = asked.pop()
            if dependant is None:
                continue
            if dependant.call is auth._operator:
                path = str(context.path).replace(":path}", "}")  # as OpenAPI has it
                found |= {(method.lower(), path) for method in context.methods or ()}
            asked += dependant.dependencies
    return found


# Bodies


def _bad_bodies() -> Iterator[tuple[str, bytes]]:
    yield "nested", b"[" * 100_000
    yield "nested and closed", b"[" * 100_000 + b"]" * 100_000
    yield "objects in objects", b'{"name":' * 50_000 + b"1" + b"}" * 50_000
    yield "a deep name", b'{"name":' + b"[" * 400 + b"]" * 400 + b"}"
    yield "a long number", b'{"name": "x", "priority": ' + b"9" * 5000 + b"}"
    yield "a large number", b'{"name": "x", "priority": 1e999, "start_s": 1e999, "at_s": 1e999}'
    yield "NaN", b'{"name": "x", "priority": NaN, "start_s": NaN, "at_s": -Infinity}'
    yield "no UTF-8", b'{"name": "\xff\xfe"}'
    yield "UTF-16", '{"name": 1}'.encode("utf-16")
    yield "half a surrogate", b'{"name": "\\ud800"}'
    yield "NUL", b'{"name": "a\\u0000b"}'
    yield "a NUL byte", b'{"name": "a\0b"}'
    yield "twice", b'{"name": 1, "name": [], "name": {}}'
    yield "odd fields", b'{"__proto__": {"scope": "admin"}, "": 1, "\\u0000": 2}'
    yield "a list", b"[]"
    yield "nothing", b""
    yield "null", b"null"
    yield "cut", b'{"name": "x'
    yield "too much", b'{"name": "' + b"x" * 2_000_000 + b'"}'


@pytest.mark.usefixtures("_nothing_is_left")
def test_hostile_json_gets_a_documented_problem_on_every_route(
    api: RunningApi, described: dict[str, dict[str, Any]]
) -> None:
    token, odd = api.key("ada", scope="admin"), []
    for path, methods in described.items():
        for method, operation in methods.items():
            asked = operation.get("requestBody", {})
            if "application/json" not in asked.get("content", {}) or not asked.get("required"):
                continue
            for what, body in _bad_bodies():
                answer = send(api, method.upper(), _filled(path, "x_1"), token, body)
                known = str(answer.status) in operation["responses"]
                if not (400 <= answer.status < 500 and known and answer.code):
                    odd.append((method, path, what, answer.status, answer.code))
            for lie in ("text/plain", "multipart/form-data; boundary=x", "image/png", "x", ""):
                answer = send(api, method.upper(), _filled(path, "x_1"), token, b"{}", lie)
                if answer.status not in (415, 422) or not answer.code:
                    odd.append((method, path, lie, answer.status, answer.code))
    assert odd == []


def test_the_last_of_equal_fields_counts(api: RunningApi) -> None:
    with closing(http.client.HTTPConnection(*api.socket.getsockname(), WITHIN_S)) as connection:
        headers = {"Authorization": f"Bearer {api.key('ada')}", "Content-Type": "application/json"}
        body = b'{"name": "a", "scope": "admin", "name": "b", "scope": "user"}'
        connection.request("POST", "/v1/keys", body, headers)
        made = json.loads(connection.getresponse().read())
    assert (made["name"], made["scope"]) == ("b", "user")


class Wire:
    """A connection on which anything can be said."""

    def __init__(self, api: RunningApi, head: str, token: str) -> None:
        """Say the beginning of a request: its first line, and headers."""
        self._socket = socket.create_connection(api.socket.getsockname(), WITHIN_S)
        lines = head.replace("\n", "\r\n")
        self.say(f"{lines}\r\nHost: test\r\nAuthorization: Bearer {token}\r\n\r\n".encode())

    def say(self, data: bytes) -> bool:
        """Say more; whether the other side still listens."""
        try:
            self._socket.sendall(data)
        except OSError:
            return False
        return True

    def hang_up(self) -> None:
        """Go away."""
        self._socket.close()

    def is_answered(self) -> bool:
        """Whether something has come."""
        return bool(select.select([self._socket], [], [], 0)[0])

    def answer(self) -> Answer:
        """What came."""
        with closing(self._socket):
            response = http.client.HTTPResponse(self._socket)
            response.begin()
            return _answer(response)


@pytest.mark.usefixtures("_nothing_is_left")
def test_an_upload_that_never_ends_is_cut(api: RunningApi) -> None:
    token, block = api.key("ada"), bytes(50_000)
    wire = Wire(api, "POST /v1/assets?kind=image HTTP/1.1\nTransfer-Encoding: chunked", token)
    wire.say(b"%x\r\n%s\r\n" % (len(PNG), PNG))
    until_s = time.monotonic() + WITHIN_S
    while not wire.is_answered() and wire.say(b"%x\r\n%s\r\n" % (len(block), block)):
        assert time.monotonic() < until_s
    answer = wire.answer()
    assert (answer.status, answer.code) == (413, "too_large")


@pytest.mark.usefixtures("_nothing_is_left")
@pytest.mark.parametrize(
    "head",
    [
        "POST /v1/assets?kind=image HTTP/1.1\nContent-Length: 150000",
        "POST /v1/assets HTTP/1.1\nTransfer-Encoding: chunked",
        "POST /v1/keys HTTP/1.1\nContent-Length: 150000\nContent-Type: application/json",
    ],
)
def test_a_body_that_stalls_is_given_up(
    api: RunningApi, described: dict[str, dict[str, Any]], head: str
) -> None:
    token = api.key("ada")
    wire = Wire(api, head, token)
    wire.say(b"%x\r\n%s\r\n" % (len(PNG), PNG) if "chunked" in head else PNG)
    begun_s = time.monotonic()
    answer = wire.answer()
    assert (answer.status, answer.code) == (408, "upload_stalled")
    assert time.monotonic() - begun_s >= IDLE_S * 0.9
    assert answer.headers["connection"] == "close"
    path = head.split()[1].partition("?")[0]
    assert "408" in described[path]["post"]["responses"]


def test_a_stream_is_not_given_up_while_it_is_silent(api: RunningApi) -> None:
    client = api.client("ada")
    export_id = api.add_export()
    with api.watch(client, export_id) as stream:
        messages = iter(stream)
        assert next(messages).retry is not None
        assert next(messages).data["status"] == "queued"
        begun_s = time.monotonic()
        while time.monotonic() - begun_s < 1.5 * IDLE_S:  # nothing comes
            time.sleep(IDLE_S / 4)
        api.end(export_id)
        assert next(messages).data["status"] == "cancelled"


@pytest.mark.usefixtures("_nothing_is_left")
@pytest.mark.parametrize(
    "lie",
    [
        "Content-Length: -5",
        "Content-Length: 1e3",
        "Content-Length: 5\nContent-Length: 6",
        "Content-Length: 99999999999999999999999999",
        "Content-Length: 2000000",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: chunked\nContent-Length: 3",
    ],
)
@pytest.mark.parametrize("path", ["/v1/keys", "/v1/assets?kind=image"])
def test_a_lie_about_the_length_is_refused(api: RunningApi, lie: str, path: str) -> None:
    head = f"POST {path} HTTP/1.1\nContent-Type: application/json\n{lie}"
    wire = Wire(api, head, api.key("ada"))
    wire.say(b"zz\r\n{}\r\n")
    assert wire.answer().status in (400, 408, 413, 415, 422, 501)


@pytest.mark.usefixtures("_nothing_is_left")
def test_what_is_short_of_its_length_leaves_nothing(api: RunningApi, uploads: Path) -> None:
    wire = Wire(api, "POST /v1/assets HTTP/1.1\nContent-Length: 150000", api.key("ada"))
    wire.say(PNG)
    until_s = time.monotonic() + WITHIN_S
    while not list(uploads.iterdir()):
        assert time.monotonic() < until_s
        time.sleep(0.005)
    wire.hang_up()


@pytest.mark.usefixtures("_nothing_is_left")
@pytest.mark.parametrize(
    ("data", "query"),
    [
        (b"PK\x03\x04" + bytes(100), ""),
        (b"<svg onload=alert(1)>", "kind=image"),
        (b"#!/bin/sh\n", ""),
        (b"MThd", "kind=image"),
        (PNG, "kind=midi"),
        (b"\x7fELF" + bytes(100), "kind=font"),
        (b"", ""),
    ],
)
def test_a_file_is_what_its_bytes_are_whatever_is_said(
    api: RunningApi, data: bytes, query: str
) -> None:
    token = api.key("ada")
    for lie in ("image/png", "audio/midi", "application/json"):
        answer = send(api, "POST", f"/v1/assets?name=a.png&{query}", token, data, lie)
        assert (answer.status, answer.code) in ((415, "unsupported_file"), (422, "invalid"))


# Answers


@pytest.mark.parametrize(
    "name",
    [
        'x"; filename="evil.exe',
        "a\r\nX-Evil: 1",
        "../../etc/passwd",
        "..\\..\\evil",
        "\u202egpj.exe",
        "😀夜é",
        "%0d%0aX-Evil: 1",
        "x" * 5000,
        "...",
    ],
)
def test_the_name_of_a_download_cannot_change_its_headers(api: RunningApi, name: str) -> None:
    token = api.key("ada")
    export_id = api.add_export(name=name)
    api.complete(export_id, b"video", "ab" * 32)
    answer = send(api, "GET", f"/v1/exports/{export_id}/download", token)
    assert answer.status == 200
    assert "x-evil" not in answer.headers
    (disposition,) = answer.headers.get_all("content-disposition")
    assert disposition.startswith('attachment; filename="')
    assert disposition.isascii()
    assert disposition.count('"') == 2
    assert not set("/\\\r\n") & set(disposition)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(disposition) < 2000


def test_a_redirect_never_repeats_what_the_client_calls_us(api: RunningApi) -> None:
    for path in ("/v1/exports/", "//evil.test/v1/exports", "/v1//exports", "/healthz/"):
        with closing(http.client.HTTPConnection(*api.socket.getsockname(), WITHIN_S)) as connection:
            connection.request("GET", path, headers={"Host": "evil.test"})
            response = connection.getresponse()
            assert response.status == 404
            assert "location" not in response.headers
            assert b"evil" not in response.read()
