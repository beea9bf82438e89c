"""Rendering one song on this machine, or on a cluster, from files to one file or several."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from coordinator.export_run import Finished
from coordinator.output import check_output, publish
from coordinator.ports import Executor
from coordinator.run_exports import OnProgress, find_engine, run_exports
from coordinator.sharing import frames_shared
from shared.composition import Composition
from shared.errors import InputError, MidifarmError, StorageError
from shared.export import ExportConfiguration
from shared.intake import Intake, IntakeRequest
from shared.planning import ExportPlan, Wanted, plan_export
from shared.storage import ObjectStore

OpenExecutor = Callable[[], AbstractContextManager[Executor]]
TakeIn = Callable[[IntakeRequest], Intake]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One file that is asked for."""

    configuration: ExportConfiguration
    """What comes out."""
    path: Path
    """Where it is put."""
    poster: Path | None = None
    """Where its poster frame is put, if it is wanted."""


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
    outputs: tuple[Output, ...]
    """What is made of it; all with the same branding."""
    start_s: Fraction
    """Song time at which the video begins."""
    end_s: Fraction | None
    """Song time at which it ends; None for the end of the song."""
    overwrite: bool
    """Whether files that are there may be replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderResult:
    """What `render --json` prints of a file."""

    output: str
    """Path of the file."""
    preset: str
    """The preset that it was made from."""
    container: str
    """File format."""
    video_codec: str | None
    """Codec of the picture; None for sound alone."""
    audio_codec: str | None
    """Codec of the sound; None for silence."""
    frames: int
    """Frames in it."""
    fps: float | None
    """Frames a second; None for sound alone, as are the next two."""
    width: int | None
    """Pixels per row."""
    height: int | None
    """Rows."""
    duration_s: float
    """Its length in seconds."""
    bytes: int
    """Its size."""
    poster: str | None
    """Path of its poster frame; None where none was asked for."""
    chunks: int
    """Chunks it was rendered in."""
    chunks_cached: int
    """How many of them were found in the object store."""
    renderings: int
    """How often it was rendered until its rate and its size were held."""
    elapsed_s: float
    """From the start of the command to the finished file."""
    render_fps: float
    """Frames per second of elapsed time."""
    audio_lufs: float | None
    """Integrated loudness of the sound; None where it is silent."""
    audio_true_peak: float | None
    """Its true peak in dBTP; None where it is silent."""
    sha256: str
    """Hash of the file."""
    warnings: list[str]
    """What may not be as the musician expects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An output that did not come to be, and why."""

    output: Output
    """What was asked for."""
    error: MidifarmError
    """Nothing was put there."""


def render(
    request: RenderRequest,
    *,
    store: ObjectStore,
    take_in: TakeIn,
    open_executor: OpenExecutor,
    on_progress: OnProgress,
    began_s: float,
) -> list[RenderResult | Refused]:
    """Render, verify and put every file where it was asked for, as soon as it is done.

    Args:
        request: What to render.
        store: Where the work is kept.
        take_in: Takes the files into that store.
        open_executor: Opens the workers.
        on_progress: Told a few times a second, by the place of an output.
        began_s: When the command began, on the clock of time.monotonic().

    Returns:
        What came of the outputs, in their order.

    Raises:
        MidifarmError: Nothing can be rendered at all.
    """
    for output in request.outputs:
        for path in filter(None, (output.path, output.poster)):
            check_output(path, overwrite=request.overwrite)
    intake = take_in(_intake_request(request))
    # What cannot be planned is refused before workers are started.
    results: dict[int, RenderResult | Refused] = {}
    for place, output in enumerate(request.outputs):
        try:
            plan_export(_wanted(request, output), intake, engine="")
        except InputError as exc:
            results[place] = Refused(output=output, error=exc)
    accepted = [place for place in range(len(request.outputs)) if place not in results]
    if accepted:
        with open_executor() as executor:
            results |= _render(request, accepted, intake, executor, store, on_progress, began_s)
    return [results[place] for place in range(len(request.outputs))]


def _render(
    request: RenderRequest,
    accepted: Sequence[int],
    intake: Intake,
    executor: Executor,
    store: ObjectStore,
    on_progress: OnProgress,
    began_s: float,
) -> dict[int, RenderResult | Refused]:
    """Render what can be planned; what came of it, by its place among the outputs."""
    engine = find_engine(executor)
    outputs = [request.outputs[place] for place in accepted]
    shared = frames_shared([output.configuration for output in outputs])
    planned = [
        plan_export(_wanted(request, output), intake, engine, shared_frames=also)
        for output, also in zip(outputs, shared, strict=True)
    ]
    ends = run_exports(
        [plan for plan, _ in planned],
        executor,
        lambda index, progress: on_progress(accepted[index], progress),
    )
    results: dict[int, RenderResult | Refused] = {}
    try:
        for index, ended in ends:
            output = outputs[index]
            place = accepted[index]
            try:
                if isinstance(ended, MidifarmError):
                    raise ended
                poster = _publish(store, ended, output, overwrite=request.overwrite)
                results[place] = _result(output, ended, planned[index][1], poster, began_s)
            except MidifarmError as exc:
                results[place] = Refused(output=output, error=exc)
    finally:
        _drop_frames(store, (plan for plan, _ in planned))
    return results


def _drop_frames(store: ObjectStore, plans: Iterable[ExportPlan]) -> None:
    """Delete the frames that exports kept for each other: they are larger than all segments."""
    for plan in plans:
        if plan.shared_frames:
            for chunk in plan.whole().chunks:
                if chunk.frames_key is not None:
                    with suppress(StorageError):
                        store.delete(chunk.frames_key)


def _publish(
    store: ObjectStore, finished: Finished, output: Output, *, overwrite: bool
) -> Path | None:
    """Put a file and its poster where they were asked for; where the poster is, if there is one."""
    publish(store, finished.stitched.key, output.path, overwrite=overwrite)
    if output.poster is None or finished.stitched.poster_key is None:
        return None
    publish(store, finished.stitched.poster_key, output.poster, overwrite=overwrite)
    return output.poster


def _wanted(request: RenderRequest, output: Output) -> Wanted:
    return Wanted(
        song=request.midi.name,
        configuration=output.configuration,
        start_s=request.start_s,
        end_s=request.end_s,
    )


def _intake_request(request: RenderRequest) -> IntakeRequest:
    configurations = [output.configuration for output in request.outputs]
    return IntakeRequest(
        midi=request.midi.absolute(),
        audio=request.audio and request.audio.absolute(),
        soundfont=request.soundfont and request.soundfont.absolute(),
        composition=request.composition,
        branding=configurations[0].branding,
        folder=request.folder.absolute(),
        start_s=float(request.start_s),
        end_s=None if request.end_s is None else float(request.end_s),
        with_audio=any(each.has_sound for each in configurations),
    )


def _result(
    output: Output, finished: Finished, warnings: list[str], poster: Path | None, began_s: float
) -> RenderResult:
    elapsed_s = time.monotonic() - began_s
    plan, stitched, sound = finished.plan, finished.stitched, finished.audio
    video = plan.picture.video if plan.picture else None
    heard: tuple[Any, ...] = sound.warnings if sound else ()
    return RenderResult(
        output=str(output.path),
        preset=output.configuration.format.preset,
        container=plan.container,
        video_codec=video.codec if video else None,
        audio_codec=plan.audio.codec if plan.audio else None,
        frames=stitched.frames,
        fps=float(video.fps) if video else None,
        width=video.width if video else None,
        height=video.height if video else None,
        duration_s=float(plan.duration_s),
        bytes=stitched.size_bytes,
        poster=str(poster) if poster else None,
        chunks=len(finished.segments),
        chunks_cached=sum(segment.cached for segment in finished.segments),
        renderings=len(plan.earlier) + 1,
        elapsed_s=round(elapsed_s, 3),
        render_fps=round(stitched.frames / elapsed_s, 2),
        audio_lufs=sound.integrated_lufs if sound else None,
        audio_true_peak=sound.true_peak_dbtp if sound else None,
        sha256=stitched.sha256,
        warnings=[*warnings, *heard],
    )
