"""What tests of the dispatcher share: exports to give out, and workers without pictures."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from psycopg.types.json import Jsonb

from coordinator.database import Connection, Database
from coordinator.database.exports import NewExport, create_exports
from coordinator.placing import DEFAULT
from coordinator.ports import Item, Report
from shared.codecs import CONTAINERS, Container
from shared.errors import CancelledError, MidifarmError
from shared.export import (
    ExportConfiguration,
    ExportFormat,
    PlatformRequirements,
    QualitySettings,
    Resolution,
    SocialMediaSettings,
)
from shared.intake import Intake, IntakeSpec, ProbeReport, ProbeSpec
from shared.keys import asset_key, digest, poster_key
from shared.plan import (
    AudioReport,
    AudioSpec,
    ChunkSpec,
    SegmentReport,
    StitchReport,
    StitchSpec,
    SurveyReport,
    SurveySpec,
)
from shared.preview import PreviewReport, PreviewSpec
from shared.revision import made_by
from shared.storage import ObjectStore
from shared.styles import find_style

ENGINE = f"{made_by()} paint"


async def add_composition(connection: Connection, user_id: str, composition_id: str) -> None:
    """A composition with one revision, unless it is there."""
    await connection.execute(
        "insert into compositions (id, user_id, name) values (%s, %s, 'Song') "
        "on conflict do nothing",
        (composition_id, user_id),
    )
    await connection.execute(
        "insert into composition_revisions values (%s, 1, %s) on conflict do nothing",
        (composition_id, Jsonb({})),
    )


def small(
    *,
    crf: int | None = 20,
    kbps: int | None = 500,
    max_bytes: int | None = None,
    container: Container = "mp4",
) -> ExportConfiguration:
    """What comes out: a small video, or sound alone."""
    picture = CONTAINERS[container].has_picture
    platform = SocialMediaSettings(
        platform="youtube",
        aspect_ratio="1:1",
        requirements=PlatformRequirements(
            max_file_size=max_bytes or 1, recommended_bitrate=500, supported_formats=(container,)
        ),
    )
    return ExportConfiguration(
        name="small",
        format=ExportFormat(container=container),
        quality=QualitySettings(
            resolution=Resolution(width=64, height=64),
            framerate=Fraction(30),
            bitrate=kbps if picture else None,
            crf=crf if picture else None,
        ),
        social_media=platform if max_bytes else None,
    )


async def add_export(
    database: Database,
    user_id: str = "ada",
    *,
    song: str = "song",
    seconds: float = 4.0,
    priority: int = 0,
    audio: bool = True,
    configuration: ExportConfiguration | None = None,
    shared_frames: bool = False,
    pool: str = DEFAULT,
) -> str:
    """Queue an export of a small video; its id."""
    midi_key = asset_key(digest(song.encode()))
    async with database.transaction() as connection:
        await add_composition(connection, user_id, f"cmp_{user_id}")
        export = NewExport(
            composition_id=f"cmp_{user_id}",
            composition_revision=1,
            name=song,
            configuration=configuration or small(),
            intake=IntakeSpec(
                midi_key=midi_key,
                recording_key="recording" if audio else None,
                composition=find_style("aurora"),
                names={midi_key: f"{song}.mid"},
            ),
            end_s=seconds,
            priority=priority,
            pool=pool,
            shared_frames=shared_frames,
        )
        (export_id,) = await create_exports(connection, user_id, [export])
    return export_id


@dataclass(frozen=True, kw_only=True)
class PaintedOutcome:
    """How an attempt ended."""

    attempt: str
    report: Report | None = None
    error: MidifarmError | None = None
    node: str | None = "node"
    worker: str | None = "node:1"
    wall_s: float | None = 0.01


@dataclass(frozen=True, kw_only=True)
class PaintedNode:
    """A node."""

    id: str = "node"
    name: str = "host"
    cpus: float = 2
    gpus: float = 0
    alive: bool = True
    slots: int = 2
    pools: frozenset[str] = frozenset({DEFAULT})
    engine: str | None = ENGINE
    renderer: str | None = "paint"
    kept_out: str | None = None
    is_leaving: bool = False


@dataclass(frozen=True, kw_only=True)
class PaintedStatus:
    """What is known of an attempt that has begun."""

    frames: int = 0
    node: str = "node"
    worker: str = "node:1"
    started_at: float = field(default_factory=time.time)
    silent_s: float = 0.0


class PaintedWorkers:
    """An executor whose segments hold their own names instead of pictures.

    An attempt ends at once, or when ``hold`` does not hold it back any more, or as ``fail`` says.
    """

    def __init__(
        self, store: ObjectStore, *, slots: int = 2, nodes: Collection[str] = ("node",)
    ) -> None:
        """Paint.

        Args:
            store: What they write to.
            slots: Of each node.
            nodes: Their ids.
        """
        self.slots = slots
        self.node_ids = tuple(nodes)
        self.pools: dict[str, frozenset[str]] = {}
        """What nodes serve, by their ids; the default pool alone without it."""
        self.engines: dict[str, str] = {}
        """What draws on nodes, where it is not what draws on the others."""
        self.asked_for: dict[str, int] = {}
        self.node_of: dict[str, str] = {}
        """Where attempts were put."""
        self.begins: Callable[[str, Item], bool] = lambda attempt, item: True
        """Whether an attempt under way is said to have begun."""
        self.submitted: list[tuple[str, Item]] = []
        self.made: Counter[str] = Counter()
        self.wall_s = 0.01
        """What attempts are said to have taken."""
        self.told_to_stop: set[str] = set()
        self.killed: set[str] = set()
        self.retired: list[str] = []
        self.hold: Callable[[str, Item], bool] = lambda attempt, item: False
        self.fail: Callable[[str, Item], MidifarmError | None] = lambda attempt, item: None
        self.frames: Callable[[str, Item], int] = lambda attempt, item: 0
        self.size_of: Callable[[ChunkSpec], int] | None = None
        """How large segments are said to be; None for as large as they are."""
        self.stubborn = False
        self._store = store
        self._under_way: dict[str, Item] = {}
        self._lock = threading.Lock()

    def nodes(self) -> list[PaintedNode]:
        return [
            PaintedNode(
                id=each,
                cpus=self.slots,
                slots=self.slots,
                pools=self.pools.get(each, frozenset({DEFAULT})),
                engine=self.engines.get(each, ENGINE),
            )
            for each in self.node_ids
        ]

    def submit(self, attempt: str, item: Item, node: str, export: str | None = None) -> None:
        with self._lock:
            self.node_of[attempt] = node
            self.submitted.append((attempt, item))
            self._under_way[attempt] = item

    def wait(self, timeout_s: float) -> list[PaintedOutcome]:
        until_s = time.monotonic() + timeout_s
        while True:
            outcomes = [
                outcome
                for attempt, item in list(self._under_way.items())
                if (outcome := self._outcome(attempt, item)) is not None
            ]
            for outcome in outcomes:
                del self._under_way[outcome.attempt]
            if outcomes or time.monotonic() >= until_s:
                return outcomes
            time.sleep(0.002)

    def status(self) -> dict[str, PaintedStatus]:
        return {
            attempt: PaintedStatus(
                frames=self.frames(attempt, item),
                node=self.node_of[attempt],
                worker=f"{self.node_of[attempt]}:1",
            )
            for attempt, item in list(self._under_way.items())
            if self.begins(attempt, item)
        }

    def hold_first(self, is_meant: Callable[[Item], bool]) -> list[str]:
        """Hold back the first attempt at what is meant, and nothing else.

        Returns:
            A list in which its name will be.
        """
        held: list[str] = []

        def hold(attempt: str, item: Item) -> bool:
            if not held and is_meant(item):
                held.append(attempt)
            return attempt in held

        self.hold = hold
        return held

    def cancel(self, attempts: Collection[str]) -> None:
        self.told_to_stop.update(attempts)

    def kill(self, attempts: Collection[str]) -> None:
        self.killed.update(attempts)

    def ask_for(self, slots: Mapping[str, int]) -> None:
        self.asked_for = dict(slots)

    def sweep(self) -> None:
        pass

    def retire(self, worker: str) -> None:
        self.retired.append(worker)

    def _outcome(self, attempt: str, item: Item) -> PaintedOutcome | None:
        if attempt in self.killed or (attempt in self.told_to_stop and not self.stubborn):
            return PaintedOutcome(attempt=attempt, error=CancelledError("It was cancelled."))
        if self.hold(attempt, item):
            return None
        error = self.fail(attempt, item)
        if error is not None:
            return PaintedOutcome(attempt=attempt, error=error)
        return PaintedOutcome(attempt=attempt, report=self._report(item), wall_s=self.wall_s)

    def _report(self, item: Item) -> Report:
        match item:
            case IntakeSpec():
                return Intake(
                    composition=item.composition,
                    song_key="songs/ab/song.npz",
                    title="Song",
                    notes=10,
                    notes_in_range=10,
                    end_s=item.end_s or 3.0,
                    recording_key=item.recording_key,
                    recording_s=3.0 if item.recording_key else None,
                    soundfont_key=None,
                    warnings=("One repair.",),
                )
            case ProbeSpec():
                return ProbeReport(asset_key=item.asset_key, kind=item.kind, facts={"notes": 10})
            case ChunkSpec():
                video = item.picture.video
                text = f"{item.picture.start_s} {item.frames} {video.crf} {video.max_kbps}"
                data = self._make(item.key, text)
                return SegmentReport(
                    index=item.index,
                    key=item.key,
                    frames=len(item.frames),
                    size_bytes=len(data) if self.size_of is None else self.size_of(item),
                    sha256=digest(data),
                )
            case AudioSpec():
                data = self._make(item.key, "sound")
                return AudioReport(
                    key=item.key,
                    integrated_lufs=-14.0,
                    true_peak_dbtp=-1.0,
                    size_bytes=len(data),
                    sha256=digest(data),
                    warnings=("It was quiet.",),
                )
            case StitchSpec():
                parts = b"".join(self._store.get_bytes(key) for key in item.segment_keys)
                data = self._make(item.key, digest(parts))
                poster = None
                if item.poster_frame is not None:
                    poster = poster_key(item.key)
                    self._store.put_bytes(poster, b"poster")
                return StitchReport(
                    key=item.key,
                    frames=item.frames,
                    size_bytes=len(data),
                    sha256=digest(data),
                    poster_key=poster,
                )
            case SurveySpec():
                data = self._make(item.key, "found")
                return SurveyReport(
                    key=item.key, crf=30.0, size_bytes=len(data), sha256=digest(data)
                )
            case PreviewSpec():
                data = self._make(item.key, "picture")
                return PreviewReport(
                    key=item.key,
                    media_type="image/png",
                    width=64,
                    height=36,
                    size_bytes=len(data),
                    sha256=digest(data),
                )

    def _make(self, key: str, text: str) -> bytes:
        stem = key.rpartition("/")[2].split(".")[0]
        self.made[stem] += 1
        data = text.encode()
        self._store.put_bytes(key, data)
        return data
