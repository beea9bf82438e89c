"""Dressing a style: what a musician brings takes its place, and nothing else changes."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from coordinator.documents import CompositionDocument
from shared.composition import (
    MOST_LAYERS,
    BackgroundLayer,
    Composition,
    ImageLayer,
    LyricsLayer,
    PianoRollLayer,
    SkyLayer,
    TextLayer,
    TitleLayer,
)
from shared.dressing import DRESSING_ASSETS, Dressing, dress
from shared.errors import CompositionError
from shared.styles import STYLES, find_style

EVERYTHING = Dressing(
    title="Nocturne",
    artist="A. Musician",
    cover="cover.png",
    background_video="waves.mp4",
    lyrics="[00:01.00]La",
)


def texts_and_pictures(composition: Composition) -> set[str]:
    """Everything of a dressing that a composition shows."""
    shown: set[str | None] = set()
    for layer in composition.layers:
        match layer:
            case TitleLayer():
                shown |= {layer.text, layer.artist}
            case TextLayer():
                shown |= {layer.title, layer.artist}
            case ImageLayer() | BackgroundLayer():
                shown |= {layer.image, getattr(layer, "video", None)}
            case LyricsLayer():
                shown |= {layer.lrc}
    return {text for text in shown if text}


@pytest.mark.parametrize("style", STYLES)
def test_every_style_shows_what_a_musician_brings(style: str) -> None:
    dressed = dress(find_style(style), EVERYTHING)
    assert texts_and_pictures(dressed) >= {"cover.png", "waves.mp4", "[00:01.00]La"}
    assert Composition.model_validate_json(dressed.model_dump_json()) == dressed


@pytest.mark.parametrize("style", STYLES)
def test_without_anything_a_style_stays_as_it_is(style: str) -> None:
    assert dress(find_style(style), Dressing()) == find_style(style)


def test_texts_go_where_texts_are() -> None:
    composition = Composition(layers=(TitleLayer(artist="Nobody"), TextLayer(text="{title}")))
    title, text = dress(composition, Dressing(title="Nocturne", artist="A. Musician")).layers
    assert isinstance(title, TitleLayer)
    assert isinstance(text, TextLayer)
    assert (title.text, title.artist) == ("Nocturne", "A. Musician")
    assert (text.title, text.artist) == ("Nocturne", "A. Musician")
    (*_, added) = dress(Composition(layers=(TextLayer(),)), Dressing(artist="Ada")).layers
    assert isinstance(added, TitleLayer)
    assert (added.text, added.artist) == ("", "Ada")
    (kept, _) = dress(composition, Dressing(title="Nocturne")).layers
    assert isinstance(kept, TitleLayer)
    assert kept.artist == "Nobody"


def test_a_cover_takes_the_place_that_is_left_for_it_or_else_a_corner() -> None:
    logo, empty = ImageLayer(image="logo.png"), ImageLayer(size=50)
    with_place = dress(Composition(layers=(logo, empty)), Dressing(cover="cover.png"))
    assert [layer.image for layer in with_place.layers if isinstance(layer, ImageLayer)] == [
        "logo.png",
        "cover.png",
    ]
    without = dress(Composition(layers=(PianoRollLayer(), logo)), Dressing(cover="cover.png"))
    *_, corner = without.layers
    assert isinstance(corner, ImageLayer)
    assert (corner.image, corner.x, corner.y) == ("cover.png", 1.0, 0.0)


def test_a_background_lies_behind_everything() -> None:
    roll = PianoRollLayer()
    (ground, first) = dress(Composition(layers=(roll,)), Dressing(background="sea.jpg")).layers
    assert first is roll
    assert isinstance(ground, BackgroundLayer)
    assert (ground.image, ground.video) == ("sea.jpg", None)
    before = Composition(layers=(BackgroundLayer(image="old.jpg", blur=2), SkyLayer(), roll))
    (ground, _) = dress(before, Dressing(background_video="sea.mp4")).layers
    assert isinstance(ground, BackgroundLayer)
    assert (ground.image, ground.video, ground.blur) == (None, "sea.mp4", 2)


def test_there_is_room_for_so_many_layers() -> None:
    full = Composition(layers=(PianoRollLayer(),) * MOST_LAYERS)
    assert dress(full, Dressing()) == full
    with pytest.raises(CompositionError, match="has 66 layers; 64 are the most"):
        dress(full, Dressing(title="A song", cover="cover.png"))
    with pytest.raises(ValidationError, match="64 are the most"):
        CompositionDocument(
            name="Song", midi="ast_m", composition=full, dressing=Dressing(title="A song")
        )


def test_files_are_told_by_the_fields_that_name_them() -> None:
    assert EVERYTHING.assets == {"cover": "cover.png", "background_video": "waves.mp4"}
    assert Dressing().assets == {}
    told = {field for field, info in Dressing.model_fields.items() if info.annotation == str | None}
    assert told == DRESSING_ASSETS.keys()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"background": "sea.jpg", "background_video": "sea.mp4"},
            "give a background or a background_video, not both",
        ),
        ({"lyrics": "La la la"}, "The lyrics have no time stamps, such as [01:23.45]"),
        ({"lyrics": "[00:01]" + "La" * 100_000}, "at most 200000 characters"),
    ],
)
def test_what_does_not_fit_is_refused_at_once(fields: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Dressing.model_validate(fields)
    (finding,) = caught.value.errors()
    assert sentence in finding["msg"]


def test_lyrics_without_times_are_refused_in_a_layer_too() -> None:
    with pytest.raises(ValidationError, match="no time stamps"):
        LyricsLayer(lrc="La la la")
    assert LyricsLayer(lrc="").lrc == ""
