"""The layers: each draws one visual element as a pure function of (composition, time)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from shared.composition import (
    BackgroundLayer,
    BeamLayer,
    ChordsLayer,
    GridLayer,
    HitFlashLayer,
    ImageLayer,
    KeyboardLayer,
    LyricsLayer,
    ParticlesLayer,
    PianoRollLayer,
    ProgressLayer,
    ScoreLayer,
    ShockwaveLayer,
    SkyLayer,
    SpectrumLayer,
    TextLayer,
    TitleLayer,
    TrailLayer,
    WaveformLayer,
)
from shared.composition import Layer as LayerSettings
from workers.gl.paintbox import Paintbox
from workers.layers.background import Background
from workers.layers.beams import Beams
from workers.layers.chords import Chords
from workers.layers.grid import Grid
from workers.layers.hit_flash import HitFlash
from workers.layers.keyboard import Keyboard
from workers.layers.lyrics import Lyrics
from workers.layers.particles import Particles
from workers.layers.piano_roll import PianoRoll
from workers.layers.picture import Picture
from workers.layers.progress import Progress
from workers.layers.scene import Layer, Moment, Scene, prepare_scene
from workers.layers.score import Score
from workers.layers.shockwave import Shockwave
from workers.layers.sky import Sky
from workers.layers.spectrum import Spectrum
from workers.layers.text import Text
from workers.layers.title import Title
from workers.layers.trails import Trails
from workers.layers.waveform import make_waveform

__all__ = ["LAYERS", "Layer", "Moment", "Scene", "make_layer", "prepare_scene"]

LAYERS: Final[Mapping[type[LayerSettings], Callable[[Paintbox, Scene, Any], Layer]]] = (
    MappingProxyType(
        {
            BackgroundLayer: Background,
            BeamLayer: Beams,
            ChordsLayer: Chords,
            GridLayer: Grid,
            HitFlashLayer: HitFlash,
            ImageLayer: Picture,
            KeyboardLayer: Keyboard,
            LyricsLayer: Lyrics,
            ParticlesLayer: Particles,
            PianoRollLayer: PianoRoll,
            ProgressLayer: Progress,
            ScoreLayer: Score,
            ShockwaveLayer: Shockwave,
            SkyLayer: Sky,
            SpectrumLayer: Spectrum,
            TextLayer: Text,
            TitleLayer: Title,
            TrailLayer: Trails,
            WaveformLayer: make_waveform,
        }
    )
)
"""What draws the settings of each kind."""


def make_layer(paintbox: Paintbox, scene: Scene, settings: LayerSettings) -> Layer:
    """The layer that draws what the settings describe."""
    return LAYERS[type(settings)](paintbox, scene, settings)
