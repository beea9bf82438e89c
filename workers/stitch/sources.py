"""What a stitch is made from: segments and sound, each seen to be what its maker told of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import DamagedObjectError, RenderError
from shared.plan import StitchSpec
from shared.storage import ObjectStore


class Sources:
    """The objects of one stitch, read one at a time."""

    def __init__(self, spec: StitchSpec, store: ObjectStore) -> None:
        """Look for nothing yet.

        Raises:
            RenderError: A segment was planned to be shown twice.
        """
        if len(set(spec.segment_keys)) < len(spec.segment_keys):
            raise RenderError("A segment was planned to be shown twice.")
        self._spec = spec
        self._store = store

    def __len__(self) -> int:
        """How many segments there are."""
        return len(self._spec.segment_keys)

    def segment_name(self, index: int) -> str:
        """What a segment is called in a message."""
        return self._spec.segment_keys[index]

    @contextmanager
    def segment(self, index: int) -> Iterator[Path]:
        """A segment as a file to read.

        Raises:
            DamagedObjectError: Its bytes are not those that its maker told of.
            ObjectNotFoundError: It is gone.
        """
        hashes = self._spec.segment_sha256
        key = self._spec.segment_keys[index]
        with self._intact(key, hashes[index] if hashes else "") as path:
            yield path

    @contextmanager
    def sound(self) -> Iterator[Path | None]:
        """The encoded sound as a file to read; None where there is none.

        Raises:
            DamagedObjectError: Its bytes are not those that its maker told of.
            ObjectNotFoundError: It is gone.
        """
        audio = self._spec.audio
        if audio is None:
            yield None
            return
        with self._intact(audio.key, self._spec.audio_sha256) as path:
            yield path

    def gone(self) -> list[str]:
        """The keys that hold no object any more."""
        audio = self._spec.audio
        keys = [*self._spec.segment_keys, *([audio.key] if audio else [])]
        return [key for key in keys if not self._store.exists(key)]

    @contextmanager
    def _intact(self, key: str, sha256: str) -> Iterator[Path]:
        with self._store.as_file(key) as path:
            if sha256:
                with path.open("rb") as file:
                    found = hashlib.file_digest(file, "sha256").hexdigest()
                if found != sha256:
                    raise DamagedObjectError(
                        f"The object {key} is damaged: its bytes are not those that were stored.",
                        key=key,
                    )
            yield path
