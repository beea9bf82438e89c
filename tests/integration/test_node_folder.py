"""The folder of a node: one node's at a time, and clean when it starts."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.introduction import NODE_DIR_VARIABLE
from coordinator.cli.app import run
from coordinator.node.folder import MARK, NodeFolder, supervisor_in
from coordinator.node.here import node_here
from shared.errors import InputError
from tests.deployed import SETTINGS
from tests.service import wait_until


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


def raylet(name: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """What looks like a node of Ray's."""
    options = [f"--node_id={name}", "--gcs-address=head:6379"]
    return subprocess.Popen(
        ["/opt/ray/raylet", "-c", "import time; time.sleep(60)", *options],
        executable=sys.executable,
        env=environment,
    )


def test_the_node_of_a_folder_is_found_whoever_has_started_it(path: Path) -> None:
    with NodeFolder(path) as folder:
        nodes = [
            raylet("elsewhere", {MARK: f"{path}-2", NODE_DIR_VARIABLE: f"{path}-2"}),
            raylet("by-kuberay", {NODE_DIR_VARIABLE: f"{path}-3"}),
            raylet("ours", {**folder.mark, NODE_DIR_VARIABLE: str(path)}),
        ]
        found = wait_until(lambda: node_here(path), "the node")
        assert (found.id, found.head, found.supervisor) == ("ours", "head:6379", os.getpid())
        other = wait_until(lambda: node_here(Path(f"{path}-3")), "the other node")
        assert (other.id, other.supervisor) == ("by-kuberay", None)
        other.end(0)
        assert nodes[1].poll() is None, "who has started it ends it"
    for node in nodes:
        node.kill()
        node.wait()
    assert node_here(path) is None


@pytest.mark.parametrize(
    ("name", "told"),
    [("x" * 60, "too long a name"), ("file", "cannot be the node's folder: File exists")],
)
def test_a_folder_that_will_not_do_is_told(path: Path, name: str, told: str) -> None:
    (path.parent / "file").touch()
    with pytest.raises(InputError, match=told):
        NodeFolder(path.parent / name)


@pytest.mark.parametrize(
    ("words", "token", "status", "told"),
    [
        ("head 10.0.0.1:1", "", 2, "Set RAY_AUTH_TOKEN"),
        ("join 10.0.0.1:1", "", 2, "Set RAY_AUTH_TOKEN"),
        ("beside --ray-address 10.0.0.1:1 true", "", 2, "Set RAY_AUTH_TOKEN"),
        ("join", "t", 2, "Say where the head of the cluster is"),
        ("join nowhere", "t", 2, "write it as HOST:PORT"),
        ("join 127.0.0.1:1", "t", 1, "There is no Ray cluster at 127.0.0.1:1"),
        ("join 10.0.0.1:1 --pool Night", "t", 2, "--pools: 'Night' is no name of a pool"),
        ("join 10.0.0.1:1 --gpu-slots 0", "t", 2, "--gpu-slots: Input should be greater"),
        ("head 127.0.0.1:1", "t", 2, "No other machine reaches a node at 127.0.0.1"),
        ("head --node-ip here", "t", 2, "'here' is no address of a machine"),
        ("status", "t", 2, "Start one with `midifarm cluster join`"),
        ("drain --undo", "t", 2, "Start one with `midifarm cluster join`"),
    ],
)
def test_a_node_that_cannot_be_is_told_in_one_line(
    words: str,
    token: str,
    status: int,
    told: str,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name in (*SETTINGS, "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("RAY_AUTH_TOKEN", token)
    monkeypatch.setenv("MIDIFARM_NODE_DIR", str(path))
    assert run(["cluster", *words.split()]) == status
    out, err = capfd.readouterr()
    assert out == ""
    assert told in err
    assert (err.count("\n"), err.startswith("midifarm: ")) == (1, True)
    assert not path.exists()


def test_leaving_is_no_error_where_nothing_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDIFARM_NODE_DIR", str(path))
    assert run(["cluster", "leave"]) == 0
