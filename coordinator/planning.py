"""From what was asked for and what the intake found to the plan of an export. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from pydantic import Field

from shared.errors import CompositionError
from shared.export import ExportConfiguration
from shared.intake import Intake
from shared.plan import (
    AudioReport,
    AudioSpec,
    Picture,
    Plan,
    SegmentReport,
    Spec,
    StitchSpec,
    VideoSpec,
    make_plan,
)
from shared.timebase import frames_to_cover, samples_for

LONGEST_S: Final = 12 * 3600
"""No video is longer: a damaged tempo must not fill the disk."""
TARGET_LUFS: Final = -14.0
"""Loudness that the platforms play at."""


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


class ExportPlan(Spec):
    """A plan without its chunks, which follow from it: what is kept of an export's plan."""

    picture: Picture = Field(description="What the frames show.")
    frames: int = Field(gt=0, description="Frames of the video.")
    audio: AudioSpec | None = Field(description="The sound, without its key; None for silence.")
    engine: str = Field(description="What draws and encodes.")

    def whole(self) -> Plan:
        """The plan with its chunks, keys and stitch."""
        return make_plan(
            picture=self.picture, frames=self.frames, audio=self.audio, engine=self.engine
        )


def plan_export(wanted: Wanted, intake: Intake, engine: str) -> tuple[ExportPlan, list[str]]:
    """The plan of an export, and what the musician should know of it.

    Raises:
        CompositionError: There is nothing to render, or too much.
    """
    start_s, end_s, warnings = video_range(wanted, intake)
    video = video_spec(wanted.configuration)
    frames = frames_to_cover(end_s - start_s, video.fps)
    plan = ExportPlan(
        picture=Picture(
            composition=intake.composition,
            song_key=intake.song_key,
            start_s=start_s,
            video=video,
        ),
        frames=frames,
        audio=audio_spec(wanted.configuration, intake, start_s, frames),
        engine=engine,
    )
    return plan, [*intake.warnings, *warnings]


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


def video_range(wanted: Wanted, intake: Intake) -> tuple[Fraction, Fraction, list[str]]:
    """Song time at which the video begins and ends, and warnings about it.

    Without an end it lasts until the last note and a tail have passed, and until the recording
    has ended.

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
    platform = wanted.configuration.social_media
    if platform and platform.max_duration and end_s - start_s > platform.max_duration:
        warnings.append(
            f"{platform.platform} takes {platform.max_duration:g} s at most; this video lasts "
            f"{float(end_s - start_s):.1f} s. Cut it with --end."
        )
    return start_s, end_s, warnings


def video_spec(configuration: ExportConfiguration) -> VideoSpec:
    """What the picture of an export is encoded as."""
    quality = configuration.quality
    return VideoSpec(
        width=quality.resolution.width,
        height=quality.resolution.height,
        fps=quality.framerate,
        crf=quality.crf,
        max_kbps=quality.bitrate,
        profile=quality.profile,
        encoder_speed=quality.encoder_speed,
    )


def audio_spec(
    configuration: ExportConfiguration, intake: Intake, start_s: Fraction, frames: int
) -> AudioSpec | None:
    """The sound of an export; None where there is nothing to hear."""
    settings = configuration.audio
    if not settings.enabled or not (intake.recording_key or intake.soundfont_key):
        return None
    return AudioSpec(
        recording_key=intake.recording_key,
        song_key=None if intake.recording_key else intake.song_key,
        soundfont_key=None if intake.recording_key else intake.soundfont_key,
        start_s=start_s,
        offset_s=Fraction(str(intake.composition.audio_offset_s)),
        samples=samples_for(frames, configuration.quality.framerate, settings.sample_rate),
        sample_rate=settings.sample_rate,
        channels=settings.channels,
        bitrate_kbps=settings.bitrate,
        loudness_lufs=TARGET_LUFS if settings.normalization else None,
        fade_in_s=settings.fade_in,
        fade_out_s=settings.fade_out,
    )
