"""What people do in Zoho to carried orders: found by polls, told to Stripe, asked about, and never overwritten."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle

from cli.ledger_check import check
from domain.by_hand import ZohoList
from tests.endtoend.by_hand import RARELY, a_shop, answered, asked, checked, ended, polled, sold, starter_of, uninvoiced
from tests.endtoend.test_changes import until
from tests.endtoend.test_privacy import raw_history
from tests.endtoend.test_refunds import booked, refund
from tests.endtoend.test_shipping import metadata
from tests.endtoend.zoho_desk import Desk
from tests.house import MAPPING, SEED, House
from tests.workflows.test_attention import shown
from workflows import contract

FIELD = {"custom_fields": [*SEED["custom_fields"], {"api_name": "cf_crm", "label": "CRM"}]}
CRM = MAPPING.model_copy(update={"write_back": {"crm_id": "cf_crm"}})


async def ships(house: House, order_id: str, **said: str) -> str:
    """Somebody packs and ships the only line of the order; the shipment's id."""
    desk = Desk(house)
    order = (await desk.call("GET", f"/salesorders/{order_id}"))["salesorder"]
    (line,) = order["line_items"]
    rows = [{"so_line_item_id": line["line_item_id"], "quantity": int(line["quantity"])}]
    packed = await desk.call("POST", "/packages", {"date": "2026-11-26", "line_items": rows}, salesorder_id=order_id)
    body = {"shipment_number": "SHP-1", "date": "2026-11-27", "delivery_method": "DHL", **said}
    query = {"salesorder_id": order_id, "package_ids": packed["package"]["package_id"]}
    made = await desk.call("POST", "/shipmentorders", body, **query)
    return str(made["shipmentorder"]["shipment_id"])


async def carried_back(house: House) -> int:
    """How often Stripe was told."""
    return sum(entry.step.startswith("carry_back") for entry in await house.store.audit.entries(house.slug))


SILENT: list[dict[str, bool]] = [
    {},
    {"lists_filter_modified": False, "lists_sort_modified": False},
    {"shipment_touches_order": False},
]


@pytest.mark.parametrize("preferences", SILENT, ids=lambda one: "+".join(one) or "all-honoured")
async def test_tracking_entered_by_hand_reaches_stripe(
    temporal_client: Client, tmp_path: Path, preferences: dict[str, bool]
) -> None:
    """Once, whatever Zoho's list honours and whichever answer is lost; where the order's row says nothing of it, the
    order is drawn in its turn.
    """
    drawn = preferences.get("shipment_touches_order", True) is False
    by_hand = RARELY.model_copy(update={"checks": int(drawn)})
    async with a_shop(temporal_client, tmp_path, by_hand=by_hand, seed={"preferences": preferences}) as house:
        payment_id, order_id = await sold(house)
        shipment = await ships(house, order_id, tracking_number="00340-1")
        for path, fault in ((r"/salesorders$", "drop"), (r"/salesorders/\d+$", "server_error")):
            await house.fault("zoho", method="GET", path=path, fault=fault)
        await house.fault("stripe", method="POST", path="/v1/payment_intents/", fault="lost")
        for _ in range(2):
            await polled(house)
        told = await metadata(house, payment_id)
        assert (told["zoho_shipment_id"], told["tracking_number"]) == (shipment, "00340-1")
        assert told["shipment_status"] == "shipped"
        assert await carried_back(house) == 1
        assert not await checked(house, payment_id)


async def test_what_is_entered_again_is_told_again(temporal_client: Client, tmp_path: Path) -> None:
    """A number that is corrected, and corrected back, is right in Stripe each time."""
    async with a_shop(temporal_client, tmp_path, mapping=CRM, seed=FIELD) as house:
        payment_id, order_id = await sold(house)
        shipment = await ships(house, order_id, tracking_number="A")
        for number in ("A", "B", "A"):
            await house.post(f"{house.zoho_url}/_clock", {"advance": 5})
            await Desk(house).call("PUT", f"/shipmentorders/{shipment}", {"tracking_number": number})
            await polled(house)
            assert (await metadata(house, payment_id))["tracking_number"] == number
        body = {"custom_fields": [{"api_name": "cf_crm", "value": "C-77"}]}
        await Desk(house).call("PUT", f"/salesorders/{order_id}", body)
        await polled(house)
        assert (await metadata(house, payment_id))["crm_id"] == "C-77"
        run = house.client.get_workflow_handle(contract.order_poll_workflow_id(house.slug))
        assert "C-77" not in await raw_history(run)
        assert "C-77" not in str(await house.store.audit.entries(house.slug))
        assert await carried_back(house) == 4
        assert not await checked(house, payment_id)


