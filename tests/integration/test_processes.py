"""Ending everything below a process, whoever has left it behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial

import psutil

from coordinator.processes import descendants, die_with_parent, end_descendants

DEADLINE_S = 20

# A child is started, starts a grandchild that ignores SIGTERM, tells its number, and is killed.
SUPERVISOR = """
import os, subprocess, sys
from coordinator.processes import adopt_orphans, end_descendants
grandchild = (
    "import os, signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.setsid();"
    "print(os.getpid(), flush=True); signal.pause()"
)
child = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
adopt_orphans()
spared = subprocess.Popen(["sleep", "60"])
lost = subprocess.Popen([sys.executable, "-c", child, grandchild], stdout=subprocess.PIPE)
left = lost.stdout.readline().decode().strip()
lost.kill()
lost.wait()
assert os.path.exists(f"/proc/{left}")
end_descendants(spare=[spared.pid], grace_s=0.2)
print(left, spared.poll(), os.path.exists(f"/proc/{left}"))
spared.kill()
spared.wait()
"""

PARENT = """
import os, signal, subprocess
from functools import partial
from coordinator.processes import die_with_parent
die = partial(die_with_parent, signal.SIGTERM, os.getpid())
child = subprocess.Popen(["sleep", "60"], preexec_fn=die)
print(child.pid, flush=True)
signal.pause()
"""


def test_what_a_killed_child_leaves_behind_is_ended_and_reaped() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SUPERVISOR], capture_output=True, text=True, timeout=DEADLINE_S
    )
    assert done.stderr == ""
    left, spared, exists = done.stdout.split()
    assert left.isdecimal()
    assert (spared, exists) == ("None", "False")


def test_descendants_are_found_at_any_depth() -> None:
    child = subprocess.Popen(["sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE)
    with child:
        assert child.stdout is not None
        grandchild = int(child.stdout.readline())
        found = {process.pid for process in descendants(os.getpid())}
        assert {child.pid, grandchild} <= found
        spared = {process.pid for process in descendants(os.getpid(), spare=[child.pid])}
        assert not {child.pid, grandchild} & spared
        end_descendants(child.pid)
        assert not psutil.pid_exists(grandchild)
        child.kill()


def test_a_child_dies_with_its_parent() -> None:
    parent = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            PARENT,
        ],
        stdout=subprocess.PIPE,
    )
    with parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        child.wait(DEADLINE_S)


def test_a_child_whose_parent_has_died_already_ends_at_once() -> None:
    not_our_number = os.getppid()
    child = subprocess.Popen(
        ["sleep", "60"], preexec_fn=partial(die_with_parent, signal.SIGTERM, not_our_number)
    )
    assert child.wait(DEADLINE_S) == 128 + signal.SIGTERM
