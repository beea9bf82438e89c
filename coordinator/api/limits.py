"""What the API takes, and how patient it is: constants, which tests change."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from shared.intake import AssetKind

_MIB: Final = 1024 * 1024


class UploadLimits(BaseModel):
    """How large an uploaded file may be, by its kind; all in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    midi: int = Field(
        default=256 * _MIB, gt=0, description="A MIDI file; its reader takes no larger one."
    )
    audio: int = Field(default=2048 * _MIB, gt=0, description="A recording.")
    image: int = Field(default=50 * _MIB, gt=0, description="An image.")
    font: int = Field(default=30 * _MIB, gt=0, description="A font.")
    soundfont: int = Field(default=1024 * _MIB, gt=0, description="A SoundFont.")
    video: int = Field(default=2048 * _MIB, gt=0, description="A video for a background.")

    def of(self, kind: AssetKind) -> int:
        """The limit of a kind."""
        return int(getattr(self, kind))

    def most(self, kinds: Iterable[AssetKind]) -> int:
        """The limit of whichever of some kinds may be largest."""
        return max(self.of(kind) for kind in kinds)


class ApiLimits(BaseModel):
    """How much, how long, how many."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uploads: UploadLimits = Field(default_factory=UploadLimits, description="Sizes of files.")
    upload_folder: Path | None = Field(
        default=None,
        description="Where uploads lie until they are stored; the system's temporary folder "
        "without it.",
    )
    json_bytes: int = Field(default=_MIB, gt=0, description="How large any other body may be.")
    templates: int = Field(default=200, ge=1, description="Templates that one user may keep.")
    template_versions: int = Field(
        default=1000, ge=1, le=2**31 - 1, description="Versions of one template."
    )
    addresses: int = Field(
        default=8, ge=0, description="Addresses of images that one request may have fetched."
    )
    preview_wait_s: float = Field(
        default=10.0,
        ge=0,
        le=60,
        description="How long an answer waits for a preview; who still wants it asks again.",
    )
    latest_fresh_s: int = Field(
        default=2, ge=0, description="How long the last finished frame counts as such."
    )
    link_valid_s: int = Field(
        default=3600, ge=1, le=604_800, description="How long the address of a download works."
    )
    key_cache_s: float = Field(
        default=5.0,
        ge=0,
        le=10,
        description="How long a key that was found valid is not looked up again: so long does a "
        "revoked one still work in other API processes.",
    )
    watch_queue: int = Field(
        default=256,
        ge=1,
        description="Events that wait for a slow client; beyond them it is served from the "
        "database.",
    )
    watch_retry_ms: int = Field(
        default=2000, ge=0, description="When a client that lost its stream is to connect again."
    )
