"""Scratch folders: of the living they stay, of the dead they go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from workers.scratch import scratch_folder, sweep_scratch

OWNER = """
import sys, tempfile
from pathlib import Path
from workers.scratch import use_scratch
use_scratch(Path(sys.argv[1]))
file = tempfile.NamedTemporaryFile(delete=False)
file.write(b"half")
print(file.name, flush=True)
sys.stdin.read()
"""


def test_a_folder_lives_as_long_as_its_block(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as folder:
        (folder / "inner").mkdir()
        assert sweep_scratch(tmp_path) == 0
        assert (folder / "inner").is_dir()
    assert not folder.exists()


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OWNER, str(tmp_path)]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as dead,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as live,
    ):
        assert dead.stdout is not None
        assert live.stdout is not None
        files = [Path(process.stdout.readline().strip()) for process in (dead, live)]
        assert all(file.is_relative_to(tmp_path) for file in files)
        assert sweep_scratch(tmp_path) == 0
        assert all(file.exists() for file in files)
        os.kill(dead.pid, signal.SIGKILL)
        dead.wait()
        assert sweep_scratch(tmp_path) == 1
        assert [file.exists() for file in files] == [False, True]
    assert sweep_scratch(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


def test_foreign_folders_and_links_stay(tmp_path: Path) -> None:
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    link = tmp_path / "midifarm-scratch-link"
    link.symlink_to(treasure)
    (tmp_path / "midifarm-scratch-file").write_text("a file")
    assert sweep_scratch(tmp_path) == 0
    assert treasure.is_dir()
    assert link.is_symlink()
    assert sweep_scratch(tmp_path / "nowhere") == 0
