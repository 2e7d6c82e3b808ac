"""Inventory adjustments made for a return, through everything: proposal, a yes, money, credit note, stock."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.service import RPCError

from cli.ledger_check import check
from domain.attention import AttentionClass, Trouble
from domain.numbers import order_number
from domain.policy import ADJUSTMENT_ID_KEY, ReturnTrigger
from domain.returns import ReturnEvent
from domain.runs import Stage
from tests.endtoend.outcomes import everything_told
from tests.endtoend.test_memory_lost import forget_everything
from tests.endtoend.test_refunds import refund, stock
from tests.endtoend.test_returns import at_rest, refunds
from tests.endtoend.zoho_desk import (
    Desk,
    a_return,
    a_sale,
    answer_run,
    proposal_shop,
    starter_of,
    until_parked,
)
from tests.endtoend.zoho_tells import has_run, polled, zoho_calling
from tests.house import House
from workflows import contract

REASON = "Customer return"
RUNNING = WorkflowExecutionStatus.RUNNING


def run_of(house: House, adjustment_id: str) -> Any:
    """The adjustment's run."""
    return house.client.get_workflow_handle(contract.adjustment_workflow_id(house.slug, adjustment_id))


async def tell(house: House, adjustment_id: str, *, again: bool = False) -> None:
    """What a webhook of Zoho's says."""
    event = ReturnEvent(source="webhook")
    await starter_of(house).adjustment_event(house.slug, adjustment_id, event, again=again)


async def ended(house: House, adjustment_id: str) -> dict[str, Any]:
    """What became of the adjustment."""
    async with asyncio.timeout(60):
        return dict(await run_of(house, adjustment_id).result())


async def parked(house: House, adjustment_id: str) -> Trouble:
    """What the adjustment's run asks a person, once it does."""
    return await until_parked(run_of(house, adjustment_id))


async def answer(house: House, adjustment_id: str, action: str, by: str = "Grace", **more: Any) -> None:
    """A person's answer."""
    await answer_run(run_of(house, adjustment_id), action, by, **more)


async def sound(house: House) -> None:
    """Both ledgers tell the same, people's adjustments counted in, and the trail holds."""
    ledger = await house.zoho()
    by_hand = {row["inventory_adjustment_id"] for row in ledger["adjustments"] if row["reason"] == REASON}
    assert check(await house.stripe(), ledger, by_hand=by_hand) == []
    assert (await house.store.audit.verify(house.slug)).ok


async def asks(house: House, adjustment_id: str, wanted: AttentionClass) -> Trouble:
    """What the adjustment's run asks a person, once that is of this class."""
    async with asyncio.timeout(60):
        while (trouble := await parked(house, adjustment_id)).attention_class is not wanted:
            await asyncio.sleep(0.05)
    return trouble


async def agreed(house: House, adjustment_id: str) -> dict[str, Any]:
    """What became of the adjustment once Grace agreed."""
    await asks(house, adjustment_id, AttentionClass.APPROVAL_NEEDED)
    await answer(house, adjustment_id, "approve")
    return await ended(house, adjustment_id)


async def adjusted(house: House, *pieces: tuple[str, int], **how: Any) -> str:
    """An adjustment by a person, whose run was told; its id."""
    made = await Desk(house).adjusts(*pieces, **{"reason": REASON, **how})
    await tell(house, made)
    return made


