"""A worker process that draws on several devices in turn."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import moderngl
import pytest

import workers.studio
from shared.plan import Picture, VideoSpec, make_plan
from shared.storage import LocalStore
from shared.styles import find_style
from tests.songs import SongFile
from workers.chunk import render_chunk
from workers.gl.context import is_software, open_context
from workers.gl.devices import list_devices
from workers.studio import Studios

pytestmark = pytest.mark.gl


def test_devices_are_listed_in_the_order_in_which_they_are_opened() -> None:
    for index, device in enumerate(list_devices()):
        if device.is_software:
            with open_context(index) as context:
                assert is_software(context)


def test_two_devices_draw_in_turn_and_draw_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # This machine may have no more than one.
    monkeypatch.setattr(workers.studio, "open_context", lambda index: open_context(0))
    video = VideoSpec.model_validate(
        {"width": 64, "height": 64, "fps": 30, "crf": 20, "max_kbps": 8000, "profile": "high"}
    )
    song = SongFile("A song").note(0, 1, 60).note(Fraction(1, 2), 2, 67).song()
    stores = [LocalStore(tmp_path / name) for name in ("one", "other")]
    for store in stores:
        store.put_bytes("songs/song.npz", song.to_bytes())
    studios = Studios()
    contexts: list[moderngl.Context] = []
    made: list[list[str]] = [[], []]
    for style in ("aurora", "neon", "paper"):
        for device, store in enumerate(stores):
            studio = studios.on(device)
            assert studio is studios.on(device)
            picture = Picture(
                composition=find_style(style),
                song_key="songs/song.npz",
                start_s=Fraction(0),
                video=video,
            )
            [chunk] = make_plan(picture=picture, frames=20, audio=None, engine=studio.engine).chunks
            made[device].append(render_chunk(chunk, store, studio, lambda frames: None).sha256)
            contexts.append(studio._context)
    assert made[0] == made[1]
    assert len(set(made[0])) == 3
    assert len({id(context) for context in contexts}) == 2
    for device in (0, 1):
        studios.on(device).close()
