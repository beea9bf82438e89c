"""``/v1/presets``: the named output settings and the built-in styles."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from coordinator.api.auth import By
from coordinator.api.problems import documented
from shared.export import ExportConfiguration
from shared.presets import PRESETS
from shared.styles import STYLES

router: Final = APIRouter(prefix="/presets", tags=["presets"], responses=documented(401, 503))


class Preset(BaseModel):
    """Output settings with a name."""

    name: str = Field(description="What exports name it by.", examples=["youtube_1080p"])
    config: ExportConfiguration = Field(description="What file comes out.")


class Style(BaseModel):
    """A composition that needs only a song."""

    name: str = Field(description="What compositions name it by.", examples=["aurora"])
    description: str = Field(description="What it looks like.")


class Presets(BaseModel):
    """What there is to choose from."""

    presets: list[Preset] = Field(description="Named output settings.")
    styles: list[Style] = Field(description="Built-in styles; the first is the default.")


@router.get("")
async def list_presets(caller: By) -> Presets:
    """The presets and the built-in styles."""
    del caller
    return Presets(
        presets=[Preset(name=name, config=preset) for name, preset in PRESETS.items()],
        styles=[Style(name=name, description=text) for name, text in STYLES.items()],
    )
