r"""The lyrics of a MIDI file, syllable by syllable.

Two customs are in use. Lyric events hold syllables, with a space after a word or a hyphen within
it, and ``\r`` or ``\n`` at the end of a line. Karaoke files (.kar) keep them in plain texts: a
space ends a word, ``/`` begins a line and ``\`` a verse, ``@`` tells about the file. Many files
know half of either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from shared.lyrics import LyricLine, TimedText, lyric_line
from workers.midi.notes import FloatArray, NoteTable
from workers.midi.song import Song, TextEvent

PAUSE_S: Final = 1.5
"""A pause so long parts two lines where the file parts none."""
LINE_CHARACTERS: Final = 32
"""Longer lines are parted there at the words, so that they can be read large on a phone."""
MARKED_LINE_CHARACTERS: Final = 64
"""The same of lines that the file parts itself."""
_SUNG_S: Final = 0.5
_HELD_S: Final = 1.5
"""How long a syllable lasts of which no note tells: at least, and at most up to the next."""
_ONSET_S: Final = 0.03
"""A syllable this close to the beginning of a note is sung on it."""
_MELODY_SHARE: Final = 0.7
"""The part is the melody on whose notes so much of the syllables are sung."""

_BREAKS: Final = re.compile(r"[\r\n]+")
_RP26_TAG: Final = re.compile(r"\{[@#][^{}]*\}")
"""What lyrics tell about themselves (MIDI recommended practice RP-026)."""
_INFO: Final = re.compile(r"@[A-Z]")
_WORDS_TRACK: Final = re.compile(r"\b(words|lyrics?|karaoke|text)\b", re.IGNORECASE)
_HYPHEN: Final = re.compile(r"(?<=\w)[-‐]\s*$")
_EXTENDER: Final = re.compile(r"\s*[_-]*\s*")
"""A text without letters. A space of its own ends the word before it, a hyphen goes on with it, a
line holds its last syllable."""
_NO_SPACES: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""Kana and Chinese characters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Piece:
    """A syllable as the file has it."""

    start_s: float
    text: str
    """Letters with the spaces around them."""
    begins_line: bool


def song_lyrics(song: Song) -> tuple[LyricLine, ...]:
    """The lyrics of a song in order of time; nothing where it has none.

    Where several tracks have lyrics, those of the track with the most letters are taken: choirs
    repeat them for each voice. A syllable lasts as long as the notes that it is sung on, where
    the melody can be told from the times.
    """
    pieces = _spaced(_pieces(_lyric_texts(song)))
    if not pieces:
        return ()
    starts_s = np.array([piece.start_s for piece in pieces])
    timed = [
        TimedText(start_s=piece.start_s, end_s=end_s, text=piece.text)
        for piece, end_s in zip(pieces, _ends(starts_s, song).tolist(), strict=True)
    ]
    marked = any(piece.begins_line for piece in pieces[1:])
    if marked:
        breaks = [piece.begins_line for piece in pieces]
    else:
        breaks = [True, *(_is_pause(before, after) for before, after in pairwise(timed))]
    limit = MARKED_LINE_CHARACTERS if marked else LINE_CHARACTERS
    return tuple(
        line
        for block in _blocks(timed, breaks)
        for part in _short_enough(block, limit)
        if (line := lyric_line(part)) is not None
    )


def _is_pause(before: TimedText, after: TimedText) -> bool:
    parted = before.text[-1].isspace() or after.text[0].isspace()
    return parted and after.start_s - before.end_s > PAUSE_S


def _lyric_texts(song: Song) -> list[TextEvent]:
    """The events of the track that holds the lyrics, without those that tell about the file."""
    events = [text for text in song.texts if text.kind == "lyric"]
    if not events:
        # Karaoke files without any break: the reader has no reason to take them for lyrics.
        words = {track.index for track in song.tracks if _WORDS_TRACK.search(track.name)}
        events = [text for text in song.texts if text.kind == "text" and text.track in words]
    letters: dict[int, int] = {}
    for event in events:
        letters[event.track] = letters.get(event.track, 0) + len(event.text.strip())
    if not letters:
        return []
    best = max(sorted(letters), key=lambda track: letters[track])
    return [e for e in events if e.track == best and not _INFO.match(e.text)]


def _pieces(events: Sequence[TextEvent]) -> list[_Piece]:
    """The syllables, without marks of lines and of extension."""
    pieces: list[_Piece] = []
    begins_line = True
    for event in events:
        whole = _RP26_TAG.sub("", event.text)
        bare = whole.lstrip("\\/")
        begins_line = begins_line or bare != whole
        for number, text in enumerate(_BREAKS.split(bare)):
            begins_line = begins_line or number > 0
            last = pieces[-1] if pieces and not begins_line else None
            if _EXTENDER.fullmatch(text):
                if last is not None and "-" in text:
                    pieces[-1] = replace(last, text=last.text.rstrip() + "-")
                elif last is not None and text.isspace():
                    pieces[-1] = replace(last, text=last.text + " ")
                continue
            if last is not None and last.start_s == event.time_s and last.text == text:
                # Files for players of both kinds have all of it twice.
                continue
            pieces.append(_Piece(start_s=event.time_s, text=text, begins_line=begins_line))
            begins_line = False
    return pieces


def _spaced(pieces: list[_Piece]) -> list[_Piece]:
    """The syllables with spaces between words, and without hyphens that only join them."""
    pairs = [(one, two) for one, two in pairwise(pieces) if not two.begins_line]
    joined = [one for one, two in pairs if not (_ends_open(one) or _begins_open(two))]
    with_spaces = len(joined) < len(pairs)
    if with_spaces and not all(_HYPHEN.search(one.text) for one in joined):
        # Spaces alone part the words: hyphens belong to them, as in "twenty-one".
        return pieces
    result = pieces[:1]
    for piece in pieces[1:]:
        before = result[-1]
        if not piece.begins_line:
            if _HYPHEN.search(before.text):
                result[-1] = replace(before, text=_HYPHEN.sub("", before.text))
            elif not (with_spaces or _without_spaces(before.text, piece.text)):
                result[-1] = replace(before, text=before.text + " ")
        result.append(piece)
    return result


def _ends_open(piece: _Piece) -> bool:
    return piece.text[-1].isspace()


def _begins_open(piece: _Piece) -> bool:
    return piece.text[0].isspace()


def _without_spaces(text: str, following: str) -> bool:
    """Whether two syllables are of a script that puts no spaces between words."""
    return bool(_NO_SPACES.match(text[-1]) and _NO_SPACES.match(following[0]))


def _ends(starts_s: FloatArray, song: Song) -> FloatArray:
    """When syllables end: with their notes, and not after the next begins."""
    following = np.append(starts_s[1:], np.inf)
    melody = _melody(starts_s, song.notes)
    guess: FloatArray = np.minimum(following, starts_s + _HELD_S)
    if melody is None:
        # Without notes a long gap is a pause, not a held note.
        pause = following - starts_s > PAUSE_S + _SUNG_S
        guess[pause] = np.minimum(guess, starts_s + _SUNG_S)[pause]
        return guess
    # The last note that begins before the next syllable: several may be sung on one.
    last = np.searchsorted(melody.start_s, following - _ONSET_S, side="left") - 1
    ends: FloatArray = np.maximum.accumulate(melody.end_s)[np.maximum(last, 0)]
    sung = (last >= 0) & (melody.start_s[np.maximum(last, 0)] >= starts_s - _ONSET_S)
    sung &= ends > starts_s
    guess[sung] = np.minimum(ends, following)[sung]
    return guess


def _melody(starts_s: FloatArray, notes: NoteTable) -> NoteTable | None:
    """The notes that the syllables are sung on; None where no part fits."""
    part = notes.track.astype(np.int64) * 16 + notes.channel
    best, found = 0.0, None
    times = np.unique(starts_s)
    order = np.argsort(part, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(part[order])) + 1):
        if not len(rows) or notes.is_percussion[rows[0]]:
            continue
        onsets = notes.start_s[rows]
        near = np.searchsorted(onsets, times - _ONSET_S, side="left")
        near_s = onsets[np.minimum(near, len(onsets) - 1)]
        met = int(np.count_nonzero(np.abs(near_s - times) <= _ONSET_S))
        # A part that plays all the time meets every syllable too; the melody has little else.
        fit = 2 * met / (len(times) + len(np.unique(onsets)))
        if met >= _MELODY_SHARE * len(times) and fit > best:
            best, found = fit, rows
    return None if found is None else notes.select(found)


def _blocks(timed: list[TimedText], breaks: list[bool]) -> Iterator[list[TimedText]]:
    block: list[TimedText] = []
    for piece, begins in zip(timed, breaks, strict=True):
        if begins and block:
            yield block
            block = []
        block.append(piece)
    if block:
        yield block


def _short_enough(block: list[TimedText], limit: int) -> Iterator[list[TimedText]]:
    """A line in as many lines of about equal length as it needs."""
    total = sum(len(piece.text) for piece in block)
    wanted = -(-total // limit)
    part: list[TimedText] = []
    written, number = 0, 1
    for piece in block:
        ends_word = bool(part) and (part[-1].text[-1].isspace() or piece.text[0].isspace())
        # The word belongs to the line that has the greater part of it.
        if (
            ends_word
            and number < wanted
            and (written + len(piece.text) / 2) * wanted > total * number
        ):
            yield part
            part, number = [], number + 1
        part.append(piece)
        written += len(piece.text)
    if part:
        yield part
