"""Encoders: every codec in chunks, the same bytes for the same frames."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import moderngl
import numpy as np
import pytest
from av.filter import Graph
from numpy.typing import NDArray
from PIL import Image

import workers.gl.readback
from shared.codecs import CODECS, PixelFormat, VideoCodec, has_alpha
from shared.composition import BACKDROPS, BackgroundLayer, Composition, GradientStop
from shared.errors import EncodeError, RenderError, StorageFullError
from shared.plan import ChunkSpec, Picture, VideoSpec, make_plan
from shared.storage import LocalStore
from shared.styles import STYLES, find_style
from shared.timebase import FrameRange
from tests.conftest import Program
from tests.songs import SongFile
from workers.chunk import render_chunk
from workers.encode import (
    GIF_HEADER_BYTES,
    check_segment,
    encode_segment,
    encoder_settings,
    hardware_encoders,
    image_name,
    segment_frames,
)
from workers.encode.settings import EncoderSettings
from workers.frames import keep_frames, kept_frames
from workers.midi import Song
from workers.renderer import Renderer
from workers.studio import Studio

ffmpeg_judges = pytest.mark.ffmpeg
gl = pytest.mark.gl

WIDTH, HEIGHT = 128, 72
SPANS = (FrameRange(0, 12), FrameRange(12, 13), FrameRange(13, 20))
"""Of the segments: the one of a single frame is where encoders get their times wrong."""
FRAMES = SPANS[-1].stop

EVERYTHING: list[tuple[VideoCodec, PixelFormat]] = [
    (codec, pixel_format) for codec, facts in CODECS.items() for pixel_format in facts.profiles
]
IN_TRACKS = [(codec, fmt) for codec, fmt in EVERYTHING if codec not in ("gif", "png")]
WITH_ALPHA = [(codec, fmt) for codec, fmt in EVERYTHING if has_alpha(fmt)]

Pixels = NDArray[np.uint8]


def spec(codec: VideoCodec, pixel_format: PixelFormat, **fields: Any) -> VideoSpec:
    facts = CODECS[codec]
    plain: dict[str, Any] = {"width": WIDTH, "height": HEIGHT, "fps": 30, "codec": codec}
    plain |= {"pixel_format": pixel_format, "crf": facts.default_crf if facts.crf else None}
    if codec == "gif":
        plain["palette"] = PALETTE
    return VideoSpec.model_validate(plain | fields)


def rgba(number: int, width: int = WIDTH, height: int = HEIGHT) -> Pixels:
    """A slope, a box that moves over it, and alpha in steps from left to right."""
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    pixels = np.empty((height, width, 4), dtype=np.uint8)
    pixels[..., 0] = 40 + 150 * across // width
    pixels[..., 1] = 60 + 120 * down // height
    pixels[..., 2] = 200 - 100 * across // width
    pixels[..., 3] = 255 * (across * 4 // width) // 3
    left = 3 * number % (width - 24)
    pixels[16:40, left : left + 24, :3] = (250, 210, 60)
    return pixels


def pictures(video: VideoSpec, numbers: range) -> Iterator[av.VideoFrame]:
    """Frames as the renderer yields them."""
    for number in numbers:
        frame = av.VideoFrame.from_ndarray(rgba(number, video.width, video.height), format="rgba")
        name = "rgb24" if video.pixel_format == "pal8" else video.pixel_format
        if name.startswith("rgb"):
            yield frame.reformat(format=name)
        else:
            yield frame.reformat(format=name, dst_colorspace="ITU709", dst_color_range="MPEG")


def segment(video: VideoSpec, span: FrameRange) -> bytes:
    return encode_segment(pictures(video, segment_frames(video, span)), video, span)


def make_palette() -> str:
    """What a survey finds for these frames: libav's palettegen over all of them."""
    size = f"video_size={WIDTH}x{HEIGHT}:pix_fmt=bgra:time_base=1/30"
    graph = Graph()
    source, sink = graph.add("buffer", size), graph.add("buffersink")
    graph.link_nodes(source, graph.add("palettegen", "stats_mode=full"), sink).configure()
    for number in range(FRAMES):
        frame = av.VideoFrame.from_ndarray(rgba(number)[..., :3].copy(), format="rgb24")
        frame = frame.reformat(format="bgra")
        frame.pts, frame.time_base = number, Fraction(1, 30)
        source.push(frame)
    source.push(None)
    palette = sink.pull()
    assert isinstance(palette, av.VideoFrame)
    return palette.to_ndarray().tobytes().hex()


