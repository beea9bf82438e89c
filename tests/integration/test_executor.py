"""The executor on a real Ray: outcomes, cancelling, killing, and what dies in between."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cluster.executor import Item, Outcome, RayExecutor, open_executor
from cluster.leaving import leave, stay
from cluster.session import ray_session
from coordinator.run_exports import find_engine
from shared.errors import (
    CancelledError,
    ClusterError,
    DamagedObjectError,
    ErrorKind,
    MediaError,
    WorkerLostError,
)
from shared.intake import Intake, IntakeSpec, ProbeReport, ProbeSpec
from shared.keys import attempt_key, digest
from shared.plan import (
    AudioSpec,
    ChunkSpec,
    Picture,
    SegmentReport,
    StitchReport,
    StitchSpec,
    SurveyReport,
    SurveySpec,
    VideoSpec,
    make_plan,
    plan_survey,
)
from shared.presets import find_preset
from shared.preview import PreviewReport, PreviewSpec
from shared.storage import LocalStore
from shared.styles import find_style
from tests.songs import SongFile
from tests.soundfonts import make_soundfont

pytestmark = [pytest.mark.ray, pytest.mark.gl]

PATIENCE_S = 60.0
SOFTLY_WITHIN_S = 3.0
"""What stops softly does so well within this, on a machine that is busy."""
RATE = 48000
ROOT = Path(__file__).parents[2]


class Desk:
    """An executor, and the outcomes that it has told."""

    def __init__(self, executor: RayExecutor, store: LocalStore) -> None:
        """Begin with nothing under way, on a node that has introduced itself."""
        self.executor = executor
        self.store = store
        self.engine = find_engine(executor)
        [node] = executor.nodes()
        self.node = node.id
        self.told: dict[str, Outcome] = {}
        self._count = 0

    def submit(self, item: Item, node: str | None = None) -> str:
        """Start an attempt, on the one node there is unless told otherwise; its name."""
        self._count += 1
        self.executor.submit(f"a{self._count}", item, node or self.node)
        return f"a{self._count}"

    def listen(self, timeout_s: float) -> None:
        """Hear of what has ended."""
        for outcome in self.executor.wait(timeout_s):
            assert outcome.attempt not in self.told, "each has one outcome"
            assert (outcome.report is None) is (outcome.error is not None)
            self.told[outcome.attempt] = outcome

    def outcome(self, attempt: str, within_s: float = PATIENCE_S) -> Outcome:
        """Wait for an outcome."""
        until_s = time.monotonic() + within_s
        while attempt not in self.told:
            assert time.monotonic() < until_s, f"{attempt} did not end within {within_s} s"
            self.listen(0.1)
        return self.told[attempt]

    def wait_until_begun(self, attempts: Collection[str]) -> None:
        """Wait until attempts are seen to be under way."""
        until_s = time.monotonic() + PATIENCE_S
        while not set(attempts) <= self.executor.status().keys():
            assert time.monotonic() < until_s
            self.listen(0.1)
            assert not set(attempts) & self.told.keys(), "it ended before it was seen"


@pytest.fixture(scope="module")
def _desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    store = LocalStore(tmp_path_factory.mktemp("executor") / "store")
    store.put_bytes("songs/song.npz", song_file().song().to_bytes())
    store.put_bytes("assets/midi", song_file().to_bytes())
    store.put_bytes("assets/font", make_soundfont())
    with open_executor(str(store.root), workers=2) as executor:
        yield Desk(executor, store)


@pytest.fixture
def desk(_desk: Desk) -> Iterator[Desk]:
    """A desk with nothing under way, before and after the test."""
    yield _desk
    names = [f"a{number + 1}" for number in range(_desk._count)]
    left = [name for name in names if name not in _desk.told]
    _desk.executor.kill(left)
    for name in left:
        _desk.outcome(name)


def song_file() -> SongFile:
    file = SongFile("A song")
    for start in range(60):
        file.note(start, start + 1, 60 + start % 12)
    return file


def chunks(engine: str, *, seconds: int = 8, large: bool = False) -> tuple[ChunkSpec, ...]:
    size = {"width": 2560, "height": 1440} if large else {"width": 128, "height": 64}
    video = {**size, "fps": 30, "crf": 20, "max_kbps": 8000, "profile": "high"}
    picture = Picture(
        composition=find_style("aurora"),
        song_key="songs/song.npz",
        start_s=Fraction(0),
        video=VideoSpec.model_validate(video),
    )
    return make_plan(picture=picture, frames=30 * seconds, audio=None, engine=engine).chunks


def long_chunk(desk: Desk, attempt: str) -> ChunkSpec:
    """Work that takes many seconds, and writes where no other attempt does."""
    chunk = chunks(desk.engine, seconds=60, large=True)[0]
    return chunk.model_copy(update={"key": attempt_key(chunk.key, attempt)})


def long_sound(_desk: object = None) -> AudioSpec:
    return AudioSpec(
        song_key="songs/song.npz",
        soundfont_key="assets/font",
        start_s=Fraction(0),
        offset_s=Fraction(0),
        samples=3 * 3600 * RATE,
        sample_rate=RATE,
        channels=2,
        bitrate_kbps=128,
        loudness_lufs=-14,
        key="audio/long.mp4",
    )


def survey_of(engine: str) -> SurveySpec:
    """A look at a GIF of a second, of which the palette is to be found."""
    chunk = chunks(engine, seconds=1)[0]
    gif = {"width": 64, "height": 64, "fps": 15, "codec": "gif", "pixel_format": "pal8"}
    picture = chunk.picture.model_copy(update={"video": VideoSpec.model_validate(gif)})
    return plan_survey(picture, 15, engine)


def preview() -> PreviewSpec:
    """A frame of a song, before anything of it is exported."""
    return PreviewSpec(
        kind="still",
        intake=IntakeSpec(midi_key="assets/midi", composition=find_style("aurora")),
        configuration=find_preset("youtube_1080p"),
        at_s=1.5,
        width=64,
        key="previews/ab/still.png",
    )


def process_id(worker: str | None) -> int:
    """Of a worker on this machine."""
    assert worker is not None
    return int(worker.rpartition(":")[2])


def wait_for_end(pid: int) -> None:
    """Wait until a process is gone."""
    until_s = time.monotonic() + PATIENCE_S
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([watched], [], [], until_s - time.monotonic())[0]
    finally:
        os.close(watched)


def test_an_upload_is_probed_by_a_worker(desk: Desk) -> None:
    good = desk.submit(ProbeSpec(asset_key="assets/midi", name="Song.mid", kind="midi"))
    bad = desk.submit(ProbeSpec(asset_key="assets/midi", name="Cover.png", kind="image"))
    report = desk.outcome(good).report
    assert isinstance(report, ProbeReport)
    assert report.facts["notes"] == 60
    error = desk.outcome(bad).error
    assert isinstance(error, MediaError)
    assert error.message.startswith("Cover.png is of no kind of image")
    for name in (good, bad):
        outcome = desk.told[name]
        assert outcome.node == desk.node
        assert process_id(outcome.worker) != os.getpid()
        assert outcome.wall_s is not None
        assert 0 <= outcome.wall_s < PATIENCE_S


def test_a_song_is_taken_in_drawn_and_stitched(desk: Desk) -> None:
    intake = desk.outcome(
        desk.submit(
            IntakeSpec(
                midi_key="assets/midi",
                soundfont_key="assets/font",
                composition=find_style("aurora"),
                names={"assets/midi": "Song.mid"},
            )
        )
    ).report
    assert isinstance(intake, Intake)
    assert intake.notes == 60
    assert intake.soundfont_key == "assets/font"
    assert desk.store.exists(intake.song_key)

    plan = chunks(desk.engine, seconds=4)
    segments = []
    for chunk in plan:
        made = chunk.model_copy(update={"key": attempt_key(chunk.key, "a1")})
        report = desk.outcome(desk.submit(made)).report
        assert isinstance(report, SegmentReport)
        assert report.key == made.key
        segments.append(report)
    stitch = StitchSpec(
        segment_keys=tuple(segment.key for segment in segments),
        segment_sha256=tuple(segment.sha256 for segment in segments),
        frames=120,
        video=plan[0].picture.video,
        audio=None,
        key="exports/whole.mp4",
    )
    assert isinstance(desk.outcome(desk.submit(stitch)).report, StitchReport)

    desk.store.put_bytes(segments[1].key, desk.store.get_bytes(segments[0].key))
    error = desk.outcome(desk.submit(stitch)).error
    assert isinstance(error, DamagedObjectError)
    assert error.facts["key"] == segments[1].key
    assert "stitch" in error.facts["log"]
    assert "\x1b" not in error.facts["log"]


def test_a_piece_is_surveyed_and_previewed(desk: Desk) -> None:
    spec = survey_of(desk.engine)
    survey, still = desk.submit(spec), desk.submit(preview())
    found = desk.outcome(survey).report
    assert isinstance(found, SurveyReport), desk.told[survey].error
    assert found.palette is not None
    assert found.sha256 == digest(desk.store.get_bytes(spec.key))
    shown = desk.outcome(still).report
    assert isinstance(shown, PreviewReport), desk.told[still].error
    assert (shown.media_type, shown.width, shown.height) == ("image/png", 64, 36)
    assert desk.store.get_bytes(shown.key).startswith(b"\x89PNG")


def test_a_preview_waits_for_no_slot(desk: Desk) -> None:
    sounds = [long_sound().model_copy(update={"key": f"audio/{n}.mp4"}) for n in range(4)]
    names = [desk.submit(sound) for sound in sounds]
    desk.wait_until_begun(names[:2])
    spec = preview().model_copy(update={"key": "previews/ab/beside.png"})
    outcome = desk.outcome(desk.submit(spec))
    assert isinstance(outcome.report, PreviewReport), outcome.error
    assert not desk.told.keys() & set(names)


def test_a_node_has_introduced_itself(desk: Desk) -> None:
    [node] = desk.executor.nodes()
    assert (node.slots, node.pools, node.kept_out) == (2, {"default"}, None)
    assert not node.is_leaving
    assert node.engine == desk.engine
    assert node.renderer is not None
    assert node.renderer in desk.engine


def test_a_node_that_never_was_does_no_work(desk: Desk) -> None:
    spec = ProbeSpec(asset_key="assets/midi", name="Song.mid", kind="midi")
    outcome = desk.outcome(desk.submit(spec, "a" * len(desk.node)))
    assert type(outcome.error) is ClusterError
    assert outcome.error.kind is ErrorKind.TRANSIENT
    assert outcome.node is None


def test_what_waits_is_told_from_what_runs_and_both_are_cancelled(desk: Desk) -> None:
    items = [long_chunk(desk, f"w{number}") for number in range(3)]
    names = [desk.submit(item) for item in items]
    before = time.time()
    desk.wait_until_begun(names[:2])
    status = desk.executor.status()
    assert names[2] not in status, "there are two slots"
    assert before - PATIENCE_S < status[names[0]].started_at <= time.time()
    workers = {status[name].worker for name in names[:2]}
    assert len(workers) == 2
    until_s = time.monotonic() + PATIENCE_S
    while not desk.executor.status()[names[0]].frames:
        assert time.monotonic() < until_s
        desk.listen(0.1)
    assert desk.executor.status()[names[0]].silent_s < 2

    desk.executor.cancel([*names, "unknown"])
    desk.executor.cancel(names)
    for name in names:
        assert isinstance(desk.outcome(name, SOFTLY_WITHIN_S).error, CancelledError)
    assert not desk.executor.status()
    assert not any(desk.store.exists(item.key) for item in items)
    again = [desk.outcome(desk.submit(chunks(desk.engine)[0])) for _ in range(2)]
    assert {outcome.worker for outcome in again} <= workers, "the processes live on"


def test_cancelling_at_any_moment_spoils_nothing(desk: Desk) -> None:
    rng = np.random.default_rng(7)
    plan = chunks(desk.engine, seconds=60)
    stopped: set[str] = set()
    submitted: dict[str, Item] = {}
    for round_ in range(40):
        chunk = plan[round_ % len(plan)]
        items: list[Item] = [
            ProbeSpec(asset_key="assets/midi", name="Song.mid", kind="midi"),
            chunk.model_copy(update={"key": attempt_key(chunk.key, f"any{round_}")}),
        ]
        new = [desk.submit(item) for item in items]
        submitted |= zip(new, items, strict=True)
        desk.listen(rng.random() / 5)
        if round_ % 2:
            stop = desk.executor.kill if rng.random() < 0.2 else desk.executor.cancel
            stop([new[rng.integers(2)]])
            stopped |= set(new)
    for name, item in submitted.items():
        error = desk.outcome(name).error
        if name in stopped and isinstance(error, CancelledError):
            continue
        if isinstance(error, WorkerLostError):
            # Ray gives a worker its next task a moment before it ends it for the last one's sake.
            error = desk.outcome(desk.submit(item)).error
        assert error is None, error
    assert desk.told.keys() >= submitted.keys()


@pytest.mark.parametrize("kind", ["sound", "stitch", "probe"])
def test_long_work_without_frames_stops_too(desk: Desk, kind: str) -> None:
    make = {"sound": long_sound, "stitch": _long_stitch, "probe": _long_probe}[kind]
    name = desk.submit(make(desk))
    desk.wait_until_begun([name])
    worker = desk.executor.status()[name].worker
    desk.executor.cancel([name])
    outcome = desk.outcome(name, SOFTLY_WITHIN_S)
    assert isinstance(outcome.error, CancelledError)
    assert outcome.worker == worker
    if kind == "probe":
        wait_for_end(process_id(worker))
    else:
        os.kill(process_id(worker), 0)


def _long_stitch(desk: Desk) -> StitchSpec:
    """One segment as 6000: refused in the end, but long under way."""
    chunk = chunks(desk.engine)[0]
    made = desk.outcome(desk.submit(chunk)).report
    assert isinstance(made, SegmentReport)
    data = desk.store.get_bytes(made.key)
    keys = tuple(f"segments/many/{number}.mp4" for number in range(6000))
    desk.store.put_bytes(keys[0], data)
    first = desk.store.root / "segments=" / "many=" / "0.mp4"
    for key in keys[1:]:
        os.link(first, first.with_name(Path(key).name))
    return StitchSpec(
        segment_keys=keys,
        frames=6000 * made.frames,
        video=chunk.picture.video,
        audio=None,
        key="exports/many.mp4",
    )


def _long_probe(desk: Desk) -> ProbeSpec:
    """A recording of three days."""
    data_bytes = 0x7FFFFF00
    head = struct.pack(
        "<4sI4s4sIHHIIHH", b"RIFF", data_bytes + 36, b"WAVE", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8
    )
    path = desk.store.root / "assets=" / "days"
    path.write_bytes(head + struct.pack("<4sI", b"data", data_bytes))
    os.truncate(path, data_bytes + 44)  # silence, which takes no room on the disk
    return ProbeSpec(asset_key="assets/days", name="Days.wav", kind="audio")


def test_a_killed_attempt_is_cancelled_and_swept_away(desk: Desk) -> None:
    name = desk.submit(long_sound())
    desk.wait_until_begun([name])
    pid = process_id(desk.executor.status()[name].worker)
    desk.executor.kill([name])
    desk.executor.kill([name])
    assert isinstance(desk.outcome(name, SOFTLY_WITHIN_S).error, CancelledError)
    wait_for_end(pid)
    # Folders of processes that live are locked, and stay.
    root = Path(os.environ["MIDIFARM_SCRATCH_DIR"])
    stale = root / "midifarm-scratch-dead"
    stale.mkdir()
    (stale / "half a file").write_bytes(b"half")
    until_s = time.monotonic() + PATIENCE_S
    while stale.exists():
        assert time.monotonic() < until_s
        desk.executor.sweep()
        desk.executor.status()
        desk.listen(0.1)
        desk.outcome(desk.submit(ProbeSpec(asset_key="assets/midi", name="Song.mid", kind="midi")))
    living = desk.submit(long_chunk(desk, "sweep"))
    desk.wait_until_begun([living])
    folders = set(root.glob("midifarm-scratch-*"))
    assert folders
    desk.executor.sweep()
    assert isinstance(
        desk.outcome(
            desk.submit(ProbeSpec(asset_key="assets/midi", name="Song.mid", kind="midi"))
        ).report,
        ProbeReport,
    )
    assert folders <= set(root.glob("midifarm-scratch-*"))


def test_a_worker_that_dies_makes_its_attempt_suspect(desk: Desk) -> None:
    name = desk.submit(long_chunk(desk, "crash"))
    desk.wait_until_begun([name])
    worker = desk.executor.status()[name].worker
    os.kill(process_id(worker), signal.SIGKILL)
    outcome = desk.outcome(name)
    assert isinstance(outcome.error, WorkerLostError)
    assert outcome.error.kind is ErrorKind.SUSPECT
    assert outcome.worker == worker
    after = desk.outcome(desk.submit(chunks(desk.engine)[1]))
    assert isinstance(after.report, SegmentReport), "the others go on"


def test_a_worker_is_retired(desk: Desk) -> None:
    name = desk.submit(long_chunk(desk, "retire"))
    desk.wait_until_begun([name])
    worker = desk.executor.status()[name].worker
    desk.executor.retire(worker)
    desk.executor.retire("0123456789ab:1")
    outcome = desk.outcome(name)
    assert type(outcome.error) is ClusterError
    assert outcome.error.kind is ErrorKind.TRANSIENT
    wait_for_end(process_id(worker))
    again = desk.outcome(desk.submit(chunks(desk.engine)[2]))
    assert again.worker != worker


def wait_for_wish(desk: Desk, *, leaves: bool) -> None:
    """Wait until the executor has heard what its node wants."""
    until_s = time.monotonic() + PATIENCE_S
    while desk.executor.nodes()[0].is_leaving is not leaves:
        assert time.monotonic() < until_s
        time.sleep(0.05)


def test_a_node_that_is_at_nothing_may_leave(desk: Desk) -> None:
    lines: list[str] = []
    with ThreadPoolExecutor() as thread:
        leaving = thread.submit(leave, desk.node, PATIENCE_S, lines.append)
        while not leaving.done():
            desk.executor.nodes()
            time.sleep(0.05)
    assert leaving.result()
    assert lines[-1] == "The node has nothing left to do."
    wait_for_wish(desk, leaves=True)
    stay(desk.node)
    wait_for_wish(desk, leaves=False)


def test_every_item_travels_as_json() -> None:
    engine = "whatever draws"
    items: list[Item] = [
        chunks(engine)[0],
        long_sound(),
        StitchSpec(
            segment_keys=("a", "b"),
            segment_sha256=("1", "2"),
            frames=2,
            video=chunks(engine)[0].picture.video,
            audio=long_sound(),
            audio_sha256="3",
            key="c",
        ),
        IntakeSpec(midi_key="a", composition=find_style("neon"), names={"a": "Ä.mid"}),
        ProbeSpec(asset_key="a", name="b", kind="font"),
        survey_of(engine),
        preview(),
    ]
    for item in items:
        assert type(item).model_validate_json(item.model_dump_json()) == item


def run_program(module: str, folder: Path) -> list[dict[str, Any]]:
    """Run a cluster in a process of its own; what it has seen."""
    done = subprocess.run(
        [sys.executable, "-m", module, str(folder)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, done.stderr
    assert lines[-1]["what"] == "end", (lines, done.stderr)
    return lines


@pytest.mark.timeout(180)
def test_nodes_join_and_share_their_gpus(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    store.put_bytes("songs/song.npz", song_file().song().to_bytes())
    store.put_bytes("assets/font", make_soundfont())
    (tmp_path / "sound.json").write_text(long_sound().model_dump_json())
    seen = {line["what"]: line for line in run_program("tests.guests", tmp_path)}
    plain, gpu, odd = seen["plain"], seen["gpu"], seen["odd"]
    assert (plain["slots"], plain["pools"], plain["kept_out"]) == (1, ["fast", "night"], None)
    assert plain["standing"] == {"state": "joined", "reason": None, "slots": 1}
    assert "MIDIFARM_GPU_SLOTS is 'many'" in odd["kept_out"]
    assert odd["standing"] == {"state": "kept_out", "reason": odd["kept_out"], "slots": 0}
    # No GPU draws here: the node is kept out, but work that is put there all the same shares them.
    assert gpu["slots"] == 0
    assert gpu["renderer"] == plain["renderer"]
    assert "It offers GPUs, but" in gpu["kept_out"]
    assert gpu["standing"]["reason"] == gpu["kept_out"]
    assert (seen["met"]["share"], seen["met"]["gpus"]) == (0.5, ["0", "0", "1", "1"])
    assert (seen["shared"]["begun"], seen["shared"]["early"]) == (4, 0)


@pytest.mark.timeout(180)
def test_a_cluster_grows_and_shrinks_as_it_is_asked_to(tmp_path: Path) -> None:
    up, down, _ = run_program("tests.growing_cluster", tmp_path)
    assert (up["nodes"], up["found"]) == (2, True), up
    assert (down["nodes"], down["found"]) == (0, True), down


@pytest.mark.timeout(180)
def test_lost_nodes_are_noticed(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    store.put_bytes("songs/song.npz", song_file().song().to_bytes())
    store.put_bytes("assets/midi", song_file().to_bytes())
    store.put_bytes("assets/font", make_soundfont())
    (tmp_path / "preview.json").write_text(preview().model_dump_json())
    (tmp_path / "sound.json").write_text(long_sound().model_dump_json())
    lines = run_program("tests.two_nodes", tmp_path)
    seen = {line["what"]: line for line in lines}
    assert "RAY_AUTH_TOKEN" in seen["stranger"]["error"]
    assert seen["stranger"]["after_s"] < 15
    nodes = seen["nodes"]["nodes"]
    assert len(set(nodes)) == 2
    assert seen["nodes"]["slots"] == [1, 1]
    placed = [line for line in lines if line["what"] == "placed"]
    assert len(placed) == 8
    assert all(line["node"] == line["wanted"] for line in placed)
    # What waits for a busy node does not go to the one that is free.
    assert (seen["waited"]["early"], seen["waited"]["error"]) == (0, "CancelledError")
    assert seen["waited"]["node"] is None
    assert seen["waited"]["beside"] == seen["waited"]["busy"]
    assert seen["left"]["leaving"] == [seen["left"]["node"]]
    assert seen["left"]["stays"]
    waits, finishes, is_done = seen["left"]["lines"]
    assert "waits for the dispatcher" in waits
    assert "1 work item to finish" in finishes
    assert is_done == "False"
    for what in ("node removed", "node gone"):
        assert seen[what]["error"] == "ClusterError"
        assert seen[what]["kind"] == "transient"
    assert "fresh process" in seen["head lost"]["error"]
    assert seen["head lost"]["after_s"] < 30


def test_a_cluster_that_is_not_there_is_told_in_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        began_s = time.monotonic()
        with (
            pytest.raises(ClusterError, match=f"There is no Ray cluster at {address}"),
            ray_session(address, 1),
        ):
            pass
        assert time.monotonic() - began_s < 10
