"""Texts, lyrics, chords and the score: pure functions of time, with everything in its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import mido
import moderngl
import numpy as np
import pytest
from numpy.typing import NDArray

from shared.composition import Composition, Direction
from shared.layout import lay_out
from shared.plan import Picture, VideoSpec
from tests.songs import SongFile
from workers.gl.paintbox import Paintbox
from workers.lettering import plain_lines, set_lines
from workers.lettering.faces import Run
from workers.midi import Song
from workers.music.staves import write_staves
from workers.renderer import Renderer

pytestmark = pytest.mark.gl

WIDTH, HEIGHT = 192, 108
Pixels = NDArray[np.int64]
Draw = Callable[..., Pixels]
FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf")
LRC = "[00:01.00]<00:01.00>one <00:02.00>two<00:03.00>\n[00:03.00]three four\n[00:05.00]five"

TEXT = {"type": "text", "text": "{timecode} {notes}\n{chord}", "fade_s": 0.5}
LYRICS = {"type": "lyrics", "lrc": LRC, "lines": 3, "size": 12}
CHORDS = {"type": "chords", "size": 20}
STRIP = {"type": "chords", "form": "strip", "width": 1, "seconds": 4, "size": 20}
BESIDE = {"type": "chords", "form": "roll", "size": 14, "halo": 0}
SCORE = {"type": "score", "height": 60}
TITLE = {"type": "title", "text": "Title", "artist": "Artist"}
EVERY = [TEXT, LYRICS, {**LYRICS, "effect": "word"}, {**LYRICS, "effect": "line"}, CHORDS]
EVERY += [STRIP, BESIDE, SCORE, {**SCORE, "position": "bottom", "names": "german"}, TITLE]


def a_song() -> Song:
    """A chord of C for two seconds, then G7, with words, drums and a melody over it."""
    file = SongFile("Song of the Test")
    for start, keys in ((0, (48, 52, 55, 60)), (2, (43, 47, 50, 53, 61)), (4, (48, 52, 55, 60))):
        for key in keys:
            file.note(start, start + 2, key)
    for step in range(24):
        file.note(Fraction(step, 4), Fraction(step + 1, 4), 72 + (0, 4, 7, 12)[step % 4], track=1)
        file.note(Fraction(step, 4), Fraction(step + 1, 4), 40, channel=9)
    for beat, text in enumerate(("/La ", "la ", "la. ", "/Lu ", "lu ", "lu.")):
        file.message(beat * 480, mido.MetaMessage("lyrics", text=text))
    return file.song()


def composed(*layers: dict[str, Any], **fields: Any) -> Composition:
    ground = {"type": "background", "colour": "#000000"}
    return Composition.model_validate({"layers": [ground, *layers], **fields})


@pytest.fixture
def renderer(gl_context: moderngl.Context) -> Callable[..., Renderer]:
    def make(
        composition: Composition,
        song: Song | None = None,
        *,
        fps: int = 30,
        size: tuple[int, int] = (WIDTH, HEIGHT),
    ) -> Renderer:
        video = VideoSpec.model_validate(
            {"width": size[0], "height": size[1], "fps": fps, "crf": 18, "max_kbps": 8000}
            | {"profile": "high"}
        )
        picture = Picture(composition=composition, song_key="", start_s=Fraction(0), video=video)
        return Renderer(gl_context, picture, song or a_song(), Path)

    return make


@pytest.fixture
def draw(renderer: Callable[..., Renderer]) -> Draw:
    """Draws layers over black at a time, int64 (height, width, 3)."""

    def at(time_s: float, *layers: dict[str, Any], song: Song | None = None) -> Pixels:
        return pixels(renderer(composed(*layers), song), round(time_s * 30))

    return at


def pixels(drawn: Renderer, frame: int) -> Pixels:
    flat = np.frombuffer(drawn.pixels(frame), dtype=np.uint8)
    return flat.reshape(HEIGHT, WIDTH, 4)[:, :, :3].astype(np.int64)


def extent(image: Pixels) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is clearly seen."""
    rows, columns = np.nonzero(image.max(axis=2) > 60)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


