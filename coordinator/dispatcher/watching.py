"""Looking after attempts: what is unwanted, stuck, lost, or late."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, Final

from coordinator.database import transitions, work
from coordinator.dispatcher.desk import Desk
from coordinator.dispatcher.giving import Giving
from coordinator.dispatcher.running import Running, Unsubmitted, attempt_name
from coordinator.dispatcher.stragglers import HELPED, MOST, Ran, is_late
from coordinator.placing import ANY
from coordinator.ports import AttemptStatus
from shared.errors import ClusterError, MidifarmError, RenderError

_log = logging.getLogger(__name__)

_KILL_AGAIN_S: Final = 5.0
_SWEEP_S: Final = 6.0
"""What a killed process has left is removed so long after."""
_GONE_S: Final = 0.5
"""An attempt on a node that has been gone for so long is given up."""
_FORGET_S: Final = 60.0
"""An attempt of whose end nothing is heard for so long after it was killed is given up."""


class Watching:
    """Looks after the attempts under way, for one dispatcher."""

    def __init__(self, desk: Desk, giving: Giving) -> None:
        """Share what a dispatcher has.

        Args:
            desk: What its parts share.
            giving: Begins second attempts.
        """
        self._desk = desk
        self._under_way = desk.under_way
        self._giving = giving
        self._to_sweep_s: float | None = None

    async def look(self, epoch: int) -> None:
        """Look after the attempts under way.

        Args:
            epoch: Of our term.
        """
        now_s = self._desk.clock.now_s()
        if self._under_way:
            status = await self._under_way.call(self._under_way.executor.status)
            self._note(status, now_s)
            await self._give_up_lost(now_s)
            await self._stop_unwanted(now_s)
            exports = await self._desk.telling.tell(self._under_way, now_s)
            await self._help_stragglers(exports, epoch, now_s)
        if self._to_sweep_s is not None and now_s > self._to_sweep_s:
            self._to_sweep_s = None
            await self._under_way.call(self._under_way.executor.sweep)

    def _note(self, status: Mapping[str, AttemptStatus], now_s: float) -> None:
        for running in self._under_way:
            told = status.get(running.name)
            if told is None:
                continue
            if running.started_s is None:
                running.started_s = now_s - max(0.0, self._desk.clock.epoch_s() - told.started_at)
                running.moved_s = now_s
            running.worker = told.worker
            running.note_frames(told.frames, now_s)

    async def _stop_unwanted(self, now_s: float) -> None:
        """Stop what is not wanted any more, and what takes too long."""
        async with self._desk.database.transaction() as connection:
            await self._desk.farm.hear(connection)
            wanted = await work.wanted_attempts(connection, self._under_way.ids)
        await self._under_way.tell_to_stop(
            [
                each
                for each in self._under_way
                if each.id not in wanted or self._desk.farm.is_recalled(each, held=wanted[each.id])
            ]
        )
        await self._under_way.tell_to_stop(self._misplaced())
        slots = {node.id: node.slots for node in self._desk.farm.nodes}
        begun = Counter(each.node for each in self._under_way if each.started_s is not None)
        for running in self._under_way:
            if running.told_s is None:
                is_free = begun[running.node] < slots.get(running.node, 0)
                running.verdict = self._verdict(running, now_s, is_free=is_free)
                if running.verdict is not None:
                    await self._under_way.tell_to_stop([running])
        await self._end_stubborn(now_s)

    def _verdict(self, running: Running, now_s: float, *, is_free: bool) -> MidifarmError | None:
        """Why an attempt is to be stopped, where it is to blame; None where it is not.

        Args:
            running: The attempt.
            now_s: The time.
            is_free: Whether its node has a slot free.
        """
        limits, kind = self._desk.limits, running.item.kind
        if running.started_s is None:
            # Behind others it may wait as long as they take; beside a free slot it is lost.
            if is_free and now_s - running.submitted_s > limits.begin_s:
                return ClusterError(f"No worker has begun it within {limits.begin_s:.0f} s.")
        elif now_s - running.started_s > limits.deadline_of(kind):
            return RenderError(f"It ran for more than {limits.deadline_of(kind):.0f} s.")
        elif kind == "chunk" and now_s - running.moved_s > limits.stall_s:
            return RenderError(f"It drew no frame for {limits.stall_s:.0f} s.")
        return None

    async def _end_stubborn(self, now_s: float) -> None:
        """End the processes of what was told to stop, and does not."""
        stubborn = [
            each
            for each in self._under_way
            if each.told_s is not None
            and now_s - each.told_s >= self._desk.limits.grace_s
            and now_s - each.killed_s >= _KILL_AGAIN_S
        ]
        if stubborn:
            await self._under_way.call(
                self._under_way.executor.kill, [each.name for each in stubborn]
            )
            for each in stubborn:
                each.killed_s = now_s
                if each.told_s is not None and now_s - each.told_s > _FORGET_S:
                    _log.error("attempt_given_up attempt=%s", each.name)
                    self._under_way.drop(each)
            self._to_sweep_s = now_s + _SWEEP_S

    def _misplaced(self) -> list[Running]:
        """What waits on a busy node while a slot that could do it is free elsewhere."""
        places = self._desk.farm.places(self._under_way)
        if not places.room(ANY):
            return []
        there: defaultdict[str, list[Running]] = defaultdict(list)
        for running in self._under_way:
            if running.item.kind != "preview":
                there[running.node].append(running)
        found = []
        for node in self._desk.farm.nodes:
            beyond = len(there[node.id]) - node.slots
            if beyond <= 0:
                continue
            waiting = [
                each for each in there[node.id] if each.started_s is None and each.told_s is None
            ]
            # The last ones: the first will have the slots that are free next.
            found += [
                each
                for each in waiting[::-1][:beyond]
                if places.place(each.item.need, self._giving.avoided(each.item)) is not None
            ]
        return found

    async def _give_up_lost(self, now_s: float) -> None:
        """Give up what is on nodes that are gone: of some, nobody ever hears again."""
        living = {node.id for node in self._desk.farm.nodes}
        for running in self._under_way:
            if running.node in living:
                running.gone_s = None
            elif running.gone_s is None:
                running.gone_s = now_s
            elif now_s - running.gone_s > _GONE_S and running.name not in self._under_way.given_up:
                self._under_way.given_up[running.name] = running.item
                await self._under_way.call(self._under_way.executor.cancel, [running.name])
                gone = ClusterError("The node that the work ran on is lost.")
                self._under_way.unheard.append(Unsubmitted(attempt=running.name, error=gone))

    async def _help_stragglers(
        self, exports: Mapping[str, Mapping[str, Any]], epoch: int, now_s: float
    ) -> None:
        """Begin second attempts of what would end later than these.

        Args:
            exports: How those stand that are being rendered.
            epoch: Of our term.
            now_s: The time.
        """
        if self._desk.farm.orders.paused:
            return
        slow = [
            (running, ran)
            for running in self._under_way
            if running.item.kind in HELPED
            and running.told_s is None
            and not self._under_way.beside(running)
            and running.started_s is not None
            and now_s - running.started_s > self._desk.limits.straggler_s
            and (ran := self._ran(running, exports, now_s)) is not None
            and ran.left_s > 0
        ]
        # A second attempt waits, where it must, behind what another node has next: on a busy farm,
        # a slow one would hold up its export, and its slot, for far longer.
        places = self._desk.farm.places(self._under_way, margin=self._desk.limits.margin + 1)
        for running, ran in sorted(slow, key=lambda each: each[1].left_s, reverse=True):
            need = running.item.need
            avoided = {running.node, *self._giving.avoided(running.item)}
            node = places.find(need, avoided)
            if node is None:
                continue
            is_free = places.is_free(node) and not places.has_waiting(need)
            slowness = places.slowness(node, need)
            if not is_free:
                # Else a busy farm would make again on its fast nodes what its slow ones are at.
                slowness = max(slowness, places.slowness(running.node, need))
            if (
                (node != running.node or is_free)
                and is_late(ran, again_s=ran.usual_s * slowness, is_free=is_free)
                and await self._help(running, node, epoch, now_s)
            ):
                places.place(need, avoided)

    def _ran(
        self, running: Running, exports: Mapping[str, Mapping[str, Any]], now_s: float
    ) -> Ran | None:
        """How an attempt is getting on; None where nothing is known that it could be compared to.

        Args:
            running: The attempt.
            exports: How those stand that are being rendered.
            now_s: The time.
        """
        usual_s = self._usual_s(running, exports)
        if usual_s is None:
            return None
        return Ran(
            still_s=now_s - running.moved_s,
            usual_s=usual_s,
            frames=running.frames - running.first_frames,
            frames_s=running.moved_s - running.first_s,
            frames_left=max(0, (running.size or 0) - running.frames),
        )

    def _usual_s(self, running: Running, exports: Mapping[str, Mapping[str, Any]]) -> float | None:
        """What attempts like this one take; None while that is not known."""
        item, durations = running.item, self._desk.durations
        if item.kind != "chunk":
            return durations.usual_s(item.kind, running.size)
        row = exports.get(item.export_id or "")
        if row is None:
            return None
        return durations.usual_chunk_s(row["id"], few=row["chunks_done"] >= MOST * row["chunks"])

    async def _help(self, slow: Running, node: str, epoch: int, now_s: float) -> bool:
        """Begin a second attempt on a node; False where nothing may begin, as in a pause."""
        async with self._desk.database.transaction() as connection:
            second = await transitions.add_attempt(connection, slow.item.id, epoch)
        if second is None:
            return False
        self._desk.metrics.second_attempts.inc()
        _log.warning("straggler attempt=%s second=%s", slow.name, attempt_name(second))
        self._under_way.failed_on[slow.item.id].add(slow.node)
        await self._giving.submit([Running(second, slow.item, now_s, node)])
        return True
