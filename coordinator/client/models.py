"""What the API answers, as the client gives it to its callers.

A newer server may tell more: fields that nobody knows are kept in ``model_extra``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from shared.pools import DEFAULT_POOL
from shared.states import ExportStatus


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class Asset(_Answer):
    """An uploaded file."""

    id: str = Field(description="Its id.")
    kind: str = Field(description="midi, audio, image, font, soundfont or video.")
    name: str = Field(description="Its file name.")
    sha256: str = Field(description="Hash of its bytes.")
    size_bytes: int = Field(description="Its length.")
    status: str = Field(default="pending", description="pending, ready or rejected.")
    facts: dict[str, Any] | None = Field(default=None, description="What a worker found in it.")
    reason: str | None = Field(default=None, description="Why it was rejected.")


class Composition(_Answer):
    """What is drawn and heard: the files and how they look."""

    id: str = Field(description="Its id.")
    name: str = Field(description="What a person calls it.")
    revision: int = Field(default=1, description="Rises with every edit.")
    document: dict[str, Any] | None = Field(
        default=None, description="What was asked for; None where only heads are told."
    )


class Export(_Answer):
    """An export as it stands."""

    id: str = Field(description="Its id.")
    name: str = Field(default="", description="What a person calls it.")
    status: ExportStatus = Field(description="Where it stands.")
    stage: str | None = Field(default=None, description="The same, finer.")
    reason: str | None = Field(default=None, description="Why it stands there, for people.")
    progress: float = Field(default=0.0, description="Part of it that is done, 0 to 1.")
    frames_done: int = Field(default=0, description="Frames that are drawn.")
    frames: int | None = Field(default=None, description="Frames of the video, once known.")
    fps: float | None = Field(default=None, description="Frames a second at which it is drawn.")
    eta_s: float | None = Field(default=None, description="Seconds that are left, if known.")
    chunks_done: int = Field(default=0, description="Chunks that stand.")
    chunks: int | None = Field(default=None, description="Chunks of the plan, once known.")
    error_message: str | None = Field(default=None, description="Why it failed.")
    file_size: int | None = Field(default=None, description="Bytes of the video.")
    duration_seconds: float | None = Field(default=None, description="Length of the video.")
    sha256: str | None = Field(default=None, description="Hash of the video.")
    container: str = Field(default="mp4", description="Its file format, and its file's suffix.")
    media_type: str = Field(default="video/mp4", description="What it is called over HTTP.")
    audio_lufs: float | None = Field(
        default=None, description="Integrated loudness of the finished sound in LUFS."
    )
    audio_peak: float | None = Field(default=None, description="Its true peak in dBTP.")
    priority: int = Field(default=0, description="Higher is earlier.")
    pool: str = Field(default=DEFAULT_POOL, description="The nodes that may render it.")
    warnings: tuple[str, ...] = Field(
        default=(), description="What may not be as the musician expects."
    )
    download_url: str | None = Field(
        default=None, description="Path of the video on the server, while it is there."
    )
    poster_url: str | None = Field(
        default=None, description="Path of its poster on the server, while it is there."
    )
    batch_id: str | None = Field(default=None, description="What it was submitted with.")
    created_at: datetime | None = Field(default=None, description="When it was accepted.")
    completed_at: datetime | None = Field(default=None, description="When it was finished.")

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.status.ended


class ExportEvent(Export):
    """A change of an export, as the server tells it while it happens."""

    event_id: str = Field(default="", description="Its number; a later one is a later state.")


class ExportPage(_Answer):
    """A part of a user's history, newest first."""

    exports: tuple[Export, ...] = Field(description="The exports.")
    has_more: bool = Field(default=False, description="Whether older ones follow.")
    next_cursor: str | None = Field(default=None, description="Where the next page begins.")


class Chunk(_Answer):
    """A piece of an export."""

    index: int = Field(description="Which, counted from 0.")
    start_frame: int = Field(description="Its first frame.")
    stop_frame: int = Field(description="The frame after its last.")
    status: str = Field(description="ready, running, done, failed or cancelled.")
    cached: bool = Field(default=False, description="Whether it stood already.")
    frames_done: int = Field(default=0, description="Frames rendered.")
    attempts: int | None = Field(default=None, description="How often it was tried.")


