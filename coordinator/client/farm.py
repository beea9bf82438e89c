"""The farm, for operators."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from coordinator.client.base import PAGE, Base
from coordinator.client.models import (
    Export,
    FarmFailures,
    FarmMinute,
    FarmNode,
    FarmPool,
    FarmView,
    Quota,
    QuotaLimits,
    UserUse,
    Why,
)
from coordinator.client.reading import part, read_answer
from shared.states import ExportStatus


class Farm(Base):
    """What operators see and do; and what anybody's own export waits for."""

    def why_waiting(self, export_id: str) -> Why:
        """What an export of the user's waits for."""
        path = f"v1/exports/{part(export_id)}/why-waiting"
        return read_answer(Why, self._http.json("GET", path))

    def farm(self) -> FarmView:
        """Nodes, slots, what runs where, what waits."""
        return read_answer(FarmView, self._http.json("GET", "v1/farm"))

    def farm_pools(self) -> tuple[FarmPool, ...]:
        """Each pool with its nodes and slots, and what waits and runs in it."""
        found = self._http.json("GET", "v1/farm/pools")
        return tuple(read_answer(FarmPool, each) for each in found["pools"])

    def pause_farm(self, reason: str | None = None) -> FarmView:
        """Let nothing more begin; what is under way is finished."""
        found = self._http.json("POST", "v1/farm/pause", again=True, data={"reason": reason})
        return read_answer(FarmView, found)

    def resume_farm(self) -> FarmView:
        """Let work begin again."""
        return read_answer(FarmView, self._http.json("POST", "v1/farm/resume", again=True))

    def everybodys_exports(
        self, *, statuses: Collection[ExportStatus] = (), user_id: str | None = None
    ) -> Iterator[Export]:
        """The exports of everybody, newest first; pages are asked for as they are needed.

        Args:
            statuses: Only those that stand so; all without any.
            user_id: Only those of a user.
        """
        query = {"limit": PAGE, "status": [str(each) for each in statuses], "user_id": user_id}
        for plain in self._all("v1/farm/exports", "exports", **query):
            yield read_answer(Export, plain)

    def throughput(self, minutes: int = 60) -> tuple[FarmMinute, ...]:
        """What was done in each of the last minutes, oldest first."""
        found = self._http.json("GET", "v1/farm/throughput", query={"minutes": minutes})
        return tuple(read_answer(FarmMinute, each) for each in found["minutes"])

    def failures(self, minutes: int = 60, *, limit: int | None = None) -> FarmFailures:
        """What failed in the last minutes, and how attempts ended on each node."""
        query = {"minutes": minutes, "limit": limit}
        found = self._http.json("GET", "v1/farm/failures", query=query)
        return read_answer(FarmFailures, found)

    def attempt_log(self, attempt_id: int, *, as_json: bool = False) -> tuple[str, bool]:
        """What was said in an attempt that has ended.

        Args:
            attempt_id: Its number.
            as_json: Whether it is wanted as JSON lines.

        Returns:
            The text, and whether it is the worker's own log; else it is what others have of it.

        Raises:
            NotFoundError: Nothing, or there is no such attempt.
        """
        form = {"format": "jsonl" if as_json else "text"}
        path = f"v1/farm/attempts/{attempt_id}/log"
        with self._http.opened("GET", path, params=form) as response:
            is_whole = response.headers.get("Log-Source") != "last-words"
            return response.read().decode(), is_whole

    def any_export(self, export_id: str) -> Export:
        """Anybody's export."""
        return read_answer(Export, self._http.json("GET", f"v1/farm/exports/{part(export_id)}"))

    def pause_export(self, export_id: str) -> Export:
        """Let nothing more of anybody's export begin."""
        return self._act(export_id, "pause")

    def resume_export(self, export_id: str) -> Export:
        """Let a paused export go on."""
        return self._act(export_id, "resume")

    def cancel_any(self, export_id: str) -> Export:
        """Cancel anybody's export."""
        return self._act(export_id, "cancel")

    def prioritise_any(self, export_id: str, priority: int) -> Export:
        """Let anybody's export come earlier or later."""
        path = f"v1/farm/exports/{part(export_id)}"
        found = self._http.json("PATCH", path, again=True, data={"priority": priority})
        return read_answer(Export, found)

    def drain(self, node_id: str) -> FarmNode:
        """Give a node nothing more; it is empty when ``running`` is 0."""
        return self._drain(node_id, "drain")

    def undrain(self, node_id: str) -> FarmNode:
        """Give a node work again."""
        return self._drain(node_id, "undrain")

    def user_use(self, user_id: str) -> UserUse:
        """What a user has under way and stored, and what he may have."""
        return read_answer(UserUse, self._http.json("GET", f"v1/farm/users/{part(user_id)}"))

    def quota(self, user_id: str) -> QuotaLimits:
        """What a user may have, with the settings where nothing was said for him."""
        found = self._http.json("GET", f"v1/farm/quotas/{part(user_id)}")
        return read_answer(QuotaLimits, found)

    def quotas(self) -> tuple[Quota, ...]:
        """What was said for single users."""
        found: list[Quota] = []
        while True:
            query = {"limit": PAGE, "offset": len(found)}
            page = self._http.json("GET", "v1/farm/quotas", query=query)
            found += (read_answer(Quota, each) for each in page["quotas"])
            if not page["has_more"]:
                return tuple(found)

    def set_quota(
        self,
        user_id: str,
        *,
        running: int | None = None,
        queued: int | None = None,
        stored_bytes: int | None = None,
    ) -> Quota:
        """Say what a user may have; None is what the settings say.

        Args:
            user_id: Who.
            running: Work items under way at a time.
            queued: Exports that have not ended.
            stored_bytes: Uploads and finished videos together.
        """
        data = {"running": running, "queued": queued, "stored_bytes": stored_bytes}
        path = f"v1/farm/quotas/{part(user_id)}"
        return read_answer(Quota, self._http.json("PUT", path, data=data))

    def drop_quota(self, user_id: str) -> None:
        """Let a user have what the settings say."""
        self._http.json("DELETE", f"v1/farm/quotas/{part(user_id)}")

    def _act(self, export_id: str, action: str) -> Export:
        path = f"v1/farm/exports/{part(export_id)}/{action}"
        return read_answer(Export, self._http.json("POST", path, again=True))

    def _drain(self, node_id: str, action: str) -> FarmNode:
        path = f"v1/farm/nodes/{part(node_id)}/{action}"
        return read_answer(FarmNode, self._http.json("POST", path, again=True))
