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
from typing import Any, Final

from pydantic import BaseModel


def digest(data: bytes) -> str:
    """SHA-256 of bytes in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


RESULTS: Final = "exports/"
"""Where finished videos and their posters are."""
KEPT_FRAMES: Final = "frames/"
"""Where frames are kept without loss, for a while."""
ANALYSES: Final = "analysis/"
"""Where findings about recordings are kept, for who asks again."""

LOGS: Final = "logs/"
"""Where the logs of attempts are, in the order in which they began."""
_LOGS_TOGETHER: Final = 10_000


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
    """Where the encoded segment of a chunk is kept, in whatever container its codec needs."""
    return f"segments/{content[:2]}/{content}.segment"


def audio_key(content: str) -> str:
    """Where the encoded sound of an export is kept."""
    return f"audio/{content[:2]}/{content}.mp4"


def contour_key(content: str) -> str:
    """Where what was learnt of a sound is kept, for every export that makes it heard."""
    return f"{ANALYSES}{content[:2]}/{content}.npz"


def hearing_key(content: str) -> str:
    """Where what the picture hears of a sound is kept, for every chunk and every export of it."""
    return f"{ANALYSES}{content[:2]}/{content}.hearing"


def frames_key(content: str) -> str:
    """Where the frames of a chunk are kept without loss, for a while."""
    return f"{KEPT_FRAMES}{content[:2]}/{content}.frames"


def survey_key(content: str) -> str:
    """Where the finding of a survey is kept."""
    return f"surveys/{content[:2]}/{content}.json"


def preview_key(content: str, suffix: str) -> str:
    """Where a preview is kept."""
    return f"previews/{content[:2]}/{content}.{suffix}"


def result_key(content: str, suffix: str = "mp4") -> str:
    """Where a finished video is kept."""
    return f"{RESULTS}{content[:2]}/{content}.{suffix}"


def poster_key(result: str) -> str:
    """Where the poster frame of a finished video is kept: beside it."""
    return f"{result.rpartition('.')[0]}.jpg"


def log_key(attempt_id: int) -> str:
    """Where the log of an attempt is kept, so that a listing has the oldest before."""
    return f"{LOGS}{attempt_id // _LOGS_TOGETHER:015d}/{attempt_id:019d}.jsonl"


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
