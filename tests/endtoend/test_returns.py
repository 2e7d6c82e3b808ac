"""Returns entered in Zoho, through everything: money back in Stripe, credit note, goods, counted in both ledgers."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from domain.attention import AttentionClass
from domain.policy import RETURN_ID_KEY, ReturnShipping, ReturnTrigger
from domain.runs import Stage
from tests.endtoend.outcomes import everything_told
from tests.endtoend.sweeping import all_closed
from tests.endtoend.test_memory_lost import forget_everything
from tests.endtoend.test_refunds import stock
from tests.endtoend.zoho_desk import (
    Desk,
    a_return,
    a_sale,
    answer,
    ended,
    parked,
    reached,
    return_shop,
    run_of,
    sound,
    tell,
)
from tests.house import House
from workflows import contract

WHOLE = 3570 + 3207
MUG = ("MUG", 1, 0)


async def refunds(house: House) -> list[tuple[int, str]]:
    """What went back in Stripe, oldest first, with how it stands."""
    return [(row["amount"], row["status"]) for row in (await house.stripe(only="refunds"))["refunds"]]


async def at_rest(house: House) -> None:
    """No run of the shop is open."""
    query = f"{contract.CONNECTION.name} = '{house.slug}' AND ExecutionStatus = 'Running'"
    async with asyncio.timeout(60):
        while (await house.client.count_workflows(query)).count:
            await asyncio.sleep(0.1)


async def test_a_return_waits_for_its_goods_and_gives_the_money_back(temporal_client: Client, tmp_path: Path) -> None:
    """One piece of two: what it was paid with goes back, and both sides name each other's documents."""
    async with return_shop(temporal_client, tmp_path) as house:
        payment_id = await a_sale(house)
        desk = Desk(house)
        made = await desk.enters(MUG)
        await tell(house, made)
        await reached(house, made, Stage.WAITING_FOR_RETURN)
        assert await refunds(house) == []
        await desk.receives(made)
        result = await ended(house, made)
        assert (result["stage"], result["payment_id"]) == (Stage.CREDITED, payment_id)
        assert result["money"] == {"minor": 1785, "currency": "EUR"}
        ledger = await house.zoho()
        (note,) = ledger["creditnotes"]
        assert (note["status"], note["total"]) == ("closed", Decimal("17.85"))
        assert note["reference_number"] == result["refund_id"]
        (made_in_stripe,) = (await house.stripe(only="refunds"))["refunds"]
        assert made_in_stripe["metadata"] == {
            RETURN_ID_KEY: made,
            "zoho_creditnote_id": note["creditnote_id"],
            "zoho_creditnote_number": note["creditnote_number"],
        }
        said = {"cf_stripe_refund_id": made_in_stripe["id"], "cf_stripe_refund_status": "succeeded"}
        back = await desk.read(made)
        assert back["custom_field_hash"] == said == note["custom_field_hash"]
        assert (back["receive_status"], back["refund_status"]) == ("received", "refunded")
        assert await stock(house) == (1, 1, 0)
        await sound(house)


async def test_returns_in_parts_come_to_the_payment(temporal_client: Client, tmp_path: Path) -> None:
    """Several returns of one order, damaged goods among them, and the shipping with the last: the cents add up."""
    async with return_shop(temporal_client, tmp_path, shipping=ReturnShipping.WITH_ALL) as house:
        await a_sale(house, shipping={"amount": 490})
        for pieces in ([MUG], [("MUG", 0, 1), ("TEA", 1, 0)], [("TEA", 2, 0)]):
            made = await a_return(house, *pieces)
            assert (await ended(house, made))["stage"] == Stage.CREDITED
        ledger, went = await house.zoho(), await refunds(house)
        paid = (await house.stripe(only="payment_intents"))["payment_intents"][0]["amount_received"]
        assert sum(amount for amount, _ in went) == paid > WHOLE
        assert sum(note["total"] for note in ledger["creditnotes"]) == Decimal(paid) / 100
        assert await stock(house) == (1, 1, 0), "the damaged mug is not for sale again"
        await sound(house)


@pytest.mark.parametrize(
    "trigger", [ReturnTrigger.APPROVED, ReturnTrigger.CREDIT_NOTE, ReturnTrigger.CREDIT_NOTE_REFUND]
)
async def test_what_the_policy_waits_for(temporal_client: Client, tmp_path: Path, trigger: ReturnTrigger) -> None:
    """The run does what is left to do: what a person wrote already is used, and named in its history."""
    async with return_shop(temporal_client, tmp_path, trigger=trigger) as house:
        await a_sale(house)
        desk = Desk(house)
        made = await desk.enters(MUG)
        await tell(house, made)
        if trigger is not ReturnTrigger.APPROVED:
            await reached(house, made, Stage.WAITING_FOR_RETURN)
            note = await desk.credits(made, "12.34")
            if trigger is ReturnTrigger.CREDIT_NOTE_REFUND:
                assert await refunds(house) == []
                await desk.pays_out(note)
        result = await ended(house, made)
        assert result["stage"] == Stage.CREDITED
        assert await refunds(house) == [(1785 if trigger is ReturnTrigger.APPROVED else 1234, "succeeded")]
        (note,) = (await house.zoho())["creditnotes"]
        assert note["status"] == "closed"
        assert (await desk.read(made))["receive_status"] == "received"
        assert await stock(house) == (1, 1, 0)
        await sound(house)


