"""Uploading files, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from coordinator.client.base import PAGE, Base
from coordinator.client.models import Asset, Use
from coordinator.client.reading import OnBytes, part, pieces, read_answer
from shared.errors import InputError


class Assets(Base):
    """Files."""

    def upload(
        self,
        path: Path,
        *,
        kind: str | None = None,
        name: str | None = None,
        on_bytes: OnBytes | None = None,
    ) -> Asset:
        """Upload a file; the same bytes again give the same asset.

        Args:
            path: The file.
            kind: midi, audio, image, font, soundfont or video; the server finds out without it.
            name: What the musician knows it as; its file name without it.
            on_bytes: Told how far it is.

        Raises:
            InputError: The file cannot be read, or the server does not take it.
            ServiceError: The server cannot be reached, or failed.
        """
        try:
            size_bytes = path.stat().st_size
            with path.open("rb") as file:

                def body() -> Iterator[bytes]:
                    file.seek(0)
                    return pieces(file, size_bytes, on_bytes)

                found = self._http.json(
                    "POST",
                    "v1/assets",
                    again=True,
                    body=body,
                    headers={"Content-Length": str(size_bytes)},
                    query={"kind": kind, "name": name or path.name},
                )
        except OSError as exc:
            raise InputError(f"{path} cannot be read: {exc.strerror or exc}.") from exc
        return read_answer(Asset, found)

    def asset(self, asset_id: str) -> Asset:
        """An uploaded file, and what a worker found in it."""
        return read_answer(Asset, self._http.json("GET", f"v1/assets/{part(asset_id)}"))

    def assets(self, *, kind: str | None = None) -> Iterator[Asset]:
        """What the user has uploaded, newest first; pages are asked for as they are needed."""
        for plain in self._all("v1/assets", "assets", kind=kind, limit=PAGE):
            yield read_answer(Asset, plain)

    def find_asset(self, sha256: str, *, kind: str | None = None) -> Asset | None:
        """What the user has uploaded with these bytes, which need not be uploaded again."""
        page = self._http.json("GET", "v1/assets", query={"sha256": sha256, "kind": kind})
        return read_answer(Asset, page["assets"][0]) if page["assets"] else None

    def asset_uses(self, asset_id: str) -> tuple[Use, ...]:
        """What uses an asset now."""
        found = self._http.json("GET", f"v1/assets/{part(asset_id)}/uses")
        return tuple(read_answer(Use, each) for each in found["uses"])

    def delete_asset(self, asset_id: str) -> None:
        """Delete an asset that nothing uses."""
        self._http.json("DELETE", f"v1/assets/{part(asset_id)}")
