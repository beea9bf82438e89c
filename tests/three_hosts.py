"""A farm of three hosts: the head, the dispatcher and a node on one, a node on each of the others.

PostgreSQL and the folder of objects are outside of the hosts, where all of them find both.
"""

from __future__ import annotations

import secrets
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

from coordinator.client import Client, Export
from shared.storage import LocalStore
from tests.api import RunningApi
from tests.hosts import Network, Program
from tests.service import clean_environment, wait_until
from tests.songs import SongFile

MIDIFARM: Final = (sys.executable, "-P", "-m", "coordinator.cli")
READY_S: Final = 60.0
_LIVING: Final = "select id, slots from nodes where seen_at > now() - interval '8 s'"
"""Nodes of which the dispatcher says every five seconds that they live."""
_FOREVER: Final = 'while :; do "$@"; echo "ended with $?"; sleep 0.2; done'
"""What systemd does with a dispatcher."""


class ThreeHosts:
    """The farm; a context manager."""

    def __init__(self, database_url: str) -> None:
        """Prepare to run it on an empty database."""
        self._database_url = database_url
        self._stack = ExitStack()
        self._environment = clean_environment(RAY_AUTH_TOKEN=secrets.token_hex(32))
        self._nodes: dict[int, Program] = {}

    def __enter__(self) -> Self:
        with self._stack:
            # Sockets lie below it, and their paths must be short.
            self.folder = Path(tempfile.mkdtemp(prefix="mf-hosts-", dir="/tmp"))
            self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self.store = LocalStore(self.folder / "store")
            self.hosts = self._stack.enter_context(Network(3)).hosts
            self.api = self._stack.enter_context(RunningApi(self._database_url, self.store))
            self.client = self._stack.enter_context(
                Client(self.api.url, self.api.key("ada", scope="admin"))
            )
            self.start_head()
            self._dispatch()
            self.join(1, 2)
            wait_until(lambda: self.slots == 3, "three slots", READY_S)
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # Programs

    @property
    def head(self) -> str:
        """Where the head of the cluster is."""
        return f"{self.hosts[0].address}:6379"

    def start_head(self) -> None:
        """Run the head, which has a slot of its own, and wait until it is up."""
        data_dir = self.folder / "head"
        self._run_node(0, "head", self.head, "--slots", "1", "--data-dir", str(data_dir))
        self._wait_for_node(0, "head")

    def kill_head(self) -> None:
        """Kill all that belongs to the head at once; the dispatcher beside it lives."""
        self._nodes[0].kill()

    def join(self, *numbers: int) -> None:
        """Have hosts join, and wait until they have."""
        for number in numbers:
            self._run_node(number, "join", self.head, "--slots", "1")
        for number in numbers:
            self._wait_for_node(number, "join")

    def node(self, number: int) -> Program:
        """The program that runs a host's node."""
        return self._nodes[number]

    def cluster(self, number: int, *arguments: str, **environment: str) -> Program:
        """Run a command of ``midifarm cluster`` on a host; what it says is in said()."""
        self._log(number, arguments[0]).unlink(missing_ok=True)
        return self._run(number, arguments[0], *arguments, **environment)

    def node_dir(self, number: int) -> Path:
        """The folder of a host's node."""
        return self.folder / f"h{number}"

    def said(self, number: int, name: str) -> str:
        """What a program of a host has said so far."""
        path = self._log(number, name)
        return path.read_text() if path.exists() else ""

    def logs(self) -> str:
        """All that was said."""
        paths = sorted(self.folder.glob("*.log"))
        return "".join(f"{path.name}\n{path.read_text()}\n" for path in paths)

    def _run_node(self, number: int, *arguments: str) -> None:
        self._nodes[number] = self.cluster(number, *arguments)

    def _wait_for_node(self, number: int, name: str) -> None:
        program = self._nodes[number]
        wait_until(
            lambda: "join" in self.said(number, name) or program.poll() is not None,
            f"the node of host {number}",
            READY_S,
        )
        assert program.poll() is None, self.said(number, name)

    def _run(self, number: int, name: str, *arguments: str, **environment: str) -> Program:
        with self._log(number, name).open("ab") as log:
            return self.hosts[number].start(
                *(*MIDIFARM, "cluster", *arguments),
                environment=self._environment
                | {"MIDIFARM_NODE_DIR": str(self.node_dir(number)), **environment},
                output=log,
            )

    def _dispatch(self) -> None:
        settings = {
            "MIDIFARM_DATABASE_URL": self._database_url,
            "MIDIFARM_STORAGE_URL": str(self.store.root),
            "MIDIFARM_RAY_ADDRESS": self.head,
        }
        with self._log(0, "dispatch").open("ab") as log:
            self.hosts[0].start(
                *("sh", "-c", _FOREVER, "sh", *MIDIFARM, "dispatch"),
                environment=self._environment | settings,
                output=log,
            )

    def _log(self, number: int, name: str) -> Path:
        return self.folder / f"{name}{number}.log"

    # What there is to see

    @property
    def slots(self) -> int:
        """Of all nodes."""
        return sum(row["slots"] for row in self.api.sql(_LIVING))

    @property
    def dispatchers(self) -> int:
        """How many dispatchers have led, one after the other."""
        return self.said(0, "dispatch").count(" leading ")

    def node_of(self, number: int) -> str:
        """Ray's id of a host's node, once the dispatcher has accepted it; of two the newer."""
        name = self.hosts[number].name
        query = f"{_LIVING} and slots > 0 and name = %s order by first_seen_at desc limit 1"
        [row] = wait_until(lambda: self.api.sql(query, name), f"the node of {name}", READY_S)
        found: str = row["id"]
        return found

    # Work

    def submit(self, seconds: int) -> Export:
        """Ask for a video of one chunk for every four seconds, which all take their time."""
        song = SongFile(title="Hosts")
        for step in range(seconds * 4):
            song.note(step / 4, step / 4 + 0.25, 40 + step * 7 % 40)
        asset = self.client.upload(song.save(self.folder / f"{seconds}.mid"), kind="midi")
        composition = self.client.create_composition("hosts", midi=asset.id, style="neon")
        resolution = {"width": 384, "height": 216}
        quality = {"resolution": resolution, "framerate": 24, "bitrate": 2000, "crf": 20}
        config = {"name": "hosts", "quality": quality}
        [export] = self.client.create_exports(composition.id, config=config)
        return export

    def ended(self, export: Export) -> Export:
        """An export once it has ended."""
        for _ in self.client.watch(export.id):
            pass
        return self.client.export(export.id)

    def video(self, export: Export) -> bytes:
        """A finished video."""
        path = self.folder / f"{export.id}.mp4"
        self.client.download(export.id, path)
        return path.read_bytes()

    def forget_what_was_made(self) -> None:
        """Have all work done anew, as on the first day."""
        self.api.sql("delete from artifacts")
        for each in list(self.store.list("segments/")):
            self.store.delete(each.key)

    def drawn_on(self, node: str) -> list[dict[str, Any]]:
        """The chunks that a node draws this moment."""
        return self.api.sql(
            "select a.id from attempts a join work_items w on w.id = a.item_id"
            " where a.outcome is null and a.frames > 0 and w.kind = 'chunk' and a.node = %s",
            node,
        )

    def wait_until_drawn_on(self, node: str) -> int:
        """Wait until a node is amid a chunk; its attempt."""
        [attempt, *_] = wait_until(lambda: self.drawn_on(node), "a chunk", READY_S)
        found: int = attempt["id"]
        return found
