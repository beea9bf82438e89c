"""Fetching images from addresses that users name.

Which addresses may be reached, coordinator.reaching says. Beside that: https alone; redirects are
followed by hand, with the same checks; and size and time have limits.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urljoin

import httpx

from coordinator.api.sniffing import HEAD_BYTES, fault
from coordinator.networks import Network
from coordinator.reaching import Reach, ReachError, Resolver, parse_target
from coordinator.texts import file_name
from shared.errors import InputError
from shared.intake import AssetKind

MOST_BYTES: Final = 20 * 1024 * 1024
"""An image for a video is smaller, also as a photograph in print quality."""
PATIENCE_S: Final = 10.0
"""Whoever submits an export waits for it."""
MOST_REDIRECTS: Final = 3
_AT_A_TIME: Final = 8
"""Each may hold MOST_BYTES in memory."""
_HEADERS: Final = {"Accept": "image/png, image/jpeg, image/webp, image/gif, */*;q=0.1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file that was fetched."""

    name: str
    """Its file name, as the address has it."""
    data: bytes
    """All of it."""
    sha256: str
    """Hash of its bytes."""


class FetchError(InputError):
    """An address leads to nothing that may be fetched and can be used; says why."""


class Fetcher:
    """Fetches images and fonts from the Internet, for all requests of one process."""

    def __init__(
        self,
        *,
        allowed: Sequence[Network] = (),
        resolve: Resolver | None = None,
        certificates: ssl.SSLContext | None = None,
        most_bytes: int = MOST_BYTES,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Prepare.

        Args:
            allowed: Networks that may be reached although they are not public.
            resolve: Finds the addresses of a name; the system without it.
            certificates: Whom to trust; the usual authorities without it.
            most_bytes: How large a file may be.
            patience_s: How long it may take, all in all.
        """
        self._reach = Reach(allowed=allowed, resolve=resolve, certificates=certificates)
        self._most_bytes = most_bytes
        self._patience_s = patience_s
        self._room = asyncio.Semaphore(_AT_A_TIME)

    async def fetch(self, url: str, kind: AssetKind) -> Fetched:
        """Fetch a file.

        Args:
            url: Where it is.
            kind: What it is to be; by its first bytes, whatever the server calls it.

        Raises:
            FetchError: It cannot be had, or is something else.
        """
        try:
            # Who waits behind slow addresses of others does not use up his own time.
            async with self._room, asyncio.timeout(self._patience_s):
                return await self._follow(url, kind)
        except TimeoutError:
            raise FetchError(
                f"it could not be fetched within {self._patience_s:g} s; upload it instead"
            ) from None
        except ReachError as exc:
            raise FetchError(exc.message) from exc

    async def _follow(self, url: str, kind: AssetKind) -> Fetched:
        async with self._reach.client(self._patience_s + 1) as client:  # ours comes first
            for _ in range(MOST_REDIRECTS + 1):
                target = parse_target(url, ("https",))
                response = await self._reach.send(client, "GET", target, headers=_HEADERS)
                try:
                    if response.is_redirect:
                        url = _joined(target, response.headers["location"])
                        continue
                    if response.status_code != httpx.codes.OK:
                        raise FetchError(f"its server answers {response.status_code}, not 200")
                    data = await self._read(response, kind)
                except httpx.HTTPError as exc:
                    raise FetchError("its server broke the connection off") from exc
                finally:
                    await response.aclose()
                name = file_name(unquote(target.path), kind)
                return Fetched(name=name, data=data, sha256=hashlib.sha256(data).hexdigest())
        raise FetchError(f"it redirects more than {MOST_REDIRECTS} times")

    async def _read(self, response: httpx.Response, kind: AssetKind) -> bytes:
        declared = response.headers.get("content-length", "")
        too_large = FetchError(f"it is larger than {self._most_bytes:,} bytes")
        if declared.isdecimal() and int(declared) > self._most_bytes:
            raise too_large
        data = bytearray()
        looked = False
        # Raw: an encoding that was not asked for is not unpacked, however small it looks.
        async for piece in response.aiter_raw():
            data += piece
            if len(data) > self._most_bytes:
                raise too_large
            if not looked and len(data) >= HEAD_BYTES:
                looked = True
                _look(data, kind)
        if not looked:
            _look(data, kind)
        return bytes(data)


def _joined(target: httpx.URL, location: str) -> str:
    """Where a redirect leads."""
    try:
        return urljoin(str(target), location)
    except ValueError as exc:
        raise FetchError("it redirects to what is no address") from exc


def _look(data: bytearray, kind: AssetKind) -> None:
    if not data:
        raise FetchError("there is an empty file")
    sentence = fault(bytes(data[:HEAD_BYTES]), kind)
    if sentence is not None:
        raise FetchError(f"{sentence[0].lower()}{sentence[1:].rstrip('.')}")
