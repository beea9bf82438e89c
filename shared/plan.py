"""The plan of an export: which frames make which chunk, which sound goes with them, and the stitch.

Everything here is pure: the plan is a function of the export alone and never of the cluster,
so the same export has the same chunks, the same keys and the same bytes on every farm.
"""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.composition import Composition
from shared.keys import audio_key, content_key, result_key, segment_key
from shared.timebase import FrameRange, FrameRate, Seconds, frames_to_cover

CHUNK_S: Final = 4
"""Video in a chunk. Every chunk costs a key frame: measured with x264, 2 % in size at 4 s and
8 % at 2 s."""
SHORTEST_CHUNK_S: Final = 1
CHUNKS_WANTED: Final = 8
"""An export shorter than this many whole chunks gets shorter ones, so that it still uses
several cores."""

BUFFER_S: Final = 2
"""The rate is capped over this long (the decoder's buffer)."""


class Spec(BaseModel):
    """Plain data that travels to a worker: frozen, closed, JSON-serialisable."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class VideoSpec(Spec):
    """What the picture is encoded as."""

    width: int = Field(ge=16, le=8192, multiple_of=2, description="Pixels per row.")
    height: int = Field(ge=16, le=8192, multiple_of=2, description="Rows.")
    fps: FrameRate = Field(description="Frames a second.")
    crf: int = Field(ge=0, le=51, description="Constant rate factor of x264.")
    max_kbps: int = Field(gt=0, description="Upper bound of the rate over BUFFER_S, kbit/s.")
    profile: str = Field(description="H.264 profile: baseline, main or high.")
    encoder_speed: str = Field(default="veryfast", description="x264's own preset.")


class AudioSpec(Spec):
    """What the sound of a video is made from and encoded as."""

    recording_key: str | None = Field(
        default=None, description="Object key of the recording; None where there is none."
    )
    song_key: str | None = Field(
        default=None, description="Object key of the analysed MIDI, to be synthesised."
    )
    soundfont_key: str | None = Field(
        default=None, description="Object key of the SoundFont to synthesise with."
    )
    start_s: Seconds = Field(description="Song time at the first frame of the video.")
    offset_s: Seconds = Field(
        description="Song time at which the recording begins; negative if before the MIDI."
    )
    samples: int = Field(gt=0, description="Exact length in samples per channel.")
    sample_rate: int = Field(description="Samples a second: 44100 or 48000.")
    channels: int = Field(ge=1, le=2, description="1 mono, 2 stereo.")
    bitrate_kbps: int = Field(gt=0, description="Rate of the encoded sound, kbit/s.")
    loudness_lufs: float | None = Field(
        description="Integrated loudness to bring the sound to (EBU R128); None leaves it alone."
    )
    true_peak_dbtp: float = Field(default=-1.0, description="Highest true peak after that.")
    fade_in_s: float = Field(default=0.0, ge=0, description="Length of the fade at the start.")
    fade_out_s: float = Field(default=0.0, ge=0, description="Length of the fade at the end.")
    key: str = Field(default="", description="Object key of the encoded sound (audio-only mp4).")
    report_key: str | None = Field(
        default=None,
        description="Object key of its report, for who keeps no database to find it in.",
    )


class AudioReport(Spec):
    """What came of an AudioSpec."""

    key: str = Field(description="Object key of the encoded sound.")
    integrated_lufs: float | None = Field(
        description="Loudness of the encoded sound; None where it is silent."
    )
    true_peak_dbtp: float | None = Field(description="Its true peak; None where it is silent.")
    size_bytes: int = Field(default=0, description="Length of the encoded sound.")
    sha256: str = Field(default="", description="Hash of its bytes; empty where nobody counted.")
    warnings: tuple[str, ...] = Field(
        default=(), description="Sentences about what may not be as the musician expects."
    )
    cached: bool = Field(default=False, description="Whether the sound was in the store already.")


class Picture(Spec):
    """Everything that determines the frames of an export, whatever their number."""

    composition: Composition = Field(description="What is drawn; its assets named by object key.")
    song_key: str = Field(description="Object key of the analysed MIDI.")
    start_s: Seconds = Field(description="Song time at the first frame of the video.")
    video: VideoSpec = Field(description="What the picture is encoded as.")


class ChunkSpec(Spec):
    """One unit of work: a range of frames to draw and encode."""

    index: int = Field(ge=0, description="Place among the chunks of the export.")
    frames: FrameRange = Field(description="The frames of the video that it covers.")
    picture: Picture = Field(description="What the frames show.")
    engine: str = Field(description="What must draw and encode it (workers.engine.identity).")
    key: str = Field(description="Object key of its segment.")


class SegmentReport(Spec):
    """What a worker tells of a finished chunk."""

    index: int = Field(description="Place among the chunks of the export.")
    key: str = Field(description="Object key of the segment.")
    frames: int = Field(description="Frames in the segment.")
    size_bytes: int = Field(description="Length of the segment.")
    sha256: str = Field(description="Hash of the segment's bytes.")
    draw_s: float = Field(default=0.0, description="Time spent on drawing and reading back.")
    encode_s: float = Field(default=0.0, description="Time spent on encoding.")
    cached: bool = Field(default=False, description="Whether the segment was in the store already.")


class StitchSpec(Spec):
    """How segments and sound become the finished file."""

    segment_keys: tuple[str, ...] = Field(min_length=1, description="In the order of the chunks.")
    segment_sha256: tuple[str, ...] = Field(
        default=(),
        description="Hashes of the segments' bytes, in the same order; empty where not known.",
    )
    frames: int = Field(gt=0, description="Frames of the whole video.")
    video: VideoSpec = Field(description="What the segments are encoded as.")
    audio: AudioSpec | None = Field(description="The sound; None for a silent video.")
    audio_sha256: str = Field(
        default="", description="Hash of the encoded sound's bytes; empty where it is not known."
    )
    key: str = Field(description="Object key of the finished file.")

    @model_validator(mode="after")
    def _every_segment_has_its_hash(self) -> Self:
        if self.segment_sha256 and len(self.segment_sha256) != len(self.segment_keys):
            raise ValueError("there must be a hash for every segment, or none at all")
        return self


class StitchReport(Spec):
    """What a worker tells of a finished and verified video."""

    key: str = Field(description="Object key of the finished file.")
    frames: int = Field(description="Frames in it.")
    size_bytes: int = Field(description="Length of the file.")
    sha256: str = Field(description="Hash of the file's bytes.")


class Plan(Spec):
    """All the work of an export."""

    chunks: tuple[ChunkSpec, ...] = Field(
        description="In the order of their frames; together they cover the video once."
    )
    audio: AudioSpec | None = Field(
        description="The sound, made once beside the chunks; None for a silent video."
    )
    stitch: StitchSpec = Field(description="What turns their results into the finished file.")


def chunk_ranges(frames: int, fps: Fraction) -> tuple[FrameRange, ...]:
    """Cut a video of ``frames`` frames into chunks of equal length, to within a frame.

    They are as near to CHUNK_S as a whole number of chunks allows, and shorter for short videos,
    but never shorter than SHORTEST_CHUNK_S where there is more than one.
    """
    shortest = frames_to_cover(Fraction(SHORTEST_CHUNK_S), fps)
    longest = frames_to_cover(Fraction(CHUNK_S), fps)
    length = min(longest, max(shortest, -(-frames // CHUNKS_WANTED)))
    count = max(1, min(round(Fraction(frames, length)), frames // shortest))
    edges = [frames * index // count for index in range(count + 1)]
    return tuple(FrameRange(a, b) for a, b in itertools.pairwise(edges))


def make_plan(*, picture: Picture, frames: int, audio: AudioSpec | None, engine: str) -> Plan:
    """Plan an export.

    Args:
        picture: What the frames show.
        frames: How many there are.
        audio: The sound without its key, or None for a silent video.
        engine: Names and revisions of what draws and encodes (workers.engine.identity): segments
            made by another engine may differ in the last bit and are never mixed.
    """
    picture_content = content_key({"engine": engine, "picture": picture})
    chunks = tuple(
        ChunkSpec(
            index=index,
            frames=span,
            picture=picture,
            engine=engine,
            key=segment_key(
                content_key({"picture": picture_content, "start": span.start, "stop": span.stop})
            ),
        )
        for index, span in enumerate(chunk_ranges(frames, picture.video.fps))
    )
    if audio is not None:
        audio = audio.model_copy(
            update={"key": audio_key(content_key({"engine": engine, "audio": audio}))}
        )
    segment_keys = tuple(chunk.key for chunk in chunks)
    stitched = content_key({"segments": segment_keys, "audio": audio and audio.key})
    stitch = StitchSpec(
        segment_keys=segment_keys,
        frames=frames,
        video=picture.video,
        audio=audio,
        key=result_key(stitched),
    )
    return Plan(chunks=chunks, audio=audio, stitch=stitch)
