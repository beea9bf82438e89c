"""``midifarm serve`` as people run it: ready soon, gone when told, and nothing left behind."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.service import Serving, alive, midifarm, naming, wait_for_the_end_of, wait_until
from tests.songs import SongFile

pytestmark = pytest.mark.ray

Start = Callable[..., Serving]

# The promise is 15 s on a machine that has nothing else to do, which one that tests has.
READY_S = 30.0
STOP_S = 10.0
CHILDREN = ("api", "postgres", "dispatch")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the user as whom root's PostgreSQL runs may walk through."""
    with tempfile.TemporaryDirectory(prefix="mf-serve-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Starts services, which are ended whatever happens."""
    started: list[Serving] = []

    def begin(name: str = "data", *arguments: str) -> Serving:
        started.append(Serving(folder / name, *arguments))
        return started[-1]

    yield begin
    for serving in started:
        serving.destroy()


def new_child(serving: Serving, name: str, than: psutil.Process) -> psutil.Process:
    """The successor of a child that was killed."""
    found = wait_until(
        lambda: (child := serving.child(name)) is not None and child != than and child,
        f"another {name}",
    )
    assert isinstance(found, psutil.Process)
    return found


def command_lines(serving: Serving) -> list[str]:
    """The command lines of all that it runs."""
    lines = []
    for process in serving.tree():
        with contextlib.suppress(psutil.NoSuchProcess):  # some of Ray's live for a moment only
            lines.append(" ".join(process.cmdline()))
    assert any("dispatch" in line for line in lines)
    return lines


def is_ready(serving: Serving) -> bool:
    try:
        return httpx.get(f"{serving.url}/readyz", timeout=20).status_code == 200
    except httpx.TransportError:
        return False


def test_a_song_becomes_a_video_and_nothing_is_left_behind(folder: Path, start: Start) -> None:
    serving = start()
    assert serving.wait_until_ready() < READY_S
    assert stat.S_IMODE((serving.data_dir / "token").stat().st_mode) == 0o600
    assert serving.token not in " ".join(command_lines(serving))

    refused = midifarm("serve", "--data-dir", serving.data_dir, "--port", "0", cwd=folder)
    assert refused.returncode == 2
    assert refused.stderr.startswith("midifarm: Another `midifarm serve` is using")
    assert refused.stderr.count("\n") == 1

    song = SongFile().note(0, 0.5, 60).save(folder / "song.mid")
    done = midifarm(
        *("submit", song, "--preset", "youtube_1080p", "--size", "320x180", "--end", "1"),
        *("--watch", "--json"),
        cwd=folder,
        environment=serving.client,
    )
    assert done.returncode == 0, done.stderr
    (export,) = json.loads(done.stdout)["exports"]
    assert export["status"] == "completed"
    assert export["progress"] == 1.0
    shown = midifarm(
        "exports", "show", export["id"], "--json", cwd=folder, environment=serving.client
    )
    assert json.loads(shown.stdout)["frames"] == export["frames"] > 0
    loaded = midifarm(
        *("exports", "download", export["id"], "-o", "song.mp4"),
        cwd=folder,
        environment=serving.client,
    )
    assert loaded.returncode == 0, loaded.stderr
    video = (folder / "song.mp4").read_bytes()
    assert len(video) == export["file_size"]
    assert hashlib.sha256(video).hexdigest() == export["sha256"]
    again = midifarm(
        "exports", "retry", export["id"], "--json", cwd=folder, environment=serving.client
    )
    (copy,) = json.loads(again.stdout)["exports"]
    assert copy["id"] != export["id"]
    watched = midifarm("exports", "watch", copy["id"], cwd=folder, environment=serving.client)
    assert watched.returncode == 0, watched.stderr

    before = serving.tree()
    dispatcher = serving.child("dispatch")
    assert dispatcher is not None
    assert serving.stop() < STOP_S
    assert alive(before) == []
    assert naming(serving.data_dir) == []
    assert list(Path(tempfile.gettempdir()).glob(f"mf-{dispatcher.pid}-*")) == []


def test_killed_and_started_again(start: Start) -> None:
    first = start()
    first.wait_until_ready()
    before = first.tree()
    first.process.kill()
    first.process.wait()
    second = start()
    second.wait_until_ready()
    assert second.token == first.token
    # Ray's agents look only now and then whether their node is still there.
    wait_for_the_end_of(before)
    before = second.tree()
    assert second.stop() < STOP_S
    assert alive(before) == []
    assert naming(second.data_dir) == []


def test_children_that_die_are_replaced_and_a_neighbour_does_not_notice(start: Start) -> None:
    serving, neighbour = start("one"), start("two")
    serving.wait_until_ready()
    neighbour.wait_until_ready()
    # Ray's idle workers come and go.
    beside = {child for name in CHILDREN if (child := neighbour.child(name)) is not None}
    assert len(beside) == len(CHILDREN)
    assert serving.url != neighbour.url
    log = serving.data_dir / "logs" / "dispatch.log"
    for name in CHILDREN:
        said = log.read_text()
        child = serving.child(name)
        assert child is not None, name
        below = set(child.children(recursive=True))
        child.send_signal(signal.SIGKILL)
        new_child(serving, name, child)
        wait_until(lambda: is_ready(serving), f"the service without its {name}")
        wait_for_the_end_of(below)
    assert set(alive(beside)) == beside
    wait_until(lambda: " leading " in log.read_text()[len(said) :], "the next one to lead")
    before = serving.tree() | neighbour.tree()
    assert serving.stop() < STOP_S
    assert is_ready(neighbour)
    assert neighbour.stop() < STOP_S
    assert alive(before) == []


def test_a_first_start_that_fails_is_told_in_one_line(folder: Path) -> None:
    for arguments, reason in (
        (("--database-url", "postgresql://u:Pa55word@127.0.0.1:1/x"), "refused"),
        (("--storage-url", "s3://bucket"), "endpoint"),
    ):
        done = midifarm(
            "serve", "--data-dir", folder / "data", "--port", "0", *arguments, cwd=folder
        )
        assert done.returncode == 2
        assert done.stdout == ""
        told = done.stderr.splitlines()[-1]
        assert told.startswith("midifarm: ")
        assert reason in told
        assert "Pa55word" not in done.stderr
        assert naming(folder / "data") == []


def test_a_stop_while_it_starts_is_a_clean_stop(folder: Path, start: Start) -> None:
    serving = start()
    wait_until(lambda: (folder / "data" / "dispatch.pid").exists(), "the dispatcher")
    before = serving.tree()
    os.kill(serving.process.pid, signal.SIGINT)
    assert serving.process.wait(STOP_S) == 0
    assert alive(before) == []
    assert naming(serving.data_dir) == []
