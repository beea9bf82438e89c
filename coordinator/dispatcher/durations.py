"""How long work takes on this farm, as far as it was seen. Pure bookkeeping."""

from __future__ import annotations

import statistics
from collections import OrderedDict, defaultdict, deque
from collections.abc import Mapping
from typing import Final, NamedTuple, TypeVar

T = TypeVar("T")

_FEW: Final = 3
"""Chunks of an export, or on a node, from which on they say what is usual there."""
_SOME: Final = 10
"""Items of another kind, of any export, from which on they say what is usual."""
_LATEST: Final = 50
"""Of an export or a kind, so many are remembered."""
_LATEST_OF_NODE: Final = 9
"""The same of a node, which may become faster."""
_REMEMBERED: Final = 5000
"""Exports, and nodes."""
_LEAST_S: Final = 0.1
"""What takes less counts as much where nodes are compared."""


class _Took(NamedTuple):
    seconds: float
    size: int | None


class Durations:
    """What attempts took: by export, by kind, and by node."""

    def __init__(self) -> None:
        """Nothing has been seen."""
        self._chunks: OrderedDict[str, deque[float]] = OrderedDict()
        """By export."""
        self._others: defaultdict[str, deque[_Took]] = defaultdict(lambda: deque(maxlen=_LATEST))
        """By kind."""
        self._ratios: OrderedDict[str, deque[float]] = OrderedDict()
        """How long chunks took on a node, by what is usual in their exports."""
        self._slowness: dict[str, float] = {}

    @property
    def slowness(self) -> Mapping[str, float]:
        """How much longer than usual chunks take on nodes, by node; 2 is half as fast.

        What is usual is the median of the same export, wherever its chunks were made.
        """
        return self._slowness

    def note_chunk(self, export_id: str, node: str | None, seconds: float) -> None:
        """Note how long a chunk took, and where."""
        usual_s = self.usual_chunk_s(export_id)
        if node is not None and usual_s is not None:
            self._note_node(node, seconds, usual_s)
        _recent(self._chunks, export_id, _LATEST).append(seconds)

    def note_overtaken(self, export_id: str, node: str, seconds: float) -> None:
        """Note that a chunk was not done on a node after so long, when it was done elsewhere.

        On a node that is always overtaken nothing is ever done.
        """
        usual_s = self.usual_chunk_s(export_id, few=True)
        if usual_s is not None and seconds > usual_s:
            self._note_node(node, seconds, usual_s)

    def note(self, kind: str, size: int | None, seconds: float) -> None:
        """Note how long something else took.

        Args:
            kind: Of the work item.
            size: How much it made, in whatever unit that kind has; None where that is not known.
            seconds: From its beginning to its end.
        """
        self._others[kind].append(_Took(seconds, size))

    def usual_chunk_s(self, export_id: str, *, few: bool = False) -> float | None:
        """What a chunk of an export usually takes; None while that is not known.

        Args:
            export_id: Of the export.
            few: Whether a single chunk says enough, since there are not many more.
        """
        took = self._chunks.get(export_id, ())
        return statistics.median(took) if len(took) >= (1 if few else _FEW) else None

    def usual_s(self, kind: str, size: int | None) -> float | None:
        """What another kind of work item usually takes; None while that is not known.

        Args:
            kind: Of the work item.
            size: As in note(): what takes long because it is large is nothing unusual.
        """
        took = self._others[kind]
        if len(took) < _SOME:
            return None
        if size:
            rates = [each.seconds / each.size for each in took if each.size]
            return size * statistics.median(rates) if rates else None
        # Which of them are large is not known: nine of ten take less than this.
        return statistics.quantiles([each.seconds for each in took], n=10)[-1]

    def _note_node(self, node: str, seconds: float, usual_s: float) -> None:
        ratios = _recent(self._ratios, node, _LATEST_OF_NODE)
        ratios.append(max(seconds, _LEAST_S) / max(usual_s, _LEAST_S))
        if len(ratios) >= _FEW:
            self._slowness[node] = statistics.median(ratios)
        if len(self._ratios) == _REMEMBERED:  # so one may have been forgotten
            for gone in self._slowness.keys() - self._ratios.keys():
                del self._slowness[gone]


def _recent(kept: OrderedDict[str, deque[T]], key: str, most: int) -> deque[T]:
    """What is known of a key; those that were asked for longest ago are forgotten."""
    found = kept.setdefault(key, deque(maxlen=most))
    kept.move_to_end(key)
    if len(kept) > _REMEMBERED:
        kept.popitem(last=False)
    return found
