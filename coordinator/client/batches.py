"""Many exports in one call."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from coordinator.client.base import PAGE, Base
from coordinator.client.models import Batch, Result
from coordinator.client.reading import part, read_answer
from shared.states import ExportStatus


class Batches(Base):
    """Batches."""

    def create_batch(
        self, name: str, items: Sequence[Mapping[str, Any]], *, key: str | None = None, **said: Any
    ) -> Batch:
        """Queue many exports: all of them, or none.

        Args:
            name: What to call it.
            items: Each with its ``composition_id``, and what else ``POST /v1/batches`` takes.
            key: The Idempotency-Key: the same request under the same key is the same batch, also
                from another process. A new one without it.
            said: What holds for every item: ``presets``, ``template``, ``webhook``, …
        """
        told = {field: value for field, value in said.items() if value is not None}
        data = {"name": name, "items": list(items), **told}
        return read_answer(
            Batch, self._http.json("POST", "v1/batches", once=key or True, data=data)
        )

    def batch(self, batch_id: str) -> Batch:
        """How a batch stands."""
        return read_answer(Batch, self._http.json("GET", f"v1/batches/{part(batch_id)}"))

    def batches(self) -> Iterator[Batch]:
        """The user's batches, newest first; pages are asked for as they are needed."""
        for plain in self._all("v1/batches", "batches", limit=PAGE):
            yield read_answer(Batch, plain)

    def cancel_batch(self, batch_id: str) -> Batch:
        """Cancel whatever of a batch has not ended."""
        path = f"v1/batches/{part(batch_id)}/cancel"
        return read_answer(Batch, self._http.json("POST", path, again=True)["batch"])

    def retry_batch(
        self, batch_id: str, statuses: Collection[ExportStatus] = (ExportStatus.FAILED,)
    ) -> Batch:
        """Try those exports of a batch again that stand in certain ways."""
        path = f"v1/batches/{part(batch_id)}/retry"
        data = {"statuses": [str(each) for each in statuses]}
        return read_answer(Batch, self._http.json("POST", path, once=True, data=data)["batch"])

    def manifest(self, batch_id: str) -> tuple[Result, ...]:
        """What came of every export of a batch, in the order of the request."""
        found = self._http.json("GET", f"v1/batches/{part(batch_id)}/manifest")
        return tuple(read_answer(Result, each) for each in found["results"])
