"""Running a plan: what is under way, what is tried again, what ends the export."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import pytest

from coordinator.export_run import ExportRun, Finished, Progress
from coordinator.ports import AttemptStatus, Item, Node, Outcome, Report
from shared.composition import Composition
from shared.errors import (
    CancelledError,
    EncodeError,
    MediaError,
    MidifarmError,
    StorageError,
    WorkerLostError,
)
from shared.plan import (
    AudioReport,
    AudioSpec,
    ChunkSpec,
    Picture,
    Plan,
    SegmentReport,
    StitchReport,
    StitchSpec,
    VideoSpec,
    make_plan,
)

MARGIN = 2
"""Items beyond the slots: enough that no slot waits, few enough that cancelling acts at once."""


def make(frames: int = 300, *, silent: bool = False) -> Plan:
    composition = Composition.model_validate({"layers": [{"type": "piano_roll"}]})
    video = {"width": 64, "height": 48, "fps": 30, "crf": 18, "max_kbps": 100, "profile": "high"}
    audio = AudioSpec(
        start_s=Fraction(0),
        offset_s=Fraction(0),
        samples=1600 * frames,
        sample_rate=48000,
        channels=2,
        bitrate_kbps=128,
        loudness_lufs=None,
    )
    return make_plan(
        picture=Picture(
            composition=composition,
            song_key="songs/aa/aa.npz",
            start_s=Fraction(0),
            video=VideoSpec.model_validate(video),
        ),
        frames=frames,
        audio=None if silent else audio,
        engine="fake",
    )


def report_on(item: ChunkSpec | AudioSpec | StitchSpec, *, cached: bool = False) -> Report:
    """What a worker tells of an item that went well."""
    match item:
        case ChunkSpec():
            return SegmentReport(
                index=item.index,
                key=item.key,
                frames=len(item.frames),
                size_bytes=1,
                sha256="0",
                cached=cached,
            )
        case AudioSpec():
            return AudioReport(key=item.key, integrated_lufs=None, true_peak_dbtp=None, sha256="a")
        case StitchSpec():
            return StitchReport(key=item.key, frames=item.frames, size_bytes=1, sha256="0")


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How an attempt ended."""

    attempt: str
    report: Report | None = None
    error: MidifarmError | None = None
    node: str | None = None
    worker: str | None = None
    wall_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """An attempt under way."""

    frames: int
    node: str = "node"
    worker: str = "worker"
    started_at: float = 0.0
    silent_s: float = 0.0


class ScriptedExecutor:
    """Ends attempts in the order of their submission; an item with errors left fails with them.

    An attempt on a chunk is seen half done once before it ends.
    """

    def __init__(self, *, slots: int = 2) -> None:
        self.slots = slots
        self.errors: dict[str, deque[MidifarmError]] = {}
        self.stray: list[Ending] = []
        """Outcomes that come along with the next true one."""
        self.doubled = False
        """Whether every outcome is told twice, and once more with the next one."""
        self.cached = False
        """Whether every segment is found in the store."""
        self.attempts: Counter[str] = Counter()
        """Attempts by the key of their item."""
        self.names: list[str] = []
        self.log: list[str] = []
        """Keys in the order in which items were started, and with a "done" in front, ended."""
        self.stitch: StitchSpec | None = None
        """The stitch as it was submitted."""
        self.most_under_way = 0
        self.cancelled = 0
        self.left: set[str] = set()
        """Attempts that were under way and not cancelled when others were."""
        self._under_way: dict[str, ChunkSpec | AudioSpec | StitchSpec] = {}
        self._seen: dict[str, int] = {}

    def fail(self, item: ChunkSpec | AudioSpec | StitchSpec | None, *errors: MidifarmError) -> None:
        """Let the next attempts on an item end with these errors."""
        assert item is not None
        self.errors[item.key] = deque(errors)

    def engine(self) -> str:
        """See Executor."""
        return "fake"

    def nodes(self) -> Sequence[Node]:
        """See Executor."""
        return []

    def submit(self, attempt: str, item: Item, avoid_nodes: Collection[str] = ()) -> None:
        """See Executor."""
        assert isinstance(item, ChunkSpec | AudioSpec | StitchSpec)
        assert not avoid_nodes
        self.stitch = item if isinstance(item, StitchSpec) else None
        self.names.append(attempt)
        self.attempts[item.key] += 1
        self.log.append(item.key)
        self._under_way[attempt] = item
        self.most_under_way = max(self.most_under_way, len(self._under_way))

    def wait(self, timeout_s: float) -> Sequence[Outcome]:
        """See Executor."""
        assert 0 < timeout_s <= 1, "progress is told a few times a second"
        attempt, item = next(iter(self._under_way.items()))
        if isinstance(item, ChunkSpec) and attempt not in self._seen:
            self._seen[attempt] = len(item.frames) // 2
            return []
        del self._under_way[attempt]
        self._seen.pop(attempt, None)
        self.log.append(f"done {item.key}")
        errors = self.errors.get(item.key)
        ending = (
            Ending(attempt=attempt, error=errors.popleft())
            if errors
            else Ending(attempt=attempt, report=report_on(item, cached=self.cached))
        )
        stray, self.stray = self.stray, [ending] if self.doubled else []
        return [*stray, ending, ending] if self.doubled else [*stray, ending]

    def status(self) -> Mapping[str, AttemptStatus]:
        """See Executor."""
        seen = {"somebody else's": 1000} | self._seen
        return {attempt: Seen(frames=frames) for attempt, frames in seen.items()}

    def cancel(self, attempts: Collection[str]) -> None:
        """See Executor."""
        self.cancelled += 1
        self.left = set(self._under_way) - set(attempts)

    def kill(self, attempts: Collection[str]) -> None:
        """See Executor."""
        raise AssertionError(f"{attempts} end by themselves")

    def sweep(self) -> None:
        """See Executor."""
        raise AssertionError("nothing was killed")

    def retire(self, worker: str) -> None:
        """See Executor."""
        raise AssertionError(f"{worker} is in order")


