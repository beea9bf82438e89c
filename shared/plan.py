"""The plan of an export: which frames make which chunk, which sound goes with them, and the stitch.

Everything here is pure: the plan is a function of the export alone and never of the cluster,
so the same export has the same chunks, the same keys and the same bytes on every farm.
"""

from __future__ import annotations

import itertools
from fractions import Fraction
from importlib.metadata import version
from typing import Final, Self

from pydantic import Field, model_validator

from shared.branding import Branding
from shared.codecs import (
    CODECS,
    AudioCodec,
    Container,
    EncoderSpeed,
    PixelFormat,
    Profile,
    VideoCodec,
)
from shared.composition import Composition
from shared.keys import (
    audio_key,
    content_key,
    frames_key,
    hearing_key,
    result_key,
    segment_key,
    survey_key,
)
from shared.safe_area import WHOLE, SafeArea
from shared.spec import Spec
from shared.timebase import FrameRange, FrameRate, Seconds, frames_to_cover

CHUNK_S: Final = 4
"""Video in a chunk. Every chunk costs a key frame: measured with x264, 2 % in size at 4 s and
8 % at 2 s."""
LONG_CHUNK_S: Final = 8
"""The same of AV1, whose key frames are dearer beside its other frames: 5 % in size at 4 s."""
SHORTEST_CHUNK_S: Final = 1
CHUNKS_WANTED: Final = 8
"""An export shorter than this many whole chunks gets shorter ones, so that it still uses
several cores."""

_MOST_CHUNKS: Final = 100_000
"""More than any video has; a mean factor is a multiple of one by their number."""

BUFFER_S: Final = 2
"""The rate is capped over this long (the decoder's buffer)."""


HEARING_REVISION: Final = 1
"""Changes with what is found in a sound, so that an old finding is not taken for a new one."""
_LISTENING_LIBRARIES: Final = ("av", "numpy", "tinysoundfont")


class VideoSpec(Spec):
    """What the picture is encoded as."""

    width: int = Field(ge=16, le=8192, multiple_of=2, description="Pixels per row.")
    height: int = Field(ge=16, le=8192, multiple_of=2, description="Rows.")
    fps: FrameRate = Field(description="Frames a second.")
    codec: VideoCodec = Field(default="h264", description="Codec of the picture.")
    pixel_format: PixelFormat = Field(
        default="yuv420p",
        description="What is encoded; with an alpha channel, the background is left out.",
    )
    crf: float | None = Field(
        default=None,
        ge=0,
        le=63,
        description="Constant rate factor; None where the codec has none, or a survey is to find "
        "it.",
    )
    target_kbps: int | None = Field(
        default=None,
        gt=0,
        description="Average of the whole video that is to be held, kbit/s; a survey finds the "
        "crf that does.",
    )
    max_kbps: int | None = Field(
        default=None, gt=0, description="Upper bound of the rate over BUFFER_S, kbit/s."
    )
    profile: Profile | None = Field(
        default=None, description="Of h264 and h265; None where it follows from the pixels."
    )
    encoder_speed: EncoderSpeed = Field(
        default="veryfast", description="How long the encoder may look for savings."
    )
    hardware: bool = Field(
        default=False, description="Whether a hardware encoder is used, if the engine has one."
    )
    palette: str | None = Field(
        default=None,
        pattern="^([0-9a-f]{8}){256}$",
        description="Of a GIF: 256 colours as hexadecimal BGRA; a survey finds them.",
    )
    dither: str = Field(default="sierra2_4a", description="Of a GIF: libav's name of the method.")

    @property
    def seen(self) -> dict[str, object]:
        """What of it determines the frames before they are encoded."""
        return {
            "width": self.width,
            "height": self.height,
            "fps": self.fps,
            "pixel_format": self.pixel_format,
        }

    @property
    def crf_grid(self) -> float | None:
        """Its encoder takes multiples of this as rate factors; None where it takes any."""
        return 1.0 if self.hardware else CODECS[self.codec].crf_grid

    @property
    def needs_survey(self) -> bool:
        """Whether the piece must be looked at before its chunks can be encoded."""
        unknown_rate = self.target_kbps is not None and self.crf is None
        return unknown_rate or (self.codec == "gif" and self.palette is None)


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
    codec: AudioCodec = Field(default="aac", description="Codec of the sound.")
    bitrate_kbps: int = Field(gt=0, description="Rate of the encoded sound, kbit/s.")
    loudness_lufs: float | None = Field(
        description="Integrated loudness to bring the sound to (EBU R128); None leaves it alone."
    )
    true_peak_dbtp: float = Field(default=-1.0, description="Highest true peak after that.")
    fade_in_s: float = Field(default=0.0, ge=0, description="Length of the fade at the start.")
    fade_out_s: float = Field(default=0.0, ge=0, description="Length of the fade at the end.")
    heard_samples: int | None = Field(
        default=None,
        gt=0,
        description="Samples after which there is silence, under an end card; None for all. The "
        "fade at the end is over there.",
    )
    key: str = Field(default="", description="Object key of the encoded sound, a file of its own.")
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


