"""Which revision of midifarm this is, as far as results depend on it."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

_PACKAGES: Final = ("shared", "workers")
_SUFFIXES: Final = {".py", ".glsl", ".json", ".otf"}


def made_by() -> str:
    """What the name of every engine of this revision begins with."""
    return f"midifarm {revision()};"


@cache
def revision() -> str:
    """A hash of the sources that decide what comes out: 16 hexadecimal digits.

    It is part of every content key, so what an older revision made is never taken for what this
    one would make. Nobody has to remember to raise a number.
    """
    found = hashlib.sha256()
    for package in _PACKAGES:
        root = Path(str(files(package)))
        for path in sorted(root.rglob("*")):
            if path.suffix in _SUFFIXES:
                found.update(path.relative_to(root.parent).as_posix().encode() + b"\0")
                found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:16]
