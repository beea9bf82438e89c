"""Small videos whose frames say which they are, to be read back in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT, BITS = 128, 72, 8
MILLISECONDS = Fraction(1, 1000)


@cache
def picture(number: int) -> np.ndarray:
    """A picture with its number as stripes above, and something that moves below: RGBA."""
    ground = np.random.default_rng(5).integers(60, 180, (HEIGHT, WIDTH, 1), dtype=np.uint8)
    rgba = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
    rgba[..., :3] = np.roll(ground // 8 * 8, 3 * number, axis=1)
    wide = WIDTH // BITS
    for bit in range(BITS):
        shade = 235 if number >> bit & 1 else 20
        rgba[: HEIGHT // 2, bit * wide : (bit + 1) * wide, :3] = shade
    return rgba


def number_of(pixels: np.ndarray) -> int:
    """What the stripes of a picture say, whatever its size; (h, w, 4)."""
    height, width = pixels.shape[:2]
    wide = width / BITS
    rows = pixels[height // 8 : height * 3 // 8, :, :3].mean(axis=(0, 2))
    levels = [rows[round((bit + 0.3) * wide) : round((bit + 0.7) * wide)] for bit in range(BITS)]
    return sum(1 << bit for bit, level in enumerate(levels) if level.mean() > 128)


def make_clip(
    path: Path,
    codec: str,
    *,
    frames: int = 60,
    fps: Fraction = Fraction(30),
    times: Sequence[int] | None = None,
    tick_s: Fraction | None = None,
    pixel_format: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    rotation_deg: float = 0,
    mirrored: bool = False,
    aspect: Fraction | None = None,
    alpha: int | None = None,
    sound: bool = False,
    muxing: Mapping[str, str] | None = None,
) -> Path:
    """Encode a video; its frames bear the numbers from 0 on.

    Args:
        path: Where; its suffix names the container.
        codec: libav's name of an encoder.
        frames: How many.
        fps: How many a second.
        times: When each is shown, in ticks; evenly without it.
        tick_s: What these times are told in; one frame without it.
        pixel_format: libav's name of the layout of its pixels.
        options: Of the encoder.
        rotation_deg: By how much players turn it counterclockwise.
        mirrored: Whether they mirror it too.
        aspect: Width of a pixel by its height.
        alpha: Of the lower half, 0 to 255; opaque without it.
        sound: Whether there is some silence with it.
        muxing: Options of the container.
    """
    tick_s = tick_s or 1 / fps
    with av.open(str(path), "w", options=dict(muxing or {})) as container:
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixel_format
        stream.options = dict(options or {})
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = tick_s
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if alpha is not None:
            stream.metadata["alpha_mode"] = "1"
        if rotation_deg or mirrored:
            stream.set_display_rotation(rotation_deg, hflip=mirrored)
        voice = container.add_stream("aac", rate=48000) if sound else None
        if voice is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.float32), "fltp", "mono")
            silence.sample_rate = 48000
            for packet in (*voice.encode(silence), *voice.encode()):
                container.mux(packet)
        for number in range(frames):
            rgba = picture(number).copy()
            if alpha is not None:
                rgba[HEIGHT // 2 :, :, 3] = alpha
            frame = av.VideoFrame.from_ndarray(rgba, format="rgba").reformat(format=pixel_format)
            frame.pts, frame.time_base = number if times is None else times[number], tick_s
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path
