"""What lies behind and among the notes: backgrounds, skies and images."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import moderngl
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from shared.animation import Animated
from shared.colour import from_linear, to_linear
from shared.composition import (
    BackgroundLayer,
    Composition,
    Direction,
    GradientStop,
    ImageLayer,
    KeyboardLayer,
    Layer,
    SkyLayer,
    Stage,
)
from shared.layout import Rect, lay_out
from shared.plan import Picture, VideoSpec
from tests.clips import make_clip, number_of
from tests.songs import SongFile
from workers.gl.context import check_errors
from workers.midi import Song
from workers.renderer import Renderer

pytestmark = pytest.mark.gl

WIDTH, HEIGHT = 192, 108
BLACK = BackgroundLayer(colour="#000000")
GREY = BackgroundLayer(colour="#404040")
RED, BLUE = (255, 0, 0), (0, 0, 255)
FORMS: tuple[Literal["aurora", "nebula", "stars"], ...] = ("aurora", "nebula", "stars")

LIGHT = np.array([to_linear(value / 255) for value in range(256)])

Pixels = NDArray[np.int16]
Draw = Callable[..., Renderer]


@pytest.fixture
def drawn(gl_context: moderngl.Context) -> Draw:
    """Makes renderers of layers, whose files are named by path."""

    def make(
        *layers: Layer,
        fps: int = 30,
        size: tuple[int, int] = (WIDTH, HEIGHT),
        find: Callable[[str], Path] = Path,
        **stage: Any,
    ) -> Renderer:
        video = VideoSpec.model_validate(
            {"width": size[0], "height": size[1], "fps": fps, "crf": 18, "max_kbps": 8000}
            | {"profile": "high"}
        )
        picture = Picture(
            composition=Composition(layers=layers, stage=Stage(**stage)),
            song_key="songs/test",
            start_s=Fraction(0),
            video=video,
        )
        return Renderer(gl_context, picture, a_song(), find)

    return make


def a_song() -> Song:
    return SongFile().note(0.0, 1.0, 60).song()


def image(renderer: Renderer, frame: int = 0) -> Pixels:
    """A frame, (height, width, 3)."""
    width, height = renderer._target.size
    pixels = np.frombuffer(renderer.pixels(frame), dtype=np.uint8)
    return pixels.reshape(height, width, 4)[:, :, :3].astype(np.int16)


@pytest.fixture
def halves(tmp_path: Path) -> str:
    """An image of the frame's shape, red on the left and blue on the right."""
    return saved(tmp_path / "halves.png", (WIDTH * 4, HEIGHT * 4))


