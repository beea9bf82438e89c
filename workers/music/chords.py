"""The chords of a song, by name.

Cells of half a beat are joined to segments in the way that explains the notes best: each segment
is scored by how well one chord fits all of its notes, each change of chord costs something, and
most off the beat. So an arpeggio is the chord that it is broken from, and passing notes pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.pitch_names import LOWEST_FLAT, LOWEST_SHARP, Naming, place_name, place_of
from workers.midi.meter import MeterMap
from workers.midi.notes import FloatArray, NoteTable
from workers.music.chord_shapes import NO_CHORD, PERFECT, SHAPES, IntArray, best_chords

_SHORT_BEAT_S: Final = 0.35
"""Shorter beats (the eighths of 6/8) are not halved."""
_SHORTEST_CELL_S: Final = 0.15
_FREE_CELL_S: Final = 0.25
"""Cells where a file has no beats (SMPTE)."""
_LENGTHS: Final = (1, 2, 3, 4, 6, 8, 12)
"""How many cells a segment may have, beside a whole bar and never more, before equal neighbours
are joined."""
_LONGEST: Final = 16
"""Cells of a bar that may be one segment; longer bars are several."""
_CHANGE: Final = 35 * PERFECT // 100
"""What a change costs, in a cell's scores: …"""
_OFF_BEAT: Final = 60 * PERFECT // 100
_OFF_BAR: Final = 15 * PERFECT // 100
"""… and what more off the beat, and on one that begins no bar."""
_ACROSS: Final = 50 * PERFECT // 100
"""What a segment costs across the beginning of a bar: chords change there, if anywhere."""
_SILENCE: Final = 30 * PERFECT // 100
"""A silent cell without a chord: three of them outweigh the change."""
_ROWS_AT_ONCE: Final = 8192
_MS: Final = 1000
_COMMON_CHORD: Final = -5
_MINOR_CHORD: Final = -3
_LEADING_CHORD: Final = -2
"""Where the twelve roots of chords begin on the line of fifths, from the key's tonic: in C they are
D♭ to F♯, for minor chords E♭m to G♯m, for diminished ones B♭ to D♯."""
_PLACES: Final = {0: 0, 1: -5, 2: 2, 3: -3, 4: 4, 5: -1, 6: -6, 7: 1, 8: 8, 9: 3, 10: -2, 11: 5}
"""Tones of a chord on the line of fifths, from its root, by semitones."""
_DIMINISHED_SEVENTH: Final = -9
_C_FLAT: Final = -7
_E_SHARP: Final = 11
_NO_KEY: Final = 128
_SOFTEST: Final = 64
"""Added to the velocity: soft notes belong to a chord too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chord:
    """A chord and when it sounds."""

    start_s: float
    """When it begins, in seconds."""
    end_s: float
    """When it ends, in seconds."""
    name: str
    """What it is called: ``C``, ``F♯m7♭5``, ``G7/B``."""
    root: int
    """Pitch class of its root, 0 is C."""
    suffix: str
    """What follows the root in its name, without the bass."""
    bass: int
    """Pitch class of its lowest note; the root where the name tells none."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Chords:
    """The chords of a song in order of time; between some there is none."""

    chords: tuple[Chord, ...]
    """The chords; they do not overlap, and no two neighbours without a gap are equal."""
    starts_s: FloatArray
    """When they begin, in seconds."""

    def chord_at(self, t: float) -> str:
        """The name of the chord at ``t`` seconds, empty where there is none."""
        index = int(self.starts_s.searchsorted(t, side="right")) - 1
        if index < 0 or t >= self.chords[index].end_s:
            return ""
        return self.chords[index].name

    def chords_between(self, t0: float, t1: float) -> tuple[Chord, ...]:
        """The chords that sound at some time in ``[t0, t1)`` seconds."""
        low = int(self.starts_s.searchsorted(t0, side="right")) - 1
        high = int(self.starts_s.searchsorted(t1, side="left"))
        if low < 0 or self.chords[low].end_s <= t0:
            low += 1
        return self.chords[low:high]


def chord_names(
    notes: NoteTable,
    meter_map: MeterMap,
    *,
    naming: Naming = "english",
    flats: bool | None = None,
) -> Chords:
    """Find the chords that notes are.

    Args:
        notes: The notes; percussion is passed over.
        meter_map: Where the song's beats are.
        naming: How notes are called.
        flats: Whether roots on black keys are called by their flats or by their sharps; None
            for what is usual in the key that the notes are in.
    """
    pitched = notes.select(~notes.is_percussion)
    if not len(pitched):
        return Chords(chords=(), starts_s=np.zeros(0))
    grid = _grid(meter_map, float(pitched.end_s.max()))
    profile, lowest = _profile(pitched, grid.edges_s)
    tonic = tonic_of(profile.sum(axis=0))
    found = _joined(grid, lowest, _segments(profile, lowest, grid))
    named = tuple(_named(chord, grid, tonic, naming, flats) for chord in found)
    return Chords(chords=named, starts_s=np.array([chord.start_s for chord in named]))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Grid:
    """The cells."""

    edges_s: FloatArray
    """Where they begin, and where the last one ends."""
    on_beat: npt.NDArray[np.bool_]
    """For each cell, whether a beat begins with it."""
    on_bar: npt.NDArray[np.bool_]
    """The same of bars."""

    @property
    def bar(self) -> int:
        """How many cells most bars have; a few where there are no bars."""
        bars = np.flatnonzero(self.on_bar)
        usual = int(np.median(np.diff(bars))) if len(bars) > 1 else 0
        return usual if usual > 1 else 8


