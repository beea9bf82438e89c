"""Probing media, and judging finished videos."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream
from PIL import Image

from shared.errors import MediaError, VerificationError
from shared.plan import AudioSpec, VideoSpec
from shared.timebase import samples_for
from workers.audio.encoding import encode_sound
from workers.probe import MediaProbe, check_export, probe_media, verify_export

FPS = Fraction(30000, 1001)
FRAMES = 49
RATE = 48000

VIDEO = VideoSpec(width=64, height=48, fps=FPS, crf=30, max_kbps=1000, profile="high")
AUDIO = AudioSpec(
    recording_key="in/recording",
    start_s=Fraction(0),
    offset_s=Fraction(0),
    samples=samples_for(FRAMES, FPS, RATE),
    sample_rate=RATE,
    channels=2,
    bitrate_kbps=128,
    loudness_lufs=None,
    key="out/audio.mp4",
)


def make_video(
    path: Path,
    *,
    frames: int = FRAMES,
    fps: Fraction = FPS,
    skipped_frame: int | None = None,
    late_frames: int = 0,
    tagged: bool = True,
    codec: str = "libx264",
    faststart: bool = True,
    sound: Path | None = None,
) -> Path:
    """A video as the stitcher would make it, with a defect where one is asked for."""
    options = {"movie_timescale": "30000"} | ({"movflags": "+faststart"} if faststart else {})
    with av.open(str(path), "w", format="mp4", options=options) as out:
        stream = out.add_stream(codec, rate=fps)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        context = stream.codec_context
        context.time_base = 1 / fps
        if codec == "libx264":
            context.options = {"crf": "30", "profile": "high"}
        if tagged:
            context.color_primaries = ColorPrimaries.BT709
            context.color_trc = ColorTrc.BT709
            context.colorspace = Colorspace.ITU709
            context.color_range = ColorRange.MPEG
        source = av.open(str(sound)) if sound else None
        heard = out.add_stream_from_template(source.streams.audio[0]) if source else None
        for index in range(frames):
            if index == skipped_frame:
                continue
            # A dot that moves, so that the encoder has a reason for B-frames.
            pixels = np.full((72, 64), 128, np.uint8)
            pixels[index % 40 : index % 40 + 8, index % 50 : index % 50 + 8] = 235
            frame = av.VideoFrame.from_ndarray(pixels, format="yuv420p")
            frame.pts, frame.time_base = index + late_frames, 1 / fps
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if source and heard:
            with source:
                for packet in source.demux(source.streams.audio[0]):
                    if packet.size:
                        packet.stream = heard
                        out.mux(packet)
    return path


def make_sound(path: Path, *, samples: int = AUDIO.samples, rate: int = RATE) -> Path:
    tone = 0.1 * np.sin(np.arange(samples) / 20).astype(np.float32)
    encode_sound(
        [np.stack([tone, tone])],
        path,
        codec="aac",
        sample_rate=rate,
        channels=2,
        bitrate_kbps=128,
    )
    return path


def test_a_good_video_has_no_problems(tmp_path: Path) -> None:
    sound = make_sound(tmp_path / "sound.mp4")
    path = make_video(tmp_path / "good.mp4", sound=sound)
    assert check_export(path, video=VIDEO, frames=FRAMES, audio=AUDIO) == []
    verify_export(path, video=VIDEO, frames=FRAMES, audio=AUDIO)
    silent = make_video(tmp_path / "silent.mp4")
    assert check_export(silent, video=VIDEO, frames=FRAMES, audio=None) == []


@pytest.mark.parametrize("frames", [1, 2, 3, 300])
@pytest.mark.parametrize("fps", [Fraction(24), Fraction(60), Fraction(24000, 1001)])
def test_good_videos_of_other_lengths(tmp_path: Path, frames: int, fps: Fraction) -> None:
    path = make_video(tmp_path / "good.mp4", frames=frames, fps=fps)
    spec = VIDEO.model_copy(update={"fps": fps})
    assert check_export(path, video=spec, frames=frames, audio=None) == []


@pytest.mark.parametrize(
    ("defect", "words"),
    [
        ({"frames": FRAMES - 1}, "48 frames instead of 49"),
        ({"skipped_frame": 20}, "frame 20 is shown at"),
        ({"late_frames": 3}, "frame 0 is shown at"),
        ({"tagged": False}, "colour matrix"),
        ({"fps": Fraction(30)}, "frame 1 is shown at"),
        ({"faststart": False}, "comes after its data"),
        ({"codec": "mpeg4"}, "coding is mpeg4 instead of h264"),
    ],
)
def test_defects_of_the_picture_are_found(
    tmp_path: Path, defect: dict[str, object], words: str
) -> None:
    path = make_video(tmp_path / "bad.mp4", **defect)  # type: ignore[arg-type]  # a table of keywords
    with pytest.raises(VerificationError, match=words) as caught:
        verify_export(path, video=VIDEO, frames=FRAMES, audio=None)
    assert caught.value.facts["problems"]


def test_other_plans_are_not_fulfilled(tmp_path: Path) -> None:
    path = make_video(tmp_path / "good.mp4")
    bigger = VIDEO.model_copy(update={"width": 128})
    assert check_export(path, video=bigger, frames=FRAMES, audio=None) == [
        "its width is 64 instead of 128"
    ]
    baseline = VIDEO.model_copy(update={"profile": "baseline"})
    assert check_export(path, video=baseline, frames=FRAMES, audio=None) == [
        "its profile is High instead of baseline"
    ]


def test_defects_of_the_sound_are_found(tmp_path: Path) -> None:
    def problems(samples: int, rate: int = RATE) -> str:
        sound = make_sound(tmp_path / "sound.mp4", samples=samples, rate=rate)
        path = make_video(tmp_path / "bad.mp4", sound=sound)
        return "; ".join(check_export(path, video=VIDEO, frames=FRAMES, audio=AUDIO))

    assert "samples instead of" in problems(AUDIO.samples - 100)
    assert "samples instead of" in problems(AUDIO.samples + 1100)
    assert "sample rate is 44100" in problems(AUDIO.samples, 44100)
    silent = make_video(tmp_path / "silent.mp4")
    assert "0 audio streams instead of 1" in "; ".join(
        check_export(silent, video=VIDEO, frames=FRAMES, audio=AUDIO)
    )
    unexpected = make_video(tmp_path / "loud.mp4", sound=make_sound(tmp_path / "sound.mp4"))
    assert check_export(unexpected, video=VIDEO, frames=FRAMES, audio=None) == [
        "it has 1 audio streams instead of 0"
    ]


@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.95])
def test_a_truncated_video_is_found(tmp_path: Path, part: float) -> None:
    path = make_video(tmp_path / "good.mp4")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    assert check_export(path, video=VIDEO, frames=FRAMES, audio=None)


def test_probing_a_video(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", sound=make_sound(tmp_path / "sound.mp4"))
    probe = probe_media(path)
    assert (probe.kind, probe.width, probe.height) == ("video", 64, 48)
    assert (probe.frames, probe.fps) == (FRAMES, "30000/1001")
    assert probe.size_bytes == path.stat().st_size
    assert probe.duration_s == pytest.approx(FRAMES / FPS, abs=1e-3)
    picture, sound = probe.streams
    assert (picture.codec, picture.profile, picture.pixel_format) == ("h264", "High", "yuv420p")
    assert (picture.colour_primaries, picture.colour_transfer) == ("bt709", "bt709")
    assert (picture.colour_matrix, picture.colour_range) == ("bt709", "tv")
    assert (picture.start_s, picture.time_base) == (0.0, "1/30000")
    assert (sound.codec, sound.profile, sound.sample_rate, sound.channels) == ("aac", "LC", RATE, 2)
    assert MediaProbe.model_validate_json(probe.model_dump_json()) == probe


def test_probing_a_sound(tmp_path: Path) -> None:
    probe = probe_media(make_sound(tmp_path / "sound.m4a", samples=RATE * 2))
    assert probe.kind == "audio"
    assert probe.duration_s == pytest.approx(2.0)
    assert probe.width is None


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "bmp"])
def test_probing_a_picture(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"picture.{suffix}"
    Image.new("RGB", (30, 20), "red").save(path)
    probe = probe_media(path)
    assert (probe.kind, probe.width, probe.height) == ("image", 30, 20)
    assert probe.duration_s is None


def test_what_is_no_media_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(b"MThd\0\0\0\6\0\0\0\1\1\xe0")
    with pytest.raises(MediaError, match="it looks like a MIDI file"):
        probe_media(path)
    path.write_text("ffconcat version 1.0\nfile 'other.wav'\n")
    with pytest.raises(MediaError, match="a playlist that points at other files"):
        probe_media(path)
