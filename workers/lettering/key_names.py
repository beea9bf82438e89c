"""The names of keys, set once in one texture and drawn anywhere at once."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from shared.composition.notes import NoteNames
from shared.pitch_names import LOWEST_SHARP, Naming, place_name, place_of
from workers.easing import RGBA
from workers.gl.paintbox import Paintbox
from workers.gl.painter import Floats, QuadBrush
from workers.lettering.signs import SIGNS, advance, paint_sign
from workers.text import load_font

SMALLEST_PX: Final = 7.5
"""Letters that would be smaller are left out: they cannot be read."""

_FINER: Final = 4
"""Names are set so many times larger and then reduced: the signs have no hints of their own."""
_CAPITAL: Final = 0.73
"""Height of a capital letter of the built-in font in ems."""
_LEGIBLE: Final = 2.6
"""Contrast from which on the ink that is asked for is taken. WCAG 2.2 asks for 3 of large text;
the eye is milder with white on saturated colours than its formula."""
_DARK: Final = 0.006
"""Linear grey of the ink on light notes."""


def name_of(key: int, names: NoteNames, lowest: int = LOWEST_SHARP) -> str:
    """How a MIDI key is called; 60 is C4, and the key below it B3 or C♭4.

    Args:
        key: The key.
        names: In which manner.
        lowest: Where names begin on the line of fifths: sharps, or the flats of the song's key.
    """
    naming: Naming = names if names in ("solfege", "german") else "english"
    place = place_of(key % 12, lowest)
    name = place_name(place, naming)
    if names != "octaves":
        return name
    # An octave is that of the letter: C flat lies beyond the B below it, B sharp beyond the C.
    natural = key - (place + 1) // 7
    return f"{name}{natural // 12 - 1}"


class KeyNames:
    """The names of some keys, each at a size of its own, in one texture."""

    def __init__(self, paintbox: Paintbox, names: tuple[str, ...], sizes_px: Floats) -> None:
        """Set them.

        Args:
            paintbox: What to draw with.
            names: Of each MIDI key, 128; empty where a key has none.
            sizes_px: Height of an em of each, float32 (128,); below SMALLEST_PX there is none.
        """
        self._brush = QuadBrush(paintbox, "sprite", {"box": 4, "piece": 4, "colour": 4})
        set_names = [
            _set(name, float(size)) if name and size >= SMALLEST_PX else None
            for name, size in zip(names, sizes_px, strict=True)
        ]
        masks = [mask for mask in set_names if mask is not None]
        self.shown: NDArray[np.bool_] = np.array([mask is not None for mask in set_names])
        """Whether each MIDI key has a name that can be read, (128,)."""
        self.sizes_px: Floats = sizes_px
        """Height of an em of each name, (128,)."""
        self.extents: Floats = np.zeros((128, 2), dtype=np.float32)
        """Width and height of each name in pixels, with a pixel around it, (128, 2)."""
        wide = max((mask.width for mask in masks), default=1)
        high = max((mask.height for mask in masks), default=1)
        sheet = Image.new("L", (wide * 16, high * 8))
        self._pieces = np.zeros((128, 4), dtype=np.float32)
        for key, mask in enumerate(set_names):
            if mask is not None:
                left, top = key % 16 * wide, key // 16 * high
                sheet.paste(mask, (left, top))
                self.extents[key] = mask.size
                self._pieces[key] = left, top, left + mask.width, top + mask.height
        self._pieces /= np.array([*sheet.size, *sheet.size], dtype=np.float32)
        self._texture = paintbox.texture(sheet.size, 1, sheet.tobytes(), alignment=1)

    @classmethod
    def fitting(
        cls,
        paintbox: Paintbox,
        names: tuple[str, ...],
        rooms_px: Floats,
        *,
        most: float,
        upright: bool = False,
    ) -> KeyNames:
        """Those that fit the widths of their keys; made once for equal arguments.

        Keys of equal width get one size, that of the longest name among them.

        Args:
            paintbox: What to draw with.
            names: Of each MIDI key, 128; empty where a key has none.
            rooms_px: Width for each name, (128,).
            most: The largest height of an em, as a fraction of the width.
            upright: Whether the widths lie across lines of text: then only ``most`` counts.
        """
        face = load_font(100)
        ems = np.array([max(_length(name, face) / 100, 0.3) for name in names])
        rooms = np.round(rooms_px, 1)
        sizes = np.zeros(128, dtype=np.float32)
        for room in np.unique(rooms):
            alike = rooms == room
            size = room * most if upright else min(room * most, 0.86 * room / ems[alike].max())
            sizes[alike] = round(float(size), 1)
        facts = ("key names", names, tuple(sizes.tolist()))
        return paintbox.keep(facts, lambda: cls(paintbox, names, sizes))

    def draw(
        self,
        keys: NDArray[np.integer],
        x: ArrayLike,
        y: ArrayLike,
        colours: ArrayLike,
        scale: ArrayLike = 1.0,
    ) -> None:
        """Draw the names of keys at once.

        Args:
            keys: MIDI keys, (n,).
            x: Middle of each name in pixels, (n,).
            y: The same.
            colours: Linear, not premultiplied, (n, 4).
            scale: Size beside that of which they were set, (n,) or one for all.
        """
        rows = np.empty((len(keys), 12), dtype=np.float32)
        half = self.extents[keys] * (0.5 * np.reshape(scale, (-1, 1)))
        middle = np.stack([x, y], axis=1)
        rows[:, 0:2], rows[:, 2:4] = middle - half, middle + half
        rows[:, 4:8] = self._pieces[keys]
        rows[:, 8:12] = colours
        self._texture.use(0)
        self._brush.draw(rows)


def inks(grounds: Floats, wanted: RGBA) -> Floats:
    """The ink of names on some colours: the one wanted, or near black where it cannot be read.

    Args:
        grounds: Linear colours that are written on, (n, 3).
        wanted: Linear colour of the ink.

    Returns:
        Linear colours, float32 (n, 4).
    """
    light = np.clip(grounds, 0, 1) @ np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
    own = float(np.dot(wanted[:3], (0.2126, 0.7152, 0.0722)))
    contrast = (np.maximum(light, own) + 0.05) / (np.minimum(light, own) + 0.05)
    readable = (contrast >= _LEGIBLE) | (contrast >= (light + 0.05) / (_DARK + 0.05))
    ink = np.empty((len(grounds), 4), dtype=np.float32)
    ink[:] = _DARK, _DARK, _DARK, wanted[3]
    ink[readable] = wanted
    return ink


def _length(text: str, face: ImageFont.FreeTypeFont) -> float:
    """Width of a name in pixels."""
    return sum(advance(char, face.size) if char in SIGNS else face.getlength(char) for char in text)


def _set(text: str, size_px: float) -> Image.Image:
    """A name as a mask, its capitals in the middle of the height."""
    size = size_px * _FINER
    face = load_font(size)
    width = int(np.ceil(_length(text, face) / _FINER)) + 2
    # Letters like g hang below the line as far as there is room above the capitals.
    height = int(np.ceil(size_px * (_CAPITAL + 0.5))) + 2
    mask = Image.new("L", (width * _FINER, height * _FINER))
    pen = ImageDraw.Draw(mask)
    left = (mask.width - _length(text, face)) / 2
    line = (mask.height + _CAPITAL * size) / 2
    for char in text:
        if char in SIGNS:
            paint_sign(mask, char, left, line, size)
            left += advance(char, size)
        else:
            pen.text((left, line), char, fill=255, font=face, anchor="ls")
            left += face.getlength(char)
    return mask.reduce(_FINER)
