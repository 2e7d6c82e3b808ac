"""Credit notes of a sales return: how they are linked, what they may hold, and what the return says of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.zoho.shop import SHOP, Refused, Row, Shop
from tests.sandbox.zoho.test_creditnotes import refund
from tests.sandbox.zoho.test_salesreturns import FIELDS, read, received, returned, sold
from tests.sandbox.zoho.test_stock import ledgers


def line_for(back: Row, invoice: Row, quantity: int, **changes: Any) -> Row:
    """A credit note's line for units of a return's only line."""
    (invoiced,), (line,) = invoice["line_items"], back["line_items"]
    return {
        "item_id": line["item_id"],
        "quantity": quantity,
        "rate": "10.00",
        "salesreturn_item_id": line["line_item_id"],
        "invoice_id": invoice["invoice_id"],
        "invoice_item_id": invoiced["line_item_id"],
        "is_item_shipped": True,
        "is_returned_to_stock": True,
        **changes,
    }


async def credited(shop: Shop, invoice: Row, *lines: Row, query: Row | None = None, **fields: Any) -> Row:
    """A credit note of these lines."""
    body = {"customer_id": invoice["customer_id"], "date": "2026-11-26", "line_items": list(lines), **fields}
    made: Row = (await shop.call("POST", "/creditnotes", body, **(query or {})))["creditnote"]
    return made


async def code_of(shop: Shop, invoice: Row, *lines: Row, **query: Any) -> int:
    """The code with which such a credit note is refused."""
    with pytest.raises(Refused) as refused:
        await credited(shop, invoice, *lines, query=query)
    return int(refused.value.code)


async def test_a_return_from_start_to_end(shop: Shop) -> None:
    """Received and credited goods are back in both ledgers; the refund makes the return read refunded."""
    order, invoice = await sold(shop)
    back = await returned(shop, order, 2, 1)
    await received(shop, back, 2)
    made = await credited(
        shop, invoice, line_for(back, invoice, 2), line_for(back, invoice, 1, is_returned_to_stock=False)
    )
    assert (made["salesreturn_id"], made["total"]) == (back["salesreturn_id"], 30)
    assert await ledgers(shop) == (97, 97, 0, 0)
    found = await read(shop, back)
    assert (found["refund_status"], found["line_items"][0]["quantity_credited"]) == ("not_refunded", 3)
    assert [(row["creditnote_id"], row["status"], row["total"]) for row in found["creditnotes"]] == [
        (made["creditnote_id"], "open", 30)
    ]
    await refund(shop, made, 10)
    assert (await read(shop, back))["refund_status"] == "partially_refunded"
    await refund(shop, made, 20)
    assert (await read(shop, back))["refund_status"] == "refunded"
    (row,) = (await shop.call("GET", "/salesreturns"))["salesreturns"]
    assert (row["refunded_amount"], row["salesreturn_status"]) == (30, "approved")
    detail = await shop.read("salesorder", order["salesorder_id"])
    assert [note["creditnote_id"] for note in detail["creditnotes"]] == [made["creditnote_id"]]


@pytest.mark.parametrize(
    ("follows", "after_note", "amount"), [("refunds", "not_refunded", 0), ("credits", "refunded", 20)]
)
async def test_what_reads_as_refunded(shop: Shop, follows: str, after_note: str, amount: int) -> None:
    """The money that went back, or the credit that was given."""
    await shop.switch(refund_status_follows=follows, return_closes=True)
    order, invoice = await sold(shop)
    back = await returned(shop, order, 2)
    await received(shop, back, 2)
    made = await credited(shop, invoice, line_for(back, invoice, 2))
    (row,) = (await shop.call("GET", "/salesreturns"))["salesreturns"]
    assert (row["refund_status"], row["refunded_amount"]) == (after_note, amount)
    assert row["salesreturn_status"] == ("closed" if follows == "credits" else "approved")
    await refund(shop, made, 20)
    assert (await read(shop, back))["salesreturn_status"] == "closed"


async def test_part_of_a_return_is_not_all_of_it(shop: Shop) -> None:
    """One of two units credited and paid reads as partially refunded; a void note does not count."""
    order, invoice = await sold(shop)
    back = await returned(shop, order, 2)
    made = await credited(shop, invoice, line_for(back, invoice, 1))
    await refund(shop, made, 10)
    assert (await read(shop, back))["refund_status"] == "partially_refunded"
    other = await credited(shop, invoice, line_for(back, invoice, 1))
    assert await code_of(shop, invoice, line_for(back, invoice, 1)) == 99026
    await shop.call("POST", f"/creditnotes/{other['creditnote_id']}/void")
    found = await read(shop, back)
    assert (found["line_items"][0]["quantity_credited"], len(found["creditnotes"])) == (1, 2)
    last = await credited(shop, invoice, line_for(back, invoice, 1))
    assert (await shop.send("POST", f"/creditnotes/{other['creditnote_id']}/draft")).json()["code"] == 99026
    await refund(shop, last, 10)
    assert (await read(shop, back))["refund_status"] == "refunded"


async def test_the_query_links_as_well(shop: Shop) -> None:
    """`?salesreturn_id=` links a note whose lines name no return; it has to exist and to agree with the lines."""
    order, invoice = await sold(shop)
    back, other = await returned(shop, order, 1), await returned(shop, order, 1)
    line = {"item_id": invoice["line_items"][0]["item_id"], "quantity": 1, "rate": "10.00"}
    made = await credited(shop, invoice, line, query={"salesreturn_id": back["salesreturn_id"]})
    assert [row["creditnote_id"] for row in (await read(shop, back))["creditnotes"]] == [made["creditnote_id"]]
    await refund(shop, made, 10)
    assert (await read(shop, back))["refund_status"] == "refunded"
    assert await code_of(shop, invoice, line, salesreturn_id="1") == 1002
    mixed = line_for(other, invoice, 1)
    assert await code_of(shop, invoice, mixed, salesreturn_id=back["salesreturn_id"]) == 99001
    assert await code_of(shop, invoice, mixed, line_for(back, invoice, 1)) == 99001


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantity": 3}, 99026),
        ({"quantity": 2, "is_returned_to_stock": False}, 99026),
        ({"is_item_shipped": False}, 99001),
        ({"invoice_id": None}, 99002),
        ({"invoice_item_id": None}, 99002),
        ({"is_item_shipped": None}, 99002),
        ({"is_returned_to_stock": None}, 99002),
        ({"salesreturn_item_id": "1"}, 1002),
    ],
)
async def test_a_line_that_does_not_fit_is_refused(shop: Shop, changes: Row, code: int) -> None:
    """More than the return has of that kind, goods that never left, and what is documented as needed."""
    order, invoice = await sold(shop)
    back = await returned(shop, order, 2, 1)
    given = {k: v for k, v in (line_for(back, invoice, 1) | changes).items() if v is not None}
    assert await code_of(shop, invoice, given) == code
    assert (await shop.ledger())["creditnotes"] == []


async def test_a_line_of_another_order_is_refused(shop: Shop) -> None:
    """The invoice's line has to be for the goods that came back."""
    order, _ = await sold(shop)
    _, other = await sold(shop, "SO-2")
    back = await returned(shop, order, 2)
    assert await code_of(shop, other, line_for(back, other, 1)) == 99001


