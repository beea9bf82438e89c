"""Lyrics in motion: where the lines stand at a time, and how far each of their rows is sung.

Everything is a closed form of time. Lines stand on a ladder: the current one on its first rung,
those that follow on the next. When a line is over, all go up by one, smoothly.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from shared.lyrics import LyricLine, LyricWord, ShownLine, Syllable, shown_line
from workers.easing import eased

CLIMB_S: Final = 0.28
"""How long lines take to go up by one."""
_APPEAR_S: Final = 0.35
"""How long the first line after a pause takes to appear, and the last before it to disappear."""
_LIT_S: Final = 0.10
"""How long a word or a line takes to light up."""
MOST_ROWS: Final = 3
"""A line that needs more is set smaller."""
MOST_LETTERS: Final = 500
"""More of a line is not written: in three rows nobody could read it, and to find where each of its
syllables ends takes the square of their number."""
MOST_BELOW: Final = 4
"""Texts that are written below a line: some translations."""
_IDEOGRAPHS: Final = 0x2E80
"""Where the scripts of East Asia begin that are written without spaces."""
_JOINER: Final = "\u200d"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ladder:
    """What is seen at a time."""

    current: int
    """Number of the line that goes to the first rung, or stands there."""
    climbed: float
    """How far it has got there, 0 to 1."""
    opacity: float
    """Of all lines."""


class Karaoke:
    """The lines of a song with the times at which they come and go."""

    def __init__(self, lines: Sequence[LyricLine]) -> None:
        """Take lines in order of time."""
        self.lines = tuple(_cut(line) for line in lines)

    @cached_property
    def _shown(self) -> tuple[ShownLine, ...]:
        return tuple(shown_line(self.lines, index) for index in range(len(self.lines)))

    @cached_property
    def _from_s(self) -> list[float]:
        return [shown.from_s for shown in self._shown]

    def at(self, time_s: float) -> Ladder | None:
        """What is seen at a time in seconds; None where nothing is.

        Lines are half way up when one takes over from another.
        """
        time_s += CLIMB_S / 2
        index = bisect_right(self._from_s, time_s) - 1
        if index < 0:
            return None
        shown = self._shown[index]
        if time_s >= shown.until_s:
            return None
        since_s, left_s = time_s - shown.from_s, shown.until_s - time_s
        follows = index > 0 and self._shown[index - 1].until_s >= shown.from_s
        followed = index + 1 < len(self._shown) and self._shown[index + 1].from_s <= shown.until_s
        lasts_s = shown.until_s - shown.from_s
        climb_s = min(CLIMB_S, lasts_s)
        fade_s = min(_APPEAR_S, lasts_s / 2)
        opacity = 1.0
        if not follows:
            opacity *= _smooth(since_s, fade_s)
        if not followed:
            opacity *= _smooth(left_s, fade_s)
        return Ladder(
            current=index,
            climbed=_smooth(since_s, climb_s) if follows else 1.0,
            opacity=opacity,
        )


def _cut(line: LyricLine) -> LyricLine:
    """What is written of a line: all but what no song has."""
    below = tuple(text[:MOST_LETTERS] for text in line.below[:MOST_BELOW])
    if len(line.text) <= MOST_LETTERS:
        return replace(line, below=below)
    words: list[LyricWord] = []
    left = MOST_LETTERS
    for word in line.words:
        syllables: list[Syllable] = []
        for syllable in word.syllables:
            if left > 0:
                syllables.append(replace(syllable, text=syllable.text[:left]))
            left -= len(syllable.text)
        if syllables:
            words.append(LyricWord(syllables=tuple(syllables)))
        left -= 1
    return replace(line, words=tuple(words), below=below)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What stands side by side of a line.

    Places are pixels from where reading begins: the left end, or the right one.
    """

    text: str
    """As it is written."""
    right_to_left: bool
    """Whether it is read from the right."""
    width_px: float
    """Of all of it."""
    times_s: tuple[float, ...]
    """Times at which syllables begin and end, ascending."""
    edges_px: tuple[float, ...]
    """How far the row is sung at each of them, ascending."""
    words: tuple[tuple[float, float], ...]
    """For each word when it begins to be sung, and the place up to which it is lit then: the
    middle of the space behind it."""

    def sung_px(self, time_s: float) -> float:
        """How far it is sung at a time."""
        return float(np.interp(time_s, self.times_s, self.edges_px))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Unit:
    """What is not parted by the end of a row."""

    syllables: tuple[Syllable, ...]
    spaced: bool
    """Whether a space stands before it."""

    @property
    def text(self) -> str:
        return "".join(syllable.text for syllable in self.syllables)


