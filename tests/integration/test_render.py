"""The whole way, from files to a file: the real command with the Ray that it starts."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from shared.composition import Composition
from shared.layout import lay_out
from tests.conftest import Program
from tests.songs import SongFile
from tests.soundfonts import make_soundfont
from workers.soundfont import find_soundfont

pytestmark = pytest.mark.ray

CONTRACT = {
    *("output", "frames", "fps", "width", "height", "duration_s", "bytes", "chunks"),
    *("chunks_cached", "elapsed_s", "render_fps", "audio_lufs", "sha256", "warnings"),
    *("preset", "container", "video_codec", "audio_codec", "audio_true_peak", "renderings"),
    "poster",
}
WIDTH, HEIGHT, FPS = 320, 180, 30
RATE = 48000
# On a frame, between two frames, just after one, just before one, and together.
ONSETS = tuple(
    Fraction(ticks, 960) for ticks in (480, 960 + 17, 1440 + 1, 1920 + 31, 2880, 3840 + 9, 4800)
)
KEYS = (48, 52, 55, 60, 64, 67, 72)
COMPOSITION = {
    "stage": {"keys": "used", "seconds_ahead": 2},
    "colouring": {"palette": ["#00ff00"], "black_key_shade": 1, "velocity_shade": 0},
    "layers": [
        {"type": "background", "colour": "#000000"},
        {"type": "keyboard", "line_colour": "#000000", "light": 1},
        {"type": "hit_flash", "strength": 2, "decay_s": 0.05},
    ],
    "tail_s": 1,
}
"""Nothing but keys and flashes, so that a rise of light is an onset."""
RAY_FOLDER = re.compile(r"/tmp/mf-[\w-]+")  # noqa: S108
DEADLINE_S = 120
AGENTS = ("ray::DashboardAgent", "ray::RuntimeEnvAgent")
"""Idle helpers of Ray. Where the command was killed, they try for 60 s to report that, and end
(ray/_private/process_watcher.py; the time is fixed there)."""
# Whoever runs the tests in the background has them ignore SIGINT, and what they start with them.
COMMAND = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from coordinator.cli import main; main()"
)
LEAST_MEMORY = 50 << 20
MOST_MEMORY = 600 << 20
"""What a render process may take at 1080p."""


@dataclass
class Command:
    """A running ``midifarm render`` and everything that it started."""

    process: subprocess.Popen[str]
    data_dir: Path
    ray_folders: set[Path] = field(default_factory=set)
    """Ray's temporary folders, as far as they were seen."""
    errors: str = ""
    """What it wrote on standard error, once it has finished."""
    _seen: set[psutil.Process] = field(default_factory=set)

    def farm(self) -> list[psutil.Process]:
        """Every living process of this command, whoever its parent is by now.

        They are found by their parents as long as these live, and then remembered; by what they
        were started with; and by the folder that they were told of. Each alone misses some: a
        process that changes its title may spoil its environment.
        """
        with suppress(psutil.Error):
            self._seen.update(psutil.Process(self.process.pid).children(recursive=True))
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                ours = process.environ().get("MIDIFARM_DATA_DIR") == str(self.data_dir)
                if ours or self.ray_folders.intersection(_ray_folders(process)):
                    self._seen.add(process)
        living = []
        for process in self._seen:
            with suppress(psutil.Error):
                if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                    living.append(process)
                    self.ray_folders.update(_ray_folders(process))
        return living

    def renderers(self) -> list[psutil.Process]:
        """The processes that are drawing at this moment."""
        found = []
        for process in self.farm():
            with suppress(psutil.Error):
                if "ray::render_chunk" in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def wait_for_renderers(self) -> list[psutil.Process]:
        """Wait until a chunk is being drawn."""
        found: list[psutil.Process] = []

        def rendering() -> bool:
            assert self.process.poll() is None, "the command ended before it drew anything"
            found[:] = self.renderers()
            return bool(found)

        wait_until(rendering, "a chunk is being rendered")
        return found

    def wait_until_gone(self, but: Collection[str] = ()) -> None:
        """Wait until nothing of it runs any more, but for processes of those titles."""

        def gone() -> bool:
            titles = set()
            for process in self.farm():
                with suppress(psutil.Error):
                    # One that is about to end has no command line any more.
                    titles.add(" ".join(process.cmdline()[:1]).strip())
            return titles <= set(but)

        wait_until(gone, "every process has ended", within_s=20)

    def finish(self) -> dict[str, Any]:
        """Wait for it to succeed; what it printed."""
        out, self.errors = self.process.communicate(timeout=DEADLINE_S)
        assert self.process.returncode == 0, self.errors
        result: dict[str, Any] = json.loads(out)
        return result


