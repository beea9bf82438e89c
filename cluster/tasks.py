"""The remote functions: what runs in a worker process of Ray.

They live in a named module because a render node imports them by name. Each takes plain data
and returns plain data; bytes travel through the object storage. What a process keeps between
tasks (the GL context, the last songs) is its studio.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import ray

from shared.plan import AudioReport, AudioSpec, ChunkSpec, SegmentReport, StitchReport, StitchSpec
from shared.storage import open_store

if TYPE_CHECKING:
    from workers.studio import Studio


@cache
def _studio() -> Studio:
    """The studio of this process: as long-lived as the process, opened by its first chunk."""
    from workers.studio import Studio

    return Studio()


# max_calls=0: a process that drew one chunk draws the next, with its context and shaders.
@ray.remote(num_cpus=1, max_retries=0, max_calls=0)
def describe_engine() -> str:
    """Name what draws and encodes here, and warm it up."""
    return _studio().engine


@ray.remote(num_cpus=1, max_retries=0, max_calls=0)
def render_chunk(spec: ChunkSpec, store_url: str, board: Any, attempt: str) -> SegmentReport:
    """Draw and encode one chunk."""
    from cluster.progress import Reporter
    from workers.chunk import render_chunk as render

    return render(spec, open_store(store_url), _studio(), Reporter(board, attempt))


@ray.remote(num_cpus=1, max_retries=0, max_calls=0)
def prepare_audio(spec: AudioSpec, store_url: str) -> AudioReport:
    """Mix and encode the sound of an export."""
    from workers.audio import prepare_audio as prepare

    return prepare(spec, open_store(store_url))


@ray.remote(num_cpus=1, max_retries=0, max_calls=0)
def stitch(spec: StitchSpec, store_url: str) -> StitchReport:
    """Join segments and sound, and verify the result."""
    from workers.stitch import stitch as join

    return join(spec, open_store(store_url))
