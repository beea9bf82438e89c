"""What moving numbers are bound to: the value of each signal at a moment, by its name."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Final

import numpy as np

from workers.layers.scene import Indices, Moment, Scene

_HIT_DECAY_S: Final = 0.15
"""Time in which ``hit`` falls to a third (1/e)."""
_BUSY: Final = 12.0
"""Full strikes a second at which ``activity`` is at two thirds (1 - 1/e)."""


class Signals:
    """The values of ``shared.animation.SIGNALS`` at one moment; each is computed when asked for."""

    def __init__(self, scene: Scene, moment: Moment) -> None:
        """Look at a scene at a moment."""
        self._scene, self._moment = scene, moment
        self._known: dict[str, float] = {}

    def __call__(self, name: str) -> float:
        """The value of a signal, by its name in ``shared.animation.SIGNALS``."""
        if name not in self._known:
            self._known[name] = float(getattr(self, f"_{name}"))
        return self._known[name]

    @property
    def _time(self) -> float:
        return self._moment.video_s

    @property
    def _song(self) -> float:
        return self._moment.song_s

    @property
    def _progress(self) -> float:
        end_s = max(self._scene.song.end_s, 1e-9)
        return min(max(self._moment.song_s / end_s, 0.0), 1.0)

    @property
    def _beat(self) -> float:
        return self._scene.music.beat(self._moment.song_s)

    @property
    def _bar(self) -> float:
        return self._scene.music.bar(self._moment.song_s)

    @cached_property
    def _sounding(self) -> Indices:
        now = self._moment.song_s
        return self._scene.notes.visible(now, float(np.nextafter(now, math.inf)))

    @property
    def _notes(self) -> float:
        return len(self._sounding)

    @property
    def _pitch(self) -> float:
        keys = self._scene.layout.keys
        sounding = self._scene.notes.key[self._sounding]
        if len(sounding) == 0:
            return 0.5
        span = max(keys.high - keys.low, 1)
        return min(max((float(sounding.mean()) - keys.low) / span, 0.0), 1.0)

    @property
    def _activity(self) -> float:
        now = self._moment.song_s
        notes = self._scene.notes
        index = notes.started(now - 1.0, float(np.nextafter(now, math.inf)))
        # A strike counts less the longer ago it is, so that none leaves at once.
        weight = (1.0 - (now - notes.start_s[index])) * (notes.velocity[index] / 127)
        return 1.0 - math.exp(-2.0 * float(weight.sum()) / _BUSY)

    @property
    def _hit(self) -> float:
        now = self._moment.song_s
        notes = self._scene.notes
        index = notes.started(now - 8 * _HIT_DECAY_S, float(np.nextafter(now, math.inf)))
        if len(index) == 0:
            return 0.0
        since_s = now - notes.start_s[index]
        return float((np.exp(-since_s / _HIT_DECAY_S) * notes.velocity[index] / 127).max())

    @property
    def _pedal(self) -> float:
        return float(self._scene.music.pedal_down(self._moment.song_s))

    @property
    def _sound_s(self) -> float:
        return self._scene.sound_s(self._moment)

    @property
    def _level(self) -> float:
        hearing = self._scene.hearing
        return hearing.level_at(self._sound_s) if hearing else 0.0

    @property
    def _bass(self) -> float:
        hearing = self._scene.hearing
        return hearing.bass_at(self._sound_s) if hearing else 0.0

    @property
    def _mid(self) -> float:
        hearing = self._scene.hearing
        return hearing.mid_at(self._sound_s) if hearing else 0.0

    @property
    def _treble(self) -> float:
        hearing = self._scene.hearing
        return hearing.treble_at(self._sound_s) if hearing else 0.0
