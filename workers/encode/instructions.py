"""What encoders may use of this processor."""

from __future__ import annotations

import platform
import re
from functools import cache
from pathlib import Path
from typing import Final

ENCODER_THREADS: Final = 1
"""Fixed, since the output of x264 and x265 depends on it. One process a core beats threads in one
process."""

_INSTRUCTIONS: Final = ("avx2", "avx", "sse4_2", "ssse3", "sse2")
"""What of a processor encoders' output depends on, the best first; as /proc/cpuinfo spells it."""


@cache
def instructions() -> str:
    """What encoders are allowed to use of this processor, or its architecture if that is not x86.

    Other instructions give other bytes. AVX-512 is left alone: x264 reads memory there that
    nobody has written, where the width in macroblocks is no multiple of 8 (1080x1920), so that
    the same frames gave up to twelve different files in one process (libavcodec 62.28).
    """
    try:
        found = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    flags = set(found[1].split()) if found else set()
    return next((name for name in _INSTRUCTIONS if name in flags), platform.machine())
