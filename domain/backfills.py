"""A backfill: payments from before, carried a few at a time, within what the day leaves. Ids only."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime, Field

from domain.payments import Fact
from domain.policy import PaymentPolicy
from domain.sweeps import Heard

# Zoho's calls for one payment, for gates and forecasts: order, confirmation, invoice, sent mark, payment, the two
# looks for an order that was entered by hand, and some new payers and addresses. Counted in tests.
CALLS_EACH = 8
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


class ChargeRow(Fact):
    """A charge that took money, by its ids: `payment_id` is the intent's (`pi_…`), or its own without one."""

    payment_id: str
    charge_id: str
    at: AwareDatetime
    refunded: bool = False
    disputed: bool = False


class ChargesWanted(Fact):
    """The charges from `since` on, up to `until` and no more than about a hundred of them; `span` is tried first.

    `sift` leaves out what is carried already.
    """

    connection: str
    since: AwareDatetime
    until: AwareDatetime
    span: timedelta
    sift: bool = False


class ChargePage(Fact):
    """The charges up to `until`, the oldest first; `span` is what the next page should try.

    `known` counts those that were left out; `given_back` are those of them that stand and were refunded or disputed.
    """

    rows: tuple[ChargeRow, ...] = ()
    until: AwareDatetime
    span: timedelta
    known: int = 0
    given_back: tuple[ChargeRow, ...] = ()


class Quota(Fact):
    """What an organisation may still be asked today; None: nobody knows (yet)."""

    left: int | None = None
    limit: int | None = None
    resets_at: AwareDatetime | None = None


class Phase(StrEnum):
    """What a backfill is at."""

    COUNT = "count"  # how many payments there are
    CARRY = "carry"


class Cases(Fact):
    """How far a backfill has come with the refunds and disputes of its payments.

    `due` are payments whose refunds and disputes are still to be listed, once they are carried; `queue` those that are
    to be started. `started` counts the runs, of which `open` are under way and `waiting` wait for a person, for their
    payment or for Stripe; `known` those that had a run, or were carried, before.
    """

    due: tuple[ChargeRow, ...] = ()
    queue: tuple[Heard, ...] = ()
    open: tuple[Heard, ...] = ()
    started: int = 0
    known: int = 0
    completed: int = 0
    waiting: int = 0
    failed: int = 0

    @property
    def over(self) -> bool:
        """Whether nothing is left to list, to start or to look at."""
        return not (self.due or self.queue or self.open)

    @property
    def found(self) -> int:
        """Those that were listed so far."""
        return self.started + self.known + len(self.queue)


class Backfilled(Fact):
    """How far a backfill has come. Every payment of the range up to `at` is in one of the counts, or in `queue`.

    `started` counts the runs that it started, of which `open` are under way, `waiting` wait for a person, `completed`
    and `failed` have closed; `known` the payments that had a run, or were carried, before; `refunded` those that it
    started and of which money has gone back or is disputed, which is in `cases`. `quota` is what was read last.
    """

    since: AwareDatetime
    until: AwareDatetime
    phase: Phase = Phase.COUNT
    at: AwareDatetime
    span: timedelta
    total: int = 0
    started: int = 0
    known: int = 0
    completed: int = 0
    waiting: int = 0
    failed: int = 0
    refunded: int = 0
    cases: Cases = Cases()
    queue: tuple[ChargeRow, ...] = ()
    open: tuple[str, ...] = ()
    paused: bool = False
    waits: str = ""
    quota: Quota = Quota()
    done_at: AwareDatetime | None = None

    @property
    def busy(self) -> int:
        """Runs that are under way."""
        return len(self.open) + len(self.cases.open)

    @property
    def left(self) -> int:
        """Payments that were neither started nor found known."""
        return max(0, self.total - self.started - self.known)


