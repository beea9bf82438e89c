"""Which exports of a batch show the same frames."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.sharing import frames_shared
from shared.export import ExportConfiguration


def made(**changes: Any) -> ExportConfiguration:
    """A configuration; a name with ``__`` leads into a part of it."""
    plain: dict[str, Any] = {
        "name": "one",
        "format": {},
        "quality": {"resolution": {"width": 640, "height": 360}, "framerate": 30, "crf": 20},
    }
    for path, value in changes.items():
        *folders, last = path.split("__")
        inside = plain
        for folder in folders:
            inside = inside.setdefault(folder, {})
        inside[last] = value
    return ExportConfiguration.model_validate(plain)


def platform(max_duration: float | None, too_long: str, aspect_ratio: str = "16:9") -> Any:
    return {
        "platform": "youtube",
        "aspect_ratio": aspect_ratio,
        "max_duration": max_duration,
        "too_long": too_long,
        "requirements": {
            "max_file_size": 10**9,
            "recommended_bitrate": 1000,
            "supported_formats": ["mp4"],
        },
    }


WEBM = {"format": {"container": "webm"}}
CARD = {"branding": {"end_card": {"text": "Bye"}}}


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ({}, {"quality__crf": 30}, True),
        ({}, WEBM, True),
        ({}, {"quality__encoder_speed": "slow"}, True),
        # Encoded alike, so that the segments themselves are shared.
        ({}, {}, False),
        ({}, {"audio": {"bitrate": 64}, "name": "two"}, False),
        # Its chunks are longer, so that it would find no frames of the other's.
        ({}, {"format": {"video_codec": "av1"}}, False),
        ({}, WEBM | {"quality__framerate": 60}, False),
        ({}, WEBM | {"quality__resolution": {"width": 642, "height": 360}}, False),
        ({}, WEBM | {"quality__pixel_format": "yuv444p"}, False),
        ({}, WEBM | CARD, False),
        (CARD, WEBM | CARD, True),
        (CARD, WEBM | {"branding": {"end_card": {"text": "Hi"}}}, False),
        # Whether it is refused changes no frame of what is not refused.
        (
            {"social_media": platform(60, "refuse")},
            {"social_media": platform(None, "refuse"), "quality__crf": 30},
            True,
        ),
        (
            {"social_media": platform(60, "cut")},
            {"social_media": platform(60, "fade"), "quality__crf": 30},
            False,
        ),
        (
            {"social_media": platform(60, "cut")},
            {"social_media": platform(60, "cut"), "quality__crf": 30},
            True,
        ),
        (
            {"social_media": platform(60, "cut")},
            {"social_media": platform(None, "cut"), "quality__crf": 30},
            False,
        ),
        ({"format": {"container": "m4a"}}, {"format": {"container": "mp3"}}, False),
    ],
)
def test_two_exports(one: dict[str, Any], other: dict[str, Any], shared: bool) -> None:
    assert frames_shared([made(**one), made(**other)]) == [shared, shared]


def test_a_limit_that_the_music_does_not_reach_changes_nothing() -> None:
    both = [
        made(social_media=platform(60, "cut")),
        made(social_media=platform(90, "fade"), quality__crf=30),
    ]
    assert frames_shared(both, longest_s=59) == [True, True]
    assert frames_shared(both, longest_s=61) == [False, False]
    assert frames_shared(both) == [False, False]
    with_card = [ExportConfiguration.model_validate(each.model_dump() | CARD) for each in both]
    assert frames_shared(with_card, longest_s=59) == [False, False]  # its card lasts 3 s
    assert frames_shared(with_card, longest_s=56) == [True, True]


def test_those_that_share_are_told_from_those_that_do_not() -> None:
    found = frames_shared([made(), made(quality__framerate=60), made(**WEBM), made()])
    assert found == [True, False, True, True]
    assert frames_shared([made()]) == [False]
    assert frames_shared([]) == []
