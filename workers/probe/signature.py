"""What a file looks like, for the sentence that refuses it.

This decides nothing: what may be opened is a matter of allow-lists of demuxers. It only turns
"invalid data" into words that tell a musician which file they picked by mistake.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

_HEAD_BYTES: Final = 512

_SIGNATURES: Final[tuple[tuple[bytes, str], ...]] = (
    (b"MThd", "a MIDI file"),
    (b"#EXTM3U", "a playlist that points at other files"),
    (b"ffconcat", "a playlist that points at other files"),
    (b"[playlist]", "a playlist that points at other files"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"fLaC", "a damaged FLAC file"),
    (b"OggS", "a damaged Ogg file"),
    (b"ID3", "a damaged MP3 file"),
    (b"\x1aE\xdf\xa3", "a damaged Matroska or WebM file"),
)

_RIFF_FORMS: Final = {
    b"RMID": "a MIDI file",
    b"sfbk": "a SoundFont",
    b"WEBP": "a WebP picture",
    b"WAVE": "a damaged WAV file",
    b"AVI ": "a damaged AVI file",
}


def describe_file(path: Path) -> str:
    """What the file at ``path`` looks like, as a noun with its article."""
    with path.open("rb") as file:
        return describe_head(file.read(_HEAD_BYTES))


def describe_head(head: bytes) -> str:
    """What a file that begins with ``head`` looks like, as a noun with its article."""
    if not head:
        return "an empty file"
    for magic, words in _SIGNATURES:
        if head.startswith(magic):
            return words
    if head[:4] == b"RIFF" and head[8:12] in _RIFF_FORMS:
        return _RIFF_FORMS[head[8:12]]
    if head[4:8] == b"ftyp":
        return "an MP4 or M4A file that is damaged or was cut off"
    if not head.strip(b"\0"):
        return "a file full of zeros"
    try:
        # The last character may be cut in two.
        text = head[:-4].decode() if len(head) == _HEAD_BYTES else head.decode()
    except UnicodeDecodeError:
        return "a file of unknown kind"
    text = text.lstrip("\ufeff \t\r\n").lower()
    if text.startswith(("<!doctype html", "<html")):
        return "a web page"
    if "\0" in text:
        return "a file of unknown kind"
    if text.startswith("<svg") or "<svg" in text:
        return "an SVG drawing"
    if text.startswith("<"):
        return "an XML document"
    return "a text file"
