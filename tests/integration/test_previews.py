"""Previews: the frames that an export would show, quickly, and nothing left behind."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shared.errors import CancelledError, CompositionError, RenderError
from shared.export import ExportConfiguration
from shared.intake import IntakeSpec
from shared.plan import ChunkSpec, Picture, VideoSpec
from shared.preview import PreviewSpec
from shared.storage import LocalStore
from shared.styles import find_style
from shared.timebase import FrameRange
from tests.bench.etude import write_recording
from tests.conftest import Program
from tests.songs import SongFile
from workers.chunk import render_chunk
from workers.intake import take_file
from workers.preview import make_preview
from workers.preview.shots import plan_piece, timecode
from workers.progress import untold
from workers.studio import Studio

pytestmark = pytest.mark.gl

SECONDS = 14


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with Studio() as opened:
        yield opened


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[LocalStore, IntakeSpec]:
    """A store with a song and its recording, and what an intake is told of them."""
    folder = tmp_path_factory.mktemp("previews")
    song = SongFile()
    for step in range(SECONDS * 4):
        song.note(step / 4, step / 4 + 0.1875, 45 + step * 5 % 40, track=step % 2)
    write_recording(folder / "take.wav", SECONDS)
    store = LocalStore(folder / "store")
    midi_key = take_file(song.save(folder / "song.mid"), store)
    intake = IntakeSpec(
        midi_key=midi_key,
        recording_key=take_file(folder / "take.wav", store),
        composition=find_style("aurora"),
        names={midi_key: "song.mid"},
    )
    return store, intake


def configuration(width: int = 320, height: int = 180, **fields: Any) -> ExportConfiguration:
    quality = {"resolution": {"width": width, "height": height}, "framerate": 30}
    plain: dict[str, Any] = {"name": "as asked", "quality": quality | fields.pop("quality", {})}
    return ExportConfiguration.model_validate(plain | fields)


def preview(kind: str, intake: IntakeSpec | None, **fields: Any) -> PreviewSpec:
    plain: dict[str, Any] = {"kind": kind, "intake": intake, "key": f"previews/a/{kind}"}
    if intake is not None:
        plain["configuration"] = configuration()
    return PreviewSpec.model_validate(plain | fields)


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def exported_frame(
    spec: PreviewSpec, frame: int, store: LocalStore, studio: Studio, width: int, height: int
) -> np.ndarray:
    """A frame as the renderer of the export draws it, as RGB."""
    drawn = studio.renderer(plan_piece(spec, store, studio).picture, store).pixels(frame)
    return np.frombuffer(drawn, dtype=np.uint8).reshape(height, width, 4)[..., :3]


def test_a_still_is_the_frame_of_the_export(
    files: tuple[LocalStore, IntakeSpec], studio: Studio
) -> None:
    store, intake = files
    spec = preview("still", intake, at_s=3.34)
    report = make_preview(spec, store, studio, untold)
    assert (report.media_type, report.width, report.height) == ("image/png", 320, 180)
    data = store.get_bytes(report.key)
    assert report.size_bytes == len(data)
    found = np.asarray(opened(data).convert("RGB"))
    assert np.array_equal(found, exported_frame(spec, 100, store, studio, 320, 180))
    make_preview(spec, store, studio, untold)
    assert store.get_bytes(report.key) == data


@pytest.mark.parametrize(
    ("image_format", "mode"), [("png", "RGB"), ("jpeg", "RGB"), ("webp", "RGB")]
)
def test_a_still_is_scaled_down_but_never_up(
    image_format: str, mode: str, files: tuple[LocalStore, IntakeSpec], studio: Studio
) -> None:
    store, intake = files
    small = preview("still", intake, at_s=5, width=100, image_format=image_format)
    report = make_preview(small, store, studio, untold)
    picture = opened(store.get_bytes(report.key))
    assert (picture.format, picture.mode) == (image_format.upper(), mode)
    assert picture.size == (100, 56) == (report.width, report.height)
    whole = Image.fromarray(exported_frame(small, 150, store, studio, 320, 180))
    expected = np.asarray(whole.resize((100, 56), Image.Resampling.LANCZOS), dtype=float)
    assert np.abs(np.asarray(picture, dtype=float) - expected).mean() < 4.5
    large = preview("still", intake, width=1920, image_format=image_format)
    assert make_preview(large, store, studio, untold).width == 320


def test_a_still_is_transparent_where_its_export_is(
    files: tuple[LocalStore, IntakeSpec], studio: Studio
) -> None:
    store, intake = files
    clear = configuration(
        quality={"pixelFormat": "rgba"}, format={"container": "zip"}, audio={"enabled": False}
    )
    for image_format, alpha in (("png", True), ("webp", True), ("jpeg", False)):
        spec = preview("still", intake, configuration=clear, image_format=image_format)
        picture = opened(store.get_bytes(make_preview(spec, store, studio, untold).key))
        assert picture.mode == ("RGBA" if alpha else "RGB")
        # Above the keys, between the notes, there is nothing.
        corner = picture.getpixel((2, 2))
        assert isinstance(corner, tuple)
        assert corner[3] == 0 if alpha else max(corner) < 8


def test_a_still_after_the_end_is_the_last_frame_and_says_so(
    files: tuple[LocalStore, IntakeSpec], studio: Studio
) -> None:
    store, intake = files
    spec = preview("still", intake, at_s=1e6)
    report = make_preview(spec, store, studio, untold)
    assert any("its last frame is shown" in warning for warning in report.warnings)
    last = plan_piece(spec, store, studio).frames - 1
    found = np.asarray(opened(store.get_bytes(report.key)).convert("RGB"))
    assert np.array_equal(found, exported_frame(spec, last, store, studio, 320, 180))


def test_a_warm_still_of_a_full_size_export_is_quick(
    files: tuple[LocalStore, IntakeSpec], studio: Studio
) -> None:
    store, intake = files
    spec = preview("still", intake, at_s=3, configuration=configuration(1920, 1080))
    make_preview(spec, store, studio, untold)
    began = time.process_time()  # of this process alone, whatever else the machine does
    make_preview(spec.model_copy(update={"at_s": 4.0}), store, studio, untold)
    assert time.process_time() - began < 0.3


def test_a_preview_between_two_chunks_leaves_their_renderer_alone(
    files: tuple[LocalStore, IntakeSpec], studio: Studio
) -> None:
    store, intake = files
    picture = plan_piece(preview("still", intake), store, studio).picture
    before = studio.renderer(picture, store)
    for height in (100, 102, 104):
        shape = configuration(160, height)
        make_preview(preview("still", intake, configuration=shape), store, studio, untold)
        assert studio.renderer(picture, store) is before
    slower = picture.model_copy(update={"video": picture.video.model_copy(update={"crf": 40})})
    assert studio.renderer(slower, store) is before


def test_a_sheet_shows_twelve_moments_of_the_whole(
    files: tuple[LocalStore, IntakeSpec], studio: Studio
) -> None:
    store, intake = files
    spec = preview("sheet", intake, width=660)
    report = make_preview(spec, store, studio, untold)
    sheet = np.asarray(opened(store.get_bytes(report.key)).convert("RGB"), dtype=float)
    assert sheet.shape == (report.height, report.width, 3)
    assert 600 < report.width <= 660
    frames = plan_piece(spec, store, studio).frames
    gap, tile, tile_height = 5, 158, 89
    for index in range(12):
        wanted = exported_frame(spec, frames * (2 * index + 1) // 24, store, studio, 320, 180)
        small = Image.fromarray(wanted).resize((tile, tile_height), Image.Resampling.LANCZOS)
        left = gap + index % 4 * (tile + gap)
        top = gap + index // 4 * (report.height - gap) // 3
        shown = sheet[top : top + tile_height, left : left + tile]
        assert np.abs(shown - np.asarray(small, dtype=float)).mean() < 2, f"still {index}"
        below = sheet[top + tile_height : top + tile_height + 18, left : left + tile]
        assert below.max() > 150, "a time is written there"


def test_a_sheet_stops_when_it_is_told_to(
    files: tuple[LocalStore, IntakeSpec], studio: Studio
) -> None:
    store, intake = files
    heard = []

    def stop(frames: int) -> None:
        heard.append(frames)
        if len(heard) == 4:
            raise CancelledError("Enough.")

    with pytest.raises(CancelledError):
        make_preview(preview("sheet", intake, key="previews/a/never"), store, studio, stop)
    assert not store.exists("previews/a/never")


def test_times_are_written_as_people_read_them() -> None:
    assert timecode(Fraction(0)) == "0:00.00"
    assert timecode(Fraction(179999, 3000)) == "0:59.99"
    assert timecode(Fraction(3725) + Fraction(1, 3)) == "1:02:05.33"


@pytest.mark.ffmpeg
def test_a_clip_is_a_small_video_with_sound_and_leaves_nothing_behind(
    files: tuple[LocalStore, IntakeSpec],
    studio: Studio,
    ffmpeg: Program,
    ffprobe: Program,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, intake = files
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    before = {info.key for info in store.list()}
    spec = preview("clip", intake, at_s=2, width=160, configuration=configuration(640, 360))
    report = make_preview(spec, store, studio, untold)
    assert {info.key for info in store.list()} - before == {report.key}
    assert list(scratch.iterdir()) == []
    assert (report.media_type, report.width, report.height) == ("video/mp4", 160, 90)
    path = tmp_path / "clip.mp4"
    path.write_bytes(store.get_bytes(report.key))
    told = json.loads(ffprobe("-show_streams", "-count_frames", path))["streams"]
    assert [stream["codec_name"] for stream in told] == ["h264", "aac"]
    assert told[0]["nb_read_frames"] == "300"
    assert float(told[1]["duration"]) == pytest.approx(10, abs=0.001)
    # Its first frame is what the export shows after two seconds.
    raw = tmp_path / "first.rgb"
    ffmpeg("-i", path, "-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo", raw)
    first = np.frombuffer(raw.read_bytes(), dtype=np.uint8).reshape(90, 160, 3).astype(float)
    still = preview("still", intake, at_s=2, width=160, configuration=configuration(640, 360))
    shown = opened(store.get_bytes(make_preview(still, store, studio, untold).key))
    assert np.abs(first - np.asarray(shown.convert("RGB"), dtype=float)).mean() < 8
    loud = ffmpeg("-i", path, "-af", "volumedetect", "-f", "null", "-")
    assert "mean_volume: -91" not in loud


@pytest.mark.ffmpeg
def test_a_clip_at_the_end_is_as_long_as_what_is_left(
    files: tuple[LocalStore, IntakeSpec], studio: Studio, ffprobe: Program, tmp_path: Path
) -> None:
    store, intake = files
    card = {"endCard": {"duration": 2, "text": "The end"}}
    with_card = intake.model_copy(update={"branding": configuration(branding=card).branding})
    spec = preview("clip", with_card, at_s=15, width=64, configuration=configuration(branding=card))
    report = make_preview(spec, store, studio, untold)
    path = tmp_path / "clip.mp4"
    path.write_bytes(store.get_bytes(report.key))
    told = json.loads(ffprobe("-show_streams", "-count_frames", path))["streams"]
    piece = plan_piece(spec, store, studio)
    assert piece.frames > piece.music_frames
    assert int(told[0]["nb_read_frames"]) == piece.frames - 450
    assert len(told) == 2


def test_the_latest_frame_of_a_segment_is_its_last_in_every_codec(
    files: tuple[LocalStore, IntakeSpec], studio: Studio
) -> None:
    store, intake = files
    base = plan_piece(preview("still", intake), store, studio).picture
    cases: list[dict[str, Any]] = [
        {"codec": "h264", "crf": 10},
        {"codec": "h265", "crf": 10, "pixel_format": "yuv420p10le"},
        {"codec": "vp9", "crf": 10},
        {"codec": "vp9", "crf": 10, "pixel_format": "yuva420p"},
        {"codec": "av1", "crf": 10},
        {"codec": "prores_4444", "pixel_format": "yuva444p10le"},
        {"codec": "png", "pixel_format": "rgb24"},
        {"codec": "png", "pixel_format": "rgba"},
    ]
    for number, case in enumerate(cases):
        video = VideoSpec(width=160, height=90, fps=Fraction(30), **case)
        picture: Picture = base.model_copy(update={"video": video})
        key = f"segments/a/{number}.segment"
        chunk = ChunkSpec(
            index=1, frames=FrameRange(60, 66), picture=picture, engine=studio.engine, key=key
        )
        render_chunk(chunk, store, studio, untold)
        spec = preview("latest", None, segment_key=key, key=f"previews/a/{number}")
        report = make_preview(spec, store, studio, untold)
        shown = opened(store.get_bytes(report.key))
        assert (shown.mode, shown.size) == ("RGB", (160, 90))
        drawn = studio.renderer(picture, store).pixels(65)
        rgba = np.frombuffer(drawn, dtype=np.uint8).reshape(90, 160, 4).astype(float)
        expected = rgba[..., :3] * rgba[..., 3:] / 255
        error = np.abs(np.asarray(shown, dtype=float) - expected).mean()
        assert error < 5, f"{case}: {error:.1f}"


def test_what_cannot_be_previewed_is_said(
    files: tuple[LocalStore, IntakeSpec], studio: Studio
) -> None:
    store, intake = files
    sound = ExportConfiguration.model_validate(
        configuration().model_dump() | {"format": {"container": "m4a"}}
    )
    with pytest.raises(CompositionError, match="sound alone"):
        make_preview(preview("still", intake, configuration=sound), store, studio, untold)
    with pytest.raises(CompositionError, match="needs a song"):
        make_preview(preview("sheet", None), store, studio, untold)
    with pytest.raises(CompositionError, match="none is named"):
        make_preview(preview("latest", None), store, studio, untold)
    store.put_bytes("segments/a/broken.segment", b"no video")
    broken = preview("latest", None, segment_key="segments/a/broken.segment")
    with pytest.raises(RenderError, match="cannot be decoded"):
        make_preview(broken, store, studio, untold)
