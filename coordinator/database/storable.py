"""Making text and numbers of any origin fit for PostgreSQL."""

from __future__ import annotations

import math
from typing import Any, TypeVar, overload

T = TypeVar("T")


@overload
def storable(value: str) -> str: ...
@overload
def storable(value: None) -> None: ...
@overload
def storable(value: dict[str, Any]) -> dict[str, Any]: ...
@overload
def storable(value: list[str]) -> list[str]: ...
def storable(value: Any) -> Any:
    """Plain data without what neither text nor jsonb takes.

    Zeros and halves of surrogate pairs become U+FFFD, numbers that are none become None.
    """
    match value:
        case str():
            clean = value.replace("\0", "\ufffd")
            return clean.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {_plain(key): _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
    return value


def _plain(value: Any) -> Any:
    return storable(value)
