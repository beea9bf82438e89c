"""``midifarm webhooks`` and the client against a real API and a real receiver."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coordinator.cli.app import run
from coordinator.client import Client
from shared.errors import InputError, NotFoundError
from shared.storage import LocalStore
from tests.api import RunningApi
from tests.integration.test_webhooks import ALLOWED, LIMITS, is_ours, receivers, until
from tests.receiver import Receiver, receiving


@pytest.fixture
def api(migrated_database_url: str, tmp_path: Path) -> Iterator[RunningApi]:
    store = LocalStore(tmp_path / "store")
    with RunningApi(migrated_database_url, store, LIMITS, receivers=receivers()) as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(address=ALLOWED) as found:
        yield found


class Commands:
    """Runs ``midifarm webhooks …``."""

    def __init__(self, api: RunningApi, capsys: pytest.CaptureFixture[str]) -> None:
        self._server = ["--url", api.url, "--token", api.key("ada")]
        self._capsys = capsys

    def __call__(self, *arguments: str, status: int = 0) -> str:
        """What it printed; on standard error if it is to fail."""
        found = run(["webhooks", *arguments, *self._server])
        told = self._capsys.readouterr()
        assert found == status, told.err
        return told.err if status else told.out

    def json(self, *arguments: str) -> Any:
        """The JSON that it printed."""
        return json.loads(self(*arguments, "--json"))


@pytest.fixture
def webhooks(api: RunningApi, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(api, capsys)


def test_a_webhook_is_added_tested_and_removed_on_the_command_line(
    api: RunningApi, webhooks: Commands, receiver: Receiver
) -> None:
    webhook_id, secret = webhooks(
        "add", receiver.url, "--name", "my [farm]", "--event", "export.failed"
    ).split()
    (listed,) = webhooks.json("list")["webhooks"]
    assert (listed["id"], listed["name"]) == (webhook_id, "my [farm]")
    assert "my [farm]" in webhooks("list")
    assert json.loads(webhooks("show", webhook_id)) == listed
    assert "secret" not in listed

    queued = webhooks.json("test", webhook_id)
    (told,) = receiver.wait()
    assert is_ours(told, secret)
    assert told.message == {
        "type": "ping",
        "timestamp": told.message["timestamp"],
        "data": {"webhook_id": webhook_id},
    }
    log = until(lambda: _ended(webhooks, webhook_id))
    assert [each["id"] for each in log] == [queued["id"]]
    shown = webhooks("deliveries", webhook_id).splitlines()
    assert shown[1].split() == [queued["id"], "ping", "delivered", "1", "204"]
    assert webhooks.json("deliveries", webhook_id, "--failed")["deliveries"] == []
    assert webhooks("redeliver", webhook_id, queued["id"]).strip() == queued["id"]
    receiver.wait(2)

    rotated = webhooks("rotate", webhook_id).split()
    assert rotated[0] == webhook_id
    assert rotated[1] != secret
    assert webhooks("disable", webhook_id) == f"{webhook_id} is disabled.\n"
    assert "disabled" in webhooks("test", webhook_id, status=2)
    assert webhooks("enable", webhook_id) == f"{webhook_id} is enabled.\n"
    assert webhooks("remove", webhook_id) == f"{webhook_id} is removed.\n"
    assert "no webhook" in webhooks("show", webhook_id, status=2)
    assert "no public address" in webhooks("add", "https://10.0.0.1/", status=2)
    assert webhooks.json("list") == {"webhooks": []}


def _ended(webhooks: Commands, webhook_id: str) -> Any:
    log = webhooks.json("deliveries", webhook_id)["deliveries"]
    return log if all(each["ended_at"] for each in log) else None


def test_the_client_makes_and_changes_webhooks(api: RunningApi, receiver: Receiver) -> None:
    with Client(api.url, api.key("ada")) as client:
        made = client.create_webhook(receiver.url, events=["batch.ended"])
        assert made.secret is not None
        assert made.secret not in repr(made)
        assert made.name == ALLOWED
        changed = client.change_webhook(made.id, events=[], name="all")
        assert (changed.events, changed.name) == ((), "all")
        assert client.webhooks() == (client.webhook(made.id),)
        assert client.webhooks(of_exports=True) == ()
        export_id = api.add_export()
        api.end(export_id)
        receiver.wait()
        page = client.deliveries(made.id, export_id=export_id)
        assert [each.event for each in page.deliveries] == ["export.cancelled"]
        assert client.deliveries(made.id, export_id="exp_other").deliveries == ()
        with pytest.raises(InputError, match="url"):
            client.create_webhook("https://127.0.0.1/")
        client.delete_webhook(made.id)
        with pytest.raises(NotFoundError):
            client.webhook(made.id)
