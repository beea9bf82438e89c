"""Measures how fast the page is there, and how smooth it stays with many exports.

``python -m tests.bench.page [--exports N] [--under-way N] [--seconds S] [--repeat N] [--profile]``.
PostgreSQL and the API process are those of ``midifarm serve``; no dispatcher runs. One user has
all of the exports: those that have ended, with posters, and those under way, which a process of its
own changes and tells of twice a second. The browser is Chromium, without a screen and without a
GPU: it draws on the same processors as everything else here.

Prints tables and writes ``build/bench-page.json``. It does not fail where something is slow.
"""

from __future__ import annotations

import argparse
import colorsys
import io
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext
from rich.console import Console
from rich.table import Table

from coordinator.scopes import Scope
from shared.storage import LocalStore
from tests import chromium
from tests.bench import history, under_way
from tests.bench.history import BUSY_USER, Connection
from tests.bench.served import add_key, add_templates, running_api, running_database
from tests.bench.tab import Opened, Tab, Went

USABLE_MS: Final = 1000.0
RECEIVED_BYTES: Final = 300_000
FRAME_P95_MS: Final = 34.0
"""Every other frame of a screen with 60 a second."""
_SHARE: Final = 0.32
"""Of the history that is the busy user's."""
_DAYS: Final = 20
_POSTERS: Final = 60
_SIZE: Final = {"width": 1440, "height": 900}
_LIST_PX: Final = 250
_LIST_S: Final = 3.0
"""Down the list, and as long up again."""
_HISTORY_PX: Final = 700
_VIEWS: Final[Mapping[str, tuple[str, str]]] = {
    "Create": ("/", ".zone button"),
    "History": ("/#/history", ".history-card a"),
    "Farm": ("/#/farm", ".state-line button:not(.ghost, :disabled)"),
}
"""The address of each view, and what can be used there once it is of use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A page with much on it."""

    url: str
    database_url: str
    connection: Connection
    token: str
    """Of an operator who has all the exports."""
    browser: Browser
    options: argparse.Namespace

    @contextmanager
    def signed_in(self) -> Iterator[BrowserContext]:
        """A browser that has a session, and nothing of the page yet."""
        context = self.browser.new_context(viewport={**_SIZE})
        answer = context.request.post(f"{self.url}/v1/session", data={"token": self.token})
        assert answer.ok, answer.text()
        yield context
        context.close()


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--exports", type=int, default=10_000, help="Exports that have ended.")
    parser.add_argument("--under-way", type=int, default=200, help="Exports that have not.")
    parser.add_argument("--seconds", type=float, default=15.0, help="How long it is looked at.")
    parser.add_argument("--repeat", type=int, default=5, help="How often it is opened.")
    parser.add_argument("--profile", action="store_true", help="Keep profiles of the scripts.")
    options = parser.parse_args()
    Path("build").mkdir(exist_ok=True)
    with bench(options) as prepared:
        opened = open_views(prepared)
        report_opened("with nothing under way", opened)
        under_way.add(prepared.connection, user_id=BUSY_USER, exports=options.under_way)
        with under_way.working(prepared.database_url):
            busy = open_views(prepared)
            report_opened(f"with {options.under_way} exports under way", busy)
            went = watch(prepared)
        report_went(went)
    write({"opened": opened, "opened_busy": busy, "went": went}, options)


