"""The measurements, in the order they are taken: each leaves the house idle for the next."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from bench import bare
from bench.figures import Figures, Honest, OpenLoop, Round, Waits
from bench.histories import Costs, costs_of, history_of, journey_of
from bench.house import House
from bench.load import closed_loop
from bench.overload import storm
from bench.stats import Spread
from bench.till import TOLD, Sale, Till, Webhook, invented, webhooks
from cli.temporal_setup import ZOHO_RPS, limit_each_organisation
from workflows import contract

Say = Callable[[str], None]
_ONE_EVENT = TOLD[1:2]


class Bench:
    """Measures one house into `figures`."""

    def __init__(self, house: House, figures: Figures, say: Say) -> None:
        self._house = house
        self._figures = figures
        self._plan = figures.plan
        self._say = say
        self._till = Till(house.http, house.stripe_url)
        self._sales: list[Sale] = []

    async def run(self) -> None:
        """Everything of the plan."""
        for step in (
            self._start_workers,
            self._stock_up,
            self._count_costs,
            self._carry_one_by_one,
            self._carry_many,
            self._stay_calm,
            self._burst,
            self._keep_to_zohos_pace,
            self._storm,
            self._ingress_alone,
        ):
            assert step.__doc__
            self._say(step.__doc__)
            await step()

    async def _start_workers(self) -> None:
        """Worker starts."""
        for start in range(self._plan.starts):
            if start:
                await self._house.stop("worker")
            self._figures.starts.append(await self._house.start_worker())
        await self._house.start_bare()

    async def _stock_up(self) -> None:
        """Payments are made, each shop's customer becomes known."""
        shops = self._house.shops
        first = [await self._till.sell(shop) for shop in (*shops, self._house.honest)]
        for place in range(self._plan.sold()):
            self._sales.append(await self._till.sell(shops[place % len(shops)]))
        await self._till.announce([*first, *self._sales])
        self._figures.costs["the first of a shop"] = await self._cost_of(first[0])
        await closed_loop(first[1:], self._plan.at_once, self._carry)

    async def _count_costs(self) -> None:
        """What one payment costs, counted."""
        shop = self._house.shops[0]
        new, known, often = [await self._till.sell(shop, name) for name in ("2", "2", "2")]
        await self._till.announce([new, known, often])
        self._figures.costs["a new customer"] = await self._cost_of(new)
        self._figures.costs["a known customer"] = await self._cost_of(known)
        self._figures.costs["a known customer, told three times"] = await self._cost_of(often, TOLD)

    async def _carry_one_by_one(self) -> None:
        """Payments one at a time."""
        self._figures.single = await self._journeys(await self._sell_through(self._plan.single, 1))

    async def _carry_many(self) -> None:
        """Payments and bare workflows in turns, as many as go."""
        due: dict[str, float] = {}
        for turn in range(self._plan.rounds):
            meter, begun = self._house.meter(), time.monotonic()
            due |= await self._sell_through(self._plan.payments, self._plan.at_once)
            seconds = time.monotonic() - begun
            self._figures.house.append(Round(self._plan.payments, seconds, meter.read()))
            self._figures.bare.append(await self._bare_round(turn))
        self._figures.busy = await self._journeys(due)

    async def _bare_round(self, turn: int) -> Round:
        async def one(name: str) -> None:
            await self._house.client.execute_workflow(
                bare.BareWorkflow.run, name, id=f"bare:{name}", task_queue=bare.QUEUE
            )

        names = [f"{turn}-{number}" for number in range(self._plan.payments)]
        meter = self._house.meter()
        seconds = await closed_loop(names, self._plan.at_once, one)
        return Round(len(names), seconds, meter.read())

    async def _stay_calm(self) -> None:
        """Webhooks at the calm rate, three for each payment."""
        self._figures.calm = await self._open_loop(self._plan.calm_rate, self._plan.calm_seconds)

    async def _burst(self) -> None:
        """A burst of webhooks, three for each payment, and the time until all is carried."""
        self._figures.burst = await self._open_loop(self._plan.burst_rate, self._plan.burst_seconds)

    async def _keep_to_zohos_pace(self) -> None:
        """One organisation within Zoho's limits."""
        if not self._plan.honest:
            return
        shop = self._house.honest
        sales = [await self._till.sell(shop) for _ in range(self._plan.honest)]
        await self._till.announce(sales)
        await limit_each_organisation(self._house.client, contract.ZOHO_QUEUE, ZOHO_RPS)
        meter = self._house.meter()
        seconds = await closed_loop(sales, len(sales), self._carry)
        cpu = meter.read()
        await limit_each_organisation(self._house.client, contract.ZOHO_QUEUE, None)
        _, refused = await self._house.zoho_calls(shop)
        self._figures.honest = Honest(Round(len(sales), seconds, cpu), refused)

    async def run_storm(self) -> None:
        """The storm alone."""
        self._say("A storm alone.")
        await self._house.start_worker()
        await self._storm()

    async def _storm(self) -> None:
        """Orders at ten times Zoho's limit, without Temporal's own pace."""
        if self._plan.storm:
            self._figures.storm = await storm(self._house, self._till, self._carry, self._plan.storm)

    async def _ingress_alone(self) -> None:
        """Webhooks at the burst's rate, three for each payment, with nobody working on them."""
        await asyncio.gather(self._house.stop("worker"), self._house.stop("bare"))
        known = await self._till.sell(self._house.shops[0])
        await self._till.announce([known])
        count = max(1, int(self._plan.burst_rate * self._plan.alone_seconds / len(TOLD)))
        unknown = invented(known, count)
        self._figures.alone = await self._house.sender.at_rate(unknown, self._plan.burst_rate)

    async def _open_loop(self, per_second: float, seconds: float) -> OpenLoop:
        sales = self._take(max(1, int(per_second * seconds / len(TOLD))))
        told = webhooks(sales)
        answers = await self._house.sender.at_rate(told, per_second)
        refused = [each for each, row in zip(told, answers.rows, strict=True) if row.status != 200]
        await self._deliver_again(refused)
        for sale in sales:  # one after the other: waiting must not cost what is measured
            await self._result(sale.workflow_id)
        due = answers.first_due()
        waits = await self._journeys({sale.workflow_id: due[sale.payment_id] for sale in sales})
        return OpenLoop(answers, len(sales), waits, time.time() - min(due.values()))

    async def _sell_through(self, count: int, at_once: int) -> dict[str, float]:
        """Carries `count` payments; when each one's webhook was sent, by workflow id."""
        due: dict[str, float] = {}

        async def one(sale: Sale) -> None:
            due[sale.workflow_id] = time.time()
            await self._carry(sale)

        await closed_loop(self._take(count), at_once, one)
        return due

    async def _carry(self, sale: Sale, types: Sequence[str] = _ONE_EVENT) -> None:
        for webhook in webhooks([sale], types):
            await self._deliver(webhook)
        await self._result(sale.workflow_id)

    async def _deliver_again(self, refused: list[Webhook]) -> None:
        """What Stripe does: later, until it is taken."""
        wait = 1.0
        while refused:
            await asyncio.sleep(wait)
            refused = [each for each in refused if (await self._house.sender.send(each)).status != 200]
            wait *= 2

    async def _deliver(self, webhook: Webhook) -> None:
        answered = await self._house.sender.send(webhook)
        if answered.status != 200:
            raise RuntimeError(f"the webhook about {webhook.about} was answered {answered.status}")

    async def _result(self, workflow_id: str) -> None:
        await self._house.client.get_workflow_handle(workflow_id).result()

    async def _cost_of(self, sale: Sale, types: Sequence[str] = _ONE_EVENT) -> Costs:
        before, _ = await self._house.zoho_calls(sale.shop)
        await self._carry(sale, types)
        after, _ = await self._house.zoho_calls(sale.shop)
        return costs_of(await history_of(self._house.client, sale.workflow_id), zoho=after - before)

    async def _journeys(self, due: dict[str, float]) -> Waits:
        stock, paid = [], []
        for workflow_id, begun in due.items():
            journey = journey_of(await history_of(self._house.client, workflow_id))
            stock.append(journey.stock - begun)
            paid.append(journey.paid - begun)
        return Waits(Spread.of(stock), Spread.of(paid))

    def _take(self, count: int) -> list[Sale]:
        taken, self._sales = self._sales[:count], self._sales[count:]
        assert len(taken) == count, "the plan sold too little"
        return taken
