"""Lettering: lines of text set once as masks, and drawn in any colour.

A mask is set at the size at which it is seen, so that it is drawn pixel on pixel; behind it lies
a soft shade (the halo) of the opposite brightness, which keeps letters readable over anything.
Lines are shaped as wholes, so that Arabic, Hebrew and Indic scripts are written as they should.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import moderngl
import numpy as np
from PIL import Image, ImageFilter

from shared.layout import Rect
from workers.easing import RGBA
from workers.gl.paintbox import Paintbox
from workers.gl.painter import QuadBrush
from workers.lettering.faces import SMALLEST_PX, Face, Line, Run, face_for

Align = Literal["left", "centre", "right"]

_WIDEST_PX: Final = 8192
"""Of a block, and the most of its height: less than any OpenGL 3.3 can do with in practice."""
_TIGHT, _WIDE = 0.05, 0.20
"""Reach of both parts of a halo in sizes of the letters: the first parts letters from what is as
bright, the second calms what lies around them."""
_PAD: Final = 0.55
"""Room for the halo around the letters."""
_LEADING: Final = 1.25
"""Height of a line in sizes of its letters, or a little more than that of most fonts."""


@dataclass(frozen=True, kw_only=True)
class Lettering:
    """Lines that were set."""

    mask: moderngl.Texture
    """The letters, with a pad around them."""
    halo: moderngl.Texture
    """The shade behind them, smaller by ``coarse``."""
    coarse: int
    """Pixels of the mask to one of the halo along either axis."""
    pad: int
    """Pixels around the letters in the mask."""
    width_px: int
    """Of the block, without the pad."""
    height_px: int
    """Of the block, without the pad."""
    lines: tuple[Rect, ...]
    """Where each line lies in the block."""


def plain_lines(texts: Iterable[str], size_px: float) -> tuple[Line, ...]:
    """Lines of one size."""
    return tuple((Run(text=text, size_px=size_px),) for text in texts)


def set_lines(
    paintbox: Paintbox,
    lines: tuple[Line, ...],
    *,
    widest_px: float,
    tallest_px: float,
    font: str | None = None,
    align: Align = "centre",
    tabular: bool = False,
) -> Lettering:
    """Set lines beneath each other; those in use are kept.

    Args:
        paintbox: What they will be drawn with.
        lines: What is written.
        widest_px: All are set smaller where one would be wider, …
        tallest_px: … or where all together would be taller.
        font: Object key of a font; the built-in one without it, and for what it lacks.
        align: How lines of different width stand.
        tabular: Whether all digits are equally wide.
    """
    data = paintbox.font(font) if font is not None else None
    room = (min(max(widest_px, 1.0), _WIDEST_PX), min(max(tallest_px, 1.0), _WIDEST_PX))
    return paintbox.keep(
        ("lettering", lines, room, font, align, tabular),
        lambda: _set(paintbox, lines, room, data, align, tabular),
    )


def _set(
    paintbox: Paintbox,
    lines: Sequence[Line],
    room: tuple[float, float],
    data: bytes | None,
    align: Align,
    tabular: bool,
) -> Lettering:
    set_faces = _fitted(lines, room, data, tabular)
    widths = [sum(face.width() for face in faces) for faces in set_faces]
    largest = max((face.font.size for faces in set_faces for face in faces), default=SMALLEST_PX)
    pad = 3 + int(_PAD * largest)
    width = min(round(max(widths, default=0.0) + 0.5), _WIDEST_PX)
    boxes, baselines, top = [], [], 0.0
    for faces, own in zip(set_faces, widths, strict=True):
        metrics = [(face.font.getmetrics(), face.rise_px) for face in faces]
        ascent = max((up + rise for (up, _), rise in metrics), default=0.0)
        descent = max((down - rise for (_, down), rise in metrics), default=0.0)
        left = {"left": 0.0, "centre": (width - own) / 2, "right": width - own}[align]
        boxes.append(Rect(left, top, left + own, top + ascent + descent))
        baselines.append(top + ascent)
        top += ascent + descent
    height = min(max(1, round(top + 0.5)), _WIDEST_PX)
    mask = Image.new("L", (max(1, width) + 2 * pad, height + 2 * pad))
    for faces, box, baseline in zip(set_faces, boxes, baselines, strict=True):
        x = pad + box.x0
        for face in faces:
            face.draw(mask, x, pad + round(baseline))
            x += face.width()
    coarse = max(1, min(8, int(_TIGHT * largest)))
    return Lettering(
        mask=paintbox.mask(mask),
        halo=paintbox.mask(halo_of(mask, largest, coarse)),
        coarse=coarse,
        pad=pad,
        width_px=max(1, width),
        height_px=height,
        lines=tuple(boxes),
    )


def _fitted(
    lines: Sequence[Line], room: tuple[float, float], data: bytes | None, tabular: bool
) -> list[list[Face]]:
    """The faces of lines, all of them smaller where one is too wide or there are too many."""
    widest, tallest = room
    whole = sum(max((run.size_px + run.rise_px for run in line), default=0.0) for line in lines)
    scale = min(1.0, tallest / (_LEADING * whole)) if whole else 1.0
    fitted = [[face_for(run, data, scale=scale, tabular=tabular) for run in line] for line in lines]
    width = max((sum(face.width() for face in faces) for faces in fitted), default=0.0)
    if width <= widest:
        return fitted
    scale *= widest / width
    return [[face_for(run, data, scale=scale, tabular=tabular) for run in line] for line in lines]


def halo_of(mask: Image.Image, size_px: float, coarse: int) -> Image.Image:
    """The shade behind letters: dense where they are, and far around them a little."""
    small = mask.reduce(coarse)
    unit = size_px / coarse
    tight = np.asarray(small.filter(ImageFilter.GaussianBlur(_TIGHT * unit)), dtype=np.float32)
    wide = np.asarray(small.filter(ImageFilter.GaussianBlur(_WIDE * unit)), dtype=np.float32)
    light = (1 - np.clip(1.7 * wide / 255, 0, 1)) * (1 - np.clip(1.3 * tight / 255, 0, 1))
    return Image.fromarray(np.rint(255 * (1 - light)).astype(np.uint8))


def opposite(colour: RGBA) -> tuple[float, float, float]:
    """What parts letters of a colour from what is as bright: black or white."""
    return (0.0, 0.0, 0.0) if luminance(colour) > 0.25 else (1.0, 1.0, 1.0)


def luminance(colour: RGBA) -> float:
    """Of a linear colour (ITU-R BT.709)."""
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]


class Letterer:
    """Draws lettering."""

    def __init__(self, paintbox: Paintbox, **edges: tuple[float, float, float]) -> None:
        """Take the brush.

        Args:
            paintbox: What to draw with.
            edges: ``edges=(left, right, reach)`` where all fades towards two sides.
        """
        self._brush = QuadBrush(
            paintbox,
            "sprite",
            {"box": 4, "piece": 4, "colour": 4},
            edges,
            options=("EDGED",) if edges else (),
        )

    def draw(
        self,
        text: Lettering,
        left: float,
        top: float,
        colour: RGBA,
        *,
        halo: float = 0.0,
        scale: float = 1.0,
    ) -> None:
        """Draw a block.

        Args:
            text: What was set.
            left: Left edge of the block in pixels; whole ones keep it sharp.
            top: Its top edge.
            colour: Linear, not premultiplied.
            halo: Strength of the shade behind it, 0 to 1.
            scale: Of the block, from its top left corner.
        """
        if halo > 0:
            shade = (*opposite(colour), halo * colour[3])
            self.put(text.halo, self.halo_box(text, left, top, scale), shade)
        self.put(text.mask, mask_box(text, left, top, scale), colour)

    def halo_box(
        self, text: Lettering, left: float, top: float, scale: float = 1.0
    ) -> tuple[float, ...]:
        """Where the shade of a block lies that has its top left corner there."""
        left, top = left - text.pad * scale, top - text.pad * scale
        wide, tall = (side * text.coarse * scale for side in text.halo.size)
        return left, top, left + wide, top + tall

    def put(self, texture: moderngl.Texture, box: tuple[float, ...], colour: RGBA) -> None:
        """Draw a whole mask in a colour."""
        texture.use(0)
        self._brush.draw(np.array([[*box, 0, 0, 1, 1, *colour]], dtype=np.float32))


def mask_box(text: Lettering, left: float, top: float, scale: float = 1.0) -> tuple[float, ...]:
    """Where the mask of a block lies that has its top left corner there."""
    left, top = left - text.pad * scale, top - text.pad * scale
    wide, tall = (side * scale for side in text.mask.size)
    return left, top, left + wide, top + tall
