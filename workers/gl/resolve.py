"""The finished frame as pictures hold it: encoded as sRGB, with straight alpha."""

from __future__ import annotations

from typing import Final

import moderngl
import numpy as np

from shared.layout import Layout
from workers.gl.painter import QuadBrush
from workers.gl.target import Target

_REPLACE: Final = (moderngl.ONE, moderngl.ZERO)
_ALPHA_STEPS: Final = {False: 255, True: 1023}
"""Values of alpha above 0 in 8 bits, and in the 10 bits that deep frames are encoded with."""


class Resolved:
    """A target in other words: colours that need no light to be understood, alpha not multiplied.

    A target that is opaque and 8 bits deep is so already and needs none of this.
    """

    def __init__(
        self, context: moderngl.Context, target: Target, layout: Layout, *, alpha: bool
    ) -> None:
        """Make what ``draw`` fills from a target."""
        self._context = context
        self._target = target
        size = (layout.width, layout.height)
        texture = context.texture(size, 4, dtype="nu2" if target.deep else "f1")
        self.framebuffer = context.framebuffer([texture])
        self._brush = QuadBrush(
            context,
            layout,
            "resolve",
            {"box": 4},
            {"steps": _ALPHA_STEPS[target.deep] if alpha else 0},
        )
        self._box = np.array([[0, 0, *size]], dtype=np.float32)

    def draw(self) -> None:
        """Fill it from what the target shows now."""
        self.framebuffer.use()
        self._target.texture.use(0)
        self._brush.draw(self._box, blend=_REPLACE)
