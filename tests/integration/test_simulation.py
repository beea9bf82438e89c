"""A small simulated farm meets the targets of a large one; what happens follows from the seed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.simulation.cluster import Faults
from tests.simulation.figures import DUPLICATES, FAIRNESS, MAKESPAN
from tests.simulation.run import Setting, simulate

pytestmark = pytest.mark.services

SMALL = Setting(
    users=12,
    exports=150,
    mean_s=30.0,
    cost=0.13,
    nodes=20,
    slots=1,
    faults=Faults(lost_per_hour=2.0),
)


def test_a_farm_of_mixed_nodes_is_used_fairly_and_hardly_anything_is_done_twice(
    embedded_database_url: str, tmp_path: Path
) -> None:
    result = asyncio.run(simulate(embedded_database_url, tmp_path, SMALL))
    print(result.as_dict())  # noqa: T201  # what is wrong, where something is
    assert result.statuses == {"completed": SMALL.exports}
    assert result.failures >= 1
    assert result.figures.ratio <= MAKESPAN
    assert result.figures.fairness >= FAIRNESS
    assert result.figures.duplicates <= DUPLICATES
