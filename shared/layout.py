"""Where things lie in a frame: the pixel geometry of a composition at one size.

Pixels count from the top left corner. Along one axis lie the keys (the pitch axis), along the
other the notes travel (the time axis).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.composition import Composition, Direction
from shared.keyboard import KeyRange, piano_range, used_range

_MOST_KEYBOARD: Final = 0.26
"""The keyboard takes at most this much of the time axis."""


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle of pixels: left, top, right, bottom."""

    x0: float
    y0: float
    x1: float
    y1: float

    def meets(self, other: Rect) -> bool:
        """Whether both share more than an edge."""
        return (
            self.x0 < other.x1 and other.x0 < self.x1 and self.y0 < other.y1 and other.y0 < self.y1
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The geometry of a frame."""

    width: int
    """Of the frame in pixels."""
    height: int
    """Of the frame in pixels."""
    direction: Direction
    """Where notes travel to."""
    keys: KeyRange
    """The keys shown."""
    keyboard_px: float
    """Length of the keys along the time axis; 0 without a keyboard."""
    hit_px: float
    """Where notes are struck, along the time axis."""
    travel_px_per_s: float
    """How far notes travel in a second: positive where they travel right or down."""

    @property
    def frame(self) -> Rect:
        """The whole frame."""
        return Rect(0, 0, self.width, self.height)

    @property
    def short_side(self) -> int:
        """The shorter side of the frame in pixels, the measure of all relative sizes."""
        return min(self.width, self.height)

    @property
    def vertical(self) -> bool:
        """Whether notes travel up or down."""
        return self.direction in (Direction.FALLING, Direction.RISING)

    @property
    def pitch_extent(self) -> int:
        """Length of the pitch axis in pixels."""
        return self.width if self.vertical else self.height

    @property
    def time_extent(self) -> int:
        """Length of the time axis in pixels."""
        return self.height if self.vertical else self.width

    @property
    def forward(self) -> bool:
        """Whether notes travel towards growing coordinates (down or right)."""
        return self.direction in (Direction.FALLING, Direction.RIGHT)

    @property
    def roll(self) -> Rect:
        """Where notes may be seen: the frame less the keyboard."""
        length = self.time_extent - self.keyboard_px
        return self.box(
            0,
            self.pitch_extent,
            *((0, length) if self.forward else (self.keyboard_px, self.time_extent)),
        )

    @property
    def keyboard(self) -> Rect:
        """Where the keys lie."""
        far = self.time_extent - self.keyboard_px
        return self.box(
            0,
            self.pitch_extent,
            *((far, self.time_extent) if self.forward else (0, self.keyboard_px)),
        )

    def lane(self, key: int) -> tuple[float, float]:
        """Where a key lies on the pitch axis: two pixel coordinates, the smaller first."""
        left, right = self.keys.span(key)
        unit = self.pitch_extent / self.keys.white_keys
        if self.vertical:
            return left * unit, right * unit
        return self.height - right * unit, self.height - left * unit

    def box(self, pitch0: float, pitch1: float, time0: float, time1: float) -> Rect:
        """A rectangle given along the pitch axis and the time axis, in pixels."""
        if self.vertical:
            return Rect(pitch0, time0, pitch1, time1)
        return Rect(time0, pitch0, time1, pitch1)


def lay_out(composition: Composition, width: int, height: int, lowest: int, highest: int) -> Layout:
    """The geometry of a composition at a size, for a song that uses ``lowest`` … ``highest``."""
    stage = composition.stage
    vertical = stage.direction in (Direction.FALLING, Direction.RISING)
    forward = stage.direction in (Direction.FALLING, Direction.RIGHT)
    pitch_extent, time_extent = (width, height) if vertical else (height, width)
    piano = stage.keys == "piano" or (stage.keys == "auto" and pitch_extent >= time_extent)
    keys = (piano_range if piano else used_range)(lowest, highest)
    key_width = pitch_extent / keys.white_keys
    keyboard = composition.keyboard
    keyboard_px = 0.0
    if keyboard is not None:
        keyboard_px = float(round(min(key_width * keyboard.length, time_extent * _MOST_KEYBOARD)))
    roll_px = time_extent - keyboard_px
    seconds = stage.seconds_ahead + stage.seconds_after
    ahead_px = roll_px * stage.seconds_ahead / seconds
    return Layout(
        width=width,
        height=height,
        direction=stage.direction,
        keys=keys,
        keyboard_px=keyboard_px,
        hit_px=ahead_px if forward else time_extent - ahead_px,
        travel_px_per_s=roll_px / seconds * (1 if forward else -1),
    )
