"""What holds for the repository itself: its locks, its make targets, its scripts."""

from __future__ import annotations

import re
import runpy
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted(ROOT.glob("requirements*.lock"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
TARGETS = re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)


def name_of(requirement: str) -> str:
    """The normalised name in a requirement."""
    [name] = re.findall(r"^[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: str) -> dict[str, str]:
    """The version of every package in a lock."""
    text = (ROOT / lock).read_text()
    return dict(re.findall(r"^([a-z0-9-]+).*?==(\S+)", text, re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_index_and_no_host(lock: Path) -> None:
    for line in lock.read_text().splitlines():
        assert "://" not in line
        assert not re.search(r"\b[a-z0-9-]+\.(com|io|net|org)\b", line)
        assert not line.startswith("-"), "an option, such as an index"
        assert not re.match(r"\S+ @ ", line), "a package at an address of its own"


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_everything_with_hashes(lock: Path) -> None:
    packages = re.split(r"^(?=[a-z])", lock.read_text(), flags=re.MULTILINE)[1:]
    assert packages
    for package in packages:
        assert re.match(r"[a-z0-9-]+(\[[a-z,-]+\])?==\S+( ; .+)? \\\n", package)
        assert "    --hash=sha256:" in package


def test_configuration_names_no_package_index() -> None:
    assert not (ROOT / "uv.lock").exists(), "names an index on every line"
    scripts = [path for path in (ROOT / "deploy").rglob("*") if path.is_file()]
    for path in [ROOT / "pyproject.toml", ROOT / "Makefile", ROOT / ".ci" / "run", *scripts]:
        text = path.read_bytes().decode(errors="replace")
        assert not re.search(r"://[^\s\"']*(/simple\b|pypi|pythonhosted)", text), path
        assert not re.search(r"(index-url|find-links|index)\s*=\s*[\"']?[a-z]+://", text), path


def test_locks_pin_every_dependency() -> None:
    needed = {
        name_of(requirement)
        for requirement in PROJECT["project"]["dependencies"] + PROJECT["build-system"]["requires"]
    }
    assert needed <= pins("requirements.lock").keys()
    development = {name_of(requirement) for requirement in PROJECT["dependency-groups"]["dev"]}
    assert development <= pins("requirements-dev.lock").keys()
    assert pins("requirements-uv.lock").keys() == {"uv"}


def test_the_development_lock_contains_the_run_time_lock() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def test_what_is_overridden_away_is_in_no_lock() -> None:
    for requirement in PROJECT["tool"]["uv"]["override-dependencies"]:
        for lock in LOCKS:
            assert name_of(requirement) not in pins(lock.name)


def test_make_alone_lists_every_target() -> None:
    listing = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    listed = re.findall(r"^ +make (\S+) +\S", listing, re.MULTILINE)
    assert listed == TARGETS


def test_make_targets_in_the_documents_exist() -> None:
    for name in ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"]:
        path = ROOT / name
        text = path.read_text() if path.exists() else ""
        assert set(re.findall(r"`make ([a-z-]+)", text)) <= set(TARGETS)
        assert set(re.findall(r"^ *(?:\$ )?make ([a-z-]+)", text, re.MULTILINE)) <= set(TARGETS)


def test_ci_runs_exactly_make_check() -> None:
    commands = (ROOT / ".ci" / "run").read_text().splitlines()
    assert commands[-1] == "exec make check"


def test_pip_settings_reach_uv(tmp_path: Path) -> None:
    script = runpy.run_path(str(ROOT / "deploy" / "setup" / "pip_settings.py"))
    listing = (
        f"global.extra-index-url='file:///absent/simple file://{tmp_path} https://mirror.example'\n"
        "global.index-url='https://from.global.example'\n"
        "install.index-url='https://from.install.example'\n"
        f":env:.find-links='/absent {tmp_path}'\n"
        "global.find-links='/overridden'\n"
        "freeze.timeout='10'\n"
    )
    assert script["uv_settings"](script["pip_settings"](listing)) == {
        "UV_DEFAULT_INDEX": "https://from.install.example",
        "UV_INDEX": f"file://{tmp_path} https://mirror.example",
        "UV_FIND_LINKS": str(tmp_path),
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
