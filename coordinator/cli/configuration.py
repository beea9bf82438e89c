"""From a preset and the options of a command to the configuration of an export.

An option replaces what a preset says, and what does not fit with it any more is left out: the
profile and the rate factor of another codec, a platform that takes no such format.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from coordinator.cli.output_options import OutputOptions
from shared.branding import PLATFORM_NAMES, Branding
from shared.codecs import (
    CODEC_NAMES,
    CODECS,
    CONTAINERS,
    OPUS_RATE,
    AudioCodec,
    Container,
    has_alpha,
    picture_codec,
    sound_codec,
    why_no_bitrate,
)
from shared.composition import describe
from shared.errors import CompositionError, InputError
from shared.export import AudioSettings, ExportConfiguration
from shared.presets import find_preset
from shared.templates import Template, find_template

DEFAULT_PRESET: Final = "youtube_1080p"
_GIF_WIDTH: Final = 480
_GIF_FPS: Final = "15"
"""A GIF has no motion compensation: beyond these it is too large for a chat or a page."""
_TRANSPARENT: Final[dict[Container, tuple[str, str]]] = {
    "mov": ("prores_4444", "yuva444p10le"),
    "webm": ("vp9", "yuva420p"),
    "zip": ("png", "rgba"),
}
"""Codec and pixels of a transparent video, by container."""
_AT_HOME_NOWHERE: Final = ("gif", "zip", "m4a", "mp3", "ogg")
"""What is not made for a platform's video page; where one takes it, the preset says so."""

FindBranding = Callable[[str], Branding]


def built_in_branding(name: str) -> Branding:
    """The branding of a built-in template. Raises CompositionError."""
    return find_template(name).branding


def read_configuration(
    preset: str | None, options: OutputOptions, *, find_branding: FindBranding = built_in_branding
) -> ExportConfiguration:
    """A preset or a file, with what the options change.

    Files of the branding that exist are named by their absolute paths; other names are left as
    they are, for who knows them.

    Args:
        preset: A name; None for the default one, or where ``options.config`` stands for it.
        options: What was asked for beside it.
        find_branding: Knows the templates by name.

    Raises:
        CompositionError: Something does not fit; one sentence says what would.
        InputError: A file cannot be read.
    """
    if options.config is None:
        base = find_preset(preset or DEFAULT_PRESET)
    elif preset is not None:
        raise CompositionError("Give either --preset or --config, not both.")
    else:
        base = _read_config(options.config)
    plain = base.model_dump(mode="json")
    plain["format"] |= _format(base, options)
    container = plain["format"]["container"]
    picture = picture_codec(container, plain["format"]["video_codec"])
    sound = sound_codec(container, plain["format"]["audio_codec"])
    plain["quality"] |= _size(base, options) | _quality(base, options, picture)
    plain["gif"] |= _gif(options, container)
    plain["audio"] |= _audio(base, options, sound)
    plain["social_media"] = _platform(plain, options)
    branding = _branding(base.branding, options, find_branding)
    plain["branding"] = branding and branding.model_dump(mode="json")
    try:
        return ExportConfiguration.model_validate(plain)
    except ValidationError as exc:
        raise CompositionError(f"These settings do not fit: {describe(exc)}.") from exc


def _read_config(path: Path) -> ExportConfiguration:
    try:
        found = ExportConfiguration.model_validate_json(_read(path))
    except ValidationError as exc:
        raise CompositionError(f"{path.name} is no export configuration: {describe(exc)}.") from exc
    branding = found.branding and _at(found.branding, path.parent)
    return found.model_copy(update={"branding": branding})


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise InputError(f"{path} cannot be read: {exc.strerror or exc}.") from exc


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _format(base: ExportConfiguration, options: OutputOptions) -> dict[str, Any]:
    container = options.format or base.format.container
    facts = CONTAINERS[container]
    video: str | None = options.video_codec
    if options.alpha:
        video = _transparent(container, video)[0]
    kept_video = base.format.video_codec if base.format.video_codec in facts.video else None
    kept_audio = base.format.audio_codec if base.format.audio_codec in facts.audio else None
    return {
        "container": container,
        "video_codec": video or kept_video,
        "audio_codec": options.audio_codec or kept_audio,
    }


