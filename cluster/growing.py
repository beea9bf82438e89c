"""Asking for more nodes, where the cluster grows and shrinks by itself."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from cluster.node import POOL_RESOURCE, pool_resource

_log = logging.getLogger(__name__)

_AGAIN_S: Final = 30.0
"""A wish is repeated this often: a head that starts again may have forgotten it."""
_LAST_WORD_S: Final = 1.0


def bundles_of(slots: Mapping[str, int]) -> list[dict[str, float]]:
    """What Ray's autoscaler is asked for: one bundle a slot, so that they fit nodes of any size."""
    return [{pool_resource(pool): 1.0} for pool in sorted(slots) for _ in range(slots[pool])]


class Growth:
    """Keeps the autoscaler told of what is wanted; for one thread."""

    def __init__(self, ray: Any) -> None:
        """Nothing is wanted yet, and nothing said of it.

        Args:
            ray: The module, connected.
        """
        self._ray = ray
        self._said: dict[str, int] = {}
        self._said_s: float | None = None
        self._saying: threading.Thread | None = None

    def ask_for(self, slots: Mapping[str, int]) -> None:
        """Ask for as many slots, by pool, unless that was said a moment ago; returns at once."""
        wanted = {pool: count for pool, count in slots.items() if count > 0}
        now_s = time.monotonic()
        is_new = wanted != self._said
        if self._said_s is None:
            is_new = True  # a dispatcher before us may have wanted something else
        elif not is_new and now_s - self._said_s < _AGAIN_S:
            return
        if self._saying is not None and self._saying.is_alive():
            return  # Ray is in trouble: it is told what is wanted then
        self._said, self._said_s = wanted, now_s
        self._saying = threading.Thread(
            target=self._say, args=(wanted, is_new), name="growth", daemon=True
        )
        self._saying.start()

    def close(self) -> None:
        """Wait a moment until what was asked for last has been said."""
        if self._saying is not None:
            self._saying.join(_LAST_WORD_S)

    def _say(self, wanted: Mapping[str, int], is_new: bool) -> None:
        from ray.autoscaler.sdk import request_resources

        try:
            if not self._can_grow():
                return
            request_resources(bundles=bundles_of(wanted))
        except Exception as exc:  # Ray raises many kinds; it is asked again in a while
            _log.warning("growth_not_asked_for error=%r", exc)
            return
        if is_new:
            told = ",".join(f"{pool}:{count}" for pool, count in sorted(wanted.items()))
            _log.info("growth_asked_for slots=%s", told or "none")

    def _can_grow(self) -> bool:
        """Whether an autoscaler runs, or a node was started for one."""
        from ray._private.ray_constants import DEBUG_AUTOSCALING_STATUS
        from ray.autoscaler.v2.utils import is_autoscaler_v2
        from ray.experimental.internal_kv import _internal_kv_get

        if any(name.startswith(POOL_RESOURCE) for name in self._ray.cluster_resources()):
            return True
        return is_autoscaler_v2() or _internal_kv_get(DEBUG_AUTOSCALING_STATUS) is not None
