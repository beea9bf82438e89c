"""The images, videos and fonts that a composition and its branding name, taken in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from shared.asset_fields import asset_fields
from shared.branding import PLATFORM_NAMES, Branding, EndCard, Watermark
from shared.composition import Composition, Layer, LyricsLayer, TextLayer, TitleLayer
from shared.profiles import qr_text
from workers.fonts.installed import find_font
from workers.footage import check_footage
from workers.images import open_image
from workers.logos import check_logo, is_builtin
from workers.midi import Song
from workers.named_file import naming
from workers.text import best_font, load_font, missing_characters

_DECODED = (16, 16)
"""Size to which an image is decoded to see that it can be."""


class Assets:
    """Takes assets in one by one, and collects what should be said about them."""

    def __init__(self, find: Callable[[str, str], Path], keep: Callable[[Path], str]) -> None:
        """Begin with nothing.

        Args:
            find: Finds the file of an asset, given how it is named and what it is.
            keep: Sees that a file is in the store; its key.
        """
        self._find, self._keep = find, keep
        self.warnings: list[str] = []

    def composition(self, composition: Composition, song: Song) -> Composition:
        """A composition with its images, videos and fonts named by object key.

        Raises:
            InputError: A file is missing, or is not what it should be.
        """
        layers = [layer.model_copy(update=self._taken(layer, song)) for layer in composition.layers]
        return composition.model_copy(update={"layers": tuple(layers)})

    def branding(self, branding: Branding | None) -> Branding | None:
        """Branding with its images and fonts named by object key; None where it shows nothing.

        Raises:
            InputError: A file is missing, or is not what it should be.
        """
        if branding is None:
            return None
        changed: dict[str, object] = {}
        if branding.watermark is not None:
            changed["watermark"] = self._watermark(branding.watermark)
        if branding.end_card is not None:
            changed["end_card"] = self._end_card(branding.end_card)
        return branding.model_copy(update=changed) if changed else None

    def _taken(self, layer: Layer, song: Song) -> dict[str, str | None]:
        """The keys of a layer's files, by its fields."""
        taken: dict[str, str | None] = {}
        for field, kind in asset_fields(layer).items():
            name: str | None = getattr(layer, field)
            what = f"composition's {kind}"
            if kind == "font":
                whose = layer.type.replace("_", " ")
                taken[field] = self._font(
                    name, _texts(layer, song), what, f"The {whose}'s", f"the {whose} layer"
                )
            elif name is not None:
                take = self._video if kind == "video" else self._image
                taken[field] = take(name, what)
        return taken

    def _watermark(self, watermark: Watermark) -> Watermark:
        key = self._image(watermark.image_url, "watermark")
        return watermark.model_copy(update={"image_url": key})

    def _end_card(self, card: EndCard) -> EndCard:
        changed: dict[str, object] = {}
        if card.logo_url is not None:
            changed["logo_url"] = self._image(card.logo_url, "end card's logo")
        links = card.social_media
        handles = tuple(links.handles.values()) if links else ()
        changed["font"] = self._font(
            card.font, (card.text, *handles), "end card's font", "The end card's", "it"
        )
        if links is not None and links.show_qr_code and qr_text(links) is None:
            first = next(iter(PLATFORM_NAMES))
            self.warnings.append(
                "The end card has no QR code, since there is nothing for it to lead to: give a "
                f"handle, such as {first}, or qrUrl."
            )
        return card.model_copy(update=changed)

    def _image(self, name: str, what: str) -> str:
        if is_builtin(name):
            check_logo(name)
            return name
        path = self._find(name, what)
        with naming(path):
            open_image(path, *_DECODED)
        return self._keep(path)

    def _video(self, name: str, what: str) -> str:
        path = self._find(name, what)
        with naming(path):
            check_footage(path)
        return self._keep(path)

    def _font(
        self, name: str | None, texts: Iterable[str], what: str, whose: str, where: str
    ) -> str | None:
        """The key of a font that draws the texts as far as any can; None for the built-in one."""
        shown = [text for text in texts if text]
        path = self._find(name, what) if name else None
        if path is not None:
            with naming(path):
                load_font(32, path)
        missing = _missing(shown, path)
        if missing and path is None:
            path = find_font(missing, beside=" ".join(shown))
            missing = _missing(shown, path)
        if missing:
            self.warnings.append(
                f"{whose} font cannot draw {missing}; give {where} a font that can."
            )
        return self._keep(path) if path is not None else None


def _texts(layer: Layer, song: Song) -> tuple[str, ...]:
    """What a layer with a font writes: if its font cannot, one that can is looked for."""
    match layer:
        case TitleLayer():
            return layer.text or song.title, layer.artist
        case TextLayer():
            return (layer.text,)
        case LyricsLayer():
            return (" ".join(layer.lrc.split()),)
        case _:
            return ()


def _missing(texts: Iterable[str], path: Path | None) -> str:
    """What stays undrawn when each text takes the better of a font and the built-in one."""
    missing = (missing_characters(text, best_font(text, path)) for text in texts)
    return "".join(dict.fromkeys("".join(missing)))
