"""Reading a musician's recording: opened with care, decoded in order, never held whole.

The first decoded sample is time 0 of the recording, whatever its timestamp says: libav cuts the
encoder's priming of mp3, AAC, Opus and Vorbis itself, but leaves the first timestamp of an mp3
at 1105 samples, and placing by that would be 25 ms late.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer

from shared.errors import MediaError
from workers.audio.blocks import BLOCK_SAMPLES, Block, planes_of
from workers.audio.waveform import Waveform
from workers.probe.opening import RECORDING_FORMATS, open_media
from workers.probe.signature import describe_file

_PLENTY: Final = 1000.0
"""Samples beyond ±60 dBFS are no sound; the encoder refuses what comes near infinity."""

_GAP_S: Final = Fraction(1, 10)
"""Timestamps this far ahead of the decoded samples mean that sound is missing.

Live recorders (MediaRecorder, OBS) jitter by tens of milliseconds, which is no gap.
"""

_DAMAGE_GAP_S: Final = Fraction(1, 1000)
"""The same right after a packet that could not be decoded: any gap is then real (webm: 1 ms)."""

_LONGEST_GAP_S: Final = 3600
"""A jump of timestamps beyond this is nonsense and is ignored."""

_CUT_OFF_S: Final = Fraction(1, 2)
"""A recording that ends this much earlier than it says was cut off on its way."""

_ESTIMATED: Final = frozenset({"aac", "ac3", "amr", "flv", "mpegts"})
"""Formats whose duration libav guesses from the bit rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What a recording looks like from afar."""

    duration_s: Fraction
    """Its exact length in seconds, as recording_duration_s counts it."""
    waveform: tuple[float, ...]
    """The highest amplitude of any channel in each of equal parts of it, 0 to 1 (full scale)."""


class Recording:
    """An opened recording; made by open_recording, read once from start to end."""

    def __init__(self, container: InputContainer, stream: AudioStream, path: Path) -> None:
        self._container = container
        self._stream = stream
        self._path = path
        self._end_s = Fraction(0)
        """How far it was read, with what is missing in it."""
        self._filled_s = Fraction(0)
        self._damaged = 0
        self._ended = False

    def blocks(self, sample_rate: int, channels: int) -> Iterator[Block]:
        """The sound, resampled: blocks of shape (channels, n), the first sample is time 0.

        Raises:
            MediaError: Nothing of it could be decoded.
        """
        # Frames of mp3 or Opus are short; handing on bigger pieces halves the time of it all.
        gathered: list[Block] = []
        for block in self._resampled(sample_rate, channels):
            gathered.append(block)
            if sum(part.shape[1] for part in gathered) >= BLOCK_SAMPLES:
                yield _clean(np.concatenate(gathered, axis=1))
                gathered = []
        if gathered:
            yield _clean(np.concatenate(gathered, axis=1))

    def _resampled(self, sample_rate: int, channels: int) -> Iterator[Block]:
        layout = "mono" if channels == 1 else "stereo"
        resampler: av.AudioResampler | None = None
        kind: tuple[str, str, int] | None = None
        for frame in self._frames():
            new_kind = (frame.format.name, frame.layout.name, frame.sample_rate)
            if resampler is None or new_kind != kind:
                # Chained ogg files and radio captures change their rate on the way; a
                # resampler is made for one.
                if resampler is not None:
                    yield from map(_samples, resampler.resample(None))
                resampler = av.AudioResampler("fltp", layout, sample_rate)
                kind = new_kind
            frame.pts = None
            yield from map(_samples, resampler.resample(frame))
        if resampler is not None:
            yield from map(_samples, resampler.resample(None))

    def duration_s(self) -> Fraction:
        """Length of the sound in seconds, as ``blocks`` gives it. Reads the whole recording."""
        return _length_s(self._frames())

    def outline(self, parts: int) -> Outline:
        """What it looks like from afar. Reads the whole recording, once.

        Args:
            parts: How many peaks are found.
        """
        waveform = Waveform()
        duration_s = _length_s(waveform.watch(self._frames()))
        return Outline(duration_s=duration_s, waveform=waveform.peaks(parts))

    def _frames(self) -> Iterator[av.AudioFrame]:
        """Decoded frames, with silent ones in place of what is missing."""
        first_s: Fraction | None = None
        fresh_damage = False
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                break
            except av.FFmpegError:
                self._damaged += 1
                break
            try:
                frames = packet.decode()
            except av.FFmpegError:
                self._damaged += 1
                fresh_damage = True
                continue
            for frame in frames:
                if not frame.samples:
                    continue
                if frame.pts is not None and frame.time_base is not None:
                    at_s = frame.pts * frame.time_base
                    first_s = at_s if first_s is None else first_s
                    gap_s = at_s - first_s - self._end_s
                    threshold_s = _DAMAGE_GAP_S if fresh_damage else _GAP_S
                    if threshold_s < gap_s < _LONGEST_GAP_S:
                        missing = round(gap_s * frame.sample_rate)
                        self._end_s += Fraction(missing, frame.sample_rate)
                        self._filled_s += Fraction(missing, frame.sample_rate)
                        yield from _silent_frames(frame, missing)
                fresh_damage = False
                self._end_s += Fraction(frame.samples, frame.sample_rate)
                yield frame
        self._ended = True
        if self._end_s == self._filled_s:
            raise MediaError(
                "Nothing of the recording could be decoded; it is empty or damaged. "
                "Export it again, best as WAV or FLAC."
            )

    def warnings(self) -> tuple[str, ...]:
        """Sentences about what was wrong with the recording, as far as it has been read."""
        found: list[str] = []
        if self._ended and self._is_cut_off():
            found.append(
                f"The recording ends after {float(self._end_s):.1f} s, before the end that its "
                "file announces; it seems to have been cut off."
            )
        if self._damaged:
            found.append(
                f"Parts of the recording are damaged ({self._damaged} packets); they are silent."
            )
        elif self._filled_s:
            found.append(
                f"{float(self._filled_s):.2f} s are missing inside the recording; they are silent."
            )
        return tuple(found)

    def _is_cut_off(self) -> bool:
        declared_s = self._declared_s()
        if declared_s is None:
            return _riff_is_short(self._path)
        return self._end_s + _CUT_OFF_S < declared_s

    def _declared_s(self) -> Fraction | None:
        """The length that the file itself names; None where libav only guesses it."""
        name = self._container.format.name
        # libav clamps the length of a wav to its file, so it always agrees.
        if name in _ESTIMATED or name in {"wav", "w64"}:
            return None
        if name == "mp3" and not self._stream.start_time:
            return None  # no Xing/LAME header: a guess from the first frames' bit rate
        if self._stream.duration is not None and self._stream.time_base is not None:
            return self._stream.duration * self._stream.time_base
        if self._container.duration is not None:
            return Fraction(self._container.duration, av.time_base)
        return None


@contextmanager
def open_recording(path: Path) -> Iterator[Recording]:
    """Open the first audio stream of a media file.

    Raises:
        MediaError: The file is no recording that can be read; the message says what it is.
    """
    if path.stat().st_size == 0:
        raise MediaError("The recording is empty (0 bytes); upload it again.")
    try:
        container = open_media(path, RECORDING_FORMATS)
    except (av.FFmpegError, ValueError) as exc:
        raise MediaError(
            f"The recording cannot be read: it looks like {describe_file(path)}. "
            "Use a sound file such as WAV, FLAC, MP3, M4A or OGG."
        ) from exc
    with container:
        if not container.streams.audio:
            kinds = sorted({str(stream.type) for stream in container.streams}) or ["nothing"]
            raise MediaError(
                f"The recording has no sound, only {' and '.join(kinds)}; "
                "use a sound file such as WAV, FLAC, MP3, M4A or OGG."
            )
        stream = container.streams.audio[0]
        try:
            codec = stream.codec_context.name
        except (AttributeError, av.FFmpegError):
            codec = None
        if codec is None or not stream.sample_rate:
            raise MediaError(
                "The recording's sound is in a coding that cannot be read (it may be protected "
                "against copying); export it as WAV, FLAC or MP3."
            )
        yield Recording(container, stream, path)


def recording_duration_s(path: Path) -> Fraction:
    """Exact length of a recording in seconds.

    It is counted in decoded samples, so it is the length that a video of it needs; ten minutes
    of mp3 take about 0.4 s. Headers alone are wrong by up to a second for an mp3 with variable
    rate, by the priming for Opus, and arbitrarily for a file that was cut off.

    Raises:
        MediaError: The file is no recording that can be read.
    """
    with open_recording(path) as recording:
        return recording.duration_s()


def recording_outline(path: Path, parts: int) -> Outline:
    """The exact length of a recording and its waveform, found in one reading.

    The waveform adds a third or a half to the time that the length takes: ten minutes of mp3
    take about 0.8 s.

    Args:
        path: The recording.
        parts: How many peaks are found.

    Raises:
        MediaError: The file is no recording that can be read.
    """
    with open_recording(path) as recording:
        return recording.outline(parts)


def _length_s(frames: Iterable[av.AudioFrame]) -> Fraction:
    """Length of frames in seconds; chained ogg files have several rates."""
    samples: Counter[int] = Counter()
    for frame in frames:
        samples[frame.sample_rate] += frame.samples
    return sum((Fraction(count, rate) for rate, count in samples.items()), Fraction(0))


def _silent_frames(like: av.AudioFrame, samples: int) -> Iterator[av.AudioFrame]:
    """``samples`` of silence in the format of another frame."""
    # Unsigned bytes are silent in their middle.
    silent = b"\x80" if like.format.name.startswith("u8") else b"\0"
    while samples > 0:
        step = min(samples, BLOCK_SAMPLES)
        frame = av.AudioFrame(format=like.format.name, layout=like.layout.name, samples=step)
        frame.sample_rate = like.sample_rate
        for plane in planes_of(frame):
            plane.update(silent * plane.buffer_size)
        yield frame
        samples -= step


def _samples(frame: av.AudioFrame) -> Block:
    """A float planar frame as a block."""
    return frame.to_ndarray().astype(np.float32, copy=False)


def _clean(block: Block) -> Block:
    """A block freed of what is no number, and of what the encoder would take for infinite."""
    return np.clip(np.nan_to_num(block, copy=False, nan=0.0), -_PLENTY, _PLENTY)


def _riff_is_short(path: Path) -> bool:
    """Whether a WAV file has fewer bytes than its first chunk promises."""
    with path.open("rb") as file:
        head = file.read(12)
    promised = int.from_bytes(head[4:8], "little")
    # Recorders that stream leave 0 or 0xFFFFFFFF there.
    if head[:4] != b"RIFF" or head[8:] != b"WAVE" or promised in {0, 0xFFFFFFFF}:
        return False
    return path.stat().st_size + 1 < promised + 8