def saved(path: Path, size: tuple[int, int]) -> str:
    picture = Image.new("RGB", size, RED)
    picture.paste(BLUE, (size[0] // 2, 0, *size))
    picture.save(path)
    return str(path)


def border(pixels: Pixels) -> float:
    """Where red turns blue along the middle row, in pixels."""
    row = pixels[len(pixels) // 2]
    return float(sum(to_linear(value / 255) for value in row[:, 0]))


# Backgrounds.


def test_an_image_is_zoomed_and_panned_by_less_than_a_pixel(drawn: Draw, halves: str) -> None:
    def at(**settings: Any) -> float:
        return border(image(drawn(BackgroundLayer(image=halves, **settings))))

    assert at() == pytest.approx(WIDTH / 2, abs=0.25)
    assert at(zoom=2, pan_x=0.25) == pytest.approx(WIDTH * 0.75, abs=0.3)
    middle = at(zoom=1.5)
    steps = [at(zoom=1.5, pan_x=pixels / WIDTH) - middle for pixels in (0.25, 0.5, 0.75, 1.0)]
    assert steps == pytest.approx([0.25, 0.5, 0.75, 1.0], abs=0.1)


def test_what_covers_the_frame_goes_on_doing_so(drawn: Draw, halves: str) -> None:
    ground = BackgroundLayer(image=halves, colour="#00ff00", pan_x=1.0, pan_y=-1.0)
    assert border(image(drawn(ground))) == pytest.approx(WIDTH / 2, abs=0.25)
    zoomed = image(drawn(ground.model_copy(update={"zoom": 1.2})))
    assert zoomed[:, :, 1].max() < 16
    assert border(zoomed) == pytest.approx(WIDTH * (0.5 + 0.1), abs=0.5)
    small = image(drawn(ground.model_copy(update={"zoom": 0.5, "pan_x": 0.0, "pan_y": 0.0})))
    assert small[2, 2].tolist() == [0, 255, 0]
    assert border(small) == pytest.approx(WIDTH / 4, abs=0.5)
    moved = image(drawn(ground.model_copy(update={"fit": "contain", "pan_y": 0.0})))
    assert moved[:, 2:, 1].min() == 255, "it was to move out of the frame"


def test_a_blur_softens_and_keeps_the_light(drawn: Draw, halves: str) -> None:
    sharp, soft, softer = (
        image(drawn(BackgroundLayer(image=halves, blur=blur))) for blur in (0.0, 2.0, 10.0)
    )

    def mixed(pixels: Pixels) -> int:
        """How many pixels of the middle row are neither red nor blue."""
        return int(
            np.count_nonzero(
                pixels[HEIGHT // 2].min(axis=1, where=[[True, False, True]], initial=255) > 30
            )
        )

    assert mixed(sharp) <= 2
    # Twice the standard deviation on either side of the border, roughly.
    assert mixed(soft) == pytest.approx(0.02 * HEIGHT * 4, rel=0.5)
    assert mixed(softer) == pytest.approx(0.10 * HEIGHT * 4, rel=0.3)
    for pixels in (soft, softer):
        assert border(pixels) == pytest.approx(WIDTH / 2, abs=1.5)
        assert pixels[:, 0].tolist() == sharp[:, 0].tolist()


def test_dimming_and_vignette_take_light(drawn: Draw, tmp_path: Path) -> None:
    path = tmp_path / "white.png"
    Image.new("RGBA", (64, 36), "white").save(path)
    half = image(drawn(BackgroundLayer(image=str(path), dim=0.5)))
    assert to_linear(half.mean() / 255) == pytest.approx(0.5, abs=0.01)
    dark = image(drawn(BackgroundLayer(image=str(path), vignette=0.8)))
    assert dark[HEIGHT // 2, WIDTH // 2, 0] == 255
    assert dark[0, 0, 0] < 150


def test_a_slow_gradient_has_no_bands(drawn: Draw) -> None:
    stops = (GradientStop(at=0, colour="#0a0d1a"), GradientStop(at=1, colour="#141829"))
    pixels = image(drawn(BackgroundLayer(gradient=stops)))
    low, high = to_linear(0x0A / 255), to_linear(0x14 / 255)
    for y in range(HEIGHT):
        exact = 255 * from_linear(low + (high - low) * (y + 0.5) / HEIGHT)
        # A row that is rounded everywhere alike is up to half a step off; llvmpipe's sRGB curve
        # itself up to a fifth.
        assert pixels[y, :, 0].mean() == pytest.approx(exact, abs=0.35)


def test_what_shines_through_an_image_has_no_fringe(drawn: Draw, tmp_path: Path) -> None:
    # Transparent pixels that would be green, beside opaque white ones.
    pixels = np.full((90, 160, 4), (0, 255, 0, 0), dtype=np.uint8)
    pixels[:, :80] = 255
    Image.fromarray(pixels).save(tmp_path / "edge.png")
    shown = image(drawn(BackgroundLayer(image=str(tmp_path / "edge.png"), colour="#000000")))
    assert shown[:, 2].min() == 255
    assert shown[:, -2].max() == 0
    assert np.abs(shown[:, :, 1] - shown[:, :, 0]).max() <= 3


# Videos.


def test_a_video_is_shown_by_its_time(drawn: Draw, tmp_path: Path) -> None:
    kept = make_clip(tmp_path / "kept.mp4", "libx264", frames=45)
    lent = tmp_path / "lent.mp4"

    def made(fps: int = 30, **settings: Any) -> Renderer:
        shutil.copy(kept, lent)
        layer = BackgroundLayer(video="key", **settings)
        renderer = drawn(layer, fps=fps, find=lambda _: lent)
        lent.unlink()  # assets are at hand only while layers are made
        return renderer

    def numbers(renderer: Renderer, *frames: int) -> list[int]:
        return [number_of(image(renderer, frame)) for frame in frames]

    plain = made()
    assert numbers(plain, 0, 7, 44, 3, 45, 50, 30) == [0, 7, 44, 3, 0, 5, 30]
    assert numbers(made(60), 14, 15, 0) == [7, 7, 0]
    settings: dict[str, Any] = {"video_start_s": 1.0, "video_speed": 2.0}
    assert numbers(made(**settings), 0, 5, 10) == [30, 40, 5]
    assert numbers(made(**settings, video_loop=False), 5, 10, 1000) == [40, 44, 44]
    alone = image(made(), 20)
    assert np.array_equal(image(plain, 20), alone)
    # What is laid over it is drawn after it, whatever does not move.
    over = drawn(BackgroundLayer(video=str(kept)), ImageLayer(image="builtin:social-logo"))
    assert not np.array_equal(image(over, 20), alone)
    assert np.array_equal(image(over, 20)[:, :40], alone[:, :40])


def test_a_soft_video_moves_too(drawn: Draw, tmp_path: Path) -> None:
    clip = str(make_clip(tmp_path / "clip.mp4", "libx264", frames=20))
    sharp, soft = (drawn(BackgroundLayer(video=clip, blur=blur, zoom=1.1)) for blur in (0.0, 4.0))
    one, other = image(soft, 2), image(soft, 17)
    assert np.abs(one - other).max() > 30
    steep = [np.abs(np.diff(image(each, 2), axis=1)).max() for each in (soft, sharp)]
    assert steep[0] < steep[1] / 4
    assert np.array_equal(image(soft, 2), one)


# Skies.


@pytest.mark.parametrize("form", FORMS)
def test_a_sky_is_a_function_of_time(drawn: Draw, form: Literal["aurora"]) -> None:
    layer = SkyLayer(form=form, strength=2, height=1)
    renderer = drawn(GREY, layer)
    frames = {frame: image(renderer, frame) for frame in (0, 90, 3000)}
    assert np.array_equal(image(drawn(GREY, layer), 90), frames[90])
    assert np.array_equal(image(drawn(GREY, layer, fps=60), 180), frames[90])
    assert np.array_equal(image(renderer, 0), frames[0])
    assert not np.array_equal(frames[0], frames[90])
    # It moves slowly: in a thirtieth of a second hardly anything changes.
    assert np.abs(image(renderer, 91) - frames[90]).mean() < 1.0
    fast = drawn(GREY, layer.model_copy(update={"speed": 20.0}))
    assert np.array_equal(image(fast, 150), frames[3000])
    other = drawn(GREY, layer.model_copy(update={"seed": 2}))
    assert not np.array_equal(image(other, 0), frames[0])


@pytest.mark.parametrize("form", FORMS)
def test_a_sky_adds_light_above(drawn: Draw, form: Literal["aurora"]) -> None:
    plain = image(drawn(GREY))
    lit = image(drawn(GREY, SkyLayer(form=form, height=0.5, strength=2))) - plain
    assert lit.min() >= -1
    assert lit[: HEIGHT // 2].max() > 20
    assert lit[HEIGHT // 2 :].max() == 0
    assert lit[HEIGHT // 2 - 2 : HEIGHT // 2].max() <= 2, "it fades out"
    assert np.array_equal(image(drawn(GREY, SkyLayer(form=form, strength=0))), plain)
    assert np.array_equal(image(drawn(GREY, SkyLayer(form=form, height=0))), plain)
    red = image(drawn(GREY, SkyLayer(form=form, colours=("#ff2020",), strength=2))) - plain
    assert red[:, :, 0].sum() > 1.2 * red[:, :, 2].sum()


def test_a_sky_that_stands_still_is_drawn_once(drawn: Draw) -> None:
    for form in FORMS:
        renderer = drawn(BLACK, SkyLayer(form=form, speed=0), KeyboardLayer())
        assert renderer._on_plate[:2] == [True, True]
        assert image(renderer, 0).max() > 30
        moving = drawn(BLACK, SkyLayer(form=form), KeyboardLayer())
        assert np.array_equal(image(moving, 0), image(renderer, 0))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [(144, 144), (40, 144)])
def test_extreme_skies_are_drawn(
    gl_context: moderngl.Context, drawn: Draw, form: Literal["aurora"], size: tuple[int, int]
) -> None:
    for settings in (
        {"scale": 0.1, "strength": 4, "speed": 20, "seed": 2**31 - 1, "height": 1},
        {"scale": 10, "strength": 4, "speed": 20, "colours": ("#ffffff",) * 4, "height": 0.03},
    ):
        renderer = drawn(BLACK, SkyLayer.model_validate({"form": form, **settings}), size=size)
        assert image(renderer, 10**7).shape == (size[1], size[0], 3)
    check_errors(gl_context, "skies were drawn")


# Images.

PLAIN: dict[str, Any] = {"shadow": 0, "area": "frame", "margin": 0}


@pytest.fixture
def square(tmp_path: Path) -> str:
    return saved(tmp_path / "square.png", (300, 300))


def red_and_blue(pixels: Pixels) -> NDArray[np.bool_]:
    return (pixels[:, :, 0] > 120) | (pixels[:, :, 2] > 120)


def test_an_image_stands_where_it_should(drawn: Draw, square: str) -> None:
    side = 54
    for x, y in ((0, 0), (1, 1), (0.5, 0.25)):
        layer = ImageLayer(image=square, size=50, shape="whole", x=x, y=y, **PLAIN)
        rows, columns = np.nonzero(red_and_blue(image(drawn(BLACK, layer))))
        assert (columns.min(), columns.max() + 1 - columns.min()) == (x * (WIDTH - side), side)
        assert rows.min() == pytest.approx(y * (HEIGHT - side), abs=0.5)
        assert rows.max() + 1 - rows.min() == side
    assert image(drawn(BLACK, ImageLayer())).max() == 0
    assert image(drawn(BLACK, ImageLayer(image=square, opacity=0, glow=4))).max() == 0


@pytest.mark.parametrize("direction", Direction)
def test_an_image_keeps_clear_of_the_keys(drawn: Draw, square: str, direction: Direction) -> None:
    layout = lay_out(
        Composition(layers=(KeyboardLayer(),), stage=Stage(direction=direction)),
        WIDTH,
        HEIGHT,
        60,
        60,
    )
    at = {"falling": (0.5, 1), "rising": (0.5, 0), "left": (0, 0.5), "right": (1, 0.5)}[direction]
    layer = ImageLayer(image=square, size=40, shape="whole", x=at[0], y=at[1], margin=0, shadow=0)
    lit = red_and_blue(image(drawn(KeyboardLayer(), BLACK, layer, direction=direction)))
    roll: Rect = layout.roll
    box = (slice(round(roll.y0), round(roll.y1)), slice(round(roll.x0), round(roll.x1)))
    assert lit[box].sum() == lit.sum() > 1500
    lit[box] = False
    assert not lit.any()


def test_shapes(drawn: Draw, square: str) -> None:
    def lit(**settings: Any) -> NDArray[np.bool_]:
        return red_and_blue(
            image(drawn(BLACK, ImageLayer(image=square, size=90, **PLAIN | settings)))
        )

    side = round(0.9 * HEIGHT)
    assert lit(shape="whole").sum() == pytest.approx(side**2, rel=0.02)
    assert lit(shape="circle").sum() == pytest.approx(np.pi / 4 * side**2, rel=0.015)
    # Corners lose (4 - π) r².
    rounded = side**2 - (4 - np.pi) * (0.08 * side) ** 2  # 55 pixels
    assert lit(shape="rounded").sum() == pytest.approx(rounded, abs=16)
    assert lit(shape="whole", rotation_deg=45).sum() == pytest.approx(
        side**2 - (np.sqrt(2) * side - HEIGHT) ** 2 / 2, rel=0.03
    )


def test_a_circle_shows_the_middle(drawn: Draw, halves: str) -> None:
    pixels = image(drawn(BLACK, ImageLayer(image=halves, size=50, shape="circle", **PLAIN)))
    row = pixels[HEIGHT // 2]
    assert np.count_nonzero(row[:, 0] > 128) == np.count_nonzero(row[:, 2] > 128) == 27


def test_an_image_turns_clockwise_and_smoothly(drawn: Draw, square: str) -> None:
    def turned(degrees: float) -> Pixels:
        layer = ImageLayer(image=square, size=80, shape="circle", rotation_deg=degrees, **PLAIN)
        return image(drawn(BLACK, layer))

    quarter = turned(90)
    top, bottom = quarter[HEIGHT // 4, WIDTH // 2], quarter[HEIGHT * 3 // 4, WIDTH // 2]
    assert top[0] > 200 > 50 > top[2], "what was on the left"
    assert bottom[2] > 200 > 50 > bottom[0]
    assert np.array_equal(turned(90 + 360 * 1000), quarter)
    # A fiftieth of a degree moves the rim by a seventieth of a pixel; nothing may jump.
    assert np.abs(LIGHT[turned(30)] - LIGHT[turned(30.02)]).max() < 0.03


def test_what_is_around_an_image(drawn: Draw, square: str) -> None:
    def around(**settings: Any) -> Pixels:
        layer = ImageLayer.model_validate(
            {"image": square, "size": 40, "shape": "rounded"} | PLAIN | settings
        )
        return image(drawn(GREY, layer)) - image(drawn(GREY))

    middle, edge = WIDTH // 2, round(HEIGHT * 0.3)
    assert np.abs(around()[: edge - 1]).max() <= 1
    shadow = around(shadow=1)[:, middle, 1]
    assert shadow[HEIGHT - edge + 2] < shadow[edge - 3] < 0, "it falls down"
    assert shadow[HEIGHT - edge + 2] <= -8
    glow = around(glow=1, glow_colour="#00ff00")
    assert (glow[[edge - 2, HEIGHT - edge + 1], middle, 1] > 60).all()
    assert (np.diff(glow[:edge, middle, 1]) >= -2).all(), "it falls off smoothly"
    assert np.abs(glow[:, :20]).max() <= 1
    rim = image(drawn(GREY, ImageLayer(image=square, size=40, border=4, **PLAIN)))
    assert rim[edge + 2, middle].tolist() == [255, 255, 255]
    assert rim[edge + 7, middle - 5].tolist() == [255, 0, 0]
    half = image(drawn(BLACK, ImageLayer(image=square, size=40, opacity=0.5, **PLAIN)))
    assert to_linear(half[HEIGHT // 2, middle - 9, 0] / 255) == pytest.approx(0.5, abs=0.01)


def test_a_logo_of_ours_casts_the_shadow_of_its_own_shape(drawn: Draw) -> None:
    white = BackgroundLayer(colour="#ffffff")
    layer = ImageLayer(image="builtin:social-logo", shape="whole", size=60, area="frame", shadow=1)
    pixels = image(drawn(white, layer))
    assert pixels[HEIGHT // 2, WIDTH // 2 - 25].max() < 80, "its dark badge"
    corner = round(HEIGHT * 0.2) + 2, round(WIDTH / 2 - HEIGHT * 0.3) + 2
    below = round(HEIGHT * 0.8) + 2, WIDTH // 2
    assert pixels[below].max() < pixels[corner].min() - 30


@pytest.mark.parametrize("size", [(144, 144), (40, 144)])
def test_extreme_images_are_drawn(
    gl_context: moderngl.Context, drawn: Draw, square: str, size: tuple[int, int]
) -> None:
    settings = {"image": square, "glow": 4, "shadow": 1, "border": 10, "margin": 50}
    for change in ({"size": 200, "rotation_deg": -1e6}, {"size": 0.01, "shape": "circle"}):
        layer = ImageLayer.model_validate(settings | change)
        image(drawn(BLACK, layer, BackgroundLayer(image=square, zoom=10, blur=20), size=size))
        image(drawn(BackgroundLayer(image=square, zoom=0.1, fit="contain"), layer, size=size))
    check_errors(gl_context, "images were drawn")


def test_layers_are_made_anew_without_their_files(drawn: Draw, tmp_path: Path) -> None:
    """As those are whose settings move: what is dear is at hand, or made of what is."""
    path = tmp_path / "cover.png"
    saved(path, (200, 200))
    layers: tuple[Layer, ...] = (
        BackgroundLayer(image="key", blur=1),
        ImageLayer(image="key", size=40),
    )
    renderer = drawn(*layers, find=lambda _: path)
    path.unlink()
    changes: tuple[dict[str, Any], ...] = (
        {"blur": 5.0, "zoom": 1.3},
        {"size": 55.0, "rotation_deg": 10.0, "glow": 1.0, "x": 0.4},
    )
    before = image(renderer)
    renderer._layers_at = lambda _: [  # type: ignore[method-assign]
        _remade(renderer, layer, change) for layer, change in zip(layers, changes, strict=True)
    ]
    renderer._on_plate = [False] * 2
    assert np.abs(image(renderer) - before).mean() > 2


def test_an_image_is_as_sharp_as_its_largest_layer_needs_it(drawn: Draw, halves: str) -> None:
    """And stands as still as the one that moves lets it: on whole pixels it would jump."""
    large = ImageLayer(image=halves, size=120, shape="whole", shadow=0)
    alone = image(drawn(BLACK, large))
    icon = large.model_copy(update={"size": 1.0, "x": 0.0, "y": 0.0})
    assert np.abs(image(drawn(BLACK, icon, large)) - alone).mean() < 0.5
    sharp = BackgroundLayer(image=halves)
    hidden = BackgroundLayer(image=halves, zoom=0.1)
    assert np.array_equal(image(drawn(hidden, sharp)), image(drawn(sharp)))
    moving = ImageLayer.model_validate(large.model_dump() | {"animate": {"x": "time / 9"}})
    still = large.model_copy(update={"opacity": 0.0})
    assert np.array_equal(image(drawn(BLACK, still, moving), 7), image(drawn(BLACK, moving), 7))


def _remade(renderer: Renderer, layer: Animated, change: dict[str, Any]) -> Any:
    from workers.layers import make_layer

    changed: Any = layer.model_copy(update=change)
    return make_layer(renderer._paintbox, renderer._scene, changed)
