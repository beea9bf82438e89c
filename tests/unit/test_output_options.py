"""What a command's options make of a preset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from coordinator.cli.configuration import read_configuration
from coordinator.cli.output_options import OutputOptions
from shared.codecs import CODECS, CONTAINERS
from shared.errors import CompositionError, InputError
from shared.export import ExportConfiguration
from shared.presets import PRESETS
from shared.templates import TEMPLATES


def read(preset: str | None = None, **options: Any) -> ExportConfiguration:
    return read_configuration(preset, OutputOptions(**options))


@pytest.mark.parametrize("preset", PRESETS)
def test_without_options_a_preset_is_as_it_is(preset: str) -> None:
    assert read(preset) == PRESETS[preset]
    assert not OutputOptions().changes_anything


def test_the_usual_preset_is_for_youtube() -> None:
    assert read() == PRESETS["youtube_1080p"]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("container", CONTAINERS)
def test_every_preset_can_be_had_in_every_format_or_says_why_not(
    preset: str, container: str
) -> None:
    platform = PRESETS[preset].social_media
    takes = platform.requirements.supported_formats if platform else tuple(CONTAINERS)
    silent = not PRESETS[preset].audio.enabled and not CONTAINERS[container].has_picture  # type: ignore[index]
    if silent or (container in ("mov", "webm") and container not in takes):
        with pytest.raises(CompositionError):
            read(preset, format=container)
        return
    made = read(preset, format=container)
    assert made.format.container == container
    assert made.format.picture in (CONTAINERS[container].video or (None,))  # type: ignore[index]
    kept = made.social_media is not None
    assert kept == (platform is not None and container in takes)


@pytest.mark.parametrize(
    ("preset", "size"),
    [("youtube_1080p", (480, 270)), ("tiktok_vertical", (480, 854)), ("youtube_4k", (480, 270))],
)
def test_a_gif_is_of_a_sane_size(preset: str, size: tuple[int, int]) -> None:
    made = read(preset, format="gif")
    resolution = made.quality.resolution
    assert (resolution.width, resolution.height) == size
    assert made.quality.framerate == 15


def test_a_gif_is_as_large_and_fast_as_was_asked_for() -> None:
    made = read(format="gif", size="320x180", fps="25", loop=-1, dither="bayer")
    assert made.quality.resolution.width == 320
    assert made.quality.framerate == 25
    assert (made.gif.loop, made.gif.dither) == (-1, "bayer")


@pytest.mark.parametrize("codec", ["h265", "vp9", "av1"])
def test_another_codec_drops_what_belongs_to_the_first(codec: str) -> None:
    made = read(video_codec=codec)
    assert made.quality.profile is None
    assert made.quality.crf == CODECS[codec].default_crf  # type: ignore[index]
    assert made.quality.bitrate == PRESETS["youtube_1080p"].quality.bitrate, "the cap stands"
    assert read(video_codec=codec, crf=40).quality.crf == 40


def test_one_rate_replaces_the_other() -> None:
    assert read(bitrate=2000).quality.crf is None
    assert read(bitrate=2000).quality.bitrate == 2000
    assert read(crf=20).quality.bitrate is None
    both = read(bitrate=2000, crf=20).quality
    assert (both.bitrate, both.crf) == (2000, 20)


@pytest.mark.parametrize(
    ("container", "codec", "pixels"),
    [("mov", "prores_4444", "yuva444p10le"), ("webm", "vp9", "yuva420p"), ("zip", "png", "rgba")],
)
def test_alpha_is_what_the_container_has(container: str, codec: str, pixels: str) -> None:
    made = read(format=container, alpha=True)
    assert (made.format.picture, made.pixel_format) == (codec, pixels)
    assert made.transparent


def test_ten_bits_drop_a_profile_of_eight() -> None:
    made = read(pixel_format="yuv420p10le")
    assert made.quality.profile is None
    assert made.quality.crf == PRESETS["youtube_1080p"].quality.crf


def test_opus_is_made_at_its_own_rate() -> None:
    made = read("twitter_landscape", format="ogg")
    assert PRESETS["twitter_landscape"].audio.sample_rate == 44100
    assert made.audio.sample_rate == 48000


def test_how_it_sounds() -> None:
    made = read(
        audio_codec="mp3",
        audio_bitrate=96,
        sample_rate=44100,
        channels=1,
        loudness=-16.0,
        fade_in=1.5,
        fade_out=2.5,
    )
    told = made.audio.model_dump(exclude={"enabled", "true_peak"})
    assert told == {
        "bitrate": 96,
        "sample_rate": 44100,
        "channels": 1,
        "normalization": True,
        "loudness": -16.0,
        "fade_in": 1.5,
        "fade_out": 2.5,
    }
    assert made.format.sound == "mp3"
    assert not read(no_normalization=True).audio.normalization
    assert not read(no_audio=True).has_sound


def test_a_rate_that_the_sound_cannot_have_becomes_the_next_lower_one() -> None:
    assert PRESETS["youtube_4k"].audio.bitrate == 384
    assert read("youtube_4k", format="mp3").audio.bitrate == 320
    assert read("youtube_4k", channels=1).audio.bitrate == 288, "AAC has 6 kbit in a frame"
    assert read("youtube_1080p", format="ogg").audio.bitrate == 192
    with pytest.raises(CompositionError, match="320 comes nearest"):
        read("youtube_4k", format="mp3", audio_bitrate=384)


def test_what_is_too_long_is_dealt_with_as_asked_for() -> None:
    made = read("instagram_square", too_long="fade")
    assert made.social_media is not None
    assert made.social_media.too_long == "fade"
    assert read("custom", too_long="cut").social_media is None


def test_a_template_is_changed_by_options() -> None:
    made = read(
        template="social-media-pack",
        watermark_scale=0.2,
        end_card=5.0,
        handle=["youtube=@me", "website=me.example"],
        qr=False,
    )
    assert made.branding is not None
    watermark, card = made.branding.watermark, made.branding.end_card
    theirs = TEMPLATES["social-media-pack"].branding
    assert watermark is not None
    assert theirs.watermark is not None
    assert watermark == theirs.watermark.model_copy(update={"scale": 0.2})
    assert card is not None
    assert card.duration == 5
    assert card.text == "Subscribe for more music visualizations"
    assert card.social_media is not None
    assert card.social_media.handles == {"youtube": "@me", "website": "me.example"}
    assert not card.social_media.show_qr_code


def test_a_qr_code_alone_makes_an_end_card() -> None:
    made = read(qr_url="https://me.example")
    assert made.branding is not None
    assert made.branding.end_card is not None
    links = made.branding.end_card.social_media
    assert links is not None
    assert (links.show_qr_code, links.qr_url) == (True, "https://me.example")


def test_files_are_found_beside_what_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "logo.png").write_bytes(b"")
    template = tmp_path / "mine.json"
    template.write_text(json.dumps({"watermark": {"imageUrl": "logo.png"}}))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    made = read(template=str(template), logo="https://me.example/logo.png")
    assert made.branding is not None
    assert made.branding.watermark is not None
    assert made.branding.watermark.image_url == str(tmp_path / "logo.png")
    assert made.branding.end_card is not None
    assert made.branding.end_card.logo_url == "https://me.example/logo.png"


def test_a_template_of_somebody_else_is_asked_for_by_name() -> None:
    theirs = TEMPLATES["clean-minimal"].branding
    made = read_configuration(
        None, OutputOptions(template="tpl_1"), find_branding={"tpl_1": theirs}.__getitem__
    )
    assert made.branding == theirs


def test_a_whole_configuration_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    plain = PRESETS["custom"].model_dump(mode="json", by_alias=True)
    plain["quality"]["crf"] = 30
    path.write_text(json.dumps(plain))
    assert read(config=path).quality.crf == 30
    assert read(config=path, crf=31).quality.crf == 31
    with pytest.raises(CompositionError, match="not both"):
        read("custom", config=path)
    with pytest.raises(InputError, match="cannot be read"):
        read(config=tmp_path / "missing.json")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a codec elsewhere": (
        {"format": "webm", "video_codec": "h264"},
        "format: webm takes VP9 or AV1 for the picture; H.264 goes into mp4 or mov",
    ),
    "sound elsewhere": (
        {"format": "mov", "audio_codec": "opus"},
        "format: mov takes AAC or MP3 for the sound; Opus goes into mp4, webm or ogg",
    ),
    "a transparent mp4": (
        {"alpha": True},
        "mp4 cannot be transparent; give --format: mov (ProRes 4444), webm (VP9), zip (PNG).",
    ),
    "a codec without alpha": (
        {"format": "webm", "alpha": True, "video_codec": "av1"},
        "AV1 cannot be transparent in webm; VP9 can",
    ),
    "alpha without alpha": (
        {"format": "mov", "alpha": True, "pixel_format": "yuv420p"},
        "yuv420p has no transparency",
    ),
    "a rate for what has none": (
        {"format": "gif", "bitrate": 800},
        "quality.bitrate: GIF has no rate to set; leave it out",
    ),
    "a factor off the scale": ({"crf": 60}, "quality.crf: H.264 takes 0 to 51"),
    "a profile of other pixels": ({"profile": "high10"}, "high10 is for yuv420p10le"),
    "opus at another rate": (
        {"format": "webm", "sample_rate": 44100},
        "Opus is made at 48000 Hz",
    ),
    "loops of a video": ({"loop": 2}, "Only a GIF has --loop"),
    "loudness and none": (
        {"loudness": -16.0, "no_normalization": True},
        "Give either --loudness or --no-normalization, not both.",
    ),
    "a fast gif": ({"format": "gif", "fps": "60"}, "a GIF plays 50 frames a second at most"),
    "a silent sound": ({"format": "m4a", "no_audio": True}, "m4a holds nothing but sound"),
    "a branded sound": (
        {"format": "mp3", "template": "clean-minimal"},
        "there is no picture to brand",
    ),
    "no such template": (
        {"template": "classic"},
        "There is no template 'classic'; choose one of clean-minimal, social-media-pack.",
    ),
    "a handle without a name": (
        {"handle": ["youtube"]},
        "--handle takes PLATFORM=NAME, such as youtube=@me, not 'youtube'; platforms are youtube,",
    ),
    "a handle nowhere": ({"handle": ["myspace=me"]}, "not 'myspace=me'; platforms are"),
    "a code that leads nowhere": ({"qr": True}, "The QR code leads nowhere"),
    "a watermark without an image": ({"watermark_opacity": 1.0}, "There is no watermark to change"),
    "a colour that is none": (
        {"end_card": 3.0, "end_colour": "mauve"},
        "'mauve' is no colour; write it as #rrggbb",
    ),
}


@pytest.mark.parametrize(("options", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_with_what_would(
    options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(CompositionError) as caught:
        read(**options)
    assert sentence in caught.value.message
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize("content", ["{", "[]", '{"watermark": {"size": 3}}'])
def test_a_broken_template_is_told(content: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(content)
    with pytest.raises(CompositionError, match=r"mine.json is no template: .*\."):
        read(template=str(path))
