"""Drawing instanced quads: the one thing that every layer does on the GPU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any, Final

import moderngl
import numpy as np
from numpy.typing import NDArray

from shared.layout import Layout, Rect

Floats = NDArray[np.float32]

_CORNERS: Final = np.array([0, 0, 1, 0, 0, 1, 1, 1], dtype=np.float32)

#: Premultiplied colour over what is there; a colour with alpha 0 adds light.
OVER: Final = (moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA)

#: What is there grows darker, and more transparent where it is not opaque for good.
FADE: Final = (moderngl.ZERO, moderngl.ONE_MINUS_SRC_ALPHA)


@cache
def _source(name: str) -> str:
    return files("workers.gl").joinpath("shaders", f"{name}.glsl").read_text("utf-8")


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
    """One shader program that draws many rectangles in one call.

    Each instance is a row of floats, cut into the program's ``in`` variables in the order of
    ``attributes``. All programs share ``quad.glsl``, which spans the rectangle ``box`` (left,
    top, right, bottom in pixels) grown by ``margin``.
    """

    def __init__(
        self,
        context: moderngl.Context,
        layout: Layout,
        name: str,
        attributes: Mapping[str, int],
        uniforms: Mapping[str, Any] | None = None,
    ) -> None:
        """Compile ``shaders/<name>.glsl``.

        Args:
            context: The context to draw in.
            layout: Gives the size of the frame.
            name: Of the program.
            attributes: Number of floats of each per-instance variable, in order.
            uniforms: Values that stay the same.
        """
        self._context = context
        self.width = sum(attributes.values())
        source = _source("quad") + _source(name)
        self._program = context.program(
            vertex_shader=f"#version 330\n#define VERTEX\n{source}",
            fragment_shader=f"#version 330\n#define FRAGMENT\n{source}",
        )
        self.set(frame=(layout.width, layout.height), **(uniforms or {}))
        self._corners = context.buffer(_CORNERS)
        self._format = " ".join(f"{size}f" for size in attributes.values()) + "/i"
        self._names = tuple(attributes)
        self._reserve(64)

    def _reserve(self, instances: int) -> None:
        self._capacity = instances
        self._buffer = self._context.buffer(reserve=instances * self.width * 4, dynamic=True)
        self._quads = self._context.vertex_array(
            self._program,
            [(self._corners, "2f", "corner"), (self._buffer, self._format, *self._names)],
        )

    def set(self, **uniforms: Any) -> None:
        """Give uniforms their values; those that a program does not use are passed over."""
        for name, value in uniforms.items():
            if name in self._program:
                self._program[name] = value

    def draw(self, instances: Floats, *, blend: tuple[int, int] = OVER) -> None:
        """Draw one rectangle per row.

        Args:
            instances: float32, shape (n, width), contiguous.
            blend: OVER or FADE.
        """
        count = len(instances)
        if count == 0:
            return
        if count > self._capacity:
            self._reserve(1 << (count - 1).bit_length())
        self._buffer.write(instances)
        self._context.enable(moderngl.BLEND)
        self._context.blend_func = blend
        self._quads.render(moderngl.TRIANGLE_STRIP, vertices=4, instances=count)