class Attempt(_Answer):
    """One numbered try of one piece of work."""

    attempt_id: int = Field(default=0, description="Number of the attempt.")
    kind: str = Field(description="intake, survey, audio, chunk or stitch.")
    chunk_index: int | None = Field(default=None, description="Which chunk.")
    number: int = Field(description="Which try, counted from 1.")
    node: str | None = Field(default=None, description="Id of the node.")
    worker: str | None = Field(default=None, description="Who tried.")
    started_at: datetime = Field(description="When it began.")
    ended_at: datetime | None = Field(default=None, description="When it ended.")
    outcome: str | None = Field(default=None, description="How; None while it is under way.")
    error_message: str | None = Field(default=None, description="What went wrong.")
    has_log: bool = Field(default=False, description="Whether operators can read its log.")


class Batch(_Answer):
    """How exports that were submitted together stand as a whole."""

    id: str = Field(description="Its id.")
    name: str = Field(default="", description="What a person calls it.")
    total: int = Field(description="How many exports there are.")
    counts: dict[ExportStatus, int] = Field(description="How many stand how.")
    progress: float = Field(default=0.0, description="Part of it that has ended, 0 to 1.")
    ended: bool = Field(default=False, description="Whether nothing more happens by itself.")
    created_at: datetime | None = Field(default=None, description="When it was accepted.")

    @property
    def all_completed(self) -> bool:
        """Whether every export has its video."""
        return self.counts.get(ExportStatus.COMPLETED, 0) == self.total


class BatchEvent(Batch):
    """How a batch stands as a whole, as the server tells it while it changes."""

    event_id: str = Field(default="", description="Where its stream is resumed.")
    updated_at: datetime | None = Field(default=None, description="When it stood so.")


class Result(_Answer):
    """What came of one export of a batch."""

    export_id: str = Field(description="Its id.")
    name: str = Field(default="", description="What a person calls it.")
    file_name: str = Field(description="What its download is called.")
    composition_id: str = Field(description="What is drawn and heard.")
    format: str = Field(default="", description="The name of its preset or configuration.")
    status: ExportStatus = Field(description="Where it stands.")
    error_message: str | None = Field(default=None, description="Why it failed.")
    file_size: int | None = Field(default=None, description="Bytes of the video.")
    duration_seconds: float | None = Field(default=None, description="Length of the video.")
    sha256: str | None = Field(default=None, description="Hash of the video.")
    download_url: str | None = Field(default=None, description="Where it is, until it expires.")


class Use(_Answer):
    """What uses an asset."""

    kind: str = Field(description="composition, template or export.")
    id: str = Field(description="Its id.")
    name: str = Field(default="", description="What a person calls it.")


class Preview(_Answer):
    """What somebody looks at before an export."""

    id: str = Field(description="Its id.")
    kind: str = Field(default="still", description="still, sheet, clip or latest.")
    status: str = Field(description="pending, ready or failed.")
    reason: str | None = Field(default=None, description="Why it failed.")
    media_type: str | None = Field(default=None, description="What it is called over HTTP.")
    width: int | None = Field(default=None, description="Pixels per row.")
    height: int | None = Field(default=None, description="Rows.")
    warnings: tuple[str, ...] = Field(
        default=(), description="What may not be as the musician expects."
    )


class Template(_Answer):
    """Branding with a name, in one of its versions."""

    id: str = Field(description="What exports name it by.")
    version: int = Field(description="The version shown.")
    newest_version: int = Field(default=1, description="The newest version that there is.")
    built_in: bool = Field(default=False, description="Whether it is midifarm's own.")
    name: str = Field(default="", description="What a person calls it.")
    description: str = Field(default="", description="What it is good for.")
    branding: dict[str, Any] = Field(description="Watermark and end card (camelCase).")


