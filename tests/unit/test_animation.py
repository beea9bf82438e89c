"""Animated settings: read strictly, evaluated within bounds, and a pure function of signals."""

from __future__ import annotations

import copy
import json
import math
import pickle
from typing import Annotated, Any, Literal, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from shared.animation import (
    EASINGS,
    HEARD,
    SIGNALS,
    Animated,
    Easing,
    Keyframe,
    Keyframes,
    Signal,
)
from shared.composition import describe
from shared.keys import content_key


class Lamp(Animated):
    """Settings with every kind of field."""

    type: Literal["lamp"] = "lamp"
    size: float = Field(default=2.0, gt=0, le=10, description="In fingers.")
    shade: Annotated[float, Field(ge=0, lt=1)] = 0.5
    bulbs: int = Field(default=3, gt=0, lt=9)
    shelf: int = 0
    height: float = -1.0
    grid: float = Field(default=0.5, multiple_of=0.5)
    lit: bool = True
    maybe: float | None = None
    choice: Literal[1, 2] = 1
    colour: str = "#ffffff"
    until_s: float = 5.0

    fixed = frozenset({"until_s"})


NUMBERS = ("size", "shade", "bulbs", "shelf", "height")
signals = st.floats(allow_nan=False, allow_infinity=False)
easings = st.sampled_from(get_args(Easing))


def lamp(**animate: Any) -> Lamp:
    return Lamp.model_validate_json(json.dumps({"animate": animate}))


def keyframes(*values: tuple[float, float], easing: str = "smooth", **fields: Any) -> Keyframes:
    frames = [{"at": at, "value": value, "easing": easing} for at, value in values]
    return Keyframes.model_validate({"keyframes": frames} | fields)


def now(**values: float) -> Any:
    return values.__getitem__


def test_every_signal_and_easing_has_its_sentence() -> None:
    assert tuple(SIGNALS) == get_args(Signal)
    assert tuple(EASINGS) == get_args(Easing)
    assert set(SIGNALS) > HEARD
    assert all(text.endswith(".") for text in (*SIGNALS.values(), *EASINGS.values()))


def test_what_does_not_move_stays_the_same_object() -> None:
    still = Lamp()
    assert not still.animated
    assert not still.hears
    assert still.follows == frozenset()
    assert still.at(now()) is still


def test_numbers_are_those_of_the_moment() -> None:
    moving = lamp(
        size="value * (1 + 0.5 * pulse(beat, 0.4))",
        shade={"keyframes": [{"at": 0, "value": 0}, {"at": 8, "value": 0.8}]},
    )
    assert moving.animated
    assert moving.follows == {"beat", "song"}
    found = moving.at(now(beat=7.0, song=4.0))
    assert found == Lamp(size=3.0, shade=0.4)
    assert not found.animated
    assert moving.size == 2.0


@pytest.mark.parametrize(
    ("animate", "hears"),
    [
        ({"size": "bass"}, True),
        ({"size": "1", "height": "0 if beat else level"}, True),
        ({"size": {"over": "treble", "keyframes": [{"at": 0, "value": 1}]}}, True),
        ({"size": "hit + pitch + pedal + value"}, False),
    ],
)
def test_what_needs_the_recording_says_so(animate: dict[str, Any], hears: bool) -> None:
    assert lamp(**animate).hears is hears


@pytest.mark.parametrize(
    ("field", "number", "expected"),
    [
        ("size", 11, 10),
        ("size", -1, 1e-6),
        ("shade", -1, 0),
        ("shade", 7, 1 - 1e-6),
        ("bulbs", 2.4, 2),
        ("bulbs", 2.5, 3),
        ("bulbs", -5, 1),
        ("bulbs", 100, 8),
        ("shelf", -2.6, -3),
        ("height", -1e9, -1e9),
    ],
)
def test_a_number_is_brought_within_the_bounds_of_its_field(
    field: str, number: float, expected: float
) -> None:
    for animation in (repr(number), {"keyframes": [{"at": 0, "value": number}]}):
        found = getattr(lamp(**{field: animation}).at(now(song=0.0)), field)
        assert found == expected
        assert type(found) is Lamp.model_fields[field].annotation


