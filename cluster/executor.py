"""Running work items as Ray tasks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from shared.errors import CancelledError, ClusterError, MidifarmError, RenderError, WorkerLostError
from shared.plan import AudioReport, AudioSpec, ChunkSpec, SegmentReport, StitchReport, StitchSpec

Item = ChunkSpec | AudioSpec | StitchSpec
Report = SegmentReport | AudioReport | StitchReport

_PLACED_WITHIN_S: Final = 120
"""A cluster that has not run anything by then has no room for us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an attempt ended: with a report or with an error."""

    attempt: str
    """The name it was submitted under."""
    report: Report | None = None
    """What the worker tells of its work."""
    error: MidifarmError | None = None
    """Why there is no report."""


class RayExecutor:
    """Submits work to Ray and hears of its end. Made by open_executor."""

    def __init__(self, store_url: str) -> None:
        """Use the Ray that this process is connected to."""
        import ray

        from cluster import tasks
        from cluster.progress import ProgressBoard

        self._ray: Any = ray
        self._tasks = tasks
        self._store_url = store_url
        self._board: Any = ProgressBoard.remote()  # type: ignore[attr-defined]  # added by @ray.remote
        self._attempts: dict[Any, str] = {}

    @property
    def slots(self) -> int:
        """How many work items run at a time."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def engine(self) -> str:
        """Name of what draws and encodes on the workers.

        Raises:
            ClusterError: No worker could be had.
            GLError: The workers cannot draw.
        """
        names = [self._tasks.describe_engine.remote() for _ in range(self.slots)]
        ready, _ = self._ray.wait(names, timeout=_PLACED_WITHIN_S)
        if not ready:
            raise ClusterError(f"Ray started no worker within {_PLACED_WITHIN_S} s.")
        try:
            # The others warm up meanwhile; a chunk refuses to run on another engine.
            return str(self._ray.get(ready[0]))
        except self._ray.exceptions.RayError as exc:
            raise as_midifarm_error(exc) from exc

    def submit(self, attempt: str, item: Item) -> None:
        """Start an attempt; its outcome comes from wait()."""
        ref: Any
        match item:
            case ChunkSpec():
                ref = self._tasks.render_chunk.remote(item, self._store_url, self._board, attempt)
            case AudioSpec():
                ref = self._tasks.prepare_audio.remote(item, self._store_url)
            case StitchSpec():
                ref = self._tasks.stitch.remote(item, self._store_url)
        self._attempts[ref] = attempt

    def wait(self, timeout_s: float) -> list[Outcome]:
        """The outcomes of attempts that have ended, after ``timeout_s`` at the latest."""
        if not self._attempts:
            return []
        done, _ = self._ray.wait(
            list(self._attempts), num_returns=1, timeout=timeout_s, fetch_local=True
        )
        return [self._outcome(ref) for ref in done]

    def _outcome(self, ref: Any) -> Outcome:
        attempt = self._attempts.pop(ref)
        self._board.forget.remote(attempt)
        try:
            return Outcome(attempt=attempt, report=self._ray.get(ref))
        except self._ray.exceptions.RayError as exc:
            return Outcome(attempt=attempt, error=as_midifarm_error(exc))
        except MidifarmError as exc:
            return Outcome(attempt=attempt, error=exc)

    def frames_done(self) -> dict[str, int]:
        """Frames done by each attempt under way, as far as is known."""
        try:
            frames: dict[str, int] = self._ray.get(self._board.frames.remote(), timeout=2)
        except self._ray.exceptions.RayError:
            return {}
        return frames

    def cancel_all(self) -> None:
        """Stop every attempt: softly, between two frames, or before it has begun."""
        self._board.cancel.remote(list(self._attempts.values()))
        for ref in self._attempts:
            self._ray.cancel(ref, force=False)


def as_midifarm_error(exc: Exception) -> MidifarmError:
    """What Ray raised, as an error of ours; `raise … from` keeps the original."""
    import ray.exceptions

    cause = getattr(exc, "cause", None)
    if isinstance(cause, MidifarmError):
        return cause
    if isinstance(exc, MidifarmError):
        return exc
    match exc:
        case ray.exceptions.TaskCancelledError():
            return CancelledError("The attempt was cancelled.")
        case ray.exceptions.OutOfMemoryError():
            return WorkerLostError("A worker ran out of memory and was ended.")
        case ray.exceptions.WorkerCrashedError() | ray.exceptions.NodeDiedError():
            return WorkerLostError("A worker process died in the middle of its work.")
        case ray.exceptions.RayTaskError():
            return RenderError(f"A worker failed: {cause!r}", log=str(exc))
    return ClusterError(f"Ray failed: {exc}")


@contextmanager
def open_executor(
    store_url: str, *, address: str | None = None, workers: int = 1
) -> Iterator[RayExecutor]:
    """An executor on a local Ray or on the cluster at ``address``.

    Raises:
        ClusterError: Ray could not be started or reached.
    """
    from cluster.session import ray_session

    with ray_session(address, workers):
        yield RayExecutor(store_url)
