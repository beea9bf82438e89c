"""The waveform of a recording: its peaks, part by part."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from shared.errors import MediaError
from shared.intake import ProbeSpec
from shared.storage.local import LocalStore
from workers.audio import recording_duration_s, recording_outline
from workers.audio.recording import _silent_frames
from workers.audio.waveform import Waveform
from workers.inspection import probe_asset

RATE = 8000
FULL: dict[str, float] = {
    "u8": 128,
    "s16": 1 << 15,
    "s32": 1 << 31,
    "s64": 1 << 63,
    "flt": 1,
    "dbl": 1,
}
"""How libav names types of samples, and full scale of each."""


def frames(
    sound: ArrayLike, kind: str = "fltp", layout: str = "mono", *, rate: int = RATE, size: int = 960
) -> Iterator[av.AudioFrame]:
    """Frames of a sound: of shape (samples,) or (channels, samples), full scale is 1.0."""
    name = kind.removesuffix("p")
    samples = np.atleast_2d(np.asarray(sound, np.float64)) * FULL[name]
    if name in {"u8", "s16", "s32", "s64"}:
        # The next number below full scale, in the precision of a double.
        top = FULL[name] - 1 if name != "s64" else float(2**63 - 1024)
        samples = np.minimum(samples, top)
    dtype = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}[name]
    typed = (samples + (128 if name == "u8" else 0)).astype(dtype)
    for start in range(0, typed.shape[1], size):
        yield frame(typed[:, start : start + size], kind, layout, rate)


def frame(samples: NDArray[np.generic], kind: str, layout: str, rate: int) -> av.AudioFrame:
    made = av.AudioFrame(format=kind, layout=layout, samples=samples.shape[1])
    made.sample_rate = rate
    rows = samples if kind.endswith("p") else [samples.T.ravel()]
    for index, row in enumerate(rows):
        plane = av.audio.plane.AudioPlane(made, index)
        plane.update(row.tobytes().ljust(plane.buffer_size, b"\0"))
    return made


def peaks(parts: int, *sounds: Iterator[av.AudioFrame]) -> tuple[float, ...]:
    waveform = Waveform()
    for sound in sounds:
        for _ in waveform.watch(sound):
            pass
    return waveform.peaks(parts)


def test_silence_is_zero_and_full_scale_is_one() -> None:
    assert peaks(400, frames(np.zeros(RATE))) == (0.0,) * 400
    assert peaks(400, frames(np.ones(RATE))) == (1.0,) * 400
    assert peaks(400) == (0.0,) * 400


def test_what_sounds_in_the_second_half_alone_is_seen_there_alone() -> None:
    sound = np.zeros(2 * RATE)
    sound[RATE:] = 0.25 * np.sin(np.arange(RATE) * np.pi / 2)
    assert peaks(400, frames(sound)) == (0.0,) * 200 + (0.25,) * 200


@pytest.mark.parametrize(
    "kind", [name + planar for name in FULL for planar in ("", "p") if name != "s64" or not planar]
)
@pytest.mark.parametrize("layout", ["mono", "stereo", "7.1"])
def test_every_format_has_the_same_peaks(kind: str, layout: str) -> None:
    channels = {"mono": 1, "stereo": 2, "7.1": 8}[layout]
    sound = np.zeros((channels, 4000))
    sound[0, 1000:2000] = -1.0
    sound[-1, 2500] = 0.5
    sound[-1, 3000:] = 1.0
    assert peaks(4, frames(sound, kind, layout)) == pytest.approx((0, 1, 0.5, 1), abs=0.01)


def test_what_is_no_sound_is_none() -> None:
    sound = np.array([0.5, np.nan, np.nan, np.nan, np.inf, 0.0, -7.0, 0.0])
    assert peaks(4, frames(sound)) == (0.5, 0.0, 1.0, 1.0)


@pytest.mark.parametrize("samples", [1, 3, 399, 401, 65_537, 1_000_003])
@pytest.mark.parametrize("size", [1000, 70_000])
def test_peaks_of_any_length_are_those_of_the_samples_within(samples: int, size: int) -> None:
    sound = np.random.default_rng(samples).uniform(-1, 1, samples).astype(np.float32)
    sound *= np.linspace(0, 1, samples, dtype=np.float32) ** 2
    found = np.array(peaks(400, frames(sound, size=size)))
    edges = np.arange(401) * samples / 400
    reach = samples / 400 / 80
    for part, (start, stop) in enumerate(pairwise(edges)):
        within = np.abs(sound[int(start) : int(np.ceil(stop))]).max()
        around = np.abs(sound[max(0, int(start - reach)) : int(np.ceil(stop + reach))]).max()
        assert within - 0.001 <= found[part] <= around + 0.001


def test_a_rate_that_changes_on_the_way_shifts_nothing() -> None:
    quiet, loud = np.full(RATE, 0.25), np.full(RATE * 6, 0.75)
    found = peaks(4, frames(quiet), frames(loud, rate=RATE * 6), frames(loud, rate=RATE * 3))
    assert found == (0.25, 0.75, 0.75, 0.75)
    found = peaks(4, frames(loud, rate=RATE * 3), frames(quiet), frames(quiet))
    assert found == (0.75, 0.75, 0.25, 0.25)


def test_hours_take_no_more_memory_than_seconds() -> None:
    waveform = Waveform()
    loud = next(frames(np.full(60_000, 0.5), size=60_000))
    quiet = next(frames(np.full(60_000, 0.125), size=60_000))
    for step in range(2000):
        for _ in waveform.watch([quiet if step < 1000 else loud]):
            pass
    assert waveform._steps.nbytes == 1 << 18
    assert waveform._samples < 1 << 18
    found = waveform.peaks(400)
    assert found[:199] + found[200:] == (0.125,) * 199 + (0.5,) * 200


def test_a_gap_in_a_sound_of_many_channels_is_silent() -> None:
    like = next(frames(np.ones((8, 960)), "fltp", "7.1"))
    silent = list(_silent_frames(like, 40_000))
    assert sum(each.samples for each in silent) == 40_000
    assert peaks(2, iter([*silent, like])) == (0.0, 1.0)


def wav(path: Path, sound: NDArray[np.float64]) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.clip(sound * 32768, -32768, 32767).astype("<i2").tobytes())
    return path


def test_an_uploaded_recording_tells_its_waveform(tmp_path: Path) -> None:
    sound = np.concatenate([np.zeros(RATE), np.full(RATE, -0.5)])
    store = LocalStore(tmp_path / "store")
    store.put_file("assets/aa/aa", wav(tmp_path / "song.wav", sound))
    facts = probe_asset(
        ProbeSpec(asset_key="assets/aa/aa", name="Song.wav", kind="audio"), store
    ).facts
    assert facts["duration_s"] == 2.0
    assert facts["waveform"] == [0.0] * 200 + [0.5] * 200


@pytest.mark.parametrize("suffix", ["mp3", "m4a", "ogg", "flac", "mka"])
def test_length_and_waveform_are_found_in_one_reading(
    tmp_path: Path, ffmpeg: Callable[..., str], suffix: str
) -> None:
    sound = np.sin(np.arange(3 * RATE) * 0.3) * np.repeat([0, 0.8, 0], RATE)
    path = tmp_path / f"song.{suffix}"
    ffmpeg("-i", wav(tmp_path / "song.wav", sound), path)
    outline = recording_outline(path, 30)
    assert outline.duration_s == recording_duration_s(path)
    assert 0 <= outline.duration_s - 3 < Fraction(1, 5)
    assert max(*outline.waveform[:8], *outline.waveform[22:]) < 0.05
    assert min(outline.waveform[11:19]) == pytest.approx(0.8, abs=0.1)


def test_a_damaged_recording_has_the_error_that_its_length_has(tmp_path: Path) -> None:
    path = tmp_path / "noise.mp3"
    path.write_bytes(b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(range(256)) * 400)
    said = []
    for look in (recording_duration_s, lambda path: recording_outline(path, 400)):
        with pytest.raises(MediaError) as caught:
            look(path)
        said.append(caught.value.message)
    assert said[0] == said[1]
