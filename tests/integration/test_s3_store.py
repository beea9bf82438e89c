"""The object store in a bucket of a real S3 server, also when that fails."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.errors import (
    ErrorKind,
    InputError,
    ObjectNotFoundError,
    StorageError,
    StorageFullError,
)
from shared.storage import ObjectStore, open_store
from shared.storage.s3 import S3Store
from shared.storage.s3.address import S3Address
from shared.storage.s3.patience import Patience
from shared.storage.s3.upload import MAX_PARTS, PART_BYTES, part_size
from tests.seaweedfs import SECRET_KEY, SeaweedFS
from tests.store_conformance import StoreConformance
from tests.unreliable import Fault, UnreliableProxy

pytestmark = pytest.mark.services

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024


def opened(url: str) -> S3Store:
    store = open_store(url)
    assert isinstance(store, S3Store)
    return store


@pytest.fixture
def store(s3_url: str) -> S3Store:
    return opened(s3_url)


@pytest.fixture
def proxy(seaweedfs: SeaweedFS) -> Iterator[UnreliableProxy]:
    with UnreliableProxy(seaweedfs.port) as proxy:
        yield proxy


@pytest.fixture
def behind_proxy(s3_url: str, seaweedfs: SeaweedFS, proxy: UnreliableProxy) -> S3Store:
    """The same store, reached through the proxy."""
    return opened(s3_url.replace(seaweedfs.endpoint, proxy.endpoint))


def unfinished(store: S3Store) -> list[str]:
    return [upload.object_name for upload in store._unfinished()]


class Failing:
    """Decides that the first requests that match fail, each in its own way."""

    def __init__(self, matches: Callable[[str, str], bool], *faults: Fault) -> None:
        self._matches = matches
        self._faults = list(faults)
        self._lock = threading.Lock()

    def __call__(self, method: str, target: str) -> Fault | None:
        """The fate of a request."""
        with self._lock:
            if self._faults and self._matches(method, target):
                return self._faults.pop(0)
        return None

    @property
    def left(self) -> int:
        """How many have not happened."""
        return len(self._faults)


def part_put(method: str, target: str) -> bool:
    return method == "PUT" and "partNumber=" in target


def of_method(*methods: str) -> Callable[[str, str], bool]:
    return lambda method, _target: method in methods


def pattern(size_bytes: int) -> bytes:
    """Bytes that differ from one part to the next."""
    block = b"".join(number.to_bytes(4, "big") for number in range(MIB // 4 + 1))
    return (block * (size_bytes // len(block) + 1))[:size_bytes]


class TestConformance(StoreConformance):
    """The bucket is an object store."""


def test_forty_megabytes_pass_through_bounded_memory(store: S3Store) -> None:
    data = pattern(40_000_000)
    piece = 300_001
    store.put_bytes("warm", b"x")
    tracemalloc.start()
    try:
        with store.writer("a/video.mp4") as file:
            for start in range(0, len(data), piece):
                file.write(data[start : start + piece])
        written = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        with store.reader("a/video.mp4") as source:
            read = 0
            while block := source.read(piece):
                assert block == data[read : read + len(block)]
                read += len(block)
        read_peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read == len(data)
    assert written < 1.5 * PART_BYTES
    assert read_peak < 4 * MIB
    assert store.stat("a/video.mp4").size_bytes == len(data)
    assert unfinished(store) == []


def test_a_large_file_goes_in_parts_and_comes_back(
    store: S3Store, seaweedfs: SeaweedFS, tmp_path: Path
) -> None:
    data = pattern(3 * PART_BYTES + 12345)
    path = tmp_path / "video.mp4"
    path.write_bytes(data)
    store.put_file("exports/7/video.mp4", path)
    info = seaweedfs.client().stat_object("midifarm", store.address.prefix + "exports/7/video.mp4")
    assert (info.etag or "").endswith("-4")
    with store.as_file("exports/7/video.mp4") as copy:
        assert copy.name == "video.mp4"
        assert copy.read_bytes() == data
    assert not copy.exists()
    assert not copy.parent.exists()


@pytest.mark.parametrize("size_bytes", [PART_BYTES - 1, PART_BYTES, PART_BYTES + 1])
def test_objects_of_about_one_part_are_whole(
    store: S3Store, tmp_path: Path, size_bytes: int
) -> None:
    data = pattern(size_bytes)
    with store.writer("written") as file:
        file.write(data)
    path = tmp_path / "source"
    path.write_bytes(data)
    store.put_file("copied", path)
    store.put_bytes("put", data)
    for key in ["written", "copied", "put"]:
        assert store.get_bytes(key) == data


@pytest.mark.parametrize(
    "size_bytes", [1, PART_BYTES * MAX_PARTS, PART_BYTES * MAX_PARTS + 1, 5 << 40]
)
def test_parts_of_a_file_are_few_enough_and_within_what_services_take(size_bytes: int) -> None:
    size = part_size(size_bytes)
    assert PART_BYTES <= size <= 5 << 30
    assert -(-size_bytes // size) <= MAX_PARTS


def test_parts_but_the_last_are_of_one_size(
    behind_proxy: S3Store, proxy: UnreliableProxy, tmp_path: Path
) -> None:
    data = pattern(2 * PART_BYTES + 77)
    with behind_proxy.writer("written") as file:
        for start in range(0, len(data), 999_983):
            file.write(data[start : start + 999_983])
    path = tmp_path / "source"
    path.write_bytes(data)
    behind_proxy.put_file("copied", path)
    headers = [
        header
        for request, header in zip(proxy.requests, proxy.headers, strict=True)
        if part_put(*request.split(" "))
    ]
    sizes = sorted(int(header["Content-Length"]) for header in headers)
    assert sizes == [77, 77] + [PART_BYTES] * 4
    # Over TLS the signature does not cover the body, so this alone tells that it is whole.
    last = base64.b64encode(hashlib.md5(data[-77:], usedforsecurity=False).digest()).decode()
    assert [header["Content-MD5"] for header in headers].count(last) == 2


def test_a_writer_that_fails_leaves_no_object_and_no_parts(store: S3Store) -> None:
    def write_some() -> None:
        with store.writer("a") as file:
            file.write(pattern(2 * PART_BYTES + 1))
            file.flush()
            assert unfinished(store) == [store.address.prefix + "a"]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_some()
    assert not store.exists("a")
    assert unfinished(store) == []


def test_a_file_that_shrinks_leaves_nothing(
    store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "source"
    path.write_bytes(pattern(4 * PART_BYTES))
    begin = store._client._create_multipart_upload

    def shrink(*arguments: Any) -> str:
        os.truncate(path, PART_BYTES)
        return begin(*arguments)

    monkeypatch.setattr(store._client, "_create_multipart_upload", shrink)
    with pytest.raises(OSError, match="became shorter"):
        store.put_file("a", path)
    assert not store.exists("a")
    assert unfinished(store) == []


def test_a_sweep_discards_the_uploads_of_killed_writers(store: S3Store) -> None:
    program = (
        "import sys; from shared.storage import open_store\n"
        "with open_store(sys.argv[1]).writer('a/b') as file:\n"
        "    file.write(b'x' * 40_000_000); file.flush(); print('written', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(store.address)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        writer.kill()
    other = opened(str(store.address).replace(store.address.prefix[:-1], "elsewhere"))
    assert not store.exists("a/b")
    assert store.sweep(3600) == 0, "it might still be at work"
    assert other.sweep(0) == 0, "that is another store"
    assert unfinished(store) == [store.address.prefix + "a/b"]
    # The server counts in whole seconds.
    deadline = time.monotonic() + 10
    while not (swept := store.sweep(0)):
        assert time.monotonic() < deadline
    assert swept == 1
    assert unfinished(store) == []


def test_an_upload_is_as_young_as_its_last_part(store: S3Store) -> None:
    with store.writer("a") as file:
        file.write(pattern(PART_BYTES + 1))
        file.flush()
        [upload] = store._unfinished()
        assert upload.initiated_time is not None
        # The server counts in whole seconds.
        later = upload.initiated_time + timedelta(seconds=2)
        while datetime.now(UTC) < later:
            threading.Event().wait(0.05)
        file.write(pattern(PART_BYTES))
        file.flush()
        assert store._touched_at(upload) >= later - timedelta(seconds=1)
        assert store._touched_at(upload) > upload.initiated_time


@pytest.mark.parametrize(
    "file_name", ["song.mp4", 'Ľúbostná "pieseň" 愛.mp4', "50% off; x=y.mp4", "a\r\nSet-Cookie: b"]
)
@pytest.mark.parametrize("kind", ["attachment", "inline"])
def test_a_link_downloads_or_shows_a_file_under_a_name(
    store: S3Store, file_name: str, kind: str
) -> None:
    store.put_bytes("a/video", b"0123456789")
    link = store.link(
        "a/video",
        file_name=file_name,
        content_type="video/mp4",
        valid_s=60,
        is_inline=kind == "inline",
    )
    assert link is not None
    answer = httpx.get(link)
    assert answer.status_code == 200
    assert answer.content == b"0123456789"
    assert answer.headers["content-type"] == "video/mp4"
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith(f'{kind}; filename="')
    encoded = disposition.split("filename*=UTF-8''")[1]
    expected = file_name.replace('"', "_").replace("\r", "_").replace("\n", "_")
    assert httpx.URL(f"http://host/{encoded}").path == f"/{expected}"
    assert disposition.isascii()
    assert "set-cookie" not in answer.headers
    assert httpx.get(link, headers={"Range": "bytes=2-4"}).content == b"234"
    assert httpx.get(link.replace("a/video", "a/other")).status_code == 403


def test_a_link_names_the_public_endpoint_and_holds_no_secret(s3_url: str) -> None:
    store = opened(s3_url + "&public_endpoint=https://videos.example.org&region=eu-1")
    link = store.link("a", file_name="a.mp4", content_type="video/mp4", valid_s=60)
    assert link is not None
    url = httpx.URL(link)
    assert url.host == "videos.example.org"
    assert url.path == f"/midifarm/{store.address.prefix}a"
    assert "/eu-1/s3/" in url.params["X-Amz-Credential"]
    assert SECRET_KEY not in link


@pytest.mark.parametrize(
    ("content_type", "valid_s"), [("x\r\ny/z", 60), ("a/b", 0), ("a/b", 604_801)]
)
def test_a_link_that_cannot_be_is_refused(store: S3Store, content_type: str, valid_s: int) -> None:
    with pytest.raises(ValueError, match=r"link|media type"):
        store.link("a", file_name="a", content_type=content_type, valid_s=valid_s)


def test_stores_in_one_bucket_do_not_see_one_another(s3_url: str) -> None:
    left, right, inner = (
        opened(s3_url),
        opened(s3_url.replace("?", "0?")),
        opened(s3_url.replace("?", "/inner?")),
    )
    for number, store in enumerate([left, right, inner]):
        store.put_bytes("a", bytes([number]))
    assert [store.get_bytes("a") for store in (left, right, inner)] == [b"\0", b"\1", b"\2"]
    assert [info.key for info in right.list()] == ["a"]
    assert [info.key for info in inner.list()] == ["a"]
    assert [info.key for info in left.list()] == ["a", "inner/a"]
    right.delete("a")
    assert left.exists("a")


def test_what_others_put_there_is_passed_over(store: S3Store, seaweedfs: SeaweedFS) -> None:
    client = seaweedfs.client()
    for name in ["with space", ".hidden", "é"]:
        client.put_object("midifarm", store.address.prefix + name, io.BytesIO(b"x"), 1)
    store.put_bytes("a", b"x")
    assert [info.key for info in store.list()] == ["a"]


def test_a_list_has_more_than_one_page(store: S3Store) -> None:
    keys = [f"a/{number:04}" for number in range(1005)]
    for key in keys:
        store.put_bytes(key, b"")
    assert [info.key for info in store.list("a/")] == keys


# What is wrong with the setting is said in one sentence, and no secret with it.


def test_wrong_keys_are_said(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDIFARM_S3_SECRET_KEY", "wrong-secret")
    store = opened(s3_url)
    with pytest.raises(InputError, match="refuses the keys") as caught:
        store.check()
    assert "MIDIFARM_S3_SECRET_KEY" in str(caught.value)
    assert caught.value.kind is ErrorKind.PERMANENT
    with pytest.raises(StorageError, match="refuses the keys") as in_work:
        store.put_bytes("a", b"x")
    assert in_work.value.kind is ErrorKind.TRANSIENT, "keys are also changed while work goes on"
    for text in [str(caught.value), repr(caught.value), repr(store), repr(vars(in_work.value))]:
        assert "wrong-secret" not in text

    monkeypatch.setenv("MIDIFARM_S3_ACCESS_KEY", "nobody")
    with pytest.raises(InputError, match="InvalidAccessKeyId"):
        opened(s3_url).check()


def test_missing_keys_are_said(
    s3_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MIDIFARM_S3_SECRET_KEY")
    with pytest.raises(InputError, match="MIDIFARM_S3_SECRET_KEY is not set"):
        open_store(s3_url)
    monkeypatch.delenv("MIDIFARM_S3_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    # A machine's role is asked for here; nobody answers.
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/")
    with pytest.raises(InputError, match="there are no keys"):
        opened(s3_url).check()


def test_keys_of_aws_serve_too(
    s3_url: str, seaweedfs: SeaweedFS, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ours, theirs in [
        ("MIDIFARM_S3_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
        ("MIDIFARM_S3_SECRET_KEY", "AWS_SECRET_ACCESS_KEY"),
    ]:
        monkeypatch.delenv(ours)
        monkeypatch.setenv(theirs, seaweedfs.environment[ours])
    opened(s3_url).check()


def test_a_missing_bucket_is_said_and_is_no_empty_store(s3_url: str) -> None:
    store = opened(s3_url.replace("midifarm", "absent"))
    with pytest.raises(InputError, match="There is no bucket absent"):
        store.check()
    calls: list[Callable[[], Any]] = [
        lambda: store.exists("a"),
        lambda: store.get_bytes("a"),
        lambda: list(store.list()),
        lambda: store.put_bytes("a", b"x"),
    ]
    for call in calls:
        with pytest.raises(StorageError, match="There is no bucket absent") as caught:
            call()
        assert not isinstance(caught.value, ObjectNotFoundError)


def test_a_closed_port_is_said_and_passes(s3_url: str, seaweedfs: SeaweedFS) -> None:
    store = opened(s3_url.replace(seaweedfs.endpoint, "http://127.0.0.1:9"))
    with pytest.raises(
        StorageError, match=r"127\.0\.0\.1:9 cannot be reached: .*refused"
    ) as caught:
        store.check()
    assert caught.value.kind is ErrorKind.TRANSIENT


# Faults on the way.


@pytest.mark.parametrize("status", [429, 500, 503])
def test_requests_that_fail_for_a_moment_are_made_again(
    behind_proxy: S3Store, proxy: UnreliableProxy, status: int
) -> None:
    data = pattern(PART_BYTES + 5)
    for methods in [("PUT", "POST"), ("GET",), ("HEAD",), ("DELETE",)]:
        fault = Fault(status=status)
        proxy.decide = failing = Failing(of_method(*methods), fault, fault)
        with behind_proxy.writer("a") as file:
            file.write(data)
        assert behind_proxy.get_bytes("a") == data
        assert [info.key for info in behind_proxy.list()] == ["a"]
        assert behind_proxy.exists("a")
        behind_proxy.delete("a")
        assert failing.left == 0
        assert not behind_proxy.exists("a")
    assert unfinished(behind_proxy) == []


@pytest.mark.parametrize("status", [400, 403, 501])
def test_requests_that_are_refused_are_not_made_again(
    behind_proxy: S3Store, proxy: UnreliableProxy, status: int
) -> None:
    proxy.decide = lambda _method, _target: Fault(status=status, code="NotThisWay")
    with pytest.raises(StorageError, match=r"NotThisWay") as caught:
        behind_proxy.put_bytes("a", b"x")
    assert len(proxy.requests) == 1
    assert proxy.endpoint in str(caught.value)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=507, code="XMinioStorageFull"),
        Fault(status=403, code="QuotaExceeded"),
        Fault(status=507, code="Whatever"),
    ],
)
def test_a_full_bucket_is_said(behind_proxy: S3Store, proxy: UnreliableProxy, fault: Fault) -> None:
    proxy.decide = lambda method, _target: fault if method == "PUT" else None
    with pytest.raises(StorageFullError, match="no room"):
        behind_proxy.put_bytes("a", b"x")
    with pytest.raises(StorageFullError), behind_proxy.writer("a") as file:
        file.write(bytes(2 * PART_BYTES))
    proxy.decide = lambda _method, _target: None
    assert unfinished(behind_proxy) == []
    assert not behind_proxy.exists("a")


def test_reading_goes_on_where_the_connection_broke(
    behind_proxy: S3Store, proxy: UnreliableProxy
) -> None:
    data = pattern(5_000_000)
    behind_proxy.put_bytes("a", data)
    proxy.decide = failing = Failing(
        lambda method, _target: method == "GET",
        Fault(response_bytes=1_000_003),
        Fault(response_bytes=0),
        Fault(status=503),
        Fault(response_bytes=7),
    )
    assert behind_proxy.get_bytes("a") == data
    assert failing.left == 0
    proxy.decide = Failing(lambda method, _target: method == "GET", Fault(response_bytes=99))
    with behind_proxy.reader("a", 1000, 3_000_000) as source:
        assert source.read() == data[1000:3_000_000]


def test_two_objects_are_never_mixed(
    behind_proxy: S3Store, store: S3Store, proxy: UnreliableProxy
) -> None:
    changes: list[Callable[[], None]] = [
        lambda: store.put_bytes("a", b"2" * 3_000_000),
        lambda: store.delete("a"),
    ]
    for change in changes:
        store.put_bytes("a", b"1" * 3_000_000)
        proxy.decide = Failing(
            lambda method, _target: method == "GET", Fault(response_bytes=1_000_000)
        )
        with behind_proxy.reader("a") as source:
            assert source.read(1000) == b"1" * 1000
            change()
            with pytest.raises(StorageError, match="replaced or deleted") as caught:
                source.read()
        assert not isinstance(caught.value, ObjectNotFoundError)


def test_what_was_damaged_on_its_way_is_not_stored(
    behind_proxy: S3Store, proxy: UnreliableProxy
) -> None:
    data = pattern(2 * PART_BYTES)
    proxy.decide = failing = Failing(part_put, Fault(damaged=True))
    with behind_proxy.writer("parts") as file:
        file.write(data)
    assert failing.left == 0
    proxy.decide = failing = Failing(lambda method, _: method == "PUT", Fault(damaged=True))
    behind_proxy.put_bytes("whole", data[:1000])
    assert failing.left == 0
    assert behind_proxy.get_bytes("parts") == data
    assert behind_proxy.get_bytes("whole") == data[:1000]


@pytest.mark.parametrize(
    "faults",
    [
        # The server has done it, and does not know of the upload any more.
        [Fault(answer_lost=True)],
        [Fault(answer_lost=True), Fault(status=404, code="NoSuchUpload")],
        # AWS begins its answer before it knows.
        [Fault(status=200, code="InternalError")],
        [Fault(status=503), Fault(status=200, code="InternalError")],
    ],
)
def test_an_object_whose_completion_was_in_doubt_is_there(
    behind_proxy: S3Store, proxy: UnreliableProxy, faults: list[Fault]
) -> None:
    data = pattern(2 * PART_BYTES)
    proxy.decide = failing = Failing(
        lambda method, target: method == "POST" and "uploadId=" in target, *faults
    )
    with behind_proxy.writer("a") as file:
        file.write(data)
    assert failing.left == 0
    assert behind_proxy.get_bytes("a") == data
    assert unfinished(behind_proxy) == []


def test_an_upload_that_somebody_swept_away_fails_and_passes(
    behind_proxy: S3Store, store: S3Store
) -> None:
    store.put_bytes("a", b"old")
    with pytest.raises(StorageError, match=r"NoSuchUpload|InvalidPart") as caught:
        write_and_sweep(behind_proxy, store)
    assert caught.value.kind is ErrorKind.TRANSIENT
    assert store.get_bytes("a") == b"old"


def write_and_sweep(writing: S3Store, sweeping: S3Store) -> None:
    with writing.writer("a") as file:
        file.write(pattern(2 * PART_BYTES))
        for upload in sweeping._unfinished():
            sweeping._abort(upload)


def test_a_part_that_fails_for_good_ends_the_file(
    behind_proxy: S3Store, proxy: UnreliableProxy, tmp_path: Path
) -> None:
    path = tmp_path / "source"
    path.write_bytes(pattern(4 * PART_BYTES))
    proxy.decide = Failing(part_put, Fault(status=400, code="InvalidArgument"))
    with pytest.raises(StorageError, match="InvalidArgument"):
        behind_proxy.put_file("a", path)
    assert not behind_proxy.exists("a")
    assert unfinished(behind_proxy) == []


# A server that is gone for a while.


@pytest.fixture
def own_server(
    seaweedfs: SeaweedFS, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SeaweedFS]:
    """A server that may be killed; the shared one tells whether there can be any."""
    for name, value in seaweedfs.environment.items():
        monkeypatch.setenv(name, value)
    with SeaweedFS.running(tmp_path / "server") as server:
        server.make_bucket("midifarm")
        yield server


def test_work_outlives_a_server_that_is_gone_for_seconds(own_server: SeaweedFS) -> None:
    store = opened(own_server.url("midifarm"))
    data = pattern(3 * PART_BYTES)
    store.put_bytes("old", data)

    def come_back() -> None:
        threading.Event().wait(3)
        own_server.start()

    with store.writer("new") as file, store.reader("old") as source:
        file.write(data[: 2 * PART_BYTES])
        head = source.read(1000)
        own_server.kill()
        back = threading.Thread(target=come_back)
        back.start()
        file.write(data[2 * PART_BYTES :])
        assert head + source.read() == data
    back.join()
    assert store.get_bytes("new") == data
    assert [info.key for info in store.list()] == ["new", "old"]


def test_a_server_that_stays_away_gives_a_passing_error_in_time(own_server: SeaweedFS) -> None:
    store = opened(own_server.url("midifarm"))
    store.put_bytes("a", b"x")
    own_server.kill()
    began_s = time.monotonic()
    with pytest.raises(StorageError, match=own_server.endpoint) as caught:
        store.get_bytes("a")
    assert 15 < time.monotonic() - began_s < 35
    assert caught.value.kind is ErrorKind.TRANSIENT


# Without a server.


def test_a_part_may_take_longer_than_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python counts a socket's timeout for a whole ``send``: one of 16 MiB would be too long."""
    size_bytes, received = 8 * MIB, 0

    def receive_slowly(listener: socket.socket) -> None:
        nonlocal received
        client, _ = listener.accept()
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(1)
            while received < size_bytes:
                received += len(client.recv(64 * 1024))
                threading.Event().wait(0.01)
            client.sendall(b"HTTP/1.1 200 OK\r\nETag: x\r\nContent-Length: 0\r\n\r\n")

    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = threading.Thread(target=receive_slowly, args=(listener,), daemon=True)
        server.start()
        monkeypatch.setenv("MIDIFARM_S3_ACCESS_KEY", "slow")
        monkeypatch.setenv("MIDIFARM_S3_SECRET_KEY", "slow")
        monkeypatch.setattr("shared.storage.s3.connection._CONNECT_S", 0.25)
        store = opened(f"s3://midifarm?endpoint=http://127.0.0.1:{listener.getsockname()[1]}")
        began_s = time.monotonic()
        store.put_bytes("a", bytes(size_bytes))
        assert time.monotonic() - began_s > 0.5
        server.join()
    assert received == size_bytes


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0

    def sleep(seconds: float) -> None:
        nonlocal now_s
        now_s += seconds

    monkeypatch.setattr("shared.storage.s3.patience.time.monotonic", lambda: now_s)
    monkeypatch.setattr("shared.storage.s3.patience.time.sleep", sleep)
    for _ in range(20):
        began_s, patience = now_s, Patience(30)
        tries = 1
        while patience.wait():
            tries += 1
        assert 25 < now_s - began_s <= 30
        assert 8 < tries < 60


