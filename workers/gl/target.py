"""What is drawn into."""

from __future__ import annotations

from typing import Final

import moderngl

SRGB8_ALPHA8: Final = 0x8C43
"""8 bits a component, sRGB-encoded in memory, linear for every shader and for blending."""


class Target:
    """A colour texture to draw a frame into, its first row the top row of the picture."""

    def __init__(
        self, context: moderngl.Context, size: tuple[int, int], *, deep: bool = False
    ) -> None:
        """Make a target of that many pixels across and down.

        A deep one holds linear light in 16 bits a component: a step of it is a fifth of a step of
        10-bit video where that is finest, near black. Unlike floats, it clips as 8 bits do.
        """
        self.deep = deep
        self.size = size
        self.texture = (
            context.texture(size, 4, dtype="nu2")
            if deep
            else context.texture(size, 4, internal_format=SRGB8_ALPHA8)
        )
        self.framebuffer = context.framebuffer([self.texture])


class Canvas:
    """A texture for light of any strength, in 16-bit floats: what is finished before it is seen.

    Light adds up in it beyond white; the finish brings it back.
    """

    def __init__(self, context: moderngl.Context, size: tuple[int, int]) -> None:
        """Make one of that many pixels across and down."""
        self.size = size
        self.texture = context.texture(size, 4, dtype="f2")
        self.texture.repeat_x = self.texture.repeat_y = False
        self.texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
        self.framebuffer = context.framebuffer([self.texture])
