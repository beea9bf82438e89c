"""Answers are packed where that saves something, and are the same."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from coordinator.api.packing import Packed

LONG = {"exports": [{"name": f"Song {number}", "status": "queued"} for number in range(100)]}


async def parts():  # type: ignore[no-untyped-def]
    yield b"[" + b"1," * 1000
    yield b"1]"


ONE = JSONResponse(LONG)
ANSWERS = {
    "/long": lambda: ONE,
    "/short": lambda: JSONResponse({"status": "queued"}),
    "/picture": lambda: Response(bytes(5000), media_type="image/jpeg"),
    "/packed": lambda: JSONResponse(LONG, headers={"Content-Encoding": "identity"}),
    "/parts": lambda: StreamingResponse(parts(), media_type="application/json"),
}


def ask(path: str, *, accept: str = "gzip", method: str = "GET") -> httpx.Response:
    async def answer(_request: object) -> Response:
        return ANSWERS[path]()

    async def send() -> httpx.Response:
        app = Packed(Starlette(routes=[Route(path, answer)]))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, headers={"Accept-Encoding": accept})

    return asyncio.run(send())


def test_a_long_answer_is_packed_however_often_it_is_asked_for() -> None:
    for _ in range(2):
        answer = ask("/long")
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["vary"] == "Accept-Encoding"
        assert int(answer.headers["content-length"]) < len(ONE.body) / 5
        assert answer.json() == LONG


def test_who_does_not_take_gzip_gets_it_as_it_is() -> None:
    answer = ask("/long", accept="identity")
    assert "content-encoding" not in answer.headers
    assert answer.json() == LONG


@pytest.mark.parametrize("path", ["/short", "/picture", "/parts"])
def test_nothing_else_is_packed(path: str) -> None:
    answer = ask(path)
    assert "content-encoding" not in answer.headers
    assert answer.status_code == 200


def test_what_is_packed_already_is_left_alone() -> None:
    assert ask("/packed").headers["content-encoding"] == "identity"


def test_an_answer_without_a_body_is_left_alone() -> None:
    answer = ask("/long", method="HEAD")
    assert "content-encoding" not in answer.headers
    assert int(answer.headers["content-length"]) == len(ONE.body)
