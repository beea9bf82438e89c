"""The OpenGL context, in the one place that creates it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import moderngl

from shared.errors import GLError

FRAMEBUFFER_SRGB: Final = 0x8DB9
"""Converts linear light to sRGB on writing and back on blending (ARB_framebuffer_sRGB)."""

_SOFTWARE: Final = ("llvmpipe", "softpipe", "swrast")


def renderer_name(context: moderngl.Context) -> str:
    """Driver and version as one line, the same wherever the same pixels come out."""
    info = context.info
    return f"{info['GL_RENDERER']}; {info['GL_VERSION']}"


def is_software(context: moderngl.Context) -> bool:
    """Whether a processor draws, not a GPU."""
    return any(name in context.info["GL_RENDERER"] for name in _SOFTWARE)


@contextmanager
def open_context(device_index: int = 0) -> Iterator[moderngl.Context]:
    """A standalone EGL context for this thread; everything made in it dies with it.

    Args:
        device_index: Which EGL device draws, where there are several GPUs.

    Raises:
        GLError: There is no OpenGL 3.3 by EGL on this machine.
    """
    # One process draws on one core: several processes fill a machine better than the threads of
    # one do (1.6 times the frames on two cores). 0 keeps even the rasteriser on our own thread.
    os.environ.setdefault("LP_NUM_THREADS", "0")
    settings: dict[str, Any] = {
        "backend": "egl",
        "device_index": device_index,
        # The names of the run-time packages. glvnd's libEGL finds every GL function, so that a
        # machine without libGL will do.
        "libegl": "libEGL.so.1",
        "libgl": "libEGL.so.1",
    }
    try:
        context = moderngl.create_context(standalone=True, require=330, **settings)
    except Exception as exc:  # glcontext raises bare Exception
        raise GLError(
            f"No OpenGL 3.3 can be opened by EGL ({exc}); install libegl1 and libgl1-mesa-dri, "
            "or the GPU's driver with its EGL part."
        ) from exc
    try:
        # Objects are freed when nothing refers to them, in the thread that made them.
        context.gc_mode = "auto"
        context.enable_direct(FRAMEBUFFER_SRGB)
        yield context
    finally:
        context.release()


def check_errors(context: moderngl.Context, doing: str) -> None:
    """Raise GLError if any call since the last check left an error behind."""
    error = context.error
    if error != "GL_NO_ERROR":
        raise GLError(f"OpenGL reported {error} while {doing}.")
