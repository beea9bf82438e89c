"""The document of a composition, as users write it, and what an export is made from. Pure.

A document names uploaded files by their asset ids. Workers know object keys only, so an export
is given the keys, and the names to call the files by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Self

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
from shared.asset_fields import named_assets, rename_assets
from shared.branding import Branding
from shared.composition import Composition
from shared.dressing import DRESSING_ASSETS, Dressing, dress
from shared.errors import CompositionError
from shared.export import ExportConfiguration
from shared.intake import AssetKind, IntakeSpec
from shared.keys import asset_key
from shared.styles import DEFAULT_STYLE, STYLES, find_style

_NOUNS: Final[dict[AssetKind, str]] = {
    "midi": "a MIDI file",
    "audio": "a recording",
    "image": "an image",
    "font": "a font",
    "soundfont": "a SoundFont",
    "video": "a video",
}


def _known_style(name: str) -> str:
    try:
        find_style(name)
    except CompositionError as exc:
        raise ValueError(exc.message.rstrip(".")) from exc
    return name


AssetId = Annotated[str, Field(min_length=1, max_length=60)]


class CompositionDocument(BaseModel):
    """What is drawn and heard."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {"name": "Prelude", "midi": "ast_5f0c…", "audio": "ast_91d2…", "style": "aurora"},
                {
                    "name": "Nocturne",
                    "midi": "ast_5f0c…",
                    "style": "neon",
                    "dressing": {
                        "title": "Nocturne",
                        "artist": "A. Musician",
                        "cover": "ast_c07e…",
                        "background_video": "ast_3aa8…",
                        "lyrics": "[00:12.00]La la\n[00:15.50]la",
                    },
                },
            ]
        },
    )

    name: Text = Field(description="What a person calls it.")
    midi: AssetId = Field(description="Asset id of the MIDI file.")
    audio: AssetId | None = Field(default=None, description="Asset id of its recording.")
    soundfont: AssetId | None = Field(
        default=None,
        description="Asset id of a SoundFont to synthesise the MIDI with where there is no "
        "recording.",
    )
    style: Annotated[str, AfterValidator(_known_style)] | None = Field(
        default=None,
        description=f"A built-in style: {', '.join(STYLES)}. {DEFAULT_STYLE} where neither a "
        "style nor a composition is given.",
    )
    composition: Composition | None = Field(
        default=None,
        description="Layers of one's own instead of a style; images and fonts by asset id.",
    )
    dressing: Dressing = Field(
        default_factory=Dressing,
        description="Title, artist, cover, background and lyrics of the song, for a style as for "
        "layers of one's own; images and videos by asset id.",
    )
    audio_offset_s: float | None = Field(
        default=None,
        ge=-86400,
        le=86400,
        description="Song time at which the recording begins; the composition's own without it.",
    )

    @field_validator("composition")
    @classmethod
    def _instead_of_a_style(
        cls, composition: Composition | None, info: ValidationInfo
    ) -> Composition | None:
        if composition is not None and info.data.get("style") is not None:
            raise ValueError("give a style or a composition, not both")
        return composition

    @model_validator(mode="after")
    def _can_be_stored(self) -> Self:
        if "\\u0000" in self.model_dump_json():
            raise ValueError("texts cannot hold the character U+0000")
        return self

    @model_validator(mode="after")
    def _can_be_dressed(self) -> Self:
        if self.composition is not None:
            try:
                dress(self.composition, self.dressing)
            except CompositionError as exc:
                raise ValueError(exc.message.rstrip(".")) from exc
        return self

    @property
    def drawn(self) -> Composition:
        """The composition, of the style where there is none, with what dresses it."""
        drawn = dress(self.composition or find_style(self.style or DEFAULT_STYLE), self.dressing)
        if self.audio_offset_s is None:
            return drawn
        return drawn.model_copy(update={"audio_offset_s": self.audio_offset_s})


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetUse:
    """A place where a document names an asset."""

    field: str
    """The place: ``composition.layers.0.image``."""
    asset_id: str
    """What it names."""
    kind: AssetKind
    """What belongs there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A place where a document names an asset that cannot be used there."""

    field: str
    """The place."""
    message: str
    """What is wrong."""
    rejected: bool = False
    """Whether the asset itself is at fault, not the document."""


