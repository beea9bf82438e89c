"""The client and the commands against a real API: branding, templates, pictures, batches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coordinator.api.limits import ApiLimits
from coordinator.cli.app import run
from coordinator.client import Client
from shared.errors import ConflictError, NotFoundError
from shared.keys import asset_key, digest
from shared.states import ExportStatus
from shared.storage import LocalStore
from tests.api import RunningApi
from tests.integration.test_api import midi
from tests.integration.test_api_previews import PNG, Painter

MP4 = b"\0\0\0\x20ftypisom" + bytes(64)
JPEG = b"\xff\xd8\xff poster"
Command = Callable[..., str]


@pytest.fixture
def api(migrated_database_url: str, tmp_path: Path) -> Iterator[RunningApi]:
    limits = ApiLimits(preview_wait_s=0.2)
    with RunningApi(migrated_database_url, LocalStore(tmp_path / "store"), limits) as running:
        yield running


@pytest.fixture
def client(api: RunningApi) -> Iterator[Client]:
    with Client(api.url, api.key("ada")) as client:
        yield client


@pytest.fixture
def midifarm(
    api: RunningApi,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """A command in a folder with a song and a logo; what it printed."""
    monkeypatch.setenv("MIDIFARM_URL", api.url)
    monkeypatch.setenv("MIDIFARM_TOKEN", api.key("ada"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "song.mid").write_bytes(midi())
    (tmp_path / "logo.png").write_bytes(PNG)

    def command(*arguments: str, status: int = 0) -> str:
        found = run(list(arguments))
        told = capsys.readouterr()
        assert found == status, told.err
        return told.out if status == 0 else told.err

    return command


def song(client: Client, folder: Path) -> str:
    (folder / "song.mid").write_bytes(midi())
    return client.create_composition(
        "Song", midi=client.upload(folder / "song.mid", kind="midi").id
    ).id


def test_templates_are_kept_by_the_client(client: Client, tmp_path: Path) -> None:
    assert [each.id for each in client.templates()] == ["clean-minimal", "social-media-pack"]
    made = [client.create_template(f"T{n}", {"endCard": {"text": str(n)}}) for n in range(55)]
    assert len(client.templates()) == 57  # more than a page
    revised = client.revise_template(made[0].id, "T", {"endCard": {"text": "new"}})
    assert revised.version == 2
    assert client.template(f"{made[0].id}@1").branding["endCard"]["text"] == "0"
    assert client.template(made[0].id).branding["endCard"]["text"] == "new"
    (export,) = client.create_exports(
        song(client, tmp_path),
        configs=[
            {"name": "x", "quality": {"resolution": {"width": 64, "height": 64}, "framerate": 30}}
        ],
        template=f"{made[0].id}@1",
        too_long="cut",
    )
    plain = client.export_json(export.id)["config"]
    assert plain["branding"]["endCard"]["text"] == "0"
    client.delete_template(made[0].id)
    with pytest.raises(NotFoundError):
        client.template(made[0].id)


def test_songs_and_batches_are_kept_by_the_client(
    api: RunningApi, client: Client, tmp_path: Path
) -> None:
    made = song(client, tmp_path)
    found = client.composition(made)
    assert (found.name, found.revision, found.document and found.document["style"]) == (
        "Song", 1, None,
    )  # fmt: skip
    midi_id = (found.document or {})["midi"]
    revised = client.revise_composition(made, "Fugue", midi=midi_id, style="neon")
    assert (revised.revision, client.composition(made, revision=1).name) == (2, "Fugue")
    assert [each.name for each in client.compositions()] == ["Fugue"]
    assert [each.id for each in client.assets(kind="midi")] == [midi_id]
    known = client.find_asset(digest((tmp_path / "song.mid").read_bytes()))
    assert known is not None
    assert known.id == midi_id
    assert [(each.kind, each.id) for each in client.asset_uses(midi_id)] == [("composition", made)]
    items = [{"composition_id": made, "name": f"Song {n}"} for n in range(60)]
    batch = client.create_batch("All", items, presets=["youtube_4k"], key="all of it")
    assert client.create_batch("All", items, presets=["youtube_4k"], key="all of it") == batch
    assert (batch.total, batch.counts[ExportStatus.QUEUED]) == (60, 60)
    assert [each.id for each in client.batches()] == [batch.id]
    results = client.manifest(batch.id)
    history = list(client.all_exports(batch_id=batch.id))  # more than one page
    assert [each.id for each in reversed(history)] == [each.export_id for each in results]
    assert list(client.all_exports(statuses=[ExportStatus.FAILED])) == []
    assert list(client.all_exports(composition_id="cmp_none")) == []
    first = results[0].export_id
    assert client.chunks(first) == client.attempts(first) == ()
    assert client.why_waiting(first).code == "no_dispatcher"
    assert client.cancel_batch(batch.id).ended
    assert not client.retry_batch(batch.id, [ExportStatus.CANCELLED]).ended
    client.cancel_batch(batch.id)
    client.delete_export(first)
    assert client.batch(batch.id).total == 59
    client.delete_composition(made)
    client.delete_asset(midi_id)
    me = client.me()
    assert (me.user_id, me.scope, me.use.asset_bytes) == ("ada", "user", 0)
    assert "youtube_4k" in {each["name"] for each in client.presets()["presets"]}
    assert client.formats()["containers"]
    assert client.style_thumbnail("neon").startswith(b"\xff\xd8")


def test_pictures_are_waited_for(api: RunningApi, client: Client, tmp_path: Path) -> None:
    composition = song(client, tmp_path)
    with Painter(api) as painter:
        painter.hold.clear()  # longer than the API waits
        asked = client.create_preview(composition, kind="still", at_s=1, width=64)
        assert asked.status == "pending"
        painter.hold.set()
        assert client.preview_image(asked.id).startswith(PNG)
        assert client.preview(asked.id).status == "ready"
        assert client.composition_preview(composition, at_s=2, width=64).startswith(PNG)
        painter.reason = "There are no notes."
        with pytest.raises(ConflictError, match="There are no notes"):
            client.composition_preview(composition, at_s=3)
    export_id = api.add_export("ada", name="Song")
    with pytest.raises(ConflictError, match="no piece of it is finished"):
        client.latest(export_id)
    with pytest.raises(ConflictError, match="queued"):
        client.poster(export_id, tmp_path / "p.jpg")
    assert not (tmp_path / "p.jpg").exists()
    api.store.put_bytes("exports/po/p.jpg", JPEG)
    api.complete(export_id, b"video", digest(b"video"), poster_key="exports/po/p.jpg")
    client.poster(export_id, tmp_path / "p.jpg")
    assert (tmp_path / "p.jpg").read_bytes() == JPEG


def test_submit_uploads_branding_and_makes_one_batch(api: RunningApi, midifarm: Command) -> None:
    told = midifarm(
        *("submit", "song.mid", "--preset", "youtube_1080p", "--preset", "tiktok_vertical"),
        *("--template", "social-media-pack", "--logo", "logo.png", "--end-text", "Bye"),
        *("--handle", "tiktok=@me", "--too-long", "fade", "--json"),
    )
    exports = json.loads(told)["exports"]
    assert exports[0]["batch_id"] == exports[1]["batch_id"] is not None
    rows = {row["id"]: row for row in api.sql("select * from export_jobs")}
    first, second = (rows[each["id"]] for each in exports)
    card = first["intake"]["branding"]["end_card"]
    assert (card["logo_url"], card["text"]) == (asset_key(digest(PNG)), "Bye")
    assert card["social_media"]["handles"] == {"tiktok": "@me"}
    assert second["config"]["socialMedia"]["tooLong"] == "fade"
    assert second["config"]["branding"]["template"] == "social-media-pack@1"
    told = midifarm("submit", "song.mid", "--format", "webm", "--size", "320x180", "--json")
    (export,) = json.loads(told)["exports"]
    assert export["container"] == "webm"
    told = midifarm("submit", "song.mid", "--json")
    (export,) = json.loads(told)["exports"]
    assert rows.keys().isdisjoint({export["id"]})
    assert export["config"]["format"]["preset"] == "youtube_1080p"
    count = len(api.sql("select * from assets"))
    wrong = midifarm("submit", "song.mid", "--logo", "gone.png", status=2)
    assert "gone.png" in wrong
    assert "no template" in midifarm("submit", "song.mid", "--template", "tpl_x", status=2)
    assert len(api.sql("select * from assets")) == count


@pytest.mark.parametrize("picture", ["--style neon", "--composition looks/mine.json"])
def test_submit_uploads_what_dresses_a_style_or_a_composition(
    api: RunningApi, client: Client, midifarm: Command, tmp_path: Path, picture: str
) -> None:
    (tmp_path / "looks").mkdir()
    (tmp_path / "looks" / "sky.png").write_bytes(PNG + b"sky")
    layers = [{"type": "background"}, {"type": "image", "image": "sky.png"}, {"type": "title"}]
    (tmp_path / "looks" / "mine.json").write_text(json.dumps({"layers": layers}))
    (tmp_path / "waves.mp4").write_bytes(MP4)
    (tmp_path / "song.lrc").write_bytes("[00:01.00]Grüße".encode("cp1252"))
    midifarm(
        *("submit", "song.mid", *picture.split(), "--title", "Nocturne", "--artist", "A. Musician"),
        *("--cover", "logo.png", "--background", "waves.mp4", "--lyrics", "song.lrc"),
    )
    assets = {row["id"]: row for row in api.sql("select id, kind, sha256 from assets")}
    (made,) = api.sql("select document from composition_revisions")
    dressing = made["document"]["dressing"]
    cover, waves = (assets[dressing[field]] for field in ("cover", "background_video"))
    assert (cover["kind"], cover["sha256"]) == ("image", digest(PNG))
    assert (waves["kind"], waves["sha256"]) == ("video", digest(MP4))
    texts = (dressing["title"], dressing["artist"], dressing["lyrics"])
    assert texts == ("Nocturne", "A. Musician", "[00:01.00]Grüße")
    (job,) = api.sql("select intake from export_jobs")
    ground, *others = job["intake"]["composition"]["layers"]
    assert ground["video"] == asset_key(digest(MP4))
    if "mine.json" in picture:
        assert others[0]["image"] == asset_key(digest(PNG + b"sky"))
    count = len(assets)
    wrong = midifarm("submit", "song.mid", "--cover", "song.lrc", status=2)
    assert "--cover takes an image, which song.lrc is not." in wrong
    assert "gone.lrc" in midifarm("submit", "song.mid", "--lyrics", "gone.lrc", status=2)
    replacing = ("--cover", "logo.png", "--still", "logo.png", "--overwrite")
    assert "cannot be replaced" in midifarm("submit", "song.mid", *replacing, status=2)
    assert len(api.sql("select id from assets")) == count


def test_submit_shows_a_frame_instead(api: RunningApi, midifarm: Command, tmp_path: Path) -> None:
    with Painter(api) as painter:
        told = midifarm(
            *("submit", "song.mid", "--preset", "instagram_square", "--template", "clean-minimal"),
            *("--still", "f.webp", "--still-at", "1.5", "--start", "1"),
        )
    assert told == "f.webp\n"
    assert (tmp_path / "f.webp").read_bytes().startswith(PNG)
    spec = painter.specs[0]
    assert (spec["at_s"], spec["image_format"], spec["intake"]["start_s"]) == (1.5, "webp", 1)
    assert spec["configuration"]["branding"]["template"] == "clean-minimal@1"
    assert api.sql("select * from export_jobs") == []
    assert "f.webp" in midifarm("submit", "song.mid", "--still", "f.webp", status=2)
    assert "not f.bmp" in midifarm("submit", "song.mid", "--still", "f.bmp", status=2)


def test_templates_from_the_command_line(
    api: RunningApi, midifarm: Command, tmp_path: Path
) -> None:
    branding: dict[str, Any] = {"watermark": {"imageUrl": "logo.png", "opacity": 0.7}}
    (tmp_path / "mine.json").write_text(json.dumps(branding))
    made = json.loads(midifarm("templates", "create", "mine.json", "--json"))
    assert (made["name"], made["version"]) == ("mine", 1)
    assert made["branding"]["watermark"]["imageUrl"].startswith("ast_")
    assert "mine" in midifarm("templates", "list")
    shown = midifarm("templates", "show", made["id"])
    (tmp_path / "again.json").write_text(shown.replace("0.7", "0.9"))
    told = midifarm("templates", "create", "again.json", "--name", "mine", "--replace", made["id"])
    assert told == f"{made['id']}@2\n"
    told = midifarm("submit", "song.mid", "--template", f"{made['id']}@1", "--json")
    (export,) = json.loads(told)["exports"]
    assert export["config"]["branding"]["watermark"]["opacity"] == 0.7
    assert export["config"]["branding"]["template"] == f"{made['id']}@1"
    midifarm("templates", "delete", made["id"])
    assert "no template" in midifarm("templates", "show", made["id"], status=2)
    (tmp_path / "wrong.json").write_text('{"watermark": {"opacity": 2}}')
    assert "opacity" in midifarm("templates", "create", "wrong.json", status=2)
    (tmp_path / "wrong.json").write_text("[")
    assert "no JSON" in midifarm("templates", "create", "wrong.json", status=2)


def test_a_key_from_the_command_line_expires(
    api: RunningApi, midifarm: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def days_left(made: str) -> float:
        (row,) = api.sql(
            "select extract(epoch from expires_at - now())::float / 86400 as days"
            " from api_keys where id = %s",
            json.loads(made)["id"],
        )
        return float(row["days"])

    create = ("keys", "create", "--user", "ada", "--expires-days", "1.5", "--json")
    assert days_left(midifarm(*create)) == pytest.approx(1.5, abs=0.01)
    direct = midifarm(*create, "--database-url", api.database_url)
    assert days_left(direct) == pytest.approx(1.5, abs=0.01)
    assert "expires" in midifarm("keys", "list")
    assert "expires_at" in midifarm(*create[:-2], "0", status=2)


def test_links_are_made_listed_and_revoked(
    api: RunningApi, client: Client, midifarm: Command
) -> None:
    export_id = api.add_export("ada", name="Song")
    assert "completed" in midifarm("exports", "link", export_id, status=2)
    api.complete(export_id, b"video", digest(b"video"))
    address = midifarm("exports", "link", export_id, "--days", "2").strip()
    assert address.startswith(f"{api.url}/v1/links/")
    assert api.visitor.get(address).content == b"video"
    made = json.loads(midifarm("exports", "link", export_id, "--json"))
    assert api.visitor.get(made["url"]).content == b"video"
    short = client.make_link(export_id, expires_in_s=60)
    newest, week, days = client.list_links(export_id)
    assert (newest, newest.url) == (short.model_copy(update={"url": None}), None)
    assert short.url is not None
    assert short.url not in repr(short)
    spans_s = [
        (each.expires_at - each.created_at).total_seconds()
        for each in (newest, week, days)
        if each.expires_at and each.created_at
    ]
    assert spans_s == [60, 7 * 86_400, 2 * 86_400]
    client.revoke_link(export_id, short.id)
    assert client.list_links(export_id) == (week, days)
    assert api.visitor.get(short.url).status_code == 404
    with pytest.raises(NotFoundError):
        client.revoke_link(export_id, short.id)
    assert "days" in midifarm("exports", "link", export_id, "--days", "91", status=2)


def test_the_history_is_filtered_from_the_command_line(api: RunningApi, midifarm: Command) -> None:
    made = [api.add_export("ada", name=f"Song {n}") for n in range(3)]
    api.end(made[0])

    def listed(*options: str) -> list[str]:
        told = json.loads(midifarm("exports", "list", "--json", *options))
        return [each["id"] for each in told["exports"]]

    assert listed() == made[::-1]
    assert listed("--status", "queued") == [made[2], made[1]]
    assert listed("--status", "queued", "--status", "cancelled", "--name", "song 0") == made[:1]


def test_downloads_have_the_suffix_of_their_format(
    api: RunningApi, midifarm: Command, tmp_path: Path
) -> None:
    export_id = api.add_export("ada", name="Song", config='{"format": {"container": "webm"}}')
    api.store.put_bytes("exports/po/p.jpg", JPEG)
    api.complete(export_id, b"video", digest(b"video"), poster_key="exports/po/p.jpg")
    assert midifarm("exports", "download", export_id) == "Song.webm\n"
    assert (tmp_path / "Song.webm").read_bytes() == b"video"
    assert midifarm("exports", "poster", export_id) == "Song.jpg\n"
    assert (tmp_path / "Song.jpg").read_bytes() == JPEG
    assert "Song.jpg" in midifarm("exports", "poster", export_id, status=2)  # it is there
