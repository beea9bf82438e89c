"""The command as people run it: told what is wrong in one line, and nothing is left behind."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer.main

from coordinator.cli.app import app, run
from shared.presets import PRESETS
from shared.settings import usable_cores
from shared.styles import STYLES

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 60


def track(*events: bytes) -> bytes:
    """A track of a MIDI file."""
    data = b"".join(events) + b"\x00\xff\x2f\x00"
    return b"MTrk" + struct.pack(">I", len(data)) + data


def midi(*tracks: bytes) -> bytes:
    """A MIDI file of format 1 with 96 ticks to the beat, at 120 beats a minute."""
    return b"MThd" + struct.pack(">IHHH", 6, 1, len(tracks), 96) + b"".join(tracks)


def note(key: int) -> bytes:
    """A quarter note, half a second long."""
    return bytes((0, 0x90, key, 64, 96, 0x80, key, 64))


TEMPO = b"\x00\xff\x51\x03\x07\xa1\x20"
METER = b"\x00\xff\x58\x04\x03\x02\x18\x08"
SONG = midi(track(TEMPO, METER), track(*map(note, (60, 62, 64, 65))), track(note(36)))
BROKEN_SONG = midi(track(TEMPO), track(*map(note, (60, 62, 64, 65))))[:-6]
HTML = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>\n"
MP3 = b"ID3\x04\x00\x00\x00\x00\x00\x00" + (b"\xff\xfb\x90\x64" + bytes(413)) * 4


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str


def command(*arguments: str, cwd: Path, **environment: str) -> Done:
    """Run the real command in a process of its own."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MIDIFARM_", "RAY_")) and name not in ("FORCE_COLOR", "COLUMNS")
    }
    done = subprocess.run(
        [sys.executable, "-c", "from coordinator.cli import main; main()", *arguments],
        cwd=cwd,
        env={
            **inherited,
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "default",
            "MIDIFARM_DATA_DIR": str(cwd.parent / "data"),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return Done(status=done.returncode, out=done.stdout, err=done.stderr)


def make_folder(parent: Path) -> Path:
    """A musician's folder."""
    folder = parent / "songs"
    folder.mkdir()
    files = {
        "song.mid": SONG,
        "page.mid": HTML,
        "recording.mid": MP3,
        "empty.mid": b"",
        "silent.mid": midi(track(TEMPO)),
        "broken.json": b'{"layers": [',
        "image.json": b'{"layers": [{"type": "background", "image": "nowhere.png"}]}',
        "unknown.json": b'{"layers": [{"type": "grid", "colour": "#ffffff"}]}',
        "noise.wav": b"It was a dark and stormy night. " * 40,
        "there.mp4": b"a video",
        "words.lrc": b"La la la",
        "cover.png": b"\x89PNG\r\n\x1a\n",
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    with zipfile.ZipFile(folder / "archive.mid", "w") as archive:
        archive.writestr("song.mid", SONG)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A musician's folder, in which no command may change anything."""
    folder = make_folder(tmp_path)
    before = contents(folder)
    yield folder
    assert contents(folder) == before, "nothing was written, nothing was left behind"


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


BAD = {
    "no such file": ("missing.mid", "There is no file missing.mid."),
    "a web page": ("page.mid", "page.mid: This is not a MIDI file: it looks like a web page"),
    "an archive": ("archive.mid", "archive.mid: This is not a MIDI file: it looks like a ZIP"),
    "a recording": ("recording.mid", "it looks like an MP3 recording"),
    "an empty file": ("empty.mid", "empty.mid: The MIDI file is empty"),
    "no notes": ("silent.mid", "There are no notes in silent.mid."),
    "no notes in the range": (
        "song.mid --start 2.5 --end 3",
        "There are no notes between 2.5 s and 3 s; the last one ends at 2.00 s.",
    ),
    "a start behind the song": (
        "song.mid --start 100",
        "The song is over at 3.5 s; the video cannot begin at 100 s.",
    ),
    "an end before the start": (
        "song.mid --start 1.5 --end 1",
        "The range ends at 1 s, not after its start at 1.5 s.",
    ),
    "an odd size": (
        "song.mid --size 641x360",
        "width and height must be even, which 641x360 is not; 640x360 would do.",
    ),
    "a composition without its image": (
        "song.mid --composition image.json",
        "The composition's image nowhere.png does not exist in ",
    ),
    "a recording that is none": (
        "song.mid --audio noise.wav",
        "The recording cannot be read: it looks like a text file.",
    ),
    "a missing output folder": (
        "song.mid --output missing/out.mp4",
        "There is no folder missing to put the video in.",
    ),
    "an output that exists": (
        "song.mid --output there.mp4",
        "there.mp4 exists already; give --overwrite to replace it.",
    ),
    "an output with too long a name": (
        f"song.mid --output {'x' * 300}",
        "cannot be written: File name too long.",
    ),
}
BAD_AT_ONCE = {
    "no such file": ("missing.mid", "There is no file missing.mid."),
    "an odd size": (
        "song.mid --size 641x360",
        "width and height must be even, which 641x360 is not; 640x360 would do.",
    ),
    "a size that is none": (
        "song.mid --size large",
        "'large' is no size; write it as 1920x1080.",
    ),
    "a frame rate that is none": (
        "song.mid --fps fast",
        "fast is not a supported frame rate; use one of 10, 15, 20, 24, ",
    ),
    "an unknown preset": (
        "song.mid --preset vimeo",
        "There is no preset 'vimeo'; choose one of youtube_1080p, ",
    ),
    "an unknown style": (
        "song.mid --style baroque",
        "There is no style 'baroque'; choose one of aurora, ",
    ),
    "a style and a composition": (
        "song.mid --style neon --composition image.json",
        "Give either --style or --composition, not both.",
    ),
    "a broken composition": (
        "song.mid --composition broken.json",
        "broken.json is no composition: Invalid JSON: ",
    ),
    "a folder": (".", "There is no file ."),
    "a start that is no time": (
        "song.mid --start 1:30",
        "--start takes a time in seconds, such as 12.5, not '1:30'.",
    ),
    "an end beyond all measure": (
        "song.mid --end 1e999999999",
        "--end takes a time in seconds, such as 12.5, not '1e999999999'.",
    ),
    "a size beyond all measure": (
        f"song.mid --size 64x{'9' * 5000}",
        "is no size; write it as 1920x1080.",
    ),
    "a composition with an unknown field": (
        "song.mid --composition unknown.json",
        "unknown.json is no composition: layers.0.colour: there is no such field.",
    ),
    "a missing composition": (
        "song.mid --composition missing.json",
        "There is no file missing.json.",
    ),
    "a missing recording": ("song.mid --audio missing.wav", "There is no file missing.wav."),
    "an output that is the song": (
        "song.mid --output song.mid --overwrite",
        "song.mid is read for the video and cannot be replaced by it.",
    ),
    "a song with too long a name": ("x" * 300, "cannot be read: File name too long."),
    "a codec that the format does not take": (
        "song.mid --format webm --video-codec h264 --output out.webm",
        "format: webm takes VP9 or AV1 for the picture; H.264 goes into mp4 or mov.",
    ),
    "a name of another format": (
        "song.mid --format webm --output out.mp4",
        "What comes out is webm: call it out.webm, or give --format mp4.",
    ),
    "a template that there is not": (
        "song.mid --template classic",
        "There is no template 'classic'; choose one of clean-minimal, social-media-pack.",
    ),
    "a watermark that there is not": (
        "song.mid --watermark nowhere.png",
        "There is no file nowhere.png.",
    ),
    "a cover that there is not": (
        "song.mid --cover nowhere.png",
        "There is no file nowhere.png.",
    ),
    "a cover that is none": (
        "song.mid --cover noise.wav",
        "--cover takes an image, which noise.wav is not.",
    ),
    "a background that is none": (
        "song.mid --background song.mid",
        "--background takes an image or a video, and song.mid is neither.",
    ),
    "lyrics without times": (
        "song.mid --lyrics words.lrc",
        "words.lrc: The lyrics have no time stamps, such as [01:23.45]",
    ),
    "a video in the place of its cover": (
        "song.mid --cover cover.png --output cover.png --format mp4 --overwrite",
        "cover.png is read for the video and cannot be replaced by it.",
    ),
    "a preset twice": ("song.mid --preset custom --preset custom", "Give each --preset once."),
    "a poster in the place of the video": (
        "song.mid --poster out.mp4 --output out.mp4",
        "out.mp4 cannot be both the video and its --poster.",
    ),
    "a poster of sound": (
        "song.mid --poster out.jpg --output out.m4a",
        "m4a has no picture to make a poster of.",
    ),
    "a missing configuration": (
        "song.mid --config missing.json",
        "missing.json cannot be read: No such file or directory.",
    ),
    "a configuration that is none": (
        "song.mid --config image.json",
        "image.json is no export configuration: ",
    ),
}
"""Known before any process is started."""


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Done]]]:
    """All the bad commands, side by side: each takes a second or two."""

    def run_one(arguments: str) -> Done:
        folder = make_folder(tmp_path_factory.mktemp("bad"))
        before = contents(folder)
        options = [] if "--output" in arguments else ["--output", "out.mp4"]
        done = command("render", *arguments.split(), *options, cwd=folder)
        assert contents(folder) == before, "nothing was written, nothing was left behind"
        return done

    with ThreadPoolExecutor(usable_cores()) as pool:
        yield {name: pool.submit(run_one, arguments) for name, (arguments, _) in BAD.items()}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_in_one_line(name: str, refusals: dict[str, Future[Done]]) -> None:
    _, sentence = BAD[name]
    assert_refused(refusals[name].result(), sentence)


