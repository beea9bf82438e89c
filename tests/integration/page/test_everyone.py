"""The page for whoever has no mouse, does not see it, or wants it still."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from coordinator.client import Composition, Export
from tests.browser import HEIGHT_PX, Visit, Visiting
from tests.service import Serving

pytestmark = [pytest.mark.ray, pytest.mark.services, pytest.mark.chromium]

REFUSED = "status of 401"
"""What Chromium writes on the console where nobody is signed in yet."""
STILL = re.compile("^Still at")
GRAVE = ("serious", "critical")
WIDTHS = (1280, 390)
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
MOST_TABS = 150
MOVING = "document.getAnimations().filter((each) => each.playState === 'running').length"


def test_axe_finds_nothing_grave_in_any_view(
    visiting: Visiting, serving: Serving, song: Composition, video: Export
) -> None:
    found = []
    with visiting(expected=REFUSED, reduced_motion="reduce") as visit:
        page = visit.page
        for view in views(visit, serving, song, video):
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                for width in WIDTHS:
                    page.set_viewport_size({"width": width, "height": HEIGHT_PX})
                    found += [(view, scheme, width, each) for each in grave(page)]
            page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT_PX})
    assert found == []


def views(visit: Visit, serving: Serving, song: Composition, video: Export) -> Iterator[str]:
    """Show everything there is to see, one after the other; what is shown."""
    page = visit.page
    page.goto(serving.url)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    yield "sign-in"
    visit.sign_in(serving.page)
    expect(page.get_by_role("heading", name="Go on with")).to_be_visible()
    yield "Create"
    page.get_by_role("button", name=song.name).click()
    expect(page.get_by_role("img", name=STILL)).to_be_visible()
    yield "studio"
    page.get_by_role("button", name="Custom…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Custom export")).to_be_visible()
    dialog.get_by_text("More settings").click()
    expect(dialog.get_by_role("combobox", name="Nodes")).to_be_visible()
    yield "custom export"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="New template").click()
    dialog.get_by_role("checkbox", name="End card").check()
    expect(dialog.get_by_role("heading", name="New template")).to_be_visible()
    yield "template"
    page.keyboard.press("Escape")
    visit.open("History")
    expect(visit.item(video.name).get_by_role("button", name="Play")).to_be_visible()
    yield "History"
    visit.item(video.name).get_by_role("link", name=video.name, exact=True).click()
    dialog.get_by_text("Attempts").click()
    expect(dialog.get_by_role("table")).to_be_visible()
    yield "details"
    page.keyboard.press("Escape")
    visit.item(video.name).get_by_role("button", name="Play").click()
    expect(dialog.locator("video")).to_be_visible()
    yield "player"
    page.keyboard.press("Escape")
    visit.open("Farm")
    expect(page.get_by_role("region", name="State of the farm")).to_contain_text("Running")
    expect(page.get_by_role("list", name="Pools")).to_contain_text("no node takes its work")
    expect(page.locator(".slots").get_by_role("listitem")).to_have_count(2)
    yield "Farm"


def grave(page: Page) -> list[str]:
    """What axe finds that keeps somebody from using the page, and where."""
    violations: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['target']} {node['html'][:200]}"
        for each in violations
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]


def test_a_video_is_made_without_a_mouse(
    visiting: Visiting, serving: Serving, song_files: list[Path]
) -> None:
    with visiting(expected=REFUSED) as visit:
        page = visit.page
        page.on("filechooser", lambda _: None)  # a key is quicker than Playwright's beginning
        page.goto(serving.url)
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        tab_to(page, page.get_by_label("Token"))
        page.keyboard.type(serving.token)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Make a music video")).to_be_visible()
        tab_to(page, page.get_by_role("button", name="Choose files"))
        with page.expect_file_chooser() as choosing:
            page.keyboard.press("Enter")
        choosing.value.set_files(
            [
                {"name": f"by keys{path.suffix}", "mimeType": "", "buffer": path.read_bytes()}
                for path in song_files
            ]
        )
        expect(page.get_by_role("img", name=STILL)).to_be_visible()
        tab_to(page, page.get_by_role("slider", name="Time of the still"))
        page.keyboard.press("End")
        expect(page.get_by_role("img", name=re.compile("^Still at 0:02"))).to_be_visible()
        tab_to(page, page.get_by_role("radio", name="aurora"))
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("radio", name="paper")).to_be_checked()
        tab_to(page, page.get_by_role("button", name="Instagram Square"))
        page.keyboard.press("Enter")
        row = visit.item("by keys - Instagram Square")
        tab_to(page, row.get_by_role("button", name="Cancel"))
        page.keyboard.press("Enter")
        expect(row.get_by_text("Cancelled")).to_be_visible()


def tab_to(page: Page, wanted: Locator) -> None:
    """Move the focus on by the tab key until it is there, and seen to be there."""
    expect(wanted).to_be_visible()
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if wanted.evaluate("(element) => element.matches(':focus')"):
            assert wanted.evaluate("(element) => element.matches(':focus-visible')")
            return
    pytest.fail(f"the tab key never comes to {wanted}")


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
def test_nothing_moves_where_somebody_wants_it_still(
    visiting: Visiting, serving: Serving, song: Composition, motion: str, moves: bool
) -> None:
    with visiting(reduced_motion=motion) as visit:
        page = visit.page
        visit.sign_in(serving.page)
        page.route("**/v1/previews", lambda _: None)  # which is drawn for ever
        page.get_by_role("button", name=song.name).click()
        expect(page.get_by_text("Drawing 0:00…")).to_be_visible()
        page.get_by_role("button", name="Custom…").click()
        expect(page.get_by_role("dialog").locator("[aria-busy=true]")).to_be_visible()
        assert (page.evaluate(MOVING) > 0) == moves
