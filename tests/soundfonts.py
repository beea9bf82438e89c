"""A SoundFont for tests, made here: small, loud and without a licence."""

from __future__ import annotations

import struct

import numpy as np

RATE = 48000
POINTS = 4800


def _chunk(tag: bytes, data: bytes) -> bytes:
    return tag + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _listed(form: bytes, *parts: bytes) -> bytes:
    return _chunk(b"LIST", form + b"".join(parts))


def make_soundfont(*, last_sample: int = POINTS, instrument: int = 0) -> bytes:
    """A SoundFont with two looped square waves: preset 0:0 full, 128:0 (drums) at half level."""
    square = np.where(np.arange(POINTS) % 96 < 48, 20000, -20000).astype("<i2")
    half = (square // 2).astype("<i2")
    samples = np.concatenate([square, np.zeros(46, "<i2"), half, np.zeros(46, "<i2")]).tobytes()

    def preset(name: bytes, bank: int, bag: int) -> bytes:
        return struct.pack("<20sHHHIII", name, 0, bank, bag, 0, 0, 0)

    def sample(name: bytes, start: int, end: int) -> bytes:
        return struct.pack(
            "<20sIIIIIBbHH", name, start, end, start + 96, start + 4704, RATE, 60, 0, 0, 1
        )

    second = POINTS + 46
    loop = struct.pack("<HH", 54, 1)  # sampleModes: loop
    pdta = _listed(
        b"pdta",
        _chunk(
            b"phdr",
            preset(b"Full", 0, 0) + preset(b"Drums", 128, 1) + preset(b"EOP", 0, 2),
        ),
        _chunk(b"pbag", struct.pack("<6H", 0, 0, 1, 0, 2, 0)),
        _chunk(b"pmod", b"\0" * 10),
        _chunk(b"pgen", struct.pack("<6H", 41, instrument, 41, 1, 0, 0)),
        _chunk(
            b"inst",
            b"".join(
                struct.pack("<20sH", name, bag)
                for bag, name in enumerate((b"full", b"drum", b"EOI"))
            ),
        ),
        _chunk(b"ibag", struct.pack("<6H", 0, 0, 2, 0, 4, 0)),
        _chunk(b"imod", b"\0" * 10),
        _chunk(
            b"igen",
            loop + struct.pack("<HH", 53, 0) + loop + struct.pack("<HH", 53, 1) + b"\0" * 4,
        ),
        _chunk(
            b"shdr",
            sample(b"a", 0, last_sample)
            + sample(b"b", second, second + POINTS)
            + struct.pack("<20s26x", b"EOS"),
        ),
    )
    info = _listed(b"INFO", _chunk(b"ifil", struct.pack("<HH", 2, 1)), _chunk(b"INAM", b"test\0\0"))
    body = b"sfbk" + info + _listed(b"sdta", _chunk(b"smpl", samples)) + pdta
    return b"RIFF" + struct.pack("<I", len(body)) + body
