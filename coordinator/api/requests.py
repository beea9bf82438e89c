"""What clients send to have exports made."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from coordinator.texts import Text
from shared.errors import CompositionError
from shared.export import ExportConfiguration
from shared.presets import find_preset

LONGEST_SONG_S = 86_400.0
"""The reader of MIDI takes no longer song."""


def _known_preset(name: str) -> str:
    try:
        find_preset(name)
    except CompositionError as exc:
        raise ValueError(exc.message.rstrip(".")) from exc
    return name


class ExportRequest(BaseModel):
    """One export, or one a preset."""

    model_config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {"composition_id": "cmp_0a1b…", "presets": ["youtube_1080p", "tiktok_vertical"]},
                {
                    "composition_id": "cmp_0a1b…",
                    "config": {
                        "name": "Small",
                        "quality": {
                            "resolution": {"width": 640, "height": 360},
                            "framerate": "30",
                            "bitrate": 1000,
                        },
                    },
                    "start_s": 10,
                    "end_s": 20,
                },
            ]
        },
    )

    composition_id: str = Field(max_length=60, description="What is drawn and heard.")
    revision: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description="Which revision; the newest without it."
    )
    presets: list[Annotated[str, AfterValidator(_known_preset)]] | None = Field(
        default=None, min_length=1, max_length=20, description="One export for each preset."
    )
    config: ExportConfiguration | None = Field(
        default=None, description="Output settings of one's own instead of presets."
    )
    name: Text | None = Field(
        default=None, description="What to call it; the composition's and the preset's without it."
    )
    start_s: float = Field(
        default=0.0, ge=0, le=LONGEST_SONG_S, description="Song time at which the video begins."
    )
    end_s: float | None = Field(
        default=None, gt=0, le=LONGEST_SONG_S, description="Song time at which it ends."
    )
    priority: int = Field(default=0, ge=-100, le=100, description="Higher is earlier.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.presets is None) == (self.config is None):
            raise ValueError("give either presets or config")
        if self.presets is not None and len(set(self.presets)) < len(self.presets):
            raise ValueError("presets: each preset may be named once")
        if self.end_s is not None and self.end_s <= self.start_s:
            raise ValueError(f"end_s: the range must end after its start at {self.start_s:g} s")
        if self.config is not None and "\\u0000" in self.config.model_dump_json():
            raise ValueError("config: texts cannot hold the character U+0000")
        return self

    @property
    def configurations(self) -> list[ExportConfiguration]:
        """What files come out."""
        if self.config is not None:
            return [self.config]
        return [find_preset(name) for name in self.presets or ()]


class PriorityRequest(BaseModel):
    """What may be changed of an export."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"priority": 10}]})

    priority: int = Field(ge=-100, le=100, description="Higher is earlier.")
