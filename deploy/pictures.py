"""Takes the pictures of the web page that the documentation shows, from the real page.

    .venv/bin/python -m deploy.pictures [--url URL --token TOKEN]

Starts ``midifarm serve`` in a temporary folder and has it make a few short videos of the demo's
song; or looks at a service that runs, as an admin. Chromium does what a musician does, and writes
docs/images/page.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from deploy.demo.prelude import write

ROOT: Final = Path(__file__).parents[1]
PICTURES: Final = ROOT / "docs" / "images" / "page"
COVER: Final = ROOT / "docs" / "examples" / "cover.jpg"
SOUNDFONT: Final = ROOT / "build" / "soundfont" / "default.sf2"

_SONG: Final = "Prelude in C"
_WIDE: Final = {"width": 1440, "height": 1000}
_HEAD_PX: Final = 80
"""Of the page's own head, which stays in sight."""
_PHONE: Final = {"width": 390, "height": 844}
_MOST_BYTES: Final = 190_000
_QUALITIES: Final = range(88, 30, -4)
_WITHIN_S: Final = 1200.0
_LOOK_S: Final = 0.5
_SETTLED_S: Final = 3.0
_PLACE: Final = 0.47
"""Of the song, where the still is: the low chords, some notes at once on the keyboard."""
_STILL: Final = ".stage-screen img:not([hidden])"
_POSTER: Final = ".card-picture img:not([hidden])"
_MADE: Final = (
    ("aurora", ("youtube_1080p", "tiktok_vertical")),
    ("neon", ("youtube_1080p", "instagram_square")),
    ("paper", ("instagram_portrait",)),
    ("prism", ("youtube_1080p",)),
    ("vinyl", ("twitter_landscape",)),
    ("ember", ("youtube_shorts",)),
    ("studio", ("youtube_1080p",)),
    ("pulse", ("facebook_feed",)),
    ("noir", ("instagram_story",)),
    ("orbit", ("twitter_landscape",)),
)
"""What lies in the history: styles, each with the presets that it is exported for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service that runs."""

    url: str
    token: str

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """What the API answers."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.request(method, f"{self.url}/v1{path}", headers=headers, timeout=60, **more)
        return answer.raise_for_status().json()

    def wait(self, export_id: str, is_so: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until something is so of an export."""
        until_s = time.monotonic() + _WITHIN_S
        while not is_so(told := self.ask("GET", f"/exports/{export_id}")):
            if told["status"] == "failed" or time.monotonic() > until_s:
                raise SystemExit(f"{told['name']}: {told['status']}, {told['error_message']}")
            time.sleep(_LOOK_S)


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--url", help="A service that runs.")
    parser.add_argument("--token", help="Of one of its admins.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="midifarm-pictures-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # its PostgreSQL runs as another user where we are root
        files = song(folder)
        if options.url:
            take(Service(url=options.url, token=options.token), files)
        else:
            with serving(folder / "data") as service:
                take(service, files)


def song(folder: Path) -> list[Path]:
    """The demo's song, and a recording of it where there is a SoundFont."""
    midi = folder / f"{_SONG}.mid"
    write(midi)
    if not SOUNDFONT.exists():
        return [midi]
    recording = folder / f"{_SONG}.m4a"
    arguments = ["render", str(midi), "--soundfont", str(SOUNDFONT), "-o", str(recording)]
    subprocess.run(_command(arguments), cwd=ROOT, check=True)
    return [midi, recording]


def _command(arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", "coordinator.cli", *arguments]


@contextmanager
def serving(folder: Path) -> Iterator[Service]:
    """A service of its own, until the block ends."""
    arguments = ["serve", "--json", "--port", "0", "--data-dir", str(folder)]
    with subprocess.Popen(
        _command(arguments), cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            told = json.loads(next(process.stdout))
            yield Service(url=told["url"], token=told["token"])
        finally:
            process.terminate()


def take(service: Service, files: list[Path]) -> None:
    """Make videos, and take the pictures."""
    composition = compose(service, files)
    fill_history(service, composition)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        with looking(browser, service) as page:
            page.click("#tabs a[data-path=history]")
            page.wait_for_selector(_POSTER)
            settle(page)
            save(page, "history")
            page.click("#tabs a[data-path='create']")
            create(page, files)
            save(page, "create")
            customise(page)
            save(page, "custom")
            page.keyboard.press("Escape")
            exports = start_exports(service, composition)
            page.locator(".active-list").evaluate("list => list.scrollIntoView()")
            page.mouse.wheel(0, -_HEAD_PX)
            settle(page)
            save(page, "progress")
            page.click("#tabs a[data-path=farm]")
            page.wait_for_selector(".state-line button:not(.ghost, :disabled)")
            settle(page)
            save(page, "farm")
        for export in exports:
            service.ask("POST", f"/exports/{export}/cancel")
        with looking(browser, service, _PHONE, scale=2, scheme="light") as page:
            page.goto(f"{service.url}/#/create/{composition['id']}")
            page.wait_for_selector(_STILL)
            settle(page)
            save(page, "phone")
        with looking(browser, service, scheme="light") as page:
            create(page, files)
            save(page, "light")
        browser.close()


def compose(service: Service, files: list[Path]) -> dict[str, Any]:
    """Keep the song as a composition."""
    document: dict[str, Any] = {"name": _SONG, "style": "aurora"}
    document["dressing"] = {"artist": "Johann Sebastian Bach"}
    for part, path in zip(("midi", "audio"), files, strict=False):
        query = {"name": path.name, "kind": part}
        asset = service.ask("POST", "/assets", params=query, content=path.read_bytes())
        document[part] = asset["id"]
    return service.ask("POST", "/compositions", json=document)


def fill_history(service: Service, composition: dict[str, Any]) -> None:
    """Have some seconds made of it in several styles, and wait until they are."""
    exports = []
    for style, presets in _MADE:
        document = {**composition["document"], "name": f"{_SONG}, {style}", "style": style}
        made = service.ask("POST", "/compositions", json=document)
        body = {"composition_id": made["id"], "presets": presets, "start_s": 54, "end_s": 58}
        exports += service.ask("POST", "/exports", json=body)["exports"]
    for export in exports:
        service.wait(export["id"], lambda told: told["status"] == "completed")


def start_exports(service: Service, composition: dict[str, Any]) -> list[str]:
    """Have long exports made, until two are well under way and others wait."""
    body = {
        "composition_id": composition["id"],
        "presets": ["youtube_1080p", "tiktok_vertical", "instagram_square", "twitter_landscape"],
        "too_long": "fade",
    }
    first, second, *others = (
        each["id"] for each in service.ask("POST", "/exports", json=body)["exports"]
    )
    service.wait(first, lambda told: told["progress"] > 0.5)
    service.ask("PATCH", f"/exports/{second}", json={"priority": 1})
    service.wait(second, lambda told: told["progress"] > 0.2)
    service.ask("PATCH", f"/exports/{second}", json={"priority": 0})
    service.wait(first, lambda told: told["progress"] > 0.6)
    return [first, second, *others]


@contextmanager
def looking(
    browser: Browser,
    service: Service,
    size: dict[str, int] = _WIDE,
    scale: float = 1.5,
    scheme: Any = "dark",
) -> Iterator[Page]:
    """A page on which somebody is signed in."""
    context = browser.new_context(
        viewport=size,
        device_scale_factor=scale,
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page = context.new_page()
    page.goto(f"{service.url}/#token={service.token}")
    page.wait_for_selector("#tabs a")
    yield page
    context.close()


def create(page: Page, files: list[Path]) -> None:
    """Bring a song, and look at a moment of it."""
    page.set_input_files(".zone input[type=file]", [*files, COVER])
    page.wait_for_selector(_STILL)
    page.wait_for_selector(".upload", state="detached")
    lanes = page.locator(".lanes")
    box = lanes.bounding_box()
    lanes.click(position={"x": _PLACE * box["width"], "y": box["height"] / 2})
    page.wait_for_selector(".stage figcaption:has-text('Still at 0:5')")
    settle(page)


def customise(page: Page) -> None:
    """Open the dialog for everything else."""
    page.click(".custom-preset")
    page.wait_for_selector(".custom-still img:not([hidden])")
    settle(page)


def settle(page: Page) -> None:
    """Wait until nothing more comes, and what has come is drawn."""
    page.wait_for_selector(".stage-busy:not([hidden])", state="detached")
    page.wait_for_timeout(1000 * _SETTLED_S)


def save(page: Page, name: str) -> None:
    """Keep what is seen, as good as its size allows."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    PICTURES.mkdir(parents=True, exist_ok=True)
    for quality in _QUALITIES:
        target = io.BytesIO()
        picture.save(target, "JPEG", quality=quality, optimize=True, subsampling=0)
        if target.tell() < _MOST_BYTES:
            break
    (PICTURES / f"{name}.jpg").write_bytes(target.getvalue())


if __name__ == "__main__":
    main()
