"""The three figures: drawing alone, encoding alone, the whole command."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from shared.composition import Composition
from shared.plan import FrameRange, Picture, VideoSpec
from shared.styles import DEFAULT_STYLE, find_style
from workers.encode import encode_segment
from workers.gl.context import open_context
from workers.midi import read_midi
from workers.renderer import Renderer

FPS: Final = Fraction(30)


def bench_composition() -> Composition:
    """The default style, to the end of the music."""
    return find_style(DEFAULT_STYLE).model_copy(update={"tail_s": 0.0})


def bench_picture(width: int, height: int) -> Picture:
    """Its frames as the command's own preset encodes them: x264 veryfast, crf 18."""
    video = VideoSpec(width=width, height=height, fps=FPS, crf=18, max_kbps=8000, profile="high")
    return Picture(composition=bench_composition(), song_key="", start_s=Fraction(0), video=video)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What drawing alone and encoding alone took."""

    frames: int
    """Frames drawn and encoded by all processes together."""
    draw_s: float
    """Seconds of drawing, the mean of the processes."""
    encode_s: float
    """Seconds of encoding, the mean of the processes."""

    def __add__(self, other: Parts) -> Parts:
        return Parts(
            frames=self.frames + other.frames,
            draw_s=self.draw_s + other.draw_s,
            encode_s=self.encode_s + other.encode_s,
        )


def measure_parts(picture: Picture, song: Path, chunks: list[FrameRange], cores: int) -> Parts:
    """Time drawing alone and encoding alone, all cores busy."""
    context = multiprocessing.get_context("spawn")
    # Every process has as many chunks as the others, so that all are busy to the end.
    share = len(chunks) // cores
    with ProcessPoolExecutor(
        cores, context, initializer=_set_barrier, initargs=(context.Barrier(cores),)
    ) as pool:
        shares = [chunks[index::cores][:share] for index in range(cores)]
        found = list(pool.map(_measure_share, [picture] * cores, [song] * cores, shares))
    return Parts(
        frames=sum(len(span) for share in shares for span in share),
        draw_s=sum(one[0] for one in found) / cores,
        encode_s=sum(one[1] for one in found) / cores,
    )


_barrier: Barrier


def _set_barrier(barrier: Barrier) -> None:
    """Remember the barrier; it can only be handed to a process at its birth."""
    global _barrier
    _barrier = barrier


def _measure_share(picture: Picture, song: Path, chunks: list[FrameRange]) -> tuple[float, float]:
    """Seconds of drawing and of encoding; all processes draw together and encode together."""
    draw_s = encode_s = 0.0
    with open_context() as gl:
        renderer = Renderer(gl, picture, read_midi(song.read_bytes()), Path)
        for span in chunks:
            _barrier.wait(60)
            began = time.perf_counter()
            for _ in renderer.frames(span):
                pass
            draw_s += time.perf_counter() - began
            kept = [frame.to_ndarray() for frame in renderer.frames(span)]
            pictures = (_frame(planes, picture.video) for planes in kept)
            _barrier.wait(60)
            began = time.perf_counter()
            encode_segment(pictures, picture.video, span)
            encode_s += time.perf_counter() - began
    return draw_s, encode_s


def _frame(planes: NDArray[np.uint8], video: VideoSpec) -> av.VideoFrame:
    """A kept frame as the encoder takes it, without a copy."""
    return av.VideoFrame.from_numpy_buffer(planes, format="yuv420p", width=video.width)


def measure_command(picture: Picture, song: Path, recording: Path, cores: int) -> float:
    """Frames a second of the whole command, from its start to its end."""
    with tempfile.TemporaryDirectory(prefix="midifarm-measure-") as name:
        folder = Path(name)
        composition = folder / "composition.json"
        composition.write_text(picture.composition.model_dump_json())
        output = folder / "video.mp4"
        video = picture.video
        command = [
            sys.executable, "-c", "from coordinator.cli import main; main()", "render", str(song),
            "--composition", str(composition), "--size", f"{video.width}x{video.height}",
            "--audio", str(recording), "--workers", str(cores), "-o", str(output), "--json",
        ]  # fmt: skip
        environment = {**os.environ, "MIDIFARM_DATA_DIR": str(folder / "data")}
        began = time.perf_counter()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        elapsed_s = time.perf_counter() - began
        return float(json.loads(done.stdout)["frames"] / elapsed_s)
