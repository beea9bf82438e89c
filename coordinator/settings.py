"""The settings of the service and of its clients.

Every field is an environment variable ``MIDIFARM_<FIELD>``, an option ``--<field>`` of the
commands that it matters to, and a line of docs/service.md. An option outranks the environment.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar, get_args
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from cluster.node import FIRST_PORT
from coordinator.networks import Network, parse_networks
from coordinator.prices import parse_prices
from coordinator.quotas import QuotaLimits
from shared.errors import InputError
from shared.pools import parse_pools
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


def _are_pools(value: str | None) -> str | None:
    parse_pools(value or "")
    return value


def _is_long(value: SecretStr | None) -> SecretStr | None:
    if value is not None and len(value.get_secret_value().encode()) < 32:
        raise ValueError("it has fewer than 32 bytes, so that it could be guessed")
    return value


def _are_prices(value: str | None) -> str | None:
    try:
        parse_prices(value or "")
    except ValueError:
        raise ValueError("these are no prices like default=0.04,gpu=1.20") from None
    return value


def _is_page(value: str | None) -> str | None:
    return None if value is None else _is_web(value)


def _is_key_set(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        parts = urlsplit(_is_web(value))
        known = parts.scheme == "https" or _is_loopback(parts.hostname or "")
    except ValueError:
        known = False
    if not known:
        raise ValueError("it is no address like https://login.example.org/keys")
    return value


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


DatabaseUrl = Annotated[SecretStr | None, AfterValidator(_is_postgresql)]
"""Where a PostgreSQL server is, perhaps with a password."""


def default_data_dir() -> Path:
    """Where a service keeps its data: of the whole machine for root, else of the user."""
    if os.geteuid() == 0:
        return Path("/var/lib/midifarm")
    return user_data_path("midifarm")


def default_node_dir() -> Path:
    """Where a node has its sockets: a short name, of this user's alone."""
    return Path(f"/tmp/mf-node-{os.geteuid()}")  # noqa: S108  # it is looked at whose it is


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
    log_days: float = Field(
        default=14.0,
        gt=0,
        le=36500,
        description="How long the logs of attempts are kept in the object store.",
    )
    use_days: float = Field(
        default=400.0,
        gt=0,
        le=36500,
        description="How long it is kept what work took, for bills and reports.",
    )
    quota_running: int | None = Field(
        default=None,
        ge=0,
        le=2**31 - 1,
        description="Work items of one user under way at a time, unless an operator said "
        "otherwise for him; any number without it.",
    )
    metrics_host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address on which the dispatcher tells Prometheus what it counts.",
    )
    metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port that it does so on, at `/metrics`, without a token; 0 takes any free "
        "one, and without it nothing is told.",
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
    webhook_networks: Annotated[str | None, AfterValidator(_are_networks)] = Field(
        default=None,
        description="Networks that are not public and whose webhooks are told nevertheless, over "
        "plain http too: 10.1.0.0/16,fd00::/8; none without it.",
    )
    jwt_secret: Annotated[SecretStr | None, AfterValidator(_is_long)] = Field(
        default=None,
        description="Secret of at least 32 bytes with which an identity provider signs its tokens "
        "(HS256).",
    )
    jwt_jwks_url: Annotated[str | None, AfterValidator(_is_key_set)] = Field(
        default=None,
        description="Where an identity provider has its public keys (a JSON Web Key Set), instead "
        "of a secret or beside it; https.",
    )
    jwt_audience: str | None = Field(
        default=None,
        min_length=1,
        validate_default=True,
        description="Audience that its tokens must be meant for.",
    )
    jwt_issuer: str | None = Field(
        default=None,
        min_length=1,
        validate_default=True,
        description="Issuer that its tokens must be of.",
    )
    jwt_scope_claim: str = Field(
        default="midifarm_scope",
        min_length=1,
        description="Claim of its tokens that says what may be done: user, operator or admin; user "
        "without it.",
    )
    rate_per_s: float = Field(
        default=200.0,
        ge=0,
        description="Requests a second that each API process takes of one key, or of one user of "
        "the identity provider's; 0 for no limit.",
    )
    rate_burst: int = Field(
        default=400, ge=0, description="How many of them may come at once; 0 for no limit."
    )
    quota_queued: int = Field(
        default=20_000,
        ge=0,
        le=2**31 - 1,
        description="Exports of one user that have not ended, at a time, unless an operator said "
        "otherwise for him.",
    )
    quota_stored_gib: float | None = Field(
        default=None,
        ge=0,
        le=2**32,
        description="GiB of uploads and finished videos that one user may store, unless an "
        "operator said otherwise for him; any amount without it.",
    )
    slot_prices: Annotated[str | None, AfterValidator(_are_prices)] = Field(
        default=None,
        description="Prices of an hour of a slot by pool, in whatever currency: "
        "default=0.04,gpu=1.20; use is told without a cost where there are none.",
    )
    declared_pools: Annotated[str | None, AfterValidator(_are_pools)] = Field(
        default=None,
        description="Pools that exports may ask for although no node serves them at the moment, "
        "since an autoscaler starts some: gpu,4k; those alone that nodes have served within a "
        "week without it.",
    )
    grafana_url: Annotated[str | None, AfterValidator(_is_page)] = Field(
        default=None,
        description="Address of the Grafana that shows this farm (http or https), to which its "
        "page then leads operators.",
    )
    traces_url: Annotated[str | None, AfterValidator(_is_page)] = Field(
        default=None,
        description="Address of a collector of traces (OpenTelemetry, OTLP over HTTP), such as "
        "http://127.0.0.1:4318, that is told what was done for each export; nobody is without it.",
    )
    log_format: Literal["text", "json"] = Field(
        default="text",
        description="How log lines are written: for people, or one JSON object each.",
    )

    @field_validator("jwt_audience", "jwt_issuer")
    @classmethod
    def _is_said(cls, value: str | None, info: ValidationInfo) -> str | None:
        # Without them, a token that was made for any other program would do.
        if value is None and (info.data.get("jwt_secret") or info.data.get("jwt_jwks_url")):
            raise ValueError(
                "it is needed as soon as MIDIFARM_JWT_SECRET or MIDIFARM_JWT_JWKS_URL is set"
            )
        return value

    @property
    def fetch_allowed(self) -> tuple[Network, ...]:
        """Networks that are not public and from which images may be fetched."""
        return parse_networks(self.fetch_networks or "")

    @property
    def webhook_allowed(self) -> tuple[Network, ...]:
        """Networks that are not public and whose webhooks are told."""
        return parse_networks(self.webhook_networks or "")

    @property
    def prices(self) -> dict[str, float]:
        """Prices of an hour of a slot, by pool."""
        return parse_prices(self.slot_prices or "")

    @property
    def pools_declared(self) -> tuple[str, ...]:
        """Pools that exports may ask for although no node has served them yet."""
        return parse_pools(self.declared_pools or "")

    @property
    def quotas(self) -> QuotaLimits:
        """What a user may have at a time for whom nothing else was said."""
        gib = self.quota_stored_gib
        return QuotaLimits(
            running=self.quota_running,
            queued=self.quota_queued,
            stored_bytes=None if gib is None else int(gib * 2**30),
        )

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


