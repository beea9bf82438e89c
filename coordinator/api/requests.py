"""What clients send to have exports made."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

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

    @field_validator("presets")
    @classmethod
    def _each_once(cls, presets: list[str] | None) -> list[str] | None:
        if presets is not None and len(set(presets)) < len(presets):
            raise ValueError("each preset may be named once")
        return presets

    @field_validator("config")
    @classmethod
    def _can_be_stored(cls, config: ExportConfiguration | None) -> ExportConfiguration | None:
        if config is not None and "\\u0000" in config.model_dump_json():
            raise ValueError("texts cannot hold the character U+0000")
        return config

    @field_validator("end_s")
    @classmethod
    def _after_the_start(cls, end_s: float | None, info: ValidationInfo) -> float | None:
        start_s = info.data.get("start_s")  # missing if it does not fit itself
        if end_s is not None and start_s is not None and end_s <= start_s:
            raise ValueError(f"the range must end after its start at {start_s:g} s")
        return end_s

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.presets is None) == (self.config is None):
            raise ValueError("give either presets or config")
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
