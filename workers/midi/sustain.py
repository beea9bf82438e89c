"""The sustain pedal, and what it does to notes."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from workers.midi.events import ChannelEvents
from workers.midi.notes import PERCUSSION_CHANNEL, FloatArray, NoteTable

CONTROL_CHANGE: Final = 0xB0
SUSTAIN_PEDAL: Final = 64
"""Controller number of the damper pedal (MIDI 1.0, table 3)."""
RESET_CONTROLLERS: Final = 121
"""Channel mode message that also lifts the pedal (RP-015)."""
PEDAL_DOWN: Final = 64
"""The pedal is down from this value on."""


def pedal(events: ChannelEvents, channel: int) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """What the sustain pedal of a channel does.

    Returns:
        Times in seconds at which it goes down or up, ascending, and True for down. Only
        changes are listed; it is up at first, so the first is down.
    """
    control = events.status == (CONTROL_CHANGE | channel)
    mine = control & ((events.data1 == SUSTAIN_PEDAL) | (events.data1 == RESET_CONTROLLERS))
    rows = np.flatnonzero(mine)
    down = (events.data1[rows] == SUSTAIN_PEDAL) & (events.data2[rows] >= PEDAL_DOWN)
    changed = np.diff(down, prepend=False)
    return events.time_s[rows[changed]], down[changed]


def sustain(notes: NoteTable, events: ChannelEvents, track_end_s: FloatArray) -> NoteTable:
    """Lengthen the notes that the pedal holds.

    A note is held if the pedal of its channel is down when the key is let go. It then ends
    with the first of: the pedal goes up; the same key of the same channel (of any track) is
    struck again; its track ends. A pedal that goes up at the very moment the key is let go
    holds nothing, nor does one that goes down at that moment. No note gets shorter, and
    percussion is left alone: drums ring as long as they ring.

    Args:
        notes: The notes as they are played.
        events: The song's channel messages.
        track_end_s: When each track ends, by its number.
    """
    end_s = notes.end_s.copy()
    restrike_s = _next_onset(notes)
    limit_s = np.minimum(restrike_s, track_end_s[notes.track])
    for channel in np.unique(notes.channel).tolist():
        if channel == PERCUSSION_CHANNEL:
            continue
        times, down = pedal(events, channel)
        if not len(times):
            continue
        rows = np.flatnonzero(notes.channel == channel)
        let_go = notes.end_s[rows]
        last = np.searchsorted(times, let_go, side="left") - 1
        held = (last >= 0) & down[last]
        ups = np.append(times[~down], np.inf)
        lifted = ups[np.searchsorted(ups, let_go, side="left")]
        longer = np.maximum(let_go, np.minimum(lifted, limit_s[rows]))
        end_s[rows] = np.where(held, longer, let_go)
    return NoteTable(
        start_s=notes.start_s,
        end_s=end_s,
        key=notes.key,
        velocity=notes.velocity,
        channel=notes.channel,
        track=notes.track,
    )


def _next_onset(notes: NoteTable) -> FloatArray:
    """For each note, when its key is struck next on its channel; infinity if never."""
    string = notes.channel.astype(np.uint16) << 7 | notes.key
    # Rows are in order of start, and a stable sort keeps that within each string.
    order = np.argsort(string, kind="stable")
    string, start_s = string[order], notes.start_s[order]
    count = len(order)
    # Notes struck at the same moment share one onset: the next run of equal starts counts.
    first = np.ones(count, dtype=np.bool_)
    first[1:] = (string[1:] != string[:-1]) | (start_s[1:] != start_s[:-1])
    runs = np.flatnonzero(first)
    run_next = np.full(len(runs), np.inf)
    same = string[runs[1:]] == string[runs[:-1]]
    run_next[:-1] = np.where(same, start_s[runs[1:]], np.inf)
    result = np.empty(count)
    result[order] = run_next[np.cumsum(first) - 1]
    return result
