"""How much one user may have at a time. Pure.

``running`` holds back work that waits, without a word: more of it begins when something has ended.
``queued`` and ``stored_bytes`` are looked at when something is made; what is there stays, also
where a quota is lowered below it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import QuotaError

_GIB: Final = 2**30
_MOST: Final = 2**31 - 1


class QuotaLimits(BaseModel):
    """What a user may have at a time; null is any number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    running: int | None = Field(
        default=None,
        ge=0,
        le=_MOST,
        description="Work items under way; looks at uploads and previews do not count.",
    )
    queued: int | None = Field(
        default=20_000, ge=0, le=_MOST, description="Exports that have not ended."
    )
    stored_bytes: int | None = Field(
        default=None,
        ge=0,
        le=2**63 - 1,
        description="Bytes of uploads and of finished videos together.",
    )

    def with_own(self, row: Mapping[str, Any] | None) -> Self:
        """These defaults, with what was said for one user in their place.

        Args:
            row: ``running``, ``queued`` and ``stored_bytes``; None where nothing was said.
        """
        own = {name: row[name] for name in type(self).model_fields if row and row[name] is not None}
        return self.model_copy(update=own)


def check_exports(limits: QuotaLimits, unfinished: int, count: int) -> None:
    """See that a user may have so many exports more.

    Raises:
        QuotaError: He may not.
    """
    most = limits.queued
    if most is not None and unfinished + count > most:
        raise QuotaError(
            f"{_exports(most)} that have not ended are allowed at a time: {unfinished:,} are "
            f"there, and {count:,} more were asked for. Wait for some to end, or cancel some."
        )


def check_bytes(limits: QuotaLimits, stored_bytes: int, size_bytes: int) -> None:
    """See that a user may store so many bytes more.

    Args:
        limits: What he may have.
        stored_bytes: What is stored of his.
        size_bytes: What is added; 0 where that is not known yet, and any room will do.

    Raises:
        QuotaError: He may not.
    """
    most = limits.stored_bytes
    if most is not None and stored_bytes + max(1, size_bytes) > most:
        added = f", and {_size(size_bytes)} more do not fit" if size_bytes else ""
        raise QuotaError(
            f"{_size(most)} of uploads and videos may be stored: {_size(stored_bytes)} are "
            f"there{added}. Delete files or exports that are not needed any more."
        )


def _exports(count: int) -> str:
    return f"{count:,} export" + ("s" if count != 1 else "")


def _size(size_bytes: int) -> str:
    if size_bytes >= _GIB // 10:
        return f"{size_bytes / _GIB:,.1f} GiB"
    return f"{size_bytes / 2**20:,.1f} MiB" if size_bytes >= 2**20 else f"{size_bytes:,} bytes"
