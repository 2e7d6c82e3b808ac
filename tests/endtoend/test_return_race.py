"""I4 under a race: a return told twice, approved twice, or two of them, beside a refund in Stripe's dashboard."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from temporalio.client import Client

from bench.races import LIMIT, PAID, Arena, Kind, trail_differs
from cli.shop import ITEMS
from domain.policy import ReturnTrigger
from domain.returns import ReturnEvent
from tests.endtoend.zoho_desk import return_shop, starter_of
from tests.house import RETURN_FIELDS, SEED, House

ROUNDS = 3
LOGIN = {"refresh_token": "refresh", "client_id": "client", "client_secret": "secret"}


@asynccontextmanager
async def an_arena(client: Client, folder: Path) -> AsyncIterator[tuple[Arena, House]]:
    """A shop whose returns are told by webhook and by poll at once, and whose every event of Stripe's comes twice."""
    seed = {"items": list(ITEMS), "custom_fields": [*SEED["custom_fields"], *RETURN_FIELDS]}
    policy: dict[str, Any] = {"trigger": ReturnTrigger.APPROVED, "approve_above": {"EUR": LIMIT}}
    async with return_shop(client, folder, seed=seed, **policy) as house, ClientSession() as http:
        starter = starter_of(house)

        async def tell(return_id: str) -> None:
            both = [ReturnEvent(source=source) for source in ("webhook", "poll")]
            await asyncio.gather(*(starter.return_event(house.slug, return_id, event) for event in both))

        await house.post(f"{house.stripe_url}/_switches", {"webhook_duplicate": 1.0})
        about = house.connection
        yield (
            Arena(
                client=client,
                http=http,
                stripe_url=house.stripe_url,
                zoho_url=house.zoho_url,
                slug=house.slug,
                account=about.stripe.account_id,
                organization=about.zoho.organization_id,
                zoho_login=LOGIN,
                tell=tell,
            ),
            house,
        )


@pytest.mark.parametrize("kind", list(Kind))
async def test_money_goes_back_once_and_never_more_than_was_paid(
    temporal_client: Client, tmp_path: Path, kind: Kind
) -> None:
    """After all is answered the ledgers agree, one answer of two counts, and the trail has each effect once."""
    async with an_arena(temporal_client, tmp_path) as (arena, house):
        races = [await arena.race(kind, random.Random(f"{kind} {number}")) for number in range(ROUNDS)]
        for race in races:
            assert race.violations == []
            assert 0 < sum(race.stood) <= PAID
        assert (await house.store.audit.verify(house.slug)).ok
        entries = [(entry.stripe_id, entry.step) for entry in await house.store.audit.entries(house.slug)]
        assert list(trail_differs(races, entries)) == []
