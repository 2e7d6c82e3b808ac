"""Credit notes: what links them, what they return, and how they come to nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.zoho.shop import Row, Shop

CLEARING = "900"


async def note(shop: Shop, invoice: Row, quantity: int = 2, **line: Any) -> Row:
    """A credit note for mugs of an invoice's only line."""
    (credited,) = invoice["line_items"]
    given = {
        "item_id": credited["item_id"],
        "quantity": quantity,
        "rate": "10.00",
        "invoice_id": invoice["invoice_id"],
        "invoice_item_id": credited["line_item_id"],
        **line,
    }
    body = {"customer_id": invoice["customer_id"], "date": "2026-11-26", "line_items": [given]}
    answer = await shop.call("POST", "/creditnotes", body | {"reference_number": "re_1"}, **linked_to(invoice))
    made: Row = answer["creditnote"]
    return made


def linked_to(invoice: Row) -> Row:
    """The query that links a credit note to its invoice."""
    return {"invoice_id": invoice["invoice_id"]}


async def refund(shop: Shop, credit: Row, amount: Any = 20, account: str = CLEARING) -> Row:
    """A refund of a credit note from the clearing account."""
    body = {"date": "2026-11-26", "refund_mode": "Stripe", "reference_number": "re_1", "amount": amount}
    path = f"/creditnotes/{credit['creditnote_id']}/refunds"
    made: Row = (await shop.call("POST", path, {**body, "from_account_id": account}))["creditnote_refund"]
    return made


async def test_a_note_is_open_and_closed_by_its_refund(shop: Shop) -> None:
    """Open when made, linked to invoice and order; a refund of all of it closes it, and the account pays."""
    order = await shop.confirmed()
    invoice = await shop.sent(order)
    await shop.pay(invoice, account_id=CLEARING)
    made = await note(shop, invoice)
    assert (made["status"], made["total"], made["balance"]) == ("open", 20, 20)
    assert (made["invoice_id"], made["salesorder_id"]) == (invoice["invoice_id"], order["salesorder_id"])
    assert (await refund(shop, made, 5))["amount_fcy"] == 5
    await refund(shop, made, 15)
    found = (await shop.call("GET", "/creditnotes", reference_number="re_1"))["creditnotes"]
    assert [(row["creditnote_id"], row["status"], row["balance"]) for row in found] == [
        (made["creditnote_id"], "closed", 0)
    ]
    detail = (await shop.call("GET", f"/salesorders/{order['salesorder_id']}"))["salesorder"]
    assert [row["creditnote_id"] for row in detail["creditnotes"]] == [made["creditnote_id"]]
    assert [row["amount"] for row in detail["refunds"]] == [5, 15]
    assert (await shop.ledger())["accounts"]["Stripe clearing"]["EUR"] == 0


async def test_what_order_and_note_tell_of_each_other_are_switches(shop: Shop) -> None:
    """The note's order, and the refunds among what an order shows."""
    order = await shop.confirmed()
    invoice = await shop.sent(order)
    await shop.pay(invoice, account_id=CLEARING)
    await shop.switch(credit_note_tells_order=False, order_tells_refunds=False)
    made = await note(shop, invoice)
    await refund(shop, made)
    assert made["salesorder_id"] == ""
    detail = (await shop.call("GET", f"/salesorders/{order['salesorder_id']}"))["salesorder"]
    assert ([row["status"] for row in detail["creditnotes"]], detail["refunds"]) == (["closed"], [])


async def test_the_body_does_not_link(shop: Shop) -> None:
    """`invoice_id` beside the lines is dropped without a word: the note is an orphan."""
    invoice = await shop.sent(await shop.confirmed())
    line = {"item_id": invoice["line_items"][0]["item_id"], "quantity": 1}
    body = {"customer_id": invoice["customer_id"], "date": "2026-11-26", "line_items": [line]}
    answer = await shop.send("POST", "/creditnotes", {**body, "invoice_id": invoice["invoice_id"]})
    assert (answer.status_code, answer.json()["creditnote"]["invoice_id"]) == (201, "")


@pytest.mark.parametrize(
    ("by_default", "said", "accounting"), [(True, None, 100), (False, None, 98), (False, True, 100), (True, False, 98)]
)
async def test_what_returns_to_stock(shop: Shop, by_default: bool, said: bool | None, accounting: int) -> None:
    """The accounting side rises by what returns to stock, line by line; the physical side by a receive alone."""
    await shop.switch(credit_note_restocks=by_default)
    invoice = await shop.sent(await shop.confirmed())
    made = await note(shop, invoice, **({} if said is None else {"is_returned_to_stock": said}))
    stock = await shop.stock()
    assert (stock["accounting"], stock["physical"]) == (accounting, 100)
    await shop.call("POST", f"/creditnotes/{made['creditnote_id']}/void")
    assert (await shop.stock())["accounting"] == 98


