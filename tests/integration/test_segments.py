"""Segments: encoded apart, stitched without encoding again, judged by Debian's ffmpeg."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import wave
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import (
    CancelledError,
    ClusterError,
    DamagedObjectError,
    EncodeError,
    ObjectNotFoundError,
    RenderError,
)
from shared.plan import AudioSpec, ChunkSpec, Picture, StitchSpec, VideoSpec, make_plan
from shared.storage import LocalStore
from shared.styles import find_style
from shared.timebase import FrameRange, samples_for
from tests.conftest import Program
from tests.songs import SongFile
from workers.audio import prepare_audio
from workers.chunk import render_chunk, stored_segment
from workers.encode import encode_segment
from workers.stitch import REORDER, place_packets, stitch
from workers.studio import Studio

ffmpeg_judges = pytest.mark.ffmpeg
gl = pytest.mark.gl

WIDTH, HEIGHT, BITS = 128, 64, 8
RATES = {"24": Fraction(24), "29.97": Fraction(30000, 1001), "60": Fraction(60)}
LENGTHS = (1, 2, 3, 24, 1)
"""Frames of the chunks that are stitched: the awkward ones first and last."""


def make_video(fps: Fraction = RATES["29.97"], **fields: Any) -> VideoSpec:
    plain = {"width": WIDTH, "height": HEIGHT, "fps": fps, "crf": 20, "max_kbps": 8000}
    return VideoSpec.model_validate(plain | {"profile": "high"} | fields)


def pictures(first: int, count: int) -> Iterator[av.VideoFrame]:
    """Frames with their number as stripes in luma, over something that moves."""
    rng = np.random.default_rng(5)
    ground = rng.integers(60, 180, (HEIGHT, WIDTH), dtype=np.uint8)
    for number in range(first, first + count):
        luma = np.roll(ground, 3 * number, axis=1)
        for bit in range(BITS):
            width = WIDTH // BITS
            luma[: HEIGHT // 2, bit * width : (bit + 1) * width] = 220 if number >> bit & 1 else 30
        chroma = np.full((HEIGHT // 2, WIDTH), 100 + number % 50, dtype=np.uint8)
        yield av.VideoFrame.from_ndarray(np.concatenate([luma, chroma]), format="yuv420p")


def number_of(luma: np.ndarray) -> int:
    """What the stripes of a frame say."""
    stripes = luma[8 : HEIGHT // 2 - 8].reshape(-1, BITS, WIDTH // BITS)[:, :, 4:-4]
    return sum(1 << bit for bit, level in enumerate(stripes.mean(axis=(0, 2))) if level > 128)


def segment(first: int, count: int, video: VideoSpec) -> bytes:
    return encode_segment(pictures(first, count), video, FrameRange(first, first + count))


def seen(ffmpeg: Program, path: Path, *options: str) -> list[int]:
    """The numbers of the frames that ffmpeg decodes, every frame of the file once."""
    raw = path.with_suffix(".gray")
    said = ffmpeg(
        *("-v", "warning", *options, "-i", path, "-map", "0:v", "-fps_mode", "passthrough"),
        *("-pix_fmt", "gray", "-f", "rawvideo", raw),
    )
    assert said == "", "ffmpeg has nothing to complain of"
    frames = np.fromfile(raw, dtype=np.uint8).reshape(-1, HEIGHT, WIDTH)
    return [number_of(frame) for frame in frames]


def frame_hashes(ffmpeg: Program, path: Path) -> list[str]:
    out = path.with_suffix(".framemd5")
    ffmpeg("-v", "error", "-i", path, "-map", "0:v", "-f", "framemd5", out)
    lines = [line for line in out.read_text().splitlines() if not line.startswith("#")]
    return [line.split(",")[-1].strip() for line in lines]


def probed(ffprobe: Program, path: Path) -> dict[str, Any]:
    """The video stream, and its frames and packets with times in seconds, exact."""
    options = ("-select_streams", "v", "-show_streams", "-show_frames", "-show_packets")
    # Frames and packets come mixed unless they are asked for apart.
    found = json.loads(ffprobe(*options[:3], path))
    found |= json.loads(ffprobe(*options[:2], "-show_frames", path))
    found |= json.loads(ffprobe(*options[:2], "-show_packets", path))
    [stream] = found["streams"]
    base = Fraction(stream["time_base"])
    for item in [*found["frames"], *found["packets"]]:
        item["pts_s"] = item["pts"] * base
    return {**found, "stream": stream}


def nal_types(packet: bytes) -> list[int]:
    """Kinds of the units in a packet with 4-byte lengths (ISO/IEC 14496-10, table 7-1)."""
    kinds, at = [], 0
    while at < len(packet):
        kinds.append(packet[at + 4] & 0x1F)
        at += 4 + int.from_bytes(packet[at : at + 4], "big")
    return kinds


# Encoding.


@ffmpeg_judges
@pytest.mark.parametrize("fps", RATES.values(), ids=RATES)
@pytest.mark.parametrize("count", [1, 2, 3, 25])
def test_a_segment_is_a_closed_group_with_exact_times(
    ffmpeg: Program, ffprobe: Program, tmp_path: Path, fps: Fraction, count: int
) -> None:
    path = tmp_path / "segment.mp4"
    path.write_bytes(segment(7, count, make_video(fps)))
    found = probed(ffprobe, path)
    stream = found["stream"]
    assert stream["profile"] == "High"
    assert stream["pix_fmt"] == "yuv420p"
    assert {stream[f"color_{name}"] for name in ("space", "transfer", "primaries")} == {"bt709"}
    assert stream["color_range"] == "tv"
    assert (stream["width"], stream["height"]) == (WIDTH, HEIGHT)
    assert [frame["pts_s"] for frame in found["frames"]] == [k / fps for k in range(count)]
    assert len(found["packets"]) == count
    assert found["packets"][0]["flags"].startswith("K")
    assert seen(ffmpeg, path) == list(range(7, 7 + count))
    with av.open(str(path)) as container:
        first = next(packet for packet in container.demux(video=0) if packet.size)
    assert 5 in nal_types(bytes(first)), "it begins with an IDR picture"


@ffmpeg_judges
@pytest.mark.parametrize(
    ("profile", "name"),
    [("baseline", "Constrained Baseline"), ("main", "Main"), ("high", "High")],
)
def test_a_segment_has_the_profile_that_was_asked_for(
    ffprobe: Program, tmp_path: Path, profile: str, name: str
) -> None:
    path = tmp_path / "segment.mp4"
    path.write_bytes(segment(0, 5, make_video(profile=profile)))
    assert probed(ffprobe, path)["stream"]["profile"] == name


def test_the_same_frames_give_the_same_bytes() -> None:
    once, again = (segment(3, 30, make_video()) for _ in range(2))
    assert once == again
    assert segment(4, 30, make_video()) != once


@pytest.mark.parametrize(("width", "height"), [(272, 144), (320, 180)])
def test_what_lies_in_memory_does_not_matter(width: int, height: int) -> None:
    # x264's AVX-512 code was seen to read memory that nobody had written, at these widths.
    random = np.random.default_rng(846)
    count = 26
    still = random.random((height * 3 // 2, width)) * 30 + 100
    frames = []
    for number in range(count):
        moved = still.copy()
        moved[:height] += 60 * np.sin(np.arange(width) / 9 + number / 3)
        frames.append(moved.clip(16, 235).astype(np.uint8))
    video = make_video(width=width, height=height, crf=23, max_kbps=800)
    hashes = set()
    for _ in range(6):
        litter = [random.bytes(int(random.integers(1000, 2_000_000))) for _ in range(20)]
        del litter[::2]
        pictures = (av.VideoFrame.from_ndarray(frame, format="yuv420p") for frame in frames)
        hashes.add(hashlib.sha256(encode_segment(pictures, video, FrameRange(0, count))).digest())
    assert len(hashes) == 1


def test_a_frame_too_few_or_too_many_is_no_segment() -> None:
    for count in (2, 4):
        with pytest.raises(EncodeError, match=f"3 frames were to be encoded, {count} came"):
            encode_segment(pictures(0, count), make_video(), FrameRange(0, 3))


# Placing packets, a pure function.

ORDERS = st.lists(st.booleans(), max_size=40).map(
    # x264 decodes a later frame first: pairs are swapped here and there.
    lambda swaps: _swapped(len(swaps) + 1, swaps)
)


def _swapped(count: int, swaps: Sequence[bool]) -> list[int]:
    order = list(range(count))
    at = 1  # the first frame is the key frame
    while at + 1 < count:
        if swaps[at]:
            order[at], order[at + 1] = order[at + 1], order[at]
            at += 1
        at += 1
    return order


@given(
    order=ORDERS,
    fps=st.sampled_from(sorted(RATES.values())),
    first_frame=st.integers(0, 10**7),
    late_s=st.fractions(-2, 10, max_denominator=1000),
)
@settings(deadline=None)
def test_packets_are_placed_by_the_order_in_which_they_are_shown(
    order: list[int], fps: Fraction, first_frame: int, late_s: Fraction
) -> None:
    late_s = round(late_s * fps) / fps  # containers shift a segment by whole frames
    placed = place_packets([frame / fps + late_s for frame in order], fps, first_frame)
    assert [place.present for place in placed] == [first_frame + frame for frame in order]
    assert [place.decode for place in placed] == [
        first_frame + index - REORDER for index in range(len(order))
    ]
    assert all(place.decode <= place.present for place in placed)
    following = place_packets([Fraction(0)], fps, first_frame + len(order))
    assert following[0].decode == placed[-1].decode + 1, "no seam in decoding"


@given(order=ORDERS, data=st.data())
@settings(deadline=None)
def test_a_lost_or_doubled_frame_is_noticed(order: list[int], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(order) - 1))
    lost = order[:place] + order[place + 1 :]
    doubled = order[:place] + order[place:][:1] + order[place:]
    fps = Fraction(30)
    for frames in [doubled, *([lost] if lost and 0 < order[place] < len(lost) else [])]:
        with pytest.raises(RenderError, match="does not show each frame once"):
            place_packets([frame / fps for frame in frames], fps, 0)


@pytest.mark.parametrize(
    ("order", "refused"),
    [
        ([0, 4, 2, 1, 3], False),
        ([0, 3, 4, 1, 2], False),
        ([0, 3, 4, 5, 1, 2], True),
        ([2, 1, 0], False),
        ([3, 2, 1, 0], True),
    ],
)
def test_frames_may_wait_for_two_others_at_most(order: list[int], refused: bool) -> None:
    times = [Fraction(frame, 30) for frame in order]
    if refused:
        with pytest.raises(RenderError, match="reorders more than 2 frames"):
            place_packets(times, Fraction(30), 0)
    else:
        placed = place_packets(times, Fraction(30), 0)
        assert all(place.decode <= place.present for place in placed)


# Stitching.


class Reel:
    """Segments of one video in a store, their frames numbered from 0."""

    def __init__(self, store: LocalStore, video: VideoSpec, lengths: Sequence[int]) -> None:
        """Encode them."""
        self.video = video
        self.starts = list(itertools.accumulate(lengths, initial=0))
        self.frames = self.starts.pop()
        self.keys = [f"segments/{start}.mp4" for start in self.starts]
        for key, start, length in zip(self.keys, self.starts, lengths, strict=True):
            store.put_bytes(key, segment(start, length, video))

    def spec(self, **fields: Any) -> StitchSpec:
        """Their stitch."""
        plain = {"segment_keys": tuple(self.keys), "frames": self.frames, "video": self.video}
        return StitchSpec(**plain | {"audio": None, "key": "exports/result.mp4"} | fields)


def make_audio(store: LocalStore, folder: Path, video: VideoSpec, frames: int) -> AudioSpec:
    """A tone as long as the video, prepared."""
    rate = 48000
    samples = samples_for(frames, video.fps, rate)
    tone = (8000 * np.sin(np.arange(samples) * 2 * math.pi * 440 / rate)).astype("<i2")
    with wave.open(str(folder / "tone.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(tone.tobytes())
    store.put_file("assets/tone", folder / "tone.wav")
    spec = AudioSpec(
        recording_key="assets/tone",
        start_s=Fraction(0),
        offset_s=Fraction(0),
        samples=samples,
        sample_rate=rate,
        channels=2,
        bitrate_kbps=128,
        loudness_lufs=None,
        key="audio/tone.mp4",
    )
    report = prepare_audio(spec, store)
    assert report.size_bytes == len(store.get_bytes(spec.key))
    assert report.sha256 == sha256_of(store, spec.key)
    return spec


def sha256_of(store: LocalStore, key: str) -> str:
    return hashlib.sha256(store.get_bytes(key)).hexdigest()


@pytest.fixture(params=RATES.values(), ids=RATES.keys())
def reel(request: pytest.FixtureRequest, store: LocalStore) -> Reel:
    """Five segments at each frame rate."""
    return Reel(store, make_video(request.param), LENGTHS)


@ffmpeg_judges
@pytest.mark.parametrize("with_audio", [False, True], ids=["silent", "sound"])
def test_a_stitched_video_shows_each_frame_once_at_its_time(
    ffmpeg: Program,
    ffprobe: Program,
    store: LocalStore,
    tmp_path: Path,
    reel: Reel,
    with_audio: bool,
) -> None:
    audio = make_audio(store, tmp_path, reel.video, reel.frames) if with_audio else None
    report = stitch(reel.spec(audio=audio), store)
    data = store.get_bytes(report.key)
    assert report.frames == reel.frames
    assert report.size_bytes == len(data)
    assert report.sha256 == hashlib.sha256(data).hexdigest()
    assert stitch(reel.spec(audio=audio), store).sha256 == report.sha256
    path = tmp_path / "result.mp4"
    path.write_bytes(data)

    fps = reel.video.fps
    assert seen(ffmpeg, path) == list(range(reel.frames))
    found = probed(ffprobe, path)
    assert [frame["pts_s"] for frame in found["frames"]] == [k / fps for k in range(reel.frames)]
    decoded = [packet["dts"] for packet in found["packets"]]
    assert decoded == sorted(set(decoded))
    assert Fraction(found["stream"]["r_frame_rate"]) == fps
    keys = {packet["pts_s"] for packet in found["packets"] if packet["flags"].startswith("K")}
    assert keys == {start / fps for start in reel.starts}

    alone = []
    for key in reel.keys:
        part = tmp_path / Path(key).name
        part.write_bytes(store.get_bytes(key))
        alone += frame_hashes(ffmpeg, part)
    assert frame_hashes(ffmpeg, path) == alone, "pictures are copied, not encoded again"

    for start in reel.starts:
        at_us = math.floor(start / fps * 1_000_000)
        assert seen(ffmpeg, path, "-ss", f"{at_us}us")[0] == start

    boxes = top_level_boxes(data)
    assert boxes.index("moov") < boxes.index("mdat"), "it plays while it loads"
    kinds = [
        stream["codec_type"] for stream in json.loads(ffprobe("-show_streams", path))["streams"]
    ]
    assert kinds == ["video", "audio"] if with_audio else kinds == ["video"]


@ffmpeg_judges
def test_the_sound_is_as_long_as_the_picture(
    ffmpeg: Program, store: LocalStore, tmp_path: Path
) -> None:
    reel = Reel(store, make_video(), (24, 11))
    audio = make_audio(store, tmp_path, reel.video, reel.frames)
    path = tmp_path / "result.mp4"
    path.write_bytes(store.get_bytes(stitch(reel.spec(audio=audio), store).key))
    raw = tmp_path / "sound.f32"
    ffmpeg("-v", "error", "-i", path, "-map", "0:a", "-ac", "1", "-f", "f32le", raw)
    sound = np.fromfile(raw, "<f4")
    assert 0 <= len(sound) - audio.samples < 1024, "only the padding of the last AAC frame"
    tone = 8000 / 32768 * np.sin(np.arange(audio.samples) * 2 * math.pi * 440 / 48000)
    inner = slice(2048, audio.samples - 2048)
    assert np.abs(sound[: audio.samples] - tone)[inner].max() < 0.02, "not a sample early or late"


def top_level_boxes(data: bytes) -> list[str]:
    """Names of the boxes of an mp4 in their order (ISO/IEC 14496-12, 4.2)."""
    names, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        names.append(data[at + 4 : at + 8].decode("ascii"))
        assert size >= 8
        at += size
    return names


def test_a_stitch_of_other_segments_than_planned_is_refused(store: LocalStore) -> None:
    reel = Reel(store, make_video(), (6, 6, 6))
    first, second, third = reel.keys
    for name, foreign in {
        "size": make_video(width=64),
        "profile": make_video(profile="main"),
        "rate": make_video(RATES["24"]),
    }.items():
        store.put_bytes(f"segments/{name}.mp4", segment(6, 6, foreign))
    sound = segment(6, 6, make_video())
    store.put_bytes("segments/damaged.mp4", sound[: len(sound) // 2])
    store.put_bytes("segments/empty.mp4", b"")
    wrong = {
        "missing": (first, third),
        "one more": (first, second, third, third),
        "another twice": (first, first, third),
        **{
            name: (first, f"segments/{name}.mp4", third)
            for name in ("size", "profile", "rate", "damaged", "empty")
        },
    }
    for name, keys in wrong.items():
        with pytest.raises(RenderError):
            stitch(reel.spec(segment_keys=keys, key="exports/wrong.mp4"), store)
        assert not store.exists("exports/wrong.mp4"), name
    assert stitch(reel.spec(), store).frames == 18


@pytest.mark.parametrize("place", [0, 1, 2, "sound"])
def test_a_stitch_names_what_is_damaged_or_missing(
    store: LocalStore, tmp_path: Path, place: int | str
) -> None:
    reel = Reel(store, make_video(), (6, 6, 6))
    audio = make_audio(store, tmp_path, reel.video, reel.frames)
    spec = reel.spec(
        audio=audio,
        segment_sha256=tuple(sha256_of(store, key) for key in reel.keys),
        audio_sha256=sha256_of(store, audio.key),
    )
    whole = stitch(spec, store)
    key = audio.key if isinstance(place, str) else reel.keys[place]
    data = store.get_bytes(key)
    other = segment(100, 6, reel.video)  # sound, but not the one that was made
    for damaged in (b"", data[:-1], bytes([*data[:-1], data[-1] ^ 1]), other):
        store.put_bytes(key, damaged)
        with pytest.raises(DamagedObjectError) as caught:
            stitch(spec, store)
        assert caught.value.facts["key"] == key
    store.delete(key)
    with pytest.raises(ObjectNotFoundError) as gone:
        stitch(spec, store)
    assert gone.value.facts["key"] == key
    store.put_bytes(key, data)
    assert stitch(spec, store) == whole


def test_a_stitch_has_a_hash_for_every_segment_or_none(store: LocalStore) -> None:
    reel = Reel(store, make_video(), (6, 6))
    with pytest.raises(ValueError, match="a hash for every segment"):
        reel.spec(segment_sha256=("0",))


@pytest.mark.parametrize("at", [0, 7, 18])
def test_a_cancelled_stitch_leaves_nothing(store: LocalStore, at: int) -> None:
    reel = Reel(store, make_video(), (6, 6, 6))
    told: list[int] = []

    def stop(frames: int) -> None:
        told.append(frames)
        if frames >= at:
            raise CancelledError("The attempt was cancelled.")

    with pytest.raises(CancelledError):
        stitch(reel.spec(), store, stop)
    assert told[-1] >= at
    assert not store.exists("exports/result.mp4")


@pytest.mark.parametrize("calls", [1, 12])
def test_cancelled_sound_leaves_nothing(store: LocalStore, tmp_path: Path, calls: int) -> None:
    spec = make_audio(store, tmp_path, make_video(Fraction(30)), 900)
    spec = spec.model_copy(update={"key": "audio/again.mp4"})
    left = calls

    def stop(frames: int) -> None:
        nonlocal left
        assert frames == 0
        left -= 1
        if not left:
            raise CancelledError("The attempt was cancelled.")

    with pytest.raises(CancelledError):
        prepare_audio(spec, store, stop)
    assert not store.exists("audio/again.mp4")


# Rendering a chunk.


@pytest.fixture(scope="module")
def _studio() -> Iterator[Studio]:
    with Studio() as studio:
        yield studio


@pytest.fixture
def studio(_studio: Studio) -> Iterator[Studio]:
    """What a worker process keeps."""
    # A worker has one context; this process has several, and this makes it the current one.
    with _studio._context:
        yield _studio


def make_chunks(store: LocalStore, engine: str, **fields: Any) -> tuple[ChunkSpec, ...]:
    song = SongFile("A song").note(0, 1, 60).note(Fraction(1, 2), 2, 67).song()
    store.put_bytes("songs/song.npz", song.to_bytes())
    picture = Picture(
        composition=find_style("aurora"),
        song_key="songs/song.npz",
        start_s=Fraction(0),
        video=make_video(Fraction(30), **fields),
    )
    return make_plan(picture=picture, frames=70, audio=None, engine=engine).chunks


@gl
def test_a_chunk_is_rendered_once_and_found_again(store: LocalStore, studio: Studio) -> None:
    done: list[int] = []
    chunk = make_chunks(store, studio.engine)[1]
    assert stored_segment(chunk, store) is None
    report = render_chunk(chunk, store, studio, done.append)
    data = store.get_bytes(chunk.key)
    assert not report.cached
    assert report.frames == len(chunk.frames) == len(done)
    assert done == sorted(done)
    assert report.sha256 == hashlib.sha256(data).hexdigest()
    assert report.size_bytes == len(data)
    again = render_chunk(chunk, store, studio, done.append)
    assert again.cached
    assert again.sha256 == report.sha256
    assert len(done) == report.frames, "nothing was drawn"


@gl
def test_another_studio_renders_the_same_bytes(
    store: LocalStore, studio: Studio, tmp_path: Path
) -> None:
    elsewhere = LocalStore(tmp_path / "elsewhere")
    chunks = make_chunks(store, studio.engine)
    assert make_chunks(elsewhere, studio.engine) == chunks
    ours = [render_chunk(chunk, store, studio, ignore).sha256 for chunk in chunks]
    with Studio() as other:
        assert other.engine == studio.engine
        theirs = [
            render_chunk(chunk, elsewhere, other, ignore).sha256 for chunk in reversed(chunks)
        ]
    assert theirs[::-1] == ours
    assert len(set(ours)) == len(ours)


@gl
def test_a_damaged_segment_is_rendered_again(store: LocalStore, studio: Studio) -> None:
    chunk = make_chunks(store, studio.engine)[0]
    report = render_chunk(chunk, store, studio, ignore)
    data = store.get_bytes(chunk.key)
    for damaged in (
        b"",
        b"nothing of the kind",
        data[: len(data) // 2],
        data[:-100],
        data[200:],
        segment(0, len(chunk.frames) - 1, chunk.picture.video),
    ):
        store.put_bytes(chunk.key, damaged)
        assert stored_segment(chunk, store) is None
        again = render_chunk(chunk, store, studio, ignore)
        assert not again.cached
        assert again.sha256 == report.sha256
        assert store.get_bytes(chunk.key) == data


@gl
def test_a_cancelled_chunk_leaves_nothing(store: LocalStore, studio: Studio) -> None:
    chunk = make_chunks(store, studio.engine)[0]

    def stop(frames: int) -> None:
        if frames == 5:
            raise CancelledError("The attempt was cancelled.")

    with pytest.raises(CancelledError):
        render_chunk(chunk, store, studio, stop)
    assert not store.exists(chunk.key)
    assert render_chunk(chunk, store, studio, ignore).frames == len(chunk.frames)


@gl
def test_a_chunk_that_was_planned_for_another_engine_is_refused(
    store: LocalStore, studio: Studio
) -> None:
    chunk = make_chunks(store, "another engine")[0]
    with pytest.raises(ClusterError, match="was planned for 'another engine'"):
        render_chunk(chunk, store, studio, ignore)
    assert not store.exists(chunk.key)


def ignore(frames: int) -> None:
    """Progress that nobody hears of."""
