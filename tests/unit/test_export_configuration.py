"""Presets as the specification has them, and configurations read in both spellings."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from shared.composition import describe
from shared.errors import CompositionError
from shared.export import ExportConfiguration, Resolution
from shared.presets import DESCRIPTIONS, PRESETS, find_preset

GIB = 1024**3

# name, size, fps, container and codecs, kbit/s, crf, profile, audio kbit/s, Hz, channels,
# normalised, platform, aspect ratio, longest in s, most bytes, formats
SPECIFICATION = """
youtube_1080p    1920x1080 30 mp4/h264/aac 8000 18 high 192 48000 2 yes youtube   16:9   - 137438953472 mp4,mov,webm
instagram_square 1080x1080 30 mp4/h264/aac 3500 20 main 128 44100 2 yes instagram 1:1   60 4294967296   mp4
tiktok_vertical  1080x1920 30 mp4/h264/aac 2000 22 main 128 44100 2 yes tiktok    9:16 180 301570457    mp4
"""  # noqa: E501  # a table
# Those that the specification leaves to the platforms' own pages, which shared/presets.py cites.
PLATFORMS = """
youtube_4k         3840x2160 30 mp4/h264/aac 40000 18 high 384 48000 2 yes youtube   16:9 43200 256000000000 mp4,mov,webm
youtube_shorts     1080x1920 30 mp4/h264/aac  8000 18 high 384 48000 2 yes youtube   9:16 180   256000000000 mp4,mov,webm
instagram_portrait 1080x1350 30 mp4/h264/aac  3500 20 main 128 44100 2 yes instagram 4:5  900   300000000    mp4,mov
instagram_story    1080x1920 30 mp4/h264/aac  5000 20 main 128 44100 2 yes instagram 9:16 60    100000000    mp4,mov
twitter_landscape  1920x1080 30 mp4/h264/aac  6000 20 high 128 44100 2 yes twitter   16:9 140   512000000    mp4,mov
facebook_feed      1080x1350 30 mp4/h264/aac  5600 20 high 128 44100 2 yes facebook  4:5  14400 4000000000   mp4,mov
spotify_canvas      594x1056 30 mp4/h264/aac  5000 18 high 192 48000 2 no  spotify   9:16 8     10000000     mp4
"""  # noqa: E501  # a table
SPECIFIED = [line.split() for line in SPECIFICATION.strip().splitlines()]
ROWS = SPECIFIED + [line.split() for line in PLATFORMS.strip().splitlines()]

PLAIN: dict[str, Any] = {
    "name": "Mine",
    "format": {"videoCodec": "h264", "audioCodec": "aac", "container": "mp4"},
    "quality": {
        "resolution": {"width": 640, "height": 360},
        "framerate": "30000/1001",
        "bitrate": 1000,
        "encoderSpeed": "fast",
    },
    "audio": {"sampleRate": 44100, "fadeIn": 0.5, "fadeOut": 2},
    "socialMedia": {
        "platform": "youtube",
        "aspectRatio": "16:9",
        "maxDuration": 60,
        "requirements": {
            "maxFileSize": 1000,
            "recommendedBitrate": 900,
            "supportedFormats": ["mp4"],
        },
    },
}


def snake(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            re.sub(r"[A-Z]", lambda m: "_" + m[0].lower(), k): snake(v) for k, v in value.items()
        }
    return value


def names_in(value: Any) -> set[str]:
    if not isinstance(value, dict):
        return set()
    return set(value).union(*map(names_in, value.values()))


def read(**quality: Any) -> ExportConfiguration:
    return ExportConfiguration.model_validate(PLAIN | {"quality": PLAIN["quality"] | quality})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_preset_is_as_specified(row: list[str]) -> None:
    preset = find_preset(row[0])
    quality, audio, platform = preset.quality, preset.audio, preset.social_media
    assert platform is not None
    kind, limits = preset.format, platform.requirements
    longest = platform.max_duration
    assert [
        kind.preset,
        f"{quality.resolution.width}x{quality.resolution.height}",
        str(quality.framerate),
        f"{kind.container}/{kind.video_codec}/{kind.audio_codec}",
        str(quality.bitrate),
        str(quality.crf),
        quality.profile,
        str(audio.bitrate),
        str(audio.sample_rate),
        str(audio.channels),
        "yes" if audio.enabled and audio.normalization else "no",
        platform.platform,
        platform.aspect_ratio,
        "-" if longest is None else f"{longest:g}",
        str(limits.max_file_size),
        ",".join(limits.supported_formats),
    ] == row
    assert limits.recommended_bitrate == quality.bitrate


def test_the_limits_are_the_round_numbers_of_the_platforms() -> None:
    sizes = {row[0]: int(row[14]) for row in SPECIFIED}
    assert sizes["youtube_1080p"] == 128 * GIB
    assert sizes["instagram_square"] == 4 * GIB
    assert sizes["tiktok_vertical"] / 1024**2 == pytest.approx(287.6)


def test_every_preset_of_the_table_exists() -> None:
    assert {row[0] for row in ROWS} | {"custom"} == set(PRESETS) == set(DESCRIPTIONS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_names_itself_and_has_the_shape_that_it_says(name: str) -> None:
    preset = PRESETS[name]
    assert preset.format.preset == name
    if preset.social_media is None:
        assert name == "custom"
        return
    wide, high = map(int, preset.social_media.aspect_ratio.split(":"))
    resolution = preset.quality.resolution
    assert resolution.width * high == resolution.height * wide


@pytest.mark.parametrize("name", PRESETS)
def test_a_video_of_the_greatest_length_fits_at_the_rate_or_is_a_long_one(name: str) -> None:
    preset = PRESETS[name]
    platform, rate = preset.social_media, preset.quality.bitrate
    if platform is None or platform.max_duration is None or rate is None:
        return
    size = (rate + preset.audio.bitrate) * 1000 / 8 * platform.max_duration
    # What is longer than five minutes may have to be encoded at a lower rate.
    assert size <= platform.requirements.max_file_size or platform.max_duration > 300


def test_presets_of_one_shape_are_drawn_once() -> None:
    frames: dict[str, set[tuple[int, int, Fraction, str]]] = {}
    for name, preset in PRESETS.items():
        if preset.social_media is not None and name not in ("youtube_4k", "spotify_canvas"):
            size = preset.quality.resolution
            seen = (size.width, size.height, preset.quality.framerate, preset.pixel_format)
            frames.setdefault(preset.social_media.aspect_ratio, set()).add(seen)
    assert {ratio: len(seen) for ratio, seen in frames.items()} == dict.fromkeys(frames, 1)
    assert set(frames) == {"16:9", "9:16", "1:1", "4:5"}


def test_a_canvas_is_cut_and_silent_and_as_tall_as_spotify_takes() -> None:
    canvas = PRESETS["spotify_canvas"]
    assert canvas.social_media is not None
    assert canvas.social_media.too_long == "cut"
    assert not canvas.has_sound
    assert 720 <= canvas.quality.resolution.height <= 1080


def test_an_unknown_preset_is_refused_with_those_that_exist() -> None:
    with pytest.raises(CompositionError) as caught:
        find_preset("vimeo")
    assert "'vimeo'" in caught.value.message
    assert all(name in caught.value.message for name in PRESETS)


@pytest.mark.parametrize("plain", [PLAIN, snake(PLAIN)], ids=["camelCase", "snake_case"])
def test_both_spellings_are_read(plain: dict[str, Any]) -> None:
    read_back = ExportConfiguration.model_validate_json(json.dumps(plain))
    assert read_back == ExportConfiguration.model_validate(PLAIN)
    assert read_back.audio.sample_rate == 44100
    assert read_back.audio.fade_out == 2
    assert read_back.quality.framerate == Fraction(30000, 1001)
    assert read_back.quality.encoder_speed == "fast"
    assert read_back.social_media is not None
    assert read_back.social_media.requirements.supported_formats == ("mp4",)


def test_json_is_written_in_camel_case_and_read_again() -> None:
    configuration = ExportConfiguration.model_validate(PLAIN)
    text = configuration.model_dump_json(by_alias=True)
    written = names_in(json.loads(text))
    assert {"videoCodec", "sampleRate", "socialMedia", "maxFileSize"} <= written
    assert not {name for name in written if "_" in name}
    assert ExportConfiguration.model_validate_json(text) == configuration


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_json(name: str) -> None:
    text = PRESETS[name].model_dump_json(by_alias=True)
    assert ExportConfiguration.model_validate_json(text) == PRESETS[name]


@pytest.mark.parametrize(
    "place", [[], ["format"], ["quality"], ["quality", "resolution"], ["audio"], ["socialMedia"]]
)
def test_unknown_fields_are_refused_by_name(place: list[str]) -> None:
    plain = json.loads(json.dumps(PLAIN))
    target = plain
    for name in place:
        target = target[name]
    target["colour_space"] = 1
    with pytest.raises(ValidationError) as caught:
        ExportConfiguration.model_validate(plain)
    assert describe(caught.value) == ".".join([*place, "colour_space"]) + (
        ": there is no such field"
    )


@pytest.mark.parametrize(
    ("width", "height", "would_do"),
    [(1921, 1080, "1920x1080"), (1920, 1081, "1920x1080"), (641, 361, "640x360")],
)
def test_an_odd_size_is_refused_with_one_that_would_do(
    width: int, height: int, would_do: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        read(resolution={"width": width, "height": height})
    assert describe(caught.value) == (
        f"quality.resolution: width and height must be even, which {width}x{height} is not; "
        f"{would_do} would do"
    )
    nearest = dict(zip(("width", "height"), map(int, would_do.split("x")), strict=True))
    assert read(resolution=nearest).quality.resolution == Resolution(**nearest)


@pytest.mark.parametrize(("size", "fits"), [(14, False), (16, True), (8192, True), (8194, False)])
def test_sizes_have_bounds(size: int, fits: bool) -> None:
    for resolution in ({"width": size, "height": 64}, {"width": 64, "height": size}):
        if fits:
            assert size in read(resolution=resolution).quality.resolution.model_dump().values()
        else:
            with pytest.raises(ValidationError, match=r"should be (less|greater) than or equal to"):
                read(resolution=resolution)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("framerate", 31),
        ("bitrate", 0),
        ("bitrate", float("inf")),
        ("crf", 52),
        ("crf", -1),
        ("profile", "high12"),
        ("encoderSpeed", "placebo"),
    ],
)
def test_qualities_that_cannot_be_encoded_are_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        read(**{field: value})
    assert describe(caught.value).startswith(f"quality.{field}: ")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": {"container": "webm", "videoCodec": "h264"}}, "webm takes VP9 or AV1"),
        ({"format": {"container": "webm", "audioCodec": "aac"}}, "webm takes Opus"),
        ({"format": {"container": "mov", "videoCodec": "vp9"}}, "VP9 goes into mp4 or webm"),
        ({"format": {"container": "gif", "audioCodec": "aac"}}, "gif has no sound"),
        ({"format": {"container": "mp3", "videoCodec": "h264"}}, "mp3 has no picture"),
        ({"format": {"container": "webm"}, "audio": {"sampleRate": 44100}}, "set it to 48000"),
        ({"format": {"container": "gif"}, "quality": {"framerate": 60}}, "use 25"),
        ({"format": {"container": "gif"}, "quality": {"crf": 18}}, "leave it out"),
        ({"format": {"container": "zip"}, "quality": {"bitrate": 18}}, "leave it out"),
        ({"quality": {"profile": "high10"}}, "high10 is for yuv420p10le"),
        ({"quality": {"pixelFormat": "yuva420p"}}, "H.264 encodes yuv420p"),
        ({"format": {"videoCodec": "av1"}, "quality": {"profile": "main"}}, "leave it out"),
        ({"quality": {"crf": 60}}, "H.264 takes 0 to 51"),
    ],
)
def test_what_does_not_fit_together_is_refused_with_what_would(
    changes: dict[str, Any], said: str
) -> None:
    quality = {"resolution": {"width": 16, "height": 16}, "framerate": 30}
    plain = {"name": "Odd", **changes, "quality": quality | changes.get("quality", {})}
    with pytest.raises(ValidationError) as caught:
        ExportConfiguration.model_validate(plain)
    assert said in describe(caught.value)


@pytest.mark.parametrize("container", ["mp4", "mov", "webm", "gif", "zip", "m4a", "mp3", "ogg"])
def test_every_container_has_codecs_of_its_own(container: str) -> None:
    quality = {"resolution": {"width": 16, "height": 16}, "framerate": 25}
    plain = {"name": "Plain", "format": {"container": container}, "quality": quality}
    kind = ExportConfiguration.model_validate(plain).format
    assert kind.picture or kind.sound


def test_a_platform_refuses_a_container_that_it_does_not_take() -> None:
    plain = PRESETS["tiktok_vertical"].model_dump(mode="json")
    plain["format"] |= {"container": "mov"}
    with pytest.raises(ValidationError, match="tiktok takes mp4, not mov"):
        ExportConfiguration.model_validate(plain)


def test_a_configuration_needs_a_name_and_a_quality_and_nothing_else() -> None:
    quality = {"resolution": {"width": 16, "height": 16}, "framerate": 24, "bitrate": 1}
    configuration = ExportConfiguration.model_validate({"name": "Small", "quality": quality})
    assert configuration.format.preset == "custom"
    assert configuration.audio.enabled
    with pytest.raises(ValidationError) as caught:
        ExportConfiguration.model_validate({})
    assert [finding["loc"] for finding in caught.value.errors()] == [("name",), ("quality",)]


def test_configurations_cannot_be_changed() -> None:
    configuration: BaseModel = read()
    with pytest.raises(ValidationError, match="frozen"):
        configuration.name = "Other"  # type: ignore[attr-defined]
