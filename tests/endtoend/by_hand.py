"""People who change carried orders in Zoho, and what a test asks of the runs that find it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from domain.attention import Trouble
from domain.by_hand import ByHandPolicy
from domain.mapping_policy import MappingPolicy
from domain.policy import PaymentPolicy
from ingress.starter import Starter
from tests.endtoend.zoho_desk import Desk
from tests.house import BUYER, MAPPING, QUICK, House, a_house
from workflows import contract

# Polls come when a test asks for them.
RARELY = ByHandPolicy(poll_every=timedelta(hours=1))
MUGS = [{"sku": "MUG", "unit_amount": 1500, "quantity": 2, "tax_percent": 19}]


def starter_of(house: House) -> Starter:
    """What starts the house's runs."""
    about = {house.slug: house.connection}
    return Starter(house.client, about, task_queue=house.queue, zoho_queue=f"{house.queue}-zoho")


@asynccontextmanager
async def a_shop(
    client: Client,
    folder: Path,
    *,
    by_hand: ByHandPolicy = RARELY,
    policy: PaymentPolicy = QUICK,
    mapping: MappingPolicy = MAPPING,
    **changes: Any,
) -> AsyncIterator[House]:
    """A house whose lists are read, when a test asks for it."""
    decided = policy.model_copy(update={"by_hand": by_hand})
    async with a_house(client, folder, policy=decided, mapping=mapping, **changes) as house:
        yield house
        with_run = house.client.get_workflow_handle(contract.order_poll_workflow_id(house.slug))
        try:
            await with_run.terminate()
        except RPCError:
            return


async def sold(house: House, **wish: Any) -> tuple[str, str]:
    """A payment that was carried, and its order; a minute later by Zoho's clock, so that no edit is a second old."""
    paid = await house.pay(**{"guest": BUYER, "lines": MUGS, **wish})
    result = await house.done(paid["payment_intent"])
    await house.post(f"{house.zoho_url}/_clock", {"advance": 60})
    return paid["payment_intent"], result["salesorder_id"]


async def polled(house: House) -> None:
    """The lists are read once from now on, and everything that they tell is dealt with."""

    async def read() -> str | None:
        return await house.store.links.get(house.slug, "order-poll", "read")

    before = await read()
    await starter_of(house).poll_orders(house.slug)
    async with asyncio.timeout(30):
        while await read() == before:
            await asyncio.sleep(0.02)


def check_of(house: House, payment_id: str) -> WorkflowHandle[Any, Any]:
    """The run that looks into the payment's order."""
    return house.client.get_workflow_handle(contract.order_check_workflow_id(house.slug, payment_id))


async def checked(house: House, payment_id: str) -> bool:
    """Whether the order has ever had such a run."""
    try:
        await check_of(house, payment_id).describe()
    except RPCError:
        return False
    return True


async def asked(house: House, payment_id: str) -> Trouble:
    """What the run asks a person, once it does."""
    async with asyncio.timeout(30):
        while True:
            try:
                found = await check_of(house, payment_id).query(contract.TROUBLE)
            except RPCError:
                found = None
            if found:
                return Trouble.model_validate(found)
            await asyncio.sleep(0.05)


async def answered(house: House, payment_id: str, action: str, **more: Any) -> None:
    """A person's answer."""
    said = {"action": action, "by": "ada", **more}
    await check_of(house, payment_id).execute_update(contract.RESOLVE, said)


async def ended(house: House, payment_id: str) -> dict[str, Any]:
    """What became of it."""
    async with asyncio.timeout(30):
        return dict(await check_of(house, payment_id).result())


async def uninvoiced(house: House) -> None:
    """Somebody takes the recorded payment and the invoice of the only order back."""
    ledger, desk = await house.zoho(only="payments,invoices"), Desk(house)
    for payment in ledger["payments"]:
        await desk.call("DELETE", f"/customerpayments/{payment['payment_id']}")
    for invoice in ledger["invoices"]:
        await desk.call("POST", f"/invoices/{invoice['invoice_id']}/status/void")
