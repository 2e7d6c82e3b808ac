"""A process that takes turns: `python -m …entrant URL KEYS ORGANISATION COUNT`; prints each call's begin and end."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from clients.keys import KeyRing
from clients.store import Store
from clients.zoho.budget import Outcome, Rules

_RULES = Rules(at_once=3, per_minute=0, reserve=0)
_AT_ONCE = 8


async def main(url: str, keys: str, organization: str, count: int) -> list[tuple[float, float]]:
    """Make `count` calls that do nothing for 5 ms, each as soon as there is a place."""
    store = await Store.open(url, KeyRing.from_text(keys))
    turns = asyncio.Semaphore(_AT_ONCE)

    async def call() -> tuple[float, float]:
        slot = uuid4().hex
        async with turns:
            while True:
                now = datetime.now(UTC)
                until = now + timedelta(minutes=1)
                entry = await store.budgets.enter(organization, slot=slot, rules=_RULES, until=until, now=now)
                if entry.hold is None:
                    break
                await asyncio.sleep(0.01)
            begun = time.monotonic()
            await asyncio.sleep(0.005)
            ended = time.monotonic()
            await store.budgets.leave(organization, slot=slot, outcome=Outcome(now, True), now=datetime.now(UTC))
            return begun, ended

    try:
        return list(await asyncio.gather(*(call() for _ in range(count))))
    finally:
        await store.close()


if __name__ == "__main__":
    address, ring, asked, number = sys.argv[1:]
    for span in asyncio.run(main(address, ring, asked, int(number))):
        sys.stdout.write(f"{span[0]} {span[1]}\n")
