"""What branding lays over a composition, from the back to the front."""

from __future__ import annotations

from shared.codecs import has_alpha
from shared.plan import Picture
from workers.gl.paintbox import Paintbox
from workers.layers.end_card import EndCardLayer
from workers.layers.fade_out import FadeOut
from workers.layers.scene import Layer, Scene
from workers.layers.watermark import WatermarkLayer


def branding_layers(paintbox: Paintbox, scene: Scene, picture: Picture) -> list[Layer]:
    """The watermark, the fade to black and the end card, as far as a picture has them."""
    layers: list[Layer] = []
    branding = picture.branding
    if branding is not None and branding.watermark is not None:
        layers.append(WatermarkLayer(paintbox, scene, branding.watermark))
    if picture.fade_out is not None:
        start_s, end_s = picture.fade_out
        transparent = has_alpha(picture.video.pixel_format)
        span_s = float(start_s), float(end_s)
        layers.append(FadeOut(paintbox, scene, span_s, transparent=transparent))
    if branding is not None and branding.end_card is not None and picture.card_s is not None:
        layers.append(EndCardLayer(paintbox, scene, branding.end_card, float(picture.card_s)))
    return layers