async def test_an_adjustment_proposes_what_the_pieces_cost_and_waits_for_a_yes(
    temporal_client: Client, tmp_path: Path
) -> None:
    """One piece of two, told by Zoho twice: whoever made it cannot agree; then its price paid goes back, once, stock
    moves by the adjustment alone, and both sides are told. Events that come again change nothing.
    """
    async with proposal_shop(temporal_client, tmp_path) as house, zoho_calling(house, "inventoryadjustments"):
        await house.post(f"{house.zoho_url}/_switches", {"adjustment_tells_maker": True})
        payment_id = await a_sale(house)
        assert await stock(house) == (2, 2, 0)
        made = await Desk(house).adjusts(("MUG", 1), reason=REASON, reference=order_number(payment_id))
        trouble = await parked(house, made)
        assert (trouble.attention_class, str(trouble.at_risk)) == (AttentionClass.APPROVAL_NEEDED, "17.85 EUR")
        for by in ("unknown", "", trouble.requester.upper()):
            with pytest.raises(WorkflowUpdateFailedError):
                await answer(house, made, "approve", by)
        assert await refunds(house) == []
        result = await agreed(house, made)
        assert (result["stage"], result["payment_id"]) == (Stage.CREDITED, payment_id)
        for event in (await house.stripe(only="events"))["events"]:
            if event["type"].startswith("refund"):
                await house.post(f"{house.stripe_url}/_events/{event['id']}/resend", {})
        await everything_told(house)
        await at_rest(house)
        assert await refunds(house) == [(1785, "succeeded")]
        (note,) = (await house.zoho())["creditnotes"]
        told = (note["status"], note["total"], note["reference_number"])
        assert told == ("closed", Decimal("17.85"), result["refund_id"])
        assert made in note["notes"]
        assert note["custom_field_hash"]["cf_stripe_refund_id"] == result["refund_id"]
        assert [line["is_returned_to_stock"] for line in note["line_items"]] == [False]
        (back,) = (await house.stripe(only="refunds"))["refunds"]
        assert back["metadata"] == {
            ADJUSTMENT_ID_KEY: made,
            "zoho_creditnote_id": note["creditnote_id"],
            "zoho_creditnote_number": note["creditnote_number"],
        }
        assert await stock(house) == (1, 1, 0), "once, by the adjustment"
        said = [entry.note for entry in await house.store.audit.entries(house.slug) if "answer" in entry.step]
        assert said == ["approve by Grace"]
        await sound(house)


async def test_adjustments_and_returns_in_parts_come_to_the_payment(temporal_client: Client, tmp_path: Path) -> None:
    """By order field, id and payment, a return between them, our memory lost: every cent of the goods, and not one
    more. Of two that mean the same pieces and are agreed to at once, one gives money back.
    """
    async with proposal_shop(temporal_client, tmp_path, trigger=ReturnTrigger.RECEIVED) as house:
        payment_id = await a_sale(house)
        order = (await Desk(house).order())["salesorder_id"]
        first = await adjusted(house, ("MUG", 1), field=order_number(payment_id), reason="Recount")
        await agreed(house, first)
        back = await a_return(house, ("MUG", 1, 0))
        await house.client.get_workflow_handle(contract.return_workflow_id(house.slug, back)).result()
        forget_everything(tmp_path)
        rivals = [await adjusted(house, ("TEA", 3), reference=named) for named in (order, order)]
        await asyncio.gather(*(asks(house, one, AttentionClass.APPROVAL_NEEDED) for one in rivals))
        await asyncio.gather(*(answer(house, one, "approve") for one in rivals))
        async with asyncio.timeout(60):
            while len(left := [one for one in rivals if (await run_of(house, one).describe()).status == RUNNING]) > 1:
                await asyncio.sleep(0.05)
        assert "0 can still come back" in (await asks(house, left[0], AttentionClass.ADJUSTMENT_UNMATCHED)).message
        assert sum(amount for amount, _ in await refunds(house)) == 3570 + 3207
        assert sum(note["total"] for note in (await house.zoho())["creditnotes"]) == Decimal("67.77")
        third = await a_return(house, ("MUG", 1, 0))
        trouble = await until_parked(house.client.get_workflow_handle(contract.return_workflow_id(house.slug, third)))
        assert trouble.attention_class is AttentionClass.CHANGED_BY_HAND
        await answer(house, left[0], "abort", reason="made twice")
        await sound(house)


