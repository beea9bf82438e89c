"""The folder of a node: one node's at a time, and clean when it starts."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from coordinator.node.folder import NodeFolder, supervisor_in
from coordinator.node.here import node_here
from shared.errors import InputError


@pytest.fixture
def path() -> Iterator[Path]:
    """A name that is short enough."""
    with tempfile.TemporaryDirectory(prefix="mf-", dir="/tmp") as name:
        yield Path(name, "node")


def test_a_folder_is_one_nodes_alone_and_goes_with_it(path: Path) -> None:
    with NodeFolder(path) as folder:
        assert path.stat().st_mode & 0o777 == 0o700
        assert supervisor_in(path) == os.getpid()
        with pytest.raises(InputError, match=r"Another node runs in .*`midifarm cluster leave`"):
            NodeFolder(path)
        (path / "ray").mkdir()
    assert not path.exists()
    folder.close()
    assert supervisor_in(path) is None
    assert node_here(path) is None


def test_what_a_killed_node_has_left_is_ended_and_removed(path: Path) -> None:
    first = NodeFolder(path)
    (path / "ray" / "session").mkdir(parents=True)
    (path / "standing.json").write_text("{}")
    with subprocess.Popen(["sleep", "60"], env=first.mark) as left:
        stranger = subprocess.Popen(["sleep", "60"])
        os.close(first._lock)  # as the kernel does when it kills who has it
        with NodeFolder(path):
            assert left.wait(20) != 0
            assert stranger.poll() is None
            assert [each.name for each in path.iterdir()] == ["node.lock"]
    stranger.kill()
    stranger.wait()


@pytest.mark.parametrize(
    ("name", "told"),
    [("x" * 60, "too long a name"), ("file", "cannot be the node's folder: File exists")],
)
def test_a_folder_that_will_not_do_is_told(path: Path, name: str, told: str) -> None:
    (path.parent / "file").touch()
    with pytest.raises(InputError, match=told):
        NodeFolder(path.parent / name)


def test_a_node_needs_a_token_and_a_head_that_answers(path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    environment |= {"MIDIFARM_NODE_DIR": str(path)}

    def run(*arguments: str, **more: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "coordinator.cli", "cluster", *arguments],
            env=environment | more,
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
        )
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1
        return done.returncode, done.stderr

    for words in (["head", "10.0.0.1:1"], ["join", "10.0.0.1:1"], ["beside", "true"]):
        status, told = run(*words, MIDIFARM_RAY_ADDRESS="10.0.0.1:1")
        assert (status, "Set RAY_AUTH_TOKEN" in told) == (2, True), words
    status, told = run("join", "127.0.0.1:1", RAY_AUTH_TOKEN="t")  # noqa: S106
    assert (status, "There is no Ray cluster at 127.0.0.1:1" in told) == (1, True)
    status, told = run("head", "127.0.0.1:1", RAY_AUTH_TOKEN="t")  # noqa: S106
    assert (status, "No other machine reaches a node at 127.0.0.1" in told) == (2, True)
    assert not path.exists()
