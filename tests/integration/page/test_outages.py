"""The page while parts of the farm die, as an operator and a musician see it."""

from __future__ import annotations

import re
from collections.abc import Callable

import psutil
import pytest
from playwright.sync_api import expect

from coordinator.client import Client, Export
from tests.browser import Visiting, wait_until_made
from tests.service import Serving, wait_until

pytestmark = [pytest.mark.ray, pytest.mark.services, pytest.mark.chromium]


def test_the_farm_view_goes_on_and_tells_of_it_while_a_worker_is_killed(
    visiting: Visiting,
    serving: Serving,
    client: Client,
    export_at_length: Callable[[str, int], Export],
) -> None:
    with visiting() as visit:
        page = visit.page
        visit.sign_in(serving.page)
        visit.open("Farm")
        expect(page.get_by_role("region", name="State of the farm")).to_contain_text("Running")
        export = export_at_length("survivor", 30)
        victim = wait_until(lambda: rendering(serving), "a worker that renders a chunk")
        victim.kill()
        failing = page.get_by_role("region", name="Failing workers")
        expect(failing.get_by_role("row").filter(has_text="survivor").first).to_be_visible()
        expect(failing).to_contain_text(f"process {victim.pid}")
        expect(failing.get_by_text(re.compile("^chunk [0-9]+, try 1")).first).to_be_visible()
        expect(page.get_by_role("region", name="State of the farm")).to_contain_text("Running")
        visit.open("History")
        wait_until_made(visit.item(export.name))
    tries = client.attempts(export.id)
    assert max(each.number for each in tries) > 1
    assert client.export(export.id).status == "completed"


def rendering(serving: Serving) -> psutil.Process | None:
    """A process of the service's that renders a chunk at this moment."""
    for process in serving.tree():
        try:
            if process.cmdline()[:1] == ["ray::render_chunk"]:
                return process
        except psutil.Error:
            continue
    return None


def test_progress_goes_on_without_a_reload_after_the_api_was_away(
    visiting: Visiting,
    serving: Serving,
    export_at_length: Callable[[str, int], Export],
) -> None:
    # What the browser itself writes where nobody answers.
    with visiting(expected="ERR_CONNECTION|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE") as visit:
        page = visit.page
        visit.sign_in(serving.page)
        page.evaluate("window.isTheSame = true")
        live = page.get_by_role("img", name="Live", exact=True)
        expect(live).to_be_visible()
        export = export_at_length("while away", 30)
        row = visit.item(export.name)
        row.scroll_into_view_if_needed()
        bar = row.get_by_role("progressbar")
        expect(bar).to_have_attribute("aria-valuenow", re.compile("^[1-9]"))
        api = serving.child("api")
        assert api is not None
        api.kill()
        expect(page.get_by_role("img", name="Connecting again")).to_be_visible()
        expect(live).to_be_visible()
        wait_until_made(row)
        assert page.evaluate("window.isTheSame")
