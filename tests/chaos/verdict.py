"""Whether a disturbed run came to the same end as an undisturbed one, and what it cost. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.chaos.kills import Kill
from tests.chaos.ledger import Attempt, Ledger, attempt_of
from tests.chaos.service import Stopped, Victim
from tests.chaos.users import Watched

MARGIN: Final = 2
"""Work items that are submitted beyond the slots (coordinator.dispatcher.limits)."""
STOP_S: Final = 10.0
"""What a service may take to end."""
_TOLERANCE_S: Final = 0.25
"""A transaction that began a moment before the kill may be committed a moment after it."""
_EXPLAINS: Final = {
    "lost": {Victim.DISPATCHER, Victim.POSTGRES},
    "failed": {Victim.WORKER},
    "cancelled": {Victim.DISPATCHER, Victim.POSTGRES},
    "late": {Victim.DISPATCHER, Victim.POSTGRES},
}
"""Which deaths bring which outcome about. That of an API concerns no attempt at all."""
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the verdict."""

    ok: bool
    """Whether it is as it should be."""
    text: str
    """What was found, with numbers."""
    details: tuple[str, ...] = ()
    """What is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run led to."""

    ledger: Ledger
    """What the tables and the store say."""
    downloaded: Mapping[str, str]
    """The SHA-256 of the videos as they were downloaded, by the export's name."""


def same_results(wanted: Collection[str], calm: Run, rough: Run) -> list[Finding]:
    """Everything that was asked for is there, once, and as it is without a kill."""
    findings = []
    for title, run in (("undisturbed", calm), ("disturbed", rough)):
        rows = run.ledger.exports
        bad = [
            f"{name}: {rows[name]['status']} {rows[name]['error_message'] or ''}"
            for name in rows
            if rows[name]["status"] != "completed"
        ]
        bad += [f"{name} is missing" for name in set(wanted) - set(rows)]
        bad += [f"{name} was not ordered" for name in set(rows) - set(wanted)]
        findings.append(
            _finding(f"{title}: {len(rows) - len(bad)} of {len(wanted)} exports completed", bad)
        )
    expected = {name: row["sha256"] for name, row in calm.ledger.exports.items()}
    told = [
        f"{name}: {row['sha256']}, undisturbed {expected.get(name)}"
        for name, row in rough.ledger.exports.items()
        if row["sha256"] != expected.get(name)
    ]
    findings.append(
        _finding(f"{len(expected)} videos have the hashes of the undisturbed run", told)
    )
    arrived = [
        f"{name}: {found}, undisturbed {expected.get(name)}"
        for run in (calm, rough)
        for name, found in run.downloaded.items()
        if found != expected.get(name)
    ]
    arrived += [f"{name} was not downloaded" for name in set(wanted) - set(rough.downloaded)]
    findings.append(
        _finding(f"{len(rough.downloaded)} downloaded videos are byte-identical", arrived)
    )
    findings.append(
        _finding(
            f"{len(rough.ledger.artifacts)} segments, sounds and videos stand, equal in both runs",
            calm.ledger.differences(rough.ledger),
        )
    )
    return findings


