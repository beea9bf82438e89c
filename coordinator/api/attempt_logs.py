"""``/v1/farm/attempts/{id}/log``: what was said in an attempt."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal

from anyio import to_thread
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from coordinator.api.auth import ByOperator
from coordinator.api.problems import ApiError, documented
from coordinator.api.services import Parts
from coordinator.database import outcomes
from shared.errors import NotFoundError, ObjectNotFoundError, StorageError
from shared.keys import log_key

router: Final = APIRouter(prefix="/farm", tags=["farm"], responses=documented(401, 403, 422, 503))

Form = Annotated[
    Literal["text", "jsonl"],
    Query(alias="format", description="For people, or a JSON object a line, as it was kept."),
]
_TYPES: Final = {"text": "text/plain; charset=utf-8", "jsonl": "application/jsonl"}
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "All of it, or its first and last 256 kB; where its process was ended, the "
        "last words that others have of it, 16 kB at most.",
        "content": {"text/plain": {}, "application/jsonl": {}},
        "headers": {
            "Log-Source": {
                "description": "`worker`, or `last-words` where the worker could keep none.",
                "schema": {"type": "string", "enum": ["worker", "last-words"]},
            }
        },
    }
}


@router.get(
    "/attempts/{attempt_id}/log",
    response_class=Response,
    responses=_ANSWER | documented(404),
)
async def get_attempt_log(
    attempt_id: Annotated[int, Path(ge=1, le=2**63 - 1, description="Number of the attempt.")],
    caller: ByOperator,  # noqa: ARG001
    services: Parts,
    form: Form = "text",
) -> Response:
    """What was said in an attempt that has ended: what its worker logged and libraries printed."""
    try:
        kept = await to_thread.run_sync(services.store.get_bytes, log_key(attempt_id))
    except StorageError as exc:
        words = await _last_words(services, attempt_id, exc)
        text = json.dumps({"message": words}) + "\n" if form == "jsonl" else words
        source = "last-words"
    else:
        lines = kept.decode(errors="replace")
        text = lines if form == "jsonl" else "".join(map(_for_people, lines.splitlines()))
        source = "worker"
    return Response(text, 200, {**_HEADERS, "Log-Source": source}, _TYPES[form])


async def _last_words(services: Parts, attempt_id: int, exc: StorageError) -> str:
    """What the table has of an attempt whose log is not in the store."""
    try:
        async with services.database.reading() as connection:
            words = await outcomes.get_log(connection, attempt_id)
    except NotFoundError:
        if isinstance(exc, ObjectNotFoundError):
            raise
        raise exc from None
    if words is not None:
        return words
    if not isinstance(exc, ObjectNotFoundError):
        raise exc
    raise ApiError(
        404,
        f"There is no log of the attempt {attempt_id}: it is under way, never began, or its "
        "process was ended.",
        code="no_log",
    )


def _for_people(line: str) -> str:
    """A line of a log: when, how bad, who, what, and the traceback below."""
    try:
        told = json.loads(line)
        head = " ".join(str(told[name]) for name in ("at", "level", "logger") if name in told)
        return "\n".join(filter(None, (f"{head} {told['message']}", told.get("exception")))) + "\n"
    except (ValueError, TypeError, KeyError):
        return line + "\n"
