"""Fonts and what they can draw, and the labels that are drawn letter by letter."""

from __future__ import annotations

import io
import unicodedata
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from shared.errors import MediaError
from workers.easing import RGBA
from workers.fonts import open_font
from workers.gl.paintbox import Paintbox
from workers.gl.painter import QuadBrush

FontFile = Path | bytes
"""A font by its path, or what is in its file."""

F = TypeVar("F", Path, bytes)

JOINERS: Final = "\u200c\u200d"
"""Zero width non-joiner and joiner: letters beside them take other shapes."""


def load_font(size_px: float, font: FontFile | None = None) -> ImageFont.FreeTypeFont:
    """A font at a size; the built-in one where no file is given.

    Raises:
        MediaError: The file holds no font.
    """
    if font is None:
        return open_font(size_px)
    try:
        return ImageFont.truetype(io.BytesIO(font) if isinstance(font, bytes) else font, size_px)
    except OSError as exc:
        raise MediaError(f"The font cannot be read ({exc}); use a TTF or OTF file.") from exc


def one_line(text: str) -> str:
    """A text as one line of printable characters; MIDI files hold all kinds of others.

    Joiners stay: Persian, Indic scripts and emoji are spelled with them.
    """
    shown = (char for char in text if char.isprintable() or char.isspace() or char in JOINERS)
    return " ".join("".join(shown).split())


def missing_characters(text: str, font: FontFile | None = None) -> str:
    """The characters of a text that a font cannot draw, each once; the built-in font without one.

    Raises:
        MediaError: The file holds no font.
    """
    return missing_in(text, load_font(32, font))


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


def best_font(text: str, font: F | None) -> F | None:
    """Of a font and the built-in one the better for a text: the given one where both are as good.

    Args:
        text: What is to be drawn.
        font: A font file, or None where there is only the built-in one.
    """
    if font is None or not missing_characters(text, font):
        return font
    return font if len(missing_characters(text)) >= len(missing_characters(text, font)) else None


class TextSheet:
    """A few characters in one texture, for short labels that change all the time."""

    def __init__(self, paintbox: Paintbox, characters: str, *, size_px: float) -> None:
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
        self._texture = paintbox.mask(mask)
        self._brush = QuadBrush(paintbox, "sprite", {"box": 4, "piece": 4, "colour": 4})
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