def rows_of(
    line: LyricLine, measuring: Callable[[str], Callable[[str], float]], widest_px: float
) -> tuple[Row, ...]:
    """A line in as few rows of about equal width as it needs, MOST_ROWS at most.

    Args:
        line: The line.
        measuring: For a row, what measures the width of its beginnings in pixels.
        widest_px: How wide a row should be at most; a long word may be wider.
    """
    units = [unit for word in line.words for unit in _units(word)]
    measure = measuring(line.text)
    whole = measure(line.text)
    rows = [units]
    for count in range(2, MOST_ROWS + 1):
        if max(measure(_joined(row)) for row in rows) <= widest_px:
            break
        rows = _parted(units, measure, whole / count)
    return tuple(_row(row, measuring(_joined(row))) for row in rows)


def _units(word: LyricWord) -> Iterator[_Unit]:
    """A word; or its characters, of a script whose rows may end anywhere."""
    if all(ord(char) < _IDEOGRAPHS for char in word.text):
        yield _Unit(syllables=word.syllables, spaced=True)
        return
    first = True
    for syllable in word.syllables:
        count = len(syllable.text)
        step_s = (syllable.end_s - syllable.start_s) / count
        for place, char in enumerate(syllable.text):
            part = Syllable(
                start_s=syllable.start_s + place * step_s,
                end_s=syllable.end_s
                if place + 1 == count
                else syllable.start_s + (place + 1) * step_s,
                text=char,
            )
            yield _Unit(syllables=(part,), spaced=first)
            first = False


def _joined(units: Sequence[_Unit]) -> str:
    return "".join(" " * (unit.spaced and at > 0) + unit.text for at, unit in enumerate(units))


def _parted(
    units: Sequence[_Unit], measure: Callable[[str], float], wanted_px: float
) -> list[list[_Unit]]:
    """Units in rows: the one in which a row reaches its width belongs to where most of it is."""
    rows: list[list[_Unit]] = [[]]
    passed = 0.0
    for unit in units:
        width = measure(unit.text) + (measure(" ") if unit.spaced and passed else 0.0)
        if rows[-1] and passed + width / 2 > wanted_px * len(rows):
            rows.append([])
        rows[-1].append(unit)
        passed += width
    return rows


def _row(units: Sequence[_Unit], measure: Callable[[str], float]) -> Row:
    text = _joined(units)
    rtl = _reads_from_right(text)
    times: list[float] = []
    edges: list[float] = []
    words: list[tuple[float, float]] = []
    at = 0
    for number, unit in enumerate(units):
        at += unit.spaced and number > 0
        if number and unit.spaced:
            words[-1] = (words[-1][0], (edges[-1] + _place(text, at, measure, rtl)) / 2)
        if unit.spaced or not number:
            words.append((unit.syllables[0].start_s, 0.0))
        for syllable in unit.syllables:
            for time_s, place in (
                (syllable.start_s, at),
                (syllable.end_s, at + len(syllable.text)),
            ):
                times.append(max([time_s, *times[-1:]]))
                edges.append(max([_place(text, place, measure, rtl), *edges[-1:]]))
            at += len(syllable.text)
    width = measure(text)
    words[-1] = (words[-1][0], width)
    return Row(
        text=text,
        right_to_left=rtl,
        width_px=width,
        times_s=tuple(times),
        edges_px=tuple(edges),
        words=tuple(words),
    )


def _place(text: str, at: int, measure: Callable[[str], float], rtl: bool) -> float:
    """Where a letter of a row begins, in pixels from where reading begins."""
    within = 0 < at < len(text) and not text[at - 1].isspace() and not text[at].isspace()
    # Arabic letters have other shapes, and widths, where they are joined to the next.
    return measure(text[:at] + (_JOINER if rtl and within else ""))


def _reads_from_right(text: str) -> bool:
    """Whether the first letter with a direction says so (Unicode Annex 9, P2)."""
    kinds = (unicodedata.bidirectional(char) for char in text)
    return next((kind for kind in kinds if kind in ("L", "R", "AL")), "L") != "L"


def lit(start_s: float, time_s: float) -> float:
    """How far what begins at a time is lit at another, 0 to 1."""
    return _smooth(time_s - start_s, _LIT_S)


def _smooth(passed_s: float, lasts_s: float) -> float:
    return eased(passed_s / lasts_s) if lasts_s > 0 else 1.0
