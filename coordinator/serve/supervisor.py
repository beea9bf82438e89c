"""``midifarm serve``: the supervisor of a whole service on one machine.

::

    serve ─┬─ postgres            unless a server was named
           ├─ midifarm dispatch ── Ray and its workers
           └─ midifarm api         on a socket that serve has bound

It starts them in this order, starts again what dies, and ends them in the reverse order. The
socket is ours, so that no connection is refused while an API is being replaced. However we die,
the kernel tells the children, who end by themselves; whoever starts in the same folder next waits
for that. What a dispatcher leaves behind when it is killed becomes our child and is ended.

No Ray and no web framework runs in this process: what can crash is a child.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
from pydantic import SecretStr

from coordinator.postgres import EmbeddedPostgres
from coordinator.processes import adopt_orphans, descendants, end_descendants
from coordinator.serve.child import MIDIFARM, Backoff, Child
from coordinator.serve.database import LeaderWatch, check_server, prepare_database
from coordinator.serve.folder import DataFolder
from coordinator.serve.listening import listen, url_of
from coordinator.serve.signals import Signals, StopRequested
from coordinator.settings import ServiceSettings, environment, variable_name
from shared.errors import DatabaseError, InputError, MidifarmError

_log = logging.getLogger(__name__)

_READY_S: Final = 90.0
_STOP_S: Final = 6.0
"""What a stop of the dispatcher and the API may take; then they are killed."""
_POSTGRES_STOP_S: Final = 1.5
_LEFTOVERS_S: Final = 1.0
_LOOK_S: Final = 0.5
_TICK_S: Final = 0.05
_TRIM_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service that is ready."""

    url: str
    """Where it answers."""
    token: str = field(repr=False)
    """The token of its local administrator."""
    data_dir: Path
    """Its data folder."""


OnReady = Callable[[Service], None]


def serve(settings: ServiceSettings, on_ready: OnReady) -> None:
    """Run a service until SIGTERM, SIGINT or SIGHUP; call it in the main thread.

    Args:
        settings: What it is told.
        on_ready: Called once, when exports are accepted and worked on.

    Raises:
        InputError: It could not be started; the message says what to change.
        MidifarmError: Something of it could not be ended.
    """
    with Signals() as signals, contextlib.ExitStack() as stack:
        adopt_orphans()
        try:
            with signals.interrupting():
                folder = stack.enter_context(DataFolder(settings.data_dir))
                listening = stack.enter_context(listen(settings.host, settings.port))
                folder.end_leftovers()
        except StopRequested:
            return
        _Supervisor(settings, signals, folder, listening).run(on_ready)


