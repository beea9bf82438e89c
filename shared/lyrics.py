"""Lyrics: lines of words, each syllable with its time, and what of them is shown when.

Where they come from does not matter here: an LRC file (``shared.lrc``) and the texts of a MIDI file
(``workers.lyrics``) both give these lines.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

LEAD_IN_S: Final = 2.0
"""A line is shown so long before it is sung, where the line before leaves the room."""
LINGER_S: Final = 1.0
"""And at most so long after it was sung."""

_TOKEN: Final = re.compile(r"\s+|\S+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Syllable:
    """What is sung at once."""

    start_s: float
    """When it begins, in seconds."""
    end_s: float
    """When it ends, not before its start."""
    text: str
    """Its letters, without spaces."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LyricWord:
    """What stands between two spaces."""

    syllables: tuple[Syllable, ...]
    """Its syllables in the order in which they are sung, one at least; they do not overlap."""

    @property
    def start_s(self) -> float:
        """When it begins, in seconds."""
        return self.syllables[0].start_s

    @property
    def end_s(self) -> float:
        """When it ends, in seconds."""
        return self.syllables[-1].end_s

    @property
    def text(self) -> str:
        """The word as it is written."""
        return "".join(syllable.text for syllable in self.syllables)


@dataclass(frozen=True, kw_only=True, slots=True)
class LyricLine:
    """What is shown at once."""

    start_s: float
    """When its first syllable begins, in seconds."""
    end_s: float
    """When its last one ends; the next line does not begin before."""
    words: tuple[LyricWord, ...]
    """Its words in the order in which they are sung, one at least; they do not overlap."""
    below: tuple[str, ...] = ()
    """What belongs under it: further texts of the same time, such as a translation."""

    @property
    def text(self) -> str:
        """The line as it is written."""
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, kw_only=True, slots=True)
class TimedText:
    """A piece of a line as a file has it: a syllable, some words, or all of it."""

    start_s: float
    """When it begins, in seconds."""
    end_s: float
    """When it ends, not before its start."""
    text: str
    """Its letters; a space at its beginning, at its end or within parts two words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownLine:
    """A line and when it is to be seen."""

    line: LyricLine
    """The line."""
    from_s: float
    """When it appears, in seconds; not after its start."""
    until_s: float
    """When it is gone, not before its end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LyricsAt:
    """The lyrics at one time."""

    current: ShownLine | None
    """The line to be seen, if there is one."""
    following: tuple[LyricLine, ...]
    """Those after it, or, where none is to be seen, those that are still to come."""


def lyric_line(pieces: Iterable[TimedText], below: tuple[str, ...] = ()) -> LyricLine | None:
    """Make a line of pieces in order of time; None where they are nothing but spaces.

    A piece of several words is spread over them by their length (a space counts as a letter,
    so that short words are not over at once). Pieces with no space between them are syllables
    of one word.
    """
    words: list[LyricWord] = []
    syllables: list[Syllable] = []

    def end_word() -> None:
        if syllables:
            words.append(LyricWord(syllables=tuple(syllables)))
            syllables.clear()

    for piece in pieces:
        tokens = _TOKEN.findall(piece.text)
        parts = [token for token in tokens if not token.isspace()]
        edges = [0, *accumulate(len(part) + 1 for part in parts)]
        length_s = piece.end_s - piece.start_s
        # The last edge is the end itself, whatever the arithmetic makes of it.
        times = [piece.start_s + length_s * edge / edges[-1] for edge in edges[:-1]]
        times = [min(time, piece.end_s) for time in times] + [piece.end_s]
        number = 0
        for token in tokens:
            if token.isspace():
                end_word()
                continue
            start_s, end_s = times[number : number + 2]
            syllables.append(Syllable(start_s=start_s, end_s=end_s, text=token))
            number += 1
    end_word()
    if not words:
        return None
    return LyricLine(
        start_s=words[0].start_s, end_s=words[-1].end_s, words=tuple(words), below=below
    )


def sung(part: Syllable | LyricWord | LyricLine, t: float) -> float:
    """How much of a syllable, word or line is over at ``t`` seconds, 0 to 1."""
    if t < part.start_s:
        return 0.0
    if t >= part.end_s:
        return 1.0
    return (t - part.start_s) / (part.end_s - part.start_s)


def shown_line(lines: Sequence[LyricLine], index: int) -> ShownLine:
    """When a line is to be seen: from a little before it is sung until a little after.

    Only one is at a time. Where the pause between two is short, the later one takes over in the
    middle of it.
    """
    line = lines[index]
    from_s, until_s = line.start_s - LEAD_IN_S, line.end_s + LINGER_S
    if index > 0:
        from_s = max(from_s, _hand_over_s(lines[index - 1], line))
    if index + 1 < len(lines):
        until_s = min(until_s, _hand_over_s(line, lines[index + 1]))
    return ShownLine(line=line, from_s=from_s, until_s=until_s)


def _hand_over_s(line: LyricLine, following: LyricLine) -> float:
    return line.end_s + min(LINGER_S, (following.start_s - line.end_s) / 2)


def lyrics_at(lines: Sequence[LyricLine], t: float, following: int = 1) -> LyricsAt:
    """What is to be seen at ``t`` seconds.

    Args:
        lines: All lines in order of time.
        t: The time, in seconds.
        following: How many of the lines after it are wanted.
    """
    index = bisect_right(lines, t, key=lambda line: line.start_s)
    for at in (index, index - 1):
        if 0 <= at < len(lines):
            shown = shown_line(lines, at)
            # A line of no length at the end of a hand-over is seen at its own moment.
            if shown.from_s <= t < shown.until_s or t == lines[at].start_s:
                return LyricsAt(current=shown, following=tuple(lines[at + 1 : at + 1 + following]))
    return LyricsAt(current=None, following=tuple(lines[index : index + following]))
