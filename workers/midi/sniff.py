"""What a file that is no MIDI file looks like."""

from __future__ import annotations

import re
from typing import Final

_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\x00", "an xz archive"),
    (0, b"StuffIt", "a StuffIt archive"),
    (0, b"ID3", "an MP3 recording"),
    (0, b"OggS", "an Ogg recording"),
    (0, b"fLaC", "a FLAC recording"),
    (4, b"ftyp", "an MP4 or M4A file"),
    (0, b"\x1aE\xdf\xa3", "a WebM or Matroska video"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x89PNG", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"GIF8", "a GIF image"),
    (1, b"FICHIER GUITAR PRO", "a Guitar Pro score"),
    (0, b"BCFZ", "a Guitar Pro score"),
    (0, b"BCFS", "a Guitar Pro score"),
    (0, b"SMF2CLIP", "a MIDI 2.0 clip"),
    (0, b"XMF_", "an XMF file"),
    (0, b"MUS\x1a", "a Doom MUS song"),
    (0, b"CTMF", "a Creative CMF song"),
    (0, b"FLhd", "an FL Studio project"),
    (0, b"\xd0\xcf\x11\xe0", "an old Microsoft Office document"),
    (0, b"vti_encoding", "a note that the web editor FrontPage left behind"),
    (0, b"version https://git-lfs", "a Git LFS pointer instead of the file itself"),
)
_RIFF_KINDS: Final = {
    b"WAVE": "a WAV recording",
    b"AVI ": "an AVI video",
    b"WEBP": "a WebP image",
    b"sfbk": "a SoundFont",
    b"DLS ": "a DLS sound bank",
}
_FORM_KINDS: Final = {
    b"AIFF": "an AIFF recording",
    b"AIFC": "an AIFF recording",
    b"XDIR": "an XMI song of an old game",
}
_UNPACK = "unpack it and use the MIDI file inside"
_EXPORT = "open it in the program that made it and export a Standard MIDI File (.mid)"
_FETCH = "download the MIDI file again"
_OTHER = "use a Standard MIDI File (.mid)"
_ADVICE: Final = (
    ("archive", _UNPACK),
    ("score", _EXPORT),
    ("project", _EXPORT),
    ("clip", _EXPORT),
    ("song", _EXPORT),
    ("page", _FETCH),
    ("note", _FETCH),
    ("pointer", _FETCH),
    ("recording", "a recording holds no notes: use the MIDI file, and this one as the audio"),
)


def looks_like(data: bytes) -> str | None:
    """What the first bytes of a foreign file stand for.

    Returns:
        A noun with its article ("a ZIP archive"), or None if they stand for nothing known.
        Only marks are looked at that no MIDI file begins with.
    """
    for at, magic, name in _MAGIC:
        if data.startswith(magic, at):
            return name
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _zip_kind(data)
    if data.startswith(b"\x1f\x8b"):
        return "a gzip archive (a packed file or an Ableton Live project)"
    if data.startswith(b"RIFF"):
        return _RIFF_KINDS.get(data[8:12])
    if data.startswith(b"FORM"):
        return _FORM_KINDS.get(data[8:12])
    return _markup_kind(data[:4096])


def looks_vaguely_like(data: bytes) -> str | None:
    """Like :func:`looks_like`, from weaker signs: ask it when nothing else explains the file."""
    head = data[:4096]
    if not any(head):
        return "nothing but zeros"
    # MPEG audio, ISO 11172-3: eleven set bits, then no reserved version, layer or bit rate.
    if (
        len(head) > 2
        and head[0] == 0xFF
        and head[1] >> 5 == 0b111
        and head[1] >> 3 & 3 != 1
        and head[1] >> 1 & 3 != 0
        and head[2] >> 4 != 15
    ):
        return "an MP3 recording"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "a text"
    if all(byte >= 0x20 or byte in b"\t\n\r\f\x1b" for byte in head):
        return "a text"
    return None


def refusal(kind: str | None) -> str:
    """The sentence that refuses a file which looks like ``kind``."""
    if kind is None:
        return f"This is not a MIDI file: it holds neither a MIDI header nor a track; {_OTHER}."
    advice = next((text for word, text in _ADVICE if word in kind), _OTHER)
    return f"This is not a MIDI file: it looks like {kind}; {advice}."


def _zip_kind(data: bytes) -> str:
    names = data[:65_536] + data[-65_536:]
    if b".mscx" in names:
        return "a MuseScore score"
    if b"score.gpif" in names:
        return "a Guitar Pro score"
    if b"META-INF/container.xml" in names and b".xml" in names:
        return "a compressed MusicXML score"
    return "a ZIP archive"


def _markup_kind(head: bytes) -> str | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not text.startswith(b"<"):
        return None
    if b"<score-partwise" in text or b"<score-timewise" in text or b"musicxml" in text:
        return "a MusicXML score"
    if b"<musescore" in text:
        return "a MuseScore score"
    if re.match(rb"<(!doctype html|html|head|body|!--|script|title|meta)", text) or (
        b"<html" in text
    ):
        return "a web page (HTML)"
    if text.startswith(b"<?xml"):
        return "an XML document"
    return None
