"""Debian's Chromium, for what only a browser can tell."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

_ARGUMENTS = ("--autoplay-policy=no-user-gesture-required", "--mute-audio")


def installed() -> str:
    """The program; skips where there is none, and fails where CI should have installed it."""
    program = shutil.which("chromium")
    if program is not None:
        return program
    # Ubuntu's is a snap, which deploy/setup/libraries.sh leaves alone.
    if os.environ.get("CI") == "true" and "ID=ubuntu" not in _release():
        pytest.fail("chromium is not installed")
    pytest.skip("chromium is not installed")


@contextmanager
def running() -> Iterator[Browser]:
    """A browser without a screen, until the block ends."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=[*_ARGUMENTS])
        try:
            yield browser
        finally:
            browser.close()


def _release() -> list[str]:
    path = Path("/etc/os-release")
    return path.read_text().splitlines() if path.exists() else []
