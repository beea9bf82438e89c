"""The client against a server that behaves as servers on real networks do."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from coordinator.cli.app import run
from coordinator.client import AccessError, BatchEvent, Client, ServiceError
from shared.errors import ConflictError, InputError, MidifarmError, NotFoundError
from shared.states import ExportStatus

VIDEO = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(VIDEO).hexdigest()
EXPORT = {"id": "exp_1", "status": "completed", "file_size": len(VIDEO), "sha256": SHA256}

Reply = Callable[["Request"], None]


class Request(BaseHTTPRequestHandler):
    """One request; ``body`` is what came with it."""

    protocol_version = "HTTP/1.1"
    server: Script
    body: bytes

    def _any(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append(self)
        self.server.replies.pop(0)(self)

    do_GET = do_POST = do_DELETE = do_PATCH = _any  # noqa: N815

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        """A whole answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def cut(self, status: int, body: bytes, length: int, **headers: str) -> None:
        """An answer that breaks off after ``body``."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Be silent."""


class Script(ThreadingHTTPServer):
    """A server that gives prepared answers, one a request."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on any free port."""
        super().__init__(("127.0.0.1", 0), Request)
        self.replies: list[Reply] = []
        self.seen: list[Request] = []

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


def tell(plain: object, status: int = 200) -> Reply:
    return lambda request: request.answer(status, json.dumps(plain).encode())


def problem(status: int, detail: str = "") -> Reply:
    body = json.dumps({"title": "x", "status": status, "detail": detail}).encode()
    return lambda request: request.answer(status, body, Content_Type="application/problem+json")


def hang_up(request: Request) -> None:
    request.close_connection = True
    request.connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def servers() -> Iterator[Callable[[], Script]]:
    running: list[tuple[Script, threading.Thread]] = []

    def begin() -> Script:
        script = Script()
        thread = threading.Thread(target=script.serve_forever, args=(0.02,))
        thread.start()
        running.append((script, thread))
        return script

    yield begin
    for script, thread in running:
        script.shutdown()
        thread.join()
        script.server_close()


@pytest.fixture
def server(servers: Callable[[], Script]) -> Script:
    return servers()


@pytest.fixture
def client(server: Script) -> Iterator[Client]:
    with Client(server.url, "mf_secret", patience_s=10) as opened:
        yield opened


def test_nobody_listens(servers: Callable[[], Script]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (
        Client(f"http://127.0.0.1:{port}", "mf_secret", patience_s=0) as lonely,
        pytest.raises(ServiceError, match=rf"127\.0\.0\.1:{port}.*MIDIFARM_URL") as caught,
    ):
        lonely.export("exp_1")
    assert "mf_secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["ftp://x", "http://[::1", "http://x:port", "nonsense"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(MidifarmError, match="no address of a server"):
        Client(url, "mf_secret", patience_s=0).export("exp_1")


@pytest.mark.parametrize("token", ["mf_ünï", "a\nb", "a b", ""])
def test_a_token_that_cannot_be_one_is_never_sent(server: Script, token: str) -> None:
    with pytest.raises(
        AccessError, match=r"^The token holds characters that no token has\."
    ) as caught:
        Client(server.url, token)
    assert not token or token not in str(caught.value)
    assert not server.seen


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AccessError),
        (403, AccessError),
        (404, NotFoundError),
        (409, ConflictError),
        (422, InputError),
        (500, ServiceError),
    ],
)
def test_what_the_server_says_is_what_the_user_reads(
    server: Script, client: Client, status: int, kind: type[MidifarmError]
) -> None:
    server.replies = [problem(status, "It is like this.")]
    with pytest.raises(kind, match=r"^It is like this\."):
        client.export("exp_1")
    assert len(server.seen) == 1


def test_reading_is_tried_again(server: Script, client: Client) -> None:
    server.replies = [problem(503), hang_up, problem(502), tell(EXPORT)]
    assert client.export("exp_1").status is ExportStatus.COMPLETED
    assert len(server.seen) == 4


