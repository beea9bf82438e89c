"""Settings: environment variables ``MIDIFARM_*``, read once at the root and passed on."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import InputError


def usable_cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


class Settings(BaseSettings):
    """What the machine, not the export, decides."""

    model_config = SettingsConfigDict(env_prefix="MIDIFARM_", frozen=True, extra="ignore")

    data_dir: Path = Field(
        default_factory=lambda: user_cache_path("midifarm"),
        description="Folder of the local object store: assets, segments, finished videos.",
    )
    workers: int = Field(
        default_factory=usable_cores,
        ge=1,
        le=1024,
        description="Render processes of a local run; one a core is fastest.",
    )
    ray_address: str | None = Field(
        default=None,
        description="Address of a running Ray cluster to join; a local one is started without it.",
    )
    cache_gib: float = Field(
        default=10.0,
        ge=0,
        description="Size to which the local object store is trimmed after a render, oldest first.",
    )


def read_settings() -> Settings:
    """The settings of this process.

    Raises:
        InputError: A variable does not fit; the message names it.
    """
    try:
        return Settings()
    except ValidationError as exc:
        findings = "; ".join(
            f"MIDIFARM_{'.'.join(map(str, finding['loc'])).upper()}: {finding['msg']}"
            for finding in exc.errors()
        )
        raise InputError(f"The environment does not fit: {findings}.") from exc
