"""Containers and codecs: what fits into what, and what each can hold.

The tables follow what the muxers of FFmpeg 8.1 write and what players accept; a combination that
is not in them is refused before anything is rendered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, get_args

Container = Literal["mp4", "mov", "webm", "gif", "zip", "m4a", "mp3", "ogg"]
"""File formats: ``zip`` holds a sequence of PNG images; ``m4a``, ``mp3``, ``ogg`` sound alone."""
VideoCodec = Literal["h264", "h265", "vp9", "av1", "prores_4444", "gif", "png"]
AudioCodec = Literal["aac", "mp3", "opus"]
PixelFormat = Literal[
    "yuv420p", "yuv444p", "yuv420p10le", "yuva420p", "yuva444p10le", "rgb24", "rgba", "pal8"
]
"""What encoders are given, in libav's words: ``a`` has an alpha channel, ``10le`` 10 bits."""
Profile = Literal["baseline", "main", "high", "high10", "high444", "main10", "main444-8"]
EncoderSpeed = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
]
"""How long an encoder may look for savings, in x264's words; each encoder has its own scale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFacts:
    """What a file format takes."""

    video: tuple[VideoCodec, ...]
    """Codecs of the picture, the usual one first; none for a format of sound alone."""
    audio: tuple[AudioCodec, ...]
    """Codecs of the sound, the usual one first; none where there can be no sound."""
    media_type: str
    """What it is called over HTTP."""

    @property
    def has_picture(self) -> bool:
        """Whether there is anything to draw."""
        return bool(self.video)


CONTAINERS: Final[Mapping[Container, ContainerFacts]] = MappingProxyType(
    {
        "mp4": ContainerFacts(
            video=("h264", "h265", "vp9", "av1"),
            audio=("aac", "mp3", "opus"),
            media_type="video/mp4",
        ),
        "mov": ContainerFacts(
            video=("h264", "h265", "prores_4444"),
            audio=("aac", "mp3"),
            media_type="video/quicktime",
        ),
        "webm": ContainerFacts(video=("vp9", "av1"), audio=("opus",), media_type="video/webm"),
        "gif": ContainerFacts(video=("gif",), audio=(), media_type="image/gif"),
        "zip": ContainerFacts(video=("png",), audio=(), media_type="application/zip"),
        "m4a": ContainerFacts(video=(), audio=("aac",), media_type="audio/mp4"),
        "mp3": ContainerFacts(video=(), audio=("mp3",), media_type="audio/mpeg"),
        "ogg": ContainerFacts(video=(), audio=("opus",), media_type="audio/ogg"),
    }
)
"""Every file format by its name, which is also the suffix of its files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecFacts:
    """What a codec of the picture can hold."""

    profiles: Mapping[PixelFormat, tuple[Profile, ...]]
    """Pixel formats, the usual one first, each with the profiles that hold it, the usual one
    first; none where the profile follows from the pixel format."""
    crf: tuple[int, int] | None
    """Scale of its constant rate factor; None where it has no such thing as a rate."""
    default_crf: int = 0
    """A factor at which a piano roll looks like its source."""
    lowest_crf: int = 0
    """The best factor that still is one: below it an encoder changes its profile (x264's 0 is
    lossless, High 4:4:4 Predictive) or takes it for unset (libavcodec's SVT-AV1)."""
    crf_grid: float | None = None
    """The encoder takes multiples of this only; None where it takes any factor."""
    max_framerate: int | None = None
    """The most frames a second that players show; None where they show all of ours."""

    @property
    def pixel_formats(self) -> tuple[PixelFormat, ...]:
        """What it encodes, the usual one first."""
        return tuple(self.profiles)


CODECS: Final[Mapping[VideoCodec, CodecFacts]] = MappingProxyType(
    {
        "h264": CodecFacts(
            profiles={
                "yuv420p": ("high", "main", "baseline"),
                "yuv420p10le": ("high10",),
                "yuv444p": ("high444",),
            },
            crf=(0, 51),
            default_crf=18,
            lowest_crf=1,
        ),
        "h265": CodecFacts(
            profiles={
                "yuv420p": ("main",),
                "yuv420p10le": ("main10",),
                "yuv444p": ("main444-8",),
            },
            crf=(0, 51),
            default_crf=22,
        ),
        "vp9": CodecFacts(
            # libvpx comes without high bit depth in the wheels of PyAV (18.1): 8 bits only.
            profiles={"yuv420p": (), "yuv444p": (), "yuva420p": ()},
            crf=(0, 63),
            default_crf=30,
            crf_grid=1.0,
        ),
        "av1": CodecFacts(
            profiles={"yuv420p": (), "yuv420p10le": ()},
            crf=(0, 63),
            default_crf=30,
            lowest_crf=1,
            crf_grid=0.25,
        ),
        "prores_4444": CodecFacts(profiles={"yuva444p10le": ()}, crf=None),
        # It counts in 1/100 s, and browsers play delays under 2/100 s at a tenth of the speed.
        "gif": CodecFacts(profiles={"pal8": ()}, crf=None, max_framerate=50),
        "png": CodecFacts(profiles={"rgb24": (), "rgba": ()}, crf=None),
    }
)
"""Every codec of the picture by its name."""

CODEC_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "h264": "H.264",
        "h265": "H.265",
        "vp9": "VP9",
        "av1": "AV1",
        "prores_4444": "ProRes 4444",
        "gif": "GIF",
        "png": "PNG",
        "aac": "AAC",
        "mp3": "MP3",
        "opus": "Opus",
    }
)
"""What people call them."""

PIXEL_FORMATS: Final = get_args(PixelFormat)
SAMPLE_RATES: Final = (44100, 48000)
"""Samples a second that sound may have."""
OPUS_RATE: Final = 48000
"""The one rate of ours that Opus has (RFC 6716, section 2)."""

