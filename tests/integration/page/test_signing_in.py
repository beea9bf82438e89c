"""Who may see the page, and what it costs to come."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser import Visiting
from tests.service import Serving

pytestmark = [pytest.mark.ray, pytest.mark.services, pytest.mark.chromium]

REFUSED = r"the server responded with a status of 401"
"""What Chromium writes on the console by itself, whatever becomes of the answer."""
MOST_BYTES = 300_000
_ALL_IMAGES = """() => Promise.all([...document.images].map((image) => image.complete
    || new Promise((end) => ["load", "error"].forEach((each) => image.addEventListener(each, end)))
))"""
"""Waits for all images; asking again and again would be evaluating text, which the page forbids."""


def test_the_link_signs_in_and_its_token_is_kept_nowhere(
    visiting: Visiting, serving: Serving
) -> None:
    with visiting() as visit:
        visit.page.goto("about:blank")
        visit.sign_in(serving.page)
        assert visit.page.url == f"{serving.url}/"
        # Nor is it on the way back.
        assert visit.page.evaluate("history.length") == 2
        kept = visit.page.evaluate(
            "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
        )
        assert serving.token not in kept
        (cookie,) = visit.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        assert serving.token not in cookie["value"]


def test_without_a_session_there_is_the_form_which_says_what_is_wrong(
    visiting: Visiting, serving: Serving
) -> None:
    with visiting(expected=REFUSED) as visit:
        page = visit.page
        page.goto(serving.url)
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page.get_by_role("navigation", name="Views")).to_be_hidden()
        page.get_by_label("Token").fill("mf_wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert").filter(has_text="no such API key")).to_be_visible()
        expect(page.get_by_label("Token")).to_be_focused()
        page.get_by_label("Token").fill(serving.token)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Make a music video")).to_be_visible()


def test_whoever_signs_out_is_out(visiting: Visiting, serving: Serving) -> None:
    with visiting(expected=REFUSED) as visit:
        visit.sign_in(serving.page)
        cookies = session_of(visit.page)
        assert httpx.get(f"{serving.url}/v1/me", cookies=cookies).status_code == 200
        visit.page.get_by_role("button", name="Sign out").click()
        expect(visit.page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert httpx.get(f"{serving.url}/v1/me", cookies=cookies).status_code == 401


def test_a_session_that_ends_leads_to_the_form(visiting: Visiting, serving: Serving) -> None:
    with visiting(expected=REFUSED) as visit:
        visit.sign_in(serving.page)
        headers = {"Origin": serving.url}
        address, cookies = f"{serving.url}/v1/session", session_of(visit.page)
        assert httpx.delete(address, cookies=cookies, headers=headers).status_code == 204
        # Whoever goes on learns of it; the page may have noticed by itself.
        visit.page.evaluate("location.hash = '#/history'")
        expect(visit.page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(visit.page.get_by_text("Your session is over.")).to_be_visible()


def session_of(page: Page) -> dict[str, str]:
    return {each["name"]: each["value"] for each in page.context.cookies()}


def test_the_first_visit_costs_less_than_a_photograph(visiting: Visiting, serving: Serving) -> None:
    with visiting() as signed_in:
        signed_in.sign_in(serving.page)
        session = signed_in.context.storage_state()
    with visiting(storage_state=session) as visit:
        page = visit.page
        wire = visit.context.new_cdp_session(page)
        sizes: list[float] = []
        wire.send("Network.enable")
        wire.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
        page.goto(serving.url)
        expect(page.get_by_role("heading", name="Make a music video")).to_be_visible()
        expect(page.get_by_role("img", name="Live", exact=True)).to_be_visible()
        page.evaluate(_ALL_IMAGES)
        assert len(sizes) > 50  # one for each module, at the least
        assert sum(sizes) < MOST_BYTES
