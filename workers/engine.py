"""What draws and encodes here, by name and version.

Two engines may differ in the last bit of a frame, so an export is rendered by one kind only and
its segments are found again only by the same kind.
"""

from __future__ import annotations

import av
import moderngl

from shared.revision import made_by
from workers.encode import ENCODER_THREADS, hardware_encoders, instructions
from workers.gl.context import renderer_name


def identity(context: moderngl.Context) -> str:
    """The engine as one line of text."""
    return (
        f"{made_by()} {renderer_name(context)}; {libav()}; "
        f"{ENCODER_THREADS} encoder thread; {instructions()}; "
        f"{', '.join(hardware_encoders()) or 'no hardware encoder'}"
    )


def libav() -> str:
    """The versions of those parts of libav that results depend on."""
    return "; ".join(
        f"{name} {'.'.join(str(part) for part in version)}"
        for name, version in sorted(av.library_versions.items())
        if name in ("libavcodec", "libavformat", "libswscale", "libswresample")
    )
