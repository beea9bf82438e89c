"""Text: set by Pillow, drawn as masks in one colour."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import moderngl
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from shared.errors import MediaError
from shared.layout import Layout
from workers.fonts import open_font
from workers.gl.painter import QuadBrush

RGBA = tuple[float, float, float, float]

JOINERS: Final = "\u200c\u200d"
"""Zero width non-joiner and joiner: letters beside them take other shapes."""


def load_font(size_px: float, path: Path | None = None) -> ImageFont.FreeTypeFont:
    """A font at a size; the built-in one where no file is given.

    Raises:
        MediaError: The file holds no font.
    """
    if path is None:
        return open_font(size_px)
    try:
        return ImageFont.truetype(str(path), size_px)
    except OSError as exc:
        raise MediaError(f"The font cannot be read ({exc}); use a TTF or OTF file.") from exc


def one_line(text: str) -> str:
    """A text as one line of printable characters; MIDI files hold all kinds of others.

    Joiners stay: Persian, Indic scripts and emoji are spelled with them.
    """
    shown = (char for char in text if char.isprintable() or char.isspace() or char in JOINERS)
    return " ".join("".join(shown).split())


def missing_characters(text: str, path: Path | None = None) -> str:
    """The characters of a text that a font cannot draw, each once; the built-in font without one.

    Raises:
        MediaError: The file holds no font.
    """
    return missing_in(text, load_font(32, path))


def missing_in(text: str, font: ImageFont.FreeTypeFont) -> str:
    """The same for a font that is open.

    Raises:
        OSError: The font cannot be drawn with at its size.
    """
    unknown = bytes(font.getmask("\U0010ffff"))  # no font has this one: its box for the others
    shown = dict.fromkeys(char for char in one_line(text) if not char.isspace())
    return "".join(
        char
        for char in shown
        if char not in JOINERS
        and unicodedata.category(char) != "Cf"
        and bytes(font.getmask(char)) == unknown
    )


def best_font(text: str, path: Path | None) -> Path | None:
    """Of a font and the built-in one the better for a text: the given one where both are as good.

    Args:
        text: What is to be drawn.
        path: A font file, or None where there is only the built-in one.
    """
    if path is None or not missing_characters(text, path):
        return path
    return path if len(missing_characters(text)) >= len(missing_characters(text, path)) else None


def _upload(context: moderngl.Context, mask: Image.Image) -> moderngl.Texture:
    texture = context.texture(mask.size, 1, mask.tobytes(), alignment=1)
    texture.repeat_x = texture.repeat_y = False
    return texture


class TextBlock:
    """Centred lines of text, set once at their final size so that they are drawn pixel by pixel."""

    def __init__(
        self,
        context: moderngl.Context,
        layout: Layout,
        lines: Sequence[tuple[str, float]],
        *,
        widest_px: float,
        font: Path | None = None,
    ) -> None:
        """Set lines.

        Args:
            context: The context to draw in.
            layout: Gives the size of the frame.
            lines: Each line and the height of its letters in pixels.
            widest_px: A line that would be wider is set smaller.
            font: A font file, or None for the built-in one.
        """
        set_lines = []
        for text, size_px in lines:
            size = max(6.0, size_px)
            source = best_font(text, font)
            face = load_font(size, source)
            width = face.getlength(text)
            if width > widest_px:
                face = load_font(max(6.0, size * widest_px / width), source)
            set_lines.append((text, face))
        widths = [face.getlength(text) for text, face in set_lines] or [0.0]
        heights = [sum(face.getmetrics()) for _, face in set_lines]
        pad = 4 + int(0.35 * max((size for _, size in lines), default=0.0))
        self.width_px = int(max(widths)) + 2 * pad
        self.height_px = int(sum(heights)) + 2 * pad
        mask = Image.new("L", (self.width_px, self.height_px))
        pen = ImageDraw.Draw(mask)
        top = float(pad)
        for (text, face), height in zip(set_lines, heights, strict=True):
            pen.text((self.width_px / 2, top), text, fill=255, font=face, anchor="ma")
            top += height
        self._text = _upload(context, mask)
        # A soft halo of the opposite brightness keeps the text readable over anything.
        halo = mask.filter(ImageFilter.GaussianBlur(pad / 3))
        self._halo = _upload(context, halo.point([min(255, 3 * level) for level in range(256)]))
        self._brush = QuadBrush(context, layout, "sprite", {"box": 4, "piece": 4, "colour": 4})

    def draw(self, left: float, top: float, colour: RGBA) -> None:
        """Draw with the top left corner at whole pixels, in a linear colour."""
        box = (left, top, left + self.width_px, top + self.height_px)
        opposite = 0.0 if sum(colour[:3]) > 1.0 else 1.0
        halo = (opposite, opposite, opposite, 0.6 * colour[3])
        for texture, paint in ((self._halo, halo), (self._text, colour)):
            texture.use(0)
            self._brush.draw(np.array([[*box, 0, 0, 1, 1, *paint]], dtype=np.float32))


class TextSheet:
    """A few characters in one texture, for short labels that change all the time."""

    def __init__(
        self, context: moderngl.Context, layout: Layout, characters: str, *, size_px: float
    ) -> None:
        """Set each character once."""
        font = load_font(size_px)
        self.line_px = float(sum(font.getmetrics()))
        self._advance = {char: font.getlength(char) for char in characters}
        cell = int(max(self._advance.values())) + 4
        mask = Image.new("L", (cell * len(characters), int(self.line_px) + 2))
        pen = ImageDraw.Draw(mask)
        for place, char in enumerate(characters):
            pen.text((place * cell + 2, 0), char, fill=255, font=font)
        self._place = {char: place for place, char in enumerate(characters)}
        self._cell, self._size = cell, mask.size
        self._texture = _upload(context, mask)
        self._brush = QuadBrush(context, layout, "sprite", {"box": 4, "piece": 4, "colour": 4})
        self._rows: list[tuple[float, ...]] = []

    def add(self, text: str, left: float, top: float, colour: RGBA) -> None:
        """Put a text on the list of what is drawn next."""
        for char in text:
            u0 = self._place[char] * self._cell / self._size[0]
            u1 = (self._place[char] + 1) * self._cell / self._size[0]
            box = (left - 2, top, left - 2 + self._cell, top + self._size[1])
            self._rows.append((*box, u0, 0.0, u1, 1.0, *colour))
            left += self._advance[char]

    def flush(self) -> None:
        """Draw the list and empty it."""
        if self._rows:
            self._texture.use(0)
            self._brush.draw(np.array(self._rows, dtype=np.float32))
            self._rows.clear()
