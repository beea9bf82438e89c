"""Simulates a large farm: the real dispatcher and PostgreSQL, and a cluster in virtual time.

``python -m tests.simulation [--exports N] [--users N] [--nodes N] [--slots N] [--hours H] [--seed
N]``. Without these it is 10,000 exports of 200 users on 250 nodes of four workers each, of mixed
speed, of which 1 % fail in an hour and come back after a while; some attempts are stragglers, some
crash. With the same seed the same happens again. tests/simulation/figures.py says what the figures
mean, nodes.py and workload.py what is imagined.

Prints a table and writes ``build/simulation.json``; the exit status is 1 where the makespan is more
than 1.10 lower bounds, fairness is less than 0.95, or more than 2 % is done twice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.postgres import PostgresServers
from tests.simulation.figures import DUPLICATES, FAIRNESS, MAKESPAN
from tests.simulation.run import Result, Setting, simulate

_RESULT: Final = Path("build/simulation.json")


def main() -> None:
    """Simulate and tell."""
    default = Setting()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exports", type=int, default=default.exports)
    parser.add_argument("--users", type=int, default=default.users)
    parser.add_argument("--nodes", type=int, default=default.nodes)
    parser.add_argument("--slots", type=int, default=default.slots, help="Workers of each node.")
    parser.add_argument(
        "--hours", type=float, help="How long the work is, instead of how many exports there are."
    )
    parser.add_argument("--seed", type=int, default=default.seed)
    options = parser.parse_args()
    setting = replace(
        default,
        seed=options.seed,
        users=options.users,
        nodes=options.nodes,
        slots=options.slots,
        exports=options.exports,
    )
    if options.hours is not None:
        setting = replace(setting, exports=setting.exports_for(options.hours * 3600))
    logging.basicConfig(level=logging.ERROR)  # what goes wrong is counted
    console = Console()
    with (
        PostgresServers() as servers,
        servers.fresh_database("embedded") as url,
        tempfile.TemporaryDirectory(prefix="midifarm-simulation-") as folder,
        console.status("Begins …") as status,
    ):
        result = asyncio.run(simulate(url, Path(folder), setting, status.update))
    console.print(_table(setting, result))
    _RESULT.parent.mkdir(exist_ok=True)
    told = {"setting": asdict(setting), **result.as_dict()}
    _RESULT.write_text(json.dumps(told, indent=2) + "\n")
    if result.missed:
        sys.exit("\n".join(result.missed))


def _table(setting: Setting, result: Result) -> Table:
    """What came of it, for people."""
    found = result.figures
    table = Table(
        "",
        "",
        "target",
        title=f"{setting.exports:,} exports of {setting.users} users on "
        f"{setting.nodes * setting.slots:,} workers, seed {setting.seed}",
    )
    bound = "all work" if found.work_bound_s >= found.path_bound_s else "the longest export"
    table.add_row("lower bound", f"{found.bound_s:,.0f} s ({bound})", "")
    makespan = f"{found.makespan_s:,.0f} s, {found.ratio:.3f} lower bounds"
    table.add_row("makespan", makespan, f"≤ {MAKESPAN:.2f}")
    fairness = f"{found.fairness:.3f}, over {found.contended_s:,.0f} s"
    table.add_row("fairness (Jain)", fairness, f"≥ {FAIRNESS:.2f}")
    table.add_row("duplicate work", f"{found.duplicates:.2%}", f"≤ {DUPLICATES:.0%}")
    table.add_row("lost with nodes", f"{found.lost:.2%} ({result.failures} nodes failed)", "")
    table.add_row("crashed", f"{found.crashed:.2%} ({result.attempts.get('crashed', 0)})", "")
    table.add_row("slots busy", f"{found.busy:.1%}", "")
    for name, waits in (("exports begin after", found.begun_s), ("and end after", found.ended_s)):
        told = ", ".join(f"{each} {seconds:,.0f} s" for each, seconds in waits.items())
        table.add_row(name, told, "")
    table.add_section()
    table.add_row("took", f"{result.real_s:,.0f} s, {result.transactions:,} transactions", "")
    rate = result.commits / result.real_s
    table.add_row("committed", f"{result.commits:,} results, {rate:,.0f} a second", "")
    table.add_row(
        "log of PostgreSQL", f"{result.wal_bytes / result.commits:,.0f} bytes a result", ""
    )
    table.add_row("clients were told", f"{result.events:,} events", "")
    return table


if __name__ == "__main__":
    main()
