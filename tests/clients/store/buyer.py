"""A process of buyers: `python -m …buyer URL KEYS SHOP NAME COUNT LEDGER`; prints how many got a piece.

LEDGER is a file that plays Zoho: one byte for each piece sold, appended when an order is confirmed.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from decimal import Decimal
from pathlib import Path

from clients.keys import KeyRing
from clients.store import Store
from domain.stock import Verdict
from tests.clients.store.conftest import AT

PIECES = 10
_AT_ONCE = 8


async def main(url: str, keys: str, shop: str, name: str, count: int, ledger: Path) -> int:
    """Let `count` buyers of one piece each try until they know."""
    store = await Store.open(url, KeyRing.from_text(keys))
    turns = asyncio.Semaphore(_AT_ONCE)

    async def buy(payment_id: str) -> bool:
        async with turns:
            while True:
                since = await store.reservations.tick(shop)
                left = {"i": Decimal(PIECES - ledger.stat().st_size)}
                await asyncio.sleep(random.random() / 200)
                wanted = {"i": Decimal(1)}
                found = await store.reservations.reserve(shop, payment_id, wanted, left=left, since=since, at=AT)
                if found.verdict is Verdict.TOO_LITTLE:
                    return False
                if found.verdict is Verdict.ENOUGH:
                    break
                await asyncio.sleep(0.01)
            with ledger.open("ab") as sold:
                sold.write(b"x")
                sold.flush()
                os.fsync(sold.fileno())
            await asyncio.sleep(random.random() / 200)
            await store.reservations.confirm(shop, payment_id, at=AT)
            return True

    try:
        return sum(await asyncio.gather(*(buy(f"pi_{name}_{number}") for number in range(count))))
    finally:
        await store.close()


if __name__ == "__main__":
    address, ring, slug, who, number, file = sys.argv[1:]
    sys.stdout.write(str(asyncio.run(main(address, ring, slug, who, int(number), Path(file)))))
