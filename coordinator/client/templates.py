"""Branding with a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coordinator.client.base import PAGE, Base
from coordinator.client.models import Template
from coordinator.client.reading import part, read_answer


class Templates(Base):
    """Templates."""

    def templates(self) -> tuple[Template, ...]:
        """The built-in templates and the user's own."""
        found, own = list[Template](), 0
        while True:
            page = self._http.json("GET", "v1/templates", query={"limit": PAGE, "offset": own})
            if not own:
                found += (read_answer(Template, each) for each in page["built_in"])
            found += (read_answer(Template, each) for each in page["templates"])
            own += len(page["templates"])
            if not page["has_more"]:
                return tuple(found)

    def template(self, name: str) -> Template:
        """A template by its id, perhaps with a version: ``tpl_…@2``."""
        template_id, _, version = name.partition("@")
        query = {"version": version or None}
        return read_answer(
            Template, self._http.json("GET", f"v1/templates/{part(template_id)}", query=query)
        )

    def create_template(
        self, name: str, branding: Mapping[str, Any], *, description: str = ""
    ) -> Template:
        """Keep branding under a name.

        Args:
            name: What a person calls it.
            branding: Watermark and end card (camelCase); images by asset id or https address.
            description: What it is good for.
        """
        data = {"name": name, "description": description, "branding": branding}
        return read_answer(Template, self._http.json("POST", "v1/templates", once=True, data=data))

    def revise_template(
        self, template_id: str, name: str, branding: Mapping[str, Any], *, description: str = ""
    ) -> Template:
        """Give a template a new version."""
        data = {"name": name, "description": description, "branding": branding}
        path = f"v1/templates/{part(template_id)}"
        return read_answer(Template, self._http.json("PUT", path, data=data))

    def delete_template(self, template_id: str) -> None:
        """Delete a template; exports keep what it was."""
        self._http.json("DELETE", f"v1/templates/{part(template_id)}")
