"""The law that everything rests on: a frame is a pure function of composition and time."""

from __future__ import annotations

import gc
import hashlib
import multiprocessing
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from functools import cache
from pathlib import Path

import moderngl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.composition import Composition
from shared.plan import Picture, VideoSpec
from shared.styles import STYLES, find_style
from tests.compositions import compositions
from tests.songs import a_song
from workers.gl.context import open_context
from workers.hearing import Hearing
from workers.midi import Song
from workers.renderer import Renderer

pytestmark = pytest.mark.gl

WIDTH, HEIGHT = 96, 64


@cache
def song_and_sound() -> tuple[Song, Hearing]:
    song = a_song()
    return song, Hearing.from_notes(song.notes, song.end_s)


def renderer(context: moderngl.Context, composition: Composition, fps: int = 30) -> Renderer:
    video = VideoSpec(width=WIDTH, height=HEIGHT, fps=Fraction(fps), crf=18, profile="high")
    picture = Picture(composition=composition, song_key="s", start_s=Fraction(0), video=video)
    song, hearing = song_and_sound()
    heard = hearing if composition.listens else None
    return Renderer(context, picture, song, Path, hearing=heard)


def digests(used: Renderer, frames: Iterable[int]) -> list[bytes]:
    return [hashlib.sha256(used.pixels(frame)).digest() for frame in frames]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_frame_depends_on_composition_and_time_alone(
    gl_context: moderngl.Context, data: st.DataObject
) -> None:
    composition = data.draw(compositions())
    frames = data.draw(st.lists(st.integers(0, 160), min_size=1, max_size=3, unique=True))
    used = renderer(gl_context, composition)
    seen = digests(used, frames)
    for frame in range(0, 160, 50):
        used.draw(frame)
    assert digests(used, reversed(frames)) == seen[::-1], "what was drawn before is seen"
    twice = renderer(gl_context, composition, fps=60)
    doubled = [2 * frame for frame in frames]
    assert digests(twice, doubled) == seen, "alone, or at another rate, it is another"
    assert gl_context.error == "GL_NO_ERROR"


@pytest.mark.parametrize("style", STYLES)
def test_a_style_draws_a_frame_alike_first_last_alone_and_after_a_thousand_others(
    gl_context: moderngl.Context, style: str
) -> None:
    composition = find_style(style)
    some = [7, 64, 131]
    used = renderer(gl_context, composition)
    first = digests(used, some)
    for frame in range(1000):
        used.draw(frame % 170)
    assert digests(used, some) == first
    for frame, expected in zip(some, first, strict=True):
        assert digests(renderer(gl_context, composition), [frame]) == [expected]
        assert digests(renderer(gl_context, composition, fps=60), [2 * frame]) == [expected]


def test_processes_side_by_side_draw_the_same() -> None:
    """One worker or many: each style, drawn by two processes that share the frames unevenly."""
    context = multiprocessing.get_context("spawn")
    frames = list(range(0, 150, 15))
    jobs = [(style, frames) for style in STYLES] + [(style, frames[::2]) for style in STYLES]
    with ProcessPoolExecutor(2, context) as pool:
        found = list(pool.map(draw_elsewhere, jobs))
    for whole, half in zip(found[: len(STYLES)], found[len(STYLES) :], strict=True):
        assert whole[::2] == half


def draw_elsewhere(job: tuple[str, list[int]]) -> list[bytes]:
    style, frames = job
    with open_context() as context:
        found = digests(renderer(context, find_style(style)), frames)
        gc.collect()  # what is freed after its context would be deleted in the next one
        return found
