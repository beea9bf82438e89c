"""What the tables of several commands have in common."""

from __future__ import annotations

from rich.table import Column


def id_column() -> Column:
    """A column of ids, which are whole in the narrowest terminal: people copy them."""
    return Column("id", no_wrap=True, min_width=30)


def cell(text: str) -> str:
    """Somebody's text for a cell, which would obey markup."""
    return text.replace("[", r"\[")
