"""Sound: its packets, handed on as they are, into a movie or a file of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import av
from av.container import InputContainer

from shared.codecs import Container
from shared.errors import RenderError
from shared.plan import AudioSpec
from workers.audio import encoding

if TYPE_CHECKING:
    Packet = av.Packet[Any]  # generic to the type checker alone

_MUXERS: Final[Mapping[Container, tuple[str, Mapping[str, str]]]] = MappingProxyType(
    {
        # ipod is libav's name for an mp4 that says of itself that it is m4a.
        "m4a": ("ipod", {"movflags": "+faststart"}),
        "mp3": ("mp3", {"id3v2_version": "0"}),
        "ogg": ("ogg", {}),
    }
)
"""libav's name of the muxer for each file of sound alone, and its options."""


def sound_packets(
    container: InputContainer, audio: AudioSpec, stream: av.AudioStream
) -> Iterator[Packet]:
    """The packets of an encoded sound, meant for another container's stream.

    Raises:
        RenderError: They are more or fewer than such a sound has.
    """
    for packet in encoding.sound_packets(
        container, codec=audio.codec, samples=audio.samples, sample_rate=audio.sample_rate
    ):
        packet.stream = stream
        yield packet


def write_sound(container: Container, sound: Path, audio: AudioSpec, path: Path) -> None:
    """Put an encoded sound into a file of its own.

    Args:
        container: m4a, mp3 or ogg.
        sound: The encoded sound.
        audio: What it was made as.
        path: The file to write.

    Raises:
        RenderError: It is another sound than was planned.
    """
    muxer, plain = _MUXERS[container]
    options = {"fflags": "+bitexact", **plain}
    if container == "m4a":
        # The edit list counts in it.
        options["movie_timescale"] = str(audio.sample_rate)
    with (
        av.open(str(sound)) as heard,
        av.open(str(path), "w", format=muxer, options=options) as output,
    ):
        if not heard.streams.audio:
            raise RenderError("The encoded sound holds no sound.")
        stream = output.add_stream_from_template(heard.streams.audio[0], opaque=True)
        for packet in sound_packets(heard, audio, stream):
            output.mux_one(packet)
