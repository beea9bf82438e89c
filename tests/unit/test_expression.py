"""Expressions: read like Python's, refused with a reason, finite whatever happens."""

from __future__ import annotations

import math
import pickle
import warnings

import pytest
from hypothesis import assume, example, given, reject
from hypothesis import strategies as st

from shared.expression import DEEPEST, LONGEST, Expression
from shared.functions import CONSTANTS, FUNCTIONS, LARGEST

NAMES = ("beat", "value", "x")
numbers = st.floats(allow_nan=False, allow_infinity=False)
places = st.floats(-1e6, 1e6)
signs = ["+", "-", "*", "/", "%", "**", "<", ">", "<=", ">=", "==", "!=", "(", ")", ","]
keywords = ["and", "or", "not", "if", "else"]
figures = ["0", "1", "-1", "0.5", "1e308", "7.5e-320", "2.", ".5"]
words = st.sampled_from([*NAMES, *FUNCTIONS, *CONSTANTS, *signs, *keywords, *figures])


def value(text: str, **values: float) -> float:
    return Expression.parse(text, NAMES).evaluate(values)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("1", 1),
        (".5", 0.5),
        ("2.", 2),
        ("1e3", 1000),
        ("25E-1", 2.5),
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 3 - 2", 5),
        ("24 / 4 / 2", 3),
        ("7 % 4", 3),
        ("-1 % 4", 3),
        ("2 ** 3 ** 2", 512),
        ("-2 ** 2", -4),
        ("2 ** -1", 0.5),
        ("--3", 3),
        ("+-+3", -3),
        ("1 < 2", 1),
        ("2 <= 1", 0),
        ("1 < 2 < 3", 1),
        ("1 < 3 < 2", 0),
        ("3 == 3 != 4", 1),
        ("not 0", 1),
        ("not 2 == 3", 1),
        ("not not 5", 1),
        ("2 and 3", 1),
        ("0 or 0.5", 1),
        ("0 and 1 or 1", 1),
        ("1 or 0 and 0", 1),
        ("1 if 2 > 1 else 3", 1),
        ("1 if 0 else 2 if 0 else 3", 3),
        ("(1 if 0 else 2) + 3", 5),
        ("  1\t+\n1 ", 2),
        ("1\u00a0+ 1", 2),  # a no-break space, as it comes from web pages
        ("pi", math.pi),
        ("tau / pi", 2),
    ],
)
def test_notation(text: str, result: float) -> None:
    assert value(text) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("abs(-2)", 2),
        ("sign(-2) + sign(0) + 2 * sign(9)", 1),
        ("floor(-1.5)", -2),
        ("ceil(-1.5)", -1),
        ("round(2.5)", 3),
        ("round(-2.5)", -2),
        ("round(0.49999999999999994)", 0),
        ("fract(2.25)", 0.25),
        ("fract(-0.25)", 0.75),
        ("min(3, 1, 2)", 1),
        ("max(3, 1, 2)", 3),
        ("clamp(5, 0, 1)", 1),
        ("clamp(-5, 0, 1)", 0),
        ("mix(10, 20, 0)", 10),
        ("mix(10, 20, 1)", 20),
        ("mix(10, 20, 1.5)", 25),
        ("step(2, 1.9)", 0),
        ("step(2, 2)", 1),
        ("smoothstep(2, 4, 2)", 0),
        ("smoothstep(2, 4, 3)", 0.5),
        ("smoothstep(2, 4, 9)", 1),
        ("smoothstep(4, 2, 2)", 1),
        ("smoothstep(2, 2, 2)", 1),
        ("pulse(3, 0.5)", 1),
        ("pulse(3.25, 0.5)", 0.25),
        ("pulse(3.5, 0.5)", 0),
        ("pulse(-0.75, 0.5)", 0.25),
        ("pulse(3, 0)", 0),
        ("wave(2)", 0),
        ("wave(2.5)", 1),
        ("triangle(7)", 0),
        ("triangle(7.25)", 0.5),
        ("triangle(7.5)", 1),
        ("sin(0) + cos(0)", 1),
        ("sqrt(9)", 3),
        ("exp(0)", 1),
        ("log(exp(2))", 2),
        ("pow(2, 10)", 1024),
        ("noise(5) - random(5)", 0),
        ("noise(5.25) - mix(random(5), random(6), smoothstep(0, 1, 0.25))", 0),
        ("random(5.9) - random(5)", 0),
    ],
)
def test_functions(text: str, result: float) -> None:
    assert value(text) == pytest.approx(result, abs=1e-12)


def test_every_function_is_in_the_table_above() -> None:
    [mark] = [mark for mark in test_functions.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]
    called = " ".join(text for text, _ in mark.args[1])
    assert [name for name in FUNCTIONS if f"{name}(" not in called] == []


def test_chance_is_the_same_on_every_machine() -> None:
    found = [round(value(f"random({x})"), 9) for x in (0, 1, 2, -1, 1e15)]
    assert found == [0.007765133, 0.622319591, 0.029774595, 0.644402112, 0.403346951]


