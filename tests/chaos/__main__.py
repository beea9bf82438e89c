"""Kills parts of a running service at chosen moments, and proves that nobody's video suffers.

The same exports are made twice, each time by a ``midifarm serve`` on a fresh folder: once left
alone, once with its dispatcher and its API killed (SIGKILL), its PostgreSQL restarted and its Ray
workers killed on the way. Songs, orders, victims and moments come from the seed; moments are
counted in finished chunks, not in seconds.

Prints the verdict, line by line, and writes ``build/chaos-core.json``; the exit code is 1 if
anything was not as it should be. The logs of both services are in ``build/chaos-core``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from rich.console import Console

from coordinator.client import Client
from shared.settings import usable_cores
from tests.chaos.clock import ChaosError, Clock
from tests.chaos.kills import Kill, carry_out, plan_kills
from tests.chaos.ledger import committed_chunks, keep_objects, read_ledger
from tests.chaos.service import Service, Stopped, Victim
from tests.chaos.users import User, Watched
from tests.chaos.verdict import (
    Finding,
    Run,
    carried_out,
    explained,
    same_results,
    well_ended,
    well_told,
)
from tests.chaos.workload import Order, stages, write_orders

_SEED: Final = 846
_KILLS: Final = "dispatcher=3,api=2,postgres=1,worker=2"
_RESULT: Final = Path("build/chaos-core.json")
_LOGS: Final = Path("build/chaos-core")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What came of one run."""

    service: Service
    run: Run
    stopped: Stopped
    kills: tuple[Kill, ...]
    watched: tuple[Watched, ...]
    refusals: tuple[str, ...]
    found_again: int
    wall_s: float


def main() -> None:
    """Run twice and compare."""
    options = _parser().parse_args()
    console = Console(highlight=False, soft_wrap=True)
    clock = Clock(options.limit)
    console.print(f"seed {options.seed}, {options.exports} exports by {options.users} users")
    with tempfile.TemporaryDirectory(prefix="midifarm-chaos-") as name:
        folder = Path(name)
        # Run by root, the embedded server is somebody else, who must be able to walk through.
        folder.chmod(0o711)
        try:
            findings, facts = _compare(folder, options, clock, console)
        except (ChaosError, psycopg.Error) as exc:
            findings, facts = [Finding(ok=False, text=f"not carried through: {exc}")], {}
        for finding in findings:
            console.print(f"{'ok    ' if finding.ok else 'FAILED'}  {finding.text}", markup=False)
            for detail in finding.details:
                console.print(f"          {detail}", markup=False)
        ok = all(finding.ok for finding in findings)
        _RESULT.parent.mkdir(exist_ok=True)
        result = {
            "ok": ok,
            "seed": options.seed,
            "wall_s": round(clock.elapsed_s, 1),
            "findings": [asdict(finding) for finding in findings],
            **facts,
        }
        _RESULT.write_text(json.dumps(result, indent=2, default=str) + "\n")
        console.print(f"{'passed' if ok else 'FAILED'} after {clock.elapsed_s:.0f} s; {_RESULT}")
    sys.stdout.flush()
    if not ok:
        # A thread may still watch an export that never ends.
        os._exit(1)


def _compare(
    folder: Path, options: argparse.Namespace, clock: Clock, console: Console
) -> tuple[list[Finding], dict[str, Any]]:
    songs = folder / "songs"
    songs.mkdir()
    orders = write_orders(songs, seed=options.seed, users=options.users, exports=options.exports)
    chance = random.Random(options.seed)  # noqa: S311  # victims, not secrets
    shutil.rmtree(_LOGS, ignore_errors=True)
    calm = _carry_out("undisturbed", folder, orders, {}, 0, clock, chance, console)
    chunks = calm.run.ledger.chunk_contents
    rough = _carry_out("disturbed", folder, orders, options.kills, chunks, clock, chance, console)
    different = calm.run.ledger.differences(rough.run.ledger)
    for title, outcome in (("undisturbed", calm), ("disturbed", rough)):
        keep_objects(outcome.service, outcome.run.ledger, different, _LOGS / title / "different")
    names = [order.name for order in orders]
    findings = [
        *same_results(names, calm.run, rough.run),
        *explained(calm.run.ledger, rough.run.ledger, rough.kills),
        carried_out(rough.kills, options.kills),
        *well_told(rough.watched, rough.kills),
        well_ended(calm.stopped),
        well_ended(rough.stopped),
    ]
    facts = {
        "exports": len(orders),
        "users": options.users,
        "undisturbed_s": round(calm.wall_s, 1),
        "disturbed_s": round(rough.wall_s, 1),
        "slots": rough.run.ledger.slots,
        "epochs": rough.run.ledger.epochs,
        "kills": [kill.facts() for kill in rough.kills],
        "attempts": len(rough.run.ledger.attempts),
        "extra_attempts": [str(attempt) for attempt in rough.run.ledger.extra],
        "unknown_objects": rough.run.ledger.unknown_objects,
        "refusals": rough.refusals,
        "found_again": rough.found_again,
        "sha256": {name: row["sha256"] for name, row in rough.run.ledger.exports.items()},
    }
    return findings, facts


