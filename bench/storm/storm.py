"""The storm: payments, kills and toxics at their moments; then calm, and a look at what came of it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.client import WorkflowExecution, WorkflowUpdateFailedError
from temporalio.service import RPCError

from bench.storm import count as counting
from bench.storm.count import Count
from bench.storm.plan import Kill, Plan, Sale, Toxic
from bench.storm.town import Town
from cli.ledger_check import Violation, check
from cli.ledger_facts import Ledger, succeeded
from workflows import contract

Say = Callable[[str], None]
T = TypeVar("T")

AIM = 60.0  # seconds after the last fault until everything is closed or waits for a person (I8)
_PATIENCE = 240.0  # seconds after which what is still open is called so
_RING = 2.0  # seconds between two looks for what Stripe has to send again
_ANSWER = timedelta(seconds=10)
_PAYMENTS = f"WorkflowType = '{contract.PAYMENT_WORKFLOW}'"
_WAITING = f"{contract.NEEDS_ATTENTION.name} = true AND ExecutionStatus = 'Running'"


@dataclass
class Outcome:
    """What a storm did and what came of it. `closed_after` and `answered_after` are seconds, None: never."""

    plan: Plan
    kills: Counter[str] = field(default_factory=Counter)
    toxics: Counter[str] = field(default_factory=Counter)
    fallen: int = 0  # parts that ended by themselves and were started again
    count: Count | None = None  # when everything had closed or waited
    closed_after: float | None = None
    answered: Count | None = None  # when people had answered
    answered_after: float | None = None
    violations: list[Violation] = field(default_factory=list)


class Storm:
    """One storm over one town."""

    def __init__(self, plan: Plan, town: Town, say: Say) -> None:
        self._plan, self._town, self._say = plan, town, say
        self._sold: dict[str, Sale] = {}
        self._outcome = Outcome(plan)
        self._begun = time.monotonic()
        self._ringing: asyncio.Task[None] | None = None

    async def run(self) -> Outcome:
        """Everything of the plan, then the count. Raises nothing for a violation: the outcome holds them."""
        self._ringing = asyncio.create_task(self._ring())
        try:
            self._begun = time.monotonic()
            await self._rage()
            await self._close()
            await self._answer()
        finally:
            self._ringing.cancel()
        await self._judge()
        return self._outcome

    async def _rage(self) -> None:
        """Every act at its moment; ends with the last one, the network whole again. The first error ends all."""
        try:
            async with asyncio.TaskGroup() as acts:
                for act in self._acts():
                    acts.create_task(act)
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures
        if self._town.proxies:
            await self._town.proxies.calm()

    def _acts(self) -> Iterator[Coroutine[Any, Any, None]]:
        plan = self._plan
        yield from (self._at(sale.at, self._sell, sale) for sale in plan.sales)
        yield from (self._at(kill.at, self._kill, kill) for kill in plan.kills)
        yield from (self._at(toxic.at, self._spoil, toxic) for toxic in plan.toxics)
        yield from (self._at(moment, self._revoke, moment) for moment in plan.revokes)

    async def _at(self, moment: float, act: Callable[[T], Awaitable[None]], what: T) -> None:
        await asyncio.sleep(max(0.0, self._begun + moment - time.monotonic()))
        await act(what)

    async def _sell(self, sale: Sale) -> None:
        payment = await self._town.pay(sale.wish(self._town.shops[sale.shop].account))
        self._sold[payment] = sale

    async def _kill(self, kill: Kill) -> None:
        await self._town.parts.kill(kill.part, kill.which, kill.away)
        self._outcome.kills[kill.part] += 1
        self._say(f"{self._clock()} killed: {kill.part}, away for {kill.away:.1f} s")

    async def _spoil(self, toxic: Toxic) -> None:
        if self._town.proxies:
            await self._town.proxies.spoil(toxic)
            self._outcome.toxics[toxic.kind] += 1

    async def _revoke(self, moment: float) -> None:
        await self._town.revoke()
        self._outcome.toxics["tokens revoked"] += 1

    async def _ring(self) -> None:
        """Stripe's part: what was refused, or met nobody, is sent again until it is acknowledged."""
        while True:
            await asyncio.sleep(_RING)
            for event in counting.unheard(await self._town.deliveries()):
                await self._town.resend(event)

    async def _close(self) -> None:
        """Waits until every event is acknowledged and every run has ended or waits for a person."""
        self._outcome.closed_after = await self._settled(waiting=True)
        self._outcome.fallen = sum(program.fallen for program in self._town.parts.programs())
        waiting = await self._runs(_WAITING)
        self._outcome.count = await self._count(waiting)
        for payment in sorted(_payments(waiting)):
            sale = self._sold.get(payment)
            if sale is None or not sale.unknown:
                self._wrong("I5", payment, "waits for a person although nothing is wrong with it")
        if self._outcome.closed_after is None:
            for run in await self._unfinished(waiting):
                self._wrong("I8", run.id, f"is open {_PATIENCE:.0f} s after the last fault")
        elif self._outcome.closed_after > AIM:
            self._wrong("I8", "all", f"closed {self._outcome.closed_after:.0f} s after the last fault, not {AIM:.0f}")

    async def _answer(self) -> None:
        """A person makes the missing item and answers every waiting run, which then has to end as well."""
        waiting = await self._runs(_WAITING)
        if not waiting:
            return
        await self._town.make_unknown_known()
        for run in waiting:
            answer = {"action": "retry", "by": "storm", "reason": "the item is there now"}
            handle = self._town.client.get_workflow_handle(run.id)
            try:
                await handle.execute_update(contract.RESOLVE, answer, rpc_timeout=_ANSWER)
            except (RPCError, WorkflowUpdateFailedError) as error:
                self._wrong("I5", run.id, f"did not take an answer: {error}")
        self._outcome.answered_after = await self._settled(waiting=False)
        self._outcome.answered = await self._count(await self._runs(_WAITING))
        if self._outcome.answered_after is None:
            self._wrong("I8", "answers", "a run that was answered never ended")

    async def _settled(self, *, waiting: bool) -> float | None:
        """Seconds until nothing is open (but for what waits, where that is allowed); None for never."""
        begun = time.monotonic()
        while (passed := time.monotonic() - begun) < _PATIENCE:
            if self._ringing is not None and self._ringing.done():
                self._ringing.result()  # without Stripe's part nothing more would come: its error is the storm's
            if counting.all_heard(await self._town.deliveries()):
                started = await self._number(f"{_PAYMENTS} AND ExecutionStatus != 'ContinuedAsNew'")
                excused = await self._runs(_WAITING) if waiting else []
                if started >= len(self._sold) and not await self._unfinished(excused):
                    return passed
            await asyncio.sleep(0.25)
        return None

    async def _unfinished(self, waiting: Sequence[WorkflowExecution]) -> list[WorkflowExecution]:
        """Open runs that do not wait for a person, nor behind a payment that does: a change takes its turn after it."""
        payments = _payments(waiting)
        found = await self._runs("ExecutionStatus = 'Running'")
        return [
            run for run in found if not payments & set(run.typed_search_attributes.get(contract.BUSINESS_IDS) or ())
        ]

    async def _judge(self) -> None:
        """Every invariant, read from the ledgers, the list of runs and the audit trail."""
        stripe, organizations = await self._town.stripe(), await self._town.organizations()
        found = self._outcome.answered or self._outcome.count
        assert found is not None
        for payment in found.lost:
            self._wrong("I5", payment, "was acknowledged, and is neither completed nor waits for a person")
        for payment in found.doubled:
            self._wrong("I1", payment, "has two of one kind of document")
        for event in sorted({row["event"] for row in stripe["deliveries"]} - counting.acknowledged(stripe)):
            self._wrong("I5", event, "was never acknowledged")
        if set(succeeded(stripe)) != set(self._sold):
            self._wrong("I6", "Stripe", f"holds {len(succeeded(stripe))} payments, {len(self._sold)} were made")
        for number, shop in self._town.shops.items():
            sold = {payment: sale.pieces() for payment, sale in self._sold.items() if sale.shop == number}
            told = counting.only(stripe, sold)
            self._outcome.violations += check(told, organizations[number], sold)
            self._outcome.violations += counting.fees_missing(told, organizations[number])
            self._outcome.violations += counting.contacts_doubled(organizations[number])
            await self._read_trail(shop.slug, organizations[number])
        await self._runs_agree()

    async def _read_trail(self, slug: str, organization: Ledger) -> None:
        report = await self._town.store.audit.verify(slug)
        if not report.ok:
            self._wrong("I10", slug, report.reason)
        entries = await self._town.store.audit.entries(slug)
        told = [(entry.stripe_id, entry.step) for entry in entries]
        self._outcome.violations += counting.trail_differs(organization, told)

    async def _runs_agree(self) -> None:
        """I9: as many runs of payments completed as payments were made, and none of any kind failed unseen."""
        completed = await self._number(f"{_PAYMENTS} AND ExecutionStatus = 'Completed'")
        if completed != len(self._sold):
            self._wrong("I9", "runs", f"{completed} completed, {len(self._sold)} payments were made")
        for status in ("Failed", "TimedOut", "Terminated", "Canceled"):
            for run in await self._runs(f"ExecutionStatus = '{status}'"):
                self._wrong("I9", run.id, f"ended as {status}")

    async def _count(self, waiting: Sequence[WorkflowExecution]) -> Count:
        stripe, organizations = await self._town.stripe(), await self._town.organizations()
        return counting.count(stripe, organizations.values(), _payments(waiting))

    async def _runs(self, query: str) -> list[WorkflowExecution]:
        return [run async for run in self._town.client.list_workflows(query)]

    async def _number(self, query: str) -> int:
        return (await self._town.client.count_workflows(query)).count

    def _wrong(self, invariant: str, subject: str, message: str) -> None:
        self._outcome.violations.append(Violation(invariant, subject, message))

    def _clock(self) -> str:
        return f"{time.monotonic() - self._begun:5.1f} s"


def _payments(waiting: Sequence[WorkflowExecution]) -> set[str]:
    """The payments whose own runs wait for a person."""
    return {run.id.rpartition(":")[2] for run in waiting}
