"""Which codecs go into which containers, over the whole product; what is refused says what goes."""

from __future__ import annotations

import itertools
import re
from typing import get_args

import pytest
from pydantic import ValidationError

from shared.codecs import (
    CODECS,
    CONTAINERS,
    PIXEL_FORMATS,
    AudioCodec,
    Container,
    Profile,
    VideoCodec,
    why_no_profile,
    why_not_together,
)
from shared.export import ExportConfiguration, ExportFormat

# Written down once more, from the specification and from what muxers refuse.
ALLOWED = {
    "mp4": ({"h264", "h265", "vp9", "av1"}, {"aac", "mp3", "opus"}),
    "mov": ({"h264", "h265", "prores_4444"}, {"aac", "mp3"}),
    "webm": ({"vp9", "av1"}, {"opus"}),
    "gif": ({"gif"}, set()),
    "zip": ({"png"}, set()),
    "m4a": (set(), {"aac"}),
    "mp3": (set(), {"mp3"}),
    "ogg": (set(), {"opus"}),
}
PRODUCT = list(
    itertools.product(
        get_args(Container), [None, *get_args(VideoCodec)], [None, *get_args(AudioCodec)]
    )
)
NAMES = re.compile("|".join(sorted(ALLOWED, key=len, reverse=True)))


def allowed(container: str, video: str | None, audio: str | None) -> bool:
    pictures, sounds = ALLOWED[container]
    return (video is None or video in pictures) and (audio is None or audio in sounds)


@pytest.mark.parametrize("container", get_args(Container))
def test_exactly_what_the_table_allows_is_accepted(container: str) -> None:
    for kind, video, audio in PRODUCT:
        if kind != container:
            continue
        reason = why_not_together(kind, video, audio)
        assert (reason is None) == allowed(kind, video, audio), (kind, video, audio)
        fields = {"container": kind, "videoCodec": video, "audioCodec": audio}
        if reason is None:
            assert ExportFormat.model_validate(fields).container == kind
        else:
            with pytest.raises(ValidationError, match=re.escape(reason)):
                ExportFormat.model_validate(fields)


def test_a_refusal_says_what_would_work() -> None:
    refused = [cell for cell in PRODUCT if not allowed(*cell)]
    assert len(refused) > 200
    for container, video, audio in refused:
        reason = why_not_together(container, video, audio)
        assert reason is not None
        assert reason.startswith(f"{container} ")
        codec = video if video is not None and video not in ALLOWED[container][0] else audio
        place = 0 if codec == video else 1
        would = {name for name, sets in ALLOWED.items() if codec in sets[place]}
        assert set(NAMES.findall(reason.rpartition(" goes into ")[2])) == would, reason


def test_a_container_alone_takes_its_usual_codecs() -> None:
    for container, facts in CONTAINERS.items():
        chosen = ExportFormat(container=container)
        assert chosen.picture == (facts.video[0] if facts.video else None)
        assert chosen.sound == (facts.audio[0] if facts.audio else None)
        assert allowed(container, chosen.picture, chosen.sound)


def test_pixels_and_profiles_hold_together_or_the_refusal_says_what_does() -> None:
    for codec, facts in CODECS.items():
        for pixels, profile in itertools.product(PIXEL_FORMATS, [None, *get_args(Profile)]):
            reason = why_no_profile(codec, pixels, profile)
            taken = facts.profiles.get(pixels)
            fits = taken is not None and (profile is None or profile in taken)
            assert (reason is None) == fits
            if taken is None:
                assert reason is not None
                assert all(kind in reason for kind in facts.pixel_formats)
            elif reason is not None:
                assert all(name in reason for name in taken)


@pytest.mark.parametrize(("container", "accepted"), [("webm", True), ("mp4", False)])
def test_only_webm_keeps_the_alpha_of_vp9(container: str, accepted: bool) -> None:
    fields = {
        "name": "See through",
        "format": {"container": container, "videoCodec": "vp9"},
        "quality": {
            "resolution": {"width": 64, "height": 64},
            "framerate": 30,
            "pixelFormat": "yuva420p",
        },
    }
    if accepted:
        assert ExportConfiguration.model_validate(fields).transparent
    else:
        with pytest.raises(ValidationError, match=r"mp4 has no place .*; webm has"):
            ExportConfiguration.model_validate(fields)