class Key(_Answer):
    """An API key; the token itself is told once, when it is made."""

    id: str = Field(description="Its id.")
    user_id: str = Field(description="Whose it is.")
    name: str = Field(default="", description="What it is for.")
    scope: str = Field(default="user", description="user, operator or admin.")
    token: str | None = Field(default=None, repr=False, description="Only when it was just made.")
    created_at: datetime | None = Field(default=None, description="When it was made.")
    expires_at: datetime | None = Field(default=None, description="When it stops working.")
    last_used_at: datetime | None = Field(default=None, description="When it was last used.")
    revoked_at: datetime | None = Field(default=None, description="Since when it is void.")


class Link(_Answer):
    """An address at which anybody finds a finished video; it is told once, when it is made."""

    id: str = Field(description="Its id.")
    url: str | None = Field(default=None, repr=False, description="Only when it was just made.")
    created_at: datetime | None = Field(default=None, description="When it was made.")
    expires_at: datetime | None = Field(default=None, description="When it stops working.")


class AuditEntry(_Answer):
    """Something that an operator or an admin did."""

    id: int = Field(description="Its number; later ones are higher.")
    at: datetime | None = Field(default=None, description="When.")
    user_id: str = Field(description="Who.")
    key_id: str | None = Field(default=None, description="With which key.")
    action: str = Field(description="What, in a fixed word.")
    target: str | None = Field(default=None, description="What it was done to; None: the farm.")
    detail: dict[str, Any] = Field(default_factory=dict, description="What else was noted.")


class Webhook(_Answer):
    """Where somebody is told how exports and batches end."""

    id: str = Field(description="Its id.")
    name: str = Field(default="", description="What a person calls it.")
    url: str = Field(description="Where it is.")
    events: tuple[str, ...] = Field(
        default=(), description="What it is told of; everything if empty."
    )
    is_general: bool = Field(
        default=True, description="Whether it is told of everything of its user's."
    )
    is_enabled: bool = Field(default=True, description="Whether it is told at all.")
    secret: str | None = Field(default=None, repr=False, description="Only when it is new.")
    created_at: datetime | None = Field(default=None, description="When it was made.")


class DeliveryTry(_Answer):
    """One try to deliver something."""

    number: int = Field(description="Counted from 1.")
    at: datetime = Field(description="When it began.")
    took_s: float = Field(default=0.0, description="How long it took.")
    http_status: int | None = Field(default=None, description="What the receiver answered.")
    error: str | None = Field(default=None, description="Why it does not count as delivered.")


class Delivery(_Answer):
    """Something that a webhook was told, or is to be told."""

    id: str = Field(description="Its id, the header ``webhook-id`` of every try.")
    webhook_id: str = Field(default="", description="To which webhook.")
    event: str = Field(description="What happened.")
    export_id: str | None = Field(default=None, description="To which export.")
    batch_id: str | None = Field(default=None, description="To which batch.")
    data: dict[str, Any] = Field(default={}, description="How that stood then.")
    status: str = Field(description="pending, delivered, failed or cancelled.")
    created_at: datetime | None = Field(default=None, description="When it happened.")
    next_at: datetime | None = Field(default=None, description="When it is tried next.")
    ended_at: datetime | None = Field(default=None, description="When that was over.")
    tries: tuple[DeliveryTry, ...] = Field(default=(), description="What came of each try.")


class DeliveryPage(_Answer):
    """A part of a webhook's delivery log, newest first."""

    deliveries: tuple[Delivery, ...] = Field(description="The deliveries.")
    has_more: bool = Field(default=False, description="Whether older ones follow.")


class Why(_Answer):
    """What an export waits for."""

    code: str = Field(description="turn, quota, farm_paused, …, for programs.")
    message: str = Field(description="The same for people.")
    attempts: int = Field(default=0, description="Its attempts under way.")
    not_before: datetime | None = Field(default=None, description="When it may begin, if it rests.")


class Pool(_Answer):
    """Nodes that an export may ask for by a name."""

    name: str = Field(description="What exports ask for.")
    slots: int = Field(default=0, description="How many work items its nodes do at a time.")


