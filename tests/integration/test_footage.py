"""Videos as material: the right frame at every time, the same in whatever order one asks."""

from __future__ import annotations

import gc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image

from shared.errors import MediaError
from tests.clips import HEIGHT, MILLISECONDS, WIDTH, make_clip, number_of, picture
from workers.footage import Footage, check_footage
from workers.footage import reel as reel_module
from workers.footage.footage import covering

FPS = Fraction(30)
FRAMES = 60
UNEVEN = [0, 40, 55, 300, 310, 470, 500, 1100, 1133, 1200]
OPEN = "keyint=25:min-keyint=25:open-gop=1:bframes=3:b-pyramid=normal:scenecut=0"
FAST_VP = {"g": "25", "deadline": "realtime", "cpu-used": "8", "lag-in-frames": "10"}
CLIPS: dict[str, tuple[str, str, dict[str, str]]] = {
    "one-group": ("mp4", "libx264", {"x264-params": "keyint=250:bframes=3:b-pyramid=normal"}),
    "open-groups": ("mov", "libx264", {"x264-params": OPEN}),
    "open-groups-mkv": ("mkv", "libx264", {"x264-params": OPEN}),
    "open-groups-ts": ("ts", "libx264", {"x264-params": OPEN}),
    "key-frames-alone": ("mp4", "libx264", {"x264-params": "keyint=1"}),
    "refreshed": ("ts", "libx264", {"x264-params": "intra-refresh=1:keyint=25:bframes=0"}),
    "avi-without-times": ("avi", "libx264", {"x264-params": OPEN}),
    "mpeg4": ("mp4", "mpeg4", {"g": "25", "bf": "2", "qscale": "3"}),
    "avi-mpeg4": ("avi", "mpeg4", {"g": "25", "bf": "2", "qscale": "3"}),
    "mpeg2": ("ts", "mpeg2video", {"g": "25", "bf": "2", "qscale": "3"}),
    "vp8": ("webm", "libvpx", FAST_VP),
    "vp9": ("webm", "libvpx-vp9", FAST_VP),
    "flv": ("flv", "flv", {"g": "25", "qscale": "3"}),
    "gif": ("gif", "gif", {}),
}
MakeClip = Callable[..., Path]


@pytest.fixture
def clip(tmp_path: Path) -> MakeClip:
    """Makes a clip in a folder of its own."""

    def make(suffix: str, codec: str = "libx264", **settings: object) -> Path:
        if codec == "libx264":
            settings.setdefault("options", {"x264-params": OPEN, "preset": "ultrafast"})
        return make_clip(tmp_path / f"clip.{suffix}", codec, **settings)  # type: ignore[arg-type]

    return make


def seen(footage: Footage, times: list[Fraction] | list[float]) -> list[int]:
    return [number_of(footage.frame_at(float(time))) for time in times]


@pytest.mark.parametrize("name", CLIPS)
def test_a_time_has_its_frame_in_whatever_order_one_asks(name: str, tmp_path: Path) -> None:
    suffix, codec, options = CLIPS[name]
    # A GIF counts in hundredths of a second.
    fps = Fraction(25) if suffix == "gif" else FPS
    pixels = "rgb8" if suffix == "gif" else "yuv420p"
    path = make_clip(
        tmp_path / f"clip.{suffix}", codec, fps=fps, pixel_format=pixels, options=options
    )
    with Footage(path, WIDTH, HEIGHT) as footage:
        assert footage.size == (WIDTH, HEIGHT)
        assert footage.duration_s == pytest.approx(float(FRAMES / fps), abs=0.001)
        frames = [footage.frame_at(number / float(fps)) for number in range(FRAMES)]
        assert [number_of(frame) for frame in frames] == list(range(FRAMES))
        order = np.random.default_rng(3).permutation(FRAMES)[:20].tolist()
        for number in order:
            again = footage.frame_at(float((number + Fraction(1, 2)) / fps))
            assert np.array_equal(again, frames[number]), number
    with Footage(path, WIDTH, HEIGHT) as other:
        assert np.array_equal(other.frame_at(float(order[0] / fps)), frames[order[0]])


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("shown", [Fraction(30), Fraction(60), Fraction(24), Fraction(30000, 1001)])
def test_the_rates_of_footage_and_video_need_not_agree(
    clip: MakeClip, suffix: str, shown: Fraction
) -> None:
    # Matroska rounds 1/30 s to milliseconds; that moves no frame.
    with Footage(clip(suffix, frames=20), WIDTH, HEIGHT) as footage:
        times = [number / shown for number in range(int(20 * shown / FPS))]
        assert seen(footage, times) == [int(time * FPS) for time in times]


