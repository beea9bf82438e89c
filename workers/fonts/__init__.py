"""The built-in font: Inter SemiBold, for Latin, Greek and Cyrillic.

© The Inter Project Authors, under the SIL Open Font License 1.1 (LICENSE.txt).
"""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import IO, Final

from PIL import ImageFont

NAME: Final = "Inter SemiBold"


def open_font(size_px: float) -> ImageFont.FreeTypeFont:
    """The built-in font at a size."""
    with as_file(files("workers.fonts") / "Inter-SemiBold.otf") as path:
        file: IO[bytes]
        with path.open("rb") as file:
            return ImageFont.truetype(file, size_px)
