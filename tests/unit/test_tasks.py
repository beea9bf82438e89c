"""Ending tasks, also those that lose a cancellation."""

from __future__ import annotations

import asyncio

from coordinator.tasks import end_tasks


def test_a_task_that_loses_cancellations_is_ended_all_the_same() -> None:
    async def main() -> None:
        lost = 0

        async def deaf() -> None:
            nonlocal lost
            while lost < 2:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    lost += 1
            await asyncio.Event().wait()

        async def broken() -> None:
            raise ValueError("whatever it was")

        tasks = [asyncio.create_task(deaf()), asyncio.create_task(broken())]
        await asyncio.sleep(0)
        await end_tasks(tasks)
        assert lost == 2
        assert all(task.done() for task in tasks)
        await end_tasks(tasks)  # a second time does no harm
        await end_tasks([])

    asyncio.run(main())
