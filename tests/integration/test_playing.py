"""Finished files of every format, played to their end in Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests import chromium
from tests.matrix import CELLS, HEIGHT, WIDTH, Cell, Matrix

pytestmark = pytest.mark.chromium

TYPES = {
    "h264": "avc1.64000b",
    "vp9": "vp09.00.10.08",
    "av1": "av01.0.00M.08",
    "h265": "hvc1.1.6.L60.90",
}
"""Codecs as a browser is asked for them (RFC 6381), at the size of the matrix."""
UNKNOWN = {"prores_4444", "png", "gif"}
"""What no browser plays as a video."""
PLAYED_S = 60
"""A film of two seconds that has not ended by then never will."""

# Each film is played by an element of its own, all of them at the same time.
PLAY = """
async ([sources, limit_ms]) => {
    const play = (source) => new Promise((resolve) => {
        const element = document.createElement(source.kind);
        const tell = (how) => resolve({
            how,
            error: element.error && element.error.message,
            duration_s: element.duration,
            at_s: element.currentTime,
            width: element.videoWidth,
            height: element.videoHeight,
        });
        element.addEventListener("ended", () => tell("ended"));
        element.addEventListener("error", () => tell("error"));
        element.muted = true;
        element.src = source.file;
        document.body.append(element);
        element.play().catch((error) => tell(String(error)));
        setTimeout(() => tell("stalled"), limit_ms);
    });
    return Promise.all(sources.map(play));
}
"""
SHOW = """
async (file) => {
    const image = new Image();
    image.src = file;
    await image.decode();
    return [image.naturalWidth, image.naturalHeight];
}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests here."""
    with chromium.running() as running:
        yield running


def is_known(cell: Cell, can_play: dict[str, bool]) -> bool:
    """Whether Chromium plays such a file; it names H.265 by itself where it has a decoder."""
    return cell.codec not in UNKNOWN and (cell.codec is None or can_play[cell.codec])


def test_films_and_sounds_play_to_their_end(browser: Browser, matrix: Matrix) -> None:
    page = browser.new_page()
    can_play = page.evaluate(
        """(types) => Object.fromEntries(Object.entries(types).map(([name, type]) => [
            name, document.createElement("video").canPlayType(`video/mp4; codecs="${type}"`) != ""
        ]))""",
        TYPES,
    )
    assert {name for name, can in can_play.items() if can} >= {"h264", "vp9", "av1"}
    cells = [cell for cell in CELLS if is_known(cell, can_play)]
    files = [matrix.made(cell).path for cell in cells]
    found = play(browser, files, ["video" if cell.codec else "audio" for cell in cells])
    for cell, played in zip(cells, found, strict=True):
        assert (cell.name, played["how"], played["error"]) == (cell.name, "ended", None)
        # The priming of Opus counts as part of a webm.
        assert played["duration_s"] == pytest.approx(float(cell.duration_s), abs=0.01), cell.name
        assert played["at_s"] == pytest.approx(played["duration_s"], abs=0.05), cell.name
        if cell.codec is not None:
            assert (played["width"], played["height"]) == (WIDTH, HEIGHT), cell.name


def play(browser: Browser, files: list[Path], kinds: list[str]) -> list[dict[str, Any]]:
    """Play local files, all at the same time; how each of them ended."""
    page = browser.new_page()
    blank = files[0].parent / "blank.html"  # a page of the same folder may show its files
    blank.write_text("<!doctype html><title>Films</title>")
    page.goto(blank.as_uri())
    sources = [
        {"file": path.as_uri(), "kind": kind} for path, kind in zip(files, kinds, strict=True)
    ]
    found: list[dict[str, Any]] = page.evaluate(PLAY, [sources, PLAYED_S * 1000])
    page.close()
    return found


def test_a_damaged_film_is_told_from_a_good_one(browser: Browser, matrix: Matrix) -> None:
    good = matrix.made(next(cell for cell in CELLS if cell.name == "mp4-h264-yuv420p-aac")).path
    damaged = good.with_name("damaged.mp4")
    data = bytearray(good.read_bytes())
    data[data.index(b"avcC") + 4 :][:20] = bytes(20)
    damaged.write_bytes(data[: len(data) // 3])
    [played] = play(browser, [damaged], ["video"])
    assert played["how"] != "ended"


def test_an_animation_and_a_poster_are_shown(browser: Browser, matrix: Matrix) -> None:
    made = matrix.made(next(cell for cell in CELLS if cell.container == "gif"))
    assert made.poster is not None
    page = browser.new_page()
    blank = made.path.parent / "blank.html"
    blank.write_text("<!doctype html><title>Pictures</title>")
    page.goto(blank.as_uri())
    for path in (made.path, made.poster):
        assert page.evaluate(SHOW, path.as_uri()) == [WIDTH, HEIGHT]
