"""The end card as an image: logo, text, handles and QR code in any shape of frame."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from shared.branding import PLATFORM_NAMES, EndCard
from shared.colour import linear_rgba
from shared.layout import Rect
from shared.profiles import qr_text
from workers.images import fit_image, open_image
from workers.logos import draw_logo, is_builtin
from workers.marks import draw_mark
from workers.qr import make_qr
from workers.text import best_font, load_font, one_line

_MARGIN: Final = 0.07
"""Distance kept from the edges, as a fraction of the short side."""
_WIDE: Final = 1.25
"""From this ratio of width to height on, the QR code stands beside the rest."""
_SHRINK: Final = (1.0, 0.92, 0.84, 0.76, 0.68, 0.6, 0.52, 0.44, 0.36)
"""Sizes that are tried until everything has room."""
_LOGO_WIDE: Final = 2.4
"""The most of a logo's width, beside the height that it may have."""
_GAP: Final = 0.055
_LOGO: Final = 0.30
_TEXT: Final = 0.068
_HANDLE: Final = 0.05
"""Heights as fractions of the room's short side: between blocks, of the logo, of letters."""
_QR_BESIDE: Final = 0.52
_QR_BELOW: Final = 0.36
"""Side of the QR code as a fraction of the room's short side. It is never less than a fifth of
the frame's: phones read it from a picture that an encoder and a platform have been at."""
_QR_ROOM: Final = 0.72
"""The most it may take where modules would be too small to survive."""
_BRIGHT: Final = 0.18
"""Luminance from which on letters are dark."""
_SMALLEST_LETTER_PX: Final = 6.0

Ink = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Block:
    """A part of the card that is laid out as a whole."""

    width: float
    height: float
    paint: Callable[[Image.Image, float, float], None]
    """Paints it with its top left corner there."""


def paint_card(
    card: EndCard, width: int, height: int, safe: Rect, asset: Callable[[str], Path]
) -> Image.Image:
    """The whole frame in RGB.

    Args:
        card: What is on it; its logo and font named by object key or ``builtin:``.
        width: Of the frame in pixels.
        height: Of the frame in pixels.
        safe: The part of the frame that nothing covers.
        asset: Finds the local file of an asset by its object key.
    """
    red, green, blue = bytes.fromhex(card.background_color[1:7])
    image = Image.new("RGB", (width, height), (red, green, blue))
    light = linear_rgba(card.background_color)
    on_light = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2] > _BRIGHT
    margin = _MARGIN * min(width, height)
    # At the edges of the frame there is a margin; what the platform covers is one by itself.
    room = Rect(
        max(safe.x0, margin),
        max(safe.y0, margin),
        min(safe.x1, width - margin),
        min(safe.y1, height - margin),
    )
    painter = _Painter(card, room, min(width, height), asset, on_light=on_light)
    painter.paint(image)
    return image


