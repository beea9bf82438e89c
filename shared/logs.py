"""Log lines: an action word and ``key=value`` pairs, for people or as JSON."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any, Final

_EVENT: Final = re.compile(r"([a-z]+(?:_[a-z]+)*)((?: \w+=.*)?)", re.DOTALL)
_PAIR: Final = re.compile(r" (\w+)=(.*?)(?= \w+=|$)", re.DOTALL)
"""A value ends where the next pair begins: the last one may be a sentence."""


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, **bound: Any) -> None:
        """Format.

        Args:
            bound: What every line tells beside its own pairs; None is left out.
        """
        super().__init__()
        self._bound = {name: value for name, value in bound.items() if value is not None}

    def format(self, record: logging.LogRecord) -> str:
        """A record as JSON; its action word and its pairs become fields."""
        message = record.getMessage()
        fields: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
        }
        if event := _EVENT.fullmatch(message):
            fields["event"] = event[1]
            for name, value in _PAIR.findall(event[2]):
                if value != "None":
                    fields.setdefault(name, value)
        fields |= self._bound
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)
