"""Printing JSON, which most commands can instead of text."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
"""An option of a command."""


def print_json(plain: Any) -> None:
    """Print plain data as one line of JSON."""
    sys.stdout.write(json.dumps(plain) + "\n")
