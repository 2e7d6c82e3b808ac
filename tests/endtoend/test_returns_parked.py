"""Returns that wait for a person or end unpaid: what is asked, what an abort takes back, what is begun anew."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowUpdateFailedError

from domain.attention import AttentionClass
from domain.policy import ReturnTrigger
from domain.runs import Stage
from tests.endtoend.test_memory_lost import forget_everything
from tests.endtoend.test_refunds import refund, stock
from tests.endtoend.test_returns import MUG, WHOLE, refunds
from tests.endtoend.zoho_desk import Desk, a_return, a_sale, answer, ended, parked, return_shop, sound, tell


async def test_a_second_person_agrees_above_the_limit(temporal_client: Client, tmp_path: Path) -> None:
    """Nobody without a name, and not whoever asked for the return; everything is in the trail."""
    async with return_shop(temporal_client, tmp_path, approve_above={"EUR": Decimal("17.84")}) as house:
        await a_sale(house)
        made = await a_return(house, MUG)
        trouble = await parked(house, made)
        assert (trouble.attention_class, str(trouble.at_risk)) == (AttentionClass.APPROVAL_NEEDED, "17.85 EUR")
        for by in ("unknown", "", trouble.requester):
            with pytest.raises(WorkflowUpdateFailedError) as refused:
                await answer(house, made, "approve", by)
            assert "approv" in str(refused.value.cause)
        assert trouble.requester
        assert await refunds(house) == []
        await answer(house, made, "approve", "Grace")
        assert (await ended(house, made))["stage"] == Stage.CREDITED
        said = [entry.note for entry in await house.store.audit.entries(house.slug) if "answer" in entry.step]
        assert said == ["approve by Grace"]
        await sound(house)


async def test_more_than_is_left_waits_for_a_person(temporal_client: Client, tmp_path: Path) -> None:
    """What went back in the dashboard counts; nothing is written until somebody decides."""
    async with return_shop(temporal_client, tmp_path) as house:
        payment_id = await a_sale(house)
        await refund(house, {"payment_intent": payment_id}, WHOLE - 1784)
        made = await a_return(house, MUG)
        trouble = await parked(house, made)
        assert trouble.attention_class is AttentionClass.REFUND_TOO_LARGE
        assert "17.84 EUR is left" in trouble.message
        await answer(house, made, "abort", reason="paid in the shop")
        with pytest.raises(WorkflowFailureError):
            await ended(house, made)
        assert len(await refunds(house)) == 1
        await sound(house)


async def test_a_disputed_charge_waits_for_a_person(temporal_client: Client, tmp_path: Path) -> None:
    """Stripe refuses: the bank may take the same money."""
    async with return_shop(temporal_client, tmp_path) as house:
        await a_sale(house)
        (charge,) = (await house.stripe(only="charges"))["charges"]
        await house.post(f"{house.stripe_url}/_charges/{charge['id']}/dispute", {})
        made = await a_return(house, MUG)
        assert (await parked(house, made)).attention_class is AttentionClass.PAYMENT_DISPUTED
        assert await refunds(house) == []


async def test_a_refund_that_fails_at_once_is_tried_again_when_a_person_says_so(
    temporal_client: Client, tmp_path: Path
) -> None:
    """Two refunds in Stripe, one of which stands, and one credit note."""
    async with return_shop(temporal_client, tmp_path) as house:
        await a_sale(house)
        await house.post(f"{house.stripe_url}/_switches", {"refund_fails": True})
        made = await a_return(house, MUG)
        assert (await parked(house, made)).attention_class is AttentionClass.REFUND_FAILED
        assert (await house.zoho(only="creditnotes"))["creditnotes"] == []
        await house.post(f"{house.stripe_url}/_switches", {"refund_fails": False})
        await answer(house, made, "retry")
        assert (await ended(house, made))["stage"] == Stage.CREDITED
        assert sorted(await refunds(house)) == [(1785, "failed"), (1785, "succeeded")]
        await sound(house)


async def test_an_order_of_another_stripe_account_waits_for_a_person(temporal_client: Client, tmp_path: Path) -> None:
    """The order names a payment that this account does not know."""
    async with return_shop(temporal_client, tmp_path) as house:
        await a_sale(house)
        forget_everything(tmp_path)
        desk = Desk(house)
        order = await desk.order()
        foreign = [{"api_name": "cf_stripe_payment_id", "value": "pi_3Elsewhere"}]
        body = {"custom_fields": foreign, "customer_id": order["customer_id"]}
        await desk.call("PUT", f"/salesorders/{order['salesorder_id']}", body)
        made = await a_return(house, MUG)
        trouble = await parked(house, made)
        assert trouble.attention_class is AttentionClass.FOREIGN
        assert "pi_3Elsewhere" in trouble.message
        assert await refunds(house) == []


async def test_an_abort_takes_the_documents_back_and_names_the_money(temporal_client: Client, tmp_path: Path) -> None:
    """The money that went back is not ours to fetch; what was written of it is gone, and what others wrote stays."""
    async with return_shop(temporal_client, tmp_path, trigger=ReturnTrigger.APPROVED) as house:
        await a_sale(house)
        await house.fault("zoho", method="POST", path=r"/creditnotes/\d+/refunds$", fault="refuse", code=4711)
        made = await Desk(house).enters(MUG)
        await tell(house, made)
        await parked(house, made)
        assert await stock(house) == (1, 1, 0)
        await answer(house, made, "abort", reason="wrong return")
        with pytest.raises(WorkflowFailureError) as failed:
            await ended(house, made)
        assert "17.85 EUR went back" in str(failed.value.cause)
        ledger = await house.zoho()
        assert [note["status"] for note in ledger["creditnotes"]] == ["void"]
        assert (ledger["receives"], await stock(house)) == ([], (2, 2, 0))


@pytest.mark.parametrize("trigger", [ReturnTrigger.APPROVED, ReturnTrigger.CREDIT_NOTE])
async def test_an_aborted_return_that_is_begun_anew_is_booked_whole(
    temporal_client: Client, tmp_path: Path, trigger: ReturnTrigger
) -> None:
    """What was taken back is written again, for the refund that stands: none is made twice."""
    async with return_shop(temporal_client, tmp_path, trigger=trigger) as house:
        await a_sale(house)
        desk = Desk(house)
        made = await desk.enters(MUG)
        if trigger is ReturnTrigger.CREDIT_NOTE:
            await desk.credits(made, "17.85")
        await house.fault("zoho", method="PUT", path=r"/salesreturns/\d+$", fault="refuse", code=4711)
        await tell(house, made)
        await parked(house, made)
        await answer(house, made, "abort", reason="too soon")
        with pytest.raises(WorkflowFailureError):
            await ended(house, made)
        ledger = await house.zoho()
        assert (ledger["receives"], ledger["refunds"]) == ([], [])
        await tell(house, made, again=True)
        assert (await ended(house, made))["stage"] == Stage.CREDITED
        ledger = await house.zoho()
        assert [len(ledger[name]) for name in ("receives", "refunds")] == [1, 1]
        (one,) = (await house.stripe(only="refunds"))["refunds"]
        (note,) = [row for row in ledger["creditnotes"] if row["status"] == "closed"]
        assert one["metadata"]["zoho_creditnote_number"] == note["creditnote_number"]
        await sound(house)


async def test_an_abort_leaves_the_receive_that_somebody_else_booked(temporal_client: Client, tmp_path: Path) -> None:
    """Though the answer to ours was lost, and both are there when it is looked for."""
    async with return_shop(temporal_client, tmp_path, trigger=ReturnTrigger.APPROVED) as house:
        await a_sale(house)
        desk = Desk(house)
        made = await desk.enters(MUG, ("TEA", 1, 0))
        (mug, _) = (await desk.read(made))["line_items"]
        body = {"date": "2026-11-26", "line_items": [{"line_item_id": mug["line_item_id"], "quantity": 1}]}
        await desk.call("POST", "/salesreturnreceives", body, salesreturn_id=made)
        (theirs,) = (await house.zoho(only="receives"))["receives"]
        await house.fault("zoho", method="POST", path="/salesreturnreceives$", fault="lost")
        await house.fault("zoho", method="POST", path=r"/creditnotes/\d+/refunds$", fault="refuse", code=4711)
        await tell(house, made)
        await parked(house, made)
        assert len((await house.zoho(only="receives"))["receives"]) == 2
        await answer(house, made, "abort", reason="wrong return")
        with pytest.raises(WorkflowFailureError):
            await ended(house, made)
        left = (await house.zoho(only="receives"))["receives"]
        assert [row["receive_id"] for row in left] == [theirs["receive_id"]]
