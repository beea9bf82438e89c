"""Making a preview of any kind."""

from __future__ import annotations

from fractions import Fraction

from PIL import Image

from shared.errors import CompositionError
from shared.keys import digest
from shared.preview import PreviewReport, PreviewSpec
from shared.storage import ObjectStore
from workers.preview.clip import make_clip
from workers.preview.images import MEDIA_TYPES, encoded, fitted, over_black
from workers.preview.latest import last_frame
from workers.preview.shots import plan_piece, sheet, still
from workers.progress import Progress, untold
from workers.studio import Studio


def make_preview(
    spec: PreviewSpec, store: ObjectStore, studio: Studio, progress: Progress = untold
) -> PreviewReport:
    """Make a preview and store it under ``spec.key``.

    ==========  ================================================================================
    kind        what it shows
    ==========  ================================================================================
    ``still``   the frame that the export would show at ``at_s``, before it is encoded, scaled
                down (Lanczos) where ``width`` is less; transparent in PNG and WebP where the
                export is, over black in JPEG
    ``sheet``   12 stills over the whole video, 4 by 3, with their times
    ``clip``    up to 10 s from ``at_s`` on with sound, an mp4 of at most 640 pixels a row
    ``latest``  the last frame of the segment ``segment_key``, over black where it is transparent
    ==========  ================================================================================

    ``progress`` is called with 0 between frames.

    Raises:
        InputError: A file is not what it should be, or there is nothing to see.
        RenderError: Drawing, encoding or decoding went wrong.
        StorageError: The object store failed.
        CancelledError: ``progress`` said so.
    """
    progress(0)
    if spec.kind == "latest":
        if spec.segment_key is None:
            raise CompositionError("The latest frame is that of a segment; none is named.")
        picture = over_black(last_frame(store.get_bytes(spec.segment_key)))
        return _keep(fitted(picture, spec.width), spec, store, ())
    piece = plan_piece(spec, store, studio)
    if spec.kind == "still":
        frame = piece.frame(Fraction(spec.at_s).limit_denominator(1_000_000))
        picture = still(piece, frame, store, studio)
        return _keep(fitted(picture, spec.width), spec, store, piece.warnings)
    if spec.kind == "sheet":
        picture = sheet(piece, spec.width, store, studio, progress)
        return _keep(picture, spec, store, piece.warnings)
    data, video = make_clip(piece, spec.at_s, spec.width, store, studio, progress)
    store.put_bytes(spec.key, data)
    return PreviewReport(
        key=spec.key,
        media_type="video/mp4",
        width=video.width,
        height=video.height,
        size_bytes=len(data),
        sha256=digest(data),
        warnings=piece.warnings,
    )


def _keep(
    picture: Image.Image, spec: PreviewSpec, store: ObjectStore, warnings: tuple[str, ...]
) -> PreviewReport:
    """Store a picture, and tell of it."""
    data = encoded(picture, spec.image_format)
    store.put_bytes(spec.key, data)
    return PreviewReport(
        key=spec.key,
        media_type=MEDIA_TYPES[spec.image_format],
        width=picture.width,
        height=picture.height,
        size_bytes=len(data),
        sha256=digest(data),
        warnings=warnings,
    )