async def test_an_order_that_nobody_touched_costs_nothing(temporal_client: Client, tmp_path: Path) -> None:
    """A poll is one call a list, of contacts and items only when it is time; our own writes are not looked at."""
    lists = {"lists": tuple(ZohoList), "checks": 0}
    async with a_shop(temporal_client, tmp_path, by_hand=RARELY.model_copy(update=lists)) as house:
        payment_id, _ = await sold(house)
        documents = ["GET /salesorders", "GET /invoices", "GET /customerpayments", "GET /creditnotes"]
        for wanted in ([*documents, "GET /contacts", "GET /items"], documents):
            before = Counter((await house.zoho(only="calls"))["calls"]["counts"])
            await polled(house)
            assert Counter((await house.zoho(only="calls"))["calls"]["counts"]) - before == Counter(wanted)
        assert not await checked(house, payment_id)
        assert await carried_back(house) == 0


async def test_polls_leave_the_days_reserve_to_payments(temporal_client: Client, tmp_path: Path) -> None:
    """Where only the reserve is left the poll waits for the next day, and says so; payments are carried on."""
    async with a_shop(temporal_client, tmp_path, seed={"daily_limit": 206}) as house:
        await sold(house)
        before = (await house.zoho(only="calls"))["calls"]["counts"].get("GET /salesorders", 0)
        await starter_of(house).poll_orders(house.slug)
        run = house.client.get_workflow_handle(contract.order_poll_workflow_id(house.slug))
        assert "daily quota" in await until(lambda: said(run))
        await sold(house)
        assert (await house.zoho(only="calls"))["calls"]["counts"].get("GET /salesorders", 0) == before


async def said(run: WorkflowHandle[Any, Any]) -> str:
    """What the run says that it waits for, "" for nothing."""
    shows = await shown(run)
    return shows if "waits until" in shows else ""


async def edited(house: House, order_id: str, quantity: int) -> None:
    """Somebody changes how much was ordered, a moment later."""
    await house.post(f"{house.zoho_url}/_clock", {"advance": 5})
    desk = Desk(house)
    order = (await desk.call("GET", f"/salesorders/{order_id}"))["salesorder"]
    kept = ("line_item_id", "item_id", "name", "rate", "tax_id")
    rows = [{**{name: _plain(line[name]) for name in kept}, "quantity": quantity} for line in order["line_items"]]
    await desk.call("PUT", f"/salesorders/{order_id}", {"line_items": rows})


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else str(value)


async def test_an_edited_order_is_told_field_by_field(temporal_client: Client, tmp_path: Path) -> None:
    """Nothing is overwritten; skipped with a reason it stands as it is, until somebody edits it once more."""
    async with a_shop(temporal_client, tmp_path) as house:
        payment_id, order_id = await sold(house)
        await edited(house, order_id, 3)
        await polled(house)
        trouble = await asked(house, payment_id)
        assert (trouble.attention_class, trouble.step) == ("drift", "differs")
        assert "line 1 quantity: 2 is now 3" in trouble.message
        assert "total: 35.70 EUR is now 53.55 EUR" in trouble.message
        await answered(house, payment_id, "skip", reason="one more on the house")
        assert "took the order as it is" in (await ended(house, payment_id))["notes"][-1]
        first = (await house.zoho(only="salesorders"))["salesorders"]
        assert [line["quantity"] for line in first[0]["line_items"]] == [3]
        for _ in range(2):
            await polled(house)
        assert (await ended(house, payment_id))["standing"] == "stands"
        await edited(house, order_id, 4)
        await polled(house)
        assert "quantity: 2 is now 4" in (await asked(house, payment_id)).message
        await edited(house, order_id, 2)
        await answered(house, payment_id, "retry")
        assert (await ended(house, payment_id))["notes"][-1] == "there is nothing to ask"


async def test_what_changes_while_a_person_thinks_is_asked_anew(temporal_client: Client, tmp_path: Path) -> None:
    """An answer counts for what was asked, and for nothing that somebody did since."""
    async with a_shop(temporal_client, tmp_path) as house:
        payment_id, order_id = await sold(house)
        await edited(house, order_id, 3)
        await polled(house)
        await asked(house, payment_id)
        await edited(house, order_id, 5)
        await answered(house, payment_id, "skip", reason="three are fine")
        assert "quantity: 2 is now 5" in (await asked(house, payment_id)).message
        await answered(house, payment_id, "abort", reason="I call them")
        with pytest.raises(Exception, match="Workflow execution failed"):
            await ended(house, payment_id)


