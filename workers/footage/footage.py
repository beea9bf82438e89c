"""A video as material: what is on screen at a time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import av
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from shared.errors import MediaError
from workers.footage.picture import Developer, Pixels, has_alpha, turn_of, upright_size
from workers.footage.reel import MOST_PIXELS_A_SIDE, Reel

_CLOSE_S: Final = Fraction(1, 1000)
"""Times are equal within a tick of the file's clock, at most within this.

Webm rounds to milliseconds, the first frame's time as well as the others': of 30 a second, shown
from 33.33 ms on, frame 1 stands there at 67, and so 34 after the first.
"""
_ROUNDING_S: Final = Fraction(1, 1_000_000)
"""What floating-point times of hours may be off, a thousandfold."""
_CHECKED: Final = (16, 16)
"""Size to which a frame is made into a picture to see that it can be."""


class FootageFacts(BaseModel):
    """What is told of a video that can be used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    container: str = Field(description="libav's name of the file format.")
    codec: str = Field(description="Name of the coding: h264, vp9, …")
    width: int = Field(description="Pixels per row as it is seen: upright, with square pixels.")
    height: int = Field(description="Rows as it is seen.")
    duration_s: float = Field(description="How long it shows, from its first frame on.")
    frames: int = Field(description="How many frames it has.")
    fps: str = Field(description="Mean frame rate, as a fraction.")
    has_alpha: bool = Field(description="Whether it may be transparent.")


class Footage:
    """A video whose frames are had by time, in any order; a context manager.

    The same time gives the same pixels, whatever was asked for before. Forwards it costs what
    playing costs; elsewhere up to a group of pictures is decoded again.
    """

    def __init__(self, path: Path, width: int, height: int) -> None:
        """Open a video; its file may be deleted afterwards.

        Args:
            path: An MP4, MOV, Matroska, WebM, AVI, FLV, MPEG-TS or GIF file.
            width: Width in pixels of the frame that its pictures are to cover.
            height: Height of that frame. Pictures are scaled until they just cover it, and never
                enlarged.

        Raises:
            MediaError: It is no video that can be used.
            OSError: It cannot be read.
        """
        self._reel = Reel(path)
        try:
            reel, first = self._reel, self._reel.first_frame
            turn = turn_of(first)
            upright = upright_size(first.width, first.height, reel.aspect, turn)
            self.size = covering(upright, width, height)
            """Width and height of the pictures, in pixels."""
            index = reel.index
            self._origin = reel.first_time
            self._times = index.times[index.times >= self._origin]
            self._tick_s = index.tick_s
            self._slack_s = min(self._tick_s, _CLOSE_S) + _ROUNDING_S
            self._duration_s = (index.stop - self._origin) * self._tick_s
            rate = reel.rate or len(self._times) / self._duration_s
            self.fps = rate.limit_denominator(1001)
            """Mean frames per second."""
            self._developer = Developer(self.size, turn)
            self._shown: tuple[int, Pixels] | None = None
            self.facts = FootageFacts(
                container=reel.container_name,
                codec=reel.codec_name,
                width=upright[0],
                height=upright[1],
                duration_s=float(self._duration_s),
                frames=len(self._times),
                fps=str(self.fps),
                has_alpha=has_alpha(first),
            )
            """What may be told of it."""
            self._picture(self._origin)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go; a second time does no harm."""
        self._reel.close()

    @property
    def duration_s(self) -> float:
        """Seconds from the beginning of the first frame to the end of the last."""
        return float(self._duration_s)

    def frame_at(self, time_s: float) -> Pixels:
        """The picture on screen at a time: sRGB with straight alpha, uint8 (h, w, 4), read-only.

        Args:
            time_s: Seconds since the first frame was shown; before it is that frame, past the end
                the last. A frame that begins within a tick of the file's clock, at most a
                millisecond, is on screen already: files round.

        Raises:
            MediaError: What was decoded before cannot be any more.
        """
        ticks = self._origin + (Fraction(time_s) + self._slack_s) / self._tick_s
        place = int(np.searchsorted(self._times, int(ticks // 1), side="right")) - 1
        return self._picture(int(self._times[max(0, place)]))

    def looped(self, time_s: float) -> float:
        """The time within the video of a time in its endless repetition, exact at the seam.

        Args:
            time_s: Seconds since the first frame was first shown; may be negative.
        """
        within_s = Fraction(time_s) % self._duration_s
        # What floating-point numbers put just before the seam belongs behind it.
        return 0.0 if self._duration_s - within_s <= _ROUNDING_S else float(within_s)

    def _picture(self, time: int) -> Pixels:
        # At 60 frames a second, footage of 30 is asked for everything twice.
        if self._shown is None or self._shown[0] != time:
            try:
                self._shown = time, self._developer.develop(self._reel.frame(time))
            except av.FFmpegError as exc:
                raise MediaError(
                    f"The video's frames cannot be made into pictures: {exc}."
                ) from exc
        return self._shown[1]


def covering(size: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    """The size at which a picture just covers a frame, or its own where that is smaller.

    It is no longer than MOST_PIXELS_A_SIDE.
    """
    scale = max(Fraction(width, size[0]), Fraction(height, size[1]))
    # Wide pixels make a wide picture, and a texture has its limits.
    scale = min(scale, Fraction(MOST_PIXELS_A_SIDE, max(size)))
    if scale >= 1:
        return size
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def check_footage(path: Path) -> FootageFacts:
    """See that a video can be used, by its index and its first frame.

    Raises:
        MediaError: It cannot; the message says why and what to do.
        OSError: The file cannot be read.
    """
    with Footage(path, *_CHECKED) as footage:
        return footage.facts