@given(signals, st.lists(st.sampled_from(NUMBERS), unique=True))
def test_settings_of_any_moment_are_valid(number: float, names: list[str]) -> None:
    found = lamp(**dict.fromkeys(names, "beat + value")).at(now(beat=number))
    assert Lamp.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize(
    ("animate", "finding"),
    [
        ({"colour": "1"}, "animate.colour: colour is no number; numbers here are "),
        ({"lit": "1"}, "animate.lit: lit is no number; numbers here are "),
        ({"maybe": "1"}, "animate.maybe: maybe is no number"),
        ({"choice": "1"}, "animate.choice: choice is no number"),
        ({"grid": "1"}, "animate.grid: grid is no number"),
        ({"animate": "1"}, "animate.animate: animate is no number"),
        ({"until_s": "1"}, "animate.until_s: until_s cannot change during a video; numbers here "),
        ({"sise": "1"}, "animate.sise: there is no field sise; numbers here are size, shade, "),
        ({"{lit}": "1"}, "animate.{lit}: there is no field {lit}"),
        ({"size": "beats"}, "animate.size: 'beats' is no name. Did you mean beat? The names here"),
        ({"size": "1 +"}, "animate.size: '1 +' ends too early"),
        ({"size": 3}, "animate.size: an animation is an expression as text, or "),
        ({"size": None}, "animate.size: an animation is an expression as text, or "),
        ({"size": ["1"]}, "animate.size: an animation is an expression as text, or "),
        ({"size": {}}, "animate.size.keyframes: Field required"),
        ({"size": {"keyframes": []}}, "animate.size.keyframes: a list with one entry or more"),
        (
            {"size": {"keyframes": [{"at": 0}]}},
            "animate.size.keyframes.0.value: Field required",
        ),
        (
            {"size": {"keyframes": [{"at": 0, "value": 1e300}]}},
            "animate.size.keyframes.0.value: Input should be less than or equal to",
        ),
        (
            {"size": {"keyframes": [{"at": 0, "value": 1, "easing": "spring"}]}},
            "animate.size.keyframes.0.easing: Input should be 'linear', 'smooth', 'hold'",
        ),
        (
            {"size": {"keyframes": [{"at": 0, "value": 1}], "over": "value"}},
            "animate.size.over: Input should be 'time', 'song'",
        ),
        (
            {"size": {"keyframes": [{"at": 3, "value": 1}, {"at": 2, "value": 1}]}},
            "animate.size: keyframes come in the order of their places, but after the one at 3 ",
        ),
        (
            {"size": {"keyframes": [{"at": 2, "value": 1}], "loop": True}},
            "animate.size: a loop needs two or more keyframes",
        ),
    ],
)
def test_what_cannot_be_animated_is_refused_by_its_name(
    animate: dict[str, Any], finding: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        lamp(**animate)
    assert describe(caught.value).startswith(finding)


def test_every_field_that_does_not_fit_is_told() -> None:
    with pytest.raises(ValidationError) as caught:
        lamp(colour="1", size="1", lit="1")
    assert describe(caught.value) == (
        f"animate.colour: colour is no number; numbers here are {', '.join(NUMBERS)}; "
        f"animate.lit: lit is no number; numbers here are {', '.join(NUMBERS)}"
    )


def test_where_there_are_no_numbers_it_is_said() -> None:
    class Words(Animated):
        text: str = ""

    with pytest.raises(ValidationError) as caught:
        Words(animate={"text": "1"})  # type: ignore[arg-type]
    assert describe(caught.value) == "animate.text: text is no number; numbers here are none"


def test_each_class_has_numbers_of_its_own() -> None:
    class Torch(Lamp):
        reach: float = 1.0
        fixed = Lamp.fixed | {"size"}

    with pytest.raises(ValidationError, match="size cannot change"):
        Torch.model_validate({"animate": {"size": "1", "reach": "2"}})
    assert Torch.model_validate({"animate": {"reach": "2"}}).at(now()).reach == 2.0


EVERYTHING = {
    "size": "value *  (1 + 0.5 * pulse(beat, 0.4))",
    "bulbs": {"keyframes": [{"at": 0, "value": 0}, {"at": 8, "value": 1}]},
    "shade": {"over": "bar", "keyframes": [{"at": 0, "value": 0}, {"at": 8, "value": 1}]},
}


def test_animations_are_written_as_they_are_read() -> None:
    moving = lamp(**EVERYTHING)
    plain = moving.model_dump(mode="json")
    assert plain["animate"]["size"] == "value * (1 + 0.5 * pulse(beat, 0.4))"
    assert plain["animate"]["shade"]["over"] == "bar"
    assert plain["animate"]["bulbs"]["keyframes"][1] == {"at": 8, "value": 1, "easing": "smooth"}
    for read_back in (
        Lamp.model_validate(plain),
        Lamp.model_validate_json(moving.model_dump_json()),
        Lamp.model_validate(moving.model_dump()),
        Lamp(animate=moving.animate),
    ):
        assert read_back == moving
        assert read_back.model_dump_json() == moving.model_dump_json()


def test_the_order_in_which_it_is_written_makes_no_difference() -> None:
    one, other = lamp(**EVERYTHING), lamp(**dict(reversed(EVERYTHING.items())))
    assert one == other
    assert hash(one) == hash(other)
    assert one.model_dump_json() == other.model_dump_json()
    assert content_key({"lamp": one}) == content_key({"lamp": other})
    assert content_key({"lamp": one}) != content_key({"lamp": lamp(size="value")})


def test_animated_settings_are_hashed_copied_and_pickled() -> None:
    moving = lamp(**EVERYTHING)
    values = now(beat=0.1, song=3.0, bar=2.0)
    for twin in (
        pickle.loads(pickle.dumps(moving)),  # noqa: S301 - our own bytes
        copy.deepcopy(moving),
        moving.model_copy(),
        moving.model_copy(deep=True),
    ):
        assert twin == moving
        assert hash(twin) == hash(moving)
        assert twin.at(values) == moving.at(values)
    assert len({moving, lamp(**EVERYTHING), Lamp()}) == 2
    assert moving.model_copy(update={"size": 4.0}).at(values).size == 2 * moving.at(values).size


def test_animations_never_change() -> None:
    moving = lamp(size="1")
    with pytest.raises(TypeError):
        moving.animate["size"] = moving.animate["size"]  # type: ignore[index]
    with pytest.raises(ValidationError):
        moving.animate = Lamp().animate  # type: ignore[misc]


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_animations_have_a_schema(mode: Literal["validation", "serialization"]) -> None:
    schema = Lamp.model_json_schema(mode=mode)["properties"]["animate"]
    assert schema["default"] == {}
    assert schema["additionalProperties"]["anyOf"] == [
        {"$ref": "#/$defs/Keyframes"},
        {"type": "string", "minLength": 1, "maxLength": 500},
    ]


def test_animated_settings_are_told_apart_within_others() -> None:
    class Candle(Animated):
        type: Literal["candle"] = "candle"
        flame: float = 1.0

    class Room(BaseModel):
        lights: tuple[Annotated[Lamp | Candle, Field(discriminator="type")], ...]

    room = Room.model_validate(
        {"lights": [{"type": "candle", "animate": {"flame": "0.8 + 0.4 * noise(time * 6)"}}]}
    )
    assert TypeAdapter(Room).validate_json(room.model_dump_json()) == room
    with pytest.raises(ValidationError, match="numbers here are flame"):
        Room.model_validate({"lights": [{"type": "candle", "animate": {"size": "1"}}]})


@pytest.mark.parametrize(
    ("easing", "quarter", "half"),
    [
        ("linear", 0.25, 0.5),
        ("smooth", 0.15625, 0.5),
        ("hold", 0, 0),
        ("ease_in", 0.0625, 0.25),
        ("ease_out", 0.4375, 0.75),
        ("bounce", 0.47265625, 0.765625),
    ],
)
def test_ways_from_one_keyframe_to_the_next(easing: Easing, quarter: float, half: float) -> None:
    way = keyframes((0, 10), (4, 20), easing=easing)
    found = [way.evaluate(now(song=place)) for place in (-1, 0, 1, 2, 4, 5)]
    assert found == pytest.approx([10, 10, 10 + 10 * quarter, 10 + 10 * half, 20, 20])


def test_each_keyframe_has_its_own_way_to_the_next() -> None:
    frames = (
        Keyframe(at=0, value=0, easing="hold"),
        Keyframe(at=1, value=1, easing="linear"),
        Keyframe(at=2, value=3),
    )
    path = Keyframes(over="bar", keyframes=frames)
    assert [path.evaluate(now(bar=bar)) for bar in (0.99, 1, 1.5, 2, 9)] == [0, 1, 2, 3, 3]


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("odd", [math.inf, -math.inf, math.nan])
def test_a_signal_that_is_no_number_gives_a_number(odd: float, loop: bool) -> None:
    assert 1 <= keyframes((0, 1), (3, 2), loop=loop).evaluate(now(song=odd)) <= 2


paths = st.lists(
    st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)),
    min_size=2,
    max_size=8,
    unique_by=lambda frame: frame[0],
).map(sorted)


