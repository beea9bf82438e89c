"""Where things lie in a frame: the pixel geometry of a composition at one size.

Pixels count from the top left corner. Along one axis lie the keys (the pitch axis), along the
other the notes travel (the time axis).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from shared.composition import Composition, Direction
from shared.keyboard import KeyRange, piano_range, used_range, with_room
from shared.safe_area import WHOLE, SafeArea

_MOST_KEYBOARD: Final = 0.26
"""The keyboard takes at most this much of the time axis."""


_ROOM: Final = 1.12
"""Radius of a smile beside the way of its notes, at least."""
_LEAST_CIRCLE: Final = 0.27
"""Radius of a hill beside the short side of the frame, at least."""
_MOST_OF_HILL: Final = 0.95
"""The keyboard, and what notes travel behind the hit line, take at most this much of the radius of
a hill: beyond its middle they would come out on the other side."""


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

    def within(self, other: Rect) -> Rect:
        """The part of it that lies in another rectangle."""
        return Rect(
            max(self.x0, other.x0),
            max(self.y0, other.y0),
            min(self.x1, other.x1),
            min(self.y1, other.y1),
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
    covered_px: float = 0.0
    """What is covered beyond the keyboard, along the time axis: the keyboard is lifted by it."""
    safe_area: SafeArea = WHOLE
    """What the platform leaves free of the frame."""
    curve_px: float = 0.0
    """Radius of the circle that the hit line lies on: positive where its middle is on the side
    that notes come from, 0 where the line is straight."""
    curve_rad_per_px: float = 0.0
    """The angle that a pixel of the pitch axis takes on that circle, of the same sign."""
    curve_lift_px: float = 0.0
    """How far a curved stage is moved along the time axis, towards where notes come from."""
    curve_middle_px: float = 0.0
    """Where the middle of that circle lies along the pitch axis."""
    score_px: float = 0.0
    """Height of the score that lies on the roll: positive at its upper edge, negative at its lower
    one, 0 without a score."""

    @property
    def frame(self) -> Rect:
        """The whole frame."""
        return Rect(0, 0, self.width, self.height)

    @property
    def safe(self) -> Rect:
        """The part of the frame that the platform leaves free."""
        area = self.safe_area
        return Rect(
            self.width * area.left,
            self.height * area.top,
            self.width * (1 - area.right),
            self.height * (1 - area.bottom),
        )

    @property
    def safe_middle(self) -> Rect:
        """The same, as far to the right of the frame's middle as to the left of it."""
        safe = self.safe
        inset = max(safe.x0, self.width - safe.x1)
        return Rect(inset, safe.y0, self.width - inset, safe.y1)

    @property
    def open(self) -> Rect:
        """Where texts and images have their place: what is both roll and safe, and no score."""
        area = self.roll.within(self.safe)
        taken = min(abs(self.score_px), area.y1 - area.y0)
        if self.score_px < 0:
            return Rect(area.x0, area.y0, area.x1, area.y1 - taken)
        return Rect(area.x0, area.y0 + taken, area.x1, area.y1)

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
        """Where notes may be seen: the frame less the keyboard and what lies beyond it."""
        if not self.keyboard_px and not self.curve_px:
            return self.frame
        taken = self.keyboard_px + self.covered_px
        return self.box(
            0,
            self.pitch_extent,
            *((0, self.time_extent - taken) if self.forward else (taken, self.time_extent)),
        )

    @property
    def keyboard(self) -> Rect:
        """Where the keys lie."""
        front = self.time_extent - self.covered_px if self.forward else self.covered_px
        back = front - self.keyboard_px if self.forward else front + self.keyboard_px
        return self.box(0, self.pitch_extent, min(front, back), max(front, back))

    @property
    def seconds_ahead(self) -> float:
        """How long a note is in the roll before it is struck."""
        entry = 0 if self.forward else self.time_extent
        return (self.hit_px - entry) / self.travel_px_per_s

    @property
    def seconds_after(self) -> float:
        """How long it is in the roll after that."""
        roll = self.roll
        first, last = (roll.y0, roll.y1) if self.vertical else (roll.x0, roll.x1)
        return ((last if self.forward else first) - self.hit_px) / self.travel_px_per_s

    @property
    def stage_area(self) -> Rect:
        """What anything on the stage may touch: the frame where it is curved."""
        return self.frame if self.curve_px else self.roll

    def bent(self, pitch: float, time: float) -> tuple[float, float]:
        """Where a place on the stage lies in the frame: x and y in pixels.

        On a curved stage the hit line is an arc, keys lie around it, and notes travel along its
        radii.

        Args:
            pitch: Along the pitch axis of the straight stage, in pixels.
            time: Along its time axis.
        """
        if self.curve_px:
            ahead = 1 if self.forward else -1
            angle = (pitch - self.curve_middle_px) * self.curve_rad_per_px
            radius = self.curve_px - (self.hit_px - time) * ahead
            pitch = self.curve_middle_px + radius * math.sin(angle)
            sunk = self.curve_px - radius * math.cos(angle)
            time = self.hit_px - ahead * (sunk + self.curve_lift_px)
        return (pitch, time) if self.vertical else (time, pitch)

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


