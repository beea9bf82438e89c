"""Faces: runs of letters with the fonts that they are set in, measured and drawn by Pillow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from workers.lettering.signs import SIGNS, advance, paint_sign
from workers.text import best_font, load_font, missing_characters

SMALLEST_PX: Final = 6.0
"""Letters are never set smaller: nobody could read them."""
_LARGEST_PX: Final = 1600.0
"""Nor larger, whatever is asked for: a texture has its limits."""
_TABULAR: Final = ["tnum"]
"""OpenType's feature of digits that are equally wide: a clock that does not tremble."""
_PIECES: Final = re.compile(f"[{SIGNS}]|[^{SIGNS}]+")
_PLAIN: Final = 0x0590
"""First letter of the scripts that cannot be spaced out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Letters of one size."""

    text: str
    """What they are, without line breaks."""
    size_px: float
    """Size of the font."""
    rise_px: float = 0.0
    """How far they stand above the line."""
    tracking: float = 0.0
    """Space between letters in parts of their size; only for scripts that bear it."""


Line = tuple[Run, ...]


@dataclass(frozen=True, kw_only=True)
class Face:
    """A run with the font that it is set in."""

    run: Run
    """The run."""
    rise_px: float
    """How far it stands above the line."""
    font: ImageFont.FreeTypeFont
    """The font at its size."""
    features: list[str] | None
    """OpenType features that are asked for."""
    own_signs: str
    """Signs that the font has not."""

    @property
    def spaced(self) -> bool:
        """Whether its letters are drawn one by one."""
        return bool(self.run.tracking) and all(ord(char) < _PLAIN for char in self.run.text)

    def _pieces(self, text: str) -> list[str]:
        """What is drawn at once: everything, but for signs that the font has not."""
        if not any(sign in text for sign in self.own_signs):
            return [text]
        return _PIECES.findall(text)

    def _length(self, text: str) -> float:
        if self.own_signs and text in self.own_signs:
            return advance(text, self.font.size)
        return float(self.font.getlength(text, features=self.features))

    def measure(self, text: str) -> float:
        """How wide some other text would be in the same font."""
        return sum(self._length(piece) for piece in self._pieces(text))

    def width(self) -> float:
        """How wide it is in pixels."""
        spread = self.run.tracking * self.font.size * (len(self.run.text) - 1)
        return self.measure(self.run.text) + (spread if self.spaced else 0.0)

    def draw(self, mask: Image.Image, x: float, baseline: float) -> None:
        """Draw it with its left end and its baseline there."""
        pen = ImageDraw.Draw(mask)
        baseline -= self.rise_px
        if self.spaced:
            for place, char in enumerate(self.run.text):
                left = x + self._length(self.run.text[:place])
                left += place * self.run.tracking * self.font.size
                pen.text((left, baseline), char, fill=255, font=self.font, anchor="ls")
            return
        for piece in self._pieces(self.run.text):
            if piece and piece in self.own_signs:
                paint_sign(mask, piece, x, baseline, self.font.size)
            else:
                pen.text(
                    (x, baseline),
                    piece,
                    fill=255,
                    font=self.font,
                    anchor="ls",
                    features=self.features,
                )
            x += self._length(piece)


def face_for(run: Run, data: bytes | None, *, scale: float = 1.0, tabular: bool = False) -> Face:
    """A run with the better of a font and the built-in one for it."""
    lettered = re.sub(f"[{SIGNS}]", "", run.text)
    size = min(max(run.size_px * scale, SMALLEST_PX), _LARGEST_PX)
    source = best_font(lettered, data)
    font = load_font(size, source)
    used = "".join(sign for sign in SIGNS if sign in run.text)
    own = missing_characters(used, source) if used else ""
    return Face(
        run=run,
        rise_px=run.rise_px * scale,
        font=font,
        features=_TABULAR if tabular else None,
        own_signs=own,
    )
