"""A dispute that meets something else of its payment: a refund, the payment's own run, goods on their way, an abort."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from domain.policy import Ship
from domain.runs import Stage
from tests.endtoend.disputing import WRITES_OFF, close, dispute, disputed, paid, reached, says
from tests.endtoend.outcomes import LINES, everything_told
from tests.endtoend.test_changes import until
from tests.endtoend.test_refunds import WHOLE, booked, refund, shop, sound
from tests.house import BUYER, QUICK, SEED, House
from workflows import contract

HOLD_FIELD = "cf_held"


async def test_money_that_a_refund_gave_back_is_not_credited_again(temporal_client: Client, tmp_path: Path) -> None:
    """Refunded in part and then disputed as a whole: a person books what the sale has no longer; nothing is written."""
    async with shop(temporal_client, tmp_path) as house:
        made = await paid(house)
        await booked(house, await refund(house, made, 1000))
        run = await dispute(house, made, amount=WHOLE)
        await reached(run, Stage.DISPUTED)
        await everything_told(house)
        await close(house, run, "lost")
        await reached(run, Stage.NEEDS_ATTENTION)
        trouble = await run.query(contract.TROUBLE)
        assert trouble["attention_class"] == "dispute_lost"
        assert "57.77 EUR of the sale are left" in trouble["message"]
        assert len((await house.zoho())["creditnotes"]) == 1


async def test_a_refund_and_a_lost_rest_credit_the_sale_exactly(temporal_client: Client, tmp_path: Path) -> None:
    """What a refund left is disputed and lost: both notes together credit each tax rate with what was sold at it."""
    async with shop(temporal_client, tmp_path) as house:
        made = await paid(house)
        await booked(house, await refund(house, made, 1000))
        run = await dispute(house, made)
        await reached(run, Stage.DISPUTED)
        await everything_told(house)
        await close(house, run, "lost")
        await run.result()
        by_rate: dict[str, Decimal] = {}
        for line in (line for note in (await house.zoho())["creditnotes"] for line in note["line_items"]):
            by_rate[line["tax_name"]] = by_rate.get(line["tax_name"], Decimal(0)) + line["rate"]
        assert by_rate == {"VAT 19": Decimal("35.70"), "VAT 7": Decimal("32.07")}
        await sound(house)


async def test_a_refund_and_a_lost_dispute_at_once(temporal_client: Client, tmp_path: Path) -> None:
    """Both runs want to write the payment's documents at the same moment: each writes its own note, once."""
    async with shop(temporal_client, tmp_path) as house:
        made = await paid(house)
        await house.fault("zoho", method="POST", path=r"/creditnotes$", fault="lost")
        given = await refund(house, made, 1000)
        run = await dispute(house, made)
        await close(house, run, "lost")
        await asyncio.gather(booked(house, given), _ended(run))
        notes = {row["reference_number"]: row["total"] for row in (await house.zoho())["creditnotes"]}
        assert notes == {given: Decimal(10), run.id.rpartition(":")[2]: Decimal("57.77")}
        await sound(house)


async def _ended(run: WorkflowHandle[Any, Any]) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                assert (await run.result())["status"] == "lost"
                return
            except RPCError:
                await asyncio.sleep(0.05)


async def test_the_payments_own_run_goes_first_and_ships_nothing(temporal_client: Client, tmp_path: Path) -> None:
    """Disputed, and lost, while its run waits for a person: then it is booked, not shipped, and credited."""
    policy = QUICK.model_copy(update={"ship": Ship.WHEN_PAID})
    async with shop(temporal_client, tmp_path, policy=policy) as house:
        await house.fault("zoho", method="POST", path="/customerpayments$", fault="refuse", code=4711)
        made = await house.pay(guest=BUYER, lines=LINES)
        await house.parked(made["payment_intent"])
        run = await dispute(house, made)
        await reached(run, Stage.DISPUTED)
        await everything_told(house)
        await close(house, run, "lost")
        await everything_told(house)
        assert (await house.zoho())["creditnotes"] == []
        await house.answer(made["payment_intent"], "retry")
        result = await house.done(made["payment_intent"])
        assert (result["shipment_id"], (await house.zoho())["shipments"]) == ("", [])
        assert (await run.result())["creditnote_id"]
        await sound(house)


async def test_the_order_says_that_it_is_held(temporal_client: Client, tmp_path: Path) -> None:
    """Its custom field names the dispute while that is open, and says so when it is over; all else stays."""
    fields = [*SEED["custom_fields"], {"api_name": HOLD_FIELD, "label": "Held"}]
    policy = QUICK.model_copy(update={"hold_field": HOLD_FIELD})
    async with shop(temporal_client, tmp_path, policy=policy, seed={"custom_fields": fields}) as house:
        run = await disputed(house)
        dispute_id = run.id.rpartition(":")[2]

        async def field() -> tuple[str, ...]:
            (order,) = (await house.zoho())["salesorders"]
            return order["custom_field_hash"].get(HOLD_FIELD, ""), order["status"], str(order["total"])

        async def held() -> bool:
            return await field() == (f"held for {dispute_id}", "confirmed", "67.77")

        await until(held)
        await everything_told(house)
        await close(house, run, "won")
        assert any(note.endswith("is held no longer") for note in (await run.result())["notes"])
        assert await field() == (f"{dispute_id} is over", "confirmed", "67.77")
        await sound(house)


async def test_goods_that_have_left_are_not_held(temporal_client: Client, tmp_path: Path) -> None:
    """People hear that nothing can be held back."""
    policy = QUICK.model_copy(update={"ship": Ship.WHEN_PAID})
    async with shop(temporal_client, tmp_path, policy=policy) as house:
        run = await disputed(house)
        await until(lambda: says(house, "open", "held"))
        notes = (await run.query(contract.PROGRESS))["notes"]
        assert any("have left already" in note for note in notes)


async def test_an_abort_takes_back_what_was_booked(temporal_client: Client, tmp_path: Path) -> None:
    """The write-off was refused: aborted, the payment is recorded as it was."""
    async with shop(temporal_client, tmp_path, policy=WRITES_OFF) as house:
        made = await paid(house)
        await house.fault("zoho", method="POST", path=r"/writeoff$", fault="refuse", code=4711)
        run = await dispute(house, made)
        await reached(run, Stage.DISPUTED)
        await everything_told(house)
        await close(house, run, "lost")
        await reached(run, Stage.NEEDS_ATTENTION)
        assert (await house.zoho())["payments"] == []
        answer = {"action": "abort", "reason": "our lawyer books it", "by": "test"}
        await run.execute_update(contract.RESOLVE, answer)
        await until(lambda: _recorded(house))
        assert [row["balance"] for row in (await house.zoho())["invoices"]] == [0]


async def _recorded(house: House) -> bool:
    return [row["amount"] for row in (await house.zoho())["payments"]] == [Decimal(WHOLE) / 100]