def test_a_process_shares_its_connections(s3_url: str) -> None:
    first, second = opened(s3_url), opened(s3_url)
    assert first._connection is second._connection


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("s3://midifarm", "at which endpoint"),
        ("s3://key:secret@midifarm?endpoint=http://host", "must not hold its keys"),
        ("s3://midifarm?endpoint=http://key:secret@host", "must not hold its keys"),
        ("s3://midifarm?endpoint=http://host&secret_key=secret", "must not hold its keys"),
        ("s3://midifarm?endpoint=host:9000", "none like https"),
        ("s3://midifarm?endpoint=ftp://host", "none like https"),
        ("s3://midifarm?endpoint=http://host/path", "none like https"),
        ("s3://midifarm?endpoint=http://host&endpoint=http://other", "unknown or doubled"),
        ("s3://midifarm?endpoint=http://host&colour=red", "unknown or doubled"),
        ("s3://Midi_Farm?endpoint=http://host", "names no bucket"),
        ("s3://?endpoint=http://host", "names no bucket"),
        ("s3://midifarm/a//b?endpoint=http://host", "its prefix"),
        ("s3://midifarm/../b?endpoint=http://host", "its prefix"),
        ("s3://midifarm?endpoint=http://host&region=a/b", "its region"),
    ],
)
def test_addresses_that_say_too_little_or_too_much(url: str, match: str) -> None:
    with pytest.raises(InputError, match=match) as caught:
        open_store(url)
    assert "secret" not in str(caught.value).replace("SECRET_KEY", "").lower()


@pytest.mark.parametrize(
    ("endpoint", "region"),
    [
        ("https://0123.r2.cloudflarestorage.com", "auto"),
        ("https://0123.eu.r2.cloudflarestorage.com", "auto"),
        ("https://s3.eu-central-1.amazonaws.com", None),
        ("http://minio:9000", "us-east-1"),
    ],
)
def test_the_region_follows_from_the_host(endpoint: str, region: str | None) -> None:
    address = S3Address.parse(f"s3://midifarm/a?endpoint={endpoint}")
    assert address.region == region
    assert S3Address.parse(str(address)) == address
    assert S3Address.parse(f"s3://midifarm?endpoint={endpoint}&region=mars").region == "mars"


def test_the_client_is_loaded_only_for_buckets(tmp_path: Path) -> None:
    program = (
        "import sys; from shared.storage import open_store; open_store(sys.argv[1])\n"
        "assert 'minio' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, check=True)


def test_a_bucket_is_an_object_store(store: S3Store) -> None:
    typed: ObjectStore = store
    assert repr(typed) == f"S3Store({str(store.address)!r})"
