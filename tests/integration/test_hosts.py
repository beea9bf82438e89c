"""Three hosts render one export, and one after the other has an accident."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator

import pytest

from tests.hosts import why_no_hosts
from tests.postgres import PostgresServers
from tests.service import wait_until
from tests.three_hosts import READY_S, ThreeHosts

pytestmark = [pytest.mark.ray, pytest.mark.gl, pytest.mark.services]

NOTICED_WITHIN_S = 10.0


@pytest.fixture(scope="module")
def farm(postgres_servers: PostgresServers) -> Iterator[ThreeHosts]:
    reason = why_no_hosts()
    if reason is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with postgres_servers.fresh_database("embedded") as url, ThreeHosts(url) as farm:
        yield farm


def test_accidents_of_hosts_change_nothing_in_a_video(farm: ThreeHosts) -> None:
    undisturbed = farm.ended(farm.submit(40))
    assert undisturbed.status == "completed"
    assert len({row["node"] for row in farm.api.sql("select node from attempts")}) == 3
    farm.forget_what_was_made()
    drained, cut_off, killed = map(farm.node_of, range(3))
    export = farm.submit(40)

    # The cable of one is pulled while it draws: its work goes elsewhere.
    lost = farm.wait_until_drawn_on(cut_off)
    farm.hosts[1].cut_off()
    began_s = time.monotonic()
    ended = "select ended_at, outcome::text from attempts where id = %s and ended_at is not null"
    [given_up] = wait_until(lambda: farm.api.sql(ended, lost), "the loss to be noticed")
    noticed_s = time.monotonic() - began_s
    again = (
        "select node from attempts where id > %s and node <> %s"
        " and item_id = (select item_id from attempts where id = %s)"
    )
    wait_until(lambda: farm.api.sql(again, lost, cut_off, lost), "another attempt", READY_S)
    sys.stdout.write(
        f"\na host that was cut off was noticed after {noticed_s:.1f} s; its chunk was elsewhere "
        f"after {time.monotonic() - began_s:.1f} s\n"
    )
    assert given_up["outcome"] == "failed"
    assert noticed_s < NOTICED_WITHIN_S

    # Another one loses its power.
    farm.wait_until_drawn_on(killed)
    farm.hosts[2].kill()

    # The last one is to be serviced: it finishes what it draws, and gets nothing more.
    last = farm.wait_until_drawn_on(drained)
    drain = farm.cluster(0, "drain")
    farm.hosts[1].connect()
    assert drain.wait(READY_S) == 0, farm.said(0, "drain")
    assert "is at nothing" in farm.said(0, "drain")

    # With the cable in its place again, the first one comes back by itself, and does the rest.
    finished = farm.ended(export)
    assert finished.status == "completed"
    assert finished.chunks_cached == 0
    assert farm.video(finished) == farm.video(undisturbed)
    back = farm.node_of(1)
    assert back != cut_off
    done_by = farm.api.sql("select id, node from attempts where id >= %s and outcome = 'committed'",
                           lost)  # fmt: skip
    assert [row["id"] for row in done_by if row["node"] == drained and row["id"] >= last] == [last]
    assert {row["node"] for row in done_by if row["id"] > last} == {back}
    assert farm.api.sql(ended, lost) == [given_up], "what it reported late changed nothing"
    assert cut_off not in {row["node"] for row in done_by}

    farm.cluster(0, "drain", "--undo").wait(READY_S)
    farm.hosts[2].turn_on()
    farm.join(2)
    wait_until(lambda: farm.slots == 3, "all to be back", READY_S)
