"""``/v1/presets`` and ``/v1/formats``: what there is to choose from."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from coordinator.api.auth import By
from coordinator.api.problems import ApiError, documented
from coordinator.api.scaling import SCALED_RESPONSES, To
from coordinator.api.sending import As, unchanged
from coordinator.api.services import Parts
from shared.codecs import (
    CODEC_NAMES,
    CODECS,
    CONTAINERS,
    MP3_KBPS,
    AudioCodec,
    PixelFormat,
    VideoCodec,
    bitrate_bounds,
    has_alpha,
    is_deep,
    sample_rates,
    why_no_alpha,
)
from shared.errors import CompositionError
from shared.export import SOUND_KBPS, ExportConfiguration
from shared.keys import digest
from shared.presets import PRESETS
from shared.styles import STYLES, thumbnail
from shared.timebase import FRAME_RATES

router: Final = APIRouter(tags=["presets"], responses=documented(401, 503))

_UPGRADED: Final = "private, max-age=3600"
"""Styles change with the program; an hour is soon enough to see it."""


class Preset(BaseModel):
    """Output settings with a name."""

    name: str = Field(description="What exports name it by.", examples=["youtube_1080p"])
    config: ExportConfiguration = Field(
        description="What file comes out; `socialMedia` says what the platform takes."
    )


class Style(BaseModel):
    """A composition that needs only a song."""

    name: str = Field(description="What compositions name it by.", examples=["aurora"])
    description: str = Field(description="What it looks like.")
    thumbnail: str = Field(
        description="Path of a small picture of it; `?width=` and `?format=` for others.",
        examples=["/v1/styles/aurora/thumbnail"],
    )


class Presets(BaseModel):
    """What there is to choose from."""

    presets: list[Preset] = Field(description="Named output settings.")
    styles: list[Style] = Field(description="Built-in styles; the first is the default.")


class ContainerFormat(BaseModel):
    """A file format and what goes into it."""

    name: str = Field(description="What `format.container` names it by.", examples=["webm"])
    media_type: str = Field(description="What it is called over HTTP.")
    video_codecs: list[str] = Field(description="The usual one first; none for sound alone.")
    audio_codecs: list[str] = Field(description="The usual one first; none where there is none.")


class PixelFormatFacts(BaseModel):
    """What a codec is given."""

    name: str = Field(description="What `quality.pixelFormat` names it by.", examples=["yuv420p"])
    profiles: list[str] = Field(description="Profiles that hold it, the usual one first.")
    alpha: bool = Field(description="Whether the background is transparent.")
    bits: int = Field(description="Bits of a component: 8 or 10.")
    containers: list[str] = Field(
        description="File formats that hold the codec with all of it, its transparency too.",
        examples=[["webm"]],
    )


class VideoCodecFormat(BaseModel):
    """A codec of the picture and what it can hold."""

    name: str = Field(description="What `format.videoCodec` names it by.", examples=["vp9"])
    title: str = Field(description="What people call it.", examples=["VP9"])
    pixel_formats: list[PixelFormatFacts] = Field(description="The usual one first.")
    crf_min: int | None = Field(description="The best `quality.crf`; null: it has no rate.")
    crf_max: int | None = Field(description="The worst.")
    crf_default: int | None = Field(description="What is taken without a crf and a bitrate.")
    max_framerate: int | None = Field(
        description="The most frames a second; null: every one of `framerates`."
    )


class BitrateBounds(BaseModel):
    """How much a codec of the sound may have."""

    channels: int = Field(description="Of `audio.channels`.")
    sample_rate: int = Field(description="Of `audio.sampleRate`.")
    least: int = Field(description="The least `audio.bitrate`, kbit/s.")
    most: int = Field(description="The most, kbit/s.")


class AudioCodecFormat(BaseModel):
    """A codec of the sound and what it can have."""

    name: str = Field(description="What `format.audioCodec` names it by.", examples=["opus"])
    title: str = Field(description="What people call it.", examples=["Opus"])
    sample_rates: list[int] = Field(description="What `audio.sampleRate` may be.")
    bitrates: list[BitrateBounds] = Field(description="For each of them, mono and stereo.")
    bitrate_steps: list[int] | None = Field(
        description="The only ones that it has, kbit/s; null: every one within the bounds."
    )


class Formats(BaseModel):
    """Which containers, codecs and pixels go together; everything else is refused."""

    containers: list[ContainerFormat] = Field(description="File formats.")
    video_codecs: list[VideoCodecFormat] = Field(description="Codecs of the picture.")
    audio_codecs: list[AudioCodecFormat] = Field(description="Codecs of the sound.")
    framerates: list[str] = Field(description="What `quality.framerate` may be.")


@router.get("/presets")
async def list_presets(caller: By) -> Presets:
    """The presets, with what their platforms take, and the built-in styles."""
    del caller
    return Presets(
        presets=[Preset(name=name, config=preset) for name, preset in PRESETS.items()],
        styles=[
            Style(name=name, description=text, thumbnail=f"/v1/styles/{name}/thumbnail")
            for name, text in STYLES.items()
        ],
    )


@router.get(
    "/styles/{name}/thumbnail",
    response_class=Response,
    responses={**SCALED_RESPONSES, **documented(404, 422)},
)
async def get_thumbnail(name: str, scale: To, terms: As, caller: By, services: Parts) -> Response:
    """A small frame of a built-in style."""
    del caller
    try:
        picture = thumbnail(name)
    except CompositionError as exc:
        raise ApiError(404, exc.message, code="no_style") from exc
    etag = scale.etag(digest(picture))
    if terms.has(etag):
        return unchanged(etag, _UPGRADED)
    picture = await services.scaler.scale(picture, scale, is_kept=True)
    return scale.response(picture, etag, _UPGRADED)


@router.get("/formats")
async def list_formats(caller: By) -> Formats:
    """The containers, codecs and pixel formats that go together."""
    del caller
    sounds = dict.fromkeys(name for facts in CONTAINERS.values() for name in facts.audio)
    return Formats(
        containers=[
            ContainerFormat(
                name=name,
                media_type=facts.media_type,
                video_codecs=list(facts.video),
                audio_codecs=list(facts.audio),
            )
            for name, facts in CONTAINERS.items()
        ],
        video_codecs=[
            VideoCodecFormat(
                name=name,
                title=CODEC_NAMES[name],
                pixel_formats=[_pixels(name, pixels) for pixels in facts.pixel_formats],
                crf_min=facts.crf[0] if facts.crf else None,
                crf_max=facts.crf[1] if facts.crf else None,
                crf_default=facts.default_crf if facts.crf else None,
                max_framerate=facts.max_framerate,
            )
            for name, facts in CODECS.items()
        ],
        audio_codecs=[_sound(name) for name in sounds],
        framerates=list(FRAME_RATES),
    )


def _pixels(codec: VideoCodec, pixels: PixelFormat) -> PixelFormatFacts:
    return PixelFormatFacts(
        name=pixels,
        profiles=list(CODECS[codec].profiles[pixels]),
        alpha=has_alpha(pixels),
        bits=10 if is_deep(pixels) else 8,
        containers=[
            name
            for name, facts in CONTAINERS.items()
            if codec in facts.video and why_no_alpha(name, pixels) is None
        ],
    )


def _sound(codec: AudioCodec) -> AudioCodecFormat:
    return AudioCodecFormat(
        name=codec,
        title=CODEC_NAMES[codec],
        sample_rates=list(sample_rates(codec)),
        bitrates=[
            _bounds(codec, rate, channels) for rate in sample_rates(codec) for channels in (1, 2)
        ],
        bitrate_steps=list(MP3_KBPS) if codec == "mp3" else None,
    )


def _bounds(codec: AudioCodec, sample_rate: int, channels: int) -> BitrateBounds:
    least, most = bitrate_bounds(codec, sample_rate=sample_rate, channels=channels)
    return BitrateBounds(
        channels=channels,
        sample_rate=sample_rate,
        least=max(least, SOUND_KBPS[0]),
        most=min(most, SOUND_KBPS[1]),
    )