class HeardSpec(Spec):
    """What the picture listens to: a recording, or a song that is synthesised.

    Without a SoundFont a song is listened to as plain tones: the video is silent then, but its
    spectrum moves.
    """

    recording_key: str | None = Field(
        default=None, description="Object key of the recording; None where there is none."
    )
    song_key: str | None = Field(
        default=None, description="Object key of the analysed MIDI where there is no recording."
    )
    soundfont_key: str | None = Field(
        default=None, description="Object key of the SoundFont to synthesise it with."
    )
    offset_s: Seconds = Field(
        default=Fraction(0),
        description="Song time at which the recording begins; 0 where the song is synthesised.",
    )

    @model_validator(mode="after")
    def _recorded_or_played(self) -> Self:
        if (self.recording_key is None) == (self.song_key is None):
            raise ValueError("there must be a recording or a song, and not both")
        if self.soundfont_key is not None and self.song_key is None:
            raise ValueError("a recording needs no SoundFont")
        return self

    @property
    def key(self) -> str:
        """Object key of what is found in it, wherever it lies in the song."""
        facts = {
            "hearing": HEARING_REVISION,
            "libraries": {name: version(name) for name in _LISTENING_LIBRARIES},
            "recording": self.recording_key,
            "song": self.song_key,
            "soundfont": self.soundfont_key,
        }
        return hearing_key(content_key(facts))


class Picture(Spec):
    """Everything that determines the frames of an export, whatever their number."""

    composition: Composition = Field(description="What is drawn; its assets named by object key.")
    song_key: str = Field(description="Object key of the analysed MIDI.")
    start_s: Seconds = Field(description="Song time at the first frame of the video.")
    video: VideoSpec = Field(description="What the picture is encoded as.")
    branding: Branding | None = Field(
        default=None, description="Watermark and end card; images and fonts by object key."
    )
    card_s: Seconds | None = Field(
        default=None, description="Video time at which the end card begins; None without one."
    )
    fade_out: tuple[Seconds, Seconds] | None = Field(
        default=None, description="Video times between which the picture fades to black."
    )
    safe_area: SafeArea = Field(
        default=WHOLE, description="What the platform leaves free of the frame."
    )
    heard: HeardSpec | None = Field(
        default=None, description="What its layers listen to; None where none does."
    )

    @property
    def seen(self) -> dict[str, object]:
        """What determines its frames before they are encoded."""
        facts = {name: getattr(self, name) for name in type(self).model_fields if name != "video"}
        return facts | {"video": self.video.seen}


class ChunkSpec(Spec):
    """One unit of work: a range of frames to draw and encode."""

    index: int = Field(ge=0, description="Place among the chunks of the export.")
    frames: FrameRange = Field(description="The frames of the video that it covers.")
    picture: Picture = Field(description="What the frames show.")
    engine: str = Field(description="What must draw and encode it (workers.engine.identity).")
    key: str = Field(description="Object key of its segment.")
    frames_key: str | None = Field(
        default=None,
        description="Object key under which its frames are kept without loss, since another "
        "export shows the same; None where nobody else wants them.",
    )