def _transparent(container: Container, codec: str | None) -> tuple[str, str]:
    """Codec and pixels of a transparent video."""
    if container not in _TRANSPARENT:
        would = ", ".join(f"{name} ({CODEC_NAMES[can]})" for name, (can, _) in _TRANSPARENT.items())
        raise CompositionError(f"{container} cannot be transparent; give --format: {would}.")
    can, pixels = _TRANSPARENT[container]
    if codec not in (None, can):
        raise CompositionError(
            f"{CODEC_NAMES[str(codec)]} cannot be transparent in {container}; "
            f"{CODEC_NAMES[can]} can: give --video-codec {can}, or leave it out."
        )
    return can, pixels


def _size(base: ExportConfiguration, options: OutputOptions) -> dict[str, Any]:
    changes: dict[str, Any] = _given(framerate=options.fps)
    if options.size is not None:
        match = re.fullmatch(r"(\d{1,9})x(\d{1,9})", options.size.lower())
        if match is None:
            raise CompositionError(f"{options.size!r} is no size; write it as 1920x1080.")
        changes["resolution"] = {"width": int(match[1]), "height": int(match[2])}
    if options.format == "gif" and base.format.container != "gif":
        was = base.quality.resolution
        height = max(16, round(_GIF_WIDTH * was.height / was.width / 2) * 2)
        changes.setdefault("resolution", {"width": _GIF_WIDTH, "height": height})
        changes.setdefault("framerate", _GIF_FPS)
    return changes


def _quality(
    base: ExportConfiguration, options: OutputOptions, codec: str | None
) -> dict[str, Any]:
    changes: dict[str, Any] = _given(encoder_speed=options.encoder_speed)
    if options.hardware:
        changes["hardware"] = True
    if codec is None:  # sound alone: nothing of this matters, and nothing may contradict it
        return changes | {"crf": None, "bitrate": None, "profile": None, "pixel_format": None}
    facts, quality = CODECS[codec], base.quality  # type: ignore[index]  # a codec of the table
    pixel_format: str | None = quality.pixel_format
    if options.pixel_format is not None or pixel_format not in facts.profiles:
        pixel_format = options.pixel_format
    if options.alpha and not has_alpha(pixel_format or ""):
        if options.pixel_format is not None:
            raise CompositionError(
                f"{options.pixel_format} has no transparency; give --alpha without --pixel-format."
            )
        pixel_format = _transparent(options.format or base.format.container, codec)[1]
    changes["pixel_format"] = pixel_format
    held = facts.profiles.get(pixel_format or facts.pixel_formats[0], ())  # type: ignore[call-overload]
    same_codec = codec == base.format.picture
    changes["profile"] = options.profile or (
        quality.profile if same_codec and quality.profile in held else None
    )
    if options.bitrate is not None or options.crf is not None:
        changes |= {"bitrate": options.bitrate, "crf": options.crf}
    elif facts.crf is None:
        changes |= {"bitrate": None, "crf": None}
    elif not same_codec and quality.crf is not None:
        changes["crf"] = facts.default_crf
    return changes


def _gif(options: OutputOptions, container: str) -> dict[str, Any]:
    given = _given(loop=options.loop, dither=options.dither)
    if given and container != "gif":
        named = " and ".join(f"--{name}" for name in given)
        raise CompositionError(f"Only a GIF has {named}; give --format gif, or leave it out.")
    return given


def _audio(
    base: ExportConfiguration, options: OutputOptions, codec: AudioCodec | None
) -> dict[str, Any]:
    if options.no_normalization and options.loudness is not None:
        raise CompositionError("Give either --loudness or --no-normalization, not both.")
    changes = _given(
        bitrate=options.audio_bitrate,
        sample_rate=options.sample_rate,
        channels=options.channels,
        loudness=options.loudness,
        fade_in=options.fade_in,
        fade_out=options.fade_out,
    )
    if options.loudness is not None:
        changes["normalization"] = True
    if options.no_normalization:
        changes["normalization"] = False
    if options.no_audio:
        changes["enabled"] = False
    if codec == "opus":
        changes.setdefault("sample_rate", OPUS_RATE)
    if codec is not None and options.audio_bitrate is None:
        changes["bitrate"] = _fitting_kbps(codec, base.audio.model_copy(update=changes))
    return changes


def _fitting_kbps(codec: AudioCodec, audio: AudioSettings) -> int:
    """The highest rate that a codec has, up to the preset's; the preset's where it has none."""
    shape = {"sample_rate": audio.sample_rate, "channels": audio.channels}
    rates = range(audio.bitrate, 0, -1)
    fitting = (kbps for kbps in rates if why_no_bitrate(codec, kbps, **shape) is None)
    return next(fitting, audio.bitrate)


