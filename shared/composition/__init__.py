"""What is drawn and heard: a composition of layers over one stage.

A composition says nothing in pixels. Lengths are fractions of a key, of the frame's short side
or seconds, so the same composition fills 16:9, 1:1 and 9:16. Together with a song and a time it
determines a frame completely.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import Field, ValidationError

from shared.composition.base import Fraction01, Placed, Plain
from shared.composition.finish import Finish
from shared.composition.ground import BackgroundLayer, GradientStop, ImageLayer, SkyLayer
from shared.composition.light import (
    BeamLayer,
    HitFlashLayer,
    ParticlesLayer,
    ShockwaveLayer,
    TrailLayer,
)
from shared.composition.notes import GridLayer, KeyboardLayer, PianoRollLayer, ScoreLayer
from shared.composition.sound import SpectrumLayer, WaveformLayer
from shared.composition.stage import Colouring, Direction, Stage
from shared.composition.texts import (
    ChordsLayer,
    LyricsLayer,
    ProgressLayer,
    TextLayer,
    TitleLayer,
)
from shared.errors import CompositionError

__all__ = [
    "BACKDROPS",
    "MOST_LAYERS",
    "BackgroundLayer",
    "BeamLayer",
    "ChordsLayer",
    "Colouring",
    "Composition",
    "Direction",
    "Finish",
    "Fraction01",
    "GradientStop",
    "GridLayer",
    "HitFlashLayer",
    "ImageLayer",
    "KeyboardLayer",
    "Layer",
    "LyricsLayer",
    "ParticlesLayer",
    "PianoRollLayer",
    "Placed",
    "ProgressLayer",
    "ScoreLayer",
    "ShockwaveLayer",
    "SkyLayer",
    "SpectrumLayer",
    "Stage",
    "TextLayer",
    "TitleLayer",
    "TrailLayer",
    "WaveformLayer",
    "describe",
    "message_of",
    "parse_composition",
    "true_findings",
]

F = TypeVar("F", bound=Mapping[str, Any])

Layer = Annotated[
    BackgroundLayer
    | SkyLayer
    | ImageLayer
    | GridLayer
    | TrailLayer
    | BeamLayer
    | PianoRollLayer
    | KeyboardLayer
    | ScoreLayer
    | HitFlashLayer
    | ShockwaveLayer
    | ParticlesLayer
    | WaveformLayer
    | SpectrumLayer
    | TitleLayer
    | TextLayer
    | LyricsLayer
    | ChordsLayer
    | ProgressLayer,
    Field(discriminator="type"),
]

BACKDROPS: Final = (BackgroundLayer, SkyLayer)
"""Layers that are left out where the background of a video is transparent."""
MOST_LAYERS: Final = 64
"""Layers that a composition may have."""
_BY_TYPE: Final = "'type'"
"""How pydantic names the field that tells one layer from another."""
_HEARING: Final = (WaveformLayer, SpectrumLayer)
"""Layers that draw what is heard."""


class Composition(Plain):
    """Everything that determines a frame, but for the song and the time."""

    stage: Stage = Field(default_factory=Stage, description="Geometry shared by the layers.")
    colouring: Colouring = Field(default_factory=Colouring, description="Colours of notes.")
    layers: tuple[Layer, ...] = Field(
        min_length=1,
        max_length=MOST_LAYERS,
        description="Drawn in this order, the first at the back.",
    )
    finish: Finish | None = Field(
        default=None, description="What is done to the whole frame; nothing without it."
    )
    sustain_pedal: bool = Field(
        default=False, description="Whether notes last as long as the sustain pedal holds them."
    )
    tail_s: float = Field(
        default=1.5, ge=0, le=60, description="How long the video goes on after the last note."
    )
    audio_offset_s: float = Field(
        default=0.0,
        ge=-86400,
        le=86400,
        description="Song time at which the recording begins: 0.5 where the recording's first "
        "sample belongs half a second into the MIDI, negative where the recording begins earlier.",
    )

    @property
    def keyboard(self) -> KeyboardLayer | None:
        """The first keyboard layer; its length gives the stage its shape."""
        return next((layer for layer in self.layers if isinstance(layer, KeyboardLayer)), None)

    @property
    def score(self) -> ScoreLayer | None:
        """The first score layer; what has a place in the roll stands clear of it."""
        return next((layer for layer in self.layers if isinstance(layer, ScoreLayer)), None)

    @property
    def listens(self) -> bool:
        """Whether what is heard is seen."""
        parts = (self.stage, self.colouring, *self.layers, *([self.finish] if self.finish else []))
        return any(isinstance(part, _HEARING) or part.hears for part in parts)

    def at(self, values: Callable[[str], float]) -> Self:
        """The composition at a moment: every number that moves has its value.

        What does not move is the same object in the result; a composition in which nothing
        moves is returned itself.

        Args:
            values: The value of each of ``shared.animation.SIGNALS`` at that moment.
        """
        stage, colouring = self.stage.at(values), self.colouring.at(values)
        layers = tuple(layer.at(values) for layer in self.layers)
        finish = self.finish and self.finish.at(values)
        now = (stage, colouring, *layers, finish)
        before = (self.stage, self.colouring, *self.layers, self.finish)
        if all(one is other for one, other in zip(now, before, strict=True)):
            return self
        return self.model_copy(
            update={"stage": stage, "colouring": colouring, "layers": layers, "finish": finish}
        )


def parse_composition(text: str, name: str) -> Composition:
    """Read a composition from JSON.

    Raises:
        CompositionError: Names every field that does not fit and what is wrong with it.
    """
    try:
        return Composition.model_validate_json(text)
    except ValidationError as exc:
        raise CompositionError(f"{name} is no composition: {describe(exc)}.") from exc


def describe(error: ValidationError) -> str:
    """The findings of a validation as one line: ``layers.0.colour: …; stage.keys: …``."""
    findings = []
    for finding in true_findings(error.errors()):
        place = ".".join(str(part) for part in _written(finding["loc"]))
        message = message_of(finding)
        findings.append(f"{place}: {message}" if place else message)
    return "; ".join(findings)


def message_of(finding: Mapping[str, Any]) -> str:
    """What is wrong, in words for whoever wrote the JSON; pydantic's are for programmers."""
    facts = finding.get("ctx", {})
    match finding["type"]:
        case "extra_forbidden":
            return "there is no such field"
        case "union_tag_invalid" if facts["discriminator"] == _BY_TYPE:
            kinds = str(facts["expected_tags"]).replace("'", "")
            return f"{facts['tag']!r} is no layer; choose one of {kinds}"
        case "union_tag_not_found" if facts["discriminator"] == _BY_TYPE:
            return 'a layer says what it is, such as "type": "piano_roll"'
        case "too_short" if facts["field_type"] == "Tuple" and facts["min_length"] == 1:
            return "a list with one entry or more belongs here"
    return str(finding["msg"]).removeprefix("Value error, ")


def true_findings(findings: Sequence[F]) -> list[F]:
    """Pydantic's findings without those that only follow from others.

    It leaves out the items of a list that do not fit, and then misses them.
    """
    return [
        finding
        for finding in findings
        if finding["type"] != "too_short"
        or not any(
            len(other["loc"]) > len(finding["loc"])
            and other["loc"][: len(finding["loc"])] == finding["loc"]
            for other in findings
        )
    ]


def _written(place: tuple[int | str, ...]) -> list[int | str]:
    """A place as it is written: pydantic names the type of a layer as if it were a field."""
    return [
        part
        for index, part in enumerate(place)
        if not (index >= 2 and place[index - 2] == "layers" and isinstance(place[index - 1], int))
    ]
