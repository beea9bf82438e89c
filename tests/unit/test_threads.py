"""Work beside an event loop."""

from __future__ import annotations

import asyncio
import threading

from coordinator.threads import beside


def test_much_is_done_in_a_thread_and_little_at_once() -> None:
    async def main() -> None:
        assert await beside(1, threading.current_thread) is threading.main_thread()
        assert await beside(10_000, threading.current_thread) is not threading.main_thread()
        assert await beside(10_000, divmod, 7, 2) == (3, 1)

    asyncio.run(main())
