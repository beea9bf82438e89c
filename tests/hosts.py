"""Hosts on one machine: network namespaces on a bridge, each with processes of its own.

They share the file system, and nothing else: a host has its own addresses and sees its own
processes alone. Needs root, and ``ip`` of iproute2.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any, Final, Self

import psutil

_NETWORK: Final = "10.77.0"
_READY_S: Final = 10.0
_CORES: Final = sorted(os.sched_getaffinity(0))[:2]
_PINNED: Final = ("taskset", "--cpu-list", ",".join(map(str, _CORES)))
"""All hosts share two processors: what they have to do takes as long on a larger machine."""
_TOOLS: Final = ("ip", "unshare", "nsenter", "taskset")


_TRIED: Final = """
ip netns add {name}
trap 'ip netns del {name}' EXIT
ip -n {name} link add bridge type bridge
ip -n {name} link add one type veth peer name other
ip netns exec {name} unshare --uts --pid --fork --mount-proc true
"""


def missing_tool() -> str | None:
    """A program that is needed and not installed; None where there is none."""
    return next((tool for tool in _TOOLS if shutil.which(tool) is None), None)


def why_no_hosts() -> str | None:
    """Why there can be none on this machine, with all that is needed; None where there can."""
    if os.geteuid() != 0:
        return "namespaces are made by root"
    script = _TRIED.format(name=f"mf-try-{os.getpid()}")
    done = subprocess.run(["sh", "-ec", script], capture_output=True, text=True)
    return None if done.returncode == 0 else f"this system makes no hosts: {done.stderr.strip()}"


class Host:
    """A machine of its own; made by Network."""

    def __init__(self, name: str, address: str, *, bridge: str, port: str) -> None:
        """Bring it up.

        Args:
            name: Of its namespace.
            address: Of the host.
            bridge: The namespace of the bridge to which it is connected.
            port: The bridge's end of the cable.
        """
        self.name, self.address = name, address
        self._bridge, self._port = bridge, port
        self._first: subprocess.Popen[bytes] | None = None
        self._programs: list[Program] = []
        self.turn_on()

    def turn_on(self) -> None:
        """Start it, without any process but the first."""
        self._first = subprocess.Popen(
            [
                *("ip", "netns", "exec", self.name),
                *("unshare", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child"),
                *("sh", "-c", 'hostname "$0" && exec sleep infinity', self.name),
            ],
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until_s = time.monotonic() + _READY_S
        while not (children := psutil.Process(self._first.pid).children()):
            assert time.monotonic() < until_s, "the host has not started"
            time.sleep(0.02)
        self._init = children[0].pid

    def kill(self) -> None:
        """Pull the plug: every process on it is gone."""
        if self._first is not None:
            os.kill(self._init, signal.SIGKILL)
            self._first.wait()
            self._first = None
        while self._programs:
            self._programs.pop().wait(_READY_S)

    def cut_off(self) -> None:
        """Pull the cable; processes go on."""
        _ip("-n", self._bridge, "link", "set", self._port, "down")

    def connect(self) -> None:
        """Plug it in again."""
        _ip("-n", self._bridge, "link", "set", self._port, "up")

    def processes(self) -> list[str]:
        """The names of all processes but the first."""
        space = Path("/proc", str(self._init), "ns", "pid").readlink()
        found = []
        for each in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                is_here = Path("/proc", str(each.pid), "ns", "pid").readlink() == space
                if is_here and each.pid != self._init and each.status() != psutil.STATUS_ZOMBIE:
                    found.append(each.name())
        return found

    def start(
        self, *command: str | Path, environment: Mapping[str, str], output: IO[Any] | int | None
    ) -> Program:
        """Run a program on it."""
        enter = ["nsenter", "--target", str(self._init), "--net", "--uts", "--pid", "--mount"]
        program = Program(
            subprocess.Popen(
                [*enter, "--", *_PINNED, *map(str, command)],
                cwd="/",
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        )
        self._programs.append(program)
        return program


class Program:
    """A program that runs on a host."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        """Follow what was started."""
        self._process = process

    def send(self, number: signal.Signals) -> None:
        """Signal the program itself; what has brought it to its host passes none on."""
        for each in psutil.Process(self._process.pid).children():
            each.send_signal(number)

    def kill(self) -> None:
        """Kill the program and all that it has started, at once."""
        tree = psutil.Process(self._process.pid).children(recursive=True)
        for each in tree:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        self._process.wait(_READY_S)

    def poll(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._process.poll()

    def wait(self, timeout_s: float) -> int:
        """Its exit status, once it has ended."""
        return self._process.wait(timeout_s)


class Network:
    """Hosts that reach one another; a context manager."""

    def __init__(self, hosts: int) -> None:
        """Prepare to bring up so many hosts."""
        self._count = hosts
        self._stack = ExitStack()
        self.hosts: list[Host] = []

    def __enter__(self) -> Self:
        with self._stack:
            # Of this process: several runs may be under way at a time.
            prefix = f"mf{os.getpid()}"
            bridge = f"{prefix}b"
            self._namespace(bridge)
            _ip("-n", bridge, "link", "add", "bridge", "type", "bridge")
            _ip("-n", bridge, "link", "set", "bridge", "up")
            for number in range(1, self._count + 1):
                name, port = f"{prefix}{number}", f"port{number}"
                self._namespace(name)
                _ip(
                    *("-n", name, "link", "add", "eth0", "type", "veth"),
                    *("peer", "name", port, "netns", bridge),
                )
                address = f"{_NETWORK}.{number}"
                _ip("-n", name, "address", "add", f"{address}/24", "dev", "eth0")
                _ip("-n", name, "link", "set", "eth0", "up")
                _ip("-n", bridge, "link", "set", port, "master", "bridge", "up")
                host = Host(name, address, bridge=bridge, port=port)
                self._stack.callback(host.kill)
                self.hosts.append(host)
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _namespace(self, name: str) -> None:
        _ip("netns", "add", name)
        self._stack.callback(_ip, "netns", "delete", name)
        _ip("-n", name, "link", "set", "lo", "up")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
