"""Rendering one export on this machine, or on a cluster, from files to a file."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from coordinator.export_run import ExportRun, Finished, OnProgress
from coordinator.output import check_output, publish
from coordinator.planning import Wanted, plan_export, video_range
from coordinator.ports import Executor
from shared.composition import Composition
from shared.export import ExportConfiguration
from shared.intake import Intake, IntakeRequest
from shared.plan import Picture, Plan
from shared.storage import ObjectStore

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
    wanted = Wanted(
        song=request.midi.name,
        configuration=request.configuration,
        start_s=request.start_s,
        end_s=request.end_s,
    )
    # What cannot be planned is refused before workers are started.
    video_range(wanted, intake)
    with open_executor() as executor:
        plan, warnings = plan_export(wanted, intake, executor.engine())
        finished = ExportRun(_with_report(plan.whole()), executor, on_progress).run()
    publish(store, finished.stitched.key, request.output, overwrite=request.overwrite)
    return _result(request, finished, plan.picture, warnings, began_s)


def _with_report(plan: Plan) -> Plan:
    """The plan, with the report of its sound kept beside it, where the next run finds it."""
    if plan.audio is None:
        return plan
    audio = plan.audio.model_copy(update={"report_key": f"{plan.audio.key}.json"})
    return plan.model_copy(update={"audio": audio})


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


def _result(
    request: RenderRequest,
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
        warnings=[*warnings, *heard],
    )