def _platform(plain: dict[str, Any], options: OutputOptions) -> dict[str, Any] | None:
    platform: dict[str, Any] | None = plain["social_media"]
    if platform is None:
        return None
    container = plain["format"]["container"]
    takes = platform["requirements"]["supported_formats"]
    if container in _AT_HOME_NOWHERE and container not in takes:
        return None
    return platform | _given(too_long=options.too_long)


def _branding(
    base: Branding | None, options: OutputOptions, find_branding: FindBranding
) -> Branding | None:
    if options.template is not None:
        base = _read_template(options.template, find_branding)
    plain: dict[str, Any] = base.model_dump(mode="json") if base else {}
    watermark = _given(
        image_url=options.watermark,
        position=options.watermark_position,
        opacity=options.watermark_opacity,
        scale=options.watermark_scale,
    )
    if watermark:
        found = (plain.get("watermark") or {}) | watermark
        if "image_url" not in found:
            raise CompositionError(
                "There is no watermark to change; give --watermark FILE, or a --template that "
                "has one."
            )
        plain["watermark"] = found
    card = _given(
        duration=options.end_card,
        text=options.end_text,
        background_color=options.end_colour,
        font=options.end_font,
        logo_url=options.logo,
    )
    links = _links(options)
    if card or links:
        found = (plain.get("end_card") or {}) | card
        if links:
            found["social_media"] = (found.get("social_media") or {}) | links
        plain["end_card"] = found
    if not plain:
        return None
    try:
        branding = Branding.model_validate(plain)
    except ValidationError as exc:
        raise CompositionError(f"This branding does not fit: {describe(exc)}.") from exc
    return _with_a_target(_at(branding, Path.cwd()), options)


def _links(options: OutputOptions) -> dict[str, Any]:
    links: dict[str, Any] = _given(show_qr_code=options.qr, qr_url=options.qr_url)
    if options.qr_url is not None:
        if options.qr is False:
            raise CompositionError("Give either --qr-url or --no-qr, not both.")
        links["show_qr_code"] = True
    if options.handle:
        links["handles"] = dict(_handle(text) for text in options.handle)
    return links


def _handle(text: str) -> tuple[str, str]:
    platform, equals, name = text.partition("=")
    if not (equals and name.strip()) or platform not in PLATFORM_NAMES:
        raise CompositionError(
            f"--handle takes PLATFORM=NAME, such as youtube=@me, not {text!r}; platforms are "
            f"{', '.join(PLATFORM_NAMES)}."
        )
    return platform, name.strip()


def _with_a_target(branding: Branding, options: OutputOptions) -> Branding:
    """The same; refused where a QR code was asked for that would lead nowhere."""
    links = branding.end_card and branding.end_card.social_media
    if options.qr and links and not (links.handles or links.qr_url):
        raise CompositionError("The QR code leads nowhere; give --qr-url or a --handle.")
    return branding


def _read_template(name: str, find_branding: FindBranding) -> Branding:
    path = Path(name)
    if path.suffix.lower() != ".json":
        return find_branding(name)
    text = _read(path)
    try:
        whole = json.loads(text)
        if isinstance(whole, dict) and "branding" in whole:
            branding = Template.model_validate(whole).branding
        else:
            branding = Branding.model_validate(whole)
    except ValidationError as exc:
        raise CompositionError(f"{path.name} is no template: {describe(exc)}.") from exc
    except ValueError as exc:  # neither JSON nor text
        raise CompositionError(f"{path.name} is no template: {exc}.") from exc
    return _at(branding, path.parent)


def _at(branding: Branding, folder: Path) -> Branding:
    """The same, with its files that exist named by their absolute paths."""
    watermark, card = branding.watermark, branding.end_card
    if watermark is not None:
        image = _absolute(watermark.image_url, folder)
        watermark = watermark.model_copy(update={"image_url": image})
    if card is not None:
        logo = card.logo_url and _absolute(card.logo_url, folder)
        font = card.font and _absolute(card.font, folder)
        card = card.model_copy(update={"logo_url": logo, "font": font})
    return branding.model_copy(update={"watermark": watermark, "end_card": card})


def _absolute(name: str, folder: Path) -> str:
    path = folder.absolute() / name
    try:
        return str(path) if path.is_file() else name
    except OSError:  # such as a name that is too long for a file: it is none
        return name
