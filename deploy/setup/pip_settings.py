"""Print, as shell exports, the settings that uv needs to reach what pip reaches.

A machine is set up for its package index through pip's configuration, which uv does not read.
What is already set for uv stays as it is. The output may hold credentials: it is for ``eval``
and for nobody's eyes.
"""

from __future__ import annotations

import ast
import os
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit


def pip_settings(listing: str) -> dict[str, str]:
    """Settings by name from the output of ``pip config list``, the strongest source last."""
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listing.splitlines():
        name, equals, value = line.partition("=")
        section, dot, option = name.rpartition(".")
        if equals and dot and section in found:
            found[section][option] = str(ast.literal_eval(value))
    return found["global"] | found["install"] | found[":env:"]


def uv_settings(pip: dict[str, str]) -> dict[str, str]:
    """The environment for uv that says what ``pip`` says."""
    extra = pip.get("extra-index-url", "").split()
    links = pip.get("find-links", "").split()
    settings = {
        "UV_DEFAULT_INDEX": pip.get("index-url", ""),
        "UV_INDEX": " ".join(filter(_reachable, extra)),
        "UV_FIND_LINKS": ",".join(filter(_reachable, links)),
        "UV_NO_INDEX": "1" if pip.get("no-index", "").lower() in ("1", "true", "yes", "on") else "",
        "UV_INSECURE_HOST": " ".join(pip.get("trusted-host", "").split()),
        "SSL_CERT_FILE": pip.get("cert", ""),
        "ALL_PROXY": pip.get("proxy", ""),
        # As pip does: any index may hold the file whose hash is asked for.
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
    return {name: value for name, value in settings.items() if value}


def _reachable(place: str) -> bool:
    """Whether a place is worth trying: pip passes over absent folders, uv stops at them."""
    if place.startswith("file:"):
        return Path(unquote(urlsplit(place).path)).exists()
    return "://" in place or Path(place).expanduser().exists()


def main() -> None:
    """Print one export per line."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    listing = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    for name, value in uv_settings(pip_settings(listing)).items():
        if name not in os.environ:
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")


if __name__ == "__main__":
    main()