def _grid(meter_map: MeterMap, until_s: float) -> _Grid:
    beats, bars = meter_map.beats(until_s)
    if not len(beats):
        edges = np.arange(0.0, until_s + _FREE_CELL_S, _FREE_CELL_S)
        every_cell = np.ones(len(edges) - 1, dtype=np.bool_)
        return _Grid(edges_s=edges, on_beat=every_cell, on_bar=~every_cell)
    beat_s = float(np.median(np.diff(beats))) if len(beats) > 1 else until_s
    stride = max(1, int(np.ceil(_SHORTEST_CELL_S / max(beat_s, 1e-6))))
    beats, bars = beats[::stride], bars[::stride]
    if beat_s <= _SHORT_BEAT_S:
        on_beat = np.ones(len(beats), dtype=np.bool_)
        return _Grid(edges_s=np.append(beats, until_s), on_beat=on_beat, on_bar=bars)
    whole = np.append(beats, until_s)
    edges = np.empty(2 * len(beats) + 1)
    edges[::2] = whole
    edges[1::2] = (whole[:-1] + whole[1:]) / 2
    on_beat = np.arange(2 * len(beats)) % 2 == 0
    return _Grid(edges_s=edges, on_beat=on_beat, on_bar=np.repeat(bars, 2) & on_beat)


