"""What the first bytes of an uploaded file say that it is. Pure.

Only a doorkeeper: whether the file can be used is found by a worker, which opens it.
"""

from __future__ import annotations

from typing import Final

from shared.intake import AssetKind

HEAD_BYTES: Final = 65_536
"""How much of a file is looked at; a MIDI header may lie behind as much junk."""

_WANTED: Final[dict[AssetKind, str]] = {
    "midi": "a MIDI file (.mid, .rmi)",
    "audio": "a recording (WAV, AIFF, FLAC, MP3, Ogg, M4A or AAC)",
    "image": "an image (PNG, JPEG, WebP or GIF)",
    "font": "a font (TrueType or OpenType)",
    "soundfont": "a SoundFont (.sf2, .sf3)",
}
_MAGIC: Final[tuple[tuple[bytes, AssetKind], ...]] = (
    (b"MThd", "midi"),
    (b"MTrk", "midi"),
    (b"fLaC", "audio"),
    (b"ID3", "audio"),
    (b"OggS", "audio"),
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF87a", "image"),
    (b"GIF89a", "image"),
    (b"\x00\x01\x00\x00", "font"),
    (b"OTTO", "font"),
    (b"ttcf", "font"),
    (b"true", "font"),
)
_RIFF: Final[dict[bytes, AssetKind]] = {
    b"RMID": "midi",
    b"WAVE": "audio",
    b"WEBP": "image",
    b"sfbk": "soundfont",
}
_STILLS: Final = frozenset({b"avif", b"avis", b"heic", b"heix", b"hevc", b"mif1", b"msf1"})
"""Brands of images in the container that M4A uses too (ISO/IEC 23008-12, AV1 Image Format)."""
_FOREIGN: Final = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"%PDF", "a PDF document"),
    (b"\x1aE\xdf\xa3", "a WebM or Matroska file"),
    (b"wOFF", "a web font; unpack it to TrueType or OpenType"),
    (b"wOF2", "a web font; unpack it to TrueType or OpenType"),
    (b"<", "a web page or an XML document"),
    (b"{", "a JSON document"),
)


def sniff(head: bytes) -> AssetKind | None:
    """What a file is by its first bytes; None where they stand for nothing that can be used."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] in (b"RIFF", b"RF64", b"BW64"):
        return _RIFF.get(head[8:12])
    if head.startswith(b"FORM"):
        return "audio" if head[8:12] in (b"AIFF", b"AIFC") else None
    if head[4:8] == b"ftyp":
        return None if head[8:12] in _STILLS else "audio"
    # MPEG audio and ADTS begin with 11 or 12 set bits (ISO/IEC 11172-3, 13818-7). Of MPEG audio,
    # version 1 is reserved and layer I is nowhere in use (FF FE begins a UTF-16 text); a bit rate
    # of 15 is forbidden in the one, a sampling frequency of 15 in the other.
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        if head[1] & 0xF6 == 0xF0:
            return "audio" if head[2] & 0x3C != 0x3C else None
        is_mpeg = head[1] & 0x18 != 0x08 and head[1] & 0x06 in (0x02, 0x04)
        return "audio" if is_mpeg and head[2] & 0xF0 != 0xF0 else None
    return None


def fault(head: bytes, wanted: AssetKind | None) -> str | None:
    """Why a file is not taken, as a sentence; None if it is.

    Args:
        head: Its first HEAD_BYTES, or all of it.
        wanted: What it is meant as; None for whatever it is.
    """
    found = sniff(head)
    if found is not None and wanted in (None, found):
        return None
    if found is None and wanted == "midi" and (b"MThd" in head or b"MTrk" in head):
        return None  # the reader of MIDI finds its way through junk
    looks = f"It looks like {_WANTED[found]}." if found else _looks_foreign(head)
    if wanted is not None:
        return f"The file is not {_WANTED[wanted]}. {looks}".rstrip()
    return f"The file is nothing that can be used: send {', or '.join(_WANTED.values())}. {looks}"


def _looks_foreign(head: bytes) -> str:
    for magic, name in _FOREIGN:
        if head.startswith(magic):
            return f"It looks like {name}."
    if head[4:8] == b"ftyp":
        return "It looks like a HEIC or AVIF image; save it as PNG or JPEG."
    return "Its first bytes stand for nothing that midifarm knows."
