"""Visits to the page: a browser's window that notes everything that goes wrong in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal, Self

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

HEIGHT_PX = 900
WITHIN_MS = 20_000
"""Signals that tests wait for come much sooner, also on a busy machine."""
MADE_MS = 90_000
"""So is a video of some seconds."""
expect.set_options(timeout=WITHIN_MS)
_LOUD = ("error", "warning")


class Visit:
    """A browser context of its own with one page; a context manager.

    What goes wrong in it is kept: errors and warnings on the console, exceptions, requests that
    failed, and any request to another origin. At its end there must be none of it.
    """

    def __init__(
        self,
        browser: Browser,
        url: str,
        *,
        width: int = 1280,
        scheme: Literal["dark", "light"] = "dark",
        expected: str | None = None,
        **options: Any,
    ) -> None:
        """Prepare a visit.

        Args:
            browser: Where.
            url: The service.
            width: Of the window, in pixels.
            scheme: Whether it is dark or light.
            expected: What complaints are a part of the test, as a regular expression.
            options: More of Playwright's, for the browser context.
        """
        self.url = url
        self.complaints: list[str] = []
        self._expected = expected and re.compile(expected)
        self.context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": HEIGHT_PX}, color_scheme=scheme, **options
        )
        self.context.set_default_timeout(WITHIN_MS)
        self.page: Page = self.context.new_page()

    def __enter__(self) -> Self:
        context, note = self.context, self._note
        context.on(
            "console",
            lambda told: note(f"{told.type}: {told.text}") if told.type in _LOUD else None,
        )
        context.on("weberror", lambda told: note(f"exception: {told.error}"))
        context.on("requestfailed", lambda told: note(f"{told.failure}: {told.url}"))
        context.on("request", lambda told: self._look_at(told.url))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.context.close()
        # A test that has failed already says by itself why.
        assert error is not None or self.complaints == []

    def sign_in(self, link: str) -> None:
        """Come by the link that the service prints."""
        self.page.goto(link)
        expect(self.page.get_by_role("navigation", name="Views")).to_be_visible()

    def open(self, view: str) -> None:
        """Go to a view by its tab."""
        tab = self.page.get_by_role("navigation", name="Views").get_by_role("link", name=view)
        tab.click()
        expect(tab).to_have_attribute("aria-current", "page")

    def item(self, name: str) -> Locator:
        """The row or the card of an export, by the name that it bears."""
        heading = self.page.get_by_role("heading", name=name, exact=True)
        return self.page.get_by_role("listitem").filter(has=heading)

    def _look_at(self, url: str) -> None:
        if not url.startswith((f"{self.url}/", f"blob:{self.url}/")):
            self._note(f"another origin: {url}")

    def _note(self, complaint: str) -> None:
        # The page itself gives up what nobody waits for any more.
        if complaint.startswith("net::ERR_ABORTED"):
            return
        if self._expected is None or not self._expected.search(complaint):
            self.complaints.append(complaint)


Visiting = Callable[..., Visit]
"""Makes visits to one service, with the options of a visit."""


def wait_until_made(item: Locator) -> None:
    """Wait until the row or the card of an export offers its video."""
    expect(item.get_by_text("Done")).to_be_visible(timeout=MADE_MS)
    item.scroll_into_view_if_needed()  # what nobody sees is not asked for
    expect(item.get_by_role("link", name="Download")).to_be_visible()


def play_to_the_end(video: Locator) -> float:
    """Watch a video; how many seconds it lasted.

    Raises:
        playwright.sync_api.Error: It cannot be played.
    """
    lasted_s: float = video.evaluate(
        """(video) => new Promise((resolve, reject) => {
            const end = () => resolve(video.currentTime);
            video.addEventListener("ended", end);
            video.addEventListener("error", () => reject(new Error(video.error.message)));
            if (video.ended) end();
            else if (video.error) reject(new Error(video.error.message));
            else video.play().catch(reject);
        })"""
    )
    return lasted_s
