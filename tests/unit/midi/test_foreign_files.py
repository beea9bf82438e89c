"""Files that hold no MIDI are refused, and told what they look like."""

from __future__ import annotations

import pytest

from shared.errors import MidiError
from workers.midi import read_midi

FOREIGN = {
    "empty": b"",
    "web page": b"\n<!DOCTYPE html><html><body>404</body></html>",
    "ZIP": b"PK\x03\x04" + bytes(60),
    "MuseScore": b"PK\x03\x04" + bytes(26) + b"song.mscx" + bytes(60),
    "compressed MusicXML": b"PK\x03\x04" + bytes(26) + b"META-INF/container.xml" + bytes(60),
    "MusicXML": b"<?xml version='1.0'?><!DOCTYPE score-partwise><score-partwise/>",
    "XML": b"<?xml version='1.0'?><thing/>",
    "gzip": b"\x1f\x8b\x08" + bytes(20),
    "RAR": b"Rar!\x1a\x07\x00" + bytes(20),
    "7-Zip": b"7z\xbc\xaf\x27\x1c" + bytes(20),
    "MP3": b"ID3\x04" + bytes(40),
    "an MP3 recording": b"\xff\xfb\x90\x64" + bytes(40),
    "WAV": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "Ogg": b"OggS" + bytes(40),
    "FLAC": b"fLaC" + bytes(40),
    "MP4": b"\x00\x00\x00\x20ftypM4A " + bytes(40),
    "PDF": b"%PDF-1.4",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "JPEG": b"\xff\xd8\xff\xe0",
    "Guitar Pro": b"\x18FICHIER GUITAR PRO v3.00",
    "MIDI 2.0": b"SMF2CLIP" + bytes(20),
    "FrontPage": b"vti_encoding:SR|utf8-nl",
    "a text": b"not a midi file",
    "zeros": bytes(100),
    "neither": bytes(range(256)),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_file_is_named(name: str) -> None:
    data = FOREIGN[name]
    if name == "compressed MusicXML":
        data += b"score.xml"
    with pytest.raises(MidiError, match=name):
        read_midi(data)
