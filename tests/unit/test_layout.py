"""Roll, keyboard and lanes fill the frame, whatever its shape and wherever notes travel."""

from __future__ import annotations

import itertools

import pytest

from shared.composition import Composition, Direction
from shared.layout import Layout, Rect, lay_out
from shared.safe_area import WHOLE, SafeArea, safe_area

SIZES = [(1920, 1080), (1080, 1920), (1080, 1080), (3840, 2160), (16, 16), (8192, 16), (16, 8192)]
STAGES = [((60, 72), "used", True), ((0, 127), "used", False), ((0, 127), "piano", True)]


def make(
    direction: Direction = Direction.FALLING,
    size: tuple[int, int] = (1920, 1080),
    notes: tuple[int, int] = (60, 72),
    *,
    keyboard: bool = True,
    keys: str = "used",
    after_s: float = 0.0,
    area: SafeArea = WHOLE,
) -> Layout:
    composition = Composition.model_validate(
        {
            "stage": {
                "direction": direction,
                "keys": keys,
                "seconds_ahead": 3,
                "seconds_after": after_s,
            },
            "layers": [{"type": "piano_roll"}, *([{"type": "keyboard"}] if keyboard else [])],
        }
    )
    return lay_out(composition, *size, *notes, area)


LAYOUTS = [
    pytest.param(
        make(direction, size, notes, keys=keys, keyboard=keyboard),
        id=f"{direction}-{size[0]}x{size[1]}-{notes[0]}_{notes[1]}-{keys}"
        + ("" if keyboard else "-bare"),
    )
    for direction, size, (notes, keys, keyboard) in itertools.product(Direction, SIZES, STAGES)
]
every_layout = pytest.mark.parametrize("layout", LAYOUTS)
every_direction = pytest.mark.parametrize("direction", Direction)


def area(box: Rect) -> float:
    return (box.x1 - box.x0) * (box.y1 - box.y0)


def inside(box: Rect, outer: Rect) -> bool:
    across = outer.x0 <= box.x0 <= box.x1 <= outer.x1
    return across and outer.y0 <= box.y0 <= box.y1 <= outer.y1


def place(layout: Layout, ahead_s: float) -> float:
    """Where a note that is struck in so many seconds begins, along the time axis."""
    return layout.hit_px - layout.travel_px_per_s * ahead_s


def along_time(layout: Layout, box: Rect) -> tuple[float, float]:
    return (box.y0, box.y1) if layout.vertical else (box.x0, box.x1)


@every_layout
def test_lanes_lie_in_the_frame_and_reach_both_its_edges(layout: Layout) -> None:
    lanes = [layout.lane(key) for key in range(layout.keys.low, layout.keys.high + 1)]
    assert all(low < high for low, high in lanes)
    assert min(low for low, _ in lanes) == pytest.approx(0, abs=1e-9)
    assert max(high for _, high in lanes) == pytest.approx(layout.pitch_extent)


@every_layout
def test_roll_and_keyboard_tile_the_frame(layout: Layout) -> None:
    assert inside(layout.roll, layout.frame)
    assert inside(layout.keyboard, layout.frame)
    assert not layout.roll.meets(layout.keyboard)
    assert area(layout.roll) + area(layout.keyboard) == pytest.approx(area(layout.frame))
    assert area(layout.roll) > area(layout.frame) / 2


@every_layout
def test_notes_are_struck_at_the_edge_of_the_keyboard(layout: Layout) -> None:
    near, far = along_time(layout, layout.roll)
    assert 0 <= layout.hit_px <= layout.time_extent
    assert layout.hit_px == pytest.approx(far if layout.forward else near, abs=1e-9)


@every_layout
def test_notes_cross_the_whole_roll_in_the_seconds_ahead(layout: Layout) -> None:
    near, far = along_time(layout, layout.roll)
    assert abs(layout.travel_px_per_s) * 3 == pytest.approx(far - near)
    assert place(layout, 3) == pytest.approx(near if layout.forward else far, abs=1e-9)


@every_direction
def test_notes_travel_on_behind_the_line_until_the_keyboard(direction: Direction) -> None:
    layout = make(direction, after_s=1.0)
    near, far = along_time(layout, layout.roll)
    appears, vanishes = (near, far) if layout.forward else (far, near)
    assert place(layout, 3) == pytest.approx(appears, abs=1e-9)
    assert place(layout, -1) == pytest.approx(vanishes, abs=1e-9)
    assert near < layout.hit_px < far


