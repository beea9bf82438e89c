"""What an object key looks like, for every store alike."""

from __future__ import annotations

import re
from typing import Final

from shared.errors import InvalidKeyError

MAX_KEY_CHARS: Final = 512
"""Half of what S3 allows (1,024 bytes), so that a bucket may be shared under a prefix."""

MAX_NAME_CHARS: Final = 200
"""Fits a file name (255 bytes) on every file system, with room for a mark of the store's own."""

MAX_NAMES: Final = 8

_NAME: Final = rf"[A-Za-z0-9_-][A-Za-z0-9._-]{{0,{MAX_NAME_CHARS - 1}}}"
_KEY: Final = re.compile(rf"{_NAME}(?:/{_NAME}){{0,{MAX_NAMES - 1}}}")
_PREFIX: Final = re.compile(rf"(?:{_NAME}/){{0,{MAX_NAMES - 1}}}(?:{_NAME})?")


def check_key(key: str) -> tuple[str, ...]:
    """The names that ``key`` consists of.

    Raises:
        InvalidKeyError: if it is no object key.
    """
    if len(key) > MAX_KEY_CHARS or not _KEY.fullmatch(key):
        raise InvalidKeyError(
            f"{_shown(key)} is no object key: one to {MAX_NAMES} names of a-z A-Z 0-9 . _ - joined "
            f"by /, none of them beginning with a dot or longer than {MAX_NAME_CHARS} characters, "
            f"and at most {MAX_KEY_CHARS} characters in all.",
            key=key,
        )
    return tuple(key.split("/"))


def check_prefix(prefix: str) -> str:
    """The prefix itself, which may end anywhere in a key.

    Raises:
        InvalidKeyError: if no object key can begin with it.
    """
    if len(prefix) > MAX_KEY_CHARS or not _PREFIX.fullmatch(prefix):
        raise InvalidKeyError(f"No object key begins with {_shown(prefix)}.", key=prefix)
    return prefix


def _shown(text: str) -> str:
    """Text of any origin and length, fit for a message."""
    shown = ascii(text)
    return shown if len(shown) <= 80 else f"{shown[:80]}…"
