"""Previews: what an export will look like, before it is made, and what is done of it so far."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from pydantic import Field

from shared.export import ExportConfiguration
from shared.intake import IntakeSpec
from shared.spec import Spec

PreviewKind = Literal["still", "sheet", "clip", "latest"]
"""One frame; a contact sheet of several; a short video; the last frame of a finished segment."""
ImageFormat = Literal["png", "jpeg", "webp"]

IMAGE_FORMATS: Final[Mapping[str, ImageFormat]] = MappingProxyType(
    {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}
)
"""Kinds of images by the suffix of their files."""

LONGEST_CLIP_S: Final = 10.0
"""A preview is seen at once, or it is none."""
SHEET_FRAMES: Final = 12
"""Frames on a contact sheet: 4 by 3."""


class PreviewSpec(Spec):
    """A preview that is to be made."""

    kind: PreviewKind = Field(description="What of.")
    intake: IntakeSpec | None = Field(
        default=None, description="The files and the composition; None for `latest`."
    )
    configuration: ExportConfiguration | None = Field(
        default=None, description="What file would come out; None for `latest`."
    )
    segment_key: str | None = Field(
        default=None, description="Object key of the segment whose last frame is `latest`."
    )
    at_s: float = Field(
        default=0.0, ge=0, description="Video time of a still, or where a clip begins."
    )
    width: int = Field(
        default=640, ge=16, le=3840, description="Pixels per row of what comes out, at most."
    )
    image_format: ImageFormat = Field(default="png", description="Of a still or a sheet.")
    key: str = Field(description="Object key of the result.")


class PreviewReport(Spec):
    """What came of it."""

    key: str = Field(description="Object key of the result.")
    media_type: str = Field(description="`image/png` and the like.")
    width: int = Field(description="Pixels per row.")
    height: int = Field(description="Rows.")
    size_bytes: int = Field(description="Length of the result.")
    sha256: str = Field(description="Hash of its bytes.")
    warnings: tuple[str, ...] = Field(default=(), description="What may not be as expected.")
