"""Sales orders: numbers, states, and what the detail shows."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.sandbox.zoho.shop import Refused, Row, Shop

CONFIRM = "/salesorders/{}/status/confirmed"
VOID = "/salesorders/{}/status/void"


def body(contact: Row, **fields: Any) -> Row:
    """The smallest order."""
    return {"customer_id": contact["contact_id"], "line_items": [{"name": "Thing", "rate": 1}], **fields}


async def test_order_made(shop: Shop) -> None:
    """A new order is a draft with empty progress, its reference and addresses kept."""
    contact = await shop.contact(billing_address={"city": "Rome"})
    path = f"/contacts/{contact['contact_id']}/address"
    address_id = (await shop.call("POST", path, {"city": "Oslo"}))["address_info"]["address_id"]
    order = await shop.order(
        contact, reference_number="pi_1", notes="Thanks", shipping_address_id=address_id, date="2026-05-04"
    )
    assert shop.last.headers["Location"] == f"/api/v1/salesorders/{order['salesorder_id']}"
    assert (order["salesorder_number"], order["reference_number"]) == ("SO-1", "pi_1")
    assert (order["status"], order["order_status"], order["current_sub_status"]) == ("draft",) * 3
    assert (order["invoiced_status"], order["paid_status"], order["shipped_status"]) == ("", "", "")
    assert (order["billing_address"]["city"], order["shipping_address"]["city"]) == ("Rome", "Oslo")
    assert (order["date"], order["notes"], order["source"]) == ("2026-05-04", "Thanks", "Api")
    assert order["balance"] == order["total"] == 20
    line = order["line_items"][0]
    assert (line["sku"], line["name"], line["rate"], line["quantity_invoiced"]) == ("MUG", "Mug", 10, 0)


async def test_order_number_taken(shop: Shop) -> None:
    """A number of one's own is refused with 36004 when an order has it; the first order stays alone."""
    contact = await shop.contact()
    await shop.order(contact, "SO-7", reference_number="pi_1")
    with pytest.raises(Refused) as refused:
        await shop.order(contact, "SO-7", reference_number="pi_1")
    assert (refused.value.status, refused.value.code) == (400, 36004)
    rows = (await shop.call("GET", "/salesorders", salesorder_number="SO-7"))["salesorders"]
    assert [row["reference_number"] for row in rows] == ["pi_1"]


async def test_reference_not_unique(shop: Shop) -> None:
    """Orders may share a reference, and are all found by it."""
    contact = await shop.contact()
    await shop.order(contact, "SO-1", reference_number="pi_1")
    await shop.order(contact, "SO-2", reference_number="pi_1")
    rows = (await shop.call("GET", "/salesorders", reference_number="pi_1"))["salesorders"]
    assert [row["salesorder_number"] for row in rows] == ["SO-2", "SO-1"]


async def test_number_freed_by_delete(shop: Shop) -> None:
    """A deleted order frees its number."""
    contact = await shop.contact()
    order = await shop.order(contact, "SO-7")
    await shop.call("DELETE", f"/salesorders/{order['salesorder_id']}")
    assert (await shop.send("GET", f"/salesorders/{order['salesorder_id']}")).json()["code"] == 1002
    await shop.order(contact, "SO-7")


@pytest.mark.parametrize("freed", [False, True])
async def test_number_of_void_order(shop: Shop, freed: bool) -> None:
    """Whether a void order frees its number is a switch."""
    contact = await shop.contact()
    order = await shop.order(contact, "SO-7")
    await shop.call("POST", VOID.format(order["salesorder_id"]))
    await shop.switch(void_frees_number=freed)
    again = await shop.send(
        "POST", "/salesorders", body(contact, salesorder_number="SO-7"), ignore_auto_number_generation="true"
    )
    assert again.json()["code"] == (0 if freed else 36004)


@pytest.mark.parametrize(
    ("position", "code", "number"),
    [("refused", 99007, ""), ("accepted", 0, "MINE"), ("replaced", 0, "SO-000001")],
)
async def test_number_without_flag(shop: Shop, position: str, code: int, number: str) -> None:
    """What becomes of a number without ignore_auto_number_generation is a switch."""
    contact = await shop.contact()
    await shop.switch(number_without_flag=position)
    answer = (await shop.send("POST", "/salesorders", body(contact, salesorder_number="MINE"))).json()
    assert answer["code"] == code
    assert answer.get("salesorder", {}).get("salesorder_number", "") == number


async def test_number_required_with_flag(shop: Shop) -> None:
    """With the flag a number is mandatory; without flag and number one is counted up."""
    contact = await shop.contact()
    answer = await shop.send("POST", "/salesorders", body(contact), ignore_auto_number_generation="true")
    assert answer.json()["code"] == 99002
    made = [(await shop.call("POST", "/salesorders", body(contact)))["salesorder"] for _ in range(2)]
    assert [order["salesorder_number"] for order in made] == ["SO-000001", "SO-000002"]


