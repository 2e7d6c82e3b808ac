"""Disputes of a payment, through everything: who hears of what, and what waits for a person."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from cli.ledger_check import check
from domain.runs import Stage
from tests.endtoend.outcomes import LINES, everything_told
from tests.house import BUYER, House, a_house
from workflows import contract


async def disputed(house: House, **given: Any) -> WorkflowHandle[Any, Any]:
    """The run of a dispute of a payment that is booked."""
    paid = await house.pay(guest=BUYER, lines=LINES)
    await house.done(paid["payment_intent"])
    made = await house.post(f"{house.stripe_url}/_charges/{paid['charge']}/dispute", given)
    return house.client.get_workflow_handle(contract.dispute_workflow_id(house.slug, made["id"]))


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


async def told(house: House) -> list[str]:
    """The states of disputes that people were told of, by the trail."""
    steps = [entry.step for entry in await house.store.audit.entries(house.slug)]
    return [step.partition("#")[2].partition("@")[0] for step in steps if step.startswith("notify_dispute#")]


async def test_a_won_dispute_is_told_and_closes(temporal_client: Client, tmp_path: Path) -> None:
    """Opened with its deadline and the money that was taken; decided; nothing was written to Zoho."""
    async with a_house(temporal_client, tmp_path) as house:
        run = await disputed(house, reason="product_not_received", due_by=1_900_000_000)
        seen = await reached(run, Stage.DISPUTED)
        assert "product_not_received" in seen["notes"][0]
        assert "2030-03-17" in seen["notes"][0]
        before = await house.zoho(only="salesorders,invoices,payments,items")
        await everything_told(house)
        await close(house, run, "won")
        result = await run.result()
        assert result["status"] == "won"
        assert await told(house) == ["open", "won"]
        assert await house.zoho(only="salesorders,invoices,payments,items") == before
        assert check(await house.stripe(), await house.zoho()) == []


async def test_a_lost_dispute_asks_what_becomes_of_the_books(temporal_client: Client, tmp_path: Path) -> None:
    """It waits with the money at risk until somebody says what he did."""
    async with a_house(temporal_client, tmp_path) as house:
        run = await disputed(house)
        await reached(run, Stage.DISPUTED)
        await everything_told(house)
        await close(house, run, "lost")
        await reached(run, Stage.NEEDS_ATTENTION)
        trouble = await run.query(contract.TROUBLE)
        assert (trouble["attention_class"], trouble["step"]) == ("dispute_lost", "lost")
        assert trouble["at_risk"] == {"minor": 6777, "currency": "EUR"}
        said = {"action": "skip", "reason": "written off in Zoho", "by": "ada"}
        await run.execute_update(contract.RESOLVE, said)
        assert (await run.result())["status"] == "lost"
        assert await told(house) == ["open", "lost"]


@pytest.mark.parametrize("escalates", [False, True])
async def test_an_inquiry_may_come_to_nothing(temporal_client: Client, tmp_path: Path, escalates: bool) -> None:
    """Told as an inquiry; it ends, or becomes a dispute that is told as one."""
    async with a_house(temporal_client, tmp_path) as house:
        run = await disputed(house, inquiry=True)
        await reached(run, Stage.DISPUTED)
        await everything_told(house)
        dispute_id = run.id.rpartition(":")[2]
        if escalates:
            await house.post(f"{house.stripe_url}/_disputes/{dispute_id}/escalate", {})
            await everything_told(house)
        await close(house, run, "won")
        assert (await run.result())["status"] == ("won" if escalates else "dropped")
        assert await told(house) == (["inquiry", "open", "won"] if escalates else ["inquiry", "dropped"])
