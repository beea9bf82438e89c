"""The named output settings.

Sizes, rates and limits of ``youtube_1080p``, ``instagram_square`` and ``tiktok_vertical`` are
fixed by the product's specification. Those of the others come from the platforms' own pages, as of
2026-11-22. Google's and Spotify's pages were read; those of Meta and X, which ask readers to log
in, and YouTube's limits on uploads are given as services that publish there repeat them:

* ``youtube_4k``: H.264 high, 35 to 45 Mbit/s for 2160p at 24 to 30 frames a second, AAC-LC stereo
  at 48 kHz and 384 kbit/s (https://support.google.com/youtube/answer/1722171); 256 GB or 12 hours,
  whichever is less (https://support.google.com/youtube/answer/71673).
* ``youtube_shorts``: the same pages, 8 Mbit/s for 1080p; square or vertical, up to three minutes
  (https://support.google.com/youtube/answer/15424877).
* ``instagram_story`` and ``instagram_portrait``: H.264 with AAC, 128 kbit/s and 48 kHz at most, 23
  to 60 frames a second, 25 Mbit/s at most; a story lasts 3 to 60 s and has 100 MB at most, a video
  in the feed, which is published as a reel, 3 s to 15 minutes and 300 MB
  (https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/media).
  4:5 at 1080x1350 is the tallest that the feed shows whole.
* ``twitter_landscape``: H.264 with AAC-LC in mp4 or mov, 140 s, 512 MB, up to 1920x1200 and
  25 Mbit/s for accounts that pay nothing (https://help.x.com/en/using-x/x-videos); 6 to 10 Mbit/s
  for 1080p (https://business.x.com/en/help/campaign-setup/creative-ad-specifications).
* ``facebook_feed``: 4:5, H.264 with stereo AAC of 128 kbit/s or more, 4 GB, 1 s to 241 minutes
  (https://www.facebook.com/business/ads-guide/update/video/facebook-feed); no rate is named, so
  that of YouTube's 1080p is taken in proportion to the pixels.
* ``spotify_canvas``: 3 to 8 s, vertical 9:16, 720 to 1080 pixels tall, mp4 or jpg
  (https://support.spotify.com/us/artists/article/canvas-guidelines/). It plays in a loop and
  without sound; a song is longer, so it is cut. No size is named: 10 MB is ours.

Where a platform names no unit more exactly, MB and GB are taken as the smaller, decimal ones.
Presets of one shape have one size, frame rate and pixel format where their platforms allow it, so
that a batch draws their pictures once; the sound is encoded alike where no platform asks for more.
"""

from __future__ import annotations

from typing import Final

from shared.codecs import EncoderSpeed, Profile
from shared.errors import CompositionError
from shared.export import (
    AspectRatio,
    AudioSettings,
    ExportConfiguration,
    ExportFormat,
    Platform,
    PlatformRequirements,
    QualitySettings,
    Resolution,
    SocialMediaSettings,
)

_MIB: Final = 1024 * 1024
_GIB: Final = 1024 * _MIB
_MB: Final = 1000 * 1000
_GB: Final = 1000 * _MB

_SMALL_SOUND: Final = AudioSettings(bitrate=128, sample_rate=44100)
"""What the specification gives Instagram and TikTok; one encode serves every platform that asks
for no more."""
_YOUTUBE_SOUND: Final = AudioSettings(bitrate=384, sample_rate=48000)
"""YouTube's recommendation for stereo."""


def _quality(
    size: str, *, kbps: int | None, crf: int, profile: Profile, speed: EncoderSpeed
) -> QualitySettings:
    width, height = (int(part) for part in size.split("x"))
    return QualitySettings(
        resolution=Resolution(width=width, height=height),
        framerate="30",  # type: ignore[arg-type]  # read by the field's validator
        bitrate=kbps,
        crf=crf,
        profile=profile,
        encoder_speed=speed,
    )


def _platform(
    platform: Platform,
    aspect_ratio: AspectRatio,
    *,
    longest_s: float | None,
    most_bytes: int,
    kbps: int,
    formats: tuple[str, ...] = ("mp4",),
) -> SocialMediaSettings:
    return SocialMediaSettings(
        platform=platform,
        aspect_ratio=aspect_ratio,
        max_duration=longest_s,
        requirements=PlatformRequirements(
            max_file_size=most_bytes, recommended_bitrate=kbps, supported_formats=formats
        ),
    )


def _format(preset: str) -> ExportFormat:
    return ExportFormat(container="mp4", video_codec="h264", audio_codec="aac", preset=preset)