def _ray_folders(process: psutil.Process) -> set[Path]:
    """The folder of the Ray that a process belongs to, as far as its arguments tell."""
    return {Path(name) for part in process.cmdline() for name in RAY_FOLDER.findall(part)}


def wait_until(is_true: Callable[[], object], what: str, within_s: float = DEADLINE_S) -> None:
    """Look again and again; what is waited for sends no signal that a stranger could hear."""
    until_s = time.monotonic() + within_s
    pause = subprocess.Popen(["cat"], stdin=subprocess.PIPE)  # never ends by itself
    try:
        while not is_true():
            assert time.monotonic() < until_s, f"waited {within_s} s in vain until {what}"
            with suppress(subprocess.TimeoutExpired):
                pause.wait(timeout=0.1)
    finally:
        pause.communicate()


@dataclass(frozen=True)
class Farm:
    """Starts commands in a folder of their own."""

    folder: Path

    @property
    def home(self) -> Path:
        """A home folder in which nothing is installed."""
        return self.folder / "home"

    @contextmanager
    def start(self, name: str, *arguments: str | Path) -> Iterator[Command]:
        """Start ``midifarm render --json`` with a data folder of that name."""
        data_dir = self.folder / name
        self.home.mkdir(exist_ok=True)
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("RAY_")},
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "MIDIFARM_DATA_DIR": str(data_dir),
        }
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "render"]
            + [str(argument) for argument in (*arguments, "--json")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=self.folder,
            start_new_session=True,  # like a command in a terminal, it leads a group of its own
        )
        command = Command(process, data_dir)
        try:
            yield command
        finally:
            for left in command.farm():
                with suppress(psutil.Error):
                    left.kill()
            process.communicate()
            for folder in command.ray_folders:
                shutil.rmtree(folder, ignore_errors=True)

    def render(self, name: str, *arguments: str | Path) -> dict[str, Any]:
        """Render to the end; nothing is left running."""
        with self.start(name, *arguments) as command:
            result = command.finish()
            command.wait_until_gone()
        return result


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Farm:
    """Where commands run: not in the repository."""
    return Farm(tmp_path_factory.mktemp("farm"))


@pytest.fixture(scope="module")
def song(farm: Farm) -> Path:
    """Notes at ONSETS, one key each."""
    file = SongFile("Clicks")
    for onset_s, key in zip(ONSETS, KEYS, strict=True):
        file.note(onset_s, onset_s + Fraction(1, 8), key)
    return file.save(farm.folder / "song.mid")


@pytest.fixture(scope="module")
def recording(farm: Farm) -> Path:
    """A click at each onset, to the sample."""
    sound = np.random.default_rng(2).normal(0, 0.0005, 6 * RATE)
    reach = np.arange(-300, 300)
    for onset_s in ONSETS:
        place = round(onset_s * RATE)
        sound[place - 300 : place + 300] += 0.5 * np.exp(-((reach / 12.0) ** 2))
    path = farm.folder / "song.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module")
def arguments(farm: Farm, song: Path, recording: Path) -> list[str | Path]:
    """What the small renders have in common."""
    composition = farm.folder / "look.json"
    composition.write_text(json.dumps(COMPOSITION))
    size = ("--size", f"{WIDTH}x{HEIGHT}", "--fps", str(FPS))
    return [song, "--audio", recording, "--composition", composition, *size]


@dataclass(frozen=True)
class Rendered:
    """A small render by one worker."""

    path: Path
    result: dict[str, Any]


@pytest.fixture(scope="module")
def by_one(farm: Farm, arguments: list[str | Path]) -> Rendered:
    """The small render, by one worker."""
    path = farm.folder / "one.mp4"
    return Rendered(path, farm.render("one", *arguments, "--workers", "1", "-o", path))


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# What comes out.


def test_the_answer_is_one_json_object_that_keeps_the_contract(by_one: Rendered) -> None:
    result = by_one.result
    assert set(result) == CONTRACT
    assert result["output"] == str(by_one.path)
    assert (result["width"], result["height"], result["fps"]) == (WIDTH, HEIGHT, FPS)
    # The recording (6 s) and the last note with its tail (5.125 + 1 s): the longer counts.
    assert result["frames"] == 184
    assert result["duration_s"] == pytest.approx(184 / FPS)
    assert result["bytes"] == by_one.path.stat().st_size
    assert result["sha256"] == sha256_of(by_one.path)
    assert result["chunks"] > 2
    assert result["chunks_cached"] == 0
    assert result["renderings"] == 1
    codecs = [result[name] for name in ("container", "video_codec", "audio_codec")]
    assert codecs == ["mp4", "h264", "aac"]
    assert result["elapsed_s"] > 0
    assert result["render_fps"] == pytest.approx(184 / result["elapsed_s"], abs=0.01)
    # Clicks are all peak, which leaves no room to make them as loud as music.
    assert -40 < result["audio_lufs"] < -20
    assert [warning for warning in result["warnings"] if "peaks" in warning] == result["warnings"]
    assert len(result["warnings"]) == 1


