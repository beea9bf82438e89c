"""Errors as RFC 9457 problems: one JSON shape, each with a code that does not change.

``detail`` is a sentence for people and may be worded anew; programs go by ``code``. Nothing of
the inside (addresses, folders, SQL) is told.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from shared.composition import message_of, true_findings
from shared.errors import (
    ConflictError,
    DatabaseError,
    InputError,
    MidifarmError,
    NotFoundError,
    QuotaError,
    StorageError,
    StorageFullError,
)

_log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
_CODES: Final = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "upload_stalled",
    409: "conflict",
    410: "gone",
    413: "too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    422: "invalid",
    429: "rate_limited",
    500: "internal",
    503: "unavailable",
    507: "storage_full",
}
_TITLES: Final = {
    413: "Content Too Large",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}
"""As RFC 9110 has them; Python's own words depend on its version."""
_LONGEST_LOGGED: Final = 200
_LINKS: Final = "/v1/links/"
"""What follows lets anybody see a video."""
_RETRY_S: Final = "2"
_BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})
_CLIENT_GONE: Final = 499
"""nginx's status for a client that went away; nobody receives it."""


class FieldFault(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(description="Its place: `composition.layers.0.image`; empty for the whole.")
    message: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """Why a request was not fulfilled (RFC 9457)."""

    type: str = Field(description="`urn:midifarm:problem:` and the code.")
    title: str = Field(description="The status in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What is wrong and what to do, for people.")
    code: str = Field(description="The same for programs; never changes.")
    errors: list[FieldFault] | None = Field(
        default=None, description="With `invalid`: every field that does not fit."
    )


class ApiError(Exception):
    """A problem that HTTP knows and the error tree does not."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """A problem with the status's own code where none is given."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.code = code
        self.headers = headers


def field_error(field: str, message: str) -> InputError:
    """The error for one field that does not fit."""
    return fields_error([FieldFault(field=field, message=message)])


def fields_error(faults: Sequence[FieldFault]) -> InputError:
    """The error for fields that do not fit."""
    return InputError(_summary(faults), errors=[fault.model_dump() for fault in faults])


def refused(detail: str, *, code: str = "unauthenticated") -> ApiError:
    """The problem of who shows no token that is valid, as RFC 6750 has it."""
    error = "" if code == "unauthenticated" else ', error="invalid_token"'
    headers = {"WWW-Authenticate": f'Bearer realm="midifarm"{error}'}
    return ApiError(401, detail, code=code, headers=headers)


def too_often(detail: str, wait_s: int) -> ApiError:
    """The problem of who is to come again later."""
    return ApiError(429, detail, code="rate_limited", headers={"Retry-After": str(wait_s)})


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems of a route, for OpenAPI."""
    return {
        status: {
            "description": _title(status),
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": _body(status, "A sentence for people.", _CODES[status]),
                }
            },
        }
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Answer every error of an application with a problem."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(MidifarmError, _midifarm_error)
    app.add_exception_handler(psycopg.DataError, _data_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _client_gone)
    app.add_exception_handler(Exception, _unexpected)


def problem(
    status: int,
    detail: str,
    *,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Mapping[str, str]] | None = None,
) -> Response:
    """A problem as a response."""
    body = _body(status, detail, code or _CODES.get(status, "error"))
    if errors is not None:
        body["errors"] = list(errors)
    return JSONResponse(body, status, dict(headers or {}), MEDIA_TYPE)


def _title(status: int) -> str:
    return _TITLES.get(status) or HTTPStatus(status).phrase


def _body(status: int, detail: str, code: str) -> dict[str, Any]:
    return {
        "type": f"urn:midifarm:problem:{code}",
        "title": _title(status),
        "status": status,
        "detail": detail,
        "code": code,
    }


async def _api_error(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, ApiError)  # noqa: S101  # registered for it
    return problem(exc.status, exc.detail, code=exc.code, headers=exc.headers)


async def _midifarm_error(request: Request, exc: Exception) -> Response:
    again = {"Retry-After": _RETRY_S}
    match exc:
        case NotFoundError():
            return problem(404, exc.message)
        case ConflictError():
            return problem(409, exc.message)
        case QuotaError():
            return problem(403, exc.message, code="quota_exceeded")
        case InputError():
            return problem(422, exc.message, errors=exc.facts.get("errors", []))
        case StorageFullError():
            _log.error("storage_full path=%s error=%s", _path(request), exc)
            return problem(507, "There is no room left in the object store; tell its operator.")
        case DatabaseError():
            _log.error("database_failed path=%s error=%s", _path(request), exc)
            return problem(
                503,
                "The database does not answer; try again in a few seconds.",
                code="database_unavailable",
                headers=again,
            )
        case StorageError():
            _log.error("storage_failed path=%s error=%s", _path(request), exc)
            return problem(
                503,
                "The object store does not answer; try again in a few seconds.",
                code="storage_unavailable",
                headers=again,
            )
    return await _unexpected(request, exc)


def _path(request: Request) -> str:
    """Where a request went, on one line of the log whatever is in it; without a link's token."""
    path = request.url.path
    return f"{_LINKS}…" if path.startswith(_LINKS) else quote(path)[:_LONGEST_LOGGED]


async def _data_error(_request: Request, _exc: Exception) -> Response:
    return problem(422, "The request holds characters or numbers that cannot be stored.", errors=[])


async def _validation_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)  # noqa: S101  # registered for it
    if request.method in _BODY_METHODS and isinstance(exc.body, bytes):
        return problem(415, "Send JSON, with the header Content-Type: application/json.")
    faults = [
        FieldFault(
            field=_place(finding["loc"], exc.body),
            message=message_of(finding),
        )
        for finding in true_findings(exc.errors())
    ]
    return problem(422, _summary(faults), errors=[fault.model_dump() for fault in faults])


