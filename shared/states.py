"""The states of exports and of work items, and the tables of what may follow what.

Pure data and one function each: who changes a state asks here first. ARCHITECTURE.md prints
both tables; a test holds it to that.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from shared.errors import ConflictError


class ExportStatus(StrEnum):
    """Where an export stands; the six words are the contract with clients."""

    QUEUED = "queued"
    """Accepted; nothing was begun."""
    RENDERING = "rendering"
    """Workers are at it: intake, sound, chunks."""
    UPLOADING = "uploading"
    """All segments stand; they are stitched and the video is stored."""
    COMPLETED = "completed"
    """The video can be downloaded, until it expires."""
    FAILED = "failed"
    """It cannot be finished; the reason is kept."""
    CANCELLED = "cancelled"
    """Somebody cancelled it."""

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self in _ENDED


_ENDED: Final = frozenset({ExportStatus.COMPLETED, ExportStatus.FAILED, ExportStatus.CANCELLED})


class ExportAction(StrEnum):
    """What happens to an export."""

    BEGIN = "begin"
    """Its first work item was given to a worker."""
    STITCH = "stitch"
    """All segments and the sound stand."""
    RENDER_AGAIN = "render again"
    """A segment was lost or damaged, the video missed its rate or its size, or the workers were
    upgraded meanwhile."""
    COMPLETE = "complete"
    """The verified video is stored."""
    FAIL = "fail"
    """A work item failed for good."""
    CANCEL = "cancel"
    """A user or an operator wants no more of it."""
    RETRY = "retry"
    """A user wants it tried again."""


_S, _A = ExportStatus, ExportAction

EXPORT_TRANSITIONS: Final[dict[tuple[ExportStatus, ExportAction], ExportStatus]] = {
    (_S.QUEUED, _A.BEGIN): _S.RENDERING,
    (_S.QUEUED, _A.FAIL): _S.FAILED,
    (_S.QUEUED, _A.CANCEL): _S.CANCELLED,
    (_S.RENDERING, _A.STITCH): _S.UPLOADING,
    (_S.RENDERING, _A.RENDER_AGAIN): _S.RENDERING,
    (_S.RENDERING, _A.FAIL): _S.FAILED,
    (_S.RENDERING, _A.CANCEL): _S.CANCELLED,
    (_S.UPLOADING, _A.RENDER_AGAIN): _S.RENDERING,
    (_S.UPLOADING, _A.COMPLETE): _S.COMPLETED,
    (_S.UPLOADING, _A.FAIL): _S.FAILED,
    (_S.UPLOADING, _A.CANCEL): _S.CANCELLED,
    (_S.FAILED, _A.RETRY): _S.QUEUED,
    (_S.CANCELLED, _A.RETRY): _S.QUEUED,
}


_REFUSED: Final = {
    _A.CANCEL: "it cannot be cancelled any more",
    _A.RETRY: "only one that failed or was cancelled can be retried",
}
"""What users may ask for and are refused."""


def next_status(status: ExportStatus, action: ExportAction) -> ExportStatus:
    """What an export becomes.

    Raises:
        ConflictError: The action does not fit the status.
    """
    try:
        return EXPORT_TRANSITIONS[status, action]
    except KeyError:
        told = _REFUSED.get(action, f"this cannot happen to it: {action}")
        raise ConflictError(f"The export is {status}; {told}.", status=str(status)) from None


class ItemStatus(StrEnum):
    """Where a work item stands."""

    READY = "ready"
    """Waits for a slot, or for its time after a failure."""
    RUNNING = "running"
    """One attempt or more are under way."""
    DONE = "done"
    """One attempt's result was committed, or found."""
    FAILED = "failed"
    """Given up."""
    CANCELLED = "cancelled"
    """Its export ended without it."""


class ItemAction(StrEnum):
    """What happens to a work item."""

    CLAIM = "claim"
    """An attempt was given to a worker."""
    COMMIT = "commit"
    """An attempt's result was accepted."""
    REUSE = "reuse"
    """Its result was found, made for another export or before."""
    RELEASE = "release"
    """Its last attempt failed or was lost, and it is to be tried again."""
    GIVE_UP = "give up"
    """Its last attempt failed, and trying again will not help."""
    CANCEL = "cancel"
    """Its export was cancelled or failed."""
    REMAKE = "remake"
    """Its result was lost or damaged."""


_I, _W = ItemStatus, ItemAction

ITEM_TRANSITIONS: Final[dict[tuple[ItemStatus, ItemAction], ItemStatus]] = {
    (_I.READY, _W.CLAIM): _I.RUNNING,
    (_I.READY, _W.REUSE): _I.DONE,
    (_I.READY, _W.CANCEL): _I.CANCELLED,
    (_I.RUNNING, _W.COMMIT): _I.DONE,
    (_I.RUNNING, _W.RELEASE): _I.READY,
    (_I.RUNNING, _W.GIVE_UP): _I.FAILED,
    (_I.RUNNING, _W.CANCEL): _I.CANCELLED,
    (_I.DONE, _W.REMAKE): _I.READY,
}
