"""`python -m bench.backfills [--quick]`: how much of Zoho's minute a backfill uses, and what it carries with that."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from temporalio.client import WorkflowHandle
from temporalio.common import Priority

from bench.command import measured, on_linux, options, told
from bench.house import House, a_house
from bench.report import Sheet
from bench.shops import Shop
from bench.till import Till
from bench.where import where
from cli.backfilling import BULK_PER_MINUTE
from cli.ending import run_to_end
from cli.output import say
from cli.temporal_binary import find_or_get
from cli.temporal_setup import NO_LIMITS, Limits, limit_each_organisation
from domain.backfills import Backfilled, BackfillInput
from workflows import contract

BEGIN, END = "<!-- backfills: begin -->", "<!-- backfills: end -->"
LIMIT = 100  # Zoho's calls a minute
_DAY = timedelta(days=1)
_LOOK = 0.25  # seconds between two readings of Zoho's ledger


@dataclass(frozen=True)
class Size:
    """How much is measured: `payments` of one known customer, and the `seconds` that count after the first `warm`.

    `honest`: at the limits that Zoho has.
    """

    payments: int
    warm: float
    seconds: float
    honest: bool = True


FULL = Size(payments=60, warm=20, seconds=180)
QUICK = Size(payments=24, warm=10, seconds=60)
TINY = Size(payments=2, warm=0, seconds=0.5, honest=False)


@dataclass
class Pace:
    """What was found: readings of how many calls were made, and payments carried, by seconds since the start."""

    size: Size
    where: dict[str, str]
    calls: list[tuple[float, int]] = field(default_factory=list)
    carried: list[tuple[float, int]] = field(default_factory=list)
    asked: int = 0  # calls for the whole backfill
    refused: int = 0
    done: Backfilled | None = None

    @property
    def span(self) -> float:
        """Seconds that count: no longer than the backfill had payments to start, for its end asks less and less."""
        return self._last - self.size.warm

    def per_minute(self, readings: list[tuple[float, int]]) -> float:
        """The rise between the two ends of the time that counts, a minute."""
        return (_at(readings, self._last) - _at(readings, self.size.warm)) / self.span * 60 if self.span > 0 else 0.0

    @property
    def busiest(self) -> int:
        """The most calls of any minute, the first one included."""
        return max((count - _at(self.calls, at - 60) for at, count in self.calls), default=0)

    @property
    def _last(self) -> float:
        return min(self.size.warm + self.size.seconds, self.calls[-1][0] if self.calls else 0.0)


def _at(readings: list[tuple[float, int]], moment: float) -> int:
    """The last reading up to a moment; 0 before the first."""
    return max((count for at, count in readings if at <= moment), default=0)


class Bulk:
    """One shop with payments from before, and nobody who pays meanwhile."""

    def __init__(self, house: House, found: Pace) -> None:
        self._house = house
        self._found = found
        (self._shop,) = house.more

    async def run(self) -> None:
        """Payments of which nobody was told, then the backfill that carries them."""
        await self._house.start_worker()
        limits = Limits() if self._found.size.honest else NO_LIMITS
        for queue, limit in limits.by_queue().items():
            await limit_each_organisation(self._house.client, queue, limit)
        till = Till(self._house.http, self._house.stripe_url)
        for _ in range(self._found.size.payments):
            await till.sell(self._shop)
        await asyncio.sleep(1.1)  # a backfill's time is over, in whole seconds
        say(f"A backfill of {self._found.size.payments} payments.")
        handle = await self._begin()
        await self._follow(handle)
        self._found.done = Backfilled.model_validate(await handle.result())
        self._found.asked, self._found.refused = await self._house.zoho_calls(self._shop)

    async def _begin(self) -> WorkflowHandle[object, Backfilled]:
        now = datetime.now(UTC).replace(microsecond=0)
        wanted = BackfillInput(
            connection=self._shop.slug,
            organization_id=self._shop.organization,
            since=now - _DAY,
            until=now,
            per_minute=BULK_PER_MINUTE,
        )
        return await self._house.client.start_workflow(
            contract.BACKFILL_WORKFLOW,
            wanted,
            id=contract.backfill_workflow_id(self._shop.slug, "bench", "bench"),
            task_queue=contract.MAIN_QUEUE,
            priority=Priority(fairness_key=self._shop.slug),
            result_type=Backfilled,
        )

    async def _follow(self, handle: WorkflowHandle[object, Backfilled]) -> None:
        """Reads the ledger until the backfill starts no more: then what is under way asks less and less."""
        size, begun = self._found.size, time.monotonic()
        query = f"{contract.CONNECTION.name} = '{self._shop.slug}' AND WorkflowType = '{contract.PAYMENT_WORKFLOW}' "
        query += "AND ExecutionStatus = 'Completed'"
        while True:
            state = Backfilled.model_validate(await handle.query(contract.PROGRESS))
            at = time.monotonic() - begun
            self._found.calls.append((at, (await self._house.zoho_calls(self._shop))[0]))
            self._found.carried.append((at, (await self._house.client.count_workflows(query)).count))
            if at > size.warm + size.seconds or state.started == size.payments:
                return
            await asyncio.sleep(_LOOK)


def sheets(found: Pace) -> list[Sheet]:
    """As tables."""
    calls, each = found.per_minute(found.calls), found.asked / found.size.payments
    rows = [
        ("Zoho's calls a minute", f"{calls:.1f}", ""),
        (f"of the {LIMIT} that Zoho allows", f"{calls / LIMIT:.0%}", "90 %"),
        ("the most in any minute", f"{found.busiest}", f"at most {LIMIT}"),
        ("refused by Zoho", f"{found.refused}", "0"),
        ("calls a payment, the first one's included", f"{each:.1f}", ""),
        ("payments a minute that this pace carries", f"{calls / each:.1f}", ""),
        ("payments that ended, a minute", f"{found.per_minute(found.carried):.1f}", ""),
    ]
    size = found.size
    words = (
        f"One organisation at Zoho's own limits, nobody pays meanwhile; {size.payments} payments of one customer, "
        f"{found.span:.0f} seconds after the first {size.warm:.0f}. Calls are counted by the Zoho sandbox. Twenty "
        "payments are under way together, so that the first ones end late."
    )
    return [
        Sheet("Taken for backfills", ("", ""), list(found.where.items())),
        Sheet("A backfill alone", ("", "", "aim"), rows, words),
    ]


async def measure(size: Size, home: Path) -> Pace:
    """Figures of a house of its own in the absolute folder `home`, which is emptied first. CannotStart."""
    binary = await asyncio.to_thread(find_or_get, say)
    found = Pace(size, where(binary))
    async with a_house(binary, home, 0, [Shop(1, honest=size.honest)]) as house:
        await Bulk(house, found).run()
    return found


def main() -> int:
    """0, or 1 with a sentence about what did not come up."""
    on_linux()
    parser = options("backfills", "A backfill's share of the minute.")
    parser.add_argument("--quick", action="store_true", help="two minutes; writes nothing down")
    given = parser.parse_args()
    found = measured(measure(QUICK if given.quick else FULL, given.home.absolute()))
    return told(sheets(found), BEGIN, END, kept=not given.quick)


if __name__ == "__main__":
    run_to_end(main)
