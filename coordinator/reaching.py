"""Reaching servers that users name, without being led astray.

A server that connects to what strangers name can be made to reach what only it can reach (OWASP,
"Server Side Request Forgery Prevention"). So: names are resolved by us, once for each request;
every address that a name has must be public, or in a network that the operator allowed; plain http
goes to those networks alone; the connection goes to the address that was checked, while TLS still
asks for the name; nothing is redirected; and proxies of the environment are ignored, since they
would resolve the name once more.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final

import httpx

from coordinator.networks import Address, Network, is_public
from shared.errors import InputError

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host name and a port; raises OSError where it has none."""

_MOST_ADDRESSES: Final = 4
_NOT_PUBLIC: Final = "its host has no public address"
"""Said of names that do not exist too: who asks learns nothing of a network of ours."""
_NOT_ALLOWED: Final = "plain http goes only to networks that the operator has allowed; use https"
_THREADS: Final = 32


class ReachError(InputError):
    """An address leads to nothing that may be reached, or to nobody who answers; says why."""


class SystemNames:
    """The names that this system knows.

    In threads of its own: names whose servers keep silent must not keep others waiting who need
    a thread, nor the end of the process.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="names")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a name."""
        ask = functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return [str(each[4][0]) for each in found]


class Reach:
    """What one process may reach on behalf of users."""

    def __init__(
        self,
        *,
        allowed: Sequence[Network] = (),
        resolve: Resolver | None = None,
        certificates: ssl.SSLContext | None = None,
    ) -> None:
        """Prepare.

        Args:
            allowed: Networks that may be reached although they are not public.
            resolve: Finds the addresses of a name; the system without it.
            certificates: Whom to trust; the usual authorities without it.
        """
        self._allowed = tuple(allowed)
        self._resolve = resolve or SystemNames()
        self._certificates = certificates

    @asynccontextmanager
    async def client(self, patience_s: float) -> AsyncIterator[httpx.AsyncClient]:
        """A client for the requests of one task.

        It is not for several: a connection to an address that hosts share is good for one of them.
        """
        if self._certificates is None:
            self._certificates = await asyncio.to_thread(httpx.create_ssl_context)
        async with httpx.AsyncClient(
            verify=self._certificates,
            trust_env=False,
            follow_redirects=False,
            timeout=patience_s,
        ) as client:
            yield client

    async def addresses(self, target: httpx.URL) -> list[Address]:
        """Where a server is; refused if any of its addresses is one that nobody may reach.

        Raises:
            ReachError: It has none, or is where nobody may reach it.
        """
        is_plain = target.scheme == "http"
        refused = ReachError(_NOT_ALLOWED if is_plain else _NOT_PUBLIC)
        port = target.port or (80 if is_plain else 443)
        try:
            texts = await self._resolve(_host(target), port)
            found = [ipaddress.ip_address(text) for text in dict.fromkeys(texts)]
        except (OSError, UnicodeError, ValueError) as exc:
            raise refused from exc
        if not found or not all(self._may_reach(each, is_plain=is_plain) for each in found):
            raise refused
        return found[:_MOST_ADDRESSES]

    def _may_reach(self, address: Address, *, is_plain: bool) -> bool:
        if any(address in network for network in self._allowed):
            return True
        return not is_plain and is_public(address)

    async def send(
        self,
        client: httpx.AsyncClient,
        method: str,
        target: httpx.URL,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
    ) -> httpx.Response:
        """The beginning of an answer, from an address that was checked; the caller closes it.

        Raises:
            ReachError: It may not be reached, or does not answer.
        """
        addresses = await self.addresses(target)
        for left, address in zip(reversed(range(len(addresses))), addresses, strict=True):
            request = client.build_request(
                method,
                target.copy_with(host=str(address)),
                headers={
                    "Host": target.netloc.decode("ascii"),
                    "Accept-Encoding": "identity",
                    "User-Agent": "midifarm",
                    **headers,
                },
                content=content,
                # TLS asks for the name, and the certificate must be the name's.
                extensions={"sni_hostname": _host(target)},
            )
            try:
                return await client.send(request, stream=True)
            except httpx.ConnectError as exc:
                if isinstance(_cause(exc), ssl.SSLError):
                    raise ReachError("its server has no valid certificate") from exc
                if not left:
                    raise ReachError("its server cannot be reached") from exc
            except httpx.HTTPError as exc:
                raise ReachError("its server does not speak HTTP as it should") from exc
        raise ReachError(_NOT_PUBLIC)


def parse_target(url: str, schemes: Collection[str]) -> httpx.URL:
    """An address that somebody named.

    Args:
        url: The address.
        schemes: Those that it may have.

    Raises:
        ReachError: It is none, or one of a kind that is never reached.
    """
    try:
        target = httpx.URL(url)
        _host(target)
    except (httpx.InvalidURL, ValueError) as exc:
        raise ReachError("that is no address") from exc
    if target.scheme not in schemes:
        raise ReachError(f"only {' and '.join(schemes)} addresses are reached")
    if not target.host:
        raise ReachError("that address names no host")
    if target.port is not None and not 0 < target.port < 65536:
        raise ReachError("that is no address")
    if target.userinfo:
        raise ReachError("an address with a user name in it is not reached")
    return target


def _host(target: httpx.URL) -> str:
    return target.raw_host.decode("ascii")


def _cause(exc: BaseException) -> BaseException:
    while (below := exc.__cause__ or exc.__context__) is not None:
        exc = below
    return exc
