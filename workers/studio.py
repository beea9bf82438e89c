"""What a worker process keeps from one chunk to the next.

Opening a context, compiling shaders and loading a song take longer than drawing a few frames,
so they stay: the context for good, the last few songs, and the renderer of the last picture.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from contextlib import ExitStack
from typing import Final, Self

import moderngl

from shared.plan import Picture
from shared.storage import ObjectStore
from workers.engine import identity
from workers.gl.context import open_context
from workers.midi import Song
from workers.renderer import Renderer

_SONGS_KEPT: Final = 3


class Studio:
    """The context, songs and renderer of one process; a context manager."""

    def __init__(self, device_index: int = 0) -> None:
        """Open the context on an EGL device."""
        self._stack = ExitStack()
        self._context: moderngl.Context = self._stack.enter_context(open_context(device_index))
        self._songs: OrderedDict[str, Song] = OrderedDict()
        self._renderer: tuple[Picture, Renderer] | None = None
        self.engine = identity(self._context)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let everything go; a second time does no harm."""
        self._renderer = None
        self._songs.clear()
        # What is freed after its context would be deleted, by its number, in whichever is current.
        gc.collect()
        self._stack.close()

    def song(self, key: str, store: ObjectStore) -> Song:
        """An analysed song."""
        if key not in self._songs:
            self._songs[key] = Song.from_bytes(store.get_bytes(key))
            while len(self._songs) > _SONGS_KEPT:
                self._songs.popitem(last=False)
        self._songs.move_to_end(key)
        return self._songs[key]

    def renderer(self, picture: Picture, store: ObjectStore) -> Renderer:
        """The renderer of a picture; the last one is kept."""
        if self._renderer is None or self._renderer[0] != picture:
            self._renderer = None
            with ExitStack() as files:
                renderer = Renderer(
                    self._context,
                    picture,
                    self.song(picture.song_key, store),
                    lambda key: files.enter_context(store.as_file(key)),
                )
            self._renderer = (picture, renderer)
        return self._renderer[1]