def test_chance_is_even() -> None:
    found = sorted(value("random(x)", x=x) for x in range(-500, 500))
    assert max(abs(place - (at + 0.5) / 1000) for at, place in enumerate(found)) < 0.04


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("1 / 0", 0),
        ("0 / 0", 0),
        ("5 % 0", 0),
        ("sqrt(-1)", 0),
        ("log(0)", 0),
        ("log(-1)", 0),
        ("0 ** -1", 0),
        ("(-8) ** 0.5", 0),
        ("9 ** 9 ** 9", LARGEST),
        ("(-9) ** 999", LARGEST * -1),
        ("(-9) ** 1000", LARGEST),
        ("exp(1e9)", LARGEST),
        ("1e308 * 10", LARGEST),
        ("-1e308 * 10", -LARGEST),
        ("1e308 / 1e-9", LARGEST),
        ("1e308 * 10 - 1e308 * 10", 0),
        ("mix(1e308, 1e308, 1e308)", 0),
        ("fract(-1e-20) < 1", 1),
        ("fract(1e308)", 0),
    ],
)
def test_where_mathematics_has_no_number(text: str, result: float) -> None:
    assert value(text) == result


@pytest.mark.parametrize(
    ("odd", "read"), [(math.inf, LARGEST), (-math.inf, -LARGEST), (math.nan, 0.0)]
)
def test_a_value_that_is_no_number_is_read_as_one(odd: float, read: float) -> None:
    assert value("x", x=odd) == read


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the expression is empty: expected a number, a name, a function or '('"),
        (" ", "the expression is empty"),
        ("1 +", "'1 +' ends too early: expected a number"),
        ("(1", "'(1' ends too early: expected an operator or ')'"),
        ("1)", "')' at character 2 does not belong there: expected an operator or the end"),
        ("2x", "'x' at character 2 does not belong there: expected an operator"),
        ("1 2", "'2' at character 3 does not belong there"),
        ("1 + not 2", "'not' at character 5 does not belong there"),
        ("1 if 2", "expected an operator or `else`"),
        ("min(1 2)", "'2' at character 7 does not belong there: expected an operator, ',' or ')'"),
        ("min(1, )", "')' at character 8 does not belong there"),
        ("beats", "'beats' is no name. Did you mean beat? The names here are beat, pi, tau, value"),
        ("__import__", "'__import__' is no name. The names here are beat"),
        ("sine(1)", "'sine' is no function. Did you mean sin? The functions are abs, "),
        ("beat(1)", "'beat' is no function"),
        ("sin", "sin is a function; write sin(x)"),
        ("clamp(1)", "clamp(x, lo, hi) cannot take 1 argument"),
        ("max(1)", "max(a, b, …) cannot take 1 argument"),
        ("sin()", "sin(x) cannot take 0 arguments"),
        ("x ^ 2", "'^' at character 3 is unknown: a power is written **"),
        ("x = 2", "'=' at character 3 is unknown: equality is written =="),
        ("x && 1", "'&' at character 3 is unknown: write `and`"),
        ("2 × 3", "'×' at character 3 is unknown: write *"),
        ("x.real", "'.' at character 2 is unknown: an expression is made of numbers, names"),
        ("x[0]", "'[' at character 2 is unknown"),
        ("'a'", '"\'" at character 1 is unknown'),
        ("1j", "'j' at character 2 does not belong there"),
        ("0x10", "'x10' at character 2 does not belong there"),
        ("1_000", "'_000' at character 2 does not belong there"),
        ("lambda: 1", "':' at character 7 is unknown"),
        ("٣", "'٣' at character 1 is unknown"),
        ("\x00", r"'\x00' at character 1 is unknown"),
        ("\ud800", r"'\ud800' at character 1 is unknown"),
        ("1e999", "1e999 is too large a number; the largest is 1.8e+308"),
        ("9" * 400, "9999 is too large a number"),
        ("(" * 400, "more than 50 operations or parentheses are nested"),
        ("-" * 400 + "1", "more than 50 operations or parentheses are nested"),
        ("not " * 100 + "1", "more than 50 operations or parentheses are nested"),
        ("1 **" * 100 + "1", "more than 50 operations or parentheses are nested"),
        ("1+" * 200 + "1", "more than 50 operations or parentheses are nested"),
        ("1 if 1 else " * 41 + "1e" + "(" * 5, "does not belong there"),
        ("abs(" * 100, "more than 50 operations or parentheses are nested"),
        ("x" * (LONGEST + 1), "an expression has at most 500 characters; this one has 501"),
        ("(" * 5_000_000, "an expression has at most 500 characters; this one has 5000000"),
    ],
)
def test_what_is_no_expression_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        Expression.parse(text, NAMES)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("start", "end"),
    [("(", ")"), ("abs(", ")"), ("-", ""), ("not ", ""), ("1**", ""), ("1+", ""), ("0 or ", "")],
)
def test_what_is_not_nested_too_deeply_is_evaluated(start: str, end: str) -> None:
    depth = DEEPEST - 2
    assert math.isfinite(value(start * depth + "1" + end * depth))


