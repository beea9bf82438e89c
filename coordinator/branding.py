"""Branding as users ask for it: templates, what overrides them, the files that it names. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from coordinator.documents import AssetUse
from shared.branding import BUILTIN, Branding
from shared.keys import asset_key
from shared.templates import TEMPLATES

_TEMPLATE: Final = re.compile(r"([A-Za-z0-9_-]{1,60})(?:@([1-9][0-9]{0,8}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateName:
    """What a template is asked for by: ``clean-minimal``, ``tpl_…`` or ``tpl_…@3``."""

    id: str
    """Its id."""
    version: int | None
    """Which version; None for the newest."""

    @classmethod
    def parse(cls, text: str) -> TemplateName:
        """Read a name. Raises ValueError."""
        match = _TEMPLATE.fullmatch(text)
        if match is None:
            raise ValueError("a template is named by its id, or by its id and version: tpl_…@2")
        return cls(id=match[1], version=int(match[2]) if match[2] else None)


def merged(*parts: Branding | None) -> Branding | None:
    """Branding from several parts: what was said in a later one counts.

    A later ``null`` takes away: ``{"endCard": null}`` leaves the end card out.
    """
    told = [part.model_dump(exclude_unset=True) for part in parts if part is not None]
    whole: dict[str, Any] = {}
    for part in told:
        whole = _over(whole, part)
    return Branding.model_validate(whole) if told else None


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for name, value in above.items():
        old = result.get(name)
        # Handles are one list of people's own: another one replaces it as a whole.
        if isinstance(old, Mapping) and isinstance(value, Mapping) and name != "handles":
            result[name] = _over(old, value)
        else:
            result[name] = value
    return result


def logo_names() -> frozenset[str]:
    """The logos of ours, as branding names them."""
    names = {
        use.asset_id
        for template in TEMPLATES.values()
        for use in _places(template.branding)
        if use.asset_id.startswith(BUILTIN)
    }
    return frozenset(names)


def branding_uses(branding: Branding | None, place: str) -> list[AssetUse]:
    """Every place where branding names a file that is not ours: asset ids, and addresses.

    Args:
        branding: What to look through.
        place: Where it stands in the request: ``branding``.
    """
    known = logo_names()
    return [
        AssetUse(field=f"{place}.{use.field}", asset_id=use.asset_id, kind=use.kind)
        for use in _places(branding)
        if use.asset_id not in known
    ]


def is_address(name: str) -> bool:
    """Whether a file is named by an address rather than by an asset's id."""
    return "://" in name


def with_names(branding: Branding, names: Mapping[str, str]) -> Branding:
    """Branding with files named otherwise; what ``names`` does not know stays as it is."""
    watermark, card = branding.watermark, branding.end_card
    if watermark is not None:
        name = names.get(watermark.image_url, watermark.image_url)
        watermark = watermark.model_copy(update={"image_url": name})
    if card is not None:
        changes = {
            field: names.get(name, name)
            for field in ("logo_url", "font")
            if (name := getattr(card, field)) is not None
        }
        card = card.model_copy(update=changes)
    # What was not said is not said now: merged() would take it for said.
    changed = {"watermark": watermark, "end_card": card}
    return branding.model_copy(
        update={name: part for name, part in changed.items() if name in branding.model_fields_set}
    )


def by_keys(branding: Branding, assets: Mapping[str, Mapping[str, Any]]) -> Branding:
    """Branding as workers are told of it: its assets by their object keys."""
    return with_names(branding, {each: asset_key(row["sha256"]) for each, row in assets.items()})


def _places(branding: Branding | None) -> Iterator[AssetUse]:
    if branding is None:
        return
    watermark, card = branding.watermark, branding.end_card
    if watermark is not None:
        yield AssetUse(field="watermark.imageUrl", asset_id=watermark.image_url, kind="image")
    if card is not None and card.logo_url is not None:
        yield AssetUse(field="endCard.logoUrl", asset_id=card.logo_url, kind="image")
    if card is not None and card.font is not None:
        yield AssetUse(field="endCard.font", asset_id=card.font, kind="font")
