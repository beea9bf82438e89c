"""``midifarm still``, ``contact-sheet`` and ``preview``, from files to a picture."""

from __future__ import annotations

import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageChops

from coordinator.cli.app import run
from shared.dressing import Dressing, dress
from shared.intake import IntakeRequest
from shared.styles import find_style
from tests.conftest import Program
from tests.songs import SongFile
from tests.soundfonts import make_soundfont

pytestmark = pytest.mark.gl


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A musician's folder, in which commands run, and a store beside it."""
    folder = tmp_path / "songs"
    folder.mkdir()
    song = SongFile("Preview")
    for beat in range(4):
        song.note(beat / 2, beat / 2 + 0.5, 60 + beat)
    song.save(folder / "song.mid")
    (folder / "tiny.sf2").write_bytes(make_soundfont())
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MIDIFARM_DATA_DIR", str(tmp_path / "data"))
    return folder


def make(capfd: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Run a command that must succeed; what it told."""
    status = run([*arguments, "--json"])
    out, err = capfd.readouterr()
    assert (status, err) == (0, "")
    told: dict[str, Any] = json.loads(out)
    return told


def test_a_still_is_the_frame_at_that_time(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    size = ("--size", "160x90")
    told = make(capfd, "still", "song.mid", *size, "--at", "0.25", "-o", "early.png")
    assert told.keys() == {
        *("output", "media_type", "width", "height", "size_bytes", "sha256", "warnings"),
    }
    assert (told["output"], told["media_type"]) == ("early.png", "image/png")
    assert told["size_bytes"] == (folder / "early.png").stat().st_size
    make(capfd, "still", "song.mid", *size, "--at", "1.25", "-o", "late.png")
    # The same moment of the song, in a video that begins later.
    make(capfd, "still", "song.mid", *size, "--start", "1", "--at", "0.25", "-o", "moved.png")
    early, late, moved = (Image.open(folder / f"{name}.png") for name in ("early", "late", "moved"))
    assert early.size == (160, 90)
    # The title, which has its place in the video, is in the upper half.
    lower = (0, 45, 160, 90)
    assert ImageChops.difference(early.crop(lower), late.crop(lower)).getbbox() is not None
    assert ImageChops.difference(late.crop(lower), moved.crop(lower)).getbbox() is None


def test_a_title_of_ones_own_is_seen(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    size = ("--size", "160x90", "--at", "2")
    make(capfd, "still", "song.mid", *size, "-o", "plain.png")
    make(capfd, "still", "song.mid", *size, "--title", "Preview", "-o", "same.png")
    make(capfd, "still", "song.mid", *size, "--title", "Nocturne", "-o", "titled.png")
    plain, same, titled = (
        Image.open(folder / f"{name}.png").convert("RGB") for name in ("plain", "same", "titled")
    )
    assert ImageChops.difference(plain, same).getbbox() is None  # it is the song's own
    assert ImageChops.difference(plain, titled).getbbox() is not None


def test_a_still_listens_to_the_recording(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    title = {"type": "title", "animate": {"size": "3 + 20 * level"}}
    layers = [{"type": "background", "colour": "#000000"}, title]
    (folder / "mine.json").write_text(json.dumps({"layers": layers}))
    for name, loudness in (("silence", 0), ("tone", 20_000)):
        samples = loudness * np.sin(np.arange(3 * 44_100) * (440 * 2 * np.pi / 44_100))
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setparams((1, 2, 44_100, 0, "NONE", ""))
            file.writeframes(samples.astype("<i2").tobytes())
        options = ("--composition", "mine.json", "--size", "160x90", "--at", "1")
        make(capfd, "still", "song.mid", *options, "--audio", f"{name}.wav", "-o", f"{name}.png")
    silence, tone = (Image.open(folder / f"{name}.png") for name in ("silence", "tone"))
    assert np.asarray(tone).mean() > 2 * np.asarray(silence).mean() > 0


class _AskedForError(Exception):
    """Stops a command where its worker would begin."""


@pytest.mark.parametrize("name", ["still", "contact-sheet", "preview"])
def test_what_dresses_a_style_reaches_the_worker(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[IntakeRequest] = []

    def stop(_: str, *, request: Any, **__: Any) -> None:
        asked.append(IntakeRequest.model_validate(request))
        raise _AskedForError

    monkeypatch.setattr("coordinator.cli.previews.call_isolated", stop)
    Image.new("RGB", (8, 8)).save(folder / "cover.png")
    (folder / "song.lrc").write_text("[00:01.00]La la")
    (folder / "take.wav").write_bytes(b"")
    options = ("--style", "neon", "--cover", "cover.png", "--lyrics", "song.lrc")
    with pytest.raises(_AskedForError):
        run([name, "song.mid", *options, "--audio", "take.wav"])
    (request,) = asked
    dressing = Dressing(cover=str(folder / "cover.png"), lyrics="[00:01.00]La la")
    assert request.composition == dress(find_style("neon"), dressing)
    assert request.audio == folder / "take.wav"


def test_a_contact_sheet_is_a_picture_of_its_width(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options = ("--preset", "tiktok_vertical", "--width", "400", "-o", "sheet.jpg")
    told = make(capfd, "contact-sheet", "song.mid", *options)
    assert told["media_type"] == "image/jpeg"
    with Image.open(folder / "sheet.jpg") as image:
        assert image.format == "JPEG"
        assert image.size == (told["width"], told["height"])
        assert 360 <= image.width <= 400


@pytest.mark.ffmpeg
def test_a_clip_has_picture_and_sound(
    folder: Path, capfd: pytest.CaptureFixture[str], ffprobe: Program
) -> None:
    options = ("--soundfont", "tiny.sf2", "--width", "160", "-o", "clip.mp4")
    told = make(capfd, "preview", "song.mid", *options)
    assert (told["media_type"], told["width"], told["height"]) == ("video/mp4", 160, 90)
    found = json.loads(ffprobe("-show_streams", folder / "clip.mp4"))["streams"]
    assert [stream["codec_type"] for stream in found] == ["video", "audio"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("still missing.mid", "There is no file missing.mid."),
        ("still song.mid -o frame.bmp", "is no picture's name; end it in .png, .jpg or .webp."),
        ("preview song.mid -o clip.webm", "A clip is an mp4: call it clip.mp4."),
        ("still song.mid --format m4a", "m4a has no picture to look at."),
        ("still song.mid -o tiny.png", "tiny.png exists already; give --overwrite to replace it."),
        ("still song.mid --at soon", "--at takes a time in seconds, such as 12.5, not 'soon'."),
    ],
)
def test_what_cannot_be_previewed_is_told_in_one_line(
    arguments: str,
    sentence: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a process was started for nothing")

    monkeypatch.setattr("coordinator.cli.previews.call_isolated", refuse)
    (folder / "tiny.png").write_bytes(b"a picture")
    assert run(arguments.split()) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert sentence in err
