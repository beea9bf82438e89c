"""What libav is told: which encoder, and its options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.codecs import CODEC_NAMES
from shared.errors import EncodeError
from shared.plan import BUFFER_S, VideoSpec

GROUP: Final = 250
"""x264's default distance between key frames; chunks are shorter, so each is one group. Below it
x264 writes another header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSettings:
    """An encoder with its options, the same for every segment of an export."""

    name: str
    """Of the encoder, as libav calls it."""
    pixel_format: str
    """What it is given."""
    options: Mapping[str, str]
    """Its own; none may be left over when it is open."""
    container: str = "mp4"
    """libav's muxer for the segment."""
    tag: str | None = None
    """Name of the sample entry, where the muxer's own is not what players expect."""
    reorder: int | None = None
    """How many frames decoding runs ahead of presentation, where what the encoder says of it
    cannot be trusted."""


def group(frames: int) -> str:
    """Distance between key frames that makes a chunk of any length one group."""
    return str(max(frames, GROUP))


def rate_factor(video: VideoSpec) -> float:
    """The constant rate factor, once it is known.

    Raises:
        EncodeError: It is not.
    """
    if video.crf is not None:
        return video.crf
    if video.target_kbps is not None:
        raise EncodeError(
            f"The crf that holds {video.target_kbps} kbit/s is not known yet; survey the piece "
            "before its chunks are encoded."
        )
    raise EncodeError(f"{CODEC_NAMES[video.codec]} needs a crf; none was set.")


def rate_cap(video: VideoSpec) -> dict[str, str]:
    """Options that cap the rate over BUFFER_S (the decoder's buffer), where a cap is set."""
    if video.max_kbps is None:
        return {}
    return {"maxrate": f"{video.max_kbps}k", "bufsize": f"{BUFFER_S * video.max_kbps}k"}
