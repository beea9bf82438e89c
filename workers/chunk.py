"""Rendering a chunk: draw its frames, encode them, check the segment, store it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from io import BytesIO

import av
from av.error import FFmpegError

from shared.errors import ClusterError, ObjectNotFoundError, RenderError
from shared.keys import digest
from shared.plan import ChunkSpec, SegmentReport
from shared.storage import ObjectStore
from workers.encode import encode_segment
from workers.progress import Progress
from workers.studio import Studio


def render_chunk(
    spec: ChunkSpec, store: ObjectStore, studio: Studio, progress: Progress
) -> SegmentReport:
    """Make the segment of a chunk, or find it in the store.

    ``progress`` hears of every frame.

    Raises:
        ClusterError: The chunk was planned for another engine.
        RenderError: Drawing or encoding went wrong.
        CancelledError: ``progress`` said so.
        StorageError: The object store failed.
    """
    if spec.engine != studio.engine:
        raise ClusterError(
            f"Chunk {spec.index} was planned for {spec.engine!r}, this is {studio.engine!r}."
        )
    stored = stored_segment(spec, store)
    if stored is not None:
        return stored
    clock = _Clock()
    frames = studio.renderer(spec.picture, store).frames(spec.frames)
    began = time.perf_counter()
    data = encode_segment(_watched(frames, clock, progress), spec.picture.video, len(spec.frames))
    encode_s = time.perf_counter() - began - clock.drawing_s
    check_segment(data, len(spec.frames))
    store.put_bytes(spec.key, data)
    return SegmentReport(
        index=spec.index,
        key=spec.key,
        frames=len(spec.frames),
        size_bytes=len(data),
        sha256=digest(data),
        draw_s=clock.drawing_s,
        encode_s=encode_s,
    )


def stored_segment(spec: ChunkSpec, store: ObjectStore) -> SegmentReport | None:
    """The segment of a chunk if the store holds a sound one."""
    try:
        data = store.get_bytes(spec.key)
        check_segment(data, len(spec.frames))
    except (ObjectNotFoundError, RenderError):
        return None
    return SegmentReport(
        index=spec.index,
        key=spec.key,
        frames=len(spec.frames),
        size_bytes=len(data),
        sha256=digest(data),
        cached=True,
    )


def check_segment(data: bytes, frames: int) -> None:
    """Check that a segment can be stitched.

    Raises:
        RenderError: It has another number of frames, or does not begin with a key frame.
    """
    try:
        with av.open(BytesIO(data), "r") as container:
            packets = [packet for packet in container.demux(video=0) if packet.size]
    except (FFmpegError, IndexError) as exc:
        raise RenderError(f"The segment cannot be read: {exc}") from exc
    if len(packets) != frames:
        raise RenderError(f"The segment holds {len(packets)} frames instead of {frames}.")
    if not packets[0].is_keyframe:
        raise RenderError("The segment does not begin with a key frame.")


class _Clock:
    drawing_s = 0.0


def _watched(
    frames: Iterable[av.VideoFrame], clock: _Clock, progress: Progress
) -> Iterator[av.VideoFrame]:
    """Pass frames on, timing how long each took to draw."""
    began = time.perf_counter()
    for done, frame in enumerate(frames):
        clock.drawing_s += time.perf_counter() - began
        progress(done)
        yield frame
        began = time.perf_counter()