def test_before_the_first_frame_it_is_the_first_and_past_the_end_the_last(clip: MakeClip) -> None:
    with Footage(clip("mp4", frames=10), WIDTH, HEIGHT) as footage:
        assert seen(footage, [-100.0, -0.01, 0.0, 9 / 30, 10 / 30, 1e6]) == [0, 0, 0, 9, 9, 9]


def test_frames_are_shown_as_long_as_the_file_says(clip: MakeClip) -> None:
    path = clip("mp4", frames=len(UNEVEN), times=UNEVEN, tick_s=MILLISECONDS)
    with Footage(path, WIDTH, HEIGHT) as footage:
        times = [time / 1000 for time in range(0, 1300, 10)]
        expected = [max(n for n, at in enumerate(UNEVEN) if at / 1000 <= time) for time in times]
        assert seen(footage, times) == expected
        assert seen(footage, times[::-1]) == expected[::-1]


def test_time_runs_from_the_first_frame_that_is_shown(clip: MakeClip) -> None:
    late = [1000 + 40 * number for number in range(12)]
    path = clip("mp4", frames=12, times=late, tick_s=MILLISECONDS)
    with Footage(path, WIDTH, HEIGHT) as footage:
        assert seen(footage, [0.0, 0.04, 0.2]) == [0, 1, 5]
        assert footage.duration_s == pytest.approx(0.48, abs=0.002)


def test_what_an_edit_list_leaves_out_is_not_shown(clip: MakeClip) -> None:
    # Begins 10 frames in, in the middle of a group of pictures, as trimming on a phone does.
    early = [number - 10 for number in range(60)]
    path = clip("mp4", times=early, tick_s=Fraction(1, 30))
    with Footage(path, WIDTH, HEIGHT) as footage:
        assert footage.facts.frames == 50
        assert seen(footage, [0.0, 20 / 30, 5 / 30, 49 / 30]) == [10, 30, 15, 59]
        assert footage.duration_s == pytest.approx(50 / 30)