class SurveySpec(Spec):
    """A look at samples of a piece, before its chunks can be encoded."""

    picture: Picture = Field(description="What the frames show.")
    ranges: tuple[FrameRange, ...] = Field(
        min_length=1, description="The frames of all chunks, in their order."
    )
    engine: str = Field(description="What must draw and encode it.")
    key: str = Field(description="Object key of the finding, the report as JSON.")


class SurveyReport(Spec):
    """What a survey found."""

    key: str = Field(description="Object key of the finding.")
    crf: float | None = Field(default=None, description="Rate factor that holds the target rate.")
    palette: str | None = Field(default=None, description="Of a GIF; see VideoSpec.")
    size_bytes: int = Field(default=0, description="Length of the finding.")
    sha256: str = Field(default="", description="Hash of its bytes.")


class SegmentReport(Spec):
    """What a worker tells of a finished chunk."""

    index: int = Field(description="Place among the chunks of the export.")
    key: str = Field(description="Object key of the segment.")
    frames: int = Field(description="Frames in the segment.")
    size_bytes: int = Field(description="Length of the segment.")
    sha256: str = Field(description="Hash of the segment's bytes.")
    draw_s: float = Field(default=0.0, description="Time spent on drawing and reading back.")
    encode_s: float = Field(default=0.0, description="Time spent on encoding.")
    store_s: float = Field(default=0.0, description="Time spent on storing the segment.")
    cached: bool = Field(default=False, description="Whether the segment was in the store already.")


class StitchSpec(Spec):
    """How segments and sound become the finished file."""

    container: Container = Field(default="mp4", description="File format.")
    segment_keys: tuple[str, ...] = Field(
        description="In the order of the chunks; none for sound alone."
    )
    segment_sha256: tuple[str, ...] = Field(
        default=(),
        description="Hashes of the segments' bytes, in the same order; empty where not known.",
    )
    frames: int = Field(ge=0, description="Frames of the whole video; 0 for sound alone.")
    video: VideoSpec | None = Field(
        description="What the segments are encoded as; None for sound alone."
    )
    audio: AudioSpec | None = Field(description="The sound; None for a silent video.")
    gif_loop: int = Field(default=0, description="How often a GIF is played again; 0 for ever.")
    poster_frame: int | None = Field(
        default=None, ge=0, description="The frame that stands for the video; None without one."
    )
    max_bytes: int | None = Field(
        default=None, gt=0, description="A larger file is never handed over."
    )
    audio_sha256: str = Field(
        default="", description="Hash of the encoded sound's bytes; empty where it is not known."
    )
    key: str = Field(description="Object key of the finished file.")

    @model_validator(mode="after")
    def _shows_or_sounds(self) -> Self:
        if (self.video is None) != (self.frames == 0):
            raise ValueError("there must be a picture and frames of it, or neither")
        if self.video is None and self.audio is None:
            raise ValueError("there must be a picture or a sound")
        return self

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
    poster_key: str | None = Field(
        default=None, description="Object key of the poster frame, a JPEG; None without one."
    )


class Plan(Spec):
    """All the work of an export."""

    chunks: tuple[ChunkSpec, ...] = Field(
        description="In the order of their frames; together they cover the video once."
    )
    audio: AudioSpec | None = Field(
        description="The sound, made once beside the chunks; None for a silent video."
    )
    stitch: StitchSpec = Field(description="What turns their results into the finished file.")


def chunk_length_s(codec: VideoCodec) -> int:
    """Video in a whole chunk of a codec; codecs that differ here cut a video elsewhere."""
    return LONG_CHUNK_S if codec == "av1" else CHUNK_S


