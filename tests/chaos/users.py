"""The users of a chaos run: they submit, watch and download, and put up with what happens."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from coordinator.client import Client, Composition, Export, ServiceError
from coordinator.client.http import Patience
from shared.states import ExportStatus
from tests.chaos.clock import ChaosError
from tests.chaos.workload import Order, Song

_PATIENCE_S: Final = 90.0
_PAGE: Final = 50
_WATCHED: Final = (1, 2, 4, 6)
"""Which of their exports users watch, in the order in which these were accepted."""


@dataclass(slots=True, kw_only=True)
class Watched:
    """What a user was told of an export while it was rendered."""

    export_id: str
    began_at: float = field(default_factory=time.time)
    ended_at: float | None = None
    events: int = 0
    last: ExportStatus | None = None
    faults: list[str] = field(default_factory=list)
    """What should not have been told so."""


class User:
    """One user, with a key of their own; a context manager.

    Submitting happens in a thread of its own, watching in another.
    """

    def __init__(self, name: str, url: str, token: str) -> None:
        """Prepare; nothing is asked yet."""
        self.name = name
        self._url, self._token = url, token
        self._client = Client(url, token, patience_s=_PATIENCE_S)
        self._poller = Client(url, token, patience_s=_PATIENCE_S)
        self._submitting = ThreadPoolExecutor(1, f"{name}-submits")
        self._watching = ThreadPoolExecutor(1, f"{name}-watches")
        self._compositions: dict[str, Composition] = {}
        self._news = threading.Condition()
        self._complete = False
        self.accepted: dict[str, str] = {}
        """The exports that the service took: their ids by their names."""
        self.refusals: list[str] = []
        """What the service said when it did not take one, or did not say whether it did."""
        self.found_again = 0
        """Exports that had been taken although the answer was lost."""
        self.watched: list[Watched] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.finish_orders()
        # Who gave up does not wait for a watcher of an export that may never end.
        for threads in (self._submitting, self._watching):
            threads.shutdown(wait=kind is None, cancel_futures=True)
        self._client.close()
        self._poller.close()

    def bring(self, songs: Iterable[Song]) -> None:
        """Upload songs and put them together with their styles."""
        for song in songs:
            audio = None if song.recording is None else self._client.upload(song.recording).id
            self._compositions[song.title] = self._client.create_composition(
                song.title, midi=self._client.upload(song.midi).id, audio=audio, style=song.style
            )

    def submit(self, orders: Sequence[Order]) -> Future[None]:
        """Order exports, each until it is accepted, while the caller does something else."""
        return self._submitting.submit(self._submit_all, list(orders))

    def finish_orders(self) -> None:
        """Tell the watching thread that nothing more will be ordered."""
        with self._news:
            self._complete = True
            self._news.notify_all()

    def _submit_all(self, orders: Sequence[Order]) -> None:
        for order in orders:
            export_id = self._submit(order)
            with self._news:
                self.accepted[order.name] = export_id
                self._news.notify_all()

    def _submit(self, order: Order) -> str:
        patience = Patience(_PATIENCE_S)
        composition = self._compositions[order.song.title]
        while True:
            try:
                (export,) = self._client.create_exports(
                    composition.id, config=order.config, name=order.name
                )
            except ServiceError as exc:
                self.refusals.append(f"{order.name}: {exc.message}")
                if not patience.wait():
                    raise
            else:
                return export.id
            # The answer may have been lost on its way, not the request.
            known = {export.name: export.id for export in self.exports(self._client)}
            if order.name in known:
                self.found_again += 1
                return known[order.name]

    def exports(self, client: Client | None = None) -> tuple[Export, ...]:
        """All exports of this user as they stand."""
        page = (client or self._poller).exports(limit=_PAGE)
        if page.has_more:
            raise ChaosError(f"{self.name} has more exports than the {_PAGE} that fit on a page.")
        return page.exports

    def watch(self) -> Future[None]:
        """Watch some exports from their acceptance to their end, one after the other."""
        return self._watching.submit(self._watch_some)

    def _watch_some(self) -> None:
        with Client(self._url, self._token, patience_s=_PATIENCE_S) as client:
            for place in _WATCHED:
                with self._news:
                    while len(self.accepted) <= place:
                        if self._complete:
                            return
                        self._news.wait()
                    export_id = list(self.accepted.values())[place]
                watched = Watched(export_id=export_id)
                self.watched.append(watched)
                self._follow(client, watched)
                watched.ended_at = time.time()

    def _follow(self, client: Client, watched: Watched) -> None:
        seen: set[str] = set()
        progress, frames = 0.0, 0
        for event in client.watch(watched.export_id):
            watched.events += 1
            watched.last = event.status
            if event.event_id:
                if event.event_id in seen:
                    watched.faults.append(f"event {event.event_id} came twice")
                elif seen and int(event.event_id) < max(map(int, seen)):
                    watched.faults.append(f"event {event.event_id} came too late")
                seen.add(event.event_id)
            if event.progress < progress:
                watched.faults.append(f"progress fell from {progress:.3f} to {event.progress:.3f}")
            if event.frames_done < frames:
                watched.faults.append(f"frames fell from {frames} to {event.frames_done}")
            progress, frames = event.progress, event.frames_done

    def download_hash(self, export_id: str, folder: Path) -> str:
        """SHA-256 of a finished video as it arrives here."""
        path = folder / f"{export_id}.mp4"
        with suppress(FileNotFoundError):
            path.unlink()
        self._poller.download(export_id, path)
        try:
            return hashlib.sha256(path.read_bytes()).hexdigest()
        finally:
            path.unlink()
