"""Fonts that are installed on this machine, looked through for one that can draw a text.

Only the intake asks: what it finds is stored as an asset by its hash, so that frames never depend
on what a render node has installed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from PIL import ImageFont

from workers.text import missing_in

_SUFFIXES: Final = {".ttf", ".otf", ".ttc", ".otc"}
_MOST: Final = 5000
"""Files that are looked at; a machine with more has what is needed among them."""
_LIKED: Final = ("semibold", "bold", "medium", "regular", "book")
"""Weights, the one most like the built-in font's first."""
_ODD: Final = ("italic", "oblique", "mono", "condensed", "serif", "light", "thin", "black", "math")
"""What does not go with the built-in font."""


def font_folders() -> tuple[Path, ...]:
    """Where fonts are installed (XDG Base Directory Specification; FontConfig's usual folders)."""
    home = Path(os.environ.get("HOME", "/nonexistent"))
    data = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    own = os.environ.get("XDG_DATA_HOME")
    return (
        (Path(own) if own else home / ".local" / "share") / "fonts",
        home / ".fonts",
        *(Path(folder, "fonts") for folder in data.split(":") if folder.startswith("/")),
    )


def find_font(text: str, beside: str = "", folders: tuple[Path, ...] | None = None) -> Path | None:
    """The installed font that can draw most of a text; None where none can draw any of it.

    Args:
        text: Characters that the built-in font cannot draw; all of them count alike.
        beside: What stands beside them, and should best be drawn by the same font.
        folders: Where to look; those of the system without it.
    """
    best: tuple[int, int, tuple[int, ...], str] | None = None
    found = None
    for path, family, style in _fonts(folders or font_folders()):
        missing = _missing(path, text)
        if missing is None or len(missing) == len(set(text)):
            continue
        others = len(_missing(path, beside) or "")
        taste = _taste(f"{family} {style} {path.stem}".lower())
        rank = (len(missing), others, taste, str(path))
        if best is None or rank < best:
            best, found = rank, path
    return found


def _taste(name: str) -> tuple[int, ...]:
    """How little a font goes with the built-in one; less is better."""
    odd = sum(word in name for word in _ODD if word != "serif" or "sans" not in name)
    weight = next((place for place, word in enumerate(_LIKED) if word in name), len(_LIKED))
    return odd, weight


def _missing(path: Path, text: str) -> str | None:
    try:
        return missing_in(text, ImageFont.truetype(str(path), 32))
    except OSError:  # pictures of a fixed size, as of emoji, or a damaged file
        return None


@cache
def _fonts(folders: tuple[Path, ...]) -> tuple[tuple[Path, str, str], ...]:
    """Path, family and style of every font that can be opened."""
    fonts = []
    for path in _files(folders):
        try:
            family, style = ImageFont.truetype(str(path), 32).getname()
        except OSError:
            continue
        fonts.append((path, family or "", style or ""))
    return tuple(fonts)


def _files(folders: tuple[Path, ...]) -> Iterator[Path]:
    count = 0
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.suffix.lower() in _SUFFIXES and path.is_file():
                count += 1
                if count > _MOST:
                    return
                yield path
