"""Live progress of one export, of a batch, and of everything of a user's, as messages.

However they travel: server-sent events (``watching``) and WebSockets (``sockets``) carry the same
messages. A stream begins with what the client has missed or with how things stand, goes on live,
and ends with what it tells of; a user's never does.

Ids of one export rise in the order of its changes, so a client's place in its stream is one
number, and nothing comes twice. Across exports, an event may turn up below one that was told
already. Who resumes a batch's or a user's stream therefore gets once more the changes of state of
the last minutes before its place: everything at least once, each export's in order.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from coordinator.api.services import Services
from coordinator.database import Row, batches, events, exports
from coordinator.database.events import Event, Topic
from coordinator.newest import Newest
from shared.errors import DatabaseError

_log = logging.getLogger(__name__)

_PAGE: Final = 500
_AGAIN_S: Final = 0.5
_PLACE: Final = re.compile(r"(\d{1,18})(-end)?", re.ASCII)
_EXPORT: Final = (
    "id", "name", "batch_id", "status", "stage", "progress", "reason", "frames_done", "frames",
    "fps", "eta_s", "chunks_done", "chunks", "error_message", "updated_at",
)  # fmt: skip
"""What tell_export() tells."""
_BATCH: Final = (
    "id", "name", "created_at", "total", "counts", "progress", "ended", "updated_at",
)  # fmt: skip
_JSON: Final = TypeAdapter(dict[str, Any])


class NothingToCome(Exception):  # noqa: N818  # no error: the client is told to stop
    """The client has seen the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a client is told."""

    id: str | None
    """What it resumes with."""
    event: Literal["status", "progress", "batch", "ready"]
    """What kind of news it is."""
    data: str
    """JSON."""


Messages = AsyncGenerator[Message, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a client resumes."""

    after: int
    """The last event that it has."""
    has_end: bool
    """Whether it was told that the batch has ended."""


def read_place(text: str | None) -> Place | None:
    """The id of a message that a client sends; None where it is none of ours."""
    found = _PLACE.fullmatch((text or "").strip())
    return found and Place(after=int(found[1]), has_end=found[2] is not None)


async def open_export(
    services: Services, user_id: str, export_id: str, place: Place | None
) -> Messages:
    """The stream of one export of a user's.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
        NothingToCome: The client has its end already.
    """
    async with services.database.transaction() as connection:
        row = await exports.get_export(connection, user_id, export_id)
        latest = await events.latest_event(connection, export_id)
    after = None if place is None else place.after
    if after is not None and (latest is None or after > latest.id):
        after = None  # not from this database
    elif latest is not None and latest.ended and after == latest.id:
        raise NothingToCome
    return _follow_export(services, row, after)


async def open_batch(
    services: Services, user_id: str, batch_id: str, place: Place | None
) -> Messages:
    """The stream of a batch of a user's: of its exports, and of the whole.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
        NothingToCome: The client has its end already.
    """
    topic = Topic("batch", batch_id)
    async with services.database.transaction() as connection:
        state = await batches.batch_state(connection, user_id, batch_id)
        latest = await events.latest_id(connection, topic)
    if place is not None and place.has_end and state["ended"] and place.after == latest:
        raise NothingToCome
    return _follow_many(services, topic, _after(place, latest), user_id, state)


async def open_user(services: Services, user_id: str, place: Place | None) -> Messages:
    """The stream of all exports of a user's; it does not end."""
    topic = Topic("user", user_id)
    async with services.database.transaction() as connection:
        latest = await events.latest_id(connection, topic)
    return _follow_many(services, topic, _after(place, latest), user_id, None)


def _after(place: Place | None, latest: int) -> int | None:
    """The last event that a client has; None where it is not from this database."""
    return place.after if place is not None and place.after <= latest else None


async def _follow_export(services: Services, row: Row, position: int | None) -> Messages:
    with services.hub.subscribe(Topic("export", row["id"])) as subscription:
        subscription.make_stale()  # begins with what the database has
        while True:
            delivery = await subscription.receive()
            if delivery.over:
                return
            news, whole = list(delivery.events), True
            if delivery.stale:
                try:
                    news, whole = await _read_export(services, row["id"], position)
                except DatabaseError as exc:
                    _log.warning("watch_unread export=%s error=%s", row["id"], exc)
                    await asyncio.sleep(_AGAIN_S)
                    whole = False
                if whole and position is None and not news:
                    position = 0
                    yield Message(id=None, event="status", data=_json(row, _EXPORT))
            if not whole:
                subscription.make_stale()
            ended = False
            for event in news:
                if position is None or event.id > position:
                    position, ended = event.id, event.ended
                    yield _of_export(event)
            # An export that was retried goes on after an end.
            if ended and whole:
                return


