"""Measures the memory of a 4K export: the command with all its processes, Ray's included.

``python -m tests.bench.memory [--song SONG.mid] [--seconds S] [--preset NAME] [--workers N]``. What
counts is the proportional set size (Linux, Documentation/filesystems/proc.rst): memory that
processes share is counted once in their sum. Temporary files do not count, nor does the page cache.

Prints a table and writes ``build/bench-memory.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil
from rich.console import Console
from rich.table import Table

from tests.bench.batch import DEMO, ROOT
from tests.bench.etude import write_recording

MOST_MB: Final = 2500
"""What the whole process tree may take."""
_EVERY_S: Final = 0.5


@dataclass
class Peak:
    """The moment at which a process tree took most."""

    total_kb: int = 0
    by_name: dict[str, int] = field(default_factory=dict)

    def look(self, root: psutil.Process) -> None:
        """Look at the tree as it is now."""
        found: dict[str, int] = {}
        processes = [root]
        with suppress(psutil.Error):
            processes += root.children(recursive=True)
        for process in processes:
            with suppress(psutil.Error, OSError):
                title = (process.cmdline() or [process.name()])[0]
                name = Path(title.split()[0]).name if title.strip() else process.name()
                found[f"{name} {process.pid}"] = _pss_kb(process.pid)
        if sum(found.values()) > self.total_kb:
            self.total_kb, self.by_name = sum(found.values()), found


def _pss_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def main() -> None:
    """Measure and tell; the exit status is 1 where it was too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--song", type=Path, help="A MIDI file; Bach's Prelude in C without it.")
    parser.add_argument("--seconds", type=int, default=60, help="How much of it.")
    parser.add_argument("--preset", default="youtube_4k")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="midifarm-memory-") as name:
        folder = Path(name)
        song = options.song and options.song.absolute()
        if song is None:
            song = folder / "prelude.mid"
            subprocess.run([sys.executable, str(DEMO), str(song)], check=True, cwd=ROOT)
        write_recording(folder / "recording.wav", options.seconds)
        command = [sys.executable, "-c", "from coordinator.cli import main; main()", "render"]
        command += [str(song), "--audio", "recording.wav", "--end", str(options.seconds)]
        command += ["--preset", options.preset, "--workers", str(options.workers)]
        process = subprocess.Popen(
            [*command, "-o", "video.mp4", "--json"],
            env={**os.environ, "PYTHONPATH": str(ROOT), "MIDIFARM_DATA_DIR": str(folder / "data")},
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
        )
        peak, ended = Peak(), threading.Event()
        watch = threading.Thread(target=_watch, args=(process.pid, peak, ended))
        watch.start()
        out, _ = process.communicate()
        ended.set()
        watch.join()
    if process.returncode != 0:
        sys.exit(process.returncode)
    _report(json.loads(out), peak)


def _watch(pid: int, peak: Peak, ended: threading.Event) -> None:
    root = psutil.Process(pid)
    while not ended.wait(_EVERY_S):
        peak.look(root)


def _report(result: dict[str, float], peak: Peak) -> None:
    total_mb = peak.total_kb / 1000
    table = Table("at the peak", "MB", title=f"{result['frames']} frames of {result['width']} px")
    for name, taken in sorted(peak.by_name.items(), key=lambda each: -each[1]):
        table.add_row(name, f"{taken / 1000:.0f}")
    table.add_section()
    table.add_row("all", f"{total_mb:.0f}")
    Console().print(table)
    target = Path("build/bench-memory.json")
    target.parent.mkdir(exist_ok=True)
    plain = {"peak_mb": total_mb, "elapsed_s": result["elapsed_s"], "frames": result["frames"]}
    target.write_text(json.dumps(plain, indent=2) + "\n")
    if total_mb > MOST_MB:
        sys.exit(f"{total_mb:.0f} MB were taken; {MOST_MB} MB is the most.")


if __name__ == "__main__":
    main()
