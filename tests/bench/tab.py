"""A browser's tab whose work is measured: time until it is of use, bytes, frames, memory."""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from playwright.sync_api import BrowserContext

from tests.bench.load import percentile

_RECORDER: Final = (Path(__file__).parent / "recorder.js").read_text("utf-8")
_WITHIN_S: Final = 30.0
_QUIET_S: Final = 0.5
_TURN_MS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """How a page came to be of use."""

    usable_ms: float
    """From the navigation until somebody could use it."""
    requests: int
    """That it made until it was quiet."""
    received_bytes: int
    """Over the wire, with headers."""

    @classmethod
    def typical(cls, found: list[Self]) -> Self:
        """The median of each figure."""
        return cls(
            usable_ms=statistics.median(each.usable_ms for each in found),
            requests=int(statistics.median(each.requests for each in found)),
            received_bytes=int(statistics.median(each.received_bytes for each in found)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Went:
    """How smoothly a page went on for a while."""

    seconds: float
    """How long."""
    frame_ms: float
    """Median of the times between two frames."""
    frame_p95_ms: float
    """What 95 % of them do not exceed."""
    frame_max_ms: float
    """The longest."""
    long_tasks: int
    """Tasks of more than 50 ms, during which nothing answers."""
    longest_task_ms: float
    """The longest of them; 0 where there was none."""
    task_share: float
    """Of the main thread, for everything."""
    script_share: float
    """Of the main thread, for scripts."""
    layout_share: float
    """Of the main thread, for styles and layout."""
    requests_per_s: float
    """That the page made."""
    heap_mb: tuple[float, float]
    """What scripts held at the beginning and at the end."""
    nodes: int
    """In the document at the end, as the browser counts them."""


class Tab:
    """A tab with the tools of a developer open."""

    def __init__(self, context: BrowserContext) -> None:
        """Open an empty one."""
        self.page = context.new_page()
        self._tools = context.new_cdp_session(self.page)
        self._requests = 0
        self._bytes = 0
        self._heard_s = time.monotonic()
        self._tools.on("Network.requestWillBeSent", self._note_request)
        self._tools.on("Network.loadingFinished", self._note_end)
        self._tools.send("Network.enable")
        # Time of the processor, which others that use the machine do not lengthen.
        self._tools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def _note_request(self, _: dict[str, Any]) -> None:
        self._requests += 1
        self._heard_s = time.monotonic()

    def _note_end(self, told: dict[str, Any]) -> None:
        self._bytes += int(told["encodedDataLength"])
        self._heard_s = time.monotonic()

    def open(self, url: str, usable: str) -> Opened:
        """Go to an address, and wait until an element there can be used and nothing comes any more.

        Args:
            url: The address; another document than the one that is shown.
            usable: The selector of the element.
        """
        self.page.goto("about:blank")
        self._requests = self._bytes = 0
        script = f"{_RECORDER}\nbench.watch({json.dumps(usable)});"
        self._tools.send("Page.enable")
        added = self._tools.send("Page.addScriptToEvaluateOnNewDocument", {"source": script})
        self.page.goto(url)
        until_s = time.monotonic() + _WITHIN_S
        # The page's policy lets nobody wait for a function, which would have to be evaluated.
        while (usable_ms := self.page.evaluate("bench.usableMs")) is None:
            assert time.monotonic() < until_s
            self.page.wait_for_timeout(_TURN_MS)
        while time.monotonic() - self._heard_s < _QUIET_S:
            self.page.wait_for_timeout(_TURN_MS)
        self._tools.send("Page.removeScriptToEvaluateOnNewDocument", added)
        return Opened(usable_ms=usable_ms, requests=self._requests, received_bytes=self._bytes)

    def go_on(self, seconds: float, act: Callable[[], None] | None = None) -> Went:
        """Measure for a while.

        Args:
            seconds: How long.
            act: What is done again and again meanwhile; nothing without it.
        """
        before, heap = self._metrics(), self._heap_mb()
        requests, began_s = self._requests, time.monotonic()
        self.page.evaluate("bench.record()")
        while time.monotonic() - began_s < seconds:
            if act is not None:
                act()
            self.page.wait_for_timeout(_TURN_MS)
        told = self.page.evaluate("bench.stop()")
        took_s = time.monotonic() - began_s
        requests = self._requests - requests
        after, heap_after = self._metrics(), self._heap_mb()

        def share(*names: str) -> float:
            return sum(after[name] - before[name] for name in names) / took_s

        return Went(
            seconds=took_s,
            frame_ms=statistics.median(told["frames"]),
            frame_p95_ms=percentile(told["frames"], 0.95),
            frame_max_ms=max(told["frames"]),
            long_tasks=len(told["tasks"]),
            longest_task_ms=max(told["tasks"], default=0.0),
            task_share=share("TaskDuration"),
            script_share=share("ScriptDuration"),
            layout_share=share("LayoutDuration", "RecalcStyleDuration"),
            requests_per_s=requests / took_s,
            heap_mb=(heap, heap_after),
            nodes=int(self._metrics()["Nodes"]),
        )

    def scroll(self, pixels: float, back_after_s: float = math.inf) -> None:
        """Turn the mouse's wheel.

        Args:
            pixels: How far.
            back_after_s: Down for so long, and as long up again, by the clock.
        """
        is_back = time.monotonic() // back_after_s % 2 == 1
        self.page.mouse.wheel(0, -pixels if is_back else pixels)

    def _metrics(self) -> dict[str, float]:
        told = self._tools.send("Performance.getMetrics")["metrics"]
        return {each["name"]: each["value"] for each in told}

    def _heap_mb(self) -> float:
        self._tools.send("HeapProfiler.collectGarbage")
        return self._metrics()["JSHeapUsedSize"] / 1e6

    @contextmanager
    def profiled(self, target: Path) -> Iterator[None]:
        """Keep what scripts did as a profile, for the developer tools of a browser."""
        self._tools.send("Profiler.enable")
        self._tools.send("Profiler.start")
        yield
        profile = self._tools.send("Profiler.stop")["profile"]
        target.write_text(json.dumps(profile))
