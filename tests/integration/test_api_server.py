"""The API as a process of its own: starting, stopping, and handing the socket on."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from coordinator.database import Database, api_keys
from coordinator.database.migrations import migrate
from shared.storage import LocalStore
from tests.api import WITHIN_S, RunningApi, Stream

_PROGRAM = """
import socket, sys
from pydantic import SecretStr
from coordinator.api.server import run_api
from coordinator.settings import ServiceSettings
settings = ServiceSettings(database_url=SecretStr(sys.argv[1]), storage_url=sys.argv[2])
run_api(settings, socket.socket(fileno=int(sys.argv[3])))
"""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        yield bound


@contextmanager
def api_process(
    url: str, folder: Path, listener: socket.socket
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that serves on a socket of ours, as `midifarm serve` starts one."""
    number = listener.fileno()
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", _PROGRAM, url, str(folder), str(number)],
        pass_fds=[number],
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _migrate(url: str) -> None:
    async def run() -> None:
        async with Database(url) as database:
            await migrate(database)

    asyncio.run(run())


def _address(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _add_export(url: str) -> tuple[str, str]:
    """An export of ada's, and her token."""
    token = api_keys.new_token()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "insert into api_keys (id, user_id, name, token_hash) values ('k', 'ada', 'k', %s)",
            (api_keys.token_hash(token),),
        )
        connection.execute("insert into compositions (id, user_id, name) values ('c', 'ada', 'c')")
        connection.execute("insert into composition_revisions values ('c', 1, '{}')")
        connection.execute(
            "insert into export_jobs (id, user_id, composition_id, composition_revision, config,"
            " name, intake) values ('e', 'ada', 'c', 1, '{}', 'Song', '{}')"
        )
        connection.execute("select tell_export('e', false)")
    return "e", token


def test_a_polite_kill_ends_streams_and_the_process_within_two_seconds(
    migrated_database_url: str, tmp_path: Path, listener: socket.socket
) -> None:
    _migrate(migrated_database_url)
    export_id, token = _add_export(migrated_database_url)
    headers = {"Authorization": f"Bearer {token}"}
    address = f"{_address(listener)}/v1/exports/{export_id}/events"
    with api_process(migrated_database_url, tmp_path, listener) as process, ExitStack() as stack:
        # Asked before it can answer: the request waits in the socket's queue.
        client = stack.enter_context(httpx.Client(headers=headers, timeout=WITHIN_S))
        streams = []
        for _ in range(5):
            answer = stack.enter_context(client.stream("GET", address))
            messages = iter(Stream(answer))
            assert next(messages).retry
            assert next(messages).data["status"] == "queued"
            streams.append(messages)
        began_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert [list(messages) for messages in streams] == [[]] * 5
        assert process.wait(WITHIN_S) == 0
        assert time.monotonic() - began_s < 2
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()


def test_a_restart_refuses_no_connection(
    migrated_database_url: str, tmp_path: Path, listener: socket.socket
) -> None:
    _migrate(migrated_database_url)
    address = f"{_address(listener)}/healthz"
    with api_process(migrated_database_url, tmp_path, listener) as process:
        assert httpx.get(address, timeout=WITHIN_S).status_code == 200
        process.kill()
        process.wait()
    with socket.create_connection(listener.getsockname()) as waiting:
        waiting.settimeout(WITHIN_S)
        waiting.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        with api_process(migrated_database_url, tmp_path, listener):
            assert waiting.recv(100).startswith(b"HTTP/1.1 200 OK")


def test_it_waits_for_the_dispatcher_to_migrate(
    embedded_database_url: str, tmp_path: Path, listener: socket.socket
) -> None:
    with api_process(embedded_database_url, tmp_path, listener) as process:
        assert process.stderr is not None
        assert b"api_waits" in process.stderr.readline()
        _migrate(embedded_database_url)
        assert httpx.get(f"{_address(listener)}/readyz", timeout=WITHIN_S).status_code == 200
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(WITHIN_S) == 0


def test_answers_on_a_kept_connection_wait_for_no_acknowledgement(
    migrated_database_url: str, tmp_path: Path
) -> None:
    with RunningApi(migrated_database_url, LocalStore(tmp_path)) as api:
        took_s = []
        for _ in range(10):
            begun_s = time.perf_counter()
            assert api.visitor.get("/healthz").status_code == 200
            took_s.append(time.perf_counter() - begun_s)
        # Linux acknowledges after 40 ms what nothing is sent in answer to.
        assert min(took_s[1:]) < 0.03