class NodeSettings(_Settings):
    """How a node of Ray is run on this machine."""

    node_dir: Path = Field(
        default_factory=default_node_dir,
        description="Folder of the node, for sockets, logs and what the dispatcher tells it; a "
        "short name, and a folder of its own for each node of a machine.",
    )
    node_ip: str | None = Field(
        default=None,
        min_length=1,
        description="Address by which the other nodes reach this machine; the one that leads to "
        "the head without it.",
    )
    first_port: int = Field(
        default=FIRST_PORT,
        ge=1024,
        le=64_000,
        description="First of the ports that the node listens on: this one and the next three, "
        "and the thousand that begin 20 further on.",
    )
    slots: int | None = Field(
        default=None,
        ge=0,
        le=1024,
        description="Work items that it does at a time where no GPU draws; one a core without it, "
        "and none on a head.",
    )
    scratch_dir: Path | None = Field(
        default=None,
        description="Folder for temporary files of its workers; one in its own folder without it.",
    )


class WorkerSettings(NodeSettings):
    """What a node that renders offers besides."""

    gpu_slots: int = Field(
        default=1, ge=1, le=64, description="Work items that share each of its GPUs at a time."
    )
    pools: Annotated[str | None, AfterValidator(_are_pools)] = Field(
        default=None,
        description="Names of the pools that it serves, by commas; the pool `default` without it.",
    )


class HeadSettings(NodeSettings):
    """What the head of a cluster is told besides."""

    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Folder in which the head keeps what it knows, below `head`: with it, the "
        "cluster survives its restart.",
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