PALETTE = make_palette()


# Tracks.


@dataclass(frozen=True)
class Opened:
    """What is in a segment."""

    extradata: bytes | None
    keys: list[bool]
    times: list[Fraction]
    decoded: list[av.VideoFrame]


def opened(data: bytes) -> Opened:
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        extradata = stream.codec_context.extradata
        packets = [packet for packet in container.demux(stream) if packet.size]
    with av.open(io.BytesIO(data)) as container:
        decoded = list(container.decode(video=0))
    times = [Fraction(packet.pts or 0) * packet.time_base for packet in packets]
    return Opened(extradata, [packet.is_keyframe for packet in packets], times, decoded)


def decoded_by(ffmpeg: Program, path: Path, pixel_format: str, *options: str) -> bytes:
    raw = path.with_suffix(".raw")
    said = ffmpeg(
        *("-v", "warning", *options, "-i", path, "-fps_mode", "passthrough"),
        *("-pix_fmt", pixel_format, "-f", "rawvideo", raw),
    )
    assert said == "", "ffmpeg has nothing to complain of"
    return raw.read_bytes()


def samples(frame: av.VideoFrame) -> bytes:
    """The samples of a frame in a row, as in a raw file."""
    wide = 2 if "p1" in frame.format.name else 1
    planes = []
    for plane in frame.planes:
        rows = np.frombuffer(bytes(plane), dtype=np.uint8).reshape(-1, plane.line_size)
        planes.append(rows[: plane.height, : plane.width * wide].tobytes())
    return b"".join(planes)


@ffmpeg_judges
@pytest.mark.parametrize(("codec", "pixel_format"), IN_TRACKS)
def test_segments_can_be_stitched(
    ffmpeg: Program,
    ffprobe: Program,
    tmp_path: Path,
    codec: VideoCodec,
    pixel_format: PixelFormat,
) -> None:
    capped = {"max_kbps": 2000} if CODECS[codec].crf else {}
    video = spec(codec, pixel_format, **capped)
    found = []
    for span in SPANS:
        data = segment(video, span)
        assert segment(video, span) == data, "the same frames give the same bytes"
        check_segment(data, video, span)
        one = opened(data)
        assert one.keys[0]
        assert len(one.decoded) == len(span)
        times = sorted(one.times)
        for place, time_s in enumerate(times):  # webm's clock ticks once a millisecond
            assert abs(time_s - times[0] - Fraction(place, 30)) <= Fraction(1, 1000)
        found.append(one)
        path = tmp_path / f"{span.start}.{encoder_settings(video, 1).container}"
        path.write_bytes(data)
        if pixel_format == "yuva420p":
            continue  # both are asked for alpha, below
        own = one.decoded[0].format.name
        theirs = decoded_by(ffmpeg, path, own)
        assert theirs == b"".join(samples(frame) for frame in one.decoded)
        [stream] = json.loads(ffprobe("-show_streams", path))["streams"]
        tags = {stream[f"color_{name}"] for name in ("space", "transfer", "primaries")}
        assert tags == {"bt709"}
        assert stream["color_range"] == "tv"
    assert len({one.extradata for one in found}) == 1, "one header for all segments"


