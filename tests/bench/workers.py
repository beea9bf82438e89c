"""Measures what a second worker brings: frames a second of two workers against one.

``python -m tests.bench.workers [--seconds S] [--size WxH] [--rounds N]``. Two worker processes of a
real Ray, each pinned to a core of its own, render chunks of the same song into a local store, once
one at a time, once both at a time; rounds take turns, since a machine's speed drifts. Each slot
counts until its own last chunk has ended: then nothing is left for it, while another is amid one.

Prints a table and writes ``build/bench-workers.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from cluster.executor import RayExecutor, open_executor
from coordinator.run_exports import find_engine
from shared.plan import ChunkSpec, make_plan
from shared.storage import LocalStore
from tests.bench.etude import write_etude
from tests.bench.measure import FPS, bench_picture
from workers.midi import read_midi

LEAST: Final = 1.9
"""Times as many frames a second as one worker alone."""
_SONG_KEY: Final = "songs/etude.npz"
_LOOK_S: Final = 0.5


def main() -> None:
    """Measure and tell; the exit status is 1 where the second worker brings too little."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=48, help="Of video in each round.")
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--rounds", type=int, default=3, help="Of each kind.")
    options = parser.parse_args()
    width, height = (int(part) for part in options.size.split("x"))
    with tempfile.TemporaryDirectory(prefix="midifarm-workers-") as name:
        store = LocalStore(Path(name, "store"))
        song = Path(name, "etude.mid")
        write_etude(song, options.seconds)
        store.put_bytes(_SONG_KEY, read_midi(song.read_bytes()).to_bytes())
        with open_executor(str(store.root), workers=2) as executor:
            picture = bench_picture(width, height).model_copy(update={"song_key": _SONG_KEY})
            engine = find_engine(executor)
            frames = int(options.seconds * FPS)
            chunks = make_plan(picture=picture, frames=frames, audio=None, engine=engine).chunks
            pinned: dict[str, int] = {}
            _render(executor, chunks, 2, "warm-up", pinned)
            found: dict[int, list[float]] = {1: [], 2: []}
            for number in range(options.rounds):
                for count, rates in found.items():
                    rates.append(_render(executor, chunks, count, f"{count}-{number}", pinned))
    _report(found, f"{options.seconds} s in {options.size}")


def _render(
    executor: RayExecutor,
    chunks: Sequence[ChunkSpec],
    slots: int,
    name: str,
    pinned: dict[str, int],
) -> float:
    """Render all chunks, so many at a time; frames a second, of all slots together."""
    (node,) = [each.id for each in executor.nodes() if each.slots]
    waiting = deque(chunks)
    under_way: dict[str, tuple[int, ChunkSpec]] = {}
    frames, ended_s = [0] * slots, [0.0] * slots
    idle = list(range(slots))
    began_s = time.perf_counter()
    while waiting or under_way:
        while waiting and idle:
            chunk, slot = waiting.popleft(), idle.pop()
            attempt = f"{name}-{chunk.index}"
            under_way[attempt] = slot, chunk
            spec = chunk.model_copy(update={"key": f"{chunk.key}-{name}"})
            executor.submit(attempt, spec, node)
        for outcome in executor.wait(_LOOK_S):
            if outcome.error is not None:
                raise outcome.error
            slot, chunk = under_way.pop(outcome.attempt)
            frames[slot] += len(chunk.frames)
            ended_s[slot] = time.perf_counter() - began_s
            idle.append(slot)
            _pin(outcome.worker, pinned)
    return sum(count / took_s for count, took_s in zip(frames, ended_s, strict=True) if count)


def _pin(worker: str | None, pinned: dict[str, int]) -> None:
    """Give a worker process, and whatever threads it has, a core of its own."""
    if worker is None or worker in pinned:
        return
    cores = sorted(os.sched_getaffinity(0))
    pinned[worker] = cores[len(pinned) % len(cores)]
    for thread in Path("/proc", worker.rpartition(":")[2], "task").iterdir():
        os.sched_setaffinity(int(thread.name), {pinned[worker]})


def _report(found: dict[int, list[float]], what: str) -> None:
    """Print the table, and write the figures."""
    table = Table("workers", "frames/s", "rounds", title=what)
    medians = {count: statistics.median(rates) for count, rates in found.items()}
    for count, rates in found.items():
        table.add_row(
            str(count), f"{medians[count]:.1f}", " ".join(f"{rate:.1f}" for rate in rates)
        )
    Console().print(table)
    ratio = medians[2] / medians[1]
    target = Path("build/bench-workers.json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps({"frames_per_s": found, "ratio": ratio}, indent=2) + "\n")
    print(f"Two workers render {ratio:.2f} times as many frames as one.")  # noqa: T201
    if ratio < LEAST:
        raise SystemExit(f"{LEAST} is asked.")


if __name__ == "__main__":
    main()