def test_what_must_not_happen_twice_is_tried_again_under_one_key(
    server: Script, client: Client
) -> None:
    server.replies = [hang_up, tell({"exports": []})]
    client.create_exports("cmp_1", presets=["youtube_1080p"])
    first, again = (request.headers["idempotency-key"] for request in server.seen)
    assert len(first) == 32
    assert again == first


def test_an_upload_streams_the_file_and_starts_over_when_cut(
    server: Script, client: Client, tmp_path: Path
) -> None:
    path = tmp_path / "Für Elise.mid"
    path.write_bytes(VIDEO)
    asset = {"id": "ast_1", "kind": "midi", "name": path.name, "sha256": SHA256, "size_bytes": 1}
    server.replies = [problem(503), tell(asset, 201)]
    told: list[tuple[int, int | None]] = []
    found = client.upload(path, kind="midi", on_bytes=lambda *each: told.append(each))
    assert found.id == "ast_1"
    assert [request.body for request in server.seen] == [VIDEO, VIDEO]
    assert "name=F%C3%BCr" in server.seen[0].path
    assert server.seen[0].headers["Authorization"] == "Bearer mf_secret"
    assert told[-1] == (len(VIDEO), len(VIDEO))


def events(*numbers: int, last: str = "") -> Reply:
    def reply(request: Request) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/event-stream")
        request.end_headers()
        lines = [": ping\n\n"]
        for number in numbers:
            status = last if last and number == numbers[-1] else "rendering"
            data = json.dumps({"id": "exp_1", "status": status, "frames_done": number})
            lines.append(f"event: progress\nid: {number}\ndata: {data}\n\n")
        request.wfile.write("".join(lines).encode())
        request.close_connection = True

    return reply


def test_watching_goes_on_where_it_broke(server: Script, client: Client) -> None:
    server.replies = [events(3, 4), hang_up, problem(503), events(5), events(7, last="failed")]
    seen = list(client.watch("exp_1"))
    assert [event.event_id for event in seen] == ["3", "4", "5", "7"]
    assert seen[-1].status is ExportStatus.FAILED
    assert [request.headers.get("Last-Event-ID") for request in server.seen] == [
        *(None, "4", "4", "4", "5")
    ]


def messages(*told: tuple[str, str, object]) -> Reply:
    def reply(request: Request) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/event-stream")
        request.end_headers()
        for place, event, data in told:
            text = f"id: {place}\nevent: {event}\ndata: {json.dumps(data)}\n\n"
            request.wfile.write(text.encode())
        request.close_connection = True

    return reply


def test_watching_a_batch_tells_each_export_in_order_over_many_connections(
    server: Script, client: Client
) -> None:
    def export(number: int, status: str, export_id: str = "exp_1") -> tuple[str, str, object]:
        return str(number), "status", {"id": export_id, "status": status}

    whole = {"id": "bat_1", "total": 2, "counts": {}, "progress": 0.5, "ended": False}
    server.replies = [
        messages(export(5, "rendering"), ("5", "batch", whole)),
        messages(("5", "of the future", {}), export(3, "queued"), export(4, "queued", "exp_2")),
        messages(export(6, "completed"), ("6-end", "batch", {**whole, "ended": True})),
    ]
    seen = list(client.watch_batch("bat_1"))
    assert [event.event_id for event in seen] == ["5", "5", "4", "6", "6-end"]
    assert [request.headers.get("Last-Event-ID") for request in server.seen] == [None, "5", "4"]
    assert [isinstance(event, BatchEvent) for event in seen] == [False, True, False, False, True]


def test_a_server_that_says_nothing_is_given_up(server: Script) -> None:
    server.replies = [messages()] * 100
    with (
        Client(server.url, "mf_secret", patience_s=0.5) as client,
        pytest.raises(ServiceError, match="stopped telling about your exports"),
    ):
        next(client.watch_all())


