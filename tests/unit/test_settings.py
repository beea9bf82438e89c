"""Where settings come from, and what is told of those that do not fit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic_settings import BaseSettings

from coordinator.cli.app import app
from coordinator.settings import (
    ClientSettings,
    HeadSettings,
    KeySettings,
    ServiceSettings,
    WorkerSettings,
    environment,
    is_secret,
    option_name,
    read_settings,
    variable_name,
)
from shared.errors import InputError

DOCUMENTS = Path(__file__).parents[2] / "docs"
TABLES: dict[type[BaseSettings], str] = {
    ServiceSettings: "service.md",
    ClientSettings: "service.md",
    WorkerSettings: "deployment.md",
}
MARK = "<!-- from the code: {} -->\n\n"
ONE_BY_ONE = {"pools": "--pool"}
"""Options that are given several times for several."""
COMMANDS: dict[str, type[BaseSettings]] = {
    "serve": ServiceSettings,
    "submit": ClientSettings,
    "cluster head": HeadSettings,
}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for model in (ServiceSettings, KeySettings, HeadSettings, WorkerSettings):
        for name in model.model_fields:
            monkeypatch.delenv(variable_name(name), raising=False)


def test_options_outrank_the_environment_which_outranks_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert read_settings(ServiceSettings).port == 8077
    monkeypatch.setenv("MIDIFARM_PORT", "81")
    assert read_settings(ServiceSettings).port == 81
    assert read_settings(ServiceSettings, {"port": None}).port == 81
    assert read_settings(ServiceSettings, {"port": "82"}).port == 82


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDIFARM_WORKERS", "")
    assert read_settings(ServiceSettings).workers >= 1


def test_what_does_not_fit_is_named_as_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"--port: .*less than or equal to 65535"):
        read_settings(ServiceSettings, port="70000")
    monkeypatch.setenv("MIDIFARM_RETENTION_DAYS", "never")
    with pytest.raises(InputError, match=r"MIDIFARM_RETENTION_DAYS: .*valid number"):
        read_settings(ServiceSettings)


def test_secrets_are_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDIFARM_DATABASE_URL", "mysql://u:Pa55word@h/d")
    with pytest.raises(InputError, match="MIDIFARM_DATABASE_URL: it is no address") as caught:
        read_settings(ServiceSettings)
    assert "Pa55word" not in str(caught.value)
    assert caught.value.__cause__ is None
    monkeypatch.setenv("MIDIFARM_DATABASE_URL", "postgresql://u:Pa55word@h/d")
    monkeypatch.setenv("MIDIFARM_S3_SECRET_KEY", "s3cret")
    settings = read_settings(ServiceSettings)
    assert "Pa55word" not in repr(settings)
    assert "s3cret" not in repr(settings)
    assert settings.database_address == "postgresql://u:Pa55word@h/d"


@pytest.mark.parametrize("url", ["nope", "ftp://x", "http://", "http://[::1", "http://x:port"])
def test_an_address_of_a_server_that_is_none_is_told_plainly(url: str) -> None:
    expected = r"--url: it is no address like http://127\.0\.0\.1:8077\.$"
    with pytest.raises(InputError, match=expected):
        read_settings(ClientSettings, url=url)


def test_an_address_of_a_bucket_is_read_before_anything_is_started() -> None:
    fits = "s3://songs/videos?endpoint=http://127.0.0.1:9000"
    assert read_settings(ServiceSettings, storage_url=fits).store_url == fits
    with pytest.raises(InputError, match="--storage-url: that is no address of a bucket") as caught:
        read_settings(ServiceSettings, storage_url="s3://songs")
    assert ".." not in str(caught.value)
    with pytest.raises(InputError, match="must not hold its keys") as caught:
        read_settings(ServiceSettings, storage_url="s3://AKIA:s3cret@songs?endpoint=http://x")
    assert "s3cret" not in str(caught.value)


SECRET = "s3cret-s3cret-s3cret-s3cret-s3cret"  # noqa: S105  # one of the tests


@pytest.mark.parametrize(
    "given", [{"jwt_secret": SECRET}, {"jwt_jwks_url": "https://login.test/keys"}]
)
def test_an_identity_provider_needs_its_audience_and_issuer(given: dict[str, str]) -> None:
    with pytest.raises(InputError) as caught:
        read_settings(ServiceSettings, given)
    for name in ("AUDIENCE", "ISSUER"):
        assert f"MIDIFARM_JWT_{name}: it is needed" in str(caught.value)
    assert SECRET not in str(caught.value)
    settings = read_settings(ServiceSettings, given, jwt_audience="us", jwt_issuer="them")
    assert SECRET not in repr(settings)
    assert read_settings(ServiceSettings).jwt_issuer is None


@pytest.mark.parametrize(
    "url", ["http://login.test/keys", "ftp://login.test", "login.test", "http://127.0.0.1.test"]
)
def test_the_keys_of_a_provider_are_had_safely(url: str) -> None:
    with pytest.raises(InputError, match="--jwt-jwks-url: it is no address like https://"):
        read_settings(ServiceSettings, jwt_jwks_url=url, jwt_audience="us", jwt_issuer="them")
    for fits in ("http://127.0.0.1:8/keys", "http://[::1]/keys", "http://localhost/keys"):
        read_settings(ServiceSettings, jwt_jwks_url=fits, jwt_audience="us", jwt_issuer="them")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//grafana.test", "https://", "a b"])
def test_operators_are_led_to_a_page_of_the_web_alone(url: str) -> None:
    with pytest.raises(InputError, match="--grafana-url: it is no address like http"):
        read_settings(ServiceSettings, grafana_url=url)
    fits = "https://grafana.test/d/farm?orgId=1"
    assert read_settings(ServiceSettings, grafana_url=fits).grafana_url == fits


def test_a_secret_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(InputError, match="--jwt-secret: it has fewer than 32 bytes") as caught:
        read_settings(ServiceSettings, jwt_secret="short", jwt_audience="us", jwt_issuer="them")  # noqa: S106
    assert "short" not in str(caught.value)


def test_a_child_gets_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDIFARM_RAY_ADDRESS", "inherited:6379")
    settings = read_settings(
        ServiceSettings,
        database_url="postgresql://u:p@h/d",
        data_dir="/srv/midifarm",
        retention_days="1.5",
        workers=3,
    ).model_copy(update={"ray_address": None})
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    assert read_settings(ServiceSettings) == settings


def test_the_database_must_be_named_where_none_is_brought() -> None:
    with pytest.raises(InputError, match="--database-url or MIDIFARM_DATABASE_URL"):
        _ = read_settings(ServiceSettings).database_address


@pytest.mark.parametrize("command", COMMANDS)
def test_every_setting_is_an_option_and_no_help_shows_a_secret(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = COMMANDS[command]
    for name in model.model_fields:
        if is_secret(model, name):
            monkeypatch.setenv(variable_name(name), "postgresql://u:Pa55word@h/d")
    found: Any = typer.main.get_command(app)
    for word in command.split():
        found = found.commands[word]
    helps = {option: each.help for each in found.params for option in each.opts if option[0] == "-"}
    for name, field in model.model_fields.items():
        told = helps[option_name(name)]
        assert field.description in told
        assert variable_name(name) in told
        assert "Pa55word" not in told


def _shown(model: type[BaseSettings], name: str) -> str:
    # What depends on the machine is described where it is documented.
    machine = {
        "workers": "one a core",
        "data_dir": "see below",
        "node_dir": "`/tmp/mf-node-` and the user's number",
    }
    value = model.model_fields[name].get_default(call_default_factory=True)
    return machine.get(name) or ("none" if value is None else f"`{value}`")


def _table(model: type[BaseSettings]) -> str:
    rows = ["| variable | option | default | what it is |", "|---|---|---|---|"]
    rows += [
        f"| `{variable_name(name)}` | `{ONE_BY_ONE.get(name) or option_name(name)}` "
        f"| {_shown(model, name)} | {field.description} |"
        for name, field in model.model_fields.items()
    ]
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize("model", TABLES, ids=lambda each: each.__name__)
def test_every_setting_is_documented(
    model: type[BaseSettings], request: pytest.FixtureRequest
) -> None:
    document = DOCUMENTS / TABLES[model]
    text = document.read_text("utf-8")
    mark = MARK.format(model.__name__)
    table = re.compile(re.escape(mark) + r"(\|.*\n)*")
    assert table.search(text)
    expected = table.sub(lambda _: mark + _table(model), text)
    if request.config.getoption("--update-golden"):
        document.write_text(expected, "utf-8")
    assert document.read_text("utf-8") == expected
