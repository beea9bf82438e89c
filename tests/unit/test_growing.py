"""What Ray's autoscaler is asked for, and how often."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.growing import Growth, bundles_of
from cluster.node import pool_resource


@pytest.mark.parametrize(
    ("slots", "bundles"),
    [
        ({}, []),
        ({"default": 0}, []),
        ({"default": 2}, [{"midifarm_pool_default": 1.0}] * 2),
        (
            {"night": 1, "4k-gpu": 2},
            [{"midifarm_pool_4k_gpu": 1.0}] * 2 + [{"midifarm_pool_night": 1.0}],
        ),
    ],
)
def test_each_slot_is_a_bundle_of_its_pool(slots: dict[str, int], bundles: list[Any]) -> None:
    assert bundles_of(slots) == bundles


class Autoscaler:
    """Hears what is asked for."""

    def __init__(self) -> None:
        """Nothing was."""
        self.asked: list[int] = []
        self.error: Exception | None = None
        self.now_s = 1000.0

    def request(self, bundles: list[dict[str, float]]) -> None:
        """See ray.autoscaler.sdk.request_resources."""
        self.asked.append(len(bundles))
        if self.error:
            raise self.error


@pytest.fixture
def autoscaler(monkeypatch: pytest.MonkeyPatch) -> Autoscaler:
    autoscaler = Autoscaler()
    monkeypatch.setattr("ray.autoscaler.sdk.request_resources", autoscaler.request)
    monkeypatch.setattr(time, "monotonic", lambda: autoscaler.now_s)
    return autoscaler


def asker(resource: str) -> Callable[[dict[str, int]], None]:
    """Asks, and waits until that was said, in a cluster that offers a resource."""
    growth = Growth(SimpleNamespace(cluster_resources=lambda: {"CPU": 2.0, resource: 4.0}))

    def ask(slots: dict[str, int]) -> None:
        growth.ask_for(slots)
        growth.close()

    return ask


def test_a_wish_is_told_when_it_changes_and_now_and_then(autoscaler: Autoscaler) -> None:
    ask = asker(pool_resource("default"))
    for slots in ({}, {"default": 3}, {"default": 3}, {"default": 3, "night": 0}, {"default": 4}):
        ask(slots)
    assert autoscaler.asked == [0, 3, 4]
    autoscaler.now_s += 29
    ask({"default": 4})
    assert autoscaler.asked == [0, 3, 4]
    autoscaler.now_s += 2
    ask({"default": 4})
    ask({"default": 4})
    ask({})
    assert autoscaler.asked == [0, 3, 4, 4, 0]


def test_ray_in_trouble_is_asked_again(autoscaler: Autoscaler) -> None:
    ask = asker(pool_resource("default"))
    autoscaler.error = RuntimeError("no head")
    ask({"default": 3})
    autoscaler.error = None
    ask({"default": 3})
    autoscaler.now_s += 31
    ask({"default": 3})
    assert autoscaler.asked == [3, 3]


def test_a_cluster_that_cannot_grow_is_not_asked(
    autoscaler: Autoscaler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ray.autoscaler.v2.utils.is_autoscaler_v2", lambda: False)
    monkeypatch.setattr("ray.experimental.internal_kv._internal_kv_get", lambda key: None)
    asker("encoder")({"default": 3})
    assert autoscaler.asked == []
