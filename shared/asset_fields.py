"""Which fields of which layer name a file, and of what kind: the one table. Pure.

A layer that names a file has a line here, and with it the file is uploaded by the command line,
looked for among the user's assets by the API, told to workers by its object key, and taken in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from shared.branding import BUILTIN
from shared.composition import (
    BackgroundLayer,
    ChordsLayer,
    Composition,
    ImageLayer,
    Layer,
    LyricsLayer,
    TextLayer,
    TitleLayer,
)
from shared.intake import AssetKind

ASSET_FIELDS: Final[Mapping[type[Layer], Mapping[str, AssetKind]]] = MappingProxyType(
    {
        BackgroundLayer: {"image": "image", "video": "video"},
        ImageLayer: {"image": "image"},
        TitleLayer: {"font": "font"},
        TextLayer: {"font": "font"},
        LyricsLayer: {"font": "font"},
        ChordsLayer: {"font": "font"},
    }
)
"""Fields that hold a file's path, asset id or object key, or None; by the layer's class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedAsset:
    """A place where a layer names a file."""

    layer: int
    """Which of the layers, from 0 on."""
    field: str
    """Its field."""
    name: str
    """What the file is named by."""
    kind: AssetKind
    """What belongs there."""


def named_assets(composition: Composition) -> Iterator[NamedAsset]:
    """Every place where a composition names a file, in the order of its layers."""
    for index, layer in enumerate(composition.layers):
        for field, kind in asset_fields(layer).items():
            name = getattr(layer, field)
            if name is not None and not name.startswith(BUILTIN):
                yield NamedAsset(layer=index, field=field, name=name, kind=kind)


def rename_assets(composition: Composition, rename: Callable[[NamedAsset], str]) -> Composition:
    """A composition whose files are named otherwise.

    Args:
        composition: What names them.
        rename: The new name of each.
    """
    changes: dict[int, dict[str, str]] = {}
    for named in named_assets(composition):
        changes.setdefault(named.layer, {})[named.field] = rename(named)
    if not changes:
        return composition
    layers = [
        layer.model_copy(update=changes[index]) if index in changes else layer
        for index, layer in enumerate(composition.layers)
    ]
    return composition.model_copy(update={"layers": tuple(layers)})


def asset_fields(layer: Layer) -> Mapping[str, AssetKind]:
    """The fields of a layer that name files, and what belongs there."""
    return ASSET_FIELDS.get(type(layer), {})
