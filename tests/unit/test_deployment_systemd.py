"""The units of deploy/systemd, judged by systemd-analyze, which needs no running systemd."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from coordinator.settings import ServiceSettings, read_settings
from tests.deployed import DEPLOY, SETTINGS, check_command, tool

UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
HARDENED: Final = 20
"""What systemd calls exposed, in tenths; 100 is a service without any protection."""
PREFIX: Final = "/opt/midifarm/bin/"


def lines_of(unit: Path) -> list[tuple[str, str]]:
    found = [line.partition("=") for line in unit.read_text().splitlines() if line[:1] != "#"]
    return [(name, value) for name, is_one, value in found if is_one]


def all_of(unit: Path, *names: str) -> list[str]:
    return [value for name, value in lines_of(unit) if name in names]


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units in a folder, with programs that every machine has in place of ours."""
    for path in [*UNITS, *(DEPLOY / "systemd").glob("*.target")]:
        text = re.sub(rf"{PREFIX}[\w-]+", "/bin/true", path.read_text())
        (tmp_path / path.name).write_text(text)
    return tmp_path


def test_systemd_understands_the_units(units: Path) -> None:
    done = subprocess.run(
        [tool("systemd-analyze"), "verify", "--man=no", *sorted(units.iterdir())],
        capture_output=True,
        text=True,
    )
    ours = [line for line in done.stderr.splitlines() if "midifarm" in line]
    assert ours == []


def test_systemd_tells_of_a_line_that_it_does_not_know(units: Path) -> None:
    unit = units / "midifarm-api.service"
    unit.write_text(unit.read_text().replace("RestartSec=", "RestartSecs="))
    done = subprocess.run(
        [tool("systemd-analyze"), "verify", "--man=no", unit], capture_output=True, text=True
    )
    assert "RestartSecs" in done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_hardened(unit: Path, units: Path) -> None:
    arguments = ["security", "--offline=true", f"--threshold={HARDENED}", units / unit.name]
    done = subprocess.run([tool("systemd-analyze"), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_runs_what_exists_as_an_ordinary_user(unit: Path) -> None:
    for command in all_of(unit, "ExecStart", "ExecStop"):
        assert command.startswith(PREFIX)
        check_command(command.removeprefix(PREFIX).split())
    assert all_of(unit, "User") == ["midifarm"]
    assert "u midifarm " in (DEPLOY / "systemd" / "midifarm.sysusers.conf").read_text()
    assert all_of(unit, "EnvironmentFile") == ["/etc/midifarm/midifarm.env"]
    assert all_of(unit, "PartOf") == all_of(unit, "WantedBy") == ["midifarm.target"]


def test_a_drain_has_the_time_that_it_takes() -> None:
    [worker] = [unit for unit in UNITS if "worker" in unit.name]
    [stop] = all_of(worker, "ExecStop")
    [patience_s] = all_of(worker, "TimeoutStopSec")
    assert int(stop.split()[-1]) < int(patience_s)


def test_a_dispatcher_without_ray_is_started_afresh() -> None:
    [dispatcher] = [unit for unit in UNITS if "dispatcher" in unit.name]
    assert all_of(dispatcher, "Restart", "RestartForceExitStatus") == ["on-failure", "75"]
    assert all_of(dispatcher, "StartLimitIntervalSec") == ["0"]


def test_workers_alone_reach_devices() -> None:
    for unit in UNITS:
        if "worker" in unit.name:
            assert all_of(unit, "DevicePolicy") == ["closed"]
            assert "char-drm rw" in all_of(unit, "DeviceAllow")
            assert all_of(unit, "MemoryDenyWriteExecute") == []
        else:
            assert all_of(unit, "PrivateDevices") == ["yes"]


def test_the_example_of_the_environment_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in SETTINGS:
        monkeypatch.delenv(variable, raising=False)
    text = (DEPLOY / "systemd" / "midifarm.env.example").read_text()
    for variable, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE):
        monkeypatch.setenv(variable, value)
        assert variable in SETTINGS or variable == "RAY_AUTH_TOKEN"
    settings = read_settings(ServiceSettings)
    assert settings.database_address
    assert settings.ray_address == "10.0.0.1:6379"
