"""What one organisation may still ask of Zoho, one row for all workers: pure decisions over that row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from clients.zoho.codec import Limit, Quota
from domain.quota import bulk_resumes, kept_for_live, live_pace, runs_out, slid, used_up_at, warning, whole_minute

_SAME_RESET = timedelta(minutes=5)  # two answers whose resets are closer than this speak of the same day
_RELEARN = timedelta(minutes=10)  # after a refusal for calls at once, one more is tried each time this has passed
_SHARE = 0.92  # of the minute's calls are spread evenly; a twentieth of the minute's may come in a burst
_BURST = 20
_LATE = 0.01  # of the minute's calls, one at most, may be made up for where a caller came a little late for its turn


@dataclass(frozen=True, slots=True)
class Rules:
    """What the connection's settings say. `per_minute` 0 leaves the minute to Temporal's queue alone.

    A `bulk` caller stands behind live payments: it leaves them `reserve` calls of the day beyond what they will want
    (domain.quota), the burst of the minute, and half of the calls at once.
    """

    at_once: int
    per_minute: int
    reserve: int
    bulk: bool = False


@dataclass(frozen=True, slots=True)
class Budget:
    """The row of one organisation, times in UTC. None: not known (yet).

    `day_*` as Zoho's answers last told, `told_at` when; `first_*` what was left up to an hour ago, bulk calls since
    then taken off, for the forecast. `live_*` are our own calls of today and of the day before, those in bulk apart.
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
    live_today: int = 0
    live_before: int = 0

    def left(self, now: datetime) -> int | None:
        """Calls left of the day; None where the last word about them is of another day, or there was none."""
        if self.day_left is None or self.day_resets_at is None or now >= self.day_resets_at:
            return None
        return self.day_left

    def gone_at(self, now: datetime) -> datetime | None:
        """When the day's quota will be used up at the pace of the last hour; None where it lasts.

        Calls in bulk are left out, for such work stops by itself before; other programs' calls are not.
        """
        left, ends = self.left(now), self.day_resets_at
        if left is None or ends is None or self.first_left is None or self.first_at is None:
            return None
        return used_up_at(self.first_left - left, self.first_at, left, now, ends)

    def short(self, now: datetime) -> timedelta:
        """How long before its end the day's quota will be used up; 0 where it lasts."""
        gone = self.gone_at(now)
        return timedelta(0) if gone is None or self.day_resets_at is None else self.day_resets_at - gone

    def warning(self, now: datetime) -> tuple[datetime, str] | None:
        """The day's end, and what people are to be told of a day whose quota will not last; None where it may."""
        left, limit, ends, gone = self.left(now), self.day_limit, self.day_resets_at, self.gone_at(now)
        if left is None or limit is None or ends is None or not runs_out(limit, left, gone):
            return None
        return whole_minute(ends), warning(limit, left, gone, ends, self.time_zone)

    def live_pace(self, now: datetime) -> float:
        """Calls an hour that live payments will want until the day ends."""
        return live_pace(self.live_today, self.live_before, self._remaining(now))

    def wanted_live(self, now: datetime) -> int:
        """Calls that live payments will want yet today."""
        return kept_for_live(0, self.live_pace(now), self._remaining(now))

    def kept(self, rules: Rules, now: datetime) -> int:
        """Calls of the day that work in bulk leaves to live payments."""
        return kept_for_live(rules.reserve, self.live_pace(now), self._remaining(now))

    def day_is_over_for(self, rules: Rules, now: datetime) -> datetime | None:
        """Until when such a caller has nothing of the day left; None where it has, or nobody knows."""
        left, ends = self.left(now), self.day_resets_at
        if left is None or ends is None or left > (self.kept(rules, now) if rules.bulk else 0):
            return None
        return bulk_resumes(left, rules.reserve, self.live_pace(now), now, ends) if rules.bulk and left else ends

    def _remaining(self, now: datetime) -> timedelta:
        return max(self.day_resets_at - now, timedelta(0)) if self.day_resets_at else timedelta(0)

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
    bulk: bool = False


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
    if (over := budget.day_is_over_for(rules, now)) is not None:
        return Hold("45", over)
    if busy >= (1 if budget.blocked_code else _places(budget, rules, now)):
        return Hold("1070")
    earliest = _earliest(budget, rules)
    return Hold("44", earliest) if earliest is not None and now < earliest else None


