"""Dashboards and alerts as files: their structure, and that they and the documents agree."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest
import yaml

from tests.dashboards import (
    DASHBOARDS,
    PROMETHEUS,
    PROVISIONING,
    Panel,
    alerts,
    dashboard,
    with_queries,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
UNITS = {"Bps", "bytes", "percent", "percentunit", "reqps", "s", "short"}
COLUMNS = 24


def cells(panel: Panel) -> set[tuple[int, int]]:
    place = panel["gridPos"]
    return {
        (x, y)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    }


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_whole_and_like_the_others(path: Path) -> None:
    board = dashboard(path)
    assert path.read_text("utf-8") == json.dumps(board, indent=2, ensure_ascii=False) + "\n"
    assert board["uid"] == path.stem
    assert board["title"].startswith("midifarm / ")
    assert board["description"].endswith(".")
    assert (board["refresh"], board["editable"]) == ("10s", False)
    assert "id" not in board, "Grafana gives it one"
    ids = [panel["id"] for panel in board["panels"]]
    assert ids == list(range(1, len(ids) + 1))
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        assert all(x < COLUMNS for x, _ in cells(panel)), panel["title"]
        assert not taken & cells(panel), panel["title"]
        taken |= cells(panel)


def test_panels_say_what_they_show_and_in_which_unit() -> None:
    uid = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yaml").read_text("utf-8"))[
        "datasources"
    ][0]["uid"]
    for panel in with_queries():
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        told = panel["fieldConfig"]["defaults"]
        assert told["unit"] in UNITS, panel["title"]
        steps = told["thresholds"]["steps"]
        assert steps[0]["value"] is None, panel["title"]
        assert [step["value"] for step in steps[1:]] == sorted(step["value"] for step in steps[1:])
        assert panel["datasource"]["uid"] == uid
        refs = [target["refId"] for target in panel["targets"]]
        assert refs == sorted(set(refs))
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == uid
            assert not re.search(r"\$(?!__rate_interval)", target["expr"]), "there are no variables"


def test_what_is_of_rays_own_is_named_so_and_known_to_ray() -> None:
    ray = importlib.util.find_spec("ray")
    assert ray is not None
    assert ray.origin is not None
    folder = Path(ray.origin).parent / "dashboard" / "modules" / "metrics" / "dashboards"
    known = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    seen = 0
    for panel in with_queries():
        names = re.findall(r"\bray_\w+", json.dumps([each["expr"] for each in panel["targets"]]))
        assert bool(names) == panel["title"].startswith("Ray: "), panel["title"]
        for name in names:
            assert name in known, name
            seen += 1
    assert seen


def test_grafana_finds_the_dashboards() -> None:
    provider = yaml.safe_load((PROVISIONING / "dashboards" / "midifarm.yaml").read_text("utf-8"))
    (found,) = provider["providers"]
    assert found["type"] == "file"
    assert found["options"]["path"] in DOCUMENT.read_text("utf-8")
    for path in DASHBOARDS:
        assert f"| `{path.stem}` |" in DOCUMENT.read_text("utf-8")


def test_every_alert_is_documented_with_what_to_do(request: pytest.FixtureRequest) -> None:
    rows = ["| alert | severity | what it tells | what to do first |", "|---|---|---|---|"]
    for rule in alerts():
        told = rule["annotations"]
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert set(told) == {"summary", "description", "runbook"}
        assert told["description"].endswith(".")
        assert told["runbook"].endswith(".")
        assert "{{" not in told["runbook"]
        summary = re.sub(r"{{ \$labels\.(\w+) }}", r"_\1_", told["summary"])
        rows.append(
            f"| `{rule['alert']}` | {rule['labels']['severity']} | {summary} | {told['runbook']} |"
        )
    text = DOCUMENT.read_text("utf-8")
    found = re.compile(r"(<!-- from alerts\.yml -->\n\n)(\|.*\n)*")
    expected = found.sub(lambda match: match[1] + "\n".join(rows) + "\n", text)
    if request.config.getoption("--update-golden"):
        DOCUMENT.write_text(expected, "utf-8")
    assert DOCUMENT.read_text("utf-8") == expected


def test_every_alert_is_tried_both_ways() -> None:
    tests = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text("utf-8"))["tests"]
    fires = {each["name"].split()[0] for each in tests if each["name"].endswith(" fires")}
    quiet = {each["name"].split()[0] for each in tests if " does not - " in each["name"]}
    assert fires == quiet == {rule["alert"] for rule in alerts()}
    for each in tests:
        name = each["name"].split()[0]
        if "promql_expr_test" in each:
            (tried,) = each["promql_expr_test"]
            assert f'alertname="{name}"' in tried["expr"]
            assert tried["exp_samples"][0]["value"] == 1
        else:
            for tried in each["alert_rule_test"]:
                assert (tried["alertname"], tried["exp_alerts"]) == (name, [])
