"""Reading MIDI files, whatever state they are in."""

from __future__ import annotations

from workers.midi.events import ChannelEvents
from workers.midi.limits import MidiLimits
from workers.midi.meter import MeterChange, MeterMap
from workers.midi.notes import PERCUSSION_CHANNEL, NoteTable
from workers.midi.reader import MIN_NOTE_S, read_midi
from workers.midi.repairs import Repair
from workers.midi.song import Song, TextEvent, TrackInfo
from workers.midi.tempo import Division, TempoChange, TempoMap

__all__ = [
    "MIN_NOTE_S",
    "PERCUSSION_CHANNEL",
    "ChannelEvents",
    "Division",
    "MeterChange",
    "MeterMap",
    "MidiLimits",
    "NoteTable",
    "Repair",
    "Song",
    "TempoChange",
    "TempoMap",
    "TextEvent",
    "TrackInfo",
    "read_midi",
]
