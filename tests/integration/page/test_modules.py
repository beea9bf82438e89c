"""What the page's modules without a document decide, held against the service's own rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page
from pydantic import ValidationError

from shared.codecs import CODECS, CONTAINERS
from shared.export import ExportConfiguration
from tests.browser import Visiting
from tests.service import Serving

pytestmark = [pytest.mark.ray, pytest.mark.services, pytest.mark.chromium]

CHOOSING = (Path(__file__).parent / "choosing.js").read_text()
SOUNDS = {codec for facts in CONTAINERS.values() for codec in facts.audio}
PAIRS = {
    (name, codec): codec in own
    for name, facts in CONTAINERS.items()
    for own, known in ((facts.video, set(CODECS)), (facts.audio, SOUNDS))
    for codec in (known if own else ())
}
"""Each container with each codec of a kind that it has, and whether they go together."""
NOW = "2026-03-09T12:00:00Z"
WRITTEN = [
    (("clock", 0), "0:00"),
    (("clock", 187.9), "3:07"),
    (("clock", 3729), "1:02:09"),
    (("clock", -1), "0:00"),
    (("span", None), ""),
    (("span", float("inf")), ""),
    (("span", 0.2), "1 s"),
    (("span", 59.4), "59 s"),
    (("span", 59.6), "1 min"),
    (("span", 3600), "1 h"),
    (("span", 7500), "2 h 5 min"),
    (("size", None), ""),
    (("size", 999), "999 B"),
    (("size", 999_499), "999 kB"),
    (("size", 999_500), "1.0 MB"),
    (("size", 12_340_000), "12.3 MB"),
    (("size", 99_960_000), "100 MB"),
    (("size", 5e15), "5000 TB"),
    (("count", 12345), "12,345"),
    (("percent", 0), "0 %"),
    (("percent", 0.999), "99 %"),
    (("percent", 1), "100 %"),
    (("capital", "écoute"), "Écoute"),
    (("capital", ""), ""),
    (("ago", "2026-03-09T11:59:30Z", NOW), "just now"),
    (("ago", "2026-03-09T11:59:10Z", NOW), "1 min ago"),
    (("ago", "2026-03-09T09:00:00Z", NOW), "3 h ago"),
    (("ago", "2026-03-03T12:00:00Z", NOW), "3 Mar"),
    (("ago", "2025-12-31T12:00:00Z", NOW), "31 Dec 2025"),
]


def folder_of(page: Page) -> str:
    """Where the page's modules lie."""
    found: str = page.evaluate("new URL('.', document.querySelector('script').src).href")
    return found.rstrip("/")


def test_numbers_and_times_are_written_for_people(visiting: Visiting, serving: Serving) -> None:
    with visiting(locale="en-GB", timezone_id="UTC") as visit:
        visit.sign_in(serving.page)
        said = visit.page.evaluate(
            """async ([folder, cases]) => {
                const formatting = await import(`${folder}/formatting.js`);
                return cases.map(([name, value, now]) =>
                    formatting[name](value, now ? Date.parse(now) : undefined));
            }""",
            [folder_of(visit.page), [list(case) for case, _ in WRITTEN]],
        )
    assert dict(zip((case for case, _ in WRITTEN), said, strict=True)) == dict(WRITTEN)


def test_an_answer_that_an_event_has_overtaken_still_tells_what_the_event_does_not(
    visiting: Visiting, serving: Serving
) -> None:
    with visiting() as visit:
        visit.sign_in(serving.page)
        known = visit.page.evaluate(
            """async (folder) => {
                const { Exports } = await import(`${folder}/exports.js`);
                const exports = new Exports(new EventTarget());
                const early = { updated_at: "2026-03-09T12:00:00Z", status: "queued" };
                const late = { updated_at: "2026-03-09T12:00:01Z", status: "rendering" };
                exports.merge({ id: "exp_1", ...late });
                exports.merge({ id: "exp_1", ...early, config: {}, created_at: "then" });
                exports.merge({ id: "exp_1", ...early, config: {}, created_at: "once more" });
                return { ...exports.get("exp_1"), isWhole: exports.isWhole("exp_1") };
            }""",
            folder_of(visit.page),
        )
    assert known["status"] == "rendering"
    assert known["created_at"] == "then"
    assert known["config"] == {}
    assert known["isWhole"] is False


def test_whatever_is_chosen_settles_to_what_is_accepted_and_the_rest_would_be_refused(
    visiting: Visiting, serving: Serving
) -> None:
    with visiting() as visit:
        visit.sign_in(serving.page)
        told = visit.page.evaluate(
            CHOOSING, {"folder": folder_of(visit.page), "seed": 7, "steps": 3000}
        )
    made, refused = map(json.loads, told)
    taken = {pair for each in made for pair in pairs_in(ExportConfiguration.model_validate(each))}
    assert taken == {pair for pair, fits in PAIRS.items() if fits}
    for each in refused:
        with pytest.raises(ValidationError):
            ExportConfiguration.model_validate(each)
    tried = {
        (form["container"], form[kind])
        for form in (each["format"] for each in refused)
        for kind in ("videoCodec", "audioCodec")
    }
    assert tried >= {pair for pair, fits in PAIRS.items() if not fits}


def pairs_in(configuration: ExportConfiguration) -> set[tuple[str, str]]:
    """The container with each codec that is in it."""
    form = configuration.format
    return {(form.container, codec) for codec in (form.picture, form.sound) if codec is not None}
