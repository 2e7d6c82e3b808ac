"""`python -m bench.seeing [--quick]`: what traces and the checks of an order cost, measured in one run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from bench.command import measured, on_linux, options, told
from bench.figures import Round, cpu_each, rate
from bench.house import House, a_house
from bench.load import closed_loop
from bench.report import Sheet
from bench.stats import median
from bench.till import TOLD, Sale, Till, webhooks
from bench.where import where
from cli.ending import run_to_end
from cli.output import say
from cli.temporal_binary import find_or_get
from clients.connections import StripeAccount
from clients.stripe.gateway import StripeGateway
from domain.mapping import map_order
from domain.mapping_policy import MappingPolicy
from domain.payments import PaymentFacts
from domain.totals import RoundingRules
from domain.validation import check_facts, validate_order

BEGIN, END = "<!-- seeing: begin -->", "<!-- seeing: end -->"
TRACES: dict[bool, dict[str, str]] = {True: {"THROUGHLINE_TRACES": "file"}, False: {}}
_OURS = ("worker", "ingress")
_ALL = (*_OURS, "temporal", "sandbox", "load")


@dataclass(frozen=True)
class Plan:
    """Pairs of rounds, traces on and off, each of so many payments after some that warm the new processes up."""

    shops: int
    pairs: int
    payments: int
    at_once: int
    warming: int
    checks: int


FULL = Plan(shops=10, pairs=5, payments=80, at_once=20, warming=20, checks=500)
QUICK = Plan(shops=4, pairs=1, payments=30, at_once=10, warming=8, checks=100)
TINY = Plan(shops=1, pairs=1, payments=3, at_once=3, warming=1, checks=5)


@dataclass
class Seen:
    """What was found."""

    plan: Plan
    where: dict[str, str]
    traced: list[Round] = field(default_factory=list)
    plain: list[Round] = field(default_factory=list)
    spans: int = 0  # in the file, for all traced payments
    map_seconds: float = 0.0
    check_seconds: float = 0.0

    @property
    def cpu_ratios(self) -> list[float]:
        """Of each pair: CPU of worker and ingress with traces, beside without."""
        pairs = zip(self.traced, self.plain, strict=True)
        return [on.cpu_each(*_OURS) / off.cpu_each(*_OURS) for on, off in pairs]

    @property
    def rate_ratios(self) -> list[float]:
        """Of each pair: payments a second with traces, beside without."""
        return [on.rate / off.rate for on, off in zip(self.traced, self.plain, strict=True)]


class Seeing:
    """Measures one house into `seen`."""

    def __init__(self, house: House, seen: Seen) -> None:
        self._house = house
        self._seen = seen
        self._till = Till(house.http, house.stripe_url)

    async def run(self) -> None:
        """The checks first, on a payment that then opens the shops; then pairs of rounds, the first in turns."""
        first = [await self._till.sell(shop) for shop in self._house.shops]
        await self._till.announce(first)
        await self._time_checks(first[0])
        for pair in range(self._seen.plan.pairs):
            for traced in (True, False) if pair % 2 else (False, True):
                say(f"Pair {pair + 1}, traces {'on' if traced else 'off'}.")
                await self._open(traced)
                if first:
                    await self._carry(first, 4)
                    first = []
                done = await self._round()
                (self._seen.traced if traced else self._seen.plain).append(done)
        await asyncio.gather(*(self._house.stop(name) for name in _OURS))  # what they have of spans is written then
        file = self._house.home / "traces.jsonl"
        self._seen.spans = (await asyncio.to_thread(file.read_text, "utf-8")).count("\n")

    async def _open(self, traced: bool) -> None:
        running = [name for name in _OURS if name in self._house.children]
        await asyncio.gather(*(self._house.stop(name) for name in running))
        self._house.settings = TRACES[traced]
        await asyncio.gather(self._house.start_ingress(), self._house.start_worker())

    async def _round(self) -> Round:
        plan, shops = self._seen.plan, self._house.shops
        count = plan.warming + plan.payments
        sales = [await self._till.sell(shops[place % len(shops)]) for place in range(count)]
        await self._till.announce(sales)
        await self._carry(sales[: plan.warming], plan.at_once)
        meter = self._house.meter()
        seconds = await self._carry(sales[plan.warming :], plan.at_once)
        return Round(plan.payments, seconds, meter.read())

    async def _carry(self, sales: Sequence[Sale], at_once: int) -> float:
        async def one(sale: Sale) -> None:
            (webhook,) = webhooks([sale], TOLD[1:2])
            answered = await self._house.sender.send(webhook)
            if answered.status != 200:
                raise RuntimeError(f"the webhook about {webhook.about} was answered {answered.status}")
            await self._house.client.get_workflow_handle(sale.workflow_id).result()

        return await closed_loop(sales, at_once, one)

    async def _time_checks(self, sale: Sale) -> None:
        facts, mapping = await self._facts(sale), MappingPolicy()
        rules = RoundingRules.of(mapping, price_precision=2)
        mapped, checked = [], []
        for _ in range(self._seen.plan.checks):
            begun = time.perf_counter()
            draft = map_order(facts, mapping, time_zone="Europe/Berlin", settings=rules)
            between = time.perf_counter()
            problems = (*check_facts(facts), *validate_order(facts, draft, rules))
            checked.append(time.perf_counter() - between)
            mapped.append(between - begun)
            assert not problems, problems
        self._seen.map_seconds, self._seen.check_seconds = median(mapped), median(checked)

    async def _facts(self, sale: Sale) -> PaymentFacts:
        account = StripeAccount(
            account_id=sale.shop.account,
            livemode=False,
            api_key=SecretStr(sale.shop.key),
            webhook_secrets=(SecretStr(sale.shop.secret),),
            api_base=self._house.stripe_url,
        )
        gateway = StripeGateway(account, MappingPolicy())
        try:
            return await gateway.fetch_payment(sale.payment_id)
        finally:
            await gateway.close()


def sheets(seen: Seen) -> list[Sheet]:
    """As tables."""
    plan, cpu, rates = seen.plan, seen.cpu_ratios, seen.rate_ratios
    payment = cpu_each(seen.plain, *_OURS)
    rows = [
        (name, f"{rate(rounds):.1f}", f"{cpu_each(rounds, *_OURS):.1f}", f"{cpu_each(rounds, *_ALL):.1f}")
        for name, rounds in (("off", seen.plain), ("to a file", seen.traced))
    ]
    rows.append(("on beside off", f"{median(rates):.0%}", f"{median(cpu):.0%}", ""))
    carried = plan.pairs * (plan.payments + plan.warming)
    note = (
        f"Medians of {plan.pairs} pairs of rounds in turns, {plan.payments} payments each, {plan.at_once} at once; "
        f"about {seen.spans / carried:.0f} spans a payment. Single pairs: CPU {min(cpu):.0%} – {max(cpu):.0%}, "
        f"rate {min(rates):.0%} – {max(rates):.0%}."
    )
    columns = ("traces", "payments a second", "CPU ms of worker and ingress each", "CPU ms of all each")
    checks = [
        (name, f"{seconds * 1e6:.0f}", f"{seconds * 1e3 / payment:.2%}")
        for name, seconds in (("map the order", seen.map_seconds), ("check facts and order", seen.check_seconds))
    ]
    share = ("", "microseconds", "of a payment's CPU in worker and ingress")
    words = f"Median of {plan.checks} times, a payment of two lines; pure functions, so time is CPU."
    return [
        Sheet("Taken for traces and checks", ("", ""), list(seen.where.items())),
        Sheet("Cost of traces", columns, rows, note),
        Sheet("Cost of the checks", share, checks, words),
    ]


async def measure(plan: Plan, home: Path) -> Seen:
    """Figures of a house of its own in the absolute folder `home`, which is emptied first. CannotStart."""
    binary = await asyncio.to_thread(find_or_get, say)
    seen = Seen(plan, where(binary))
    async with a_house(binary, home, plan.shops) as house:
        await Seeing(house, seen).run()
    return seen


def main() -> int:
    """0, or 1 with a sentence about what did not come up."""
    on_linux()
    parser = options("seeing", "What it costs to be seen.")
    parser.add_argument("--quick", action="store_true", help="half a minute instead of four; writes nothing down")
    given = parser.parse_args()
    seen = measured(measure(QUICK if given.quick else FULL, given.home.absolute()))
    return told(sheets(seen), BEGIN, END, kept=not given.quick)


if __name__ == "__main__":
    run_to_end(main)
