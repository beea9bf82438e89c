"""The finished frame as pictures hold it: encoded as sRGB, with straight alpha."""

from __future__ import annotations

from typing import Final

import numpy as np

from workers.gl.paintbox import Paintbox
from workers.gl.painter import REPLACE, QuadBrush
from workers.gl.target import Target

_ALPHA_STEPS: Final = {False: 255, True: 1023}
"""Values of alpha above 0 in 8 bits, and in the 10 bits that deep frames are encoded with."""


class Resolved:
    """A target in other words: colours that need no light to be understood, alpha not multiplied.

    A target that is opaque and 8 bits deep is so already and needs none of this.
    """

    def __init__(self, paintbox: Paintbox, target: Target, *, alpha: bool) -> None:
        """Make what ``draw`` fills from a target."""
        self._target = target
        context, size = paintbox.context, paintbox.size
        texture = context.texture(size, 4, dtype="nu2" if target.deep else "f1")
        self.framebuffer = context.framebuffer([texture])
        self._brush = QuadBrush(
            paintbox,
            "resolve",
            {"box": 4},
            {"steps": _ALPHA_STEPS[target.deep] if alpha else 0},
        )
        self._box = np.array([[0, 0, *size]], dtype=np.float32)

    def draw(self) -> None:
        """Fill it from what the target shows now."""
        self.framebuffer.use()
        self._target.texture.use(0)
        self._brush.draw(self._box, blend=REPLACE)
