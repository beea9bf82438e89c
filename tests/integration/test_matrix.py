"""Every allowed cell of the matrix, judged by Debian's ffmpeg and ffprobe, and by Chromium."""

from __future__ import annotations

import json
import math
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shared.codecs import CODECS, CONTAINERS
from tests.conftest import Program
from tests.matrix import (
    ALPHA,
    CELLS,
    FRAMES,
    HEIGHT,
    POSTER_FRAME,
    STARTS,
    WIDTH,
    Cell,
    Heard,
    Made,
    Matrix,
    clicks,
    number_of,
    video_of,
)
from workers.stitch import stitch

MOVIES = [cell for cell in CELLS if cell.container in ("mp4", "mov", "webm")]
SOUNDS = [cell for cell in CELLS if cell.codec is None]
ANIMATIONS = [cell for cell in CELLS if cell.container == "gif"]
SEQUENCES = [cell for cell in CELLS if cell.container == "zip"]

each_movie = pytest.mark.parametrize("cell", MOVIES, ids=lambda cell: cell.name)
each_sound = pytest.mark.parametrize("cell", SOUNDS, ids=lambda cell: cell.name)
each_animation = pytest.mark.parametrize("cell", ANIMATIONS, ids=lambda cell: cell.name)
each_sequence = pytest.mark.parametrize("cell", SEQUENCES, ids=lambda cell: cell.name)
ffmpeg_judges = pytest.mark.ffmpeg

CODINGS = {"h265": "hevc", "prores_4444": "prores"}
PIXELS = {("prores_4444", "yuva444p10le"): "yuva444p12le"}
"""What a decoder of ProRes 4444 gives out, whatever was encoded."""
TAGS = {"h264": "avc1", "h265": "hvc1", "vp9": "vp09", "av1": "av01", "prores_4444": "ap4h"}


def decoder(cell: Cell) -> tuple[str, ...]:
    """The option that makes ffmpeg see the alpha of VP9, which its own decoder leaves out."""
    return ("-c:v", "libvpx-vp9") if cell.codec == "vp9" and cell.transparent else ()


def grey(path: Path) -> np.ndarray:
    """Raw frames, shape (frames, HEIGHT, WIDTH)."""
    return np.fromfile(path, dtype=np.uint8).reshape(-1, HEIGHT, WIDTH)


def raw(stream: str, path: Path, *options: str) -> tuple[str | Path, ...]:
    """Arguments that make ffmpeg write each frame of a stream once."""
    shape = ("-fps_mode", "passthrough", "-pix_fmt", "gray", "-f", "rawvideo")
    return ("-map", stream, *options, *shape, path)


def examined(ffprobe: Program, path: Path) -> dict[str, Any]:
    """What ffprobe says of a file: its streams by kind, their frames by kind."""
    found = json.loads(ffprobe("-show_streams", "-show_format", "-show_frames", path))
    kinds = ("video", "audio")
    return {
        "format": found["format"],
        "streams": {
            kind: [stream for stream in found["streams"] if stream["codec_type"] == kind]
            for kind in kinds
        },
        "frames": {
            kind: [frame for frame in found["frames"] if frame["media_type"] == kind]
            for kind in kinds
        },
    }


def times_of(found: dict[str, Any]) -> list[Fraction]:
    """When the frames of the picture are shown, in seconds."""
    base = Fraction(found["streams"]["video"][0]["time_base"])
    return [frame["pts"] * base for frame in found["frames"]["video"]]


def check_sound(
    found: dict[str, Any], cell: Cell, samples: np.ndarray, first_s: float
) -> list[float]:
    """What was decoded clicks where it should, and is as long as it should be.

    Args:
        found: What ffprobe says.
        cell: What was made.
        samples: The decoded sound.
        first_s: When its first sample is heard.

    Returns:
        How late each click is, in seconds.
    """
    [stream] = found["streams"]["audio"]
    assert stream["codec_name"] == cell.sound
    assert int(stream["sample_rate"]) == cell.sample_rate
    assert stream["channels"] == 2
    heard = Heard(samples, cell.sample_rate, first_s)
    late_s = [heard.late_s(at) for at in clicks(cell.fps, cell.sample_rate)]
    assert max(map(abs, late_s)) <= 0.001, f"in sync: {late_s}"
    # Beyond the end there may be the padding of one frame, of at most 1152 samples.
    assert -1 <= len(samples) - cell.samples <= 1152
    return late_s


def test_the_matrix_is_whole() -> None:
    """Every combination of the tables is among the cells."""
    made = {(cell.container, cell.codec, cell.sound) for cell in CELLS}
    for container, facts in CONTAINERS.items():
        for codec in facts.video or (None,):
            for sound in facts.audio or (None,):
                assert (container, codec, sound) in made
    pixels = {(cell.codec, cell.pixel_format) for cell in CELLS}
    assert pixels >= {(codec, kind) for codec, facts in CODECS.items() for kind in facts.profiles}
    assert {str(cell.fps) for cell in MOVIES} == {"24", "30", "60", "30000/1001"}


