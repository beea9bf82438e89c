"""Live progress over a WebSocket: the same messages, and the same refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from shared.storage import LocalStore
from tests.api import RunningApi, received


@pytest.fixture
def api(migrated_database_url: str, tmp_path: Path) -> Iterator[RunningApi]:
    with RunningApi(migrated_database_url, LocalStore(tmp_path / "store")) as running:
        yield running


def test_a_socket_carries_what_a_stream_does(api: RunningApi) -> None:
    batch_id, (first, second) = api.add_batch()
    api.tell(first, passing=False, status="rendering", frames=10)
    path, client = f"exports/{first}/events", api.client()
    with api.watch(client, first) as stream, api.socket_to(path, api.key("ada")) as websocket:
        messages, frames = stream.told(), received(websocket)
        assert next(messages) == next(frames)
        api.tell(first, passing=True, frames_done=5)
        api.end(first)
        told = list(messages)
        assert told == list(frames)
        assert [each.event for each in told] == ["progress", "status"]
        assert websocket.close_code == 1000
    api.end(second)
    with (
        api.stream(client, f"batches/{batch_id}/events") as stream,
        api.socket_to(f"batches/{batch_id}/events", api.key("ada")) as websocket,
    ):
        (of_stream,), (of_socket,) = stream.rest(), received(websocket)
        assert websocket.close_code == 1000
    assert of_stream.place == of_socket.place
    assert of_stream.data | {"updated_at": ""} == of_socket.data | {"updated_at": ""}


def test_a_socket_is_taken_up_where_it_was_cut(api: RunningApi) -> None:
    export_id, token = api.add_export(), api.key("ada")
    path = f"exports/{export_id}/events"
    with api.socket_to(path, token) as websocket:
        first = next(received(websocket))
    api.end(export_id)
    with api.socket_to(f"{path}?last_event_id={first.id}", token) as websocket:
        (last,) = received(websocket)
    assert last.data["status"] == "cancelled"
    # Browsers see no HTTP status: who has seen the end finds an open door and a closed stream.
    with api.socket_to(f"{path}?last_event_id={last.id}", token) as websocket:
        assert list(received(websocket)) == []
        assert websocket.close_code == 1000


def test_browsers_send_their_token_as_a_subprotocol(api: RunningApi) -> None:
    token = api.key("ada")
    with api.socket_to("events", protocols=["midifarm.v1", f"bearer.{token}"]) as websocket:
        assert websocket.subprotocol == "midifarm.v1"
        assert next(received(websocket)).event == "ready"
    with api.socket_to("events", token) as websocket:
        assert websocket.subprotocol is None
        assert next(received(websocket)).event == "ready"


def test_who_is_not_known_is_refused_before_anything_is_opened(api: RunningApi) -> None:
    batch_id, (export_id, _) = api.add_batch("ada")
    paths = [f"exports/{export_id}/events", f"batches/{batch_id}/events", "events"]
    for path in paths:
        for protocols in ([], ["midifarm.v1"]):
            assert _refusal(api, path, None, protocols) == (401, "unauthenticated")
        wrong = ["midifarm.v1", "bearer.mf_wrong"]
        assert _refusal(api, path, None, wrong) == (401, "invalid_token")
        assert _refusal(api, path, "mf_wrong", []) == (401, "invalid_token")
    bob = api.key("bob")
    assert [_refusal(api, path, bob, []) for path in paths[:2]] == [(404, "not_found")] * 2
    assert api.server is not None
    assert api.server.hub.clients == 0


def _refusal(
    api: RunningApi, path: str, token: str | None, protocols: list[str]
) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as refused:
        api.socket_to(path, token, protocols)
    response = refused.value.response
    assert response.headers["content-type"] == "application/problem+json"
    assert response.body is not None
    return response.status_code, json.loads(response.body)["code"]


def test_what_a_client_says_is_ignored_and_must_be_short(api: RunningApi) -> None:
    with api.socket_to("events", api.key("ada")) as websocket:
        messages = received(websocket)
        next(messages)
        for text in ("hello", "x" * 4096, b"\x00" * 4096):
            websocket.send(text)
        export_id = api.add_export()
        assert next(messages).data["id"] == export_id
        with suppress(ConnectionClosed):  # it may be refused before its last frame is sent
            websocket.send(["x" * 4000, "x" * 4000])  # one message in several frames
        with pytest.raises(ConnectionClosed):
            next(messages)
        assert websocket.close_code == 1009


def test_sockets_end_when_the_server_stops(api: RunningApi) -> None:
    with api.socket_to("events", api.key("ada")) as websocket:
        next(received(websocket))
        api.stop()
        with pytest.raises(ConnectionClosed):
            websocket.recv()
        assert websocket.close_code == 1012


def test_a_client_that_goes_away_is_forgotten_at_once(api: RunningApi) -> None:
    assert api.server is not None
    with api.socket_to("events", api.key("ada")) as websocket:
        next(received(websocket))
        assert api.server.hub.clients == 1
    # The closing handshake is over, and the next one that comes finds nobody.
    with api.socket_to("events", api.key("ada")) as websocket:
        next(received(websocket))
        assert api.server.hub.clients == 1
