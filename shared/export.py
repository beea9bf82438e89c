"""The configuration of an export: what file comes out.

Field names follow the product's specification. JSON is written in camelCase; camelCase and
snake_case are both read, and fields that nobody knows are refused.
"""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import Field, model_validator

from shared.branding import Branding
from shared.camel import CamelModel
from shared.codecs import (
    CODEC_NAMES,
    CODECS,
    OPUS_RATE,
    AudioCodec,
    Container,
    EncoderSpeed,
    PixelFormat,
    Profile,
    VideoCodec,
    has_alpha,
    picture_codec,
    sound_codec,
    why_no_alpha,
    why_no_bitrate,
    why_no_profile,
    why_not_together,
)
from shared.timebase import FrameRate

Platform = Literal["youtube", "instagram", "tiktok", "twitter", "facebook", "spotify"]
AspectRatio = Literal["16:9", "9:16", "1:1", "4:5"]

SOUND_KBPS: Final = (8, 512)
"""Least and most of the sound, whatever its codec could have."""


class ExportFormat(CamelModel):
    """The container and what is in it."""

    container: Container = Field(
        default="mp4",
        description="File format; `zip` is a sequence of PNG images, `m4a`, `mp3` and `ogg` are "
        "sound alone.",
    )
    video_codec: VideoCodec | None = Field(
        default=None, description="Codec of the picture; the container's usual one without it."
    )
    audio_codec: AudioCodec | None = Field(
        default=None, description="Codec of the sound; the container's usual one without it."
    )
    preset: str = Field(default="custom", description="The preset it was made from.")

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        reason = why_not_together(self.container, self.video_codec, self.audio_codec)
        if reason is not None:
            raise ValueError(reason)
        return self

    @property
    def picture(self) -> VideoCodec | None:
        """Codec of the picture; None for sound alone."""
        return picture_codec(self.container, self.video_codec)

    @property
    def sound(self) -> AudioCodec | None:
        """Codec of the sound; None where there can be none."""
        return sound_codec(self.container, self.audio_codec)


class Resolution(CamelModel):
    """Size of the picture in pixels; both even, as 4:2:0 colour needs."""

    width: int = Field(ge=16, le=8192, description="Pixels per row.")
    height: int = Field(ge=16, le=8192, description="Rows.")

    @model_validator(mode="after")
    def _even(self) -> Resolution:
        if self.width % 2 or self.height % 2:
            even = f"{self.width // 2 * 2}x{self.height // 2 * 2}"
            raise ValueError(
                f"width and height must be even, which {self.width}x{self.height} is not; "
                f"{even} would do"
            )
        return self


class QualitySettings(CamelModel):
    """How good the picture is.

    ``crf`` alone holds the quality, ``bitrate`` alone the average rate; with both the quality is
    held and the rate capped. Without either the codec's own usual quality is held.
    """

    resolution: Resolution = Field(description="Size of the picture.")
    framerate: FrameRate = Field(description="Frames a second.")
    bitrate: int | None = Field(
        default=None,
        gt=0,
        le=800_000,
        description="kbit/s: alone the average of the video, beside `crf` a cap over two seconds.",
    )
    crf: int | None = Field(
        default=None,
        ge=0,
        le=63,
        description="Constant rate factor; less is better. Up to 51 for h264 and h265.",
    )
    profile: Profile | None = Field(
        default=None, description="Of h264 and h265; the usual one for the pixels without it."
    )
    pixel_format: PixelFormat | None = Field(
        default=None,
        description="What is encoded: `yuv420p10le` for 10 bits, `yuv444p` for whole colour, "
        "`yuva420p` (vp9) and `rgba` (png) for a transparent background.",
    )
    encoder_speed: EncoderSpeed = Field(
        default="veryfast", description="How long the encoder may look for savings."
    )
    hardware: bool = Field(
        default=False,
        description="Whether a hardware encoder is used where the workers have one for the codec.",
    )


class GifSettings(CamelModel):
    """What only a GIF has."""

    loop: int = Field(
        default=0, ge=-1, le=65535, description="How often it is played again; 0 for ever, -1 not."
    )
    dither: Literal["bayer", "sierra2_4a", "floyd_steinberg", "none"] = Field(
        default="sierra2_4a", description="How colours between those of the palette are hinted at."
    )