class Run:
    """A plan, an executor and what was told of progress."""

    def __init__(self, plan: Plan | None = None, *, slots: int = 2) -> None:
        self.plan = plan or make()
        self.executor = ScriptedExecutor(slots=slots)
        self.told: list[Progress] = []

    def run(self) -> Finished:
        """Run the plan to its end."""
        return ExportRun(self.plan, self.executor, self.told.append).run()


@pytest.fixture
def run() -> Run:
    return Run()


def suspect() -> MidifarmError:
    return EncodeError("The encoder refused a frame.")


def transient() -> MidifarmError:
    return StorageError("The store did not answer.")


@pytest.mark.parametrize("frames", [1, 300, 5000])
@pytest.mark.parametrize("silent", [True, False], ids=["silent", "with sound"])
def test_every_item_runs_once_and_is_reported_in_order(frames: int, silent: bool) -> None:
    run = Run(make(frames, silent=silent))
    finished = run.run()
    plan = run.plan
    assert [segment.key for segment in finished.segments] == [chunk.key for chunk in plan.chunks]
    assert (finished.audio is None) is silent
    assert finished.stitched.key == plan.stitch.key
    assert set(run.executor.attempts.values()) == {1}
    assert len(run.executor.attempts) == len(plan.chunks) + (1 if silent else 2)
    assert run.executor.cancelled == 0


def test_the_sound_is_started_first(run: Run) -> None:
    run.run()
    assert run.plan.audio is not None
    assert run.executor.log[0] == run.plan.audio.key


def test_the_stitch_waits_for_every_chunk_and_for_the_sound(run: Run) -> None:
    run.executor.fail(run.plan.audio, suspect(), suspect())
    run.executor.fail(run.plan.chunks[-1], suspect(), suspect())
    run.run()
    log = run.executor.log
    begun = log.index(run.plan.stitch.key)
    assert run.plan.audio is not None
    needed = [run.plan.audio.key, *(chunk.key for chunk in run.plan.chunks)]
    assert all(f"done {key}" in log[:begun] for key in needed)
    assert log[begun:] == [run.plan.stitch.key, f"done {run.plan.stitch.key}"]


def test_the_stitch_knows_the_hashes_of_what_it_joins(run: Run) -> None:
    finished = run.run()
    stitch = run.executor.stitch
    assert stitch is not None
    assert stitch.segment_sha256 == tuple(segment.sha256 for segment in finished.segments)
    assert finished.audio is not None
    assert stitch.audio_sha256 == finished.audio.sha256 == "a"


@pytest.mark.parametrize("slots", [1, 2, 5, 100])
def test_only_as_much_is_under_way_as_there_are_slots_and_a_margin(slots: int) -> None:
    run = Run(make(5000), slots=slots)
    run.executor.fail(run.plan.chunks[3], suspect(), transient(), suspect())
    run.run()
    work = len(run.plan.chunks) + 1
    assert run.executor.most_under_way == min(slots + MARGIN, work)


def test_no_two_attempts_have_the_same_name(run: Run) -> None:
    run.executor.fail(run.plan.chunks[0], suspect(), transient(), suspect())
    run.run()
    assert len(set(run.executor.names)) == len(run.executor.names)


@pytest.mark.parametrize("place", ["chunk", "audio", "stitch"])
def test_a_suspect_failure_is_tried_again(run: Run, place: str) -> None:
    item = {"chunk": run.plan.chunks[2], "audio": run.plan.audio, "stitch": run.plan.stitch}[place]
    run.executor.fail(item, suspect(), WorkerLostError("A worker process died."))
    finished = run.run()
    assert item is not None
    assert run.executor.attempts[item.key] == 3
    assert len(finished.segments) == len(run.plan.chunks)
    assert run.executor.cancelled == 0


def test_the_third_suspect_failure_ends_the_export_with_its_error(run: Run) -> None:
    errors = [suspect(), suspect(), suspect()]
    run.executor.fail(run.plan.chunks[2], *errors)
    with pytest.raises(EncodeError) as caught:
        run.run()
    assert caught.value is errors[-1]
    assert run.executor.attempts[run.plan.chunks[2].key] == 3
    assert run.executor.cancelled == 1
    assert not run.executor.left
    assert run.plan.stitch.key not in run.executor.attempts


