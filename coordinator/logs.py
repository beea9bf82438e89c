"""Where the log of a process goes, and in which form."""

from __future__ import annotations

import logging
import sys
from typing import Literal

from shared.logs import JsonFormatter


def configure_logging(form: Literal["text", "json"]) -> None:
    """Write this process's log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter()
        if form == "json"
        else logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # They tell of every request that we make.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It tells of every try to connect, which whoever waits for it tells once.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