PRESETS: Final[dict[str, ExportConfiguration]] = {
    "youtube_1080p": ExportConfiguration(
        name="YouTube 1080p",
        format=_format("youtube_1080p"),
        quality=_quality("1920x1080", kbps=8000, crf=18, profile="high", speed="veryfast"),
        audio=AudioSettings(bitrate=192, sample_rate=48000),
        social_media=_platform(
            "youtube",
            "16:9",
            longest_s=None,
            most_bytes=128 * _GIB,
            kbps=8000,
            formats=("mp4", "mov", "webm"),
        ),
    ),
    "youtube_4k": ExportConfiguration(
        name="YouTube 4K",
        format=_format("youtube_4k"),
        quality=_quality("3840x2160", kbps=40_000, crf=18, profile="high", speed="veryfast"),
        audio=_YOUTUBE_SOUND,
        social_media=_platform(
            "youtube",
            "16:9",
            longest_s=12 * 3600,
            most_bytes=256 * _GB,
            kbps=40_000,
            formats=("mp4", "mov", "webm"),
        ),
    ),
    "youtube_shorts": ExportConfiguration(
        name="YouTube Shorts",
        format=_format("youtube_shorts"),
        quality=_quality("1080x1920", kbps=8000, crf=18, profile="high", speed="veryfast"),
        audio=_YOUTUBE_SOUND,
        social_media=_platform(
            "youtube",
            "9:16",
            longest_s=180,
            most_bytes=256 * _GB,
            kbps=8000,
            formats=("mp4", "mov", "webm"),
        ),
    ),
    "instagram_square": ExportConfiguration(
        name="Instagram Square",
        format=_format("instagram_square"),
        quality=_quality("1080x1080", kbps=3500, crf=20, profile="main", speed="faster"),
        audio=_SMALL_SOUND,
        social_media=_platform("instagram", "1:1", longest_s=60, most_bytes=4 * _GIB, kbps=3500),
    ),
    "instagram_portrait": ExportConfiguration(
        name="Instagram Portrait",
        format=_format("instagram_portrait"),
        quality=_quality("1080x1350", kbps=3500, crf=20, profile="main", speed="faster"),
        audio=_SMALL_SOUND,
        social_media=_platform(
            "instagram",
            "4:5",
            longest_s=900,
            most_bytes=300 * _MB,
            kbps=3500,
            formats=("mp4", "mov"),
        ),
    ),
    "instagram_story": ExportConfiguration(
        name="Instagram Story",
        format=_format("instagram_story"),
        quality=_quality("1080x1920", kbps=5000, crf=20, profile="main", speed="faster"),
        audio=_SMALL_SOUND,
        social_media=_platform(
            "instagram",
            "9:16",
            longest_s=60,
            most_bytes=100 * _MB,
            kbps=5000,
            formats=("mp4", "mov"),
        ),
    ),
    "tiktok_vertical": ExportConfiguration(
        name="TikTok Vertical",
        format=_format("tiktok_vertical"),
        quality=_quality("1080x1920", kbps=2000, crf=22, profile="main", speed="faster"),
        audio=_SMALL_SOUND,
        social_media=_platform(
            "tiktok", "9:16", longest_s=180, most_bytes=int(287.6 * _MIB), kbps=2000
        ),
    ),
    "twitter_landscape": ExportConfiguration(
        name="X Landscape",
        format=_format("twitter_landscape"),
        quality=_quality("1920x1080", kbps=6000, crf=20, profile="high", speed="veryfast"),
        audio=_SMALL_SOUND,
        social_media=_platform(
            "twitter",
            "16:9",
            longest_s=140,
            most_bytes=512 * _MB,
            kbps=6000,
            formats=("mp4", "mov"),
        ),
    ),
    "facebook_feed": ExportConfiguration(
        name="Facebook Feed",
        format=_format("facebook_feed"),
        quality=_quality("1080x1350", kbps=5600, crf=20, profile="high", speed="veryfast"),
        audio=_SMALL_SOUND,
        social_media=_platform(
            "facebook",
            "4:5",
            longest_s=240 * 60,
            most_bytes=4 * _GB,
            kbps=5600,
            formats=("mp4", "mov"),
        ),
    ),
    "spotify_canvas": ExportConfiguration(
        name="Spotify Canvas",
        format=_format("spotify_canvas"),
        # The tallest 9:16 of even sides within 1080 rows.
        quality=_quality("594x1056", kbps=5000, crf=18, profile="high", speed="faster"),
        audio=AudioSettings(enabled=False),
        social_media=_platform(
            "spotify", "9:16", longest_s=8, most_bytes=10 * _MB, kbps=5000
        ).model_copy(update={"too_long": "cut"}),
    ),
    "custom": ExportConfiguration(
        name="Custom",
        format=_format("custom"),
        quality=_quality("1920x1080", kbps=None, crf=18, profile="high", speed="veryfast"),
        audio=AudioSettings(bitrate=192, sample_rate=48000),
    ),
}
"""Every preset by its name."""

DESCRIPTIONS: Final[dict[str, str]] = {
    "youtube_1080p": "A video for YouTube, Full HD.",
    "youtube_4k": "A video for YouTube in 4K.",
    "youtube_shorts": "A vertical YouTube Short, up to three minutes.",
    "instagram_square": "A square video for Instagram's feed, up to a minute.",
    "instagram_portrait": "A 4:5 video for Instagram's feed, up to 15 minutes.",
    "instagram_story": "A vertical Instagram story, up to a minute.",
    "tiktok_vertical": "A vertical video for TikTok, up to three minutes.",
    "twitter_landscape": "A video for X, up to 140 seconds.",
    "facebook_feed": "A 4:5 video for Facebook's feed.",
    "spotify_canvas": "A silent loop of 3 to 8 seconds over a song on Spotify.",
    "custom": "Full HD at constant quality, for no platform in particular: a place to start from.",
}
"""What each preset is good for, in a sentence."""


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
