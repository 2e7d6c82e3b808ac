"""Clients of one organisation share its budget: what one learns of a limit, the others do not ask for again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from clients.errors import QuotaGone, RateLimited
from clients.keys import KeyRing
from clients.store import Store
from clients.zoho.client import ZohoClient
from clients.zoho.tokens import MemoryTokens
from tests.clients.zoho.conftest import ORGANIZATION
from tests.clients.zoho.sandboxed.shop import Sandbox

NO_PACE: dict[str, Any] = {"calls_per_minute": 0}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store of this test alone."""
    opened = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/store.db", KeyRing.generate())
    yield opened
    await opened.close()


async def limited(sandbox: Sandbox, **limits: int) -> None:
    """Zoho's limits of the organisation."""
    await sandbox.post("/_seed", {"organizations": [{"organization_id": ORGANIZATION, **limits}]})


async def met(client: ZohoClient) -> str:
    """The code of what a call met, "" where it went well."""
    try:
        await client.list_taxes()
    except RateLimited as error:
        return error.code
    return ""


async def refused(sandbox: Sandbox) -> dict[str, int]:
    """What Zoho itself refused, by code."""
    return dict((await sandbox.ledger())["calls"]["refused"])


async def test_the_minute_limit_is_met_by_few_and_spared_to_the_rest(sandbox: Sandbox, store: Store) -> None:
    """200 calls of two workers at a limit of 20: those in process at the time are refused, all others not made."""
    await limited(sandbox, minute_limit=20)
    tokens = MemoryTokens()
    async with (
        sandbox.client(tokens, budgets=store.budgets, **NO_PACE) as one,
        sandbox.client(tokens, budgets=store.budgets, **NO_PACE) as other,
    ):
        found = Counter(await asyncio.gather(*(met(client) for client in [one, other] * 100)))
        assert found[""] == 20
        wasted = (await refused(sandbox))["44"]
        assert 1 <= wasted <= 5
        assert await met(one) == "44"
        assert (await refused(sandbox))["44"] == wasted


async def test_our_own_pace_meets_no_limit_at_all(sandbox: Sandbox, store: Store) -> None:
    """200 calls at once against a limit of 20 that the setting knows: none is refused by Zoho."""
    await limited(sandbox, minute_limit=20)
    async with sandbox.client(budgets=store.budgets, calls_per_minute=20) as client:
        found = Counter([await met(client) for _ in range(200)])
    assert found["44"] > 0
    assert found[""] > 0
    assert await refused(sandbox) == {}


async def test_when_a_block_is_over_one_call_tries_first(sandbox: Sandbox, store: Store) -> None:
    """A block that lasts longer than was thought costs one call each time, however many wait for its end."""
    tokens = MemoryTokens()
    async with sandbox.client(tokens, budgets=store.budgets, **NO_PACE) as client:
        for _ in range(3):
            await sandbox.fault("rate_limit", "GET", "/settings/taxes", code=44, retry_after=0.8)
        await met(client)
        for times in (2, 3):
            await asyncio.sleep(0.85)
            await sandbox.post("/_switches", {"answer_seconds": 0.1})
            found = Counter(await asyncio.gather(*(met(client) for _ in range(5))))
            assert (found["44"] + found["1070"], await hits(sandbox)) == (5, times)
        await asyncio.sleep(0.85)
        assert await met(client) == ""
        assert Counter(await asyncio.gather(*(met(client) for _ in range(5)))) == {"": 5}


async def hits(sandbox: Sandbox) -> int:
    """How many calls reached Zoho."""
    return int(sum((await sandbox.ledger())["calls"]["counts"].values()))


async def test_calls_at_once_are_kept_to_the_setting(sandbox: Sandbox, store: Store) -> None:
    """Two workers together have five calls in process, so a free organisation refuses none."""
    await limited(sandbox, concurrency_limit=5)
    await sandbox.post("/_switches", {"answer_seconds": 0.05})
    tokens = MemoryTokens()
    async with (
        sandbox.client(tokens, seconds=30.0, budgets=store.budgets, **NO_PACE) as one,
        sandbox.client(tokens, seconds=30.0, budgets=store.budgets, **NO_PACE) as other,
    ):
        found = Counter(await asyncio.gather(*(met(client) for client in [one, other] * 20)))
    assert found == {"": 40}
    assert await refused(sandbox) == {}


async def test_calls_at_once_are_learned_from_a_refusal(sandbox: Sandbox, store: Store) -> None:
    """Where Zoho takes fewer than the setting says, a handful of refusals teaches it."""
    await limited(sandbox, concurrency_limit=2)
    await sandbox.post("/_switches", {"answer_seconds": 0.05})
    await sandbox.post("/_switches", {"retry_after_header": True})
    async with sandbox.client(seconds=60.0, budgets=store.budgets, calls_at_once=10, **NO_PACE) as client:
        await asyncio.gather(*(met(client) for _ in range(40)))
        budget = await store.budgets.read(ORGANIZATION)
        assert budget is not None
        assert budget.at_once is not None
        assert budget.at_once <= 2
        before = (await refused(sandbox))["1070"]
        assert before <= 8
        assert Counter(await asyncio.gather(*(met(client) for _ in range(20)))) == {"": 20}
        assert (await refused(sandbox))["1070"] == before


