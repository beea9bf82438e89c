"""What layers paint with: compiled programs, textures and fonts, made once and kept.

Whatever is kept here is a pure result of what it is asked for by, so a layer can be made anew
for a single frame, as those are whose settings move, at next to no cost.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import moderngl
import numpy as np
from numpy.typing import NDArray
from PIL import Image

T = TypeVar("T")

_FIRST: Final = frozenset({"image", "mask", "picture"})
"""What programs call texture 0; whoever has more than one numbers the others."""
_KEPT: Final = 96
"""Textures and the like; more than the layers of a composition have, few enough for 4K."""


@cache
def _source(name: str) -> str:
    return files("workers.gl").joinpath("shaders", f"{name}.glsl").read_text("utf-8")


class Program:
    """A compiled program with the buffer that its rectangles are read from."""

    def __init__(
        self,
        context: moderngl.Context,
        name: str,
        attributes: Mapping[str, int],
        options: frozenset[str] = frozenset(),
    ) -> None:
        """Compile ``shaders/<name>.glsl`` with some words defined."""
        self._context = context
        self.width = sum(attributes.values())
        defined = "".join(f"#define {option}\n" for option in sorted(options))
        source = defined + _source("quad") + _source(name)
        self._program = context.program(
            vertex_shader=f"#version 330\n#define VERTEX\n{source}",
            fragment_shader=f"#version 330\n#define FRAGMENT\n{source}",
        )
        self._uniforms = [
            member
            for member in self._program
            if isinstance(self._program[member], moderngl.Uniform)
        ]
        strips = (option.split()[1] for option in options if option.startswith("STRIPS "))
        corners = _corners(int(next(strips, "1")))
        self._vertices = len(corners)
        self._corners = context.buffer(
            corners if "LYING" not in options else corners[:, ::-1].copy()
        )
        self._format = " ".join(f"{size}f" for size in attributes.values()) + "/i"
        self._names = tuple(attributes)
        self._set: Mapping[str, Any] = {}
        self._reserve(64)

    def _reserve(self, instances: int) -> None:
        self._capacity = instances
        self._buffer = self._context.buffer(reserve=instances * self.width * 4, dynamic=True)
        self._quads = self._context.vertex_array(
            self._program,
            [(self._corners, "2f", "corner"), (self._buffer, self._format, *self._names)],
        )

    def draw(self, instances: NDArray[np.float32], uniforms: Mapping[str, Any]) -> None:
        """Draw one rectangle per row, with all uniforms as they are given.

        Args:
            instances: float32, shape (n, width), contiguous.
            uniforms: All that the program has; others are passed over.

        Raises:
            KeyError: A uniform of the program is missing.
        """
        count = len(instances)
        if count > self._capacity:
            self._reserve(1 << (count - 1).bit_length())
        self._buffer.write(instances)
        if uniforms is not self._set:
            # All of them: another brush may have set others.
            for name in self._uniforms:
                self._program[name] = uniforms[name] if name not in _FIRST else 0
            self._set = uniforms
        self._quads.render(moderngl.TRIANGLE_STRIP, vertices=self._vertices, instances=count)


def _corners(strips: int) -> NDArray[np.float32]:
    """A triangle strip over a square from 0 to 1, cut along x, float32 (2 * strips + 2, 2)."""
    across = np.repeat(np.linspace(0, 1, strips + 1, dtype=np.float32), 2)
    down = np.tile(np.array([0, 1], dtype=np.float32), strips + 1)
    return np.stack([across, down], axis=1)


class Paintbox:
    """The tools of one picture: programs, and what was made of its assets."""

    def __init__(
        self,
        context: moderngl.Context,
        size: tuple[int, int],
        asset: Callable[[str], Path],
    ) -> None:
        """Begin with nothing.

        Args:
            context: The context to draw in.
            size: Width and height of the frame in pixels.
            asset: Finds the local file of an asset by its object key; only while layers are
                first made.
        """
        self.context = context
        self.size = size
        self.asset = asset
        self._programs: dict[tuple[str, frozenset[str]], Program] = {}
        self._kept: OrderedDict[Hashable, object] = OrderedDict()
        self._held: dict[Hashable, object] = {}

    def program(self, name: str, attributes: Mapping[str, int], options: frozenset[str]) -> Program:
        """The program of that name; it takes the same attributes wherever it is used."""
        key = (name, options)
        if key not in self._programs:
            self._programs[key] = Program(self.context, name, attributes, options)
        return self._programs[key]

    def keep(self, facts: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gives, made once for these facts while they are in use.

        Args:
            facts: All that determines the result, and what it is: ``("title", text, size)``.
            make: Makes it.
        """
        if facts not in self._kept:
            self._kept[facts] = make()
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(facts)
        return cast("T", self._kept[facts])

    def hold(self, facts: Hashable, make: Callable[[], T]) -> T:
        """The same for what can only be made while assets are at hand; it stays for good."""
        if facts not in self._held:
            self._held[facts] = make()
        return cast("T", self._held[facts])

    def font(self, name: str) -> bytes:
        """What is in the file of a font, by its object key."""
        return self.hold(("font", name), lambda: self.asset(name).read_bytes())

    def mask(self, image: Image.Image) -> moderngl.Texture:
        """A texture of one component: how much of each pixel is covered, from an image in L."""
        return self.texture(image.size, 1, image.tobytes(), alignment=1)

    def texture(
        self, size: tuple[int, int], components: int, data: bytes, **options: Any
    ) -> moderngl.Texture:
        """A texture that is not repeated beyond its edges."""
        texture = self.context.texture(size, components, data, **options)
        texture.repeat_x = texture.repeat_y = False
        return texture
