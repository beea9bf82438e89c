"""What is heard, and how far it is, as it is seen: waveforms, spectra and progress."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import pytest
from numpy.typing import NDArray

from shared.composition import (
    BackgroundLayer,
    Composition,
    Direction,
    KeyboardLayer,
    Layer,
    ProgressLayer,
    SpectrumLayer,
    Stage,
    WaveformLayer,
)
from shared.plan import Picture, VideoSpec
from tests.songs import SongFile
from workers.gl.context import check_errors
from workers.hearing import SOUND_RATE, Hearing
from workers.midi import Song
from workers.renderer import Renderer

pytestmark = pytest.mark.gl

WIDTH, HEIGHT = 192, 108
FORMS: tuple[Layer, ...] = (
    *(
        SpectrumLayer(form=form, height=40, peaks=True, radius=12)
        for form in ("bars", "mirrored", "line", "dots", "circle")
    ),
    *(
        WaveformLayer(form=form, seconds=seconds, height=40, bar=2)
        for form, seconds in (
            ("oscilloscope", 0.03),
            ("oscilloscope", 2),
            ("scroll", 1.5),
            ("whole", 1),
        )
    ),
    ProgressLayer(form="bar", knob=True, thickness=4, y=1),
    ProgressLayer(form="ring", knob=True, thickness=4),
)

Light = NDArray[np.float64]
MakeRenderer = Callable[..., Renderer]


@pytest.fixture
def make_renderer(gl_context: moderngl.Context) -> MakeRenderer:
    """Makes renderers of layers over black."""

    def make(
        *layers: Layer,
        hearing: Hearing | None = None,
        song: Song | None = None,
        fps: int = 30,
        size: tuple[int, int] = (WIDTH, HEIGHT),
        stage: Stage | None = None,
    ) -> Renderer:
        composition = Composition(
            stage=stage or Stage(), layers=(BackgroundLayer(colour="#000000"), *layers)
        )
        video = VideoSpec.model_validate(
            {"width": size[0], "height": size[1], "fps": fps, "crf": 18, "max_kbps": 8000}
            | {"profile": "high"}
        )
        picture = Picture(
            composition=composition, song_key="songs/test", start_s=Fraction(0), video=video
        )
        return Renderer(gl_context, picture, song or four_seconds(), Path, hearing=hearing)

    return make


@cache
def four_seconds() -> Song:
    return SongFile("Tones").note(0, 2, 60).note(2, 4, 64).song()


@cache
def tone(hertz: float = 440.0) -> Hearing:
    time_s = np.arange(4 * SOUND_RATE) / SOUND_RATE
    return Hearing.from_sound([(0.8 * np.sin(2 * np.pi * hertz * time_s)).astype(np.float32)])


@cache
def music() -> Hearing:
    """Tones that come and go, over noise that swells."""
    time_s = np.arange(4 * SOUND_RATE) / SOUND_RATE
    sound = sum(
        np.sin(2 * np.pi * hertz * time_s) * np.exp(-((time_s + phase) % 0.7) * 6)
        for hertz, phase in ((82, 0.0), (330, 0.2), (1180, 0.45), (5200, 0.6))
    )
    sound = sound * 0.2 + np.random.default_rng(2).normal(0, 0.03, len(time_s)) * (time_s / 4)
    return Hearing.from_sound([sound.astype(np.float32)])


@cache
def a_stroke() -> Hearing:
    """A second of silence, a loud tenth of a second, silence."""
    sound = np.zeros(4 * SOUND_RATE, np.float32)
    sound[SOUND_RATE : SOUND_RATE + SOUND_RATE // 10] = np.sin(
        np.arange(SOUND_RATE // 10) * 0.3
    ).astype(np.float32)
    return Hearing.from_sound([sound])


def light(renderer: Renderer, frame: int) -> Light:
    """Linear light of a frame, (height, width, 3)."""
    pixels = np.frombuffer(renderer.pixels(frame), dtype=np.uint8)
    width, height = renderer._target.size
    encoded = pixels.reshape(height, width, 4)[:, :, :3] / 255
    return np.asarray(
        np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    )


def tall(picture: Light) -> Light:
    """How many pixels of each column are lit."""
    return np.asarray((picture.max(axis=2) > 0.05).sum(axis=0), np.float64)


def frames(renderer: Renderer, which: Iterable[int]) -> list[bytes]:
    return [renderer.pixels(frame) for frame in which]


def test_a_frame_is_a_function_of_its_time(make_renderer: MakeRenderer) -> None:
    some = [2, 15, 31, 32, 77]
    renderer = make_renderer(*FORMS, hearing=music())
    forwards = frames(renderer, some)
    assert len(set(forwards)) == len(some), "it moves"
    assert frames(renderer, reversed(some)) == forwards[::-1]
    assert frames(make_renderer(*FORMS, hearing=music()), [31]) == [forwards[2]]
    fast = make_renderer(*FORMS, hearing=music(), fps=60)
    assert frames(fast, [4, 30, 62, 64, 154]) == forwards


def test_nothing_is_drawn_beyond_what_a_layer_says_that_it_touches(
    make_renderer: MakeRenderer,
) -> None:
    sizes = itertools.cycle([(192, 108), (108, 192), (144, 144)])
    for layer, size in zip(FORMS, sizes, strict=False):
        fields: dict[str, Any] = {"x": 0.9, "y": 0.1, "width": 0.4}
        if not isinstance(layer, ProgressLayer):
            fields |= {"gain": 3.0, "glow": 4.0}
        renderer = make_renderer(layer.model_copy(update=fields), hearing=music(), size=size)
        drawn = light(renderer, 33).max(axis=2) > 0
        area = renderer._layers[1].moving
        assert area is not None
        inside = np.zeros_like(drawn)
        inside[
            max(0, math.floor(area.y0)) : math.ceil(area.y1),
            max(0, math.floor(area.x0)) : math.ceil(area.x1),
        ] = True
        assert drawn.any(), layer
        assert not (drawn & ~inside).any(), layer


def extremes(layer: Layer) -> list[dict[str, Any]]:
    """Settings at their bounds."""
    if isinstance(layer, ProgressLayer):
        return [
            {"width": 0, "radius": 0.01, "thickness": 10},
            {"width": 1, "radius": 100, "thickness": 0.001, "opacity": 0, "margin": 50},
        ]
    if isinstance(layer, SpectrumLayer):
        return [
            {"bars": 256, "gap": 0.95, "gain": 20, "glow": 4, "radius": 0.01, "height": 100},
            {"bars": 4, "gap": 0, "gain": 0, "glow": 0, "radius": 100, "height": 0.01, "width": 0}
            | {"smooth": 0, "from_hz": 19999, "to_hz": 20000, "rotation_deg": -1e6, "margin": 50},
            {"symmetric": True, "smooth": 1, "from_hz": 20, "to_hz": 21, "bars": 5},
        ]
    return [
        {"seconds": 60, "gain": 20, "glow": 4, "thickness": 5, "height": 100, "bar": 0.1},
        {"seconds": 0.0011, "gain": 0, "glow": 0, "thickness": 0.001, "height": 0.01, "width": 0}
        | {"bar": 20, "gap": 0.95, "opacity": 0},
    ]


def test_settings_at_their_bounds_and_silence_can_be_drawn(
    gl_context: moderngl.Context, make_renderer: MakeRenderer
) -> None:
    nothing = SongFile("Nothing").song()
    extreme = [
        type(layer).model_validate(layer.model_dump() | fields)
        for layer in FORMS
        for fields in extremes(layer)
    ]
    for hearing, song in ((music(), None), (None, nothing)):
        renderer = make_renderer(*extreme, hearing=hearing, song=song)
        assert light(renderer, 20).any()
        check_errors(gl_context, "extremes were drawn")


def test_silence_is_a_delicate_line(make_renderer: MakeRenderer) -> None:
    for layer in FORMS[:9]:
        quiet = light(make_renderer(layer), 33)
        assert (quiet.max(axis=2) > 0.02).any(), "the rest state is seen"
        loud = light(make_renderer(layer, hearing=music()), 33)
        assert quiet.sum() < 0.9 * loud.sum(), layer
    silence = Hearing.from_sound([np.zeros(4 * SOUND_RATE, np.float32)])
    for frame in (0, 33):
        silent = light(make_renderer(*FORMS, hearing=silence), frame)
        np.testing.assert_allclose(silent, light(make_renderer(*FORMS), frame), atol=0.01)


@pytest.mark.parametrize("form", ["bars", "mirrored", "line", "dots"])
def test_a_tone_lights_the_bar_of_its_frequency(make_renderer: MakeRenderer, form: Any) -> None:
    layer = SpectrumLayer(
        form=form,
        width=1,
        bars=32,
        height=60,
        glow=0,
        from_hz=50,
        to_hz=12800,
        colours=("#ffffff",),
    )
    for hertz in (110.0, 440.0, 3520.0):
        # The lights of a stack that do not shine are dark, but seen.
        lit = (light(make_renderer(layer, hearing=tone(hertz)), 30).max(axis=2) > 0.1).sum(axis=0)
        wanted = math.log2(hertz / 50) / 8
        place = (wanted * 31 + 0.5) / 32 if form != "line" else wanted
        highest = float(np.flatnonzero(lit >= 0.9 * lit.max()).mean()) + 0.5
        assert highest == pytest.approx(place * WIDTH, abs=WIDTH / 32)
        assert lit.max() > 0.2 * HEIGHT
        far = np.abs(np.arange(WIDTH) - place * WIDTH) > WIDTH / 4
        assert np.median(lit[far]) < 0.3 * lit.max()


def test_a_circle_begins_at_the_top_and_is_turned_clockwise(make_renderer: MakeRenderer) -> None:
    for turned in (0.0, 90.0):
        layer = SpectrumLayer(
            form="circle", bars=32, radius=20, height=25, glow=0, from_hz=50, to_hz=12800
        ).model_copy(update={"rotation_deg": turned})
        picture = light(make_renderer(layer, hearing=tone(440.0)), 30).max(axis=2)
        y, x = np.nonzero(picture > 0.05)
        x, y = x + 0.5 - WIDTH / 2, y + 0.5 - HEIGHT / 2
        away = np.hypot(x, y)
        assert away.min() == pytest.approx(0.2 * HEIGHT, abs=1.5)
        far = away > 0.9 * away.max()
        angle = math.degrees(math.atan2(float(x[far].mean()), -float(y[far].mean())))
        wanted = math.log2(440 / 50) / 8 * 31 / 32 * 360 + turned
        assert (angle - wanted + 180) % 360 - 180 == pytest.approx(0, abs=10)


def test_bars_fall_slowly_where_they_are_smooth(make_renderer: MakeRenderer) -> None:
    """The stroke ends at 1.1 s."""
    taken = [
        tall(
            light(
                make_renderer(SpectrumLayer(smooth=smooth, height=60, glow=0), hearing=a_stroke()),
                36,
            )
        ).max()
        for smooth in (0.0, 1.0)
    ]
    assert taken[1] > 3 * taken[0]


def test_an_oscilloscope_stands_still_while_a_tone_lasts(make_renderer: MakeRenderer) -> None:
    layer = WaveformLayer(width=1, height=60, seconds=0.01, glow=0, thickness=1)
    renderer = make_renderer(layer, hearing=tone(300.0))
    pictures = [light(renderer, frame).max(axis=2) for frame in (30, 37, 51)]
    for other in pictures[1:]:
        assert np.abs(other - pictures[0]).mean() < 0.01
    # It rises through the middle: 3 periods of 300 Hz are seen in 10 ms.
    rows = np.arange(HEIGHT) + 0.5
    middle = pictures[0] * (pictures[0] > 0.2)
    y = (middle * rows[:, None]).sum(axis=0) / np.maximum(middle.sum(axis=0), 1e-9)
    assert y[WIDTH // 2] == pytest.approx(HEIGHT / 2, abs=4)
    crest, trough = WIDTH // 2 + WIDTH // 12, WIDTH // 2 - WIDTH // 12
    assert y[crest] == pytest.approx(0.2 * HEIGHT, abs=6)
    assert y[trough] == pytest.approx(0.8 * HEIGHT, abs=6)


def test_what_scrolls_is_in_the_middle_when_it_is_heard(make_renderer: MakeRenderer) -> None:
    layer = WaveformLayer(form="scroll", seconds=2, width=1, height=60, bar=1.5, glow=0)
    renderer = make_renderer(layer, hearing=a_stroke())
    for frame in (15, 30, 45):
        lit = np.flatnonzero(tall(light(renderer, frame)) > 0.3 * HEIGHT)
        begun = WIDTH / 2 + (1 - frame / 30) * WIDTH / 2
        assert lit[0] == pytest.approx(begun, abs=4)
        assert lit[-1] == pytest.approx(begun + 0.1 * WIDTH / 2, abs=4)


def test_the_whole_song_is_seen_and_how_far_it_has_been_played(
    make_renderer: MakeRenderer,
) -> None:
    layer = WaveformLayer(
        form="whole", width=1, height=60, gap=0, bar=2, glow=0, colour="#ff0000"
    ).model_copy(update={"rest_colour": "#0000ff"})
    renderer = make_renderer(layer, hearing=a_stroke())
    for frame in (0, 45, 90):
        picture = light(renderer, frame)
        loud = np.flatnonzero(tall(picture) > 0.3 * HEIGHT)
        assert loud[0] == pytest.approx(WIDTH / 4, abs=3), "a second of four"
        middle = picture[HEIGHT // 2 - 1 : HEIGHT // 2 + 1].max(axis=0)
        played = np.flatnonzero(middle[:, 0] > 0.2)
        assert len(played) == pytest.approx(frame / 120 * WIDTH, abs=1)
        assert middle[-3:, 2].min() > 0.2, "the rest is to come"


def test_a_bar_of_progress_is_played_to_the_pixel(make_renderer: MakeRenderer) -> None:
    layer = ProgressLayer(thickness=5, colour="#ff0000", rest_colour="#0000ff", y=0.0)
    renderer = make_renderer(layer)
    for frame in (0, 30, 75, 120, 130):
        line, played = light(renderer, frame)[2], min(frame / 120, 1)
        assert line[:, 0].sum() == pytest.approx(played * WIDTH, abs=1.2)
        assert line[:, 2].sum() == pytest.approx((1 - played) * WIDTH, abs=1.2)


def test_a_ring_of_progress_is_played_clockwise_from_the_top(make_renderer: MakeRenderer) -> None:
    layer = ProgressLayer(
        form="ring", radius=40, thickness=5, colour="#ff0000", rest_colour="#0000ff"
    )
    renderer = make_renderer(layer)
    covered_px = 0.375 * HEIGHT * 2 * math.pi * 0.05 * HEIGHT
    y, x = np.indices((HEIGHT, WIDTH)) + 0.5
    angle = np.arctan2(x - WIDTH / 2, HEIGHT / 2 - y) % (2 * np.pi) / (2 * np.pi)
    for frame in (0, 30, 75, 120):
        picture, played = light(renderer, frame), frame / 120
        red, blue = picture[:, :, 0], picture[:, :, 2]
        assert (red + blue).sum() == pytest.approx(covered_px, rel=0.02), "no gap, no overlap"
        assert red.sum() / (red + blue).sum() == pytest.approx(played, abs=0.004)
        inner = np.abs((angle - played + 0.5) % 1 - 0.5) > 0.01
        inner &= np.minimum(angle, 1 - angle) > 0.01
        assert (angle[(red > 0.1) & inner] < played).all()


def test_a_knob_stays_in_the_frame(make_renderer: MakeRenderer) -> None:
    layer = ProgressLayer(thickness=4, knob=True, rest_colour="#00000000", y=1.0)
    renderer = make_renderer(layer)
    wide = 4 / 100 * HEIGHT * 2.6
    for frame, left in ((0, 0.0), (120, WIDTH - wide)):
        picture = light(renderer, frame)[:, :, 0]
        # At the end the line is behind it: only the knob is taller than that.
        above = picture[: round(HEIGHT - wide * 0.75)].sum(axis=0)
        x = np.flatnonzero(above > 0)
        assert x.mean() + 0.5 == pytest.approx(left + wide / 2, abs=0.6)


@pytest.mark.parametrize("direction", list(Direction))
def test_the_area_of_the_roll_leaves_the_keyboard_free(
    make_renderer: MakeRenderer, direction: Direction
) -> None:
    layers = (
        SpectrumLayer(y=1, x=1, width=1, height=100, glow=0),
        ProgressLayer(y=0, x=0, thickness=3),
    )
    stage = Stage(direction=direction)
    renderer = make_renderer(KeyboardLayer(), *layers, hearing=music(), stage=stage)
    bare = make_renderer(KeyboardLayer(), hearing=music(), stage=stage)
    y, x = np.nonzero(np.abs(light(renderer, 20) - light(bare, 20)).max(axis=2) > 0.01)
    area = renderer._scene.layout.open
    assert area != renderer._scene.layout.frame
    assert (x.min(), x.max()) == pytest.approx((area.x0, area.x1 - 1), abs=2)
    assert (y.min(), y.max()) == pytest.approx((area.y0, area.y1 - 1), abs=2)


def test_opacity_is_honoured(make_renderer: MakeRenderer) -> None:
    for layer in FORMS:
        solid = light(make_renderer(layer, hearing=music()), 33)
        half = layer.model_copy(update={"opacity": 0.5})
        picture = light(make_renderer(half, hearing=music()), 33)
        # What is brighter than white is clipped where it is solid.
        seen = (solid < 0.9).all(axis=2) & (solid.max(axis=2) > 0)
        # Where parts of a layer lie over each other, as knob and line do, both are seen through.
        close = np.abs(picture - 0.5 * solid)[seen] < 0.03
        assert close.mean() > 0.9, layer
        assert picture.sum() < 0.8 * solid.sum(), layer
