"""What the first bytes of an uploaded file say that it is. Pure.

Only a doorkeeper: whether the file can be used is found by a worker, which opens it.
"""

from __future__ import annotations

import re
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
    "video": "a video (MP4, MOV, WebM, MKV, AVI or GIF)",
}
_MAGIC: Final[tuple[tuple[bytes, AssetKind], ...]] = (
    (b"MThd", "midi"),
    (b"MTrk", "midi"),
    (b"fLaC", "audio"),
    (b"ID3", "audio"),
    (b"OggS", "audio"),
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"FLV\1", "video"),
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
    b"AVI ": "video",
}
_STILLS: Final = frozenset({b"avif", b"avis", b"heic", b"heix", b"hevc", b"mif1", b"msf1"})
"""Brands of images in the container that M4A uses too (ISO/IEC 23008-12, AV1 Image Format)."""
_SOUNDS: Final = frozenset({b"M4A ", b"M4B "})
"""Brands of sound alone in it (registered with the MP4 authority)."""
_MATROSKA: Final = b"\x1aE\xdf\xa3"
_MATROSKA_SOUND: Final = re.compile(rb"\x86[\x82-\xbf]A_")
"""The element that names the coding of a track, of one that is heard (RFC 9559, 5.1.4.1.21)."""
_PACKET_BYTES: Final = 188
"""Length of a packet of an MPEG transport stream; each begins with 0x47 (ISO/IEC 13818-1)."""
_FOREIGN: Final = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"%PDF", "a PDF document"),
    (b"wOFF", "a web font; unpack it to TrueType or OpenType"),
    (b"wOF2", "a web font; unpack it to TrueType or OpenType"),
    (b"<", "a web page or an XML document"),
    (b"{", "a JSON document"),
)


def possible(head: bytes) -> tuple[AssetKind, ...]:
    """What a file may be by its first bytes, the likeliest first; empty for nothing of use.

    Where sound and pictures may be in one file, it is a recording first: that is what songs come
    with. Of MP4 and MOV, the first bytes do not tell whether there is sound in them.
    """
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image", "video"
    if head.startswith(_MATROSKA):
        return ("audio", "video") if _MATROSKA_SOUND.search(head) else ("video", "audio")
    if is_boxed(head):
        return ("audio",) if head[8:12] in _SOUNDS else ("audio", "video")
    kind = _only(head)
    return () if kind is None else (kind,)


def is_boxed(head: bytes) -> bool:
    """Whether a file is an MP4, a MOV or of their family, and no still image."""
    return head[4:8] == b"ftyp" and head[8:12] not in _STILLS


def _only(head: bytes) -> AssetKind | None:
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] in (b"RIFF", b"RF64", b"BW64"):
        return _RIFF.get(head[8:12])
    if head.startswith(b"FORM"):
        return "audio" if head[8:12] in (b"AIFF", b"AIFC") else None
    starts = head[: 3 * _PACKET_BYTES : _PACKET_BYTES]
    if starts == b"GGG":
        return "video"
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
    found = possible(head)
    if wanted in found or (found and wanted is None):
        return None
    if not found and wanted == "midi" and (b"MThd" in head or b"MTrk" in head):
        return None  # the reader of MIDI finds its way through junk
    looks = f"It looks like {_WANTED[found[0]]}." if found else _looks_foreign(head)
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
