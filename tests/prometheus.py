"""A Prometheus of a test's own: Debian's program, with our rules and quicker than in production."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.service import wait_until

READY_S = 20.0


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Prometheus:
    """A running one, to be asked."""

    def __init__(self, url: str) -> None:
        """Made by watching()."""
        self._client = httpx.Client(base_url=url, timeout=10, trust_env=False)

    def close(self) -> None:
        """Ask nothing more."""
        self._client.close()

    def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            return self._client.get("/-/ready").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _asked(self, path: str, **parameters: str) -> Any:
        answer = self._client.get(f"/api/v1/{path}", params=parameters).json()
        assert answer["status"] == "success", (parameters, answer)
        return answer["data"]

    def names(self) -> set[str]:
        """Every metric that it has heard of."""
        return set(self._asked("label/__name__/values"))

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an expression at this moment, each with its labels and its value.

        Raises:
            AssertionError: It is not understood.
        """
        found = self._asked("query", query=expression)["result"]
        return [
            {"labels": each["metric"], "value": float(each["value"][1]), "at": each["value"][0]}
            for each in found
        ]

    def alerts(self) -> list[Mapping[str, Any]]:
        """Alerts that are pending or fire."""
        found: list[Mapping[str, Any]] = self._asked("alerts")["alerts"]
        return found


@contextmanager
def watching(
    folder: Path, rules: Path, jobs: Mapping[str, Sequence[str]], every_s: int = 1
) -> Iterator[Prometheus]:
    """A Prometheus that asks some addresses.

    Args:
        folder: Of its own.
        rules: A file of alerts.
        jobs: Addresses by the name of their job.
        every_s: How often it asks and looks after the alerts.
    """
    program = shutil.which("prometheus")
    assert program is not None
    configuration = {
        "global": {"scrape_interval": f"{every_s}s", "evaluation_interval": f"{every_s}s"},
        "rule_files": [str(rules)],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": list(targets)}]}
            for job, targets in jobs.items()
        ],
    }
    folder.mkdir()
    file = folder / "prometheus.yml"
    file.write_text(json.dumps(configuration))  # which is YAML, too
    port = free_port()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={file}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    prometheus = Prometheus(f"http://127.0.0.1:{port}")
    try:
        wait_until(
            lambda: prometheus.is_ready() or process.poll() is not None, "Prometheus", READY_S
        )
        assert process.poll() is None, (folder / "log").read_text()
        yield prometheus
    finally:
        prometheus.close()
        process.terminate()
        process.wait(10)
