"""Alerts and dashboards on a real Prometheus that watches a real service."""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml

from coordinator.client import Client
from tests.conftest import Program
from tests.dashboards import PROMETHEUS, alerts, with_queries
from tests.prometheus import Prometheus, free_port, watching
from tests.service import Serving, wait_until
from tests.songs import SongFile

RULES = PROMETHEUS / "alerts.yml"
WITHOUT_DATA = dict.fromkeys(("Ray: GPUs", "Ray: memory of GPUs"), "there is no GPU here")
"""Panels that show nothing after a short run, and why they need not."""
RATE_INTERVAL = "5m"
WATCHED = 3
PATIENCE_S = 40.0
CONFIG = {
    "name": "small",
    "quality": {
        "resolution": {"width": 160, "height": 90},
        "framerate": 30,
        "bitrate": 500,
        "crf": 30,
    },
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One query of a panel."""

    panel: str
    expression: str

    @property
    def now(self) -> str:
        """As Grafana sends it."""
        return self.expression.replace("$__rate_interval", RATE_INTERVAL)


QUERIES = [
    Asked(panel=panel["title"], expression=target["expr"])
    for panel in with_queries()
    for target in panel["targets"]
]


def names_in(expression: str) -> set[str]:
    """The metrics of midifarm's and Ray's that an expression names."""
    without_values = re.sub(r'"[^"]*"', '""', expression)
    return set(re.findall(r"\b(?:midifarm|ray)_\w+", without_values))


def test_rules_and_configuration_are_understood(promtool: Program) -> None:
    assert f"{len(alerts())} rules found" in promtool("check", "rules", RULES)
    told = promtool("check", "config", PROMETHEUS / "prometheus.yml")
    assert "is valid prometheus config file syntax" in told


def test_every_alert_fires_when_it_should_and_not_otherwise(promtool: Program) -> None:
    promtool("test", "rules", PROMETHEUS / "alerts_test.yml")


def test_prometheus_asks_the_services_by_their_names() -> None:
    text = (PROMETHEUS / "prometheus.yml").read_text("utf-8")
    jobs = {each["job_name"]: each for each in yaml.safe_load(text)["scrape_configs"]}
    for job, name in (("midifarm-api", "api"), ("midifarm-dispatcher", "dispatcher")):
        assert jobs[job]["dns_sd_configs"][0]["names"] == [name]
    asked = " ".join(
        [each.expression for each in QUERIES] + [rule["expr"] for rule in alerts()],
    )
    for job in re.findall(r'job=~?"([^"]*)"', asked):
        assert any(re.fullmatch(job, known) for known in jobs), job


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mf-monitoring-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(scope="module")
def metrics_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def serving(folder: Path, promtool: Program, metrics_port: int) -> Iterator[Serving]:
    """A service whose dispatcher tells its metrics."""
    service = Serving(folder / "data", "--metrics-port", str(metrics_port))
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.destroy()


@pytest.fixture(scope="module")
def prometheus(folder: Path, serving: Serving, metrics_port: int) -> Iterator[Prometheus]:
    """Prometheus, which watches both halves of the service, and the node of its Ray."""
    port_of_ray = wait_until(lambda: _port_of_ray(serving), "metrics of Ray's")
    jobs = {
        "midifarm-api": [serving.url.removeprefix("http://")],
        "midifarm-dispatcher": [f"127.0.0.1:{metrics_port}"],
        "ray": [f"127.0.0.1:{port_of_ray}"],
    }
    with watching(folder / "prometheus", RULES, jobs) as watcher:
        yield watcher


def _port_of_ray(serving: Serving) -> int:
    """Where the node of a service's Ray tells its metrics: any port that was free."""
    ports = (
        each.laddr.port
        for process in serving.tree()
        if process.cmdline()[:1] == ["ray::DashboardAgent"]
        for each in process.net_connections()
        if each.status == psutil.CONN_LISTEN
    )
    for port in ports:
        with suppress(httpx.TransportError):
            told = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)
            if "ray_node_" in told.text:
                return port
    return 0


