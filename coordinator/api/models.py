"""An export as clients see it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from shared.codecs import CONTAINERS, Container
from shared.states import ExportStatus


class Export(BaseModel):
    """How an export stands."""

    id: str = Field(description="Its id.", examples=["exp_7d0e…"])
    user_id: str = Field(description="Whose it is.")
    name: str = Field(description="What a person calls it; the name of the downloaded file.")
    status: ExportStatus = Field(description="Where it stands.")
    stage: str = Field(description="The same, finer.")
    reason: str | None = Field(description="Why it stands there, where that needs a reason.")
    progress: float = Field(ge=0, le=1, description="0 to 1; 1 when it can be downloaded.")
    frames_done: int = Field(description="Frames rendered.")
    frames: int | None = Field(description="Frames of the video, once it is planned.")
    fps: float | None = Field(description="Frames rendered a second.")
    eta_s: float | None = Field(description="Seconds until it is done, as far as is known.")
    chunks: int | None = Field(description="Pieces that it is rendered in.")
    chunks_done: int = Field(description="Pieces that are done.")
    chunks_cached: int = Field(description="Of these, how many stood already.")
    error_message: str | None = Field(description="Why it failed.")
    file_size: int | None = Field(description="Bytes of the finished video.")
    duration_seconds: float | None = Field(description="Length of the finished video.")
    sha256: str | None = Field(description="Hash of the finished video.")
    container: Container = Field(description="Its file format, and the suffix of its name.")
    media_type: str = Field(description="What it is called over HTTP.", examples=["video/mp4"])
    audio_lufs: float | None = Field(
        description="Integrated loudness of the finished sound in LUFS (EBU R128); null: silent."
    )
    audio_peak: float | None = Field(description="Its true peak in dBTP; null: silent.")
    renderings: int = Field(
        description="How often it was rendered until it had the rate and size asked for."
    )
    composition_id: str = Field(description="What is drawn and heard.")
    composition_revision: int = Field(description="Which revision of it.")
    batch_id: str | None = Field(description="What it was submitted with.")
    reexport_of: str | None = Field(description="The export that it repeats.")
    priority: int = Field(description="Higher is earlier, -100 to 100.")
    pool: str = Field(description="The nodes that may render it.")
    paused_at: datetime | None = Field(description="Since when an operator holds it.")
    start_s: float = Field(description="Song time at which the video begins.")
    end_s: float | None = Field(description="Song time at which it ends; null: with the song.")
    warnings: list[str] = Field(description="What may not be as you expect.")
    config: dict[str, Any] = Field(description="What file comes out (camelCase).")
    download_url: str | None = Field(
        description="Where the video is, once it is completed and until it expires."
    )
    poster_url: str | None = Field(
        description="Where the frame that stands for the video is, as long as the video."
    )
    created_at: datetime = Field(description="When it was accepted.")
    started_at: datetime | None = Field(description="When a worker began.")
    updated_at: datetime = Field(description="When it last changed.")
    completed_at: datetime | None = Field(description="When it ended.")
    expires_at: datetime | None = Field(description="When the video is deleted.")

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """An export from its row."""
        there = row["status"] == ExportStatus.COMPLETED and row["expired_at"] is None
        container = container_of(row["config"])
        made: dict[str, Any] = {
            "container": container,
            "media_type": CONTAINERS[container].media_type,
            "download_url": download_path(row["id"]) if there else None,
            "poster_url": poster_path(row["id"]) if there and row["poster_key"] else None,
        }
        return cls(**{name: row[name] for name in cls.model_fields if name not in made}, **made)


class ExportPage(BaseModel):
    """A page of exports."""

    exports: list[Export] = Field(description="Newest first.")
    has_more: bool = Field(description="Whether there are older ones.")
    next_cursor: str | None = Field(description="The `cursor` of the next page, if there is one.")


class Accepted(BaseModel):
    """Exports that were just queued."""

    exports: list[Export] = Field(description="In the order of the presets.")
    batch_id: str | None = Field(description="What they were submitted as, if there are several.")


class Chunk(BaseModel):
    """A piece of an export."""

    index: int = Field(description="Which, counted from 0.")
    start_frame: int = Field(description="Its first frame.")
    stop_frame: int = Field(description="The frame after its last.")
    status: Literal["ready", "running", "done", "failed", "cancelled"] = Field(
        description="`ready` until a worker has begun it."
    )
    cached: bool = Field(description="Whether it stood already, from another export or an old try.")
    frames_done: int = Field(description="Frames rendered.")
    size_bytes: int | None = Field(description="Length of its segment.")
    attempts: int | None = Field(description="How often it was tried.")
    worker: str | None = Field(description="Who made it, or tried last.")
    started_at: datetime | None = Field(description="When that attempt began.")
    ended_at: datetime | None = Field(description="When it ended.")


class Chunks(BaseModel):
    """The pieces of an export."""

    chunks: list[Chunk] = Field(description="In the order of the video.")
    has_more: bool = Field(description="Whether there are later ones.")


class Attempt(BaseModel):
    """One numbered try of one piece of work."""

    attempt_id: int = Field(description="Number of the attempt, by which operators find its log.")
    kind: str = Field(description="intake, survey, audio, chunk or stitch.")
    chunk_index: int | None = Field(description="Which chunk.")
    number: int = Field(description="Which try, counted from 1.")
    node: str | None = Field(description="Id of the node; null: it never began there.")
    worker: str | None = Field(description="Who tried.")
    started_at: datetime = Field(description="When it began.")
    ended_at: datetime | None = Field(description="When it ended.")
    outcome: str | None = Field(
        description="committed, late, failed, lost or cancelled; null while it is under way."
    )
    error_kind: str | None = Field(description="permanent, transient or suspect.")
    error_message: str | None = Field(description="What went wrong.")
    has_log: bool = Field(description="Whether something was said in it; operators can read it.")


class Attempts(BaseModel):
    """What was tried for an export."""

    attempts: list[Attempt] = Field(description="Newest first.")


def container_of(config: Mapping[str, Any]) -> Container:
    """The file format of a stored configuration; those of old may not say it."""
    container: Container = config.get("format", {}).get("container", "mp4")
    return container


def poster_path(export_id: str) -> str:
    """Where the poster of a finished video is, on this server."""
    return f"/v1/exports/{export_id}/poster"


def download_path(export_id: str) -> str:
    """Where a finished video is, on this server."""
    return f"/v1/exports/{export_id}/download"
