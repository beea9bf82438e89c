"""Rates that a codec of the sound can have."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.codecs import AudioCodec, why_no_bitrate
from shared.export import ExportConfiguration


@pytest.mark.parametrize(
    ("codec", "kbps", "rate", "channels", "words"),
    [
        ("aac", 192, 48000, 2, None),
        ("aac", 24, 48000, 2, None),
        ("aac", 8, 48000, 2, "AAC has 24 to 576 kbit/s for stereo at 48000 Hz, not 8"),
        ("aac", 512, 44100, 2, None),
        ("aac", 288, 48000, 1, None),
        ("aac", 288, 44100, 1, "16 to 264 kbit/s for mono at 44100 Hz"),
        ("mp3", 320, 44100, 1, None),
        ("mp3", 512, 48000, 2, "256 or 320 kbit/s, not 512; 320 comes nearest"),
        ("mp3", 8, 48000, 2, "32 comes nearest"),
        ("mp3", 100, 48000, 2, "96 comes nearest"),
        ("opus", 8, 48000, 2, None),
        ("opus", 510, 48000, 2, None),
        ("opus", 512, 48000, 2, "6 to 510 kbit/s for stereo"),
        ("opus", 320, 48000, 1, "6 to 256 kbit/s for mono"),
    ],
)
def test_rates(codec: AudioCodec, kbps: int, rate: int, channels: int, words: str | None) -> None:
    reason = why_no_bitrate(codec, kbps, sample_rate=rate, channels=channels)
    assert reason is None if words is None else words in str(reason)


def test_an_export_with_such_a_rate_is_refused() -> None:
    quality = {"resolution": {"width": 320, "height": 180}, "framerate": 30}
    configuration = {
        "name": "x",
        "format": {"container": "mp4", "audioCodec": "mp3"},
        "quality": quality,
        "audio": {"bitrate": 512},
    }
    with pytest.raises(ValidationError, match=r"audio\.bitrate: MP3 has 32, 40"):
        ExportConfiguration.model_validate(configuration)
    configuration["audio"] = {"bitrate": 512, "enabled": False}
    assert not ExportConfiguration.model_validate(configuration).has_sound
