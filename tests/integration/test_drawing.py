"""Frames: pure functions of composition and time, with everything where it belongs."""

from __future__ import annotations

import hashlib
import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import mido
import moderngl
import numpy as np
import pytest
from numpy.typing import NDArray

import workers.renderer
from shared.colour import to_linear
from shared.composition import (
    BackgroundLayer,
    Colouring,
    Composition,
    Direction,
    GridLayer,
    HitFlashLayer,
    KeyboardLayer,
    Layer,
    PianoRollLayer,
    Stage,
)
from shared.layout import Layout, Rect, lay_out
from shared.plan import Picture, VideoSpec
from shared.styles import STYLES, find_style
from tests.songs import SongFile, a_song
from workers.gl.context import renderer_name
from workers.gl.painter import QuadBrush
from workers.gl.readback import Readback, ShaderReadback, SwscaleReadback
from workers.hearing import Hearing
from workers.midi import NoteTable, Song
from workers.renderer import Renderer, still_on_plate

pytestmark = pytest.mark.gl

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
WIDTH, HEIGHT = 192, 108
BLACK = BackgroundLayer(colour="#000000")
PLAIN = PianoRollLayer(corner_radius=0, gap=0, glow=0, sheen=0)
"""Notes as flat rectangles: every pixel of them has the note's own colour."""
WHITE_NOTES = Colouring(palette=("#ffffff",), black_key_shade=1, velocity_shade=0)
EVERYWHERE = [(style, find_style(style).stage.direction) for style in STYLES] + [
    ("paper", direction) for direction in Direction if direction is not Direction.FALLING
]

Pixels = NDArray[np.uint8]
MakeRenderer = Callable[..., Renderer]


@pytest.fixture
def make_renderer(gl_context: moderngl.Context) -> MakeRenderer:
    """Makes renderers of compositions without assets."""

    def make(composition: Composition, song: Song, **fields: Any) -> Renderer:
        hearing = Hearing.from_notes(song.notes, song.end_s) if composition.listens else None
        picture = make_picture(composition, **fields)
        return Renderer(gl_context, picture, song, Path, hearing=hearing)

    return make


