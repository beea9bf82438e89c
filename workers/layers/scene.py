"""What every layer draws from: the song, prepared once for one composition at one size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shared.colour import linear_rgba
from shared.composition import Colouring, Composition, Direction, PianoRollLayer
from shared.keyboard import is_black
from shared.layout import Layout, Rect, lay_out
from shared.safe_area import WHOLE, SafeArea
from workers.midi import NoteTable, Song

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, as layers see it."""

    song_s: float
    """Song time in seconds: 0 is the first tick of the MIDI."""
    video_s: float
    """Video time in seconds: 0 is the first frame."""


class Layer(Protocol):
    """One visual element of a composition.

    A layer draws a pure function of (composition, time): nothing may be kept from the frame
    before. What does not depend on time is its still part, drawn once where nothing that moves
    lies beneath it.
    """

    @property
    def still(self) -> Rect | None:
        """What the still part may touch; None where there is none."""
        ...

    @property
    def moving(self) -> Rect | None:
        """What the moving part may touch; None where there is none."""
        ...

    def draw_still(self) -> None:
        """Draw the part that does not depend on time."""
        ...

    def draw(self, moment: Moment) -> None:
        """Draw the moving part."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A song laid out in a frame."""

    composition: Composition
    """What is drawn."""
    song: Song
    """The whole song."""
    notes: NoteTable
    """The notes that are drawn, with or without pedal and percussion as the composition asks."""
    layout: Layout
    """Where things lie."""
    colours: Floats
    """Linear red, green and blue of each note, float32 (n, 3)."""
    lanes: Floats
    """Both edges of each MIDI key on the pitch axis in pixels, float32 (128, 2)."""
    black: NDArray[np.bool_]
    """Whether each MIDI key is black, (128,)."""
    asset: Callable[[str], Path]
    """Finds the local file of an asset by its object key."""


def prepare_scene(
    composition: Composition,
    song: Song,
    width: int,
    height: int,
    asset: Callable[[str], Path],
    safe_area: SafeArea = WHOLE,
) -> Scene:
    """Lay a song out for a composition at a size, in what a platform leaves free of it."""
    notes = song.sustained_notes() if composition.sustain_pedal else song.notes
    percussion = notes.is_percussion
    wanted = next(
        (layer.percussion for layer in composition.layers if isinstance(layer, PianoRollLayer)),
        "auto",
    )
    if wanted == "hide" or (wanted == "auto" and not percussion.all()):
        notes = notes.select(~percussion)
    lowest, highest = (int(notes.key.min()), int(notes.key.max())) if len(notes) else (60, 60)
    layout = lay_out(composition, width, height, lowest, highest, safe_area)
    lanes = np.array([layout.lane(key) for key in range(128)], dtype=np.float32)
    return Scene(
        composition=composition,
        song=song,
        notes=notes,
        layout=layout,
        colours=note_colours(composition.colouring, notes),
        lanes=lanes,
        black=np.array([is_black(key) for key in range(128)]),
        asset=asset,
    )


def note_colours(colouring: Colouring, notes: NoteTable) -> Floats:
    """Linear colours of notes, float32 (n, 3)."""
    palette = np.array([linear_rgba(colour)[:3] for colour in colouring.palette], dtype=np.float32)
    key, velocity = notes.key.astype(np.int64), notes.velocity.astype(np.float32)
    match colouring.by:
        case "part":
            colours = _ranked(palette, notes.track.astype(np.int64) * 16 + notes.channel)
        case "track":
            colours = _ranked(palette, notes.track.astype(np.int64))
        case "channel":
            colours = palette[notes.channel % len(palette)]
        case "pitch_class":
            colours = palette[key % 12 % len(palette)]
        case "pitch":
            span = max(int(key.max() - key.min()), 1) if len(key) else 1
            low = int(key.min()) if len(key) else 0
            colours = _blended(palette, (key - low).astype(np.float32) / span)
        case "velocity":
            colours = _blended(palette, velocity / 127)
    shade = np.where(np.isin(key % 12, (1, 3, 6, 8, 10)), colouring.black_key_shade, 1.0)
    shade = shade * (1 - colouring.velocity_shade * (1 - velocity / 127))
    return np.ascontiguousarray(colours * shade[:, None], dtype=np.float32)


def _ranked(palette: Floats, part: Indices) -> Floats:
    """Colours by rank among the parts that have notes."""
    _, rank = np.unique(part, return_inverse=True)
    return palette[rank % len(palette)]


def _blended(palette: Floats, place: NDArray[np.floating]) -> Floats:
    """Colours along the palette, ``place`` 0 to 1, blended in linear light."""
    at = np.linspace(0, 1, len(palette))
    return np.stack([np.interp(place, at, palette[:, i]) for i in range(3)], axis=1).astype(
        np.float32
    )


def set_boxes(
    rows: Floats,
    layout: Layout,
    pitch0: ArrayLike,
    pitch1: ArrayLike,
    time0: ArrayLike,
    time1: ArrayLike,
) -> None:
    """Fill the box of each instance, its first four columns; many of Layout.box at once.

    Args:
        rows: Instances, float32 (n, 4 or more), written in place.
        layout: Says which axis is which.
        pitch0: Lower edges along the pitch axis in pixels, (n,) or one for all.
        pitch1: Upper edges along the pitch axis.
        time0: Lower edges along the time axis.
        time1: Upper edges along the time axis.
    """
    pitch, time = ((0, 2), (1, 3)) if layout.vertical else ((1, 3), (0, 2))
    rows[:, pitch[0]], rows[:, pitch[1]] = pitch0, pitch1
    rows[:, time[0]], rows[:, time[1]] = time0, time1


def depth_axis(direction: Direction) -> tuple[float, float]:
    """Unit vector from the hit line towards the front edge of the keys."""
    return {
        Direction.FALLING: (0.0, 1.0),
        Direction.RISING: (0.0, -1.0),
        Direction.LEFT: (-1.0, 0.0),
        Direction.RIGHT: (1.0, 0.0),
    }[direction]
