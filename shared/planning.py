"""From what was asked for and what the intake found to the plan of an export. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from pydantic import Field

from shared.codecs import CODECS, Container
from shared.errors import CompositionError
from shared.export import ExportConfiguration
from shared.intake import Intake
from shared.plan import (
    AudioReport,
    AudioSpec,
    HeardSpec,
    Picture,
    Plan,
    SegmentReport,
    StitchSpec,
    SurveyReport,
    SurveySpec,
    VideoSpec,
    make_plan,
    plan_survey,
)
from shared.rates import affordable_kbps
from shared.safe_area import WHOLE, SafeArea, safe_area
from shared.spec import Spec
from shared.timebase import frames_to_cover, samples_for

LONGEST_S: Final = 12 * 3600
"""No video is longer: a damaged tempo must not fill the disk."""
FADE_S: Final = Fraction(2)
"""How long a video fades out that its platform would not take whole."""
_OTHER_SHAPE: Final = 0.02
"""Beyond this difference a frame is not of the shape that its platform expects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for, as far as the plan depends on it."""

    song: str
    """What the person calls the MIDI file."""
    configuration: ExportConfiguration
    """What file comes out."""
    start_s: Fraction
    """Song time at which the video begins."""
    end_s: Fraction | None
    """Song time at which it ends; None for the end of the song."""


class Rendering(Spec):
    """A whole rendering that missed its rate or was too large."""

    crf: float | None = Field(description="Rate factor that it was encoded with.")
    max_kbps: int | None = Field(description="Cap that it was encoded with.")
    size_bytes: int = Field(ge=0, description="Sum of its segments.")


class ExportPlan(Spec):
    """A plan without its chunks, which follow from it: what is kept of an export's plan."""

    picture: Picture | None = Field(description="What the frames show; None for sound alone.")
    frames: int = Field(ge=0, description="Frames of the video; 0 for sound alone.")
    audio: AudioSpec | None = Field(description="The sound, without its key; None for silence.")
    engine: str = Field(description="What draws and encodes.")
    container: Container = Field(default="mp4", description="File format.")
    gif_loop: int = Field(default=0, description="How often a GIF is played again.")
    poster_frame: int | None = Field(default=None, description="The frame that stands for it.")
    max_bytes: int | None = Field(default=None, description="Size that its platform refuses.")
    shared_frames: bool = Field(
        default=False, description="Whether another export shows the same frames."
    )
    earlier: tuple[Rendering, ...] = Field(
        default=(), description="Renderings that missed, the first one first."
    )

    @property
    def survey(self) -> SurveySpec | None:
        """What must be found out before there are chunks; None where nothing must."""
        if self.picture is None or not self.picture.video.needs_survey:
            return None
        return plan_survey(self.picture, self.frames, self.engine)

    @property
    def duration_s(self) -> Fraction:
        """Length of what comes out."""
        if self.picture is not None:
            return self.frames / self.picture.video.fps
        assert self.audio is not None  # noqa: S101  # there is one of the two
        return Fraction(self.audio.samples, self.audio.sample_rate)

    def surveyed(self, found: SurveyReport) -> ExportPlan:
        """The plan with what its survey has found."""
        assert self.picture is not None  # noqa: S101  # it was surveyed
        known = {"crf": found.crf, "palette": found.palette}
        return self.with_video(
            **{name: value for name, value in known.items() if value is not None}
        )

    def with_video(self, **changes: object) -> ExportPlan:
        """The plan with its picture encoded otherwise."""
        assert self.picture is not None  # noqa: S101  # only a picture is encoded otherwise
        video = self.picture.video.model_copy(update=changes)
        picture = self.picture.model_copy(update={"video": video})
        return self.model_copy(update={"picture": picture})

    def whole(self) -> Plan:
        """The plan with its chunks, keys and stitch; no survey may be left to do."""
        return make_plan(
            picture=self.picture,
            frames=self.frames,
            audio=self.audio,
            engine=self.engine,
            container=self.container,
            gif_loop=self.gif_loop,
            poster_frame=self.poster_frame,
            max_bytes=self.max_bytes,
            shared_frames=self.shared_frames,
        )


