"""A backfill's hands: list what was paid and given back, start what runs are missing, see how those are doing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from temporalio import activity

from activities.effects import Once
from activities.shops import Shops
from activities.sweeps import LAST_STEP
from domain.backfills import (
    BackfillRows,
    CaseRows,
    Cases,
    CasesFound,
    ChargePage,
    ChargeRow,
    ChargesWanted,
    Quota,
    Watched,
    WatchInput,
)
from domain.refunds import RefundStatus
from domain.runs import PaymentEvent, StepDone
from domain.sweeps import Case, Heard, RunSeen, begun_case

if TYPE_CHECKING:
    from clients.store import Budgets


class BackfillStarter(Protocol):
    """Who starts the runs of payments from before, and knows which runs there are."""

    async def backfill_payment(self, connection: str, payment_id: str, charge_id: str) -> str:
        """Starts the payment's own run on the queue of bulk work."""
        ...

    async def backfill_case(self, connection: str, heard: Heard) -> str:
        """Starts the run of a refund or dispute on the queue of bulk work."""
        ...

    async def runs(self, connection: str, heard: Sequence[Heard]) -> list[RunSeen | None]:
        """The newest run of each."""
        ...


class BackfillActivities:
    """What a backfill asks of Stripe, of our store and of Temporal; it asks nothing of Zoho."""

    def __init__(
        self, shops: Shops, once: Once, budgets: Budgets, starter: BackfillStarter, now: Callable[[], datetime]
    ) -> None:
        self._shops = shops
        self._once = once
        self._budgets = budgets
        self._starter = starter
        self._now = now

    @activity.defn
    async def list_charges(self, wanted: ChargesWanted) -> ChargePage:
        """About a hundred payments that took money, the oldest first; `sift` leaves out those that are carried."""
        history = self._shops[wanted.connection].stripe.history
        page = await history.charges(wanted.since, wanted.until, wanted.span)
        rows = tuple({row.payment_id: row for row in page.rows}.values())
        lacking, back = await self._sifted(wanted.connection, rows) if wanted.sift else (rows, ())
        return page.model_copy(update={"rows": lacking, "known": len(rows) - len(lacking), "given_back": back})

    @activity.defn
    async def start_backfilled(self, wanted: BackfillRows) -> StepDone:
        """Start the payments' own runs; one that began or was carried in the meantime stays as it is."""
        for row in wanted.rows:
            await self._starter.backfill_payment(wanted.connection, row.payment_id, row.charge_id)
        return StepDone()

    @activity.defn
    async def list_cases(self, wanted: BackfillRows) -> CasesFound:
        """The refunds and disputes of these payments that nobody carried; a refund that failed moved nothing."""
        found = [one for row in wanted.rows for one in await self._cases_of(wanted.connection, row)]
        runs = await self._starter.runs(wanted.connection, found) if found else []
        lost = [one for one, run in zip(found, runs, strict=True) if run is None]
        cases = tuple([one for one in lost if not await self._carried(wanted.connection, one)])
        return CasesFound(cases=cases, known=len(found) - len(cases))

    @activity.defn
    async def start_cases(self, wanted: CaseRows) -> StepDone:
        """Start the runs of refunds and disputes; one that began in the meantime stays as it is."""
        for case in wanted.cases:
            await self._starter.backfill_case(wanted.connection, case)
        return StepDone()

    @activity.defn
    async def watch_backfilled(self, wanted: WatchInput) -> Watched:
        """Which of the runs are under way, and how the others ended; and what the day leaves."""
        runs = await self._runs(wanted.connection, wanted.payment_ids)
        named = list(zip(wanted.payment_ids, runs, strict=True))
        return Watched(
            # One that the list does not show yet is about to begin.
            open=tuple(name for name, run in named if run is None or (run.open and not run.waiting)),
            waiting=sum(run is not None and run.open and run.waiting for run in runs),
            completed=sum(run is not None and run.succeeded for run in runs),
            failed=sum(map(_failed, runs)),
            without_order=tuple(name for name, run in named if _failed(run)),
            cases=await self._watched(wanted.connection, wanted.cases) if wanted.cases else Cases(),
            quota=await self._quota(wanted.organization_id),
        )

    async def _watched(self, connection: str, cases: Sequence[Heard]) -> Cases:
        """How refunds and disputes are doing. One whose payment waits for a person waits as long as that."""
        runs = await self._starter.runs(connection, cases)
        sales = await self._runs(connection, [case.payment_id for case in cases])
        waits = [
            run is not None and run.open and (run.waiting or run.settles or bool(sale and sale.waiting))
            for run, sale in zip(runs, sales, strict=True)
        ]
        return Cases(
            open=tuple(
                case
                for case, run, wait in zip(cases, runs, waits, strict=True)
                if run is None or (run.open and not wait)
            ),
            waiting=sum(waits),
            completed=sum(run is not None and run.succeeded for run in runs),
            failed=sum(map(_failed, runs)),
        )

    async def _sifted(
        self, connection: str, rows: Sequence[ChargeRow]
    ) -> tuple[tuple[ChargeRow, ...], tuple[ChargeRow, ...]]:
        """Payments that nobody carried, and of the others those that stand and were refunded or disputed.

        Temporal forgets a closed run after its retention, our effects stay.
        """
        runs = await self._runs(connection, [row.payment_id for row in rows])
        last = LAST_STEP[Case.PAYMENT]
        lost = [row for row, run in zip(rows, runs, strict=True) if run is None]
        lacking = tuple([row for row in lost if not await self._once.ended(connection, row.payment_id, last)])
        known = [row for row, run in zip(rows, runs, strict=True) if row not in lacking and not _failed(run)]
        return lacking, tuple(row for row in known if row.refunded or row.disputed)

    async def _cases_of(self, connection: str, row: ChargeRow) -> list[Heard]:
        """What became of the payment's money, the oldest first, for its refunds are booked one after another."""
        stripe = self._shops[connection].stripe
        refunds = await stripe.refunds.of(row.payment_id) if row.refunded else []
        disputes = await stripe.disputes.of(row.payment_id) if row.disputed else []
        standing = [one for one in refunds if one.status is not RefundStatus.FAILED]
        found = [begun_case(Case.REFUND, one.refund_id, row.payment_id, one.at) for one in standing]
        found += [begun_case(Case.DISPUTE, one.dispute_id, row.payment_id, one.opened) for one in disputes]
        return sorted(found, key=lambda one: (one.event.created, one.about))

    async def _carried(self, connection: str, case: Heard) -> bool:
        return await self._once.ended(connection, case.payment_id, LAST_STEP[case.case], case.about)

    async def _runs(self, connection: str, payment_ids: Sequence[str]) -> list[RunSeen | None]:
        return await self._starter.runs(connection, [self._heard(one) for one in payment_ids]) if payment_ids else []

    def _heard(self, payment_id: str) -> Heard:
        event = PaymentEvent(event_id="", type="charge.succeeded", object_id=payment_id, created=self._now())
        return Heard(event=event, case=Case.PAYMENT, about=payment_id, payment_id=payment_id)

    async def _quota(self, organization_id: str) -> Quota:
        budget = await self._budgets.read(organization_id)
        now = self._now()
        if budget is None or (left := budget.left(now)) is None:
            return Quota()
        # The client refuses a call in bulk that payments will still want today, so nothing is begun for it.
        return Quota(
            left=max(0, left - budget.wanted_live(now)), limit=budget.day_limit, resets_at=budget.day_resets_at
        )


def _failed(run: RunSeen | None) -> bool:
    return run is not None and not run.open and not run.succeeded
