"""What work took on the farm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from coordinator.client.base import Base
from coordinator.client.models import FarmUseReport
from coordinator.client.reading import part, read_answer

_MOST: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class UseScope:
    """Whose use is asked for, and of when: the user's own of a month without anything."""

    export_id: str | None = None
    """Only for an export of the user's, whenever it was."""
    batch_id: str | None = None
    """Only for a batch of the user's, whenever it was."""
    first_day: date | None = None
    """29 days before the last one without it."""
    last_day: date | None = None
    """Today without it."""
    is_farms: bool = False
    """Whether that of everybody is asked for; for operators."""
    user_id: str | None = None
    """Of everybody's, only that of a user."""

    @property
    def path(self) -> str:
        """Where the server tells it."""
        if self.export_id is not None:
            return f"v1/exports/{part(self.export_id)}/use"
        if self.batch_id is not None:
            return f"v1/batches/{part(self.batch_id)}/use"
        return "v1/farm/use" if self.is_farms else "v1/use"

    def query(self, by: str | None, **more: Any) -> dict[str, Any]:
        """What is asked there."""
        asked = {"by": by, "from": self.first_day, "to": self.last_day, "user_id": self.user_id}
        return {name: str(value) for name, value in (asked | more).items() if value is not None}


class UseOfFarm(Base):
    """Slot-seconds, frames, bytes, and their price."""

    def use(self, by: str | None = None, scope: UseScope | None = None) -> FarmUseReport:
        """What work took, up to a thousand entries.

        Args:
            by: What is added up: day, export, batch, user, pool or kind; the server chooses
                without it.
            scope: Whose, and when.
        """
        scope = scope or UseScope()
        query = scope.query(by, limit=None if scope.export_id else _MOST)
        return read_answer(FarmUseReport, self._http.json("GET", scope.path, query=query))

    def use_table(self, by: str | None = None, scope: UseScope | None = None) -> str:
        """The same as CSV, with all entries."""
        scope = scope or UseScope()
        with self._http.opened("GET", scope.path, params=scope.query(by, format="csv")) as answer:
            return answer.read().decode()
