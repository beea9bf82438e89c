"""The named output settings.

Sizes, rates and limits of ``youtube_1080p``, ``instagram_square`` and ``tiktok_vertical`` are
fixed by the product's specification.
"""

from __future__ import annotations

from typing import Final

from shared.errors import CompositionError
from shared.export import (
    AudioSettings,
    ExportConfiguration,
    ExportFormat,
    PlatformRequirements,
    QualitySettings,
    Resolution,
    SocialMediaSettings,
)

_MIB: Final = 1024 * 1024
_GIB: Final = 1024 * _MIB

PRESETS: Final[dict[str, ExportConfiguration]] = {
    "youtube_1080p": ExportConfiguration(
        name="YouTube 1080p",
        format=ExportFormat(preset="youtube_1080p"),
        quality=QualitySettings(
            resolution=Resolution(width=1920, height=1080),
            framerate="30",  # type: ignore[arg-type]  # read by the field's validator
            bitrate=8000,
            crf=18,
            profile="high",
        ),
        audio=AudioSettings(bitrate=192, sample_rate=48000),
        social_media=SocialMediaSettings(
            platform="youtube",
            aspect_ratio="16:9",
            requirements=PlatformRequirements(
                max_file_size=128 * _GIB,
                recommended_bitrate=8000,
                supported_formats=("mp4", "mov", "webm"),
            ),
        ),
    ),
    "instagram_square": ExportConfiguration(
        name="Instagram Square",
        format=ExportFormat(preset="instagram_square"),
        quality=QualitySettings(
            resolution=Resolution(width=1080, height=1080),
            framerate="30",  # type: ignore[arg-type]
            bitrate=3500,
            crf=20,
            profile="main",
        ),
        audio=AudioSettings(bitrate=128, sample_rate=44100),
        social_media=SocialMediaSettings(
            platform="instagram",
            aspect_ratio="1:1",
            max_duration=60,
            requirements=PlatformRequirements(
                max_file_size=4 * _GIB, recommended_bitrate=3500, supported_formats=("mp4",)
            ),
        ),
    ),
    "tiktok_vertical": ExportConfiguration(
        name="TikTok Vertical",
        format=ExportFormat(preset="tiktok_vertical"),
        quality=QualitySettings(
            resolution=Resolution(width=1080, height=1920),
            framerate="30",  # type: ignore[arg-type]
            bitrate=2000,
            crf=22,
            profile="main",
        ),
        audio=AudioSettings(bitrate=128, sample_rate=44100),
        social_media=SocialMediaSettings(
            platform="tiktok",
            aspect_ratio="9:16",
            max_duration=180,
            requirements=PlatformRequirements(
                max_file_size=int(287.6 * _MIB),
                recommended_bitrate=2000,
                supported_formats=("mp4",),
            ),
        ),
    ),
}
"""Every preset by its name."""


def find_preset(name: str) -> ExportConfiguration:
    """The preset of that name.

    Raises:
        CompositionError: There is none; the message lists those that exist.
    """
    try:
        return PRESETS[name]
    except KeyError:
        raise CompositionError(
            f"There is no preset {name!r}; choose one of {', '.join(PRESETS)}."
        ) from None
