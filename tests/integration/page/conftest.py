"""The service, the browser, and a song that all tests of the page share."""

from __future__ import annotations

import tempfile
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser

from coordinator.client import Client, Composition, Export
from tests import chromium
from tests.browser import Visit, Visiting
from tests.service import Serving
from tests.songs import SongFile
from tests.sounds import RATE, piano

SONG_S = 1.0
"""A video of it is 2.5 s long: styles show the end of a song for a while."""
SMALL = {
    "name": "small",
    "quality": {
        "resolution": {"width": 640, "height": 360},
        "framerate": 30,
        "bitrate": None,
        "crf": 23,
    },
}
"""Settings of a video that is soon made."""


@pytest.fixture(scope="package")
def folder() -> Iterator[Path]:
    """A folder that the user as whom root's PostgreSQL runs may walk through."""
    with tempfile.TemporaryDirectory(prefix="mf-page-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(scope="package")
def serving(folder: Path) -> Iterator[Serving]:
    """A service with two workers, and a pool that no node serves.

    What a test kills of it comes back by itself.
    """
    service = Serving(folder / "data", "--workers", "2", "--declared-pools", "gpu")
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.destroy()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One for all visits."""
    with chromium.running() as running:
        yield running


@pytest.fixture
def visiting(browser: Browser, serving: Serving) -> Visiting:
    """Makes visits to the service; a context manager each."""

    def visit(**options: Any) -> Visit:
        return Visit(browser, serving.url, **options)

    return visit


@pytest.fixture
def client(serving: Serving) -> Iterator[Client]:
    """The same user's, beside the page."""
    with Client(serving.url, serving.token) as client:
        yield client


@pytest.fixture(scope="package")
def song_files(folder: Path) -> list[Path]:
    """A MIDI file and its recording."""
    notes = SongFile("Etude of the test")
    for step in range(4):
        notes.note(step / 4, step / 4 + 0.25, 60 + 3 * step)
    recording = folder / "etude.wav"
    with wave.open(str(recording), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((piano(SONG_S).T * 32767).astype(np.int16).tobytes())
    return [notes.save(folder / "etude.mid"), recording]


@pytest.fixture(scope="package")
def song(serving: Serving, song_files: list[Path]) -> Composition:
    """The same, put together already, under another name."""
    with Client(serving.url, serving.token) as client:
        midi, recording = (
            client.upload(path, kind=kind)
            for path, kind in zip(song_files, ("midi", "audio"), strict=True)
        )
        return client.create_composition("study", midi=midi.id, audio=recording.id)


@pytest.fixture(scope="package")
def video(serving: Serving, song: Composition) -> Export:
    """A finished export of it."""
    with Client(serving.url, serving.token) as client:
        (export,) = client.create_exports(song.id, name="finished study", config=SMALL)
        for _ in client.watch(export.id):
            pass
        return client.export(export.id)


@pytest.fixture
def export_at_length(client: Client, folder: Path) -> Callable[[str, int], Export]:
    """Queues exports by their names and lengths in seconds; no two are of the same song."""

    def queue(name: str, length_s: int) -> Export:
        notes = SongFile(name)
        for second in range(length_s):
            notes.note(second, second + 0.5, 40 + (second * 7 + len(name)) % 40)
        midi = client.upload(notes.save(folder / f"{name}.mid"), kind="midi")
        composition = client.create_composition(name, midi=midi.id)
        (export,) = client.create_exports(composition.id, name=name, config=SMALL)
        return export

    return queue
