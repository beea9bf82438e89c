"""Watching videos being made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import httpx

from coordinator.client.base import Base
from coordinator.client.http import Patience
from coordinator.client.models import BatchEvent, ExportEvent
from coordinator.client.reading import ServerEvent, json_object, part, read_answer, read_events
from coordinator.newest import Newest
from shared.errors import ServiceError

_SILENCE_S: Final = 45.0
"""A server that has not even pinged an event stream for three of its pings is gone."""
_OF_EXPORTS: Final = frozenset({"status", "progress"})
"""Events that tell of an export."""


class Watching(Base):
    """Live progress. A connection that is cut is taken up where it broke."""

    def watch(self, export_id: str) -> Iterator[ExportEvent]:
        """What happens to an export, until it has ended; nothing is told twice.

        Raises:
            NotFoundError: There is no such export.
            ServiceError: The server stays away.
        """
        for told in self._told(f"v1/exports/{part(export_id)}/events", export_id):
            event = _of_export(told)
            yield event
            if event.ended:
                return

    def watch_batch(self, batch_id: str) -> Iterator[ExportEvent | BatchEvent]:
        """What happens to a batch, of its exports and of the whole, until all have ended.

        The last is a BatchEvent that has ``ended``. Of an export, nothing is told that is older
        than what was told.

        Raises:
            NotFoundError: There is no such batch.
            ServiceError: The server stays away.
        """
        newest = Newest()
        for told in self._told(f"v1/batches/{part(batch_id)}/events", batch_id):
            if told.name == "batch":
                state = read_answer(BatchEvent, {"event_id": told.id, **json_object(told.data)})
                yield state
                if state.ended:
                    return
            else:
                yield from _news(told, newest)

    def watch_all(self) -> Iterator[ExportEvent]:
        """What happens to all the user's exports, for as long as one listens.

        It begins with those that are being made. Of an export, nothing is told that is older than
        what was told.

        Raises:
            ServiceError: The server stays away.
        """
        newest = Newest()
        for told in self._told("v1/events", "your exports"):
            yield from _news(told, newest)

    def _told(self, path: str, what: str) -> Iterator[ServerEvent]:
        """A stream's events, over as many connections as it takes."""
        last = ""
        patience = Patience(self._http.patience_s)
        while True:
            headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
            try:
                with self._http.opened(
                    "GET", path, headers=headers, timeout=httpx.Timeout(_SILENCE_S, connect=5.0)
                ) as response:
                    if response.status_code == httpx.codes.NO_CONTENT:
                        return
                    for told in read_events(_signs(response.iter_lines(), patience)):
                        last = told.id or last
                        yield told
            except httpx.TransportError as exc:
                if not patience.wait():
                    raise self._http.lost(exc) from exc
            except ServiceError as exc:
                if exc.facts.get("final") or not patience.wait(exc.facts.get("retry_after_s")):
                    raise
            else:
                if not patience.wait():
                    raise ServiceError(f"The server stopped telling about {what}. Try again.")


def _signs(lines: Iterator[str], patience: Patience) -> Iterator[str]:
    """The lines of a stream; patience begins anew with each event, and with each ping."""
    for line in lines:
        if line.startswith(("data:", ":")):
            patience.renew()
        yield line


def _news(told: ServerEvent, newest: Newest) -> Iterator[ExportEvent]:
    """What an event tells of an export, if it does and is no older than what was told."""
    if told.name in _OF_EXPORTS and told.id.isdecimal():
        event = _of_export(told)
        if newest.take(event.id, int(event.event_id)):
            yield event


def _of_export(told: ServerEvent) -> ExportEvent:
    return read_answer(ExportEvent, {"event_id": told.id, **json_object(told.data)})
