"""Measures how near the whole command comes to the sum of its two unavoidable parts.

Three figures of the same frames of the same song: drawing alone, encoding alone, and the whole
``midifarm render`` with everything that belongs to it: starting Python and Ray, reading, planning,
the sound, stitching, verifying. One render process a core in all three. Since a core draws and
encodes in turn, the bound is 1 / (1 / render-only + 1 / encode-only).

Prints a table and writes ``build/bench.json``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from shared.plan import chunk_ranges
from shared.settings import usable_cores
from tests.bench.etude import write_etude, write_recording
from tests.bench.measure import FPS, bench_picture, measure_command, measure_parts


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=120, help="Length of the song.")
    parser.add_argument("--size", default="1920x1080")
    options = parser.parse_args()
    width, height = (int(part) for part in options.size.split("x"))
    cores = usable_cores()
    with tempfile.TemporaryDirectory(prefix="midifarm-measure-") as folder:
        song = Path(folder) / "etude.mid"
        write_etude(song, options.seconds)
        picture = bench_picture(width, height)
        chunks = list(chunk_ranges(int(options.seconds * FPS), FPS))
        # Half of the parts before the command and half after: a machine's speed drifts.
        middle = len(chunks) // 2
        parts = measure_parts(picture, song, chunks[:middle], cores)
        recording = Path(folder) / "etude.wav"
        write_recording(recording, options.seconds)
        achieved = measure_command(picture, song, recording, cores)
        parts += measure_parts(picture, song, chunks[middle:], cores)
    render_only = parts.frames / parts.draw_s
    encode_only = parts.frames / parts.encode_s
    bound = 1 / (1 / render_only + 1 / encode_only)
    figures = {
        "render_only_fps": render_only,
        "encode_only_fps": encode_only,
        "bound_fps": bound,
        "achieved_fps": achieved,
        "ratio": achieved / bound,
    }
    name = f"{height}p{int(FPS)}"
    table = Table("", *figures, title=f"{options.seconds} s of {name} on {cores} cores")
    table.add_row(name, *(f"{figure:.2f}" for figure in figures.values()))
    Console().print(table)
    target = Path("build/bench.json")
    target.parent.mkdir(exist_ok=True)
    known = json.loads(target.read_text()) if target.exists() else {}
    rounded = {key: round(figure, 3) for key, figure in figures.items()}
    target.write_text(json.dumps({**known, name: rounded}, indent=2) + "\n")


if __name__ == "__main__":
    main()
