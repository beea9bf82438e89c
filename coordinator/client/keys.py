"""Who may use the service."""

from __future__ import annotations

from datetime import datetime

from coordinator.client.base import PAGE, Base
from coordinator.client.models import Key, Me
from coordinator.client.reading import part, read_answer
from coordinator.scopes import Scope


class Keys(Base):
    """API keys."""

    def me(self) -> Me:
        """Who the user is on the server, what he has there and may have."""
        return read_answer(Me, self._http.json("GET", "v1/me"))

    def keys(self, *, everybody: bool = False) -> tuple[Key, ...]:
        """The user's keys, newest first; those of all users where an administrator asks so."""
        found: list[Key] = []
        while True:
            query = {"everybody": everybody or None, "limit": PAGE, "offset": len(found)}
            page = self._http.json("GET", "v1/keys", query=query)
            found += (read_answer(Key, each) for each in page["keys"])
            if not page["has_more"]:
                return tuple(found)

    def create_key(
        self,
        user_id: str,
        *,
        name: str,
        scope: Scope = Scope.USER,
        expires_at: datetime | None = None,
    ) -> Key:
        """Make a key; its token is told this once.

        Args:
            user_id: Who uses the service with it.
            name: What it is for.
            scope: What may be done with it.
            expires_at: When it stops working; None for never.
        """
        data = {"user_id": user_id, "name": name, "scope": str(scope)}
        if expires_at is not None:
            data["expires_at"] = expires_at.isoformat()
        return read_answer(Key, self._http.json("POST", "v1/keys", once=True, data=data))

    def revoke_key(self, key_id: str) -> None:
        """Make a key void."""
        self._http.json("DELETE", f"v1/keys/{part(key_id)}")
