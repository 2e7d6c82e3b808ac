"""A process of a fleet: `python -m …worker SANDBOX STORE KEYS CALLS`; asks Zoho so many times at once when told to."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

from clients.errors import ClientError
from clients.keys import KeyRing
from clients.store import Store
from clients.zoho.client import ZohoClient
from clients.zoho.transport import open_http
from tests.clients.zoho.conftest import an_account


async def main(sandbox: str, store_url: str, keys: str, calls: int) -> None:
    """One round of calls for each line on standard input; answers each with how many went well."""
    store = await Store.open(store_url, KeyRing.from_text(keys))
    account = an_account(api_base=sandbox, accounts_base=sandbox, calls_at_once=100, calls_per_minute=0)

    async def ask(client: ZohoClient) -> bool:
        try:
            await client.list_taxes()
        except ClientError:
            return False
        return True

    try:
        async with open_http(connections=calls) as http:
            client = ZohoClient.of(
                account,
                store.tokens,
                http,
                connection="shop",
                now=lambda: datetime.now(UTC),
                budgets=store.budgets,
            )
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            while await asyncio.to_thread(sys.stdin.readline):
                went_well = sum(await asyncio.gather(*(ask(client) for _ in range(calls))))
                sys.stdout.write(f"{went_well}\n")
                sys.stdout.flush()
    finally:
        await store.close()


if __name__ == "__main__":
    address, store_address, ring, number = sys.argv[1:]
    asyncio.run(main(address, store_address, ring, int(number)))
