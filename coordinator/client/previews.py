"""Looking before an export."""

from __future__ import annotations

from typing import Any

from coordinator.client.base import Base
from coordinator.client.models import Preview
from coordinator.client.reading import part, read_answer


class Previews(Base):
    """Previews."""

    def create_preview(self, composition_id: str, **fields: Any) -> Preview:
        """Have a still, a contact sheet or a short clip made.

        Args:
            composition_id: What is drawn.
            fields: The other fields that ``POST /v1/previews`` takes.
        """
        told = {key: value for key, value in fields.items() if value is not None}
        found = self._http.json(
            "POST", "v1/previews", again=True, data={"composition_id": composition_id, **told}
        )
        return read_answer(Preview, found)

    def preview(self, preview_id: str) -> Preview:
        """How a preview stands."""
        return read_answer(Preview, self._http.json("GET", f"v1/previews/{part(preview_id)}"))

    def preview_image(self, preview_id: str) -> bytes:
        """What a preview shows, waited for; an image, or the clip.

        Raises:
            ConflictError: It cannot be made; says why.
            ServiceError: It does not come.
        """
        return self._picture(f"v1/previews/{part(preview_id)}/image")

    def composition_preview(
        self,
        composition_id: str,
        *,
        at_s: float | None = None,
        preset: str | None = None,
        width: int | None = None,
        image_format: str | None = None,
    ) -> bytes:
        """A still of a composition, as an image."""
        query = {"at_s": at_s, "preset": preset, "width": width, "format": image_format}
        return self._picture(f"v1/compositions/{part(composition_id)}/preview", query)
