"""The embedded PostgreSQL, and what is left of it when somebody is killed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from coordinator.postgres import EmbeddedPostgres
from shared.errors import DatabaseError, InputError
from tests.postgres import Server, binaries

DEADLINE_S = 20
NAMED_UID = 1
"""daemon, on every Debian."""
UNNAMED_UID = 54321
"""Nobody has it, as where a container is run as some number."""
AS_ROOT = os.geteuid() == 0

# Tells the server's process number and URL, and lives until its input is closed or it is killed.
SUPERVISOR = """
import sys
from pathlib import Path
from coordinator.postgres import EmbeddedPostgres
from shared.errors import MidifarmError
try:
    with EmbeddedPostgres(Path(sys.argv[1]), Path(sys.argv[2])) as server:
        print(server.pid, server.url, flush=True)
        sys.stdin.read()
except MidifarmError as exc:
    print(type(exc).__name__, exc, flush=True)
"""
INSERT = "INSERT INTO kept VALUES (%s)"


def _require_user(uid: int, programs: Path) -> None:
    """Skip where that user cannot reach Python or the server, as with a Python in root's home."""
    for command in (
        [sys.executable, "-c", "import coordinator"],
        [str(programs / "postgres"), "-V"],
    ):
        try:
            refused = subprocess.run(
                command, user=uid, group=uid, extra_groups=[], capture_output=True, check=False
            ).returncode
        except PermissionError:
            refused = 126
        if refused:
            pytest.skip(f"user {uid} cannot run {command[0]}")


