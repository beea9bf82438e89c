"""What expressions can call: total functions of numbers, the same on every platform.

Every function takes finite numbers and gives a number; where mathematics has none (the root of
-1) it gives 0, and :func:`finite` brings back what became too large. Nothing keeps a state, and
chance is a hash: ``random(7)`` is the same number on every worker, for ever.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

LARGEST: Final = sys.float_info.max
"""What a number that would be infinite becomes, with its sign."""
_BELOW_ONE: Final = math.nextafter(1.0, 0.0)
_WORD: Final = 0xFFFFFFFF


def finite(number: float) -> float:
    """The number itself, ±:data:`LARGEST` for an infinite one, 0 for none at all (NaN)."""
    if -LARGEST <= number <= LARGEST:
        return number
    return 0.0 if math.isnan(number) else math.copysign(LARGEST, number)


def divide(a: float, b: float) -> float:
    """A quotient; 0 where the divisor is 0."""
    return a / b if b else 0.0


def remainder(a: float, b: float) -> float:
    """What is left after dividing, with the sign of the divisor; 0 where that is 0."""
    return a % b if b else 0.0


def power(a: float, b: float) -> float:
    """A power; 0 where there is no real one (0 ** -1, (-8) ** 0.5)."""
    try:
        return math.pow(a, b)
    except ValueError:
        return 0.0
    except OverflowError:
        return -LARGEST if a < 0 and b % 2 == 1 else LARGEST


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return LARGEST


def _clamp(x: float, lo: float, hi: float) -> float:
    return max(lo, min(x, hi))


def _mix(a: float, b: float, x: float) -> float:
    return a * (1 - x) + b * x


def _smoothstep(lo: float, hi: float, x: float) -> float:
    if lo == hi:
        return 1.0 if x >= lo else 0.0
    t = _clamp((x - lo) / (hi - lo), 0.0, 1.0)
    return t * t * (3 - 2 * t)


def _fract(x: float) -> float:
    return min(x % 1.0, _BELOW_ONE)  # -1e-20 % 1 is 1


def _pulse(x: float, width: float) -> float:
    if width <= 0:
        return 0.0
    left = 1 - _fract(x) / width
    return left * left if left > 0 else 0.0


def _hash01(whole: int) -> float:
    """0 ≤ h < 1 from a whole number, by Chris Wellons' hash ``lowbias32``.

    The offset (2^32 over the golden ratio) is there since the hash of 0 would be 0.
    """
    h = (whole + 0x9E3779B9) & _WORD
    h = ((h ^ (h >> 16)) * 0x7FEB352D) & _WORD
    h = ((h ^ (h >> 15)) * 0x846CA68B) & _WORD
    return (h ^ (h >> 16)) / (_WORD + 1)


def _noise(x: float) -> float:
    whole, t = math.floor(x), _fract(x)
    return _mix(_hash01(whole), _hash01(whole + 1), t * t * (3 - 2 * t))


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function by its arguments, what it gives and how."""

    arguments: tuple[str, ...]
    """Names of the arguments; where the last is ``…``, there may be more."""
    description: str
    """What it gives, as a sentence."""
    apply: Callable[..., float]
    """Takes as many finite floats, gives a float."""

    def written(self, name: str) -> str:
        """How it is called, such as ``clamp(x, lo, hi)``."""
        return f"{name}({', '.join(self.arguments)})"

    @property
    def more(self) -> bool:
        """Whether more arguments may follow those that are named."""
        return self.arguments[-1] == "…"

    def takes(self, count: int) -> bool:
        """Whether it can be called with so many arguments."""
        return count >= len(self.arguments) - 1 if self.more else count == len(self.arguments)


def _function(arguments: str, description: str, apply: Callable[..., Any]) -> Function:
    return Function(arguments=tuple(arguments.split(", ")), description=description, apply=apply)


FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {
        "abs": _function("x", "The number without its sign.", abs),
        "sign": _function(
            "x", "1 above 0, -1 below 0, or else 0.", lambda x: float((x > 0) - (x < 0))
        ),
        "floor": _function("x", "The whole number at or below.", lambda x: float(math.floor(x))),
        "ceil": _function("x", "The whole number at or above.", lambda x: float(math.ceil(x))),
        "round": _function(
            "x",
            "The nearest whole number; halves go up.",
            lambda x: float(math.floor(x) + (_fract(x) >= 0.5)),
        ),
        "fract": _function("x", "What a number has beyond its `floor`: 0 to just below 1.", _fract),
        "min": _function("a, b, …", "The smallest of two or more.", min),
        "max": _function("a, b, …", "The largest of two or more.", max),
        "clamp": _function(
            "x, lo, hi", "`x`, but no less than `lo` and no more than `hi`.", _clamp
        ),
        "mix": _function(
            "a, b, x", "A blend: `a` where `x` is 0, `b` where it is 1, and on beyond.", _mix
        ),
        "step": _function(
            "edge, x", "0 below the edge, 1 from it on.", lambda edge, x: float(x >= edge)
        ),
        "smoothstep": _function(
            "lo, hi, x", "0 up to `lo`, 1 from `hi` on, and a smooth way between.", _smoothstep
        ),
        "pulse": _function(
            "x, width",
            "1 at every whole `x`, falling to 0 within `width`: `pulse(beat, 0.3)` flashes on "
            "every beat.",
            _pulse,
        ),
        "wave": _function(
            "x",
            "A sine wave from 0 to 1 and back in every 1 of `x`, 0 at whole numbers.",
            lambda x: 0.5 - 0.5 * math.cos(math.tau * _fract(x)),
        ),
        "triangle": _function(
            "x", "The same in straight lines.", lambda x: 1 - abs(1 - 2 * _fract(x))
        ),
        "random": _function(
            "x",
            "A number from 0 to 1 that changes at every whole `x`, always the same for the same.",
            lambda x: _hash01(math.floor(x)),
        ),
        "noise": _function(
            "x", "A smooth way from each of those numbers to the next: wind, candles.", _noise
        ),
        "sin": _function("x", "Sine of an angle in radians.", math.sin),
        "cos": _function("x", "Cosine of an angle in radians.", math.cos),
        "sqrt": _function(
            "x", "Square root; 0 for numbers below 0.", lambda x: math.sqrt(x) if x > 0 else 0.0
        ),
        "exp": _function("x", "e to the power of `x`.", _exp),
        "log": _function(
            "x",
            "Natural logarithm; 0 for numbers that have none.",
            lambda x: math.log(x) if x > 0 else 0.0,
        ),
        "pow": _function("a, b", "`a` to the power of `b`, like `a ** b`.", power),
    }
)
"""Every function of an expression, by its name."""

CONSTANTS: Final[Mapping[str, float]] = MappingProxyType({"pi": math.pi, "tau": math.tau})
"""Numbers with a name: half and whole of a circle in radians."""