def test_repeating_is_exact_at_the_seam(clip: MakeClip) -> None:
    with Footage(clip("mp4", frames=9), WIDTH, HEIGHT) as footage:
        times = [float(number / Fraction(60)) for number in range(20_000, 20_040)]
        looped = [footage.looped(time) for time in times]
        assert seen(footage, looped) == [number // 2 % 9 for number in range(20_000, 20_040)]
        assert footage.looped(0.3) == footage.looped(3e5 * 0.3) == 0.0
        assert seen(footage, [footage.looped(-1 / 30)]) == [8]


@pytest.mark.parametrize(
    ("rotation_deg", "mirrored"), [(0, True), (90, False), (180, False), (-90, False), (90, True)]
)
def test_a_turned_video_is_upright(clip: MakeClip, rotation_deg: float, mirrored: bool) -> None:
    path = clip("mp4", frames=3, rotation_deg=rotation_deg, mirrored=mirrored)
    with Footage(path, 1000, 1000) as footage:
        # A matrix is mirrored after it turns (av_display_matrix_flip).
        turned = np.rot90(picture(2), round(rotation_deg / 90))[:, :: -1 if mirrored else 1]
        assert footage.size == (turned.shape[1], turned.shape[0])
        assert footage.facts.width == turned.shape[1]
        found = footage.frame_at(2 / 30).astype(int)
        assert np.abs(found - turned).mean() < 8


def test_pixels_that_are_not_square_are_made_so(clip: MakeClip) -> None:
    with Footage(clip("mp4", frames=2, aspect=Fraction(3, 2)), 1000, 1000) as footage:
        assert footage.size == (WIDTH * 3 // 2, HEIGHT)
        assert seen(footage, [1 / 30]) == [1]


@pytest.mark.parametrize(
    ("frame", "size"),
    [((64, 36), (64, 36)), ((32, 36), (64, 36)), ((64, 9), (64, 36)), ((500, 10), (128, 72))],
)
def test_pictures_just_cover_the_frame_and_are_never_enlarged(
    clip: MakeClip, frame: tuple[int, int], size: tuple[int, int]
) -> None:
    with Footage(clip("mp4", frames=4), *frame) as footage:
        assert footage.size == size
        assert footage.frame_at(0.1).shape == (size[1], size[0], 4)
        assert seen(footage, [0.1]) == [3]


@pytest.mark.parametrize(
    ("suffix", "codec", "pixels"),
    [("webm", "libvpx-vp9", "yuva420p"), ("mov", "prores_ks", "yuva444p10le")],
)
def test_alpha_is_kept(clip: MakeClip, suffix: str, codec: str, pixels: str) -> None:
    options = FAST_VP if codec == "libvpx-vp9" else {}
    path = clip(suffix, codec, frames=30, pixel_format=pixels, alpha=100, options=options)
    for size in ((WIDTH, HEIGHT), (WIDTH // 2, HEIGHT // 2)):
        with Footage(path, *size) as footage:
            assert footage.facts.has_alpha
            assert seen(footage, [29 / 30, 3 / 30]) == [29, 3]
            alpha = footage.frame_at(3 / 30)[..., 3].astype(int)
            assert abs(alpha[-size[1] // 4 :] - 100).max() <= 3
            assert alpha[: size[1] // 4].min() >= 252


def test_a_transparent_gif_is_composed(tmp_path: Path) -> None:
    path = tmp_path / "clip.gif"
    stills = []
    for place in range(4):
        still = Image.new("RGBA", (40, 30))
        still.paste((250, 10, 10, 255), (place * 10, 0, place * 10 + 10, 30))
        stills.append(still)
    stills[0].save(path, save_all=True, append_images=stills[1:], duration=50, disposal=2)
    with Footage(path, 40, 30) as footage:
        assert footage.duration_s == pytest.approx(0.2)
        for place in (2, 0, 3, 1):
            found = footage.frame_at(place * 0.05)
            assert (found[..., 3] > 0).nonzero()[1].min() == place * 10
            assert (found[..., 3] > 0).sum() == 300


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("matrix", "tagged", "size"),
    [
        (Colorspace.ITU709, True, (64, 48)),
        (Colorspace.ITU601, True, (1280, 720)),
        (Colorspace.BT2020, True, (64, 48)),
        (Colorspace.ITU601, False, (64, 48)),
        (Colorspace.ITU709, False, (1280, 720)),
    ],
)
def test_colours_are_read_by_their_tags_or_by_the_size(
    tmp_path: Path, matrix: Colorspace, tagged: bool, size: tuple[int, int], full: bool
) -> None:
    path, colour = tmp_path / "clip.mkv", (200, 40, 90, 255)
    reach = ColorRange.JPEG if full else ColorRange.MPEG
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv444p"
        still = np.full((size[1], size[0], 4), colour, np.uint8)
        frame = av.VideoFrame.from_ndarray(still, format="rgba").reformat(
            format="yuv444p", dst_colorspace=matrix, dst_color_range=reach
        )
        context = stream.codec_context
        codes = {Colorspace.ITU709: 1, Colorspace.ITU601: 6, Colorspace.BT2020: 9}
        context.colorspace = frame.colorspace = codes[matrix] if tagged else 2
        context.color_range = frame.color_range = reach
        for packet in (*stream.encode(frame), *stream.encode()):
            container.mux(packet)
    with Footage(path, *size) as footage:
        found = footage.frame_at(0)[10, 10].astype(int)
    assert np.abs(found - colour).max() <= 3


def test_high_dynamic_range_is_brought_into_ours(tmp_path: Path) -> None:
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p10le"
        frame = av.VideoFrame(32, 32, "yuv420p10le")
        for plane, level in zip(frame.planes, (721, 512, 512), strict=True):  # 75 % of HLG
            np.frombuffer(plane, np.uint16)[:] = level  # type: ignore[call-overload]
        context = stream.codec_context
        context.colorspace = frame.colorspace = 9
        context.color_primaries = frame.color_primaries = 9
        context.color_trc = frame.color_trc = 18
        for packet in (*stream.encode(frame), *stream.encode()):
            container.mux(packet)
    with Footage(path, 32, 32) as footage:
        red, green, blue, _ = footage.frame_at(0)[5, 5].astype(int)
    # Diffuse white (ITU-R BT.2408) is nearly white, and grey is without colour.
    assert min(red, green, blue) > 195
    assert max(red, green, blue) - min(red, green, blue) <= 2


def test_a_damaged_packet_leaves_the_frame_before_it(clip: MakeClip, tmp_path: Path) -> None:
    path = clip("mkv", "mjpeg", frames=40, pixel_format="yuvj420p", options={})
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    wounded = [12, 0, 39, 26]
    for number in wounded:
        place = data.find(bytes(packets[number]))
        assert place > 0
        data[place : place + packets[number].size] = bytes(packets[number].size)
    damaged = tmp_path / "damaged.mkv"
    damaged.write_bytes(data)
    with Footage(damaged, WIDTH, HEIGHT) as footage:
        numbers = [number + 1 for number in range(39)]
        numbers[11], numbers[25], numbers[38] = 11, 25, 38
        assert seen(footage, [number / 30 for number in range(39)]) == numbers
        assert seen(footage, [25 / 30, 3 / 30, 11 / 30, 38 / 30]) == [25, 4, 11, 38]


def test_damage_is_the_same_from_whatever_side_one_comes(clip: MakeClip, tmp_path: Path) -> None:
    data = bytearray(clip("mp4", frames=100).read_bytes())
    generator = np.random.default_rng(7)
    for place in generator.integers(len(data) // 4, len(data) * 3 // 4, 12):
        data[place] ^= 0xFF
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(data)
    with Footage(damaged, WIDTH, HEIGHT) as footage:
        frames = [footage.frame_at(number / 30) for number in range(100)]
        for number in generator.permutation(100)[:40].tolist():
            assert np.array_equal(footage.frame_at(number / 30), frames[number]), number


def test_a_file_that_was_cut_off_shows_what_it_has(clip: MakeClip, tmp_path: Path) -> None:
    data = clip("mkv", frames=60).read_bytes()
    short = tmp_path / "short.mkv"
    short.write_bytes(data[: len(data) // 2])
    with Footage(short, WIDTH, HEIGHT) as footage:
        assert 10 < footage.facts.frames < 50
        assert seen(footage, [5 / 30, 1e6, 0.0])[::2] == [5, 0]


def test_the_file_may_be_deleted_once_it_is_open(clip: MakeClip) -> None:
    path = clip("gif", "gif", fps=Fraction(25), pixel_format="rgb8", frames=8)
    footage = Footage(path, WIDTH, HEIGHT)
    path.unlink()
    # A GIF is opened anew for each step back.
    assert seen(footage, [7 / 25, 2 / 25, 5 / 25, 0.0]) == [7, 2, 5, 0]
    footage.close()
    footage.close()


def test_footage_that_is_dropped_lets_its_file_go(clip: MakeClip) -> None:
    path = clip("mp4", frames=2)
    footage = Footage(path, WIDTH, HEIGHT)
    file = footage._reel._file
    del footage
    gc.collect()
    assert file.closed


def test_pictures_cannot_be_written_to(clip: MakeClip) -> None:
    with Footage(clip("mp4", frames=2), WIDTH, HEIGHT) as footage:
        assert not footage.frame_at(0).flags.writeable


def test_the_facts_of_a_video(clip: MakeClip) -> None:
    facts = check_footage(clip("mov", frames=30, rotation_deg=90, sound=True))
    assert facts.model_dump() == {
        "container": "mov,mp4,m4a,3gp,3g2,mj2",
        "codec": "h264",
        "width": HEIGHT,
        "height": WIDTH,
        "duration_s": 1.0,
        "frames": 30,
        "fps": "30",
        "has_alpha": False,
    }


def test_what_cannot_be_used_is_refused_with_a_reason(
    clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusal(path: Path) -> str:
        with pytest.raises(MediaError) as caught:
            check_footage(path)
        return caught.value.message

    (tmp_path / "empty.mp4").touch()
    assert "empty (0 bytes)" in refusal(tmp_path / "empty.mp4")
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile '/etc/passwd'\n")
    assert "cannot be read" in refusal(tmp_path / "list.mp4")
    song = tmp_path / "song.m4a"
    with av.open(str(song), "w", format="mp4") as container:
        voice = container.add_stream("aac", rate=48000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.float32), "fltp", "mono")
        silence.sample_rate = 48000
        for packet in (*voice.encode(silence), *voice.encode()):
            container.mux(packet)
    assert "no picture, only audio; use an MP4" in refusal(song)
    path = clip("mkv", frames=3)
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    for packet in packets:
        place = data.find(packet)
        data[place : place + len(packet)] = bytes(len(packet))
    (tmp_path / "dead.mkv").write_bytes(data)
    assert "Nothing of the video could be decoded" in refusal(tmp_path / "dead.mkv")
    monkeypatch.setattr(reel_module, "MOST_PIXELS_A_SIDE", 100)
    assert refusal(path) == "The video is 128x72 pixels; 100 a side is the most."


def test_a_picture_covers_a_frame_as_far_as_a_texture_holds_it() -> None:
    assert covering((1920, 1080), 960, 960) == (1707, 960)
    assert covering((640, 480), 1920, 1080) == (640, 480)
    assert covering((81920, 16), 1920, 1080) == (8192, 2)
