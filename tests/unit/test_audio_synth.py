"""Playing MIDI with a SoundFont, heard through a font that is made here."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from shared.errors import MediaError
from shared.plan import AudioSpec
from shared.storage.local import LocalStore
from tests.soundfonts import make_soundfont
from workers.audio import prepare_audio
from workers.midi import ChannelEvents, read_midi
from workers.soundfont import check_soundfont
from workers.synth import find_soundfont, synthesise

RATE = 48000


@pytest.fixture
def font(tmp_path: Path) -> Path:
    path = tmp_path / "test.sf2"
    path.write_bytes(make_soundfont())
    return path


def song(*messages: tuple[float, int, int, int]) -> ChannelEvents:
    columns = list(zip(*messages, strict=True)) or [(), (), (), ()]
    return ChannelEvents(
        time_s=np.array(columns[0], np.float64),
        status=np.array(columns[1], np.uint8),
        data1=np.array(columns[2], np.uint8),
        data2=np.array(columns[3], np.uint8),
    )


def played(
    events: ChannelEvents, font: Path, *, start: str = "0", samples: int = RATE
) -> NDArray[np.float32]:
    return np.concatenate(
        list(
            synthesise(
                events,
                soundfont=font,
                sample_rate=RATE,
                start_s=Fraction(start),
                samples=samples,
            )
        )
    )


def onset(sound: NDArray[np.float32]) -> int:
    return int(np.flatnonzero(np.abs(sound[:, 0]) > 1e-4)[0])


def loud(sound: NDArray[np.float32]) -> float:
    return float(np.abs(sound).max())


# What the synthesiser needs to come up to a level that counts as an onset.
ATTACK = 1


@pytest.mark.parametrize("at", [0, 1, 63, 64, 65, 1000, 30011, 65535, 65536, 65537])
def test_a_note_sounds_on_its_sample(font: Path, at: int) -> None:
    sound = played(song((at / RATE, 0x90, 60, 127)), font, samples=70000)
    assert sound.shape == (70000, 2)
    assert sound.dtype == np.float32
    assert at <= onset(sound) <= at + ATTACK
    assert not sound[:at].any()


def test_no_drift_over_many_events(font: Path) -> None:
    # 1,000 notes at a distance that is no whole number of samples.
    times = [k * 0.0300137 for k in range(1000)]
    messages = [
        message for t in times for message in ((t, 0x90, 60, 127), (t + 0.002, 0xB0, 120, 0))
    ]
    sound = played(song(*messages), font, samples=round(30.1 * RATE))
    last = round(times[-1] * RATE)
    assert last <= onset(sound[last - 200 :]) + last - 200 <= last + ATTACK


def test_the_window_is_cut_out_of_the_song(font: Path) -> None:
    events = song((0.5, 0x90, 60, 127), (0.75, 0x80, 60, 0), (2.0, 0x90, 64, 100))
    whole = played(events, font, samples=3 * RATE)
    part = played(events, font, start="5/8", samples=2 * RATE)
    np.testing.assert_allclose(part, whole[30000 : 30000 + 2 * RATE], atol=2e-3)


def test_a_negative_start_begins_in_silence(font: Path) -> None:
    sound = played(song((0.0, 0x90, 60, 127)), font, start="-1/4")
    assert 12000 <= onset(sound) <= 12000 + ATTACK


def test_state_from_long_before_still_counts(font: Path) -> None:
    quiet = song((0.0, 0xB0, 7, 30), (3000.0, 0x90, 60, 127))
    plain = song((3000.0, 0x90, 60, 127))
    start = "2999"
    assert (
        0
        < loud(played(quiet, font, start=start, samples=2 * RATE))
        < 0.2 * loud(played(plain, font, start=start, samples=2 * RATE))
    )


def test_a_note_held_since_long_before_sounds(font: Path) -> None:
    events = song((1.0, 0x90, 60, 127), (2.0, 0x90, 64, 127), (3.0, 0x90, 64, 0))
    assert loud(played(events, font, start="2000")) > 0.05
    ended = song((1.0, 0x90, 60, 127), (2.0, 0xB0, 123, 0))
    assert loud(played(ended, font, start="2000")) == 0


def test_the_pedal_holds_released_notes(font: Path) -> None:
    held = song((0.0, 0xB0, 64, 127), (0.1, 0x90, 60, 127), (0.2, 0x80, 60, 0), (0.8, 0xB0, 64, 0))
    sound = played(held, font, samples=2 * RATE)
    assert loud(sound[int(0.7 * RATE) : int(0.8 * RATE)]) > 0.05
    assert loud(sound[RATE:]) < 0.01


def test_channel_ten_plays_the_drums(font: Path) -> None:
    melody = loud(played(song((0.0, 0x90, 60, 127)), font))
    drums = loud(played(song((0.0, 0x99, 60, 127)), font))
    assert drums == pytest.approx(melody / 2, rel=0.02)
    # A program that the font lacks falls back to one that it has.
    assert loud(played(song((0.0, 0xC0, 80, 0), (0.0, 0x90, 60, 127)), font)) > 0.05


def test_pitch_bend_changes_the_pitch(font: Path) -> None:
    def crossings(events: ChannelEvents) -> int:
        left = played(events, font)[:, 0]
        return int(np.count_nonzero(np.diff(np.signbit(left[4800:]))))

    plain = crossings(song((0.0, 0x90, 60, 127)))
    bent = crossings(song((0.0, 0xE0, 0x7F, 0x7F), (0.0, 0x90, 60, 127)))
    assert bent / plain == pytest.approx(2 ** (2 / 12), rel=0.01)


def test_the_same_song_gives_the_same_samples(font: Path) -> None:
    events = song((0.0, 0x90, 60, 100), (0.1, 0x99, 36, 90), (0.3, 0x80, 60, 0))
    assert np.array_equal(played(events, font), played(events, font))


def test_a_song_without_events_is_silent(font: Path) -> None:
    assert not played(song(), font).any()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no soundfont",
        make_soundfont()[:2000],
        make_soundfont()[:-10],
        make_soundfont(last_sample=1_000_000),
        make_soundfont(instrument=77),
        make_soundfont().replace(b"smpl", b"xxxx"),
        make_soundfont().replace(b"shdr", b"xxxx"),
    ],
)
def test_broken_soundfonts_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "broken.sf2"
    path.write_bytes(data)
    with pytest.raises(MediaError, match=r"broken\.sf2 cannot be used"):
        synthesise(song(), soundfont=path, sample_rate=RATE, start_s=Fraction(0), samples=10)


def test_every_damage_of_a_soundfont_is_survived(tmp_path: Path) -> None:
    good = make_soundfont()
    tables = good.index(b"pdta")
    path = tmp_path / "damaged.sf2"
    refused = 0
    for place in range(tables, len(good)):
        path.write_bytes(good[:place] + b"\xff" + good[place + 1 :])
        try:
            check_soundfont(path)
        except MediaError:
            refused += 1
    assert refused > 100


def test_the_best_installed_soundfont_is_found(tmp_path: Path) -> None:
    near, far = tmp_path / "near", tmp_path / "far"
    near.mkdir()
    far.mkdir()
    folders = (str(near), str(tmp_path / "missing"), str(far))
    assert find_soundfont(folders) is None
    (near / "notes.txt").write_text("no font")
    (near / "b.sf2").touch()
    (near / "a.sf2").touch()
    assert find_soundfont(folders) == near / "a.sf2"
    (far / "FluidR3_GM.sf2").touch()
    assert find_soundfont(folders) == far / "FluidR3_GM.sf2"


def test_an_export_without_a_recording_is_played(tmp_path: Path) -> None:
    track = bytes.fromhex("00904060836080400000ff2f00")
    header = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480)
    midi = header + b"MTrk" + struct.pack(">I", len(track)) + track
    store = LocalStore(tmp_path)
    store.put_bytes("in/song", read_midi(midi).to_bytes())
    store.put_bytes("in/font.sf2", make_soundfont())
    spec = AudioSpec(
        song_key="in/song",
        soundfont_key="in/font.sf2",
        start_s=Fraction(-1, 2),
        offset_s=Fraction(0),
        samples=2 * RATE,
        sample_rate=RATE,
        channels=1,
        bitrate_kbps=96,
        loudness_lufs=-20.0,
        key="out/audio.mp4",
    )
    report = prepare_audio(spec, store)
    assert report.integrated_lufs == pytest.approx(-20.0, abs=0.2)
    with store.as_file(spec.key) as path, av.open(str(path)) as container:
        sound = np.concatenate([f.to_ndarray() for f in container.decode(audio=0)], axis=1)[0]
    # The square wave is loud enough to tell its onset to within the coder's pre-echo.
    first = int(np.flatnonzero(np.abs(sound) > 0.05)[0])
    assert first == pytest.approx(RATE // 2, abs=150)
    assert np.abs(sound[: RATE // 2 - 1200]).max() < 0.01