def _summary(faults: Sequence[FieldFault]) -> str:
    first = "; ".join(
        f"{fault.field}: {fault.message}" if fault.field else fault.message for fault in faults[:3]
    )
    more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""
    return f"The request does not fit: {first}{more}."


def _place(location: Sequence[int | str], body: object) -> str:
    """Where a finding is, as whoever wrote the request sees it: ``layers.0.image``."""
    source, *parts = location
    if source != "body":
        return ".".join(map(str, parts)) or str(source)
    shown: list[str] = []
    inside: Any = body
    for part in parts:
        # Pydantic names the variant of a union as if it were a field.
        if isinstance(inside, dict) and part not in inside and part == inside.get("type"):
            continue
        shown.append(str(part))
        try:
            inside = inside[part]
        except (LookupError, TypeError):
            inside = None
    return ".".join(shown)


async def _http_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)  # noqa: S101  # registered for it
    details = {
        404: "There is nothing at this address.",
        405: "This address does not know that method.",
        408: "No byte of the request's body came for a while; send it again.",
        413: "The request's body is too large.",
    }
    headers = {"Allow": _allowed(request)} if exc.status_code == 405 else exc.headers
    return problem(exc.status_code, details.get(exc.status_code, str(exc.detail)), headers=headers)


def _allowed(request: Request) -> str:
    """The methods that an address knows: Starlette names those of its first route alone."""
    known: set[str] = set()
    for context in iter_route_contexts(request.app.routes):
        if context.methods and context.path_regex.match(request.url.path):
            known |= context.methods
    return ", ".join(sorted(known))


async def _client_gone(_request: Request, _exc: Exception) -> Response:
    return Response(status_code=_CLIENT_GONE)


async def _unexpected(request: Request, exc: Exception) -> Response:
    _log.error("request_failed path=%s", _path(request), exc_info=exc)
    return problem(500, "Something went wrong inside midifarm; its log says what.")
