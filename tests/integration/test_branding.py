"""Watermarks and end cards: in their places, readable, and not over what they should leave."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import pytest
import zxingcpp
from numpy.typing import NDArray
from PIL import Image

from shared.branding import PLATFORM_NAMES, Branding, EndCard, Position, SocialLinks, Watermark
from shared.colour import from_linear, to_linear
from shared.composition import BackgroundLayer, Composition, KeyboardLayer, PianoRollLayer
from shared.errors import CompositionError
from shared.layout import Rect, lay_out
from shared.plan import Picture, VideoSpec
from shared.safe_area import WHOLE, SafeArea, safe_area
from shared.styles import find_style
from shared.templates import TEMPLATES, find_template
from shared.timebase import FrameRange
from tests.conftest import Program
from tests.songs import SongFile
from workers.card import paint_card
from workers.encode import encode_segment
from workers.logos import draw_logo, logo_names
from workers.renderer import Renderer

pytestmark = pytest.mark.gl

GOLDEN = Path(__file__).parents[1] / "golden"
FPS = 10
CARD_S = 2
BLACK = BackgroundLayer(colour="#000000")
STILL = Composition(layers=(BLACK,))
MUSIC = Composition(layers=(BLACK, PianoRollLayer(), KeyboardLayer()))
SIZES = {"16:9": (192, 108), "9:16": (108, 192), "1:1": (108, 108), "4:5": (108, 134)}
"""By shape; the last one is as near as even sides come."""
POSITIONS: tuple[Position, ...] = (
    "top-left",
    "top-right",
    "bottom-left",
    "bottom-right",
    "center",
)

Pixels = NDArray[np.uint8]
MakeRenderer = Callable[..., Renderer]


@pytest.fixture
def make_renderer(gl_context: moderngl.Context) -> MakeRenderer:
    """Makes renderers of branded pictures."""

    def make(branding: Branding | None, **fields: Any) -> Renderer:
        song = SongFile("A song").note(0, 1, 60).note(1, 4, 67).note(2, 4, 52).song()
        return Renderer(gl_context, picture(branding, **fields), song, Path)

    return make


def picture(
    branding: Branding | None,
    *,
    size: tuple[int, int] = (192, 108),
    composition: Composition = MUSIC,
    area: SafeArea = WHOLE,
    pixel_format: str = "yuv420p",
    fade_out: tuple[Fraction, Fraction] | None = None,
) -> Picture:
    plain = {"width": size[0], "height": size[1], "fps": FPS, "pixel_format": pixel_format}
    return Picture(
        composition=composition,
        song_key="songs/test",
        start_s=Fraction(0),
        video=VideoSpec.model_validate(plain | {"crf": 28, "profile": "high"}),
        branding=branding,
        card_s=Fraction(CARD_S) if branding and branding.end_card else None,
        safe_area=area,
        fade_out=fade_out,
    )


def image(renderer: Renderer, frame: int, size: tuple[int, int] = (192, 108)) -> Pixels:
    """A frame, uint8 (height, width, 4)."""
    pixels = np.frombuffer(renderer.pixels(frame), dtype=np.uint8)
    return pixels.reshape(size[1], size[0], 4)


def box_of(changed: NDArray[np.bool_]) -> Rect:
    """The smallest rectangle around what is set."""
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    return Rect(columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)


@pytest.fixture
def white(tmp_path: Path) -> str:
    """An opaque white image, twice as wide as high."""
    path = tmp_path / "white.png"
    Image.new("RGB", (400, 200), "white").save(path)
    return str(path)


def marked(name: str, **fields: Any) -> Branding:
    plain = {"image": name, "opacity": 1.0, "scale": 0.2}
    return Branding(watermark=Watermark.model_validate(plain | fields))


# The watermark.


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("ratio", SIZES)
def test_a_watermark_stands_where_it_should(
    make_renderer: MakeRenderer, white: str, position: Position, ratio: str
) -> None:
    size = width, height = SIZES[ratio]
    area = safe_area(ratio)
    fields = {"size": size, "area": area}
    plain = image(make_renderer(None, **fields), 5, size)
    seen = image(make_renderer(marked(white, position=position), **fields), 5, size)
    box = box_of((plain != seen).any(axis=2))
    assert box.x1 - box.x0 == round(0.2 * width)
    assert box.y1 - box.y0 == pytest.approx(0.1 * width, abs=1)
    place = lay_out(MUSIC, width, height, 52, 67, area).open
    margin = 0.035 * min(width, height)
    across = {
        "left": box.x0 - place.x0 - margin,
        "right": place.x1 - margin - box.x1,
        "center": (box.x0 + box.x1 - place.x0 - place.x1) / 2,
    }[position.rpartition("-")[2]]
    down = {
        "top": box.y0 - place.y0 - margin,
        "bottom": place.y1 - margin - box.y1,
        "center": (box.y0 + box.y1 - place.y0 - place.y1) / 2,
    }[position.partition("-")[0]]
    assert (across, down) == pytest.approx((0, 0), abs=1)


@pytest.mark.parametrize("opacity", [0.0, 0.3, 0.5, 1.0])
def test_opacity_is_a_share_of_light(
    make_renderer: MakeRenderer, white: str, opacity: float
) -> None:
    renderer = make_renderer(marked(white, opacity=opacity, position="center"), composition=STILL)
    assert image(renderer, 0)[54, 96, 0] == pytest.approx(255 * from_linear(opacity), abs=1)


def test_what_is_half_transparent_lets_half_the_light_through(
    make_renderer: MakeRenderer, tmp_path: Path
) -> None:
    path = tmp_path / "half.png"
    Image.new("RGBA", (10, 10), (255, 0, 0, 128)).save(path)
    composition = Composition(layers=(BackgroundLayer(colour="#0000ff"),))
    renderer = make_renderer(marked(str(path), position="center"), composition=composition)
    red, green, blue, alpha = (int(value) for value in image(renderer, 0)[54, 96])
    assert to_linear(red / 255) == pytest.approx(128 / 255, abs=0.01)
    assert to_linear(blue / 255) == pytest.approx(127 / 255, abs=0.01)
    assert (green, alpha) == (0, 255)


@pytest.mark.parametrize("size", [(16, 16), (4000, 10), (10, 4000)])
def test_an_image_of_any_shape_stays_in_its_place(
    make_renderer: MakeRenderer, tmp_path: Path, size: tuple[int, int]
) -> None:
    path = tmp_path / "odd.png"
    Image.new("RGB", size, "white").save(path)
    branding = marked(str(path), scale=1.0, position="center")
    plain, seen = image(make_renderer(None), 0), image(make_renderer(branding), 0)
    box = box_of((plain != seen).any(axis=2))
    place = lay_out(MUSIC, 192, 108, 52, 67).open
    assert place.x0 < box.x0 < box.x1 < place.x1
    assert place.y0 < box.y0 < box.y1 < place.y1


def test_a_watermark_is_drawn_once_where_nothing_moves_beneath(
    make_renderer: MakeRenderer, white: str
) -> None:
    assert make_renderer(marked(white), composition=STILL)._on_plate == [True, True]
    assert make_renderer(marked(white))._on_plate[-1] is False


def test_branded_frames_are_the_same_in_any_order(make_renderer: MakeRenderer) -> None:
    branding = find_template("social-media-pack").branding
    frames = [0, 19, 20, 22, 30]
    renderer = make_renderer(branding)
    forwards = [renderer.pixels(frame) for frame in frames]
    backwards = [renderer.pixels(frame) for frame in reversed(frames)]
    alone = [make_renderer(branding).pixels(frame) for frame in frames]
    assert forwards == backwards[::-1] == alone
    assert len(set(forwards)) == len(frames)


# The end card.


def test_the_card_takes_the_place_of_everything(make_renderer: MakeRenderer, white: str) -> None:
    card = EndCard(duration=3, background_color="#204060", text="")
    branding = marked(white).model_copy(update={"end_card": card})
    renderer = make_renderer(branding)
    before = image(renderer, CARD_S * FPS - 1)
    assert (before[..., :3] == 255).all(axis=2).any(), "the watermark"
    during = image(renderer, CARD_S * FPS + 2)
    assert not np.array_equal(before, during)
    for frame in (CARD_S * FPS + 4, CARD_S * FPS + 29):
        after = image(renderer, frame)
        assert (after == (0x20, 0x40, 0x60, 255)).all()
    transparent = make_renderer(branding, pixel_format="yuva444p10le")
    filled = image(transparent, CARD_S * FPS + 10)
    assert np.abs(filled.astype(int) - (0x20, 0x40, 0x60, 255)).max() <= 1


def test_a_card_appears_evenly_and_within_its_own_time(make_renderer: MakeRenderer) -> None:
    card = EndCard(duration=3, background_color="#ffffff", text="")
    renderer = make_renderer(Branding(end_card=card), composition=STILL)
    light = [int(image(renderer, frame)[5, 5, 0]) for frame in range(18, 26)]
    assert light[:2] == [0, 0]
    assert light == sorted(light)
    assert 0 < light[3] < 255
    assert light[6:] == [255, 255]


def full_card(**fields: Any) -> EndCard:
    plain: dict[str, Any] = {
        "logo": "builtin:end-card-logo",
        "text": "Thank you for listening, and see you next week",
        "social_media": SocialLinks(
            handles={"youtube": "@mymusic", "twitter": "@mymusic"}, show_qr_code=True
        ),
    }
    return EndCard.model_validate(plain | fields)


@pytest.mark.parametrize("ratio", SIZES)
def test_all_of_a_card_is_in_the_safe_area(ratio: str) -> None:
    width, height = (5 * side for side in SIZES[ratio])
    area = safe_area(ratio)
    safe = lay_out(STILL, width, height, 60, 60, area).safe_middle
    card = np.asarray(paint_card(full_card(), width, height, safe, Path))
    box = box_of((card != (0x1A, 0x1A, 0x1A)).any(axis=2))
    assert safe.x0 <= box.x0 < box.x1 <= safe.x1
    assert safe.y0 <= box.y0 < box.y1 <= safe.y1
    # It is filled, not a stamp in the middle.
    assert box.y1 - box.y0 > 0.6 * (safe.y1 - safe.y0)


@pytest.mark.parametrize("colour", ["#000000", "#1a1a1a", "#808080", "#f4efe4", "#ffff00"])
def test_letters_stand_out_from_any_background(colour: str) -> None:
    card = EndCard(background_color=colour, text="Readable")
    pixels = np.asarray(paint_card(card, 320, 180, Rect(0, 0, 320, 180), Path)) / 255
    linear = np.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4)
    light = linear @ (0.2126, 0.7152, 0.0722)
    # WCAG 2.2, 1.4.3: 3 to 1 for large letters.
    assert (light.max() + 0.05) / (light.min() + 0.05) > 3


@pytest.mark.parametrize("size", [(16, 16), (64, 36), (80, 142), (8192, 16)])
def test_the_smallest_frames_have_a_card_as_well(size: tuple[int, int]) -> None:
    long = {"youtube": "https://music.example/" + "x" * 78}
    card = full_card(text="word " * 59, social_media=SocialLinks(handles=long, show_qr_code=True))
    assert paint_card(card, *size, Rect(0, 0, *size), Path).size == size


def test_a_card_of_every_platform_names_each() -> None:
    handles = dict.fromkeys(("youtube", "instagram", "tiktok", "twitter", "facebook"), "@me")
    handles |= dict.fromkeys(("spotify", "soundcloud", "bandcamp", "twitch", "website"), "me.eu")
    assert handles.keys() == PLATFORM_NAMES.keys()
    whole = full_card(social_media={"handles": handles})
    cards = [whole]
    for name in handles:
        fewer = {key: value for key, value in handles.items() if key != name}
        cards.append(full_card(social_media={"handles": fewer}))
    images = [paint_card(card, 320, 180, Rect(0, 0, 320, 180), Path).tobytes() for card in cards]
    assert len(set(images)) == len(images)


# The QR code, from an encoded video.


def frame_of(
    renderer: Renderer, number: int, shown: Picture, tmp_path: Path, ffmpeg: Program
) -> Image.Image:
    """A frame of an encoded video, decoded by another program than ours."""
    span = FrameRange(number, number + 4)
    data = encode_segment(renderer.frames(range(span.start, span.stop)), shown.video, span)
    (tmp_path / "segment.mp4").write_bytes(data)
    picked = ("-vf", "select=eq(n\\,2)", "-frames:v", "1")
    ffmpeg("-i", tmp_path / "segment.mp4", *picked, tmp_path / "frame.png")
    with Image.open(tmp_path / "frame.png") as file:
        return file.convert("RGB")


@pytest.mark.ffmpeg
@pytest.mark.parametrize(
    ("size", "ratio"),
    [
        ((1920, 1080), "16:9"),
        ((320, 180), "16:9"),
        ((180, 320), "9:16"),
        ((144, 144), "1:1"),
        ((216, 270), "4:5"),
    ],
)
def test_the_code_is_read_from_the_video(
    make_renderer: MakeRenderer,
    ffmpeg: Program,
    tmp_path: Path,
    size: tuple[int, int],
    ratio: str,
) -> None:
    branding = find_template("social-media-pack").branding
    fields = {"size": size, "area": safe_area(ratio)}
    shown = picture(branding, **fields)
    frame = frame_of(make_renderer(branding, **fields), 30, shown, tmp_path, ffmpeg)
    assert frame.size == size
    [code] = zxingcpp.read_barcodes(frame)
    assert code.text == "https://www.youtube.com/@yourmusic"
    corners = code.position
    side = corners.bottom_right.x - corners.top_left.x
    assert side > 0.15 * min(size), "a phone reads it from across a room"


def test_a_code_says_what_it_is_asked_to(make_renderer: MakeRenderer) -> None:
    links = SocialLinks(show_qr_code=True, qr_url="https://music.example/" + "long/" * 90)
    renderer = make_renderer(Branding(end_card=EndCard(social_media=links)), size=(640, 360))
    [code] = zxingcpp.read_barcodes(image(renderer, 30, (640, 360))[..., :3].copy())
    assert code.text == links.qr_url


# The fade to black.


def test_the_picture_fades_to_black_in_its_time(make_renderer: MakeRenderer) -> None:
    span = (Fraction(1), Fraction(2))
    white = Composition(layers=(BackgroundLayer(colour="#ffffff"),))
    renderer = make_renderer(None, composition=white, fade_out=span)
    frames = [image(renderer, frame) for frame in range(8, 23)]
    light = [int(frame[50, 50, 0]) for frame in frames]
    assert light[:3] == [255, 255, 255]
    assert light[2:13] == sorted(set(light[2:13]), reverse=True)
    assert light[12:] == [0, 0, 0]
    assert 90 < light[7] < 165, "evenly, to the eye"
    assert all((frame[..., 3] == 255).all() for frame in frames)


def test_what_is_transparent_fades_to_nothing(make_renderer: MakeRenderer) -> None:
    span = (Fraction(1, 2), Fraction(1))
    renderer = make_renderer(None, fade_out=span, pixel_format="yuva420p")
    assert image(renderer, 4)[..., 3].max() == 255, "the keyboard"
    assert 0 < image(renderer, 8)[..., 3].max() < 255
    assert image(renderer, 10)[..., 3].max() == 0


# Logos and looks.


@pytest.mark.parametrize("name", logo_names())
@pytest.mark.parametrize("width", [1, 7, 108, 600])
def test_the_logos_are_drawn_at_any_size(name: str, width: int) -> None:
    logo = draw_logo(name, width)
    assert logo.width == width
    assert logo.mode == "RGBA"
    alpha = np.asarray(logo)[..., 3]
    assert alpha.max() > 0
    if width > 100:
        assert alpha[0, 0] == 0
        assert alpha.max() == 255


def test_templates_use_logos_that_exist_and_others_are_refused() -> None:
    for template in TEMPLATES.values():
        mark, card = template.branding.watermark, template.branding.end_card
        names = {mark.image_url if mark else None, card.logo_url if card else None} - {None}
        assert names <= set(logo_names())
    with pytest.raises(CompositionError, match="choose one of builtin:minimal-logo"):
        draw_logo("builtin:other-logo", 10)


def looks_like(pixels: Pixels, golden: Pixels) -> bool:
    """Whether nobody would see a difference; another driver's edges differ within a pixel."""
    blurred = [
        (wide[:-1, :-1] + wide[1:, :-1] + wide[:-1, 1:] + wide[1:, 1:]) / 4
        for wide in (pixels.astype(np.float64), golden.astype(np.float64))
    ]
    difference = np.abs(blurred[0] - blurred[1])
    return bool(difference.mean() < 1.5 and np.percentile(difference, 99.5) < 24)