class FarmPool(Pool):
    """A pool as operators see it."""

    is_declared: bool = Field(default=False, description="Whether the settings name it.")
    nodes: int = Field(default=0, description="Nodes that serve it.")
    waiting: int = Field(default=0, description="Work items that wait for its nodes.")
    running: int = Field(default=0, description="Work items under way.")
    seen_at: datetime | None = Field(default=None, description="When a node served it last.")


class FarmPause(_Answer):
    """That nothing begins."""

    since: datetime = Field(description="Since when.")
    by: str | None = Field(default=None, description="Who paused the farm.")
    reason: str | None = Field(default=None, description="Why.")


class FarmNode(_Answer):
    """A machine of the cluster."""

    id: str = Field(description="Ray's id, new with every start of the node.")
    name: str = Field(default="", description="Its host name or address.")
    cpus: float = Field(default=0, description="Processors.")
    gpus: float = Field(default=0, description="GPUs.")
    slots: int = Field(default=0, description="Work items that it does at a time.")
    pools: tuple[str, ...] = Field(default=(), description="Names of the pools that it serves.")
    engine: str | None = Field(default=None, description="What draws and encodes on it.")
    renderer: str | None = Field(default=None, description="The part of it that draws.")
    kept_out: str | None = Field(default=None, description="Why it gets no work.")
    is_leaving: bool = Field(default=False, description="Whether it asked for nothing more.")
    draining_at: datetime | None = Field(default=None, description="Since when it drains.")
    set_aside_until: datetime | None = Field(
        default=None, description="Until when it gets nothing, since what it does fails."
    )
    running: int = Field(default=0, description="Attempts that it is at.")


class FarmAttempt(_Answer):
    """Something that runs."""

    attempt_id: int = Field(description="Number of the attempt.")
    kind: str = Field(description="What is done.")
    export_id: str | None = Field(default=None, description="What it is part of.")
    export_name: str | None = Field(default=None, description="What that is called.")
    chunk_index: int | None = Field(default=None, description="Which chunk.")
    user_id: str = Field(description="Whose it is.")
    node: str | None = Field(default=None, description="Id of the node, once it has begun.")
    worker: str | None = Field(default=None, description="The process.")
    started_at: datetime | None = Field(default=None, description="When it was given out.")
    frames: int = Field(default=0, description="Frames done.")
    frames_total: int | None = Field(default=None, description="Frames of the chunk.")


class FarmUser(_Answer):
    """What waits and runs of one user's."""

    user_id: str = Field(description="Who.")
    ready: int = Field(default=0, description="Work items that wait for a slot.")
    held: int = Field(default=0, description="Work items of paused exports.")
    running: int = Field(default=0, description="Work items under way.")
    priority: int | None = Field(default=None, description="The highest of what waits.")
    exports_queued: int = Field(default=0, description="Exports of which nothing has begun.")
    exports_rendering: int = Field(default=0, description="Exports under way.")


class FarmView(_Answer):
    """The farm, as its dispatcher wrote it down."""

    leader: str | None = Field(default=None, description="The dispatcher that leads.")
    silent_s: float | None = Field(default=None, description="How long it has been silent.")
    slots: int = Field(default=0, description="How many work items run at a time.")
    paused: FarmPause | None = Field(default=None, description="That nothing begins.")
    nodes: tuple[FarmNode, ...] = Field(default=(), description="By their names.")
    running: tuple[FarmAttempt, ...] = Field(default=(), description="What runs where.")
    queue: tuple[FarmUser, ...] = Field(default=(), description="What waits, by user.")
    grafana_url: str | None = Field(default=None, description="Where its dashboards are.")


class FarmMinute(_Answer):
    """What was done in a minute."""

    at: datetime = Field(description="When it began.")
    frames: int = Field(default=0, description="Frames of the chunks that were committed.")
    chunks: int = Field(default=0, description="Chunks that were committed.")
    exports_completed: int = Field(default=0, description="Exports that were completed.")
    exports_failed: int = Field(default=0, description="Exports that failed.")
    attempts_failed: int = Field(default=0, description="Attempts that failed.")
    attempts_lost: int = Field(default=0, description="Attempts that were lost.")