@pytest.mark.parametrize(("codec", "pixel_format"), IN_TRACKS)
def test_a_segment_looks_like_its_frames(codec: VideoCodec, pixel_format: PixelFormat) -> None:
    video = spec(codec, pixel_format)
    data = segment(video, SPANS[0])
    for original, shown in zip(
        pictures(video, segment_frames(video, SPANS[0])), opened(data).decoded, strict=True
    ):
        shallow = original.reformat(format="yuv420p")
        luma = [
            np.frombuffer(bytes(frame.planes[0]), dtype=np.uint8)
            .reshape(-1, frame.planes[0].line_size)[:HEIGHT, :WIDTH]
            .astype(np.float64)
            for frame in (shallow, shown.reformat(format="yuv420p"))
        ]
        error = ((luma[0] - luma[1]) ** 2).mean()
        assert 10 * np.log10(255**2 / max(error, 1e-9)) > 30  # dB


@pytest.mark.parametrize("codec", ["h265", "vp9", "av1"])
@pytest.mark.parametrize(("width", "height"), [(270, 144), (1080, 64)])
def test_what_lies_in_memory_does_not_matter(codec: VideoCodec, width: int, height: int) -> None:
    # As x264's AVX-512 code was seen to read memory that nobody had written, at such widths.
    random = np.random.default_rng(846)
    video = spec(codec, "yuv420p", width=width, height=height, max_kbps=800)
    span = FrameRange(0, 8)
    frames = list(pictures(video, range(8)))
    hashes = set()
    for _ in range(4):
        litter = [random.bytes(int(random.integers(1000, 2_000_000))) for _ in range(20)]
        del litter[::2]
        hashes.add(hashlib.sha256(encode_segment(frames, video, span)).digest())
    assert len(hashes) == 1


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9", "av1"])
def test_a_cap_holds_the_rate_down(codec: VideoCodec) -> None:
    noise = np.random.default_rng(5)
    video = spec(codec, "yuv420p", crf=20)
    drawn = [
        av.VideoFrame.from_ndarray(
            noise.integers(16, 235, (HEIGHT * 3 // 2, WIDTH), dtype=np.uint8), format="yuv420p"
        )
        for _ in range(60)
    ]
    free, capped = (
        len(encode_segment(drawn, one, FrameRange(0, 60)))
        for one in (video, video.model_copy(update={"max_kbps": 400}))
    )
    assert free * 8 / 2 > 3 * 400_000
    # The first two seconds may spend the decoder's buffer beside the rate, which is as much.
    assert capped * 8 / 2 < 2 * 400_000


@pytest.mark.parametrize("speed", ["ultrafast", "superfast", "veryfast", "medium"])
@pytest.mark.parametrize("codec", ["h264", "h265", "vp9", "av1"])
def test_every_speed_is_understood(codec: VideoCodec, speed: str) -> None:
    video = spec(codec, "yuv420p", encoder_speed=speed)
    check_segment(segment(video, FrameRange(4, 7)), video, FrameRange(4, 7))


@pytest.mark.parametrize("codec", [codec for codec, facts in CODECS.items() if facts.crf])
def test_no_encoder_takes_the_machine_for_itself(codec: VideoCodec) -> None:
    def scheduling() -> set[int]:
        threads = Path("/proc/self/task").iterdir()
        return {os.sched_getscheduler(int(thread.name)) for thread in threads}

    def watched() -> Iterator[av.VideoFrame]:
        for picture in pictures(video, range(4)):
            seen.update(scheduling())
            yield picture

    seen: set[int] = set()
    video = spec(codec, CODECS[codec].pixel_formats[0])
    encode_segment(watched(), video, FrameRange(0, 4))
    assert seen | scheduling() == {os.SCHED_OTHER}


def test_finer_rate_factors_than_whole_ones_make_a_difference() -> None:
    for codec in ("h264", "h265", "av1"):
        sizes = {
            len(segment(spec(codec, "yuv420p", crf=crf), SPANS[0]))  # type: ignore[arg-type]
            for crf in (20, 20.5, 21, 21.5, 22)
        }
        assert len(sizes) >= 4, codec


def test_what_a_survey_has_to_find_first_is_said() -> None:
    for video, what in (
        (spec("h264", "yuv420p", crf=None, target_kbps=900), "The crf that holds 900 kbit/s"),
        (spec("vp9", "yuva420p", crf=None, target_kbps=900), "The crf that holds 900 kbit/s"),
        (spec("av1", "yuv420p", crf=None), "AV1 needs a crf"),
        (spec("gif", "pal8", palette=None), "The palette of the GIF is not known"),
    ):
        with pytest.raises(EncodeError, match=what):
            segment(video, SPANS[0])


@pytest.mark.parametrize(("codec", "pixel_format"), EVERYTHING)
def test_a_frame_too_few_or_too_many_is_no_segment(
    codec: VideoCodec, pixel_format: PixelFormat
) -> None:
    video = spec(codec, pixel_format)
    for count in (2, 4):
        with pytest.raises(EncodeError, match=f"3 frames were to be encoded, {count} came"):
            encode_segment(pictures(video, range(count)), video, FrameRange(0, 3))


@pytest.mark.parametrize(("codec", "pixel_format"), EVERYTHING)
def test_another_segment_is_noticed(codec: VideoCodec, pixel_format: PixelFormat) -> None:
    video = spec(codec, pixel_format)
    data = segment(video, SPANS[1])
    with pytest.raises(RenderError):
        check_segment(data, video, SPANS[0])
    other = spec("h264", "yuv420p") if codec != "h264" else spec("av1", "yuv420p")
    with pytest.raises(RenderError):
        check_segment(data, other, SPANS[1])
    with pytest.raises(RenderError):
        check_segment(data[: len(data) // 4], video, SPANS[1])


# Hardware.


@pytest.mark.parametrize("codec", ["h264", "h265", "av1"])
def test_without_hardware_software_encodes_the_same(codec: VideoCodec) -> None:
    video = spec(codec, "yuv420p", hardware=True)
    chosen = encoder_settings(video, 12)
    assert isinstance(chosen, EncoderSettings)
    names = [name for name in hardware_encoders() if name.startswith((codec, codec[:1] + "evc"))]
    if names:
        assert chosen.name == names[0]
    else:
        plain = spec(codec, "yuv420p")
        assert chosen == encoder_settings(plain, 12)
        assert segment(video, SPANS[1]) == segment(plain, SPANS[1])


# GIF.


def single_pass(loop: int) -> bytes:
    """A GIF of all frames as one encoder makes it, with libav's own filters end to end."""
    size = f"pix_fmt=bgra:time_base=1/30:video_size={WIDTH}x{HEIGHT}"
    graph = Graph()
    source, colours = (
        graph.add("buffer", size),
        graph.add("buffer", "pix_fmt=bgra:time_base=1/30:video_size=16x16"),
    )
    use, sink = graph.add("paletteuse", "dither=sierra2_4a:diff_mode=none"), graph.add("buffersink")
    source.link_to(use, 0, 0)
    colours.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    palette = np.frombuffer(bytes.fromhex(PALETTE), dtype=np.uint8).reshape(16, 16, 4)
    colours.push(av.VideoFrame.from_ndarray(palette, format="bgra"))
    colours.push(None)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="gif", options={"loop": str(loop)}) as container:
        stream = container.add_stream("gif", rate=30)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "pal8"
        for number, frame in enumerate(pictures(spec("gif", "pal8"), range(FRAMES))):
            shown = frame.reformat(format="bgra")
            shown.pts, shown.time_base = number, Fraction(1, 30)
            source.push(shown)
            pulled = sink.pull()
            assert isinstance(pulled, av.VideoFrame)
            container.mux(stream.encode(pulled))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def joined(segments: list[bytes], loop: int) -> bytes:
    """A GIF from segments: their packets, each after the first without its header."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="gif", options={"loop": str(loop)}) as container:
        stream = container.add_mux_stream(
            "gif", rate=30, width=WIDTH, height=HEIGHT, time_base=Fraction(1, 100)
        )
        number = 0
        for data in segments:
            with av.open(io.BytesIO(data)) as source:
                blocks = [bytes(packet) for packet in source.demux(video=0) if packet.size]
            if number:
                blocks[0] = blocks[0][GIF_HEADER_BYTES:]
            blocks[-1] = blocks[-1].removesuffix(b";")  # the demuxer hands out the trailer, too
            for block in blocks:
                packet = av.Packet(block)
                packet.pts = packet.dts = number
                packet.duration, packet.time_base = 1, Fraction(1, 30)
                packet.stream = stream
                container.mux(packet)
                number += 1
    return buffer.getvalue()


@ffmpeg_judges
def test_a_gif_in_chunks_is_a_gif_in_one_pass(ffmpeg: Program, tmp_path: Path) -> None:
    video = spec("gif", "pal8")
    segments = [segment(video, span) for span in SPANS]
    assert len({data[:GIF_HEADER_BYTES] for data in segments}) == 1, "one header for all segments"
    for data, span in zip(segments, SPANS, strict=True):
        check_segment(data, video, span)
        assert segment(video, span) == data
    whole = joined(segments, loop=0)
    assert whole == single_pass(loop=0)
    path = tmp_path / "whole.gif"
    path.write_bytes(whole)
    shown = np.frombuffer(decoded_by(ffmpeg, path, "rgb24"), dtype=np.uint8)
    shown = shown.reshape(FRAMES, HEIGHT, WIDTH, 3)
    with Image.open(path) as image:
        assert image.n_frames == FRAMES  # type: ignore[attr-defined]
        for number in range(FRAMES):
            image.seek(number)
            assert np.array_equal(np.asarray(image.convert("RGB")), shown[number])
            off = np.abs(shown[number].astype(int) - rgba(number)[..., :3])
            assert off.mean() < 6


# PNG.


@ffmpeg_judges
@pytest.mark.parametrize("pixel_format", ["rgb24", "rgba"])
def test_images_are_what_was_drawn(
    ffmpeg: Program, ffprobe: Program, tmp_path: Path, pixel_format: PixelFormat
) -> None:
    video = spec("png", pixel_format)
    span = SPANS[2]
    data = segment(video, span)
    assert segment(video, span) == data
    check_segment(data, video, span)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == [f"frame_{number:06}.png" for number in span]
        for info, number in zip(archive.infolist(), span, strict=True):
            assert info.compress_type == zipfile.ZIP_STORED
            assert info.filename == image_name(number)
            path = tmp_path / info.filename
            path.write_bytes(archive.read(info))
            channels = len(pixel_format.removesuffix("24"))
            expected = rgba(number)[..., :channels]
            assert decoded_by(ffmpeg, path, pixel_format) == expected.tobytes()
            with Image.open(path) as image:
                assert np.array_equal(np.asarray(image), expected)
                assert "srgb" in image.info, "it says what its numbers mean"
        [stream] = json.loads(ffprobe("-show_streams", path))["streams"]
        assert stream["pix_fmt"] == pixel_format
    damaged = bytearray(data)
    damaged[len(data) // 2] ^= 1
    with pytest.raises(RenderError, match="damaged"):
        check_segment(bytes(damaged), video, span)


# Alpha.


@ffmpeg_judges
@pytest.mark.parametrize(("codec", "pixel_format"), WITH_ALPHA)
def test_alpha_survives(
    ffmpeg: Program, tmp_path: Path, codec: VideoCodec, pixel_format: PixelFormat
) -> None:
    video = spec(codec, pixel_format)
    span = FrameRange(0, 3)
    data = segment(video, span)
    options: list[str] = []
    if codec == "png":
        path = tmp_path / "first.png"
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            path.write_bytes(archive.read(image_name(0)))
    else:
        path = tmp_path / f"segment.{encoder_settings(video, 3).container}"
        path.write_bytes(data)
        # libav's own VP9 decoder leaves alpha out.
        options = ["-c:v", "libvpx-vp9"] if codec == "vp9" else []
    shown = np.frombuffer(decoded_by(ffmpeg, path, "rgba", *options), dtype=np.uint8)
    alpha = shown.reshape(-1, HEIGHT, WIDTH, 4)[..., 3]
    wanted = rgba(0)[..., 3]
    assert len(alpha) == (1 if codec == "png" else 3)
    for number in range(len(alpha)):
        off = np.abs(alpha[number].astype(int) - wanted)
        assert np.median(off) <= 1
        assert off.mean() < 2
        assert [int(np.median(alpha[number][:, at])) for at in (16, 48, 80, 112)] == pytest.approx(
            [0, 85, 170, 255], abs=3
        )


# Frames as the renderer yields them.


def a_song() -> Song:
    file = SongFile("Encoders")
    for step in range(12):
        at = Fraction(step, 6)
        file.note(at, at + Fraction(1, 3), 50 + 3 * step, velocity=40 + 7 * step)
    return file.song()


def picture(
    pixel_format: PixelFormat, composition: Composition, codec: VideoCodec = "h264"
) -> Picture:
    video = VideoSpec.model_validate(
        {"width": 160, "height": 90, "fps": 30, "codec": codec, "pixel_format": pixel_format}
        | {"crf": 20, "palette": PALETTE if codec == "gif" else None}
    )
    return Picture(composition=composition, song_key="songs/test", start_s=Fraction(0), video=video)


def drawn(context: moderngl.Context, shown: Picture, frame: int) -> NDArray[np.float64]:
    """Red, green, blue and alpha of a frame, 0 to 255."""
    pixels = Renderer(context, shown, a_song(), Path).pixels(frame)
    return np.frombuffer(pixels, dtype=np.uint8).reshape(90, 160, 4).astype(np.float64)


def planes_of(frame: av.VideoFrame) -> list[NDArray[np.int64]]:
    """Samples of each plane of a YUV frame."""
    deep = "p10" in frame.format.name
    planes = []
    for plane in frame.planes:
        rows = np.frombuffer(bytes(plane), dtype="<u2" if deep else np.uint8)
        rows = rows.reshape(-1, plane.line_size // (2 if deep else 1))
        planes.append(rows[: plane.height, : plane.width].astype(np.int64))
    return planes


@gl
def test_ten_bits_are_ten_bits(gl_context: moderngl.Context) -> None:
    slope = BackgroundLayer(
        gradient=(GradientStop(at=0, colour="#101418"), GradientStop(at=1, colour="#20242c")),
        vignette=0,
    )
    composition = Composition(layers=(slope,))
    found = {}
    for pixel_format in ("yuv420p", "yuv420p10le"):
        renderer = Renderer(gl_context, picture(pixel_format, composition), a_song(), Path)  # type: ignore[arg-type]
        [frame] = renderer.frames([0])
        assert frame.format.name == pixel_format
        found[pixel_format] = planes_of(frame)
    shallow, deep = (found[name][0] for name in ("yuv420p", "yuv420p10le"))
    assert np.abs(deep / 4 - shallow).max() <= 1.01
    assert len(np.unique(deep)) > 2 * len(np.unique(shallow))


@gl
@pytest.mark.parametrize("style", STYLES)
def test_deep_frames_look_like_shallow_ones(gl_context: moderngl.Context, style: str) -> None:
    composition = find_style(style)
    shallow, deep = (
        drawn(gl_context, picture(name, composition), 20)  # type: ignore[arg-type]
        for name in ("yuv420p", "yuv420p10le")
    )
    assert np.abs(shallow - deep).max() <= 8  # light that is added up in 8 bits is rounded often
    assert np.abs(shallow - deep).mean() < 0.5


@gl
@pytest.mark.parametrize("pixel_format", ["rgba", "yuva420p", "yuva444p10le"])
@pytest.mark.parametrize("style", [name for name in STYLES if find_style(name).finish is None])
def test_laid_over_a_colour_it_looks_as_if_drawn_over_it(
    gl_context: moderngl.Context, style: str, pixel_format: PixelFormat
) -> None:
    composition = find_style(style)
    others = [one for one in composition.layers if not isinstance(one, BACKDROPS)]
    cut = drawn(gl_context, picture(pixel_format, composition), 20)
    alpha = cut[..., 3:] / 255
    assert (alpha == 0).any()
    assert (alpha == 1).any()
    for colour, mean, most in (("#000000", 0.5, 6), ("#102030", 2.5, 32), ("#808080", 5, 110)):
        beneath = np.array(list(bytes.fromhex(colour[1:])), dtype=np.float64)
        laid = cut[..., :3] * alpha + beneath * (1 - alpha)  # as players do it
        layers = (BackgroundLayer(colour=colour, vignette=0), *others)
        whole = composition.model_copy(update={"layers": layers})
        direct = drawn(gl_context, picture("yuv420p", whole), 20)[..., :3]
        assert np.abs(laid - direct).max() <= most, colour
        assert np.abs(laid - direct).mean() <= mean, colour


@gl
@pytest.mark.parametrize("pixel_format", ["yuv444p", "yuv420p10le", "yuva420p", "rgba"])
def test_a_gpu_yields_the_same_formats(
    gl_context: moderngl.Context, monkeypatch: pytest.MonkeyPatch, pixel_format: PixelFormat
) -> None:
    shown = picture(pixel_format, find_style("aurora"))
    found = []
    for software in (True, False):
        monkeypatch.setattr(workers.gl.readback, "is_software", lambda _, it=software: it)
        renderer = Renderer(gl_context, shown, a_song(), Path)
        found.append([(bytes_of(frame), frame.format.name) for frame in renderer.frames([9, 20])])
    assert found[0] == found[1]
    assert {name for _, name in found[0]} == {pixel_format}


# Frames that are kept.


@gl
@pytest.mark.parametrize(
    "pixel_format",
    ["yuv420p", "yuv444p", "yuv420p10le", "yuva420p", "yuva444p10le", "rgb24", "rgba", "pal8"],
)
def test_kept_frames_are_those_that_were_drawn(
    gl_context: moderngl.Context, store: LocalStore, pixel_format: PixelFormat
) -> None:
    shown = picture(pixel_format, find_style("aurora"))
    renderer = Renderer(gl_context, shown, a_song(), Path)
    kept = keep_frames(renderer.frames(range(10, 16)), 6, store, "frames/aa/one")
    originals = [[bytes_of(frame), frame.format.name] for frame in kept]
    again = list(kept_frames(shown.video, 6, store, "frames/aa/one"))
    assert [[bytes_of(frame), frame.format.name] for frame in again] == originals
    assert len({data for data, _ in originals}) > 1


def bytes_of(frame: av.VideoFrame) -> bytes:
    """The samples without what pads the rows."""
    pixel = {"rgb24": 3, "rgba": 4}.get(frame.format.name, 2 if "10" in frame.format.name else 1)
    rows = (
        np.frombuffer(bytes(plane), dtype=np.uint8).reshape(-1, plane.line_size)[
            : plane.height, : plane.width * pixel
        ]
        for plane in frame.planes
    )
    return b"".join(row.tobytes() for row in rows)


class Drawings:
    """Counts the frames that a studio draws."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Begin to count."""
        self.frames: list[int] = []
        draw = Renderer.draw

        def counted(renderer: Renderer, frame: int) -> None:
            self.frames.append(frame)
            draw(renderer, frame)

        monkeypatch.setattr(Renderer, "draw", counted)

    def taken(self) -> list[int]:
        """The frames drawn since the last call."""
        found, self.frames = self.frames, []
        return found


@pytest.fixture
def studio(gl_context: moderngl.Context) -> Iterator[Studio]:
    with Studio() as opened_studio:
        yield opened_studio


@pytest.fixture
def make_chunk(studio: Studio, store: LocalStore) -> Callable[..., ChunkSpec]:
    """Plans chunks of one second, the second of three."""
    store.put_bytes("songs/test", a_song().to_bytes())

    def make(
        codec: VideoCodec, pixel_format: PixelFormat = "yuv420p", *, shared: bool = True
    ) -> ChunkSpec:
        plan = make_plan(
            picture=picture(pixel_format, find_style("aurora"), codec),
            frames=90,
            audio=None,
            engine=studio.engine,
            shared_frames=shared,
        )
        return plan.chunks[1]

    return make


def told(frames: int) -> None:
    """Nobody listens."""


@gl
def test_what_two_exports_show_is_drawn_once(
    studio: Studio,
    store: LocalStore,
    make_chunk: Callable[..., ChunkSpec],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawings = Drawings(monkeypatch)
    kept = {}
    for index, codec in enumerate(("h264", "h265", "vp9", "av1")):
        chunk = make_chunk(codec)
        render_chunk(chunk, store, studio, told)
        assert drawings.taken() == ([] if index else list(chunk.frames))
        kept[codec] = store.get_bytes(chunk.key)
    for codec, data in kept.items():
        alone = make_chunk(codec, shared=False)
        assert alone.key == make_chunk(codec).key
        store.delete(alone.key)
        render_chunk(alone, store, studio, told)
        assert drawings.taken() == list(alone.frames)
        assert store.get_bytes(alone.key) == data, "to the byte as if drawn"


@gl
def test_a_gif_draws_the_frame_before_its_segment(
    studio: Studio,
    store: LocalStore,
    make_chunk: Callable[..., ChunkSpec],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawings = Drawings(monkeypatch)
    chunk = make_chunk("gif", "pal8")
    report = render_chunk(chunk, store, studio, told)
    assert drawings.taken() == [chunk.frames.start - 1, *chunk.frames]
    assert report.frames == len(chunk.frames)
    data = store.get_bytes(chunk.key)
    store.delete(chunk.key)
    render_chunk(chunk, store, studio, told)
    assert drawings.taken() == []
    assert store.get_bytes(chunk.key) == data


@gl
@pytest.mark.parametrize("damage", ["cut", "flipped", "other", "empty"])
def test_damaged_frames_are_drawn_anew(
    studio: Studio,
    store: LocalStore,
    make_chunk: Callable[..., ChunkSpec],
    monkeypatch: pytest.MonkeyPatch,
    damage: str,
) -> None:
    chunk = make_chunk("h264")
    assert chunk.frames_key is not None
    render_chunk(chunk, store, studio, told)
    data, kept = store.get_bytes(chunk.key), store.get_bytes(chunk.frames_key)
    flipped = bytearray(kept)
    flipped[len(kept) * 2 // 3] ^= 16
    damaged = {"cut": kept[: len(kept) // 2], "flipped": bytes(flipped)}
    damaged |= {"other": b"something else altogether", "empty": b""}
    store.put_bytes(chunk.frames_key, damaged[damage])
    drawings = Drawings(monkeypatch)
    seen: list[list[int]] = []
    for _ in range(3):
        store.delete(chunk.key)
        render_chunk(chunk, store, studio, told)
        assert store.get_bytes(chunk.key) == data
        seen.append(drawings.taken())
    assert seen[0], "what could not be read was drawn"
    assert seen[0] == list(chunk.frames)[-len(seen[0]) :]
    # Kept again as soon as all of them are drawn.
    assert seen[1:] == ([[], []] if len(seen[0]) == len(chunk.frames) else [[*chunk.frames], []])
    assert store.get_bytes(chunk.frames_key) == kept


@gl
def test_a_store_that_keeps_no_frames_does_no_harm(
    studio: Studio,
    store: LocalStore,
    make_chunk: Callable[..., ChunkSpec],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_: LocalStore, key: str, path: Path) -> None:
        raise StorageFullError(f"There is no space left for {key}.")

    monkeypatch.setattr(LocalStore, "put_file", full)
    chunk = make_chunk("h264")
    assert chunk.frames_key is not None
    report = render_chunk(chunk, store, studio, told)
    assert report.frames == len(chunk.frames)
    assert not store.exists(chunk.frames_key)


def test_frames_of_an_export_that_was_stopped_are_not_kept(store: LocalStore) -> None:
    video = spec("h264", "yuv420p")
    for taken in (0, 3, 6):
        frames = keep_frames(pictures(video, range(6)), 6, store, f"frames/aa/{taken}")
        list(itertools.islice(frames, taken))
        del frames
        assert not store.exists(f"frames/aa/{taken}")