def test_watching_what_does_not_exist(server: Script, client: Client) -> None:
    server.replies = [problem(404, "There is no export.")]
    with pytest.raises(NotFoundError):
        next(client.watch("exp_2"))


def test_a_download_that_is_cut_goes_on_where_it_broke(
    server: Script, client: Client, tmp_path: Path
) -> None:
    half = len(VIDEO) // 2

    def rest(request: Request) -> None:
        assert request.headers["Range"] == f"bytes={half}-"
        place = f"bytes {half}-{len(VIDEO) - 1}/{len(VIDEO)}"
        request.answer(206, VIDEO[half:], Content_Range=place)

    server.replies = [
        tell(EXPORT),
        lambda request: request.cut(200, VIDEO[:half], len(VIDEO)),
        problem(503),
        rest,
    ]
    target = tmp_path / "song.mp4"
    client.download("exp_1", target)
    assert target.read_bytes() == VIDEO
    assert list(tmp_path.iterdir()) == [target]


def test_a_server_that_ignores_the_range_sends_all_again(
    server: Script, client: Client, tmp_path: Path
) -> None:
    server.replies = [
        tell(EXPORT),
        lambda request: request.cut(200, VIDEO[:1000], len(VIDEO)),
        lambda request: request.answer(200, VIDEO),
    ]
    client.download("exp_1", tmp_path / "song.mp4")
    assert (tmp_path / "song.mp4").read_bytes() == VIDEO


def test_a_redirect_leads_to_the_bytes_but_the_token_stays(
    server: Script, servers: Callable[[], Script], client: Client, tmp_path: Path
) -> None:
    bucket = servers()
    link = f"{bucket.url}/bucket/video.mp4?signature=x%2Fy"
    server.replies = [tell(EXPORT), lambda request: request.answer(307, b"", Location=link)]
    bucket.replies = [lambda request: request.answer(200, VIDEO)]
    client.download("exp_1", tmp_path / "song.mp4")
    assert (tmp_path / "song.mp4").read_bytes() == VIDEO
    assert bucket.seen[0].path == "/bucket/video.mp4?signature=x%2Fy"
    assert "Authorization" not in bucket.seen[0].headers


def test_a_damaged_download_is_not_kept(server: Script, client: Client, tmp_path: Path) -> None:
    server.replies = [tell(EXPORT), lambda request: request.answer(200, VIDEO[::-1])]
    with pytest.raises(ServiceError, match="not the video"):
        client.download("exp_1", tmp_path / "song.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_only_when_asked(server: Script, client: Client, tmp_path: Path) -> None:
    target = tmp_path / "song.mp4"
    target.write_bytes(b"mine")
    with pytest.raises(InputError, match="--overwrite"):
        client.download("exp_1", target)
    assert target.read_bytes() == b"mine"
    assert server.seen == []
    server.replies = [tell(EXPORT), lambda request: request.answer(200, VIDEO)]
    client.download("exp_1", target, overwrite=True)
    assert target.read_bytes() == VIDEO


def test_a_completed_export_is_retried_as_a_new_one_and_said_so(
    server: Script, capfd: pytest.CaptureFixture[str]
) -> None:
    again = {"id": "exp_2", "status": "queued", "name": "Prelude", "reexport_of": "exp_1"}
    server.replies = [tell(EXPORT), tell(again, 202)]
    assert run(["exports", "retry", "exp_1", "--url", server.url, "--token", "mf_secret"]) == 0
    assert server.seen[-1].path == "/v1/exports/exp_1/re-export"
    told = "exp_2 queued: Prelude (a new export, which repeats exp_1)\n"
    assert capfd.readouterr().out == told


def test_an_id_cannot_name_another_route(server: Script, client: Client) -> None:
    server.replies = [problem(404, "There is no export.")]
    with pytest.raises(NotFoundError):
        client.export("../keys?x=1")
    assert server.seen[0].path == "/v1/exports/..%2Fkeys%3Fx%3D1"
    for nothing in ("", "..", "."):
        with pytest.raises(InputError, match="no id"):
            client.export(nothing)
