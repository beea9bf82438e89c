"""The files of the page, read once and packed once.

They are served below a folder named by the hash of all of them: modules import each other by
relative names, so whoever has the page of a version has all of that version, and browsers may keep
it for ever.
"""

from __future__ import annotations

import gzip
import hashlib
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final, Self

_TYPES: Final[Mapping[str, str]] = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}
_FIRST: Final = "app.js"
_IMPORTS: Final = re.compile(r'^(?:import|export|\})[^"]*\bfrom "(\.{1,2}/[^"]+)";', re.MULTILINE)
"""Those that a module makes by itself; ``import()`` fetches more when it is wanted."""
_DIGITS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What a browser gets of the page."""

    data: bytes
    """As it is."""
    packed: bytes
    """The same by gzip."""
    media_type: str
    """What it is called over HTTP."""

    @classmethod
    def of(cls, data: bytes, media_type: str) -> Self:
        """A file with these bytes, packed."""
        return cls(data=data, packed=gzip.compress(data, 9, mtime=0), media_type=media_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """All files of the page."""

    by_path: Mapping[str, File]
    """By their paths: ``create/song.js``."""
    version: str
    """Changes with any of them."""

    @property
    def sheets(self) -> list[str]:
        """The paths of the style sheets; what all views share comes first."""
        found = [path for path in self.by_path if path.endswith(".css")]
        return sorted(found, key=lambda path: ("/" in path, path))

    @property
    def modules(self) -> list[str]:
        """The paths of the scripts that the page begins with: its first, and what that imports."""
        found = {_FIRST: None}
        waiting = [_FIRST]
        while waiting:
            path = waiting.pop()
            for name in _IMPORTS.findall(self.by_path[path].data.decode()):
                imported = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
                if imported not in found:
                    found[imported] = None
                    waiting.append(imported)
        return [*found]


def read_files() -> Files:
    """The files that lie in this package."""
    found = dict(sorted(_walk(files(__package__) / "static", "")))
    total = hashlib.sha256()
    for path, data in found.items():
        total.update(path.encode() + b"\0" + hashlib.sha256(data).digest())
    by_path = {path: File.of(data, _TYPES[path.rpartition(".")[2]]) for path, data in found.items()}
    return Files(by_path=by_path, version=total.hexdigest()[:_DIGITS])


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.rpartition(".")[2] in _TYPES:
            found.append((prefix + entry.name, entry.read_bytes()))
    return found
