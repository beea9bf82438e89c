"""What a musician brings to a style: title, artist, cover, background and lyrics. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Self

from pydantic import Field, model_validator

from shared.composition import (
    MOST_LAYERS,
    BackgroundLayer,
    Composition,
    ImageLayer,
    Layer,
    LyricsLayer,
    SkyLayer,
    TextLayer,
    TitleLayer,
)
from shared.composition.base import Plain
from shared.composition.texts import LrcText
from shared.errors import CompositionError
from shared.intake import AssetKind

DRESSING_ASSETS: Final[Mapping[str, AssetKind]] = MappingProxyType(
    {"cover": "image", "background": "image", "background_video": "video"}
)
"""The fields of a dressing that name files, and what belongs there."""
_DIM: Final = 0.45
"""How much a musician's own background is darkened, so that notes stay readable over it."""


class Dressing(Plain):
    """Texts and pictures of one song, for whichever style it is shown in."""

    title: str = Field(
        default="", max_length=200, description="The title; the song's own where it is empty."
    )
    artist: str = Field(default="", max_length=200, description="Who plays or wrote it.")
    cover: str | None = Field(
        default=None,
        description="A cover image: a file's path, or an asset id over HTTP. It takes the "
        "style's place for one, or else a corner.",
    )
    background: str | None = Field(
        default=None,
        description="An image behind everything: a file's path, or an asset id over HTTP.",
    )
    background_video: str | None = Field(
        default=None, description="A video instead of that image, which is played in a loop."
    )
    lyrics: LrcText = Field(
        default="",
        description="The text of an LRC file; the lyrics in the MIDI where it is empty.",
    )

    @model_validator(mode="after")
    def _one_background(self) -> Self:
        if self.background is not None and self.background_video is not None:
            raise ValueError("give a background or a background_video, not both")
        return self

    @property
    def assets(self) -> dict[str, str]:
        """What its files are named by, by the fields of DRESSING_ASSETS; those that it has."""
        named = {field: getattr(self, field) for field in DRESSING_ASSETS}
        return {field: name for field, name in named.items() if name is not None}


def dress(composition: Composition, dressing: Dressing) -> Composition:
    """A composition with a musician's own texts and pictures.

    What is not given stays as it was; what has no place in the composition gets a usual one.

    Raises:
        CompositionError: There is no room for another layer.
    """
    layers = [_dressed(layer, dressing) for layer in composition.layers]
    if dressing.cover is not None and not any(
        isinstance(layer, ImageLayer) and layer.image == dressing.cover for layer in layers
    ):
        layers.append(ImageLayer(image=dressing.cover, size=14.0, x=1.0, y=0.0, shadow=0.4))
    if (dressing.title or dressing.artist) and not any(_writes_texts(each) for each in layers):
        layers.append(TitleLayer(text=dressing.title, artist=dressing.artist))
    if dressing.lyrics and not any(isinstance(layer, LyricsLayer) for layer in layers):
        layers.append(LyricsLayer(lrc=dressing.lyrics, y=0.12))
    if dressing.background is not None or dressing.background_video is not None:
        layers = _with_background(layers, dressing)
    if len(layers) > MOST_LAYERS:
        raise CompositionError(
            f"With what is given for the song the composition has {len(layers)} layers; "
            f"{MOST_LAYERS} are the most: leave some out, or put texts and images into its own."
        )
    return composition.model_copy(update={"layers": tuple(layers)})


def _dressed(layer: Layer, dressing: Dressing) -> Layer:
    changed: dict[str, object] = {}
    match layer:
        case TitleLayer():
            changed = {"text": dressing.title, "artist": dressing.artist}
        case TextLayer():
            changed = {"title": dressing.title, "artist": dressing.artist}
        case ImageLayer(image=None):
            changed = {"image": dressing.cover}
        case LyricsLayer():
            changed = {"lrc": dressing.lyrics}
    given = {name: value for name, value in changed.items() if value}
    return layer.model_copy(update=given) if given else layer


def _writes_texts(layer: Layer) -> bool:
    """Whether a layer has a place for title and artist."""
    match layer:
        case TitleLayer():
            return True
        case TextLayer():
            return "{title}" in layer.text or "{artist}" in layer.text
    return False


def _with_background(layers: list[Layer], dressing: Dressing) -> list[Layer]:
    """The layers on a background of the musician's own, in place of the first one and of skies."""
    own = {"image": dressing.background, "video": dressing.background_video, "dim": _DIM}
    layers = [layer for layer in layers if not isinstance(layer, SkyLayer)]
    places = (index for index, layer in enumerate(layers) if isinstance(layer, BackgroundLayer))
    place = next(places, None)
    if place is None:
        return [BackgroundLayer().model_copy(update=own), *layers]
    return [
        layer.model_copy(update=own) if index == place else layer
        for index, layer in enumerate(layers)
    ]