def lay_out(
    composition: Composition,
    width: int,
    height: int,
    lowest: int,
    highest: int,
    safe_area: SafeArea = WHOLE,
) -> Layout:
    """The geometry of a composition at a size, for a song that uses ``lowest`` … ``highest``.

    The line where notes are struck, the keyboard and the keys that the song needs lie in the safe
    area; beside them the keyboard goes on to the edges of the frame with keys that it does not
    need. Notes come in at the edge of the frame.
    """
    stage = composition.stage
    vertical = stage.direction in (Direction.FALLING, Direction.RISING)
    forward = stage.direction in (Direction.FALLING, Direction.RIGHT)
    pitch_extent, time_extent = (width, height) if vertical else (height, width)
    piano = stage.keys == "piano" or (stage.keys == "auto" and pitch_extent >= time_extent)
    # High notes are on top where the pitch axis stands upright.
    low_side, high_side = (
        (safe_area.left, safe_area.right) if vertical else (safe_area.bottom, safe_area.top)
    )
    keys = with_room((piano_range if piano else used_range)(lowest, highest), low_side, high_side)
    covered = {
        Direction.FALLING: safe_area.bottom,
        Direction.RISING: safe_area.top,
        Direction.LEFT: safe_area.left,
        Direction.RIGHT: safe_area.right,
    }[stage.direction]
    covered_px = float(round(covered * time_extent))
    free_px = time_extent - covered_px
    key_width = pitch_extent / keys.white_keys
    inside_px = math.inf
    if stage.curve_deg < 0:
        inside_px = _MOST_OF_HILL * _hill_radius(stage.curve_deg, pitch_extent, time_extent)
    keyboard = composition.keyboard
    keyboard_px = 0.0
    if keyboard is not None:
        keyboard_px = float(
            round(min(key_width * keyboard.length, free_px * _MOST_KEYBOARD, inside_px))
        )
    roll_px = free_px - keyboard_px
    seconds = stage.seconds_ahead + stage.seconds_after
    most_after_px = max(0.0, inside_px - keyboard_px)
    ahead_px = max(roll_px * stage.seconds_ahead / seconds, roll_px - most_after_px)
    # The middle of what is free, along the pitch axis and from where notes come from.
    across = (1 + safe_area.left - safe_area.right) / 2
    down = (1 + safe_area.top - safe_area.bottom) / 2
    free = (across, down) if vertical else (down, across)
    free_middle = (
        free[0] * pitch_extent,
        (free[1] if forward else 1 - free[1]) * time_extent,
    )
    curve = _curve(stage.curve_deg, pitch_extent, time_extent, ahead_px, free_middle)
    score, score_px = composition.score, 0.0
    if score is not None:
        score_px = float(round(score.height / 100 * min(width, height)))
        score_px *= 1 if score.position == "top" else -1
    return Layout(
        width=width,
        height=height,
        direction=stage.direction,
        keys=keys,
        keyboard_px=keyboard_px,
        hit_px=ahead_px if forward else time_extent - ahead_px,
        travel_px_per_s=roll_px / seconds * (1 if forward else -1),
        covered_px=covered_px,
        safe_area=safe_area,
        curve_px=curve[0],
        curve_rad_per_px=curve[1],
        curve_lift_px=curve[2],
        curve_middle_px=curve[3],
        score_px=score_px,
    )


def _curve(
    angle_deg: float,
    pitch_extent: int,
    time_extent: int,
    ahead_px: float,
    free_middle: tuple[float, float],
) -> tuple[float, float, float, float]:
    """The circle that a hit line is bent to: radius, angle per pixel, lift and middle of a Layout.

    Args:
        angle_deg: How far it is to be bent.
        pitch_extent: Length of the straight line.
        time_extent: Length of the frame along the other axis.
        ahead_px: How far notes are seen on their way to it.
        free_middle: The middle of what the platform leaves free, along the pitch axis and from
            the edge where notes come in.
    """
    half = pitch_extent / 2
    if not angle_deg:
        return 0.0, 0.0, 0.0, half
    angle = math.radians(angle_deg)
    if angle > 0:
        # Notes come from within the circle: it must be larger than their way is long.
        angle = min(angle, pitch_extent / (_ROOM * ahead_px))
        return pitch_extent / angle, angle / pitch_extent, 0.0, half
    radius = _hill_radius(angle_deg, pitch_extent, time_extent)
    # Its ends would lie lower than its middle by the height of the arc; a whole circle lies in
    # the middle of what is free.
    ends = radius * (1 - math.cos(angle / 2))
    middle = ahead_px + radius - free_middle[1]
    closed = min(max(-angle / math.pi - 1, 0.0), 1.0)
    closed *= closed * (3 - 2 * closed)
    lift = ends + (middle - ends) * closed
    return -radius, angle / pitch_extent, lift, half + (free_middle[0] - half) * closed


def _hill_radius(angle_deg: float, pitch_extent: int, time_extent: int) -> float:
    """Radius of the hit line of a hill in pixels; the angle is below 0."""
    least = _LEAST_CIRCLE * min(pitch_extent, time_extent)
    return max(pitch_extent / -math.radians(angle_deg), least)
