"""Telling traces of what a worker does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from pydantic import BaseModel

from cluster.errand import Errand
from shared.traces import Span, Tracer


@cache
def _tracer(url: str) -> Tracer:
    return Tracer(url, "midifarm-worker")


@contextmanager
def traced(errand: Errand, worker: str) -> Iterator[Callable[[BaseModel], None]]:
    """Tell a span of what happens inside the block; it gives what is called with the report."""
    if errand.traces_url is None or errand.export is None:
        yield lambda _: None
        return
    tracer, start_s = _tracer(errand.traces_url), time.time()
    facts: dict[str, Any] = {
        "kind": errand.kind,
        "chunk": errand.chunk,
        "attempt": errand.attempt,
        "worker": worker,
    }
    error: str | None = None

    def add_report(report: BaseModel) -> None:
        # What took how long, how many frames there are: no keys and no hashes.
        facts.update({name: value for name, value in report if isinstance(value, int | float)})

    try:
        yield add_report
    except BaseException as exc:
        error = str(exc) or type(exc).__name__
        raise
    finally:
        tracer.tell(
            Span(
                name="work",
                export=errand.export,
                place=("work", errand.attempt),
                parent=("attempt", errand.attempt),
                start_s=start_s,
                end_s=time.time(),
                facts=facts,
                error=error,
            )
        )
