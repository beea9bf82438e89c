"""A sequence of images: the PNG files of all segments in one zip."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Final

from shared.errors import RenderError, VerificationError
from workers.encode import image_name
from workers.progress import Progress
from workers.stitch.sources import Sources

_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip can tell of: the same images give the same bytes at any time."""
_READABLE: Final = 0o100644 << 16
"""An ordinary file that everybody may read, where a zip keeps Unix modes."""
_BLOCK_BYTES: Final = 1 << 20


def write_sequence(sources: Sources, path: Path, frames: int, progress: Progress) -> None:
    """Put the images of all segments into one zip, as they are: PNG is compressed already.

    Files beyond 4 GiB or 65,535 images become ZIP64 by themselves.

    Args:
        sources: Zips of images that are named by the frame of the whole video.
        path: The file to write.
        frames: How many images there are to be.
        progress: Hears how many are there.

    Raises:
        RenderError: A segment is no zip, is damaged, or holds other images than it should.
        VerificationError: The segments hold another number of images than was planned.
    """
    frame = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as whole:
        for index in range(len(sources)):
            progress(frame)
            try:
                with sources.segment(index) as part, zipfile.ZipFile(part) as images:
                    for image in images.infolist():
                        _copy(images, image, whole, frame)
                        frame += 1
                        progress(frame)
            except zipfile.BadZipFile as exc:
                raise RenderError(
                    f"Segment {sources.segment_name(index)} cannot be read: {exc}."
                ) from exc
    if frame != frames:
        raise VerificationError(f"{frames} images were planned, the segments hold {frame}.")


def _copy(
    images: zipfile.ZipFile, image: zipfile.ZipInfo, whole: zipfile.ZipFile, frame: int
) -> None:
    if image.filename != image_name(frame):
        raise RenderError(f"{image_name(frame)} is missing, {image.filename} is in its place.")
    entry = zipfile.ZipInfo(image.filename, _LONG_AGO)
    entry.file_size = image.file_size  # decides whether this entry needs ZIP64
    entry.external_attr = _READABLE
    with images.open(image) as source, whole.open(entry, "w") as target:
        shutil.copyfileobj(source, target, _BLOCK_BYTES)