def make_picture(
    composition: Composition,
    *,
    fps: int = 30,
    start_s: Fraction | int = 0,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> Picture:
    video = VideoSpec.model_validate(
        {"width": width, "height": height, "fps": fps, "crf": 18, "max_kbps": 8000}
        | {"profile": "high"}
    )
    return Picture(
        composition=composition, song_key="songs/test", start_s=Fraction(start_s), video=video
    )


def with_stage(composition: Composition, **fields: Any) -> Composition:
    stage = composition.stage.model_copy(update=fields)
    return composition.model_copy(update={"stage": stage})


def composed(*layers: Layer, colouring: Colouring = WHITE_NOTES, **stage: Any) -> Composition:
    return Composition(stage=Stage(**stage), colouring=colouring, layers=(BLACK, *layers))


def layout_of(composition: Composition, *keys: int) -> Layout:
    return lay_out(composition, WIDTH, HEIGHT, min(keys), max(keys))


def image(renderer: Renderer, frame: int) -> Pixels:
    """A frame, uint8 (height, width, 3)."""
    pixels = np.frombuffer(renderer.pixels(frame), dtype=np.uint8)
    return pixels.reshape(HEIGHT, WIDTH, 4)[:, :, :3]


def light_along(layout: Layout, pixels: Pixels, key: int) -> NDArray[np.float64]:
    """Linear light of the green component in the middle of a key's lane, along the time axis."""
    low, high = layout.lane(key)
    middle = int((low + high) / 2)
    line = pixels[:, middle, 1] if layout.vertical else pixels[middle, :, 1]
    return np.array([to_linear(value / 255) for value in line])


def extent(light: NDArray[np.float64]) -> tuple[float, float]:
    """Where something white begins and ends on black, in pixels: half-covered pixels count half."""
    covered = np.flatnonzero(light > 0.02)
    first, last = int(covered[0]), int(covered[-1])
    return first + 1 - float(light[first]), last + float(light[last])


# A frame is a pure function.


def frame_bytes(renderer: Renderer, frames: Iterable[int]) -> list[bytes]:
    """Digests of frames as they are drawn, in the order that is asked for."""
    return [hashlib.sha256(renderer.pixels(frame)).digest() for frame in frames]


@pytest.mark.parametrize(("style", "direction"), EVERYWHERE)
def test_a_frame_is_the_same_in_whatever_order_frames_are_drawn(
    make_renderer: MakeRenderer, style: str, direction: Direction
) -> None:
    composition, song = with_stage(find_style(style), direction=direction), a_song()
    some = [0, 1, 14, 15, 29, 30, 59, 97]
    used = make_renderer(composition, song)
    forwards = frame_bytes(used, some)
    assert len(set(forwards)) == len(some), "every frame of a moving song is another"
    assert frame_bytes(used, reversed(some)) == forwards[::-1]
    for frame in range(100):
        used.draw(frame)
    assert frame_bytes(used, some) == forwards
    for frame, alone in zip(some[3:6], forwards[3:6], strict=True):
        assert frame_bytes(make_renderer(composition, song), [frame]) == [alone]


@pytest.mark.parametrize(("style", "direction"), EVERYWHERE)
def test_a_moment_looks_the_same_at_any_frame_rate(
    make_renderer: MakeRenderer, style: str, direction: Direction
) -> None:
    composition, song = with_stage(find_style(style), direction=direction), a_song()
    slow = frame_bytes(make_renderer(composition, song, fps=30), (0, 7, 15, 31, 60))
    fast = frame_bytes(make_renderer(composition, song, fps=60), (0, 14, 30, 62, 120))
    assert fast == slow


def test_a_video_that_begins_later_shows_the_same_moments_of_the_song(
    make_renderer: MakeRenderer,
) -> None:
    layers = (GridLayer(), PianoRollLayer(), KeyboardLayer(), HitFlashLayer())
    composition, song = composed(*layers), a_song()
    late = frame_bytes(make_renderer(composition, song, start_s=1), (1, 30))
    assert late == frame_bytes(make_renderer(composition, song), (31, 60))


def test_the_encoder_gets_the_same_frames_in_whatever_order(make_renderer: MakeRenderer) -> None:
    composition, song = find_style("aurora"), a_song()
    renderer = make_renderer(composition, song)

    def planes(frames: Iterable[int]) -> list[bytes]:
        return [
            b"".join(bytes(plane) for plane in frame.planes) for frame in renderer.frames(frames)
        ]

    some = [3, 15, 16, 40]
    forwards = planes(some)
    assert len(set(forwards)) == len(some)
    assert planes(reversed(some)) == forwards[::-1]
    assert [planes([frame])[0] for frame in some] == forwards


ELSEWHERE = """
import hashlib, json, sys
from pathlib import Path
from shared.plan import Picture
from workers.gl.context import open_context, renderer_name
from workers.midi import Song
from workers.renderer import Renderer

task = json.load(sys.stdin)
song = Song.from_bytes(Path(task["song"]).read_bytes())
with open_context() as context:
    answer = [renderer_name(context)]
    for picture in task["pictures"]:
        renderer = Renderer(context, Picture.model_validate(picture), song, Path)
        for frame in task["frames"]:
            answer.append(hashlib.sha256(renderer.pixels(frame)).hexdigest())
        del renderer
print(json.dumps(answer))
"""


def test_another_process_draws_the_same_frames(
    gl_context: moderngl.Context, tmp_path: Path
) -> None:
    song, frames = a_song(), (61, 15)
    path = tmp_path / "song.npz"
    path.write_bytes(song.to_bytes())
    pictures = [make_picture(find_style(style)) for style in STYLES]
    task = {
        "song": str(path),
        "pictures": [picture.model_dump(mode="json") for picture in pictures],
        "frames": frames,
    }
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        input=json.dumps(task),
        capture_output=True,
        check=True,
        cwd=ROOT,
        text=True,
    )
    here = [
        hashlib.sha256(Renderer(gl_context, picture, song, Path).pixels(frame)).hexdigest()
        for picture in pictures
        for frame in frames
    ]
    assert json.loads(done.stdout) == [renderer_name(gl_context), *here]