class _Supervisor:
    def __init__(
        self,
        settings: ServiceSettings,
        signals: Signals,
        folder: DataFolder,
        listening: socket.socket,
    ) -> None:
        self._settings = settings
        self._signals = signals
        self._folder = folder
        self._listening = listening
        self._postgres: EmbeddedPostgres | None = None
        self._dispatcher: Child | None = None
        self._api: Child | None = None
        self._due_s: dict[str, float] = {}
        self._postgres_backoff = Backoff()
        self._postgres_started_s = time.monotonic()

    def run(self, on_ready: OnReady) -> None:
        try:
            with self._signals.interrupting():
                self._start(on_ready)
            self._supervise()
        except StopRequested:
            pass
        finally:
            self._stop()

    # Starting

    def _start(self, on_ready: OnReady) -> None:
        if self._settings.database_url is None:
            self._postgres = EmbeddedPostgres(self._folder.path / "postgres")
            self._postgres.start()
            url = self._postgres.url
        else:
            url = self._settings.database_address
            check_server(url)
        token = prepare_database(url, self._folder.token)
        told = self._environment(url)
        self._dispatcher = self._child("dispatch", ["dispatch"], told)
        handle = self._listening.fileno()
        self._api = self._child("api", ["api", "--fd", str(handle)], told, pass_fds=(handle,))
        self._start_dispatcher()
        self._api.start()
        self._wait_until_ready(url)
        on_ready(Service(url=url_of(self._listening), token=token, data_dir=self._folder.path))

    def _environment(self, database_url: str) -> dict[str, str]:
        told = self._settings.model_copy(
            update={
                "database_url": SecretStr(database_url),
                "storage_url": self._settings.store_url,
                "data_dir": self._folder.path,
            }
        )
        # A client's token is none of a server's business.
        inherited = {k: v for k, v in os.environ.items() if k != variable_name("token")}
        return {**inherited, **environment(told), **self._folder.mark}

    def _child(
        self,
        name: str,
        arguments: list[str],
        told: dict[str, str],
        pass_fds: tuple[int, ...] = (),
    ) -> Child:
        log = self._folder.logs / f"{name}.log"
        return Child(name, [*MIDIFARM, *arguments], log=log, environment=told, pass_fds=pass_fds)

    def _start_dispatcher(self) -> None:
        assert self._dispatcher is not None  # noqa: S101  # called when it was prepared
        self._dispatcher.start()
        assert self._dispatcher.pid is not None  # noqa: S101
        self._folder.note_dispatcher(self._dispatcher.pid)

    def _wait_until_ready(self, database_url: str) -> None:
        deadline_s = time.monotonic() + _READY_S
        answers = leads = False
        # Straight to ourselves, whatever proxies the environment names.
        with LeaderWatch(database_url) as watch, httpx.Client(trust_env=False, timeout=5.0) as http:
            while not (answers and leads):
                for child in self._children():
                    if child.poll() is not None:
                        raise InputError(
                            f"The {child.name} process could not start: {child.last_words()}"
                        )
                if time.monotonic() > deadline_s:
                    silent = self._dispatcher if answers else self._api
                    assert silent is not None  # noqa: S101  # both were started
                    raise InputError(
                        f"The service was not ready within {_READY_S:.0f} s. Its log "
                        f"{silent.log} ends with: {silent.last_words()}"
                    )
                leads = leads or self._leads(watch.leader())
                answers = answers or self._answers(http)
                self._signals.wait(_TICK_S)

    def _leads(self, leader: str | None) -> bool:
        """Whether somebody leads: ours where the database is ours alone."""
        if leader is None or self._dispatcher is None:
            return False
        return self._postgres is None or leader.split()[-1] == str(self._dispatcher.pid)

    def _answers(self, http: httpx.Client) -> bool:
        try:
            return http.get(url_of(self._listening) + "/readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _children(self) -> list[Child]:
        return [child for child in (self._dispatcher, self._api) if child is not None]

    # Watching

    def _supervise(self) -> None:
        trimmed_s = time.monotonic()
        while not self._signals.stops:
            now_s = time.monotonic()
            self._look_after_postgres(now_s)
            for child in self._children():
                self._look_after(child, now_s)
            self._reap()
            if now_s - trimmed_s > _TRIM_S:
                trimmed_s = now_s
                for child in self._children():
                    child.trim_log()
            self._signals.wait(_LOOK_S)

    def _look_after(self, child: Child, now_s: float) -> None:
        status = child.poll()
        if status is None:
            return
        if child.name not in self._due_s:
            pause_s = child.next_pause_s()
            _log.warning(
                "child_ended name=%s status=%d restart_s=%.1f", child.name, status, pause_s
            )
            if child is self._dispatcher:
                self._end_leftovers()
            self._due_s[child.name] = now_s + pause_s
        if now_s >= self._due_s[child.name]:
            del self._due_s[child.name]
            if child is self._dispatcher:
                self._start_dispatcher()
            else:
                child.start()

    def _look_after_postgres(self, now_s: float) -> None:
        postgres = self._postgres
        if postgres is None or postgres.poll() is None or now_s < self._due_s.get("postgres", 0):
            return
        _log.warning("child_ended name=postgres status=%s", postgres.poll())
        try:
            with self._signals.interrupting():
                postgres.restart()
        except DatabaseError as exc:
            _log.warning("postgres_not_restarted error=%s", exc)
        lived_s = now_s - self._postgres_started_s
        self._postgres_started_s = time.monotonic()
        self._due_s["postgres"] = now_s + self._postgres_backoff.pause_s(lived_s)

    def _end_leftovers(self) -> None:
        """End what a dispatcher that died has left: its Ray, which has become ours."""
        try:
            end_descendants(spare=self._known(), grace_s=_LEFTOVERS_S)
        except MidifarmError as exc:
            _log.warning("leftovers_not_ended error=%s", exc)
        self._folder.remove_ray_folder()

    def _reap(self) -> None:
        """Wait for orphans that have died as our children."""
        for process in descendants(os.getpid(), spare=self._known()):
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)

    def _known(self) -> list[int]:
        """The processes that somebody else waits for."""
        known = [child.pid for child in self._children() if child.pid is not None]
        if self._postgres is not None:
            with contextlib.suppress(DatabaseError):
                known.append(self._postgres.pid)
        return known

    # Stopping

    def _stop(self) -> None:
        asked = self._signals.stops
        deadline_s = time.monotonic() + _STOP_S
        children = self._children()
        for child in children:
            child.send(signal.SIGTERM)
        while any(child.pid is not None and child.poll() is None for child in children):
            # Who asks a second time does not want to wait.
            if time.monotonic() > deadline_s or self._signals.stops > asked:
                for child in children:
                    child.send(signal.SIGKILL)
            self._signals.wait(_TICK_S)
        try:
            postgres = [] if self._postgres is None else self._known()
            end_descendants(spare=postgres, grace_s=_LEFTOVERS_S)
        finally:
            if self._postgres is not None:
                self._postgres.stop(_POSTGRES_STOP_S)
            end_descendants(grace_s=_LEFTOVERS_S)
            self._folder.remove_ray_folder()
