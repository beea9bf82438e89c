"""Object keys and content keys.

A content key is the SHA-256 of everything that determines an object's bytes. What has the same
content key has the same bytes, so it is made once and found again by a retry, a re-export or a
second attempt.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel


def digest(data: bytes) -> str:
    """SHA-256 of bytes in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def content_key(facts: Mapping[str, Any]) -> str:
    """SHA-256 over facts in canonical JSON: sorted keys, no spaces, models by their fields."""

    def plain(value: Any) -> Any:
        if isinstance(value, BaseModel):
            return value.model_dump(mode="json")
        return str(value)

    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), default=plain)
    return digest(text.encode())


def asset_key(sha256: str) -> str:
    """Where an uploaded file is kept: by the hash of its bytes."""
    return f"assets/{sha256[:2]}/{sha256}"


def song_key(content: str) -> str:
    """Where an analysed MIDI file is kept."""
    return f"songs/{content[:2]}/{content}.npz"


def segment_key(content: str) -> str:
    """Where the encoded segment of a chunk is kept."""
    return f"segments/{content[:2]}/{content}.mp4"


def audio_key(content: str) -> str:
    """Where the encoded sound of an export is kept."""
    return f"audio/{content[:2]}/{content}.mp4"


def result_key(content: str) -> str:
    """Where a finished video is kept."""
    return f"exports/{content[:2]}/{content}.mp4"


def attempt_key(key: str, attempt: str) -> str:
    """Where one attempt writes what belongs to ``key``, so that no two write to the same place.

    ``segments/ab/abcd.mp4`` in attempt ``a17`` becomes ``segments/ab/abcd.a17.mp4``.

    Args:
        key: Object key with a suffix in its last name, or without.
        attempt: Letters, digits, ``_`` and ``-``.

    Raises:
        ValueError: The attempt's name does not fit into a key.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", attempt):
        raise ValueError(f"{attempt!r} is no name of an attempt that fits into an object key.")
    folder, slash, name = key.rpartition("/")
    stem, dot, suffix = name.rpartition(".")
    named = f"{stem}.{attempt}{dot}{suffix}" if stem else f"{name}.{attempt}"
    return folder + slash + named
