"""Encoding the finished sound, once per export, and handing its packets on without encoding again.

The encoded sound is an object of its own, in the one container from which each codec can be
copied into every file format that takes it (FFmpeg 8.1, each way tried and decoded by FFmpeg
8.1 and 5.1: clicks within 0.2 samples of where they belong):

========  ================  ============================  ==================================
codec     the object is an  priming, frame (samples)      goes into
========  ================  ============================  ==================================
``aac``   mp4               1024, 1024                    mp4, mov, m4a (libav's ``ipod``)
``mp3``   mp3 (LAME tag)    1105, 1152                    mp4, mov, mp3
``opus``  ogg               312, 960 (48 kHz alone)       mp4, webm, ogg
========  ================  ============================  ==================================

An encoder begins with *priming*, samples that a player must leave out, and ends on a whole
frame. How that is told differs: mp4, mov and m4a by an edit list, webm by CodecDelay and
DiscardPadding, ogg by pre-skip and the last granule position, mp3 by the LAME tag. The muxers
of libav write all of that by themselves from two facts: the time of the first packet, which is
``-priming``, and the duration of the last one, which ends on the last sample. Demuxers lose one
or the other (the mp3 demuxer the first, the mp4 demuxer the second for mp3), so who copies
packets takes them from ``sound_packets``, which gives both back::

    with av.open(str(path)) as sound:
        stream = output.add_stream_from_template(sound.streams.audio[0], opaque=True)
        for packet in sound_packets(sound, codec="mp3", samples=n, sample_rate=48000):
            packet.stream = stream
            output.mux_one(packet)

where ``movie_timescale`` of mp4 and mov must be a multiple of what both tracks need to end on a
whole tick. An mp3 or ogg file needs no copying: the object is that file.

What decoders give out of such a file: exactly ``samples`` from webm, ogg and mp3 (for one length
in 25, up to 47 more from mp3, where LAME adds a packet). From mp4, mov and m4a, FFmpeg and players
that heed only the start of an edit list give out the last frame whole: ``padding_samples`` more,
which are less than a frame. The duration in the header is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.codec.context import Flags

from shared.codecs import CODEC_NAMES, AudioCodec
from shared.errors import EncodeError, RenderError
from workers.audio.blocks import Block, block_frame
from workers.sounds import SOUNDS

if TYPE_CHECKING:
    from av.container import InputContainer

    Packet = av.Packet[Any]  # generic to the type checker alone


def encode_sound(
    blocks: Iterable[Block],
    path: Path,
    *,
    codec: AudioCodec,
    sample_rate: int,
    channels: int,
    bitrate_kbps: int,
) -> int:
    """Encode a sound into a file at ``path``; the same sound gives the same bytes.

    Args:
        blocks: The sound, shape (channels, n) each.
        path: The file to write, in the format that SOUNDS names, whatever its suffix.
        codec: What to encode it as.
        sample_rate: Samples a second; Opus has 48000 alone.
        channels: 1 or 2.
        bitrate_kbps: Aimed rate in kbit/s.

    Returns:
        How many samples per channel were encoded.

    Raises:
        EncodeError: libav refused the settings or a frame.
    """
    facts = SOUNDS[codec]
    # bitexact: no version of libav in the file, and no random serial number in an ogg.
    options = {"fflags": "+bitexact"}
    if facts.format == "mp4":
        # The edit list counts in it, and the default of 1/1000 s would cut the sound to a whole
        # millisecond.
        options["movie_timescale"] = str(sample_rate)
    position = 0
    try:
        with av.open(str(path), "w", format=facts.format, options=options) as container:
            stream = container.add_stream(
                facts.encoder, rate=sample_rate, layout="mono" if channels == 1 else "stereo"
            )
            assert isinstance(stream, AudioStream)  # noqa: S101  # as all of SOUNDS are
            context = stream.codec_context
            context.bit_rate = bitrate_kbps * 1000
            context.time_base = Fraction(1, sample_rate)
            context.thread_count = 1
            context.flags |= Flags.bitexact
            context.options = dict(facts.options)
            for block in blocks:
                frame = block_frame(block, sample_rate=sample_rate, position=position)
                position += block.shape[1]
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    except (av.FFmpegError, ValueError) as exc:
        raise EncodeError(
            f"The sound could not be encoded as {CODEC_NAMES[codec]} with {bitrate_kbps} kbit/s, "
            f"{sample_rate} Hz, {channels} channels: {exc}."
        ) from exc
    return position


def decode_sound(path: Path, *, samples: int) -> Iterator[Block]:
    """What a player makes of an encoded sound: the first ``samples`` samples, in blocks.

    Raises:
        EncodeError: The file cannot be decoded.
    """
    left = samples
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(audio=0):
                # All three decoders give out planes of floats.
                block = frame.to_ndarray().astype(np.float32, copy=False)[:, :left]
                left -= block.shape[1]
                if block.shape[1]:
                    yield block
                if left <= 0:
                    return
    except av.FFmpegError as exc:
        raise EncodeError(f"The sound cannot be decoded after it was encoded: {exc}.") from exc


def sound_packets(
    container: InputContainer, *, codec: AudioCodec, samples: int, sample_rate: int
) -> Iterator[Packet]:
    """The packets of an encoded sound, timed so that any muxer keeps it in sync.

    Times count samples: the first packet begins at ``-priming_samples``, so that the sound
    itself begins at 0, and the last one ends at ``samples``. A packet that LAME adds behind that
    is left out.

    Args:
        container: The opened encoded sound, made by ``encode_sound``.
        codec: What it is encoded as.
        samples: Length of the sound that was encoded.
        sample_rate: Samples a second.

    Raises:
        RenderError: The file has more or fewer packets than such a sound.
    """
    facts = SOUNDS[codec]
    expected, found = facts.packets(samples), 0
    for packet in container.demux(audio=0):
        if not packet.size:
            continue
        begin = found * facts.frame_samples - facts.priming_samples
        found += 1
        if found > expected:
            continue
        packet.time_base = Fraction(1, sample_rate)
        packet.pts = packet.dts = begin
        packet.duration = min(facts.frame_samples, samples - begin)
        yield packet
    if not expected <= found <= expected + facts.spare_packets:
        raise RenderError(
            f"The encoded sound has {'more' if found > expected else 'fewer'} packets than the "
            f"{expected} of {samples} samples."
        )
