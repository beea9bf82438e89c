"""What the tables and the object store say about a run when it is over."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from shared.storage import LocalStore
from tests.chaos.service import Service

_PREFIXES: Final = ("segments/", "audio/", "exports/", "surveys/", "previews/")
_ATTEMPT_OF: Final = re.compile(r"\.a(\d+)\.[a-z0-9]+$")
_ATTEMPTS: Final = """
    select a.id, a.number, a.outcome::text, a.worker, a.error_kind, a.error_message, a.started_at,
        a.ended_at, w.id as item_id, w.kind::text, w.export_id, w.chunk_index, w.content_key
    from attempts a join work_items w on w.id = a.item_id order by a.id
"""
_ITEMS: Final = "select id, kind::text, status::text, content_key from work_items"
_ARTIFACTS: Final = (
    "select content_key, object_key, sha256, report ->> 'poster_key' as poster_key from artifacts"
)
_EXPORTS: Final = "select id, user_id, name, status::text, sha256, error_message from export_jobs"
_DISPATCHER: Final = "select epoch, slots from dispatcher"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of one work item."""

    id: int
    number: int
    outcome: str | None
    worker: str | None
    error_kind: str | None
    error_message: str | None
    started_at: datetime
    ended_at: datetime | None
    item_id: int
    kind: str
    export_id: str | None
    chunk_index: int | None
    content_key: str | None

    @property
    def extra(self) -> bool:
        """Whether its work was for nothing."""
        return self.outcome != "committed"

    def __str__(self) -> str:
        which = f"{self.kind} {self.chunk_index}" if self.kind == "chunk" else self.kind
        why = f" ({self.error_message})" if self.error_message else ""
        return f"a{self.id} of {which} of {self.export_id}: {self.outcome}{why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Everything that is left of a run."""

    attempts: tuple[Attempt, ...]
    """All of them, in their order."""
    items: Mapping[int, Mapping[str, Any]]
    """Work items by their ids."""
    artifacts: Mapping[str, str]
    """The SHA-256 of what was made, by its content key."""
    objects: Mapping[str, str]
    """Where it is stored, by its content key."""
    exports: Mapping[str, Mapping[str, Any]]
    """Exports by their names."""
    unknown_objects: tuple[str, ...]
    """Objects in the store that no artifact refers to."""
    missing_objects: tuple[str, ...]
    """Objects that an artifact refers to and the store does not have."""
    epochs: int
    """How often somebody began to lead."""
    slots: int
    """How many work items run at a time."""

    @property
    def extra(self) -> list[Attempt]:
        """The attempts whose work was for nothing."""
        return [attempt for attempt in self.attempts if attempt.extra]

    @property
    def commits(self) -> Counter[str]:
        """How often something was made, by its content key."""
        return Counter(
            attempt.content_key
            for attempt in self.attempts
            if attempt.outcome == "committed" and attempt.content_key is not None
        )

    @property
    def chunk_contents(self) -> int:
        """How many different segments the run needed."""
        return len({item["content_key"] for item in self.items.values() if item["kind"] == "chunk"})

    def differences(self, other: Ledger) -> list[str]:
        """The content keys of what is not the same in another run."""
        ours, theirs = self.artifacts, other.artifacts
        return sorted(
            key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)
        )

    def miscounted(self) -> list[str]:
        """Work items that are not done, or whose attempts do not add up."""
        by_item: defaultdict[int, list[Attempt]] = defaultdict(list)
        for attempt in self.attempts:
            by_item[attempt.item_id].append(attempt)
        wrong = []
        for item_id, item in self.items.items():
            mine = by_item[item_id]
            numbers = [attempt.number for attempt in mine]
            committed = sum(not attempt.extra for attempt in mine)
            # What somebody else made is found, and committed by nobody here.
            found = committed == 0 and item["content_key"] in self.artifacts
            if item["status"] != "done":
                wrong.append(f"{item['kind']} {item_id} is {item['status']}")
            elif numbers != list(range(1, len(mine) + 1)) or not (committed == 1 or found):
                wrong.append(f"{item['kind']} {item_id}: {[each.outcome for each in mine]}")
        return wrong


def attempt_of(key: str) -> int | None:
    """The attempt that wrote an object; None where its name tells of none."""
    found = _ATTEMPT_OF.search(key)
    return int(found[1]) if found else None


def read_ledger(service: Service) -> Ledger:
    """Read the tables and list the store of a service that has nothing to do any more."""
    artifacts = service.query(_ARTIFACTS)
    known = {row["object_key"] for row in artifacts}
    known |= {row["poster_key"] for row in artifacts if row["poster_key"] is not None}
    store = LocalStore(service.data / "store")
    stored = {info.key for prefix in _PREFIXES for info in store.list(prefix)}
    dispatcher = service.query(_DISPATCHER)[0]
    return Ledger(
        attempts=tuple(Attempt(**row) for row in service.query(_ATTEMPTS)),
        items={row["id"]: row for row in service.query(_ITEMS)},
        artifacts={row["content_key"]: row["sha256"] for row in artifacts},
        objects={row["content_key"]: row["object_key"] for row in artifacts},
        exports={row["name"]: row for row in service.query(_EXPORTS)},
        unknown_objects=tuple(sorted(stored - known)),
        missing_objects=tuple(sorted(known - stored)),
        epochs=dispatcher["epoch"],
        slots=dispatcher["slots"],
    )


def keep_objects(service: Service, ledger: Ledger, keys: Collection[str], target: Path) -> None:
    """Copy what differs to a folder that stays, so that somebody can look at it."""
    store = LocalStore(service.data / "store")
    for key in keys:
        if key in ledger.objects:
            path = target / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(store.get_bytes(ledger.objects[key]))


def committed_chunks(service: Service) -> int:
    """How many segments have been made so far."""
    row = service.query(
        "select count(*) as count from attempts a join work_items w on w.id = a.item_id "
        "where w.kind = 'chunk' and a.outcome = 'committed'"
    )[0]
    return int(row["count"])
