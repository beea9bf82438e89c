"""A node's side of joining: it says what it is, and hears how it stands."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cluster.introduction import (
    GPU_SLOTS_VARIABLE,
    NODE_DIR_VARIABLE,
    POOLS_VARIABLE,
    Introduction,
    Question,
    Standing,
    gpu_slots_of,
    pools_of,
    wants_nothing,
)
from shared.errors import ClusterError, MidifarmError, ObjectNotFoundError
from shared.revision import revision
from shared.storage import open_store

if TYPE_CHECKING:
    from workers.studio import Studio

STORE_MARK: Final = "farm/mark"
"""The object by which a node sees that its folder is the dispatcher's. No cleaning comes by."""


OpenStudio = Callable[[str | None], "Studio"]
"""Opens what draws on a GPU, or without one."""


def introduce_node(question: Question, open_studio: OpenStudio) -> Introduction:
    """Say what this node is; what keeps it from working is told as its trouble."""
    said = replace(ourselves(), has_folder=NODE_DIR_VARIABLE in os.environ)
    try:
        pools = pools_of(os.environ.get(POOLS_VARIABLE))
        gpu_slots = gpu_slots_of(os.environ.get(GPU_SLOTS_VARIABLE))
        check_store(question)
        studio = _studio_of_all(question.gpus, open_studio)
    except MidifarmError as exc:
        return replace(said, trouble=exc.message)
    return replace(
        said,
        engine=studio.engine,
        renderer=studio.drawn_by,
        is_software=studio.is_software,
        pools=pools,
        gpu_slots=gpu_slots,
    )


def _studio_of_all(gpus: int, open_studio: OpenStudio) -> Studio:
    """What draws on all GPUs of this node alike.

    Raises:
        ClusterError: They are of several kinds.
        GLError: One of them cannot draw.
    """
    from workers.gl.devices import VISIBLE_VARIABLE, gpu_names

    names = gpu_names(gpus, os.environ.get(VISIBLE_VARIABLE))
    studios = [open_studio(name) for name in names]
    kinds = sorted({studio.drawn_by for studio in studios})
    if len(kinds) > 1:
        raise ClusterError(
            f"Its GPUs are of several kinds ({' and '.join(kinds)}): start a node for each kind, "
            f"with {VISIBLE_VARIABLE}."
        )
    return studios[0]


@cache
def ourselves() -> Introduction:
    """What is installed here."""
    from workers.engine import libav

    return Introduction(revision=revision(), version=version("midifarm"), libav=libav())


def check_store(question: Question) -> None:
    """Make sure that what is stored here is found by everybody else.

    Raises:
        ClusterError: This is another folder than the dispatcher's.
        MidifarmError: The store cannot be used from here.
    """
    store = open_store(question.store_url)
    try:
        store.check()
    except MidifarmError as exc:
        raise ClusterError(f"It cannot use the object store: {exc.message}") from exc
    if question.store_mark is None:
        return
    try:
        mark = store.get_bytes(STORE_MARK).decode("ascii", "replace")
    except ObjectNotFoundError:
        mark = ""
    if mark != question.store_mark:
        raise ClusterError(
            f"Its folder {question.store_url} is not the dispatcher's: mount the same folder there "
            "on every machine, or keep the objects in a bucket (MIDIFARM_STORAGE_URL=s3://…)."
        )


def hear_standing(standing: Standing) -> None:
    """Leave word for whoever started this node, where he waits for it."""
    folder = os.environ.get(NODE_DIR_VARIABLE)
    if folder:
        standing.write(Path(folder))


def tell_standing() -> tuple[Standing | None, bool]:
    """What was left word of here, and whether this node wants nothing more."""
    folder = os.environ.get(NODE_DIR_VARIABLE)
    if not folder:
        return None, False
    return Standing.read(Path(folder)), wants_nothing(Path(folder))