# What stands still is drawn once.


@dataclass(frozen=True)
class Paper:
    """Where a layer would draw."""

    still: Rect | None = None
    moving: Rect | None = None


LEFT, RIGHT, WHOLE = Rect(0, 0, 50, 100), Rect(50, 0, 100, 100), Rect(0, 0, 100, 100)


@pytest.mark.parametrize(
    ("layers", "answers"),
    [
        ([], []),
        ([Paper()], [False]),
        ([Paper(still=WHOLE)], [True]),
        ([Paper(still=WHOLE), Paper(still=LEFT)], [True, True]),
        ([Paper(moving=WHOLE), Paper(still=LEFT)], [False, False]),
        ([Paper(moving=LEFT), Paper(still=RIGHT)], [False, True]),
        ([Paper(moving=LEFT), Paper(still=LEFT)], [False, False]),
        # A layer's own still part lies beneath its own moving part.
        ([Paper(still=LEFT, moving=LEFT)], [True]),
        ([Paper(still=LEFT, moving=LEFT), Paper(still=LEFT)], [True, False]),
        # What had to be drawn each frame is itself in the way of what comes after.
        ([Paper(moving=LEFT), Paper(still=WHOLE), Paper(still=RIGHT)], [False, False, False]),
        ([Paper(still=WHOLE), Paper(moving=LEFT), Paper(still=RIGHT)], [True, False, True]),
    ],
)
def test_still_parts_go_on_the_plate_where_nothing_moves_beneath(
    layers: list[Paper], answers: list[bool]
) -> None:
    assert still_on_plate([(layer.still, layer.moving) for layer in layers]) == answers


@pytest.mark.parametrize(("style", "direction"), EVERYWHERE)
def test_the_plate_changes_no_pixel(
    make_renderer: MakeRenderer,
    monkeypatch: pytest.MonkeyPatch,
    style: str,
    direction: Direction,
) -> None:
    composition = with_stage(find_style(style), direction=direction)
    song, frames = a_song(), (0, 15, 31, 62)
    plated = make_renderer(composition, song)
    assert any(plated._on_plate)
    with_plate = [image(plated, frame) for frame in frames]
    monkeypatch.setattr(
        workers.renderer, "still_on_plate", lambda layers: [False] * len(list(layers))
    )
    plain = make_renderer(composition, song)
    for frame, expected in zip(frames, with_plate, strict=True):
        differing = np.argwhere((image(plain, frame) != expected).any(axis=2))
        assert len(differing) == 0, f"frame {frame}, pixels (y, x) {differing[:4].tolist()} …"


# Things are where, and what colour, they should be.


@pytest.mark.parametrize("key", [60, 61, 64, 66, 71])
def test_a_note_has_the_colour_of_the_palette(make_renderer: MakeRenderer, key: int) -> None:
    palette = ("#ff0000", "#20c040", "#3050f0", "#808080", "#f0e010", "#010203", "#ffffff")
    colouring = Colouring(by="pitch_class", palette=palette, black_key_shade=1, velocity_shade=0)
    composition = composed(PLAIN, colouring=colouring, keys="used", seconds_ahead=2)
    renderer = make_renderer(composition, SongFile().note(1, 2, key, velocity=40).song())
    low, high = layout_of(composition, key).lane(key)
    row, column = HEIGHT // 4, int((low + high) / 2)
    expected = bytes.fromhex(palette[key % 12 % len(palette)][1:])
    np.testing.assert_allclose(image(renderer, 0)[row, column], list(expected), atol=2)


