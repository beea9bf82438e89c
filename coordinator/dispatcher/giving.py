"""Giving out work: what waits is chosen, put on nodes, claimed and submitted."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Final

from pydantic import ValidationError

from coordinator.database import transitions, work
from coordinator.dispatcher.choosing import Placed, Turns, Waiting, choose
from coordinator.dispatcher.desk import Desk
from coordinator.dispatcher.running import Running, Unsubmitted, size_of
from coordinator.placing import ANY, Places
from coordinator.ports import Item
from shared.errors import ClusterLostError, CompositionError, DatabaseError, StorageError
from shared.storage import ObjectStore

_log = logging.getLogger(__name__)

_ODD_REST_S: Final = 60.0
_STORE_ANSWER_S: Final = 3.0
_STORE_REST_S: Final = 5.0
_SERVED: Final = 1000
"""Users of whom it is known when they were served last; the database is told of all of them."""


class Giving:
    """Gives work to nodes, for one dispatcher."""

    def __init__(self, desk: Desk, store: ObjectStore) -> None:
        """Share what a dispatcher has.

        Args:
            desk: What its parts share.
            store: Where results stand that are found again.
        """
        self._desk = desk
        self._under_way = desk.under_way
        self._store = store
        self._served: dict[str, int] = {}
        self._store_silent_s = 0.0

    def forget_old(self) -> None:
        """Forget who was served long ago."""
        while len(self._served) > _SERVED:
            self._served.pop(next(iter(self._served)))

    async def fill(self, epoch: int) -> int:
        """Begin as much as there is room for.

        Args:
            epoch: Of our term.

        Returns:
            How much that was.
        """
        shown: list[Waiting] = []
        queued: list[Waiting] = []
        async with self._desk.database.transaction() as connection:
            await self._desk.farm.hear(connection)
            if self._desk.farm.orders.paused:
                return 0
            places, turns = self._places(), self._turns()
            if places.slots and self._previews() < self._desk.limits.previews_of(places.slots):
                shown = await work.list_previews(connection)
            for pool in (ANY, *places.pools):
                if room := places.room(pool):
                    queued += await work.list_waiting(
                        connection,
                        pool=pool,
                        engines=places.engines_with_room(pool),
                        limit=room,
                        turns=turns,
                    )
        if not shown and not queued:
            return 0
        chosen = [
            *choose(shown, self._place_beside(places), turns),
            *choose(queued, lambda item: places.place(item.need, self.avoided(item)), turns),
        ]
        to_make: list[Placed] = []
        for item, node in chosen:
            try:
                if item.found_key is None or not await self._is_found(item, item.found_key):
                    to_make.append((item, node))
            except (DatabaseError, ClusterLostError):
                raise
            except Exception:
                _log.exception("item_refused item=%d export=%s", item.id, item.export_id)
                async with self._desk.database.transaction() as connection:
                    await transitions.postpone_item(connection, item.id, _ODD_REST_S)
        await self._begin(to_make, epoch)
        return len(chosen)

    def _turns(self) -> Turns:
        """Whose turn it is, by what is under way."""
        # A second attempt beside a slow one is no second item.
        items = {each.item.id: each.item for each in self._under_way}
        return Turns(
            running=Counter(each.item.user_id for each in self._under_way),
            counted=Counter(item.user_id for item in items.values() if item.rank > 0),
            served=self._served,
            most=self._desk.farm.most,
        )

    def _places(self) -> Places:
        """The slots, and what they are at."""
        return self._desk.farm.places(self._under_way, margin=self._desk.limits.margin)

    def _place_beside(self, places: Places) -> Callable[[Waiting], str | None]:
        """Puts previews on nodes, as many as the farm makes at a time."""
        under_way = Counter(each.node for each in self._under_way if each.item.kind == "preview")
        most = self._desk.limits.previews_of(places.slots)

        def place(item: Waiting) -> str | None:
            if under_way.total() >= most:
                return None
            node = places.beside(under_way, self.avoided(item))
            if node is not None:
                under_way[node] += 1
            return node

        return place

    def _previews(self) -> int:
        """Previews under way."""
        return sum(each.item.kind == "preview" for each in self._under_way)

    def avoided(self, item: Waiting) -> set[str]:
        """Nodes that an item had better not be put on."""
        resting = self._desk.suspects.resting_nodes(self._desk.clock.now_s())
        return {*resting, *self._under_way.failed_on.get(item.id, ())}

    async def _is_found(self, item: Waiting, key: str) -> bool:
        """Whether an item needs no worker: its result stands already, or may do so.

        Args:
            item: Which.
            key: Of the object that is its result.
        """
        # A segment that does not stand is noticed by the stitch; a video would be by nobody.
        shown = item.kind in ("stitch", "preview")
        stands = await self._stands(key) if shown else True
        async with self._desk.database.transaction() as connection:
            if stands is None:
                await transitions.postpone_item(connection, item.id, _STORE_REST_S)
            elif stands:
                await transitions.reuse_item(
                    connection, item.id, item.export_id, self._desk.limits.retention_s
                )
            else:
                await transitions.forget_artifact(connection, key)
        return stands is not False

    async def _stands(self, key: str) -> bool | None:
        """Whether an object is in the store; None where the store does not say so soon."""
        if self._desk.clock.now_s() < self._store_silent_s:
            return None
        try:
            return await asyncio.wait_for(
                self._desk.janitor.in_thread(self._store.exists, key), _STORE_ANSWER_S
            )
        except (TimeoutError, StorageError) as exc:
            _log.warning("store_does_not_answer key=%s error=%r", key, exc)
            self._store_silent_s = self._desk.clock.now_s() + _STORE_REST_S
            return None

    async def _begin(self, chosen: Sequence[Placed], epoch: int) -> None:
        """Begin items on their nodes, but for those that wait no more."""
        if not chosen:
            return
        async with self._desk.database.transaction() as connection:
            claimed = await transitions.claim_items(
                connection, {item.id: item.export_id for item, _ in chosen}, epoch
            )
        now_s = self._desk.clock.now_s()
        begun = [
            Running(claimed[item.id], item, now_s, node)
            for item, node in chosen
            if item.id in claimed
        ]
        for running in begun:
            self._desk.metrics.began(running.item.kind, running.item.waited_s)
        await self.submit(begun)

    async def submit(self, attempts: Sequence[Running]) -> None:
        """Have attempts made by their nodes."""
        told: list[tuple[Running, Item]] = []
        for running in attempts:
            # Ours from here on: what goes wrong now is told by its outcome or by a successor.
            self._under_way.keep(running)
        for place, running in enumerate(attempts):
            try:
                spec = await self._desk.briefing.spec(running.item, running.name)
            except ValidationError as exc:
                unreadable = CompositionError(f"This version cannot read the work item: {exc}")
                self._under_way.unheard.append(Unsubmitted(attempt=running.name, error=unreadable))
                continue
            except DatabaseError:
                # No worker will ever hear of these: to be freed with what leaders before have lost.
                for unheard in attempts[place:]:
                    self._under_way.drop(unheard)
                await self._under_way.call(self._submit_all, told)
                raise
            running.size = size_of(spec)
            told.append((running, spec))
            _log.info(
                "attempt_submitted attempt=%s kind=%s export=%s chunk=%s node=%s",
                running.name,
                running.item.kind,
                running.item.export_id,
                running.item.chunk_index,
                running.node,
            )
        await self._under_way.call(self._submit_all, told)

    def _submit_all(self, told: Collection[tuple[Running, Item]]) -> None:
        for running, spec in told:
            self._under_way.executor.submit(
                running.name, spec, running.node, running.item.export_id
            )