UNMATCHED: list[tuple[list[tuple[str, int]], dict[str, str], str]] = [
    ([("MUG", 1)], {}, "names no order"),
    ([("MUG", 1)], {"reference": "SO-NOBODY"}, "no order SO-NOBODY"),
    ([("MUG", 1)], {"field": "460000000099999999"}, "no order 460000000099999999"),
    ([("POT", 1)], {"reference": "its order"}, "not in the order"),
    ([("MUG", 3)], {"reference": "its order"}, "more pieces"),
    ([("MUG", -1)], {"reference": "its order"}, "out of stock"),
]


async def test_what_cannot_be_matched_waits_for_a_person(temporal_client: Client, tmp_path: Path) -> None:
    """It says why, gives nothing back, and cannot be approved; put right in Zoho, it is proposed."""
    async with proposal_shop(temporal_client, tmp_path) as house:
        number = order_number(await a_sale(house))
        made = [
            await adjusted(house, *pieces, **{key: number if one == "its order" else one for key, one in how.items()})
            for pieces, how, _ in UNMATCHED
        ]
        troubles = await asyncio.gather(*(parked(house, one) for one in made))
        assert {one.attention_class for one in troubles} == {AttentionClass.ADJUSTMENT_UNMATCHED}
        assert all(why in one.message for one, (_, _, why) in zip(troubles, UNMATCHED, strict=True))
        with pytest.raises(WorkflowUpdateFailedError):
            await answer(house, made[1], "approve")
        await answer(house, made[1], "abort", reason="a mistake")
        with pytest.raises(WorkflowFailureError):
            await ended(house, made[1])
        assert (await refunds(house), (await house.zoho(only="creditnotes"))["creditnotes"]) == ([], [])
        await Desk(house).renames(made[2], number)
        await answer(house, made[2], "retry")
        assert (await agreed(house, made[2]))["stage"] == Stage.CREDITED
        assert await refunds(house) == [(1785, "succeeded")]


async def test_what_is_not_meant_or_not_counted_yet_gives_nothing_back(temporal_client: Client, tmp_path: Path) -> None:
    """A recount until it names an order; a draft until Zoho counts it; and what somebody said no to, for good."""
    async with proposal_shop(temporal_client, tmp_path) as house:
        payment_id = await a_sale(house)
        desk, number = Desk(house), order_number(payment_id)
        recount = await adjusted(house, ("MUG", 1), reason="Recount", reference="shelf 4")
        assert (await ended(house, recount))["stage"] == Stage.REFUSED
        await desk.renames(recount, number)
        await tell(house, recount)
        await asks(house, recount, AttentionClass.APPROVAL_NEEDED)
        await answer(house, recount, "abort", reason="it was broken by the buyer")
        with pytest.raises(WorkflowFailureError) as failed:
            await ended(house, recount)
        assert "no money went back" in str(failed.value.cause)
        await tell(house, recount)
        with pytest.raises(RPCError):
            await run_of(house, recount).signal(contract.RETURN_EVENT, {"source": "webhook"})
        await house.post(f"{house.zoho_url}/_switches", {"adjustment_applies_at_once": False})
        kept, dropped = [await adjusted(house, (sku, 1), reference=number) for sku in ("MUG", "TEA")]
        for made in (kept, dropped):
            async with asyncio.timeout(60):
                while (await run_of(house, made).query(contract.PROGRESS))["stage"] != Stage.WAITING_FOR_RETURN:
                    await asyncio.sleep(0.05)
        await desk.call("POST", f"/inventoryadjustments/{kept}/approve")
        await desk.call("DELETE", f"/inventoryadjustments/{dropped}")
        await asks(house, kept, AttentionClass.APPROVAL_NEEDED)
        assert (await ended(house, dropped))["stage"] == Stage.REFUSED
        await refund(house, {"payment_intent": payment_id}, 3570 + 3207 - 1784)
        await answer(house, kept, "approve")
        await asks(house, kept, AttentionClass.REFUND_TOO_LARGE)
        assert len(await refunds(house)) == 1


