"""Text: set by Pillow, drawn as masks in one colour."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import moderngl
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from shared.errors import MediaError
from shared.layout import Layout
from workers.gl.painter import QuadBrush

RGBA = tuple[float, float, float, float]


def load_font(size_px: float, path: Path | None = None) -> ImageFont.FreeTypeFont:
    """A font at a size; Pillow's own (Aileron) where no file is given.

    Raises:
        MediaError: The file holds no font.
    """
    if path is None:
        font = ImageFont.load_default(size_px)
        if not isinstance(font, ImageFont.FreeTypeFont):
            raise MediaError("Pillow was built without FreeType, so no text can be drawn.")
        return font
    try:
        return ImageFont.truetype(str(path), size_px)
    except OSError as exc:
        raise MediaError(f"The font cannot be read ({exc}); use a TTF or OTF file.") from exc


def _upload(context: moderngl.Context, mask: Image.Image) -> moderngl.Texture:
    texture = context.texture(mask.size, 1, mask.tobytes(), alignment=1)
    texture.repeat_x = texture.repeat_y = False
    return texture


class TextBlock:
    """Centred lines of text, set once at their final size so that they are drawn pixel by pixel."""

    def __init__(
        self,
        context: moderngl.Context,
        layout: Layout,
        lines: Sequence[tuple[str, float]],
        *,
        widest_px: float,
        font: Path | None = None,
    ) -> None:
        """Set lines.

        Args:
            context: The context to draw in.
            layout: Gives the size of the frame.
            lines: Each line and the height of its letters in pixels.
            widest_px: A line that would be wider is set smaller.
            font: A font file, or None for the built-in one.
        """
        set_lines = []
        for text, size_px in lines:
            size = max(6.0, size_px)
            face = load_font(size, font)
            width = face.getlength(text)
            if width > widest_px:
                face = load_font(max(6.0, size * widest_px / width), font)
            set_lines.append((text, face))
        widths = [face.getlength(text) for text, face in set_lines] or [0.0]
        heights = [sum(face.getmetrics()) for _, face in set_lines]
        pad = 4
        self.width_px = int(max(widths)) + 2 * pad
        self.height_px = int(sum(heights)) + 2 * pad
        mask = Image.new("L", (self.width_px, self.height_px))
        pen = ImageDraw.Draw(mask)
        top = float(pad)
        for (text, face), height in zip(set_lines, heights, strict=True):
            pen.text((self.width_px / 2, top), text, fill=255, font=face, anchor="ma")
            top += height
        self._texture = _upload(context, mask)
        self._brush = QuadBrush(context, layout, "sprite", {"box": 4, "piece": 4, "colour": 4})

    def draw(self, left: float, top: float, colour: RGBA) -> None:
        """Draw with the top left corner at whole pixels, in a linear colour."""
        box = (left, top, left + self.width_px, top + self.height_px)
        self._texture.use(0)
        self._brush.draw(np.array([[*box, 0, 0, 1, 1, *colour]], dtype=np.float32))


class TextSheet:
    """A few characters in one texture, for short labels that change all the time."""

    def __init__(
        self, context: moderngl.Context, layout: Layout, characters: str, *, size_px: float
    ) -> None:
        """Set each character once."""
        font = load_font(size_px)
        self.line_px = float(sum(font.getmetrics()))
        self._advance = {char: font.getlength(char) for char in characters}
        cell = int(max(self._advance.values())) + 4
        mask = Image.new("L", (cell * len(characters), int(self.line_px) + 2))
        pen = ImageDraw.Draw(mask)
        for place, char in enumerate(characters):
            pen.text((place * cell + 2, 0), char, fill=255, font=font)
        self._place = {char: place for place, char in enumerate(characters)}
        self._cell, self._size = cell, mask.size
        self._texture = _upload(context, mask)
        self._brush = QuadBrush(context, layout, "sprite", {"box": 4, "piece": 4, "colour": 4})
        self._rows: list[tuple[float, ...]] = []

    def add(self, text: str, left: float, top: float, colour: RGBA) -> None:
        """Put a text on the list of what is drawn next."""
        for char in text:
            u0 = self._place[char] * self._cell / self._size[0]
            u1 = (self._place[char] + 1) * self._cell / self._size[0]
            box = (left - 2, top, left - 2 + self._cell, top + self._size[1])
            self._rows.append((*box, u0, 0.0, u1, 1.0, *colour))
            left += self._advance[char]

    def flush(self) -> None:
        """Draw the list and empty it."""
        if self._rows:
            self._texture.use(0)
            self._brush.draw(np.array(self._rows, dtype=np.float32))
            self._rows.clear()