def asset_uses(document: CompositionDocument) -> list[AssetUse]:
    """Every place where a document names an asset."""
    uses = [AssetUse(field="midi", asset_id=document.midi, kind="midi")]
    if document.audio is not None:
        uses.append(AssetUse(field="audio", asset_id=document.audio, kind="audio"))
    if document.soundfont is not None:
        uses.append(AssetUse(field="soundfont", asset_id=document.soundfont, kind="soundfont"))
    if document.composition is not None:
        uses += (
            AssetUse(
                field=f"composition.layers.{named.layer}.{named.field}",
                asset_id=named.name,
                kind=named.kind,
            )
            for named in named_assets(document.composition)
        )
    uses += (
        AssetUse(field=f"dressing.{field}", asset_id=name, kind=DRESSING_ASSETS[field])
        for field, name in document.dressing.assets.items()
    )
    return uses


def asset_faults(uses: Sequence[AssetUse], assets: Mapping[str, Mapping[str, Any]]) -> list[Fault]:
    """What is wrong with the assets that a document names.

    Args:
        uses: The places.
        assets: The user's assets (rows of the table) by their ids; one that is still pending may
            be used, for the worker that takes it in looks at it again.
    """
    faults = []
    for use in uses:
        asset = assets.get(use.asset_id)
        if asset is None:
            faults.append(
                Fault(field=use.field, message=f"there is no asset {use.asset_id!r} of yours")
            )
        elif asset["kind"] != use.kind:
            faults.append(
                Fault(
                    field=use.field,
                    message=f"{asset['name']} is {_NOUNS[asset['kind']]}, not {_NOUNS[use.kind]}",
                )
            )
        elif asset["status"] == "rejected":
            faults.append(
                Fault(
                    field=use.field,
                    message=f"{asset['name']} cannot be used: {asset['reason']}",
                    rejected=True,
                )
            )
    return faults


def longest_s(
    document: CompositionDocument, assets: Mapping[str, Mapping[str, Any]]
) -> float | None:
    """Song time beyond which there is nothing to see or hear; None before that is known.

    Args:
        document: What is drawn and heard.
        assets: All that it names.
    """
    song = assets[document.midi]["facts"] or {}
    recording = (assets[document.audio]["facts"] or {}) if document.audio else {"duration_s": 0.0}
    if "end_s" not in song or "duration_s" not in recording:
        return None
    drawn = document.drawn
    return max(
        float(song["end_s"]) + drawn.tail_s, drawn.audio_offset_s + float(recording["duration_s"])
    )


def intake_spec(
    document: CompositionDocument,
    assets: Mapping[str, Mapping[str, Any]],
    *,
    branding: Branding | None = None,
    start_s: float,
    end_s: float | None,
    configuration: ExportConfiguration,
) -> IntakeSpec:
    """What the first work item of an export is told.

    Args:
        document: What is drawn and heard.
        assets: All that it and the branding name, without a fault.
        branding: Watermark and end card, their files named by object keys.
        start_s: Song time at which the video begins.
        end_s: Song time at which it ends; None for the end of the song.
        configuration: What file comes out.
    """

    def key(asset_id: str) -> str:
        return asset_key(assets[asset_id]["sha256"])

    return IntakeSpec(
        midi_key=key(document.midi),
        recording_key=None if document.audio is None else key(document.audio),
        soundfont_key=None if document.soundfont is None else key(document.soundfont),
        composition=rename_assets(document.drawn, lambda named: key(named.name)),
        branding=branding,
        names={asset_key(assets[each]["sha256"]): assets[each]["name"] for each in sorted(assets)},
        start_s=start_s,
        end_s=end_s,
        with_audio=configuration.has_sound,
    )
