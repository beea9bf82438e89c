"""Every change of the state of an export or of a work item: here, and nowhere else.

What may follow what stands in shared.states, and once more in the schema's triggers. Each
function runs in the caller's transaction, locks the export before anything else of it, and tells
clients last.
"""

from coordinator.database.transitions.acts import (
    cancel_batch,
    cancel_export,
    delete_export,
    pause_export,
    queue_intakes,
    queue_preview,
    queue_probe,
    resume_export,
    retry_batch,
    retry_export,
    set_priority,
)
from coordinator.database.transitions.attempts import (
    Committed,
    Lost,
    add_attempt,
    commit_attempt,
    fail_attempt,
    forget_artifact,
    postpone_item,
    recover,
    release_attempt,
    replan_stranded,
    reuse_item,
)
from coordinator.database.transitions.many import MadeChunk, claim_items, commit_chunks

__all__ = [
    "Committed",
    "Lost",
    "MadeChunk",
    "add_attempt",
    "cancel_batch",
    "cancel_export",
    "claim_items",
    "commit_attempt",
    "commit_chunks",
    "delete_export",
    "fail_attempt",
    "forget_artifact",
    "pause_export",
    "postpone_item",
    "queue_intakes",
    "queue_preview",
    "queue_probe",
    "recover",
    "release_attempt",
    "replan_stranded",
    "resume_export",
    "retry_batch",
    "retry_export",
    "reuse_item",
    "set_priority",
]
