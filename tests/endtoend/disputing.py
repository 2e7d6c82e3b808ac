"""Disputes of a payment that is booked: opened, followed and decided."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from domain.policy import DisputeLost
from domain.runs import Stage
from tests.endtoend.outcomes import LINES, everything_told
from tests.house import BUYER, QUICK, House
from workflows import contract

WRITES_OFF = QUICK.model_copy(update={"dispute_lost": DisputeLost.WRITE_OFF})


async def paid(house: House) -> dict[str, Any]:
    """A payment that is booked."""
    made = await house.pay(guest=BUYER, lines=LINES)
    await house.done(made["payment_intent"])
    return made


async def dispute(house: House, made: dict[str, Any], **given: Any) -> WorkflowHandle[Any, Any]:
    """The run of a new dispute of the payment."""
    row = await house.post(f"{house.stripe_url}/_charges/{made['charge']}/dispute", given)
    return house.client.get_workflow_handle(contract.dispute_workflow_id(house.slug, row["id"]))


async def disputed(house: House, **given: Any) -> WorkflowHandle[Any, Any]:
    """The run of a dispute of a payment that is booked."""
    return await dispute(house, await paid(house), **given)


async def reached(run: WorkflowHandle[Any, Any], stage: Stage) -> dict[str, Any]:
    """What the run says of itself once it is at `stage`."""
    async with asyncio.timeout(60):
        while True:
            try:
                told = dict(await run.query(contract.PROGRESS))
            except RPCError:
                told = {}
            if told.get("stage") == stage:
                return told
            await asyncio.sleep(0.05)


async def close(house: House, run: WorkflowHandle[Any, Any], outcome: str) -> None:
    """The bank decides."""
    dispute_id = run.id.rpartition(":")[2]
    await house.post(f"{house.stripe_url}/_disputes/{dispute_id}/close", {"outcome": outcome})


async def lost(house: House, **given: Any) -> tuple[WorkflowHandle[Any, Any], dict[str, Any]]:
    """A dispute of a booked payment that was lost: its run, and what became of it."""
    run = await disputed(house, **given)
    await reached(run, Stage.DISPUTED)
    await everything_told(house)
    await close(house, run, "lost")
    return run, dict(await run.result())


async def told(house: House) -> list[str]:
    """What of disputes people were told, by the trail."""
    steps = [entry.step for entry in await house.store.audit.entries(house.slug)]
    return [step.partition("#")[2].partition("@")[0] for step in steps if step.startswith("notify_dispute#")]


async def says(house: House, *words: str) -> bool:
    return list(words) == await told(house)