def explained(calm: Ledger, rough: Ledger, kills: Sequence[Kill]) -> list[Finding]:
    """Nothing was done more often than the kills explain."""
    blame = {attempt.id: _culprit(attempt, kills) for attempt in rough.extra}
    unexplained = [str(attempt) for attempt in rough.extra if blame[attempt.id] is None]
    per_kill = Counter(number for number in blame.values() if number is not None)
    most = [1 if kill.victim is Victim.WORKER else rough.slots + MARGIN for kill in kills]
    most = [0 if kill.victim is Victim.API else most[n] for n, kill in enumerate(kills)]
    too_many = [
        f"the {kills[number].victim} {kills[number].pid} explains {most[number]}, not {count}"
        for number, count in per_kill.items()
        if count > most[number]
    ]
    twice = [f"{key}: {count} times" for key, count in rough.commits.items() if count != 1]
    twice += [f"{key} was made by nobody" for key in set(rough.artifacts) - set(rough.commits)]
    renders = sum(attempt.kind == "chunk" for attempt in rough.attempts)
    chunks = [attempt for attempt in rough.extra if attempt.kind == "chunk"]
    places = sum(item["kind"] == "chunk" for item in rough.items.values())
    leftover = {
        key: attempt_of(key)
        for key in rough.unknown_objects
        if blame.get(attempt_of(key) or 0) is None
    }
    return [
        _finding(
            f"undisturbed: {len(calm.attempts)} attempts, {len(calm.extra)} of them for nothing",
            [*map(str, calm.extra), *calm.miscounted(), *calm.unknown_objects],
        ),
        _finding(
            f"{len(rough.items)} work items, all done, {len(rough.attempts)} attempts add up",
            rough.miscounted(),
        ),
        _finding(
            f"{len(rough.extra)} attempts were for nothing, each under way at a kill that "
            "explains it",
            unexplained,
        ),
        _finding(
            f"{len(rough.extra)} are no more than the {sum(most)} that the kills allow", too_many
        ),
        _finding(
            f"{rough.chunk_contents} different segments of {places} chunks, each committed once: "
            f"{renders} renders begun, {len(chunks)} of them ended by kills",
            twice,
        ),
        _finding(
            f"nothing that is referred to is missing in the store; {len(rough.unknown_objects)} "
            "objects that killed attempts left are the janitor's",
            [*rough.missing_objects, *leftover],
        ),
    ]


def carried_out(kills: Sequence[Kill], planned: Mapping[Victim, int]) -> Finding:
    """Everybody who was to be killed was killed, and replaced."""
    counts = Counter(kill.victim for kill in kills)
    missing = [
        f"{victim}: {counts[victim]} of {count}"
        for victim, count in planned.items()
        if counts[victim] != count
    ]
    told = ", ".join(f"{victim} {counts[victim]}×" for victim in planned if counts[victim])
    slowest = max((kill.back_at - kill.at for kill in kills), default=0.0)
    return _finding(f"killed and replaced: {told or 'nobody'}; at most {slowest:.1f} s", missing)


def well_told(watched: Sequence[Watched], kills: Sequence[Kill]) -> list[Finding]:
    """Who watched was told everything in order, through every death of an API."""
    faults = [f"{each.export_id}: {fault}" for each in watched for fault in each.faults]
    faults += [
        f"{each.export_id}: the last event was {each.last}"
        for each in watched
        if each.last != "completed"
    ]
    events = sum(each.events for each in watched)
    findings = [
        _finding(
            f"{len(watched)} exports watched, {events} events: in order, none twice, to the end",
            faults,
        )
    ]
    for kill in kills:
        if kill.victim is Victim.API:
            cut = sum(
                each.began_at < kill.at and (each.ended_at or 0) > kill.dead_at for each in watched
            )
            findings.append(
                _finding(
                    f"{cut} event streams went on after the death of the API {kill.pid}",
                    [] if cut else ["none was open"],
                )
            )
    return findings


def well_ended(stopped: Stopped) -> Finding:
    """The service ended as it should, and nothing is left of it."""
    wrong = list(stopped.left)
    if stopped.code != 0:
        wrong.append(f"exit code {stopped.code}")
    if stopped.took_s > STOP_S:
        wrong.append(f"it took {stopped.took_s:.1f} s")
    return _finding(
        f"SIGTERM ended the service after {stopped.took_s:.1f} s with code {stopped.code}; "
        f"{len(stopped.left)} processes and folders left",
        wrong,
    )


def _culprit(attempt: Attempt, kills: Sequence[Kill]) -> int | None:
    """The number of the kill that ended an attempt; None where none did."""
    if attempt.ended_at is None:
        return None
    began_at, ended_at = attempt.started_at.timestamp(), attempt.ended_at.timestamp()
    # The earliest: nothing goes on after it.
    for number, kill in enumerate(kills):
        fits = kill.victim in _EXPLAINS.get(attempt.outcome or "", ())
        if fits and began_at <= kill.dead_at + _TOLERANCE_S and ended_at >= kill.at - _TOLERANCE_S:
            return number
    return None


def _finding(text: str, wrong: Sequence[str]) -> Finding:
    shown = tuple(wrong[:_SHOWN])
    if len(wrong) > _SHOWN:
        shown = (*shown, f"… and {len(wrong) - _SHOWN} more")
    return Finding(ok=not wrong, text=text, details=shown)