async def test_a_day_without_calls_left_is_not_asked(sandbox: Sandbox, store: Store) -> None:
    """The header said zero: no call of any worker is made, and the error says until when, in the shop's own time."""
    await limited(sandbox, daily_limit=4)
    tokens = MemoryTokens()
    async with (
        sandbox.client(tokens, budgets=store.budgets) as one,
        sandbox.client(tokens, budgets=store.budgets) as other,
    ):
        await one.get_organization()
        for client in (one, other, one, other):
            await client.list_taxes()
        with pytest.raises(QuotaGone) as caught:
            await one.list_taxes()
        assert await met(other) == "45"
    assert await refused(sandbox) == {}
    gone = caught.value
    assert gone.message == "Zoho's daily quota of 4 calls is used up"
    tomorrow = datetime.now(UTC) + timedelta(days=1, hours=2)
    assert gone.until < tomorrow
    assert (gone.until.minute, gone.until.second) == (0, 0)
    assert " 00:00 Europe/Berlin (" in gone.when
    assert f"({gone.until:%H:%M} UTC)" in gone.when


async def test_a_45_out_of_the_blue_holds_everybody(sandbox: Sandbox, store: Store) -> None:
    """Another program used the day up: one call learns it, the others are not made."""
    tokens = MemoryTokens()
    await sandbox.fault("rate_limit", "GET", "/settings/taxes", code=45, retry_after=30, times=None)
    async with (
        sandbox.client(tokens, budgets=store.budgets) as one,
        sandbox.client(tokens, budgets=store.budgets) as other,
    ):
        with pytest.raises(QuotaGone) as caught:
            await one.list_taxes()
        assert caught.value.retry_after == pytest.approx(30, abs=2)
        assert [await met(client) for client in (one, other, one)] == ["45"] * 3
    assert await hits(sandbox) == 1


async def test_bulk_work_stops_at_the_reserve(sandbox: Sandbox, store: Store) -> None:
    """With a reserve of three a sweep is told to wait where a live payment still goes."""
    await limited(sandbox, daily_limit=5)
    tokens = MemoryTokens()
    async with (
        sandbox.client(tokens, budgets=store.budgets, bulk=True, daily_reserve=3, **NO_PACE) as sweep,
        sandbox.client(tokens, budgets=store.budgets, daily_reserve=3) as live,
    ):
        assert [await met(sweep) for _ in range(3)] == ["", "", "45"]
        with pytest.raises(QuotaGone, match="but for 3 calls kept for live payments"):
            await sweep.list_taxes()
        assert [await met(live) for _ in range(4)] == ["", "", "", "45"]
    assert await refused(sandbox) == {}


async def test_a_rush_of_payments_goes_at_once_beside_bulk_work(sandbox: Sandbox, store: Store) -> None:
    """Twenty bulk calls at once: one goes, or two, the others are told to come back; four live ones go all the same."""
    tokens = MemoryTokens()
    async with (
        sandbox.client(tokens, budgets=store.budgets, bulk=True) as sweep,
        sandbox.client(tokens, budgets=store.budgets) as live,
    ):
        behind = Counter(await asyncio.gather(*(met(sweep) for _ in range(20))))
        ahead = Counter(await asyncio.gather(*(met(live) for _ in range(4))))
        assert 1 <= behind[""] <= 2
        assert ahead == {"": 4}
        with pytest.raises(RateLimited) as told:
            await sweep.list_taxes()
        assert told.value.retry_after is not None
        assert told.value.retry_after >= 5
    assert await hits(sandbox) == behind[""] + 4
    assert await refused(sandbox) == {}


async def test_calls_go_on_while_the_store_is_away(sandbox: Sandbox, store: Store) -> None:
    """A budget that cannot be read holds nobody up."""

    def lose(visit: Connection) -> None:
        visit.execute(text("DROP TABLE budgets"))

    await store.budgets._database.write(lose)
    async with sandbox.client(budgets=store.budgets) as client:
        assert [await met(client) for _ in range(3)] == ["", "", ""]


async def test_a_broken_call_gives_its_place_back(sandbox: Sandbox, store: Store) -> None:
    """A connection that breaks and a caller who gives up leave no place taken."""
    async with sandbox.client(budgets=store.budgets, calls_at_once=1, **NO_PACE) as client:
        await client.list_taxes()
        await sandbox.fault("drop", "GET", "/settings/taxes")
        with pytest.raises(Exception, match="connection broke"):
            await client.list_taxes()
        await sandbox.fault("slow", "GET", "/settings/taxes", seconds=0.3)
        asking = asyncio.create_task(client.list_taxes())
        await asyncio.sleep(0.1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await met(client) == ""
