"""What the coordinator asks of a cluster. ``cluster`` satisfies it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from shared.errors import MidifarmError
from shared.intake import Intake, IntakeSpec, ProbeReport, ProbeSpec
from shared.plan import (
    AudioReport,
    AudioSpec,
    ChunkSpec,
    SegmentReport,
    StitchReport,
    StitchSpec,
    SurveyReport,
    SurveySpec,
)
from shared.preview import PreviewReport, PreviewSpec

Item = ChunkSpec | AudioSpec | SurveySpec | StitchSpec | IntakeSpec | ProbeSpec | PreviewSpec
"""What a worker can be asked to do: plain data, which survives a journey as JSON."""
Report = (
    SegmentReport | AudioReport | SurveyReport | StitchReport | Intake | ProbeReport | PreviewReport
)
"""What it tells in return, in the same order."""


class Outcome(Protocol):
    """How an attempt ended: exactly one of ``report`` and ``error`` is set."""

    @property
    def attempt(self) -> str:
        """The name it was submitted under."""
        ...

    @property
    def report(self) -> Report | None:
        """What the worker tells of its work."""
        ...

    @property
    def error(self) -> MidifarmError | None:
        """Why there is no report."""
        ...

    @property
    def node(self) -> str | None:
        """Id of the node that it ran on; None where it never began, or nobody knows."""
        ...

    @property
    def worker(self) -> str | None:
        """The process that it ran in, as retire() takes it; None as for the node."""
        ...

    @property
    def wall_s(self) -> float | None:
        """Seconds from its beginning to when its end was heard of; None as for the node."""
        ...


class AttemptStatus(Protocol):
    """What is known of an attempt that has begun."""

    @property
    def node(self) -> str:
        """Id of the node that it runs on."""
        ...

    @property
    def worker(self) -> str:
        """The process that it runs in, as retire() takes it."""
        ...

    @property
    def started_at(self) -> float:
        """When it began: seconds since the epoch, on this machine's clock."""
        ...

    @property
    def frames(self) -> int:
        """Frames done; 0 for work that has none."""
        ...

    @property
    def silent_s(self) -> float:
        """Seconds since its last report.

        Chunks, sound, surveys and stitches report all the time; intakes and probes only when they
        begin.
        """
        ...


class Node(Protocol):
    """A living node."""

    @property
    def id(self) -> str:
        """Ray's id, new with every start of the node."""
        ...

    @property
    def name(self) -> str:
        """Host name or address, for people."""
        ...

    @property
    def cpus(self) -> float:
        """Processors that it offers."""
        ...

    @property
    def gpus(self) -> float:
        """GPUs that it offers."""
        ...

    @property
    def alive(self) -> bool:
        """Whether it is there."""
        ...

    @property
    def slots(self) -> int:
        """Work items that it does at a time; 0 until it has introduced itself, or is kept out."""
        ...

    @property
    def pools(self) -> Collection[str]:
        """Names of the pools that it serves."""
        ...

    @property
    def engine(self) -> str | None:
        """What draws and encodes on it, by name and version; None until it has said so."""
        ...

    @property
    def renderer(self) -> str | None:
        """The part of it that draws: the driver's name of a GPU, or of a renderer on processors."""
        ...

    @property
    def kept_out(self) -> str | None:
        """Why it gets no work: a sentence for its operator; None where it may have some."""
        ...

    @property
    def is_leaving(self) -> bool:
        """Whether it has asked for nothing more itself."""
        ...


class Executor(Protocol):
    """Runs work items on workers, for one thread.

    An attempt has exactly one outcome. Work is never tried again here, and never put elsewhere:
    both are decided by who submits it.
    """

    def nodes(self) -> Sequence[Node]:
        """The living nodes, as of a few seconds ago. Raises ClusterLostError."""
        ...

    def submit(self, attempt: str, item: Item, node: str, export: str | None = None) -> None:
        """Start an attempt; its outcome comes from wait().

        What a node is given beyond its slots waits there. A node that is lost by then ends the
        attempt with a transient error.

        Args:
            attempt: A name that no attempt had before.
            item: What to do; a preview takes up no slot, and waits for none.
            node: Id of the node to do it.
            export: Id of the export that it is for; what the worker tells of it says so.

        Raises:
            ClusterLostError: Ray does not answer any more.
        """
        ...

    def wait(self, timeout_s: float) -> Sequence[Outcome]:
        """The outcomes of all attempts that have ended, after ``timeout_s`` at the latest.

        It returns as soon as there is one, and at once where nothing is under way.
        """
        ...

    def status(self) -> Mapping[str, AttemptStatus]:
        """What is known of the attempts that have begun; those that still wait are not in it.

        Raises:
            ClusterLostError: Ray has not answered for long; only a fresh process can go on.
        """
        ...

    def cancel(self, attempts: Collection[str]) -> None:
        """Stop attempts softly: before they begin, or between two steps of their work.

        Intakes and probes have no such steps, and are killed. The outcomes come from wait():
        CancelledError, unless the work was done already. Names that are not under way do no harm.
        """
        ...

    def kill(self, attempts: Collection[str]) -> None:
        """Stop attempts by ending their worker processes; see cancel() for the rest."""
        ...

    def ask_for(self, slots: Mapping[str, int]) -> None:
        """Ask for as many slots, by pool, where the cluster grows and shrinks by itself.

        Args:
            slots: What all work that waits and runs could use at once.
        """
        ...

    def sweep(self) -> None:
        """Have the nodes and the store rid of what killed processes left; returns at once."""
        ...

    def retire(self, worker: str) -> None:
        """End a worker process that has gone bad; returns at once.

        What runs in it ends with a transient error.
        """
        ...