async def test_what_hangs_on_an_order_is_read_back(temporal_client: Client, tmp_path: Path) -> None:
    """A document of it that is gone is told, though the order's own row says nothing of it."""
    async with a_shop(temporal_client, tmp_path) as house:
        payment_id, _ = await sold(house)
        (payment,) = (await house.zoho(only="payments"))["payments"]
        await Desk(house).call("DELETE", f"/customerpayments/{payment['payment_id']}")
        await polled(house)
        assert "payment: 35.70 EUR is now missing" in (await asked(house, payment_id)).message


async def voided(house: House, order_id: str) -> None:
    """Somebody cancels the sale in Zoho."""
    await uninvoiced(house)
    await Desk(house).call("POST", f"/salesorders/{order_id}/status/void")


async def deleted(house: House, order_id: str) -> None:
    """Somebody deletes the order."""
    await uninvoiced(house)
    await house.post(f"{house.zoho_url}/_switches", {"delete_with_children_refused": False})
    await Desk(house).call("DELETE", f"/salesorders/{order_id}")


@pytest.mark.parametrize(("cancels", "fault"), [(voided, ""), (deleted, "drop")])
async def test_a_cancellation_that_is_begun_in_zoho(
    temporal_client: Client, tmp_path: Path, cancels: Any, fault: str
) -> None:
    """A person is asked; the money goes back once, whatever becomes of the answer, and nobody is asked again."""
    async with a_shop(temporal_client, tmp_path) as house:
        payment_id, order_id = await sold(house)
        await cancels(house, order_id)
        await polled(house)
        trouble = await asked(house, payment_id)
        assert (trouble.attention_class, str(trouble.at_risk)) == ("order_cancelled", "35.70 EUR")
        assert [one.value for one in trouble.actions()] == ["refund", "restore", "retry", "skip", "abort"]
        if fault:
            await house.fault("stripe", method="POST", path="/v1/refunds$", fault=fault)
        await answered(house, payment_id, "refund")
        result = await ended(house, payment_id)
        (made,) = (await house.stripe(only="refunds"))["refunds"]
        assert (made["id"], made["amount"]) == (result["refund_id"], 3570)
        assert "nothing to credit" in str(await booked(house, made["id"]))
        await polled(house)
        assert (await ended(house, payment_id))["refund_id"] == made["id"]
        assert len((await house.stripe(only="refunds"))["refunds"]) == 1
        assert (await house.zoho(only="creditnotes"))["creditnotes"] == []


async def test_a_deleted_order_is_carried_anew_when_a_person_wants_it(temporal_client: Client, tmp_path: Path) -> None:
    """While something of it stands that is refused, for it would be there twice; then one of each stands."""
    async with a_shop(temporal_client, tmp_path) as house:
        payment_id, order_id = await sold(house)
        await voided(house, order_id)
        await polled(house)
        await asked(house, payment_id)
        await answered(house, payment_id, "restore")
        assert f"salesorders {order_id} (void)" in (await asked(house, payment_id)).message
        await house.post(f"{house.zoho_url}/_switches", {"delete_with_children_refused": False})
        await Desk(house).call("DELETE", f"/salesorders/{order_id}")
        await answered(house, payment_id, "restore")
        assert (await ended(house, payment_id))["notes"][-1] == "the payment is carried anew"
        result = await house.done(payment_id)
        ledger = await house.zoho()
        assert [row["salesorder_id"] for row in ledger["salesorders"]] == [result["salesorder_id"]] != [order_id]
        assert [row["status"] for row in ledger["invoices"]] == ["void", "paid"]
        assert len(ledger["payments"]) == 1
        assert check(await house.stripe(), ledger) == []
        await polled(house)
        assert (await metadata(house, payment_id))["zoho_salesorder_id"] == result["salesorder_id"]
        assert (await house.store.audit.verify(house.slug)).ok


async def test_an_order_that_we_voided_ourselves_is_no_news(temporal_client: Client, tmp_path: Path) -> None:
    """A refund of what is not invoiced any more voids the order: our own rows say so, and nobody is asked."""
    async with a_shop(temporal_client, tmp_path) as house:
        payment_id, _ = await sold(house)
        await uninvoiced(house)
        await booked(house, await refund(house, {"payment_intent": payment_id}))
        assert [row["status"] for row in (await house.zoho(only="salesorders"))["salesorders"]] == ["void"]
        for _ in range(2):
            await polled(house)
        assert not await checked(house, payment_id)
