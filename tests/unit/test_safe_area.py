"""Safe areas: one for each shape, clear of what every platform covers."""

from __future__ import annotations

import pytest

from shared.presets import PRESETS
from shared.safe_area import PLATFORM_AREAS, WHOLE, safe_area

SIDES = ("top", "right", "bottom", "left")


@pytest.mark.parametrize("ratio", PLATFORM_AREAS)
def test_a_shapes_area_is_the_least_that_its_platforms_leave(ratio: str) -> None:
    whole = safe_area(ratio)
    areas = PLATFORM_AREAS[ratio].values()
    for side in SIDES:
        insets = [getattr(area, side) for area in areas]
        assert getattr(whole, side) == max(insets, default=0)


def test_vertical_videos_are_covered_and_others_are_not() -> None:
    vertical = safe_area("9:16")
    assert vertical.bottom > vertical.top > 0.1, "captions lie below, tabs above"
    assert vertical.right > vertical.left > 0, "buttons stand at the right"
    assert [safe_area(ratio) for ratio in ("16:9", "1:1", "4:5", None, "2:1")] == [WHOLE] * 5


def test_the_areas_are_those_of_the_shapes_that_presets_have() -> None:
    ratios = {
        preset.social_media.aspect_ratio for preset in PRESETS.values() if preset.social_media
    }
    assert ratios == set(PLATFORM_AREAS)