def plan_export(
    wanted: Wanted, intake: Intake, engine: str, *, shared_frames: bool = False
) -> tuple[ExportPlan, list[str]]:
    """The plan of an export, and what the musician should know of it.

    Args:
        wanted: What was asked for.
        intake: What was found in its files.
        engine: What draws and encodes.
        shared_frames: Whether another export shows the same frames.

    Raises:
        CompositionError: There is nothing to render, or too much.
    """
    configuration = wanted.configuration
    span, warnings = video_range(wanted, intake)
    platform = configuration.social_media
    shape = ExportPlan(
        picture=None,
        frames=0,
        audio=None,
        engine=engine,
        container=configuration.format.container,
        gif_loop=configuration.gif.loop,
        max_bytes=platform.requirements.max_file_size if platform else None,
    )
    if configuration.format.picture is None:
        samples = round((span.end_s - span.start_s) * configuration.audio.sample_rate)
        audio = audio_spec(configuration, intake, span, samples=samples, heard_samples=None)
        if audio is None:
            raise CompositionError(
                f"There is nothing to hear in {wanted.song}: give a recording or a SoundFont."
            )
        return shape.model_copy(update={"audio": audio}), [*intake.warnings, *warnings]
    picture, music_frames, frames = picture_of(configuration, intake, span)
    fps, rate = picture.video.fps, configuration.audio.sample_rate
    audio = audio_spec(
        configuration,
        intake,
        span,
        samples=samples_for(frames, fps, rate),
        heard_samples=samples_for(music_frames, fps, rate) if frames > music_frames else None,
    )
    plan = shape.model_copy(
        update={
            "picture": picture,
            "frames": frames,
            "audio": audio,
            "poster_frame": music_frames * 2 // 5,
            "shared_frames": shared_frames,
        }
    )
    plan, lowered = _afford(plan)
    return plan, [*intake.warnings, *warnings, *lowered]


def _afford(plan: ExportPlan) -> tuple[ExportPlan, list[str]]:
    """Lower an average rate that its platform has no room for, before anything is rendered."""
    picture, limit = plan.picture, plan.max_bytes
    if limit is None or picture is None or picture.video.target_kbps is None:
        return plan, []
    kbps = affordable_kbps(
        limit,
        sound_kbps=plan.audio.bitrate_kbps if plan.audio else 0,
        frames=plan.frames,
        duration_s=plan.duration_s,
    )
    # Where nothing fits, the sizes that come out say what is in the way.
    if kbps < 1 or kbps >= picture.video.target_kbps:
        return plan, []
    told = (
        f"{picture.video.target_kbps} kbit/s would make the file larger than its platform takes "
        f"({limit / 2**20:.1f} MiB); the picture gets {kbps}."
    )
    return plan.with_video(target_kbps=kbps), [told]


def picture_of(
    configuration: ExportConfiguration, intake: Intake, span: Span
) -> tuple[Picture, int, int]:
    """What the frames of an export show, its frames of music, and all its frames."""
    video = video_spec(configuration)
    music_frames = frames_to_cover(span.end_s - span.start_s, video.fps)
    card = intake.branding.end_card if intake.branding else None
    card_frames = frames_to_cover(Fraction(str(card.duration)), video.fps) if card else 0
    music_s = music_frames / video.fps
    picture = Picture(
        composition=intake.composition,
        song_key=intake.song_key,
        start_s=span.start_s,
        video=video,
        # What it was made from is not seen: equal branding of two templates is drawn once.
        branding=intake.branding and intake.branding.model_copy(update={"template": None}),
        card_s=music_s if card else None,
        fade_out=(music_s - span.fade_s, music_s) if span.fade_s else None,
        safe_area=safe_area_of(configuration),
        heard=heard_of(intake),
    )
    return picture, music_frames, music_frames + card_frames


