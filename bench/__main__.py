"""`python -m bench [--quick]`: measures everything, shows it, and writes it down unless it was quick."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from bench.figures import Figures
from bench.house import a_house
from bench.measures import Bench
from bench.overload import SHOPS
from bench.plan import FULL, QUICK, Plan
from bench.report import sheets, show, storm_sheet, write_down
from bench.where import where
from cli.ending import run_to_end
from cli.exits import CannotStart
from cli.output import say
from cli.temporal_binary import find_or_get

DOCUMENT = Path("docs/benchmarks.md")


async def measure(plan: Plan, home: Path, *, only_storm: bool = False) -> Figures:
    """Figures of a house of its own in the absolute folder `home`, which is emptied first. CannotStart."""
    binary = await asyncio.to_thread(find_or_get, say)
    figures = Figures(plan, where(binary))
    more = list(SHOPS.values()) if plan.storm else []
    async with a_house(binary, home, plan.shops, more) as house:
        bench = Bench(house, figures, say)
        await (bench.run_storm() if only_storm else bench.run())
    return figures


def main() -> int:
    """0, or 1 with a sentence about what did not come up."""
    if not sys.platform.startswith("linux"):
        say("The benchmarks read CPU times from /proc, so they need Linux.")
        return 1
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures Throughline on this machine.")
    parser.add_argument("--quick", action="store_true", help="a minute instead of ten; writes nothing down")
    parser.add_argument("--storm", action="store_true", help="the storm alone, three minutes; writes nothing down")
    parser.add_argument("--home", type=Path, default=Path(".throughline/bench"), help="a folder to work in; emptied")
    given = parser.parse_args()
    try:
        plan = QUICK if given.quick and not given.storm else FULL
        figures = asyncio.run(measure(plan, given.home.absolute(), only_storm=given.storm))
    except CannotStart as reason:
        say(str(reason))
        return 1
    if given.storm:
        assert figures.storm is not None
        show([storm_sheet(figures.storm)])
        return 0
    show(sheets(figures))
    if not given.quick:
        write_down(figures, DOCUMENT)
        say(f"Written to {DOCUMENT}.")
    return 0


if __name__ == "__main__":
    run_to_end(main)