@pytest.mark.parametrize(
    ("direction", "edge", "sign"),
    [
        (Direction.FALLING, "y1", 1),
        (Direction.RISING, "y0", -1),
        (Direction.LEFT, "x0", -1),
        (Direction.RIGHT, "x1", 1),
    ],
)
def test_the_keyboard_lies_where_notes_travel_to(
    direction: Direction, edge: str, sign: int
) -> None:
    layout = make(direction)
    assert getattr(layout.keyboard, edge) == getattr(layout.frame, edge)
    assert getattr(layout.roll, edge) != getattr(layout.frame, edge)
    assert layout.travel_px_per_s * sign > 0


@pytest.mark.parametrize("direction", [Direction.FALLING, Direction.RISING])
def test_high_notes_are_on_the_right(direction: Direction) -> None:
    layout = make(direction)
    assert layout.lane(60) < layout.lane(72)
    assert layout.lane(layout.keys.low)[0] == 0


@pytest.mark.parametrize("direction", [Direction.LEFT, Direction.RIGHT])
def test_high_notes_are_on_top(direction: Direction) -> None:
    layout = make(direction)
    assert layout.lane(72) < layout.lane(60)
    assert layout.lane(layout.keys.low)[1] == pytest.approx(layout.height)


@every_direction
def test_without_a_keyboard_the_roll_is_the_frame(direction: Direction) -> None:
    layout = make(direction, keyboard=False)
    assert layout.roll == layout.frame
    assert layout.keyboard_px == area(layout.keyboard) == 0


@every_layout
def test_the_keyboard_has_whole_pixels_and_leaves_room(layout: Layout) -> None:
    assert layout.keyboard_px == int(layout.keyboard_px)
    assert layout.keyboard_px <= 0.26 * layout.time_extent + 0.5


def test_the_keys_shown_are_those_of_a_piano_or_those_used() -> None:
    assert make(keys="piano").keys.white_keys == 52
    assert make(keys="used").keys.white_keys < 30


def test_the_short_side_is_the_measure() -> None:
    assert make(size=(1920, 1080)).short_side == make(size=(1080, 1920)).short_side == 1080


@pytest.mark.parametrize(
    ("other", "meets"),
    [
        (Rect(1, 1, 3, 3), True),
        (Rect(-1, -1, 9, 9), True),
        (Rect(2, 0, 4, 2), False),
        (Rect(0, 2, 2, 4), False),
        (Rect(5, 5, 6, 6), False),
    ],
)
def test_rectangles_meet_where_they_share_more_than_an_edge(other: Rect, meets: bool) -> None:
    box = Rect(0, 0, 2, 2)
    assert box.meets(other) is other.meets(box) is meets


@pytest.mark.parametrize(
    ("size", "direction", "keys"),
    [
        ((1920, 1080), Direction.FALLING, "piano"),
        ((1080, 1080), Direction.FALLING, "piano"),
        ((1080, 1920), Direction.RISING, "used"),
        ((1920, 1080), Direction.LEFT, "used"),
        ((1080, 1920), Direction.RIGHT, "piano"),
    ],
)
def test_the_whole_piano_is_shown_where_the_frame_is_long_enough(
    size: tuple[int, int], direction: Direction, keys: str
) -> None:
    assert make(direction, size, keys="auto") == make(direction, size, keys=keys)


# What a platform covers.

COVERED = SafeArea(top=0.15, right=0.18, bottom=0.25, left=0.06)
every_covered = pytest.mark.parametrize(
    "size", [(1080, 1920), (1920, 1080), (1080, 1080), (594, 1056), (90, 160)]
)


@every_direction
@every_covered
def test_keyboard_line_and_keys_of_the_song_are_in_the_safe_area(
    direction: Direction, size: tuple[int, int]
) -> None:
    layout = make(direction, size, (48, 84), area=COVERED)
    safe, keyboard = layout.safe, layout.keyboard
    low, high = along_time(layout, safe)
    near, far = along_time(layout, keyboard)
    assert low - 0.5 <= near < far <= high + 0.5
    assert low - 0.5 <= layout.hit_px <= high + 0.5
    first, last = (safe.x0, safe.x1) if layout.vertical else (safe.y0, safe.y1)
    for key in range(48, 85):
        left, right = layout.lane(key)
        assert first <= left < right <= last


