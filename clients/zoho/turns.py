"""A call's turn: taken from the organisation's budget just before the call, given back with what the answer told."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from clients.errors import QuotaGone, RateLimited, TryLater
from clients.zoho.budget import Budget, BudgetStore, Entry, Hold, Outcome, Rules
from clients.zoho.codec import Answer, read_limit, read_quota, said
from domain.quota import moment, whole_minute

log = logging.getLogger(__name__)

_PATIENCE = 0.1  # of a call's time may be waited for a turn; a repeat through Temporal costs a place in its queue
_POLL = 0.05  # seconds between two looks for a free place, in the mean
_STORE = 2.0  # seconds for the store's word; a store that takes longer is away, and calls go on
_OUTLIVES = timedelta(seconds=10)  # a place is free again this long after its call must have ended
_FULL = 1.0  # seconds until a call that found no place is made again
_BEHIND = 5.0  # seconds at least until a bulk call is, for live ones are at work
_LONG = 600.0  # a wait so long ends with a day, whose end is a full minute
_JITTER = 0.1


@dataclass
class Turn:
    """One call under way. `answer` is set once it came; `budget` is the row it began with."""

    budget: Budget | None = None
    answer: Answer | None = None


class Turns:
    """Lets one process's calls to one organisation in, as its budget allows. Without a store every call goes."""

    def __init__(
        self,
        budgets: BudgetStore | None,
        *,
        organization: str,
        rules: Rules,
        timeout: float,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._budgets = budgets
        self._organization = organization
        self._rules = rules
        self._timeout = timeout
        self._now = now
        self._sleep = sleep
        self._places = asyncio.Semaphore(rules.at_once)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Turn]:
        """A turn, for one request. RateLimited or QuotaGone where it would be refused: then it is not made."""
        if self._budgets is None:
            yield Turn()
            return
        async with self._place():
            slot = uuid4().hex
            turn = Turn(await self._enter(self._budgets, slot))
            entered = self._now()
            try:
                yield turn
            finally:
                await self._leave(self._budgets, slot, self._outcome(turn, entered))

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """One of this process's own places, so that it never asks the store in vain because of itself."""
        try:
            async with asyncio.timeout(self._timeout * _PATIENCE):
                await self._places.acquire()
        except TimeoutError:
            raise self._held(Hold("1070"), None, self._now()) from None
        try:
            yield
        finally:
            self._places.release()

    async def learn_zone(self, time_zone: str) -> None:
        """Keep the time zone in which the organisation's day ends."""
        if self._budgets is not None:
            try:
                await self._budgets.learn_zone(self._organization, time_zone)
            except TryLater as error:
                log.warning("the budget of %s is away: %s", self._organization, error)

    def gone(self, pause: float, budget: Budget | None) -> QuotaGone:
        """The error of a day whose quota is used up for `pause` more seconds."""
        return _gone(_end_of(self._now() + timedelta(seconds=pause), pause), budget, self._rules, self._now())

    async def _enter(self, budgets: BudgetStore, slot: str) -> Budget | None:
        deadline = self._now() + timedelta(seconds=self._timeout * _PATIENCE)
        while True:
            entry = await self._ask(budgets, slot)
            if entry is None or entry.hold is None:
                return entry.budget if entry else None
            now = self._now()
            pause = random.uniform(0.5, 1.5) * _POLL if entry.hold.until is None else _seconds(entry.hold.until, now)
            if entry.hold.code == "45" or now + timedelta(seconds=pause) > deadline:
                raise self._held(entry.hold, entry.budget, now)
            await self._sleep(pause)

    async def _ask(self, budgets: BudgetStore, slot: str) -> Entry | None:
        """The store's word; None where it is away."""
        now = self._now()
        until = now + timedelta(seconds=self._timeout) + _OUTLIVES
        try:
            async with asyncio.timeout(_STORE):
                return await budgets.enter(self._organization, slot=slot, rules=self._rules, until=until, now=now)
        except (TryLater, TimeoutError) as error:
            log.warning("the budget of %s is away, the call is made without it: %s", self._organization, error)
            return None
        except asyncio.CancelledError:
            # The store may have given the place all the same, and nobody would give it back before `until`.
            await self._leave(budgets, slot, Outcome(now))
            raise

    async def _leave(self, budgets: BudgetStore, slot: str, outcome: Outcome) -> None:
        try:
            async with asyncio.timeout(_STORE):
                await budgets.leave(self._organization, slot=slot, outcome=outcome, now=self._now())
        except (TryLater, TimeoutError) as error:
            log.warning("the budget of %s is away, an answer's word is lost: %s", self._organization, error)

    def _outcome(self, turn: Turn, entered: datetime) -> Outcome:
        if turn.answer is None:
            return Outcome(entered)
        quota, limit = read_quota(turn.answer.headers, self._now()), read_limit(turn.answer)
        return Outcome(entered, True, quota, limit, bulk=self._rules.bulk)

    def _held(self, hold: Hold, budget: Budget | None, now: datetime) -> RateLimited:
        """The error of a call that was not made: what Zoho would have said, without asking it."""
        if hold.code == "45" and hold.until is not None:
            return _gone(_end_of(hold.until, _seconds(hold.until, now)), budget, self._rules, now)
        pause = _FULL if hold.until is None else _seconds(hold.until, now)
        pause = max(pause, _BEHIND) if self._rules.bulk else pause
        pause += random.uniform(0, max(pause, _FULL) * _JITTER)
        message = f"not asked, for Zoho would refuse: {said(hold.code)}; again in {pause:.0f} s"
        return RateLimited("zoho", message, code=hold.code, status=429, retry_after=pause)


def _seconds(until: datetime, now: datetime) -> float:
    return max(0.0, (until - now).total_seconds())


def _end_of(until: datetime, pause: float) -> datetime:
    return until if pause < _LONG else whole_minute(until)


def _gone(until: datetime, budget: Budget | None, rules: Rules, now: datetime) -> QuotaGone:
    of = f" of {budget.day_limit} calls" if budget and budget.day_limit else ""
    live = budget.kept(rules, now) if budget and rules.bulk else 0
    kept = f" but for {live} calls kept for live payments" if live else ""
    message = f"Zoho's daily quota{of} is used up{kept}"
    when = moment(until, budget.time_zone if budget else "")
    return QuotaGone("zoho", message, until=until, when=when, retry_after=_seconds(until, now))
