"""Lost disputes of orders that people credited in Zoho by hand, through everything: the loss is booked once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle

from domain.policy import PaymentPolicy
from domain.runs import Stage
from tests.endtoend.disputing import WRITES_OFF, close, dispute, reached
from tests.endtoend.outcomes import LINES, everything_told
from tests.endtoend.test_disputes import DOCUMENTS, won_after_all
from tests.endtoend.test_notes_by_hand import credits, notes
from tests.endtoend.test_refunds import WHOLE, shop, sound
from tests.endtoend.zoho_desk import Desk, answer_run, until_parked
from tests.house import BUYER, QUICK, House

BOTH = pytest.mark.parametrize("policy", [QUICK, WRITES_OFF], ids=["credited", "written off"])


async def lost(
    house: House, price: str, amount: int, *, named: bool = False
) -> tuple[WorkflowHandle[Any, Any], dict[str, Any]]:
    """The run of a dispute that is lost, over `amount`, and the note over `price` that a person wrote before that."""
    made = await house.pay(guest=BUYER, lines=LINES)
    order_id = (await house.done(made["payment_intent"]))["salesorder_id"]
    run = await dispute(house, made, amount=amount)
    await reached(run, Stage.DISPUTED)
    note = await credits(house, order_id, price, run.id.rpartition(":")[2] if named else "")
    await everything_told(house)
    await close(house, run, "lost")
    return run, note


async def documents(house: House) -> tuple[list[tuple[str, str]], list[Decimal], list[Decimal]]:
    """The credit notes with their states, what was recorded as paid, and what was written off of the invoice."""
    books = await house.zoho(only=DOCUMENTS)
    stands = [(one["creditnote_number"], one["status"]) for one in books["creditnotes"]]
    paid, given_up = (
        [one["amount"] for one in books["payments"]],
        [one["write_off_amount"] for one in books["invoices"]],
    )
    return stands, paid, given_up


@BOTH
async def test_a_loss_is_not_booked_besides_a_note_by_hand(
    temporal_client: Client, tmp_path: Path, policy: PaymentPolicy
) -> None:
    """Over the same amount a person is asked; named by its reference, the note is the loss's, and is paid out."""
    async with shop(temporal_client, tmp_path, policy=policy) as house:
        run, note = await lost(house, "12.00", 1200)
        trouble = await until_parked(run)
        assert (trouble.attention_class, trouble.step) == ("credit_by_hand", "lost")
        assert f"{note['creditnote_number']} over 12.00 EUR" in trouble.message
        assert await documents(house) == ([(note["creditnote_number"], "open")], [Decimal("67.77")], [Decimal(0)])
        dispute_id = run.id.rpartition(":")[2]
        await Desk(house).call("PUT", f"/creditnotes/{note['creditnote_id']}", {"reference_number": dispute_id})
        await answer_run(run, "retry", "ada")
        result = await run.result()
        assert (result["creditnote_id"], result["written_off"]) == (note["creditnote_id"], "")
        assert await documents(house) == ([(note["creditnote_number"], "closed")], [Decimal("67.77")], [Decimal(0)])
        await sound(house)


@BOTH
async def test_a_note_that_names_the_dispute_is_the_losss(
    temporal_client: Client, tmp_path: Path, policy: PaymentPolicy
) -> None:
    """Nobody is asked; told again it stands; won after all, it is taken back as one of ours would be."""
    async with shop(temporal_client, tmp_path, policy=policy) as house:
        run, note = await lost(house, "12.00", 1200, named=True)
        assert (await run.result())["creditnote_id"] == note["creditnote_id"]
        before = await documents(house)
        assert before == ([(note["creditnote_number"], "closed")], [Decimal("67.77")], [Decimal(0)])
        first = (await run.describe()).run_id
        events = (await house.stripe())["events"]
        (closed,) = [one["id"] for one in events if one["type"] == "charge.dispute.closed"]
        await house.post(f"{house.stripe_url}/_events/{closed}/resend", {})
        await everything_told(house)
        assert (await run.result())["status"] == "lost"
        assert (await documents(house), (await run.describe()).run_id != first) == (before, True)
        await sound(house)
        await won_after_all(house, run)
        assert await documents(house) == ([(note["creditnote_number"], "void")], [Decimal("67.77")], [Decimal(0)])
        assert (await house.zoho(only="refunds"))["refunds"] == []


@BOTH
async def test_a_loss_that_would_credit_more_than_was_paid_asks(
    temporal_client: Client, tmp_path: Path, policy: PaymentPolicy
) -> None:
    """A note for something else counts as well; skipped, nothing is booked."""
    async with shop(temporal_client, tmp_path, policy=policy) as house:
        run, note = await lost(house, "5.00", WHOLE)
        assert f"{note['creditnote_number']} over 5.00 EUR" in (await until_parked(run)).message
        await answer_run(run, "skip", "ada", reason="the bank took what was left, booked by hand")
        result = await run.result()
        assert (result["creditnote_id"], result["written_off"]) == ("", "")
        assert await documents(house) == ([(note["creditnote_number"], "open")], [Decimal("67.77")], [Decimal(0)])


async def test_a_note_by_hand_for_less_holds_no_loss_up(temporal_client: Client, tmp_path: Path) -> None:
    """Of another amount it is another thing, and both fit into what was paid."""
    async with shop(temporal_client, tmp_path) as house:
        run, _ = await lost(house, "5.00", 1200)
        assert (await run.result())["number"]
        assert [one["total"] for one in await notes(house)] == [5, 12]
