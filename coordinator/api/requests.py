"""What clients send to have exports made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from coordinator.api.problems import field_error
from coordinator.api.webhooks import ExportWebhook
from coordinator.branding import TemplateName
from coordinator.texts import Text
from shared.branding import Branding
from shared.composition import describe
from shared.errors import CompositionError
from shared.export import ExportConfiguration
from shared.pools import DEFAULT_POOL, POOL_PATTERN
from shared.presets import find_preset

LONGEST_SONG_S: Final = 86_400.0
"""The reader of MIDI takes no longer song."""
MOST_IN_A_BATCH: Final = 10_000
"""Exports of one batch; clients with more send several."""


def _known_preset(name: str) -> str:
    try:
        find_preset(name)
    except CompositionError as exc:
        raise ValueError(exc.message.rstrip(".")) from exc
    return name


def _template_name(name: str) -> str:
    TemplateName.parse(name)
    return name


def _storable(branding: Branding | None) -> Branding | None:
    if branding is not None and "\\u0000" in branding.model_dump_json():
        raise ValueError("texts cannot hold the character U+0000")
    return branding


PresetName = Annotated[str, AfterValidator(_known_preset)]
"""One of the presets."""
TemplateText = Annotated[str, Field(max_length=80), AfterValidator(_template_name)]
"""A template's id, perhaps with a version."""
StorableBranding = Annotated[Branding, AfterValidator(_storable)]
"""Branding that the database takes."""
PoolName = Annotated[str, Field(pattern=POOL_PATTERN)]
"""What a pool can be called."""
TooLong = Literal["refuse", "cut", "fade"]
"""What becomes of a video that its platform would not take whole."""


