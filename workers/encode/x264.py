"""H.264 by libx264."""

from __future__ import annotations

from typing import Final

from shared.codecs import CODECS
from shared.plan import VideoSpec
from workers.encode.instructions import instructions
from workers.encode.settings import EncoderSettings, group, rate_cap, rate_factor

_PROFILES: Final = CODECS["h264"].profiles


def settings(video: VideoSpec, frames: int) -> EncoderSettings:
    """One closed group of ``frames`` frames.

    ``stitchable`` keeps the rate factor out of the parameter sets, so that all segments of an
    export share one header.
    """
    return EncoderSettings(
        name="libx264",
        pixel_format=video.pixel_format,
        options={
            "preset": video.encoder_speed,
            "profile": video.profile or _PROFILES[video.pixel_format][0],
            "crf": f"{rate_factor(video):g}",
            "g": group(frames),
            "x264-params": "stitchable=1:open-gop=0"
            + (":asm=avx2" if instructions() == "avx2" else ""),
            **rate_cap(video),
        },
    )
