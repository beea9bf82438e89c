"""Running a plan: what is under way, what is tried again, what ends the export."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import pytest

from coordinator.export_run import Finished, Progress
from coordinator.ports import AttemptStatus, Item, Node, Outcome, Report
from coordinator.run_exports import run_exports
from shared.composition import Composition
from shared.errors import (
    CancelledError,
    CompositionError,
    EncodeError,
    MediaError,
    MidifarmError,
    OversizeError,
    StorageError,
    WorkerLostError,
)
from shared.plan import (
    AudioReport,
    AudioSpec,
    ChunkSpec,
    Picture,
    SegmentReport,
    StitchReport,
    StitchSpec,
    SurveyReport,
    SurveySpec,
    VideoSpec,
)
from shared.planning import ExportPlan
from tests.farm import PaintedNode

Made = ChunkSpec | AudioSpec | StitchSpec | SurveySpec
MARGIN = 2
"""Items beyond the slots: enough that no slot waits, few enough that cancelling acts at once."""


def make(
    frames: int = 300, *, silent: bool = False, max_bytes: int | None = None, **changes: object
) -> ExportPlan:
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
    return ExportPlan(
        picture=Picture(
            composition=composition,
            song_key="songs/aa/aa.npz",
            start_s=Fraction(0),
            video=VideoSpec.model_validate(video | changes),
        ),
        frames=frames,
        audio=None if silent else audio,
        engine="fake",
        max_bytes=max_bytes,
    )


SURVEYED_CRF = 30.0
PALETTE = "00112233" * 256


def report_on(item: Made, *, cached: bool = False, kbps: float = 1) -> Report:
    """What a worker tells of an item that went well."""
    match item:
        case ChunkSpec():
            seconds = len(item.frames) / float(item.picture.video.fps)
            return SegmentReport(
                index=item.index,
                key=item.key,
                frames=len(item.frames),
                size_bytes=round(kbps * 125 * seconds),
                sha256="0",
                cached=cached,
            )
        case AudioSpec():
            return AudioReport(key=item.key, integrated_lufs=None, true_peak_dbtp=None, sha256="a")
        case StitchSpec():
            return StitchReport(key=item.key, frames=item.frames, size_bytes=1, sha256="0")
        case SurveySpec(picture=picture):
            if picture.video.codec == "gif":
                return SurveyReport(key=item.key, palette=PALETTE)
            return SurveyReport(key=item.key, crf=SURVEYED_CRF)


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
        self.kbps: Callable[[VideoSpec], float] = lambda video: 1
        """Rate of the segments, by what they are encoded as."""
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
        self._under_way: dict[str, Made] = {}
        self._seen: dict[str, int] = {}

    def fail(self, item: Made | None, *errors: MidifarmError) -> None:
        """Let the next attempts on an item end with these errors."""
        assert item is not None
        self.errors[item.key] = deque(errors)

    def nodes(self) -> Sequence[Node]:
        """See Executor."""
        return [PaintedNode(slots=self.slots, engine="fake")]

    def ask_for(self, slots: Mapping[str, int]) -> None:
        """See Executor."""

    def submit(self, attempt: str, item: Item, node: str, export: str | None = None) -> None:
        """See Executor."""
        assert isinstance(item, Made)
        assert node == PaintedNode().id
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
            else Ending(attempt=attempt, report=self._report_on(item))
        )
        stray, self.stray = self.stray, [ending] if self.doubled else []
        return [*stray, ending, ending] if self.doubled else [*stray, ending]

    def _report_on(self, item: Made) -> Report:
        kbps = self.kbps(item.picture.video) if isinstance(item, ChunkSpec) else 1
        return report_on(item, cached=self.cached, kbps=kbps)

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

    def __init__(self, plan: ExportPlan | None = None, *, slots: int = 2) -> None:
        self.export = plan or make()
        self.plan = self.export.whole()
        self.executor = ScriptedExecutor(slots=slots)
        self.told: list[Progress] = []

    def run(self) -> Finished:
        """Run the plan to its end."""

        def on_progress(place: int, progress: Progress) -> None:
            assert place == 0
            self.told.append(progress)

        ((place, ended),) = run_exports([self.export], self.executor, on_progress)
        assert place == 0
        if isinstance(ended, MidifarmError):
            raise ended
        return ended


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
    def interrupt(_: int, progress: Progress) -> None:
        if progress.frames:
            raise interruption

    with pytest.raises(interruption):
        list(run_exports([run.export], run.executor, interrupt))
    assert run.executor.cancelled == 1


AVERAGE: dict[str, object] = {"crf": None, "max_kbps": None, "target_kbps": 1000}
"""An average rate that is to be held."""
GIF: dict[str, object] = {
    "codec": "gif",
    "pixel_format": "pal8",
    "crf": None,
    "max_kbps": None,
    "profile": None,
}


def halving(video: VideoSpec) -> float:
    """Segments of 1000 kbit/s at a factor of 24, and half of it every 6 steps."""
    assert video.crf is not None
    return 1000 * 2.0 ** ((24 - video.crf) / 6)


def test_chunks_wait_for_the_survey_and_the_sound_does_not() -> None:
    run = Run(make(**GIF), slots=5)
    survey = run.export.survey
    assert survey is not None
    finished = run.run()
    log = run.executor.log
    assert log[:2] == [finished.plan.whole().audio.key, survey.key]  # type: ignore[union-attr]
    done = log.index(f"done {survey.key}")
    chunks = [chunk.key for chunk in finished.plan.whole().chunks]
    assert not set(chunks).intersection(log[:done])
    assert finished.plan.picture is not None
    assert finished.plan.picture.video.palette == PALETTE
    assert [segment.key for segment in finished.segments] == chunks
    assert next(progress.stage for progress in run.told) == "surveying"


def test_a_survey_that_fails_thrice_ends_the_export() -> None:
    run = Run(make(**GIF))
    run.executor.fail(run.export.survey, suspect(), suspect(), suspect())
    with pytest.raises(EncodeError):
        run.run()
    assert run.plan.stitch.key not in run.executor.attempts


def test_a_rate_that_was_missed_is_mended_before_the_stitch() -> None:
    run = Run(make(silent=True, **AVERAGE))
    run.executor.kbps = halving
    finished = run.run()
    assert len(finished.plan.earlier) == 1, "the survey was half the rate off"
    assert finished.plan.earlier[0].crf == SURVEYED_CRF
    video = finished.plan.picture and finished.plan.picture.video
    assert video is not None
    assert 0.92 <= halving(video) / 1000 <= 1.02
    stitches = [key for key in run.executor.attempts if key.startswith("exports/")]
    assert stitches == [finished.stitched.key], "only what stands is stitched"
    assert run.executor.stitch is not None
    assert run.executor.stitch.segment_keys == tuple(one.key for one in finished.segments)


def test_progress_never_goes_back_over_renderings() -> None:
    run = Run(make(silent=True, **AVERAGE))
    run.executor.kbps = halving
    run.run()
    stages = list(dict.fromkeys(progress.stage for progress in run.told))
    assert stages == ["rendering", "rendering again", "stitching"]
    frames = [progress.frames for progress in run.told]
    assert frames == sorted(frames)
    assert frames[-1] == run.export.frames
    assert all(progress.eta_s is None or progress.eta_s >= 0 for progress in run.told)


def test_what_cannot_be_made_small_enough_is_never_stitched() -> None:
    run = Run(make(max_bytes=100_000))
    run.executor.kbps = lambda video: 1000
    with pytest.raises(CompositionError, match="platform takes"):
        run.run()
    assert not any(key.startswith("exports/") for key in run.executor.attempts)


def test_what_is_too_large_only_as_a_whole_is_rendered_again() -> None:
    run = Run(make(max_bytes=200_000, silent=True))
    run.executor.kbps = lambda video: 100 if video.crf == 18 else 50
    error = OversizeError("Too large.", size_bytes=210_000, max_bytes=200_000)
    run.executor.fail(run.plan.stitch, error)
    finished = run.run()
    assert [one.crf for one in finished.plan.earlier] == [18]
    assert finished.stitched.key != run.plan.stitch.key


def test_sound_alone_has_no_chunks() -> None:
    whole = make()
    plan = whole.model_copy(update={"picture": None, "frames": 0, "container": "m4a"})
    run = Run(plan)
    finished = run.run()
    assert finished.segments == ()
    assert finished.audio is not None
    assert [key.split("/")[0] for key in run.executor.attempts] == ["audio", "exports"]
    assert run.told[-1].total_frames == 0


class Several:
    """Several plans at once."""

    def __init__(self, *plans: ExportPlan, slots: int = 2) -> None:
        self.plans = plans
        self.executor = ScriptedExecutor(slots=slots)
        self.told: list[tuple[int, Progress]] = []

    def run(self) -> list[tuple[int, Finished | MidifarmError]]:
        """Run all of them; their ends in the order in which they came."""
        ends = run_exports(self.plans, self.executor, lambda *told: self.told.append(told))
        return list(ends)


def test_the_first_export_has_precedence() -> None:
    several = Several(make(crf=18), make(crf=20), make(crf=22))
    ends = several.run()
    assert [place for place, _ in ends] == [0, 1, 2]
    assert {place for place, _ in several.told} == {0, 1, 2}
    assert len(several.executor.names) == len(set(several.executor.names))


def test_the_slots_are_busy_while_one_export_is_surveyed_or_stitched() -> None:
    several = Several(make(silent=True, **GIF), make(silent=True, crf=20), slots=3)
    several.run()
    survey = several.plans[0].survey
    assert survey is not None
    log = several.executor.log
    meanwhile = log[log.index(survey.key) : log.index(f"done {survey.key}")]
    assert set(meanwhile).intersection(chunk.key for chunk in several.plans[1].whole().chunks)


def test_an_export_that_fails_takes_nothing_with_it() -> None:
    several = Several(make(silent=True, crf=18), make(silent=True, crf=20))
    error = MediaError("No picture.")
    chunks = several.plans[0].whole().chunks
    several.executor.fail(chunks[1], error)
    ends = dict(several.run())
    assert ends[0] is error
    assert isinstance(ends[1], Finished)
    assert len(ends[1].segments) == len(several.plans[1].whole().chunks)
    assert several.executor.cancelled == 1
    assert {chunk.key for chunk in chunks} - set(several.executor.attempts), "it was given up"
