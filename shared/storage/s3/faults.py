"""What a failed request means, whichever of the client's layers says so."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final
from xml.etree.ElementTree import ParseError

from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError


class Meaning(Enum):
    """What to do about a fault."""

    PASSING = auto()
    """The same request may work in a moment."""
    MISSING = auto()
    """There is no such object."""
    NO_BUCKET = auto()
    """There is no such bucket."""
    NO_UPLOAD = auto()
    """There is no such multipart upload."""
    REFUSED = auto()
    """The keys are wrong, or do not allow it."""
    CHANGED = auto()
    """The object is no longer the one that was meant."""
    NO_RANGE = auto()
    """The range begins beyond the object's end."""
    FULL = auto()
    """The bucket, or its machine, takes no more."""
    OTHER = auto()
    """Anything else: trying again gives the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One failed request."""

    meaning: Meaning
    """What to do about it."""
    reason: str
    """What the service or the network said, in a few words."""


class NoKeysError(Exception):
    """No keys were given, and none were found."""


FAILURES: Final = (MinioException, HTTPError, OSError, ParseError, UnicodeDecodeError, NoKeysError)
"""What a request can fail with."""

_CODES: Final = {
    "NoSuchKey": Meaning.MISSING,
    "NoSuchBucket": Meaning.NO_BUCKET,
    "NoSuchUpload": Meaning.NO_UPLOAD,
    "PreconditionFailed": Meaning.CHANGED,
    "InvalidRange": Meaning.NO_RANGE,
    "AccessDenied": Meaning.REFUSED,
    "AuthorizationHeaderMalformed": Meaning.REFUSED,
    "ExpiredToken": Meaning.REFUSED,
    "InvalidAccessKeyId": Meaning.REFUSED,
    "InvalidToken": Meaning.REFUSED,
    "RequestTimeTooSkewed": Meaning.REFUSED,
    "SignatureDoesNotMatch": Meaning.REFUSED,
    "Unauthorized": Meaning.REFUSED,
    "InsufficientStorage": Meaning.FULL,
    "QuotaExceeded": Meaning.FULL,  # Ceph
    "XMinioAdminBucketQuotaExceeded": Meaning.FULL,
    "XMinioStorageFull": Meaning.FULL,
    # What reached the service is not what we sent, or not all of it: sending again helps.
    "BadDigest": Meaning.PASSING,
    "IncompleteBody": Meaning.PASSING,
    "XAmzContentSHA256Mismatch": Meaning.PASSING,
    "InternalError": Meaning.PASSING,
    "OperationAborted": Meaning.PASSING,
    "RequestTimeout": Meaning.PASSING,
    "ServiceUnavailable": Meaning.PASSING,
    "SlowDown": Meaning.PASSING,
    "SlowDownRead": Meaning.PASSING,
    "SlowDownWrite": Meaning.PASSING,
}
_STATUSES: Final = {
    401: Meaning.REFUSED,
    403: Meaning.REFUSED,
    404: Meaning.MISSING,
    408: Meaning.PASSING,
    412: Meaning.CHANGED,
    416: Meaning.NO_RANGE,
    429: Meaning.PASSING,
    500: Meaning.PASSING,
    502: Meaning.PASSING,
    503: Meaning.PASSING,
    504: Meaning.PASSING,
    507: Meaning.FULL,
}


def read_fault(exc: BaseException) -> Fault:
    """What one of FAILURES means."""
    match exc:
        case S3Error():
            status = exc.response.status
            meaning = _CODES.get(exc.code or "") or _STATUSES.get(status, Meaning.OTHER)
            return Fault(meaning=meaning, reason=f"{exc.code} ({_short(exc.message)})")
        case InvalidResponseError() | ServerError():
            # Neither names its status in public alike; both are made from it.
            status = exc.status_code if isinstance(exc, ServerError) else int(exc._code)  # noqa: SLF001
            meaning = _STATUSES.get(status, Meaning.OTHER)
            return Fault(meaning=meaning, reason=f"HTTP status {status}")
        case NoKeysError():
            return Fault(meaning=Meaning.REFUSED, reason="there are no keys")
        case ParseError() | UnicodeDecodeError():
            return Fault(meaning=Meaning.PASSING, reason="an answer that is no S3")
        case _ if _untrusted(exc):
            return Fault(meaning=Meaning.OTHER, reason=f"its certificate is not trusted: {exc}")
        case _:
            return Fault(meaning=Meaning.PASSING, reason=_network(exc))


def _untrusted(exc: BaseException) -> bool:
    causes = [exc, exc.__cause__, exc.__context__, *exc.args]
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes)


def _network(exc: BaseException) -> str:
    name = type(exc).__name__.removesuffix("Error")
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    inner = exc.__cause__ or exc.__context__
    detail = inner.strerror if isinstance(inner, OSError) and inner.strerror else None
    return f"{words.strip()}: {detail}" if detail else words.strip()


def _short(text: str | None) -> str:
    return ascii(text or "no more was said")[1:-1][:200]
