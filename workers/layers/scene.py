"""What every layer draws from: the song, prepared once for one composition at one size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shared.colour import linear_rgba
from shared.composition import Colouring, Composition, Direction, PianoRollLayer
from shared.keyboard import is_black
from shared.layout import Layout, Rect, lay_out
from shared.safe_area import WHOLE, SafeArea
from workers.gl.paintbox import Paintbox
from workers.gl.painter import QuadBrush
from workers.hearing import Hearing
from workers.midi import NoteTable, Song
from workers.music import Music

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
Pixels = NDArray[np.float64]

_CONVERGED: Final = 0.94
"""Part of the way to the middle of a curved stage after which notes are too close to be seen."""


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
    music: Music
    """What follows from the song, such as its beats."""
    hearing: Hearing | None
    """What is heard; None where no layer wants to know, or where there is silence."""
    heard_offset_s: float
    """Song time at which what is heard begins."""
    layout: Layout
    """Where things lie."""
    colours: Floats
    """Linear red, green and blue of each note, float32 (n, 3)."""
    lanes: Floats
    """Both edges of each MIDI key on the pitch axis in pixels, float32 (128, 2)."""
    black: NDArray[np.bool_]
    """Whether each MIDI key is black, (128,)."""

    def brush(
        self,
        paintbox: Paintbox,
        name: str,
        attributes: Mapping[str, int],
        uniforms: Mapping[str, Any] | None = None,
        *,
        area: Rect | None = None,
        strips: int = 6,
        options: Iterable[str] = (),
    ) -> QuadBrush:
        """A brush for rectangles on the stage, which are bent with it.

        Args:
            paintbox: What to draw with.
            name: Of the program; its fragments are multiplied with ``shown(position)``.
            attributes: See QuadBrush.
            uniforms: See QuadBrush.
            area: The part of the straight stage beyond which nothing is seen of a curved one.
            strips: Pieces that rectangles are cut into along the pitch axis where it is curved.
            options: See QuadBrush.
        """
        layout = self.layout
        if not layout.curve_px:
            return QuadBrush(paintbox, name, attributes, uniforms, options=options)
        forward = 1.0 if layout.forward else -1.0
        seen = area or layout.frame
        if layout.curve_px > 0:  # beyond the middle of the circle radii would go on as others
            middle = layout.hit_px - forward * layout.curve_px * _CONVERGED
            near = float(layout.time_extent) if layout.forward else 0.0
            low, high = sorted((middle, near))
            seen = seen.within(layout.box(0, layout.pitch_extent, low, high))
        bend = {
            "curve": (
                layout.curve_middle_px,
                layout.hit_px,
                layout.curve_px,
                layout.curve_lift_px,
            ),
            "turn": layout.curve_rad_per_px,
            "ahead": (0.0, -forward) if layout.vertical else (-forward, 0.0),
            "limits": (seen.x0, seen.y0, seen.x1, seen.y1),
        }
        lying = () if layout.vertical else ("LYING",)
        return QuadBrush(
            paintbox,
            name,
            attributes,
            {**(uniforms or {}), **bend},
            options=(*options, "CURVED", f"STRIPS {strips}", *lying),
        )

    def bent(self, pitch: ArrayLike, time: ArrayLike) -> tuple[Pixels, Pixels]:
        """Where places on the stage lie in the frame; many of Layout.bent at once.

        Args:
            pitch: Along the pitch axis of the straight stage in pixels, (n,).
            time: Along its time axis, (n,) or one for all.

        Returns:
            x and y in pixels, (n,) each.
        """
        layout = self.layout
        pitch, time = np.broadcast_arrays(
            np.asarray(pitch, dtype=np.float64), np.asarray(time, dtype=np.float64)
        )
        if layout.curve_px:
            forward = 1 if layout.forward else -1
            angle = (pitch - layout.curve_middle_px) * layout.curve_rad_per_px
            radius = layout.curve_px - (layout.hit_px - time) * forward
            pitch = layout.curve_middle_px + radius * np.sin(angle)
            sunk = layout.curve_px - radius * np.cos(angle)
            time = layout.hit_px - forward * (sunk + layout.curve_lift_px)
        return (pitch, time) if layout.vertical else (time, pitch)

    def hit_points(self, pitch: ArrayLike) -> tuple[Pixels, Pixels, Pixels, Pixels]:
        """Where places on the hit line lie in the frame, and which way the line runs there.

        Args:
            pitch: Along the pitch axis of the straight stage in pixels, (n,).

        Returns:
            x and y in pixels, and the same of the unit vector along the line, (n,) each.
        """
        pitch = np.asarray(pitch, dtype=np.float64)
        x, y = self.bent(pitch, self.layout.hit_px)
        next_x, next_y = self.bent(pitch + 1, self.layout.hit_px)
        far = np.hypot(next_x - x, next_y - y)
        return x, y, (next_x - x) / far, (next_y - y) / far

    def sound_s(self, moment: Moment) -> float:
        """Time in what is heard."""
        return moment.song_s - self.heard_offset_s

    def recomposed(self, composition: Composition) -> Self:
        """The same song where the numbers of stage, keyboard or colouring are others."""
        notes, layout = self.notes, self.layout
        layout = lay_out(
            composition, layout.width, layout.height, *_extent(notes), layout.safe_area
        )
        return replace(
            self,
            composition=composition,
            layout=layout,
            colours=self.colours
            if composition.colouring is self.composition.colouring
            else note_colours(composition.colouring, notes, self.music),
            lanes=_lanes(layout),
        )


def prepare_scene(
    composition: Composition,
    song: Song,
    width: int,
    height: int,
    safe_area: SafeArea = WHOLE,
    *,
    hearing: Hearing | None = None,
    heard_offset_s: float = 0.0,
) -> Scene:
    """Lay a song out for a composition at a size, in what a platform leaves free of it.

    Args:
        composition: What is drawn.
        song: The whole song.
        width: Of the frame in pixels.
        height: Of the frame in pixels.
        safe_area: What the platform leaves free of it.
        hearing: What is heard, where the composition listens.
        heard_offset_s: Song time at which that begins.
    """
    notes = song.sustained_notes() if composition.sustain_pedal else song.notes
    percussion = notes.is_percussion
    wanted = next(
        (layer.percussion for layer in composition.layers if isinstance(layer, PianoRollLayer)),
        "auto",
    )
    if wanted == "hide" or (wanted == "auto" and not percussion.all()):
        notes = notes.select(~percussion)
    layout = lay_out(composition, width, height, *_extent(notes), safe_area)
    until_s = max(song.duration_s, song.end_s) + composition.tail_s
    music = Music(song, notes, until_s)
    return Scene(
        composition=composition,
        song=song,
        notes=notes,
        music=music,
        hearing=hearing,
        heard_offset_s=heard_offset_s,
        layout=layout,
        colours=note_colours(composition.colouring, notes, music),
        lanes=_lanes(layout),
        black=np.array([is_black(key) for key in range(128)]),
    )


def _extent(notes: NoteTable) -> tuple[int, int]:
    """The lowest and the highest key of some notes; middle C where there are none."""
    return (int(notes.key.min()), int(notes.key.max())) if len(notes) else (60, 60)


def _lanes(layout: Layout) -> Floats:
    return np.array([layout.lane(key) for key in range(128)], dtype=np.float32)


def note_colours(colouring: Colouring, notes: NoteTable, music: Music) -> Floats:
    """Linear colours of notes, float32 (n, 3).

    Args:
        colouring: What chooses them.
        notes: The notes.
        music: What follows from them.
    """
    palette = np.array([linear_rgba(colour)[:3] for colour in colouring.palette], dtype=np.float32)
    keys = np.arange(128)
    velocities = np.arange(128, dtype=np.float32) / 127
    match colouring.by:
        case "part":
            colours = _repeated(palette, music.parts)
        case "track":
            colours = _repeated(palette, music.tracks)
        case "channel":
            colours = _repeated(palette, notes.channel)
        case "hand":
            colours = _repeated(palette, music.hands)
        case "split":
            colours = _repeated(palette, keys >= colouring.split_key)[notes.key]
        case "pitch_class":
            colours = _repeated(palette, keys % 12)[notes.key]
        case "pitch":
            low, high = _extent(notes)
            colours = blended(palette, (keys - low) / max(high - low, 1))[notes.key]
        case "velocity":
            colours = blended(palette, velocities)[notes.velocity]
    black = np.where(np.isin(keys % 12, (1, 3, 6, 8, 10)), colouring.black_key_shade, 1.0)
    soft = 1 - colouring.velocity_shade * (1 - velocities)
    shade = black.astype(np.float32)[notes.key] * soft.astype(np.float32)[notes.velocity]
    colours *= shade[:, None]
    return colours


def _repeated(palette: Floats, number: NDArray[Any]) -> Floats:
    """Colours by number, begun again where there are more numbers than colours, (n, 3)."""
    most = int(number.max()) + 1 if len(number) else 0
    return palette[np.arange(most) % len(palette)][number.astype(np.intp)]


def blended(palette: NDArray[np.floating], places: NDArray[np.floating]) -> Floats:
    """Linear light along some colours, float32 (n, 3).

    Args:
        palette: The colours, linear, (colours, 3).
        places: Where along them, 0 (the first) to 1 (the last), (n,).
    """
    at = np.linspace(0, 1, len(palette))
    return np.stack([np.interp(places, at, palette[:, i]) for i in range(3)], axis=1).astype(
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