@given(paths, easings, signals, st.booleans())
@example([(0.0, -0.1), (1.0, 0.44)], "smooth", 0.9999999999, False)  # an ulp above, if unchecked
def test_numbers_stay_between_those_of_the_keyframes(
    path: list[tuple[float, float]], easing: str, place: float, loop: bool
) -> None:
    found = keyframes(*path, easing=easing, loop=loop).evaluate(now(song=place))
    assert min(value for _, value in path) <= found <= max(value for _, value in path)


@given(
    st.dictionaries(st.integers(-100, 100), st.floats(-1e9, 1e9), min_size=2, max_size=8),
    easings,
    st.booleans(),
)
def test_at_a_keyframe_its_number_is_met(path: dict[int, float], easing: str, loop: bool) -> None:
    animation = keyframes(*sorted(path.items()), easing=easing, loop=loop)
    met = {at: animation.evaluate(now(song=at)) for at in path}
    end = max(path)
    assert met == path | {end: path[min(path)] if loop else path[end]}


@given(
    st.lists(st.integers(0, 64), min_size=2, max_size=6, unique=True).map(sorted),
    easings,
    st.integers(-1000, 1000),
    st.integers(-256, 256),
)
def test_a_loop_repeats(places: list[int], easing: str, turns: int, quarter: int) -> None:
    loop = keyframes(*((at, at % 7) for at in places), easing=easing, loop=True)
    period = places[-1] - places[0]
    place = quarter / 4  # exact, as is all that follows
    assert loop.evaluate(now(song=place + turns * period)) == loop.evaluate(now(song=place))


def test_the_first_pass_of_a_loop_is_the_path_itself() -> None:
    path = ((2, 1), (3, 5), (6, 2))
    for place in (2, 2.5, 3, 4.75, 5.99):
        values = now(song=place)
        assert keyframes(*path, loop=True).evaluate(values) == keyframes(*path).evaluate(values)
