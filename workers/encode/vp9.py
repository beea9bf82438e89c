"""VP9 by libvpx."""

from __future__ import annotations

from shared.codecs import has_alpha
from shared.plan import BUFFER_S, VideoSpec
from workers.encode.settings import EncoderSettings, group, rate_factor
from workers.encode.speeds import VP9


def settings(video: VideoSpec, frames: int) -> EncoderSettings:
    """One closed group of ``frames`` frames.

    libvpx knows whole rate factors only. With a cap it encodes at constrained quality: the
    factor where the rate allows it, the rate where not.
    """
    deadline, cpu_used = VP9[video.encoder_speed]
    options = {
        "deadline": deadline,
        "cpu-used": str(cpu_used),
        "crf": str(round(rate_factor(video))),
        "b": "0",
        "g": group(frames),
        # Columns of at least 512 pixels: players decode them at the same time.
        "tile-columns": str(max(0, (video.width // 512).bit_length() - 1)),
    }
    if video.max_kbps is not None:
        options["b"] = f"{video.max_kbps}k"
        options["bufsize"] = f"{BUFFER_S * video.max_kbps}k"
    if has_alpha(video.pixel_format):
        # libvpx encodes alpha in an encoder of its own, whose hidden frames would not match.
        options["auto-alt-ref"] = "0"
    return EncoderSettings(
        name="libvpx-vp9",
        pixel_format=video.pixel_format,
        options=options,
        # mp4 has no place for alpha; in webm it goes beside each frame.
        container="webm" if has_alpha(video.pixel_format) else "mp4",
    )
