"""What operators did."""

from __future__ import annotations

from coordinator.client.base import PAGE, Base
from coordinator.client.models import AuditEntry
from coordinator.client.reading import read_answer


class Audit(Base):
    """The audit log; for operators."""

    def audit(self, *, target: str | None = None, most: int = 100) -> tuple[AuditEntry, ...]:
        """What operators and admins did, newest first.

        Args:
            target: Only what was done to it: the id of an export, a node, a user, a key.
            most: How many entries at most.
        """
        found: list[AuditEntry] = []
        while len(found) < most:
            query = {
                "target": target,
                "before": found[-1].id if found else None,
                "limit": min(PAGE, most - len(found)),
            }
            page = self._http.json("GET", "v1/audit", query=query)
            found += (read_answer(AuditEntry, each) for each in page["entries"])
            if not page["has_more"]:
                break
        return tuple(found)
