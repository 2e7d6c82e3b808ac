"""A call's turn where the call is given up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from clients.zoho.budget import Budget, Entry, Outcome, Rules
from clients.zoho.turns import Turns

AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@dataclass
class Away:
    """A BudgetStore that takes the place, and whose word of it stays on its way."""

    taken: set[str] = field(default_factory=set)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def enter(self, organization: str, *, slot: str, rules: Rules, until: datetime, now: datetime) -> Entry:
        """As if the answer of a committed transaction were lost."""
        self.taken.add(slot)
        self.asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def leave(self, organization: str, *, slot: str, outcome: Outcome, now: datetime) -> None:
        """The place is free again."""
        self.taken.discard(slot)

    async def learn_zone(self, organization: str, time_zone: str) -> None:
        """Nothing to learn."""

    async def read(self, organization: str) -> Budget | None:
        """Nothing is known."""
        return None


async def test_a_call_that_is_cancelled_while_it_asks_for_its_place_gives_it_back() -> None:
    """After a refusal one call alone may try: a place that nobody uses would hold all others for half a minute."""
    store = Away()
    rules = Rules(at_once=1, per_minute=0, reserve=0)
    turns = Turns(store, organization="org", rules=rules, timeout=20.0, now=lambda: AT, sleep=asyncio.sleep)

    async def call() -> None:
        async with turns.one():
            raise AssertionError("nobody let it in")

    calling = asyncio.create_task(call())
    await store.asked.wait()
    assert len(store.taken) == 1
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert store.taken == set()
