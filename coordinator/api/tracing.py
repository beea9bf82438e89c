"""Telling traces of what the API did for exports: it accepted them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from shared.traces import Span, Tracer

_MOST: Final = 100
"""Of one request: a batch of thousands is told in part, and everything else of each export."""


def tell_accepted(tracer: Tracer | None, ids: Sequence[str], begun_s: float) -> None:
    """Tell that exports are accepted.

    Args:
        tracer: Told of it; None tells nobody.
        ids: Of the exports.
        begun_s: When it was begun to look at the request: seconds since the epoch.
    """
    if tracer is None:
        return
    for export in ids[:_MOST]:
        tracer.tell(
            Span(
                name="accept",
                export=export,
                place=("accept",),
                start_s=begun_s,
                end_s=time.time(),
                facts={"exports": len(ids)},
            )
        )
