"""What the OpenAPI document allows and forbids, made up by schemathesis, over real HTTP.

Nothing is answered with a 5xx, with a status that is not documented or with a body that does not
fit its schema, and what the schema forbids is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from ipaddress import ip_network
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, Config, GenerationMode, openapi

from coordinator.api.limits import ApiLimits
from coordinator.fetching import Fetcher
from coordinator.reaching import Reach
from shared.storage import LocalStore
from tests.api import WITHIN_S, RunningApi
from tests.integration.test_api import PNG, compose, upload
from tests.postgres import PostgresServers

pytestmark = [
    pytest.mark.services,
    # It is schemathesis that draws, and the same every time.
    pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies"),
]

NOWHERE: Final = "127.0.0.2"
"""Every host is there, and nobody listens."""
OF_OPERATORS: Final = "^/v1/(farm|audit|keys)"
OF_USERS: Final = "^/(?!v1/(farm|audit)).*(?<!/events)$"
"""But for streams, which tests of their own read: some never end."""
NOT_CHECKED: Final = (
    # No schema says which files there are, which hosts answer, which keys were used before.
    "positive_data_acceptance",
    # Those that compare callers: test_api_hostile goes through all routes with foreign ids.
    "ignored_auth",
    "object_level_authorization",
    # Those that follow what they have made: here ids are given.
    "use_after_free",
    "ensure_resource_availability",
)
LENIENT: Final = "^(create|revise)_(composition|template)$|^(queue|create)_(exports|batch|preview)$"
"""Operations that take documents which files hold too: their numbers may be written as text."""


def configuration() -> Config:
    """What schemathesis looks at."""
    return Config.from_dict(
        {
            "request-timeout": WITHIN_S,
            # A token is given with every call.
            "generation": {"with-security-parameters": False},
            "checks": {name: {"enabled": False} for name in NOT_CHECKED},
            "operations": [
                {
                    "include-operation-id-regex": LENIENT,
                    "checks": {"negative_data_rejection": {"enabled": False}},
                }
            ],
        }
    )


async def everywhere(host: str, port: int) -> Sequence[str]:
    """A resolver that knows every name."""
    return [NOWHERE]


@pytest.fixture(scope="module")
def api(
    postgres_servers: PostgresServers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApi]:
    allowed = [ip_network(NOWHERE)]
    with (
        postgres_servers.fresh_database("embedded", is_migrated=True) as url,
        RunningApi(
            url,
            LocalStore(tmp_path_factory.mktemp("store")),
            ApiLimits(preview_wait_s=0, rate_per_s=0, stranger_per_s=0),
            fetcher=Fetcher(allowed=allowed, resolve=everywhere),
            receivers=Reach(allowed=allowed, resolve=everywhere),
        ) as running,
    ):
        yield running


def furnish(api: RunningApi, user_id: str, number: int = 1) -> dict[str, str]:
    """Give a user something of each kind; what the parameters of paths may be."""
    client = api.client(user_id)
    composition = compose(client)["id"]
    upload(client, PNG + bytes([number]), name="cover.png")
    rejected = upload(client, PNG + bytes(number + 64), name="odd.png")["id"]
    api.sql("update assets set status = 'rejected', reason = 'Too odd.' where id = %s", rejected)
    queued = {"composition_id": composition, "presets": ["youtube_1080p", "tiktok_vertical"]}
    batch = client.post("/v1/exports", json=queued).json()
    done, failed = (client.post("/v1/exports", json=queued).json()["exports"] for _ in range(2))
    sha256 = f"{number:x}" * 64
    api.complete(done[0]["id"], b"video", sha256, poster_key="posters/1.jpg")
    api.complete(done[1]["id"], b"video", sha256, expired_at="now()")
    api.end(failed[0]["id"])
    api.tell(
        failed[1]["id"], passing=False, status="failed", stage="failed", error_message="It broke."
    )
    api.store.put_bytes("posters/1.jpg", b"jpeg")
    api.sql(
        "insert into work_items (kind, export_id, user_id, chunk_index, start_frame, stop_frame,"
        " status, report, ended_at) values ('chunk', %s, %s, 0, 0, 60, 'done', '{}', now())",
        done[0]["id"],
        user_id,
    )
    node = f"node_{user_id}_{number}"
    api.sql("insert into nodes (id, name, cpus, gpus) values (%s, 'one', 1, 0)", node)
    api.sql(
        "insert into attempts (item_id, number, epoch, worker, node, outcome, ended_at)"
        " select id, 1, 1, 'one:7', %s, 'committed', now() from work_items where export_id = %s",
        node,
        done[0]["id"],
    )
    (attempt,) = api.sql(
        "insert into attempts (item_id, number, epoch, node, outcome, ended_at, error_kind,"
        " error_message, log)"
        " select id, 1, 1, %s, 'failed', now(), 'suspect', 'It broke.', 'Traceback: é'"
        " from work_items where export_id = %s returning id",
        node,
        failed[1]["id"],
    )
    template = client.post("/v1/templates", json={"name": "Mine", "branding": {}}).json()["id"]
    preview = client.post("/v1/previews", json={"composition_id": composition}).json()["id"]
    hook = client.post("/v1/webhooks", json={"url": "https://hooks.test/"}).json()["id"]
    delivery = client.post(f"/v1/webhooks/{hook}/test").json()["id"]
    key = client.post("/v1/keys", json={"name": "laptop"}).json()["id"]
    made = client.post(f"/v1/exports/{done[0]['id']}/links").json()
    return {
        "asset_id": rejected,
        "composition_id": composition,
        "template_id": template,
        "preview_id": preview,
        "export_id": (done[0] if number == 1 else batch["exports"][0])["id"],
        "link_id": made["id"],
        "token": made["url"].rpartition("/")[2],
        "batch_id": batch["batch_id"],
        "key_id": key,
        "webhook_id": hook,
        "delivery_id": delivery,
        "node_id": node,
        "attempt_id": str(attempt["id"]),
        "user_id": user_id,
        "name": "aurora",
    }


class Caller:
    """Somebody who sends what is made up."""

    def __init__(self, api: RunningApi, user_id: str | None = None, scope: str = "user") -> None:
        """Give a user what he can name; nobody has nothing."""
        self._headers = {}
        self._own = self._lost = dict[str, str]()
        if user_id is not None:
            self._headers["Authorization"] = f"Bearer {api.key(user_id, scope=scope)}"
            self._own, self._lost = furnish(api, user_id), furnish(api, user_id, 2)
        url = f"{api.url}/v1/openapi.json"
        self._described = openapi.from_url(url, config=configuration())

    def call_all(self, subtests: pytest.Subtests, path_regex: str, examples: int) -> None:
        """Call all operations at certain paths, each with a number of examples of either mode."""
        called = 0
        for result in self._described.get_all_operations():
            operation = result.ok()
            if re.search(path_regex, operation.path):
                called += 1
                with subtests.test(operation.label):
                    self._call(operation, examples)
        assert called > 0

    def _call(self, operation: APIOperation, examples: int) -> None:
        # Whoever is nobody is refused before anything is looked at.
        for mode in GenerationMode if self._own else (GenerationMode.POSITIVE,):
            with suppress(Unsatisfiable):  # nothing can be wrong with it
                self._call_in(mode, operation, examples)

    def _call_in(self, mode: GenerationMode, operation: APIOperation, examples: int) -> None:
        @settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def call(case: Case) -> None:
            # What is deleted is missing from then on.
            there = self._lost if case.method == "DELETE" else self._own
            if mode.is_positive:
                case.path_parameters.update(
                    {name: there[name] for name in case.path_parameters if there}
                )
            case.call_and_validate(headers=self._headers)

        call()


def test_a_user_gets_what_is_documented(api: RunningApi, subtests: pytest.Subtests) -> None:
    Caller(api, "ada").call_all(subtests, OF_USERS, 8)


def test_an_admin_gets_what_is_documented(api: RunningApi, subtests: pytest.Subtests) -> None:
    Caller(api, "root", "admin").call_all(subtests, OF_OPERATORS, 12)


def test_nobody_gets_what_is_documented(api: RunningApi, subtests: pytest.Subtests) -> None:
    Caller(api).call_all(subtests, "", 1)
