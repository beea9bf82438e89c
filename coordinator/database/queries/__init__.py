"""The queries of a module, read from its ``.sql`` file.

A query begins with a line ``-- name: NAME`` and a comment that says what it does; it ends where
the next begins.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Final

_NAME: Final = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def read_queries(subject: str) -> dict[str, str]:
    """The queries in ``subject``.sql by their names."""
    text = resources.files(__name__).joinpath(f"{subject}.sql").read_text("utf-8")
    _, *parts = _NAME.split(text)
    return dict(zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True))
