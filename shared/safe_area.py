"""Safe areas: what a platform's own buttons and captions leave free of a video.

Shown full screen on a phone, a vertical video lies under the app's tabs, the caption, the name of
the sound, and a column of buttons at the right. What must be seen stays clear of them; what may be
covered for a while, such as notes on their way, goes on beneath. Players of the other shapes put
nothing over a video that does not go away by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pydantic import Field

from shared.spec import Spec


class SafeArea(Spec):
    """How far the free part lies from each edge, as fractions of the frame's height and width."""

    top: float = Field(default=0.0, ge=0, lt=0.5, description="Fraction of the height.")
    right: float = Field(default=0.0, ge=0, lt=0.5, description="Fraction of the width.")
    bottom: float = Field(default=0.0, ge=0, lt=0.5, description="Fraction of the height.")
    left: float = Field(default=0.0, ge=0, lt=0.5, description="Fraction of the width.")


WHOLE = SafeArea()
"""Nothing is covered."""


def _pixels(*, top: int, right: int, bottom: int, left: int) -> SafeArea:
    """An area in pixels of 1080x1920, as the platforms' templates give it."""
    return SafeArea(
        top=round(top / 1920, 4),
        right=round(right / 1080, 4),
        bottom=round(bottom / 1920, 4),
        left=round(left / 1080, 4),
    )


PLATFORM_AREAS: Final[Mapping[str, Mapping[str, SafeArea]]] = MappingProxyType(
    {
        "9:16": MappingProxyType(
            {
                # The safe zone that TikTok offers for download, left to right scripts, without an
                # anchor: https://ads.tiktok.com/help/article/tiktok-auction-in-feed-ads
                # (2026-11-22), in the pixels that designers say they measure in it. The edge below
                # is that of a caption of two lines.
                "tiktok": _pixels(top=131, right=140, bottom=440, left=60),
                # 14 % at the top and 20 % at the bottom, about 250 and 340 pixels of 1080x1920
                # less what phones add: https://www.facebook.com/business/help/980593475366490
                # (2026-11-22). Meta's 35 % for reels is for advertisements, whose button and
                # text a musician's own post has not.
                "instagram": SafeArea(top=0.14, right=0.06, bottom=0.2, left=0.06),
                # Mock-ups of vertical videos in https://support.google.com/google-ads/answer/13704860
                # (2026-11-22): the title and the channel below, the buttons at the right.
                # Here, too, the 35 % at the bottom count an advertisement's button.
                "youtube": _pixels(top=288, right=192, bottom=480, left=48),
            }
        ),
        "16:9": MappingProxyType({}),
        "1:1": MappingProxyType({}),
        "4:5": MappingProxyType({}),
    }
)
"""By shape, what each platform leaves free of a video."""


def safe_area(aspect_ratio: str | None) -> SafeArea:
    """What all platforms leave free of videos of that shape; WHOLE for no platform.

    One area for each shape, so that one drawing serves every platform that shows it.
    """
    areas = PLATFORM_AREAS.get(aspect_ratio or "", {}).values()
    return SafeArea(
        top=max((area.top for area in areas), default=0.0),
        right=max((area.right for area in areas), default=0.0),
        bottom=max((area.bottom for area in areas), default=0.0),
        left=max((area.left for area in areas), default=0.0),
    )
