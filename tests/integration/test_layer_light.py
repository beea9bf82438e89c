"""Flashes, waves, beams, trails and particles: where they are, and that they are pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import pytest
from numpy.typing import NDArray

from shared.composition import (
    BackgroundLayer,
    BeamLayer,
    Colouring,
    Composition,
    Direction,
    Finish,
    HitFlashLayer,
    Layer,
    ParticlesLayer,
    ShockwaveLayer,
    Stage,
    TrailLayer,
)
from shared.layout import Layout, lay_out
from shared.plan import Picture, VideoSpec
from tests.songs import SongFile
from workers.gl.painter import QuadBrush
from workers.midi import NoteTable, Song
from workers.renderer import Renderer

pytestmark = pytest.mark.gl

WIDTH, HEIGHT = 192, 108
BLACK = BackgroundLayer(colour="#000000")
WHITE_NOTES = Colouring(palette=("#ffffff",), black_key_shade=1, velocity_shade=0)
LIGHTS: dict[str, Layer] = {
    "hit_flash": HitFlashLayer(),
    "shockwave": ShockwaveLayer(),
    "beams": BeamLayer(),
    "trails": TrailLayer(),
    "sparks": ParticlesLayer(size=1),
    "stars": ParticlesLayer(form="star", size=2),
    "stream": ParticlesLayer(source="sounding", form="dust", size=2),
    "bubbles": ParticlesLayer(source="sounding", form="ring", size=2, gravity=-20),
    "motes": ParticlesLayer(source="ambient", form="dust", size=1, life_s=6, spread_deg=360),
}
FROM_NOTES = [name for name in LIGHTS if name != "motes"]

MakeRenderer = Callable[..., Renderer]


@pytest.fixture
def make_renderer(gl_context: moderngl.Context) -> MakeRenderer:
    """Makes renderers of layers over black."""

    def make(
        song: Song,
        *layers: Layer,
        fps: int = 30,
        start_s: int = 0,
        colouring: Colouring = WHITE_NOTES,
        finish: Finish | None = None,
        **stage: Any,
    ) -> Renderer:
        video = VideoSpec.model_validate(
            {"width": WIDTH, "height": HEIGHT, "fps": fps, "crf": 18, "max_kbps": 8000}
            | {"profile": "high"}
        )
        composition = Composition(
            stage=Stage(**stage), colouring=colouring, layers=(BLACK, *layers), finish=finish
        )
        picture = Picture(
            composition=composition, song_key="songs/test", start_s=Fraction(start_s), video=video
        )
        return Renderer(gl_context, picture, song, Path)

    return make


def light(renderer: Renderer, frame: int) -> NDArray[np.float64]:
    """Linear light of a frame, (height, width)."""
    pixels = np.frombuffer(renderer.pixels(frame), dtype=np.uint8).reshape(HEIGHT, WIDTH, 4)
    value = pixels[:, :, :3].mean(axis=2) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def middle(seen: NDArray[np.float64]) -> tuple[float, float]:
    """The centre of some light in pixels, x and y."""
    rows, columns = np.indices(seen.shape)
    return float(np.average(columns, weights=seen) + 0.5), float(
        np.average(rows, weights=seen) + 0.5
    )


def layout_of(key: int, **stage: Any) -> Layout:
    composition = Composition(stage=Stage(**stage), layers=(BLACK,))
    return lay_out(composition, WIDTH, HEIGHT, key, key)


def chords() -> Song:
    file = SongFile()
    for step in range(12):
        at = Fraction(step, 4)
        file.note(at, at + Fraction(1, 8), 60 + step, velocity=30 + 8 * step)
        if step % 4 == 0:
            file.note(at, at + Fraction(7, 8), 48, channel=1, track=1)
    return file.song()


def one_note(key: int = 64, start_s: Fraction | int = 1, end_s: Fraction | int = 2) -> Song:
    return SongFile().note(start_s, end_s, key).song()


@pytest.mark.parametrize("direction", Direction)
def test_a_frame_is_the_same_in_whatever_order_and_at_whatever_rate(
    make_renderer: MakeRenderer, direction: Direction
) -> None:
    layers = tuple(LIGHTS.values())
    some = (0, 14, 31, 47, 80)
    used = make_renderer(chords(), *layers, direction=direction)
    forwards = [used.pixels(frame) for frame in some]
    assert len(set(forwards)) == len(some)
    assert [used.pixels(frame) for frame in reversed(some)] == forwards[::-1]
    assert make_renderer(chords(), *layers, direction=direction).pixels(47) == forwards[3]
    fast = make_renderer(chords(), *layers, direction=direction, fps=60)
    assert [fast.pixels(2 * frame) for frame in some] == forwards


def test_no_note_no_light(make_renderer: MakeRenderer) -> None:
    layers = tuple(LIGHTS[name] for name in FROM_NOTES)
    renderer = make_renderer(one_note(start_s=8, end_s=9), *layers)
    assert not light(renderer, 30).any()
    long_after = make_renderer(one_note(start_s=8, end_s=9), *layers, start_s=30)
    assert not light(long_after, 0).any()
    silent = make_renderer(replace(one_note(), notes=NoteTable.empty()), *layers)
    assert not light(silent, 0).any()


@pytest.mark.parametrize("direction", Direction)
def test_light_is_on_the_lane_and_on_the_side_that_notes_come_from(
    make_renderer: MakeRenderer, direction: Direction
) -> None:
    stage: dict[str, Any] = {"direction": direction, "keys": "piano", "seconds_after": 1}
    layout = layout_of(76, **stage)
    assert not layout.keyboard_px
    low, high = layout.lane(76)
    for name in FROM_NOTES:
        renderer = make_renderer(one_note(76), LIGHTS[name], **stage)
        seen = light(renderer, 37 if name != "trails" else 45)
        assert seen.max() > 0.01, name
        x, y = middle(seen)
        pitch, time = (x, y) if layout.vertical else (y, x)
        # Across the frame gravity pulls downwards.
        assert abs(pitch - (low + high) / 2) < (5 if layout.vertical else 9), name
        before = (layout.hit_px - time) * (1 if layout.forward else -1)
        if name in ("hit_flash", "shockwave"):
            assert abs(before) < 1, name
        else:
            assert 2 < before < 45, name


def test_light_follows_a_curved_stage(make_renderer: MakeRenderer) -> None:
    for name, curve_deg in itertools.product(FROM_NOTES, (90.0, -90.0)):
        stage = {"curve_deg": curve_deg, "keys": "piano", "seconds_after": 1.0}
        layout = layout_of(100, **stage)
        seen = light(make_renderer(one_note(100), LIGHTS[name], **stage), 37)
        low, high = layout.lane(100)
        struck = layout.bent((low + high) / 2, layout.hit_px)
        x, y = middle(seen)
        assert np.hypot(x - struck[0], y - struck[1]) < 45, name
        del stage["curve_deg"]
        straight = light(make_renderer(one_note(100), LIGHTS[name], **stage), 37)
        assert np.abs(straight - seen).sum() > 0.5 * seen.sum(), f"{name} lies elsewhere"


def test_a_beam_stands_while_its_note_sounds_and_is_gone_soon_after(
    make_renderer: MakeRenderer,
) -> None:
    renderer = make_renderer(one_note(), BeamLayer())
    strike, later, end, after = (light(renderer, frame).sum() for frame in (30, 50, 59, 64))
    assert strike > later > end > 0.3 * strike
    assert after == 0


def test_a_shockwave_runs_outwards_and_fades(make_renderer: MakeRenderer) -> None:
    layer = ShockwaveLayer(size=30, width=2, flatness=1)
    renderer = make_renderer(one_note(60), layer, seconds_after=3, seconds_ahead=3)
    layout = layout_of(60, seconds_after=3, seconds_ahead=3)
    low, high = layout.lane(60)
    rows, columns = np.indices((HEIGHT, WIDTH)) + 0.5
    away = np.hypot(columns - (low + high) / 2, rows - layout.hit_px)
    radii, peaks = [], []
    for frame in (31, 34, 38, 43):
        seen = light(renderer, frame)
        radii.append(float(np.average(away, weights=seen**2)))
        peaks.append(float(seen.max()))
    assert radii == sorted(radii)
    assert radii[-1] > 2 * radii[0]
    assert peaks == sorted(peaks, reverse=True)
    soft = SongFile().note(1, 2, 60, velocity=40).song()
    assert not light(make_renderer(soft, ShockwaveLayer(from_velocity=41)), 33).any()
    assert light(make_renderer(soft, ShockwaveLayer(from_velocity=40)), 33).any()


def test_a_trail_ends_where_its_key_is_struck_again(make_renderer: MakeRenderer) -> None:
    again = SongFile().note(1, Fraction(3, 2), 60).note(Fraction(7, 4), 2, 60).song()
    stage: dict[str, Any] = {"seconds_ahead": 4.0, "keys": "piano"}
    layout = layout_of(60, **stage)
    column = int(sum(layout.lane(60)) / 2)
    alone = light(make_renderer(one_note(60, 1, Fraction(3, 2)), TrailLayer(), **stage), 0)
    together = light(make_renderer(again, TrailLayer(), **stage), 0)
    end, next_start, next_end = (
        round(layout.hit_px - layout.travel_px_per_s * at) for at in (1.5, 1.75, 2)
    )
    assert alone[next_start - 6 : end - 1, column].min() > 0, "it goes on where nothing follows"
    assert together[next_start + 2 : end - 1, column].min() > 0
    assert together[next_end + 1 : next_start, column].max() == 0, "nothing lies under a note"
    assert together[next_end - 6 : next_end - 1, column].min() > 0
    assert alone[end + 1 :].max() == 0, "nothing is before the note"


def test_more_particles_of_a_song_never_move_those_that_are_there(
    make_renderer: MakeRenderer,
) -> None:
    for source in ("strikes", "sounding"):
        few, many = (
            light(
                make_renderer(
                    one_note(),
                    ParticlesLayer(source=source, form="dust", size=1, amount=amount, strength=0.2),
                ),
                50,
            )
            for amount in (20, 40)
        )
        assert (many >= few * 0.98 - 1e-3).all()
        assert many.sum() > 1.4 * few.sum()


def test_gravity_and_seed_and_colour_do_what_they_say(make_renderer: MakeRenderer) -> None:
    def seen(**fields: Any) -> NDArray[np.float64]:
        layer = ParticlesLayer(form="dust", size=1, **fields)
        return light(make_renderer(one_note(60), layer, seconds_after=1), 50)

    falls, floats, rises = (middle(seen(gravity=g))[1] for g in (60, 0, -60))
    assert falls > floats + 3 > rises + 6
    assert not np.array_equal(seen(seed=1), seen(seed=2))
    layer = ParticlesLayer(size=1, colour="#ff0000", whiteness=0)
    pixels = np.frombuffer(make_renderer(one_note(60), layer).pixels(35), dtype=np.uint8)
    red, green, blue, _ = pixels.reshape(-1, 4).T
    assert red.max() > 50
    assert max(green.max(), blue.max()) == 0


def test_motes_come_and_go_without_a_jump(make_renderer: MakeRenderer) -> None:
    layer = ParticlesLayer(
        source="ambient",
        form="dust",
        amount=40,
        size=3,
        life_s=2,
        speed=12,
        gravity=0,
        twinkle=0,
        turbulence=6,
        strength=1,
    )
    renderer = make_renderer(chords(), layer, fps=60)
    frames = [light(renderer, frame) for frame in range(40)]
    steps = [float(np.abs(after - before).max()) for before, after in itertools.pairwise(frames)]
    assert max(steps) < 0.1 * max(float(frame.max()) for frame in frames)
    assert min(float(frame.sum()) for frame in frames) > 0


def test_of_a_storm_of_notes_no_more_is_drawn_than_there_is_room_for(
    make_renderer: MakeRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    draw = QuadBrush.draw

    def spy(brush: QuadBrush, instances: NDArray[np.float32], **options: Any) -> None:
        drawn.append(len(instances))
        draw(brush, instances, **options)

    monkeypatch.setattr(QuadBrush, "draw", spy)
    count = 60_000  # 10,000 a second
    number = np.arange(count)
    start_s = number / 10_000
    notes = NoteTable(
        start_s=start_s,
        end_s=start_s + np.where(number % 50 == 0, 2.0, 0.0625),
        key=(21 + number * 7 % 88).astype(np.uint8),
        velocity=np.full(count, 90, dtype=np.uint8),
        channel=np.zeros(count, dtype=np.uint8),
        track=np.zeros(count, dtype=np.uint16),
    )
    storm = replace(one_note(), notes=notes, end_s=float(notes.end_s[-1]))
    rooms = {
        "hit_flash": 3 * 88,
        "shockwave": 200,
        "beams": 88,
        "trails": 8 * 88,
        "sparks": 13_000,
        "stream": 13_000,
    }
    small = {"sparks": ParticlesLayer(), "stream": ParticlesLayer(source="sounding")}
    for name, room in rooms.items():
        renderer = make_renderer(storm, small.get(name, LIGHTS[name]), start_s=3)
        drawn.clear()
        renderer.draw(0)
        assert 0 < drawn[-1] <= room, name


EXTREMES: list[Layer] = [
    HitFlashLayer(size=20, strength=8, decay_s=5),
    HitFlashLayer(size=0.001, strength=0, decay_s=0.001),
    ParticlesLayer(size=1e-300),
    ShockwaveLayer(size=100, width=10, duration_s=10, strength=8, flatness=0.01),
    ShockwaveLayer(size=0.001, width=0.001, duration_s=0.001, from_velocity=127),
    BeamLayer(reach=0.001, width=20, strength=8, hold=1, decay_s=10),
    BeamLayer(reach=1, width=0.001, strength=0, hold=0, decay_s=0.001),
    TrailLayer(length_s=10, width=4, strength=4),
    TrailLayer(length_s=0.001, width=0.001, strength=0),
    ParticlesLayer(amount=0),
    *(
        ParticlesLayer(source=source, form=form, **fields)
        for source, form in (("strikes", "spark"), ("sounding", "star"), ("ambient", "ring"))
        for fields in (
            {"amount": 2000, "life_s": 20, "speed": 400, "spread_deg": 360, "gravity": 400}
            | {"drag": 0, "turbulence": 100, "size": 20, "strength": 16},
            {"amount": 1, "life_s": 0.001, "speed": 0, "spread_deg": 0, "gravity": 0}
            | {"drag": 20, "turbulence": 0, "size": 0.001, "strength": 0},
        )
    ),
]


def test_whatever_may_be_set_can_be_drawn(make_renderer: MakeRenderer) -> None:
    song = SongFile().note(0, 1, 60).note(Fraction(1, 2), 1, 60, channel=1, velocity=1).song()
    for layer in EXTREMES:
        renderer = make_renderer(song, layer, finish=Finish(bloom=1))
        first = renderer.pixels(20)
        renderer.draw(0)
        assert renderer.pixels(20) == first