async def _read_export(
    services: Services, export_id: str, position: int | None
) -> tuple[list[Event], bool]:
    """What the database has for a client, and whether that is all of it."""
    async with services.database.transaction() as connection:
        if position is None:
            latest = await events.latest_event(connection, export_id)
            return [latest] if latest is not None else [], True
        found = await events.export_events_after(connection, export_id, position, limit=_PAGE)
    return found, len(found) < _PAGE


class _Told:
    """What one client was told of many exports."""

    def __init__(self, position: int | None) -> None:
        self.position = position
        """The latest event that it has; None until it knows how things stand."""
        self._newest = Newest()

    def news(self, found: Sequence[Event]) -> list[Event]:
        """Those of some events that are to be told now.

        Of the progress of one export that waits, only the last is: who is slow gets less of it.
        """
        last = {event.export_id: event.id for event in found}
        news = [
            event
            for event in found
            if (not event.passing or event.id == last[event.export_id])
            and self._newest.take(event.export_id, event.id)
        ]
        if news and self.position is not None:
            self.position = max(self.position, *(event.id for event in news))
        return news


async def _follow_many(
    services: Services, topic: Topic, position: int | None, user_id: str, state: Row | None
) -> Messages:
    told, shown, is_ready = _Told(position), None, False
    with services.hub.subscribe(topic) as subscription:
        subscription.make_stale()
        while True:
            delivery = await subscription.receive()
            if delivery.over:
                return
            if delivery.state is not None:
                state = delivery.state
            for event in told.news(delivery.events):
                yield _of_export(event)
            # Its end was found in the database, perhaps before the last events came this way.
            has_ended = state is not None and state["ended"]
            if delivery.stale or has_ended:
                try:
                    async for page in _missed(services, topic, told):
                        for event in told.news(page):
                            yield _of_export(event)
                except DatabaseError as exc:
                    _log.warning("watch_unread %s=%s error=%s", topic.kind, topic.id, exc)
                    await asyncio.sleep(_AGAIN_S)
                    subscription.make_stale()
                    continue
                if topic.kind == "batch":
                    services.hub.look_at_batch(user_id, topic.id)
            if state is not None and _is_news(state, shown):
                yield _of_batch(state, told.position)
                shown = state
            if has_ended:
                return
            if topic.kind == "user" and not is_ready:
                is_ready = True
                yield Message(id=str(told.position), event="ready", data="{}")
            await asyncio.sleep(services.limits.watch_pace_s)


async def _missed(services: Services, topic: Topic, told: _Told) -> AsyncIterator[list[Event]]:
    """What the database has for a client, page by page."""
    if told.position is None:
        async with services.database.transaction() as connection:
            latest = await events.latest_id(connection, topic)
            page = await events.events_under_way(
                connection, topic, limit=services.limits.watch_under_way
            )
        yield page
        told.position = max([latest, *(event.id for event in page)])
        return
    position = told.position
    async with services.database.transaction() as connection:
        after = await events.settled_id(connection, topic, position)
    while True:
        async with services.database.transaction() as connection:
            page = await events.events_after(
                connection, topic, after, position=position, limit=_PAGE
            )
        yield page
        if len(page) < _PAGE:
            return
        after = page[-1].id


def _is_news(state: Row, shown: Row | None) -> bool:
    """Whether a batch stands otherwise than the client was told; an older state is none."""
    if shown is None:
        return True
    is_other = {**state, "updated_at": None} != {**shown, "updated_at": None}
    return is_other and bool(state["updated_at"] > shown["updated_at"])


def _of_export(event: Event) -> Message:
    return Message(
        id=str(event.id), event="progress" if event.passing else "status", data=event.data
    )


def _of_batch(state: Row, position: int | None) -> Message:
    place = f"{position}-end" if state["ended"] else str(position)
    return Message(id=place, event="batch", data=_json(state, _BATCH))


def _json(row: Row, fields: Sequence[str]) -> str:
    plain = _JSON.dump_python({name: row[name] for name in fields}, mode="json")
    return json.dumps(plain, ensure_ascii=False)
