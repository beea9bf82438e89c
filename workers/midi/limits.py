"""How much of a MIDI file is read before it is refused."""

from __future__ import annotations

from dataclasses import dataclass

MAX_TICKS = 2**38
"""The last tick of a song: with a 24-bit tempo, tick × tempo still fits 64 bits exactly."""


@dataclass(frozen=True, kw_only=True)
class MidiLimits:
    """Bounds on what one file may ask for, so that none can exhaust memory or time.

    A file beyond ``max_bytes``, ``max_tracks``, ``max_events``, ``max_notes``,
    ``max_map_changes`` or ``max_duration_s`` is refused with a
    :class:`~shared.errors.MidiError`; beyond the others the rest is left out with a repair.
    """

    max_bytes: int = 256 * 1024 * 1024
    """Size of the file in bytes."""
    max_tracks: int = 65_535
    """Tracks in the file; a note's track is a 16-bit number."""
    max_events: int = 20_000_000
    """Channel messages in all tracks together, about 150 bytes of memory each while they are
    read. Any other event takes longer to read and counts for four."""
    max_notes: int = 10_000_000
    """Notes in all tracks together."""
    max_map_changes: int = 300_000
    """Tempo and time signature events in all tracks together."""
    max_duration_s: float = 86_400.0
    """When the last note may end, in seconds."""
    max_texts: int = 100_000
    """Texts (lyrics, markers, names, …) that are kept."""
    max_text_bytes: int = 65_536
    """Bytes of one text that are kept."""
    max_damages: int = 10_000
    """Places in one track that make no sense before the rest of the track is given up."""
    max_repairs: int = 1_000
    """Repairs that are kept one by one; one more says how many there were beyond."""
