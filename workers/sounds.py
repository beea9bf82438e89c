"""How each codec of the sound is encoded, kept and cut into packets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from shared.codecs import AudioCodec


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFacts:
    """What an encoder makes of a sound, and where it is kept."""

    encoder: str
    """libav's name of the encoder."""
    format: str
    """libav's name of the container of the encoded sound."""
    frame_samples: int
    """Samples in a packet, the last one included before it is cut."""
    priming_samples: int
    """Samples that come out of a decoder before the first one that was given to the encoder."""
    options: Mapping[str, str]
    """What the encoder is told beside its rate."""
    spare_packets: int = 0
    """Packets that may follow the one with the last sample."""

    def packets(self, samples: int) -> int:
        """In how many packets a sound of ``samples`` samples is."""
        return -(-(samples + self.priming_samples) // self.frame_samples)

    def padding_samples(self, samples: int) -> int:
        """Samples in the last packet that are beyond the end of a sound of ``samples`` samples."""
        return self.packets(samples) * self.frame_samples - self.priming_samples - samples


SOUNDS: Final[Mapping[AudioCodec, SoundFacts]] = MappingProxyType(
    {
        "aac": SoundFacts(
            encoder="aac", format="mp4", frame_samples=1024, priming_samples=1024, options={}
        ),
        # 576 of the encoder and 529 of every decoder, as the LAME tag counts them. LAME ends with
        # 576 samples of padding at least, for which one length in 25 needs a packet more.
        "mp3": SoundFacts(
            encoder="libmp3lame",
            format="mp3",
            frame_samples=1152,
            priming_samples=1105,
            options={},
            spare_packets=1,
        ),
        # libopus's look-ahead at 48 kHz, with frames of 20 ms. Its unconstrained rate is a third
        # above the one that was asked for with a piano, measured.
        "opus": SoundFacts(
            encoder="libopus",
            format="ogg",
            frame_samples=960,
            priming_samples=312,
            options={"vbr": "constrained"},
        ),
    }
)
"""Every codec of the sound by its name."""
