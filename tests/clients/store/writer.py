"""A process that opens the store and completes effects: `python -m …writer URL KEYS SHOP NAME COUNT`."""

from __future__ import annotations

import asyncio
import sys

from clients.keys import KeyRing
from clients.store import EffectState, Store
from tests.clients.store.conftest import AT

CONTESTED = 50
_AT_ONCE = 8


async def main(url: str, keys: str, shop: str, name: str, count: int) -> int:
    """Complete `count` effects of our own; answer how many of the contested ones were fresh for us."""
    store = await Store.open(url, KeyRing.from_text(keys))
    turns = asyncio.Semaphore(_AT_ONCE)

    async def effect(stripe_id: str) -> bool:
        async with turns:
            begun = await store.effects.begin(shop, "create_invoice", stripe_id, owner=name, at=AT)
            await store.effects.complete(shop, "create_invoice", stripe_id, result={"id": stripe_id}, at=AT, actor=name)
            return begun.state is EffectState.FRESH

    try:
        contested = await asyncio.gather(*(effect(f"pi_all_{number}") for number in range(CONTESTED)))
        own = await asyncio.gather(*(effect(f"pi_{name}_{number}") for number in range(count)))
    finally:
        await store.close()
    if not all(own):
        raise SystemExit("an effect of our own was not fresh")
    return sum(contested)


if __name__ == "__main__":
    address, ring, slug, who, number = sys.argv[1:]
    sys.stdout.write(str(asyncio.run(main(address, ring, slug, who, int(number)))))
