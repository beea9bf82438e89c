"""What the API answers, as the client gives it to its callers.

A newer server may tell more: fields that nobody knows are kept in ``model_extra``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

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
    is_admin: bool = Field(default=False, description="Whether it may make keys for others.")
    token: str | None = Field(default=None, repr=False, description="Only when it was just made.")
    created_at: datetime | None = Field(default=None, description="When it was made.")
    last_used_at: datetime | None = Field(default=None, description="When it was last used.")
    revoked_at: datetime | None = Field(default=None, description="Since when it is void.")