async def test_goods_that_never_left_are_not_owed_any_more(shop: Shop) -> None:
    """`is_item_shipped` false: what the order held back for shipping is free again."""
    invoice = await shop.sent(await shop.confirmed())
    assert (await shop.stock())["committed_physical"] == 2
    made = await note(shop, invoice, is_item_shipped=False)
    assert (await shop.stock())["committed_physical"] == 0
    await shop.call("POST", f"/creditnotes/{made['creditnote_id']}/void")
    assert (await shop.stock())["committed_physical"] == 2


async def test_a_draft_moves_nothing_until_it_is_opened(shop: Shop) -> None:
    """`is_draft` keeps stock and credit as they were."""
    invoice = await shop.sent(await shop.confirmed())
    line = {"item_id": invoice["line_items"][0]["item_id"], "quantity": 2, "rate": "10.00"}
    body = {"customer_id": invoice["customer_id"], "date": "2026-11-26", "line_items": [line], "is_draft": True}
    made = (await shop.call("POST", "/creditnotes", body))["creditnote"]
    assert (made["status"], (await shop.stock())["accounting"]) == ("draft", 98)
    await shop.call("POST", f"/creditnotes/{made['creditnote_id']}/converttoopen")
    assert (await shop.stock())["accounting"] == 100


@pytest.mark.parametrize(("amount", "account", "code"), [(21, CLEARING, 99022), (0, CLEARING, 99022), (1, "901", 1002)])
async def test_a_refund_that_does_not_fit_is_refused(shop: Shop, amount: int, account: str, code: int) -> None:
    """More than the balance, nothing, or from an account that is not there."""
    made = await note(shop, await shop.sent(await shop.confirmed()))
    body = {"date": "2026-11-26", "amount": amount, "from_account_id": account}
    answer = await shop.send("POST", f"/creditnotes/{made['creditnote_id']}/refunds", body)
    assert answer.json()["code"] == code
    assert (await shop.ledger())["refunds"] == []


async def test_a_refund_is_taken_back_before_its_note(shop: Shop) -> None:
    """A note with a refund cannot be voided; without it, it can, and then nothing is refunded."""
    made = await note(shop, await shop.sent(await shop.confirmed()))
    paid = await refund(shop, made)
    path = f"/creditnotes/{made['creditnote_id']}"
    assert (await shop.send("POST", f"{path}/void")).status_code == 400
    listed = (await shop.call("GET", f"{path}/refunds"))["creditnote_refunds"]
    assert [row["creditnote_refund_id"] for row in listed] == [paid["creditnote_refund_id"]]
    await shop.call("DELETE", f"{path}/refunds/{paid['creditnote_refund_id']}")
    assert (await shop.call("GET", path))["creditnote"]["status"] == "open"
    await shop.call("POST", f"{path}/void")
    assert (await shop.call("GET", path))["creditnote"]["status"] == "void"
    again = await shop.send("POST", f"{path}/refunds", {"date": "x", "amount": 1, "from_account_id": CLEARING})
    assert again.status_code == 400


async def test_more_than_was_invoiced_cannot_be_credited(shop: Shop) -> None:
    """A line that names its invoice's line has its limit."""
    invoice = await shop.sent(await shop.confirmed())
    line = {
        "item_id": invoice["line_items"][0]["item_id"],
        "quantity": 3,
        "invoice_id": invoice["invoice_id"],
        "invoice_item_id": invoice["line_items"][0]["line_item_id"],
    }
    body = {"customer_id": invoice["customer_id"], "date": "2026-11-26", "line_items": [line]}
    assert (await shop.send("POST", "/creditnotes", body)).json()["code"] == 99020


async def test_a_refund_whose_answer_is_lost_is_there(shop: Shop) -> None:
    """Nothing guards against a second one: the first is found in the note's list of refunds."""
    made = await note(shop, await shop.sent(await shop.confirmed()))
    await shop.fault(method="POST", path="/refunds$", fault="lost")
    path = f"/creditnotes/{made['creditnote_id']}/refunds"
    body = {"date": "2026-11-26", "reference_number": "re_1", "amount": 5, "from_account_id": CLEARING}
    with pytest.raises(Exception, match="disconnected"):
        await shop.send("POST", path, body)
    listed = (await shop.call("GET", path))["creditnote_refunds"]
    assert [(row["reference_number"], row["amount"]) for row in listed] == [("re_1", 5)]