class Outputs(BaseModel):
    """What videos are made of a composition."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    presets: list[PresetName] | None = Field(
        default=None, min_length=1, max_length=20, description="One export for each preset."
    )
    config: ExportConfiguration | None = Field(
        default=None, description="Output settings of one's own instead of presets."
    )
    configs: list[ExportConfiguration] | None = Field(
        default=None, min_length=1, max_length=20, description="One export for each of several."
    )
    template: TemplateText | None = Field(
        default=None,
        description="Branding by its name: a built-in template, or the id of one of your own, "
        "perhaps with a version (`tpl_…@2`).",
    )
    branding: StorableBranding | None = Field(
        default=None,
        description="Watermark and end card of every export; what it says outranks the template "
        "and the configuration, `null` takes away.",
    )
    too_long: TooLong | None = Field(
        default=None,
        description="What becomes of a video that is longer than its platform takes; the preset's "
        "or the configuration's own without it.",
    )
    start_s: float = Field(
        default=0.0, ge=0, le=LONGEST_SONG_S, description="Song time at which the video begins."
    )
    end_s: float | None = Field(
        default=None, gt=0, le=LONGEST_SONG_S, description="Song time at which it ends."
    )
    priority: int = Field(default=0, ge=-100, le=100, description="Higher is earlier.")
    pool: PoolName = Field(
        default=DEFAULT_POOL,
        description="The nodes that may render it, by the name that their operator gave them; "
        "`GET /v1/pools` has those that there are.",
        examples=["gpu"],
    )
    webhook: ExportWebhook | None = Field(
        default=None, description="Who is told of its end, beside your own webhooks."
    )

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

    @field_validator("configs")
    @classmethod
    def _can_all_be_stored(
        cls, configs: list[ExportConfiguration] | None
    ) -> list[ExportConfiguration] | None:
        for config in configs or ():
            cls._can_be_stored(config)
        return configs

    @field_validator("end_s")
    @classmethod
    def _after_the_start(cls, end_s: float | None, info: ValidationInfo) -> float | None:
        start_s = info.data.get("start_s")  # missing if it does not fit itself
        if end_s is not None and start_s is not None and end_s <= start_s:
            raise ValueError(f"the range must end after its start at {start_s:g} s")
        return end_s

    @model_validator(mode="after")
    def _at_most_one(self) -> Self:
        if self._formats > 1:
            raise ValueError("give either presets, config or configs")
        return self

    @property
    def _formats(self) -> int:
        """In how many ways it is said what files come out."""
        return sum(each is not None for each in (self.presets, self.config, self.configs))

    @property
    def configurations(self) -> list[tuple[str, ExportConfiguration]]:
        """What files come out, each with its place in the request; without our branding."""
        if self.config is not None:
            return [("config", self.config)]
        if self.configs is not None:
            return [(f"configs.{index}", each) for index, each in enumerate(self.configs)]
        return [
            (f"presets.{index}", find_preset(name)) for index, name in enumerate(self.presets or ())
        ]


class Item(Outputs):
    """A composition, and what videos are made of it."""

    composition_id: str = Field(max_length=60, description="What is drawn and heard.")
    revision: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description="Which revision; the newest without it."
    )
    name: Text | None = Field(
        default=None, description="What to call it; the composition's and the preset's without it."
    )


class ExportRequest(Item):
    """One export, or several of one composition: a batch."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "composition_id": "cmp_0a1b…",
                    "presets": ["youtube_1080p", "tiktok_vertical"],
                    "template": "social-media-pack",
                    "branding": {"endCard": {"text": "Thank you for listening"}},
                    "too_long": "fade",
                },
                {
                    "composition_id": "cmp_0a1b…",
                    "config": {
                        "name": "Small",
                        "format": {"container": "webm", "videoCodec": "vp9"},
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

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self._formats == 0:
            raise ValueError("give either presets, config or configs")
        return self


class BatchRequest(Outputs):
    """Many exports of many compositions; what is said of the batch holds for every item."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Spring catalogue",
                    "presets": ["youtube_4k", "tiktok_vertical"],
                    "template": "clean-minimal",
                    "items": [
                        {"composition_id": "cmp_0a1b…"},
                        {"composition_id": "cmp_77fe…", "presets": ["youtube_4k"], "end_s": 90},
                    ],
                }
            ]
        },
    )

    name: Text = Field(description="What a person calls it.")
    items: list[Item] = Field(
        min_length=1,
        max_length=MOST_IN_A_BATCH,
        description="The compositions; what an item says itself outranks the batch.",
    )

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        for index, item in enumerate(self.whole_items):
            if not item.configurations:
                raise ValueError(
                    f"items.{index} says no files: give presets, config or configs with it, or "
                    "with the batch"
                )
            if item.end_s is not None and item.end_s <= item.start_s:
                raise ValueError(f"items.{index} ends before it begins, at {item.start_s:g} s")
        return self

    @property
    def whole_items(self) -> list[Item]:
        """The items with what the batch says of them."""
        said = {name: getattr(self, name) for name in self.model_fields_set & _OUTPUTS}
        return [_filled(item, said) for item in self.items]


_FORMATS: Final = frozenset({"presets", "config", "configs"})
_OUTPUTS: Final = frozenset(Outputs.model_fields)


def _filled(item: Item, said: Mapping[str, Any]) -> Item:
    """An item with what is said beside it; all of it was validated, and holds together or not."""
    own = item.model_fields_set
    taken = {
        name: value
        for name, value in said.items()
        if name not in own and not (name in _FORMATS and own & _FORMATS)
    }
    return item.model_copy(update=taken)


def changed(
    place: str,
    configuration: ExportConfiguration,
    *,
    branding: Branding | None,
    too_long: TooLong | None,
) -> ExportConfiguration:
    """A configuration with other branding, and another answer to what is too long.

    Args:
        place: Where it stands in the request.
        configuration: As it was asked for.
        branding: All of its branding.
        too_long: None for the configuration's own; of no meaning without a platform.

    Raises:
        InputError: They do not hold together.
    """
    plain = configuration.model_dump()
    plain["branding"] = branding and branding.model_dump()
    if too_long is not None and plain["social_media"] is not None:
        plain["social_media"]["too_long"] = too_long
    try:
        return ExportConfiguration.model_validate(plain)
    except ValidationError as exc:
        raise field_error(place, describe(exc)) from exc


class AgainRequest(BaseModel):
    """What is to be different when an export is made again."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"pool": "gpu"}]}
    )

    pool: PoolName | None = Field(
        default=None, description="The nodes that may render it; the same as before without it."
    )


class PriorityRequest(BaseModel):
    """What may be changed of an export."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"priority": 10}]}
    )

    priority: int = Field(ge=-100, le=100, description="Higher is earlier.")
