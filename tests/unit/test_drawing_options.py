"""What the options for what is drawn come to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from coordinator.cli.drawing_options import Drawing, DrawingOptions, read_drawing
from shared.composition import BackgroundLayer, ImageLayer, LyricsLayer, TitleLayer
from shared.dressing import Dressing
from shared.errors import CompositionError, InputError
from shared.styles import DEFAULT_STYLE, find_style

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
MATROSKA = b"\x1aE\xdf\xa3" + bytes(64)
MP4 = b"\0\0\0\x20ftypisom" + bytes(64)
LRC = "[00:01.00]Grüße"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what a musician may have, in which commands run."""
    composition = {"layers": [{"type": "background", "image": "sky.png"}, {"type": "image"}]}
    files = {
        "cover.png": PNG,
        "moving.gif": b"GIF89a" + bytes(64),
        "waves.mp4": MP4,
        "waves.mkv": MATROSKA,
        "scan.tiff": b"II*\0" + bytes(64),
        "notes.txt": b"It was a dark and stormy night.",
        "song.mid": b"MThd" + bytes(64),
        "song.lrc": LRC.encode(),
        "old.lrc": LRC.encode("cp1252"),
        "windows.lrc": LRC.encode("utf-16"),
        "plain.lrc": b"La la la",
        "empty.lrc": b"",
        "long.lrc": b"[00:01.00]" + b"x" * 200_000,
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "looks").mkdir()
    (tmp_path / "looks" / "mine.json").write_text(json.dumps(composition))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(**options: Any) -> Drawing:
    paths = {
        name: value if name in ("style", "title", "artist") else Path(value)
        for name, value in options.items()
    }
    return read_drawing(DrawingOptions(**paths))


def test_without_options_it_is_the_usual_style() -> None:
    drawing = read()
    assert drawing.dressed == drawing.undressed == find_style(DEFAULT_STYLE)
    assert (drawing.dressing, drawing.files) == (Dressing(), ())


def test_a_style_is_dressed_with_what_is_given(folder: Path) -> None:
    drawing = read(
        style="neon",
        title="Nocturne",
        artist="A. Musician",
        cover="cover.png",
        background="waves.mp4",
        lyrics="song.lrc",
    )
    assert drawing.undressed == find_style("neon")
    layers = {type(layer): layer for layer in drawing.dressed.layers}
    title, image, lyrics = layers[TitleLayer], layers[ImageLayer], layers[LyricsLayer]
    assert isinstance(title, TitleLayer)
    assert (title.text, title.artist) == ("Nocturne", "A. Musician")
    assert isinstance(image, ImageLayer)
    assert image.image == str(folder / "cover.png")
    assert isinstance(lyrics, LyricsLayer)
    assert lyrics.lrc == LRC
    (ground,) = [each for each in drawing.dressed.layers if isinstance(each, BackgroundLayer)]
    assert (ground.image, ground.video) == (None, str(folder / "waves.mp4"))
    assert drawing.files == (Path("cover.png"), Path("waves.mp4"), Path("song.lrc"))


def test_a_composition_keeps_its_folder_and_what_dresses_it_has_its_own(folder: Path) -> None:
    drawing = read(composition="looks/mine.json", cover="cover.png")
    ground, image = drawing.dressed.layers
    assert isinstance(ground, BackgroundLayer)
    assert isinstance(image, ImageLayer)
    assert drawing.folder == folder / "looks"
    assert (ground.image, image.image) == ("sky.png", str(folder / "cover.png"))
    assert drawing.folder / image.image == folder / "cover.png"
    assert drawing.files == (Path("looks/mine.json"), Path("cover.png"))


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("cover.png", "background"),
        ("moving.gif", "background"),
        ("scan.tiff", "background"),
        ("waves.mp4", "background_video"),
        ("waves.mkv", "background_video"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_background_is_an_image_or_a_video(name: str, field: str) -> None:
    assert read(background=name).dressing.assets == {field: str(Path(name).absolute())}


@pytest.mark.parametrize("name", ["song.lrc", "old.lrc", "windows.lrc"])
@pytest.mark.usefixtures("folder")
def test_lyrics_are_read_however_they_are_written(name: str) -> None:
    assert read(lyrics=name).dressing.lyrics == LRC


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"style": "neon", "composition": "looks/mine.json"}, "Give either --style or"),
        ({"cover": "gone.png"}, "There is no file gone.png."),
        ({"background": "looks"}, "There is no file looks."),
        ({"cover": "waves.mp4"}, "--cover takes an image, which waves.mp4 is not."),
        ({"cover": "notes.txt"}, "--cover takes an image, which notes.txt is not."),
        (
            {"background": "song.mid"},
            "--background takes an image or a video, and song.mid is neither.",
        ),
        ({"lyrics": "plain.lrc"}, "plain.lrc: The lyrics have no time stamps, such as"),
        ({"lyrics": "empty.lrc"}, "empty.lrc: The lyrics have no time stamps, such as"),
        ({"lyrics": "long.lrc"}, "long.lrc is longer than 200000 characters"),
        (
            {"title": "x" * 201},
            "What is to be shown does not fit: title: String should have at most 200 characters.",
        ),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_cannot_be_drawn_is_told_in_one_sentence(
    options: dict[str, str], sentence: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(**options)
    assert caught.value.message.startswith(sentence)
    assert caught.value.message.endswith(".")


def test_a_style_that_there_is_not_is_told() -> None:
    with pytest.raises(CompositionError, match="There is no style 'baroque'"):
        read(style="baroque")


@pytest.mark.parametrize(
    ("file", "finding"),
    [
        ("missing.json", "There is no file missing.json."),
        ("windows.lrc", "windows.lrc is no composition: it is not a text in UTF-8."),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_composition_that_cannot_be_read_is_refused(file: str, finding: str) -> None:
    with pytest.raises(InputError) as caught:
        read(composition=file)
    assert caught.value.message == finding
