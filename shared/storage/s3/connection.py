"""Requests to one service: the client, its keys, its timeouts, and trying again."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, TypeVar

import certifi
import urllib3
from minio import Minio
from minio.credentials.credentials import Credentials
from minio.credentials.providers import (
    AWSConfigProvider,
    EnvAWSProvider,
    IamAwsProvider,
    Provider,
    StaticProvider,
)
from urllib3.response import BaseHTTPResponse

from shared.errors import (
    InputError,
    MidifarmError,
    ObjectNotFoundError,
    StorageError,
    StorageFullError,
)
from shared.storage.s3.address import Endpoint, S3Address
from shared.storage.s3.faults import FAILURES, Fault, Meaning, NoKeysError, read_fault
from shared.storage.s3.patience import LONG_S, Patience

ACCESS_KEY: Final = "MIDIFARM_S3_ACCESS_KEY"
SECRET_KEY: Final = "MIDIFARM_S3_SECRET_KEY"  # noqa: S105  # the variable's name

_CONNECT_S: Final = 5.0
_READ_S: Final = 60.0
_SEND_BYTES: Final = 64 * 1024
_CONNECTIONS: Final = 16
"""Kept open to one host, for the threads of one process."""

T = TypeVar("T")


class Connection:
    """The client of one address, safe between threads; see connect()."""

    def __init__(self, address: S3Address, keys: Provider) -> None:
        """Prepare a client; nothing is asked yet."""
        self.address = address
        self._pool = _Pool(
            num_pools=4,
            maxsize=_CONNECTIONS,
            timeout=urllib3.Timeout(connect=_CONNECT_S, read=_READ_S),
            retries=False,  # call() tries again, once for all layers
            cert_reqs="CERT_REQUIRED",
            ca_certs=os.environ.get("SSL_CERT_FILE") or certifi.where(),
        )
        self.client = self._client(address.endpoint, keys)
        self.public_client = self._client(address.public_endpoint, keys)

    def _client(self, endpoint: Endpoint, keys: Provider) -> Minio:
        return Minio(
            endpoint.host,
            secure=endpoint.secure,
            region=self.address.region,
            credentials=keys,
            http_client=self._pool,
        )

    def call(
        self,
        action: str,
        ask: Callable[[], T],
        *,
        key: str | None = None,
        patience_s: float = LONG_S,
    ) -> T:
        """What ``ask`` returns, made again while it fails in a way that may pass.

        Args:
            action: What is being done, as the rest of "could not …".
            ask: One or more requests that may be made twice without harm.
            key: The key it is about.
            patience_s: How long to go on after the first failure.

        Raises:
            ObjectNotFoundError: if there is no such object.
            StorageFullError: if the bucket takes no more.
            StorageError: if it failed in any other way.
        """
        patience = Patience(patience_s)
        while True:
            try:
                return ask()
            except FAILURES as exc:
                fault = read_fault(exc)
                if fault.meaning is not Meaning.PASSING or not patience.wait():
                    raise self.error(fault, action, key) from exc

    def error(self, fault: Fault, action: str, key: str | None = None) -> StorageError:
        """The error of our tree for a fault."""
        place = self.address.place
        facts = {"bucket": self.address.bucket, "endpoint": str(self.address.endpoint), "key": key}
        match fault.meaning:
            case Meaning.MISSING if key is not None:
                return ObjectNotFoundError(f"There is no object {key} in {place}.", **facts)
            case Meaning.FULL:
                return StorageFullError(
                    f"There is no room in {place} to {action}: {fault.reason}. "
                    "Make room there, or raise its quota.",
                    **facts,
                )
            case Meaning.NO_BUCKET | Meaning.REFUSED:
                return StorageError(f"Could not {action}: {self.complaint(fault)}", **facts)
            case _:
                return StorageError(f"Could not {action} in {place}: {fault.reason}.", **facts)

    def unusable(self, error: StorageError) -> MidifarmError:
        """The error for whoever set the store up, where it is theirs to mend."""
        fault = read_fault(error.__cause__) if error.__cause__ is not None else None
        if fault is not None and fault.meaning in (Meaning.NO_BUCKET, Meaning.REFUSED):
            return InputError(self.complaint(fault), **error.facts)
        if fault is not None and fault.meaning is Meaning.PASSING:
            address = self.address
            return StorageError(
                f"The bucket {address.bucket} at {address.endpoint} cannot be reached: "
                f"{fault.reason}. Is the endpoint right, and the server running?",
                **error.facts,
            )
        return error

    def complaint(self, fault: Fault) -> str:
        """What whoever set the store up has to mend, as a sentence."""
        address = self.address
        if fault.meaning is Meaning.NO_BUCKET:
            return (
                f"There is no bucket {address.bucket} at {address.endpoint}. Make it, or correct "
                "the store's address."
            )
        return (
            f"{address.endpoint} refuses the keys for bucket {address.bucket}: {fault.reason}. "
            f"Check {ACCESS_KEY} and {SECRET_KEY} (or the AWS ones), and what they allow."
        )


def connect(address: S3Address) -> Connection:
    """This process's connection to an address, with the keys in its environment.

    Raises:
        InputError: if only one half of the keys is given.
    """
    access_key, secret_key = os.environ.get(ACCESS_KEY), os.environ.get(SECRET_KEY)
    if bool(access_key) != bool(secret_key):
        missing = SECRET_KEY if access_key else ACCESS_KEY
        raise InputError(f"{missing} is not set: the keys of a bucket come in pairs.")
    return _connection(address, access_key or "", secret_key or "")


@lru_cache(maxsize=8)
def _connection(address: S3Address, access_key: str, secret_key: str) -> Connection:
    """One for each address and pair of keys: tasks share connections that are open already."""
    if access_key:
        return Connection(address, StaticProvider(access_key, secret_key))
    return Connection(address, _Surroundings())


# A connection that parent and child both used would mix their answers.
os.register_at_fork(after_in_child=_connection.cache_clear)


class _Surroundings(Provider):
    """Keys as AWS's own tools find them: variables, ~/.aws, the machine's role."""

    def __init__(self) -> None:
        impatient = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=2.0, read=5.0), retries=urllib3.Retry(False)
        )
        self._providers: list[Provider] = [
            EnvAWSProvider(),
            AWSConfigProvider(),
            IamAwsProvider(http_client=impatient),
        ]
        self._found: Provider | None = None

    def retrieve(self) -> Credentials:
        for provider in [self._found] if self._found else self._providers:
            try:
                keys = provider.retrieve()
            except (ValueError, KeyError, OSError, urllib3.exceptions.HTTPError):
                continue  # the next one may have some
            self._found = provider
            return keys
        raise NoKeysError


class _Pool(urllib3.PoolManager):
    """Sends large bodies in pieces.

    While a body is sent the socket has the timeout for connecting, and Python counts it for one
    ``send`` as a whole: a part of 16 MiB in one piece would fail on every line below 3 MiB/s.
    """

    def urlopen(self, method: str, url: str, *args: Any, **kw: Any) -> BaseHTTPResponse:
        body = kw.get("body")
        if isinstance(body, (bytes, bytearray, memoryview)) and len(body) > _SEND_BYTES:
            view = memoryview(body)
            kw["body"] = [
                view[start : start + _SEND_BYTES] for start in range(0, len(view), _SEND_BYTES)
            ]
        return super().urlopen(method, url, *args, **kw)
