"""Rendering one export on this machine, or on a cluster, from files to a file."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from coordinator.export_run import ExportRun, Finished, OnProgress
from coordinator.output import check_output, publish
from coordinator.ports import Executor
from shared.composition import Composition
from shared.errors import CompositionError
from shared.export import ExportConfiguration
from shared.intake import Intake, IntakeRequest
from shared.plan import AudioSpec, Picture, VideoSpec, make_plan
from shared.storage import ObjectStore
from shared.timebase import frames_to_cover, samples_for

LONGEST_S: Final = 12 * 3600
"""No video is longer: a damaged tempo must not fill the disk."""
TARGET_LUFS: Final = -14.0
"""Loudness that the platforms play at."""

OpenExecutor = Callable[[], AbstractContextManager[Executor]]
TakeIn = Callable[[IntakeRequest], Intake]


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderRequest:
    """What a musician asks for on the command line."""

    midi: Path
    """The MIDI file."""
    audio: Path | None
    """Its recording, if there is one."""
    soundfont: Path | None
    """What to synthesise with where there is none; None looks for an installed one."""
    composition: Composition
    """What is drawn; may name files."""
    folder: Path
    """What those names are relative to."""
    configuration: ExportConfiguration
    """What file comes out."""
    start_s: Fraction
    """Song time at which the video begins."""
    end_s: Fraction | None
    """Song time at which it ends; None for the end of the song."""
    output: Path
    """Where the video is put."""
    overwrite: bool
    """Whether a file that is there may be replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderResult:
    """What `render --json` prints."""

    output: str
    """Path of the video."""
    frames: int
    """Frames in it."""
    fps: float
    """Frames a second."""
    width: int
    """Pixels per row."""
    height: int
    """Rows."""
    duration_s: float
    """Its length in seconds."""
    bytes: int
    """Its size."""
    chunks: int
    """Chunks it was rendered in."""
    chunks_cached: int
    """How many of them were found in the object store."""
    elapsed_s: float
    """From the start of the command to the finished file."""
    render_fps: float
    """Frames per second of elapsed time."""
    audio_lufs: float | None
    """Integrated loudness of the sound; None where the video is silent."""
    sha256: str
    """Hash of the file."""
    warnings: list[str]
    """What may not be as the musician expects."""


def render(
    request: RenderRequest,
    *,
    store: ObjectStore,
    take_in: TakeIn,
    open_executor: OpenExecutor,
    on_progress: OnProgress,
    began_s: float,
) -> RenderResult:
    """Render, verify and put the video where it was asked for.

    Args:
        request: What to render.
        store: Where the work is kept.
        take_in: Takes the files into that store.
        open_executor: Opens the workers.
        on_progress: Told a few times a second.
        began_s: When the command began, on the clock of time.monotonic().

    Raises:
        MidifarmError: Nothing was put at the output.
    """
    check_output(request.output, overwrite=request.overwrite)
    intake = take_in(_intake_request(request))
    start_s, end_s, warnings = video_range(request, intake)
    with open_executor() as executor:
        picture = Picture(
            composition=intake.composition,
            song_key=intake.song_key,
            start_s=start_s,
            video=video_spec(request.configuration),
        )
        frames = frames_to_cover(end_s - start_s, picture.video.fps)
        audio = audio_spec(request, intake, start_s, frames)
        plan = make_plan(picture=picture, frames=frames, audio=audio, engine=executor.engine())
        finished = ExportRun(plan, executor, on_progress).run()
    publish(store, finished.stitched.key, request.output, overwrite=request.overwrite)
    return _result(request, intake, finished, picture, warnings, began_s)


def _intake_request(request: RenderRequest) -> IntakeRequest:
    return IntakeRequest(
        midi=request.midi.absolute(),
        audio=request.audio and request.audio.absolute(),
        soundfont=request.soundfont and request.soundfont.absolute(),
        composition=request.composition,
        folder=request.folder.absolute(),
        start_s=float(request.start_s),
        end_s=None if request.end_s is None else float(request.end_s),
        with_audio=request.configuration.audio.enabled,
    )


def video_range(request: RenderRequest, intake: Intake) -> tuple[Fraction, Fraction, list[str]]:
    """Song time at which the video begins and ends, and warnings about it.

    Without an end it lasts until the last note and a tail have passed, and until the recording
    has ended.

    Raises:
        CompositionError: There are no notes in the range, or it is too long.
    """
    warnings = []
    start_s = request.start_s
    if intake.notes == 0:
        raise CompositionError(f"There are no notes in {request.midi.name}.")
    if request.end_s is not None:
        end_s = request.end_s
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
    platform = request.configuration.social_media
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
    request: RenderRequest, intake: Intake, start_s: Fraction, frames: int
) -> AudioSpec | None:
    """The sound of an export; None where there is nothing to hear."""
    settings = request.configuration.audio
    if not settings.enabled or not (intake.recording_key or intake.soundfont_key):
        return None
    return AudioSpec(
        recording_key=intake.recording_key,
        song_key=None if intake.recording_key else intake.song_key,
        soundfont_key=None if intake.recording_key else intake.soundfont_key,
        start_s=start_s,
        offset_s=Fraction(str(intake.composition.audio_offset_s)),
        samples=samples_for(frames, request.configuration.quality.framerate, settings.sample_rate),
        sample_rate=settings.sample_rate,
        channels=settings.channels,
        bitrate_kbps=settings.bitrate,
        loudness_lufs=TARGET_LUFS if settings.normalization else None,
        fade_in_s=settings.fade_in,
        fade_out_s=settings.fade_out,
    )


def _result(
    request: RenderRequest,
    intake: Intake,
    finished: Finished,
    picture: Picture,
    warnings: list[str],
    began_s: float,
) -> RenderResult:
    elapsed_s = time.monotonic() - began_s
    frames, fps = finished.stitched.frames, picture.video.fps
    heard: tuple[Any, ...] = finished.audio.warnings if finished.audio else ()
    return RenderResult(
        output=str(request.output),
        frames=frames,
        fps=float(fps),
        width=picture.video.width,
        height=picture.video.height,
        duration_s=float(frames / fps),
        bytes=finished.stitched.size_bytes,
        chunks=len(finished.segments),
        chunks_cached=sum(segment.cached for segment in finished.segments),
        elapsed_s=round(elapsed_s, 3),
        render_fps=round(frames / elapsed_s, 2),
        audio_lufs=finished.audio.integrated_lufs if finished.audio else None,
        sha256=finished.stitched.sha256,
        warnings=[*intake.warnings, *warnings, *heard],
    )
