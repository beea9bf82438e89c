"""Dashboards and alerts, as they are read by tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[1] / "deploy"
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
PROVISIONING = DEPLOY / "grafana" / "provisioning"
PROMETHEUS = DEPLOY / "prometheus"

Panel = dict[str, Any]


def dashboard(path: Path) -> dict[str, Any]:
    """A dashboard."""
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def with_queries() -> Iterator[Panel]:
    """Every panel that asks something."""
    for path in DASHBOARDS:
        yield from (panel for panel in dashboard(path)["panels"] if "targets" in panel)


def alerts() -> list[dict[str, Any]]:
    """Every alert."""
    groups = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]
