"""The built-in templates: reusable branding, fixed by the product's specification."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from shared.branding import Branding, EndCard, SocialLinks, Watermark
from shared.camel import CamelModel
from shared.errors import CompositionError


class Template(CamelModel):
    """Branding with a name."""

    id: str = Field(description="What it is asked for by.")
    name: str = Field(description="What a person calls it.")
    description: str = Field(description="What it is good for.")
    version: int = Field(default=1, ge=1, description="Counts its changes.")
    branding: Branding = Field(description="The watermark and the end card.")


TEMPLATES: Final[dict[str, Template]] = {
    template.id: template
    for template in (
        Template(
            id="clean-minimal",
            name="Clean & Minimal",
            description="Simple branding with subtle watermark",
            branding=Branding(
                template="clean-minimal@1",
                watermark=Watermark(
                    image_url="builtin:minimal-logo",
                    position="bottom-right",
                    opacity=0.3,
                    scale=0.1,
                ),
            ),
        ),
        Template(
            id="social-media-pack",
            name="Social Media Pack",
            description="Optimized for social sharing with end card",
            branding=Branding(
                template="social-media-pack@1",
                watermark=Watermark(
                    image_url="builtin:social-logo",
                    position="bottom-left",
                    opacity=0.5,
                    scale=0.15,
                ),
                end_card=EndCard(
                    duration=3,
                    background_color="#1a1a1a",
                    logo_url="builtin:end-card-logo",
                    text="Subscribe for more music visualizations",
                    social_media=SocialLinks(
                        handles={
                            "youtube": "@yourmusic",
                            "instagram": "@yourmusic",
                            "tiktok": "@yourmusic",
                        },
                        show_qr_code=True,
                    ),
                ),
            ),
        ),
    )
}
"""Every built-in template by its id."""


def find_template(name: str) -> Template:
    """The built-in template of that id.

    Raises:
        CompositionError: There is none; the message lists those that exist.
    """
    try:
        return TEMPLATES[name]
    except KeyError:
        raise CompositionError(
            f"There is no template {name!r}; choose one of {', '.join(TEMPLATES)}."
        ) from None
