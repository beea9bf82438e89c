"""Settings that change with time: by keyframes, or by an expression of what is heard.

An animation is a pure function of signals, and a signal is a pure function of the video's time;
so an animated setting is one too. For a frame, :meth:`Animated.at` gives the settings with their
numbers of that moment: the same model with nothing left to animate, which is drawn as if it had
been written so.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    InstanceOf,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from shared.expression import LONGEST, Expression
from shared.functions import finite

Signal = Literal[
    "time",
    "song",
    "progress",
    "beat",
    "bar",
    "level",
    "bass",
    "mid",
    "treble",
    "notes",
    "activity",
    "hit",
    "pitch",
    "pedal",
]
"""The name of what an animation can follow."""

SIGNALS: Final[Mapping[Signal, str]] = MappingProxyType(
    {
        "time": "Video time in seconds.",
        "song": "Song time in seconds: 0 where the MIDI begins.",
        "progress": "0 where the music begins, 1 where it ends.",
        "beat": "Beats since the song began, with their fraction, by its tempo and meter.",
        "bar": "Bars since the song began, with their fraction.",
        "level": "Loudness of the recording now, 0 to 1.",
        "bass": "The same of its low notes alone.",
        "mid": "The same of its middle.",
        "treble": "The same of its high notes and overtones.",
        "notes": "How many notes sound.",
        "activity": "How much was struck in the last second, each note by its velocity, 0 to 1.",
        "hit": "The velocity (0 to 1) of a note that is struck, falling to a third in 0.15 s.",
        "pitch": "Where the notes that sound are on average, 0 to 1 over the keys shown; 0.5 in "
        "silence.",
        "pedal": "1 while the sustain pedal is down, or else 0.",
    }
)
"""What an animation can follow, each in a sentence."""

HEARD: Final[frozenset[str]] = frozenset({"level", "bass", "mid", "treble"})
"""The signals that are taken from the recording, which must be analysed for them."""

CONSTANT: Final = "value"
"""The name by which an expression finds what its setting would be without it."""

Easing = Literal["linear", "smooth", "hold", "ease_in", "ease_out", "bounce"]
"""The name of a way from one keyframe to the next."""


def _bounce(t: float) -> float:
    """Penner's easeOutBounce (easings.net): parabolas that end at 1, each a quarter as deep."""
    for end, middle, height in ((1.0, 0.0, 0.0), (2.0, 1.5, 0.75), (2.5, 2.25, 0.9375)):
        if t * 2.75 < end:
            return (t * 2.75 - middle) ** 2 + height
    return (t * 2.75 - 2.625) ** 2 + 0.984375