async def test_a_return_that_came_to_nothing_costs_no_cent(temporal_client: Client, tmp_path: Path) -> None:
    """Two pieces of an odd sum: which has the odd cent is settled by what went back, not by what was entered."""
    odd = [{"sku": "MUG", "unit_amount": 1002, "quantity": 2, "tax_percent": 19}]
    async with return_shop(temporal_client, tmp_path) as house:
        await a_sale(house, lines=odd)
        desk = Desk(house)
        first = await desk.enters(MUG)
        await ended(house, await a_return(house, MUG))
        await desk.call("DELETE", f"/salesreturns/{first}")
        await ended(house, await a_return(house, MUG))
        assert await refunds(house) == [(1193, "succeeded"), (1192, "succeeded")]
        await sound(house)


async def test_shipping_goes_back_with_the_last_return_that_is_paid(temporal_client: Client, tmp_path: Path) -> None:
    """One that was entered first, and whose goods come last, has it; until then not everything is back."""
    async with return_shop(temporal_client, tmp_path, shipping=ReturnShipping.WITH_ALL) as house:
        await a_sale(house, shipping={"amount": 490})
        desk = Desk(house)
        first = await desk.enters(MUG)
        await tell(house, first)
        rest = await ended(house, await a_return(house, MUG, ("TEA", 3, 0)))
        assert rest["money"]["minor"] == 1785 + 3207
        await desk.receives(first)
        assert (await ended(house, first))["money"]["minor"] == 1785 + 490
        await sound(house)


@pytest.mark.parametrize("said", ["fields", "metadata"])
async def test_the_payment_is_found_without_our_memory(temporal_client: Client, tmp_path: Path, said: str) -> None:
    """By what the order says, or, where somebody blanked that, by Stripe's metadata."""
    async with return_shop(temporal_client, tmp_path) as house:
        payment_id = await a_sale(house)
        forget_everything(tmp_path)
        desk = Desk(house)
        if said == "metadata":
            order = await desk.order()
            blank = [{"api_name": name, "value": ""} for name in order["custom_field_hash"]]
            body = {"reference_number": "", "custom_fields": blank, "customer_id": order["customer_id"]}
            await desk.call("PUT", f"/salesorders/{order['salesorder_id']}", body)
            (payment,) = (await house.zoho(only="payments"))["payments"]
            await desk.call("PUT", f"/customerpayments/{payment['payment_id']}", {"reference_number": "till 4"})
        made = await a_return(house, MUG)
        result = await ended(house, made)
        assert (result["payment_id"], result["stage"]) == (payment_id, Stage.CREDITED)
        assert await refunds(house) == [(1785, "succeeded")]


async def test_a_refund_under_way_is_followed_until_it_arrives(temporal_client: Client, tmp_path: Path) -> None:
    """No credit note before Stripe says that the buyer has the money; its event wakes the run."""
    async with return_shop(temporal_client, tmp_path) as house:
        await a_sale(house)
        await house.post(f"{house.stripe_url}/_switches", {"refund_after": None})
        made = await a_return(house, MUG)
        await reached(house, made, Stage.WAITING_FOR_MONEY)
        assert (await house.zoho(only="creditnotes"))["creditnotes"] == []
        (one,) = (await house.stripe(only="refunds"))["refunds"]
        await house.post(f"{house.stripe_url}/_refunds/{one['id']}/settle", {})
        assert (await ended(house, made))["stage"] == Stage.CREDITED
        await sound(house)


async def test_a_refund_that_fails_weeks_later_reopens_the_case(temporal_client: Client, tmp_path: Path) -> None:
    """The credit note stands, for the goods are here; the money is owed again until a person has it sent once more."""
    async with return_shop(temporal_client, tmp_path) as house:
        await a_sale(house)
        made = await a_return(house, MUG)
        first = await ended(house, made)
        await house.post(f"{house.stripe_url}/_refunds/{first['refund_id']}/fail", {})
        trouble = await parked(house, made)
        assert trouble.attention_class is AttentionClass.REFUND_FAILED
        ledger = await house.zoho()
        assert [(note["status"], note["balance"]) for note in ledger["creditnotes"]] == [("open", Decimal("17.85"))]
        assert ledger["refunds"] == []
        assert (await Desk(house).read(made))["custom_field_hash"]["cf_stripe_refund_status"] == "failed"
        await answer(house, made, "retry")
        second = await ended(house, made)
        assert second["refund_id"] != first["refund_id"]
        ledger = await house.zoho()
        assert [(note["status"], len(ledger["refunds"])) for note in ledger["creditnotes"]] == [("closed", 1)]
        told = (await Desk(house).read(made))["custom_field_hash"]
        assert told == {"cf_stripe_refund_id": second["refund_id"], "cf_stripe_refund_status": "succeeded"}
        made_again = next(
            row for row in (await house.stripe(only="refunds"))["refunds"] if row["id"] == second["refund_id"]
        )
        assert made_again["metadata"]["zoho_creditnote_id"] == ledger["creditnotes"][0]["creditnote_id"]
        assert made_again["metadata"]["zoho_creditnote_number"] == ledger["creditnotes"][0]["creditnote_number"]
        assert sorted(await refunds(house)) == [(1785, "failed"), (1785, "succeeded")]
        await sound(house)
        for event in (await house.stripe(only="events"))["events"]:
            if event["type"] == "refund.failed":
                await house.post(f"{house.stripe_url}/_events/{event['id']}/resend", {})
        await everything_told(house)
        await at_rest(house)
        assert (await house.zoho(only="refunds"))["refunds"] == ledger["refunds"], "heard again, it takes nothing out"
        await sound(house)


