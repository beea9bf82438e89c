"""Every kind of file that ``midifarm render`` makes, and several at once, by the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from shared.settings import usable_cores
from tests.conftest import Program
from tests.songs import SongFile
from tests.soundfonts import make_soundfont

pytestmark = pytest.mark.ray

ROOT = Path(__file__).parents[2]
DEADLINE_S = 200
SIZE = ("--size", "160x90")
SHORT = ("--end", "2")
LONG_S = 61
"""A second more than Instagram takes."""

COMMANDS: dict[str, tuple[str, ...]] = {
    "song.webm": (*SIZE, "--end", "4", "--bitrate", "150"),
    "song.gif": (*SIZE, *SHORT, "--loop", "2"),
    "song.mov": (*SIZE, *SHORT, "--alpha"),
    "song.zip": (*SIZE, *SHORT, "--fps", "10"),
    "song.m4a": SHORT,
    "card.mp4": (
        *(*SIZE, *SHORT, "--template", "social-media-pack", "--handle", "youtube=@ada"),
        *("--end-card", "1", "--poster", "card.jpg"),
    ),
}
BATCH = ("youtube_1080p", "instagram_square", "twitter_landscape")
BATCH_OPTIONS = ("--size", "64x36", "--fps", "10", "--end", str(LONG_S))


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command ended."""

    status: int
    result: dict[str, Any]
    errors: str


@dataclass(frozen=True)
class Renders:
    """Commands side by side, in one folder, with a store of their own each."""

    folder: Path
    under_way: dict[str, Future[Done]]

    def result(self, name: str) -> dict[str, Any]:
        """What a command that must have succeeded has told."""
        done = self.under_way[name].result()
        assert done.status == 0, done.errors
        return done.result


