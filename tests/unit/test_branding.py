"""Branding as it is asked for: what outranks what, and which files it names."""

from __future__ import annotations

import pytest

from coordinator.branding import (
    TemplateName,
    branding_uses,
    by_keys,
    is_address,
    logo_names,
    merged,
    with_names,
)
from shared.branding import Branding
from shared.keys import asset_key, content_key
from shared.templates import TEMPLATES

PACK = TEMPLATES["social-media-pack"].branding


def read(**plain: object) -> Branding:
    return Branding.model_validate(plain)


def test_what_is_said_later_counts_and_the_rest_stays() -> None:
    over = read(
        watermark={"imageUrl": "ast_1"},
        endCard={"text": "Bye", "socialMedia": {"handles": {"tiktok": "@me"}}},
    )
    found = merged(PACK, over)
    assert found is not None
    assert found.watermark is not None
    assert found.end_card is not None
    assert found.end_card.social_media is not None
    assert found.watermark.model_dump() == {
        "image_url": "ast_1",
        "position": "bottom-left",
        "opacity": 0.5,
        "scale": 0.15,
    }
    assert (found.end_card.text, found.end_card.duration) == ("Bye", 3)
    assert found.end_card.logo_url == "builtin:end-card-logo"
    assert found.end_card.social_media.handles == {"tiktok": "@me"}  # not the template's three
    assert found.end_card.social_media.show_qr_code
    assert found.template == "social-media-pack@1"


def test_null_takes_away_and_what_is_not_said_does_not() -> None:
    assert merged(PACK, read(endCard=None)) == PACK.model_copy(update={"end_card": None})
    assert merged(PACK, read()) == PACK
    assert merged(None, None) is None
    assert merged(None, PACK, None) == PACK
    own = read(endCard={"text": "A"})
    assert merged(own, read(watermark={"image": "ast_1"})) == read(
        endCard={"text": "A"}, watermark={"image": "ast_1"}
    )


def test_handles_are_shown_in_the_order_in_which_they_were_given() -> None:
    links = {"handles": {"youtube": "@a", "instagram": "@b", "x": 1}}
    with pytest.raises(ValueError, match="x"):
        read(endCard={"socialMedia": links})
    del links["handles"]["x"]
    branding = read(endCard={"socialMedia": links})
    plain = branding.model_dump(mode="json", by_alias=True)
    shuffled = plain["endCard"]["socialMedia"]
    shuffled["handles"] = dict(reversed(shuffled["handles"].items()))  # as jsonb may have it
    again = Branding.model_validate(plain)
    assert again.end_card is not None
    assert again.end_card.social_media is not None
    assert list(again.end_card.social_media.handles) == ["youtube", "instagram"]
    # Another order is another picture, and another content key.
    turned = {"handles": {"instagram": "@b", "youtube": "@a"}}
    other = read(endCard={"socialMedia": turned})
    assert content_key({"branding": other}) != content_key({"branding": branding})
    over = merged(PACK, other)
    assert over is not None
    assert over.end_card is not None
    assert over.end_card.social_media is not None
    assert list(over.end_card.social_media.handles) == ["instagram", "youtube"]
    for order in ([["youtube"]], "youtube", ["youtube"], None):
        found = read(endCard={"socialMedia": {"handles": {"tiktok": "@c"}, "order": order}})
        assert found.end_card is not None
        assert found.end_card.social_media is not None
        assert found.end_card.social_media.order == ("tiktok",)


def test_names_of_files_are_found_where_they_stand() -> None:
    branding = read(
        watermark={"imageUrl": "https://images.test/a.png"},
        endCard={"logoUrl": "ast_1", "font": "ast_2"},
    )
    assert [(use.field, use.asset_id, use.kind) for use in branding_uses(branding, "b")] == [
        ("b.watermark.imageUrl", "https://images.test/a.png", "image"),
        ("b.endCard.logoUrl", "ast_1", "image"),
        ("b.endCard.font", "ast_2", "font"),
    ]
    assert branding_uses(PACK, "branding") == []  # ours need no file
    assert branding_uses(None, "branding") == []
    # What only looks like ours is looked for, in vain.
    wrong = read(watermark={"imageUrl": "builtin:nothing"})
    assert [use.asset_id for use in branding_uses(wrong, "b")] == ["builtin:nothing"]
    assert logo_names() == {"builtin:minimal-logo", "builtin:social-logo", "builtin:end-card-logo"}


def test_files_are_named_otherwise_without_saying_more_than_was_said() -> None:
    branding = read(watermark={"imageUrl": "https://images.test/a.png"})
    named = with_names(branding, {"https://images.test/a.png": "ast_1"})
    assert named == read(watermark={"imageUrl": "ast_1"})
    assert merged(PACK, named) != named  # the template's end card is still there
    assert with_names(PACK, {"ast_1": "ast_2"}) == PACK
    keyed = by_keys(named, {"ast_1": {"sha256": "ab" * 32}})
    assert keyed.watermark is not None
    assert keyed.watermark.image_url == asset_key("ab" * 32)


def test_addresses_are_told_from_ids() -> None:
    assert is_address("https://images.test/a.png")
    assert is_address("http://images.test/a.png")  # refused later, with a better sentence
    assert not is_address("ast_1")
    assert not is_address("builtin:minimal-logo")


def test_templates_are_named_with_or_without_a_version() -> None:
    assert TemplateName.parse("clean-minimal") == TemplateName(id="clean-minimal", version=None)
    assert TemplateName.parse("tpl_1@12") == TemplateName(id="tpl_1", version=12)
    for wrong in ("", "@1", "tpl_1@", "tpl_1@0", "tpl_1@-1", "tpl 1", "tpl_1@1@2", "x\n"):
        with pytest.raises(ValueError, match="named by its id"):
            TemplateName.parse(wrong)
