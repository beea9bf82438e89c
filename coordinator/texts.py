"""Text that people give, as far as it is kept in the database and shown to others."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, StringConstraints

_LONGEST: Final = 200
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]", re.ASCII | re.IGNORECASE)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MISLEADING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
"""They change the direction of what is written after them: ``gpj.exe`` looks like ``exe.jpg``."""


def is_plain(character: str) -> bool:
    """Whether a character may be part of a name: it is seen, and only seen."""
    return (
        unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
        and character not in _MISLEADING
    )


def _check(text: str) -> str:
    if not all(map(is_plain, text)):
        raise ValueError("control characters and line breaks are not allowed")
    return text


Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=_LONGEST),
    AfterValidator(_check),
]
"""A name: 1 to 200 characters on one line."""


def _written_out(given: Any) -> Any:
    # Pydantic takes numbers, also in quotes, for seconds or milliseconds since 1970.
    if not isinstance(given, str) or not _DATE.match(given):
        raise ValueError("write a date and a time with its offset: 2026-01-31T12:00:00Z")
    return given


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]
"""A date and a time with its offset from UTC (RFC 3339)."""


def _day(given: Any) -> Any:
    # As above: it would take numbers, too.
    if not isinstance(given, str) or not _DAY.fullmatch(given):
        raise ValueError("write a day as 2026-01-31")
    return given


Day = Annotated[date, BeforeValidator(_day)]
"""A day of the calendar (RFC 3339)."""


def file_name(given: str, otherwise: str) -> str:
    """A file's name without folders and control characters, of 200 characters at most.

    Args:
        given: What a client calls the file; may be a path of any system.
        otherwise: The name where nothing is left.
    """
    last = given.replace("\\", "/").rpartition("/")[2]
    plain = "".join(filter(is_plain, last)).strip().lstrip(".")
    if len(plain) > _LONGEST:
        stem, dot, suffix = plain.rpartition(".")
        plain = (
            stem[: _LONGEST - len(suffix) - 1] + dot + suffix
            if stem and len(suffix) <= 10
            else plain[:_LONGEST]
        )
    return plain or otherwise
