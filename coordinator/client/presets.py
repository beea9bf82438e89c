"""What there is to choose from: presets, styles, formats."""

from __future__ import annotations

from typing import Any

from coordinator.client.base import Base
from coordinator.client.reading import part


class Presets(Base):
    """Presets and styles."""

    def presets(self) -> dict[str, Any]:
        """The presets with whole configurations, and the styles, as ``GET /v1/presets`` tells."""
        found: dict[str, Any] = self._http.json("GET", "v1/presets")
        return found

    def formats(self) -> dict[str, Any]:
        """Which containers and codecs go together, as ``GET /v1/formats`` tells."""
        found: dict[str, Any] = self._http.json("GET", "v1/formats")
        return found

    def style_thumbnail(
        self, name: str, *, width: int | None = None, image_format: str | None = None
    ) -> bytes:
        """A small picture of a style, at most so wide; JPEG if not said."""
        query = {"width": width, "format": image_format}
        return self._picture(f"v1/styles/{part(name)}/thumbnail", query)
