"""The remote functions: what runs in a worker process of Ray.

They live in a named module because a render node imports them by name. Each takes plain data
and returns plain data; bytes travel through the object storage. What a process keeps between
tasks (the GL context, the last songs) is its studio.
"""

from __future__ import annotations

import os
import signal
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ray

from cluster import joining
from cluster.attempt_log import logged
from cluster.errand import Errand
from cluster.introduction import Introduction, Question, Standing
from cluster.progress import own_name
from cluster.session import SCRATCH_VARIABLE
from cluster.tracing import traced
from shared.errors import MidifarmError, RenderError
from shared.intake import IntakeSpec, ProbeSpec
from shared.plan import AudioSpec, ChunkSpec, StitchSpec, SurveySpec
from shared.preview import PreviewSpec
from shared.storage import LocalStore, ObjectStore, open_store

if TYPE_CHECKING:
    from cluster.executor import Item, Report
    from cluster.progress import Reporter
    from workers.studio import Studio, Studios

_LEFTOVER_S: Final = 5.0
"""What a killed writer left in a folder is removed when it is as old as this."""
_UPLOAD_LEFTOVER_S: Final = 3600.0
"""A bucket does not tell whether the writer of half an upload lives."""


@cache
def _studios() -> Studios:
    """The studios of this process: as long-lived as the process."""
    from workers.studio import Studios

    return Studios()


def _studio_on(gpu: str | None) -> Studio:
    """The studio on a GPU, or on the first device of all; opened by the first that draws there."""
    from workers.gl.devices import device_index, list_devices

    return _studios().on(device_index(list_devices(), gpu))


def _studio() -> Studio:
    """The studio on the GPU that this task was given."""
    from workers.gl.devices import VISIBLE_VARIABLE, gpu_names

    given = ray.get_runtime_context().get_accelerator_ids()["GPU"]
    # A preview is given no share of one.
    [gpu] = given or gpu_names(0, os.environ.get(VISIBLE_VARIABLE))
    return _studio_on(gpu)


@cache
def _store(url: str) -> ObjectStore:
    return open_store(url)


@cache
def _scratch_root() -> Path:
    """Where the processes of this node keep their temporary files; made and swept at first."""
    from workers.scratch import sweep_scratch, use_scratch

    # The folder of this process would be the answer later on.
    root = Path(os.environ.get(SCRATCH_VARIABLE) or tempfile.gettempdir())
    root.mkdir(parents=True, exist_ok=True)
    sweep_scratch(root)
    use_scratch(root)
    return root


@contextmanager
def _attempt(board: Any, attempt: str) -> Iterator[Reporter]:
    """Tell that an attempt has begun, and see that it fails with an error of ours."""
    from cluster.progress import Reporter

    try:
        reporter = Reporter(board, attempt)
        _scratch_root()
        yield reporter
    except MidifarmError:
        raise
    except Exception as exc:
        # Errors of libraries do not always survive the journey to the driver.
        raise RenderError(f"A worker failed: {exc!r}", log=traceback.format_exc()) from exc


# max_calls=0: a process that drew one chunk draws the next, with its context and shaders.
@ray.remote(num_cpus=0, max_retries=0, max_calls=0)
def introduce(question: Question) -> Introduction:
    """Say what this node is, which warms this process up."""
    return joining.introduce_node(question, _studio_on)


@ray.remote(num_cpus=1, max_retries=0, max_calls=0)
def warm_up() -> None:
    """Warm this process up; what is wrong with its node is told by the introduction."""
    with suppress(Exception):
        _studio()


@ray.remote(num_cpus=0, max_retries=0, max_calls=0)
def hear_standing(standing: Standing) -> None:
    """Leave word of how this node stands, where somebody waits for it."""
    with suppress(OSError):
        joining.hear_standing(standing)


@ray.remote(num_cpus=0, max_retries=0, max_calls=0)
def tell_standing() -> tuple[Standing | None, bool]:
    """How this node stands, as it was told, and whether it wants nothing more."""
    return joining.tell_standing()


@ray.remote(num_cpus=1, max_retries=0, max_calls=0)
def work(item: Item, store_url: str, board: Any, errand: Errand) -> Report:
    """Do one work item, of whatever kind.

    One function for all kinds: Ray hands a worker that has ended a task the next one of the same
    function, so that a stitch would wait until there were no chunks left.
    """
    worker = own_name()
    with (
        logged(errand, worker, partial(_store, store_url)) as log_report,
        traced(errand, worker) as trace_report,
        _attempt(board, errand.attempt) as progress,
    ):
        report = _do(item, _store(store_url), progress)
        log_report(report)
        trace_report(report)
        return report


def _do(item: Item, store: ObjectStore, progress: Reporter) -> Report:
    match item:
        case ChunkSpec():
            from workers.chunk import render_chunk

            return render_chunk(item, store, _studio(), progress)
        case AudioSpec():
            from workers.audio import prepare_audio

            return prepare_audio(item, store, progress)
        case SurveySpec():
            from workers.survey import survey

            return survey(item, store, _studio(), progress)
        case StitchSpec():
            from workers.stitch import stitch

            return stitch(item, store, progress)
        case IntakeSpec():
            from workers.intake import take_in_objects

            return take_in_objects(item, store)
        case ProbeSpec():
            from workers.inspection import probe_asset

            return probe_asset(item, store)
        case PreviewSpec():
            from workers.preview import make_preview

            return make_preview(item, store, _studio(), progress)


@ray.remote(num_cpus=0, max_retries=0, max_calls=0)
def sweep(store_url: str | None) -> int:
    """Remove the temporary files of dead processes of this node, and of the store if it is named.

    Returns:
        How many processes there were.
    """
    from workers.scratch import sweep_scratch

    if store_url is not None:
        store = _store(store_url)
        store.sweep(_LEFTOVER_S if isinstance(store, LocalStore) else _UPLOAD_LEFTOVER_S)
    return sweep_scratch(_scratch_root())


@ray.remote(num_cpus=0, max_retries=0, max_calls=0)
def end_process(pid: int) -> bool:
    """End a worker process of this node, at once; whether there was one."""
    # A process id may have been given to somebody else: Ray's workers are our siblings.
    if pid != os.getpid() and _parent(pid) != os.getppid():
        return False
    os.kill(pid, signal.SIGKILL)
    return True


def _parent(pid: int) -> int | None:
    try:
        status = Path("/proc", str(pid), "status").read_text("utf-8", "replace")
    except OSError:
        return None
    lines = dict(line.partition(":")[::2] for line in status.splitlines())
    if not lines["Name"].strip().startswith("ray::"):
        return None
    return int(lines["PPid"])
