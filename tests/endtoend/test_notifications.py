"""People hear of what waits for them: once for all of a kind, and once when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from temporalio.client import Client, WorkflowFailureError

from tests.house import BUYER, ITEMS, ORGANIZATION, QUICK, SEED, House, a_house

NOPE = [{"sku": "NOPE", "unit_amount": 700, "quantity": 1}]
ITEM = {"sku": "NOPE", "name": "Now it is", "rate": 7, "stock": 1000}


@dataclass
class Receiver:
    """Where apprise's `json://` messages arrive; refuses the first `refuse` of them."""

    url: str = ""
    refuse: int = 0
    got: list[tuple[str, str]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """One message."""
        if self.refuse:
            self.refuse -= 1
            return web.Response(status=503)
        body = await request.json()
        self.got.append((body["title"], body["message"]))
        return web.json_response({})

    async def until(self, count: int, within: float = 30) -> None:
        """Until so many have come."""
        async with asyncio.timeout(within):
            while len(self.got) < count:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def a_told_house(client: Client, folder: Path, **policy: Any) -> AsyncIterator[tuple[House, Receiver]]:
    """A house whose shop has people to be told; paid orders are no news to them."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/", receiver.take)
    changes = QUICK.model_copy(update={"quiet": ("paid",), **policy})
    async with TestServer(app) as server:
        address = SecretStr(f"json://127.0.0.1:{server.port}/")
        async with a_house(client, folder, policy=changes, notify=(address,)) as house:
            yield house, receiver


async def make_the_item(house: House) -> None:
    """Zoho knows the SKU from now on."""
    organization = {"organization_id": ORGANIZATION, **SEED, "items": [*ITEMS, ITEM]}
    await house.post(f"{house.zoho_url}/_seed", {"organizations": [organization]})


async def test_many_that_wait_for_the_same_reason_are_one_message(temporal_client: Client, tmp_path: Path) -> None:
    """Twenty park within a moment, one message says twenty; all are resumed, one message says that none is left."""
    async with a_told_house(temporal_client, tmp_path, tell_after=timedelta(seconds=10)) as (house, receiver):
        paid = [await house.pay(guest=BUYER, lines=NOPE) for _ in range(20)]
        await asyncio.gather(*(house.parked(one["payment_intent"]) for one in paid))
        assert receiver.got == []
        await receiver.until(1)
        await make_the_item(house)
        await asyncio.gather(*(house.answer(one["payment_intent"], "retry") for one in paid))
        await asyncio.gather(*(house.done(one["payment_intent"]) for one in paid))
    assert [title for title, _ in receiver.got] == ["20 payments wait for you", "Resolved"]
    assert "unknown_sku" in receiver.got[0][1]
    assert receiver.got[1][1] == f"none of 20 payments of {house.slug} waits any more: unknown_sku"


@pytest.mark.parametrize("end", ["abort", "cancel"])
async def test_one_that_waits_is_named_and_its_end_is_told(temporal_client: Client, tmp_path: Path, end: str) -> None:
    """With its money; aborted or cancelled, people hear that it waits no longer. Nobody's name is in it."""
    async with a_told_house(temporal_client, tmp_path) as (house, receiver):
        paid = await house.pay(guest=BUYER, lines=NOPE)
        payment = paid["payment_intent"]
        await house.parked(payment)
        await receiver.until(1)
        if end == "abort":
            await house.answer(payment, "abort", reason="no such thing")
        else:
            await house.run_of(payment).cancel()
        with pytest.raises(WorkflowFailureError):
            await house.run_of(payment).result()
        entries = [entry.step for entry in await house.store.audit.entries(house.slug)]
    (asked, message), (resolved, over) = receiver.got
    assert (asked, resolved) == ("A payment waits for you", "Resolved")
    assert "7.00 EUR" in message
    assert over == f"{payment} waits no longer: unknown_sku · {'abort' if end == 'abort' else 'cancelled'}"
    assert BUYER["name"] not in str(receiver.got)
    assert [step for step in entries if step.startswith("tell_")] == ["tell_attention#1", "tell_resolved#0"]


async def test_an_answer_that_comes_first_leaves_people_in_peace(temporal_client: Client, tmp_path: Path) -> None:
    """What is answered before anybody was told makes no message, and no resolved one."""
    async with a_told_house(temporal_client, tmp_path, tell_after=timedelta(seconds=30)) as (house, receiver):
        paid = await house.pay(guest=BUYER, lines=NOPE)
        await house.parked(paid["payment_intent"])
        await make_the_item(house)
        await house.answer(paid["payment_intent"], "retry")
        await house.done(paid["payment_intent"])
    assert receiver.got == []


async def test_a_quiet_class_is_told_to_nobody(temporal_client: Client, tmp_path: Path) -> None:
    """The shop does not want to hear of unknown SKUs; of the others it does."""
    quiet = ("paid", "unknown_sku")
    async with a_told_house(temporal_client, tmp_path, quiet=quiet) as (house, receiver):
        unheard = await house.pay(guest=BUYER, lines=NOPE)
        await house.parked(unheard["payment_intent"])
        await house.fault("zoho", method="POST", path="/salesorders$", fault="refuse", code=4711)
        heard = await house.pay(guest=BUYER, lines=[{"sku": "MUG", "unit_amount": 700, "quantity": 1}])
        await house.parked(heard["payment_intent"])
        await receiver.until(1)
        await house.answer(unheard["payment_intent"], "abort", reason="enough")
        await house.failed(unheard["payment_intent"])
    assert [("zoho_refused" in message) for _, message in receiver.got] == [True]


async def test_an_address_that_is_away_is_told_later_and_once(temporal_client: Client, tmp_path: Path) -> None:
    """The first two tries are refused: the message still comes, and only once; the payment never waited for it."""
    async with a_told_house(temporal_client, tmp_path) as (house, receiver):
        receiver.refuse = 2
        paid = await house.pay(guest=BUYER, lines=NOPE)
        await house.parked(paid["payment_intent"])
        await receiver.until(1)
        receiver.refuse = 1
        await make_the_item(house)
        await house.answer(paid["payment_intent"], "retry")
        await house.done(paid["payment_intent"])
    assert [title for title, _ in receiver.got] == ["A payment waits for you", "Resolved"]
