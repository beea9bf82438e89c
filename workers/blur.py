"""Soft images: what is behind music should not compete with it."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.colour import from_linear, to_linear

Light = NDArray[np.float32]
Bytes = NDArray[np.uint8]

_REACH: Final = 3
"""Standard deviations beyond which a Gaussian counts for nothing."""
_LIGHT: Final[Light] = np.array([to_linear(value / 255) for value in range(256)], dtype=np.float32)


def as_light(pixels: Bytes) -> Light:
    """Linear, premultiplied light, float32 (h, w, 4), of sRGB with straight alpha, uint8."""
    light: Light = np.empty(pixels.shape, dtype=np.float32)
    light[..., 3] = pixels[..., 3] * np.float32(1 / 255)
    light[..., :3] = _LIGHT[pixels[..., :3]] * light[..., 3:]
    return light


def premultiplied(pixels: Bytes) -> Bytes:
    """The same in 8 bits: sRGB, uint8 (h, w, 4), whose light is weighed by its opacity.

    Only so can pixels be averaged without a fringe around what is opaque.
    """
    if pixels[..., 3].min() == 255:
        return pixels
    weighed = pixels.copy()
    weighed[..., :3] = _weighed()[pixels[..., 3:], pixels[..., :3]]
    return weighed


def blurred(light: Light, sigma_px: float) -> Light:
    """Light spread by a Gaussian; at the edges it goes on as it ends.

    Args:
        light: (h, w) or (h, w, components).
        sigma_px: Standard deviation in pixels; 0 leaves it as it is.
    """
    reach = min(int(np.ceil(sigma_px * _REACH)), max(light.shape[:2]) * 2)
    if reach == 0:
        return light
    away = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (away / sigma_px) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    for axis in (0, 1):
        length = light.shape[axis]
        padding = [(reach, reach) if each == axis else (0, 0) for each in range(light.ndim)]
        padded = np.pad(light, padding, mode="edge")
        light = np.zeros_like(light)
        for start, weight in enumerate(weights):
            light += weight * (
                padded[start : start + length] if axis == 0 else padded[:, start : start + length]
            )
    return light


@cache
def _weighed() -> Bytes:
    """The sRGB component of light at an opacity: (opacity, component), both 0 to 255."""
    light = np.arange(256)[:, None] / 255 * _LIGHT
    encoded: Light = np.vectorize(from_linear)(light)
    return np.round(encoded * 255).astype(np.uint8)
