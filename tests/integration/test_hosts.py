"""Three hosts render one export, and one after the other has an accident."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts import missing_tool, why_no_hosts
from tests.postgres import PostgresServers
from tests.service import wait_until
from tests.three_hosts import READY_S, ThreeHosts

pytestmark = [pytest.mark.ray, pytest.mark.gl, pytest.mark.services]

ROOT = Path(__file__).parents[2]
NOTICED_WITHIN_S = 10.0


@pytest.fixture(scope="module")
def farm(postgres_servers: PostgresServers) -> Iterator[ThreeHosts]:
    tool = missing_tool()
    if tool is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{tool} is not installed")
        pytest.skip(f"{tool} is not installed")
    reason = why_no_hosts()
    if reason is not None:
        pytest.skip(reason)  # in CI too: no set-up can give us what the system refuses
    with postgres_servers.fresh_database("embedded") as url, ThreeHosts(url) as farm:
        yield farm
        sys.stdout.write(farm.logs())  # shown where something has failed


def test_accidents_of_hosts_change_nothing_in_a_video(farm: ThreeHosts) -> None:
    undisturbed = farm.ended(farm.submit(48))
    assert undisturbed.status == "completed"
    assert len({row["node"] for row in farm.api.sql("select node from attempts")}) == 3
    farm.forget_what_was_made()
    drained, cut_off, killed = map(farm.node_of, range(3))
    export = farm.submit(48)

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
    farm.wait_until_drawn_on(drained)
    drain = farm.cluster(0, "drain")
    heard = "select 1 from nodes where id = %s and is_leaving"
    wait_until(lambda: farm.api.sql(heard, drained), "the drain to be heard", READY_S)
    [newest] = farm.api.sql("select max(id) as id from attempts")
    under_way = farm.drawn_on(drained)
    farm.hosts[1].connect()
    assert drain.wait(READY_S) == 0, farm.said(0, "drain")
    assert "is at nothing" in farm.said(0, "drain")
    assert farm.api.sql("select outcome from attempts where node = %s and id > %s", drained,
                        newest["id"]) == []  # fmt: skip
    for each in under_way:
        assert farm.api.sql(ended, each["id"])[0]["outcome"] == "committed"

    # With the cable in its place again, the first one comes back by itself; then the others do.
    wait_until(lambda: farm.node_of(1) != cut_off, "the one that was cut off", READY_S)
    farm.wait_until_drawn_on(farm.node_of(1))
    assert farm.cluster(0, "drain", "--undo").wait(READY_S) == 0
    farm.hosts[2].turn_on()
    farm.join(2)

    finished = farm.ended(export)
    assert finished.status == "completed"
    assert finished.chunks_cached == 0
    assert farm.video(finished) == farm.video(undisturbed)
    assert farm.api.sql(ended, lost) == [given_up], "what it reported late changed nothing"
    wait_until(lambda: farm.slots == 3, "all to be back", READY_S)


def test_a_cluster_outlives_its_head(farm: ThreeHosts) -> None:
    head, led = farm.node_of(0), farm.dispatchers
    farm.kill_head()
    farm.start_head()
    wait_until(lambda: farm.dispatchers > led, "a fresh dispatcher", READY_S)
    wait_until(lambda: farm.slots == 3 and farm.node_of(0) != head, "all to be back", READY_S)
    assert farm.ended(farm.submit(8)).status == "completed"


def test_a_node_is_shown_leaves_and_is_kept_out(farm: ThreeHosts, tmp_path: Path) -> None:
    assert farm.cluster(2, "status", "--json").wait(READY_S) == 0
    shown = json.loads(farm.said(2, "status").splitlines()[-1])
    assert shown["head"] == farm.head
    assert [node["address"] for node in shown["nodes"]] == [each.address for each in farm.hosts]
    assert [node["is_here"] for node in shown["nodes"]] == [False, False, True]
    assert [node["is_head"] for node in shown["nodes"]] == [True, False, False]
    for node in shown["nodes"]:
        assert (node["slots"], node["pools"], node["state"]) == (1, ["default"], "ready")
        assert node["renderer"]

    node = farm.node(2)
    assert farm.cluster(2, "leave", "--within", "30").wait(READY_S) == 0
    assert node.wait(READY_S) == 0
    assert farm.hosts[2].processes() == []
    assert not farm.node_dir(2).exists()
    assert farm.cluster(2, "drain").wait(READY_S) == 2
    assert "midifarm cluster join" in farm.said(2, "drain")

    beside = farm.cluster(2, "beside", "--ray-address", farm.head, "sh", "-c", "exit 7")
    assert beside.wait(READY_S) == 7, farm.said(2, "beside")
    stranger = farm.cluster(2, "join", farm.head, RAY_AUTH_TOKEN="0" * 64)
    assert stranger.wait(READY_S) == 2
    assert f"The cluster at {farm.head} has another token" in farm.said(2, "join")

    for package in ("shared", "workers", "cluster", "coordinator"):
        shutil.copytree(ROOT / package, tmp_path / package)
    with (tmp_path / "shared" / "pools.py").open("a") as file:
        file.write("# of tomorrow\n")
    newer = farm.cluster(2, "join", farm.head, "--slots", "1", PYTHONPATH=str(tmp_path))
    assert newer.wait(READY_S) == 2
    told = farm.said(2, "join").splitlines()[-1]
    assert told.startswith("midifarm: The dispatcher keeps this node out. It runs midifarm ")
    assert farm.hosts[2].processes() == []
    assert not farm.node_dir(2).exists()
    farm.join(2)
    wait_until(lambda: farm.slots == 3, "all to be back", READY_S)
