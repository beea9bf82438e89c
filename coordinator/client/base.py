"""What every part of the client stands on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import httpx

from coordinator.client.http import Http, Patience
from shared.errors import ServiceError

PAGE: Final = 50
"""The most that the API gives at a time."""


class Base:
    """One part of what a client can ask for; all parts share one connection."""

    _http: Http

    def _all(self, path: str, field: str, **query: Any) -> Iterator[Any]:
        """Everything in a list that has cursors, page by page."""
        cursor = None
        while True:
            page = self._http.json("GET", path, query={**query, "cursor": cursor})
            yield from page[field]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def _picture(self, path: str, query: Mapping[str, Any] | None = None) -> bytes:
        """What is there once it has been made."""
        patience = Patience(self._http.patience_s)
        options: dict[str, Any] = {
            "params": {key: value for key, value in (query or {}).items() if value is not None}
        }
        while True:
            try:
                with self._http.opened("GET", path, **options) as response:
                    if response.status_code != httpx.codes.ACCEPTED:
                        return response.read()
                    path, options = response.headers["location"].removeprefix("/"), {}
            except httpx.TransportError as exc:
                if not patience.wait():
                    raise self._http.lost(exc) from exc
            except ServiceError as exc:
                if exc.facts.get("final") or not patience.wait(exc.facts.get("retry_after_s")):
                    raise
            else:
                if not patience.wait():
                    raise ServiceError("The picture is not there yet. Is the service busy?")
