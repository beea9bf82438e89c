"""``midifarm still``, ``contact-sheet`` and ``preview``, from files to a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from coordinator.cli.app import run
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
