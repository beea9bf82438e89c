"""Texts with words in braces that stand for where a song is: ``{time} / {duration}``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, get_args

Token = Literal[
    "title",
    "artist",
    "time",
    "duration",
    "remaining",
    "timecode",
    "bar",
    "beat",
    "bpm",
    "meter",
    "notes",
    "total_notes",
    "nps",
    "polyphony",
    "progress",
    "chord",
]
"""What may stand in braces."""

TOKENS: Final[tuple[Token, ...]] = get_args(Token)
_NAMED: Final[dict[str, Token]] = {name: name for name in TOKENS}
_PART: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenPlace:
    """A place in a text where something else is written."""

    token: Token
    """What."""


def parts_of(text: str) -> Iterator[str | TokenPlace]:
    """What a text is made of: pieces that are written as they are, and tokens.

    ``{{`` and ``}}`` are braces that are meant as such.

    Raises:
        ValueError: A brace stands alone, or there is no such token.
    """
    for match in _PART.finditer(text):
        piece, name = match[0], match[1]
        if name is not None:
            token = _NAMED.get(name.strip())
            if token is None:
                raise ValueError(
                    f"{{{name}}} stands for nothing; in braces there may be {', '.join(TOKENS)}, "
                    "and a brace itself is written twice"
                )
            yield TokenPlace(token=token)
        elif piece in ("{", "}"):
            raise ValueError(
                f"{piece!r} stands alone; write it twice, {piece * 2}, if it is to be seen"
            )
        else:
            yield "{" if piece == "{{" else "}" if piece == "}}" else piece