def test_failures_of_different_chunks_are_counted_apart(run: Run) -> None:
    for chunk in run.plan.chunks:
        run.executor.fail(chunk, suspect(), suspect())
    assert len(run.run().segments) == len(run.plan.chunks)


@pytest.mark.parametrize("error", [MediaError("No sound."), CancelledError("Cancelled.")])
def test_a_permanent_failure_ends_the_export_at_once(run: Run, error: MidifarmError) -> None:
    run.executor.fail(run.plan.audio, error)
    with pytest.raises(type(error)) as caught:
        run.run()
    assert caught.value is error
    assert run.plan.audio is not None
    assert run.executor.attempts[run.plan.audio.key] == 1
    assert run.executor.cancelled == 1
    assert len(run.executor.names) == run.executor.slots + MARGIN, "nothing more was started"


def test_transient_failures_use_up_no_attempt(run: Run) -> None:
    item = run.plan.chunks[1]
    run.executor.fail(item, *[transient() for _ in range(19)], suspect(), suspect())
    run.run()
    assert run.executor.attempts[item.key] == 22


def test_a_farm_that_always_fails_is_noticed(run: Run) -> None:
    run.executor.fail(run.plan.chunks[1], *[transient() for _ in range(99)])
    with pytest.raises(StorageError):
        run.run()
    assert run.executor.attempts[run.plan.chunks[1].key] == 20


def test_an_outcome_told_twice_changes_nothing(run: Run) -> None:
    run.executor.doubled = True
    finished = run.run()
    assert [segment.index for segment in finished.segments] == list(range(len(run.plan.chunks)))
    assert set(run.executor.attempts.values()) == {1}


def test_a_failure_told_twice_counts_once(run: Run) -> None:
    run.executor.doubled = True
    run.executor.fail(run.plan.chunks[0], suspect(), suspect())
    run.run()
    assert run.executor.attempts[run.plan.chunks[0].key] == 3


@pytest.mark.parametrize(
    "stray",
    [
        Ending(attempt="unknown#1", error=MediaError("Not ours.")),
        Ending(attempt="unknown#1", error=suspect()),
        Ending(
            attempt="unknown#1",
            report=SegmentReport(index=0, key="no/key", frames=9, size_bytes=1, sha256="0"),
        ),
        Ending(
            attempt="unknown#1",
            report=StitchReport(key="no/key", frames=9, size_bytes=1, sha256="0"),
        ),
    ],
    ids=["permanent", "suspect", "segment", "stitched"],
)
def test_the_outcome_of_an_unknown_attempt_changes_nothing(run: Run, stray: Ending) -> None:
    run.executor.stray = [stray]
    finished = run.run()
    assert finished.segments[0].key == run.plan.chunks[0].key
    assert finished.stitched.key == run.plan.stitch.key
    assert set(run.executor.attempts.values()) == {1}


def test_progress_goes_from_nothing_to_all_frames(run: Run) -> None:
    run.run()
    total = run.plan.stitch.frames
    assert run.told[0].frames == 0
    assert run.told[-1].frames == total
    assert {progress.total_frames for progress in run.told} == {total}
    assert {progress.total_chunks for progress in run.told} == {len(run.plan.chunks)}
    assert run.told[-1].chunks == len(run.plan.chunks)
    assert run.told[-1].eta_s == 0


def test_progress_counts_what_is_under_way(run: Run) -> None:
    run.run()
    half = len(run.plan.chunks[0].frames) // 2
    assert half in [progress.frames for progress in run.told]


def test_progress_never_goes_back_when_an_attempt_begins_anew() -> None:
    run = Run(slots=1)
    run.executor.fail(run.plan.chunks[0], suspect(), suspect())
    run.run()
    frames = [progress.frames for progress in run.told]
    half = len(run.plan.chunks[0].frames) // 2
    assert half in frames[: frames.index(max(frames))]
    assert frames == sorted(frames)
    assert frames[-1] == run.plan.stitch.frames


def test_progress_names_the_stage(run: Run) -> None:
    run.run()
    stages = [progress.stage for progress in run.told]
    assert list(dict.fromkeys(stages)) == ["rendering", "stitching"]
    first = stages.index("stitching")
    assert run.told[first].frames == run.plan.stitch.frames


def test_segments_found_in_the_store_are_not_counted_as_rendered(run: Run) -> None:
    run.executor.cached = True
    finished = run.run()
    assert all(segment.cached for segment in finished.segments)
    assert run.told[-1].frames == run.plan.stitch.frames
    assert run.told[-1].fps == 0
    assert run.told[-1].eta_s is None


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ZeroDivisionError])
def test_whatever_interrupts_cancels_what_is_under_way(
    run: Run, interruption: type[BaseException]
) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.frames:
            raise interruption

    with pytest.raises(interruption):
        ExportRun(run.plan, run.executor, interrupt).run()
    assert run.executor.cancelled == 1
