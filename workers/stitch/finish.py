"""From the segments of an export to its finished file: joined, verified, stored."""

from __future__ import annotations

import errno
import hashlib
import tempfile
from pathlib import Path

from av.error import FFmpegError

from shared.errors import (
    ObjectNotFoundError,
    OversizeError,
    RenderError,
    ScratchFullError,
)
from shared.keys import poster_key
from shared.plan import StitchReport, StitchSpec
from shared.storage import ObjectStore
from workers.poster import make_poster
from workers.probe import verify_export
from workers.progress import Progress, untold
from workers.stitch.animation import write_animation
from workers.stitch.movie import write_movie
from workers.stitch.sequence import write_sequence
from workers.stitch.sound import write_sound
from workers.stitch.sources import Sources


def stitch(spec: StitchSpec, store: ObjectStore, progress: Progress = untold) -> StitchReport:
    """Join the segments, mix in the sound, verify the file and store it with its poster.

    ``progress`` hears how many frames are joined.

    Raises:
        RenderError: A segment is not what was planned.
        VerificationError: The finished file is not what was planned.
        OversizeError: It is larger than ``spec.max_bytes``.
        DamagedObjectError: The bytes of a segment or of the sound are not those that its maker
            told of; the fact ``key`` says which, so that it can be made again.
        ObjectNotFoundError: A segment or the sound is gone; the fact ``keys`` names all that are.
        StorageError: The object store failed.
        CancelledError: ``progress`` said so.
    """
    with tempfile.TemporaryDirectory(prefix="midifarm-") as folder:
        path = Path(folder) / f"result.{spec.container}"
        sources = Sources(spec, store)
        try:
            _write(spec, sources, path, progress)
        except (FFmpegError, OSError) as exc:
            if exc.errno == errno.ENOSPC:
                raise ScratchFullError(f"There is no space left in {folder}.") from exc
            raise RenderError(f"The segments could not be joined: {exc}") from exc
        except ObjectNotFoundError as exc:
            # Where one is gone others may be, and all of them can be made at the same time.
            raise ObjectNotFoundError(exc.message, **exc.facts | {"keys": sources.gone()}) from exc
        progress(spec.frames)
        size_bytes = path.stat().st_size
        if spec.max_bytes is not None and size_bytes > spec.max_bytes:
            raise OversizeError(
                f"The finished file has {size_bytes:,} bytes, {spec.max_bytes:,} are allowed; "
                "it is not handed over. Ask for a lower bitrate or a shorter video.",
                size_bytes=size_bytes,
                max_bytes=spec.max_bytes,
            )
        verify_export(
            path,
            container=spec.container,
            video=spec.video,
            frames=spec.frames,
            audio=spec.audio,
            gif_loop=spec.gif_loop,
            segments=len(sources),
        )
        progress(spec.frames)
        poster = make_poster(path, spec)
        progress(spec.frames)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        progress(spec.frames)
        store.put_file(spec.key, path)
        if poster is not None:
            store.put_bytes(poster_key(spec.key), poster)
        return StitchReport(
            key=spec.key,
            frames=spec.frames,
            size_bytes=size_bytes,
            sha256=sha256,
            poster_key=None if poster is None else poster_key(spec.key),
        )


def _write(spec: StitchSpec, sources: Sources, path: Path, progress: Progress) -> None:
    if spec.video is None:
        with sources.sound() as sound:
            if sound is None or spec.audio is None:
                raise RenderError("Neither picture nor sound was planned.")
            write_sound(spec.container, sound, spec.audio, path)
    elif spec.container == "gif":
        write_animation(spec, sources, path, progress)
    elif spec.container == "zip":
        write_sequence(sources, path, spec.frames, progress)
    else:
        write_movie(spec, sources, path, progress)
