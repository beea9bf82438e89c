"""Requests to a midifarm server: the token, trying again, and what errors mean."""

from __future__ import annotations

import json
import random
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import httpx

from shared.errors import (
    AccessError,
    ConflictError,
    InputError,
    MidifarmError,
    NotFoundError,
    ServiceError,
    StorageFullError,
)

_PASSING: Final = frozenset({408, 429, 502, 503, 504})
"""What a proxy answers, an API that is being restarted, or one that is asked too much."""
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0
_MOST_REDIRECTS: Final = 5
_TOLD_CHARACTERS: Final = 2000
_TOKEN: Final = re.compile(r"[!-~]+")
"""What a header can carry and a token may hold: ASCII without spaces."""


class Patience:
    """Pauses between tries, ever longer, until the time is up."""

    def __init__(self, limit_s: float) -> None:
        """Begin to be patient for ``limit_s`` seconds."""
        self._limit_s = limit_s
        self.renew()

    def renew(self) -> None:
        """Begin anew, since something went well."""
        self._pause_s = _FIRST_PAUSE_S
        self._until_s = time.monotonic() + self._limit_s

    def wait(self, asked_s: float | None = None) -> bool:
        """Pause, at least as long as the server asks; False at once when the time is up."""
        # Many clients that lost the same server must not all come back in the same moment.
        pause_s = max(self._pause_s * random.uniform(0.5, 1.0), asked_s or 0.0)  # noqa: S311
        if time.monotonic() + pause_s > self._until_s:
            return False
        time.sleep(pause_s)
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        return True


