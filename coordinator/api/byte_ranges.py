"""The Range header of HTTP (RFC 9110, section 14). Pure."""

from __future__ import annotations

import re
from typing import Final

from shared.errors import InputError

_RANGE: Final = re.compile(r"\s*bytes\s*=\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


def wanted_bytes(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """The half-open range of bytes that a header asks for.

    Args:
        header: The Range header's value; None where there is none.
        size_bytes: Length of what it is about.

    Returns:
        ``(start, stop)``, or None for all of it: without a header, and where it says something
        that need not be understood (another unit, several ranges).

    Raises:
        InputError: The range lies outside.
    """
    match = _RANGE.fullmatch(header or "")
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, stop = max(0, size_bytes - int(last)), size_bytes
    else:
        start = int(first)
        if last and int(last) < start:
            return None
        stop = min(int(last) + 1, size_bytes) if last else size_bytes
    if start >= stop:
        raise InputError(f"The file has {size_bytes} bytes; the range asked for lies outside.")
    return start, stop
