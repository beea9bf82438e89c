"""What an hour of a slot costs, by pool: as the operator says it in one line."""

from __future__ import annotations

import math

from shared.pools import is_pool_name


def parse_prices(text: str) -> dict[str, float]:
    """Prices by pool from a line like ``default=0.04,gpu=1.20``; none from an empty one.

    Raises:
        ValueError: It is no such line.
    """
    prices: dict[str, float] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        pool, _, said = part.partition("=")
        price = float(said)
        if not is_pool_name(pool) or pool in prices or not 0 <= price < math.inf:
            raise ValueError(f"{part!r} is no price of a pool.")
        prices[pool] = price
    return prices
