"""The sound of an export, made from real files and judged by Debian's ffmpeg."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from shared.errors import CompositionError, MediaError
from shared.plan import AudioSpec
from shared.storage.local import LocalStore
from tests.sounds import crest, judged
from workers.audio import prepare_audio, recording_duration_s
from workers.probe.boxes import read_movie_header

pytestmark = pytest.mark.ffmpeg

RATE = 48000
SOURCE_RATE = 44100
CLICKS = (22050, 100000, 200003, 300001)
"""Samples of the recording at which a click has its crest."""
SECONDS = 10

WAV_HEADER = bytes.fromhex(
    "524946462400000057415645666d7420100000000100010044ac000088580100020010006461746100000000"
)
"""A wav file (16 bit, mono, 44100 Hz) without a single sample."""

Ffmpeg = Callable[..., str]


@pytest.fixture(scope="module")
def clicks(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Ffmpeg) -> Path:
    """A mono wav with smooth clicks at known samples."""
    folder = tmp_path_factory.mktemp("clicks")
    # Noise at −66 dBFS, so that no coder gets away with a few bytes of digital silence.
    sound = np.random.default_rng(1).normal(0, 0.0005, SOURCE_RATE * SECONDS).astype("<f4")
    reach = np.arange(-400, 400)
    for place in CLICKS:
        # Narrow in time yet without high frequencies, so that every coder keeps its shape.
        sound[place - 400 : place + 400] += 0.5 * np.exp(-((reach / 12.0) ** 2))
    (folder / "clicks.f32").write_bytes(sound.tobytes())
    ffmpeg(*raw(SOURCE_RATE), "-i", folder / "clicks.f32", folder / "clicks.wav")
    return folder / "clicks.wav"


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Ffmpeg) -> Path:
    """Twelve seconds of quiet pink noise in stereo."""
    path = tmp_path_factory.mktemp("noise") / "noise.wav"
    source = "anoisesrc=d=12:c=pink:r=48000:a=0.05:seed=7"
    ffmpeg("-f", "lavfi", "-i", source, "-ac", "2", path)
    return path


def raw(rate: int) -> tuple[str, ...]:
    return ("-f", "f32le", "-ar", str(rate), "-ac", "1")


def make_spec(**fields: object) -> AudioSpec:
    plain: dict[str, object] = {
        "recording_key": "in/recording",
        "start_s": 0,
        "offset_s": 0,
        "samples": RATE * 5,
        "sample_rate": RATE,
        "channels": 2,
        "bitrate_kbps": 256,
        "loudness_lufs": None,
        "key": "out/audio.mp4",
    }
    return AudioSpec.model_validate(plain | fields)


def decoded(ffmpeg: Ffmpeg, store: LocalStore, folder: Path) -> NDArray[np.float32]:
    """The result as ffmpeg plays it, mixed to mono."""
    out = folder / "decoded.f32"
    with store.as_file("out/audio.mp4") as path:
        ffmpeg("-v", "error", "-i", path, "-f", "f32le", "-ac", "1", out)
    return np.fromfile(out, "<f4")


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("wav", ()),
        ("flac", ()),
        ("aiff", ()),
        ("mp3", ("-b:a", "192k")),
        ("m4a", ("-b:a", "192k")),
        ("ogg", ("-c:a", "libvorbis", "-q:a", "6")),
        ("opus", ("-c:a", "libopus", "-b:a", "160k")),
        ("webm", ("-c:a", "libopus", "-b:a", "160k")),
    ],
)
def test_a_click_is_heard_where_it_belongs(
    tmp_path: Path,
    ffmpeg: Ffmpeg,
    clicks: Path,
    store: LocalStore,
    suffix: str,
    options: tuple[str, ...],
) -> None:
    recording = tmp_path / f"clicks.{suffix}"
    ffmpeg("-i", clicks, *options, recording)
    # The object's key has no suffix: the content alone tells what it is.
    store.put_file("in/recording", recording)
    prepare_audio(make_spec(offset_s="0.25", start_s="0.125", samples=RATE * 9), store)
    sound = decoded(ffmpeg, store, tmp_path)
    for place in CLICKS:
        expected = place / SOURCE_RATE * RATE + 0.125 * RATE
        assert crest(sound, round(expected)) == pytest.approx(expected, abs=0.5)
    # The m4a says its length, yet decoders give out its last frame whole.
    slack_s = Fraction(1024, SOURCE_RATE) if suffix == "m4a" else 0
    assert 0 <= recording_duration_s(recording) - SECONDS <= slack_s


@pytest.mark.parametrize("samples", [1, 1000, 1024, 48048, RATE * 3 + 7])
@pytest.mark.parametrize("rate", [44100, 48000])
def test_the_length_is_exact(
    tmp_path: Path, ffmpeg: Ffmpeg, clicks: Path, store: LocalStore, samples: int, rate: int
) -> None:
    store.put_file("in/recording", clicks)
    spec = make_spec(samples=samples, sample_rate=rate, channels=1, bitrate_kbps=128)
    prepare_audio(spec, store)
    with store.as_file("out/audio.mp4") as path:
        header = read_movie_header(path)
        assert header.duration_s == Fraction(samples, rate)
        with av.open(str(path)) as container:
            (stream,) = container.streams
            packets = [p for p in container.demux(stream) if p.size]
            assert stream.profile == "LC"
        assert packets[0].pts == -1024
        assert sum(p.duration or 0 for p in packets) == samples + 1024
    # ffmpeg gives out the last AAC frame whole: up to 1023 samples of padding.
    assert 0 <= len(decoded(ffmpeg, store, tmp_path)) - samples < 1024


def test_loudness_is_brought_to_the_target(
    tmp_path: Path, ffmpeg: Ffmpeg, noise: Path, store: LocalStore
) -> None:
    store.put_file("in/recording", noise)
    spec = make_spec(loudness_lufs=-14.0, samples=RATE * 11, fade_in_s=0.5, fade_out_s=1.0)
    report = prepare_audio(spec, store)
    with store.as_file("out/audio.mp4") as path:
        integrated, peak = judged(ffmpeg, path)
    assert integrated == pytest.approx(-14.0, abs=0.5)
    assert report.integrated_lufs == pytest.approx(integrated, abs=0.1)
    assert report.true_peak_dbtp == pytest.approx(peak, abs=0.1)
    assert peak <= -1.0
    sound = decoded(ffmpeg, store, tmp_path)
    level = np.sqrt(np.mean(sound[RATE : RATE * 9] ** 2))
    assert np.sqrt(np.mean(sound[:1000] ** 2)) < 0.1 * level
    assert np.sqrt(np.mean(sound[RATE * 11 - 1000 : RATE * 11] ** 2)) < 0.1 * level


def test_a_sound_that_is_left_alone(clicks: Path, store: LocalStore) -> None:
    store.put_file("in/recording", clicks)
    report = prepare_audio(make_spec(samples=RATE * 2, channels=1), store)
    assert report.true_peak_dbtp == pytest.approx(20 * math.log10(0.5), abs=0.1)
    assert report.warnings == ()


def test_silence_stays_silent(tmp_path: Path, ffmpeg: Ffmpeg, store: LocalStore) -> None:
    recording = tmp_path / "silence.wav"
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=44100", "-t", "2", recording)
    store.put_file("in/recording", recording)
    report = prepare_audio(make_spec(loudness_lufs=-14.0), store)
    assert report.integrated_lufs is None
    assert report.true_peak_dbtp is None
    assert "silent in this range" in report.warnings[0]
    assert not decoded(ffmpeg, store, tmp_path).any()


@pytest.mark.parametrize("offset", [-100, 100])
def test_a_recording_outside_of_the_video(clicks: Path, store: LocalStore, offset: int) -> None:
    store.put_file("in/recording", clicks)
    report = prepare_audio(make_spec(offset_s=offset), store)
    assert len(report.warnings) == 1
    assert "silent in this range" in report.warnings[0]


def test_equal_input_gives_equal_bytes_and_is_made_once(
    tmp_path: Path, noise: Path, store: LocalStore
) -> None:
    store.put_file("in/recording", noise)
    spec = make_spec(loudness_lufs=-14.0, report_key="out/report")
    first = prepare_audio(spec, store)
    again = prepare_audio(spec, store)
    assert not first.cached
    assert again.cached
    assert again.model_copy(update={"cached": False}) == first

    other = LocalStore(tmp_path / "other")
    other.put_file("in/recording", noise)
    prepare_audio(spec, other)
    assert other.get_bytes(spec.key) == store.get_bytes(spec.key)
    assert json.loads(store.get_bytes("out/report"))["key"] == spec.key

    # Without its report the sound counts as unfinished.
    store.delete("out/report")
    assert not prepare_audio(spec, store).cached
    # What is damaged is made again: the stitch would refuse it for ever.
    sound = store.get_bytes(spec.key)
    store.put_bytes(spec.key, sound[:-1] + b"?")
    assert not prepare_audio(spec, store).cached
    assert store.get_bytes(spec.key) == sound
    store.put_bytes("out/report", b"{")
    assert not prepare_audio(spec, store).cached
    assert prepare_audio(spec, store).cached


def test_who_keeps_a_database_gets_nothing_but_the_sound(noise: Path, store: LocalStore) -> None:
    store.put_file("in/recording", noise)
    spec = make_spec()
    prepare_audio(spec, store)
    assert {info.key for info in store.list() if not info.key.startswith("analysis/")} == {
        "in/recording",
        spec.key,
    }
    assert not prepare_audio(spec, store).cached


def truncated(path: Path, part: float) -> bytes:
    data = path.read_bytes()
    return data[: int(len(data) * part)]


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "webm"])
def test_what_is_readable_of_a_truncated_recording_is_used(
    tmp_path: Path, ffmpeg: Ffmpeg, clicks: Path, store: LocalStore, suffix: str
) -> None:
    recording = tmp_path / f"whole.{suffix}"
    ffmpeg("-i", clicks, *(("-c:a", "libopus") if suffix == "webm" else ()), recording)
    store.put_bytes("in/recording", truncated(recording, 0.6))
    report = prepare_audio(make_spec(samples=RATE * 9), store)
    assert any("cut off" in warning for warning in report.warnings)
    sound = decoded(ffmpeg, store, tmp_path)
    expected = CLICKS[1] / SOURCE_RATE * RATE
    assert crest(sound, round(expected)) == pytest.approx(expected, abs=0.5)


def test_damage_inside_does_not_move_what_follows(
    tmp_path: Path, ffmpeg: Ffmpeg, clicks: Path, store: LocalStore
) -> None:
    recording = tmp_path / "whole.flac"
    ffmpeg("-i", clicks, recording)
    data = bytearray(recording.read_bytes())
    middle = len(data) * 35 // 100
    data[middle : middle + 400] = b"\0" * 400
    store.put_bytes("in/recording", bytes(data))
    report = prepare_audio(make_spec(samples=RATE * 9), store)
    assert any("silent" in warning for warning in report.warnings)
    expected = CLICKS[3] / SOURCE_RATE * RATE
    sound = decoded(ffmpeg, store, tmp_path)
    assert crest(sound, round(expected)) == pytest.approx(expected, abs=0.5)


def test_a_recording_with_values_that_are_no_numbers(
    tmp_path: Path, ffmpeg: Ffmpeg, store: LocalStore
) -> None:
    sound = np.full(RATE, 0.1, "<f4")
    sound[100:110] = np.nan
    sound[200:210] = np.inf
    (tmp_path / "bad.f32").write_bytes(sound.tobytes())
    ffmpeg(*raw(RATE), "-i", tmp_path / "bad.f32", "-c:a", "pcm_f32le", tmp_path / "bad.wav")
    store.put_file("in/recording", tmp_path / "bad.wav")
    assert prepare_audio(make_spec(loudness_lufs=-14.0), store).true_peak_dbtp is not None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"hello world, this is no sound\n" * 50, "a text file"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "a web page"),
        (b"MThd\0\0\0\6\0\0\0\1\1\xe0MTrk\0\0\0\4\0\xff\x2f\0", "a MIDI file"),
        (bytes(range(256)) * 40, "unknown kind"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "a damaged WAV file"),
        (WAV_HEADER, "Nothing of the recording could be decoded"),
    ],
)
def test_what_is_no_recording_is_refused(store: LocalStore, data: bytes, words: str) -> None:
    store.put_bytes("in/recording", data)
    with pytest.raises(MediaError, match=words) as caught:
        prepare_audio(make_spec(), store)
    assert caught.value.message.startswith(("The recording", "Nothing of the recording"))
    assert not store.exists("out/audio.mp4")


def test_a_film_without_sound_is_refused(tmp_path: Path, ffmpeg: Ffmpeg, store: LocalStore) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc=d=1:s=64x64", tmp_path / "film.mp4")
    store.put_file("in/recording", tmp_path / "film.mp4")
    with pytest.raises(MediaError, match="no sound, only video"):
        prepare_audio(make_spec(), store)


def test_a_truncated_m4a_is_refused(
    tmp_path: Path, ffmpeg: Ffmpeg, clicks: Path, store: LocalStore
) -> None:
    ffmpeg("-i", clicks, tmp_path / "whole.m4a")
    store.put_bytes("in/recording", truncated(tmp_path / "whole.m4a", 0.5))
    with pytest.raises(MediaError, match="cut off"):
        prepare_audio(make_spec(), store)


@pytest.mark.parametrize("name", ["recording", "evil.wav", "evil.m3u8", "evil.mp3", "evil.sdp"])
@pytest.mark.parametrize(
    "script",
    [
        "ffconcat version 1.0\nfile 'secret.wav'\n",
        "ffconcat version 1.0\nfile '{secret}'\noption safe 0\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{secret}\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/secret.wav\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n",
        '<?xml version="1.0"?>\n<MPD type="static"><BaseURL>{secret}</BaseURL></MPD>',
    ],
)
def test_playlists_are_never_followed(tmp_path: Path, clicks: Path, name: str, script: str) -> None:
    secret = tmp_path / "secret.wav"
    shutil.copy(clicks, secret)
    evil = tmp_path / name
    evil.write_text(script.format(secret=secret))
    with pytest.raises(MediaError, match=r"cannot be read: it looks like (a|an) "):
        recording_duration_s(evil)


def test_a_spec_without_a_source_is_refused(store: LocalStore) -> None:
    with pytest.raises(CompositionError, match="nothing to make sound from"):
        prepare_audio(make_spec(recording_key=None), store)
    with pytest.raises(MediaError, match="without a SoundFont"):
        prepare_audio(make_spec(recording_key=None, song_key="in/song"), store)