@pytest.fixture(scope="module")
def renders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Renders]:
    """All commands, as many at a time as there are processors."""
    folder = tmp_path_factory.mktemp("renders")
    song = SongFile("Formats")
    for beat in range(8):
        song.note(beat / 2, beat / 2 + 0.5, 60 + beat)
    song.note(LONG_S - 1, LONG_S, 72)
    song.save(folder / "song.mid")
    (folder / "tiny.sf2").write_bytes(make_soundfont())

    command = [sys.executable, "-c", "from coordinator.cli import main; main()", "render"]
    command += ["song.mid", "--soundfont", "tiny.sf2", "--workers", "1", "--json"]

    def run(store: str, *arguments: str) -> Done:
        done = subprocess.run(
            [*command, *arguments],
            cwd=folder,
            env={
                **{name: value for name, value in os.environ.items() if "RAY_" not in name},
                "PYTHONPATH": str(ROOT),
                "MIDIFARM_DATA_DIR": str(folder / "data" / store),
            },
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        result = json.loads(done.stdout) if done.stdout else {}
        return Done(status=done.returncode, result=result, errors=done.stderr)

    batch = [option for preset in BATCH for option in ("--preset", preset)]
    with ThreadPoolExecutor(usable_cores()) as pool:
        under_way = {"batch": pool.submit(run, "batch", *batch, *BATCH_OPTIONS)}
        under_way |= {
            name: pool.submit(run, name, *options, "-o", name) for name, options in COMMANDS.items()
        }
        yield Renders(folder, under_way)


def streams(ffprobe: Program, path: Path) -> dict[str, dict[str, Any]]:
    """What Debian's ffprobe finds, by kind, with the frames counted."""
    found = json.loads(ffprobe("-show_streams", "-count_packets", path))["streams"]
    return {stream["codec_type"]: stream for stream in found}


@pytest.mark.ffmpeg
def test_a_webm_holds_its_average_rate(renders: Renders, ffprobe: Program) -> None:
    result = renders.result("song.webm")
    told = {name: result[name] for name in ("container", "video_codec", "audio_codec")}
    assert told == {"container": "webm", "video_codec": "vp9", "audio_codec": "opus"}
    assert result["audio_lufs"] == pytest.approx(-14, abs=0.5)
    assert result["audio_true_peak"] <= -1
    path = renders.folder / "song.webm"
    found = streams(ffprobe, path)
    assert (found["video"]["codec_name"], found["audio"]["codec_name"]) == ("vp9", "opus")
    assert int(found["video"]["nb_read_packets"]) == result["frames"] == 120
    packets = json.loads(ffprobe("-select_streams", "v", "-show_entries", "packet=size", path))[
        "packets"
    ]
    kbps = sum(int(packet["size"]) for packet in packets) * 8 / 1000 / result["duration_s"]
    assert 150 * 0.92 <= kbps <= 150 * 1.02


@pytest.mark.ffmpeg
def test_a_gif_has_its_frames_and_loops(renders: Renders, ffprobe: Program) -> None:
    result = renders.result("song.gif")
    assert (result["fps"], result["frames"], result["audio_codec"]) == (15, 30, None)
    path = renders.folder / "song.gif"
    assert int(streams(ffprobe, path)["video"]["nb_read_packets"]) == 30
    with Image.open(path) as image:
        assert image.size == (160, 90)
        assert image.info["loop"] == 2


@pytest.mark.ffmpeg
def test_a_transparent_mov_has_alpha(renders: Renders, ffprobe: Program) -> None:
    assert renders.result("song.mov")["video_codec"] == "prores_4444"
    found = streams(ffprobe, renders.folder / "song.mov")
    assert found["video"]["pix_fmt"].startswith("yuva444p")
    assert found["audio"]["codec_name"] == "aac"


def test_a_zip_has_one_image_for_each_frame(renders: Renders) -> None:
    result = renders.result("song.zip")
    assert (result["video_codec"], result["frames"]) == ("png", 20)
    with zipfile.ZipFile(renders.folder / "song.zip") as archive:
        assert sorted(archive.namelist()) == [f"frame_{frame:06}.png" for frame in range(20)]
        with archive.open("frame_000019.png") as file, Image.open(file) as image:
            assert image.size == (160, 90)


@pytest.mark.ffmpeg
def test_sound_can_be_had_alone(renders: Renders, ffprobe: Program) -> None:
    result = renders.result("song.m4a")
    assert (result["video_codec"], result["frames"], result["width"]) == (None, 0, None)
    assert result["duration_s"] == 2
    assert streams(ffprobe, renders.folder / "song.m4a").keys() == {"audio"}


def test_an_end_card_comes_after_the_music_and_a_poster_beside_the_video(renders: Renders) -> None:
    result = renders.result("card.mp4")
    assert result["frames"] == 90, "two seconds of music and one of the card"
    assert result["poster"] == "card.jpg"
    with Image.open(renders.folder / "card.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (160, 90))


def test_a_batch_goes_on_without_what_is_refused(renders: Renders) -> None:
    done = renders.under_way["batch"].result()
    assert done.status == 1
    assert done.result.keys() == {"exports"}
    youtube, instagram, twitter = done.result["exports"]
    assert instagram.keys() == {"output", "preset", "error"}
    assert instagram["error"].startswith("Instagram Square takes 60 s at most; this video lasts 61")
    assert f"midifarm: {instagram['output']}: {instagram['error']}\n" in done.errors
    assert not (renders.folder / instagram["output"]).exists()
    for preset, result in (("youtube_1080p", youtube), ("twitter_landscape", twitter)):
        assert result["output"] == f"song-{preset}.mp4"
        assert result["preset"] == preset
        assert result["frames"] == LONG_S * 10
        assert (renders.folder / result["output"]).stat().st_size == result["bytes"]
    kept = list((renders.folder / "data" / "batch").rglob("*.frames"))
    assert not kept, "nobody shows these frames any more"
    assert youtube["sha256"] != twitter["sha256"]
