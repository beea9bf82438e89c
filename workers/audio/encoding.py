"""Encoding the finished sound: AAC-LC in an mp4 with one stream."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
from av.codec.context import Flags

from shared.errors import EncodeError
from workers.audio.loudness import block_frame
from workers.audio.placement import Block


def encode_aac(
    blocks: Iterable[Block], path: Path, *, sample_rate: int, channels: int, bitrate_kbps: int
) -> int:
    """Encode a sound into an mp4 at ``path``; the same sound gives the same bytes.

    The encoder puts 1024 samples of priming before the sound, and libav writes an edit list
    that skips them and ends the sound on its last sample: a player that honours edit lists
    plays exactly what was given. One that does not is 1024 samples late and plays up to one
    AAC frame of silence after the end.

    Args:
        blocks: The sound, shape (channels, n) each.
        path: The file to write.
        sample_rate: Samples a second.
        channels: 1 or 2.
        bitrate_kbps: Aimed rate in kbit/s.

    Returns:
        How many samples per channel were encoded.

    Raises:
        EncodeError: libav refused the settings or a frame.
    """
    position = 0
    try:
        with av.open(
            str(path),
            "w",
            format="mp4",
            # movie_timescale: the edit list counts in it, and the default of 1/1000 s would cut
            # the sound to a whole millisecond. bitexact: no version of libav in the file.
            options={"fflags": "+bitexact", "movie_timescale": str(sample_rate)},
        ) as container:
            stream = container.add_stream(
                "aac", rate=sample_rate, layout="mono" if channels == 1 else "stereo"
            )
            context = stream.codec_context
            context.bit_rate = bitrate_kbps * 1000
            context.time_base = Fraction(1, sample_rate)
            context.thread_count = 1
            context.flags |= Flags.bitexact
            for block in blocks:
                frame = block_frame(block, sample_rate=sample_rate, position=position)
                position += block.shape[1]
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    except (av.FFmpegError, ValueError) as exc:
        raise EncodeError(
            f"The sound could not be encoded as AAC with {bitrate_kbps} kbit/s, "
            f"{sample_rate} Hz, {channels} channels: {exc}."
        ) from exc
    return position
