"""What styles and layers look like: small reference frames, compared as eyes would."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import moderngl
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from shared.composition import (
    BackgroundLayer,
    Composition,
    Direction,
    Stage,
    parse_composition,
)
from shared.plan import Picture, VideoSpec
from shared.styles import STYLES, find_style
from tests.songs import a_song
from workers.hearing import Hearing
from workers.renderer import Renderer

pytestmark = pytest.mark.gl

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
EXAMPLES = {path.stem: path for path in sorted((ROOT / "docs" / "examples").glob("*.json"))}
SIZES = {"16x9": (160, 90), "1x1": (96, 96), "9x16": (90, 160)}
FRAME = 33

Pixels = NDArray[np.uint8]


def look(
    context: moderngl.Context, composition: Composition, shape: str = "16x9", frame: int = FRAME
) -> Pixels:
    """A frame, uint8 (height, width, 3)."""
    width, height = SIZES[shape]
    video = VideoSpec(width=width, height=height, fps=Fraction(30), crf=18, profile="high")
    picture = Picture(composition=composition, song_key="s", start_s=Fraction(0), video=video)
    song = a_song()
    hearing = Hearing.from_notes(song.notes, song.end_s) if composition.listens else None
    folder = ROOT / "docs" / "examples"
    data = Renderer(context, picture, song, folder.joinpath, hearing=hearing).pixels(frame)
    assert context.error == "GL_NO_ERROR"
    return np.frombuffer(data, dtype=np.uint8).reshape(height, width, 4)[:, :, :3]


def blurred(pixels: Pixels) -> NDArray[np.float64]:
    """Means of 2x2 pixels: another driver's anti-aliasing differs within a pixel."""
    wide = pixels.astype(np.float64)
    return (wide[:-1, :-1] + wide[1:, :-1] + wide[:-1, 1:] + wide[1:, 1:]) / 4


def looks_like(pixels: Pixels, golden: Pixels) -> bool:
    """Whether nobody would see a difference."""
    difference = np.abs(blurred(pixels) - blurred(golden))
    return bool(difference.mean() < 1.5 and np.percentile(difference, 99.5) < 24)


def compare(pixels: Pixels, name: str, request: pytest.FixtureRequest, folder: Path) -> Pixels:
    """See that a frame looks as its reference, which is drawn anew where that is asked for."""
    path = GOLDEN / f"{name}.png"
    if request.config.getoption("--update-golden"):
        GOLDEN.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(path, optimize=True)
    with Image.open(path) as file:
        golden = np.asarray(file.convert("RGB"))
    Image.fromarray(pixels).save(folder / path.name)
    assert looks_like(pixels, golden), f"compare {folder / path.name} with {path}"
    return golden


STYLE_LOOKS = [(style, shape) for style in STYLES for shape in SIZES]


@pytest.mark.parametrize(("style", "shape"), STYLE_LOOKS)
def test_a_style_looks_as_it_did(
    gl_context: moderngl.Context,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    style: str,
    shape: str,
) -> None:
    composition = find_style(style)
    golden = compare(
        look(gl_context, composition, shape), f"style_{style}_{shape}", request, tmp_path
    )
    # The comparison tells a frame from what is on screen a moment later.
    assert not looks_like(look(gl_context, composition, shape, FRAME + 6), golden)


@pytest.mark.parametrize("direction", Direction)
def test_the_default_style_looks_as_it_did_in_every_direction(
    gl_context: moderngl.Context,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    direction: Direction,
) -> None:
    style = next(iter(STYLES))
    composition = find_style(style)
    stage = composition.stage.model_copy(update={"direction": direction})
    turned = composition.model_copy(update={"stage": stage})
    compare(look(gl_context, turned), f"{style}_{direction}", request, tmp_path)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_layer_looks_as_it_did(
    gl_context: moderngl.Context, request: pytest.FixtureRequest, tmp_path: Path, name: str
) -> None:
    path = EXAMPLES[name]
    composition = parse_composition(path.read_text("utf-8"), path.name)
    golden = compare(look(gl_context, composition), f"layer_{name}", request, tmp_path)
    # Without what it is an example of, the picture is another.
    kind = name.split("-")[0]
    others = tuple(layer for layer in composition.layers if layer.type != kind)
    plain = {"layers": others or (BackgroundLayer(),), "finish": None, "stage": Stage()}
    without = composition.model_copy(update=plain)
    assert not looks_like(look(gl_context, without), golden)


def test_a_style_is_not_taken_for_another() -> None:
    images = []
    for style in STYLES:
        with Image.open(GOLDEN / f"style_{style}_16x9.png") as file:
            images.append(np.asarray(file.convert("RGB")))
    for one, other in itertools.combinations(images, 2):
        assert not looks_like(one, other)
