"""Words for files that are no media."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.probe.boxes import MovieHeader, read_boxes, read_movie_header
from workers.probe.signature import describe_head


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"", "an empty file"),
        (b"MThd\0\0\0\6", "a MIDI file"),
        (b"RIFF\0\0\0\0RMID", "a MIDI file"),
        (b"<!DOCTYPE html><html>", "a web page"),
        ("\ufeff\n<HTML>".encode(), "a web page"),
        (b"<?xml version='1.0'?><svg xmlns=''/>", "an SVG drawing"),
        (b"#EXTM3U\n", "a playlist that points at other files"),
        (b"ffconcat version 1.0\n", "a playlist that points at other files"),
        (b"dear diary", "a text file"),
        ("über".encode() * 200, "a text file"),
        (b"\0" * 100, "a file full of zeros"),
        (bytes(range(128, 256)), "a file of unknown kind"),
        (b"\0\0\0\x1cftypM4A ", "an MP4 or M4A file that is damaged or was cut off"),
    ],
)
def test_descriptions(head: bytes, words: str) -> None:
    assert describe_head(head[:512]) == words


def box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + kind + content


def test_boxes_of_all_sizes(tmp_path: Path) -> None:
    header = b"\0" * 12 + (600).to_bytes(4, "big") + (1500).to_bytes(4, "big") + b"\0" * 80
    wide = b"\0\0\0\1mdat" + (20).to_bytes(8, "big") + b"abcd"
    path = tmp_path / "a.mp4"
    path.write_bytes(
        box(b"ftyp", b"isom") + box(b"moov", box(b"mvhd", header)) + wide + b"\0\0\0\0freerest"
    )
    boxes = read_boxes(path)
    assert [b.kind for b in boxes] == ["ftyp", "moov", "mdat", "free"]
    assert boxes[2].stop - boxes[2].content == 4
    assert boxes[3].stop == path.stat().st_size
    assert read_movie_header(path) == MovieHeader(timescale=600, duration=1500)


@pytest.mark.parametrize(
    "data", [b"abc", b"\0\0\1\0moov", b"\0\0\0\4moov", b"\0\0\0\1moovabc", b"\0\0\0\0moov"]
)
def test_broken_boxes_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"box|header"):
        read_movie_header(path)
