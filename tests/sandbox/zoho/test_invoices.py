"""Invoices: drafts, sent, void, and their link to orders."""

from __future__ import annotations

import pytest

from tests.sandbox.zoho.shop import Shop

SENT = "/invoices/{}/status/sent"
VOID = "/invoices/{}/status/void"


async def test_invoice_made(shop: Shop) -> None:
    """A new invoice is a numbered draft, linked to its order line by line."""
    order = await shop.confirmed()
    invoice = await shop.invoice(order, reference_number="pi_1", due_date="2026-12-01")
    assert (invoice["invoice_number"], invoice["status"]) == ("INV-000001", "draft")
    assert (invoice["total"], invoice["balance"], invoice["due_date"]) == (20, 20, "2026-12-01")
    assert invoice["salesorder_id"] == order["salesorder_id"]
    assert invoice["line_items"][0]["salesorder_item_id"] == order["line_items"][0]["line_item_id"]
    rows = (await shop.call("GET", "/invoices", reference_number="pi_1"))["invoices"]
    assert [row["invoice_id"] for row in rows] == [invoice["invoice_id"]]


@pytest.mark.parametrize(("allowed", "code"), [(False, 99008), (True, 0)])
async def test_draft_order(shop: Shop, allowed: bool, code: int) -> None:
    """Whether a draft order can be invoiced is a switch."""
    order = await shop.order()
    await shop.switch(draft_order_invoiceable=allowed)
    answer = await shop.send("POST", "/invoices/fromsalesorder", salesorder_id=order["salesorder_id"])
    assert answer.json()["code"] == code


async def test_from_order(shop: Shop) -> None:
    """`fromsalesorder` invoices all that is left, with the order's prices, and then finds nothing left."""
    order = await shop.confirmed(shipping_charge="4.90", reference_number="pi_1")
    query = {"salesorder_id": order["salesorder_id"]}
    invoice = (await shop.call("POST", "/invoices/fromsalesorder", **query))["invoice"]
    assert shop.last.status_code == 201
    assert invoice["total"] == order["total"]
    assert (await shop.send("POST", "/invoices/fromsalesorder", **query)).json()["code"] == 99012
    assert (await shop.send("POST", "/invoices/fromsalesorder", salesorder_id="1")).json()["code"] == 1002


@pytest.mark.parametrize(("refused", "code"), [(False, 0), (True, 99012)])
async def test_second_invoice(shop: Shop, refused: bool, code: int) -> None:
    """Nothing stops a second invoice of the same lines, unless the switch says so."""
    order = await shop.confirmed()
    await shop.invoice(order)
    await shop.switch(overinvoicing_refused=refused)
    line = order["line_items"][0]
    lines = [{"item_id": line["item_id"], "quantity": 2, "salesorder_item_id": line["line_item_id"]}]
    answer = await shop.send("POST", "/invoices", {"customer_id": order["customer_id"], "line_items": lines})
    assert answer.json()["code"] == code
    assert len((await shop.ledger())["invoices"]) == (1 if refused else 2)


async def test_foreign_line(shop: Shop) -> None:
    """A line of another customer's order cannot be linked."""
    order = await shop.confirmed()
    other = await shop.contact("Bob")
    lines = [{"name": "A", "salesorder_item_id": order["line_items"][0]["line_item_id"]}]
    answer = await shop.send("POST", "/invoices", {"customer_id": other["contact_id"], "line_items": lines})
    assert answer.json()["code"] == 1002


async def test_sent(shop: Shop) -> None:
    """Marking an invoice as sent makes it owed, once."""
    order = await shop.confirmed()
    invoice = await shop.invoice(order)
    for _ in range(2):
        assert (await shop.call("POST", SENT.format(invoice["invoice_id"])))["data"] == {}
    assert (await shop.read("invoice", invoice["invoice_id"]))["status"] == "sent"
    assert (await shop.read("contact", order["customer_id"]))["outstanding_receivable_amount"] == 20


async def test_sent_on_create(shop: Shop) -> None:
    """`?send=true` makes the invoice and sends it."""
    contact = await shop.contact()
    body = {"customer_id": contact["contact_id"], "line_items": [{"item_id": await shop.item_id(), "quantity": 3}]}
    assert (await shop.call("POST", "/invoices", body, send="true"))["invoice"]["status"] == "sent"
    assert (await shop.stock())["accounting"] == 97


