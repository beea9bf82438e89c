"""From a musician's files to what the API is asked for: uploaded, and named by asset ids."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coordinator.cli.drawing_options import Drawing, DrawingOptions
from coordinator.client import Client
from shared.asset_fields import rename_assets
from shared.dressing import DRESSING_ASSETS
from shared.errors import InputError
from shared.intake import AssetKind

Upload = Callable[[Path, AssetKind], str]
"""Has a file on the server; its asset id."""


class Uploads:
    """Uploads files, each once; what the server has already is not sent again."""

    def __init__(self, client: Client) -> None:
        """Upload through ``client``."""
        self._client = client
        self._ids: dict[tuple[Path, AssetKind], str] = {}

    def __call__(self, path: Path, kind: AssetKind) -> str:
        """Have a file on the server; its asset id.

        Raises:
            InputError: It cannot be read, or the server does not take it.
            ServiceError: The server cannot be reached, or failed.
        """
        key = path.absolute(), kind
        if key not in self._ids:
            known = self._client.find_asset(_sha256(path), kind=kind)
            self._ids[key] = (known or self._client.upload(path, kind=kind)).id
        return self._ids[key]


def document_of(
    upload: Upload,
    *,
    song: Path,
    audio: Path | None,
    soundfont: Path | None,
    drawing: DrawingOptions,
    drawn: Drawing,
) -> dict[str, Any]:
    """The document of a composition, but for its name.

    Args:
        upload: Has files on the server.
        song: The MIDI file.
        audio: Its recording.
        soundfont: What it is played through without one.
        drawing: What was asked for.
        drawn: What that comes to.
    """
    document: dict[str, Any] = {
        "midi": upload(song, "midi"),
        "audio": audio and upload(audio, "audio"),
        "soundfont": soundfont and upload(soundfont, "soundfont"),
        "style": drawing.style,
    }
    ids = {
        field: upload(Path(name), DRESSING_ASSETS[field])
        for field, name in drawn.dressing.assets.items()
    }
    dressing = drawn.dressing.model_copy(update=ids)
    document["dressing"] = dressing.model_dump(mode="json", exclude_defaults=True) or None
    if drawing.composition is not None:
        uploaded = rename_assets(
            drawn.undressed, lambda named: upload(drawn.folder / named.name, named.kind)
        )
        document["composition"] = uploaded.model_dump(mode="json")
    return document


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise InputError(f"{path} cannot be read: {exc.strerror or exc}.") from exc