def _profile(notes: NoteTable, edges_s: FloatArray) -> tuple[IntArray, IntArray]:
    """How much of each pitch class sounds in each cell, and its lowest key (_NO_KEY for none).

    Weights are milliseconds times velocity, whole numbers. Key after key, so that memory is
    bounded by the cells and long notes cost no more than short ones.
    """
    cells = len(edges_s) - 1
    edges = np.rint(edges_s * _MS).astype(np.int64)
    starts = np.rint(notes.start_s * _MS).astype(np.int64)
    ends = np.maximum(np.rint(notes.end_s * _MS).astype(np.int64), starts + 1)
    first = np.clip(np.searchsorted(edges, starts, side="right") - 1, 0, cells - 1)
    last = np.clip(np.searchsorted(edges, ends, side="left") - 1, first, cells - 1)
    velocity = notes.velocity.astype(np.int64) + _SOFTEST
    profile = np.zeros((cells, 12), dtype=np.int64)
    lowest = np.full(cells, _NO_KEY, dtype=np.int64)
    lowest_at_all = lowest.copy()
    lengths = np.diff(edges)
    order = np.argsort(notes.key, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(notes.key[order])) + 1):
        key = int(notes.key[rows[0]])
        a, b, v = first[rows], last[rows], velocity[rows]
        held = np.zeros(cells + 1, dtype=np.int64)
        # Whole cells first, then what is missing at both ends.
        np.add.at(held, a, v)
        np.add.at(held, b + 1, -v)
        weight = np.cumsum(held)[:-1] * lengths
        np.subtract.at(weight, a, v * (starts[rows] - edges[a]))
        np.subtract.at(weight, b, v * (edges[b + 1] - np.minimum(ends[rows], edges[b + 1])))
        profile[:, key % 12] += weight
        # A note that only just reaches into a cell is not its bass.
        lowest[(lowest == _NO_KEY) & (weight > _SOFTEST // 10 * lengths)] = key
        lowest_at_all[(lowest_at_all == _NO_KEY) & (weight > 0)] = key
    return profile, np.where(lowest == _NO_KEY, lowest_at_all, lowest)


def _segments(
    profile: IntArray, lowest: IntArray, grid: _Grid
) -> tuple[IntArray, IntArray, IntArray]:
    """The best way to join cells: first cell, number of cells and state of each segment."""
    cells = len(profile)
    sums = np.concatenate([np.zeros((1, 12), dtype=np.int64), np.cumsum(profile, axis=0)])
    silent = profile.sum(axis=1) == 0
    silences = np.concatenate([[0], np.cumsum(silent)])
    bass = _bass(lowest)
    cost = np.where(grid.on_bar, 0, np.where(grid.on_beat, _OFF_BAR, _OFF_BEAT)) + _CHANGE
    longest = min(grid.bar, _LONGEST)
    lengths = sorted({length for length in _LENGTHS if length < longest} | {longest})
    bars = np.concatenate([[0], np.cumsum(grid.on_bar)])
    scores = np.zeros((len(lengths), cells), dtype=np.int64)
    states = np.full((len(lengths), cells), -1, dtype=np.int64)
    for row, length in enumerate(lengths):
        for low in range(0, cells - length + 1, _ROWS_AT_ONCE):
            at = np.arange(low, min(low + _ROWS_AT_ONCE, cells - length + 1))
            state, score = best_chords(sums[at + length] - sums[at], bass[at])
            quiet = silences[at + length] - silences[at]
            sounding = length - quiet
            without = sounding * NO_CHORD + quiet * _SILENCE
            with_chord = sounding * score
            states[row, at] = np.where(with_chord > without, state, -1)
            across = (bars[at + length] - bars[at + 1]) * _ACROSS
            scores[row, at] = np.maximum(with_chord, without) - cost[at] - across
    return _best_path(lengths, scores, states)


def _best_path(
    lengths: list[int], scores: IntArray, states: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """The segments, one after the other, whose scores (by length and first cell) add up to most."""
    cells = scores.shape[1]
    best = [0] * (cells + 1)
    choice = [0] * cells
    columns = scores.T.tolist()
    # From the end, so that the path can be read off from the beginning.
    for at in range(cells - 1, -1, -1):
        # The shortest length is one cell: it always fits.
        top, chosen = columns[at][0] + best[at + 1], 0
        for row in range(1, len(lengths)):
            if at + lengths[row] > cells:
                break
            value = columns[at][row] + best[at + lengths[row]]
            if value > top:
                top, chosen = value, row
        best[at], choice[at] = top, chosen
    first = [0]
    while (following := first[-1] + lengths[choice[first[-1]]]) < cells:
        first.append(following)
    firsts = np.array(first)
    rows = np.array(choice)[firsts]
    return firsts, np.array(lengths)[rows], states[rows, firsts]


def _bass(lowest: IntArray) -> IntArray:
    """The pitch class of the lowest note of each cell; of a silent one, that of the next."""
    cells = np.arange(len(lowest))
    sounding = np.where(lowest < _NO_KEY, cells, len(lowest) - 1)
    following = np.minimum.accumulate(sounding[::-1])[::-1]
    return lowest[following] % 12


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """A chord without its name."""

    first: int
    """Its first cell."""
    stop: int
    """The cell after its last."""
    root: int
    shape: int
    bass: int


def _joined(
    grid: _Grid, lowest: IntArray, segments: tuple[IntArray, IntArray, IntArray]
) -> list[_Found]:
    """The chords of the segments; neighbours with the same chord are one.

    The bass may move under a chord (as in a march) without making another of it, unless the
    new one stays for a bar.
    """
    bar = grid.bar
    sounding = lowest < _NO_KEY
    basses = _bass(lowest)
    found: list[_Found] = []
    for first, length, state in zip(*(column.tolist() for column in segments), strict=True):
        if state < 0:
            continue
        root, shape = divmod(state, len(SHAPES))
        stop = first + length
        last = found[-1] if found and found[-1].stop == first else None
        if last is None:
            # A chord does not begin before its first note.
            first += int(sounding[first:stop].argmax())
        bass = int(basses[first])
        if (bass - root) % 12 not in SHAPES[shape].tones:
            held = (basses[first:stop] == bass) & sounding[first:stop]
            if held.sum() * 3 < sounding[first:stop].sum() * 2:
                bass = root
        stays = bass == last.bass or length < bar if last is not None else False
        if last is not None and stays and (last.root, last.shape) == (root, shape):
            found[-1] = replace(last, stop=stop)
            continue
        found.append(_Found(first=first, stop=stop, root=root, shape=shape, bass=bass))
    return found


def tonic_of(weights: IntArray) -> int:
    """The place of the major key that the notes are in on the line of fifths, -5 to 6."""
    major = (0, 2, 4, 5, 7, 9, 11)
    places = sorted(range(-5, 7), key=abs)
    return max(places, key=lambda place: sum(int(weights[(place * 7 + s) % 12]) for s in major))


def _named(chord: _Found, grid: _Grid, tonic: int, naming: Naming, flats: bool | None) -> Chord:
    shape = SHAPES[chord.shape]
    if flats is not None:
        window = any_window = LOWEST_FLAT if flats else LOWEST_SHARP
    else:
        any_window = tonic + _COMMON_CHORD
        window = any_window
        if shape.leading:
            window = tonic + _LEADING_CHORD
        elif shape.minor:
            window = tonic + _MINOR_CHORD
    place = _readable(place_of(chord.root, window))
    name = place_name(place, naming) + shape.suffix
    step = (chord.bass - chord.root) % 12
    if step:
        if flats is not None or step not in shape.tones:
            bass = place_of(chord.bass, any_window)
        else:
            bass = place + (_DIMINISHED_SEVENTH if step == 9 and shape.leading else _PLACES[step])
        name += "/" + place_name(_readable(bass), naming)
    return Chord(
        start_s=float(grid.edges_s[chord.first]),
        end_s=float(grid.edges_s[chord.stop]),
        name=name,
        root=chord.root,
        suffix=shape.suffix,
        bass=chord.bass,
    )


def _readable(place: int) -> int:
    """The same key by a name with one accidental at most: C♭ to E♯."""
    if place < _C_FLAT:
        return place + 12
    return place - 12 if place > _E_SHARP else place
