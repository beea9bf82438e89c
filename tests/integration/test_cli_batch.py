"""``midifarm batch`` and ``midifarm batches`` against a running API."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coordinator.cli.app import run
from shared.storage import LocalStore
from tests.api import RunningApi
from tests.integration.test_api import PNG, WAV, midi

pytestmark = pytest.mark.services


@pytest.fixture
def api(
    migrated_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningApi]:
    with RunningApi(migrated_database_url, LocalStore(tmp_path / "store")) as running:
        monkeypatch.setenv("MIDIFARM_URL", running.url)
        monkeypatch.setenv("MIDIFARM_TOKEN", running.key("ada"))
        yield running


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    """A folder with the files of three songs and a table of them."""
    folder = tmp_path / "songs"
    folder.mkdir()
    for number, name in enumerate(("one", "two", "three"), 1):
        (folder / f"{name}.mid").write_bytes(midi(number))
    (folder / "two.wav").write_bytes(WAV)
    (folder / "sky.png").write_bytes(PNG)
    (folder / "album.csv").write_text(
        "midi, audio, style, title, background, presets\n"
        'one.mid,,neon,"First, of all",,\n'
        "two.mid,two.wav,,,sky.png,youtube_4k tiktok_vertical\n"
        "three.mid,,,,,\n"
    )
    return folder


def count(api: RunningApi, table: str) -> int:
    found: int = api.sql(f"select count(*) as n from {table}")[0]["n"]  # noqa: S608
    return found


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_table_of_songs_becomes_one_batch_however_often_it_is_sent(
    api: RunningApi, songs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["batch", str(songs / "album.csv"), "--preset", "instagram_square", "--json"]
    assert run(command) == 0
    first = told(capsys)["batch"]
    assert (first["name"], first["total"]) == ("album", 4)
    before = [count(api, table) for table in ("assets", "compositions", "export_jobs")]
    assert before == [5, 3, 4]
    rows = api.sql("select name, config ->> 'name' as preset from export_jobs order by created_at")
    assert [row["preset"] for row in rows] == [
        "Instagram Square", "YouTube 4K", "TikTok Vertical", "Instagram Square",
    ]  # fmt: skip
    documents = [
        row["document"]
        for row in api.sql("select document from composition_revisions order by created_at")
    ]
    assert documents[0]["dressing"]["title"] == "First, of all"
    assert documents[0]["style"] == "neon"
    assert documents[1]["dressing"]["background"].startswith("ast_")
    # The same command again is the same batch, and sends no file again.
    assert run(command) == 0
    assert told(capsys)["batch"]["id"] == first["id"]
    assert [count(api, table) for table in ("assets", "compositions", "export_jobs")] == before
    assert run([*command, "--anew"]) == 0
    assert told(capsys)["batch"]["id"] != first["id"]
    assert [count(api, table) for table in ("assets", "compositions")] == [5, 6]


def test_what_was_cut_off_goes_on_where_it_was(
    api: RunningApi, songs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    three = songs / "three.mid"
    good = three.read_bytes()
    three.write_bytes(b"PK\3\4 no song")
    command = ["batch", str(songs / "album.csv"), "--preset", "youtube_4k", "--json"]
    assert run(command) == 2
    said = capsys.readouterr().err
    assert "Song 3, three.mid: The file is not a MIDI file" in said
    assert (count(api, "compositions"), count(api, "export_jobs")) == (2, 0)
    three.write_bytes(good)
    assert run(command) == 0
    assert told(capsys)["batch"]["total"] == 4
    assert count(api, "compositions") == 3


def test_videos_are_downloaded_as_they_are_finished(
    api: RunningApi, songs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (songs / "album.json").write_text(
        json.dumps(
            {
                "name": "My album",
                "presets": ["youtube_4k"],
                "items": [{"midi": "one.mid", "name": "Song"}, {"midi": "two.mid", "name": "Song"}],
            }
        )
    )
    folder = tmp_path / "videos"
    folder.mkdir()
    assert run(["batch", str(songs / "album.json"), "--json"]) == 0
    batch = told(capsys)["batch"]["id"]
    exports = [row["id"] for row in api.sql("select id from export_jobs order by created_at")]
    videos = {export: f"video of {export}".encode() for export in exports}

    def render() -> None:
        for export, data in videos.items():
            api.complete(export, data, hashlib.sha256(data).hexdigest())

    worker = threading.Thread(target=render)
    worker.start()
    assert run(["batches", "watch", batch, "--output", str(folder), "--json"]) == 0
    worker.join()
    answer = told(capsys)
    assert answer["batch"]["counts"]["completed"] == 2
    # Two of one name are told apart.
    assert [Path(path).name for path in answer["files"]] == [
        f"Song ({export}).mp4" for export in exports
    ]
    assert [Path(path).read_bytes() for path in answer["files"]] == [*videos.values()]
    first = Path(answer["files"][0])
    written = first.stat().st_mtime_ns
    Path(answer["files"][1]).write_bytes(b"damaged")
    assert run(["batches", "download", batch, str(folder)]) == 0
    assert capsys.readouterr().out.splitlines() == answer["files"]
    assert first.stat().st_mtime_ns == written  # it was there already
    assert Path(answer["files"][1]).read_bytes() == videos[exports[1]]
    assert run(["batches", "list", "--json"]) == 0
    assert [each["id"] for each in told(capsys)["batches"]] == [batch]


def test_a_batch_is_seen_cancelled_and_tried_again(
    api: RunningApi, songs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["batch", str(songs / "album.csv"), "--preset", "youtube_4k"]) == 0
    line = capsys.readouterr().out
    batch = line.split()[0]
    assert line == f"{batch} album: 4 queued\n"
    assert run(["batches", "cancel", batch]) == 0
    assert capsys.readouterr().out == f"{batch} album: 4 cancelled\n"
    assert run(["batches", "watch", batch]) == 1
    assert capsys.readouterr().out == f"{batch} album: 4 cancelled\n"
    assert run(["batches", "retry", batch]) == 0
    assert capsys.readouterr().out == f"{batch} album: 4 cancelled\n"  # none has failed
    assert run(["batches", "retry", batch, "--cancelled"]) == 0
    assert capsys.readouterr().out == f"{batch} album: 4 queued\n"
    assert run(["batches", "manifest", batch]) == 0
    assert "one - YouTube 4K.mp4" in capsys.readouterr().out
    assert run(["batches", "list"]) == 0
    assert batch in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.txt", "", "A manifest is a .json or a .csv"),
        ("a.json", "{", "a.json is no JSON"),
        ("a.json", '{"items": []}', "items: List should have at least 1 item"),
        ("a.json", '[{"midi": "x.mid", "colour": 1}]', "items.0.colour: there is no such field"),
        ("a.json", '[{"audio": "x.wav"}]', "items.0.midi: Field required"),
        ("a.csv", "", "names no songs"),
        ("a.csv", "midi,style\none.mid\n", "line 2 has not as many cells"),
        ("a.csv", "midi,style\none.mid,neon\none.mid,bar\n", "Song 2 of a.csv"),
        ("a.csv", "midi\nnone.mid\n", "There is no file"),
        ("a.csv", "midi,end_s\none.mid,soon\n", "a.csv, line 2: end_s"),
    ],
)
def test_a_bad_manifest_is_told_before_anything_is_sent(
    songs: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    text: str,
    said: str,
) -> None:
    monkeypatch.setenv("MIDIFARM_URL", "http://127.0.0.1:9")  # nobody is asked
    monkeypatch.setenv("MIDIFARM_TOKEN", "mf_token")
    (songs / name).write_text(text)
    assert run(["batch", str(songs / name)]) == 2
    line = capsys.readouterr().err
    assert said in line
    assert line.count("\n") == 1


def test_the_documented_program_does_what_it_says(
    api: RunningApi, songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = Path("docs/batches.md").read_text("utf-8")
    program = text.split("```python\n")[1].split("```")[0]
    (tmp_path / "videos").mkdir()

    def render() -> None:
        api.until("select 1 from export_jobs offset 2")
        for row in api.sql("select id from export_jobs"):
            data = row["id"].encode()
            api.complete(row["id"], data, hashlib.sha256(data).hexdigest())

    monkeypatch.chdir(tmp_path)
    worker = threading.Thread(target=render)
    worker.start()
    exec(compile(program, "docs/batches.md", "exec"), {})  # noqa: S102  # of our own documentation
    worker.join()
    found = {path.name: path.read_text() for path in (tmp_path / "videos").iterdir()}
    assert len(found) == 3
    assert all(name == f"{text}.mp4" for name, text in found.items())
