"""Drawing instanced quads: the one thing that every layer does on the GPU."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import moderngl
import numpy as np
from numpy.typing import NDArray

from shared.layout import Rect
from workers.gl.paintbox import Paintbox

Floats = NDArray[np.float32]

#: Premultiplied colour over what is there; a colour with alpha 0 adds light.
OVER: Final = (moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA)

#: What is there grows darker, and more transparent where it is not opaque for good.
FADE: Final = (moderngl.ZERO, moderngl.ONE_MINUS_SRC_ALPHA)

#: What is there is forgotten.
REPLACE: Final = (moderngl.ONE, moderngl.ZERO)


@contextmanager
def clipped(context: moderngl.Context, area: Rect) -> Iterator[None]:
    """Draw nothing outside of an area, rounded to whole pixels, in this block."""
    left, top = round(area.x0), round(area.y0)
    context.scissor = left, top, round(area.x1) - left, round(area.y1) - top
    try:
        yield
    finally:
        context.scissor = None


class QuadBrush:
    """Draws many rectangles in one call.

    Each instance is a row of floats, cut into the program's ``in`` variables in the order of
    ``attributes``. All programs share ``quad.glsl``, which spans the rectangle ``box`` (left,
    top, right, bottom in pixels) grown by ``margin``.

    Brushes of one name share their program; each has uniforms of its own.
    """

    def __init__(
        self,
        paintbox: Paintbox,
        name: str,
        attributes: Mapping[str, int],
        uniforms: Mapping[str, Any] | None = None,
        *,
        options: Iterable[str] = (),
    ) -> None:
        """Take ``shaders/<name>.glsl``.

        Args:
            paintbox: Compiles it, and gives the size of the frame.
            name: Of the program.
            attributes: Number of floats of each per-instance variable, in order.
            uniforms: Values that stay the same.
            options: Words to define in the program: llvmpipe computes both sides of a branch.
        """
        self._context = paintbox.context
        self._program = paintbox.program(name, attributes, frozenset(options))
        self._uniforms: dict[str, Any] = {"frame": paintbox.size, **(uniforms or {})}

    def set(self, **uniforms: Any) -> None:
        """Give uniforms other values."""
        self._uniforms = self._uniforms | uniforms

    def draw(self, instances: Floats, *, blend: tuple[int, int] = OVER) -> None:
        """Draw one rectangle per row.

        Args:
            instances: float32, shape (n, width), contiguous.
            blend: OVER, FADE or REPLACE.
        """
        if len(instances) == 0:
            return
        if blend == REPLACE:  # blending with nothing takes llvmpipe as long as any other
            self._context.disable(moderngl.BLEND)
        else:
            self._context.enable(moderngl.BLEND)
            self._context.blend_func = blend
        self._program.draw(instances, self._uniforms)
