"""Playing a MIDI file with a SoundFont, for those who have no recording.

The synthesiser is TinySoundFont. Its own sequencer rounds each step between two events up and is
0.1 s late after six minutes, so events are scheduled here: each sounds at exactly
``round((time_s - start_s) * sample_rate)``. It knows no sustain pedal either; that is done here
by holding back the releases.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
import tinysoundfont
from numpy.typing import NDArray

from shared.errors import MediaError
from workers.midi import ChannelEvents
from workers.soundfont import check_soundfont, find_soundfont

__all__ = ["find_soundfont", "synthesise"]

_GAIN_DB: Final = -8.0
"""Room for chords. Nothing clips in float; the loudness is brought to its target later."""

_PREROLL_S: Final = 30
"""How long before the video the synthesiser begins to play.

Notes that began earlier and still sound are struck again there; nearly every decaying
instrument is silent after that time, so the difference is not heard. It costs about 0.3 s.
"""

_BLOCK_SAMPLES: Final = 65536

_DRUM_CHANNEL: Final = 9
_DRUM_BANKS: Final = frozenset({120, 127})
"""Bank select MSB of drum kits on other channels: 120 in General MIDI 2, 127 in Yamaha XG."""

_BANK_MSB: Final = 0
_SUSTAIN: Final = 64
_ALL_SOUND_OFF: Final = 120
_RESET_CONTROLLERS: Final = 121
_ALL_NOTES_OFF: Final = range(123, 128)
"""Controllers of MIDI 1.0; 124 to 127 change the mode and end all notes as well."""


def synthesise(
    events: ChannelEvents,
    *,
    soundfont: Path,
    sample_rate: int,
    start_s: Fraction,
    samples: int,
) -> Iterator[NDArray[np.float32]]:
    """Play a part of a song.

    Args:
        events: All channel messages of the song.
        soundfont: The .sf2 or .sf3 file to play with.
        sample_rate: Samples a second.
        start_s: Song time of the first sample.
        samples: How many samples per channel to make; notes that still ring are cut there.

    Returns:
        Blocks of shape (n, 2), left and right, ``samples`` in all; the same input gives the
        same samples.

    Raises:
        MediaError: The SoundFont cannot be used.
    """
    check_soundfont(soundfont)
    # Rounded once per event, in samples from the start of the video.
    at = np.floor((events.time_s - float(start_s)) * sample_rate + 0.5).astype(np.int64)
    order = np.argsort(at, kind="stable")
    order = order[: np.searchsorted(at[order], samples)]
    at = at[order]
    messages = (events.status[order], events.data1[order], events.data2[order])
    return _play(_Player(soundfont, sample_rate), at, messages, sample_rate, samples)


def _play(
    player: _Player,
    at: NDArray[np.int64],
    messages: tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]],
    sample_rate: int,
    samples: int,
) -> Iterator[NDArray[np.float32]]:
    first = -_PREROLL_S * sample_rate
    if not at.size or at[0] > first:
        first = int(min(at[0], 0)) if at.size else 0
    rehearsed = int(np.searchsorted(at, first))
    status, data1, data2 = (column.tolist() for column in messages)
    for index in range(rehearsed):
        player.rehearse(status[index], data1[index], data2[index])
    player.strike_held()

    times = at.tolist()
    index = rehearsed
    position = first
    while position < samples:
        # Preroll is rendered in blocks of its own, so that no block straddles sample 0.
        stop = min(position + _BLOCK_SAMPLES, 0 if position < 0 else samples)
        block = np.zeros((stop - position, 2), np.float32)
        filled = 0
        while index < len(times) and times[index] < stop:
            until = times[index] - position
            player.render(block[filled:until])
            filled = until
            player.send(status[index], data1[index], data2[index])
            index += 1
        player.render(block[filled:])
        if position >= 0:
            yield block
        position = stop


class _Player:
    """A synthesiser with sixteen channels, a sustain pedal and the drum rules of MIDI."""

    def __init__(self, soundfont: Path, sample_rate: int) -> None:
        self._synth = tinysoundfont.Synth(gain=_GAIN_DB, samplerate=sample_rate)
        try:
            self._font = self._synth.sfload(str(soundfont))
        except RuntimeError as exc:
            raise MediaError(
                f"The SoundFont {soundfont.name} cannot be used: it is damaged or of an unknown "
                "kind. Use a complete .sf2 or .sf3 file."
            ) from exc
        self._bank = [0] * 16
        self._pedal = [False] * 16
        self._released: list[set[int]] = [set() for _ in range(16)]
        """Keys that were let go while the pedal holds them."""
        self._held: list[dict[int, int]] = [{} for _ in range(16)]
        """Keys that are down, with their velocity; kept up to date while rehearsing only."""
        for channel in range(16):
            self._select(channel, 0)

    def render(self, block: NDArray[np.float32]) -> None:
        """Fill a contiguous block of shape (n, 2) with what sounds now."""
        if len(block):
            self._synth.generate_simple(len(block), block.data.cast("B"))

    def rehearse(self, status: int, data1: int, data2: int) -> None:
        """Take note of a message without sounding it."""
        kind, channel = status & 0xF0, status & 0x0F
        held = self._held[channel]
        if kind == 0x90 and data2:
            held[data1] = data2
        elif kind in {0x80, 0x90}:
            held.pop(data1, None)
        else:
            if kind == 0xB0 and (data1 == _ALL_SOUND_OFF or data1 in _ALL_NOTES_OFF):
                held.clear()
            self.send(status, data1, data2)

    def strike_held(self) -> None:
        """Sound the notes that are held at the end of the rehearsal."""
        for channel, held in enumerate(self._held):
            for key, velocity in held.items():
                self._synth.noteon(channel, key, velocity)
            held.clear()

    def send(self, status: int, data1: int, data2: int) -> None:
        """Act on a channel message now."""
        kind, channel = status & 0xF0, status & 0x0F
        if kind == 0x90 and data2:
            if data1 in self._released[channel]:
                # A string that is struck again does not go on sounding beside itself.
                self._released[channel].discard(data1)
                self._synth.noteoff(channel, data1)
            self._synth.noteon(channel, data1, data2)
        elif kind in {0x80, 0x90}:
            if self._pedal[channel]:
                self._released[channel].add(data1)
            else:
                self._synth.noteoff(channel, data1)
        elif kind == 0xB0:
            self._control(channel, data1, data2)
        elif kind == 0xC0:
            self._select(channel, data1)
        elif kind == 0xE0:
            self._synth.pitchbend(channel, data1 | data2 << 7)

    def _control(self, channel: int, controller: int, value: int) -> None:
        if controller == _SUSTAIN:
            self._set_pedal(channel, down=value >= 64)
            return
        if controller == _BANK_MSB:
            self._bank[channel] = value
        elif controller == _RESET_CONTROLLERS:
            self._set_pedal(channel, down=False)
        elif controller == _ALL_SOUND_OFF or controller in _ALL_NOTES_OFF:
            self._released[channel].clear()
        self._synth.control_change(channel, controller, value)

    def _set_pedal(self, channel: int, *, down: bool) -> None:
        self._pedal[channel] = down
        if not down:
            for key in sorted(self._released[channel]):
                self._synth.noteoff(channel, key)
            self._released[channel].clear()

    def _select(self, channel: int, program: int) -> None:
        """Choose an instrument; where the font lacks it, the first one that it has."""
        drums = channel == _DRUM_CHANNEL or self._bank[channel] in _DRUM_BANKS
        for wanted in (program, 0):
            try:
                self._synth.program_change(channel, wanted, drums)
            except RuntimeError:
                continue
            return
        self._synth.soundfonts[self._font].channel_set_preset_index(channel, 0)
