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
from shared.codecs import CODEC_NAMES, CODECS, CONTAINERS, has_alpha
from shared.errors import CompositionError
from shared.export import ExportConfiguration
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


class VideoCodecFormat(BaseModel):
    """A codec of the picture and what it can hold."""

    name: str = Field(description="What `format.videoCodec` names it by.", examples=["vp9"])
    title: str = Field(description="What people call it.", examples=["VP9"])
    pixel_formats: list[PixelFormatFacts] = Field(description="The usual one first.")
    crf_min: int | None = Field(description="The best `quality.crf`; null: it has no rate.")
    crf_max: int | None = Field(description="The worst.")
    crf_default: int | None = Field(description="What is taken without a crf and a bitrate.")


class AudioCodecFormat(BaseModel):
    """A codec of the sound."""

    name: str = Field(description="What `format.audioCodec` names it by.", examples=["opus"])
    title: str = Field(description="What people call it.", examples=["Opus"])


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
                pixel_formats=[
                    PixelFormatFacts(name=pixels, profiles=list(profiles), alpha=has_alpha(pixels))
                    for pixels, profiles in facts.profiles.items()
                ],
                crf_min=facts.crf[0] if facts.crf else None,
                crf_max=facts.crf[1] if facts.crf else None,
                crf_default=facts.default_crf if facts.crf else None,
            )
            for name, facts in CODECS.items()
        ],
        audio_codecs=[AudioCodecFormat(name=name, title=CODEC_NAMES[name]) for name in sounds],
        framerates=list(FRAME_RATES),
    )