def heard_of(intake: Intake) -> HeardSpec | None:
    """What the picture listens to; None where no layer and no animation does."""
    composition = intake.composition
    if not composition.listens:
        return None
    if intake.recording_key is not None:
        offset_s = Fraction(str(composition.audio_offset_s))
        return HeardSpec(recording_key=intake.recording_key, offset_s=offset_s)
    return HeardSpec(song_key=intake.song_key, soundfont_key=intake.soundfont_key)


def safe_area_of(configuration: ExportConfiguration) -> SafeArea:
    """What the platform of an export leaves free of its frames."""
    platform, size = configuration.social_media, configuration.quality.resolution
    if platform is None:
        return WHOLE
    width, height = (int(part) for part in platform.aspect_ratio.split(":"))
    as_meant = abs(size.width * height / (size.height * width) - 1) < _OTHER_SHAPE
    return safe_area(platform.aspect_ratio) if as_meant else WHOLE


def stitch_of(
    plan: Plan, segments: Sequence[SegmentReport], audio: AudioReport | None
) -> StitchSpec:
    """The stitch of a plan from the objects that its work has really produced."""
    return plan.stitch.model_copy(
        update={
            "segment_keys": tuple(report.key for report in segments),
            "segment_sha256": tuple(report.sha256 for report in segments),
            "audio": audio and plan.audio and plan.audio.model_copy(update={"key": audio.key}),
            "audio_sha256": audio.sha256 if audio else "",
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The part of a song that is seen and heard."""

    start_s: Fraction
    """Song time at which the video begins."""
    end_s: Fraction
    """Song time at which the music ends, before an end card."""
    fade_s: Fraction = Fraction(0)
    """How long picture and sound fade out before that end, since it is cut there."""


def video_range(wanted: Wanted, intake: Intake) -> tuple[Span, list[str]]:
    """The part of the song that is shown, and warnings about it.

    Without an end it lasts until the last note and a tail have passed, and until the recording
    has ended. What is too long for its platform is refused, cut or faded out, as was asked for.

    Raises:
        CompositionError: There are no notes in the range, or it is too long.
    """
    warnings = []
    start_s = wanted.start_s
    if intake.notes == 0:
        raise CompositionError(f"There are no notes in {wanted.song}.")
    if wanted.end_s is not None:
        end_s = wanted.end_s
        if end_s <= start_s:
            raise CompositionError(
                f"The range ends at {float(end_s):g} s, not after its start at "
                f"{float(start_s):g} s."
            )
    else:
        notes_end_s = intake.end_s + intake.composition.tail_s
        end_s = Fraction(notes_end_s).limit_denominator(1_000_000)
        if intake.recording_s is not None:
            recording_end_s = intake.composition.audio_offset_s + intake.recording_s
            end_s = max(end_s, Fraction(recording_end_s).limit_denominator(1_000_000))
            if abs(recording_end_s - intake.end_s) > max(10.0, 0.1 * intake.end_s):
                warnings.append(
                    f"The recording ends at {recording_end_s:.1f} s of the song, its last note at "
                    f"{intake.end_s:.1f} s. Do they belong together?"
                )
        if end_s <= start_s:
            raise CompositionError(
                f"The song is over at {float(end_s):g} s; the video cannot begin at "
                f"{float(start_s):g} s."
            )
    if intake.notes_in_range == 0:
        raise CompositionError(
            f"There are no notes between {float(start_s):g} s and {float(end_s):g} s; the last "
            f"one ends at {intake.end_s:.2f} s."
        )
    if end_s - start_s > LONGEST_S:
        raise CompositionError(
            f"The video would last {float(end_s - start_s) / 3600:.1f} hours; {LONGEST_S // 3600} "
            "is the most. Cut it with --end."
        )
    span, warning = _fit_platform(Span(start_s=start_s, end_s=end_s), wanted.configuration, intake)
    return span, [*warnings, *warning]


def _fit_platform(
    span: Span, configuration: ExportConfiguration, intake: Intake
) -> tuple[Span, list[str]]:
    """Refuse, cut or fade what is too long for its platform."""
    platform = configuration.social_media
    if platform is None or platform.max_duration is None:
        return span, []
    limit_s = Fraction(str(platform.max_duration))
    card = intake.branding.end_card if intake.branding else None
    card_s = Fraction(str(card.duration)) if card else Fraction(0)
    # What is shown is a whole number of frames: the last one must not stand beyond the limit.
    fps = configuration.quality.framerate
    if card_s:
        card_s = frames_to_cover(card_s, fps) / fps
    length_s = frames_to_cover(span.end_s - span.start_s, fps) / fps + card_s
    if length_s <= limit_s:
        return span, []
    told = f"{configuration.name} takes {platform.max_duration:g} s at most"
    lasts = f"this video lasts {float(length_s):.1f} s"
    if platform.too_long == "refuse":
        raise CompositionError(
            f"{told}; {lasts}. Cut it with --end, or ask for it to be cut or faded out there "
            "(--too-long cut, socialMedia.tooLong)."
        )
    music_s = ((limit_s - card_s) * fps).__floor__() / fps
    if music_s <= 0:
        raise CompositionError(f"{told}, which the end card alone exceeds; make it shorter.")
    fade_s = min(FADE_S, music_s / 2) if platform.too_long == "fade" else Fraction(0)
    cut = Span(start_s=span.start_s, end_s=span.start_s + music_s, fade_s=fade_s)
    return cut, [f"{told}: it ends at {float(cut.end_s):.2f} s of the song."]


def video_spec(configuration: ExportConfiguration) -> VideoSpec:
    """What the picture of an export is encoded as."""
    quality, codec = configuration.quality, configuration.format.picture
    assert codec is not None  # noqa: S101  # sound alone has no picture
    facts, pixel_format = CODECS[codec], configuration.pixel_format
    profiles = facts.profiles[pixel_format]
    crf = quality.crf
    if crf is None and quality.bitrate is None and facts.crf is not None:
        crf = facts.default_crf
    average = quality.bitrate is not None and crf is None
    return VideoSpec(
        width=quality.resolution.width,
        height=quality.resolution.height,
        fps=quality.framerate,
        codec=codec,
        pixel_format=pixel_format,
        crf=crf,
        target_kbps=quality.bitrate if average else None,
        max_kbps=None if average else quality.bitrate,
        profile=quality.profile or (profiles[0] if profiles else None),
        encoder_speed=quality.encoder_speed,
        hardware=quality.hardware,
        dither=configuration.gif.dither if codec == "gif" else "none",
    )


def audio_spec(
    configuration: ExportConfiguration,
    intake: Intake,
    span: Span,
    *,
    samples: int,
    heard_samples: int | None,
) -> AudioSpec | None:
    """The sound of an export; None where there is nothing to hear.

    Args:
        configuration: How it is to sound.
        intake: What there is to hear.
        span: The part that is heard.
        samples: Its length, silence under an end card included.
        heard_samples: Samples before that silence; None where there is none.
    """
    settings, codec = configuration.audio, configuration.format.sound
    if not configuration.has_sound or not (intake.recording_key or intake.soundfont_key):
        return None
    assert codec is not None  # noqa: S101  # where there is sound, it has one
    return AudioSpec(
        recording_key=intake.recording_key,
        song_key=None if intake.recording_key else intake.song_key,
        soundfont_key=None if intake.recording_key else intake.soundfont_key,
        start_s=span.start_s,
        offset_s=Fraction(str(intake.composition.audio_offset_s)),
        samples=samples,
        heard_samples=heard_samples,
        sample_rate=settings.sample_rate,
        channels=settings.channels,
        codec=codec,
        bitrate_kbps=settings.bitrate,
        loudness_lufs=settings.loudness if settings.normalization else None,
        true_peak_dbtp=settings.true_peak,
        fade_in_s=settings.fade_in,
        fade_out_s=max(settings.fade_out, float(span.fade_s)),
    )
