"""Files that strangers send to break whoever opens them: small, and huge in what they claim."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PIL import Image

import workers
from tests.soundfonts import make_soundfont

_MIB: Final = 1 << 20
FONT: Final = next((Path(workers.__file__).parent / "fonts").glob("*.otf"))
_PNG: Final = b"\x89PNG\r\n\x1a\n"


def midi_chunk(name: bytes, data: bytes, length: int | None = None) -> bytes:
    """A chunk of a MIDI file, which may lie about its length."""
    return name + struct.pack(">I", len(data) if length is None else length) + data


def midi(*tracks: bytes, declared: int | None = None) -> bytes:
    """A MIDI file of tracks, which may lie about their number."""
    head = struct.pack(">HHH", 1, len(tracks) if declared is None else declared, 480)
    return midi_chunk(b"MThd", head) + b"".join(tracks)


_END: Final = b"\x00\xff\x2f\x00"
_NOTE: Final = b"\x00\x90\x3c\x40\x60\x80\x3c\x40"


def midis() -> dict[str, bytes]:
    """Songs that are long, many or endless."""
    late = b"\xff\xff\xff\x7f"
    return {
        "delta times of days": midi(midi_chunk(b"MTrk", (late + _NOTE[1:]) * 3000 + _END)),
        "a note of weeks": midi(
            midi_chunk(b"MTrk", b"\x00\x90\x3c\x40" + (late + b"\xff\x01\x00") * 40 + _END)
        ),
        "65535 tracks declared": midi(midi_chunk(b"MTrk", _NOTE + _END), declared=65_535),
        "65535 tracks": midi(*[midi_chunk(b"MTrk", _END)] * 65_535),
        "a chunk of 4 GB": midi(midi_chunk(b"MTrk", _NOTE + _END, 0xFFFFFFFF)),
        "notes in running status": midi(
            midi_chunk(b"MTrk", b"\x00\x90\x3c\x40" + b"\x00\x3c\x40\x00\x3c\x00" * 700_000 + _END)
        ),
        "SysEx of megabytes": midi(
            midi_chunk(b"MTrk", b"\x00\xf0\x82\x80\x80\x00" + bytes(4 * _MIB) + _END)
        ),
        "tempo changes": midi(
            midi_chunk(b"MTrk", b"\x01\xff\x51\x03\x07\xa1\x20" * 400_000 + _END)
        ),
        "bars": midi(
            midi_chunk(
                b"MTrk",
                b"\x01\xff\x58\x04\x04\x02\x18\x08\x01\xff\x58\x04\x03\x02\x18\x08" * 20_000
                + _NOTE
                + _END,
            )
        ),
        "texts": midi(midi_chunk(b"MTrk", b"\x00\xff\x05\x01a" * 400_000 + _NOTE + _END)),
    }


def png_chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *chunks: bytes, data: bytes | None = None) -> bytes:
    """A PNG of one bit a pixel, with chunks before its picture."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    rows = zlib.compress(bytes((width + 7) // 8 + 1) * height, 9) if data is None else data
    return _PNG + head + b"".join(chunks) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


def images() -> dict[str, bytes]:
    """Pictures that are large, many or full of something else."""
    packed = zlib.compress(bytes(64 * _MIB), 9)
    jpeg = io.BytesIO()
    Image.new("L", (8, 8)).save(jpeg, "JPEG")
    size = jpeg.getvalue().index(b"\xff\xc0") + 5
    large = jpeg.getvalue()
    large = large[:size] + struct.pack(">HH", 65_500, 65_500) + large[size + 4 :]
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    colours = b"\0\0\0\xff\xff\xff"
    screen = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + colours
    wide = b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0x80, 0, 0) + colours
    vp8l = b"\x2f" + struct.pack("<I", 0x3FFF | 0x3FFF << 14) + bytes(40)
    webp = b"WEBPVP8L" + struct.pack("<I", len(vp8l)) + vp8l + b"\0" * (len(vp8l) % 2)
    svg = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "lol">'
    svg += b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
    return {
        "50000 x 50000.png": png(50_000, 50_000, data=zlib.compress(bytes(_MIB), 9)),
        "zTXt.png": png(8, 8, *[png_chunk(b"zTXt", b"a\0\0" + packed)] * 20),
        "iTXt.png": png(8, 8, *[png_chunk(b"iTXt", b"a\0\1\0\0\0" + packed)] * 20),
        "iCCP.png": png(8, 8, png_chunk(b"iCCP", b"a\0\0" + packed)),
        "a chunk of 2 GB.png": _PNG + struct.pack(">I", 0x7FFFFFFF) + b"IHDR" + bytes(64),
        "65500 x 65500.jpg": large,
        "ten thousand frames.gif": screen + frame * 10_000 + b"\x3b",
        "65535 x 65535.gif": wide + frame + b"\x3b",
        "16384 x 16384.webp": b"RIFF" + struct.pack("<I", len(webp)) + webp,
        "lol.svg": svg + b"]><svg xmlns='http://www.w3.org/2000/svg'>&a9;</svg>",
    }


def wav(samples: bytes, declared: int, rate: int = 44_100, channels: int = 2) -> bytes:
    """A WAV file that may lie about everything."""
    width = channels * 2
    head = struct.pack("<HHIIHH", 1, channels, rate, (rate * width) & 0xFFFFFFFF, width, 16)
    return (
        b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + b"WAVEfmt " + struct.pack("<I", 16) + head
        + b"data" + struct.pack("<I", declared) + samples
    )  # fmt: skip