LOOKS = [("watermark", "16:9", 12), ("watermark", "9:16", 12)] + [
    ("card", ratio, 30) for ratio in SIZES
]


@pytest.mark.parametrize(("what", "ratio", "frame"), LOOKS)
def test_branding_looks_as_it_did(
    make_renderer: MakeRenderer,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    what: str,
    ratio: str,
    frame: int,
) -> None:
    larger = 2 if what == "card" else 1
    size = larger * SIZES[ratio][0], larger * SIZES[ratio][1]
    branding = find_template("social-media-pack").branding
    fields = {"size": size, "area": safe_area(ratio), "composition": find_style("aurora")}
    pixels = image(make_renderer(branding, **fields), frame, size)[..., :3]
    path = GOLDEN / f"branding_{what}_{ratio.replace(':', 'x')}.png"
    if request.config.getoption("--update-golden"):
        Image.fromarray(pixels).save(path, optimize=True)
    with Image.open(path) as file:
        golden = np.asarray(file.convert("RGB"))
    Image.fromarray(pixels).save(tmp_path / path.name)
    assert looks_like(pixels, golden), f"compare {tmp_path / path.name} with {path}"


def test_the_looks_differ_from_each_other() -> None:
    looks = []
    for what, ratio, _ in LOOKS:
        with Image.open(GOLDEN / f"branding_{what}_{ratio.replace(':', 'x')}.png") as file:
            looks.append(np.asarray(file.convert("RGB").resize((96, 96))))
    for one, other in itertools.combinations(looks, 2):
        assert not looks_like(one, other)
