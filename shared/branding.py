"""Branding: a watermark over the video and an end card after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AliasChoices, Field, StringConstraints, field_validator, model_validator

from shared.camel import CamelModel
from shared.colour import Colour

SocialPlatform = Literal[
    "youtube",
    "instagram",
    "tiktok",
    "twitter",
    "facebook",
    "spotify",
    "soundcloud",
    "bandcamp",
    "twitch",
    "website",
]
"""Where a musician can be found."""
PLATFORM_NAMES: Final[dict[str, str]] = {
    "youtube": "YouTube",
    "instagram": "Instagram",
    "tiktok": "TikTok",
    "twitter": "X",
    "facebook": "Facebook",
    "spotify": "Spotify",
    "soundcloud": "SoundCloud",
    "bandcamp": "Bandcamp",
    "twitch": "Twitch",
    "website": "Website",
}
"""As the platforms write themselves."""

BUILTIN: Final = "builtin:"
"""How the names of images begin that are logos of ours, and no files."""

Position = Literal["top-left", "top-right", "bottom-left", "bottom-right", "center"]
ImageName = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
"""An uploaded image's asset id, an https address that is fetched once, ``builtin:NAME`` for a
logo of ours, or on the command line a file; in a plan, an object key or ``builtin:NAME``."""
Handle = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Watermark(CamelModel):
    """An image over the video, in a corner or in the middle."""

    image_url: ImageName = Field(
        validation_alias=AliasChoices("imageUrl", "image_url", "image"),
        description="The image: an asset id, an https address, or `builtin:` and a name.",
    )
    position: Position = Field(default="bottom-right", description="Where it stands.")
    opacity: float = Field(default=0.5, ge=0, le=1, description="0 is invisible, 1 opaque.")
    scale: float = Field(
        default=0.1, gt=0, le=1, description="Its width as a fraction of the frame's."
    )


class SocialLinks(CamelModel):
    """Where to find the musician."""

    handles: dict[SocialPlatform, Handle] = Field(
        default_factory=dict, description="Names by platform, in the order in which they are shown."
    )
    order: tuple[SocialPlatform, ...] = Field(
        default=(),
        description="The same platforms in the order in which they are shown, since JSON objects "
        "lose theirs; as the handles are given without it.",
    )
    show_qr_code: bool = Field(
        default=False, description="Whether a QR code leads to the first handle, or to qr_url."
    )
    qr_url: str | None = Field(
        default=None, max_length=500, description="What the QR code says instead."
    )

    @model_validator(mode="before")
    @classmethod
    def _keep_the_order(cls, plain: Any) -> Any:
        handles = plain.get("handles") if isinstance(plain, Mapping) else None
        if not isinstance(handles, Mapping):
            return plain
        order = plain.get("order")
        fits = isinstance(order, list | tuple) and all(isinstance(each, str) for each in order)
        if not fits or sorted(order) != sorted(map(str, handles)):
            order = tuple(handles)
        return {**plain, "handles": {name: handles[name] for name in order}, "order": order}


class EndCard(CamelModel):
    """A still picture after the music."""

    duration: float = Field(default=3.0, gt=0, le=60, description="Seconds that it is added for.")
    background_color: Colour = Field(default="#1a1a1a", description="Fill of the frame.")
    logo_url: ImageName | None = Field(
        default=None,
        validation_alias=AliasChoices("logoUrl", "logo_url", "logo"),
        description="An image, named like a watermark's.",
    )
    text: str = Field(default="", max_length=300, description="A sentence under the logo.")
    social_media: SocialLinks | None = Field(default=None, description="Handles and QR code.")
    font: str | None = Field(
        default=None, max_length=2000, description="A font of one's own, by asset id or file."
    )

    @field_validator("text")
    @classmethod
    def _printable(cls, text: str) -> str:
        return text.strip()


class Branding(CamelModel):
    """What makes a video its maker's."""

    watermark: Watermark | None = Field(default=None, description="An image over the video.")
    end_card: EndCard | None = Field(default=None, description="A still picture after the music.")
    template: str | None = Field(
        default=None,
        max_length=100,
        description="The template that it was made from, with its version: `clean-minimal@1`.",
    )
