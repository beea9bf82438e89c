"""Frame rates, frame ranges and exact time.

Frame ``k`` of a video at ``fps`` frames a second is shown at exactly ``k / fps`` seconds. Rates
and times are :class:`fractions.Fraction`, so nothing is accumulated and nothing drifts: a
ten-hour video at 30000/1001 ends on the same tick whether it is computed forwards, backwards
or in chunks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer

FRAME_RATES: Final = {
    "10": Fraction(10),
    "15": Fraction(15),
    "20": Fraction(20),
    "24": Fraction(24),
    "25": Fraction(25),
    "30": Fraction(30),
    "50": Fraction(50),
    "60": Fraction(60),
    "24000/1001": Fraction(24000, 1001),
    "30000/1001": Fraction(30000, 1001),
    "60000/1001": Fraction(60000, 1001),
}
"""Every frame rate that can be rendered, by the text that names it."""

_DECIMAL_NAMES: Final = {"23.976": "24000/1001", "29.97": "30000/1001", "59.94": "60000/1001"}


def parse_frame_rate(value: object) -> Fraction:
    """Read a frame rate: ``30``, ``"30000/1001"``, ``"29.97"`` or a Fraction.

    Raises:
        ValueError: It is no frame rate that can be rendered; the message lists those that are.
    """
    text = str(value).strip().removesuffix(".0")
    text = _DECIMAL_NAMES.get(text, text)
    try:
        return FRAME_RATES[text]
    except KeyError:
        raise ValueError(
            f"{value!s} is not a supported frame rate; use one of {', '.join(FRAME_RATES)}"
        ) from None


FrameRate = Annotated[Fraction, BeforeValidator(parse_frame_rate), PlainSerializer(str)]
"""A frame rate as a pydantic field: validated against FRAME_RATES, written as text."""

_SECONDS: Final = re.compile(
    r"[+-]?(\d{1,160}(\.\d{0,160})?|\.\d{1,160}|\d{1,160}/\d{1,160})(e[+-]?\d\d?)?"
)
"""Bounded, as the whole of ``1e999999999`` would fill the memory."""


def parse_seconds(value: object) -> Fraction:
    """Read an exact time in seconds: a number, ``"12.5"`` or ``"n/d"``.

    Raises:
        ValueError: It is none.
    """
    text = str(value).strip().lower()
    try:
        if isinstance(value, Fraction) or _SECONDS.fullmatch(text):
            return Fraction(text)
    except (ValueError, ZeroDivisionError):  # n/0, or an exponent on a quotient
        pass
    raise ValueError(f"{text[:40]!r} is no time in seconds")


Seconds = Annotated[Fraction, BeforeValidator(parse_seconds), PlainSerializer(str)]
"""An exact time in seconds as a pydantic field, read from a number or ``"n/d"``."""


@dataclass(frozen=True, slots=True, order=True)
class FrameRange:
    """The half-open range of frames ``[start, stop)``."""

    start: int
    """First frame of the range, counted from 0 at the start of the video."""
    stop: int
    """First frame after the range."""

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.stop:
            raise ValueError(f"[{self.start}, {self.stop}) is not a range of frames")

    def __len__(self) -> int:
        return self.stop - self.start

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.start, self.stop))

    def __str__(self) -> str:
        return f"[{self.start}, {self.stop})"


def frame_time(frame: int, fps: Fraction) -> Fraction:
    """Seconds from the start of the video at which ``frame`` is shown."""
    return frame / fps


def frame_at(time_s: Fraction, fps: Fraction) -> int:
    """The frame that is on screen at ``time_s``: the last one shown at or before it."""
    return (time_s * fps).__floor__()


def frames_to_cover(duration_s: Fraction, fps: Fraction) -> int:
    """How many frames it takes to show at least ``duration_s`` seconds."""
    return (duration_s * fps).__ceil__()


def samples_for(frames: int, fps: Fraction, sample_rate: int) -> int:
    """Audio samples (per channel) that last as long as ``frames``, rounded half up."""
    return (Fraction(frames * sample_rate) / fps + Fraction(1, 2)).__floor__()


def frame_to_pts(frame: int, fps: Fraction, time_base: Fraction) -> int:
    """The presentation timestamp of ``frame`` in ticks of ``time_base``.

    Raises:
        ValueError: The time base cannot express the frame's time exactly.
    """
    pts = Fraction(frame) / fps / time_base
    if pts.denominator != 1:
        raise ValueError(f"frame {frame} at {fps} fps has no exact tick of {time_base} s")
    return pts.numerator


def pts_to_frame(pts: int, fps: Fraction, time_base: Fraction) -> int:
    """The frame that is shown nearest to a timestamp (containers such as webm round to 1 ms)."""
    return (pts * time_base * fps + Fraction(1, 2)).__floor__()