def _work(client: Client, folder: Path) -> int:
    """One export that is made, one that fails, one that is cancelled, and a preview.

    Returns:
        The frames of the first.
    """
    song = SongFile("watched")
    for second in range(4):
        song.note(second, second + 0.5, 60 + second)
    midi = client.upload(song.save(folder / "watched.mid"), kind="midi")
    composition = client.create_composition("watched", midi=midi.id)
    (made,) = client.create_exports(composition.id, config=CONFIG)
    (failing,) = client.create_exports(composition.id, config=CONFIG, start_s=3000.0)
    (unwanted,) = client.create_exports(composition.id, config=CONFIG, priority=-100)
    client.cancel(unwanted.id)
    client.composition_preview(composition.id)
    for export, status in ((made, "completed"), (failing, "failed"), (unwanted, "cancelled")):
        for _ in client.watch(export.id):
            pass
        assert client.export(export.id).status == status
    frames = client.export(made.id).frames
    assert frames
    return frames


def _look_on(serving: Serving, client: Client) -> None:
    """What people do all the time."""
    list(client.exports())
    httpx.get(f"{serving.url}/v1/exports", trust_env=False)  # without a token


def _empty(prometheus: Prometheus) -> dict[str, str]:
    """Panels that show nothing: one of its queries has no number."""
    return {
        asked.panel: asked.now
        for asked in QUERIES
        if not any(math.isfinite(each["value"]) for each in prometheus.query(asked.now))
    }


@pytest.mark.ray
@pytest.mark.services
def test_every_panel_shows_data_and_no_alert_fires_after_a_short_run(
    folder: Path, serving: Serving, prometheus: Prometheus
) -> None:
    with Client(serving.url, serving.token) as client:
        # What happens before is in no rate.
        wait_until(lambda: len(prometheus.query("up == 1")) == WATCHED, "all that is watched")
        frames = _work(client, folder)
        empty: dict[str, str] = {}

        def only_those_that_may() -> bool:
            nonlocal empty
            _look_on(serving, client)
            empty = _empty(prometheus)
            return empty.keys() <= WITHOUT_DATA.keys()

        try:
            wait_until(only_those_that_may, "every panel", PATIENCE_S)
        except AssertionError:
            pytest.fail(f"These panels show nothing: {empty}")
    assert empty.keys() == WITHOUT_DATA.keys(), "the list is longer than it needs to be"
    _check_numbers(prometheus, frames)
    _check_alerts(prometheus)
    known = prometheus.names()
    excused = {name for asked in QUERIES if asked.panel in empty for name in names_in(asked.now)}
    for asked in QUERIES:
        assert names_in(asked.now) <= known | excused, asked


def _check_numbers(prometheus: Prometheus, frames: int) -> None:
    """What Prometheus knows is what has happened."""

    def told(expression: str) -> float:
        (found,) = prometheus.query(expression)
        value: float = found["value"]
        return value

    assert told("midifarm_leader") == 1
    assert told("midifarm_frames_total") == frames
    assert told('sum(midifarm_attempt_failures_total{fault="permanent"})') == 1
    assert told('midifarm_attempts_total{kind="stitch", outcome="committed"}') == 1
    assert told('midifarm_api_preview_wait_seconds_count{status="ready"}') == 1
    assert told('midifarm_chunk_stage_duration_seconds_sum{stage="draw"}') > 0
    assert told('midifarm_chunk_stage_duration_seconds_sum{stage="store"}') > 0
    assert told("sum(midifarm_storage_errors_total)") == 0


def _check_alerts(prometheus: Prometheus) -> None:
    """All are understood, speak of metrics that there are, and none fires."""
    known: set[str] = prometheus.names()
    for rule in alerts():
        prometheus.query(rule["expr"])
        assert names_in(rule["expr"]) <= known, rule["alert"]
    firing: list[Any] = [each for each in prometheus.alerts() if each["state"] == "firing"]
    assert not firing