def assert_refused(done: Done, sentence: str) -> None:
    assert done.status == 2, done.err
    assert done.out == ""
    assert done.err.startswith("midifarm: ")
    assert done.err.endswith(".\n")
    assert done.err.count("\n") == 1, done.err
    assert sentence in done.err


@pytest.mark.parametrize(("arguments", "sentence"), BAD_AT_ONCE.values(), ids=BAD_AT_ONCE)
def test_what_is_wrong_at_sight_is_told_before_anything_is_started(
    folder: Path,
    arguments: str,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("Ray was loaded, or a process started, for nothing")

    monkeypatch.chdir(folder)
    monkeypatch.setattr("coordinator.cli.render.preload", refuse)
    monkeypatch.setattr("coordinator.cli.song_files.call_isolated", refuse)
    options = [] if "--output" in arguments else ["--output", "out.mp4"]
    status = run(["render", *arguments.split(), *options])
    out, err = capfd.readouterr()
    assert_refused(Done(status=status, out=out, err=err), sentence)


def test_a_word_that_an_option_does_not_know_is_told_with_those_that_it_does(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run(["render", "song.mid", "--format", "avi"]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("midifarm: Invalid value for '--format': 'avi' is not one of 'mp4', ")


def test_a_data_folder_that_cannot_be_made_is_told(folder: Path) -> None:
    data_dir = str(folder / "song.mid" / "data")
    done = command("render", "song.mid", "-o", "out.mp4", cwd=folder, MIDIFARM_DATA_DIR=data_dir)
    assert_refused(done, f"The object store in {data_dir} could not be opened: ")


@pytest.mark.parametrize("arguments", ["render song.mid -o out.mp4", "doctor"])
def test_a_setting_that_does_not_fit_is_named(
    arguments: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MIDIFARM_WORKERS", "many")
    status = run(arguments.split())
    out, err = capfd.readouterr()
    assert_refused(
        Done(status=status, out=out, err=err), "MIDIFARM_WORKERS: Input should be a valid integer"
    )


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing.mid", "missing.mid cannot be read: No such file or directory."),
        ("page.mid", "it looks like a web page"),
    ],
)
def test_what_cannot_be_probed_is_told_in_one_line(folder: Path, name: str, sentence: str) -> None:
    assert_refused(command("probe", name, "--json", cwd=folder), sentence)


def probe(folder: Path, name: str) -> dict[str, Any]:
    done = command("probe", name, "--json", cwd=folder)
    assert (done.status, done.err) == (0, "")
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_probing_midi_tells_what_is_in_it(folder: Path) -> None:
    found = probe(folder, "song.mid")
    assert found["warnings"] == []
    assert {name: found[name] for name in ("kind", "format", "notes", "tracks")} == {
        "kind": "midi",
        "format": 1,
        "notes": 5,
        "tracks": 3,
    }
    assert (found["start_s"], found["end_s"], found["duration_s"]) == (0.0, 2.0, 2.0)
    assert found["tempo_changes"] == [{"time_s": 0.0, "bpm": 120.0}]
    assert found["meter_changes"] == [{"time_s": 0.0, "numerator": 3, "denominator": 4}]
    assert found["bars"] == [0.0, 1.5]


def test_probing_midi_without_notes_is_no_error(folder: Path) -> None:
    found = probe(folder, "silent.mid")
    assert (found["notes"], found["end_s"], found["bars"]) == (0, 0.0, [])


def test_probing_a_damaged_song_lists_its_repairs(tmp_path: Path) -> None:
    (tmp_path / "cut.mid").write_bytes(BROKEN_SONG)
    found = probe(tmp_path, "cut.mid")
    assert found["notes"] == 4
    assert found["warnings"]
    for warning in found["warnings"]:
        assert warning.keys() == {"track", "offset", "message"}
        assert isinstance(warning["message"], str)
        assert warning["message"].endswith(".")
        assert warning["track"] is None or isinstance(warning["track"], int)
        assert warning["offset"] is None or 0 <= warning["offset"] <= len(BROKEN_SONG)


def test_doctor_lists_findings_and_its_status_agrees_with_them(tmp_path: Path) -> None:
    done = command("doctor", "--json", cwd=tmp_path)
    findings = json.loads(done.out)
    assert {"Processors", "Ray", "Disk"} <= {finding["name"] for finding in findings}
    for finding in findings:
        assert finding.keys() == {"name", "ok", "detail", "advice", "needed"}
        assert finding["detail"] if finding["ok"] else finding["advice"].endswith(".")
    healthy = all(finding["ok"] for finding in findings if finding["needed"])
    assert done.status == (0 if healthy else 1)
    assert done.err == ""


def test_presets_are_listed_without_loading_an_engine(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from coordinator.cli.app import run\n"
        "assert run(['presets']) == 0\n"
        "print(sorted({'av', 'moderngl', 'numpy', 'ray', 'mido', 'PIL'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    *listing, loaded = done.stdout.splitlines()
    assert loaded == "[]"
    text = "\n".join(listing)
    assert all(name in text for name in [*PRESETS, *STYLES, *STYLES.values()])
    assert "1920x1080" in text


def test_presets_as_json_are_plain_even_where_colours_are_forced(tmp_path: Path) -> None:
    done = command("presets", "--json", cwd=tmp_path, FORCE_COLOR="1")
    assert (done.status, done.err) == (0, "")
    listed = json.loads(done.out)
    assert listed.keys() == PRESETS.keys()
    for name, preset in PRESETS.items():
        assert type(preset).model_validate(listed[name]) == preset


COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def test_every_command_is_explained_in_sentences() -> None:
    assert set(COMMANDS) == {
        *("render", "still", "contact-sheet", "preview", "probe", "doctor", "presets", "formats"),
        *("serve", "api", "dispatch", "submit", "exports", "batch", "batches"),
        *("templates", "webhooks", "keys", "farm", "use", "cluster"),
    }
    for name, found in COMMANDS.items():
        assert found.help, name
        assert found.help[0].isupper(), name
        assert found.help.endswith("."), name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained_in_sentences(name: str) -> None:
    for parameter in COMMANDS[name].params:
        assert parameter.help, parameter.name
        assert parameter.help[0].isupper(), parameter.help
        assert parameter.help.endswith("."), parameter.help


@pytest.mark.parametrize("name", [None, *COMMANDS])
def test_help_names_every_option_or_command(
    name: str | None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    assert run([name, "--help"] if name else ["--help"]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    expected = (
        [option for parameter in COMMANDS[name].params for option in parameter.opts]
        if name
        else list(COMMANDS)
    )
    for word in expected:
        assert word.lower() in out.lower(), word