async def test_a_refund_that_fails_weeks_later_reopens_the_case(temporal_client: Client, tmp_path: Path) -> None:
    """Its credit note is void, the stock stays, and money goes back again only after another yes. The books of one
    whose adjustment is gone by then are put right all the same.
    """
    async with proposal_shop(temporal_client, tmp_path) as house:
        number = order_number(await a_sale(house))
        made, gone = [await adjusted(house, (sku, 1), reference=number) for sku in ("MUG", "TEA")]
        first = [(await agreed(house, one))["refund_id"] for one in (made, gone)]
        await Desk(house).call("DELETE", f"/inventoryadjustments/{gone}")
        for refund_id in first:
            await house.post(f"{house.stripe_url}/_refunds/{refund_id}/fail", {})
        for one in (made, gone):
            async with asyncio.timeout(60):
                while (await run_of(house, one).describe()).status != RUNNING:
                    await asyncio.sleep(0.05)
            await asks(house, one, AttentionClass.REFUND_FAILED)
        ledger = await house.zoho()
        assert ([note["status"] for note in ledger["creditnotes"]], ledger["refunds"]) == (["void", "void"], [])
        for one in (made, gone):
            await answer(house, one, "retry")
        assert (await ended(house, gone))["stage"] == Stage.REFUSED
        second = await agreed(house, made)
        assert second["refund_id"] not in first
        assert sorted(status for _, status in await refunds(house)) == ["failed", "failed", "succeeded"]
        assert sorted(note["status"] for note in (await house.zoho())["creditnotes"]) == ["closed", "void", "void"]
        assert await stock(house) == (1, 1, 0)
        await sound(house)


async def test_an_abort_takes_the_credit_note_back_and_names_the_money(temporal_client: Client, tmp_path: Path) -> None:
    """The money that went back is not ours to fetch: until a credit note says what for, nothing more is priced."""
    async with proposal_shop(temporal_client, tmp_path) as house:
        number = order_number(await a_sale(house))
        await house.fault("zoho", method="POST", path=r"/creditnotes/\d+/refunds$", fault="refuse", code=4711)
        made = await adjusted(house, ("MUG", 1), reference=number)
        await asks(house, made, AttentionClass.APPROVAL_NEEDED)
        await answer(house, made, "approve")
        await asks(house, made, AttentionClass.ZOHO_REFUSED)
        await answer(house, made, "abort", reason="wrong order")
        with pytest.raises(WorkflowFailureError) as failed:
            await ended(house, made)
        assert "17.85 EUR went back" in str(failed.value.cause)
        assert [note["status"] for note in (await house.zoho())["creditnotes"]] == ["void"]
        assert await stock(house) == (1, 1, 0)
        again = await adjusted(house, ("MUG", 1), reference=number)
        trouble = await asks(house, again, AttentionClass.ADJUSTMENT_UNMATCHED)
        assert "gave money back for an adjustment" in trouble.message


async def test_the_list_is_read_from_time_to_time(temporal_client: Client, tmp_path: Path) -> None:
    """What was there before is left alone; a recount, by its row, needs no reading."""
    policy: dict[str, Any] = {"poll_every": timedelta(milliseconds=300), "adjustment_order_field": ""}
    async with proposal_shop(temporal_client, tmp_path, **policy) as house:
        payment_id = await a_sale(house)
        desk, number = Desk(house), order_number(payment_id)
        reads = contract.adjustment_poll_workflow_id(house.slug)
        old = await desk.adjusts(("MUG", 1), reason=REASON, reference=number)
        await starter_of(house).poll_adjustments(house.slug)
        await polled(house, reads, "/inventoryadjustments")
        new = await desk.adjusts(("TEA", 1), reason=REASON.upper(), reference=number)
        recount = await desk.adjusts(("TEA", 1), reason="Recount", reference=number)
        assert (await parked(house, new)).attention_class is AttentionClass.APPROVAL_NEEDED
        await polled(house, reads, "/inventoryadjustments")
        assert [await has_run(run_of(house, one)) for one in (old, recount)] == [False, False]