@ffmpeg_judges
@each_movie
def test_a_movie_shows_each_frame_at_its_time_and_sounds_in_sync(
    ffmpeg: Program, ffprobe: Program, matrix: Matrix, tmp_path: Path, cell: Cell
) -> None:
    made = matrix.made(cell)
    found = examined(ffprobe, made.path)
    [stream] = found["streams"]["video"]
    assert stream["codec_name"] == CODINGS.get(str(cell.codec), cell.codec)
    kind = (str(cell.codec), str(cell.pixel_format))
    seen_as = "yuv420p" if decoder(cell) else PIXELS.get(kind, cell.pixel_format)
    assert stream["pix_fmt"] == seen_as
    assert (stream["width"], stream["height"]) == (WIDTH, HEIGHT)
    assert {stream[f"color_{name}"] for name in ("space", "transfer", "primaries")} == {"bt709"}
    assert stream["color_range"] == "tv"
    if cell.container != "webm":
        assert stream["codec_tag_string"] == TAGS[str(cell.codec)]

    # A webm counts in thousandths of a second, mp4 and mov in ticks that frames fit into.
    times = times_of(found)
    tolerance_s = Fraction(1, 2000) if cell.container == "webm" else 0
    assert len(times) == FRAMES
    for frame, time_s in enumerate(times):
        assert abs(time_s - frame / cell.fps) <= tolerance_s
    assert abs(Fraction(stream["r_frame_rate"]) - cell.fps) < Fraction(1, 1000)
    keys = {at for at, frame in enumerate(found["frames"]["video"]) if frame["key_frame"]}
    assert keys >= set(STARTS)
    # The priming of Opus counts as part of a webm.
    longer_s = Fraction(8 if cell.sound else 1, 1000) if cell.container == "webm" else 0
    late_s = Fraction(found["format"]["duration"]) - cell.duration_s
    assert -Fraction(1, 1000) <= late_s <= longer_s + Fraction(1, 2 * cell.sample_rate)

    shown, alpha, sound = (tmp_path / name for name in ("shown", "alpha", "sound"))
    said = ffmpeg(
        *("-v", "warning", *decoder(cell), "-i", made.path, *raw("0:v", shown)),
        *(raw("0:v", alpha, "-vf", "alphaextract") if cell.transparent else ()),
        *(("-map", "0:a", "-ac", "1", "-f", "f32le", sound) if cell.sound else ()),
    )
    assert said == "", "ffmpeg has nothing to complain of"
    luma = grey(shown)
    assert [number_of(frame) for frame in luma] == list(range(FRAMES))
    if cell.transparent:
        levels = grey(alpha).astype(float)
        assert len(levels) == FRAMES
        assert levels[:, : HEIGHT // 2 - 8].mean(axis=(1, 2)).min() > 250
        lower = levels[:, HEIGHT // 2 + 8 :].mean(axis=(1, 2))
        assert np.abs(lower - ALPHA).max() < 3
    if cell.sound:
        first_s = float(found["frames"]["audio"][0]["pts_time"])
        check_sound(found, cell, np.fromfile(sound, "<f4"), first_s)
    else:
        assert found["streams"]["audio"] == []

    check_seams(ffmpeg, made, times, luma, tmp_path)


def check_seams(
    ffmpeg: Program, made: Made, times: list[Fraction], luma: np.ndarray, folder: Path
) -> None:
    """Seeking finds every seam, and the pictures are those of the segments to the bit."""
    inputs: list[str | Path] = []
    outputs: list[str | Path] = []
    for place, start in enumerate(STARTS):
        at_us = math.floor(times[start] * 1_000_000)
        inputs += ["-ss", f"{at_us}us", *decoder(made.cell), "-i", made.path]
        outputs += [*raw(f"{place}:v", folder / f"seam{place}", "-frames:v", "1")]
    for place, part in enumerate(made.parts, start=len(STARTS)):
        inputs += [*decoder(made.cell), "-i", part]
        outputs += [*raw(f"{place}:v", folder / f"part{place}")]
    assert ffmpeg("-v", "warning", *inputs, *outputs) == ""
    for place, start in enumerate(STARTS):
        assert number_of(grey(folder / f"seam{place}")[0]) == start
    alone = [grey(folder / f"part{place + len(STARTS)}") for place in range(len(made.parts))]
    assert np.array_equal(np.concatenate(alone), luma), "copied, not encoded again"


@ffmpeg_judges
@each_sound
def test_a_file_of_sound_alone_is_as_long_as_the_music(
    ffmpeg: Program, ffprobe: Program, matrix: Matrix, tmp_path: Path, cell: Cell
) -> None:
    made = matrix.made(cell)
    assert (made.report.frames, made.report.poster_key) == (0, None)
    found = examined(ffprobe, made.path)
    assert found["streams"]["video"] == []
    late_s = float(found["format"]["duration"]) - float(cell.duration_s)
    # ffprobe counts the priming of Opus in, and the priming and the padding of mp3.
    assert abs(late_s) < (0.051 if cell.sound == "mp3" else 0.007)
    sound = tmp_path / "sound"
    said = ffmpeg("-v", "warning", "-i", made.path, "-ac", "1", "-f", "f32le", sound)
    assert said == ""
    # It begins with the music: a demuxer's clock may count what a decoder leaves out.
    check_sound(found, cell, np.fromfile(sound, "<f4"), first_s=0)


@ffmpeg_judges
@each_animation
def test_an_animation_plays_each_frame_in_its_time(
    ffmpeg: Program, matrix: Matrix, tmp_path: Path, cell: Cell
) -> None:
    made = matrix.made(cell)
    shown = tmp_path / "shown"
    assert ffmpeg("-v", "warning", "-i", made.path, *raw("0:v", shown)) == ""
    assert [number_of(frame) for frame in grey(shown)] == list(range(FRAMES))
    # Pillow reads GIFs by itself and knows what ffmpeg does not tell.
    with Image.open(made.path) as animation:
        assert animation.n_frames == FRAMES
        assert animation.info["loop"] == 3
        ends_ms, end_ms = [], 0
        for frame in range(FRAMES):
            animation.seek(frame)
            assert number_of(np.asarray(animation.convert("L"))) == frame
            end_ms += animation.info["duration"]
            ends_ms.append(end_ms)
    for frame, end_ms in enumerate(ends_ms, start=1):
        assert abs(end_ms - 1000 * frame / cell.fps) <= (10 if frame == FRAMES else 5)


@each_animation
def test_an_animation_in_chunks_is_to_the_byte_the_one_in_one_go(
    matrix: Matrix, cell: Cell
) -> None:
    whole = matrix.segments(video_of(cell), (FRAMES,))
    spec = matrix.spec(cell).model_copy(update={"segment_keys": whole, "key": "exports/one-go.gif"})
    assert stitch(spec, matrix.store).sha256 == matrix.made(cell).report.sha256


@ffmpeg_judges
@each_sequence
def test_a_sequence_holds_an_image_of_each_frame(
    ffmpeg: Program, matrix: Matrix, tmp_path: Path, cell: Cell
) -> None:
    made = matrix.made(cell)
    with zipfile.ZipFile(made.path) as images:
        assert images.namelist() == [f"frame_{frame:06}.png" for frame in range(FRAMES)]
        assert {entry.compress_type for entry in images.infolist()} == {zipfile.ZIP_STORED}
        images.extractall(tmp_path)
    shown = tmp_path / "shown"
    said = ffmpeg("-v", "warning", "-i", tmp_path / "frame_%06d.png", *raw("0:v", shown))
    assert said == ""
    assert [number_of(frame) for frame in grey(shown)] == list(range(FRAMES))
    with Image.open(tmp_path / "frame_000007.png") as image:
        assert image.mode == ("RGBA" if cell.transparent else "RGB")
        assert image.size == (WIDTH, HEIGHT)
        if cell.transparent:
            alpha = np.asarray(image)[..., 3]
            assert set(np.unique(alpha[: HEIGHT // 2])) == {255}
            assert set(np.unique(alpha[HEIGHT // 2 :])) == {ALPHA}


@pytest.mark.parametrize(
    "cell", [cell for cell in CELLS if cell.codec is not None], ids=lambda cell: cell.name
)
def test_the_poster_is_the_frame_that_was_planned(matrix: Matrix, cell: Cell) -> None:
    made = matrix.made(cell)
    assert made.poster is not None
    with Image.open(made.poster) as poster:
        assert poster.format == "JPEG"
        assert (poster.mode, poster.size) == ("RGB", (WIDTH, HEIGHT))
        pixels = np.asarray(poster).astype(float)
    assert number_of(pixels.mean(axis=2)) == POSTER_FRAME
    # Black shines through where the picture is transparent.
    lower = pixels[HEIGHT // 2 + 8 :].mean()
    assert lower == pytest.approx(118 * (ALPHA / 255 if cell.transparent else 1), abs=6)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_the_same_segments_give_the_same_file(matrix: Matrix, cell: Cell) -> None:
    again = stitch(matrix.spec(cell), matrix.store)
    assert again == matrix.made(cell).report
