"""What webhooks are told, and when they are told again. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

_SPREAD: Final = 0.1
"""Tries that failed together must not all come again in the same moment."""


class WebhookEvent(StrEnum):
    """What a webhook can be told of."""

    EXPORT_COMPLETED = "export.completed"
    EXPORT_FAILED = "export.failed"
    EXPORT_CANCELLED = "export.cancelled"
    BATCH_ENDED = "batch.ended"


class DeliveryStatus(StrEnum):
    """How a delivery stands."""

    PENDING = "pending"
    """It is tried, now or later."""
    DELIVERED = "delivered"
    """Its receiver took it."""
    FAILED = "failed"
    """It was given up."""
    CANCELLED = "cancelled"
    """Its webhook was disabled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of one try."""

    took_s: float
    """How long it took."""
    http_status: int | None = None
    """What the receiver answered; None: nothing."""
    error: str | None = None
    """Why it does not count as delivered; None: it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When it is tried again; times in seconds."""

    first_wait_s: float
    """From the first try to the second; it doubles from there."""
    longest_wait_s: float
    """From one try to the next."""
    give_up_s: float
    """From when it was queued to when it is given up."""

    def wait_s(self, failures: int, waited_s: float, chance: float) -> float | None:
        """How long to wait after a try in vain; None to give up.

        Args:
            failures: Tries in vain so far, this one too.
            waited_s: How long ago it was queued.
            chance: Any number from 0 to 1.
        """
        # 2.0 ** 1024 is no number any more.
        doubled = self.first_wait_s * 2.0 ** min(failures - 1, 100)
        wait_s = min(doubled, self.longest_wait_s) * (1 + _SPREAD * chance)
        return None if waited_s + wait_s > self.give_up_s else wait_s


def message(event: str, created_at: datetime, data: Mapping[str, Any]) -> bytes:
    """The body that a webhook gets: the same bytes for every try."""
    told = {"type": event, "timestamp": created_at.isoformat(), "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def answer_fault(http_status: int) -> str | None:
    """Why an answer does not count as delivered; None where it does."""
    if 200 <= http_status < 300:
        return None
    if 300 <= http_status < 400:
        return f"it answers {http_status}: redirects are not followed"
    return f"it answers {http_status}, not 2xx"
