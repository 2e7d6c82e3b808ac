"""`python -m bench [--quick]`: measures everything, shows it, and writes it down unless it was quick."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bench.command import measured, on_linux, options, told
from bench.figures import Figures
from bench.house import a_house
from bench.measures import Bench
from bench.overload import SHOPS
from bench.plan import FULL, QUICK, Plan
from bench.report import BEGIN, END, sheets, show, storm_sheet
from bench.where import where
from cli.ending import run_to_end
from cli.output import say
from cli.temporal_binary import find_or_get


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
    on_linux()
    parser = options("", "Measures Throughline on this machine.")
    parser.add_argument("--quick", action="store_true", help="a minute instead of ten; writes nothing down")
    parser.add_argument("--storm", action="store_true", help="the storm alone, three minutes; writes nothing down")
    given = parser.parse_args()
    plan = QUICK if given.quick and not given.storm else FULL
    figures = measured(measure(plan, given.home.absolute(), only_storm=given.storm))
    if given.storm:
        assert figures.storm is not None
        show([storm_sheet(figures.storm)])
        return 0
    return told(list(sheets(figures)), BEGIN, END, kept=not given.quick)


if __name__ == "__main__":
    run_to_end(main)