@pytest.mark.parametrize("direction", Direction)
def test_notes_lie_where_the_layout_says(make_renderer: MakeRenderer, direction: Direction) -> None:
    composition = composed(
        PLAIN, direction=direction, keys="used", seconds_ahead=2, seconds_after=1
    )
    layout = layout_of(composition, 60)
    renderer = make_renderer(composition, SongFile().note(1, Fraction(3, 2), 60).song())
    for frame in (0, 10, 30, 37, 45, 60):
        since_s = frame / 30 - 1
        near = layout.hit_px + since_s * layout.travel_px_per_s
        far = layout.hit_px + (since_s - 0.5) * layout.travel_px_per_s
        first, last = extent(light_along(layout, image(renderer, frame), 60))
        # The far end keeps a little distance from the next note.
        assert (first, last) == pytest.approx(sorted((near, far)), abs=1.0)
        if frame == 30:
            assert layout.hit_px == pytest.approx(last if layout.forward else first, abs=1.0)
    low, high = layout.lane(60)
    time_px = round(layout.hit_px - layout.travel_px_per_s / 4)  # in the middle of the note
    pixels = image(renderer, 30)
    across = pixels[time_px, :, 1] if layout.vertical else pixels[:, time_px, 1]
    first, last = extent(np.array([to_linear(value / 255) for value in across]))
    assert (first, last) == pytest.approx((low, high), abs=1.0)


@pytest.mark.parametrize("direction", Direction)
def test_a_struck_note_touches_the_keyboard(
    make_renderer: MakeRenderer, direction: Direction
) -> None:
    keyboard = KeyboardLayer(white_colour="#000000", black_colour="#000000", line_colour="#000000")
    composition = composed(PLAIN, keyboard, direction=direction, keys="used", seconds_ahead=2)
    layout = layout_of(composition, 60)
    renderer = make_renderer(composition, SongFile().note(1, 2, 60).song())
    keys = layout.keyboard
    edge = {
        Direction.FALLING: keys.y0,
        Direction.RISING: keys.y1,
        Direction.LEFT: keys.x1,
        Direction.RIGHT: keys.x0,
    }[direction]
    assert layout.hit_px == edge
    roll = slice(0, int(edge)) if layout.forward else slice(int(edge), None)
    apart = light_along(layout, image(renderer, 29), 60)[roll]
    touching = light_along(layout, image(renderer, 30), 60)[roll]
    nearest = -1 if layout.forward else 0
    assert apart[nearest] < 0.1
    assert touching[nearest] > 0.9


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("fps", [30, 60])
@pytest.mark.parametrize("key", [60, 61])
def test_a_key_is_lit_from_the_frame_of_its_onset_until_its_end(
    make_renderer: MakeRenderer, direction: Direction, fps: int, key: int
) -> None:
    composition = composed(
        KeyboardLayer(light=1), colouring=Colouring(palette=("#00ff00",)), direction=direction
    )
    layout = layout_of(composition, key)
    # The onset falls on a frame, the end between two.
    start_s, end_s = Fraction(2, 5), Fraction(2, 5) + Fraction(17, 96)
    renderer = make_renderer(composition, SongFile().note(start_s, end_s, key).song(), fps=fps)
    low, high = layout.lane(key)
    depth_px = layout.keyboard_px * (0.3 if key == 61 else 0.9)
    along = int(layout.hit_px + (depth_px if layout.forward else -depth_px))
    place = (along, int((low + high) / 2))
    row, column = place if layout.vertical else place[::-1]
    at_rest = image(renderer, 0)[row, column].astype(int)
    lit = image(renderer, round(start_s * fps))[row, column].astype(int)
    assert lit[1] - lit[0] > 60, "green"
    assert abs(at_rest[1] - at_rest[0]) < 20, "grey"
    light = []
    for frame in range(fps):
        pixel = image(renderer, frame)[row, column].astype(int)
        light.append((pixel[1] - pixel[0]) / (lit[1] - lit[0]))
        if Fraction(frame, fps) < start_s:
            assert pixel.tolist() == at_rest.tolist(), "dark until the onset"
        elif Fraction(frame, fps) < end_s:
            assert pixel.tolist() == lit.tolist(), "full light while the note sounds"
        elif Fraction(frame, fps) > end_s + Fraction(1, 4):
            assert pixel.tolist() == at_rest.tolist(), "dark again"
    released = light[(end_s * fps).__ceil__() :]
    assert released == sorted(released, reverse=True), "it only fades once it is released"
    assert released[0] < 1


