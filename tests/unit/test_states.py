"""The tables of states: complete, the same in the database's triggers and in ARCHITECTURE.md."""

from __future__ import annotations

import re
from enum import StrEnum
from importlib import resources
from pathlib import Path

import pytest

from shared.errors import ConflictError
from shared.states import (
    EXPORT_TRANSITIONS,
    ITEM_TRANSITIONS,
    ExportAction,
    ExportStatus,
    next_status,
)

ROOT = Path(__file__).parents[2]
SCHEMA = resources.files("coordinator.database").joinpath("schema/0001_core.sql").read_text("utf-8")


def test_the_words_are_the_contract() -> None:
    words = "queued rendering uploading completed failed cancelled"
    assert [str(status) for status in ExportStatus] == words.split()
    assert f"({', '.join(repr(word) for word in words.split())})" in SCHEMA


@pytest.mark.parametrize("status", ExportStatus)
@pytest.mark.parametrize("action", ExportAction)
def test_every_pair_is_decided(status: ExportStatus, action: ExportAction) -> None:
    if (status, action) in EXPORT_TRANSITIONS:
        assert next_status(status, action) is EXPORT_TRANSITIONS[status, action]
    else:
        with pytest.raises(ConflictError, match=status):
            next_status(status, action)


def test_a_user_reads_what_cannot_be_done_any_more() -> None:
    with pytest.raises(
        ConflictError, match=r"^The export is completed; it cannot be cancelled any more\.$"
    ):
        next_status(ExportStatus.COMPLETED, ExportAction.CANCEL)


def test_only_a_user_brings_back_what_has_ended() -> None:
    for status, action in EXPORT_TRANSITIONS:
        assert not status.ended or action is ExportAction.RETRY
    assert not any(status is ExportStatus.COMPLETED for status, _ in EXPORT_TRANSITIONS)


@pytest.mark.parametrize(
    ("function", "table"),
    [
        ("check_export_transition", EXPORT_TRANSITIONS),
        ("check_item_transition", ITEM_TRANSITIONS),
    ],
)
def test_the_database_knows_the_same(
    function: str, table: dict[tuple[StrEnum, StrEnum], StrEnum]
) -> None:
    body = SCHEMA.split(f"create function {function}()")[1].split("end $$")[0]
    allowed = set(re.findall(r"\('(\w+)', '(\w+)'\)", body))
    assert allowed == {(str(old), str(new)) for (old, _), new in table.items() if old is not new}


@pytest.mark.parametrize(
    ("title", "table"), [("Exports", EXPORT_TRANSITIONS), ("Work items", ITEM_TRANSITIONS)]
)
def test_the_architecture_prints_it(
    title: str, table: dict[tuple[StrEnum, StrEnum], StrEnum]
) -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    section = text.split(f"### {title}\n")[1].split("\n#")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| .+ \|$", section, re.MULTILINE)
    printed = {row for row in rows if not row[0].startswith(("from", "---"))}
    assert printed == {(str(old), str(action), str(new)) for (old, action), new in table.items()}
