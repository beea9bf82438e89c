"""The whole service, all parts real: PostgreSQL, an S3 server, Ray, the API and its client."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, get_args

import httpx
import psutil
import pytest

from coordinator.client import Asset, Client, Export
from shared.errors import NotFoundError
from shared.intake import AssetKind
from shared.keys import LOGS
from shared.storage import open_store
from shared.storage.port import ObjectStore
from shared.traces import span_id, trace_id
from tests.bombs import BOMBS
from tests.collector import Collector, collecting
from tests.conftest import Program
from tests.seaweedfs import SeaweedFS, weed
from tests.service import COMMAND, Serving, clean_environment, wait_until
from tests.songs import SongFile

pytestmark = [pytest.mark.ray, pytest.mark.services]

OUTAGE_S = 20.0


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mf-service-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(scope="module")
def s3(folder: Path) -> Iterator[SeaweedFS]:
    """An S3 server of this module's own: it is stopped on the way."""
    assert weed() is not None
    with SeaweedFS.running(folder / "s3") as server:
        server.make_bucket("videos")
        yield server


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def serving(folder: Path, s3: SeaweedFS, collector: Collector) -> Iterator[Serving]:
    (folder / "tmp").mkdir()
    service = Serving(
        folder / "data",
        "--traces-url",
        collector.url,
        "--storage-url",
        s3.url("videos", "farm"),
        environment={**s3.environment, "TMPDIR": str(folder / "tmp")},
    )
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.destroy()


@pytest.fixture
def client(serving: Serving) -> Iterator[Client]:
    with Client(serving.url, serving.token) as client:
        yield client


@pytest.fixture
def uploader(serving: Serving) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {serving.token}"}
    with httpx.Client(base_url=serving.url, headers=headers, timeout=20) as client:
        yield client