def _carry_out(
    title: str,
    folder: Path,
    orders: Sequence[Order],
    kills: Mapping[Victim, int],
    chunks: int,
    clock: Clock,
    chance: random.Random,
    console: Console,
) -> _Outcome:
    """One run on a fresh service.

    Args:
        title: What it is called.
        folder: Where it may keep its files.
        orders: What is asked for.
        kills: How often who is killed.
        chunks: How many different chunks there will be; needed where somebody is killed.
        clock: What it may take.
        chance: Decides about the kills.
        console: Is told how it goes.
    """
    began_s = clock.elapsed_s
    here = folder / title
    here.mkdir(mode=0o711)
    service = Service(here, clock, workers=usable_cores())
    try:
        with service, ExitStack() as stack:
            users = _make_users(service, orders, stack)
            planned = plan_kills(chance, kills)
            # The last third of the kills finds everything accepted.
            parts = stages(orders, -(-2 * len(planned) // 3))
            waiting = [user.watch() for user in users.values()]
            waiting += _submit(users, parts[0])
            made: list[Kill] = []
            for number, plan in enumerate(planned):
                done = clock.wait_for(
                    lambda: _reached(service, users, round(plan.share * chunks)),  # noqa: B023
                    f"chunk {round(plan.share * chunks)}",
                )
                if number + 1 < len(parts):
                    waiting += _submit(users, parts[number + 1])
                kill = carry_out(plan, service, clock, chance, done)
                made.append(kill)
                console.print(
                    f"        {title}: {kill.victim} {kill.pid} killed at chunk {done}, replaced "
                    f"after {kill.back_at - kill.at:.1f} s"
                )
            accepted = {order.name for order in orders}

            def all_ended() -> bool:
                for future in waiting:
                    if future.done():
                        future.result()
                stand = [each for user in users.values() for each in user.exports()]
                return {each.name for each in stand if each.ended} >= accepted

            clock.wait_for(all_ended, f"the end of all exports, {title}", tick_s=0.25)
            for user in users.values():
                user.finish_orders()
            clock.wait_for(
                lambda: all(future.done() for future in waiting),
                "the last event of those who watch",
                within_s=60,
            )
            for future in waiting:
                future.result()
            run = Run(
                ledger=read_ledger(service),
                downloaded={
                    order.name: users[order.user].download_hash(
                        users[order.user].accepted[order.name], here
                    )
                    for order in orders
                    if _has_video(users[order.user], order)
                },
            )
            stopped = service.stop()
    finally:
        with suppress(OSError):
            service.keep_logs(_LOGS / title)
    wall_s = clock.elapsed_s - began_s
    console.print(
        f"        {title}: {len(orders)} exports in {wall_s:.0f} s, start and end included"
    )
    return _Outcome(
        service=service,
        run=run,
        stopped=stopped,
        kills=tuple(made),
        watched=tuple(each for user in users.values() for each in user.watched),
        refusals=tuple(text for user in users.values() for text in user.refusals),
        found_again=sum(user.found_again for user in users.values()),
        wall_s=wall_s,
    )


def _has_video(user: User, order: Order) -> bool:
    """Whether there is a video to download."""
    return any(each.name == order.name and each.download_url for each in user.exports())


def _make_users(service: Service, orders: Sequence[Order], stack: ExitStack) -> dict[str, User]:
    """The users, each with a key and with the songs that they are going to ask for."""
    users = {}
    with Client(service.url, service.token) as administrator:
        for name in sorted({order.user for order in orders}):
            token = administrator.create_key(name, name="chaos").token
            assert token is not None
            users[name] = stack.enter_context(User(name, service.url, token))
            mine = {order.song.title: order.song for order in orders if order.user == name}
            users[name].bring(mine[title] for title in sorted(mine))
    return users


def _submit(users: Mapping[str, User], orders: Sequence[Order]) -> list[Future[None]]:
    """Have all users ask for their part at the same time."""
    return [
        user.submit([order for order in orders if order.user == name])
        for name, user in users.items()
    ]


def _reached(service: Service, users: Mapping[str, User], chunks: int) -> int | None:
    """The chunks that are committed, if there are so many or nothing more will come."""
    done = committed_chunks(service)
    if done >= chunks:
        return done
    idle = service.query(
        "select from export_jobs where status in ('queued', 'rendering', 'uploading') limit 1"
    )
    return done if not idle and any(user.accepted for user in users.values()) else None


def _kills(text: str) -> dict[Victim, int]:
    """Read ``dispatcher=3,worker=1``."""
    found = {}
    for part in filter(None, text.split(",")):
        name, _, count = part.partition("=")
        found[Victim(name.strip())] = int(count or 1)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=_SEED, help="decides everything (%(default)s)")
    parser.add_argument("--exports", type=int, default=40, help="how many (%(default)s)")
    parser.add_argument("--users", type=int, default=5, help="how many (%(default)s)")
    parser.add_argument(
        "--kills", type=_kills, default=_KILLS, help="who is killed how often (%(default)s)"
    )
    parser.add_argument(
        "--limit", type=float, default=900, help="seconds for everything (%(default)s)"
    )
    return parser


if __name__ == "__main__":
    main()
