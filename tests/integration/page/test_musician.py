"""The whole way of a musician, from the link that signs in to a video that plays."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from coordinator.client import Client, Composition, Export
from tests.browser import MADE_MS, Visit, Visiting, play_to_the_end, wait_until_made
from tests.service import Serving

pytestmark = [pytest.mark.ray, pytest.mark.services, pytest.mark.chromium]

QUICK = "etude - Instagram Square"
VIDEO_S = pytest.approx(2.5, abs=0.1)

PIXELS = """
async (image) => {
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.width > 0 ? canvas.toDataURL() : null;
}
"""


def test_files_become_videos_that_are_played_kept_made_again_and_deleted(
    visiting: Visiting,
    serving: Serving,
    client: Client,
    song_files: list[Path],
    export_at_length: Callable[[str, int], Export],
) -> None:
    with visiting(permissions=["clipboard-read", "clipboard-write"]) as visit:
        visit.sign_in(serving.page)
        upload(visit.page, song_files)
        look_along(visit.page)
        assert export_quickly(visit) == QUICK
        cancel(visit, export_at_length("to be cancelled", 60))
        visit.open("History")
        play(visit)
        download(visit, client)
        link = copy_link(visit)
        make_again(visit, client)
        make_otherwise(visit, client)
        delete(visit, client)
    with visiting() as stranger:
        stranger.page.goto(link)
        assert play_to_the_end(stranger.page.locator("video")) == VIDEO_S


def upload(page: Page, files: list[Path]) -> None:
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Choose files").click()
    choosing.value.set_files(files)
    expect(page.get_by_role("heading", name="etude", level=1)).to_be_visible()
    expect(page.get_by_text("4 notes")).to_be_visible()


def look_along(page: Page) -> None:
    """See the first still, move on along the song by keyboard, and see another one."""
    still = page.get_by_role("img", name=re.compile(r"^Still at 0:00 "))
    expect(still).to_be_visible()
    before = still.evaluate(PIXELS)
    assert before is not None
    page.get_by_role("slider", name="Time of the still").press("ArrowRight")
    another = page.get_by_role("img", name=re.compile(r"^Still at 0:01 "))
    expect(another).to_be_visible()
    assert another.evaluate(PIXELS) not in (None, before)


def export_quickly(visit: Visit) -> str:
    """Press a preset's button, and watch until its video is there; what it is called."""
    name = f"{visit.page.get_by_role('heading', level=1).text_content()} - Instagram Square"
    visit.page.get_by_role("button", name="Instagram Square").click()
    row = visit.item(name)
    expect(row.get_by_role("progressbar").or_(row.get_by_text("Done"))).to_be_visible()
    wait_until_made(row)
    return name


def cancel(visit: Visit, export: Export) -> None:
    """See how far another export is, which was asked for elsewhere, and cancel it."""
    row = visit.item(export.name)
    row.scroll_into_view_if_needed()
    expect(row.get_by_role("img", name=re.compile(r"[1-9]\d* being made"))).to_be_visible()
    bar = row.get_by_role("progressbar", name=f"Progress of {export.name}")
    expect(bar).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]"), timeout=MADE_MS)
    row.get_by_role("button", name="Cancel").click()
    expect(row.get_by_text("Cancelled")).to_be_visible()
    row.get_by_role("button", name="Dismiss").click()
    expect(row).to_have_count(0)


def play(visit: Visit) -> None:
    visit.item(QUICK).get_by_role("button", name="Play").click()
    player = visit.page.get_by_role("dialog", name=QUICK)
    assert play_to_the_end(player.locator("video")) == VIDEO_S
    visit.page.keyboard.press("Escape")
    expect(player).to_have_count(0)


def download(visit: Visit, client: Client) -> None:
    """Have the browser save the file; it has every byte that the API tells of."""
    (export,) = client.exports(name=QUICK).exports
    with visit.page.expect_download() as downloading:
        visit.item(QUICK).get_by_role("link", name="Download").click()
    data = downloading.value.path().read_bytes()
    assert hashlib.sha256(data).hexdigest() == client.export_json(export.id)["sha256"]


def copy_link(visit: Visit) -> str:
    visit.item(QUICK).get_by_role("button", name="Copy link").click()
    expect(visit.page.get_by_text("Link copied.").first).to_be_visible()
    link: str = visit.page.evaluate("navigator.clipboard.readText()")
    return link


def make_again(visit: Visit, client: Client) -> None:
    choose(visit, "Re-export")
    expect(visit.item(QUICK)).to_have_count(2)
    wait_until_made(visit.item(QUICK).first)
    again, first = client.exports(name=QUICK).exports
    assert client.export_json(again.id)["sha256"] == client.export_json(first.id)["sha256"]


def make_otherwise(visit: Visit, client: Client) -> None:
    """Change the size and the name in the dialog with every setting, and export."""
    choose(visit, "Re-export with changes…")
    dialog = visit.page.get_by_role("dialog", name=f"Export {QUICK} with changes")
    expect(dialog.get_by_role("img", name="A frame of the video")).to_be_visible()
    dialog.get_by_label("Name", exact=True).fill("otherwise")
    dialog.get_by_label("Width").fill("320")
    dialog.get_by_label("Height").fill("240")
    dialog.get_by_role("button", name="Export", exact=True).click()
    expect(dialog).to_have_count(0)
    wait_until_made(visit.item("otherwise"))
    expect(visit.item("otherwise")).to_contain_text("320 × 240 · MP4")


def delete(visit: Visit, client: Client) -> None:
    choose(visit, "Delete…", "otherwise")
    sure = visit.page.get_by_role("dialog", name="Delete otherwise?")
    sure.get_by_role("button", name="Delete", exact=True).click()
    expect(visit.item("otherwise")).to_have_count(0)
    assert client.exports(name="otherwise").exports == ()


def choose(visit: Visit, action: str, name: str = QUICK) -> None:
    """Choose from the menu of a card."""
    visit.item(name).first.get_by_role("button", name="More for").click()
    visit.page.get_by_role("menuitem", name=action, exact=True).click()


@pytest.mark.parametrize("width", [390, 2560])
def test_a_phone_and_a_wide_screen_show_all_of_it(
    visiting: Visiting, serving: Serving, song: Composition, width: int
) -> None:
    with visiting(width=width, has_touch=width < 500) as visit:
        visit.sign_in(serving.page)
        for view in ("Farm", "History", "Create"):
            visit.open(view)
            expect(visit.page.get_by_role("heading", level=1)).to_be_attached()
            assert_nothing_sticks_out(visit.page)
        visit.page.get_by_role("button", name=song.name).click()
        expect(visit.page.get_by_role("img", name=re.compile("^Still at"))).to_be_visible()
        assert_nothing_sticks_out(visit.page)
        name = export_quickly(visit)
        assert_nothing_sticks_out(visit.page)
        visit.item(name).get_by_role("button", name="Play").click()
        player = visit.page.get_by_role("dialog", name=name)
        assert play_to_the_end(player.locator("video")) == VIDEO_S
        assert_nothing_sticks_out(visit.page)


def assert_nothing_sticks_out(page: Page) -> None:
    """Nobody has to scroll sideways."""
    wide, seen = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
    assert wide <= seen
