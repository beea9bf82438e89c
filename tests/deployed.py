"""What the files in deploy/ say: their settings, their commands, the tools that judge them."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
import typer.main
import yaml

from coordinator.cli.app import app
from coordinator.settings import (
    ClientSettings,
    HeadSettings,
    ServiceSettings,
    WorkerSettings,
    variable_name,
)

ROOT: Final = Path(__file__).parents[1]
DEPLOY: Final = ROOT / "deploy"
KUBERNETES: Final = DEPLOY / "kubernetes"
VERSION: Final[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
SYSTEM_TOOLS: Final = ("systemd-analyze",)
"""Of the distribution, and not on every machine that can run the tests."""
_SETTINGS: Final = (ServiceSettings, ClientSettings, HeadSettings, WorkerSettings)
SETTINGS: Final = frozenset(
    variable_name(name) for model in _SETTINGS for name in model.model_fields
)
"""What midifarm reads."""


def read_all(path: Path) -> list[dict[str, Any]]:
    """The documents of a YAML file."""
    return [each for each in yaml.safe_load_all(path.read_text("utf-8")) if each is not None]


def groups() -> Iterator[tuple[str, dict[str, Any]]]:
    """The groups of the RayCluster by their names, the head's first."""
    [cluster] = read_all(KUBERNETES / "raycluster.yaml")
    yield "head", cluster["spec"]["headGroupSpec"]
    for group in cluster["spec"]["workerGroupSpecs"]:
        yield group["groupName"], group


def pins() -> dict[str, str]:
    """The version of every package that the development lock names."""
    text = (ROOT / "requirements-dev.lock").read_text()
    return dict(re.findall(r"^([a-z0-9-]+).*?==(\S+)", text, re.MULTILINE))


def tool(name: str) -> str:
    """A program that judges; skips the test without it, or fails in CI if it is ours to bring."""
    beside = str(Path(sys.executable).parent)
    program = shutil.which(name, path=os.pathsep.join([beside, os.environ["PATH"]]))
    if program is None and name in SYSTEM_TOOLS:
        pytest.skip(f"{name} is not installed")
    if program is None:
        missing(f"{name} is not installed")
    assert program is not None
    return program


def need(module: str) -> None:
    """Skip the test without a package that judges, or fail in CI."""
    if importlib.util.find_spec(module) is None:
        missing(f"{module} is not installed")


def missing(message: str) -> None:
    """Skip; but fail in CI, where everything is to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def check_command(words: Sequence[str]) -> None:
    """Make sure that a command of ours exists and takes its arguments."""
    name, *arguments = words
    if name == "midifarm":
        command: Any = typer.main.get_command(app)
        while hasattr(command, "commands"):
            name, *arguments = arguments
            command = command.commands[name]
        command.make_context(name, list(arguments))
        if name == "beside":
            check_command(arguments)
    elif name == "midifarm-health":
        assert all(re.match(r"(http|tcp)://127\.0\.0\.1:\d+", each) for each in arguments)
    else:
        raise AssertionError(f"{words} is no command of ours")


def every_text() -> Iterator[tuple[Path, str]]:
    """All files of a deployment, and the page about them."""
    for path in [*sorted(DEPLOY.rglob("*")), ROOT / "docs" / "deployment.md"]:
        if path.is_file() and "secrets" not in path.parts and path.name != ".env":
            yield path, path.read_text("utf-8", "replace")
