"""Webhooks: who is told, how often, and who never is."""

from __future__ import annotations

import asyncio
import base64
import hmac
import re
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from coordinator.api.limits import ApiLimits, WebhookLimits
from coordinator.database import Database, deliveries, webhooks
from coordinator.dispatcher.janitor import Janitor
from coordinator.dispatcher.limits import Limits
from coordinator.reaching import Reach
from coordinator.signing import new_secret
from shared.storage import LocalStore
from tests.api import WITHIN_S, RunningApi
from tests.https import HOST, Visit, trusting
from tests.https import running as https_running
from tests.receiver import Receiver, Told, receiving

ALLOWED = "127.0.0.2"
"""Loopback too, but the only address of it that these tests let be told."""
LIMITS = ApiLimits(
    webhooks=WebhookLimits(
        most=3,
        patience_s=5.0,
        lease_s=10.0,
        first_wait_s=0.02,
        longest_wait_s=0.1,
        at_a_time_each=2,
    )
)
SHA256 = "5e" * 32
PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text("utf-8")


async def names(host: str, _port: int) -> list[str]:
    """A name server of the test's own."""
    known = {HOST: [ALLOWED], ALLOWED: [ALLOWED], "two.test": [ALLOWED, "127.0.0.1"]}
    if host in known:
        return known[host]
    if re.fullmatch(r"[\d.]+|[\da-f:]+", host):
        return [host]
    raise OSError("no such name")


def receivers() -> Reach:
    return Reach(allowed=[ip_network(ALLOWED)], resolve=names, certificates=trusting())


@pytest.fixture
def api(migrated_database_url: str, tmp_path: Path) -> Iterator[RunningApi]:
    store = LocalStore(tmp_path / "store")
    with RunningApi(migrated_database_url, store, LIMITS, receivers=receivers()) as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(address=ALLOWED) as found:
        yield found


