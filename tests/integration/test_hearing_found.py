"""Hearing real recordings and synthesised songs: made at intake, found by the chunks."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import workers.intake
import workers.renderer
from shared.composition import Composition
from shared.errors import MediaError
from shared.intake import Intake, IntakeRequest
from shared.plan import HeardSpec, Picture, VideoSpec
from shared.planning import heard_of
from shared.storage import LocalStore
from tests.songs import SongFile
from tests.soundfonts import make_soundfont
from tests.sounds import RATE, Sound
from workers.hearing import Hearing, find_hearing
from workers.hearing.bands import EDGES_HZ
from workers.intake import take_in
from workers.layers import Scene, prepare_scene
from workers.studio import Studio

PLAIN = Composition.model_validate({"layers": [{"type": "piano_roll"}]})


def chirps() -> Sound:
    """Two seconds: silence, from 0.5 s on 440 Hz, from 1.25 s on 2500 Hz; stereo."""
    time_s = np.arange(2 * RATE) / RATE
    sound = np.where(time_s < 1.25, np.sin(2764.6 * time_s), np.sin(15708 * time_s))
    sound = 0.4 * sound * (time_s >= 0.5)
    return np.stack([sound, 0.7 * sound]).astype(np.float32)


def save(sound: Sound, path: Path, codec: str, format_: str) -> Path:
    """Encode a sound; 16-bit FLAC or float MP3."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE)
        stream.layout = "stereo"
        stream.format = format_
        if format_ == "s16":
            data = np.rint(sound.T * 32767).astype(np.int16).reshape(1, -1)
        else:
            data = np.ascontiguousarray(sound)
        frame = av.AudioFrame.from_ndarray(data, format=format_, layout="stereo")
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return path


def brightest_hz(hearing: Hearing, t: float) -> float:
    band = int(hearing.bands_at(t, released=False).argmax())
    return float(EDGES_HZ[band + 1])


@pytest.mark.parametrize(
    ("suffix", "codec", "format_"), [("flac", "flac", "s16"), ("mp3", "libmp3lame", "fltp")]
)
def test_a_recording_is_heard_where_it_sounds(
    tmp_path: Path, store: LocalStore, suffix: str, codec: str, format_: str
) -> None:
    store.put_file("assets/r", save(chirps(), tmp_path / f"r.{suffix}", codec, format_))
    hearing = find_hearing(HeardSpec(recording_key="assets/r"), store)
    assert hearing.duration_s == pytest.approx(2, abs=0.05)
    assert hearing.level_at(0.4) < 0.05
    assert hearing.level_at(0.53) > 0.5
    assert brightest_hz(hearing, 0.9) == pytest.approx(440, rel=0.07)
    assert brightest_hz(hearing, 1.6) == pytest.approx(2500, rel=0.07)
    assert hearing.treble_at(1.6) > 0.9 > 0.2 > hearing.treble_at(1.0)


def test_a_synthesised_song_is_heard_where_it_sounds(store: LocalStore) -> None:
    song = SongFile().note(0.5, 1.5, 60).song()
    store.put_bytes("songs/s", song.to_bytes())
    store.put_bytes("assets/f", make_soundfont())
    spec = HeardSpec(song_key="songs/s", soundfont_key="assets/f")
    hearing = find_hearing(spec, store)
    assert hearing.duration_s > song.end_s
    assert hearing.level_at(0.4) < 0.05
    assert hearing.level_at(0.6) > 0.5
    # The test's SoundFont is a square wave with a period of 96 samples at its key 60.
    assert brightest_hz(hearing, 1.0) == pytest.approx(500, rel=0.07)
    alone = find_hearing(HeardSpec(song_key="songs/s"), store)
    assert alone.level_at(0.6) > 0.5
    assert alone.to_bytes() != hearing.to_bytes()


