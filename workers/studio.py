"""What a worker process keeps from one chunk to the next.

Opening a context, compiling shaders and loading a song take longer than drawing a few frames,
so they stay: the context for good, the last few songs and what is heard of them, the renderers of
the last two pictures (so that a preview between two chunks of an export costs the export nothing),
and what was found in the files of the last few previews.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from contextlib import ExitStack
from typing import Final, Self

import moderngl

from shared.intake import Intake, IntakeSpec
from shared.keys import content_key
from shared.plan import HeardSpec, Picture
from shared.storage import ObjectStore
from workers.engine import identity
from workers.gl.context import is_software, open_context, renderer_name
from workers.hearing import Hearing, find_hearing
from workers.intake import take_in_objects
from workers.midi import Song
from workers.renderer import Renderer

_SONGS_KEPT: Final = 3
_HEARINGS_KEPT: Final = 2
"""Each has 1.6 MB a minute."""
_RENDERERS_KEPT: Final = 2
_INTAKES_KEPT: Final = 8


class Studio:
    """The context, songs and renderers of one process; a context manager."""

    def __init__(self, device_index: int = 0) -> None:
        """Open the context on an EGL device."""
        self._stack = ExitStack()
        self._context: moderngl.Context = self._stack.enter_context(open_context(device_index))
        self._songs: OrderedDict[str, Song] = OrderedDict()
        self._hearings: OrderedDict[str, Hearing] = OrderedDict()
        self._renderers: OrderedDict[str, Renderer] = OrderedDict()
        self._intakes: OrderedDict[str, Intake] = OrderedDict()
        self.engine = identity(self._context)
        self.drawn_by = renderer_name(self._context)
        self.is_software = is_software(self._context)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def draw_here(self) -> None:
        """Have OpenGL draw with this studio's context from now on, in this thread."""
        self._context.__enter__()  # type: ignore[no-untyped-call]  # moderngl has no types there

    def close(self) -> None:
        """Let everything go; a second time does no harm."""
        self._renderers.clear()
        self._songs.clear()
        self._hearings.clear()
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

    def hearing(self, spec: HeardSpec, store: ObjectStore) -> Hearing:
        """What is heard of a song."""
        key = spec.key
        if key not in self._hearings:
            self._hearings[key] = find_hearing(spec, store)
            while len(self._hearings) > _HEARINGS_KEPT:
                self._hearings.popitem(last=False)
        self._hearings.move_to_end(key)
        return self._hearings[key]

    def intake(self, spec: IntakeSpec, store: ObjectStore) -> Intake:
        """What is in files that are in the store; of the same files it was found before.

        Raises:
            InputError: A file is not what it should be.
            StorageError: The object store failed, or a file is missing in it.
        """
        key = spec.model_dump_json()
        found = self._intakes.pop(key, None)
        # Only a song that is still stored can be drawn.
        if found is None or not (found.song_key in self._songs or store.exists(found.song_key)):
            found = take_in_objects(spec, store)
        self._intakes[key] = found
        while len(self._intakes) > _INTAKES_KEPT:
            self._intakes.popitem(last=False)
        return found

    def renderer(self, picture: Picture, store: ObjectStore) -> Renderer:
        """The renderer of a picture; those of the last two stay.

        Pictures that only differ in how they are encoded have the same one.
        """
        key = content_key(picture.seen)
        if key not in self._renderers:
            while len(self._renderers) >= _RENDERERS_KEPT:
                self._renderers.popitem(last=False)
            with ExitStack() as files:
                self._renderers[key] = Renderer(
                    self._context,
                    picture,
                    self.song(picture.song_key, store),
                    lambda name: files.enter_context(store.as_file(name)),
                    hearing=self.hearing(picture.heard, store) if picture.heard else None,
                )
        self._renderers.move_to_end(key)
        return self._renderers[key]


class Studios:
    """The studios of a process, one for each EGL device; one of them draws at a time."""

    def __init__(self) -> None:
        """None is open."""
        self._open: dict[int, Studio] = {}
        self._drawing: Studio | None = None

    def on(self, device_index: int) -> Studio:
        """The studio on a device, ready to draw.

        Raises:
            GLError: There is no OpenGL 3.3 on that device.
        """
        studio = self._open.get(device_index)
        if studio is not None and studio is self._drawing:
            return studio
        # What is freed later would be deleted, by its number, in the other's context.
        gc.collect()
        self._drawing = None
        if studio is None:
            studio = self._open[device_index] = Studio(device_index)
        else:
            studio.draw_here()
        self._drawing = studio
        return studio