@pytest.mark.parametrize(("unique", "made"), [(True, 1), (False, 3)])
async def test_concurrent_numbers(shop: Shop, unique: bool, made: int) -> None:
    """Whether creates of one number that are in process together make one order or several is a switch."""
    contact = await shop.contact()
    await shop.switch(answer_seconds=0.15, concurrent_numbers_unique=unique)
    wanted = body(contact, salesorder_number="SO-7")
    query = {"ignore_auto_number_generation": "true"}
    await asyncio.gather(*(shop.send("POST", "/salesorders", wanted, **query) for _ in range(3)))
    assert len((await shop.ledger())["salesorders"]) == made
    assert (await shop.send("POST", "/salesorders", wanted, **query)).json()["code"] == 36004


@pytest.mark.parametrize("word", ["confirmed", "open"])
async def test_confirmed(shop: Shop, word: str) -> None:
    """A confirmed order says so, in `status` with the word that the switch names."""
    await shop.switch(confirmed_status=word)
    order = await shop.order()
    answer = await shop.call("POST", CONFIRM.format(order["salesorder_id"]))
    assert answer["data"] == {}
    found = await shop.read("salesorder", order["salesorder_id"])
    assert (found["status"], found["order_status"]) == (word, "confirmed")
    assert (found["invoiced_status"], found["paid_status"]) == ("not_invoiced", "unpaid")
    await shop.call("POST", CONFIRM.format(order["salesorder_id"]))


async def test_void(shop: Shop) -> None:
    """A void order commits nothing and is neither confirmed nor changed any more."""
    order = await shop.confirmed()
    await shop.call("POST", VOID.format(order["salesorder_id"]))
    assert (await shop.read("salesorder", order["salesorder_id"]))["status"] == "void"
    assert (await shop.stock())["committed"] == 0
    assert (await shop.send("POST", CONFIRM.format(order["salesorder_id"]))).json()["code"] == 99011
    assert (await shop.send("PUT", f"/salesorders/{order['salesorder_id']}", {"notes": "x"})).json()["code"] == 99011


@pytest.mark.parametrize("refused", [True, False])
async def test_void_with_invoice(shop: Shop, refused: bool) -> None:
    """Whether an order with an invoice can be voided is a switch."""
    order = await shop.confirmed()
    await shop.invoice(order)
    await shop.switch(void_with_invoice_refused=refused)
    answer = await shop.send("POST", VOID.format(order["salesorder_id"]))
    assert answer.json()["code"] == (99009 if refused else 0)


@pytest.mark.parametrize("refused", [True, False])
async def test_delete_with_invoice(shop: Shop, refused: bool) -> None:
    """Whether an order with an invoice can be deleted is a switch."""
    order = await shop.confirmed()
    await shop.invoice(order)
    await shop.switch(delete_with_children_refused=refused)
    answer = await shop.send("DELETE", f"/salesorders/{order['salesorder_id']}")
    assert answer.json()["code"] == (99009 if refused else 0)


async def test_currency_from_contact(shop: Shop) -> None:
    """An order's currency is its contact's."""
    order = await shop.order(await shop.contact(currency="JPY"))
    assert (order["currency_code"], order["price_precision"]) == ("JPY", 0)


async def test_changed(shop: Shop) -> None:
    """A change keeps what it does not name, and lines that keep their id keep their progress."""
    order = await shop.confirmed(reference_number="pi_1")
    await shop.invoice(order)
    line = order["line_items"][0]
    lines = [{"line_item_id": line["line_item_id"], "item_id": line["item_id"], "quantity": 5}]
    path = f"/salesorders/{order['salesorder_id']}"
    changed = (await shop.send("PUT", path, {"line_items": lines, "notes": "More"})).json()["salesorder"]
    assert (changed["reference_number"], changed["notes"], changed["total"]) == ("pi_1", "More", 50)
    assert changed["salesorder_number"] == "SO-1"
    assert changed["line_items"][0]["line_item_id"] == line["line_item_id"]
    assert changed["line_items"][0]["quantity_invoiced"] == 2
    assert (await shop.stock())["committed"] == 5
    gone = await shop.send("PUT", path, {"line_items": [{"name": "Other"}]})
    assert gone.json()["code"] == 99009
    assert (await shop.stock())["committed"] == 5


