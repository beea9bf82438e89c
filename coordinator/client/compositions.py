"""What is drawn and heard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from coordinator.client.base import PAGE, Base
from coordinator.client.models import Composition
from coordinator.client.reading import part, read_answer


class Compositions(Base):
    """Compositions."""

    def create_composition(
        self, name: str, *, key: str | None = None, **document: Any
    ) -> Composition:
        """Put together what is drawn and heard.

        Args:
            name: What a person calls it.
            key: The Idempotency-Key: the same request under the same key is the same composition.
                A new one without it.
            document: The other fields that ``POST /v1/compositions`` takes.
        """
        data = _document(name, document)
        return read_answer(
            Composition, self._http.json("POST", "v1/compositions", once=key or True, data=data)
        )

    def composition(self, composition_id: str, *, revision: int | None = None) -> Composition:
        """A composition with its document, in its newest revision or another."""
        path = f"v1/compositions/{part(composition_id)}"
        return read_answer(Composition, self._http.json("GET", path, query={"revision": revision}))

    def compositions(self) -> Iterator[Composition]:
        """The user's compositions without their documents, the last changed first."""
        seen = 0
        while True:
            query = {"limit": PAGE, "offset": seen}
            page = self._http.json("GET", "v1/compositions", query=query)
            for plain in page["compositions"]:
                yield read_answer(Composition, plain)
            seen += len(page["compositions"])
            if not page["has_more"]:
                return

    def revise_composition(self, composition_id: str, name: str, **document: Any) -> Composition:
        """Give a composition a new revision; exports keep theirs. An equal one changes nothing.

        Args:
            composition_id: Which.
            name: What a person calls it.
            document: All of its other fields, as ``PUT /v1/compositions/…`` takes them.
        """
        path = f"v1/compositions/{part(composition_id)}"
        data = _document(name, document)
        return read_answer(Composition, self._http.json("PUT", path, data=data))

    def delete_composition(self, composition_id: str) -> None:
        """Delete a composition; its exports stay, and can be made again."""
        self._http.json("DELETE", f"v1/compositions/{part(composition_id)}")


def _document(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name} | {field: said for field, said in fields.items() if said is not None}
