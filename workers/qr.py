"""QR codes that survive a video encoder."""

from __future__ import annotations

from typing import Final

import segno
from PIL import Image

_QUIET: Final = 4
"""Modules of white around the code (ISO/IEC 18004, 5.3.8)."""
_SMALLEST_PX: Final = 3
"""Pixels to a module below which encoders at low rates wash it out."""


def make_qr(text: str, side_px: float, room_px: float) -> Image.Image | None:
    """A QR code in black on white with its quiet zone, RGB, square, its modules of whole pixels.

    Error correction is level M at least (15 % may be lost), more where it costs no size.

    Args:
        text: What it says.
        side_px: How wide it is meant to be.
        room_px: How wide it may become where modules would be too small to survive.

    Returns:
        None where there is not even room for modules of one pixel.
    """
    code = segno.make_qr(text, error="m")
    modules = int(code.symbol_size(border=_QUIET)[0])
    scale = max(round(side_px / modules), _SMALLEST_PX)
    scale = min(scale, int(room_px / modules))
    if scale < 1:
        return None
    rows = [bytes(0 if dark else 255 for dark in row) for row in code.matrix_iter(border=_QUIET)]
    small = Image.frombytes("L", (modules, modules), b"".join(rows))
    side = modules * scale
    return small.resize((side, side), Image.Resampling.NEAREST).convert("RGB")