def chunk_ranges(frames: int, fps: Fraction, codec: VideoCodec = "h264") -> tuple[FrameRange, ...]:
    """Cut a video of ``frames`` frames into chunks of equal length, to within a frame.

    They are as near to CHUNK_S (of AV1 LONG_CHUNK_S) as a whole number of chunks allows, and
    shorter for short videos, but never shorter than SHORTEST_CHUNK_S where there is more than one.
    """
    chunk_s = chunk_length_s(codec)
    wanted = CHUNKS_WANTED * CHUNK_S // chunk_s
    shortest = frames_to_cover(Fraction(SHORTEST_CHUNK_S), fps)
    longest = frames_to_cover(Fraction(chunk_s), fps)
    length = min(longest, max(shortest, -(-frames // wanted)))
    count = max(1, min(round(Fraction(frames, length)), frames // shortest))
    edges = [frames * index // count for index in range(count + 1)]
    return tuple(FrameRange(a, b) for a, b in itertools.pairwise(edges))


def chunk_crf(video: VideoSpec, index: int) -> float | None:
    """The rate factor of one chunk.

    Where an encoder takes multiples of a step only, chunks alternate between the two neighbours
    so that their mean is the factor of the whole: with VP9 one step is 6 to 20 % of the rate.
    """
    if video.crf is None or video.crf_grid is None:
        return video.crf
    steps = (Fraction(video.crf) / Fraction(video.crf_grid)).limit_denominator(_MOST_CHUNKS)
    whole = (steps * (index + 1)).__floor__() - (steps * index).__floor__()
    return whole * video.crf_grid


def make_plan(
    *,
    picture: Picture | None,
    frames: int,
    audio: AudioSpec | None,
    engine: str,
    container: Container = "mp4",
    gif_loop: int = 0,
    poster_frame: int | None = None,
    max_bytes: int | None = None,
    shared_frames: bool = False,
) -> Plan:
    """Plan an export.

    Args:
        picture: What the frames show; None for sound alone.
        frames: How many there are; 0 for sound alone.
        audio: The sound without its key, or None for a silent video.
        engine: Names and revisions of what draws and encodes (workers.engine.identity): segments
            made by another engine may differ in the last bit and are never mixed.
        container: File format.
        gif_loop: How often a GIF is played again.
        poster_frame: The frame that stands for the video.
        max_bytes: A larger file is never handed over.
        shared_frames: Whether another export shows the same frames, so that they are kept.
    """
    chunks: tuple[ChunkSpec, ...] = ()
    if picture is not None:
        seen = content_key({"engine": engine, **picture.seen}) if shared_frames else ""
        variants: dict[float | None, tuple[Picture, str]] = {}

        def variant(index: int) -> tuple[Picture, str]:
            crf = chunk_crf(picture.video, index)
            if crf not in variants:
                video = picture.video.model_copy(update={"crf": crf})
                own = picture.model_copy(update={"video": video})
                variants[crf] = (own, content_key({"engine": engine, "picture": own}))
            return variants[crf]

        chunks = tuple(
            ChunkSpec(
                index=index,
                frames=span,
                picture=variant(index)[0],
                engine=engine,
                key=segment_key(
                    content_key(
                        {"picture": variant(index)[1], "start": span.start, "stop": span.stop}
                    )
                ),
                frames_key=frames_key(
                    content_key({"seen": seen, "start": span.start, "stop": span.stop})
                )
                if shared_frames
                else None,
            )
            for index, span in enumerate(
                chunk_ranges(frames, picture.video.fps, picture.video.codec)
            )
        )
    if audio is not None:
        audio = audio.model_copy(
            update={"key": audio_key(content_key({"engine": engine, "audio": audio}))}
        )
    segment_keys = tuple(chunk.key for chunk in chunks)
    stitched = content_key(
        {
            "segments": segment_keys,
            "audio": audio and audio.key,
            "container": container,
            "gif_loop": gif_loop,
            "poster_frame": poster_frame,
        }
    )
    stitch = StitchSpec(
        container=container,
        segment_keys=segment_keys,
        frames=frames,
        video=None if picture is None else picture.video,
        audio=audio,
        gif_loop=gif_loop,
        poster_frame=poster_frame,
        max_bytes=max_bytes,
        key=result_key(stitched, container),
    )
    return Plan(chunks=chunks, audio=audio, stitch=stitch)


def plan_survey(picture: Picture, frames: int, engine: str) -> SurveySpec:
    """The survey of a picture that needs one."""
    facts = {"engine": engine, "picture": picture, "frames": frames}
    return SurveySpec(
        picture=picture,
        ranges=chunk_ranges(frames, picture.video.fps, picture.video.codec),
        engine=engine,
        key=survey_key(content_key(facts)),
    )
