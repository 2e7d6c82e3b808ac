"""`python -m bench.neighbours [--quick]`: what a noisy organisation costs ninety-nine others on the same worker."""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from temporalio.common import Priority
from temporalio.service import RPCError

from bench.command import measured, on_linux, options, told
from bench.histories import history_of, journey_of
from bench.house import House, a_house
from bench.load import closed_loop
from bench.report import Sheet
from bench.shops import Shop
from bench.stats import Spread
from bench.till import TOLD, Sale, Till, Webhook, webhooks
from bench.where import where
from cli.ending import run_to_end
from cli.output import say
from cli.temporal_binary import find_or_get
from cli.temporal_setup import NO_LIMITS, Limits, limit_each_organisation
from domain.sweeps import SweepInput, Swept
from workflows import contract

BEGIN, END = "<!-- neighbours: begin -->", "<!-- neighbours: end -->"
_ONE_EVENT = TOLD[1:2]
_AT_ONCE = 20
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Size:
    """How much is measured: payments of each quiet shop, at `rate` a second in all, beside the `noise` of one.

    `honest`: at the limits that Zoho has, which make every payment last some seconds.
    """

    quiet: int
    rounds: int
    rate: float
    noise: int
    healed: int
    honest: bool = True


FULL = Size(quiet=99, rounds=2, rate=2.0, noise=200, healed=10)
QUICK = Size(quiet=12, rounds=1, rate=2.0, noise=30, healed=3)
TINY = Size(quiet=1, rounds=1, rate=2.0, noise=2, healed=1, honest=False)


@dataclass
class Street:
    """What was found; seconds."""

    size: Size
    where: dict[str, str]
    alone: list[float] = field(default_factory=list)  # from a quiet shop's webhook until it is paid
    beside: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)  # alone once more: what else the machine does may have changed
    backlog: int = 0  # payments of the noisy one that were still open when the last of the others was paid
    refused: int = 0  # calls that Zoho refused, of all organisations
    sweeping: list[float] = field(default_factory=list)  # from a sweep's start until it has started what was missed
    healing: list[float] = field(default_factory=list)  # until that is paid


class Neighbours:
    """A street of shops at Zoho's own limits, the last of which is noisy."""

    def __init__(self, house: House, found: Street) -> None:
        self._house = house
        self._found = found
        self._till = Till(house.http, house.stripe_url)
        *self._quiet, self._noisy = house.more

    async def run(self) -> None:
        """The others alone, then beside the noisy one, then what nobody was told of."""
        await self._house.start_worker()
        limits = Limits() if self._found.size.honest else NO_LIMITS
        for queue, limit in limits.by_queue().items():
            await limit_each_organisation(self._house.client, queue, limit)
        say(f"{len(self._quiet)} shops and a noisy one: each has its first payment.")
        await closed_loop(await self._sell([*self._quiet, self._noisy], 1), _AT_ONCE, self._carry)
        say("The others alone.")
        self._found.alone = await self._measured()
        say(f"The same beside {self._found.size.noise} payments at once of the noisy one.")
        noise = webhooks(await self._sell([self._noisy], self._found.size.noise), _ONE_EVENT)
        await closed_loop(noise, _AT_ONCE, self._deliver)
        self._found.beside = await self._measured()
        self._found.backlog = await self._open(self._noisy)
        say("Payments of which no webhook comes, each found by a sweep.")
        for shop in self._quiet[: self._found.size.healed]:
            await self._heal(shop)
        say("The others alone once more.")
        await self._hush()
        self._found.again = await self._measured()
        for shop in self._house.more:
            self._found.refused += (await self._house.zoho_calls(shop))[1]

    async def _sell(self, shops: list[Shop], each: int) -> list[Sale]:
        sales = [await self._till.sell(shop) for _ in range(each) for shop in shops]
        await self._till.announce(sales)
        return sales

    async def _measured(self) -> list[float]:
        """From each webhook's moment until its payment was booked in Zoho."""
        sales = await self._sell(self._quiet, self._found.size.rounds)
        answers = await self._house.sender.at_rate(webhooks(sales, _ONE_EVENT), self._found.size.rate)
        if answers.refused:
            raise RuntimeError(f"{answers.refused} webhooks were refused: {answers.statuses}")
        due = answers.first_due()
        return [await self._paid_at(sale) - due[sale.payment_id] for sale in sales]

    async def _paid_at(self, sale: Sale) -> float:
        await self._house.client.get_workflow_handle(sale.workflow_id).result()
        return journey_of(await history_of(self._house.client, sale.workflow_id)).paid

    async def _carry(self, sale: Sale) -> None:
        for webhook in webhooks([sale], _ONE_EVENT):
            await self._deliver(webhook)
        await self._house.client.get_workflow_handle(sale.workflow_id).result()

    async def _deliver(self, webhook: Webhook) -> None:
        answered = await self._house.sender.send(webhook)
        if answered.status != 200:
            raise RuntimeError(f"the webhook about {webhook.about} was answered {answered.status}")

    async def _open(self, shop: Shop) -> int:
        return (await self._house.client.count_workflows(_running(shop))).count

    async def _hush(self) -> None:
        """The noisy one's payments are over."""
        while await self._open(self._noisy):
            async for run in self._house.client.list_workflows(_running(self._noisy)):
                with suppress(RPCError):
                    await self._house.client.get_workflow_handle(run.id).terminate("the bench has seen enough")
            await asyncio.sleep(1)

    async def _heal(self, shop: Shop) -> None:
        """Nobody is told of this sale."""
        sale = await self._till.sell(shop)
        now, begun = datetime.now(UTC), time.time()
        until = now + timedelta(seconds=1)
        wanted = SweepInput(connection=shop.slug, since=now - _HOUR, until=until, regular=False)
        name = contract.sweep_workflow_id(shop.slug, uuid.uuid4().hex, "bench")
        swept = await self._house.client.execute_workflow(
            contract.SWEEP_WORKFLOW,
            wanted,
            id=name,
            task_queue=contract.MAIN_QUEUE,
            priority=Priority(fairness_key=shop.slug),
            result_type=Swept,
        )
        self._found.sweeping.append(time.time() - begun)
        if {gap.about for gap in Swept.model_validate(swept).gaps} != {sale.payment_id}:
            raise RuntimeError(f"the sweep of {shop.slug} did not find {sale.payment_id} alone: {swept}")
        self._found.healing.append(await self._paid_at(sale) - begun)


