"""Draws the pictures of the documentation: every style in three shapes, and every layer.

    .venv/bin/python -m deploy.gallery [STYLE_OR_EXAMPLE …]

The music is the demo's, Bach's Prelude in C, or that of --song. Writes docs/images/styles,
docs/images/layers, the cover that they show, the thumbnails of the API, and docs/gallery.md.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Final

import moderngl
from PIL import Image, ImageDraw

from deploy.demo.prelude import write
from shared.composition import Composition, parse_composition
from shared.dressing import Dressing, dress
from shared.plan import Picture, VideoSpec
from shared.styles import STYLES, find_style
from workers.gl.context import open_context
from workers.hearing import Hearing
from workers.midi import Song, read_midi
from workers.preview.images import fitted
from workers.renderer import Renderer

ROOT: Final = Path(__file__).parents[1]
DOCS: Final = ROOT / "docs"
EXAMPLES: Final = DOCS / "examples"
PICTURES: Final = DOCS / "images"
THUMBNAILS: Final = ROOT / "shared" / "styles" / "thumbnails"

_AT_S: Final = 57.4
"""Song time that is shown: the prelude's low chords, some notes at once on the keyboard."""
_SHAPES: Final = {"16x9": (1920, 1080), "1x1": (1080, 1080), "9x16": (1080, 1920)}
_WIDTHS: Final = {"16x9": 960, "1x1": 480, "9x16": 300}
"""Pixels per row of the pictures, by shape; drawn larger and scaled down."""
_THUMBNAIL: Final = 480
_LAYER: Final = (1280, 720)
_LAYER_WIDTH: Final = 640
_QUALITY: Final = 86
_HEAD: Final = """# Gallery

Every built-in style, drawn by `make gallery` from Bach's Prelude in C, all at the same moment, with
`--artist` and `--cover`; your own [title, cover, background and
lyrics](compositions.md#your-own-title-cover-background-and-lyrics) go into each. A style is a
[composition](compositions.md): copy [one](../shared/styles), change it, and give it to
`--composition`.
"""
_SECTION: Final = """
## {style}

{description}

    midifarm render SONG.mid --style {style} -o SONG.mp4

![{style} in 16:9](images/styles/{style}-16x9.jpg)

![{style} in 1:1](images/styles/{style}-1x1.jpg) ![{style} in 9:16](images/styles/{style}-9x16.jpg)
"""
_COVER: Final = "cover.jpg"
_COVER_PX: Final = 480
_DRESSING: Final = Dressing(artist="Johann Sebastian Bach", cover=_COVER)


def main() -> None:
    """Draw and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="Only these styles and examples.")
    parser.add_argument("--song", type=Path, help="Another piece.")
    parser.add_argument("--at", type=float, default=_AT_S, help="Where in it, in seconds.")
    options = parser.parse_args()
    song = _read(options.song)
    hearing = Hearing.from_notes(song.notes, song.end_s)
    cover().save(EXAMPLES / _COVER, quality=_QUALITY, optimize=True)
    with open_context() as context:
        for style in STYLES:
            if not options.names or style in options.names:
                for shape, size in _SHAPES.items():
                    dressed = dress(find_style(style), _DRESSING)
                    picture = draw(context, dressed, song, hearing, size, options.at)
                    _save(picture, PICTURES / f"styles/{style}-{shape}.jpg", _WIDTHS[shape])
                    if shape == "16x9":
                        _save(picture, THUMBNAILS / f"{style}.jpg", _THUMBNAIL)
        for path in sorted(EXAMPLES.glob("*.json")):
            if not options.names or path.stem in options.names:
                example = parse_composition(path.read_text("utf-8"), path.name)
                picture = draw(context, example, song, hearing, _LAYER, options.at)
                _save(picture, PICTURES / f"layers/{path.stem}.jpg", _LAYER_WIDTH)
    (DOCS / "gallery.md").write_text(page(), "utf-8")


def draw(
    context: moderngl.Context,
    composition: Composition,
    song: Song,
    hearing: Hearing,
    size: tuple[int, int],
    at_s: float,
) -> Image.Image:
    """The frame of a composition at a song time, counted from the start of the video."""
    width, height = size
    video = VideoSpec(width=width, height=height, fps=Fraction(30), crf=18, profile="high")
    picture = Picture(composition=composition, song_key="", start_s=Fraction(0), video=video)
    heard = hearing if composition.listens else None
    renderer = Renderer(context, picture, song, EXAMPLES.joinpath, hearing=heard)
    data = renderer.pixels(round(at_s * 30))
    return Image.frombytes("RGBA", size, data).convert("RGB")


def cover() -> Image.Image:
    """A cover for the pictures: a low sun behind hills, over the keys of a piano."""
    large = 4 * _COVER_PX
    picture = Image.new("RGB", (large, large))
    pen = ImageDraw.Draw(picture)
    for row in range(large):
        blend = [
            round(low + (high - low) * row / large)
            for low, high in zip((44, 32, 92), (255, 148, 92), strict=True)
        ]
        pen.line((0, row, large, row), fill=tuple(blend))
    pen.ellipse((large * 0.29, large * 0.24, large * 0.71, large * 0.66), fill=(255, 224, 160))
    for height, tilt, ink in ((0.58, 0.10, (120, 56, 104)), (0.66, -0.12, (62, 32, 82))):
        ridge = [
            (
                large * x / 64,
                large * (height + tilt * (x / 64 - 0.5) + 0.05 * math.sin(x / 6 + tilt)),
            )
            for x in range(65)
        ]
        pen.polygon([*ridge, (large, large), (0, large)], fill=ink)
    key = large / 14
    for number in range(14):
        left = number * key
        pen.rectangle((left, large * 0.82, left + key - large / 160, large), fill=(250, 240, 226))
    for number in (0, 1, 3, 4, 5, 7, 8, 10, 11, 12):
        middle = (number + 1) * key
        pen.rectangle(
            (middle - key * 0.3, large * 0.82, middle + key * 0.3, large * 0.92), fill=(28, 18, 40)
        )
    return picture.resize((_COVER_PX, _COVER_PX), Image.Resampling.LANCZOS)


def page() -> str:
    """The gallery as Markdown."""
    return _HEAD + "".join(
        _SECTION.format(style=style, description=description)
        for style, description in STYLES.items()
    )


def _read(song: Path | None) -> Song:
    if song is not None:
        return read_midi(song.read_bytes())
    with tempfile.TemporaryDirectory(prefix="midifarm-gallery-") as folder:
        path = Path(folder) / "prelude.mid"
        write(path)
        return read_midi(path.read_bytes())


def _save(picture: Image.Image, path: Path, width: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fitted(picture, width).save(path, quality=_QUALITY, optimize=True)


if __name__ == "__main__":
    main()