class _Painter:
    """One card in one room."""

    def __init__(
        self,
        card: EndCard,
        room: Rect,
        short_side: int,
        asset: Callable[[str], Path],
        *,
        on_light: bool,
    ) -> None:
        self._card = card
        self._room = room
        self._wide = room.x1 - room.x0
        self._high = room.y1 - room.y0
        self._unit = min(self._wide, self._high)
        self._asset = asset
        self._on_light = on_light
        self._ink: Ink = (17, 17, 20) if on_light else (255, 255, 255)
        self._soft: Ink = (80, 80, 88) if on_light else (190, 190, 198)
        self._font = asset(card.font) if card.font is not None else None
        self._beside = self._wide > _WIDE * self._high
        self._qr = self._make_qr(short_side)

    def _make_qr(self, short_side: int) -> _Block | None:
        links = self._card.social_media
        text = qr_text(links) if links is not None else None
        if text is None:
            return None
        side = max(self._unit * (_QR_BESIDE if self._beside else _QR_BELOW), 0.2 * short_side)
        code = make_qr(text, side, _QR_ROOM * self._unit)
        return None if code is None else _picture(code)

    def paint(self, image: Image.Image) -> None:
        """Paint the blocks in the largest size in which they have room."""
        readable = self._unit * _TEXT >= _SMALLEST_LETTER_PX / 2
        kinds = ["logo", "text", "handles"] if readable else ["logo"]
        beside = self._qr is not None and self._beside
        wide = self._wide - (self._qr.width + 2 * _GAP * self._unit if self._qr and beside else 0)
        while True:
            for shrink in _SHRINK:
                blocks = self._blocks(kinds, shrink, wide)
                if self._qr is not None and not beside:
                    # The handles come last: they caption the code.
                    blocks.insert(len(blocks) - ("handles" in kinds and len(blocks) > 0), self._qr)
                gap = _GAP * self._unit * shrink
                high = sum(block.height for block in blocks) + gap * (len(blocks) - 1)
                if high <= self._high and all(block.width <= wide for block in blocks):
                    self._place(image, blocks, gap, beside=beside)
                    return
            if not kinds:
                return
            # A tiny frame: the code matters most, then the logo.
            kinds.pop()

    def _place(self, image: Image.Image, blocks: list[_Block], gap: float, *, beside: bool) -> None:
        column = max((block.width for block in blocks), default=0.0)
        between = 0.0
        if beside and self._qr is not None:
            # The columns share what is left evenly: outside and in between.
            spare = self._wide - column - self._qr.width
            between = min(spare / 3, 0.25 * self._unit)
            whole = column + between + self._qr.width
        else:
            whole = column
        left = (self._room.x0 + self._room.x1 - whole) / 2
        high = sum(block.height for block in blocks) + gap * (len(blocks) - 1)
        top = (self._room.y0 + self._room.y1 - high) / 2
        for block in blocks:
            block.paint(image, left + (column - block.width) / 2, top)
            top += block.height + gap
        if beside and self._qr is not None:
            middle = (self._room.y0 + self._room.y1 - self._qr.height) / 2
            self._qr.paint(image, left + column + between, middle)

    def _blocks(self, kinds: list[str], shrink: float, wide: float) -> list[_Block]:
        makers = {"logo": self._logo, "text": self._text, "handles": self._handles}
        blocks = [makers[kind](self._unit * shrink, wide) for kind in kinds]
        return [block for block in blocks if block is not None]

    def _logo(self, unit: float, wide: float) -> _Block | None:
        if self._card.logo_url is None:
            return None
        high = _LOGO * unit
        logo = self._logo_image
        scale = min(min(wide, _LOGO_WIDE * high) / logo.width, high / logo.height)
        width, height = max(1.0, scale * logo.width), max(1.0, scale * logo.height)

        def paint(image: Image.Image, left: float, top: float) -> None:
            _picture(fit_image(logo, width, height)).paint(image, left, top)

        return _Block(width, height, paint)

    @cached_property
    def _logo_image(self) -> Image.Image:
        """The logo, as large as it can become."""
        assert self._card.logo_url is not None  # noqa: S101  # asked for by _logo alone
        high = max(1, round(_LOGO * self._unit))
        wide = max(1, round(_LOGO_WIDE * high))
        name = self._card.logo_url
        if not is_builtin(name):
            return open_image(self._asset(name), wide, high)
        return fit_image(draw_logo(name, wide, on_light=self._on_light), wide, high)

    def _text(self, unit: float, wide: float) -> _Block | None:
        text = "\n".join(filter(None, map(one_line, self._card.text.splitlines())))
        if not text:
            return None
        face = load_font(max(_SMALLEST_LETTER_PX, _TEXT * unit), best_font(text, self._font))
        # Lines much longer than some 30 letters are hard to read in three seconds.
        lines = wrap(text, face, min(wide, 18 * _TEXT * unit))
        step = 1.28 * _TEXT * unit
        width = max(face.getlength(line) for line in lines)

        def paint(image: Image.Image, left: float, top: float) -> None:
            pen = ImageDraw.Draw(image)
            for index, line in enumerate(lines):
                at = (left + width / 2, top + (index + 0.5) * step)
                pen.text(at, line, fill=self._ink, font=face, anchor="mm")

        return _Block(width, step * len(lines), paint)

    def _handles(self, unit: float, wide: float) -> _Block | None:
        links = self._card.social_media
        if links is None or not links.handles:
            return None
        size = max(_SMALLEST_LETTER_PX, _HANDLE * unit)
        rows = [
            (platform, PLATFORM_NAMES[platform], _spoken(one_line(handle)))
            for platform, handle in links.handles.items()
        ]
        faces = [load_font(size, best_font(handle, self._font)) for _, _, handle in rows]
        plain = load_font(size)
        mark, step = round(1.15 * size), 1.75 * size
        names = max(plain.getlength(name) for _, name, _ in rows)
        first, second = mark + 0.55 * size, mark + 0.55 * size + names + 0.8 * size
        # A very long handle is shortened; the QR code has all of it.
        rows = [
            (platform, name, _fitted(handle, face, wide - second))
            for (platform, name, handle), face in zip(rows, faces, strict=True)
        ]
        width = second + max(face.getlength(row[2]) for face, row in zip(faces, rows, strict=True))

        def paint(image: Image.Image, left: float, top: float) -> None:
            pen = ImageDraw.Draw(image)
            for index, (platform, name, handle) in enumerate(rows):
                middle = top + (index + 0.5) * step
                badge = draw_mark(platform, mark)
                image.paste(badge, (round(left), round(middle - mark / 2)), badge)
                pen.text((left + first, middle), name, fill=self._soft, font=plain, anchor="lm")
                face, at = faces[index], (left + second, middle)
                pen.text(at, handle, fill=self._ink, font=face, anchor="lm")

        return _Block(width, step * len(rows), paint)


def _spoken(handle: str) -> str:
    """A handle as people write it: an address without its scheme."""
    return re.sub(r"^https?://(www\.)?", "", handle, flags=re.IGNORECASE).rstrip("/")


def _fitted(text: str, face: ImageFont.FreeTypeFont, widest_px: float) -> str:
    """A text, or as much of its beginning as has room, and an ellipsis."""
    if face.getlength(text) <= widest_px:
        return text
    return text[: _leading(text, face, widest_px - face.getlength("…"))] + "…"


def _leading(text: str, face: ImageFont.FreeTypeFont, widest_px: float) -> int:
    """How many characters at the beginning of a text have room; one at least."""
    counts = range(1, len(text) + 1)
    fits = bisect_right(counts, widest_px, key=lambda count: face.getlength(text[:count]))
    return max(1, fits)


def _picture(image: Image.Image) -> _Block:
    def paint(target: Image.Image, left: float, top: float) -> None:
        mask = image if image.mode == "RGBA" else None
        target.paste(image, (round(left), round(top)), mask)

    return _Block(image.width, image.height, paint)


def wrap(text: str, face: ImageFont.FreeTypeFont, widest_px: float) -> list[str]:
    """A text in lines no wider than that, broken between words where there are any."""
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}".strip()
            if face.getlength(longer) <= widest_px:
                line = longer
                continue
            if line:
                lines.append(line)
            line = word
            while len(line) > 1 and face.getlength(line) > widest_px:
                # Scripts without spaces, and addresses: broken where they must be.
                fits = _leading(line, face, widest_px)
                lines.append(line[:fits])
                line = line[fits:]
        lines.append(line)
    return [line for line in lines if line]
