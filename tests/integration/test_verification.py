"""What is not as planned is never handed over, whatever the format."""

from __future__ import annotations

import itertools
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from shared.errors import OversizeError, RenderError, VerificationError
from shared.keys import poster_key
from shared.plan import StitchSpec
from shared.timebase import FrameRange
from tests.matrix import CELLS, FRAMES, STARTS, Cell, Matrix, pictures, video_of
from workers.encode import encode_segment, segment_frames
from workers.probe import check_export
from workers.stitch import stitch


def cell_of(name: str) -> Cell:
    return next(cell for cell in CELLS if cell.name == name)


ONE_OF_EACH = [
    cell_of(name)
    for name in (
        "mp4-h264-yuv420p-aac",
        "mp4-av1-yuv420p-mp3",
        "mov-h265-yuv420p-aac",
        "mov-prores_4444-yuva444p10le-aac",
        "webm-vp9-yuv420p-opus",
        "webm-vp9-yuva420p-opus",
        "gif-gif-pal8",
        "zip-png-rgba",
        "m4a-aac",
        "mp3-mp3",
        "ogg-opus",
    )
]
each = pytest.mark.parametrize("cell", ONE_OF_EACH, ids=lambda cell: cell.name)


def problems(path: Path, spec: StitchSpec, **other: Any) -> list[str]:
    """What is wrong with a file, held against a plan or another one."""
    plan: dict[str, Any] = {
        "video": spec.video,
        "frames": spec.frames,
        "audio": spec.audio,
        "container": spec.container,
        "gif_loop": spec.gif_loop,
        "segments": len(spec.segment_keys),
    }
    return check_export(path, **plan | other)


@each
def test_a_good_file_fulfils_its_own_plan_alone(matrix: Matrix, cell: Cell) -> None:
    made = matrix.made(cell)
    spec = made.spec
    assert problems(made.path, spec) == []
    others: list[dict[str, Any]] = []
    if spec.video is not None:
        others += [{"frames": FRAMES - 1}, {"frames": FRAMES + 1}]
        for change in ({"width": 158}, {"height": 92}):
            others.append({"video": spec.video.model_copy(update=change)})
        if spec.container != "zip":
            slower = spec.video.model_copy(update={"fps": spec.video.fps * Fraction(99, 100)})
            others.append({"video": slower})
    if spec.container == "gif":
        others += [{"gif_loop": 0}, {"gif_loop": -1}]
    elif spec.container == "zip":
        plain = spec.video and spec.video.model_copy(update={"pixel_format": "rgb24"})
        others.append({"video": plain})
    elif spec.video is not None:
        codec = "av1" if spec.video.codec == "h264" else "h264"
        changed = {"codec": codec, "pixel_format": "yuv420p", "profile": None}
        others.append({"video": spec.video.model_copy(update=changed)})
        others += [{"segments": FRAMES + 1}, {"audio": None}]
    if spec.audio is not None:
        for change in (
            {"samples": spec.audio.samples - 3000},
            {"samples": spec.audio.samples + 3000},
            {"channels": 1},
            {"sample_rate": 32000},
            {"codec": "aac" if spec.audio.codec == "opus" else "opus"},
        ):
            others.append({"audio": spec.audio.model_copy(update=change)})
    for other in others:
        assert problems(made.path, spec, **other), other


@each
@pytest.mark.parametrize("part", [0.0, 0.1, 0.6, 0.97])
def test_a_truncated_file_is_found(matrix: Matrix, tmp_path: Path, cell: Cell, part: float) -> None:
    made = matrix.made(cell)
    data = made.path.read_bytes()
    path = tmp_path / made.path.name
    path.write_bytes(data[: int(len(data) * part)])
    assert problems(path, made.spec)


def test_alpha_that_was_lost_is_found(matrix: Matrix) -> None:
    plain, seen_through = cell_of("webm-vp9-yuv420p-opus"), cell_of("webm-vp9-yuva420p-opus")
    video = video_of(seen_through).model_copy(update={"fps": plain.fps})
    made = matrix.made(plain)
    assert problems(made.path, made.spec, video=video) == [
        "it does not say that it has an alpha channel",
        f"0 of its {FRAMES} frames have an alpha channel",
    ]


