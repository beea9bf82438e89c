"""SoundFonts: finding an installed one, and checking one before it is played.

The synthesiser is small C code that trusts the file's indices, so a damaged SoundFont would make
it read beyond its arrays. Everything that it follows is checked here first, after the "SoundFont
Technical Specification 2.04", sections 4 to 7.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from shared.errors import MediaError

_FOLDERS: Final = (
    "~/.local/share/soundfonts",
    "~/.local/share/sounds/sf2",
    "~/.local/share/sounds/sf3",
    "~/.local/share/sounds",
    "/usr/local/share/soundfonts",
    "/usr/local/share/sounds/sf2",
    "/usr/share/soundfonts",  # Fedora, Arch
    "/usr/share/sounds/sf2",  # Debian, Ubuntu
    "/usr/share/sounds/sf3",
)

_BEST_FIRST: Final = (
    "generaluser",
    "musescore_general",
    "fluidr3",
    "musescore",
    "timgm",
    "default",
)
"""Words in the names of general MIDI fonts, the better ones first."""

_INSTRUMENT: Final = 41
_SAMPLE_ID: Final = 53
"""Generators whose amount is an index into inst and shdr (specification, section 8.1.2)."""

_RECORDS: Final = {"phdr": 38, "pbag": 4, "pgen": 4, "inst": 22, "ibag": 4, "igen": 4, "shdr": 46}
"""Sub-chunks of pdta that are followed, and the bytes of one record (section 7)."""

_COMPRESSED: Final = 0x10
"""Flag of a sample in Ogg Vorbis (sf3); its bounds are bytes."""

_SAMPLE: Final = np.dtype(
    {
        "names": ["start", "end", "type"],
        "formats": ["<u4", "<u4", "<u2"],
        "offsets": [20, 24, 44],
        "itemsize": 46,
    }
)


def find_soundfont(folders: tuple[str, ...] = _FOLDERS) -> Path | None:
    """A SoundFont that is installed on this machine, or None.

    The places of the freedesktop data folders and of Debian, Fedora and Arch are searched;
    the better fonts are preferred by name, then earlier folders, then names in their order.
    """
    found: list[tuple[int, int, str, Path]] = []
    for place, folder in enumerate(folders):
        root = Path(folder).expanduser()
        if not root.is_dir():
            continue
        for path in root.iterdir():
            if path.suffix.lower() in {".sf2", ".sf3"} and path.is_file():
                name = path.name.lower()
                rank = next((i for i, word in enumerate(_BEST_FIRST) if word in name), 99)
                found.append((rank, place, path.name, path))
    return min(found)[3] if found else None


def check_soundfont(path: Path) -> None:
    """Make sure that a SoundFont can be played without harm.

    Raises:
        MediaError: It is no SoundFont, or a damaged one.
    """
    try:
        with path.open("rb") as file:
            _check(file, path.stat().st_size)
    except (struct.error, ValueError, KeyError) as exc:
        raise MediaError(
            f"The SoundFont {path.name} cannot be used: {exc.args[0] if exc.args else exc}. "
            "Use a complete .sf2 or .sf3 file."
        ) from exc


def _check(file: BinaryIO, size_bytes: int) -> None:
    head = file.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise ValueError("it is no SoundFont")
    end = 8 + int.from_bytes(head[4:8], "little")
    if end > size_bytes:
        raise ValueError("it was cut off")
    chunks: dict[str, tuple[int, int]] = {}
    position = 12
    while position + 12 <= end:
        file.seek(position)
        tag, length, form = struct.unpack("<4sI4s", file.read(12))
        if position + 8 + length > end:
            raise ValueError("one of its parts is longer than the file")
        if tag == b"LIST" and form in {b"sdta", b"pdta"}:
            chunks |= _children(file, position + 12, position + 8 + length)
        position += 8 + length + length % 2
    if "smpl" not in chunks and "smpo" not in chunks:
        raise ValueError("it has no samples")
    tables = {name: _table(file, chunks, name, width) for name, width in _RECORDS.items()}
    # A sample of smpo (a .sfo file) is always compressed.
    points = chunks["smpl"][1] // 2 if "smpl" in chunks else None
    _check_tables(tables, points)


def _children(file: BinaryIO, position: int, end: int) -> dict[str, tuple[int, int]]:
    """Names, places and lengths of the sub-chunks between two places of the file."""
    found: dict[str, tuple[int, int]] = {}
    while position + 8 <= end:
        file.seek(position)
        tag, length = struct.unpack("<4sI", file.read(8))
        if position + 8 + length > end:
            raise ValueError("one of its parts is longer than the part around it")
        found[tag.decode("latin-1")] = (position + 8, length)
        position += 8 + length + length % 2
    return found


def _table(
    file: BinaryIO, chunks: dict[str, tuple[int, int]], name: str, width: int
) -> NDArray[np.uint8]:
    """The records of one table, shape (records, bytes of a record)."""
    if name not in chunks:
        raise ValueError(f"its table {name} is missing")
    position, length = chunks[name]
    if length == 0 or length % width:
        raise ValueError(f"its table {name} has a broken length")
    file.seek(position)
    return np.frombuffer(file.read(length), np.uint8).reshape(-1, width)


def _check_tables(tables: dict[str, NDArray[np.uint8]], points: int | None) -> None:
    """Follow every index from the presets down to the samples, as the synthesiser does."""
    for owner, bags, offset in (("phdr", "pbag", 24), ("inst", "ibag", 20)):
        if len(tables[owner]) < 2:
            raise ValueError(f"its table {owner} is empty")
        _check_indices(_words(tables[owner], offset), len(tables[bags]), owner)
    for bags, generators in (("pbag", "pgen"), ("ibag", "igen")):
        _check_indices(_words(tables[bags], 0), len(tables[generators]), bags)
    for generators, operator, target in (
        ("pgen", _INSTRUMENT, "inst"),
        ("igen", _SAMPLE_ID, "shdr"),
    ):
        table = tables[generators]
        amounts = _words(table, 2)[_words(table, 0) == operator]
        # The last record of a table only marks its end.
        if amounts.size and int(amounts.max()) >= len(tables[target]) - 1:
            raise ValueError(f"its table {generators} points beyond {target}")
    if points is not None:
        samples = tables["shdr"].tobytes()
        headers = np.frombuffer(samples, _SAMPLE)[:-1]
        plain = headers[(headers["type"] & _COMPRESSED) == 0]
        if np.any(plain["start"] > plain["end"]) or np.any(plain["end"] > points):
            raise ValueError("one of its samples lies outside of the file")


def _words(table: NDArray[np.uint8], offset: int) -> NDArray[np.int64]:
    """The 16-bit number at a place of every record."""
    low, high = table[:, offset].astype(np.int64), table[:, offset + 1].astype(np.int64)
    return low | high << 8


def _check_indices(indices: NDArray[np.int64], count: int, table: str) -> None:
    if np.any(np.diff(indices) < 0) or int(indices.max()) >= count + (table in {"pbag", "ibag"}):
        raise ValueError(f"its table {table} points beyond the next one")
