"""A storm as people read it: what was done to the house, and what its ledgers say."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from bench.storm.storm import AIM, Outcome

SHOWN = 40  # violations that are told one by one


def show(outcome: Outcome) -> None:
    """The table on standard output, then every violation."""
    table = Table(title=f"Storm, seed {outcome.plan.seed}", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    for row in rows(outcome):
        table.add_row(*row)
    console = Console()
    console.print(table)
    for violation in outcome.violations[:SHOWN]:
        console.print(str(violation), highlight=False, markup=False)
    if len(outcome.violations) > SHOWN:
        console.print(f"and {len(outcome.violations) - SHOWN} more")


def rows(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """What is told, with its value."""
    size, found = outcome.plan.size, outcome.count
    yield "payments", f"{size.payments} in {size.seconds:g} s, of {size.shops} shops, {size.workers} workers"
    yield "kills", _each(outcome.kills)
    yield "toxics", _each(outcome.toxics)
    yield "ended by themselves, started again", str(outcome.fallen)
    if found is not None:
        yield "webhooks", f"{found.events} events, {found.acknowledged} acknowledged, {found.refused} attempts refused"
        yield "completed", str(found.completed)
        yield "waiting for a person", str(found.parked)
        yield "lost", str(len(found.lost))
        yield "doubled", str(len(found.doubled))
    yield "closed after the last fault", f"{_seconds(outcome.closed_after)} (aim: under {AIM:.0f} s)"
    if outcome.answered is not None:
        again = outcome.answered
        yield "after people answered", f"{again.completed} completed, {again.parked} waiting, {len(again.lost)} lost"
        yield "closed after the answers", _seconds(outcome.answered_after)
    yield "violations", str(len(outcome.violations))


def _each(counts: dict[str, int]) -> str:
    parts = ", ".join(f"{name} {counts[name]}" for name in sorted(counts))
    return f"{sum(counts.values())}: {parts}" if counts else "none"


def _seconds(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"