@contextmanager
def bench(options: argparse.Namespace) -> Iterator[Bench]:
    """Start everything, and make the history."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mf-bench-")))
        database_url = stack.enter_context(running_database(folder))
        url = stack.enter_context(running_api(database_url, folder))
        connection = stack.enter_context(history.connect(database_url))
        add_templates(connection, url)
        ended = round(options.exports / _SHARE)
        history.fill(connection, exports=ended, queued=0, batches=0, days=_DAYS)
        add_posters(connection, LocalStore(folder / "store"))
        yield Bench(
            url=url,
            database_url=database_url,
            connection=connection,
            token=add_key(connection, BUSY_USER, Scope.OPERATOR),
            browser=stack.enter_context(chromium.running()),
            options=options,
        )


def add_posters(connection: Connection, store: LocalStore) -> None:
    """Give every finished video a poster, one of a few."""
    for number in range(_POSTERS):
        store.put_bytes(f"posters/bench/{number}.jpg", poster(number))
    connection.execute("set session_replication_role = replica")
    connection.execute(
        "update export_jobs set poster_key = 'posters/bench/'"
        " || (hashtext(id) & 1073741823) %% %s || '.jpg' where download_url is not null",
        (_POSTERS,),
    )
    connection.execute("reset session_replication_role")
    connection.execute("vacuum analyze export_jobs")


def poster(number: int) -> bytes:
    """A picture as a worker would have made it, of the usual size."""
    picture = Image.new("RGB", (1280, 720), "#101116")
    draw = ImageDraw.Draw(picture)
    for note in range(80):
        hue = (number / _POSTERS + note / 400) % 1
        colour = tuple(round(255 * part) for part in colorsys.hsv_to_rgb(hue, 0.6, 0.9))
        x, y = 16 * note, note * (37 + number) % 560
        draw.rounded_rectangle((x, y, x + 13, y + 40 + note % 7 * 20), 5, fill=colour)
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=85)
    return target.getvalue()


def open_views(prepared: Bench) -> dict[str, Opened]:
    """How each view comes to be of use, in a browser that never saw the page, and again."""
    found: dict[str, Opened] = {}
    repeat = range(prepared.options.repeat)
    first = [open_by_link(prepared) for _ in repeat]
    found["Create, by a link"] = Opened.typical(first)
    for title, (path, usable) in _VIEWS.items():
        cold, warm = [], []
        for _ in repeat:
            with prepared.signed_in() as context:
                tab = Tab(context)
                cold.append(tab.open(prepared.url + path, usable))
                warm.append(tab.open(prepared.url + path, usable))
        found[f"{title}, at first"] = Opened.typical(cold)
        found[f"{title}, again"] = Opened.typical(warm)
    return found


def open_by_link(prepared: Bench) -> Opened:
    """What ``midifarm serve`` prints, in a browser that never saw the page."""
    context = prepared.browser.new_context(viewport={**_SIZE})
    opened = Tab(context).open(f"{prepared.url}/#token={prepared.token}", _VIEWS["Create"][1])
    context.close()
    return opened


def watch(prepared: Bench) -> dict[str, Went]:
    """How smoothly the page goes on: still, and while somebody scrolls."""
    found: dict[str, Went] = {}
    seconds = prepared.options.seconds

    def measure(title: str, tab: Tab, act: Callable[[], None] | None = None) -> None:
        with ExitStack() as stack:
            if prepared.options.profile:
                target = Path("build") / f"bench-page-{len(found)}.cpuprofile"
                stack.enter_context(tab.profiled(target))
            found[title] = tab.go_on(seconds, act)

    with prepared.signed_in() as context:
        tab = Tab(context)
        tab.page.goto("about:blank")
        tab.page.evaluate(Path(__file__).with_name("recorder.js").read_text("utf-8"))
        found["an empty page"] = tab.go_on(min(seconds, 5))
        tab.open(prepared.url, _VIEWS["Create"][1])
        tab.page.mouse.move(_SIZE["width"] / 2, _SIZE["height"] / 2)
        tab.page.evaluate("document.querySelector('.active-list').scrollIntoView()")
        measure("exports under way", tab)
        measure("… scrolling", tab, lambda: tab.scroll(_LIST_PX, _LIST_S))
        tab.page.click("#tabs a[data-path=history]")
        tab.page.wait_for_selector(_VIEWS["History"][1])
        measure("history, scrolling", tab, lambda: tab.scroll(_HISTORY_PX))
        print(come_back(tab), flush=True)  # noqa: T201
        tab.page.click("#tabs a[data-path=farm]")
        tab.page.wait_for_selector(_VIEWS["Farm"][1])
        measure("farm, all busy", tab)
    return found


def come_back(tab: Tab) -> str:
    """Leave the history and come back with the browser's button; what became of the place."""
    where = "[scrollY, Math.max(0, ...[...document.querySelectorAll('.history-card')]"
    where += ".map((card) => card.ariaPosInSet))]"
    tab.page.wait_for_timeout(500)
    before = tab.page.evaluate(where)
    tab.page.click("#tabs a[data-path='create']")
    tab.page.wait_for_selector(".zone")
    tab.page.go_back()
    tab.page.wait_for_selector(".history-card a")
    after = tab.page.evaluate(where)
    verdict = "kept" if after[0] == before[0] else f"lost: at {after[0]} px"
    return f"Card {before[1]}, {before[0]:,.0f} px down; after the browser's Back: {verdict}."


def report_opened(title: str, opened: Mapping[str, Opened]) -> None:
    """Print how views came to be of use."""
    table = Table(
        *("", "usable, ms", "", "requests", "received, kB", ""),
        title=f"Opening the page {title}",
    )
    for name, told in opened.items():
        table.add_row(
            name,
            f"{told.usable_ms:.0f}",
            _verdict(told.usable_ms, USABLE_MS, "ms"),
            str(told.requests),
            f"{told.received_bytes / 1000:.0f}",
            _verdict(told.received_bytes / 1000, RECEIVED_BYTES / 1000, "kB"),
        )
    Console().print(table)


def report_went(went: Mapping[str, Went]) -> None:
    """Print how smoothly it went."""
    frames = Table(
        *("ms", "frame", "p95", "max", "", "long tasks", "longest"),
        title="How smooth it stays",
    )
    work = Table(
        *("", "main thread", "scripts", "layout", "requests/s", "heap, MB", "nodes"),
        title="What the page does for that",
    )
    for name, told in went.items():
        frames.add_row(
            name,
            f"{told.frame_ms:.1f}",
            f"{told.frame_p95_ms:.1f}",
            f"{told.frame_max_ms:.0f}",
            _verdict(told.frame_p95_ms, FRAME_P95_MS, "ms"),
            str(told.long_tasks),
            f"{told.longest_task_ms:.0f}",
        )
        shares = (told.task_share, told.script_share, told.layout_share)
        work.add_row(
            name,
            *(f"{share:.0%}" for share in shares),
            f"{told.requests_per_s:.1f}",
            "{:.1f} → {:.1f}".format(*told.heap_mb),
            f"{told.nodes:,}",
        )
    Console().print(frames)
    Console().print(work)


def _verdict(value: float, target: float, unit: str) -> str:
    return "ok" if value <= target else f"over {target:g} {unit}"


def write(found: Mapping[str, Mapping[str, Any]], options: argparse.Namespace) -> None:
    """Write the figures."""
    told: dict[str, Any] = {
        "exports": options.exports,
        "under_way": options.under_way,
        "seconds": options.seconds,
        **{name: {key: asdict(each) for key, each in some.items()} for name, some in found.items()},
    }
    Path("build/bench-page.json").write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
