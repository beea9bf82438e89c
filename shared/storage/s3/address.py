"""The address of a bucket: ``s3://bucket[/prefix]?endpoint=https://host[:port]``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from shared.errors import InputError, InvalidKeyError
from shared.storage.keys import check_key

FORM: Final = (
    "s3://bucket[/prefix]?endpoint=https://host[:port][&region=…][&public_endpoint=https://…]"
)

# The rules of AWS, the strictest of all.
_BUCKET: Final = re.compile(r"(?!\d+(?:\.\d+){3}$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OPTIONS: Final = frozenset({"endpoint", "region", "public_endpoint"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a service answers."""

    host: str
    """Host, and port if it is not the usual one."""
    secure: bool
    """Whether it speaks TLS."""

    def __str__(self) -> str:
        return f"{'https' if self.secure else 'http'}://{self.host}"


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Address:
    """What an address says; it never holds a secret."""

    bucket: str
    """The bucket's name."""
    prefix: str
    """What every object name of the store begins with: empty, or ending with a slash."""
    endpoint: Endpoint
    """Where we reach the service."""
    public_endpoint: Endpoint
    """Where those reach it who are given links."""
    region: str | None
    """What signatures name; None if the client reads it from an AWS host name."""

    def __str__(self) -> str:
        options = {"endpoint": str(self.endpoint)}
        if self.region is not None:
            options["region"] = self.region
        if self.public_endpoint != self.endpoint:
            options["public_endpoint"] = str(self.public_endpoint)
        prefix = self.prefix and "/" + self.prefix.removesuffix("/")
        return f"s3://{self.bucket}{prefix}?{urlencode(options, safe=':/')}"

    @property
    def place(self) -> str:
        """The bucket and the host that has it, for messages."""
        return f"bucket {self.bucket} at {self.endpoint}"

    @classmethod
    def parse(cls, url: str) -> S3Address:
        """Read an address.

        Raises:
            InputError: if it is not understood, or holds a secret.
        """
        try:
            parts = urlsplit(url)
            pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        except ValueError:
            raise _refused("it cannot be read") from None
        # Nothing of an address with a secret in it is repeated.
        if "@" in parts.netloc:
            raise _no_secrets()
        options = dict(pairs)
        unknown = sorted(set(options) - _OPTIONS)
        if any("key" in name.lower() or "secret" in name.lower() for name in unknown):
            raise _no_secrets()
        if unknown or len(options) != len(pairs) or parts.fragment:
            raise _refused("it has options that are unknown or doubled")
        if not _BUCKET.fullmatch(parts.netloc) or ".." in parts.netloc:
            raise _refused("it names no bucket (3 to 63 of a-z 0-9 . -)")
        if "endpoint" not in options:
            raise _refused("it does not say at which endpoint the bucket is")
        endpoint = _endpoint(options["endpoint"])
        region = options.get("region") or _usual_region(endpoint)
        if region is not None and not _REGION.fullmatch(region):
            raise _refused("its region is none")
        return cls(
            bucket=parts.netloc,
            prefix=_prefix(parts),
            endpoint=endpoint,
            public_endpoint=_endpoint(options.get("public_endpoint") or options["endpoint"]),
            region=region,
        )


def _prefix(parts: SplitResult) -> str:
    prefix = parts.path.strip("/")
    if not prefix:
        return ""
    try:
        check_key(prefix)
    except InvalidKeyError as exc:
        raise _refused("its prefix is none that keys can have") from exc
    return prefix + "/"


def _endpoint(text: str) -> Endpoint:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _refused("its endpoint cannot be read") from None
    if "@" in parts.netloc:
        raise _no_secrets()
    host = parts.hostname or ""
    known = parts.scheme in ("http", "https") and re.fullmatch(r"[A-Za-z0-9._-]+", host)
    if not known or parts.path.strip("/") or parts.query or parts.fragment:
        raise _refused("its endpoint is none like https://host:port, without a path")
    usual = {"http": 80, "https": 443}[parts.scheme]
    return Endpoint(
        host=host if port in (None, usual) else f"{host}:{port}", secure=parts.scheme == "https"
    )


def _usual_region(endpoint: Endpoint) -> str | None:
    name = endpoint.host.partition(":")[0]
    if name.endswith(".r2.cloudflarestorage.com"):
        return "auto"
    if name.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return None
    return "us-east-1"  # what services without regions expect


def _refused(reason: str) -> InputError:
    return InputError(f"That is no address of a bucket, for {reason}. Give {FORM}.")


def _no_secrets() -> InputError:
    return InputError(
        "The address of a bucket must not hold its keys, since addresses are logged and shown. "
        "Put them into MIDIFARM_S3_ACCESS_KEY and MIDIFARM_S3_SECRET_KEY."
    )