def test_two_workers_make_the_same_bytes_as_one(
    farm: Farm, arguments: list[str | Path], by_one: Rendered
) -> None:
    path = farm.folder / "two.mp4"
    result = farm.render("two", *arguments, "--workers", "2", "-o", path)
    assert result["chunks_cached"] == 0
    assert result["sha256"] == by_one.result["sha256"] == sha256_of(path)


def test_a_second_render_finds_every_chunk(
    farm: Farm, arguments: list[str | Path], by_one: Rendered
) -> None:
    path = farm.folder / "again.mp4"
    result = farm.render("one", *arguments, "--workers", "2", "-o", path)
    assert result["chunks"] == result["chunks_cached"] == by_one.result["chunks"]
    assert result["sha256"] == by_one.result["sha256"] == sha256_of(path)


@pytest.mark.ffmpeg
def test_every_frame_is_there_at_its_time(ffprobe: Program, by_one: Rendered) -> None:
    options = ("-select_streams", "v", "-show_frames", "-show_streams")
    found = json.loads(ffprobe(*options, by_one.path))
    [stream] = found["streams"]
    base = Fraction(stream["time_base"])
    times = [frame["pts"] * base for frame in found["frames"]]
    assert times == [Fraction(frame, FPS) for frame in range(184)]


@pytest.mark.ffmpeg
def test_clicks_and_flashes_come_when_the_midi_says(
    ffmpeg: Program, by_one: Rendered, tmp_path: Path
) -> None:
    raw = tmp_path / "sound.f32"
    ffmpeg("-v", "error", "-i", by_one.path, "-map", "0:a", "-ac", "1", "-f", "f32le", raw)
    sound = np.fromfile(raw, "<f4")
    crests = []
    for onset_s in ONSETS:
        first = round((onset_s - Fraction(1, 10)) * RATE)
        crests.append(first + int(np.argmax(sound[first : first + RATE // 5])))
    clicks_s = np.array(crests) / RATE
    np.testing.assert_allclose(clicks_s, [float(onset_s) for onset_s in ONSETS], atol=0.001)

    light = lights(ffmpeg, by_one.path, tmp_path)
    for key, onset_s in zip(KEYS, ONSETS, strict=True):
        due = (onset_s * FPS).__ceil__()
        assert rises(light[key]) == [due], f"key {key}"
        assert 0 <= Fraction(due, FPS) - onset_s < Fraction(1, FPS)


def lights(ffmpeg: Program, path: Path, folder: Path) -> dict[int, NDArray[np.float64]]:
    """For each key, how green it and the flash above it are in every frame."""
    raw = folder / "picture.rgb"
    ffmpeg("-v", "error", "-i", path, "-map", "0:v", "-pix_fmt", "rgb24", "-f", "rawvideo", raw)
    frames = np.fromfile(raw, dtype=np.uint8).reshape(-1, HEIGHT, WIDTH, 3).astype(np.int16)
    layout = lay_out(Composition.model_validate(COMPOSITION), WIDTH, HEIGHT, min(KEYS), max(KEYS))
    found = {}
    for key in KEYS:
        low, high = layout.lane(key)
        columns = slice(int(low) + 2, int(high) - 1)
        front = slice(HEIGHT - int(layout.keyboard_px * 0.25), HEIGHT - 4)
        area = frames[:, front, columns]
        found[key] = (area[..., 1] - area[..., 0]).mean(axis=(1, 2))
    return found


def rises(light: NDArray[np.float64]) -> list[int]:
    """The frames with which light comes on."""
    is_on = light > 0.5 * light.max()
    assert light.max() > 50
    return [int(frame) for frame in np.flatnonzero(is_on[1:] & ~is_on[:-1]) + 1]


# Sound without a recording.


@pytest.mark.ffmpeg
def test_a_soundfont_plays_the_midi(
    farm: Farm, song: Path, ffmpeg: Program, tmp_path: Path
) -> None:
    font = tmp_path / "tiny.sf2"
    font.write_bytes(make_soundfont())
    path = farm.folder / "played.mp4"
    size = ("--size", "64x36")
    result = farm.render("one", song, "--soundfont", font, *size, "--end", "1", "-o", path)
    assert result["audio_lufs"] == pytest.approx(-14, abs=1)
    assert not [warning for warning in result["warnings"] if "silent" in warning]
    raw = tmp_path / "sound.f32"
    ffmpeg("-v", "error", "-i", path, "-map", "0:a", "-ac", "1", "-f", "f32le", raw)
    sound = np.abs(np.fromfile(raw, "<f4"))
    first = int(np.flatnonzero(sound > 0.05)[0])
    assert first / RATE == pytest.approx(float(ONSETS[0]), abs=0.005)


# Processes that die, and what they leave behind.


@pytest.fixture(scope="module")
def large(song: Path) -> list[str | Path]:
    """A render that takes a while: the default style at 1080p."""
    return [song, "--size", "1920x1080", "--end", "5"]


@dataclass(frozen=True)
class Watched:
    """The large render, and what was seen while it ran."""

    result: dict[str, Any]
    memory: dict[int, int]
    """The most bytes that each render process took."""
    listeners: set[str]
    """Every address on which a socket listened."""


@pytest.fixture(scope="module")
def watched(farm: Farm, large: list[str | Path]) -> Watched:
    """The large render, watched."""
    memory: dict[int, int] = {}
    listeners: set[str] = set()
    path = farm.folder / "watched.mp4"
    with farm.start("watched", *large, "--workers", "2", "-o", path) as command:

        def look() -> bool:
            for process in command.renderers():
                with suppress(psutil.Error):
                    taken = process.memory_info().rss
                    memory[process.pid] = max(taken, memory.get(process.pid, 0))
            for process in command.farm():
                with suppress(psutil.Error):
                    for socket in process.net_connections("inet"):
                        if socket.status == psutil.CONN_LISTEN:
                            listeners.add(socket.laddr.ip)
            return command.process.poll() is not None

        wait_until(look, "the render is done")
        result = command.finish()
        command.wait_until_gone()
    return Watched(result, memory, listeners)


def test_without_recording_or_soundfont_the_video_is_silent_and_says_so(
    farm: Farm, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(farm.home))  # as it was for the command
    silent = [warning for warning in watched.result["warnings"] if "silent" in warning]
    if find_soundfont() is None:
        assert watched.result["audio_lufs"] is None
        assert len(silent) == 1
        assert "Add a recording" in silent[0]
    else:
        assert watched.result["audio_lufs"] is not None
        assert silent == []


def test_ray_listens_on_this_machine_alone(watched: Watched) -> None:
    assert watched.listeners
    for address in watched.listeners:
        assert ip_address(address.removeprefix("::ffff:")).is_loopback


def test_a_render_process_stays_small(watched: Watched) -> None:
    assert len(watched.memory) == 2, "one process a worker draws all its chunks"
    assert all(LEAST_MEMORY < taken < MOST_MEMORY for taken in watched.memory.values())


def test_a_killed_render_process_changes_nothing(
    farm: Farm, large: list[str | Path], watched: Watched
) -> None:
    path = farm.folder / "survived.mp4"
    with farm.start("killed", *large, "--workers", "2", "-o", path) as command:
        victim = command.wait_for_renderers()[0]
        victim.kill()
        result = command.finish()
        command.wait_until_gone()
        assert "attempt_failed" in command.errors
    assert result["sha256"] == watched.result["sha256"] == sha256_of(path)


@pytest.mark.parametrize(
    ("send", "number"),
    [
        pytest.param(os.kill, signal.SIGINT, id="the command"),
        pytest.param(os.killpg, signal.SIGINT, id="its whole group, as a terminal does"),
        pytest.param(os.kill, signal.SIGTERM, id="politely killed"),
    ],
)
def test_an_interrupted_render_leaves_nothing(
    farm: Farm,
    large: list[str | Path],
    tmp_path: Path,
    send: Callable[[int, int], None],
    number: signal.Signals,
) -> None:
    path = tmp_path / "never.mp4"
    with farm.start(f"{send.__name__}{number}", *large, "--workers", "1", "-o", path) as command:
        command.wait_for_renderers()
        assert command.ray_folders
        assert all(folder.is_dir() for folder in command.ray_folders)
        send(command.process.pid, number)
        out, err = command.process.communicate(timeout=30)
        assert command.process.returncode == 130
        assert out == ""
        assert "Traceback" not in err
        command.wait_until_gone()
    assert list(tmp_path.iterdir()) == []
    assert not [folder for folder in command.ray_folders if folder.exists()]


def test_a_killed_command_leaves_no_process_and_no_file(
    farm: Farm, large: list[str | Path], tmp_path: Path
) -> None:
    path = tmp_path / "never.mp4"
    with farm.start("beheaded", *large, "--workers", "1", "-o", path) as command:
        command.wait_for_renderers()
        command.process.kill()
        command.process.communicate(timeout=30)
        command.wait_until_gone(but=AGENTS)
    assert list(tmp_path.iterdir()) == []