async def test_own_number(shop: Shop) -> None:
    """An invoice number of one's own needs the flag and has to be free."""
    contact = await shop.contact()
    body = {"customer_id": contact["contact_id"], "line_items": [{"name": "A"}], "invoice_number": "MINE"}
    flag = {"ignore_auto_number_generation": "true"}
    assert (await shop.call("POST", "/invoices", body))["invoice"]["invoice_number"] == "INV-000001"
    assert (await shop.call("POST", "/invoices", body, **flag))["invoice"]["invoice_number"] == "MINE"
    assert (await shop.send("POST", "/invoices", body, **flag)).json()["code"] == 99015


async def test_changed(shop: Shop) -> None:
    """A changed invoice moves the stock of its new lines, and cannot fall below what was paid."""
    invoice = await shop.sent(await shop.confirmed())
    path = f"/invoices/{invoice['invoice_id']}"
    lines = [{"item_id": await shop.item_id(), "quantity": 5}]
    changed = await shop.call("PUT", path, {"customer_id": invoice["customer_id"], "line_items": lines})
    assert (changed["invoice"]["total"], changed["invoice"]["balance"]) == (50, 50)
    assert (await shop.stock())["accounting"] == 95
    await shop.pay(changed["invoice"])
    fewer = {"customer_id": invoice["customer_id"], "line_items": [{**lines[0], "quantity": 1}]}
    assert (await shop.send("PUT", path, fewer)).json()["code"] == 99010
    assert (await shop.stock())["accounting"] == 95


async def test_void_and_draft(shop: Shop) -> None:
    """Voiding brings goods and order back and turns payments into credit; a void invoice can become a draft."""
    order = await shop.confirmed()
    invoice = await shop.sent(order)
    await shop.pay(invoice)
    await shop.call("POST", VOID.format(invoice["invoice_id"]))
    found = await shop.read("invoice", invoice["invoice_id"])
    assert (found["status"], found["balance"], found["payments"]) == ("void", 0, [])
    contact = await shop.read("contact", order["customer_id"])
    assert (contact["unused_credits_receivable_amount"], contact["outstanding_receivable_amount"]) == (20, 0)
    assert (await shop.ledger())["payments"][0]["unused_amount"] == 20
    assert (await shop.stock())["accounting"] == 100
    assert (await shop.read("salesorder", order["salesorder_id"]))["line_items"][0]["quantity_invoiced"] == 0
    assert (await shop.send("POST", SENT.format(invoice["invoice_id"]))).json()["code"] == 99011
    await shop.call("POST", f"/invoices/{invoice['invoice_id']}/status/draft")
    found = await shop.read("invoice", invoice["invoice_id"])
    assert (found["status"], found["balance"]) == ("draft", 20)
    answer = await shop.send("POST", f"/invoices/{invoice['invoice_id']}/status/draft")
    assert answer.json()["code"] == 99011


@pytest.mark.parametrize("refused", [True, False])
async def test_deleted(shop: Shop, refused: bool) -> None:
    """An unpaid invoice can be deleted, whether also a paid one is a switch; its order is invoiceable again."""
    order = await shop.confirmed()
    unpaid = await shop.sent(order)
    await shop.call("DELETE", f"/invoices/{unpaid['invoice_id']}")
    assert (await shop.stock())["accounting"] == 100
    paid = await shop.sent(order)
    await shop.pay(paid)
    await shop.switch(delete_with_children_refused=refused)
    answer = await shop.send("DELETE", f"/invoices/{paid['invoice_id']}")
    assert answer.json()["code"] == (99009 if refused else 0)
    found = await shop.read("salesorder", order["salesorder_id"])
    assert len(found["invoices"]) == (1 if refused else 0)


@pytest.mark.parametrize("shown", [True, False])
async def test_invoice_shows_payments(shop: Shop, shown: bool) -> None:
    """Whether an invoice's detail shows its payments is a switch; their own list always does."""
    invoice = await shop.sent(await shop.confirmed())
    payment = await shop.pay(invoice, reference_number="pi_1")
    await shop.switch(invoice_shows_payments=shown)
    found = await shop.read("invoice", invoice["invoice_id"])
    assert [row["payment_id"] for row in found.get("payments", [])] == [payment["payment_id"]] * shown
    listed = (await shop.call("GET", f"/invoices/{invoice['invoice_id']}/payments"))["payments"]
    assert [(row["payment_id"], row["amount"], row["reference_number"]) for row in listed] == [
        (payment["payment_id"], 20, "pi_1")
    ]
