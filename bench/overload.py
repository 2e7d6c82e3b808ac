"""A storm: ten times the orders that Zoho's minute has room for, and how many calls are wasted on its refusals."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.figures import Gale, Storm
from bench.house import House
from bench.shops import Shop
from bench.stats import Spread
from bench.till import TOLD, Sale, Till, webhooks
from clients.keys import KeyRing
from clients.store import Store
from clients.zoho.budget import Outcome, Rules
from clients.zoho.codec import Quota

_TIMES = 10
_CALLS = 5  # of a known customer's order
_TURNS = 300
# Zoho's limit of calls a minute, and what we are told of it (0: nothing, so only its refusals hold us).
SHOPS = {
    "our own pace": Shop(901, minute_limit=100, pace=100),
    "another program takes 40 of 100 calls": Shop(902, minute_limit=60, pace=100),
    "no pace of ours": Shop(903, minute_limit=100, pace=0),
}

Carry = Callable[[Sale], Awaitable[None]]


async def storm(house: House, till: Till, carry: Carry, orders: int) -> Storm:
    """All shops at once, each with `orders` of a known customer announced at ten times the limit."""
    gales = await asyncio.gather(*(_gale(house, till, carry, shop, orders) for shop in SHOPS.values()))
    return Storm(dict(zip(SHOPS, gales, strict=True)), await _turns(house.home / "turns.db"))


async def _gale(house: House, till: Till, carry: Carry, shop: Shop, orders: int) -> Gale:
    known, *sales = [await till.sell(shop) for _ in range(orders + 1)]
    await till.announce([known, *sales])
    await carry(known)
    before = await house.zoho_calls(shop)
    begun = time.monotonic()
    answers = await house.sender.at_rate(webhooks(sales, TOLD[1:2]), _TIMES * shop.minute_limit / 60 / _CALLS)
    if answers.refused:
        raise RuntimeError(f"{answers.refused} webhooks of the storm were refused")
    for sale in sales:
        await house.client.get_workflow_handle(sale.workflow_id).result()
    seconds = time.monotonic() - begun
    calls, refused = (now - then for now, then in zip(await house.zoho_calls(shop), before, strict=True))
    return Gale(orders, calls, refused, seconds)


async def _turns(file: Path) -> Spread:
    """What the budget adds to one call: a turn taken and given back, with a quota to remember, on a SQLite file."""
    store = await Store.open(f"sqlite+aiosqlite:///{file}", KeyRing.generate())
    rules = Rules(at_once=5, per_minute=1_000_000, reserve=0)
    times = []
    for number in range(_TURNS):
        now = datetime.now(UTC)
        until = now + timedelta(minutes=1)
        quota = Quota(limit=10_000, remaining=10_000 - number, resets_at=until)
        begun = time.perf_counter()
        await store.budgets.enter("1", slot=str(number), rules=rules, until=until, now=now)
        await store.budgets.leave("1", slot=str(number), outcome=Outcome(now, True, quota), now=now)
        times.append(time.perf_counter() - begun)
    await store.close()
    return Spread.of(times)
