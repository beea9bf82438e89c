"""Signatures of what webhooks are told (Standard Webhooks, https://www.standardwebhooks.com). Pure.

A receiver that has the body's bytes and the headers ``webhook-id``, ``webhook-timestamp`` and
``webhook-signature`` as ``body``, ``message_id``, ``timestamp`` and ``signatures`` needs three
lines, which docs/webhooks.md has too::

    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, "sha256")
    is_ours = f"v1,{base64.b64encode(mac).decode()}" in signatures.split()
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable
from typing import Final

PREFIX: Final = "whsec_"
"""What every secret begins with, so that one which leaked is found by those who search for it."""
_KEY_BYTES: Final = range(24, 65)
"""How long a key may be, as the standard has it."""
_NEW_KEY_BYTES: Final = 32


def new_secret() -> str:
    """A secret that nobody can guess: ``whsec_`` and 32 bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_NEW_KEY_BYTES)).decode("ascii")


def key_of(secret: str) -> bytes:
    """The bytes that a secret stands for.

    Raises:
        ValueError: It is none; the message does not repeat it.
    """
    told = f"it is no {PREFIX} followed by 24 to 64 random bytes in base64"
    if not secret.startswith(PREFIX):
        raise ValueError(told)
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(told) from None
    if len(key) not in _KEY_BYTES:
        raise ValueError(told)
    return key


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature of one message, made with one secret: ``v1,`` and base64."""
    told = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), told, "sha256")).decode("ascii")


def signed_headers(
    known: Iterable[str], message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The headers of one message.

    Args:
        known: The secrets that its receiver may know; several while one replaces another.
        message_id: The same for every try.
        timestamp: When it is sent, in seconds since 1970.
        body: What is sent.
    """
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(each, message_id, timestamp, body) for each in known),
    }
