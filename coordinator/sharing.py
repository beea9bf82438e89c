"""Which exports of a batch show the same frames, so that these are drawn once. Pure.

Whether two exports show the same is known for certain when both are planned, but must be decided
when they are accepted: those that are sure to do so, by their configurations alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from shared.export import ExportConfiguration
from shared.keys import content_key
from shared.plan import chunk_length_s
from shared.planning import safe_area_of, video_spec


def frames_shared(
    configurations: Sequence[ExportConfiguration], *, longest_s: float | None = None
) -> list[bool]:
    """For each export of one composition and range, whether another one shows its frames.

    Exports that are encoded alike too share their segments, which needs no frames to be kept.

    Args:
        configurations: What files come out.
        longest_s: The music does not last longer; None where that is not known.
    """
    if len(configurations) == 1:
        return [False]
    encodings: defaultdict[str, set[str]] = defaultdict(set)
    seen = [_seen(each, longest_s) for each in configurations]
    for configuration, key in zip(configurations, seen, strict=True):
        if key is not None:
            encodings[key].add(content_key({"video": video_spec(configuration)}))
    return [key is not None and len(encodings[key]) > 1 for key in seen]


def _seen(configuration: ExportConfiguration, longest_s: float | None) -> str | None:
    """What decides the frames of an export, as far as it is known; None for sound alone."""
    codec = configuration.format.picture
    if codec is None:
        return None
    branding = configuration.branding
    return content_key(
        {
            "video": video_spec(configuration).seen,
            # Frames are kept by the chunk: who cuts elsewhere would not find them.
            "chunk_s": chunk_length_s(codec),
            "safe_area": safe_area_of(configuration),
            "limit": _limit(configuration, longest_s),
            # The name of a template is not drawn, but it is part of what is compared later.
            "branding": branding and branding.model_dump(mode="json"),
        }
    )


def _limit(configuration: ExportConfiguration, longest_s: float | None) -> tuple[float, str] | None:
    """Where a platform's limit may end the video, and how; None where it changes no frame."""
    platform = configuration.social_media
    if platform is None or platform.max_duration is None:
        return None
    if platform.too_long == "refuse":
        return None  # a video that is refused has no frames, one that is not is as without it
    card = configuration.branding.end_card if configuration.branding else None
    if longest_s is not None and longest_s + (card.duration if card else 0) < platform.max_duration:
        return None
    return platform.max_duration, platform.too_long