@pytest.fixture
def programs(postgres_server: Server) -> Path:
    found = binaries(postgres_server)
    assert found is not None
    return found


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user may enter and write to, unlike those of pytest."""
    with tempfile.TemporaryDirectory(prefix="mf-pg-") as name:
        Path(name).chmod(0o777)
        yield Path(name)


Supervise = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def supervise(programs: Path) -> Iterator[Supervise]:
    """Starts a process that runs a server."""
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path, *, uid: int | None = None, path: str = "") -> subprocess.Popen[str]:
        supervisor = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, folder, programs],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            user=uid,
            group=uid,
            extra_groups=None if uid is None else [],
            env=os.environ | {"PATH": path + os.environ["PATH"]},
        )
        started.append(supervisor)
        return supervisor

    yield start
    for supervisor in started:
        supervisor.communicate(timeout=DEADLINE_S)


def _said(supervisor: subprocess.Popen[str]) -> list[str]:
    assert supervisor.stdout is not None
    return supervisor.stdout.readline().split(" ", 1)


def _value(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def _keep_a_row(url: str, value: int = 7) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value integer)")
        connection.execute(INSERT, [value])


def _kept(url: str) -> object:
    return _value(url, "SELECT max(value) FROM kept")


def test_data_outlives_a_stop_and_a_restart(programs: Path, place: Path) -> None:
    server = EmbeddedPostgres(place / "pg", programs)
    with server:
        url = server.url
        _keep_a_row(url)
        server.start()
        server.restart()
        assert server.url == url
        assert server.poll() is None
        assert _kept(url) == 7
    assert server.poll() == 0
    server.stop()
    with pytest.raises(DatabaseError, match="not started"):
        _ = server.url
    with server:
        assert _kept(server.url) == 7


def test_it_commits_to_disk_and_listens_on_a_private_socket_alone(
    programs: Path, place: Path
) -> None:
    with EmbeddedPostgres(place / "pg", programs) as server:
        assert _value(server.url, "SHOW fsync") == "on"
        assert _value(server.url, "SHOW synchronous_commit") == "on"
        assert _value(server.url, "SHOW max_connections") == "100"
        postmaster = psutil.Process(server.pid)
        assert postmaster.net_connections("inet") == []
        for process in postmaster.children():
            with suppress(psutil.NoSuchProcess):  # one that tidied up and has ended
                assert process.net_connections("inet") == []
        for private in (place / "pg", place / "pg/socket", place / "pg/data"):
            assert stat.S_IMODE(private.stat().st_mode) & 0o077 == 0, private


def test_the_callers_variables_for_postgres_are_not_obeyed(
    programs: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGPORT": "6000", "PGDATA": "/nowhere", "PGHOST": "nowhere"}.items():
        monkeypatch.setenv(name, value)
    with EmbeddedPostgres(place / "pg", programs) as server:
        assert _value(server.url, "SELECT 1") == 1


def test_acknowledged_rows_outlive_a_killed_server(programs: Path, place: Path) -> None:
    with EmbeddedPostgres(place / "pg", programs) as server:
        _keep_a_row(server.url, 0)
        acknowledged: list[int] = []
        many = threading.Event()

        def write() -> None:
            with psycopg.connect(server.url, autocommit=True) as connection:
                while True:
                    connection.execute(INSERT, [len(acknowledged) + 1])
                    acknowledged.append(len(acknowledged) + 1)
                    if len(acknowledged) == 300:
                        many.set()

        def write_until_broken() -> None:
            with pytest.raises(psycopg.OperationalError):
                write()

        writer = threading.Thread(target=write_until_broken)
        writer.start()
        assert many.wait(DEADLINE_S)
        os.kill(server.pid, signal.SIGKILL)
        writer.join(DEADLINE_S)
        server.restart()
        kept = _value(server.url, "SELECT array_agg(value ORDER BY value) FROM kept")
        assert isinstance(kept, list)
        # The last one may have been committed without our having heard of it.
        assert kept[: len(acknowledged) + 1] == [0, *acknowledged]
        assert len(kept) <= len(acknowledged) + 2


def test_the_server_ends_with_a_killed_supervisor(
    programs: Path, place: Path, supervise: Supervise
) -> None:
    supervisor = supervise(place / "pg")
    pid, url = _said(supervisor)
    _keep_a_row(url)
    processes = [psutil.Process(int(pid)), *psutil.Process(int(pid)).children()]
    supervisor.kill()
    supervisor.wait(DEADLINE_S)
    # Without waiting for the server: whoever starts next does that.
    with EmbeddedPostgres(place / "pg", programs) as server:
        assert _kept(server.url) == 7
        _, alive = psutil.wait_procs(processes, timeout=DEADLINE_S)
        assert alive == []
    assert "was interrupted" not in (place / "pg/postgres.log").read_text()


def test_the_server_outlives_the_thread_that_started_it(programs: Path, place: Path) -> None:
    server = EmbeddedPostgres(place / "pg", programs)
    starter = threading.Thread(target=server.start)
    starter.start()
    starter.join()
    try:
        with pytest.raises(psutil.TimeoutExpired):
            psutil.Process(server.pid).wait(0.5)
        assert _value(server.url, "SELECT 1") == 1
    finally:
        server.stop()


def test_a_folder_is_for_one_midifarm(programs: Path, place: Path, supervise: Supervise) -> None:
    with EmbeddedPostgres(place / "pg", programs) as server:
        second = supervise(place / "pg")
        said = " ".join(_said(second))
        assert said.startswith("InputError Another midifarm is using"), said
        assert str(place / "pg") in said
        assert _value(server.url, "SELECT 1") == 1


def test_a_number_that_went_to_another_process_is_no_server(programs: Path, place: Path) -> None:
    note = place / "pg/data/postmaster.pid"
    with EmbeddedPostgres(place / "pg", programs) as server:
        _keep_a_row(server.url)
        lines = note.read_text().splitlines()
        left_over = "\n".join([str(os.getpid()), *lines[1:]])
    note.write_text(left_over)
    with EmbeddedPostgres(place / "pg", programs) as server:
        assert _kept(server.url) == 7


def test_a_server_started_by_hand_is_left_alone(programs: Path, place: Path) -> None:
    with EmbeddedPostgres(place / "pg", programs) as server:
        command = psutil.Process(server.pid).cmdline()
        owner = (place / "pg/data").stat()
        prefix = ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"]
    (place / "pg/socket").mkdir(mode=0o700)
    os.chown(place / "pg/socket", owner.st_uid, owner.st_gid)
    by_hand = subprocess.Popen(
        [*prefix, *command] if owner.st_uid == 0 else command,
        stderr=subprocess.PIPE,
        text=True,
        user=owner.st_uid if AS_ROOT else None,
        group=owner.st_gid if AS_ROOT else None,
    )
    try:
        assert by_hand.stderr is not None
        assert any("ready to accept" in line for line in by_hand.stderr)
        with pytest.raises(InputError, match=rf"did not start \(process {by_hand.pid}\)"):
            EmbeddedPostgres(place / "pg", programs).start()
        assert by_hand.poll() is None
    finally:
        by_hand.send_signal(signal.SIGINT)
        by_hand.communicate(timeout=DEADLINE_S)


@pytest.mark.parametrize("name", ["long" * 30, 'list, "of" folders', "ümläut und %20"])
def test_any_path_will_do(programs: Path, place: Path, name: str) -> None:
    folder = place / name / "pg"
    with EmbeddedPostgres(folder, programs) as server:
        assert _value(server.url, "SELECT 1") == 1
        used = (folder / "socket").resolve()
        listening = socket.socket(socket.AF_UNIX)
        with listening:
            listening.connect(str(used / ".s.PGSQL.5432"))
        assert stat.S_IMODE(used.stat().st_mode) == 0o700
    assert not used.exists()


def test_a_socket_elsewhere_is_removed_after_a_kill(
    programs: Path, place: Path, supervise: Supervise
) -> None:
    folder = place / ("long" * 30)
    supervisor = supervise(folder)
    assert _said(supervisor)[0].isdecimal()
    left = (folder / "socket").readlink()
    supervisor.kill()
    supervisor.wait(DEADLINE_S)
    with EmbeddedPostgres(folder, programs) as server:
        assert _value(server.url, "SELECT 1") == 1
        assert not left.exists()


def test_a_broken_off_initdb_is_made_anew(programs: Path, place: Path) -> None:
    unfinished = place / "pg/data.new/base"
    unfinished.mkdir(parents=True)
    (place / "pg/data.new/PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(place / "pg", programs) as server:
        assert _value(server.url, "SELECT 1") == 1
    assert not unfinished.parent.exists()


def test_data_of_another_version_is_left_as_it_is(programs: Path, place: Path) -> None:
    with EmbeddedPostgres(place / "pg", programs):
        pass
    (place / "pg/data/PG_VERSION").write_text("12\n")
    with pytest.raises(InputError, match="was made by PostgreSQL 12") as caught:
        EmbeddedPostgres(place / "pg", programs).start()
    assert "pg_dumpall of version 12" in caught.value.message
    assert (place / "pg/data/PG_VERSION").read_text() == "12\n"


def test_a_failed_start_says_why_and_leaves_the_folder_free(programs: Path, place: Path) -> None:
    server = EmbeddedPostgres(place / "pg", programs)
    with server:
        pass
    settings = place / "pg/data/postgresql.conf"
    right = settings.read_text()
    settings.write_text(right + "\nwork_mem = 'plenty'\n")
    with pytest.raises(DatabaseError, match='invalid value for parameter "work_mem": "plenty"'):
        server.start()
    settings.write_text(right)
    with EmbeddedPostgres(place / "pg", programs) as another:
        assert _value(another.url, "SELECT 1") == 1


def test_a_long_log_is_set_aside(programs: Path, place: Path) -> None:
    (place / "pg").mkdir()
    log = place / "pg/postgres.log"
    with log.open("wb") as file:
        file.truncate(11 << 20)
    with EmbeddedPostgres(place / "pg", programs):
        assert 0 < log.stat().st_size < 1 << 20


def test_a_server_that_does_not_stop_is_killed(programs: Path, place: Path) -> None:
    with EmbeddedPostgres(place / "pg", programs) as server:
        _keep_a_row(server.url)
        processes = psutil.Process(server.pid).children()
        os.kill(server.pid, signal.SIGSTOP)
        server.stop(timeout_s=0.1)
        assert server.poll() == -signal.SIGKILL
        _, alive = psutil.wait_procs(processes, timeout=DEADLINE_S)
        assert alive == []
        server.start()
        assert _kept(server.url) == 7


@pytest.mark.skipif(not AS_ROOT, reason="only root can become another user")
@pytest.mark.parametrize("uid", [NAMED_UID, UNNAMED_UID])
def test_an_ordinary_users_folder_serves_root_too(
    programs: Path, place: Path, supervise: Supervise, uid: int
) -> None:
    if uid == UNNAMED_UID:
        refused = subprocess.run(["unshare", "--user", "true"], user=uid, check=False).returncode
        if refused:
            pytest.skip("a user without a name needs a user namespace, and there are none here")
    _require_user(uid, programs)
    supervisor = supervise(place / "pg", uid=uid)
    pid, url = _said(supervisor)
    assert psutil.Process(int(pid)).uids().real == uid
    _keep_a_row(url)
    supervisor.communicate(timeout=DEADLINE_S)
    with EmbeddedPostgres(place / "pg", programs) as server:
        assert psutil.Process(server.pid).uids().real == uid
        assert _kept(server.url) == 7
    again = supervise(place / "pg", uid=uid)
    assert _kept(_said(again)[1]) == 7


@pytest.mark.skipif(not AS_ROOT, reason="only root has files that others cannot reach")
def test_somebody_elses_folder_is_refused_in_a_sentence(
    programs: Path, place: Path, supervise: Supervise
) -> None:
    _require_user(UNNAMED_UID, programs)
    (place / "pg").mkdir(mode=0o700)
    said = " ".join(_said(supervise(place / "pg", uid=UNNAMED_UID)))
    assert said.startswith("InputError The database cannot be kept in"), said


@pytest.fixture
def no_namespaces(place: Path) -> str:
    """A PATH on which ``unshare`` refuses, as the kernel does in most containers."""
    refusal = place / "bin/unshare"
    refusal.parent.mkdir()
    refusal.write_text("#!/bin/sh\necho unshare failed: Operation not permitted >&2\nexit 1\n")
    refusal.chmod(0o755)
    return f"{refusal.parent}:"


@pytest.mark.skipif(not AS_ROOT, reason="only root has to become somebody else")
def test_root_without_namespaces_runs_it_as_nobody(
    programs: Path, place: Path, supervise: Supervise, no_namespaces: str
) -> None:
    supervisor = supervise(place / "pg", path=no_namespaces)
    pid, url = _said(supervisor)
    assert psutil.Process(int(pid)).uids().real == 65534
    _keep_a_row(url)
    supervisor.kill()
    supervisor.wait(DEADLINE_S)
    with EmbeddedPostgres(place / "pg", programs) as server:
        assert _kept(server.url) == 7


@pytest.mark.skipif(not AS_ROOT, reason="only root has to become somebody else")
def test_data_made_in_a_namespace_goes_over_to_nobody(
    programs: Path, place: Path, supervise: Supervise, no_namespaces: str
) -> None:
    with EmbeddedPostgres(place / "pg", programs) as server:
        _keep_a_row(server.url)
    again = supervise(place / "pg", path=no_namespaces)
    assert _kept(_said(again)[1]) == 7


@pytest.mark.skipif(not AS_ROOT, reason="only root has to become somebody else")
def test_root_under_a_closed_folder(place: Path, supervise: Supervise, no_namespaces: str) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    said = " ".join(_said(supervise(closed / "pg", path=no_namespaces)))
    assert said.startswith("InputError PostgreSQL refuses to run as root"), said
    assert "0755" in said
    if shutil.which("unshare"):
        assert _said(supervise(closed / "pg"))[0].isdecimal()
