"""Rendering a chunk: draw its frames, encode them, check the segment, store it."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, suppress

import av

from shared.errors import ClusterError, ObjectNotFoundError, RenderError, StorageError
from shared.keys import digest
from shared.plan import ChunkSpec, SegmentReport
from shared.storage import ObjectStore
from workers.encode import check_segment, encode_segment, segment_frames
from workers.frames import keep_frames, kept_frames
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
    video = spec.picture.video
    with closing(_frames(spec, store, studio)) as frames:
        began = time.perf_counter()
        data = encode_segment(_watched(frames, clock, progress), video, spec.frames)
    encode_s = time.perf_counter() - began - clock.drawing_s
    check_segment(data, video, spec.frames)
    began = time.perf_counter()
    store.put_bytes(spec.key, data)
    return SegmentReport(
        index=spec.index,
        key=spec.key,
        frames=len(spec.frames),
        size_bytes=len(data),
        sha256=digest(data),
        draw_s=clock.drawing_s,
        encode_s=encode_s,
        store_s=time.perf_counter() - began,
    )


def stored_segment(spec: ChunkSpec, store: ObjectStore) -> SegmentReport | None:
    """The segment of a chunk if the store holds a sound one."""
    try:
        data = store.get_bytes(spec.key)
        check_segment(data, spec.picture.video, spec.frames)
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


def _frames(
    spec: ChunkSpec, store: ObjectStore, studio: Studio
) -> Generator[av.VideoFrame, None, None]:
    """The frames to encode: those that were kept, if any were, or drawn, and kept if wanted."""
    video = spec.picture.video
    wanted = segment_frames(video, spec.frames)
    key, done = spec.frames_key, 0
    if key is not None:
        try:
            for frame in kept_frames(video, len(wanted), store, key):
                yield frame
                done += 1
        except (RenderError, StorageError) as exc:
            # A frame depends on no other, so drawing can go on wherever reading ended.
            if not isinstance(exc, ObjectNotFoundError):
                with suppress(StorageError):
                    store.delete(key)
    missing = wanted[done:]
    if missing:
        drawn = studio.renderer(spec.picture, store).frames(missing)
        if key is not None and not done:
            drawn = keep_frames(drawn, len(missing), store, key)
        yield from drawn


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
