"""ProRes 4444 by libav's own encoder."""

from __future__ import annotations

from shared.plan import VideoSpec
from workers.encode.settings import EncoderSettings


def settings(video: VideoSpec, frames: int) -> EncoderSettings:  # noqa: ARG001  # every frame is a key frame
    """Frames that are each a group of their own; the rate follows from the profile."""
    return EncoderSettings(
        name="prores_ks",
        pixel_format=video.pixel_format,
        options={
            "profile": "4444",
            # Editors take files of other vendors than Apple for damaged ones.
            "vendor": "apl0",
            "alpha_bits": "16",
        },
        container="mov",
    )