class Http:
    """A connection to one server; a context manager."""

    def __init__(self, url: str, token: str, *, patience_s: float) -> None:
        """Prepare; nothing is asked yet.

        Raises:
            InputError: The address is none, or the token cannot be one.
        """
        if not _TOKEN.fullmatch(token):
            raise AccessError(
                "The token holds characters that no token has. Give the one that `midifarm serve` "
                "or `midifarm keys create` printed with --token or MIDIFARM_TOKEN."
            )
        self.patience_s = patience_s
        self._url = url.rstrip("/") + "/"
        self._token = token
        try:
            self._client = httpx.Client(
                timeout=httpx.Timeout(30.0, connect=5.0), follow_redirects=False
            )
            self._origin = _origin(self._url)
        except ValueError as exc:
            raise InputError(f"{url!r} is no address of a server: {exc}.") from exc

    def close(self) -> None:
        """Close the connections; a second time does no harm."""
        self._client.close()

    def address(self, path: str) -> str:
        """The whole address of a path on the server, as its answers tell it."""
        return urljoin(self._url, path.removeprefix("/"))

    def json(
        self,
        method: str,
        path: str,
        *,
        again: bool | None = None,
        body: Callable[[], Any] | None = None,
        data: Any = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        once: bool | str = False,
    ) -> Any:
        """What the server answers, read from JSON; None for an empty answer.

        Args:
            method: GET, POST, …
            path: Below the server's address, without a slash in front.
            again: Whether the request may be made twice without harm; None goes by the method.
            body: Makes what is sent, once for each try.
            data: What is sent as JSON instead.
            query: Parameters; None leaves one out.
            headers: Sent beside our own.
            once: Whether the server is to fulfil it once, however often it arrives, so that it
                can be made again; a text is its Idempotency-Key.

        Raises:
            MidifarmError: See opened().
        """
        harmless = bool(once) or (method in ("GET", "PUT", "DELETE") if again is None else again)
        if once:
            key = once if isinstance(once, str) else uuid.uuid4().hex
            headers = {**(headers or {}), "Idempotency-Key": key}
        patience = Patience(self.patience_s)
        while True:
            try:
                with self.opened(
                    method,
                    path,
                    params={k: v for k, v in (query or {}).items() if v is not None},
                    content=body() if body is not None else None,
                    json=data,
                    headers=headers,
                ) as response:
                    text = response.read()
                    return json.loads(text) if text else None
            except ServiceError as exc:
                # A request that never left, or came too early, can be made again whatever it does.
                if not (harmless or exc.facts.get("unsent")) or exc.facts.get("final"):
                    raise
                if not patience.wait(exc.facts.get("retry_after_s")):
                    raise
            except httpx.TransportError as exc:
                raise self.lost(exc) from exc
            except ValueError as exc:
                raise ServiceError(
                    f"What answers at {self._url} is no midifarm server: its answer is no JSON.",
                    final=True,
                ) from exc

    @contextmanager
    def opened(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any
    ) -> Iterator[httpx.Response]:
        """One request's answer, its body still to be read; redirects are followed.

        The token goes to our server alone, never to where it redirects to.

        Raises:
            InputError: The server refuses what was asked for; NotFoundError, ConflictError,
                AccessError where that is the reason.
            ServiceError: The server failed, or cannot be reached.
        """
        url = urljoin(self._url, path)
        for _ in range(_MOST_REDIRECTS):
            told = dict(headers or {})
            if _origin(url) == self._origin:
                told["Authorization"] = f"Bearer {self._token}"
            request = self._client.build_request(method, url, headers=told, **options)
            try:
                response = self._client.send(request, stream=True)
            except httpx.TransportError as exc:
                raise self.lost(exc) from exc
            except (httpx.InvalidURL, UnicodeError) as exc:
                raise InputError(f"{self._url} is no address of a server: {exc}.") from exc
            try:
                if response.is_redirect:
                    url = urljoin(url, response.headers["location"])
                    options = {}  # the link has its parameters in itself
                    continue
                if not response.is_success:
                    raise self._refusal(response)
                yield response
                return
            finally:
                response.close()
        raise ServiceError(f"The server at {self._url} redirects in a circle.", final=True)

    def lost(self, exc: httpx.TransportError) -> ServiceError:
        """What it means that a connection failed, or was cut."""
        if isinstance(exc, httpx.ConnectError | httpx.ConnectTimeout):
            return ServiceError(
                f"No server answers at {self._url.rstrip('/')}. Start one with `midifarm serve`, "
                "or name yours with --url or MIDIFARM_URL.",
                unsent=True,
            )
        if isinstance(exc, httpx.UnsupportedProtocol):
            return ServiceError(f"{self._url} is no address of a server.", final=True)
        what = "did not answer in time" if isinstance(exc, httpx.TimeoutException) else "hung up"
        return ServiceError(f"The server at {self._url.rstrip('/')} {what}. Try again.")

    def _refusal(self, response: httpx.Response) -> MidifarmError:
        status = response.status_code
        try:
            text = response.read()
            problem = json.loads(text)
            detail = str(problem.get("detail") or problem.get("title") or "")
        except (httpx.TransportError, ValueError, AttributeError):
            detail = ""
        detail = detail[:_TOLD_CHARACTERS].strip()
        host = urlsplit(str(response.url)).netloc
        said = detail or f"{host} answers {status} {response.reason_phrase}".rstrip() + "."
        if status == 401:
            return AccessError(
                f"{said} Give a token that is valid with --token or MIDIFARM_TOKEN; "
                "`midifarm serve` prints one.",
                status=status,
            )
        kinds: dict[int, type[MidifarmError]] = {
            403: AccessError,
            404: NotFoundError,
            409: ConflictError,
            410: NotFoundError,
            507: StorageFullError,
        }
        if status in kinds:
            return kinds[status](said, status=status)
        if status in _PASSING:
            return ServiceError(
                said,
                status=status,
                retry_after_s=_retry_after(response),
                unsent=status == httpx.codes.TOO_MANY_REQUESTS,
            )
        if status >= 500:
            return ServiceError(said, status=status, final=True)
        return InputError(said, status=status)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _retry_after(response: httpx.Response) -> float | None:
    text: str = response.headers.get("retry-after", "")
    return float(text) if text.isdecimal() else None