_EASINGS: Final[Mapping[Easing, tuple[str, Callable[[float], float]]]] = MappingProxyType(
    {
        "linear": ("At one speed.", lambda t: t),
        "smooth": ("Sets off and arrives gently.", lambda t: t * t * (3 - 2 * t)),
        "hold": ("Stays, and jumps at the next.", lambda _: 0.0),
        "ease_in": ("Sets off gently, arrives at full speed.", lambda t: t * t),
        "ease_out": ("Sets off at full speed, arrives gently.", lambda t: t * (2 - t)),
        "bounce": ("Drops onto the next and bounces, like a ball.", _bounce),
    }
)
EASINGS: Final[Mapping[Easing, str]] = MappingProxyType(
    {name: description for name, (description, _) in _EASINGS.items()}
)
"""Every way from one keyframe to the next, each in a sentence."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Keyframe(_Model):
    """What a number is at one place."""

    at: float = Field(ge=-1e9, le=1e9, description="The place, in what the keyframes run over.")
    value: float = Field(ge=-1e9, le=1e9, description="The number there.")
    easing: Easing = Field(default="smooth", description="The way from there to the next one.")


class Keyframes(_Model):
    """Numbers at places, with a way from each to the next."""

    over: Signal = Field(default="song", description="The signal that the places are along.")
    keyframes: tuple[Keyframe, ...] = Field(
        min_length=1,
        max_length=1000,
        description="In the order of their places. Before the first the number is the first's, "
        "after the last the last's.",
    )
    loop: bool = Field(
        default=False,
        description="Whether the way from the first to the last is repeated, forwards and back in "
        "time, without end.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for before, after in zip(self.keyframes, self.keyframes[1:], strict=False):
            if after.at <= before.at:
                raise ValueError(
                    f"keyframes come in the order of their places, but after the one at "
                    f"{before.at:g} comes one at {after.at:g}"
                )
        if self.loop and len(self.keyframes) == 1:
            raise ValueError("a loop needs two or more keyframes")
        return self

    @property
    def names(self) -> frozenset[str]:
        """The signal it follows."""
        return frozenset({self.over})

    def evaluate(self, values: Callable[[str], float]) -> float:
        """The number now, between those of the keyframes before and after."""
        place = finite(values(self.over))
        start, end = self.keyframes[0].at, self.keyframes[-1].at
        if self.loop:
            place = start + (place - start) % (end - start)
        index = bisect_right(self.keyframes, place, key=lambda keyframe: keyframe.at)
        if index == 0:
            return self.keyframes[0].value
        if index == len(self.keyframes):
            return self.keyframes[-1].value
        a, b = self.keyframes[index - 1 : index + 1]
        way = _EASINGS[a.easing][1]((place - a.at) / (b.at - a.at))
        low, high = sorted((a.value, b.value))
        return min(max(a.value + (b.value - a.value) * way, low), high)  # not an ulp beyond


_LEAST: Final = 1e-6
"""How far above 0 a number stays that must be greater; settings have no finer use."""

_NAMES: Final = frozenset({*SIGNALS, CONSTANT})


def _read(value: object) -> object:
    """Choose by its kind what an animation is read as, so that errors are about that alone."""
    if isinstance(value, str):
        return Expression.parse(value, _NAMES)
    if isinstance(value, Mapping):
        return Keyframes.model_validate(value)
    if isinstance(value, Keyframes | Expression):
        return value
    raise ValueError('an animation is an expression as text, or {"keyframes": [...]}')


Animation = Annotated[
    Keyframes
    | Annotated[
        InstanceOf[Expression],
        PlainSerializer(str),
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST}),
    ],
    BeforeValidator(_read),
]
"""What a number follows, as a pydantic field: keyframes, or an expression as text."""


class Animations(Mapping[str, Keyframes | Expression]):
    """Animations by the names of fields; never changes, so that settings can be hashed."""

    __slots__ = ("_animations",)

    def __init__(self, animations: Mapping[str, Keyframes | Expression]) -> None:
        self._animations = {name: animations[name] for name in sorted(animations)}

    def __getitem__(self, name: str) -> Keyframes | Expression:
        return self._animations[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._animations)

    def __len__(self) -> int:
        return len(self._animations)

    def __hash__(self) -> int:
        return hash(tuple(self._animations.items()))

    def __repr__(self) -> str:
        return repr(self._animations)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls,
            handler.generate_schema(Mapping[str, Animation]),
            serialization=core_schema.wrap_serializer_function_ser_schema(
                lambda animations, write: write(dict(animations))  # it writes no other mapping
            ),
        )


_NONE: Final = Animations({})


class Animated(_Model):
    """Settings of which numbers can change with time.

    What a subclass checks beyond the bounds of single fields (that one is less than another) is
    not checked again for every frame; such fields belong into ``fixed``.
    """

    fixed: ClassVar[frozenset[str]] = frozenset()
    """Numbers that stay as they are throughout a video."""

    animate: Animations = Field(
        default=_NONE,
        description="Numbers that change with time: an expression or keyframes, by the field's "
        "name.",
    )

    @field_validator("animate")
    @classmethod
    def _of_numbers(cls, animate: Animations) -> Animations:
        numbers = _numbers(cls)
        findings = [
            InitErrorDetails(
                type=PydanticCustomError(
                    "animation", "{finding}", {"finding": _why_not(cls, name, numbers)}
                ),
                loc=(name,),
                input=name,
            )
            for name in animate
            if name not in numbers
        ]
        if findings:
            raise ValidationError.from_exception_data(cls.__name__, findings)
        return animate

    @property
    def animated(self) -> bool:
        """Whether anything changes with time."""
        return bool(self.animate)

    @property
    def follows(self) -> frozenset[str]:
        """The signals that its numbers follow."""
        names = (animation.names for animation in self.animate.values())
        return frozenset().union(*names) - {CONSTANT}

    @property
    def hears(self) -> bool:
        """Whether the recording must be analysed to know its numbers."""
        return not HEARD.isdisjoint(self.follows)

    def at(self, values: Callable[[str], float]) -> Self:
        """The settings at one moment, with nothing left to animate.

        Args:
            values: Gives the value of a signal at that moment, by its name; it is only asked for
                what is needed, perhaps more than once.

        Returns:
            Itself where nothing is animated; otherwise a copy with each number evaluated, brought
            within the bounds of its field, and rounded where it is a whole one.
        """
        if not self.animate:
            return self
        numbers = _numbers(type(self))
        now: dict[str, Any] = {"animate": _NONE}
        for name, animation in self.animate.items():
            constant = getattr(self, name)
            now[name] = numbers[name].fit(animation.evaluate(_beside(constant, values)))
        return self.model_copy(update=now)


def _beside(constant: float, values: Callable[[str], float]) -> Callable[[str], float]:
    return lambda name: constant if name == CONSTANT else values(name)


@dataclass(frozen=True, kw_only=True)
class _Number:
    """A field that can be animated, by what it accepts."""

    whole: bool
    low: float
    """The least that it accepts."""
    high: float
    """The most that it accepts."""

    def fit(self, number: float) -> float:
        """The nearest that the field accepts."""
        number = min(max(number, self.low), self.high)
        return math.floor(number + 0.5) if self.whole else number


def _number(field: FieldInfo) -> _Number | None:
    """What a field accepts if it is a number; not so where there may be none, or only some."""
    if field.annotation not in (int, float):
        return None
    whole = field.annotation is int
    low, high = -math.inf, math.inf
    for rule in field.metadata:
        if getattr(rule, "multiple_of", None) is not None:
            return None
        for bound, step in ((getattr(rule, "ge", None), 0), (getattr(rule, "gt", None), 1)):
            if bound is not None:
                low = max(low, _beyond(bound, step, whole=whole))
        for bound, step in ((getattr(rule, "le", None), 0), (getattr(rule, "lt", None), -1)):
            if bound is not None:
                high = min(high, _beyond(bound, step, whole=whole))
    return _Number(whole=whole, low=low, high=high)


def _beyond(bound: float, step: int, *, whole: bool) -> float:
    """A bound that is itself accepted, and does not vanish in the 32 bits of a GPU."""
    return bound + step * (1 if whole else _LEAST)


@cache
def _numbers(model: type[Animated]) -> Mapping[str, _Number]:
    """The fields of a model that can be animated; found once, as this is asked for every frame."""
    found = {
        name: _number(field)
        for name, field in model.model_fields.items()
        if name not in model.fixed
    }
    return {name: number for name, number in found.items() if number}


def _why_not(model: type[Animated], name: str, numbers: Mapping[str, _Number]) -> str:
    if name not in model.model_fields:
        problem = f"there is no field {name}"
    elif name in model.fixed:
        problem = f"{name} cannot change during a video"
    else:
        problem = f"{name} is no number"
    return f"{problem}; numbers here are {', '.join(numbers) or 'none'}"
