"""Creating at most once: the header Idempotency-Key.

A client that has lost the answer sends the request again under the same key, and gets what the
first one got. The key is taken in the transaction that creates, so nothing is created without it
and nothing is noted that was not created; who comes at the same time waits for the first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, FastAPI, Header, Request, Response
from pydantic import BaseModel
from starlette.responses import JSONResponse

from coordinator.api.auth import By
from coordinator.api.problems import ApiError
from coordinator.api.services import Parts, Services
from coordinator.database import Connection, idempotency
from coordinator.database.idempotency import Answer

M = TypeVar("M", bound=BaseModel)

REPLAYED: Final = "Idempotency-Replayed"
"""A header of answers that were given before."""


class AnsweredBefore(Exception):  # noqa: N818  # no error: the answer is there
    """The same request was fulfilled before."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def install(app: FastAPI) -> None:
    """Answer again what was answered before."""

    async def answer(_request: Request, exc: Exception) -> Response:
        assert isinstance(exc, AnsweredBefore)  # noqa: S101  # registered for it
        headers = {REPLAYED: "true", "Cache-Control": "no-store"}
        return JSONResponse(exc.answer.body, exc.answer.status, headers)

    app.add_exception_handler(AnsweredBefore, answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnceOnly:
    """A request that is to be fulfilled once."""

    services: Services
    user_id: str
    key: str | None
    request_hash: bytes
    status: int

    async def run(
        self, make: Callable[[Connection], Awaitable[M]], *, hidden: Collection[str] = ()
    ) -> M:
        """Create in a transaction of its own.

        Args:
            make: Creates; the answer.
            hidden: Fields of the answer that are null when it is given again.

        Raises:
            AnsweredBefore: It was created before.
            ApiError: The key was used for another request.
        """
        async with self.services.database.transaction() as connection:
            if self.key is None:
                return await make(connection)
            if await idempotency.begin(connection, self.user_id, self.key, self.request_hash):
                made = await make(connection)
                body: dict[str, Any] = made.model_dump(mode="json", by_alias=True)
                body |= dict.fromkeys(hidden)
                await idempotency.keep(connection, self.user_id, self.key, self.status, body)
                return made
        await self.replay()
        raise ApiError(503, "The same request was just given up; send it again.")

    async def replay(self) -> None:
        """Answer again, if it was answered before: ahead of work that `run` does not cover.

        Raises:
            AnsweredBefore: It was.
            ApiError: The key was used for another request.
        """
        if self.key is None:
            return
        async with self.services.database.reading() as connection:
            answer = await idempotency.answered(connection, self.user_id, self.key)
        if answer is None:
            return
        if answer.request_hash != self.request_hash:
            raise ApiError(
                422,
                "This Idempotency-Key was used for another request; every request needs one of "
                "its own.",
                code="idempotency_key_reused",
            )
        raise AnsweredBefore(answer)


async def _once(
    request: Request,
    caller: By,
    services: Parts,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=200,
            pattern=r"^[!-~]([ -~]*[!-~])?$",
            description="Any text of your own, such as a UUID: the same request under the same "
            "key is fulfilled once, and answered alike for three days.",
        ),
    ] = None,
) -> OnceOnly:
    told = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    once = OnceOnly(
        services=services,
        user_id=caller.user_id,
        key=idempotency_key,
        request_hash=hashlib.sha256(told + await request.body()).digest(),
        status=request.scope["route"].status_code or 200,
    )
    await once.replay()
    return once


Once = Annotated[OnceOnly, Depends(_once)]
"""A route's parameter: creates at most once."""