async def test_renumbered(shop: Shop) -> None:
    """Changing the number to a taken one is refused with 36004, to a free one is not."""
    contact = await shop.contact()
    await shop.order(contact, "SO-1")
    order = await shop.order(contact, "SO-2")
    path = f"/salesorders/{order['salesorder_id']}"
    assert (await shop.send("PUT", path, {"salesorder_number": "SO-1"})).json()["code"] == 36004
    changed = (await shop.send("PUT", path, {"salesorder_number": "SO-3"})).json()["salesorder"]
    assert changed["salesorder_number"] == "SO-3"
    await shop.order(contact, "SO-2")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"customer_id": "1"}, 1002),
        ({"customer_id": ""}, 99002),
        ({"line_items": []}, 99002),
        ({"line_items": [{"item_id": "1"}]}, 1002),
        ({"line_items": [{"rate": 1}]}, 99002),
        ({"line_items": [{"name": "A", "quantity": 0}]}, 99001),
        ({"line_items": [{"name": "A", "tax_id": "1"}]}, 1002),
        ({"line_items": [{"name": "A", "rate": "x"}]}, 99001),
        ({"line_items": "all"}, 99001),
        ({"shipping_address_id": "1"}, 1002),
        ({"reference_number": "a" * 101}, 99003),
        ({"exchange_rate": 0}, 99001),
        ({"discount_type": "some_level"}, 99001),
        ({"is_inclusive_tax": "maybe"}, 99001),
    ],
)
async def test_refused(shop: Shop, fields: Row, code: int) -> None:
    """What an order cannot be made of is refused and leaves nothing behind."""
    contact = await shop.contact()
    answer = await shop.send("POST", "/salesorders", body(contact, **fields))
    assert answer.json()["code"] == code
    assert (await shop.ledger())["salesorders"] == []


async def test_whole_flow(shop: Shop) -> None:
    """One read of the order tells the whole state of its flow."""
    order = await shop.confirmed(reference_number="pi_1")
    invoice = await shop.sent(order, reference_number="pi_1")
    payment = await shop.pay(invoice, reference_number="pi_1")
    found = await shop.read("salesorder", order["salesorder_id"])
    assert (found["invoiced_status"], found["paid_status"], found["balance"]) == ("invoiced", "paid", 0)
    assert [(row["invoice_id"], row["status"], row["balance"]) for row in found["invoices"]] == [
        (invoice["invoice_id"], "paid", 0)
    ]
    assert [(row["payment_id"], row["amount"]) for row in found["payments"]] == [(payment["payment_id"], 20)]
    assert found["line_items"][0]["quantity_invoiced"] == 2
    assert found["packages"] == found["salesreturns"] == found["creditnotes"] == found["refunds"] == []
    row = (await shop.call("GET", "/salesorders", reference_number="pi_1"))["salesorders"][0]
    assert (row["invoiced_status"], row["quantity_invoiced"], row["total"]) == ("invoiced", 2, 20)


async def test_partly_invoiced_and_paid(shop: Shop) -> None:
    """Partial progress has its own words."""
    order = await shop.confirmed()
    line = {**order["line_items"][0], "quantity": 1}
    invoice = await shop.sent({**order, "line_items": [line]})
    part = {"invoices": [{"invoice_id": invoice["invoice_id"], "amount_applied": 4}]}
    await shop.pay(invoice, amount=4, **part)
    found = await shop.read("salesorder", order["salesorder_id"])
    assert (found["invoiced_status"], found["paid_status"], found["balance"]) == (
        "partially_invoiced",
        "partially_paid",
        16,
    )


@pytest.mark.parametrize("steps", ["off", "invoice", "payment", "shipment"])
async def test_so_cycle(shop: Shop, steps: str) -> None:
    """With the sales order cycle on, confirming makes the sent invoice, its payment, and package and shipment."""
    await shop.switch(so_cycle_preference=steps)
    on, pays, ships = steps != "off", steps in ("payment", "shipment"), steps == "shipment"
    order = await shop.confirmed(reference_number="pi_1")
    found = await shop.read("salesorder", order["salesorder_id"])
    assert found["so_cycle_preference"]["is_feature_enabled"] is on
    assert found["so_cycle_preference"]["can_create_invoice"] is on
    assert found["so_cycle_preference"]["can_create_shipment"] is ships
    assert [invoice["balance"] for invoice in found["invoices"]] == ([0 if pays else 20] if on else [])
    assert found["paid_status"] == ("paid" if pays else "unpaid")
    assert [package["status"] for package in found["packages"]] == (["shipped"] if ships else [])
    stock = await shop.stock()
    assert (stock["accounting"], stock["physical"]) == (98 if on else 100, 98 if ships else 100)


async def test_invoiced_order_may_be_fixed(shop: Shop) -> None:
    """Whether an order that is invoiced takes another field is one of Zoho's secrets."""
    order = await shop.confirmed()
    await shop.sent(order)
    path = f"/salesorders/{order['salesorder_id']}"
    await shop.call("PUT", path, {"notes": "by the back door"})
    await shop.switch(invoiced_order_editable=False)
    with pytest.raises(Refused):
        await shop.call("PUT", path, {"notes": "by the front door"})
    assert (await shop.read("salesorder", order["salesorder_id"]))["notes"] == "by the back door"
