"""Losing our own memory, or remembering what is no longer there, costs a look and no money."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest
from temporalio.client import Client

from domain.runs import PaymentInput
from tests.endtoend.test_changes import GRACE, changed, stripe_says
from tests.endtoend.test_first_order import MUGS, token
from tests.house import BUYER, House, a_house
from workflows import contract


def forget_everything(folder: Path) -> None:
    """Empty every table that remembers documents, as a restored backup of yesterday would be."""
    for file in folder.glob("*.db"):
        with sqlite3.connect(file, timeout=10) as database:
            for table in ("effects", "links", "dossiers", "audit"):
                database.execute(f"DELETE FROM {table}")


async def run_again(house: House, payment_id: str) -> dict[str, object]:
    """The completed payment's run once more, on purpose."""
    start = PaymentInput(**house.start_of(payment_id))
    return await house.once_more(contract.PAYMENT_WORKFLOW, start, contract.payment_workflow_id(house.slug, payment_id))


async def test_run_again_with_an_empty_store_adopts_what_stands(temporal_client: Client, tmp_path: Path) -> None:
    """Order, invoice, payment and contact are found in Zoho, and nothing is written a second time."""
    async with a_house(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=BUYER, lines=MUGS)
        first = await house.done(paid["payment_intent"])
        before = await house.zoho()
        forget_everything(tmp_path)
        again = await run_again(house, paid["payment_intent"])
        after = await house.zoho()
    assert again == first
    for kind in ("salesorders", "invoices", "payments", "contacts"):
        assert after[kind] == before[kind]


async def test_run_again_with_its_memory_writes_nothing(temporal_client: Client, tmp_path: Path) -> None:
    """Every effect is known as done: Zoho is not even asked."""
    async with a_house(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=BUYER, lines=MUGS)
        first = await house.done(paid["payment_intent"])
        before = (await house.zoho())["calls"]["counts"]
        again = await run_again(house, paid["payment_intent"])
        assert (await house.zoho())["calls"]["counts"] == before
    assert again == first


@pytest.mark.parametrize("moved", [False, True])
async def test_contact_deleted_in_zoho_is_looked_for_anew(house: House, moved: bool) -> None:
    """The refused order makes us forget the contact, and another is found or created: nobody is asked."""
    paid = await house.pay(guest=BUYER, lines=MUGS)
    await house.done(paid["payment_intent"])
    ledger = await house.zoho()
    await house.post(f"{house.zoho_url}/_switches", {"delete_with_children_refused": False})
    headers = {"Authorization": f"Zoho-oauthtoken {await token(house)}"}
    root, query = f"{house.zoho_url}/inventory/v1", f"?organization_id={house.connection.zoho.organization_id}"
    for kind, key in (("customerpayments", "payment_id"), ("invoices", "invoice_id"), ("salesorders", "salesorder_id"),
                      ("contacts", "contact_id")):  # fmt: skip
        rows = ledger["payments" if kind == "customerpayments" else kind]
        for row in rows:
            gone = await house.http.delete(f"{root}/{kind}/{row[key]}{query}", headers=headers)
            gone.raise_for_status()
    elsewhere = {"line1": "Pariser Platz 1", "city": "Berlin", "postal_code": "10117", "country": "DE"}
    buyer = {**BUYER, "address": elsewhere} if moved else BUYER
    second = await house.pay(guest=buyer, lines=MUGS)
    assert (await house.done(second["payment_intent"]))["stage"] == "paid"
    after = await house.zoho()
    assert [order["reference_number"] for order in after["salesorders"]] == [second["payment_intent"]]
    assert len(after["contacts"]) == 1


async def test_lost_payment_is_not_recorded_twice_where_invoices_hide_their_payments(house: House) -> None:
    """The balance is the second guard: an invoice that wants nothing has been paid."""
    await house.post(f"{house.zoho_url}/_switches", {"invoice_shows_payments": False})
    await house.fault("zoho", method="POST", path="/customerpayments$", fault="lost")
    paid = await house.pay(guest=BUYER, lines=MUGS)
    await house.done(paid["payment_intent"])
    ledger = await house.zoho()
    assert len(ledger["payments"]) == 1
    assert ledger["invoices"][0]["status"] == "paid"


async def test_fee_of_days_later_is_booked_though_our_memory_of_the_order_is_gone(
    temporal_client: Client, tmp_path: Path
) -> None:
    """Stripe's metadata name the order, and Zoho finds the recorded payment by its reference."""
    async with a_house(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=BUYER, lines=MUGS)
        await house.done(paid["payment_intent"])
        forget_everything(tmp_path)
        await house.post(f"{house.stripe_url}/_charges/{paid['charge']}/balance", {})
        (result,) = await changed(house)
        (payment,) = (await house.zoho())["payments"]
    assert result["corrected"] == ["fee"]
    assert payment["bank_charges"] == Decimal("1.17")


async def test_customer_who_changes_after_our_memory_of_him_is_gone_is_told_of(
    temporal_client: Client, tmp_path: Path
) -> None:
    """What was written of him nobody knows any more: his payment's change has a run, which says so."""
    async with a_house(temporal_client, tmp_path) as house:
        paid = await house.pay(customer=GRACE, lines=MUGS)
        await house.done(paid["payment_intent"])
        forget_everything(tmp_path)
        await stripe_says(house, "customers/cus_g", {"email": "hopper@example.com"})
        (result,) = await changed(house)
    assert (result["payment_id"], result["corrected"]) == (paid["payment_intent"], [])
    assert "our memory of the order is gone" in result["notes"][0]
