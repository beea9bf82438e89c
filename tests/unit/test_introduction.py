"""What nodes say of themselves, whether they get work, and how they learn of that."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.introduction import (
    GPU_SLOTS_VARIABLE,
    NODE_DIR_VARIABLE,
    POOLS_VARIABLE,
    Introduction,
    Question,
    Slots,
    Standing,
    gpu_slots_of,
    pools_of,
    slots_of,
    why_kept_out,
)
from cluster.joining import STORE_MARK, check_store, hear_standing, introduce_node
from coordinator.dispatcher.janitor import _PREFIXES
from shared.errors import ClusterError, GLError, MidifarmError
from shared.keys import ANALYSES, KEPT_FRAMES
from shared.storage import LocalStore
from workers.studio import Studio

OURS = Introduction(revision="ab12", version="1.0", libav="libavcodec 62")


def node(**facts: Any) -> Introduction:
    """A node that may have work, with a GPU that draws."""
    known: dict[str, Any] = {"engine": "an engine", "renderer": "GeForce"}
    return replace(OURS, **known | facts)


@pytest.mark.parametrize(
    ("said", "gpus", "reason"),
    [
        (node(), 0, None),
        (node(), 2, None),
        (node(renderer="llvmpipe", is_software=True), 0, None),
        (node(pools=frozenset({"night"}), gpu_slots=4), 1, None),
        (node(revision="cd34"), 0, r"runs midifarm 1\.0 \(cd34\), the dispatcher 1\.0 \(ab12\)"),
        (node(version="2.0"), 0, "install the same on both"),
        (node(libav="libavcodec 61"), 0, "Its libav is libavcodec 61, the dispatcher's"),
        (node(trouble="It has no bucket."), 0, "It has no bucket"),
        (node(trouble="It has no bucket.", libav="x"), 0, "Its libav"),
        (node(renderer="llvmpipe", is_software=True), 1, "offers GPUs, but llvmpipe draws"),
    ],
)
def test_a_node_is_kept_out_with_a_reason(
    said: Introduction, gpus: int, reason: str | None
) -> None:
    found = why_kept_out(said, OURS, gpus)
    if reason is None:
        assert found is None
    else:
        with pytest.raises(ClusterError, match=reason):
            raise ClusterError(found or "")


@pytest.mark.parametrize(
    ("cpus", "gpus", "gpu_slots", "slots"),
    [
        (4, 0, 1, Slots(count=4, cpu_share=1.0, gpu_share=0.0)),
        (4, 0, 8, Slots(count=4, cpu_share=1.0, gpu_share=0.0)),
        (0.5, 0, 1, Slots(count=0, cpu_share=1.0, gpu_share=0.0)),
        (16, 1, 1, Slots(count=1, cpu_share=0.0, gpu_share=1.0)),
        (16, 2, 4, Slots(count=8, cpu_share=0.0, gpu_share=0.25)),
        (0, 1, 3, Slots(count=3, cpu_share=0.0, gpu_share=0.3333)),
    ],
)
def test_a_node_has_slots(cpus: float, gpus: float, gpu_slots: int, slots: Slots) -> None:
    assert slots_of(cpus, gpus, gpu_slots) == slots


@given(st.integers(1, 64), st.integers(1, 8))
def test_a_gpu_is_shared_by_as_many_as_it_has_slots(gpu_slots: int, gpus: int) -> None:
    slots = slots_of(8, gpus, gpu_slots)
    share = round(slots.gpu_share * 10_000)  # as Ray counts
    assert 10_000 // share == gpu_slots
    assert slots.count == gpus * gpu_slots


@pytest.mark.parametrize(
    ("value", "pools"),
    [
        (None, {"default"}),
        ("", {"default"}),
        (" , ", {"default"}),
        ("night", {"night"}),
        ("night, 4k-gpu,default", {"night", "4k-gpu", "default"}),
    ],
)
def test_a_node_serves_pools(value: str | None, pools: set[str]) -> None:
    assert pools_of(value) == pools


@pytest.mark.parametrize("value", ["Night", "a b", "-a", "a-", "a" * 33, "default,ä"])
def test_a_pool_that_cannot_be_called_so_is_refused(value: str) -> None:
    with pytest.raises(ClusterError, match=r"MIDIFARM_POOLS is .* is no name of a pool"):
        pools_of(value)


def test_a_gpu_has_slots_within_reason() -> None:
    assert [gpu_slots_of(value) for value in (None, "", "1", " 8 ", "64")] == [1, 1, 1, 8, 64]
    for value in ("0", "65", "-1", "1.5", "many", "9" * 5000):
        with pytest.raises(ClusterError, match="give a whole number from 1 to 64"):
            gpu_slots_of(value)


def test_a_node_finds_how_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "node"
    monkeypatch.setenv(NODE_DIR_VARIABLE, str(folder))
    assert Standing.read(folder) is None
    joined = Standing(
        state="joined", slots=4, pools=("default", "night"), renderer="llvmpipe (LLVM 15)"
    )
    hear_standing(joined)
    assert Standing.read(folder) == joined
    kept_out = Standing(state="kept_out", reason="Ihr fehlt der Eimer: „x“.")
    hear_standing(kept_out)
    assert Standing.read(folder) == kept_out
    assert [path.name for path in folder.iterdir()] == ["standing.json"]
    assert json.loads((folder / "standing.json").read_text("utf-8"))["state"] == "kept_out"
    Standing.forget(folder)
    Standing.forget(folder)
    assert Standing.read(folder) is None


def test_nobody_is_told_where_nobody_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(NODE_DIR_VARIABLE, raising=False)
    hear_standing(Standing(state="joined"))
    assert not list(tmp_path.iterdir())


def no_studio(gpu: str | None) -> Studio:
    """A node on which nothing draws."""
    raise GLError("No OpenGL here; install it.")


def test_gpus_of_several_kinds_need_several_nodes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []

    def studio(gpu: str | None) -> Any:
        asked.append(gpu)
        kind = {"4": "L40S"}.get(gpu or "", "H200")
        return SimpleNamespace(engine=f"draws with {kind}", drawn_by=kind, is_software=False)

    question = Question(store_url=str(tmp_path), gpus=2)
    said = introduce_node(question, studio)
    assert (said.engine, said.renderer, said.trouble) == ("draws with H200", "H200", None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,4,5")
    said = introduce_node(question, studio)
    assert said.trouble is not None
    assert "of several kinds (H200 and L40S)" in said.trouble
    introduce_node(replace(question, gpus=0), studio)
    assert asked == ["0", "1", "3", "4", "3"]


@pytest.mark.parametrize(
    ("variable", "value", "trouble"),
    [
        (POOLS_VARIABLE, "Night", "'Night' is no name of a pool"),
        (GPU_SLOTS_VARIABLE, "0", "MIDIFARM_GPU_SLOTS is '0'"),
        (POOLS_VARIABLE, "night", "No OpenGL here"),
    ],
)
def test_a_node_in_trouble_says_so(
    variable: str, value: str, trouble: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    monkeypatch.delenv(NODE_DIR_VARIABLE, raising=False)
    said = introduce_node(Question(store_url=str(tmp_path)), no_studio)
    assert said.trouble is not None
    assert trouble in said.trouble
    assert said.revision
    assert said.libav
    assert not said.has_folder
    monkeypatch.setenv(NODE_DIR_VARIABLE, str(tmp_path))
    assert introduce_node(Question(store_url=str(tmp_path)), no_studio).has_folder


def test_only_nodes_that_share_the_folder_may_join(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    store.put_bytes(STORE_MARK, b"4711")
    url = str(store.root)
    check_store(Question(store_url=url, store_mark="4711"))
    with pytest.raises(ClusterError, match="mount the same folder there on every machine, or keep"):
        check_store(Question(store_url=url, store_mark="4712"))
    with pytest.raises(ClusterError, match="is not the dispatcher's"):
        check_store(Question(store_url=str(tmp_path / "other"), store_mark="4711"))
    (tmp_path / "file").touch()
    with pytest.raises(MidifarmError, match="file"):
        check_store(Question(store_url=str(tmp_path / "file"), store_mark="4711"))


def test_a_bucket_that_cannot_be_used_keeps_a_node_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDIFARM_S3_ACCESS_KEY", "somebody")
    monkeypatch.setenv("MIDIFARM_S3_SECRET_KEY", "secret")
    with pytest.raises(ClusterError, match="It cannot use the object store"):
        check_store(Question(store_url="s3://bucket?endpoint=http://127.0.0.1:9"))


def test_no_cleaning_comes_by_the_mark() -> None:
    assert not any(STORE_MARK.startswith(prefix) for prefix in (*_PREFIXES, KEPT_FRAMES, ANALYSES))