def test_it_is_made_once_and_again_where_it_vanished(tmp_path: Path, store: LocalStore) -> None:
    recording = save(chirps(), tmp_path / "r.flac", "flac", "s16")
    store.put_file("assets/r", recording)
    spec = HeardSpec(recording_key="assets/r", offset_s=Fraction(3))
    made = find_hearing(spec, store).to_bytes()
    assert store.get_bytes(spec.key) == made
    # The janitor takes old findings away; an upload may have been cut off.
    store.delete(spec.key)
    assert find_hearing(spec, store).to_bytes() == made
    store.put_bytes(spec.key, made[:1000])
    assert find_hearing(spec, store).to_bytes() == made
    assert store.get_bytes(spec.key) == made
    store.delete("assets/r")
    assert find_hearing(spec, store).to_bytes() == made, "it is found without the recording"
    store.put_bytes("assets/r", b"no sound at all")
    store.delete(spec.key)
    with pytest.raises(MediaError, match="cannot be read"):
        find_hearing(spec, store)
    assert not store.exists(spec.key)


def taken(folder: Path, store: LocalStore, **files: Path) -> Intake:
    midi = SongFile().note(0, 1, 60).save(folder / "song.mid")
    request = IntakeRequest(
        midi=midi, composition=PLAIN, folder=folder, with_audio="soundfont" in files, **files
    )
    return take_in(request, store)


def analyses(store: LocalStore) -> list[str]:
    return [info.key for info in store.list("analysis/")]


def test_an_intake_listens_only_where_the_picture_does(
    tmp_path: Path, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = save(chirps(), tmp_path / "r.flac", "flac", "s16")
    soundfont = tmp_path / "f.sf2"
    soundfont.write_bytes(make_soundfont())
    assert heard_of(taken(tmp_path, store, audio=recording)) is None
    assert analyses(store) == []
    monkeypatch.setattr(Composition, "listens", True)
    monkeypatch.setattr(workers.intake, "find_soundfont", lambda: None)
    found = []
    for files in ({"audio": recording}, {"soundfont": soundfont}, {}):
        heard = heard_of(taken(tmp_path, store, **files))
        assert heard is not None
        found.append(heard.key)
        assert sorted(analyses(store)) == sorted(found)
        Hearing.from_bytes(store.get_bytes(heard.key))
    assert len(set(found)) == 3


@pytest.fixture
def studio() -> Iterator[Studio]:
    with Studio() as opened:
        yield opened


@pytest.mark.gl
def test_a_studio_hands_it_to_the_layers(
    tmp_path: Path, store: LocalStore, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenes: list[Scene] = []

    def watched(*args: object, **fields: object) -> Scene:
        scenes.append(prepare_scene(*args, **fields))  # type: ignore[arg-type]
        return scenes[-1]

    monkeypatch.setattr(workers.renderer, "prepare_scene", watched)
    recording = save(chirps(), tmp_path / "r.flac", "flac", "s16")
    store.put_file("assets/r", recording)
    store.put_bytes("songs/s", SongFile().note(0, 1, 60).song().to_bytes())
    spec = HeardSpec(recording_key="assets/r", offset_s=Fraction(1, 2))

    def picture(heard: HeardSpec | None) -> Picture:
        video = VideoSpec(width=64, height=64, fps=Fraction(30))
        return Picture(
            composition=PLAIN, song_key="songs/s", start_s=Fraction(0), video=video, heard=heard
        )

    studio.renderer(picture(None), store)
    assert scenes[-1].hearing is None
    assert analyses(store) == []
    studio.renderer(picture(spec), store)
    assert scenes[-1].hearing is studio.hearing(spec, store)
    assert scenes[-1].heard_offset_s == 0.5
    # Another offset is another picture of the same sound, which is still in memory.
    store.delete(spec.key)
    moved = spec.model_copy(update={"offset_s": Fraction(-2)})
    studio.renderer(picture(moved), store)
    assert scenes[-1].hearing is scenes[-2].hearing
    assert scenes[-1].heard_offset_s == -2
    assert not store.exists(spec.key)
