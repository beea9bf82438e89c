"""The configuration of an export: what file comes out.

Field names follow the product's specification. JSON is written in camelCase; camelCase and
snake_case are both read, and fields that nobody knows are refused.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from shared.timebase import FrameRate

EncoderSpeed = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
]
"""x264's own presets, which trade time for size; the product's presets are another thing."""


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        alias_generator=AliasGenerator(alias=to_camel),
        populate_by_name=True,
    )


class ExportFormat(_Model):
    """The container and what is in it."""

    container: Literal["mp4"] = Field(default="mp4", description="File format.")
    video_codec: Literal["h264"] = Field(default="h264", description="Codec of the picture.")
    audio_codec: Literal["aac"] = Field(default="aac", description="Codec of the sound.")
    preset: str = Field(default="custom", description="The preset it was made from.")


class Resolution(_Model):
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


class QualitySettings(_Model):
    """How good the picture is."""

    resolution: Resolution = Field(description="Size of the picture.")
    framerate: FrameRate = Field(description="Frames a second.")
    bitrate: int = Field(
        gt=0, le=800_000, description="kbit/s; beside `crf` it caps the rate over two seconds."
    )
    crf: int = Field(default=18, ge=0, le=51, description="Constant rate factor; less is better.")
    profile: Literal["baseline", "main", "high"] = Field(
        default="high", description="H.264 profile."
    )
    encoder_speed: EncoderSpeed = Field(default="veryfast", description="x264's own preset.")


class AudioSettings(_Model):
    """How the sound is encoded."""

    enabled: bool = Field(default=True, description="Whether the video has sound at all.")
    bitrate: int = Field(default=192, ge=8, le=512, description="kbit/s.")
    sample_rate: Literal[44100, 48000] = Field(default=48000, description="Samples a second.")
    channels: Literal[1, 2] = Field(default=2, description="1 mono, 2 stereo.")
    normalization: bool = Field(
        default=True, description="Whether loudness is brought to -14 LUFS (EBU R128)."
    )
    fade_in: float = Field(default=0.0, ge=0, le=60, description="Seconds.")
    fade_out: float = Field(default=0.0, ge=0, le=60, description="Seconds.")


class PlatformRequirements(_Model):
    """What a platform accepts."""

    max_file_size: int = Field(gt=0, description="Bytes.")
    recommended_bitrate: int = Field(gt=0, description="kbit/s.")
    supported_formats: tuple[str, ...] = Field(description="Containers.")


class SocialMediaSettings(_Model):
    """The platform that an export is made for."""

    platform: Literal["youtube", "instagram", "tiktok", "twitter"] = Field(description="Its name.")
    aspect_ratio: Literal["16:9", "9:16", "1:1", "4:5"] = Field(description="Width to height.")
    max_duration: float | None = Field(default=None, gt=0, description="Seconds.")
    requirements: PlatformRequirements = Field(description="What it accepts.")


class ExportConfiguration(_Model):
    """Everything about an export but what is drawn and heard."""

    name: str = Field(min_length=1, max_length=200, description="What a person calls it.")
    format: ExportFormat = Field(default_factory=ExportFormat, description="Container and codecs.")
    quality: QualitySettings = Field(description="How good the picture is.")
    audio: AudioSettings = Field(default_factory=AudioSettings, description="How it sounds.")
    social_media: SocialMediaSettings | None = Field(
        default=None, description="The platform it is made for."
    )
