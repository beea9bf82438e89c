"""AV1 by SVT-AV1."""

from __future__ import annotations

import os

from shared.plan import VideoSpec
from workers.encode.instructions import ENCODER_THREADS, instructions
from workers.encode.settings import EncoderSettings, group, rate_cap, rate_factor
from workers.encode.speeds import SVT_AV1


def settings(video: VideoSpec, frames: int) -> EncoderSettings:
    """One closed group of ``frames`` frames.

    SVT-AV1 minds its own number of threads alone (``lp``).
    """
    # It writes what it does to stderr unless it is told not to: 1 errors only.
    os.environ.setdefault("SVT_LOG", "1")
    # libav's own option cuts the rate factor to a whole number; SVT-AV1 knows quarters.
    params = {"lp": str(ENCODER_THREADS), "crf": f"{round(4 * rate_factor(video)) / 4:g}"}
    if instructions() == "avx2":
        params["asm"] = "avx2"
    return EncoderSettings(
        name="libsvtav1",
        pixel_format=video.pixel_format,
        options={
            "preset": str(SVT_AV1[video.encoder_speed]),
            "g": group(frames),
            "svtav1-params": ":".join(f"{name}={value}" for name, value in params.items()),
            **rate_cap(video),
        },
    )
