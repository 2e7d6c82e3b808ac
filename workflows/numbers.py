"""The business in numbers, next to the SDK's own on a worker's `/metrics`: counted by queries, never by payment."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from temporalio.client import Client
from temporalio.common import MetricGauge, MetricMeter

from activities.figures import Figures
from domain.attention import AttentionClass
from domain.runs import Stage
from domain.sweeps import HEALED, IGNORED, REFUSED, Case, Heard
from workflows import contract

log = logging.getLogger(__name__)
_PAYMENTS = f"WorkflowType = '{contract.PAYMENT_WORKFLOW}'"
_OPEN = f"{_PAYMENTS} AND ExecutionStatus = 'Running'"
_PARKED = f"ExecutionStatus = 'Running' AND {contract.NEEDS_ATTENTION.name} = true"
# A paid run may stay open for Stripe's fee, which is no lag of ours.
_MOVING = f"{_OPEN} AND {contract.NEEDS_ATTENTION.name} = false AND {contract.STAGE.name} != '{Stage.PAID.value}'"
# A server sorts by no column that is asked for, so the oldest run is looked for by halves of this ladder (seconds).
_AGES = (5, 15, 30, 60, 120, 300, 600, 1800, 3600, 10_800, 43_200, 86_400, 259_200, 604_800, 2_592_000)
_LISTED = 200
_COUNTED = timedelta(days=30)  # events that came since then
# What was acknowledged between then: each has a run, or is lost. What is younger the list may not show yet.
_ACCOUNTED = (timedelta(hours=1), timedelta(minutes=2))
_IDS = 50  # in one query
_RUN_OF = {
    Case.PAYMENT: contract.payment_workflow_id,
    Case.REFUND: contract.refund_workflow_id,
    Case.DISPUTE: contract.dispute_workflow_id,
    Case.PAYOUT: contract.payout_workflow_id,
}


@dataclass
class _Gauge:
    """A gauge with one label; what is no longer counted reads zero, not what it was."""

    gauge: MetricGauge
    label: str
    seen: set[str] = field(default_factory=set)

    def show(self, values: Mapping[str, int]) -> None:
        for name in self.seen | values.keys():
            self.gauge.set(values.get(name, 0), {self.label: name})
        self.seen |= values.keys()


class Numbers:
    """Gauges of one worker. Every worker of a fleet shows the same, for each of them counts them all."""

    def __init__(self, client: Client, meter: MetricMeter, figures: Figures, now: Callable[[], datetime]) -> None:
        self._client = client
        self._figures = figures
        self._now = now

        def by(label: str, name: str, words: str) -> _Gauge:
            return _Gauge(meter.create_gauge(name, words), label)

        self._stages = by("stage", "throughline_open_payments", "Open payments by stage")
        self._parked = by("class", "throughline_parked_payments", "Payments that wait for a person, by class")
        self._closed = by("status", "throughline_closed_payments", "Closed payments that Temporal remembers, by status")
        self._quota = by("connection", "throughline_zoho_quota_limit", "Zoho calls a day")
        self._left = by("connection", "throughline_zoho_quota_remaining", "Zoho calls left today, as last seen")
        self._short = by(
            "connection",
            "throughline_zoho_quota_short_seconds",
            "How long before the day's end Zoho's quota will be used up at the pace of the last hour",
        )
        self._audit = by("connection", "throughline_audit_entries", "Entries of the audit trail")
        self._dead = by("reason", "throughline_dead_letters", "Events of 30 days that became nothing, by reason")
        self._missed = by("connection", "throughline_missed_events", "Events of 30 days that a sweep had to find")
        self._lag = by("connection", "throughline_sweep_lag_seconds", "How far sweeps are behind")
        self._lost = by(
            "connection",
            "throughline_unaccounted_payments",
            "Payments, refunds, disputes and payouts acknowledged in the last hour that have no run",
        )
        self._oldest = meter.create_gauge(
            "throughline_oldest_open_payment_seconds", "Age of the oldest open payment that waits for no person"
        )
        self._longest = meter.create_gauge(
            "throughline_longest_parked_seconds", "How long the payment that has waited longest waits for a person"
        )

    def keep(self, every: timedelta) -> asyncio.Task[None]:
        """Counts anew each time `every` has passed, until cancelled; a silent Temporal or store is tried again."""
        return asyncio.create_task(self._keep(every))

    async def _keep(self, every: timedelta) -> None:
        while True:
            try:
                await self.count()
            except Exception as error:  # numbers must not end a worker that carries payments
                log.warning("the numbers of the business were not counted: %s", type(error).__name__)
            await asyncio.sleep(every.total_seconds())

    async def count(self) -> None:
        """Set every gauge once, by some twenty queries. RPCError where Temporal does not answer, TryLater the store."""
        self._stages.show(await self._each(_OPEN, contract.STAGE.name, Stage))
        waiting = await self._count(_PARKED)
        classes = await self._each(_PARKED, contract.ATTENTION_CLASS.name, AttentionClass) if waiting else {}
        self._parked.show(classes)
        self._closed.show(await self._by_status())
        self._oldest.set(await self._age_of_oldest(_MOVING))
        self._longest.set(await self._age_of_oldest(_PARKED) if waiting else 0)
        quotas = await self._figures.quotas(self._now())
        self._quota.show({name: quota.limit for name, quota in quotas.items()})
        self._left.show({name: quota.remaining for name, quota in quotas.items()})
        self._short.show({name: quota.short_seconds for name, quota in quotas.items()})
        self._audit.show(await self._figures.audit_entries())
        await self._count_events()

    async def _count_events(self) -> None:
        """Of what came, what became nothing, what had to be found, and what is lost."""
        now = self._now()
        outcomes = await self._figures.outcomes(now - _COUNTED)
        dead, missed = Counter[str](), Counter[str]()
        for slug, counts in outcomes.items():
            for outcome, count in counts.items():
                missed[slug] += count if outcome.startswith(HEALED) else 0
                if outcome.startswith((IGNORED, REFUSED)):
                    dead[outcome] += count
        self._dead.show(dead)
        self._missed.show(missed)
        until = await self._figures.swept_until()
        self._lag.show({slug: int((now - moment).total_seconds()) for slug, moment in until.items()})
        told = await self._figures.acknowledged(now - _ACCOUNTED[0], now - _ACCOUNTED[1])
        self._lost.show({slug: await self._without_run(slug, heard) for slug, heard in told.items()})

    async def _without_run(self, slug: str, heard: Sequence[Heard]) -> int:
        """How many of them Temporal has no run of."""
        ids = {_RUN_OF[one.case](slug, one.about) for one in heard}
        left, asked = set(ids), sorted(ids)
        for begin in range(0, len(asked), _IDS):
            named = ", ".join(f"'{name}'" for name in asked[begin : begin + _IDS])
            left -= {run.id async for run in self._client.list_workflows(f"WorkflowId IN ({named})")}
        return len(left)

    async def _count(self, query: str) -> int:
        return (await self._client.count_workflows(query)).count

    async def _each(self, query: str, attribute: str, values: Iterable[str]) -> dict[str, int]:
        """Counts by a search attribute's value, asked one by one: a server groups by status only."""
        return {str(value): await self._count(f"{query} AND {attribute} = '{value}'") for value in values}

    async def _by_status(self) -> dict[str, int]:
        found = await self._client.count_workflows(f"{_PAYMENTS} GROUP BY ExecutionStatus")
        counts = {str(group.group_values[0]).lower(): group.count for group in found.groups}
        return {status: count for status, count in counts.items() if status not in ("running", "continuedasnew")}

    async def _age_of_oldest(self, query: str) -> int:
        """Seconds since the oldest run of `query` was started, 0 where there is none."""
        now = self._now()
        low, high = 0, len(_AGES)  # some run is as old as every rung below `low`, none as old as those from `high` on
        while low < high:
            middle = (low + high) // 2
            if await self._count(f"{query} AND {_before(now, _AGES[middle])}"):
                low = middle + 1
            else:
                high = middle
        rung = _AGES[low - 1] if low else 0
        runs = self._client.list_workflows(f"{query} AND {_before(now, rung)}", limit=_LISTED)
        starts = [run.start_time async for run in runs]
        return max(rung, int((now - min(starts)).total_seconds())) if starts else rung


def _before(now: datetime, seconds: int) -> str:
    return f"StartTime <= '{(now - timedelta(seconds=seconds)).astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}'"
