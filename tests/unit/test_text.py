"""Fonts and text: what can be drawn, and which font is taken for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from workers import fonts
from workers.card import wrap
from workers.fonts.installed import find_font, font_folders
from workers.text import best_font, load_font, missing_characters, one_line

DEJAVU = Path("/usr/share/fonts/truetype/dejavu")
HEBREW, ARABIC = "שלום", "مرحبا"

needs_dejavu = pytest.mark.skipif(
    not (DEJAVU / "DejaVuSans-Bold.ttf").is_file(), reason="DejaVu is not installed"
)


def drawn(text: str, font: Path | None = None) -> np.ndarray:
    image = Image.new("L", (400, 80))
    ImageDraw.Draw(image).text((10, 10), text, fill=255, font=load_font(40, font))
    return np.asarray(image)


def test_the_built_in_font_knows_what_it_cannot_draw() -> None:
    assert missing_characters("Für Elise, Элизе, Ελίζα – №1") == ""
    assert missing_characters(f"a {HEBREW} b") == "שלום"
    assert missing_characters("☃☃ ok ☃") == "☃"


def test_joiners_stay_in_a_line_and_are_missing_from_no_font() -> None:
    assert one_line("می\u200cخواهم\n\x07 x") == "می\u200cخواهم x"
    assert missing_characters("a\u200cb\u200dc\u2060d") == ""


@needs_dejavu
def test_an_installed_font_is_found_that_draws_a_script() -> None:
    for text in (HEBREW, ARABIC, "☃"):
        found = find_font(text, beside="a Latin title", folders=(DEJAVU,))
        assert found == DEJAVU / "DejaVuSans-Bold.ttf", "upright, bold, without serifs"
        assert missing_characters(text, found) == ""
    assert find_font("\U00013000", folders=(DEJAVU,)) is None


@needs_dejavu
def test_a_font_that_draws_what_stands_beside_is_preferred(tmp_path: Path) -> None:
    shutil.copy(Path(fonts.__file__).parent / "Inter-SemiBold.otf", tmp_path / "a.otf")
    shutil.copy(DEJAVU / "DejaVuSans.ttf", tmp_path / "b.ttf")
    (tmp_path / "c.ttf").write_bytes(b"no font")
    assert find_font("Ж☃", beside="x", folders=(tmp_path,)) == tmp_path / "b.ttf"
    assert find_font("☃", folders=(tmp_path / "nowhere",)) is None


def test_fonts_are_looked_for_where_systems_keep_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/clara")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("XDG_DATA_DIRS", raising=False)
    assert Path("/usr/share/fonts") in font_folders()
    assert Path("/home/clara/.local/share/fonts") in font_folders()


@needs_dejavu
def test_of_two_fonts_the_one_that_draws_more_is_taken() -> None:
    own = DEJAVU / "DejaVuSans-Bold.ttf"
    assert best_font(HEBREW, own) == own
    assert best_font("Latin", own) == own, "a musician's own font, where it will do"
    assert best_font("Latin", None) is None


@needs_dejavu
def test_hebrew_and_arabic_are_shaped() -> None:
    font = DEJAVU / "DejaVuSans-Bold.ttf"
    # Written from right to left, the first letter of a word stands at its right end.
    word = drawn(HEBREW, font)
    last = int(np.flatnonzero(word.any(axis=0))[-1])
    first = drawn(HEBREW[0], font)
    columns = np.flatnonzero(first.any(axis=0))
    letter = first[:, columns[0] : columns[-1] + 1]
    found = word[:, last + 1 - letter.shape[1] : last + 1]
    assert np.abs(found.astype(int) - letter).mean() < 12
    # Arabic letters join: a word is narrower than its letters apart.
    face = load_font(40, font)
    apart = sum(face.getlength(char) for char in ARABIC)
    assert face.getlength(ARABIC) < 0.9 * apart


def test_text_is_broken_between_words_and_only_then_within_them() -> None:
    face = load_font(20)
    wide = face.getlength("the quick brown")
    lines = wrap("the quick brown fox jumps\nover", face, wide)
    assert lines == ["the quick brown", "fox jumps", "over"]
    assert wrap("", face, wide) == []
    broken = wrap("x" * 60 + " end", face, wide)
    assert "".join(broken).replace(" ", "") == "x" * 60 + "end"
    assert all(face.getlength(line) <= wide for line in broken)
    assert wrap("ab", face, 0.5) == ["a", "b"], "never for ever"
