"""Setting lines of text and music's own signs in textures, and drawing them."""

from workers.lettering.setting import (
    Align,
    Letterer,
    Lettering,
    opposite,
    plain_lines,
    set_lines,
)

__all__ = ["Align", "Letterer", "Lettering", "opposite", "plain_lines", "set_lines"]