def _chains(operands: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Operands with operators between them, which mean the same in Python."""
    operators = ["+", "-", "*", "/", "%", "<", "<=", ">", ">=", "==", "!=", "+ -", "* -"]
    links = st.tuples(st.sampled_from(operators), operands).map(" ".join)
    return st.tuples(operands, st.lists(links, max_size=4).map(" ".join)).map(" ".join)


powers = ["-2.0 ** 2.0", "2.0 ** 3.0 ** 2.0", "2.0 ** -1.0"]  # the root of -1 is complex there
figures_only = st.sampled_from(["0.0", "0.5", "1.0", "2.0", "3.0", "-1.0", *powers])
chains = _chains(figures_only | _chains(figures_only).map("({})".format))
calls = st.sampled_from([*NAMES, "1e308", "7.5e-320", "exp(x)", "fract(beat)", "pulse(x, beat)"])
choices = st.tuples(chains, chains, chains).map(lambda parts: "{} if {} else {}".format(*parts))


@given(chains | choices)
def test_it_means_what_it_means_in_python(text: str) -> None:
    assume(len(text) <= LONGEST)
    try:
        expected = eval(text)  # noqa: S307 - made above, from a handful of numbers and operators
    except ZeroDivisionError:
        reject()
    assert Expression.parse(text, ()).evaluate({}) == float(expected)


@given(st.text() | st.lists(words, max_size=40).map(" ".join) | _chains(calls), numbers, numbers)
@example("fract(x) / pulse(x, 7.5e-320)", -1e-320, 1e308)
@example("smoothstep(x, beat, 1) * noise(x)", -LARGEST, LARGEST)
def test_any_text_is_refused_or_gives_a_finite_number(text: str, x: float, beat: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            expression = Expression.parse(text, NAMES)
        except ValueError:
            return
    found = expression.evaluate({"x": x, "beat": beat, "value": -x})
    assert isinstance(found, float)
    assert math.isfinite(found)


@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(numbers, min_size=3, max_size=3))
def test_every_function_is_total(name: str, values: list[float]) -> None:
    count = len(FUNCTIONS[name].arguments)
    text = f"{name}({', '.join(('x', 'beat', 'value')[:count])})"
    arguments = dict(zip(("x", "beat", "value"), values, strict=True))
    assert math.isfinite(value(text, **arguments))


@pytest.mark.parametrize(
    "text", ["wave(x)", "triangle(x)", "noise(x)", "random(x)", "pulse(x, beat)"]
)
@given(x=numbers, beat=numbers)
def test_shapes_are_from_0_to_1(text: str, x: float, beat: float) -> None:
    assert 0 <= value(text, x=x, beat=beat) <= 1


@given(places, st.floats(0, 1e-3))
def test_noise_is_smooth(x: float, step: float) -> None:
    # The slope of a smooth step is at most 1.5, and floats near 1e6 are 1e-10 apart.
    assert abs(value("noise(x)", x=x + step) - value("noise(x)", x=x)) <= 1.5 * step + 1e-9


@given(st.integers(-1000, 1000), st.sampled_from([0.0, 0.125, 0.5, 0.875]))
def test_shapes_repeat_with_every_whole_number(whole: int, part: float) -> None:
    for text in ("wave(x)", "triangle(x)", "fract(x)", "pulse(x, 0.9)"):
        assert value(text, x=whole + part) == value(text, x=part)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("beat if x else value", ["x", "value"]),
        ("x and beat", ["x"]),
        ("1 or beat", []),
        ("x < 0 - 1 < beat", ["x"]),
        ("x + x", ["x", "x"]),
    ],
)
def test_only_what_is_needed_is_asked_for(text: str, asked: list[str]) -> None:
    calls: list[str] = []

    def look(name: str) -> float:
        calls.append(name)
        return 0.0

    expression = Expression.parse(text, NAMES)
    expression.evaluate(look)
    assert calls == asked
    assert expression.names >= set(asked)


def test_the_names_used_are_known_and_functions_and_constants_are_none() -> None:
    assert Expression.parse("sin(beat * tau) + 1 if 0 else x", NAMES).names == {"beat", "x"}


def test_a_name_may_be_that_of_a_function() -> None:
    assert Expression.parse("floor(floor)", {"floor"}).evaluate({"floor": 1.5}) == 1


def test_an_expression_is_its_text() -> None:
    one = Expression.parse("value *\n(1 +  pulse(beat, 0.3))", NAMES)
    assert str(one) == "value * (1 + pulse(beat, 0.3))"
    assert one == Expression.parse(str(one), NAMES)
    assert hash(one) == hash(Expression.parse(str(one), NAMES))
    assert one != Expression.parse("value", NAMES)


def test_an_expression_travels_to_other_processes() -> None:
    one = Expression.parse("value * (1 + pulse(beat, 0.3))", NAMES)
    other = pickle.loads(pickle.dumps(one))  # noqa: S301 - our own bytes
    assert (other, other.names) == (one, one.names)
    assert other.evaluate({"value": 2, "beat": 1}) == 4
