"""The settings of the service and of its clients.

Every field is an environment variable ``MIDIFARM_<FIELD>``, an option ``--<field>`` of the
commands that it matters to, and a line of docs/service.md. An option outranks the environment.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar, get_args
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from coordinator.networks import Network, parse_networks
from shared.errors import InputError
from shared.settings import usable_cores

PREFIX: Final = "MIDIFARM_"

M = TypeVar("M", bound=BaseSettings)


def _is_postgresql(value: SecretStr | None) -> SecretStr | None:
    # What is wrong is told without repeating any of it: it may hold a password.
    if value is None:
        return None
    try:
        parts = urlsplit(value.get_secret_value())
        known = parts.scheme in ("postgresql", "postgres")
    except ValueError:
        known = False
    if not known:
        raise ValueError("it is no address like postgresql://user:password@host/database")
    return value


def _is_web(value: str) -> str:
    try:
        parts = urlsplit(value)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known or any(map(str.isspace, value)):
        raise ValueError("it is no address like http://127.0.0.1:8077")
    return value


def _is_store(value: str | None) -> str | None:
    if value is not None and value.startswith("s3:"):
        # Only who keeps objects in a bucket waits for its client to be imported.
        from shared.storage.s3.address import S3Address

        try:
            S3Address.parse(value)
        except InputError as exc:
            raise ValueError(exc.message[0].lower() + exc.message[1:].rstrip(".")) from exc
    return value


def _are_networks(value: str | None) -> str | None:
    try:
        parse_networks(value or "")
    except ValueError:
        raise ValueError("these are no networks like 10.1.0.0/16,fd00::/8") from None
    return value


DatabaseUrl = Annotated[SecretStr | None, AfterValidator(_is_postgresql)]
"""Where a PostgreSQL server is, perhaps with a password."""


def default_data_dir() -> Path:
    """Where a service keeps its data: of the whole machine for root, else of the user."""
    if os.geteuid() == 0:
        return Path("/var/lib/midifarm")
    return user_data_path("midifarm")


class _Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore"
    )


class DispatcherSettings(_Settings):
    """How the dispatcher gives out work."""

    ray_address: str | None = Field(
        default=None,
        description="Address of a running Ray cluster to join; a local one is started without it.",
    )
    workers: int = Field(
        default_factory=usable_cores,
        ge=1,
        le=1024,
        description="Render processes of a local Ray; one a core is fastest.",
    )
    retention_days: float = Field(
        default=30.0,
        gt=0,
        le=36500,
        description="How long a finished video is kept; then its file is deleted, not its record.",
    )
    segment_days: float = Field(
        default=3.0,
        gt=0,
        le=36500,
        description="How long segments are kept after they were last of use; meanwhile a retry or "
        "a re-export finds them.",
    )


class ServiceSettings(DispatcherSettings):
    """Everything that the processes of a service are told."""

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address that the API listens on; 0.0.0.0 is every one of this machine.",
    )
    port: int = Field(
        default=8077, ge=0, le=65535, description="Port that it listens on; 0 takes any free one."
    )
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Folder of everything that `serve` keeps: the embedded database, the local "
        "object store, logs, the token.",
    )
    database_url: DatabaseUrl = Field(
        default=None,
        description="PostgreSQL server (postgresql://user:password@host/database); `serve` brings "
        "its own without it.",
    )
    storage_url: Annotated[str | None, AfterValidator(_is_store)] = Field(
        default=None,
        description="Object store: a folder, or s3://bucket?endpoint=https://host; the folder "
        "`store` in the data folder without it.",
    )
    s3_access_key: SecretStr | None = Field(
        default=None, description="Access key of the S3 service, where the storage is one."
    )
    s3_secret_key: SecretStr | None = Field(
        default=None, description="Secret key that belongs to it."
    )
    fetch_networks: Annotated[str | None, AfterValidator(_are_networks)] = Field(
        default=None,
        description="Networks that are not public and from which images may be fetched "
        "nevertheless, such as an intranet's: 10.1.0.0/16,fd00::/8; none without it.",
    )
    log_format: Literal["text", "json"] = Field(
        default="text",
        description="How log lines are written: for people, or one JSON object each.",
    )

    @property
    def fetch_allowed(self) -> tuple[Network, ...]:
        """Networks that are not public and may be reached."""
        return parse_networks(self.fetch_networks or "")

    @property
    def store_url(self) -> str:
        """Where the objects are, also where nothing was said about it."""
        return self.storage_url or str(self.data_dir.absolute() / "store")

    @property
    def database_address(self) -> str:
        """Where PostgreSQL is, password and all.

        Raises:
            InputError: It was not said.
        """
        if self.database_url is None:
            raise InputError(
                "Name the PostgreSQL server with --database-url or MIDIFARM_DATABASE_URL; or run "
                "`midifarm serve`, which brings one."
            )
        return self.database_url.get_secret_value()


class ClientSettings(_Settings):
    """How a client finds its server."""

    url: Annotated[str, AfterValidator(_is_web)] = Field(
        default="http://127.0.0.1:8077",
        description="Address of the server, as `midifarm serve` prints it.",
    )
    token: SecretStr | None = Field(
        default=None,
        description="Token of the user, as `midifarm serve` or `keys create` print it.",
    )


class KeySettings(ClientSettings):
    """How keys are made and revoked: by a server, or straight in its database."""

    database_url: DatabaseUrl = Field(
        default=None,
        description="PostgreSQL server to change the keys in directly, as for the first key of "
        "an installation; the API is asked without it.",
    )


def read_settings(model: type[M], options: Mapping[str, Any] | None = None, /, **changes: Any) -> M:
    """Settings from options and the environment.

    Args:
        model: Which settings.
        options: What was said on the command line, by the names of the fields; None was not said.
        changes: The same, for callers who know the names.

    Raises:
        InputError: A value does not fit; the message names the option or the variable, never the
            value of a secret.
    """
    given = {
        name: value for name, value in {**(options or {}), **changes}.items() if value is not None
    }
    try:
        return model(**given)
    except ValidationError as exc:
        findings = "; ".join(
            f"{_called(str(finding['loc'][0]), given)}: "
            f"{finding['msg'].removeprefix('Value error, ')}"
            for finding in exc.errors(include_input=False, include_url=False)
        )
        raise InputError(f"A setting does not fit: {findings}.") from None


def _called(name: str, given: Collection[str]) -> str:
    return option_name(name) if name in given else variable_name(name)


def option_name(field: str) -> str:
    """The command-line option of a field."""
    return "--" + field.replace("_", "-")


def variable_name(field: str) -> str:
    """The environment variable of a field."""
    return PREFIX + field.upper()


def is_secret(model: type[BaseSettings], field: str) -> bool:
    """Whether the value of a field is never shown."""
    annotation = model.model_fields[field].annotation
    return SecretStr in (annotation, *get_args(annotation))


def environment(settings: BaseSettings) -> dict[str, str]:
    """The environment of a process that is to have these settings.

    Secrets travel this way, since anybody on the machine can read a command line. What is not
    set is empty, which counts as not set and hides what this process may have inherited.
    """
    variables = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        variables[variable_name(name)] = "" if plain is None else str(plain)
    return variables
