"""Loudness, true peak and sync of encoded sounds, judged by Debian's ffmpeg."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from shared.codecs import AudioCodec
from shared.errors import EncodeError, RenderError
from shared.plan import AudioSpec
from shared.storage.local import LocalStore
from tests.soundfonts import make_soundfont
from tests.sounds import RATE, Sound, bells, crest, judged, knocks, piano, square
from workers.audio import prepare_audio, source
from workers.audio.encoding import decode_sound, encode_sound, sound_packets
from workers.midi import read_midi
from workers.sounds import SOUNDS

pytestmark = pytest.mark.ffmpeg

Ffmpeg = Callable[..., str]

SECONDS = 3.0

MATERIALS: dict[str, Callable[[], Sound]] = {
    "piano": lambda: piano(SECONDS),
    "knocks": lambda: knocks(SECONDS),
    "square": lambda: square(SECONDS),
    "bells": lambda: bells(SECONDS),
    "quiet": lambda: piano(SECONDS, seed=9) * np.float32(10 ** (-45 / 20)),
    "mono": lambda: piano(SECONDS, seed=5)[:1],
}


def put_recording(store: LocalStore, folder: Path, ffmpeg: Ffmpeg, sound: Sound) -> None:
    """Store a sound as a recording of 32-bit floats."""
    raw = folder / "sound.f32"
    raw.write_bytes(np.ascontiguousarray(sound.T).tobytes())
    layout = ("-f", "f32le", "-ar", str(RATE), "-ac", str(sound.shape[0]))
    ffmpeg(*layout, "-i", raw, "-c:a", "pcm_f32le", folder / "sound.wav")
    store.put_file("in/recording", folder / "sound.wav")


def make_spec(sound: Sound | None = None, **fields: object) -> AudioSpec:
    plain: dict[str, object] = {
        "recording_key": "in/recording",
        "start_s": 0,
        "offset_s": 0,
        "samples": RATE * 5 if sound is None else sound.shape[1],
        "sample_rate": RATE,
        "channels": 2 if sound is None else sound.shape[0],
        "bitrate_kbps": 128,
        "loudness_lufs": -14.0,
        "key": "out/sound",
    }
    return AudioSpec.model_validate(plain | fields)


@pytest.mark.parametrize(
    ("codec", "kbps"), [("aac", 128), ("aac", 192), ("mp3", 128), ("opus", 128)]
)
@pytest.mark.parametrize("material", MATERIALS)
def test_every_sound_meets_its_target(
    tmp_path: Path, ffmpeg: Ffmpeg, store: LocalStore, material: str, codec: str, kbps: int
) -> None:
    sound = MATERIALS[material]()
    put_recording(store, tmp_path, ffmpeg, sound)
    report = prepare_audio(make_spec(sound, codec=codec, bitrate_kbps=kbps), store)
    with store.as_file("out/sound") as path:
        integrated, peak = judged(ffmpeg, path)
    assert integrated == pytest.approx(-14.0, abs=0.5)
    assert peak <= -1.0
    assert report.integrated_lufs == pytest.approx(integrated, abs=0.15)
    assert report.true_peak_dbtp == pytest.approx(peak, abs=0.15)
    assert report.warnings == ()


def test_a_synthesised_piece_meets_its_target(
    tmp_path: Path, ffmpeg: Ffmpeg, store: LocalStore
) -> None:
    # Four beats of half a second: a note that stops, and rests.
    notes = b"".join(b"\0\x90" + bytes([k, 100]) + b"\x60\x80" + bytes([k, 0]) for k in (60, 72))
    track = notes + b"\x83\x60\x90\x3c\x20\x60\x80\x3c\x00\0\xff\x2f\0"
    data = b"MThd\0\0\0\6\0\0\0\1\1\xe0MTrk" + len(track).to_bytes(4, "big") + track
    store.put_bytes("in/song", read_midi(data).to_bytes())
    store.put_bytes("in/font", make_soundfont())
    fields = {"recording_key": None, "song_key": "in/song", "soundfont_key": "in/font"}
    prepare_audio(make_spec(samples=RATE * 2, **fields), store)
    with store.as_file("out/sound") as path:
        integrated, peak = judged(ffmpeg, path)
    assert integrated == pytest.approx(-14.0, abs=0.5)
    assert peak <= -1.0


def test_a_limiter_that_would_pump_stops(tmp_path: Path, ffmpeg: Ffmpeg, store: LocalStore) -> None:
    # Clicks at −2 dB all the time over next to nothing: their own loudness is all there is.
    sound = np.zeros((1, RATE * 4), np.float32)
    sound[:, 2000:-2000:6000] = 0.8
    put_recording(store, tmp_path, ffmpeg, sound)
    report = prepare_audio(make_spec(sound), store)
    with store.as_file("out/sound") as path:
        integrated, peak = judged(ffmpeg, path)
    assert peak <= -1.0
    assert integrated < -14.5
    assert report.integrated_lufs == pytest.approx(integrated, abs=0.15)
    assert "instead of -14.0" in report.warnings[0]


def with_clicks(rate: int, samples: int, places: tuple[int, ...]) -> Sound:
    """Quiet noise with smooth clicks whose crests lie on known samples."""
    sound = np.random.default_rng(1).normal(0, 0.0005, samples)
    reach = np.arange(-400, 400)
    for place in places:
        sound[place - 400 : place + 400] += 0.5 * np.exp(-((reach / 12.0) ** 2))
    return np.stack([sound, sound]).astype(np.float32)


def played(ffmpeg: Ffmpeg, path: Path, folder: Path) -> NDArray[np.float32]:
    """What ffmpeg gives out of the first channel."""
    ffmpeg("-v", "error", "-i", path, "-f", "f32le", "-ac", "1", folder / "played.f32")
    return np.fromfile(folder / "played.f32", "<f4")


@pytest.mark.parametrize(
    ("codec", "muxer", "rate"),
    [
        ("aac", "mp4", 48000),
        ("aac", "mov", 44100),
        ("aac", "ipod", 48000),
        ("mp3", "mp4", 48000),
        ("mp3", "mov", 44100),
        ("opus", "mp4", 48000),
        ("opus", "webm", 48000),
    ],
)
def test_copied_packets_stay_in_sync(
    tmp_path: Path, ffmpeg: Ffmpeg, codec: AudioCodec, muxer: str, rate: int
) -> None:
    samples = rate * 2 + 777
    places = (20000, 50003, samples - 700)
    sound = with_clicks(rate, samples, places)
    kept, copied = tmp_path / "kept", tmp_path / f"copied.{muxer}"
    blocks = [sound[:, first : first + 5000] for first in range(0, samples, 5000)]
    encoded = encode_sound(
        blocks, kept, codec=codec, sample_rate=rate, channels=2, bitrate_kbps=128
    )
    assert encoded == samples
    options = {"movie_timescale": str(rate)} if muxer in ("mp4", "mov", "ipod") else {}
    with av.open(str(kept)) as heard, av.open(str(copied), "w", muxer, options=options) as out:
        stream = out.add_stream_from_template(heard.streams.audio[0], opaque=True)
        for packet in sound_packets(heard, codec=codec, samples=samples, sample_rate=rate):
            packet.stream = stream
            out.mux_one(packet)
    found = played(ffmpeg, copied, tmp_path)
    for place in places:
        assert crest(found, place) == pytest.approx(place, abs=0.5)
    exact = muxer == "webm"
    assert len(found) - samples == (0 if exact else SOUNDS[codec].padding_samples(samples))
    if not exact:
        with av.open(str(copied)) as container:
            length = container.streams.audio[0].duration
            time_base = container.streams.audio[0].time_base
            assert length is not None
            assert time_base is not None
            assert length * time_base * rate == samples


@pytest.mark.parametrize(("codec", "rate"), [("aac", 48000), ("mp3", 44100), ("opus", 48000)])
def test_the_object_itself_is_in_sync(
    tmp_path: Path, ffmpeg: Ffmpeg, codec: AudioCodec, rate: int
) -> None:
    # Just short of whole packets: LAME adds one more.
    samples = 1152 * 60 - 1105 - 40
    sound, path = with_clicks(rate, samples, (20000, samples - 700)), tmp_path / "sound"
    encode_sound([sound], path, codec=codec, sample_rate=rate, channels=2, bitrate_kbps=128)
    found = played(ffmpeg, path, tmp_path)
    for place in (20000, samples - 700):
        assert crest(found, place) == pytest.approx(place, abs=0.5)
    assert len(found) - samples == (
        0 if codec == "opus" else SOUNDS[codec].padding_samples(samples)
    )


@pytest.mark.parametrize("codec", SOUNDS)
@pytest.mark.parametrize("samples", [1, 640, 648, 649, 1152, 1153, 5000])
def test_packets_are_as_many_as_said(tmp_path: Path, codec: AudioCodec, samples: int) -> None:
    path = tmp_path / "sound"
    sound = with_clicks(RATE, 5000, (1000,))[:, :samples]
    encode_sound([sound], path, codec=codec, sample_rate=RATE, channels=2, bitrate_kbps=128)
    with av.open(str(path)) as heard:
        packets = list(sound_packets(heard, codec=codec, samples=samples, sample_rate=RATE))
    assert packets[0].pts == -SOUNDS[codec].priming_samples
    assert packets[-1].pts is not None
    assert packets[-1].pts + packets[-1].duration == samples
    assert sum(block.shape[1] for block in decode_sound(path, samples=samples)) == samples
    for wrong, word in ((samples + 3000, "fewer"), (samples - 5000, "more")):
        with av.open(str(path)) as heard, pytest.raises(RenderError, match=word):
            list(sound_packets(heard, codec=codec, samples=wrong, sample_rate=RATE))


@pytest.mark.parametrize(("codec", "rate"), [("aac", 44100), ("mp3", 44100), ("opus", 48000)])
def test_there_is_silence_under_the_end_card(
    tmp_path: Path, ffmpeg: Ffmpeg, store: LocalStore, codec: AudioCodec, rate: int
) -> None:
    put_recording(store, tmp_path, ffmpeg, square(4.0))
    spec = make_spec(
        codec=codec,
        sample_rate=rate,
        samples=rate * 4,
        heard_samples=rate * 2,
        fade_out_s=0.5,
        channels=1,
        loudness_lufs=-20.0,
    )
    report = prepare_audio(spec, store)
    with store.as_file("out/sound") as path:
        found = played(ffmpeg, path, tmp_path)[: rate * 4]

    def level(first_s: float, stop_s: float) -> float:
        return float(np.sqrt(np.mean(found[round(first_s * rate) : round(stop_s * rate)] ** 2)))

    assert len(found) == rate * 4
    assert level(1.7, 1.8) == pytest.approx(level(0.5, 1.5) / 2, rel=0.2)
    assert level(1.95, 2.0) < 0.1 * level(0.5, 1.5)
    assert level(2.1, 4.0) < 1e-4
    assert report.integrated_lufs == pytest.approx(-20.0, abs=0.2)


def test_what_was_learnt_of_a_song_serves_its_other_exports(
    tmp_path: Path, ffmpeg: Ffmpeg, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_recording(store, tmp_path, ffmpeg, piano(2.0))
    readings: list[object] = []
    opened = source.open_recording
    monkeypatch.setattr(source, "open_recording", lambda path: readings.append(0) or opened(path))

    def prepared(where: LocalStore, codec: str) -> tuple[bytes, int]:
        readings.clear()
        prepare_audio(make_spec(samples=RATE * 2, codec=codec, bitrate_kbps=320), where)
        return where.get_bytes("out/sound"), len(readings)

    prepared(store, "aac")
    (contour,) = store.list("analysis/")
    with_contour, readings_with = prepared(store, "mp3")
    assert [info.key for info in store.list("analysis/")] == [contour.key]

    alone = LocalStore(tmp_path / "alone")
    alone.put_file("in/recording", tmp_path / "sound.wav")
    without_contour, readings_without = prepared(alone, "mp3")
    assert readings_with == readings_without - 1
    assert with_contour == without_contour

    # An upload that was cut off is made again.
    store.put_bytes(contour.key, alone.get_bytes(contour.key)[:1000])
    assert prepared(store, "mp3") == (without_contour, readings_without)
    assert store.get_bytes(contour.key) == alone.get_bytes(contour.key)


def test_settings_that_a_codec_refuses(tmp_path: Path) -> None:
    sound = np.zeros((2, 100), np.float32)
    with pytest.raises(EncodeError, match="as Opus with 128 kbit/s, 44100 Hz, 2 channels"):
        encode_sound(
            [sound], tmp_path / "x", codec="opus", sample_rate=44100, channels=2, bitrate_kbps=128
        )
