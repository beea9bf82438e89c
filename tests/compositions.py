"""Compositions at random, from the models themselves: whatever they accept."""

from __future__ import annotations

import types
import typing
from enum import Enum
from typing import Any, Final, Literal, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shared.animation import SIGNALS, Animated
from shared.composition import Colouring, Composition, Finish, Layer, Stage

LAYERS: Final[dict[str, type[Animated]]] = {
    layer.model_fields["type"].default: layer for layer in get_args(get_args(Layer)[0])
}
"""Every kind of layer by its name."""

_COLOURS: Final = ("#000000", "#ffffff", "#ff004d", "#29adff80", "#ffec2740", "#7e2553")
_TEXTS: Final = {
    "lrc": ("", "[00:00.50]One <00:01.00>two\n[00:02.00]three"),
    "text": ("", "Étude {bar}", "{time} / {duration}\n{chord} {nps}"),
    "title": ("", "A song"),
    "artist": ("", "Somebody"),
}
_ASSETS: Final = ("image", "video", "font")
"""Fields that name files; there are none here."""
_MOST: Final = {"amount": 40, "bars": 64, "size": 60.0, "seconds_ahead": 6.0, "seconds_after": 2.0}
"""Less than is accepted, so that a frame takes milliseconds."""
_EXPRESSIONS: Final = (
    "value * (1 + pulse(beat, 0.4))",
    "value + 3 * sin(time)",
    "mix(value, 1, progress)",
    "activity * 2 - hit",
    "pitch * value + noise(song * 3) + notes / 10",
)


def settings(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Settings of one model, all of its fields at random; numbers move now and then."""
    fields = {
        name: _values(name, field)
        for name, field in model.model_fields.items()
        if name not in ("type", "animate", *_ASSETS)
    }
    if issubclass(model, Animated):
        fields["animate"] = st.just({}) | _animations(model)
    return st.fixed_dictionaries({}, optional=fields).filter(_fits(model)).map(model.model_validate)


def compositions(*kinds: str) -> st.SearchStrategy[Composition]:
    """Compositions of one to four layers of some kinds, of any kind where none is named."""
    layers = st.one_of([settings(LAYERS[kind]) for kind in kinds or LAYERS])
    return st.builds(
        Composition,
        stage=settings(Stage),
        colouring=settings(Colouring),
        layers=st.lists(layers, min_size=1, max_size=4).map(tuple),
        finish=st.none() | settings(Finish),
        sustain_pedal=st.booleans(),
    )


def _fits(model: type[BaseModel]) -> Any:
    def check(fields: dict[str, Any]) -> bool:
        try:
            model.model_validate(fields)
        except ValueError:
            return False
        return True

    return check


def _animations(model: type[Animated]) -> st.SearchStrategy[dict[str, Any]]:
    numbers = [
        name
        for name, field in model.model_fields.items()
        if field.annotation in (int, float) and name not in model.fixed
    ]
    keyframes = st.builds(
        lambda over, values: {
            "over": over,
            "keyframes": [{"at": place, "value": value} for place, value in enumerate(values)],
        },
        st.sampled_from(sorted(SIGNALS)),
        st.lists(st.floats(-2, 40, width=16), min_size=1, max_size=3),
    )
    animation = st.sampled_from(_EXPRESSIONS) | keyframes
    return st.dictionaries(st.sampled_from(numbers), animation, max_size=2)


def _values(name: str, field: FieldInfo) -> st.SearchStrategy[Any]:
    kind = field.annotation
    if name in _TEXTS:
        return st.sampled_from(_TEXTS[name])
    if kind is bool:
        return st.booleans()
    if kind in (int, float):
        low, high = _bounds(name, field)
        if kind is int:
            return st.integers(round(low), round(high))
        return st.floats(low, high, allow_subnormal=False).map(lambda number: round(number, 3))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if get_origin(kind) in (types.UnionType, typing.Union):  # or nothing
        return st.none()
    if name == "gradient":
        stops = [{"at": 0.1, "colour": "#102030"}, {"at": 0.9, "colour": "#8020c0"}]
        return st.just(()) | st.just(tuple(stops))
    if get_origin(kind) is tuple:
        return st.lists(st.sampled_from(_COLOURS), min_size=1, max_size=4).map(tuple)
    return st.sampled_from(_COLOURS)


def _bounds(name: str, field: FieldInfo) -> tuple[float, float]:
    """What a number may be, but no more than _MOST, and at least 1e-3 where it must not be 0."""
    low, high = -10.0, 10.0
    for rule in field.metadata:
        if getattr(rule, "ge", None) is not None:
            low = float(rule.ge)
        if getattr(rule, "gt", None) is not None:
            low = float(rule.gt) + 1e-3
        if getattr(rule, "le", None) is not None:
            high = float(rule.le)
    high = min(high, _MOST.get(name, high))
    return low, max(low, high)