async def test_damaged_goods_of_a_received_return(shop: Shop) -> None:
    """With the switch, received units may be credited without coming back into accounting stock."""
    order, invoice = await sold(shop)
    back = await returned(shop, order, 2)
    damaged = line_for(back, invoice, 1, is_returned_to_stock=False)
    assert await code_of(shop, invoice, damaged) == 99026
    await shop.switch(return_credit_matches_kind=False)
    await credited(shop, invoice, line_for(back, invoice, 1), damaged)
    assert (await shop.stock())["accounting"] == 96
    assert await code_of(shop, invoice, damaged) == 99026


async def test_a_vendor_who_guards_nothing(shop: Shop) -> None:
    """With both switches a unit comes back and is credited twice: only the caller can prevent it."""
    await shop.switch(overcredit_refused=False, overreceive_refused=False)
    order, invoice = await sold(shop)
    back = await returned(shop, order, 1)
    for _ in range(2):
        await received(shop, back, 1)
        await credited(shop, invoice, line_for(back, invoice, 1))
    found = await read(shop, back)
    (line,) = found["line_items"]
    assert (line["quantity_received"], line["quantity_credited"], found["receive_status"]) == (2, 2, "received")
    assert await ledgers(shop) == (97, 97, 0, 0)


async def test_drafts_and_declined_returns_are_not_credited(shop: Shop) -> None:
    """Only an approved return is."""
    await shop.switch(new_return_status="draft")
    order, invoice = await sold(shop)
    back = await returned(shop, order, 2)
    assert await code_of(shop, invoice, line_for(back, invoice, 1)) == 99011


