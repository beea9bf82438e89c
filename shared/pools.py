"""Pools: which nodes of a farm an export may be rendered on, by name. Pure."""

from __future__ import annotations

import re
from typing import Final

DEFAULT_POOL: Final = "default"
"""The pool of nodes and exports of which nothing else was said."""
POOL_PATTERN: Final = r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$"
"""What names look like; the database and Kubernetes' labels take them as they are."""
_NAME: Final = re.compile(POOL_PATTERN.removesuffix("$") + r"\Z")


def is_pool_name(name: str) -> bool:
    """Whether a pool can be called so."""
    return _NAME.match(name) is not None


def parse_pools(text: str) -> tuple[str, ...]:
    """Names of pools, separated by commas, each once and in their order.

    Raises:
        ValueError: A pool cannot be called so; says how it can.
    """
    names = [name.strip() for name in text.split(",")]
    found = tuple(dict.fromkeys(name for name in names if name))
    for name in found:
        if not is_pool_name(name):
            raise ValueError(
                f"{name[:40]!r} is no name of a pool: up to 32 small letters, digits and hyphens, "
                "and no hyphen at either end"
            )
    return found
