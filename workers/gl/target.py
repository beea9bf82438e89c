"""The frame that is drawn into."""

from __future__ import annotations

from typing import Final

import moderngl

SRGB8_ALPHA8: Final = 0x8C43
"""8 bits a component, sRGB-encoded in memory, linear for every shader and for blending."""


class Target:
    """A colour texture to draw into, its first row the top row of the picture."""

    def __init__(
        self, context: moderngl.Context, width: int, height: int, *, deep: bool = False
    ) -> None:
        """Make a target of that many pixels.

        A deep one holds linear light in 16 bits a component: a step of it is a fifth of a step of
        10-bit video where that is finest, near black. Unlike floats, it clips as 8 bits do.
        """
        self.deep = deep
        self.texture = (
            context.texture((width, height), 4, dtype="nu2")
            if deep
            else context.texture((width, height), 4, internal_format=SRGB8_ALPHA8)
        )
        self.framebuffer = context.framebuffer([self.texture])
