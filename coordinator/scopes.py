"""Who may do what: three scopes, each of which covers the one before. Pure."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """What a caller may do."""

    USER = "user"
    """Everything with what is his own."""

    OPERATOR = "operator"
    """Also see the farm and what everybody has it do, hold it, and set quotas."""

    ADMIN = "admin"
    """Also make and revoke keys of other users."""

    def covers(self, other: Scope) -> bool:
        """Whether who may do this may do the other, too."""
        order = list(Scope)
        return order.index(self) >= order.index(other)
