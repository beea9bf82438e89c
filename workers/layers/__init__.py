"""The layers: each draws one visual element as a pure function of (composition, time)."""

from __future__ import annotations

import moderngl

from shared.composition import (
    BackgroundLayer,
    GridLayer,
    HitFlashLayer,
    KeyboardLayer,
    PianoRollLayer,
    TitleLayer,
)
from shared.composition import Layer as LayerSettings
from workers.layers.background import Background
from workers.layers.grid import Grid
from workers.layers.hit_flash import HitFlash
from workers.layers.keyboard import Keyboard
from workers.layers.piano_roll import PianoRoll
from workers.layers.scene import Layer, Moment, Scene, prepare_scene
from workers.layers.title import Title

__all__ = ["Layer", "Moment", "Scene", "make_layer", "prepare_scene"]


def make_layer(context: moderngl.Context, scene: Scene, settings: LayerSettings) -> Layer:
    """The layer that draws what the settings describe."""
    match settings:
        case BackgroundLayer():
            return Background(context, scene, settings)
        case GridLayer():
            return Grid(context, scene, settings)
        case PianoRollLayer():
            return PianoRoll(context, scene, settings)
        case KeyboardLayer():
            return Keyboard(context, scene, settings)
        case HitFlashLayer():
            return HitFlash(context, scene, settings)
        case TitleLayer():
            return Title(context, scene, settings)
