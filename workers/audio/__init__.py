"""The sound of a video: read or synthesised, placed, levelled and encoded once per export."""

from workers.audio.prepare import prepare_audio
from workers.audio.recording import recording_duration_s, recording_outline

__all__ = ["prepare_audio", "recording_duration_s", "recording_outline"]