class FarmFailure(Attempt):
    """An attempt of anybody's that failed or was lost."""

    export_id: str | None = Field(default=None, description="What it is part of.")
    user_id: str = Field(description="Whose it is.")
    node: str | None = Field(default=None, description="Id of the node, if it had begun.")


class FarmNodeOutcomes(_Answer):
    """How the attempts of a node ended."""

    id: str = Field(description="Ray's id.")
    name: str | None = Field(default=None, description="Its name; None: it is gone.")
    committed: int = Field(default=0, description="Attempts whose result was accepted.")
    failed: int = Field(default=0, description="Attempts that failed.")
    lost: int = Field(default=0, description="Attempts that were lost.")
    set_aside_until: datetime | None = Field(
        default=None, description="Until when it gets nothing, since what it does fails."
    )


class FarmFailures(_Answer):
    """What failed lately, and where."""

    attempts: tuple[FarmFailure, ...] = Field(default=(), description="Newest first.")
    nodes: tuple[FarmNodeOutcomes, ...] = Field(default=(), description="By their names.")


class QuotaLimits(_Answer):
    """What a user may have at a time; None is any number."""

    running: int | None = Field(default=None, description="Work items under way.")
    queued: int | None = Field(default=None, description="Exports that have not ended.")
    stored_bytes: int | None = Field(default=None, description="Bytes of uploads and videos.")


class Quota(QuotaLimits):
    """What was said for one user; None is as the settings say."""

    user_id: str = Field(description="Who.")


class UserUse(_Answer):
    """What one user has, and may have."""

    user_id: str = Field(description="Who.")
    exports_queued: int = Field(default=0, description="Exports of which nothing has begun.")
    exports_rendering: int = Field(default=0, description="Exports that are rendering.")
    exports_uploading: int = Field(default=0, description="Exports that are stitched and stored.")
    running: int = Field(default=0, description="Work items under way.")
    asset_bytes: int = Field(default=0, description="Bytes of uploads.")
    video_bytes: int = Field(default=0, description="Bytes of finished videos.")
    quota: QuotaLimits = Field(default_factory=QuotaLimits, description="What he may have.")
    has_own_quota: bool = Field(default=False, description="Whether any of that was said for him.")


class FarmUse(_Answer):
    """What work took on the farm."""

    about: str | None = Field(
        default=None, description="What for: a day, an id, a user, a pool, a kind of work."
    )
    name: str | None = Field(default=None, description="What that is called.")
    attempts: int = Field(default=0, description="Attempts that have ended.")
    slot_s: float = Field(default=0.0, description="Seconds that they had a slot.")
    useful_s: float = Field(default=0.0, description="Of these, with a result of use.")
    failed_s: float = Field(default=0.0, description="Of these, in attempts that failed.")
    duplicate_s: float = Field(default=0.0, description="Of these, beside or after others.")
    lost_s: float = Field(default=0.0, description="Of these, lost through no fault of the work.")
    cancelled_s: float = Field(default=0.0, description="Of these, in attempts that were stopped.")
    frames: int = Field(default=0, description="Frames of use that were drawn.")
    frames_wasted: int = Field(default=0, description="Frames that were drawn in vain.")
    frames_found: int = Field(default=0, description="Frames that were found in the store.")
    stored_bytes: int = Field(default=0, description="Bytes that were stored and kept.")
    cost: float | None = Field(default=None, description="Price of the slot-seconds, if there is.")


class FarmUseReport(_Answer):
    """What work took, added up by something."""

    by: str = Field(description="By what.")
    total: FarmUse = Field(description="All of it.")
    entries: tuple[FarmUse, ...] = Field(description="The one with the most before.")
    has_more: bool = Field(default=False, description="Whether there are more entries.")


class Me(_Answer):
    """Who is asking."""

    user_id: str = Field(description="As which user.")
    scope: str = Field(default="user", description="user, operator or admin.")
    key_id: str | None = Field(default=None, description="With which key; None with a JWT.")
    use: UserUse = Field(description="What the user has and may have.")