class AudioSettings(CamelModel):
    """How the sound is made."""

    enabled: bool = Field(default=True, description="Whether the video has sound at all.")
    bitrate: int = Field(default=192, ge=SOUND_KBPS[0], le=SOUND_KBPS[1], description="kbit/s.")
    sample_rate: Literal[44100, 48000] = Field(default=48000, description="Samples a second.")
    channels: Literal[1, 2] = Field(default=2, description="1 mono, 2 stereo.")
    normalization: bool = Field(
        default=True, description="Whether loudness is brought to the target (EBU R128)."
    )
    loudness: float = Field(
        default=-14.0, ge=-36, le=-6, description="Target of the normalisation in LUFS."
    )
    true_peak: float = Field(
        default=-1.0, ge=-9, le=0, description="Highest true peak after it in dBTP."
    )
    fade_in: float = Field(default=0.0, ge=0, le=60, description="Seconds.")
    fade_out: float = Field(default=0.0, ge=0, le=60, description="Seconds.")


class PlatformRequirements(CamelModel):
    """What a platform accepts."""

    max_file_size: int = Field(gt=0, description="Bytes.")
    recommended_bitrate: int = Field(gt=0, description="kbit/s.")
    supported_formats: tuple[str, ...] = Field(description="Containers.")


class SocialMediaSettings(CamelModel):
    """The platform that an export is made for."""

    platform: Platform = Field(description="Its name.")
    aspect_ratio: AspectRatio = Field(description="Width to height.")
    max_duration: float | None = Field(default=None, gt=0, description="Seconds.")
    too_long: Literal["refuse", "cut", "fade"] = Field(
        default="refuse",
        description="What becomes of a video that is longer: `cut` ends it at the limit, `fade` "
        "lets picture and sound fade out before.",
    )
    requirements: PlatformRequirements = Field(description="What it accepts.")


class ExportConfiguration(CamelModel):
    """Everything about an export but what is drawn and heard."""

    name: str = Field(min_length=1, max_length=200, description="What a person calls it.")
    format: ExportFormat = Field(default_factory=ExportFormat, description="Container and codecs.")
    quality: QualitySettings = Field(description="How good the picture is.")
    gif: GifSettings = Field(default_factory=GifSettings, description="What only a GIF has.")
    audio: AudioSettings = Field(default_factory=AudioSettings, description="How it sounds.")
    branding: Branding | None = Field(default=None, description="Watermark and end card.")
    social_media: SocialMediaSettings | None = Field(
        default=None, description="The platform it is made for."
    )

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        reason = _why_not(self)
        if reason is not None:
            raise ValueError(reason)
        return self

    @property
    def pixel_format(self) -> PixelFormat:
        """What is encoded; of no meaning for sound alone."""
        codec = self.format.picture
        return self.quality.pixel_format or CODECS[codec or "h264"].pixel_formats[0]

    @property
    def transparent(self) -> bool:
        """Whether the background is left out."""
        return self.format.picture is not None and has_alpha(self.pixel_format)

    @property
    def has_sound(self) -> bool:
        """Whether there will be sound, if there is anything to hear."""
        return self.audio.enabled and self.format.sound is not None


def _why_not(configuration: ExportConfiguration) -> str | None:
    """Why settings cannot hold together, and what would; None where they can."""
    quality, codec = configuration.quality, configuration.format.picture
    sound, platform = configuration.format.sound, configuration.social_media
    container = configuration.format.container
    if platform is not None and container not in platform.requirements.supported_formats:
        takes = " or ".join(platform.requirements.supported_formats)
        return f"format.container: {platform.platform} takes {takes}, not {container}"
    if sound == "opus" and configuration.has_sound and configuration.audio.sample_rate != OPUS_RATE:
        return f"audio.sampleRate: Opus is made at {OPUS_RATE} Hz; set it to {OPUS_RATE}"
    if sound is not None and configuration.has_sound:
        reason = why_no_bitrate(
            sound,
            configuration.audio.bitrate,
            sample_rate=configuration.audio.sample_rate,
            channels=configuration.audio.channels,
        )
        if reason is not None:
            return f"audio.bitrate: {reason}"
    if codec is None:
        if not configuration.audio.enabled:
            return f"audio.enabled: {container} holds nothing but sound"
        if configuration.branding is not None:
            return "branding: there is no picture to brand"
        return None
    pixels = configuration.pixel_format
    reason = why_no_profile(codec, pixels, quality.profile) or why_no_alpha(container, pixels)
    if reason is not None:
        return f"quality: {reason}"
    scale, name = CODECS[codec].crf, CODEC_NAMES[codec]
    if scale is None:
        for field, value in (("bitrate", quality.bitrate), ("crf", quality.crf)):
            if value is not None:
                return f"quality.{field}: {name} has no rate to set; leave it out"
    elif quality.crf is not None and quality.crf > scale[1]:
        return f"quality.crf: {name} takes {scale[0]} to {scale[1]}"
    fastest = CODECS[codec].max_framerate
    if fastest is not None and quality.framerate > fastest:
        return f"quality.framerate: a {name} plays {fastest} frames a second at most; use 25"
    return None
