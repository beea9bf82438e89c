"""What uploaded files are by their first bytes, and what is said of those that are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.api.sniffing import fault, sniff
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
        (b"\0\0\0\x20ftypisom\0\0\0\0", "audio"),
        (b"\x89PNG\r\n\x1a\n\0", "image"),
        (b"\xff\xd8\xff\xe0", "image"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image"),
        (b"GIF89a\1\0", "image"),
        (b"\0\1\0\0\0\x0c", "font"),
        (b"OTTO\0\x0c", "font"),
        (b"ttcf\0\1", "font"),
        (b"RIFF\0\0\0\0sfbkLIST", "soundfont"),
        (b"\0\0\0\x1cftypheic\0\0\0\0", None),
        (b"RIFF\0\0\0\0AVI LIST", None),
        (b"FORM\0\0\0\0XDIRINFO", None),
        (b"\xff\xff\xff\xff", None),
        (b"\xff\xfe\x41\x00\x42\x00", None),  # UTF-16 text
        (b"wOF2", None),
        (b"hello", None),
        (b"", None),
    ],
)
def test_the_first_bytes_tell_the_kind(head: bytes, kind: AssetKind | None) -> None:
    assert sniff(head) == kind
    assert (fault(head, None) is None) == (kind is not None)
    for wanted in ("midi", "audio", "image", "font", "soundfont"):
        assert (fault(head, wanted) is None) == (wanted == kind)


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
