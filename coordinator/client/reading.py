"""Reading what a server sends, and what is sent to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from coordinator.client.models import Export
from shared.errors import InputError, ServiceError

A = TypeVar("A", bound=BaseModel)

OnBytes = Callable[[int, int | None], None]
"""Told how many bytes have been moved, and of how many if that is known."""

PIECE_BYTES: Final = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEvent:
    """One server-sent event."""

    id: str
    """Where the stream is resumed; empty at its beginning."""
    name: str
    """What kind it is."""
    data: str
    """What it tells."""


def part(text: str) -> str:
    """An id as a part of a path, whatever is in it."""
    if not text or text.strip(".") == "":
        raise InputError(f"{text!r} is no id.")
    return quote(text, safe="")


def json_object(text: str) -> dict[str, Any]:
    """An event's data. Raises ServiceError."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ServiceError("The server told something that is no event.", final=True)
    return found


def read_answer(model: type[A], plain: Any) -> A:
    """What the server answered, as a model. Raises ServiceError."""
    try:
        return model.model_validate(plain)
    except ValidationError as exc:
        fields = ", ".join(".".join(map(str, each["loc"])) for each in exc.errors())
        raise ServiceError(
            f"The server's answer is not understood ({model.__name__}: {fields}). It may be of "
            "another version than this client.",
            final=True,
        ) from exc


def pieces(file: BinaryIO, size_bytes: int, on_bytes: OnBytes | None) -> Iterator[bytes]:
    """A file in pieces."""
    while piece := file.read(PIECE_BYTES):
        yield piece
        if on_bytes is not None:
            on_bytes(file.tell(), size_bytes)


def read_events(lines: Iterator[str]) -> Iterator[ServerEvent]:
    """The events of a stream (HTML, section 9.2.6)."""
    event_id, event_name, data = "", "", list[str]()
    for line in lines:
        if not line:
            if data:
                yield ServerEvent(id=event_id, name=event_name, data="\n".join(data))
            event_name, data = "", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id":
            event_id = value
        elif name == "event":
            event_name = value
        elif name == "data":
            data.append(value)


def verify(target: BinaryIO, export: Export) -> None:
    """Compare what arrived with what the server told of the export."""
    size_bytes = target.tell()
    wrong = export.file_size is not None and size_bytes != export.file_size
    if not wrong and export.sha256 is not None:
        target.seek(0)
        digest = hashlib.sha256()
        while piece := target.read(PIECE_BYTES):
            digest.update(piece)
        wrong = digest.hexdigest() != export.sha256
    if wrong:
        raise ServiceError(
            f"What arrived is not the video of {export.id}; nothing was kept. Try again.",
            export=export.id,
        )
