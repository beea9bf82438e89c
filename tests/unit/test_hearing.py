"""What the picture hears of a sound: the laws that every layer may rely on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.composition import Composition
from shared.errors import ObjectNotFoundError
from shared.intake import Intake
from shared.plan import HeardSpec
from shared.planning import heard_of
from shared.storage import LocalStore
from tests.songs import SongFile
from tests.sounds import piano
from workers.hearing import BAND_HZ, HOP_S, N_BANDS, SOUND_RATE, Hearing, find_hearing
from workers.hearing.bands import EDGES_HZ, WAVE_RATE
from workers.hearing.hearing import BAND_RELEASE_S
from workers.layers import prepare_scene
from workers.midi import NoteTable

Mono = NDArray[np.float32]


def sine(hertz: float, seconds: float = 1.5, amplitude: float = 0.5) -> Mono:
    time_s = np.arange(round(seconds * SOUND_RATE)) / SOUND_RATE
    return (amplitude * np.sin(2 * np.pi * hertz * time_s)).astype(np.float32)


def noise(seconds: float, amplitude: float = 0.1) -> Mono:
    samples = round(seconds * SOUND_RATE)
    return np.random.default_rng(5).normal(0, amplitude, samples).astype(np.float32)


def silence(seconds: float) -> Mono:
    return np.zeros(round(seconds * SOUND_RATE), np.float32)


def heard(*parts: Mono) -> Hearing:
    return Hearing.from_sound(parts)


def in_blocks(sound: Mono, length: int) -> Iterator[Mono]:
    for first in range(0, len(sound), length):
        yield sound[first : first + length]


@pytest.fixture(scope="module")
def strokes() -> Hearing:
    """Struck strings."""
    sound = piano(4.0).mean(axis=0)
    # 48 kHz taken for 32 kHz: lower and slower, but as much of a piano.
    return heard(sound.astype(np.float32))


@pytest.mark.parametrize("hertz", [40.0, 110.0, 440.0, 990.0, 1010.0, 3000.0, 12000.0])
def test_a_tone_lights_its_band_and_hardly_others(hertz: float) -> None:
    hearing = heard(sine(hertz))
    levels = hearing.bands_at(0.75, released=False)
    band = int(np.searchsorted(EDGES_HZ, hertz)) - 1
    assert levels[band] > 0.95
    # A Blackman window shows a tone as a hill of six lines of the transform.
    line_hz = np.where(BAND_HZ < 1000, WAVE_RATE, SOUND_RATE) / 1024
    distant = np.abs(BAND_HZ - hertz) > 5 * line_hz + 0.1 * BAND_HZ
    assert distant.sum() > N_BANDS // 2
    assert levels[distant].max() < 0.02
    if hertz >= 400:
        assert (levels > 0.2).sum() <= 3


@pytest.mark.parametrize(("hertz", "loud"), [(80.0, 1), (700.0, 2), (6000.0, 3)])
def test_bass_mid_and_treble_are_told_apart(hertz: float, loud: int) -> None:
    signals = heard(sine(hertz)).signals_at(0.75)
    assert signals[0] > 0.95
    assert signals[loud] > 0.95
    others = [place for place in (1, 2, 3) if place != loud]
    assert signals[others].max() < 0.1


def test_a_stroke_is_seen_when_it_is_heard() -> None:
    hearing = heard(silence(1), noise(0.5), silence(1))
    assert not hearing.bands_at(0.93).any()
    assert hearing.bands_at(0.98, released=False)[60:].max() == 0
    assert hearing.bands_at(1.02, released=False)[60:].min() > 0.5
    assert hearing.level_at(0.95) < 0.05
    assert hearing.level_at(1.03) > 0.8
    assert hearing.bands_at(1.57, released=False).max() == 0


def test_silence_is_silent() -> None:
    for hearing in (heard(silence(1)), heard(noise(1, amplitude=2e-6)), heard()):
        for t in (-1.0, 0.0, 0.5, 2.0):
            assert not hearing.bands_at(t).any()
            assert not hearing.signals_at(t).any()
        assert not hearing.wave(0, 1, 50).any()
        assert not hearing.envelope_between(0, 1, 50).any()
        assert hearing.trigger(0.5, 0.02) == 0.5


def test_louder_is_never_less() -> None:
    steps = [noise(0.3, amplitude) for amplitude in (0.0001, 0.001, 0.01, 0.03, 0.1, 0.3)]
    hearing = heard(*steps)
    middles = 0.15 + 0.3 * np.arange(len(steps))
    for found in (hearing.signals_at(middles), hearing.bands_at(middles, released=False)):
        assert (np.diff(found, axis=0) >= 0).all()
    levels = hearing.signals_at(middles)[:, 0]
    assert (np.diff(levels) > 0.01).all()
    assert levels[4] / levels[2] == pytest.approx(4, rel=0.1), "20 dB are four times as loud"


def test_outside_of_the_sound_there_is_nothing(strokes: Hearing) -> None:
    end_s = strokes.duration_s
    assert end_s == 6.0
    for t in (-1e9, -1.0, -HOP_S, end_s + HOP_S, end_s + 1, 1e9):
        assert not strokes.bands_at(t).any()
        assert not strokes.bands_at(t, released=False).any()
        assert not strokes.signals_at(t).any()
        assert not strokes.wave(t, t - 0.02 if t < 0 else t + 0.02, 30).any()
        assert not strokes.envelope_between(t - 0.1, t, 7)[:6].any() or t > 0
        assert strokes.trigger(t, 0.005) == t
    assert strokes.level_at(0.5) > 0


def test_times_between_hops_run_straight(strokes: Hearing) -> None:
    times = np.linspace(-0.05, strokes.duration_s + 0.05, 2500)
    # A level cannot change in a hop by more than all of it.
    most = 1.001 * (times[1] - times[0]) / HOP_S
    for released in (True, False):
        found = strokes.bands_at(times, released=released)
        assert np.abs(np.diff(found, axis=0)).max() <= most
    assert np.abs(np.diff(strokes.signals_at(times), axis=0)).max() <= most
    a, middle, b = strokes.bands_at([1.00, 1.005, 1.01], released=False)
    np.testing.assert_allclose(middle, (a + b) / 2, atol=1e-5)


def test_many_times_are_looked_up_as_one(strokes: Hearing) -> None:
    times = np.array([[0.5, 0.123, 2.0], [-1.0, 0.5, 99.0]])
    for released in (True, False):
        together = strokes.bands_at(times, released=released)
        assert together.shape == (2, 3, N_BANDS)
        assert together.dtype == np.float32
        for place in np.ndindex(times.shape):
            alone = strokes.bands_at(float(times[place]), released=released)
            np.testing.assert_array_equal(together[place], alone)
    signals = strokes.signals_at(times)
    assert signals.shape == (2, 3, 4)
    by_name = (strokes.level_at, strokes.bass_at, strokes.mid_at, strokes.treble_at)
    assert [one(0.123) for one in by_name] == signals[0, 1].tolist()


def test_what_is_released_falls_slowly_and_is_never_below(strokes: Hearing) -> None:
    hops = np.arange(len(strokes.bands)) * HOP_S
    raw, released = (strokes.bands_at(hops, released=kind) for kind in (False, True))
    assert (released >= raw - 1e-6).all()
    assert (released[1:] >= released[:-1] * np.exp(-HOP_S / BAND_RELEASE_S) - 1e-3).all()
    assert (strokes.signals_at(hops) >= strokes.signals / 65535 - 1e-6).all()
    struck = heard(noise(0.5), silence(3))
    falling = struck.bands_at([0.5, 0.5 + BAND_RELEASE_S, 3.4])[:, 60]
    assert falling[1] == pytest.approx(falling[0] * np.exp(-1), rel=0.1)
    assert falling[2] < 0.001
    assert struck.level_at(0.7) < 0.5 * struck.level_at(0.5)
    assert struck.level_at(3.0) < 0.001


def test_a_frame_needs_none_before_it(strokes: Hearing) -> None:
    times = [3.2, 0.1, 2.9, 1.7]
    again = dataclasses.replace(strokes)
    forwards = {t: again.bands_at(t) for t in sorted(times)}
    for t in times:
        np.testing.assert_array_equal(strokes.bands_at(t), forwards[t])


def test_quiet_and_loud_recordings_look_alike(strokes: Hearing) -> None:
    loud = piano(4.0).mean(axis=0).astype(np.float32)
    # 20 dB softer and in 16 bits, as a careful person records.
    quiet = np.rint(loud * 0.1 * 32767).astype(np.float32) / 32767
    soft = heard(quiet)
    times = np.arange(0.2, 3.8, 0.05)
    bands = np.abs(soft.bands_at(times) - strokes.bands_at(times))
    assert np.percentile(bands[strokes.bands_at(times) > 0.3], 99) < 0.05
    assert np.abs(soft.signals_at(times) - strokes.signals_at(times)).max() < 0.05
    assert np.abs(soft.wave(1, 1.2, 500) - strokes.wave(1, 1.2, 500)).max() < 0.02


def test_blocks_of_any_length_are_heard_alike() -> None:
    sound = noise(7.77)
    whole = heard(sound).to_bytes()
    for length in (1000, 16384, 200_001):
        assert Hearing.from_sound(in_blocks(sound, length)).to_bytes() == whole


def test_the_wave_is_that_of_the_sound() -> None:
    hearing = heard(sine(200, 2.0))
    shown = hearing.wave(1.0, 1.01, 801)
    expected = np.sin(2 * np.pi * 200 * np.linspace(1.0, 1.01, 801))
    scale = float(np.abs(shown).max())
    assert 0.85 < scale <= 0.95
    np.testing.assert_allclose(shown / scale, expected, atol=0.01)
    assert shown.dtype == np.float32


@pytest.mark.parametrize(("t0", "t1", "n"), [(0.0, 3.0, 30), (0.9, 1.1, 400), (-2.0, 5.0, 70)])
def test_the_envelope_holds_the_wave(t0: float, t1: float, n: int) -> None:
    hearing = heard(silence(1), sine(300, 1.0), silence(1))
    low, high = hearing.envelope_between(t0, t1, n).T
    edges = np.linspace(t0, t1, n + 1)
    for index in range(n):
        wave = hearing.wave(edges[index], edges[index + 1], 400)
        assert low[index] <= wave.min() + 0.03
        assert high[index] >= wave.max() - 0.03
    inside = (edges[:-1] > 1.03) & (edges[1:] < 1.97) & (np.diff(edges) > 1 / 300)
    assert (high[inside] > 0.85).all()
    outside = (edges[1:] < 0.97) | (edges[:-1] > 2.03)
    assert not high[outside].any()


@pytest.mark.parametrize("hertz", [82.4, 440.0, 1500.0])
def test_an_oscilloscope_stands_still(hertz: float) -> None:
    tone = sine(hertz, 2.0) + sine(2 * hertz, 2.0, 0.3) + sine(3 * hertz, 2.0, 0.2)
    hearing = heard(tone)
    window_s = 1 / hertz
    pictures = []
    for frame in range(30, 50):
        begun = hearing.trigger(frame / 30, window_s)
        assert abs(begun - frame / 30) <= window_s
        pictures.append(hearing.wave(begun, begun + 2 / hertz, 100))
    # At 1500 Hz its second harmonic has less than three samples.
    assert np.abs(np.array(pictures) - pictures[0]).max() < (0.1 if hertz < 1000 else 0.25)


def test_it_is_stored_and_found_again(strokes: Hearing) -> None:
    data = strokes.to_bytes()
    again = Hearing.from_bytes(data)
    assert again.to_bytes() == data
    np.testing.assert_array_equal(again.bands_at(1.234), strokes.bands_at(1.234))
    with pytest.raises(ValueError, match="read-only"):
        again.samples[0] = 1
    for damaged in (b"", b"no zip", data[:500]):
        with pytest.raises(ValueError, match="no hearing"):
            Hearing.from_bytes(damaged)
    with pytest.raises(ValueError, match="another shape"):
        dataclasses.replace(strokes, bands=strokes.bands[:, :5])


def test_notes_alone_are_seen_as_well() -> None:
    file = SongFile().note(0.5, 1.5, 69, velocity=100).note(2, 2.5, 45, velocity=40)
    song = file.song()
    hearing = Hearing.from_notes(song.notes, song.end_s)
    assert hearing.duration_s >= song.end_s
    assert not hearing.bands_at(0.4).any()
    levels = hearing.bands_at(0.8, released=False)
    lit = {int(np.searchsorted(EDGES_HZ, h * 440)) - 1 for h in range(1, 7)}
    assert set(np.argsort(levels)[-6:].tolist()) & lit
    assert levels[min(lit)] > 0.9
    assert levels[: min(lit) - 4].max() < 0.02
    assert hearing.level_at(0.6) > hearing.level_at(1.4) > hearing.level_at(1.9)
    assert 0 < hearing.level_at(2.1) < hearing.level_at(0.6)
    assert not hearing.wave(1.6, 1.9, 100).any(), "it is cut where the note ends"
    nothing = Hearing.from_notes(NoteTable.empty(), 0.0)
    assert not nothing.bands_at(0.1).any()


def test_a_hundred_thousand_notes_are_bounded_work() -> None:
    count = 100_000
    starts = np.sort(np.random.default_rng(2).uniform(0, 12, count))
    notes = NoteTable(
        start_s=starts,
        end_s=starts + 0.1,
        key=np.arange(count) % 88 + 21,
        velocity=np.full(count, 90),
        channel=np.zeros(count),
        track=np.zeros(count),
    )
    whole = Hearing.from_notes(notes, 12.1)
    assert whole.bands_at(6.0).min() > 0
    # A block begins at 10 s; nothing is heard of it.
    jumps = np.abs(np.diff(whole.samples.astype(np.int64)))
    assert jumps[79_990:80_010].max() < 2 * np.percentile(jumps, 99)


# What is listened to.

PLAIN = Composition.model_validate({"layers": [{"type": "piano_roll"}], "audio_offset_s": 0.25})


def taken(**fields: object) -> Intake:
    plain: dict[str, object] = {
        "composition": PLAIN,
        "song_key": "songs/s.npz",
        "title": "",
        "notes": 1,
        "notes_in_range": 1,
        "end_s": 1.0,
        "recording_key": None,
        "recording_s": None,
        "soundfont_key": None,
        "warnings": (),
    }
    return Intake.model_validate(plain | fields)


def test_the_picture_listens_to_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert heard_of(taken(recording_key="assets/r")) is None, "nothing in it listens"
    monkeypatch.setattr(Composition, "listens", True)
    assert heard_of(taken(recording_key="assets/r")) == HeardSpec(
        recording_key="assets/r", offset_s=Fraction(1, 4)
    )
    assert heard_of(taken(soundfont_key="assets/f")) == HeardSpec(
        song_key="songs/s.npz", soundfont_key="assets/f"
    )
    assert heard_of(taken()) == HeardSpec(song_key="songs/s.npz")


def test_a_sound_is_listened_to_once_wherever_it_lies() -> None:
    one = HeardSpec(recording_key="assets/r", offset_s=Fraction(1))
    assert one.key == HeardSpec(recording_key="assets/r").key
    assert one.key.startswith("analysis/")
    others = [
        HeardSpec(recording_key="assets/q"),
        HeardSpec(song_key="assets/r"),
        HeardSpec(song_key="assets/r", soundfont_key="assets/f"),
    ]
    assert len({spec.key for spec in [one, *others]}) == 4
    for wrong in ({}, {"recording_key": "a", "song_key": "b"}, {"soundfont_key": "f"}):
        with pytest.raises(ValueError, match="there must be a recording or a song"):
            HeardSpec.model_validate(wrong)


def test_layers_find_it_in_the_scene(strokes: Hearing) -> None:
    song = SongFile().note(0, 1, 60).song()
    scene = prepare_scene(PLAIN, song, 64, 64, hearing=strokes, heard_offset_s=0.25)
    assert scene.hearing is strokes
    assert scene.heard_offset_s == 0.25
    assert prepare_scene(PLAIN, song, 64, 64).hearing is None


def test_a_missing_source_is_said(store: LocalStore) -> None:
    for spec in (HeardSpec(recording_key="assets/gone"), HeardSpec(song_key="songs/gone")):
        with pytest.raises(ObjectNotFoundError):
            find_hearing(spec, store)
