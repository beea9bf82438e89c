"""LRC files: lyrics with the times at which they are sung.

There is no standard. What players agree on is understood here: ``[mm:ss.xx]`` before a line,
several of them before one that is repeated, tags such as ``[ti:…]``, ``[offset:±ms]``, and times
of single words, ``<mm:ss.xx>`` (A2, also called enhanced LRC). Everything else is passed over.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from shared.errors import CompositionError
from shared.lyrics import LyricLine, TimedText, lyric_line

MAX_LINES: Final = 10_000
"""Lines that one file may have, repetitions counted."""
MAX_CHARACTERS: Final = 1_000_000
"""Letters that they may have together, repetitions counted."""
_LINE_S: Final = 4.0
_WORD_S: Final = 1.0
_CHARACTER_S: Final = 0.25
"""Slow singing. So long lasts what nothing ends: a line before an interlude, a last word."""

_STAMP: Final = (
    r"\s*(?:([0-9]{1,3})\s*:\s*)?([0-9]{1,4})\s*:\s*([0-9]{1,2})(?:\s*[.,:]\s*([0-9]{1,6}))?\s*"
)
_LINE_STAMP: Final = re.compile(rf"\s*\[{_STAMP}\]")
_ANY_STAMP: Final = re.compile(rf"\[{_STAMP}\]|<{_STAMP}>")
_TAG: Final = re.compile(r"\s*\[\s*([A-Za-z#]+)\s*:([^\]]*)\]\s*")
_OFFSET: Final = re.compile(r"\s*([+-]?[0-9]{1,9})\s*")
_VOICE: Final = re.compile(r"\s*(?:[FMD]|v[0-9]):(?=\s|<|$)")
"""Who sings: F, M or D (duet) in Walaoke's extension, v1 and v2 elsewhere."""
_US: Final = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Lrc:
    """What an LRC file says."""

    title: str
    """Its title; empty where it names none."""
    artist: str
    """Its artist; empty where it names none."""
    lines: tuple[LyricLine, ...]
    """Its lines in order of time; they do not overlap."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stamped:
    """A line as it is written, its times in microseconds."""

    start: int
    pieces: tuple[tuple[int, str], ...]
    """Times and texts, the first at the start of the line; ascending."""
    end: int | None
    """Where a last stamp without text ends it."""

    @property
    def text(self) -> str:
        return " ".join("".join(text for _, text in self.pieces).split())


def read_lrc(data: bytes) -> Lrc:
    """Read an LRC file in UTF-8, in UTF-16 with a byte order mark, or in Windows-1252.

    Raises:
        CompositionError: There is no time stamp in it, or more than MAX_LINES or MAX_CHARACTERS.
    """
    return parse_lrc(decode_lrc(data))


def decode_lrc(data: bytes) -> str:
    """The text of an LRC file in UTF-8, in UTF-16 with a byte order mark, or in Windows-1252."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def parse_lrc(text: str) -> Lrc:
    """Understand the text of an LRC file.

    A line lasts until the next begins, a stamp without text ends it before; where neither comes
    for long, as long as slow singing takes. Lines with one and the same time are one line and what
    stands below it. A positive offset makes everything earlier, as in other players; times
    before 0 are kept. ``[mm:ss:xx]`` is read as ``[mm:ss.xx]``, so hours need a fraction:
    ``[hh:mm:ss.xx]``.

    Raises:
        CompositionError: There is no time stamp in it, or more than MAX_LINES or MAX_CHARACTERS.
    """
    tags: dict[str, str] = {}
    stamped: list[_Stamped] = []
    characters = 0
    for row in text.removeprefix("\ufeff").splitlines():
        if (tag := _TAG.fullmatch(row)) is not None:
            tags[tag[1].lower()] = tag[2].strip()
            continue
        for line in _lines_of(row):
            stamped.append(line)
            characters += len(row)
            if len(stamped) > MAX_LINES or characters > MAX_CHARACTERS:
                raise CompositionError(
                    f"The lyrics have more than {MAX_LINES} lines or {MAX_CHARACTERS} letters, "
                    "repetitions counted; that is no song: leave out what is not sung."
                )
    if not stamped:
        raise CompositionError(
            "The lyrics have no time stamps, such as [01:23.45] at the beginning of each line; "
            "choose an LRC file, or add the times in an LRC editor."
        )
    offset = _OFFSET.fullmatch(tags.get("offset", ""))
    offset_us = int(offset[1]) * 1000 if offset else 0
    return Lrc(
        title=tags.get("ti", ""),
        artist=tags.get("ar", ""),
        lines=tuple(_timed(sorted(stamped, key=lambda line: line.start), offset_us)),
    )


def _time_us(groups: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, fraction = groups
    if hours is not None and fraction is None:
        hours, minutes, seconds, fraction = None, hours, minutes, seconds
    whole = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    return whole * _US + int((fraction or "").ljust(6, "0"))


def _lines_of(row: str) -> Iterator[_Stamped]:
    """A row of the file once for each of its stamps; nothing where it has none."""
    starts: list[int] = []
    at = 0
    while (stamp := _LINE_STAMP.match(row, at)) is not None:
        starts.append(_time_us(stamp.groups()))
        at = stamp.end()
    if (voice := _VOICE.match(row, at)) is not None:
        at = voice.end()
    inner = list(_ANY_STAMP.finditer(row, at))
    times = [_time_us(_groups(stamp)) for stamp in inner]
    if not starts and not times:
        return
    first = starts[0] if starts else times[0]
    cuts = [at, *(stamp.end() for stamp in inner)]
    stops = [*(stamp.start() for stamp in inner), len(row)]
    # What stands before the stamps of a row that has none at its beginning is sung with it.
    pieces: list[tuple[int, str]] = []
    now = first
    for time, cut, stop in zip([first, *times], cuts, stops, strict=True):
        now = max(now, time)
        pieces.append((now, row[cut:stop]))
    end = None
    if times and not pieces[-1][1].strip():
        end = pieces.pop()[0]
    for start in starts or [first]:
        # The times of words belong to the first stamp and go along with the others.
        later = start - first
        yield _Stamped(
            start=start,
            pieces=tuple((time + later, text) for time, text in pieces),
            end=None if end is None else end + later,
        )


def _groups(stamp: re.Match[str]) -> tuple[str | None, ...]:
    groups = stamp.groups()
    return groups[:4] if groups[1] is not None else groups[4:]


def _timed(stamped: list[_Stamped], offset_us: int) -> Iterator[LyricLine]:
    """The lines with all their ends, in seconds."""
    groups = [list(group) for _, group in groupby(stamped, key=lambda line: line.start)]
    for number, group in enumerate(groups):
        texts = list(dict.fromkeys(line.text for line in group if line.text))
        if not texts:
            continue
        line = next(line for line in group if line.text)
        end = line.end if line.end is not None else _open_end(line)
        if number + 1 < len(groups):
            end = min(end, groups[number + 1][0].start)
        starts = [min(time, end) for time, _ in line.pieces]
        pieces = [
            TimedText(start_s=(start - offset_us) / _US, end_s=(stop - offset_us) / _US, text=piece)
            for start, stop, (_, piece) in zip(starts, [*starts[1:], end], line.pieces, strict=True)
        ]
        result = lyric_line(pieces, below=tuple(texts[1:]))
        if result is not None:
            yield result


def _open_end(line: _Stamped) -> int:
    """When a line ends that nothing ends."""
    at, text = next(piece for piece in reversed(line.pieces) if piece[1].strip())
    least_s = _LINE_S if at == line.start else _WORD_S
    return at + round(max(least_s, _CHARACTER_S * len(text.strip())) * _US)