def _running(shop: Shop) -> str:
    return f"{contract.CONNECTION.name} = '{shop.slug}' AND ExecutionStatus = 'Running'"


def sheets(found: Street) -> list[Sheet]:
    """As tables."""
    # The quieter of both: what disturbed the other was not the noisy one.
    alone = min(Spread.of(found.alone), Spread.of(found.again), key=lambda spread: spread.p99)
    beside = Spread.of(found.beside)
    times = {"alone": found.alone, "beside a noisy one": found.beside, "alone once more": found.again}
    rows = [
        (name, f"{len(seen)}", f"{Spread.of(seen).p50:.2f}", f"{Spread.of(seen).p99:.2f}", "")
        for name, seen in times.items()
    ]
    ratios = f"{beside.p50 / alone.p50:.2f}", f"{beside.p99 / alone.p99:.2f}"
    rows.append(("beside, of the quieter alone", "", *ratios, "p99 under 2"))
    size = found.size
    words = (
        f"{size.quiet} organisations and one more, all at Zoho's own limits, one worker, {size.rate:g} payments a "
        f"second of the others. The noisy one had {size.noise} payments announced at once, {found.backlog} of them "
        f"open when the last of the others was paid. Refused by Zoho: {found.refused} calls."
    )
    sweeping, healing = Spread.of(found.sweeping), Spread.of(found.healing)
    heal = [
        ("until the sweep has started its run", f"{sweeping.p50:.2f}", f"{sweeping.most:.2f}"),
        ("until its order is paid", f"{healing.p50:.2f}", f"{healing.most:.2f}"),
    ]
    note = (
        f"{len(found.healing)} payments, a sweep of an hour each, the noisy one still at work. Sweeps start every ten "
        "minutes, in pull mode every 30 seconds."
    )
    return [
        Sheet("Taken for neighbours", ("", ""), list(found.where.items())),
        Sheet("From the webhook to paid, seconds", ("the others", "payments", "p50", "p99", "aim"), rows, words),
        Sheet("A lost webhook, seconds from the start of the sweep", ("", "p50", "slowest"), heal, note),
    ]


async def measure(size: Size, home: Path) -> Street:
    """Figures of a house of its own in the absolute folder `home`, which is emptied first. CannotStart."""
    binary = await asyncio.to_thread(find_or_get, say)
    found = Street(size, where(binary))
    street = [Shop(number, honest=size.honest) for number in range(1, size.quiet + 2)]
    async with a_house(binary, home, 0, street) as house:
        await Neighbours(house, found).run()
    return found


def main() -> int:
    """0, or 1 with a sentence about what did not come up."""
    on_linux()
    parser = options("neighbours", "A noisy organisation's neighbours.")
    parser.add_argument("--quick", action="store_true", help="a minute with a dozen shops; writes nothing down")
    given = parser.parse_args()
    found = measured(measure(QUICK if given.quick else FULL, given.home.absolute()))
    return told(sheets(found), BEGIN, END, kept=not given.quick)


if __name__ == "__main__":
    run_to_end(main)
