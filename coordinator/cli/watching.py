"""Watching exports in a terminal: a bar for each, until all have ended."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from coordinator.cli.session import open_client
from coordinator.client import Export, ExportEvent
from coordinator.settings import ClientSettings
from shared.errors import CancelledError, MidifarmError
from shared.states import ExportStatus


@dataclass(frozen=True, slots=True)
class _News:
    index: int
    told: ExportEvent | Export | MidifarmError
    is_last: bool


def watch_exports(
    settings: ClientSettings, exports: Sequence[Export], *, shown: bool
) -> list[Export]:
    """Wait until all have ended.

    Args:
        settings: Where the server is.
        exports: As they are now.
        shown: Whether bars are drawn, on standard error; never where that is no terminal.

    Returns:
        How they ended, in their order.

    Raises:
        CancelledError: The user wants to wait no more; the exports go on.
        MidifarmError: The server stays away, or does not know one of them.
    """
    news = queue.SimpleQueue[_News]()
    for index, export in enumerate(exports):
        arguments = (settings, index, export.id, news)
        threading.Thread(target=_follow, args=arguments, daemon=True).start()
    console = Console(file=sys.stderr)
    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[detail]}", markup=False),
        console=console,
        disable=not (shown and console.is_terminal),
        transient=True,
    )
    try:
        with bars:
            tasks = [bars.add_task(each.name or each.id, total=1.0, detail="") for each in exports]
            return _gather(news, bars, tasks)
    except KeyboardInterrupt:
        ids = " ".join(export.id for export in exports)
        raise CancelledError(
            f"Not watching any more; the exports go on. Watch them again with: "
            f"midifarm exports watch {ids}"
        ) from None


def tell_end(export: Export) -> str:
    """How an export ended, in a line."""
    line = f"{export.id} {export.status}: {export.name}"
    if export.status is ExportStatus.COMPLETED:
        size = f", {export.file_size / 1e6:.1f} MB" if export.file_size else ""
        length = f", {export.duration_seconds:.2f} s" if export.duration_seconds else ""
        return f"{line}{length}{size}"
    return f"{line}: {export.error_message}" if export.error_message else line


def all_completed(exports: Sequence[Export]) -> bool:
    """Whether every one has its video."""
    return all(export.status is ExportStatus.COMPLETED for export in exports)


def _follow(
    settings: ClientSettings, index: int, export_id: str, news: queue.SimpleQueue[_News]
) -> None:
    """Pass on what is told of one export; a thread's whole life."""
    try:
        with open_client(settings) as client:
            for event in client.watch(export_id):
                news.put(_News(index, event, is_last=False))
            news.put(_News(index, client.export(export_id), is_last=True))
    except MidifarmError as exc:
        news.put(_News(index, exc, is_last=True))


def _gather(
    news: queue.SimpleQueue[_News], bars: Progress, tasks: Sequence[TaskID]
) -> list[Export]:
    ended: dict[int, Export] = {}
    while len(ended) < len(tasks):
        latest = news.get()
        if isinstance(latest.told, MidifarmError):
            raise latest.told
        bars.update(
            tasks[latest.index], completed=latest.told.progress, detail=_detail(latest.told)
        )
        if latest.is_last:
            ended[latest.index] = latest.told
    return [ended[index] for index in range(len(tasks))]


def _detail(export: Export) -> str:
    parts = [export.stage or str(export.status)]
    if export.frames:
        parts.append(f"{export.frames_done}/{export.frames} frames")
    if export.fps:
        parts.append(f"{export.fps:.1f} fps")
    if export.eta_s is not None and not export.ended:
        parts.append(f"{export.eta_s:.0f} s left")
    return ", ".join(parts)
