"""What one organisation may still ask of Zoho, one row for all workers: pure decisions over that row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from clients.zoho.codec import Limit, Quota

_SAME_RESET = timedelta(minutes=5)  # two answers whose resets are closer than this speak of the same day
_RELEARN = timedelta(minutes=10)  # after a refusal for calls at once, one more is tried each time this has passed
_SHARE = 0.9  # of the minute's calls are spread evenly, half of the rest may come in a burst
_BURST = 20


@dataclass(frozen=True, slots=True)
class Rules:
    """What the connection's settings say. `per_minute` 0 leaves the minute to Temporal's queue alone.

    `reserve` calls of the day are kept for live payments: a `bulk` caller does not touch them.
    """

    at_once: int
    per_minute: int
    reserve: int
    bulk: bool = False


@dataclass(frozen=True, slots=True)
class Budget:
    """The row of one organisation, times in UTC. None: not known (yet).

    `day_*` as Zoho's answers last told, `told_at` when; `first_*` what the day's first answer told, for the forecast.
    `at_once` was learned from a refusal at `at_once_at`. `next_at` is when the evenly spread calls reach this moment.
    `blocked_code` stays until a call that was made after `blocked_until` went well.
    """

    organization: str
    day_limit: int | None = None
    day_left: int | None = None
    day_resets_at: datetime | None = None
    told_at: datetime | None = None
    first_left: int | None = None
    first_at: datetime | None = None
    at_once: int | None = None
    at_once_at: datetime | None = None
    next_at: datetime | None = None
    blocked_until: datetime | None = None
    blocked_code: str = ""
    time_zone: str = ""

    def left(self, now: datetime) -> int | None:
        """Calls left of the day; None where the last word about them is of another day, or there was none."""
        if self.day_left is None or self.day_resets_at is None or now >= self.day_resets_at:
            return None
        return self.day_left

    def gone_at(self, now: datetime) -> datetime | None:
        """When the day's quota will be used up at the pace since the day's first answer; None where it lasts."""
        left = self.left(now)
        if left is None or self.first_left is None or self.first_at is None or self.told_at is None:
            return None
        used, span = self.first_left - left, self.told_at - self.first_at
        if used <= 0 or span <= timedelta(0):
            return None
        moment = self.told_at + span * (left / used)
        assert self.day_resets_at is not None
        return moment if moment < self.day_resets_at else None

    def calls_at_once(self, rules: Rules, now: datetime) -> int:
        """How many calls may be in process: the setting, or what a refusal taught, slowly forgotten."""
        if self.at_once is None or self.at_once_at is None:
            return rules.at_once
        return max(1, min(rules.at_once, self.at_once + (now - self.at_once_at) // _RELEARN))


@dataclass(frozen=True, slots=True)
class Hold:
    """A call must wait: the code of the limit it would meet, and until when where that is known."""

    code: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """The row as a caller found it, and what holds the call back; None: it may be made."""

    budget: Budget
    hold: Hold | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call that was let in at `entered`: nothing is `answered` where the connection broke."""

    entered: datetime
    answered: bool = False
    quota: Quota | None = None
    limit: Limit | None = None


class BudgetStore(Protocol):
    """Where the rows live. Every key is the organisation's id, for its connections share what Zoho allows."""

    async def enter(self, organization: str, *, slot: str, rules: Rules, until: datetime, now: datetime) -> Entry:
        """Take one of the calls at once, to be given back by `leave` or by time at `until`; or say what holds it."""
        ...

    async def leave(self, organization: str, *, slot: str, outcome: Outcome, now: datetime) -> None:
        """End the call and remember what its answer told."""
        ...

    async def learn_zone(self, organization: str, time_zone: str) -> None:
        """Remember the organisation's time zone, in which its day begins."""
        ...

    async def read(self, organization: str) -> Budget | None:
        """The row; None before the first call."""
        ...


def hold(budget: Budget, busy: int, rules: Rules, now: datetime) -> Hold | None:
    """What keeps a call from being made now, with `busy` others in process; None where it may be made.

    After a block one call alone tries whether it is over.
    """
    if budget.blocked_until is not None and now < budget.blocked_until:
        return Hold(budget.blocked_code, budget.blocked_until)
    left = budget.left(now)
    if left is not None and left <= (rules.reserve if rules.bulk else 0):
        return Hold("45", budget.day_resets_at)
    if busy >= (1 if budget.blocked_code else budget.calls_at_once(rules, now)):
        return Hold("1070")
    earliest = _earliest(budget, rules)
    return Hold("44", earliest) if earliest is not None and now < earliest else None


def on_entry(budget: Budget, rules: Rules, now: datetime) -> Budget:
    """The row after a call was let in: it counts towards the minute."""
    if not rules.per_minute:
        return budget
    return replace(budget, next_at=max(budget.next_at or now, now) + _interval(rules))


def after_call(budget: Budget, busy: int, outcome: Outcome, now: datetime) -> Budget:
    """The row after the call, which was one of `busy` in process."""
    if outcome.quota is not None:
        budget = _told(budget, outcome.quota, now)
    if outcome.limit is not None:
        return _refused(budget, outcome.limit, busy, now)
    over = budget.blocked_until is not None and outcome.entered >= budget.blocked_until
    return replace(budget, blocked_until=None, blocked_code="") if outcome.answered and over else budget


def _earliest(budget: Budget, rules: Rules) -> datetime | None:
    """When the next call fits: a leaky bucket as one moment. In any 60 s there are at most 95 of 100 calls."""
    if not rules.per_minute or budget.next_at is None:
        return None
    return budget.next_at - _interval(rules) * (max(1, rules.per_minute // _BURST) - 1)


def _interval(rules: Rules) -> timedelta:
    return timedelta(seconds=60 / (rules.per_minute * _SHARE))


def _told(budget: Budget, quota: Quota, now: datetime) -> Budget:
    """Answers overtake each other: within a day the smallest number is the newest."""
    known = budget.day_resets_at
    if known is not None and quota.resets_at < known - _SAME_RESET and now < known:
        return budget
    same_day = known is not None and abs(quota.resets_at - known) <= _SAME_RESET and quota.limit == budget.day_limit
    if same_day and budget.day_left is not None:
        return replace(budget, day_left=min(budget.day_left, quota.remaining), told_at=now)
    return replace(
        budget,
        day_limit=quota.limit,
        day_left=quota.remaining,
        day_resets_at=quota.resets_at,
        told_at=now,
        first_left=quota.remaining,
        first_at=now,
    )


def _refused(budget: Budget, limit: Limit, busy: int, now: datetime) -> Budget:
    until = now + timedelta(seconds=limit.pause)
    if budget.blocked_until is None or until > budget.blocked_until:
        budget = replace(budget, blocked_until=until, blocked_code=limit.code)
    if limit.code == "1070":
        budget = replace(budget, at_once=max(1, busy - 1), at_once_at=now)
    return budget
