"""Expressions: formulas that people write, such as ``value * (1 + pulse(beat, 0.3))``.

A small language of its own, in the notation of Python and of nothing that Python could run. A
text is read once, by recursive descent, into nested functions; evaluating it for a frame then
takes microseconds. Reading is total (any text is either an expression or a ValueError that says
what is wrong with it) and so is evaluating, in finite floats throughout:

=========================  ==========================================================
what                       gives
=========================  ==========================================================
``x / 0``, ``x % 0``       0
a root, logarithm or       0
power that has no number
a result beyond ±1.8e308   ±1.8e308
what is no number (NaN)    0
a comparison, ``not``,     1 where it is true, or else 0; every number but 0 is true
``and``, ``or``
=========================  ==========================================================
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final, NamedTuple, NoReturn

from shared.functions import CONSTANTS, FUNCTIONS, LARGEST, divide, finite, power, remainder

LONGEST: Final = 500
"""Characters that an expression may have: one line of thought, not a program."""
DEEPEST: Final = 50
"""How many operations may build upon one another; each takes a few of Python's 1,000 calls."""

Values = Callable[[str], float] | Mapping[str, float]
"""Where the numbers behind the names come from."""

_Look = Callable[[str], float]
_Run = Callable[[_Look], float]

_TOKEN: Final = re.compile(
    r" ?(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<sign>\*\*|<=|>=|==|!=|[-+*/%<>(),]))"
)
_KEYWORDS: Final = frozenset({"and", "or", "not", "if", "else"})
_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_OTHER_NOTATIONS: Final = {
    "^": "a power is written **",
    "=": "equality is written ==",
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`",
    "?": "write `a if condition else b`",
    "×": "write *",
    "·": "write *",
    "÷": "write /",
    "−": "write -",
}
_ALLOWED: Final = (
    "an expression is made of numbers, names, functions, + - * / % **, comparisons, and, or, not, "
    "`a if condition else b`, commas and parentheses"
)


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula that has been read; made by :meth:`parse`. Equal texts are equal expressions."""

    text: str
    """As it was written, with single spaces."""
    names: frozenset[str] = field(compare=False)
    """The names it uses, of those that it could."""
    _run: _Run = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str, names: Collection[str]) -> Expression:
        """Read an expression that may use these names, beside the functions and constants.

        Raises:
            ValueError: The text is none; says what is wrong with it and what is allowed.
        """
        if len(text) > LONGEST:
            raise ValueError(
                f"an expression has at most {LONGEST} characters; this one has {len(text)}"
            )
        text = " ".join(text.split())
        reader = _Reader(text, names)
        node = reader.whole()
        return cls(text, frozenset(reader.used), node.run)

    def evaluate(self, values: Values) -> float:
        """Its value: finite, whatever the numbers.

        ``values`` is asked only for the names that are needed, so it may compute them then; of
        ``a if condition else b`` only one side is.
        """
        return self._run(values if callable(values) else values.__getitem__)

    def __str__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[Any, ...]:
        return (Expression.parse, (self.text, self.names))  # functions within can't be pickled


class _Token(NamedTuple):
    kind: str
    """``number``, ``name`` (no keyword), ``sign`` (with keywords) or ``end``."""
    text: str
    place: int
    """Its first character, counted from 1."""


class _Node(NamedTuple):
    run: _Run
    height: int
    """How many calls one evaluation nests."""


class _Reader:
    """Reads one text: each method takes what its name says from the tokens and gives a node."""

    def __init__(self, text: str, names: Collection[str]) -> None:
        self._text = text
        self._names = names
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0
        self.used: set[str] = set()

    def whole(self) -> _Node:
        node = self._choice()
        if self._peek.kind != "end":
            self._refuse("an operator or the end")
        return node

    @property
    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, *signs: str) -> str | None:
        """The next token if it is one of these signs, which it then has gone past."""
        token = self._peek
        if token.kind != "sign" or token.text not in signs:
            return None
        self._next += 1
        return token.text

    def _refuse(self, expected: str) -> NoReturn:
        token = self._peek
        if token.kind == "end":
            found = f"{self._text!r} ends too early" if self._text else "the expression is empty"
        else:
            found = f"{token.text!r} at character {token.place} does not belong there"
        raise ValueError(f"{found}: expected {expected}")

    def _choice(self) -> _Node:
        yes = self._operation(_OR)
        if not self._take("if"):
            return yes
        condition = self._operation(_OR)
        if not self._take("else"):
            self._refuse("an operator or `else`")
        no = self._deeper(self._choice)
        return _node(_chosen(condition.run, yes.run, no.run), condition, yes, no)

    def _deeper(self, read: Callable[..., _Node], *arguments: int) -> _Node:
        """Read what may contain its own like, no deeper than allowed."""
        self._depth = _bounded(self._depth + 1)
        node = read(*arguments)
        self._depth -= 1
        return node

    def _operation(self, level: int) -> _Node:
        """Operands and the operators between them that bind as tightly as this level or more."""
        node = self._signed(level)
        while (sign := self._peek).kind == "sign" and _BINDS.get(sign.text, -1) >= level:
            if sign.text in _COMPARISONS:
                node = self._comparison(node)
                continue
            self._next += 1
            binds = _BINDS[sign.text]
            # a - b - c is (a - b) - c, but a ** b ** c is a ** (b ** c).
            other = self._deeper(self._operation, binds if sign.text == "**" else binds + 1)
            node = _node(_OPERATIONS[sign.text](node.run, other.run), node, other)
        return node

    def _comparison(self, first: _Node) -> _Node:
        nodes, compare = [first], []
        while sign := self._take(*_COMPARISONS):
            compare.append(_COMPARISONS[sign])
            nodes.append(self._deeper(self._operation, _SUM))
        return _node(_compared([node.run for node in nodes], compare), *nodes)

    def _signed(self, level: int) -> _Node:
        if level <= _NOT and self._take("not"):
            node = self._deeper(self._operation, _NOT)
            return _node(_negated(node.run), node)
        if self._take("-"):
            node = self._deeper(self._operation, _SIGN)
            return _node(_applied(operator.neg, [node.run]), node)
        if self._take("+"):
            return self._deeper(self._operation, _SIGN)
        return self._atom()

    def _atom(self) -> _Node:
        token = self._peek
        if self._take("("):
            node = self._deeper(self._choice)
            if not self._take(")"):
                self._refuse("an operator or ')'")
            return node
        if token.kind not in ("number", "name"):
            self._refuse("a number, a name, a function or '('")
        self._next += 1
        if token.kind == "number":
            return _node(_constant(_number(token.text)))
        if self._take("("):
            return self._call(token.text)
        return self._named(token.text)

    def _call(self, name: str) -> _Node:
        function = FUNCTIONS.get(name)
        if function is None:
            raise ValueError(f"{name!r} is no function.{_choose(name, FUNCTIONS, 'functions')}")
        arguments: list[_Node] = []
        while not self._take(")"):
            if arguments and not self._take(","):
                self._refuse("an operator, ',' or ')'")
            arguments.append(self._deeper(self._choice))
        if not function.takes(len(arguments)):
            given = f"{len(arguments)} argument" + "s" * (len(arguments) != 1)
            raise ValueError(f"{function.written(name)} cannot take {given}")
        return _node(_applied(function.apply, [node.run for node in arguments]), *arguments)

    def _named(self, name: str) -> _Node:
        if name in self._names:
            self.used.add(name)
            return _node(_looked_up(name))
        if name in CONSTANTS:
            return _node(_constant(CONSTANTS[name]))
        if name in FUNCTIONS:
            raise ValueError(f"{name} is a function; write {FUNCTIONS[name].written(name)}")
        known = sorted({*self._names, *CONSTANTS})
        raise ValueError(f"{name!r} is no name.{_choose(name, known, 'names here')}")


def _tokens(text: str) -> Iterable[_Token]:
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            odd = text[place:].lstrip()[0]
            hint = _OTHER_NOTATIONS.get(odd, _ALLOWED)
            raise ValueError(
                f"{odd!r} at character {text.index(odd, place) + 1} is unknown: {hint}"
            )
        place = match.end()
        kind, word = match.lastgroup or "", match[match.lastgroup or 0]
        yield _Token("sign" if word in _KEYWORDS else kind, word, place - len(word) + 1)
    yield _Token("end", "", len(text) + 1)


def _bounded(depth: int) -> int:
    if depth > DEEPEST:
        raise ValueError(
            f"more than {DEEPEST} operations or parentheses are nested; write it more simply"
        )
    return depth


def _number(text: str) -> float:
    number = float(text)
    if number > LARGEST:
        raise ValueError(f"{text[:40]} is too large a number; the largest is {LARGEST:.2g}")
    return number


def _choose(name: str, known: Collection[str], kind: str) -> str:
    near = [f"Did you mean {close}?" for close in get_close_matches(name, known, 1)]
    return " ".join(["", *near, f"The {kind} are {', '.join(known)}"])


def _node(run: _Run, *within: _Node) -> _Node:
    return _Node(run, _bounded(1 + max((node.height for node in within), default=0)))


def _constant(number: float) -> _Run:
    return lambda _: number


def _looked_up(name: str) -> _Run:
    return lambda look: finite(float(look(name)))


def _applied(function: Callable[..., float], arguments: list[_Run]) -> _Run:
    """A function of so many arguments; spelled out for few, as this runs for every frame."""

    def one(look: _Look) -> float:
        return finite(function(first(look)))

    def two(look: _Look) -> float:
        return finite(function(first(look), second(look)))

    def many(look: _Look) -> float:
        return finite(function(*[argument(look) for argument in arguments]))

    first, second = arguments[0], arguments[-1]
    return {1: one, 2: two}.get(len(arguments), many)


def _chosen(condition: _Run, yes: _Run, no: _Run) -> _Run:
    return lambda look: yes(look) if condition(look) else no(look)


def _either(a: _Run, b: _Run) -> _Run:
    return lambda look: 1.0 if a(look) or b(look) else 0.0


def _both(a: _Run, b: _Run) -> _Run:
    return lambda look: 1.0 if a(look) and b(look) else 0.0


def _negated(a: _Run) -> _Run:
    return lambda look: 0.0 if a(look) else 1.0


def _compared(runs: list[_Run], compare: list[Callable[[float, float], bool]]) -> _Run:
    """Chained like Python's: ``0 < x < 1`` is true where both are, and ``x`` is evaluated once."""
    first, pairs = runs[0], list(zip(compare, runs[1:], strict=True))

    def run(look: _Look) -> float:
        left = first(look)
        for holds, other in pairs:
            right = other(look)
            if not holds(left, right):
                return 0.0
            left = right
        return 1.0

    return run


_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _SIGN, _POWER = range(8)
"""How tightly operators bind, like Python's: -2 ** 2 is -4."""

_BINDS: Final = {
    "or": _OR,
    "and": _AND,
    **dict.fromkeys(_COMPARISONS, _COMPARISON),
    **dict.fromkeys("+-", _SUM),
    **dict.fromkeys("*/%", _PRODUCT),
    "**": _POWER,
}

_OPERATIONS: Final[Mapping[str, Callable[[_Run, _Run], _Run]]] = {
    "or": _either,
    "and": _both,
    "+": lambda a, b: _applied(operator.add, [a, b]),
    "-": lambda a, b: _applied(operator.sub, [a, b]),
    "*": lambda a, b: _applied(operator.mul, [a, b]),
    "/": lambda a, b: _applied(divide, [a, b]),
    "%": lambda a, b: _applied(remainder, [a, b]),
    "**": lambda a, b: _applied(power, [a, b]),
}
