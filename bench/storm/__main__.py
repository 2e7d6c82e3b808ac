"""`python -m bench.storm [--seed N] [--payments N] …`: a storm over a house of real processes; 1 for a violation."""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import fields
from pathlib import Path
from random import SystemRandom

from bench.storm.plan import Plan, Size, draw
from bench.storm.report import show
from bench.storm.storm import Outcome, Storm
from bench.storm.town import a_town
from bench.storm.toxiproxy import find_or_get as find_toxiproxy
from cli.ending import run_to_end
from cli.exits import CannotStart, Exit
from cli.output import say
from cli.temporal_binary import find_or_get as find_temporal


async def storm(plan: Plan, home: Path) -> Outcome:
    """The outcome of a storm in the absolute folder `home`, which is emptied first. CannotStart."""
    temporal = await asyncio.to_thread(find_temporal, say)
    toxiproxy = await asyncio.to_thread(find_toxiproxy, say) if plan.toxics else None
    async with a_town(temporal, toxiproxy, home, plan.size) as town:
        return await Storm(plan, town, say).run()


def main() -> int:
    """0; 1 where an invariant does not hold; 2 for a size that is none; 4 where something did not come up."""
    parser = argparse.ArgumentParser(prog="python -m bench.storm", description="Kills, toxics and payments, counted.")
    parser.add_argument("--seed", type=int, help="of an earlier storm, to have the same plan again")
    for field in fields(Size):
        kind = float if field.name == "seconds" else int
        parser.add_argument(f"--{field.name}", type=kind, default=field.default, help=f"default {field.default}")
    parser.add_argument("--home", type=Path, default=Path(".throughline/storm"), help="a folder to work in; emptied")
    given = parser.parse_args()
    try:
        size = Size(**{field.name: getattr(given, field.name) for field in fields(Size)})
    except ValueError as reason:
        say(f"{reason}.")
        return Exit.USAGE
    seed = SystemRandom().randrange(1_000_000) if given.seed is None else given.seed
    say(f"Storm with seed {seed}: {size.payments} payments, {size.kills} kills, {size.toxics} toxics.")
    try:
        outcome = asyncio.run(storm(draw(seed, size), given.home.absolute()))
    except CannotStart as reason:
        say(str(reason))
        return reason.code
    show(outcome)
    sys.stdout.flush()
    if outcome.violations:
        say(
            f"{len(outcome.violations)} violations. The same plan again: make storm ARGS='--seed {seed}' and its sizes."
        )
    return Exit.FAILED if outcome.violations else Exit.OK


if __name__ == "__main__":
    run_to_end(main)
