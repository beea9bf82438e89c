"""The way of a finished frame into memory, as the pixels that encoders take.

Two ways, one interface: on a processor libswscale converts faster than a shader does (1080p on
one core: 3.5 ms against 25 ms); on a GPU the shader costs nothing and less is read back, while
the next frames are being drawn. The shader knows YUV 4:2:0 of 8 bits alone, what nearly every
video is. YUV is BT.709, limited range, either way; RGB is sRGB.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Protocol, cast

import av
import moderngl
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from shared.codecs import PixelFormat
from workers.gl.context import is_software
from workers.gl.paintbox import Paintbox
from workers.gl.painter import QuadBrush
from workers.gl.resolve import Resolved
from workers.gl.target import Target

# ITU-R BT.709-6, 3.2: luma weights, and the distance of the colour differences; 3.4: 8-bit
# limited range, luma 16 to 235, chroma 16 to 240.
_R: Final = 0.2126
_G: Final = 0.7152
_B: Final = 0.0722
_PLANES: Final = (
    ((219 * _R, 219 * _G, 219 * _B), 16.0),
    ((-112 * _R / (1 - _B), -112 * _G / (1 - _B), 112.0), 128.0),
    ((112.0, -112 * _G / (1 - _R), -112 * _B / (1 - _R)), 128.0),
)
_IN_FLIGHT: Final = 3
"""Frames between drawing and reading on a GPU, so that neither waits for the other."""


class Readback(Protocol):
    """Draws frames and yields each as an ``av.VideoFrame`` in the pixel format of the video.

    A yielded frame may be overwritten as soon as the next one is asked for.
    """

    def stream(self, frames: Iterable[int], draw: Callable[[int], None]) -> Iterator[av.VideoFrame]:
        """Call ``draw`` for each frame in turn and yield what it drew into the target."""
        ...


class SwscaleReadback:
    """Reads RGBA and converts with libswscale."""

    def __init__(
        self,
        target: Target,
        pixel_format: PixelFormat = "yuv420p",
        resolved: Resolved | None = None,
    ) -> None:
        """Read from a target.

        Args:
            target: What is drawn into.
            pixel_format: What frames are converted to; a GIF's colours are reduced later.
            resolved: What to read instead, filled from the target for every frame; needed where
                that is deep or not opaque.
        """
        self._framebuffer = (resolved or target).framebuffer
        self._resolved = resolved
        deep = target.deep
        width, height = target.size
        self._pixels = np.empty((height, width, 4), dtype=np.uint16 if deep else np.uint8)
        self._dtype, self._read_as = ("nu2", "rgba64le") if deep else ("f1", "rgba")
        self._format = "rgb24" if pixel_format == "pal8" else pixel_format
        self._reformatter = VideoReformatter()

    def stream(self, frames: Iterable[int], draw: Callable[[int], None]) -> Iterator[av.VideoFrame]:
        """See Readback."""
        for frame in frames:
            draw(frame)
            if self._resolved is not None:
                self._resolved.draw()
            self._framebuffer.read_into(self._pixels, components=4, dtype=self._dtype)
            picture = av.VideoFrame.from_numpy_buffer(self._pixels, format=self._read_as)
            if self._format.startswith("rgb"):
                yield self._reformatter.reformat(picture, format=self._format)
            else:
                yield self._reformatter.reformat(
                    picture,
                    format=self._format,
                    dst_colorspace=Colorspace.ITU709,
                    dst_color_range=ColorRange.MPEG,
                )


class ShaderReadback:
    """Converts with a shader and reads the planes through buffers that lag a few frames behind."""

    def __init__(self, paintbox: Paintbox, target: Target) -> None:
        """Read from a target."""
        context = self._context = paintbox.context
        self._target = target
        self._width, self._height = target.size
        self._brush = QuadBrush(paintbox, "planes", {"box": 4})
        self._planes = []
        for index in range(3):
            size = target.size if index == 0 else (self._width // 2, self._height // 2)
            texture = context.texture(size, 1)
            self._planes.append((size, texture, context.framebuffer([texture])))
        self._slots = [
            [context.buffer(reserve=w * h, dynamic=True) for (w, h), _, _ in self._planes]
            for _ in range(_IN_FLIGHT)
        ]

    def stream(self, frames: Iterable[int], draw: Callable[[int], None]) -> Iterator[av.VideoFrame]:
        """See Readback."""
        waiting: deque[list[moderngl.Buffer]] = deque()
        for number, frame in enumerate(frames):
            draw(frame)
            slot = self._slots[number % _IN_FLIGHT]
            self._convert(slot)
            waiting.append(slot)
            if len(waiting) == _IN_FLIGHT:
                yield self._collect(waiting.popleft())
        while waiting:
            yield self._collect(waiting.popleft())

    def _convert(self, slot: list[moderngl.Buffer]) -> None:
        self._context.disable(moderngl.BLEND)
        self._target.texture.use(0)
        for index, ((width, height), _, framebuffer) in enumerate(self._planes):
            weights, base = _PLANES[index]
            framebuffer.use()
            self._brush.set(
                frame=(width, height), weights=weights, base=base, step_px=1 if index == 0 else 2
            )
            self._brush.draw(np.array([[0, 0, width, height]], dtype=np.float32))
            framebuffer.read_into(slot[index], components=1)

    def _collect(self, slot: list[moderngl.Buffer]) -> av.VideoFrame:
        picture = av.VideoFrame(self._width, self._height, "yuv420p")
        for plane, buffer, ((width, height), _, _) in zip(
            picture.planes, slot, self._planes, strict=True
        ):
            rows = np.frombuffer(cast("Any", plane), dtype=np.uint8).reshape(
                height, plane.line_size
            )
            if plane.line_size == width:
                buffer.read_into(rows)
            else:
                rows[:, :width] = np.frombuffer(buffer.read(), dtype=np.uint8).reshape(
                    height, width
                )
        return picture


def choose_readback(
    paintbox: Paintbox,
    target: Target,
    pixel_format: PixelFormat,
    resolved: Resolved | None,
) -> Readback:
    """The faster way on this renderer; see SwscaleReadback."""
    if is_software(paintbox.context) or pixel_format != "yuv420p":
        return SwscaleReadback(target, pixel_format, resolved)
    return ShaderReadback(paintbox, target)
