"""Encoders in hardware: which can be opened here, and how they are told the same as software.

None was at hand to try: they are opened, never assumed, and told what their documentation says.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import av
from av.error import FFmpegError

from shared.codecs import VideoCodec
from shared.plan import VideoSpec
from workers.encode.settings import EncoderSettings, group, rate_cap, rate_factor

_CANDIDATES: Final[Mapping[VideoCodec, tuple[str, ...]]] = MappingProxyType(
    {
        "h264": ("h264_nvenc", "h264_qsv", "h264_amf"),
        "h265": ("hevc_nvenc", "hevc_qsv", "hevc_amf"),
        "av1": ("av1_nvenc", "av1_qsv", "av1_amf"),
    }
)
"""libav's names by codec, the one that is tried first first."""

_PIXELS: Final[Mapping[str, str]] = MappingProxyType({"yuv420p": "nv12", "yuv420p10le": "p010le"})
"""What all of them take, by what the frames are drawn as."""

_TRIED: Final = (640, 360)
"""Above the smallest picture of every one of them."""


@cache
def hardware_encoders() -> tuple[str, ...]:
    """Names (libav's) of the encoders in hardware that open on this machine."""
    return tuple(name for names in _CANDIDATES.values() for name in names if _opens(name))


def _opens(name: str) -> bool:
    try:
        encoder: Any = av.CodecContext.create(name, "w")
        encoder.width, encoder.height = _TRIED
        encoder.pix_fmt = "nv12"
        encoder.time_base = Fraction(1, 30)
        encoder.framerate = Fraction(30)
        encoder.open()
    except (FFmpegError, ValueError, OSError):
        return False
    return True


def settings(video: VideoSpec, frames: int) -> EncoderSettings | None:
    """One closed group at constant quality; None where software must encode.

    The scales of quality are those of the codec's quantiser, as x264's and x265's factors are;
    SVT-AV1's ends at 63 and so do theirs for AV1.
    """
    if not video.hardware or video.pixel_format not in _PIXELS:
        return None
    if video.pixel_format == "yuv420p10le" and video.codec == "h264":
        return None  # none of them has High 10
    here = hardware_encoders()
    name = next((name for name in _CANDIDATES.get(video.codec, ()) if name in here), None)
    if name is None:
        return None
    quality = str(round(rate_factor(video)))
    kind = name.rpartition("_")[2]
    options = {"g": group(frames), "bf": "0", **_KINDS[kind](quality), **rate_cap(video)}
    if video.codec in ("h264", "h265") and video.profile is not None:
        options["profile"] = video.profile
    return EncoderSettings(
        name=name,
        pixel_format=_PIXELS[video.pixel_format],
        options=options,
        tag="hvc1" if video.codec == "h265" else None,
    )


def _nvenc(quality: str) -> dict[str, str]:
    return {"rc": "vbr", "cq": quality, "b": "0", "preset": "p5", "rc-lookahead": "0"} | {
        "forced-idr": "1",
        "no-scenecut": "1",
    }


def _qsv(quality: str) -> dict[str, str]:
    return {"global_quality": quality, "look_ahead": "0", "forced_idr": "1"}


def _amf(quality: str) -> dict[str, str]:
    return {"rc": "cqp", "qp_i": quality, "qp_p": quality}


_KINDS: Final = {"nvenc": _nvenc, "qsv": _qsv, "amf": _amf}
