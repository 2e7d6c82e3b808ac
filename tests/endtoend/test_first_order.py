"""Payments from the shop's till to the books, through everything."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from tests.house import BUYER, House, a_house

MUGS = [{"sku": "MUG", "unit_amount": 1500, "quantity": 2}]


async def test_one_payment_becomes_one_paid_order(house: House) -> None:
    """A guest's checkout ends as a confirmed, invoiced, paid order, and accounting stock moved by what was sold."""
    paid = await house.pay(guest=BUYER, lines=MUGS)
    result = await house.done(paid["payment_intent"])
    ledger = await house.zoho()
    assert [len(ledger[kind]) for kind in ("salesorders", "invoices", "payments", "contacts")] == [1, 1, 1, 1]
    order, invoice = ledger["salesorders"][0], ledger["invoices"][0]
    assert (order["order_status"], invoice["status"], invoice["balance"]) == ("confirmed", "paid", 0)
    assert order["salesorder_id"] == result["salesorder_id"]
    mug = next(item for item in ledger["items"] if item["sku"] == "MUG")
    assert mug["opening"] - mug["accounting"] == 2


async def test_known_customer_costs_five_zoho_calls(house: House) -> None:
    """Order, confirm, invoice, sent mark, payment; a new payer costs two more, each new fact one, once."""
    customer = {"id": "cus_known", "name": "Grace Hopper", "email": "grace@example.com"}
    spent = []
    for _ in range(3):
        before = sum((await house.zoho())["calls"]["counts"].values())
        paid = await house.pay(customer=customer, lines=MUGS)
        await house.done(paid["payment_intent"])
        spent.append(sum((await house.zoho())["calls"]["counts"].values()) - before)
    # Organisation, currencies, one item, look for the contact, create it.
    assert spent == [10, 5, 5]


async def test_new_address_of_a_known_customer_costs_one_call(house: House) -> None:
    """The address is added to the contact and named on the order."""
    first = await house.pay(guest=BUYER, lines=MUGS)
    await house.done(first["payment_intent"])
    moved = {**BUYER, "address": {"line1": "Neue Str. 2", "city": "Hamburg", "postal_code": "20095", "country": "DE"}}
    before = sum((await house.zoho())["calls"]["counts"].values())
    second = await house.pay(guest=moved, lines=MUGS)
    await house.done(second["payment_intent"])
    ledger = await house.zoho()
    assert sum(ledger["calls"]["counts"].values()) - before == 6
    assert ledger["salesorders"][-1]["billing_address"]["city"] == "Hamburg"
    assert ledger["salesorders"][0]["billing_address"]["city"] == "Berlin"


async def test_order_id_is_written_into_stripe_metadata(house: House) -> None:
    """Stripe's payment says which order it became, and keeps what it said before."""
    paid = await house.pay(guest=BUYER, lines=MUGS, metadata={"cart": "77"})
    result = await house.done(paid["payment_intent"])
    intents = (await house.stripe())["payment_intents"]
    metadata = next(i for i in intents if i["id"] == paid["payment_intent"])["metadata"]
    assert metadata["zoho_salesorder_id"] == result["salesorder_id"]
    assert metadata["zoho_salesorder_number"] == result["number"]


async def test_events_again_after_the_end_change_nothing(house: House) -> None:
    """Stripe may resend everything for days."""
    paid = await house.pay(guest=BUYER, lines=MUGS)
    await house.done(paid["payment_intent"])
    events = [event for event in (await house.stripe())["events"] if "succeeded" in event["type"]]
    for event in events:
        await house.post(f"{house.stripe_url}/_events/{event['id']}/resend", {})
    ledger = await house.zoho()
    assert [len(ledger[kind]) for kind in ("salesorders", "invoices", "payments")] == [1, 1, 1]


async def test_twenty_payments_of_one_new_guest_make_one_contact(temporal_client: Client, tmp_path: Path) -> None:
    """On two workers and at the same moment: one contact, twenty orders, each paid."""
    async with a_house(temporal_client, tmp_path, workers=2) as house:
        paid = await asyncio.gather(*(house.pay(guest=BUYER, lines=MUGS) for _ in range(20)))
        await asyncio.gather(*(house.done(one["payment_intent"]) for one in paid))
        ledger = await house.zoho()
    assert len(ledger["contacts"]) == 1
    assert len({order["reference_number"] for order in ledger["salesorders"]}) == 20
    assert {invoice["status"] for invoice in ledger["invoices"]} == {"paid"}