@pytest.mark.parametrize("how", ["deleted", "declined"])
async def test_a_return_that_ends_while_it_waits_gives_nothing_back(
    temporal_client: Client, tmp_path: Path, how: str
) -> None:
    """The run closes and says why."""
    async with return_shop(temporal_client, tmp_path) as house:
        await a_sale(house)
        desk = Desk(house)
        made = await desk.enters(MUG)
        await tell(house, made)
        await reached(house, made, Stage.WAITING_FOR_RETURN)
        if how == "deleted":
            await desk.call("DELETE", f"/salesreturns/{made}")
        else:
            decision = {"salesreturn_id": made, "status": "declined"}
            organization = house.connection.zoho.organization_id
            await house.post(f"{house.zoho_url}/_decide", {"organization_id": organization, **decision})
        result = await ended(house, made)
        assert result["stage"] == Stage.REFUSED
        assert how in result["notes"][-1]
        assert await refunds(house) == []


async def test_an_order_that_nobody_paid_in_stripe_is_none_of_ours(temporal_client: Client, tmp_path: Path) -> None:
    """A sale of the counter that comes back: the run says so and ends."""
    async with return_shop(temporal_client, tmp_path) as house:
        await a_sale(house)
        desk = Desk(house)
        order = await desk.order()
        rows = [{"item_id": order["line_items"][0]["item_id"], "quantity": 1, "rate": 15}]
        body = {"customer_id": order["customer_id"], "line_items": rows, "reference_number": "counter"}
        other = (await desk.call("POST", "/salesorders", body))["salesorder"]
        await desk.call("POST", f"/salesorders/{other['salesorder_id']}/status/confirmed")
        line = {"so_line_item_id": other["line_items"][0]["line_item_id"], "quantity": 1}
        packed = {"date": "2026-11-26", "line_items": [line]}
        package = (await desk.call("POST", "/packages", packed, salesorder_id=other["salesorder_id"]))["package"]
        sent = {"date": "2026-11-26", "delivery_method": "Post", "shipment_number": "SH-1"}
        keys = {"salesorder_id": other["salesorder_id"], "package_ids": package["package_id"]}
        await desk.call("POST", "/shipmentorders", sent, **keys)
        made = await a_return(house, MUG, reference="counter")
        result = await ended(house, made)
        assert result["stage"] == Stage.REFUSED
        assert "no payment in Stripe" in result["notes"][-1]
        assert await refunds(house) == []


async def test_events_of_its_own_refund_book_nothing_twice(temporal_client: Client, tmp_path: Path) -> None:
    """The refund's own run hands it over; told again and again, both find all of it done."""
    async with return_shop(temporal_client, tmp_path) as house:
        await a_sale(house)
        made = await a_return(house, MUG)
        await ended(house, made)
        for event in (await house.stripe(only="events"))["events"]:
            await house.post(f"{house.stripe_url}/_events/{event['id']}/resend", {})
        await tell(house, made)
        await everything_told(house)
        await all_closed(house)
        ledger = await house.zoho()
        assert (len(ledger["creditnotes"]), len(ledger["refunds"]), len(await refunds(house))) == (1, 1, 1)
        with pytest.raises(RPCError):
            await run_of(house, made).signal("return_event", {"source": "webhook"})
        await sound(house)


async def test_a_refund_that_fails_while_its_documents_are_written_is_not_missed(
    temporal_client: Client, tmp_path: Path
) -> None:
    """The word of it reaches a run that is about to close: it looks again, and asks a person."""
    async with return_shop(temporal_client, tmp_path) as house:
        await a_sale(house)
        await house.fault("zoho", method="PUT", path="/salesreturns/", fault="slow", seconds=3)
        made = await a_return(house, MUG)
        await reached(house, made, Stage.CREDITED)
        (one,) = (await house.stripe(only="refunds"))["refunds"]
        await house.post(f"{house.stripe_url}/_refunds/{one['id']}/fail", {})
        assert (await parked(house, made)).attention_class is AttentionClass.REFUND_FAILED
        assert (await house.zoho(only="refunds"))["refunds"] == []