def box(name: bytes, data: bytes, length: int | None = None) -> bytes:
    """A box of an MP4 file, which may lie about its length."""
    return struct.pack(">I", 8 + len(data) if length is None else length) + name + data


def sounds() -> dict[str, bytes]:
    """Recordings that are endless or noise."""
    noise = bytes((n * 7919 >> 3) & 0xFF for n in range(200_000))
    terabytes = b"RF64" + b"\xff" * 4 + b"WAVEds64" + struct.pack("<IQQQI", 28, *[2**42] * 3, 0)
    terabytes += wav(b"", 0xFFFFFFFF)[12:]
    return {
        "hours.wav": wav(bytes(4000), 0xFFFFFFF0),
        "terabytes.wav": terabytes + bytes(4000),
        "4 GHz.wav": wav(bytes(4000), 4000, rate=0xFFFFFFFF),
        "65535 channels.wav": wav(bytes(200_000), 200_000, channels=32_767),
        "noise.mp3": b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + noise,
        "frames.mp3": b"\xff\xfb\x90\x64" * 50_000,
        "noise.flac": b"fLaC\x00\x00\x00\x22" + b"\xff" * 34 + noise,
        "noise.ogg": b"OggS\0\2" + noise,
        "noise.m4a": box(b"ftyp", b"M4A \0\0\0\0") + box(b"moov", noise, 0xFFFFFFF0),
    }


def element(name: str, data: bytes) -> bytes:
    """An element of a Matroska file."""
    return bytes.fromhex(name) + struct.pack(">Q", 1 << 56 | len(data)) + data


def matroska(width: int, height: int) -> bytes:
    """A Matroska file that declares how large its one damaged frame is."""
    head = element("4282", b"matroska") + element("4287", b"\4") + element("4285", b"\2")
    size = element("B0", struct.pack(">I", width)) + element("BA", struct.pack(">I", height))
    track = element("D7", b"\1") + element("73C5", b"\1") + element("83", b"\1")
    track += element("86", b"V_VP9") + element("E0", size)
    frames = element("E7", b"\0") + element("A3", b"\x81\0\0\x80" + b"\x82\x49\x83\x42" + bytes(60))
    parts = element("1549A966", element("2AD7B1", struct.pack(">I", 1_000_000)))
    parts += element("1654AE6B", element("AE", track)) + element("1F43B675", frames)
    return element("1A45DFA3", head) + element("18538067", parts)


def videos() -> dict[str, bytes]:
    """Videos whose parts are larger than any file."""
    brand = box(b"ftyp", b"isom\0\0\2\0isomiso2")
    huge = struct.pack(">I", 1) + b"moov" + struct.pack(">Q", 2**63) + bytes(100)
    nested = b""
    for _ in range(20_000):
        nested = box(b"moov", nested)
    samples = box(b"stsz", struct.pack(">III", 0, 0, 0xFFFFFFFF) + bytes(64))
    table = box(b"stbl", samples + box(b"stts", struct.pack(">III", 0, 0xFFFFFFFF, 1)))
    track = box(b"trak", box(b"mdia", box(b"minf", table)))
    return {
        "a box of exabytes.mp4": brand + huge,
        "boxes in boxes.mp4": brand + nested,
        "four billion frames.mp4": brand + box(b"moov", track),
        "100000 x 100000.mkv": matroska(100_000, 100_000),
        "16384 x 16384.mkv": matroska(16_384, 16_384),
    }


def fonts() -> dict[str, bytes]:
    """Fonts whose tables are larger than any file."""
    real = bytearray(FONT.read_bytes())
    for table in range(struct.unpack_from(">H", real, 4)[0]):
        struct.pack_into(">I", real, 12 + 16 * table + 12, 0xFFFFFFF0)
    record = b"glyf" + struct.pack(">III", 0, 0xFFFFFFF0, 0xFFFFFFF0)
    return {
        "65535 tables.ttf": struct.pack(">IHHHH", 0x00010000, 65_535, 0, 0, 0) + record * 65_535,
        "tables of 4 GB.otf": bytes(real),
        "fonts in fonts.ttc": b"ttcf" + struct.pack(">II", 0x00010000, 0xFFFFFFFF) + bytes(64),
    }


def soundfonts() -> dict[str, bytes]:
    """SoundFonts whose parts are larger than any file."""
    whole = make_soundfont()
    place = whole.index(b"smpl") + 4
    return {
        "samples of 4 GB.sf2": whole[:place] + b"\xf0\xff\xff\xff" + whole[place + 4 :],
        "a sample beyond.sf2": make_soundfont(last_sample=0xFFFFFFFF),
        "cut off.sf2": whole[: len(whole) // 2],
    }


def archives() -> dict[str, bytes]:
    """What unpacks to much more than it is; nothing of ours unpacks it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("song.mid", bytes(64 * _MIB))
    song = midi(midi_chunk(b"MTrk", _NOTE + _END))
    return {
        "bomb.zip": packed.getvalue(),
        "song.mid": packed.getvalue(),
        "song.mid.gz": gzip.compress(bytes(64 * _MIB)),
        "a song and an archive.mid": song + packed.getvalue(),
        "a picture and an archive.png": png(8, 8) + packed.getvalue(),
    }


BOMBS: Final[dict[str, Callable[[], dict[str, bytes]]]] = {
    "midi": midis,
    "image": images,
    "audio": sounds,
    "video": videos,
    "font": fonts,
    "soundfont": soundfonts,
    "archive": archives,
}
"""Those that are meant for each kind of asset; archives for none."""
