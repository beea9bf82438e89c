"""All channel messages of a song as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, kw_only=True, eq=False)
class ChannelEvents:
    """Channel messages in the order in which they are played, for a synthesiser.

    At the same time, those of an earlier track come first, then those earlier in the track.
    The columns are read-only and equally long.
    """

    time_s: npt.NDArray[np.float64]
    """When, in seconds from the start of the song."""
    status: npt.NDArray[np.uint8]
    """Status byte with the channel, 0x80 to 0xEF."""
    data1: npt.NDArray[np.uint8]
    """First data byte."""
    data2: npt.NDArray[np.uint8]
    """Second data byte, 0 where the message has only one."""

    def __post_init__(self) -> None:
        for column in (self.time_s, self.status, self.data1, self.data2):
            column.setflags(write=False)

    def __len__(self) -> int:
        return len(self.time_s)
