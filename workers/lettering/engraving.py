"""What is printed on two staves, as masks: the clefs, and the names and signs of notes."""

from __future__ import annotations

from typing import Final

from PIL import Image, ImageDraw

from shared.pitch_names import Naming, place_name
from workers.lettering.signs import paint_sign
from workers.music.staves import GAP
from workers.text import load_font

CLEFS: Final = 3.5
"""Width that they take, in spaces."""
_TREBLE_AT, _BASS_AT = 1.55, 1.45
"""Where their origins are."""
CELL: Final = 2.2
"""Width and height of a name's cell in spaces."""
CELLS: Final = 12
B_FLAT, SHARP, FLAT, OCTAVE = 7, 8, 9, 10
"""Cells after those of the seven letters; two octaves follow one."""
FINER: Final = 2
"""Names are painted so many times larger, and move between pixels without trembling."""

_LETTER: Final = 0.84
"""Size of the letters, in spaces; …"""
_LETTER_WIDTH: Final = 1.16
"""… those of long names are as much smaller as they must be."""
_ACCIDENTAL: Final = 2.1
"""Size of the signs beside heads, …"""
_MIDDLE: Final = {"♯": (0.25, 0.375), "♭": (0.23, 0.26)}
"""… and where their middles are in parts of it."""
_NATURALS: Final = (0, 2, 4, -1, 1, 3, 5)
"""C to B on the line of fifths."""
_B_FLAT_PLACE: Final = -2
_NAMINGS: Final[dict[str, Naming]] = {
    "letters": "english",
    "solfege": "solfege",
    "german": "german",
}


def clefs_mask(space: float, above: float, height: float) -> Image.Image:
    """Both clefs where they stand on their staves.

    Args:
        space: Pixels between two lines.
        above: Spaces above the upper staff.
        height: Spaces of all of it.
    """
    mask = Image.new("L", (round(CLEFS * space) + 1, round(height * space) + 1))
    # They name the lines of G and of F.
    paint_sign(mask, "𝄞", _TREBLE_AT * space, (above + 3) * space, space)
    paint_sign(mask, "𝄢", _BASS_AT * space, (above + 4 + GAP + 1) * space, space)
    return mask


def names_mask(space: float, names: str) -> Image.Image:
    """Cells side by side, with what is written in heads and beside them in their middles.

    Args:
        space: Pixels between two lines of a staff.
        names: How notes are called: letters, solfege or german; or none.
    """
    unit = space * FINER
    cell = round(CELL * unit)
    mask = Image.new("L", (cell * CELLS, cell))
    pen = ImageDraw.Draw(mask)

    def write(place: int, text: str) -> None:
        size = _LETTER * unit
        width = load_font(size).getlength(text)
        font = load_font(size * min(1.0, _LETTER_WIDTH * unit / max(width, 1e-6)))
        # Capitals stand in the middle; small letters go with them.
        top, bottom = font.getbbox("H", anchor="ls")[1::2]
        at = ((place + 0.5) * cell, cell / 2 - (top + bottom) / 2)
        pen.text(at, text, fill=255, font=font, anchor="ms")

    naming = _NAMINGS.get(names)
    if naming is not None:
        for place, fifths in enumerate(_NATURALS):
            write(place, place_name(fifths, naming))
        # In German B is B flat, and B natural H.
        write(B_FLAT, place_name(_B_FLAT_PLACE if naming == "german" else _NATURALS[6], naming))
    write(OCTAVE, "8")
    write(OCTAVE + 1, "15")
    for place, sign in ((SHARP, "♯"), (FLAT, "♭")):
        size = _ACCIDENTAL * unit
        across, up = _MIDDLE[sign]
        paint_sign(mask, sign, (place + 0.5) * cell - across * size, cell / 2 + up * size, size)
    return mask