def test_a_key_stays_lit_while_any_of_its_notes_sounds(make_renderer: MakeRenderer) -> None:
    composition = composed(KeyboardLayer(light=1), colouring=Colouring(palette=("#00ff00",)))
    layout = layout_of(composition, 60)
    # A doubled note: the second part lets go while the first still holds the key.
    song = SongFile().note(0, 2, 60).note(Fraction(1, 2), 1, 60, channel=1, track=1).song()
    renderer = make_renderer(composition, song)
    low, high = layout.lane(60)
    row, column = HEIGHT - 4, int((low + high) / 2)
    shades = {tuple(image(renderer, frame)[row, column].tolist()) for frame in range(60)}
    assert len(shades) == 1


@pytest.mark.parametrize("fps", [24, 30, 60])
def test_a_flash_begins_on_the_first_frame_at_or_after_the_onset(
    make_renderer: MakeRenderer, fps: int
) -> None:
    composition = composed(HitFlashLayer())
    onsets = (Fraction(1, 3), Fraction(7, 16), Fraction(961, 960))
    for onset_s in onsets:
        song = SongFile().note(onset_s, onset_s + 1, 60).song()
        renderer = make_renderer(composition, song, fps=fps)
        first = (onset_s * fps).__ceil__()
        light = [int(image(renderer, frame).sum()) for frame in range(first + 4)]
        assert light[:first] == [0] * first
        assert image(renderer, first).max() > 128
        assert light[first:] == sorted(light[first:], reverse=True), "it only fades"
        assert light[first + 3] < light[first]
        assert not image(renderer, first + 2 * fps).any(), "it is over in the end"