@pytest.fixture
def store(s3: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    return open_store(s3.url("videos", "farm"))


def config(width: int, height: int, name: str = "small") -> dict[str, Any]:
    return {
        "name": name,
        "quality": {
            "resolution": {"width": width, "height": height},
            "framerate": 30,
            "bitrate": 2000,
            "crf": 18,
        },
    }


def submit(client: Client, folder: Path, name: str, seconds: int, **wanted: Any) -> Export:
    song = SongFile(name)
    for second in range(seconds):
        song.note(second, second + 0.5, 40 + (second * 7 + len(name)) % 40)
    asset = client.upload(song.save(folder / f"{name}.mid"), kind="midi")
    composition = client.create_composition(name, midi=asset.id)
    (export,) = client.create_exports(composition.id, **wanted)
    return export


def ended(client: Client, export: Export) -> Export:
    for _ in client.watch(export.id):
        pass
    return client.export(export.id)


def test_a_video_is_made_fetched_and_made_again(
    client: Client, folder: Path, store: ObjectStore, ffprobe: Program
) -> None:
    first = ended(client, submit(client, folder, "made", 6, config=config(320, 180)))
    assert first.status == "completed"
    path = folder / "made.mp4"
    client.download(first.id, path)
    shown = json.loads(
        ffprobe("-of", "json", "-count_frames", "-show_streams", "-show_format", path)
    )
    video = next(each for each in shown["streams"] if each["codec_type"] == "video")
    assert (video["width"], video["height"]) == (320, 180)
    assert int(video["nb_read_frames"]) == first.frames == first.frames_done
    plain = client.export_json(first.id)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == plain["sha256"]
    assert plain["file_size"] == path.stat().st_size

    before = {info.key for info in store.list("segments/")}
    began_s = time.monotonic()
    again = ended(client, client.re_export(first.id))
    took_s = time.monotonic() - began_s
    plain_again = client.export_json(again.id)
    assert again.status == "completed"
    assert plain_again["sha256"] == plain["sha256"]
    assert plain_again["chunks_cached"] == plain_again["chunks"] == plain["chunks"]
    assert {info.key for info in store.list("segments/")} == before
    assert took_s < 10


def test_the_log_of_every_attempt_is_kept_in_the_store(client: Client, folder: Path) -> None:
    export = ended(client, submit(client, folder, "logged", 2, config=config(160, 90)))
    attempts = client.attempts(export.id)
    assert {each.kind for each in attempts} >= {"intake", "chunk", "stitch"}
    for attempt in attempts:

        def lines(attempt_id: int = attempt.attempt_id) -> list[dict[str, Any]]:
            try:
                text, is_whole = client.attempt_log(attempt_id, as_json=True)
            except NotFoundError:
                return []  # it is stored after its attempt has been reported
            assert is_whole
            return [json.loads(line) for line in text.splitlines()]

        wait_until(lambda lines=lines: bool(lines()), f"the log of {attempt.kind}")
        told = lines()
        assert {each["export"] for each in told} == {export.id}
        assert {each["attempt"] for each in told} == {f"a{attempt.attempt_id}"}
        assert {each.get("chunk") for each in told} == {attempt.chunk_index}
        assert told[0]["event"] == "attempt_began"
        if attempt.kind == "chunk":
            assert any("libx264" in each["message"] for each in told)
            assert "draw_s" in next(each for each in told if each.get("event") == "attempt_reports")


def test_an_export_is_one_trace_across_all_processes(
    client: Client, folder: Path, collector: Collector
) -> None:
    export = ended(client, submit(client, folder, "traced", 2, config=config(160, 90)))
    attempts = [f"a{each.attempt_id}" for each in client.attempts(export.id)]
    wanted = {span_id(export.id, "accept")}
    wanted |= {
        span_id(export.id, place, each) for place in ("attempt", "work") for each in attempts
    }
    spans = collector.wait_for(lambda spans: wanted <= {span.id for span in spans})
    own = {span.id: span for span in spans if span.trace == trace_id(export.id)}
    for attempt in attempts:
        given, done = (own[span_id(export.id, place, attempt)] for place in ("attempt", "work"))
        assert (given.service, done.service) == ("midifarm-dispatcher", "midifarm-worker")
        assert (given.parent, done.parent) == (span_id(export.id), given.id)
        assert given.facts["worker"] == done.facts["worker"]
        if given.facts["kind"] == "chunk":
            assert done.facts["chunk"] == given.facts["chunk"]
            assert done.facts["draw_s"] > 0


def test_hostile_files_harm_nobody_and_leave_nothing(
    client: Client, folder: Path, serving: Serving, store: ObjectStore, uploader: httpx.Client
) -> None:
    before = everything_but_logs(store)
    sent: dict[str, tuple[str, str]] = {}
    for kind, name, data in bombs_as_everything():
        answer = uploader.post("/v1/assets", params={"kind": kind, "name": name}, content=data)
        if answer.status_code == 201:
            sent[answer.json()["id"]] = (kind, name)
        else:
            assert answer.status_code == 415, answer.text
    assets = wait_until(lambda: judged(client, sent), "a look at all of them", 60)
    assert {sent[each.id][1] for each in assets if each.status == "ready"} == USABLE
    for each in assets:
        if each.status == "rejected":
            assert re.fullmatch(r"[A-Z0-9a-z][^\n]*\.", each.reason or ""), each.reason
            assert not re.search(r"assets/|/tmp|Error|went wrong", each.reason or ""), each.reason
    log = (serving.data_dir / "logs" / "dispatch.log").read_text()
    failed = re.findall(r"attempt_failed .* kind=probe .* error_kind=(\w+)", log)
    assert set(failed) == {"permanent"}
    assert "worker_set_aside" not in log
    assert max(map(peak_mib, serving.tree())) < MOST_MIB
    for each in assets:
        client.delete_asset(each.id)
    wait_until(lambda: everything_but_logs(store) <= before, "their bytes to go")
    # Workers have folders there for as long as they live, empty between two items.
    assert [path for path in (folder / "tmp").glob("midifarm-*/**/*") if path.is_file()] == []
    after = ended(client, submit(client, folder, "after", 2, config=config(64, 64)))
    assert after.status == "completed"


def everything_but_logs(store: ObjectStore) -> set[str]:
    return {info.key for info in store.list() if not info.key.startswith(LOGS)}


MOST_MIB = 1200
"""An image of 100 megapixels, the most, takes less than that to look at."""
USABLE = {
    "delta times of days",
    "a note of weeks",
    "65535 tracks declared",
    "65535 tracks",
    "a chunk of 4 GB",
    "notes in running status",
    "SysEx of megabytes",
    "bars",
    "texts",
    "ten thousand frames.gif",
    "hours.wav",
    "terabytes.wav",
    "a song and an archive.mid",
    "a picture and an archive.png",
}
"""What claims more than there is, and holds something that can be used."""


def bombs_as_everything() -> Iterator[tuple[str, str, bytes]]:
    """Every hostile file, said to be of each kind."""
    for bombs in BOMBS.values():
        for name, data in bombs().items():
            for kind in get_args(AssetKind):
                yield kind, name, data


def judged(client: Client, wanted: Collection[str]) -> list[Asset]:
    """Assets, once a worker has looked at all of them."""
    found = [each for each in client.assets() if each.id in wanted]
    return [] if any(each.status == "pending" for each in found) else found


def peak_mib(process: psutil.Process) -> int:
    """The most memory that a process ever had."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:  # it has ended
        return 0
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(peak[1]) >> 10 if peak else 0


def test_cancelling_frees_the_slots_and_leaves_nothing(
    client: Client, folder: Path, serving: Serving, store: ObjectStore
) -> None:
    before = made(store)
    export = submit(client, folder, "cancelled", 60, config=config(1280, 720))
    wait_until(lambda: client.export(export.id).chunks_done > 0, "the first chunk")
    began_s = time.monotonic()
    assert client.cancel(export.id).status == "cancelled"
    wait_until(lambda: not under_way(serving, export), "the end of all attempts")
    # The promise is 2 s on a machine that has nothing else to do.
    assert time.monotonic() - began_s < 4
    wait_until(lambda: made(store) == before, "the export's objects to go")
    assert client.export(export.id).status == "cancelled"
    answer = get(serving, f"/v1/exports/{export.id}/download")
    assert answer.status_code == 409


def made(store: ObjectStore) -> set[str]:
    return {
        info.key for prefix in ("segments/", "audio/", "exports/") for info in store.list(prefix)
    }


def under_way(serving: Serving, export: Export) -> list[Any]:
    attempts = get(serving, f"/v1/exports/{export.id}/attempts").json()["attempts"]
    return [attempt for attempt in attempts if attempt["ended_at"] is None]


def get(serving: Serving, path: str) -> httpx.Response:
    return httpx.get(
        serving.url + path, headers={"Authorization": f"Bearer {serving.token}"}, timeout=20
    )


def test_an_export_survives_a_storage_that_is_down(
    client: Client, folder: Path, s3: SeaweedFS
) -> None:
    export = submit(client, folder, "outage", 40, config=config(640, 360))
    wait_until(lambda: client.export(export.id).chunks_done >= 2, "the first segments")
    s3.stop()
    back = threading.Timer(OUTAGE_S, s3.start)
    back.start()
    try:
        result = ended(client, export)
    finally:
        back.join()
    assert result.status == "completed", result.error_message
    assert result.frames_done == result.frames


def test_a_damaged_segment_is_noticed_and_made_again(
    client: Client, folder: Path, store: ObjectStore
) -> None:
    export = submit(client, folder, "damaged", 40, config=config(640, 360))
    before = {info.key for info in store.list("segments/")}
    wait_until(lambda: client.export(export.id).chunks_done >= 1, "a segment")
    mine = next(
        info.key
        for info in store.list("segments/")
        if info.key not in before or info.modified_at.timestamp() > time.time() - 20
    )
    data = bytearray(store.get_bytes(mine))
    data[len(data) // 2] ^= 1
    store.put_bytes(mine, bytes(data))
    result = ended(client, export)
    assert result.status == "completed", result.error_message


def test_a_standby_does_nothing_until_the_leader_dies(
    client: Client, folder: Path, serving: Serving
) -> None:
    leader = serving.child("dispatch")
    assert leader is not None
    log = folder / "standby.log"
    told = {k: v for k, v in leader.environ().items() if k.startswith("MIDIFARM_")}
    with log.open("wb") as lines:
        standby = subprocess.Popen(
            [*COMMAND, "dispatch"],
            cwd=folder,
            env=clean_environment(**told | {"MIDIFARM_WORKERS": "1"}),
            stdout=lines,
            stderr=lines,
        )
    try:
        wait_until(lambda: "standing_by" in log.read_text(), "the standby", 60)
        first = ended(client, submit(client, folder, "first", 2, config=config(64, 64)))
        assert first.status == "completed"
        assert "attempt_submitted" not in log.read_text()
        began_s = time.monotonic()
        leader.kill()
        wait_until(lambda: "leading epoch" in log.read_text(), "the standby to lead")
        assert time.monotonic() - began_s < 10
        second = ended(client, submit(client, folder, "second", 2, config=config(64, 64)))
        assert second.status == "completed"
        assert "attempt_submitted" in log.read_text()
    finally:
        standby.terminate()
        standby.wait(30)
    # The service's own dispatcher, started again, leads from now on.
    third = ended(client, submit(client, folder, "third", 2, config=config(64, 64)))
    assert third.status == "completed"
