"""Fetching images from addresses that users name, without being led astray.

A server that fetches what strangers name can be made to reach what only it can reach (OWASP,
"Server Side Request Forgery Prevention"). So: https alone; names are resolved by us, once for each
step; every address that a name has must be public; the connection goes to the address that was
checked, while TLS still asks for the name; redirects are followed by hand, with the same checks;
size and time have limits; and proxies of the environment are ignored, since they would resolve the
name once more.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urljoin

import httpx

from coordinator.api.sniffing import HEAD_BYTES, fault
from coordinator.networks import Address, Network, is_public
from coordinator.texts import file_name
from shared.errors import InputError
from shared.intake import AssetKind

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host name and a port; raises OSError where it has none."""

MOST_BYTES: Final = 20 * 1024 * 1024
"""An image for a video is smaller, also as a photograph in print quality."""
PATIENCE_S: Final = 10.0
"""Whoever submits an export waits for it."""
MOST_REDIRECTS: Final = 3
_AT_A_TIME: Final = 8
"""Each may hold MOST_BYTES in memory."""
_MOST_ADDRESSES: Final = 4
_NOT_PUBLIC: Final = "its host has no public address"
"""Said of names that do not exist too: who asks learns nothing of a network of ours."""


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


async def _resolve(host: str, port: int) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


class Fetcher:
    """Fetches images and fonts from the Internet, for all requests of one process."""

    def __init__(
        self,
        *,
        allowed: Sequence[Network] = (),
        resolve: Resolver = _resolve,
        certificates: ssl.SSLContext | None = None,
        most_bytes: int = MOST_BYTES,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Prepare.

        Args:
            allowed: Networks that may be reached although they are not public.
            resolve: Finds the addresses of a name.
            certificates: Whom to trust; the usual authorities without it.
            most_bytes: How large a file may be.
            patience_s: How long it may take, all in all.
        """
        self._allowed = tuple(allowed)
        self._resolve = resolve
        self._certificates = certificates
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

    async def _follow(self, url: str, kind: AssetKind) -> Fetched:
        if self._certificates is None:
            self._certificates = await asyncio.to_thread(httpx.create_ssl_context)
        async with httpx.AsyncClient(
            verify=self._certificates,
            trust_env=False,
            follow_redirects=False,
            timeout=self._patience_s + 1,  # ours comes first
        ) as client:
            for _ in range(MOST_REDIRECTS + 1):
                target = _parse(url)
                response = await self._request(client, target)
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

    async def _request(self, client: httpx.AsyncClient, target: httpx.URL) -> httpx.Response:
        """The beginning of an answer, from an address that was checked."""
        host = target.raw_host.decode("ascii")
        addresses = await self._addresses(host, target.port or 443)
        for last, address in enumerate(addresses, 1 - len(addresses)):
            request = client.build_request(
                "GET",
                target.copy_with(host=str(address)),
                headers={
                    "Host": target.netloc.decode("ascii"),
                    "Accept": "image/png, image/jpeg, image/webp, image/gif, */*;q=0.1",
                    "Accept-Encoding": "identity",
                    "User-Agent": "midifarm",
                },
                # TLS asks for the name, and the certificate must be the name's.
                extensions={"sni_hostname": host},
            )
            try:
                return await client.send(request, stream=True)
            except httpx.ConnectError as exc:
                if isinstance(_cause(exc), ssl.SSLError):
                    raise FetchError("its server has no valid certificate") from exc
                if not last:
                    raise FetchError("its server cannot be reached") from exc
            except httpx.HTTPError as exc:
                raise FetchError("its server does not speak HTTP as it should") from exc
        raise FetchError(_NOT_PUBLIC)

    async def _addresses(self, host: str, port: int) -> list[Address]:
        """Where a host is; refused if any of its addresses is one that nobody may reach."""
        try:
            texts = await self._resolve(host, port)
            found = [ipaddress.ip_address(text) for text in dict.fromkeys(texts)]
        except (OSError, UnicodeError, ValueError) as exc:
            raise FetchError(_NOT_PUBLIC) from exc
        if not found or not all(is_public(each) or self._may_reach(each) for each in found):
            raise FetchError(_NOT_PUBLIC)
        return found[:_MOST_ADDRESSES]

    def _may_reach(self, address: Address) -> bool:
        return any(address in network for network in self._allowed)

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


def _parse(url: str) -> httpx.URL:
    try:
        target = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as exc:
        raise FetchError("that is no address") from exc
    if target.scheme != "https":
        raise FetchError("only https addresses are fetched")
    if not target.host:
        raise FetchError("that address names no host")
    if target.port is not None and not 0 < target.port < 65536:
        raise FetchError("that is no address")
    if target.userinfo:
        raise FetchError("an address with a user name in it is not fetched")
    return target


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


def _cause(exc: BaseException) -> BaseException:
    while (below := exc.__cause__ or exc.__context__) is not None:
        exc = below
    return exc
