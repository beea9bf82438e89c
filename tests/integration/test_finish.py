"""The finish: what is done to the whole frame, and to nothing else."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import pytest
from numpy.typing import NDArray

from shared.branding import Branding, Watermark
from shared.composition import (
    BackgroundLayer,
    Composition,
    Finish,
    HitFlashLayer,
    KeyboardLayer,
    Layer,
    PianoRollLayer,
)
from shared.plan import Picture, VideoSpec
from tests.songs import a_song
from workers.renderer import Renderer

pytestmark = pytest.mark.gl

WIDTH, HEIGHT = 96, 54
GREY = BackgroundLayer(colour="#404040")
LIT = (GREY, PianoRollLayer(), KeyboardLayer(), HitFlashLayer())

Light = NDArray[np.float64]


def drawn(
    context: moderngl.Context,
    layers: tuple[Layer, ...],
    finish: Finish | None,
    *,
    frame: int = 20,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    **fields: Any,
) -> NDArray[np.uint8]:
    """A frame, uint8 (height, width, 4)."""
    fps = fields.pop("fps", 30)
    pixel_format = fields.pop("pixel_format", "yuv420p")
    video = VideoSpec.model_validate(
        {"width": size[0], "height": size[1], "fps": fps, "crf": 18, "profile": "high"}
        | {"pixel_format": pixel_format}
        | ({"codec": "prores_4444", "profile": None, "crf": None} if "a" in pixel_format else {})
    )
    composition = Composition(layers=layers, finish=finish)
    picture = Picture(
        composition=composition, song_key="s", start_s=Fraction(0), video=video, **fields
    )
    data = Renderer(context, picture, a_song(), Path).pixels(frame)
    assert context.error == "GL_NO_ERROR"
    return np.frombuffer(data, dtype=np.uint8).reshape(size[1], size[0], 4)


def light(pixels: NDArray[np.uint8]) -> Light:
    """Linear light of red, green and blue, (height, width, 3)."""
    value = pixels[:, :, :3] / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


PLAIN = Finish(tone_mapping="none")


def test_a_finish_that_does_nothing_changes_nothing(gl_context: moderngl.Context) -> None:
    without = drawn(gl_context, LIT, None).astype(int)
    finished = drawn(gl_context, LIT, PLAIN).astype(int)
    # Half a step of dither, and the 8 bits in which light was added up before, layer by layer.
    assert np.abs(finished - without).max() <= 4
    assert np.abs(finished - without).mean() < 0.6


def test_soft_tone_mapping_leaves_what_is_not_bright(gl_context: moderngl.Context) -> None:
    plain = drawn(gl_context, LIT, PLAIN).astype(int)
    soft = drawn(gl_context, LIT, Finish()).astype(int)
    dark = light(plain.astype(np.uint8)).max(axis=2) < 0.7
    assert dark.mean() > 0.5
    assert np.abs(soft - plain)[dark].max() <= 1
    assert (soft[:, :, :3].max(axis=2)[~dark] <= plain[:, :, :3].max(axis=2)[~dark] + 1).all()


@pytest.mark.parametrize("stops", [-1.0, 1.0])
def test_a_stop_doubles_or_halves_the_light(gl_context: moderngl.Context, stops: float) -> None:
    before = light(drawn(gl_context, (GREY,), PLAIN)).mean()
    exposed = Finish(tone_mapping="none", exposure=stops)
    assert light(drawn(gl_context, (GREY,), exposed)).mean() / before == pytest.approx(
        2**stops, rel=0.02
    )


def test_without_saturation_everything_is_grey(gl_context: moderngl.Context) -> None:
    pixels = drawn(gl_context, LIT, Finish(saturation=0)).astype(int)
    assert np.ptp(pixels[:, :, :3], axis=2).max() <= 2


def test_warmer_is_redder_and_pinker_is_less_green(gl_context: moderngl.Context) -> None:
    def colour(**settings: float) -> Light:
        return light(drawn(gl_context, (GREY,), Finish(**settings))).mean(axis=(0, 1))

    plain, warm, pink = colour(), colour(temperature=1), colour(tint=1)
    assert warm[0] > plain[0] > colour(temperature=-1)[0]
    assert warm[2] < plain[2] < colour(temperature=-1)[2]
    assert pink[1] < plain[1] < colour(tint=-1)[1]


def test_contrast_turns_around_middle_grey(gl_context: moderngl.Context) -> None:
    def level(colour: str, contrast: float) -> float:
        layers = (BackgroundLayer(colour=colour),)
        return float(light(drawn(gl_context, layers, Finish(contrast=contrast))).mean())

    assert level("#303030", 1.5) < level("#303030", 1) < level("#303030", 0.6)
    assert level("#b0b0b0", 1.5) > level("#b0b0b0", 1) > level("#b0b0b0", 0.6)
    assert level("#767676", 1.5) == pytest.approx(level("#767676", 1), rel=0.03)  # 18 %
    assert level("#000000", 0) == pytest.approx(level("#ffffff", 0), rel=0.01)


def test_a_vignette_darkens_the_corners(gl_context: moderngl.Context) -> None:
    pixels = light(drawn(gl_context, (GREY,), Finish(vignette=1)))
    plain = light(drawn(gl_context, (GREY,), Finish()))
    assert pixels[HEIGHT // 2, WIDTH // 2] == pytest.approx(plain[HEIGHT // 2, WIDTH // 2], rel=0.1)
    for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        assert pixels[row, column].max() < 0.1 * plain[row, column].max()


def test_grain_is_another_24_times_a_second_and_the_same_at_equal_times(
    gl_context: moderngl.Context,
) -> None:
    grain = Finish(grain=1)

    def at(frame: int, fps: int) -> bytes:
        return drawn(gl_context, (GREY,), grain, frame=frame, fps=fps).tobytes()

    assert at(30, 60) == at(15, 30)
    assert at(15, 30) != at(17, 30)
    assert at(31, 60) == at(30, 60), "both lie in the twelfth 24th of a second"
    plain = light(drawn(gl_context, (GREY,), Finish()))
    grained = light(drawn(gl_context, (GREY,), grain))
    assert grained.std() > 5 * plain.std()
    assert grained.mean() == pytest.approx(plain.mean(), rel=0.05)


BRIGHT = (
    BackgroundLayer(colour="#000000"),
    PianoRollLayer(glow=0, sheen=0, corner_radius=0),
    HitFlashLayer(strength=6, size=4),
)


def test_bloom_is_light_around_what_is_bright(gl_context: moderngl.Context) -> None:
    plain = light(drawn(gl_context, BRIGHT, PLAIN))
    bloom = Finish(tone_mapping="none", bloom=1, bloom_threshold=0.5)
    shining = light(drawn(gl_context, BRIGHT, bloom))
    assert (shining >= plain - 0.01).all()
    dark = plain.max(axis=2) < 0.01
    assert shining[dark].mean() > 4 * plain[dark].mean()
    # Of what is darker than the threshold nothing shines.
    assert (
        np.abs(
            drawn(gl_context, (GREY,), bloom).astype(int) - drawn(gl_context, (GREY,), PLAIN)
        ).max()
        <= 1
    )


def test_bloom_reaches_as_far_in_any_size(gl_context: moderngl.Context) -> None:
    bloom = Finish(tone_mapping="none", bloom=1.5, bloom_threshold=0.4, bloom_radius=0.8)
    small = light(drawn(gl_context, BRIGHT, bloom, size=(480, 270)))
    large = light(drawn(gl_context, BRIGHT, bloom, size=(1440, 810)))
    shrunk = large.reshape(270, 3, 480, 3, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - small).mean() < 0.01
    assert np.abs(shrunk - small).mean() < 0.1 * small.mean()


def test_branding_is_left_alone(gl_context: moderngl.Context) -> None:
    watermark = Watermark(
        image_url="builtin:minimal-logo", position="top-left", opacity=1, scale=0.4
    )
    branding = Branding(watermark=watermark)
    black = (BackgroundLayer(colour="#000000"),)
    harsh = Finish(exposure=-4, saturation=0, vignette=1, bloom=2, bloom_threshold=0.1)
    plain = drawn(gl_context, black, None, branding=branding)
    assert plain[:, :, :3].max() > 100
    assert np.abs(drawn(gl_context, black, harsh, branding=branding).astype(int) - plain).max() <= 1


def test_transparent_pictures_are_finished_and_stay_transparent(
    gl_context: moderngl.Context,
) -> None:
    layers = LIT[1:]
    plain = drawn(gl_context, layers, None, pixel_format="yuva444p10le")
    grey = drawn(gl_context, layers, Finish(saturation=0), pixel_format="yuva444p10le")
    assert np.ptp(grey[:, :, :3].astype(int), axis=2).max() <= 3
    assert (plain[:, :, 3] == 0).mean() > 0.2
    assert (np.abs(plain[:, :, 3].astype(int) - grey[:, :, 3]) <= 40).mean() > 0.97


def test_numbers_of_a_finish_can_move(gl_context: moderngl.Context) -> None:
    moving = Finish.model_validate({"animate": {"exposure": "-2 * step(1, time)"}})
    early, late = (
        light(drawn(gl_context, (GREY,), moving, frame=frame)).mean() for frame in (29, 30)
    )
    assert late / early == pytest.approx(0.25, rel=0.03)
