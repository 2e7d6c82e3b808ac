"""How a return's run hears of it: Zoho's webhooks, and the list that is read from time to time."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client

from domain.policy import ReturnPolicy, ReturnTrigger
from domain.runs import Stage
from tests.endtoend import zoho_tells
from tests.endtoend.sweeping import all_closed
from tests.endtoend.zoho_desk import Desk, a_sale, ended, return_shop, run_of, sound, starter_of
from tests.endtoend.zoho_tells import everything_called, has_run, zoho_calling
from tests.house import House
from workflows import contract

MUG = ("MUG", 1, 0)
EVERY: dict[str, Any] = {"poll_every": timedelta(milliseconds=300)}


async def begun(house: House, return_id: str) -> bool:
    """Whether the return has a run."""
    return await has_run(run_of(house, return_id))


async def polled(house: House) -> None:
    """The list has been read once more from now on."""
    await zoho_tells.polled(house, contract.return_poll_workflow_id(house.slug), "/salesreturns")


async def test_zohos_own_webhooks(temporal_client: Client, tmp_path: Path) -> None:
    """Signed, each sent twice and out of order: one refund, one credit note."""
    async with return_shop(temporal_client, tmp_path) as house:
        await a_sale(house)
        async with zoho_calling(house, "salesreturns", "creditnotes"):
            desk = Desk(house)
            made = await desk.enters(MUG)
            await desk.receives(made)
            async with asyncio.timeout(30):
                while not await begun(house, made):
                    await asyncio.sleep(0.05)
            assert (await ended(house, made))["stage"] == Stage.CREDITED
            await everything_called(house)
            await all_closed(house)
        ledger = await house.zoho()
        assert [len(ledger[name]) for name in ("creditnotes", "refunds")] == [1, 1]
        await sound(house)


async def test_the_list_is_read_from_time_to_time(temporal_client: Client, tmp_path: Path) -> None:
    """A return that was there before is left alone, whatever becomes of it; each new one is carried, once."""
    async with return_shop(temporal_client, tmp_path, trigger=ReturnTrigger.APPROVED, **EVERY) as house:
        await a_sale(house)
        desk = Desk(house)
        old = await desk.enters(MUG)
        await starter_of(house).poll_returns(house.slug)
        await polled(house)
        new = await desk.enters(("TEA", 1, 0))
        async with asyncio.timeout(30):
            while not await begun(house, new):
                await asyncio.sleep(0.05)
        assert (await ended(house, new))["stage"] == Stage.CREDITED
        await desk.receives(old)
        await polled(house)
        assert not await begun(house, old)
        assert len((await house.stripe(only="refunds"))["refunds"]) == 1


async def test_a_day_from_which_on_returns_are_carried(temporal_client: Client, tmp_path: Path) -> None:
    """Those of that day, and later ones, though they were there before."""
    policy: dict[str, Any] = {"trigger": ReturnTrigger.APPROVED, "since": date(2020, 1, 1), **EVERY}
    async with return_shop(temporal_client, tmp_path, **policy) as house:
        await a_sale(house)
        made = await Desk(house).enters(MUG)
        await starter_of(house).poll_returns(house.slug)
        async with asyncio.timeout(30):
            while not await begun(house, made):
                await asyncio.sleep(0.05)
        assert (await ended(house, made))["stage"] == Stage.CREDITED


async def test_the_list_is_read_no_more_when_the_shop_says_so(temporal_client: Client, tmp_path: Path) -> None:
    """A worker that starts with returns off ends the run that reads."""
    async with return_shop(temporal_client, tmp_path, **EVERY) as house:
        await starter_of(house).poll_returns(house.slug)
        await polled(house)
        off = house.connection.policy.model_copy(update={"returns": ReturnPolicy()})
        house.connection = house.connection.model_copy(update={"policy": off})
        await starter_of(house).poll_returns(house.slug)
        async with asyncio.timeout(30):
            await house.client.get_workflow_handle(contract.return_poll_workflow_id(house.slug)).result()
