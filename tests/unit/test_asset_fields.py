"""The one table of the files that layers name, and what follows from it."""

from __future__ import annotations

from typing import get_args

from coordinator.documents import CompositionDocument, asset_uses, intake_spec
from shared.asset_fields import ASSET_FIELDS, NamedAsset, named_assets, rename_assets
from shared.composition import (
    BackgroundLayer,
    Composition,
    ImageLayer,
    Layer,
    PianoRollLayer,
    TextLayer,
    TitleLayer,
)
from shared.dressing import Dressing
from shared.keys import asset_key
from shared.presets import PRESETS
from shared.styles import DEFAULT_STYLE, find_style

DRAWN = Composition(
    layers=(
        BackgroundLayer(image="ast_sky"),
        BackgroundLayer(video="ast_rain"),
        ImageLayer(image="ast_cover"),
        ImageLayer(image="builtin:social-logo"),
        PianoRollLayer(),
        TitleLayer(font="ast_face"),
        TextLayer(),
    )
)


def test_every_field_that_names_a_file_is_in_the_table() -> None:
    layers = get_args(get_args(Layer)[0])
    told = {
        (layer, field)
        for layer in layers
        for field, info in layer.model_fields.items()
        if "asset id over HTTP" in (info.description or "")
    }
    assert told == {(layer, field) for layer, fields in ASSET_FIELDS.items() for field in fields}
    for layer, field in told:
        assert layer.model_fields[field].annotation == str | None


def test_places_are_found_and_named_otherwise() -> None:
    assert list(named_assets(DRAWN)) == [
        NamedAsset(layer=0, field="image", name="ast_sky", kind="image"),
        NamedAsset(layer=1, field="video", name="ast_rain", kind="video"),
        NamedAsset(layer=2, field="image", name="ast_cover", kind="image"),
        NamedAsset(layer=5, field="font", name="ast_face", kind="font"),
    ]
    renamed = rename_assets(DRAWN, lambda named: f"{named.kind}/{named.name}")
    assert [each.name for each in named_assets(renamed)] == [
        "image/ast_sky",
        "video/ast_rain",
        "image/ast_cover",
        "font/ast_face",
    ]
    assert rename_assets(renamed, lambda named: named.name.partition("/")[2]) == DRAWN


def test_the_api_looks_for_them_and_workers_are_told_their_keys() -> None:
    document = CompositionDocument(name="Song", midi="ast_song", composition=DRAWN)
    assert [(use.field, use.asset_id, use.kind) for use in asset_uses(document)] == [
        ("midi", "ast_song", "midi"),
        ("composition.layers.0.image", "ast_sky", "image"),
        ("composition.layers.1.video", "ast_rain", "video"),
        ("composition.layers.2.image", "ast_cover", "image"),
        ("composition.layers.5.font", "ast_face", "font"),
    ]
    assets = {
        name: {"sha256": digit * 64, "name": name}
        for name, digit in zip(
            ("ast_song", "ast_sky", "ast_rain", "ast_cover", "ast_face"), "abcde", strict=True
        )
    }
    spec = intake_spec(
        document, assets, start_s=0, end_s=None, configuration=PRESETS["youtube_1080p"]
    )
    keys = [asset_key(digit * 64) for digit in "bcde"]
    assert [each.name for each in named_assets(spec.composition)] == keys
    assert spec.names[keys[0]] == "ast_sky"


def test_what_dresses_a_style_or_a_composition_is_looked_for_and_told_like_its_own() -> None:
    dressing = Dressing(title="Nocturne", cover="ast_cover", background_video="ast_waves")
    mine = [
        ("dressing.cover", "ast_cover", "image"),
        ("dressing.background_video", "ast_waves", "video"),
    ]
    styled = CompositionDocument(name="Song", midi="ast_song", style="neon", dressing=dressing)
    own = CompositionDocument(name="Song", midi="ast_song", composition=DRAWN, dressing=dressing)
    assert [(use.field, use.asset_id, use.kind) for use in asset_uses(styled)][1:] == mine
    assert [(use.field, use.asset_id, use.kind) for use in asset_uses(own)][5:] == mine
    names = ("ast_song", "ast_cover", "ast_waves", "ast_sky", "ast_face", "ast_rain")
    digits = dict(zip(names, "abcdef", strict=True))
    assets = {name: {"sha256": digit * 64, "name": name} for name, digit in digits.items()}
    for document in (styled, own):
        spec = intake_spec(
            document, assets, start_s=0, end_s=None, configuration=PRESETS["youtube_1080p"]
        )
        keys = {each.name: each.kind for each in named_assets(spec.composition)}
        assert keys[asset_key("b" * 64)] == "image"
        assert keys[asset_key("c" * 64)] == "video"
        (title, *_) = [each for each in spec.composition.layers if isinstance(each, TitleLayer)]
        assert title.text == "Nocturne"
    # The sky lies behind the waves no more, but the document names it still.
    assert asset_key("d" * 64) not in keys


def test_a_document_that_was_kept_before_there_was_dressing_is_drawn_as_it_was() -> None:
    document = CompositionDocument.model_validate({"name": "Song", "midi": "ast_song"})
    assert document.dressing == Dressing()
    assert document.drawn == find_style(DEFAULT_STYLE)
