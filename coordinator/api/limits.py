"""What the API takes, and how patient it is: constants, which tests change."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from coordinator.quotas import QuotaLimits
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


class WebhookLimits(BaseModel):
    """How many webhooks there may be, and how patiently they are told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    most: int = Field(
        default=50, ge=1, description="Webhooks that one user may keep, beside those of exports."
    )
    at_a_time: int = Field(default=64, ge=1, description="Tries under way in one process.")
    at_a_time_each: int = Field(
        default=4, ge=1, description="Tries under way at one webhook, in all processes."
    )
    at_a_time_user: int = Field(
        default=16, ge=1, description="Tries under way for one user, in all processes."
    )
    patience_s: float = Field(default=10.0, gt=0, description="How long one try may take.")
    lease_s: float = Field(
        default=30.0,
        gt=0,
        description="After it another process takes over what one has begun; longer than a try.",
    )
    first_wait_s: float = Field(
        default=1.0, gt=0, description="From the first try to the second; it doubles from there."
    )
    longest_wait_s: float = Field(default=3600.0, gt=0, description="From one try to the next.")
    give_up_s: float = Field(
        default=86_400.0, gt=0, description="How long a delivery is tried, all in all."
    )
    look_s: float = Field(
        default=30.0,
        gt=0,
        description="The longest that nobody looks for deliveries, also if nothing is heard.",
    )
    rotation_s: float = Field(
        default=86_400.0,
        ge=0,
        description="How long a secret that was replaced still signs beside the new one.",
    )


class ApiLimits(BaseModel):
    """How much, how long, how many."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uploads: UploadLimits = Field(default_factory=UploadLimits, description="Sizes of files.")
    upload_folder: Path | None = Field(
        default=None,
        description="Where uploads lie until they are stored; the system's temporary folder "
        "without it.",
    )
    webhooks: WebhookLimits = Field(
        default_factory=WebhookLimits, description="How webhooks are told."
    )
    json_bytes: int = Field(default=_MIB, gt=0, description="How large any other body may be.")
    batch_bytes: int = Field(
        default=16 * _MIB, gt=0, description="How large the request for a batch may be."
    )
    templates: int = Field(default=200, ge=1, description="Templates that one user may keep.")
    template_versions: int = Field(
        default=1000, ge=1, le=2**31 - 1, description="Versions of one template."
    )
    links: int = Field(
        default=20, ge=1, description="Links to one export that are valid at a time."
    )
    declared_pools: tuple[str, ...] = Field(
        default=(),
        description="Pools that exports may ask for although no node has served them yet.",
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
    quotas: QuotaLimits = Field(
        default_factory=QuotaLimits,
        description="What a user may have at a time for whom nothing else was said.",
    )
    link_valid_s: int = Field(
        default=3600, ge=1, le=604_800, description="How long the address of a download works."
    )
    session_s: float = Field(
        default=30 * 86_400.0,
        gt=0,
        description="How long a browser stays signed in, if what it signed in with is valid as "
        "long.",
    )
    key_cache_s: float = Field(
        default=5.0,
        ge=0,
        le=10,
        description="How long a key that was found valid is not looked up again: so long does a "
        "revoked one still work in other API processes. As long is a token that is none not looked "
        "up again.",
    )
    rate_per_s: float = Field(
        default=200.0,
        ge=0,
        description="Requests a second that each key, or each user of the identity provider's, "
        "may make; 0 for no limit.",
    )
    rate_burst: int = Field(
        default=400, ge=0, description="How many of them may come at once; 0 for no limit."
    )
    stranger_per_s: float = Field(
        default=5.0,
        ge=0,
        description="Tokens a second from one address that are looked up although they never were "
        "valid; 0 for no limit.",
    )
    stranger_burst: int = Field(
        default=100, ge=0, description="How many of them may come at once; 0 for no limit."
    )
    upload_idle_s: float = Field(
        default=60.0, gt=0, description="How long a body may pause while it arrives."
    )
    watch_queue: int = Field(
        default=1024,
        ge=1,
        description="Events that wait for a slow client; beyond them it is served from the "
        "database.",
    )
    watch_batch_s: float = Field(
        default=1.0, gt=0, description="How long the state of a batch is not told again."
    )
    watch_pace_s: float = Field(
        default=0.25,
        ge=0,
        description="How long news of many exports are collected for a client before more is told.",
    )
    watch_under_way: int = Field(
        default=1000,
        ge=1,
        description="Exports that a client is told of when it begins to watch a batch or all of "
        "its user's.",
    )
    watch_retry_ms: int = Field(
        default=2000, ge=0, description="When a client that lost its stream is to connect again."
    )