# Frames are pure functions of time.


@pytest.mark.parametrize("direction", list(Direction))
def test_a_frame_is_the_same_alone_in_any_order_and_at_any_rate(
    renderer: Callable[..., Renderer], direction: Direction
) -> None:
    layers = [{"type": "piano_roll"}, {"type": "keyboard"}, *EVERY]
    composition = composed(*layers, stage={"direction": direction})
    frames = (0, 29, 59, 61, 100)
    whole = renderer(composition)
    forth = [whole.pixels(frame) for frame in frames]
    assert [whole.pixels(frame) for frame in reversed(frames)] == forth[::-1]
    assert renderer(composition).pixels(59) == forth[2]
    fast = renderer(composition, fps=60)
    assert [fast.pixels(2 * frame) for frame in frames] == forth
    assert len(set(forth)) == len(frames)


def test_lyrics_that_move_across_are_set_as_their_place_asks(
    renderer: Callable[..., Renderer],
) -> None:
    """Rows stand on the left there, and on the right here; sizes are as they were."""
    lrc = "[00:00.00]a long line of many words that needs more rows\n[00:05.00]next"
    moving = {**LYRICS, "lrc": lrc, "size": 14, "animate": {"x": "song / 4"}}
    used = renderer(composed(moving))
    used.pixels(3)
    assert used.pixels(110) == renderer(composed(moving)).pixels(110)


# What is seen, and where.


@pytest.mark.parametrize("layer", EVERY, ids=lambda layer: layer["type"])
def test_every_layer_is_seen_and_none_by_an_opacity_of_0(draw: Draw, layer: dict[str, Any]) -> None:
    assert draw(2.5, layer).max() > 100
    if layer is not TITLE:
        assert draw(2.5, {**layer, "opacity": 0}).max() == 0