class BackfillInput(Fact):
    """What a backfill starts with.

    `at_once`: runs that are open at the same time; one that waits for a person does not count. `calls_each`: Zoho's
    calls that a payment is taken to need. `reserve`: calls of the day that are left to live payments. `per_minute`:
    calls that bulk work may make a minute, for the forecast; 0 for no such limit. `check_every`: how often at least it
    looks how its runs are doing. `state` is what a run that continues as new takes with it.
    """

    connection: str
    organization_id: str
    since: AwareDatetime
    until: AwareDatetime
    policy: PaymentPolicy = PaymentPolicy()
    at_once: int = Field(default=20, ge=1, le=1000)
    calls_each: int = Field(default=CALLS_EACH, ge=1)
    reserve: int = Field(default=0, ge=0)
    per_minute: int = Field(default=0, ge=0)
    check_every: timedelta = timedelta(seconds=10)
    state: Backfilled | None = None

    def begun(self) -> Backfilled:
        """Where it stands at first."""
        return Backfilled(since=self.since, until=self.until, at=self.since, span=self.until - self.since)


class BackfillRows(Fact):
    """Payments whose runs are to be started."""

    connection: str
    rows: tuple[ChargeRow, ...]


class CasesFound(Fact):
    """Refunds and disputes that have no run and were not carried; `known` counts the others."""

    cases: tuple[Heard, ...] = ()
    known: int = 0


class CaseRows(Fact):
    """Refunds and disputes whose runs are to be started."""

    connection: str
    cases: tuple[Heard, ...]


class WatchInput(Fact):
    """Payments, refunds and disputes whose runs a backfill has started, and the organisation whose day they use."""

    connection: str
    organization_id: str
    payment_ids: tuple[str, ...] = ()
    cases: tuple[Heard, ...] = ()


class Watched(Fact):
    """How they are doing, and what the day leaves. `without_order`: the payments that have closed as failed."""

    open: tuple[str, ...] = ()
    waiting: int = 0
    completed: int = 0
    failed: int = 0
    without_order: tuple[str, ...] = ()
    cases: Cases = Cases()
    quota: Quota = Quota()


def said(cases: Cases) -> str:
    """How far refunds and disputes have come, for people."""
    more = f"; those of {len(cases.due)} payments are still to be listed" if cases.due else ""
    return (
        f"{cases.found} refunds and disputes: {cases.started} started, {cases.completed} completed, "
        f"{len(cases.open)} under way, {cases.waiting} wait for a person, their payment or Stripe, "
        f"{cases.failed} aborted, {cases.known} were carried before, {len(cases.queue)} are left{more}"
    )


def room(quota: Quota, busy: int, *, at_once: int, calls_each: int, reserve: int) -> int:
    """How many payments may be started now, while `busy` are under way, so that the day's reserve is not touched."""
    places = max(0, at_once - busy)
    if quota.left is None:
        return places
    return min(places, max(0, (quota.left - reserve) // calls_each - busy))


def forecast(
    payments: int, quota: Quota, now: datetime, *, calls_each: int, reserve: int, per_minute: int
) -> datetime | None:
    """When `payments` will be carried, if each takes `calls_each` and live payments no more than `reserve` a day.

    `per_minute` 0 is no limit. None where that never ends (a day leaves nothing), or where nothing limits it that is
    known. UTC in, UTC out.
    """
    calls, pace = payments * calls_each, per_minute / _MINUTE.total_seconds()
    if calls <= 0:
        return now
    if quota.limit is None or quota.left is None or quota.resets_at is None:
        return now + timedelta(seconds=calls / pace) if pace else None
    today = _fits(quota.left - reserve, pace, quota.resets_at - now)
    if calls <= today:
        return now + timedelta(seconds=calls / pace) if pace else now
    each_day, beyond = _fits(quota.limit - reserve, pace, _DAY), calls - today
    if not each_day:
        return None
    days = math.ceil(beyond / each_day) - 1
    last = beyond - days * each_day
    return quota.resets_at + days * _DAY + (timedelta(seconds=last / pace) if pace else timedelta(0))


def _fits(calls: int, pace: float, span: timedelta) -> int:
    """Calls that a time has room for."""
    allowed = max(0, calls)
    return min(allowed, int(pace * max(0.0, span.total_seconds()))) if pace else allowed


def overlap(since: datetime, until: datetime, other_since: datetime, other_until: datetime) -> bool:
    """Whether two ranges, each without its end, share a moment."""
    return since < other_until and other_since < until
