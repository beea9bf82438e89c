"""What notes are called.

Names are places on the line of fifths, … B♭ F C G D A E B F♯ …, counted from C: a place says which
letter and which accidentals, which a key on the piano does not.
"""

from __future__ import annotations

from typing import Final, Literal

Naming = Literal["english", "german", "solfege"]
"""How the notes are called: C♯ and B♭; Cis, B and H; do♯ and si♭."""

_LETTERS: Final = "FCGDAEB"
_SOLFEGE: Final = {"C": "do", "D": "re", "E": "mi", "F": "fa", "G": "sol", "A": "la", "B": "si"}
_GERMAN: Final = {"E♭": "Es", "A♭": "As", "B♭": "B", "B": "H"}
"""The names that do not follow the rule of -is and -es."""
LOWEST_FLAT: Final = -6
LOWEST_SHARP: Final = -1
"""Where the twelve names begin that have flats alone (from G♭ on), or sharps alone (from F on)."""


def place_of(pitch_class: int, lowest: int) -> int:
    """The place of a pitch class among the twelve from ``lowest`` on along the line of fifths."""
    return lowest + (pitch_class * 7 - lowest) % 12


def place_name(place: int, naming: Naming = "english") -> str:
    """The name of a place on the line of fifths; 0 is C, 1 is G, -1 is F."""
    letter = _LETTERS[(place + 1) % 7]
    accidentals = (place + 1) // 7
    sign = "♯" * accidentals if accidentals > 0 else "♭" * -accidentals
    if naming == "solfege":
        return _SOLFEGE[letter] + sign
    if naming == "german":
        if letter + sign in _GERMAN:
            return _GERMAN[letter + sign]
        return ("H" if letter == "B" else letter) + sign.replace("♯", "is").replace("♭", "es")
    return letter + sign


def note_name(
    key: int, *, flats: bool = False, octave: bool = False, naming: Naming = "english"
) -> str:
    """What a key is called: C♯, D♭, C♯4, Cis, do♯.

    Args:
        key: MIDI key, 0 to 127.
        flats: Whether black keys are called by their flats, D♭ and G♭, not C♯ and F♯.
        octave: Whether the octave follows; middle C (key 60) is C4.
        naming: In which language.
    """
    lowest = LOWEST_FLAT if flats else LOWEST_SHARP
    name = place_name(place_of(key % 12, lowest), naming)
    return f"{name}{key // 12 - 1}" if octave else name
