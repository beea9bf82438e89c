"""The pools of the farm on the page: chosen by a musician, seen by an operator."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from coordinator.client import Client, Composition
from tests.browser import Visiting
from tests.service import Serving

pytestmark = [pytest.mark.ray, pytest.mark.services, pytest.mark.chromium]


def test_an_export_is_made_by_the_pool_that_was_chosen_and_the_farm_tells_that_it_waits(
    visiting: Visiting, serving: Serving, client: Client, song: Composition
) -> None:
    with visiting() as visit:
        page = visit.page
        visit.sign_in(serving.page)
        page.get_by_role("button", name=song.name).click()
        page.get_by_role("button", name="Custom…").click()
        dialog = page.get_by_role("dialog", name="Custom export")
        dialog.get_by_role("textbox", name="Name", exact=True).fill("of the pool")
        dialog.get_by_text("More settings").click()
        nodes = dialog.get_by_role("combobox", name="Nodes")
        assert nodes.get_by_role("option").all_text_contents() == [
            "The usual ones",
            "gpu (none at the moment)",
        ]
        nodes.select_option(index=1)
        dialog.get_by_role("button", name="Export", exact=True).click()
        expect(dialog).to_have_count(0)
        (export,) = client.all_exports(name="of the pool")
        assert (export.pool, client.why_waiting(export.id).code) == ("gpu", "no_nodes")
        visit.open("Farm")
        pools = page.get_by_role("list", name="Pools").get_by_role("listitem")
        expect(pools).to_have_text(
            [re.compile("^default2 slots · 1 node"), "gpuno node takes its work · 1 waiting"]
        )
        client.cancel(export.id)
        expect(pools.last).not_to_contain_text("waiting")