MP3_KBPS: Final = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
"""The rates of MPEG-1 Layer III, which is MP3 at 44.1 and 48 kHz (ISO/IEC 11172-3, 2.4.2.3)."""
OPUS_KBPS: Final[Mapping[int, tuple[int, int]]] = MappingProxyType({1: (6, 256), 2: (6, 510)})
"""Least and most by channels (RFC 6716, section 2.1.1; 256 a channel in libopus)."""
AAC_LEAST_KBPS: Final[Mapping[int, int]] = MappingProxyType({1: 16, 2: 24})
"""By channels: with less asked for, libav's encoder comes out at about this all the same."""
AAC_FRAME_BITS: Final = 6144
"""The most that a channel has for 1024 samples (ISO/IEC 14496-3, 4.5.1)."""


def sample_rates(codec: AudioCodec) -> tuple[int, ...]:
    """Samples a second that a codec of the sound can have."""
    return (OPUS_RATE,) if codec == "opus" else SAMPLE_RATES


def bitrate_bounds(codec: AudioCodec, *, sample_rate: int, channels: int) -> tuple[int, int]:
    """Least and most of a codec of the sound, kbit/s; MP3 has but some between them."""
    if codec == "mp3":
        return MP3_KBPS[0], MP3_KBPS[-1]
    if codec == "opus":
        return OPUS_KBPS[channels]
    return AAC_LEAST_KBPS[channels], AAC_FRAME_BITS * channels * sample_rate // (1024 * 1000)


def picture_codec(container: Container, asked: VideoCodec | None) -> VideoCodec | None:
    """Codec of the picture: the container's usual one where none was asked for, or None."""
    usual = CONTAINERS[container].video
    return asked or (usual[0] if usual else None)


def sound_codec(container: Container, asked: AudioCodec | None) -> AudioCodec | None:
    """Codec of the sound: the container's usual one where none was asked for, or None."""
    usual = CONTAINERS[container].audio
    return asked or (usual[0] if usual else None)


def has_alpha(pixel_format: str) -> bool:
    """Whether pixels may be transparent."""
    return pixel_format.startswith(("yuva", "rgba"))


def is_deep(pixel_format: str) -> bool:
    """Whether a component has more than 8 bits."""
    return pixel_format.endswith("10le")


def listed(said: Sequence[str]) -> str:
    """Names in a sentence: ``H.264, H.265 or ProRes 4444``."""
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} or {said[-1]}"


def why_not_together(container: Container, video: str | None, audio: str | None) -> str | None:
    """Why codecs cannot go into a container, and what would; None where they can.

    Args:
        container: The file format.
        video: Codec of the picture, or None where none was asked for.
        audio: Codec of the sound, or None where none was asked for.
    """
    facts = CONTAINERS[container]
    for what, codec, taken in (("picture", video, facts.video), ("sound", audio, facts.audio)):
        if codec is None or codec in taken:
            continue
        would = [
            name for name, other in CONTAINERS.items() if codec in (*other.video, *other.audio)
        ]
        there = f"{CODEC_NAMES[codec]} goes into {listed(would)}"
        if not taken:
            return f"{container} has no {what}; {there}"
        names = [CODEC_NAMES[name] for name in taken]
        return f"{container} takes {listed(names)} for the {what}; {there}"
    return None


def why_no_profile(codec: VideoCodec, pixel_format: str, profile: str | None) -> str | None:
    """Why a codec cannot hold such pixels in such a profile; None where it can."""
    facts = CODECS[codec]
    name = CODEC_NAMES[codec]
    if pixel_format not in facts.profiles:
        return f"{name} encodes {' or '.join(facts.pixel_formats)}, not {pixel_format}"
    profiles = facts.profiles[pixel_format]  # type: ignore[index]  # it is in there
    if profile is None or profile in profiles:
        return None
    if not profiles:
        return f"the profile of {name} follows from its pixel format; leave it out"
    fits = [fmt for fmt, named in facts.profiles.items() if profile in named]
    there = f", {profile} is for {' or '.join(fits)}" if fits else ""
    return f"{name} in {pixel_format} has the profile {' or '.join(profiles)}{there}"


def why_no_bitrate(codec: AudioCodec, kbps: int, *, sample_rate: int, channels: int) -> str | None:
    """Why a codec of the sound cannot have a rate, and what would do; None where it can.

    Args:
        codec: Codec of the sound.
        kbps: Rate that was asked for, kbit/s.
        sample_rate: 44100 or 48000.
        channels: 1 or 2.
    """
    kind = "mono" if channels == 1 else "stereo"
    if codec == "mp3":
        if kbps in MP3_KBPS:
            return None
        nearest = min(MP3_KBPS, key=lambda rate: (abs(rate - kbps), rate))
        return f"MP3 has {_series(MP3_KBPS)} kbit/s, not {kbps}; {nearest} comes nearest"
    least, most = bitrate_bounds(codec, sample_rate=sample_rate, channels=channels)
    if least <= kbps <= most:
        return None
    return (
        f"{CODEC_NAMES[codec]} has {least} to {most} kbit/s for {kind} at {sample_rate} Hz, "
        f"not {kbps}"
    )


def _series(rates: tuple[int, ...]) -> str:
    return f"{', '.join(str(rate) for rate in rates[:-1])} or {rates[-1]}"


def why_no_alpha(container: Container, pixel_format: str) -> str | None:
    """Why a container loses the alpha channel of such pixels; None where it does not."""
    if pixel_format == "yuva420p" and container != "webm":
        return f"{container} has no place for the alpha channel of VP9; webm has"
    return None
