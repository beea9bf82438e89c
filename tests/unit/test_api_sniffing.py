"""What uploaded files are by their first bytes, and what is said of those that are refused."""

from __future__ import annotations

from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.api.sniffing import fault, possible
from coordinator.api.tracks import is_silent_movie
from shared.intake import AssetKind


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"MThd\0\0\0\6", "midi"),
        (b"RIFF\0\0\0\0RMIDdata", "midi"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio"),
        (b"RF64\xff\xff\xff\xffWAVEds64", "audio"),
        (b"FORM\0\0\0\0AIFFCOMM", "audio"),
        (b"FORM\0\0\0\0AIFCFVER", "audio"),
        (b"fLaC\0\0\0\x22", "audio"),
        (b"ID3\4\0\0", "audio"),
        (b"\xff\xfb\x90\x64", "audio"),
        (b"\xff\xf3\x40\xc0", "audio"),
        (b"\xff\xf1\x50\x80", "audio"),
        (b"\xff\xf9\x50\x80", "audio"),
        (b"OggS\0\2", "audio"),
        (b"\0\0\0\x20ftypM4A \0\0\0\0", "audio"),
        (b"\x89PNG\r\n\x1a\n\0", "image"),
        (b"\xff\xd8\xff\xe0", "image"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image"),
        (b"\0\1\0\0\0\x0c", "font"),
        (b"OTTO\0\x0c", "font"),
        (b"ttcf\0\1", "font"),
        (b"RIFF\0\0\0\0sfbkLIST", "soundfont"),
        (b"\0\0\0\x1cftypheic\0\0\0\0", None),
        (b"RIFF\0\0\0\0AVI LIST", "video"),
        (b"FLV\1\5", "video"),
        ((b"G" + bytes(187)) * 3, "video"),
        (b"G" + bytes(600), None),
        (b"FORM\0\0\0\0XDIRINFO", None),
        (b"\xff\xff\xff\xff", None),
        (b"\xff\xfe\x41\x00\x42\x00", None),  # UTF-16 text
        (b"wOF2", None),
        (b"hello", None),
        (b"", None),
    ],
)
def test_the_first_bytes_tell_the_kind(head: bytes, kind: AssetKind | None) -> None:
    assert possible(head) == (() if kind is None else (kind,))
    assert (fault(head, None) is None) == (kind is not None)
    for wanted in get_args(AssetKind):
        assert (fault(head, wanted) is None) == (wanted == kind)


@pytest.mark.parametrize(
    ("head", "kinds"),
    [
        (b"\0\0\0\x20ftypisom\0\0\0\0", ("audio", "video")),
        (b"\0\0\0\x14ftypqt  \0\0\0\0", ("audio", "video")),
        (b"GIF89a\1\0", ("image", "video")),
        (b"\x1aE\xdf\xa3\x42\x86\x81\1 \x86\x8fV_MPEG4/ISO/AVC", ("video", "audio")),
        (b"\x1aE\xdf\xa3 \x86\x85V_VP9 \x86\x86A_OPUS", ("audio", "video")),
    ],
)
def test_moving_pictures_may_be_more_than_one_kind(
    head: bytes, kinds: tuple[AssetKind, ...]
) -> None:
    assert possible(head) == kinds
    for wanted in get_args(AssetKind):
        assert (fault(head, wanted) is None) == (wanted in kinds)
    assert fault(head, None) is None


def box(kind: bytes, *inside: bytes) -> bytes:
    content = b"".join(inside)
    return (8 + len(content)).to_bytes(4) + kind + content


def track(kind: bytes) -> bytes:
    return box(b"trak", box(b"tkhd"), box(b"mdia", box(b"hdlr", bytes(8), kind, bytes(12))))


LONG = b"\0\0\0\1mdat" + (16 + 50).to_bytes(8) + bytes(50)
"""A box whose length follows in 64 bits."""


@pytest.mark.parametrize(
    ("boxes", "silent"),
    [
        ([box(b"moov", track(b"vide"))], True),
        ([LONG, box(b"moov", box(b"mvhd"), track(b"tmcd"), track(b"vide"))], True),
        ([box(b"moov", track(b"vide"), track(b"soun")), LONG], False),
        ([box(b"moov", track(b"soun"))], False),
        ([b"\0\0\0\0moov", track(b"vide")], True),  # to the end of the file
        ([track(b"vide")], False),
        ([LONG], False),
    ],
)
def test_the_boxes_tell_whether_a_movie_is_silent(
    boxes: list[bytes], silent: bool, tmp_path: Path
) -> None:
    path = tmp_path / "movie.mp4"
    path.write_bytes(box(b"ftyp", b"isom") + b"".join(boxes))
    assert is_silent_movie(path) is silent


@given(st.binary(max_size=80), st.integers(0, 200))
def test_damaged_boxes_are_walked_to_an_end(noise: bytes, place: int) -> None:
    movie = box(b"ftyp", b"isom") + box(b"moov", track(b"vide"), track(b"soun")) + LONG
    with NamedTemporaryFile() as file:
        file.write(movie[:place] + noise + movie[place + len(noise) :])
        file.flush()
        assert isinstance(is_silent_movie(Path(file.name)), bool)


def test_junk_before_a_midi_header_is_left_to_its_reader() -> None:
    head = bytes(128) + b"MThd\0\0\0\6"
    assert fault(head, "midi") is None
    assert fault(head, None) is not None
    assert fault(head, "audio") is not None


def test_a_refusal_says_what_it_is_and_what_is_wanted() -> None:
    assert fault(b"OggS", "image") == (
        "The file is not an image (PNG, JPEG, WebP or GIF). "
        "It looks like a recording (WAV, AIFF, FLAC, MP3, Ogg, M4A or AAC)."
    )
    assert "a web font" in (fault(b"wOF2", "font") or "")
    assert "HEIC" in (fault(b"\0\0\0\x1cftypheic", "image") or "")


@given(st.binary(max_size=40), st.sampled_from(["midi", "audio", "image", None]))
def test_any_bytes_are_taken_or_refused_with_a_sentence(
    head: bytes, wanted: AssetKind | None
) -> None:
    sentence = fault(head, wanted)
    assert sentence is None or sentence.endswith(".")