@every_direction
@every_covered
def test_the_keyboard_goes_on_to_the_edges_and_notes_come_in_there(
    direction: Direction, size: tuple[int, int]
) -> None:
    layout = make(direction, size, (48, 84), area=COVERED)
    lanes = [layout.lane(key) for key in range(layout.keys.low, layout.keys.high + 1)]
    assert min(low for low, _ in lanes) == pytest.approx(0, abs=1e-9)
    assert max(high for _, high in lanes) == pytest.approx(layout.pitch_extent)
    assert not layout.roll.meets(layout.keyboard)
    near, far = along_time(layout, layout.roll)
    assert (near if layout.forward else layout.time_extent - far) == 0
    assert place(layout, layout.seconds_ahead) == pytest.approx(near if layout.forward else far)
    assert layout.seconds_ahead == pytest.approx(3)
    assert layout.seconds_after == pytest.approx(0)
    assert layout.covered_px > 0


def test_without_a_keyboard_notes_travel_on_over_what_is_covered() -> None:
    layout = make(keyboard=False, size=(1080, 1920), area=COVERED)
    assert layout.roll == layout.frame
    assert layout.hit_px == pytest.approx(0.75 * 1920)
    assert layout.seconds_after == pytest.approx(1)


@pytest.mark.parametrize("covered", [WHOLE, COVERED])
@every_direction
def test_a_whole_circle_lies_in_the_middle_of_what_is_free(
    direction: Direction, covered: SafeArea
) -> None:
    composition = Composition.model_validate(
        {
            "stage": {"direction": direction, "curve_deg": -360},
            "layers": [{"type": "piano_roll"}],
        }
    )
    layout = lay_out(composition, 1080, 1920, 48, 72, covered)
    ends = [layout.pitch_extent * part / 8 for part in range(8)]
    around = [layout.bent(pitch, layout.hit_px) for pitch in ends]
    safe = layout.safe
    middle = ((safe.x0 + safe.x1) / 2, (safe.y0 + safe.y1) / 2)
    assert (sum(x for x, _ in around) / 8, sum(y for _, y in around) / 8) == pytest.approx(middle)
    # Nothing lies behind the line but what is in the circle: no note travels on there.
    assert layout.seconds_after == pytest.approx(0)


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920)])
@pytest.mark.parametrize("curve_deg", [-360, -180, -40])
@pytest.mark.parametrize("after_s", [0, 3])
@every_direction
def test_nothing_reaches_beyond_the_middle_of_a_hill(
    direction: Direction, after_s: float, curve_deg: float, size: tuple[int, int]
) -> None:
    stage = {"direction": direction, "curve_deg": curve_deg, "seconds_after": after_s}
    keyboard = {"type": "keyboard", "length": 12}
    composition = Composition.model_validate(
        {"stage": stage | {"keys": "used"}, "layers": [keyboard]}
    )
    layout = lay_out(composition, *size, 60, 64)
    behind_px = abs(layout.travel_px_per_s) * layout.seconds_after
    assert layout.keyboard_px > 0
    assert behind_px + layout.keyboard_px < abs(layout.curve_px)


@pytest.mark.parametrize("position", ["top", "bottom"])
def test_what_has_a_place_in_the_roll_is_clear_of_the_score(position: str) -> None:
    score = {"type": "score", "height": 20, "position": position}
    composition = Composition.model_validate({"layers": [score, {"type": "keyboard"}]})
    layout = lay_out(composition, 1080, 1920, 48, 72, COVERED)
    bare = make(size=(1080, 1920), area=COVERED).open
    high = 0.2 * 1080
    expected = (high, 0.0) if position == "top" else (0.0, -high)
    assert (layout.open.y0 - bare.y0, layout.open.y1 - layout.roll.y1) == pytest.approx(expected)
    # Where there is no more room than it takes, none is left, and none is less.
    tall = {"layers": [score | {"height": 80}, {"type": "keyboard"}]}
    low = lay_out(Composition.model_validate(tall), 4000, 100, 60, 60).open
    assert low.y0 <= low.y1


def test_a_song_of_all_keys_has_no_room_to_leave() -> None:
    layout = make(size=(1080, 1920), notes=(0, 127), area=COVERED)
    assert (layout.keys.low, layout.keys.high) == (0, 127)


def test_nothing_changes_where_nothing_is_covered() -> None:
    for ratio in ("16:9", "1:1", "4:5", None):
        assert safe_area(ratio) == WHOLE
    layout = make()
    assert layout.safe == layout.safe_middle == layout.frame
    assert layout.open == layout.roll


def test_what_is_set_in_the_middle_is_in_the_safe_area() -> None:
    layout = make(size=(1080, 1920), area=COVERED)
    middle = layout.safe_middle
    assert inside(middle, layout.safe)
    assert middle.x0 + middle.x1 == pytest.approx(1080)
    assert inside(layout.open, layout.safe)
    assert inside(layout.open, layout.roll)