def on_entry(budget: Budget, rules: Rules, now: datetime) -> Budget:
    """The row after a call was let in: it counts towards the minute."""
    if not rules.per_minute:
        return budget
    interval = _interval(rules)
    late = interval * min(1.0, rules.per_minute * _LATE)
    return replace(budget, next_at=max(budget.next_at or now, now - late) + interval)


def after_call(budget: Budget, busy: int, outcome: Outcome, now: datetime) -> Budget:
    """The row after the call, which was one of `busy` in process."""
    if outcome.quota is not None:
        budget = _told(budget, outcome.quota, now, bulk=outcome.bulk)
    if outcome.answered and not outcome.bulk:
        budget = replace(budget, live_today=budget.live_today + 1)
    if outcome.limit is not None:
        return _refused(budget, outcome.limit, busy, now)
    over = budget.blocked_until is not None and outcome.entered >= budget.blocked_until
    return replace(budget, blocked_until=None, blocked_code="") if outcome.answered and over else budget


def _places(budget: Budget, rules: Rules, now: datetime) -> int:
    """How many calls may be in process beside which such a caller still begins one."""
    most = budget.calls_at_once(rules, now)
    return max(1, most // 2) if rules.bulk else most


def _earliest(budget: Budget, rules: Rules) -> datetime | None:
    """When the next call fits: a leaky bucket as one moment. In any 60 s there are at most 98 of 100 calls.

    A bulk call goes into an empty bucket only, so it costs a live one an interval at most, and live ones that follow
    each other keep it out.
    """
    if not rules.per_minute or budget.next_at is None:
        return None
    burst = 1 if rules.bulk else max(1, rules.per_minute // _BURST)
    return budget.next_at - _interval(rules) * (burst - 1)


def _interval(rules: Rules) -> timedelta:
    return timedelta(seconds=60 / (rules.per_minute * _SHARE))


def _told(budget: Budget, quota: Quota, now: datetime, *, bulk: bool) -> Budget:
    """Answers overtake each other: within a day the smallest number is the newest."""
    known = budget.day_resets_at
    if known is not None and quota.resets_at < known - _SAME_RESET and now < known:
        return budget
    same_day = known is not None and abs(quota.resets_at - known) <= _SAME_RESET
    if same_day and quota.limit == budget.day_limit and budget.day_left is not None:
        return _paced(replace(budget, day_left=min(budget.day_left, quota.remaining), told_at=now), now, bulk=bulk)
    if known is not None and not same_day:
        budget = replace(budget, live_today=0, live_before=budget.live_today)
    return replace(
        budget,
        day_limit=quota.limit,
        day_left=quota.remaining,
        day_resets_at=quota.resets_at,
        told_at=now,
        first_left=quota.remaining,
        first_at=now,
    )


def _paced(budget: Budget, now: datetime, *, bulk: bool) -> Budget:
    """The pace of the last hour, this answer counted unless its call was one in bulk."""
    assert budget.day_left is not None
    if budget.first_left is None or budget.first_at is None:
        return replace(budget, first_left=budget.day_left, first_at=now)
    used = max(0, budget.first_left - budget.day_left - bulk)
    used, since = slid(used, budget.first_at, now)
    return replace(budget, first_left=budget.day_left + used, first_at=since)


def _refused(budget: Budget, limit: Limit, busy: int, now: datetime) -> Budget:
    until = now + timedelta(seconds=limit.pause)
    if budget.blocked_until is None or until > budget.blocked_until:
        budget = replace(budget, blocked_until=until, blocked_code=limit.code)
    if limit.code == "1070":
        budget = replace(budget, at_once=max(1, busy - 1), at_once_at=now)
    return budget