async def test_a_credited_return_is_not_deleted(shop: Shop) -> None:
    """Unless the note is void; nor do its lines go below what is credited."""
    order, invoice = await sold(shop)
    back = await returned(shop, order, 2)
    made = await credited(shop, invoice, line_for(back, invoice, 2))
    path = f"/salesreturns/{back['salesreturn_id']}"
    assert (await shop.send("DELETE", path)).json()["code"] == 99009
    line = {"salesorder_item_id": order["line_items"][0]["line_item_id"], "quantity": 1}
    assert (await shop.send("PUT", path, {"line_items": [line]})).json()["code"] == 99009
    await shop.call("POST", f"/creditnotes/{made['creditnote_id']}/void")
    await shop.call("DELETE", path)


async def test_what_we_write_back_into_a_credit_note(shop: Shop) -> None:
    """Reference number and custom fields are changed alone, also once it is closed; nothing else moves."""
    await shop.open({**SHOP, "custom_fields": FIELDS})
    order, invoice = await sold(shop)
    back = await returned(shop, order, 2)
    made = await credited(shop, invoice, line_for(back, invoice, 2))
    await refund(shop, made, 20)
    before, stock = (await shop.ledger())["creditnotes"][0], await shop.stock()
    body = {"reference_number": "re_7", "custom_fields": [{"api_name": "cf_refund_status", "value": "succeeded"}]}
    changed = (await shop.call("PUT", f"/creditnotes/{made['creditnote_id']}", body))["creditnote"]
    assert (changed["reference_number"], changed["custom_field_hash"]) == ("re_7", {"cf_refund_status": "succeeded"})
    for name in ("line_items", "total", "balance", "status", "salesreturn_id", "creditnote_refunds"):
        assert changed[name] == before[name]
    assert await shop.stock() == stock
    (row,) = (await shop.call("GET", "/creditnotes", reference_number="re_7"))["creditnotes"]
    assert row["custom_field_hash"] == {"cf_refund_status": "succeeded"}


async def test_the_lines_of_a_credit_note_change(shop: Shop) -> None:
    """Total and stock follow, within what the return has left and above what was paid out."""
    order, invoice = await sold(shop)
    back = await returned(shop, order, 3)
    made = await credited(shop, invoice, line_for(back, invoice, 2))
    path = f"/creditnotes/{made['creditnote_id']}"
    given = line_for(back, invoice, 3, line_item_id=made["line_items"][0]["line_item_id"])
    changed = (await shop.call("PUT", path, {"line_items": [given]}))["creditnote"]
    assert (changed["total"], changed["balance"], (await shop.stock())["accounting"]) == (30, 30, 98)
    assert changed["line_items"][0]["line_item_id"] == made["line_items"][0]["line_item_id"]
    await refund(shop, changed, 25)
    for quantity, code in ((4, 99026), (2, 99010)):
        answer = await shop.send("PUT", path, {"line_items": [given | {"quantity": quantity}]})
        assert answer.json()["code"] == code
    assert (await shop.stock())["accounting"] == 98


async def test_doubts_about_an_update(shop: Shop) -> None:
    """Whether what is marked as required has to be repeated; a number that is taken; a void note."""
    await shop.switch(partial_update_refused=True)
    order, invoice = await sold(shop)
    back = await returned(shop, order, 2)
    first = await credited(shop, invoice, line_for(back, invoice, 1))
    second = await credited(shop, invoice, line_for(back, invoice, 1))
    path = f"/creditnotes/{second['creditnote_id']}"
    assert (await shop.send("PUT", path, {"reference_number": "re_1"})).json()["code"] == 99002
    whole = {
        "customer_id": invoice["customer_id"],
        "date": "2026-11-26",
        "creditnote_number": second["creditnote_number"],
        "line_items": [line_for(back, invoice, 1)],
        "reference_number": "re_1",
    }
    assert (await shop.call("PUT", path, whole))["creditnote"]["reference_number"] == "re_1"
    taken = whole | {"creditnote_number": first["creditnote_number"]}
    assert (await shop.send("PUT", path, taken)).json()["code"] == 99021
    await shop.call("POST", f"{path}/void")
    assert (await shop.send("PUT", path, whole)).json()["code"] == 99011
