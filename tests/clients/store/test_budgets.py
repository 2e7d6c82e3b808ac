"""One budget for all workers: who may call, who waits, and what one learns for all."""

from __future__ import annotations

import asyncio
import sys
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from clients.keys import KeyRing
from clients.store import Store
from clients.zoho.budget import Budget, Hold, Outcome, Rules
from clients.zoho.codec import Limit, Quota
from tests.clients.store.conftest import AT

RULES = Rules(at_once=3, per_minute=0, reserve=0)
LEASE = timedelta(seconds=30)


@pytest.fixture
def organization() -> str:
    """An organisation that nobody else asks."""
    return str(uuid.uuid4().int % 10**12)


async def enter(store: Store, organization: str, slot: str, now: datetime = AT) -> Hold | None:
    entry = await store.budgets.enter(organization, slot=slot, rules=RULES, until=now + LEASE, now=now)
    return entry.hold


async def leave(store: Store, organization: str, slot: str, **outcome: Any) -> None:
    await store.budgets.leave(organization, slot=slot, outcome=Outcome(AT, **outcome), now=AT)


async def test_of_twenty_callers_in_two_stores_three_go(
    store: Store, url: str, keys: KeyRing, organization: str
) -> None:
    """The first row and the last place are each taken once, whoever comes at the same moment."""
    other = await Store.open(url, keys)
    stores = [store, other] * 10
    held = await asyncio.gather(*(enter(each, organization, f"s{n}") for n, each in enumerate(stores)))
    await other.close()
    assert held.count(None) == 3
    assert held.count(Hold("1070")) == 17


async def test_a_place_is_free_again_after_the_call_or_by_time(store: Store, organization: str) -> None:
    """A worker that died blocks its places for its lease and no longer."""
    for slot in "abc":
        assert await enter(store, organization, slot) is None
    assert await enter(store, organization, "d") == Hold("1070")
    await leave(store, organization, "a", answered=True)
    assert await enter(store, organization, "d") is None
    assert await enter(store, organization, "e", AT + LEASE - timedelta(seconds=1)) == Hold("1070")
    assert await enter(store, organization, "e", AT + LEASE) is None


async def test_what_one_learns_another_store_knows(store: Store, url: str, keys: KeyRing, organization: str) -> None:
    """Quota, block, places and time zone outlive the store that wrote them."""
    assert await store.budgets.read(organization) is None
    for slot in "abc":
        await enter(store, organization, slot)
    quota = Quota(limit=2500, remaining=17, resets_at=AT + timedelta(hours=9))
    await leave(store, organization, "a", answered=True, quota=quota, limit=Limit("1070", 2.0))
    await store.budgets.learn_zone(organization, "Europe/Berlin")
    other = await Store.open(url, keys)
    assert await enter(other, organization, "x") == Hold("1070", AT + timedelta(seconds=2))
    found = await other.budgets.read(organization)
    await other.close()
    assert found == Budget(
        organization,
        day_limit=2500,
        day_left=17,
        day_resets_at=AT + timedelta(hours=9),
        told_at=AT,
        first_left=17,
        first_at=AT,
        at_once=2,
        at_once_at=AT,
        blocked_until=AT + timedelta(seconds=2),
        blocked_code="1070",
        time_zone="Europe/Berlin",
        live_today=1,
    )


async def test_what_was_learned_can_be_forgotten(store: Store, organization: str) -> None:
    """After a plan was bought the next call asks Zoho again; an organisation that nobody knows is no fault."""
    await store.budgets.forget(organization)
    await enter(store, organization, "a")
    quota = Quota(limit=1000, remaining=0, resets_at=AT + timedelta(hours=9))
    await leave(store, organization, "a", answered=True, quota=quota, limit=Limit("45", 3600.0))
    assert await enter(store, organization, "b") == Hold("45", AT + timedelta(hours=1))
    await store.budgets.forget(organization)
    assert await enter(store, organization, "b") is None
    found = await store.budgets.read(organization)
    assert found is not None
    assert (found.day_limit, found.left(AT), found.time_zone) == (1000, None, "")


async def test_organisations_do_not_share(store: Store, organization: str) -> None:
    """One full house leaves another alone."""
    for slot in "abc":
        await enter(store, organization, slot)
    assert await enter(store, f"{organization}9", "a") is None


async def test_four_processes_together_keep_to_the_places(empty_url: str, keys: KeyRing) -> None:
    """Each makes thirty calls, eight at a time: never more than three are in process, and all are made."""
    command = [sys.executable, "-m", "tests.clients.store.entrant", empty_url, keys.to_text(), "70001", "30"]
    store = await Store.open(empty_url, keys)
    programs = [await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE) for _ in range(4)]
    told = [(await program.communicate())[0].decode() for program in programs]
    await store.close()
    spans = [tuple(map(float, line.split())) for text in told for line in text.splitlines()]
    assert len(spans) == 120
    busiest = max(sum(begin <= at < end for begin, end in spans) for at, _ in spans)
    assert 1 <= busiest <= 3
