"""Roll, keyboard and grid: shapes, names, light and marks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import mido
import moderngl
import numpy as np
import pytest
from numpy.typing import NDArray

import workers.layers.piano_roll as piano_roll
from shared.composition import (
    BackgroundLayer,
    Colouring,
    Composition,
    Direction,
    GridLayer,
    KeyboardLayer,
    Layer,
    PianoRollLayer,
    Stage,
)
from shared.keyboard import is_black
from shared.layout import Layout, lay_out
from shared.plan import Picture, VideoSpec
from tests.songs import SongFile
from workers.layers.hidden import WHOLE
from workers.lettering.key_names import SMALLEST_PX, inks, name_of
from workers.midi import NoteTable, Song
from workers.renderer import Renderer

pytestmark = pytest.mark.gl

WIDTH, HEIGHT = 192, 108
SHAPES = ("bar", "gem", "comet", "bead")
WHITE = Colouring(palette=("#ffffff",), black_key_shade=1, velocity_shade=0)

Pixels = NDArray[np.int64]
Draw = Callable[..., Pixels]


def composed(*layers: Layer, colouring: Colouring = WHITE, **stage: Any) -> Composition:
    stage = {"keys": "used", "seconds_ahead": 2} | stage
    background = BackgroundLayer(colour="#000000")
    return Composition(stage=Stage(**stage), colouring=colouring, layers=(background, *layers))


@pytest.fixture
def renderer(gl_context: moderngl.Context) -> Callable[..., Renderer]:
    def make(composition: Composition, song: Song, fps: int = 30, scale: int = 1) -> Renderer:
        size = {"width": WIDTH * scale, "height": HEIGHT * scale, "fps": fps}
        video = VideoSpec.model_validate(size | {"crf": 18, "max_kbps": 8000, "profile": "high"})
        picture = Picture(
            composition=composition, song_key="songs/test", start_s=Fraction(0), video=video
        )
        return Renderer(gl_context, picture, song, Path)

    return make


def frame(made: Renderer, number: int) -> Pixels:
    """A frame, (height, width, 3)."""
    scene = made._scene.layout
    pixels = np.frombuffer(made.pixels(number), dtype=np.uint8).astype(np.int64)
    return pixels.reshape(scene.height, scene.width, 4)[:, :, :3]


def layout_of(composition: Composition, *keys: int, scale: int = 1) -> Layout:
    return lay_out(composition, WIDTH * scale, HEIGHT * scale, min(keys), max(keys))


def along(layout: Layout, pixels: Pixels) -> Pixels:
    """The frame with the time axis first, from where notes come from to where they go."""
    turned = pixels if layout.vertical else pixels.transpose(1, 0, 2)
    return turned if layout.forward else turned[::-1]


def a_song() -> Song:
    file = SongFile()
    for step in range(12):
        at = Fraction(step, 4)
        file.note(at, at + Fraction(1, 8 if step % 3 else 2), 60 + step, velocity=20 + 9 * step)
    file.note(0, 3, 48, channel=1, track=1)
    for tick, value in ((240, 127), (960, 0)):
        file.message(tick, mido.Message("control_change", control=64, value=value))
    return file.song()


EVERYTHING = (
    GridLayer(opacity=0.7),
    PianoRollLayer(labels="octaves", velocity_size=0.5, opacity=0.9, glow=4),
    KeyboardLayer(labels="all", pedal_light=True, spill=1, pressed_white="#00ff88"),
)


@pytest.mark.parametrize(
    ("direction", "curve_deg"), list(zip(Direction, (0, 60, -50, 0), strict=True))
)
def test_frames_are_the_same_alone_in_any_order_and_at_any_rate(
    renderer: Callable[..., Renderer], direction: Direction, curve_deg: float
) -> None:
    shape = SHAPES[list(Direction).index(direction)]
    roll = EVERYTHING[1].model_copy(update={"shape": shape})
    composition = composed(
        EVERYTHING[0], roll, EVERYTHING[2], direction=direction, curve_deg=curve_deg
    )
    made = renderer(composition, a_song())
    frames = [made.pixels(number) for number in (0, 17, 40)]
    assert made.pixels(17) == frames[1]
    assert renderer(composition, a_song()).pixels(40) == frames[2]
    assert renderer(composition, a_song(), fps=60).pixels(34) == frames[1]
    assert len(set(frames)) == 3


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_fills_the_place_of_its_note(
    renderer: Callable[..., Renderer], shape: Any, direction: Direction
) -> None:
    roll = PianoRollLayer(shape=shape, gap=0, glow=0, sheen=0)
    composition = composed(roll, direction=direction)
    layout = layout_of(composition, 60)
    made = renderer(composition, SongFile().note(1, Fraction(3, 2), 60).song())
    light = along(layout, frame(made, 0)).max(axis=2) > 40
    rows, columns = np.flatnonzero(light.any(axis=1)), np.flatnonzero(light.any(axis=0))
    extent = layout.time_extent
    assert (rows[0], rows[-1] + 1) == pytest.approx((extent * 0.25, extent * 0.5), abs=2)
    low, high = layout.lane(60)
    assert (columns[0], columns[-1] + 1) == pytest.approx((low, high), abs=1.6)
    # What is struck leads, and is at least as wide as what follows.
    widths = light.sum(axis=1)
    assert widths[rows[-1] - 3] >= widths[rows[0] + 3]
    if shape in ("comet", "bead"):
        assert widths[rows[-1] - 3] > 1.5 * widths[rows[0] + 3]


@pytest.mark.parametrize("shape", ["comet", "bead"])
def test_a_head_waits_on_the_line_while_its_note_sounds(
    renderer: Callable[..., Renderer], shape: Any
) -> None:
    roll = PianoRollLayer(shape=shape, glow=0)
    song = SongFile().note(0, 2, 60).song()
    for after_s, waits in ((0.0, True), (1.0, False)):
        composition = composed(roll, seconds_after=after_s)
        layout = layout_of(composition, 60)
        light = frame(renderer(composition, song), 30).max(axis=2)
        above = light[int(layout.hit_px) - 4 : int(layout.hit_px)]
        wide = layout.lane(60)[1] - layout.lane(60)[0]
        assert ((above > 40).sum(axis=1).max() > 0.7 * wide) == waits


def test_notes_keep_their_width_on_their_way_to_a_hill(
    renderer: Callable[..., Renderer],
) -> None:
    roll = PianoRollLayer(gap=0, glow=0, sheen=0, corner_radius=0)
    song = SongFile().note(0, Fraction(3, 8), 66).song()
    made = renderer(composed(roll, curve_deg=-360.0), song)
    layout = made._scene.layout
    low, high = layout.lane(66)
    long_px = 3 / 8 * layout.travel_px_per_s
    # All of it is in the frame, and it takes as many pixels as one on a straight stage.
    x, y = layout.bent((low + high) / 2, layout.hit_px - long_px)
    assert 0 < x < WIDTH
    assert 0 < y < HEIGHT
    seen = (frame(made, 0).max(axis=2) > 100).sum()
    assert seen == pytest.approx((high - low) * long_px, rel=0.2)


def test_the_light_of_a_flat_head_does_not_reach_beyond_its_halo(
    renderer: Callable[..., Renderer],
) -> None:
    roll = PianoRollLayer(shape="comet", gap=0.6, glow=4, glow_radius=10)
    made = renderer(composed(roll), SongFile().note(0, Fraction(1, 2), 66).song())
    layout = made._scene.layout
    # Almost over: what is left of it is a pixel or two high.
    row = frame(made, 14)[round(layout.hit_px) - 1].max(axis=1)
    low, high = layout.lane(66)
    lit = np.flatnonzero(row > 0)
    half = 0.4 * (high - low) / 2
    assert lit.size > 2 * half
    # It fades out on its way: at the edge of its rectangle nothing is left to be cut off.
    assert row[[lit[0], lit[-1]]].max() < 0.25 * row.max()


def test_opacity_lets_what_is_behind_shine_through(renderer: Callable[..., Renderer]) -> None:
    song = SongFile().note(1, 2, 60).song()
    roll = PianoRollLayer(corner_radius=0, glow=0, sheen=0)
    layout = layout_of(composed(roll), 60)
    place = HEIGHT // 4, int(sum(layout.lane(60)) / 2)
    shades = [
        int(frame(renderer(composed(roll.model_copy(update={"opacity": part})), song), 0)[place][1])
        for part in (0.0, 0.25, 1.0)
    ]
    # A quarter of the light of white is sRGB 137.
    assert shades == pytest.approx([0, 137, 255], abs=2)


def test_soft_notes_are_narrower(renderer: Callable[..., Renderer]) -> None:
    song = SongFile().note(1, 2, 60, velocity=1).note(1, 2, 64, velocity=127).song()
    roll = PianoRollLayer(corner_radius=0, gap=0, glow=0, sheen=0, velocity_size=0.5)
    composition = composed(roll)
    layout = layout_of(composition, 60, 64)
    row = frame(renderer(composition, song), 0)[HEIGHT // 4, :, 1] / 255
    widths = []
    for key in (60, 64):
        low, high = layout.lane(key)
        lit = row[int(low) : int(high) + 1]
        middle = int(low) + float((np.arange(len(lit)) * lit).sum() / lit.sum()) + 0.5
        assert middle == pytest.approx((low + high) / 2, abs=0.6)
        widths.append((lit > 0.4).sum() / (high - low))
    assert widths == pytest.approx([0.5, 1.0], abs=0.17)


@pytest.mark.parametrize("direction", Direction)
def test_names_are_written_where_there_is_room(
    renderer: Callable[..., Renderer], direction: Direction
) -> None:
    roll = PianoRollLayer(corner_radius=0, gap=0, glow=0, sheen=0)
    named = roll.model_copy(update={"labels": "letters"})
    song = SongFile().note(1, Fraction(3, 2), 60).note(1, Fraction(65, 64), 64).song()
    layout = layout_of(composed(roll, direction=direction), 60, 64, scale=4)
    plain, written = (
        along(layout, frame(renderer(composed(one, direction=direction), song, scale=4), 0))
        for one in (roll, named)
    )
    changed = (plain != written).any(axis=2)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    low, high = layout.lane(60)
    assert low < columns[0] < columns[-1] < high, "on the long note alone, inside of its lane"
    begin = layout.time_extent * 0.5
    assert begin - 1.2 * (high - low) < rows[0]
    assert rows[-1] < begin
    assert len(rows) > SMALLEST_PX / 2
    # White notes bear dark names.
    assert written[changed].min() < 80
    tiny = composed(named, direction=direction), composed(roll, direction=direction)
    assert renderer(tiny[0], song).pixels(0) == renderer(tiny[1], song).pixels(0)


def test_ink_can_be_read() -> None:
    white = (1.0, 1.0, 1.0, 1.0)
    grounds = np.array([[0, 0, 0.3], [1, 1, 1], [0.9, 0.8, 0.1]], dtype=np.float32)
    assert (inks(grounds, white)[:, 0] > 0.5).tolist() == [True, False, False]
    assert inks(grounds, (0.0, 0.0, 0.0, 1.0))[1].tolist() == [0, 0, 0, 1]


def test_how_keys_are_called() -> None:
    assert [name_of(61, "letters"), name_of(60, "octaves")] == ["C♯", "C4"]
    assert [name_of(66, "solfege"), name_of(71, "german")] == ["fa♯", "H"]
    # An octave begins with the letter C, whatever its accidental.
    flats, sharps = (-8, 5)
    assert [name_of(key, "octaves", flats) for key in (58, 59, 60)] == ["B♭3", "C♭4", "C4"]
    assert [name_of(key, "octaves", sharps) for key in (59, 60, 61)] == ["B3", "B♯3", "C♯4"]


def test_white_keys_are_called_alike_in_every_key(renderer: Callable[..., Renderer]) -> None:
    drawn = []
    for scale in ((60, 62, 64, 65, 67, 69, 71), (59, 61, 63, 64, 66, 68, 70)):
        song = SongFile()
        for place, key in enumerate((*scale, 59, 71)):  # the last two are struck in both
            song.note(9 + place, 10 + place, key)
        named = KeyboardLayer(labels="white", label_names="letters", length=12)
        made = renderer(composed(named), song.song(), scale=5)
        drawn.append(frame(made, 0))
    assert (drawn[0] == drawn[1]).all()


@pytest.mark.parametrize("shape", ["bar", "gem"])
def test_what_is_hidden_makes_no_difference(
    renderer: Callable[..., Renderer], monkeypatch: pytest.MonkeyPatch, shape: Any
) -> None:
    random = np.random.default_rng(7)
    count = 200_000
    start_s = np.sort(random.uniform(0, 100, count))
    notes = NoteTable.build(
        start_s=start_s,
        end_s=start_s + 0.01 + random.exponential(0.3, count),
        key=random.integers(50, 80, count).astype(np.uint8),
        velocity=random.integers(1, 128, count).astype(np.uint8),
        channel=np.zeros(count, dtype=np.uint8),
        track=random.integers(0, 20, count).astype(np.uint16),
    )
    song = replace(SongFile().note(0, 1, 60).song(), notes=notes, end_s=100.0, duration_s=100.0)
    colouring = Colouring(black_key_shade=1)
    # Notes whose edges fall between pixels shine through each other there; these do not.
    roll = PianoRollLayer(shape=shape, glow=0, gap=0)
    made = renderer(composed(roll, colouring=colouring), song, scale=3)
    lanes = np.round(made._scene.lanes)
    object.__setattr__(made._scene, "lanes", lanes.astype(np.float32))
    less = frame(made, 1500)
    monkeypatch.setattr(piano_roll, "seen_lengths", lambda key, *_: np.full(len(key), WHOLE))
    everything = frame(made, 1500)
    assert np.abs(less - everything).max() <= 1
    assert (everything > 0).mean() > 0.5


def test_pressed_keys_have_their_own_colours_and_shine_on_others(
    renderer: Callable[..., Renderer],
) -> None:
    song = SongFile().note(1, 2, 60).note(1, 2, 66).song()
    keyboard = KeyboardLayer(pressed_white="#ff0000", pressed_black="#0000ff", light=1, spill=0.0)
    layout = layout_of(composed(keyboard), 60, 66)

    def at(pixels: Pixels, key: int, depth: float) -> Pixels:
        row = int(layout.hit_px + depth * layout.keyboard_px)
        return pixels[row, int(sum(layout.lane(key)) / 2)]

    made = renderer(composed(keyboard), song)
    rest, lit = frame(made, 0), frame(made, 45)
    red, blue = at(lit, 60, 0.85), at(lit, 66, 0.4)
    assert red[0] > 200 > 60 > red[1]
    assert blue[2] > 120 > 60 > blue[0]
    for key in (59, 62):
        np.testing.assert_array_equal(at(lit, key, 0.85), at(rest, key, 0.85))
    spilling = composed(keyboard.model_copy(update={"spill": 1.0}))
    made = renderer(spilling, song)
    spilt, dark = frame(made, 45), frame(made, 0)
    np.testing.assert_array_equal(dark, rest)
    for key in (59, 62):
        before, after = at(rest, key, 0.8), at(spilt, key, 0.8)
        assert after[0] - after[2] > before[0] - before[2] + 15, "reddish"
    np.testing.assert_array_equal(at(spilt, 76, 0.8), at(rest, 76, 0.8))


@pytest.mark.parametrize("direction", [Direction.FALLING, Direction.LEFT])
@pytest.mark.parametrize("labels", ["octaves", "white", "all"])
def test_keys_bear_their_names(
    renderer: Callable[..., Renderer], labels: Any, direction: Direction
) -> None:
    song = SongFile().note(1, 2, 60).song()
    bare, named = (
        KeyboardLayer(labels=which, label_names="letters", length=12) for which in ("none", labels)
    )
    composition = composed(bare, direction=direction)
    layout = layout_of(composition, 60, scale=5)
    changed = (
        frame(renderer(composition, song, scale=5), 0)
        != frame(renderer(composed(named, direction=direction), song, scale=5), 0)
    ).any(axis=(2, 0 if layout.vertical else 1))
    borne = []
    for key in range(layout.keys.low, layout.keys.high + 1):
        low, high = layout.lane(key)
        middle = int((low + high) / 2)
        if changed[middle - 1 : middle + 2].any():
            borne.append(key)
    shown = range(layout.keys.low, layout.keys.high + 1)
    whites = [key for key in shown if not is_black(key)]
    octaves = [key for key in whites if key % 12 == 0]
    if labels == "octaves":
        assert borne == octaves
    elif labels == "white":
        assert set(whites) <= set(borne)
    else:
        assert borne == list(shown)


def test_the_lamp_follows_the_pedal(renderer: Callable[..., Renderer]) -> None:
    song = a_song()  # down from 1/4 s to 1 s
    keyboard = KeyboardLayer(pedal_light=True, pedal_colour="#00ff00", spill=0, light=0)
    composition = composed(keyboard)
    layout = layout_of(composition, 48, 71)
    made = renderer(composition, song)
    corner = np.s_[int(layout.hit_px) : int(layout.hit_px) + 6, 0:18, 1]
    green = [
        int((pixels[..., 1] - pixels[..., 0])[corner[:2]].max())
        for pixels in (frame(made, number) for number in (0, 7, 8, 9, 12, 30, 33))
    ]
    assert green[0] == green[1] < 100
    assert green[1] < green[3] < green[4], "it takes a moment to go on"
    assert green[6] == green[0]


def test_the_grid_fades(renderer: Callable[..., Renderer]) -> None:
    song = SongFile().note(1, 2, 60).song()
    bright, dim, gone = (
        frame(renderer(composed(GridLayer(bar_colour="#ffffff", opacity=part)), song), 3)
        for part in (1.0, 0.3, 0.0)
    )
    assert bright.max() > dim.max() > 20
    assert gone.max() == 0


@pytest.mark.parametrize("shape", SHAPES)
def test_extremes_are_drawn(renderer: Callable[..., Renderer], shape: Any) -> None:
    roll = PianoRollLayer(
        shape=shape,
        corner_radius=0.5,
        gap=0.8,
        glow=4,
        glow_radius=0,
        outline=True,
        velocity_size=1,
        labels="german",
    )
    keyboard = KeyboardLayer(length=0.6, spill=1, labels="all", pedal_light=True)
    layers = (GridLayer(width=5), roll, keyboard)
    for song in (a_song(), SongFile().song()):
        made = renderer(composed(*layers, curve_deg=-180, seconds_after=1), song)
        for _ in made.frames([0, 10, 40]):
            pass


def test_a_grid_of_absurd_tempi_does_not_fill_the_roll(renderer: Callable[..., Renderer]) -> None:
    def grey(bpm: int) -> float:
        file = SongFile().note(0, Fraction(1, 2), 60)
        file.message(0, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm)))
        grid = GridLayer(bar_colour="#ffffff", beat_colour="#ffffff", lane_colour="#00000000")
        made = renderer(composed(grid), file.song())
        return float(np.mean([frame(made, number).mean() for number in (0, 1, 2)]))

    assert grey(60_000) < 0.5 * grey(240)
    assert 0 < grey(60) < grey(240)