def add(client: httpx.Client, url: str, **fields: Any) -> dict[str, Any]:
    answer = client.post("/v1/webhooks", json={"url": url, **fields})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def log_of(client: httpx.Client, webhook: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    answer = client.get(f"/v1/webhooks/{webhook['id']}/deliveries", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["deliveries"]
    return found


def until(found: Callable[[], Any]) -> Any:
    """What is found as soon as there is something: the log is written after the answer."""
    until_s = time.monotonic() + WITHIN_S
    while not (value := found()):
        assert time.monotonic() < until_s, "it did not come"
        time.sleep(0.01)
    return value


def ended_log(client: httpx.Client, webhook: dict[str, Any], count: int = 1) -> Any:
    """The delivery log, as soon as so many deliveries have ended."""

    def ended() -> list[dict[str, Any]]:
        log = log_of(client, webhook)
        return log if sum(each["ended_at"] is not None for each in log) >= count else []

    return until(ended)


def is_ours(told: Told, secret: str) -> bool:
    """What the three lines of the documentation say."""
    (lines,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(lines.splitlines()) == 3
    facts: dict[str, Any] = {
        "base64": base64,
        "hmac": hmac,
        "secret": secret,
        "body": told.body,
        "message_id": told.headers["webhook-id"],
        "timestamp": told.headers["webhook-timestamp"],
        "signatures": told.headers["webhook-signature"],
    }
    exec(lines, facts)  # noqa: S102  # the very lines that receivers copy
    return bool(facts["is_ours"])


def test_a_receiver_that_fails_five_times_is_told_exactly_once_more(
    api: RunningApi, receiver: Receiver
) -> None:
    ada = api.client()
    receiver.answers = [500, 503, 404, 429, 302]
    webhook = add(ada, receiver.url, name="production")
    export_id = api.add_export(batch_id=None)
    api.complete(export_id, b"video", SHA256, reason=None)

    (delivery,) = ended_log(ada, webhook)
    told = receiver.wait(6)
    assert len(told) == 6
    assert {each.path for each in told} == {"/hook"}  # nobody went where the redirect leads
    assert len({(each.id, each.body) for each in told}) == 1
    assert all(is_ours(each, webhook["secret"]) for each in told)
    assert not is_ours(told[0], new_secret())
    forged = Told(told[0].path, told[0].headers, told[0].body.replace(b"completed", b"cancelled"))
    assert not is_ours(forged, webhook["secret"])

    message = told[-1].message
    assert message["type"] == "export.completed"
    assert message["data"] == {
        "id": export_id,
        "name": "Song",
        "batch_id": None,
        "composition_id": f"cmp_{export_id}",
        "status": "completed",
        "progress": 1,
        "error_message": None,
        "reason": None,
        "file_size": 5,
        "duration_seconds": 1,
        "sha256": SHA256,
        "warnings": [],
        "created_at": message["data"]["created_at"],
        "completed_at": message["data"]["completed_at"],
        "download_url": f"/v1/exports/{export_id}/download",
    }
    assert delivery["status"] == "delivered"
    assert (delivery["id"], delivery["export_id"]) == (told[0].id, export_id)
    assert delivery["next_at"] is None
    tries = delivery["tries"]
    assert [each["number"] for each in tries] == [1, 2, 3, 4, 5, 6]
    assert [each["http_status"] for each in tries] == [500, 503, 404, 429, 302, 204]
    assert tries[4]["error"] == "it answers 302: redirects are not followed"
    assert tries[5]["error"] is None
    assert sorted(each["at"] for each in tries) == [each["at"] for each in tries]
    assert log_of(ada, webhook, export_id=export_id) == [delivery]
    assert log_of(ada, webhook, status="failed") == []


def test_a_receiver_that_hangs_delays_no_other(api: RunningApi, receiver: Receiver) -> None:
    ada, bob = api.client("ada"), api.client("bob")
    with receiving(*[None] * 100, address=ALLOWED) as hanging:
        add(ada, hanging.url)
        quick = add(ada, receiver.url)
        theirs = add(bob, receiver.url)
        api.end(api.add_export("bob"))
        for _ in range(8):
            api.end(api.add_export("ada"))
        ended_log(ada, quick, 8)
        ended_log(bob, theirs)
        # As many as may be under way at one webhook, though eight wait.
        assert len(hanging.wait(2)) == 2


def test_what_a_killed_process_had_is_taken_up_after_its_lease(
    api: RunningApi, receiver: Receiver
) -> None:
    ada = api.client()
    webhook = add(ada, receiver.url)
    api.sql(
        "insert into deliveries (id, webhook_id, user_id, event, data, leased_until, next_at)"
        " values ('dlv_left', %s, 'ada', 'ping', '{}',"
        " now() + interval '0.7 seconds', now() + interval '0.7 seconds')",
        webhook["id"],
    )
    (delivery,) = ended_log(ada, webhook)
    assert [told.id for told in receiver.told] == ["dlv_left"]
    (waited,) = api.sql(
        "select t.at - d.created_at >= interval '0.7 seconds' as is_patient"
        " from delivery_tries t join deliveries d on d.id = t.delivery_id"
    )
    assert waited["is_patient"]
    assert len(delivery["tries"]) == 1


def test_a_process_that_ends_gives_back_what_it_has_not_finished(
    migrated_database_url: str, tmp_path: Path, receiver: Receiver
) -> None:
    patient = LIMITS.webhooks.model_copy(update={"lease_s": 10 * WITHIN_S})
    limits = LIMITS.model_copy(update={"webhooks": patient})
    store = LocalStore(tmp_path / "store")
    receiver.answers = [None]
    first = RunningApi(migrated_database_url, store, limits, receivers=receivers())
    with first:
        add(first.client(), receiver.url)
        first.end(first.add_export())
        receiver.wait(1)
    with RunningApi(migrated_database_url, store, limits, receivers=receivers()) as second:
        one, two = receiver.wait(2)  # long before the lease ends
        assert (one.id, one.body) == (two.id, two.body)
        assert second.sql("select count(*) as n from deliveries") == [{"n": 1}]


def batch_of(api: RunningApi, count: int, user_id: str = "ada") -> list[str]:
    number = api.sql("select count(*) as n from batches")[0]["n"]
    batch_id = f"bat_{number}"
    api.sql("insert into batches (id, user_id, name) values (%s, %s, 'Songs')", batch_id, user_id)
    return [api.add_export(user_id, batch_id=batch_id) for _ in range(count)]


CANCEL = (
    "update export_jobs set status = 'cancelled', completed_at = now() where id = any (%s)"
    " and status = 'queued'"
)


def events(api: RunningApi) -> list[str]:
    return [row["event"] for row in api.sql("select event from deliveries order by event")]


def test_a_batch_ends_once_when_its_last_exports_end_at_the_same_moment(
    api: RunningApi, receiver: Receiver
) -> None:
    ada = api.client()
    webhook = add(ada, receiver.url, events=["batch.ended"])
    one, other = batch_of(api, 2)
    with (
        psycopg.connect(api.database_url, autocommit=True) as second,
        psycopg.connect(api.database_url) as first,
    ):
        first.execute(CANCEL, [[one]])
        begun = threading.Thread(target=second.execute, args=(CANCEL, [[other]]))
        begun.start()
        # It waits for the first, which has not committed yet.
        until(
            lambda: api.sql(
                "select pid from pg_stat_activity where pid = %s and wait_event_type = 'Lock'",
                second.info.backend_pid,
            )
        )
        first.commit()
        begun.join(WITHIN_S)
        assert not begun.is_alive()
    assert events(api) == ["batch.ended"]
    (delivery,) = ended_log(ada, webhook)
    assert delivery["batch_id"] == "bat_0"
    data = receiver.wait()[0].message["data"]
    assert data["counts"] == {"completed": 0, "failed": 0, "cancelled": 2}
    assert (data["id"], data["name"]) == ("bat_0", "Songs")


def test_a_batch_that_is_cancelled_in_one_statement_ends_once(
    api: RunningApi, receiver: Receiver
) -> None:
    webhook = add(api.client(), receiver.url)
    exports = batch_of(api, 30)
    api.sql(CANCEL, exports[:10])
    assert events(api) == ["export.cancelled"] * 10
    api.sql(CANCEL, exports)
    assert events(api) == ["batch.ended", *["export.cancelled"] * 30]
    api.sql("update export_jobs set reason = 'Late.', updated_at = now()")  # nothing ends by it
    assert len(events(api)) == 31
    ended_log(api.client(), webhook, 20)


def test_an_export_that_is_retried_ends_again(api: RunningApi, receiver: Receiver) -> None:
    add(api.client(), receiver.url)
    export_id = api.add_export()
    for _ in range(2):
        api.tell(export_id, passing=False, status="cancelled", stage="cancelled")
        api.tell(export_id, passing=False, status="queued", stage="queued")
    assert [told.message["type"] for told in receiver.wait(2)] == ["export.cancelled"] * 2


def test_only_who_wants_to_know_is_told(api: RunningApi, receiver: Receiver) -> None:
    ada, bob = api.client("ada"), api.client("bob")
    add(ada, receiver.url, events=["export.failed", "batch.ended"])
    add(bob, receiver.url)
    export_id = api.add_export("ada")
    api.end(export_id)
    other_id = api.add_export("ada")
    api.tell(other_id, passing=False, status="failed", error_message="No.", stage="failed")
    (told,) = receiver.wait()
    assert told.message["data"]["id"] == other_id
    assert told.message["data"]["error_message"] == "No."
    assert events(api) == ["export.failed"]


async def _of_export(url: str, user_id: str, *asked: tuple[str, str]) -> list[str]:
    async with Database(url) as database, database.transaction() as connection:
        return [await webhooks.of_export(connection, user_id, *each) for each in asked]


def test_the_webhook_of_an_export_is_told_of_it_and_its_batch_alone(
    api: RunningApi, receiver: Receiver
) -> None:
    ada = api.client("ada")
    secret = new_secret()
    named, again, third = asyncio.run(
        _of_export(
            api.database_url,
            "ada",
            (receiver.url, secret),
            (receiver.url, secret),
            (receiver.url, new_secret()),
        )
    )
    assert named == again != third
    (other,) = asyncio.run(_of_export(api.database_url, "bob", (receiver.url, secret)))
    assert other != named
    api.end(api.add_export("ada"))
    one, *rest = batch_of(api, 3)
    api.sql("update export_jobs set webhook_id = %s where id = %s", named, one)
    api.sql(CANCEL, [one, *rest])
    assert events(api) == ["batch.ended", "export.cancelled"]
    assert all(is_ours(told, secret) for told in receiver.wait(2))

    # It is seen where one looks for it, and keeps what exports name it by.
    assert ada.get("/v1/webhooks").json()["webhooks"] == []
    shown = ada.get("/v1/webhooks", params={"of_exports": True}).json()["webhooks"]
    assert {each["id"] for each in shown} == {named, third}
    assert ada.patch(f"/v1/webhooks/{named}", json={"url": receiver.url + "2"}).status_code == 409
    assert ada.post(f"/v1/webhooks/{named}/rotate").status_code == 409
    assert ada.delete(f"/v1/webhooks/{named}").status_code == 204
    assert api.sql("select webhook_id from export_jobs where id = %s", one) == [
        {"webhook_id": None}
    ]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1/", "plain http goes only to networks that the operator has allowed"),
        ("http://8.8.8.8/", "plain http goes only to networks that the operator has allowed"),
        ("https://127.0.0.1/", "its host has no public address"),
        ("https://169.254.169.254/latest", "its host has no public address"),
        ("https://10.0.0.1/", "its host has no public address"),
        ("https://[::1]/", "its host has no public address"),
        ("https://[::ffff:127.0.0.2]/", "its host has no public address"),
        ("https://two.test/", "its host has no public address"),
        ("https://nowhere.test/", "its host has no public address"),
        ("ftp://127.0.0.2/", "only https and http addresses are reached"),
        ("file:///etc/passwd", "only https and http addresses are reached"),
        ("https://", "that address names no host"),
        (f"https://user:secret@{HOST}/", "an address with a user name in it is not reached"),
        (f"https://{HOST}:0/", "that is no address"),
        (f"https://{HOST}:99999/", "that is no address"),
        (f"https://{HOST}/\0", "control characters and line breaks are not allowed"),
        (f"https://{HOST}/" + "a" * 2000, "2000"),
        ("", "1 character"),
        ("no address", "only https and http addresses are reached"),
    ],
)
def test_addresses_that_may_not_be_told_are_refused(
    shared_api: RunningApi, url: str, told: str
) -> None:
    ada = shared_api.client()
    answer = ada.post("/v1/webhooks", json={"url": url})
    assert answer.status_code == 422, answer.text
    (fault,) = answer.json()["errors"]
    assert fault["field"] == "url"
    assert told in fault["message"]
    assert ada.get("/v1/webhooks").json()["webhooks"] == []


@pytest.fixture(scope="module")
def shared_api(
    postgres_servers: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApi]:
    store = LocalStore(tmp_path_factory.mktemp("store"))
    with (
        postgres_servers.fresh_database("embedded", is_migrated=True) as url,
        RunningApi(url, store, LIMITS, receivers=receivers()) as running,
    ):
        yield running


def test_an_address_that_is_refused_later_is_not_told_then(api: RunningApi) -> None:
    ada = api.client()
    with receiving(address="127.0.0.1") as inside, receiving(address=ALLOWED) as outside:
        webhook = add(ada, outside.url)
        # As a name would that leads elsewhere since.
        api.sql("update webhooks set url = %s", inside.url)
        assert ada.post(f"/v1/webhooks/{webhook['id']}/test").status_code == 202
        tries = until(lambda: log_of(ada, webhook)[0]["tries"])
        assert "plain http goes only to networks" in tries[0]["error"]
        assert tries[0]["http_status"] is None
        assert inside.told == []


def test_https_is_told_by_name_and_only_who_has_the_certificate(api: RunningApi) -> None:
    ada = api.client()
    arrived = threading.Event()

    def take(visit: Visit) -> None:
        visit.answer(200, b"x" * 100)
        arrived.set()

    with https_running(ALLOWED) as web:
        web.replies["/hook"] = take
        add(ada, web.url("/hook"))
        other = add(ada, f"https://{ALLOWED}:{web.port}/hook")
        api.end(api.add_export())
        assert arrived.wait(WITHIN_S)
        tries = until(lambda: log_of(ada, other)[0]["tries"])
        assert tries[0]["error"] == "its server has no valid certificate"
        assert web.seen == [("/hook", f"{HOST}:{web.port}")]


def test_disabling_and_deleting_stop_what_waits(api: RunningApi) -> None:
    ada = api.client()
    with receiving(*[500] * 10_000, address=ALLOWED) as failing:
        webhook = add(ada, failing.url)
        path = f"/v1/webhooks/{webhook['id']}"
        api.end(api.add_export())
        failing.wait(2)
        changed = ada.patch(path, json={"is_enabled": False})
        assert changed.status_code == 200
        assert changed.json()["is_enabled"] is False
        (delivery,) = log_of(ada, webhook)
        assert delivery["status"] == "cancelled"
        assert delivery["next_at"] is None
        api.end(api.add_export())
        assert len(log_of(ada, webhook)) == 1
        assert ada.post(f"{path}/test").status_code == 409
        again = f"{path}/deliveries/{delivery['id']}/redeliver"
        assert ada.post(again).status_code == 409

        ada.patch(path, json={"is_enabled": True})
        seen = len(failing.told)
        assert ada.post(again).json()["status"] == "pending"
        failing.wait(seen + 2)
        assert ada.delete(path).status_code == 204
        assert ada.get(path).status_code == 404
        assert api.sql("select id from deliveries") == []


def test_what_is_given_up_is_told_again_when_it_is_asked_for(
    migrated_database_url: str, tmp_path: Path, receiver: Receiver
) -> None:
    quick = LIMITS.webhooks.model_copy(update={"give_up_s": 0.01})
    limits = LIMITS.model_copy(update={"webhooks": quick})
    store = LocalStore(tmp_path / "store")
    receiver.answers = [500]
    with RunningApi(migrated_database_url, store, limits, receivers=receivers()) as api:
        ada = api.client()
        webhook = add(ada, receiver.url)
        ping = ada.post(f"/v1/webhooks/{webhook['id']}/test").json()
        assert (ping["event"], ping["status"], ping["tries"]) == ("ping", "pending", [])
        (failed,) = ended_log(ada, webhook)
        assert failed["status"] == "failed"
        assert log_of(ada, webhook, status="failed") == [failed]
        again = ada.post(f"/v1/webhooks/{webhook['id']}/deliveries/{failed['id']}/redeliver")
        assert again.status_code == 202
        assert again.json()["status"] == "pending"
        one, two = receiver.wait(2)
        assert (one.id, one.body) == (two.id, two.body)
        (delivered,) = ended_log(ada, webhook)
        assert delivered["status"] == "delivered"
        assert [each["http_status"] for each in delivered["tries"]] == [500, 204]


def test_a_delivery_that_cannot_be_made_is_noted_and_stops_nobody(
    api: RunningApi, receiver: Receiver
) -> None:
    ada = api.client()
    broken, whole = add(ada, receiver.url), add(ada, receiver.url)
    api.sql("update webhooks set secret = 'none' where id = %s", broken["id"])
    api.end(api.add_export())
    ended_log(ada, whole)
    tries = until(lambda: log_of(ada, broken)[0]["tries"])
    assert tries[0]["error"] == "something went wrong inside midifarm; its log says what"


def test_a_database_that_fails_only_pauses(api: RunningApi, receiver: Receiver) -> None:
    ada = api.client()
    webhook = add(ada, receiver.url)
    lost = api.sql(
        "select pg_terminate_backend(pid) as done from pg_stat_activity"
        " where datname = current_database() and application_name = 'midifarm'"
    )
    assert len(lost) >= 3
    api.end(api.add_export())
    ended_log(ada, webhook)
    assert len(receiver.told) == 1


async def _claimed(url: str, *asked: dict[str, int]) -> list[list[str]]:
    async with Database(url) as database:
        found = []
        for each in asked:
            async with database.transaction() as connection:
                rows = await deliveries.claim(connection, lease_s=60, **each)
            found.append(sorted(row["id"] for row in rows))
        return found


def test_what_is_under_way_is_bounded_for_each_webhook_and_user(api: RunningApi) -> None:
    api.stop()  # nobody else claims
    api.sql(
        "insert into webhooks (id, user_id, name, url, secret)"
        " select user_id || webhook, user_id, 'name', 'https://images.test/', 'none'"
        " from unnest(array['ada', 'bob']) user_id, generate_series(1, 3) webhook"
        " where user_id = 'ada' or webhook = 1"
    )
    api.sql(
        "insert into deliveries (id, webhook_id, user_id, event, data, next_at)"
        " select w.id || '.' || n, w.id, w.user_id, 'ping', '{}', now() - interval '1 hour' / n"
        " from webhooks w, generate_series(1, 3) n"
    )
    each: dict[str, int] = {"each": 2, "per_user": 5}
    first, second, third, none = asyncio.run(
        _claimed(
            api.database_url,
            each | {"room": 2},
            each | {"room": 64},
            each | {"room": 64, "each": 3},
            each | {"room": 64, "each": 3},
        )
    )
    assert first == ["ada1.1", "bob1.1"]  # one of each user's before a second of anybody's
    assert second == ["ada1.2", "ada2.1", "ada2.2", "ada3.1", "bob1.2"]
    assert third == ["bob1.3"]  # ada has five under way
    assert none == []


def test_what_was_told_long_ago_is_forgotten(
    api: RunningApi, receiver: Receiver, tmp_path: Path
) -> None:
    ada = api.client()
    webhook = add(ada, receiver.url)
    for _ in range(2):
        api.end(api.add_export())
    old, _ = ended_log(ada, webhook, 2)
    api.sql("update deliveries set ended_at = now() - interval '31 days' where id = %s", old["id"])

    async def clean() -> None:
        async with Database(api.database_url) as database:
            janitor = Janitor(database, LocalStore(tmp_path / "store"), Limits())
            await janitor.clean_old()
            await janitor.close()

    asyncio.run(clean())
    (kept,) = log_of(ada, webhook)
    assert kept["id"] != old["id"]
    assert api.sql("select delivery_id from delivery_tries") == [{"delivery_id": kept["id"]}]


def test_a_secret_is_shown_once_and_both_sign_while_one_replaces_the_other(
    api: RunningApi, receiver: Receiver
) -> None:
    ada = api.client()
    own = new_secret()
    body = {"url": receiver.url, "secret": own}
    headers = {"Idempotency-Key": "one"}
    made = ada.post("/v1/webhooks", json=body, headers=headers)
    assert made.json()["secret"] == own
    assert made.headers["cache-control"] == "no-store"
    replayed = ada.post("/v1/webhooks", json=body, headers=headers)
    assert replayed.json() == made.json() | {"secret": None}
    path = f"/v1/webhooks/{made.json()['id']}"
    assert "secret" not in ada.get(path).json()
    rotated = ada.post(f"{path}/rotate").json()["secret"]
    assert rotated != own
    ada.post(f"{path}/test")
    (told,) = receiver.wait()
    assert is_ours(told, own)
    assert is_ours(told, rotated)
    api.sql("update webhooks set old_secret_until = now()")
    ada.post(f"{path}/test")
    _, told = receiver.wait(2)
    assert not is_ours(told, own)
    assert is_ours(told, rotated)
    assert ada.post("/v1/webhooks", json=body | {"secret": "whsec_short"}).status_code == 422


def test_a_user_keeps_so_many_webhooks_and_pages_through_them(
    api: RunningApi, receiver: Receiver
) -> None:
    ada = api.client()
    made = [add(ada, receiver.url, name=f"number {number}")["id"] for number in range(3)]
    full = ada.post("/v1/webhooks", json={"url": receiver.url})
    assert (full.status_code, full.json()["code"]) == (409, "conflict")
    page = ada.get("/v1/webhooks", params={"limit": 2}).json()
    assert ([each["id"] for each in page["webhooks"]], page["has_more"]) == (made[:0:-1], True)
    rest = ada.get("/v1/webhooks", params={"limit": 2, "offset": 2}).json()
    assert ([each["id"] for each in rest["webhooks"]], rest["has_more"]) == (made[:1], False)
    changed = ada.patch(
        f"/v1/webhooks/{made[0]}", json={"name": "new", "events": ["batch.ended"]}
    ).json()
    assert (changed["name"], changed["events"]) == ("new", ["batch.ended"])
    refused = ada.patch(f"/v1/webhooks/{made[0]}", json={"url": "https://10.0.0.1/"})
    assert refused.json()["errors"][0]["field"] == "url"


def test_webhooks_of_others_do_not_exist(api: RunningApi, receiver: Receiver) -> None:
    ada, bob = api.client("ada"), api.client("bob", scope="admin")
    webhook, own = add(ada, receiver.url), add(bob, receiver.url)
    api.end(api.add_export("ada"))
    (delivery,) = ended_log(ada, webhook)
    path = f"/v1/webhooks/{webhook['id']}"
    for method, route in (
        ("GET", path),
        ("PATCH", path),
        ("DELETE", path),
        ("POST", f"{path}/rotate"),
        ("POST", f"{path}/test"),
        ("GET", f"{path}/deliveries"),
        ("POST", f"{path}/deliveries/{delivery['id']}/redeliver"),
        ("POST", f"/v1/webhooks/{own['id']}/deliveries/{delivery['id']}/redeliver"),
    ):
        answer = bob.request(method, route, json={} if method == "PATCH" else None)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), route
    assert log_of(ada, webhook) == [delivery]
