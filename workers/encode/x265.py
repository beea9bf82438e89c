"""H.265 by libx265."""

from __future__ import annotations

from typing import Final

from shared.codecs import CODECS
from shared.plan import VideoSpec
from workers.encode.instructions import ENCODER_THREADS, instructions
from workers.encode.settings import EncoderSettings, group, rate_cap, rate_factor

_PROFILES: Final = CODECS["h265"].profiles


def settings(video: VideoSpec, frames: int) -> EncoderSettings:
    """One closed group of ``frames`` frames.

    ``info=0`` keeps x265's option string, thread count and all, out of the header. Its pool of
    threads is switched off: it would have one for every core of the machine.
    """
    params = {
        "info": "0",
        "open-gop": "0",
        "keyint": group(frames),
        "pools": "none",
        "frame-threads": str(ENCODER_THREADS),
        "log-level": "error",
    }
    if instructions() == "avx2":
        params["asm"] = "avx2"
    return EncoderSettings(
        name="libx265",
        pixel_format=video.pixel_format,
        options={
            "preset": video.encoder_speed,
            "profile": video.profile or _PROFILES[video.pixel_format][0],
            "crf": f"{rate_factor(video):g}",
            "x265-params": ":".join(f"{name}={value}" for name, value in params.items()),
            **rate_cap(video),
        },
        tag="hvc1",
        # Decoding timestamps of segments of a frame or two are garbage (x265 issues 781, 934).
        # B-frames are referenced one level deep, so decoding is two frames ahead at most.
        reorder=2,
    )
