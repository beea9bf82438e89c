"""Letting others see finished videos."""

from __future__ import annotations

from coordinator.client.base import PAGE, Base
from coordinator.client.models import Link
from coordinator.client.reading import part, read_answer


class Links(Base):
    """Links to exports."""

    def make_link(self, export_id: str, *, expires_in_s: int | None = None) -> Link:
        """Make a link to a finished video; its whole address is told this once.

        Args:
            export_id: The export.
            expires_in_s: How many seconds it works, 60 to 90 days; a week if None.

        Raises:
            ConflictError: The export is not completed, or has as many links as it may.
            NotFoundError: There is no such export, or its video has expired.
        """
        data = {} if expires_in_s is None else {"expires_in_s": expires_in_s}
        path = f"v1/exports/{part(export_id)}/links"
        made = read_answer(Link, self._http.json("POST", path, once=True, data=data))
        return made.model_copy(update={"url": made.url and self._http.address(made.url)})

    def list_links(self, export_id: str) -> tuple[Link, ...]:
        """The links to an export, newest first, without their addresses."""
        found, path = list[Link](), f"v1/exports/{part(export_id)}/links"
        while True:
            page = self._http.json("GET", path, query={"limit": PAGE, "offset": len(found)})
            found += (read_answer(Link, each) for each in page["links"])
            if not page["has_more"]:
                return tuple(found)

    def revoke_link(self, export_id: str, link_id: str) -> None:
        """Let a link lead nowhere from now on."""
        self._http.json("DELETE", f"v1/exports/{part(export_id)}/links/{part(link_id)}")