async def test_same_customer_in_two_currencies_is_two_contacts(house: House) -> None:
    """A contact's currency is fixed, so the second currency needs a contact of its own."""
    for currency, amount in (("eur", 1500), ("usd", 1700), ("eur", 1500)):
        paid = await house.pay(
            guest=BUYER, currency=currency, lines=[{"sku": "MUG", "unit_amount": amount, "quantity": 1}]
        )
        await house.done(paid["payment_intent"])
    contacts = (await house.zoho())["contacts"]
    assert sorted(contact["currency_code"] for contact in contacts) == ["EUR", "USD"]


async def test_vendor_with_the_payers_address_is_not_the_payer(house: House) -> None:
    """A vendor never matches as a customer, not even by e-mail."""
    headers = {"Authorization": f"Zoho-oauthtoken {await token(house)}"}
    vendor = {
        "contact_name": "Ada Lovelace",
        "contact_type": "vendor",
        "contact_persons": [{"email": BUYER["email"], "is_primary_contact": True}],
    }
    url = f"{house.zoho_url}/inventory/v1/contacts?organization_id={house.connection.zoho.organization_id}"
    (await house.http.post(url, json=vendor, headers=headers)).raise_for_status()
    paid = await house.pay(guest=BUYER, lines=MUGS)
    result = await house.done(paid["payment_intent"])
    contacts = (await house.zoho())["contacts"]
    assert {contact["contact_type"] for contact in contacts} == {"vendor", "customer"}
    mine = next(contact for contact in contacts if contact["contact_id"] == result["contact_id"])
    assert mine["contact_type"] == "customer"


async def token(house: House) -> str:
    """An access token of the organisation, as another program would get one."""
    form = {
        "grant_type": "refresh_token",
        "client_id": "client",
        "client_secret": "secret",
        "refresh_token": "refresh",
    }
    answer = await house.http.post(f"{house.zoho_url}/oauth/v2/token", data=form)
    return str(answer.json()["access_token"])


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"via": "bare", "amount": 1000}, "no_lines"),
        ({"lines": [{"sku": "NOPE", "unit_amount": 1000, "quantity": 1}]}, "unknown_sku"),
        ({"lines": [{"name": "Nameless", "unit_amount": 1000, "quantity": 1}]}, "line_without_sku"),
        ({"currency": "nok", "lines": [{"sku": "MUG", "unit_amount": 1000, "quantity": 1}]}, "currency"),
        ({"lines": [{"sku": "MUG", "unit_amount": 1000, "quantity": 1, "tax_percent": 23}]}, "tax"),
    ],
)
async def test_what_cannot_be_an_order_waits_for_a_person_before_the_first_write(
    house: House, wish: dict[str, Any], code: str
) -> None:
    """The run names the thing and the cure, and nothing was written to Zoho."""
    paid = await house.pay(guest=BUYER, **wish)
    assert (await house.parked(paid["payment_intent"])).attention_class == code
    ledger = await house.zoho()
    assert not [ledger[kind] for kind in ("salesorders", "invoices", "payments", "contacts") if ledger[kind]]


async def test_payment_captured_later_waits_until_then(house: House) -> None:
    """An authorisation is no money: the run waits, and the capture's event wakes it."""
    paid = await house.pay(guest=BUYER, capture="manual", lines=MUGS, via="checkout")
    event = next(e for e in (await house.stripe())["events"] if e["type"] == "checkout.session.completed")
    await house.post(f"{house.stripe_url}/_events/{event['id']}/resend", {})
    await house.reached(paid["payment_intent"], "waiting-for-money")
    assert not (await house.zoho())["salesorders"]
    key = {"Authorization": "Bearer sk_test_1"}
    url = f"{house.stripe_url}/v1/payment_intents/{paid['payment_intent']}/capture"
    (await house.http.post(url, headers=key)).raise_for_status()
    assert (await house.done(paid["payment_intent"]))["stage"] == "paid"