@pytest.mark.parametrize(("x", "y"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_a_text_stands_at_the_edges_with_its_margin(draw: Draw, x: int, y: int) -> None:
    layer = {"type": "text", "text": "Hj", "x": x, "y": y, "margin": 10, "size": 12, "fade_s": 0}
    left, top, right, bottom = extent(draw(0, layer))
    margin = 0.1 * HEIGHT
    assert abs((WIDTH - right if x else left) - margin) <= 2.5
    assert abs((HEIGHT - bottom if y else top) - margin) <= 6, "ascent and descent are kept free"


def test_a_text_fades_in_and_out(draw: Draw) -> None:
    layer = {"type": "text", "text": "HHH", "size": 20, "from_s": 1, "until_s": 3, "fade_s": 0.5}
    light = [int(draw(time, layer).max()) for time in (0.9, 1.2, 2, 2.8, 3)]
    assert light[0] == light[4] == 0
    assert 0 < light[1] < light[2] == 255
    assert 0 < light[3] < 255


def test_digits_are_equally_wide(gl_context: moderngl.Context) -> None:
    paintbox = Paintbox(gl_context, (WIDTH, HEIGHT), Path)
    room = {"widest_px": 2000.0, "tallest_px": 500.0}
    clocks = [set_lines(paintbox, plain_lines([t], 30), tabular=True, **room) for t in TIMES]
    assert len({clock.width_px for clock in clocks}) == 1
    loose = [set_lines(paintbox, plain_lines([t], 30), **room) for t in TIMES]
    assert len({clock.width_px for clock in loose}) == 2
    again = set_lines(paintbox, plain_lines([TIMES[0]], 30), tabular=True, **room)
    assert again is clocks[0], "what is in use is kept"


TIMES = ("1:11", "4:08")


def test_what_is_too_large_is_set_smaller(gl_context: moderngl.Context) -> None:
    paintbox = Paintbox(gl_context, (WIDTH, HEIGHT), Path)
    wide = set_lines(paintbox, plain_lines(["W" * 30], 50), widest_px=300, tallest_px=900)
    assert 270 <= wide.width_px <= 302
    tall = set_lines(paintbox, plain_lines(["W"] * 20, 90), widest_px=900, tallest_px=400)
    assert 300 <= tall.height_px <= 402


def test_signs_that_the_font_lacks_are_drawn(gl_context: moderngl.Context) -> None:
    paintbox = Paintbox(gl_context, (WIDTH, HEIGHT), Path)

    def drawn(text: str) -> NDArray[np.uint8]:
        line = ((Run(text=text, size_px=40),),)
        mask = set_lines(paintbox, line, widest_px=900, tallest_px=90).mask
        return np.frombuffer(mask.read(alignment=1), dtype=np.uint8).reshape(mask.height, -1)

    flat, sharp = drawn("♭"), drawn("♯")
    assert flat.max() == sharp.max() == 255
    # A flat leans on its stem; a sharp is as heavy on both sides.
    for image, balance in ((flat, (0.25, 0.49)), (sharp, (0.45, 0.55))):
        columns = np.flatnonzero(image.any(axis=0))
        rows = np.flatnonzero(image.any(axis=1))
        inked = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(float)
        assert 25 < inked.shape[0] < 45
        upper = inked[: len(inked) // 2].sum() / inked.sum()
        assert balance[0] < upper < balance[1]


def coloured(image: Pixels) -> NDArray[np.bool_]:
    """Where something is sung: yellow, not white."""
    return (image[:, :, 0] > 120) & (image[:, :, 2] < 0.75 * image[:, :, 0])


def test_lyrics_are_filled_as_they_are_sung(draw: Draw) -> None:
    layer = {**LYRICS, "lines": 1, "lrc": LRC.split("\n")[0], "halo": 0}
    begun, half, word, done = (draw(time, layer) for time in (1.0, 1.5, 2.0, 3.0))
    left, _, right, _ = extent(done)
    assert not coloured(begun).any()
    reached = [np.flatnonzero(coloured(image).any(axis=0)) for image in (half, word, done)]
    assert left <= reached[0][0] <= left + 2
    assert reached[0][-1] < reached[1][-1] < reached[2][-1]
    assert right - 4 <= reached[2][-1] <= right
    # Both words are as long; the edge is between them when the second begins.
    assert abs(reached[1][-1] - (left + right) / 2) < 0.1 * (right - left)


@pytest.mark.skipif(not FONT.is_file(), reason="DejaVu is not installed")
def test_hebrew_is_filled_from_the_right(draw: Draw) -> None:
    lrc = "[00:01.00]<00:01.00>שלום <00:02.00>עולם<00:03.00>"
    layer = {**LYRICS, "lines": 1, "lrc": lrc, "font": str(FONT), "halo": 0}
    lit = np.flatnonzero(coloured(draw(1.8, layer)).any(axis=0))
    left, _, right, _ = extent(draw(1.8, layer))
    assert lit[-1] >= right - 4
    assert lit[0] > left + 0.4 * (right - left)


def test_words_and_lines_are_lit_as_wholes(draw: Draw) -> None:
    layer = {**LYRICS, "lines": 1, "lrc": LRC.split("\n")[0], "halo": 0}
    word = coloured(draw(1.3, {**layer, "effect": "word"})).any(axis=0)
    line = coloured(draw(1.3, {**layer, "effect": "line"})).any(axis=0)
    left, _, right, _ = extent(draw(1.3, layer))
    assert 0.35 < np.flatnonzero(word)[-1] / 1.0 / (left + right) < 0.55
    assert np.flatnonzero(line)[-1] >= right - 4


def test_lines_climb_without_a_jump(renderer: Callable[..., Renderer]) -> None:
    drawn = renderer(composed({**LYRICS, "lines": 2, "halo": 0}), fps=60)
    rows = np.arange(HEIGHT)
    middle = []
    for frame in range(160, 200):  # around 3 s
        light = pixels(drawn, frame).sum(axis=(1, 2)).astype(float)
        middle.append((light * rows).sum() / light.sum())
    steps = np.abs(np.diff(middle))
    assert steps.max() < 2.0
    assert max(middle) - min(middle) > 1.0


def test_lyrics_come_from_the_midi_and_later_by_an_offset(draw: Draw) -> None:
    layer = {"type": "lyrics", "size": 15}
    own = draw(1.0, layer)
    assert own.max() > 200
    assert np.array_equal(draw(2.0, {**layer, "offset_s": 1}), own)
    mute = SongFile().note(0, 1, 60).song()
    assert draw(0.5, layer, song=mute).max() == 0


def test_the_chord_that_sounds_is_named(draw: Draw) -> None:
    c, again, g7 = (draw(time, CHORDS) for time in (1.0, 5.0, 3.0))
    assert np.array_equal(c, again)
    assert extent(g7)[2] - extent(g7)[0] > extent(c)[2] - extent(c)[0], "G7 is wider than C"
    changing = draw(2.0, CHORDS)
    assert changing.max() > 0
    assert draw(60.0, CHORDS).max() == 0


def test_chords_travel_along_their_strip(draw: Draw) -> None:
    # Now is at a quarter of it; 4 s are 192 px less the margin's room.
    early, late = draw(0.5, STRIP), draw(1.5, STRIP)
    bottom = extent(early)[3] - 1
    gaps = [np.flatnonzero(image[bottom, 48:150].max(axis=1) < 60) for image in (early, late)]
    assert len(gaps[0]) > 0
    assert len(gaps[1]) > 0
    assert gaps[0].mean() - gaps[1].mean() == pytest.approx(WIDTH / 4, abs=4)


def test_chords_travel_with_the_notes_and_wait_on_the_line(draw: Draw) -> None:
    early, late = (extent(draw(time, BESIDE)) for time in (0.5, 0.75))
    # A roll of 3 s fills the height; the G7 of the second bar is the upper of two names.
    assert late[1] - early[1] == pytest.approx(0.25 * HEIGHT / 3, abs=1)
    assert late[3] == early[3], "the chord that sounds waits"
    assert extent(draw(1.9, BESIDE))[1] < early[1], "the next bar's has come in"


def test_heads_lie_on_their_lines_where_now_is(draw: Draw) -> None:
    file = SongFile()
    for key in (64, 71, 77, 43, 57):
        file.note(2, 3, key)
    song = file.song()
    layer = {**SCORE, "names": "none", "paper_colour": "#ffffff", "seconds": 6}
    before, at = draw(1.9, layer, song=song), draw(2.1, layer, song=song)
    # Only sounding heads have a colour that is neither ink, paper nor the line that is now.
    composition = composed(layer)
    layout = lay_out(composition, WIDTH, HEIGHT, 43, 77)
    staves = write_staves(song.notes, 0.05)
    space = 0.6 * layout.short_side / staves.height
    x = round(3.5 * space + 2 * space + 0.25 * (WIDTH - 5.5 * space) - 0.1 * 30)
    for depth in staves.depth(staves.step, staves.treble) * space:
        here = (slice(int(depth) - 1, int(depth) + 2), slice(x - 1, x + 2))
        spread = np.ptp(at[here].mean(axis=(0, 1)))
        assert spread > 30, "the head is lit in its colour"
        assert at[here].mean() != before[here].mean()


def test_the_score_lies_at_its_edge_and_nowhere_else(draw: Draw) -> None:
    top, bottom = draw(0.5, SCORE), draw(0.5, {**SCORE, "position": "bottom"})
    edge = round(0.6 * HEIGHT)
    assert top[: edge - 1].min(axis=2).max(axis=1).min() > 150, "paper in each row"
    assert top[edge + 8 :].max() == 0
    assert bottom[: HEIGHT - edge - 8].max() == 0
    assert np.abs(top[:edge] - bottom[HEIGHT - edge :]).max() <= 2


def test_percussion_is_not_in_the_score(draw: Draw) -> None:
    drums, silence = SongFile(), SongFile()
    for file in (drums, silence):
        file.note(20, 21, 60)
    for step in range(8):
        drums.note(step, step + 1, 40, channel=9)
    layer = {**SCORE, "seconds": 4}
    assert np.array_equal(draw(2, layer, song=drums.song()), draw(2, layer, song=silence.song()))


# Whatever is asked for.

EXTREME: Sequence[dict[str, Any]] = [
    {"type": "text", "text": "W\n" * 240, "size": 60, "halo": 1, "margin": 50},
    {"type": "text", "text": "\n \n", "x": 1, "y": 1},
    {"type": "text", "text": "{title}" * 70, "size": 0.01, "align": "right", "opacity": 0.5},
    {**LYRICS, "size": 40, "lines": 6, "width": 0, "margin": 50},
    {**LYRICS, "size": 0.01, "halo": 0, "next_opacity": 0, "offset_s": -3600},
    {**STRIP, "width": 0, "seconds": 60, "size": 40},
    {**STRIP, "seconds": 0.6, "size": 0.01},
    {**CHORDS, "size": 40, "x": 1, "margin": 50},
    {**SCORE, "height": 80, "seconds": 60, "now": 1},
    {**SCORE, "height": 2.1, "seconds": 0.6, "now": 0, "names": "solfege"},
    {**TITLE, "size": 40, "position": "centre"},
]


@pytest.mark.parametrize("song", [a_song(), SongFile().song()], ids=["song", "silence"])
def test_extremes_are_drawn_without_complaint(
    renderer: Callable[..., Renderer], gl_context: moderngl.Context, song: Song
) -> None:
    layers = [*EXTREME, *EVERY]
    for size in ((144, 144), (256, 144)):
        drawn = renderer(composed(*layers), song, size=size)
        for frame in (0, 45, 80):
            drawn.pixels(frame)
    assert gl_context.error == "GL_NO_ERROR"


def test_a_title_as_long_as_a_book_is_drawn(
    renderer: Callable[..., Renderer], gl_context: moderngl.Context
) -> None:
    song = SongFile("a\n" * 20_000).note(0, 1, 60).song()
    drawn = renderer(composed({**TEXT, "text": "{title}"}), song, size=(144, 144))
    assert np.frombuffer(drawn.pixels(45), np.uint8).reshape(-1, 4)[:, :3].max() > 100
    below = "".join(f"[00:00.00]{number}\n" for number in range(3000))
    renderer(composed({**LYRICS, "lrc": below}), song, size=(144, 144)).pixels(0)
    assert gl_context.error == "GL_NO_ERROR"


def test_a_long_title_is_broken_into_lines_that_can_be_read(
    renderer: Callable[..., Renderer],
) -> None:
    def rows(**fields: str) -> int:
        """Height of what is drawn, in pixels."""
        layer = TITLE | {"text": " ", "artist": "", "size": 6} | fields
        drawn = renderer(composed(layer), a_song(), size=(180, 320)).pixels(60)
        seen = np.frombuffer(drawn, np.uint8).reshape(320, 180, 4)[..., :3].max(axis=(1, 2))
        return int(np.count_nonzero(seen > 60))

    long = "Sonata No. 14 in C-sharp minor, “Moonlight”: I. Adagio sostenuto"
    short, broken = rows(text="Sonata"), rows(text=long)
    # Two or three lines of letters that are nearly as large.
    assert broken > 1.6 * short
    assert rows(text="M" * 60) < short  # there is no place to break it