def test_bar_lines_follow_tempo_and_meter(make_renderer: MakeRenderer) -> None:
    grid = GridLayer(
        bar_colour="#ffffff",
        beat_colour="#ffffff00",
        lane_colour="#ffffff00",
        width=1.5,
        bar_numbers=False,
    )
    composition = composed(grid, seconds_ahead=8)
    file = SongFile()
    # 4/4 at 120 for two bars, then 3/4 at 90 for two bars, then 6/8 at 60.
    beat = 480
    file.message(8 * beat, mido.MetaMessage("time_signature", numerator=3, denominator=4))
    file.message(8 * beat, mido.MetaMessage("set_tempo", tempo=666_667))
    file.message(14 * beat, mido.MetaMessage("time_signature", numerator=6, denominator=8))
    file.message(14 * beat, mido.MetaMessage("set_tempo", tempo=1_000_000))
    file.message(30 * beat, mido.Message("note_on", note=60, velocity=9))
    file.message(31 * beat, mido.Message("note_off", note=60))
    bars_s = [0, 2, 4, 6.000003, 8.000002 + 2e-6, 11.000004, 14.000004]
    bars_s[4:] = [4 + 6 * 0.666667, 4 + 6 * 0.666667 + 3, 4 + 6 * 0.666667 + 6]
    bars_s[3] = 4 + 3 * 0.666667
    renderer = make_renderer(composition, file.song())
    layout = layout_of(composition, 60)
    for frame in (0, 15, 100, 200):
        light = np.array(
            [to_linear(value / 255) for value in image(renderer, frame)[:, WIDTH // 2, 1]]
        )
        at = [layout.hit_px - (bar_s - frame / 30) * layout.travel_px_per_s for bar_s in bars_s]
        seen = [y for y in at if 2 < y < HEIGHT - 2]
        assert len(seen) >= 3
        found = [
            float(np.average(np.array(run) + 0.5, weights=light[run]))
            for run in runs(np.flatnonzero(light > 0.01))
            if run[0] > 2 and run[-1] < HEIGHT - 3
        ]
        assert found == pytest.approx(sorted(seen), abs=1.0)


def runs(places: NDArray[np.intp]) -> list[list[int]]:
    """Neighbouring numbers together."""
    groups = itertools.groupby(enumerate(places.tolist()), key=lambda pair: pair[1] - pair[0])
    return [[place for _, place in group] for _, group in groups]


# Long songs and large ones.


def test_ten_hours_into_a_song_everything_is_as_exact_as_at_its_start(
    make_renderer: MakeRenderer,
) -> None:
    composition = find_style("aurora")
    # Eddies of the air drift with the time of the song: after ten hours they are others.
    layers = [
        layer.model_copy(update={"turbulence": 0.0} if layer.type == "particles" else {})
        for layer in composition.layers
        if layer.type not in ("grid", "title")
    ]
    composition = composition.model_copy(update={"layers": tuple(layers)})
    hours_s = 10 * 3600

    def notes(at: int) -> Song:
        file = SongFile().note(at + 1, at + 2, 64)
        return file.note(at + Fraction(5, 4), at + Fraction(21, 16), 70, velocity=64).song()

    early = make_renderer(composition, notes(0), fps=60)
    late = make_renderer(composition, notes(hours_s), fps=60, start_s=hours_s)
    for frame in (0, 15, 45, 60, 75, 90):  # quarters of seconds are exact in binary
        assert late.pixels(frame) == early.pixels(frame)
    for frame in (1, 61, 77):
        difference = np.abs(image(late, frame).astype(int) - image(early, frame))
        assert difference.max() <= 1


def test_of_a_million_notes_only_the_visible_are_drawn(
    make_renderer: MakeRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    draw = QuadBrush.draw

    def spy(brush: QuadBrush, instances: NDArray[np.float32], **options: Any) -> None:
        drawn.append(len(instances))
        draw(brush, instances, **options)

    monkeypatch.setattr(QuadBrush, "draw", spy)
    count = 1_000_000
    start_s = np.arange(count) / 64.0  # 64 notes a second
    number = np.arange(count)
    notes = NoteTable(
        start_s=start_s,
        end_s=start_s + np.where(number % 1000 == 0, 2.0, 0.125),
        key=(21 + number % 88).astype(np.uint8),
        velocity=np.full(count, 90, dtype=np.uint8),
        channel=np.zeros(count, dtype=np.uint8),
        track=np.zeros(count, dtype=np.uint16),
    )
    base = SongFile().note(0, 1, 60).song()
    huge = replace(base, notes=notes, end_s=float(notes.end_s[-1]))
    composition = composed(PianoRollLayer(), KeyboardLayer(), HitFlashLayer(), seconds_ahead=2)
    middle_s = 8000
    renderer = make_renderer(composition, huge, start_s=middle_s)
    drawn.clear()
    pixels = renderer.pixels(0)
    assert 2 * 64 <= max(drawn) <= 4 * 64
    few = notes.select(notes.visible(middle_s - 10, middle_s + 10))
    small = replace(base, notes=few, end_s=float(few.end_s.max()))
    assert make_renderer(composition, small, start_s=middle_s).pixels(0) == pixels


# The way into memory.


def readbacks(renderer: Renderer) -> list[Readback]:
    target = renderer._target
    return [ShaderReadback(renderer._paintbox, target), SwscaleReadback(target)]


def yuv(frame: av.VideoFrame) -> list[NDArray[np.int64]]:
    """Copies of the three planes."""
    planes = []
    for index, plane in enumerate(frame.planes):
        width, height = (WIDTH, HEIGHT) if index == 0 else (WIDTH // 2, HEIGHT // 2)
        rows = np.frombuffer(bytes(plane), dtype=np.uint8).reshape(-1, plane.line_size)
        planes.append(rows[:height, :width].astype(np.int64))
    return planes


def bt709(colour: str) -> tuple[float, float, float]:
    """Luma and chroma of a colour in 8-bit limited range, after ITU-R BT.709-6, 3.2 to 3.4."""
    red, green, blue = (Fraction(value, 255) for value in bytes.fromhex(colour[1:]))
    kr, kb = Fraction(2126, 10000), Fraction(722, 10000)
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    cb, cr = (blue - luma) / (2 * (1 - kb)), (red - luma) / (2 * (1 - kr))
    return float(16 + 219 * luma), float(128 + 224 * cb), float(128 + 224 * cr)


def test_the_numbers_of_the_standard() -> None:
    assert [round(value) for value in bt709("#ff0000")] == [63, 102, 240]
    assert [round(value) for value in bt709("#ffffff")] == [235, 128, 128]
    assert [round(value) for value in bt709("#000000")] == [16, 128, 128]


@pytest.mark.parametrize(
    "colour",
    ["#ff0000", "#00ff00", "#0000ff", "#ffffff", "#000000", "#808080", "#38bdf8", "#102030"],
)
def test_flat_colours_become_the_numbers_of_bt709(make_renderer: MakeRenderer, colour: str) -> None:
    composition = Composition(layers=(BackgroundLayer(colour=colour),))
    renderer = make_renderer(composition, SongFile().note(0, 1, 60).song())
    for readback in readbacks(renderer):
        [planes] = [yuv(frame) for frame in readback.stream([0], renderer.draw)]
        for plane, expected in zip(planes, bt709(colour), strict=True):
            assert np.abs(plane - expected).max() <= 2, type(readback).__name__
            assert np.median(plane) == pytest.approx(expected, abs=1.01)


@pytest.mark.parametrize("style", STYLES)
def test_both_ways_into_memory_agree(make_renderer: MakeRenderer, style: str) -> None:
    renderer = make_renderer(find_style(style), a_song())
    frames = [0, 15, 16, 31, 62]
    for readback in readbacks(renderer):
        found = [yuv(frame) for frame in readback.stream(frames, renderer.draw)]
        assert len(found) == len(frames)
        for frame, planes in zip(frames, found, strict=True):
            luma, *chroma = exact_planes(image(renderer, frame))
            assert np.abs(planes[0] - luma).max() <= 1
            for plane, exact in zip(planes[1:], chroma, strict=True):
                # libswscale filters over a few pixels more, so it may be anything between the
                # neighbours and a little beyond; where nothing changes, that leaves no room.
                around = np.pad(exact, 2, mode="edge")
                near = np.lib.stride_tricks.sliding_window_view(around, (5, 5))
                low, high = near.min(axis=(2, 3)), near.max(axis=(2, 3))
                room = 1.5 + 0.2 * (high - low)
                assert ((low - room <= plane) & (plane <= high + room)).all()
                off = np.abs(plane - exact)
                assert off.mean() < 1.5 + 0.03 * (high - low).mean()
                if isinstance(readback, ShaderReadback):
                    assert off.max() <= 1
    # What comes late still belongs to its own frame.
    late = readbacks(renderer)[0]
    [alone] = [yuv(frame) for frame in late.stream([31], renderer.draw)]
    [*_, among, _] = [yuv(frame) for frame in late.stream(frames, renderer.draw)]
    assert all(np.array_equal(one, other) for one, other in zip(alone, among, strict=True))


def exact_planes(pixels: Pixels) -> list[NDArray[np.float64]]:
    """The three planes as the standard has them, chroma as means of 2x2 pixels."""
    red, green, blue = np.moveaxis(pixels / 255, 2, 0)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    cb, cr = (blue - luma) / (2 * (1 - 0.0722)), (red - luma) / (2 * (1 - 0.2126))
    halves = (plane.reshape(HEIGHT // 2, 2, WIDTH // 2, 2).mean(axis=(1, 3)) for plane in (cb, cr))
    return [16 + 219 * luma, *(128 + 224 * half for half in halves)]