def test_a_sequence_with_an_image_in_anothers_place_is_found(
    matrix: Matrix, tmp_path: Path
) -> None:
    made = matrix.made(cell_of("zip-png-rgba"))
    path = tmp_path / "mixed.zip"
    with zipfile.ZipFile(made.path) as images, zipfile.ZipFile(path, "w") as mixed:
        first, second, *others = images.namelist()
        for name in (second, first, *others):
            mixed.writestr(name, images.read(name))
    assert problems(path, made.spec) == ["frame_000001.png is in the place of frame_000000.png"]


@each
def test_a_file_that_is_too_large_is_not_handed_over(matrix: Matrix, cell: Cell) -> None:
    made = matrix.made(cell)
    key = f"exports/too-large.{cell.container}"
    size = made.report.size_bytes
    fits = made.spec.model_copy(update={"max_bytes": size, "key": f"exports/fits.{cell.container}"})
    assert stitch(fits, matrix.store).size_bytes == size
    spec = made.spec.model_copy(update={"max_bytes": size - 1, "key": key})
    with pytest.raises(OversizeError, match="it is not handed over") as caught:
        stitch(spec, matrix.store)
    assert caught.value.facts == {"size_bytes": size, "max_bytes": size - 1}
    assert not matrix.store.exists(key)
    assert not matrix.store.exists(poster_key(key))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        *itertools.product(
            ["gif-gif-pal8", "zip-png-rgba", "webm-vp9-yuva420p-opus"], ["one less", "one twice"]
        ),
        # Of the others only the key says which frames they show.
        ("zip-png-rgba", "another order"),
    ],
)
def test_segments_other_than_planned_are_refused(matrix: Matrix, name: str, change: str) -> None:
    spec = matrix.spec(cell_of(name))
    first, second, third, *others = spec.segment_keys
    keys = {
        "one less": (first, third, *others),
        "another order": (first, third, second, *others),
        "one twice": (first, first, second, third, *others),
    }[change]
    key = f"exports/wrong.{spec.container}"
    with pytest.raises(RenderError):
        stitch(spec.model_copy(update={"segment_keys": keys, "key": key}), matrix.store)
    assert not matrix.store.exists(key)


def test_segments_of_another_palette_are_refused(matrix: Matrix) -> None:
    cell = cell_of("gif-gif-pal8")
    spec, video = matrix.spec(cell), video_of(cell)
    assert video.palette is not None
    other = video.model_copy(update={"palette": video.palette[:-8] + "563412ff"})
    span = FrameRange(STARTS[1], STARTS[2])
    foreign = encode_segment(pictures(segment_frames(other, span), other), other, span)
    matrix.store.put_bytes("segments/foreign.segment", foreign)
    keys = (spec.segment_keys[0], "segments/foreign.segment", *spec.segment_keys[2:])
    with pytest.raises(RenderError, match="has another palette"):
        stitch(spec.model_copy(update={"segment_keys": keys}), matrix.store)


@pytest.mark.parametrize("name", ["gif-gif-pal8", "zip-png-rgba", "mp4-h265-yuv420p-aac"])
@pytest.mark.parametrize("data", [b"", b"GIF89a", b"no segment at all"])
def test_a_segment_that_is_none_is_refused(matrix: Matrix, name: str, data: bytes) -> None:
    spec = matrix.spec(cell_of(name))
    matrix.store.put_bytes("segments/none.segment", data)
    keys = (*spec.segment_keys[:-1], "segments/none.segment")
    key = f"exports/none.{spec.container}"
    with pytest.raises(RenderError) as caught:
        stitch(spec.model_copy(update={"segment_keys": keys, "key": key}), matrix.store)
    assert not isinstance(caught.value, VerificationError)
    assert not matrix.store.exists(key)
