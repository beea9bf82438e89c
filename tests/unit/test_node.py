"""How a node is started, and why one cannot join: pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cluster.head import need_token, own_address, split_address, why_not
from cluster.node import NodeSpec, start_command, start_environment
from cluster.session import QUICK_KEEPALIVE
from shared.errors import AccessError, ClusterError, InputError, MidifarmError

OURS = {"Ray": "2.60.0", "Python": "3.11.7"}
SAME = {"gpus": 0, "ray_version": "2.60.0", "python_version": "3.11.7"}
FOLDER = Path("/tmp/mf-node")  # noqa: S108


def option(spec: NodeSpec, name: str) -> str | None:
    options = dict(word.partition("=")[::2] for word in start_command(spec))
    return options.get(f"--{name}")


def test_a_head_offers_nothing_and_keeps_what_it_knows() -> None:
    spec = NodeSpec(folder=FOLDER, address="10.0.0.1", data_dir=Path("/srv/midifarm"))
    assert "--head" in start_command(spec)
    assert option(spec, "port") == "6379"
    assert (option(spec, "num-cpus"), option(spec, "num-gpus")) == ("0", "0")
    assert option(spec, "resources") is None
    environment = start_environment(spec)
    assert environment["RAY_gcs_storage_path"] == "/srv/midifarm/head"
    assert environment["RAY_health_check_failure_threshold"] == "3"
    assert environment["RAY_AUTH_MODE"] == "token"


@pytest.mark.parametrize(
    ("offered", "resources"),
    [
        ({"cpus": 4}, {"midifarm_pool_default": 4}),
        ({"cpus": 4, "gpus": 2, "gpu_slots": 3}, {"midifarm_pool_default": 6}),
        ({"cpus": 2, "pools": ("night", "4k-gpu")},
         {"midifarm_pool_night": 2, "midifarm_pool_4k_gpu": 2}),
    ],
)  # fmt: skip
def test_a_node_offers_its_slots_to_its_pools(
    offered: dict[str, Any], resources: dict[str, int]
) -> None:
    spec = NodeSpec(folder=FOLDER, address="10.0.0.2", head="10.0.0.1:6379", **offered)
    assert json.loads(option(spec, "resources") or "{}") == resources
    assert option(spec, "address") == "10.0.0.1:6379"
    environment = start_environment(spec)
    assert environment["MIDIFARM_POOLS"] == ",".join(offered.get("pools", ()))
    assert environment["MIDIFARM_GPU_SLOTS"] == str(offered.get("gpu_slots", 1))
    assert environment["MIDIFARM_NODE_DIR"] == str(FOLDER)
    # A worker that is asked for a sign of life more often than it would ask itself hangs up.
    assert QUICK_KEEPALIVE.items() <= environment.items()
    assert "RAY_gcs_storage" not in environment


def test_the_ports_of_a_node_follow_from_its_first() -> None:
    first, second = (
        NodeSpec(folder=FOLDER, address="10.0.0.2", head="10.0.0.1:6379", first_port=port)
        for port in (6380, 8000)
    )
    ports = ("node-manager-port", "metrics-export-port", "min-worker-port", "max-worker-port")
    assert [option(first, name) for name in ports] == ["6380", "6383", "6400", "7399"]
    assert [option(second, name) for name in ports] == ["8000", "8003", "8020", "9019"]


@pytest.mark.parametrize(
    ("found", "kind", "told"),
    [
        (SAME, type(None), ""),
        (SAME | {"ray_version": "2.59.1"}, InputError, "runs Ray 2.59.1, this machine 2.60.0"),
        (SAME | {"python_version": "3.11.8"}, InputError, "runs Python 3.11.8, this machine"),
        ({"gpus": 0, "refused": True, "error": "no"}, AccessError, "another token"),
        ({"gpus": 0, "refused": False, "error": "no"}, ClusterError, "does not answer: no."),
    ],
)
def test_a_node_is_told_why_it_cannot_join(
    found: Mapping[str, Any], kind: type[MidifarmError], told: str
) -> None:
    refusal = why_not("10.0.0.1:6379", found, OURS)
    assert type(refusal) is kind
    assert told in str(refusal or "")


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("head:6379", ("head", 6379)),
        ("10.0.0.1:1", ("10.0.0.1", 1)),
        ("[fd00::1]:6379", ("fd00::1", 6379)),
    ],
)
def test_the_address_of_a_head_is_a_host_and_a_port(address: str, parts: tuple[str, int]) -> None:
    assert split_address(address) == parts


@pytest.mark.parametrize("address", ["head", "head:", ":1", "ray://h:1", "h:0", "h:65536", "h:1_0"])
def test_what_is_no_address_of_a_head_is_told(address: str) -> None:
    with pytest.raises(InputError, match="write it as HOST:PORT"):
        split_address(address)


def test_a_machine_finds_the_address_that_leads_to_its_head() -> None:
    assert own_address("127.0.0.1:6379") == "127.0.0.1"
    with pytest.raises(ClusterError, match="--node-ip"):
        own_address("nowhere.invalid:6379")


def test_a_cluster_has_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE"):
        monkeypatch.setenv(name, "")
    with pytest.raises(InputError, match="openssl rand -hex 32"):
        need_token()
    path = tmp_path / "token"
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(path))
    with pytest.raises(InputError, match="cannot be read: No such file"):
        need_token()
    path.write_text("\n")
    with pytest.raises(InputError, match="Set RAY_AUTH_TOKEN"):
        need_token()
    path.write_text("secret\n")
    need_token()
