"""Sales returns and their receives: what may come back, what it moves, and what the return says of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.zoho.shop import MAIN, SHOP, Refused, Row, Shop
from tests.sandbox.zoho.test_shipping import packed, shipped
from tests.sandbox.zoho.test_stock import ledgers

FIELDS = [
    {"api_name": "cf_refund", "entity": "salesreturn"},
    {"api_name": "cf_refund_status", "entity": "creditnote"},
    {"api_name": "cf_order", "entity": "inventoryadjustment"},
]


async def sold(shop: Shop, number: str = "SO-1", quantity: int = 5) -> tuple[Row, Row]:
    """An order of mugs that is invoiced and shipped, and its invoice."""
    contact = await shop.contact(f"Buyer of {number}")
    lines = [{"item_id": await shop.item_id(), "quantity": quantity}]
    order = await shop.confirmed(contact=contact, number=number, line_items=lines)
    invoice = await shop.sent(order)
    await shipped(shop, order, await packed(shop, order), number=f"SH-{number}")
    return order, invoice


async def returned(shop: Shop, order: Row, quantity: Any = 2, credit_only: Any = 0, **fields: Any) -> Row:
    """A return of so many mugs of an order."""
    (line,) = order["line_items"]
    given = {"item_id": line["item_id"], "salesorder_item_id": line["line_item_id"], "quantity": quantity}
    body = {"line_items": [{**given, "non_receive_quantity": credit_only}], "reason": "Does not fit", **fields}
    made: Row = (await shop.call("POST", "/salesreturns", body, salesorder_id=order["salesorder_id"]))["salesreturn"]
    return made


async def received(shop: Shop, back: Row, quantity: Any = 2) -> Row:
    """A receive of so many of a return's only line."""
    lines = [{"line_item_id": back["line_items"][0]["line_item_id"], "quantity": quantity}]
    body = {"date": "2026-11-26", "line_items": lines, "notes": "Shelf 3"}
    answer = await shop.call("POST", "/salesreturnreceives", body, salesreturn_id=back["salesreturn_id"])
    receive: Row = answer["salesreturn"]
    return receive


async def read(shop: Shop, back: Row) -> Row:
    """The return as it is now."""
    found: Row = (await shop.call("GET", f"/salesreturns/{back['salesreturn_id']}"))["salesreturn"]
    return found


async def test_a_return_moves_nothing_until_it_is_received(shop: Shop) -> None:
    """Approved when made; the receive alone raises physical stock, and its deletion lowers it again."""
    order, _ = await sold(shop)
    assert await ledgers(shop) == (95, 95, 0, 0)
    back = await returned(shop, order, 3)
    assert (back["salesreturn_status"], back["receive_status"]) == ("approved", "not_received")
    assert back["salesreturn_number"] == "RMA-000001"
    assert await ledgers(shop) == (95, 95, 0, 0)
    first = await received(shop, back, 1)
    assert (first["salesreturn_id"], first["receive_number"]) == (back["salesreturn_id"], "PR-000001")
    assert await ledgers(shop) == (95, 96, 0, 0)
    assert (await read(shop, back))["receive_status"] == "partially_received"
    await received(shop, back, 2)
    found = await read(shop, back)
    assert (found["receive_status"], found["line_items"][0]["quantity_received"]) == ("received", 3)
    assert [row["line_items"][0]["quantity"] for row in found["salesreturnreceives"]] == [1, 2]
    assert await ledgers(shop) == (95, 98, 0, 0)
    await shop.call("DELETE", f"/salesreturnreceives/{first['receive_id']}")
    assert await ledgers(shop) == (95, 97, 0, 0)
    assert (await read(shop, back))["receive_status"] == "partially_received"


async def test_units_for_credit_only_are_never_received(shop: Shop) -> None:
    """`non_receive_quantity` counts as returned and cannot be received."""
    order, _ = await sold(shop)
    back = await returned(shop, order, 0, 2)
    assert back["receive_status"] == ""
    with pytest.raises(Refused, match="99025"):
        await received(shop, back, 1)
    mixed = await returned(shop, order, 1, 2)
    await received(shop, mixed, 1)
    with pytest.raises(Refused, match="99025"):
        await received(shop, mixed, 1)
    assert (await shop.stock())["physical"] == 96


async def test_only_what_was_shipped_and_is_not_yet_returned(shop: Shop) -> None:
    """Shipped units, less those of other returns; a deleted return frees its units."""
    order = await shop.confirmed(line_items=[{"item_id": await shop.item_id(), "quantity": 5}])
    with pytest.raises(Refused, match="99024"):
        await returned(shop, order, 1)
    await shipped(shop, order, await packed(shop, order, 3))
    back = await returned(shop, order, 1, 1)
    with pytest.raises(Refused, match="99024"):
        await returned(shop, order, 2)
    await returned(shop, order, 1)
    await shop.call("DELETE", f"/salesreturns/{back['salesreturn_id']}")
    with pytest.raises(Refused, match="1002"):
        await read(shop, back)
    await returned(shop, order, 2)


async def test_items_that_are_not_returnable(shop: Shop) -> None:
    """An item flagged so is refused, and the order's line says it."""
    await shop.open({**SHOP, "items": [{"sku": "MUG", "name": "Mug", "stock": 100, "is_returnable": False}]})
    order, _ = await sold(shop)
    assert order["line_items"][0]["is_returnable"] is False
    with pytest.raises(Refused, match="99023"):
        await returned(shop, order, 1)
    await shop.call("PUT", f"/items/{await shop.item_id()}", {"is_returnable": True})
    await returned(shop, order, 1)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ({"salesorder_item_id": "1"}, 1002),
        ({"item_id": "1"}, 1002),
        ({"quantity": 0}, 99001),
        ({"quantity": -1, "non_receive_quantity": 2}, 99001),
        ({"quantity": "many"}, 99001),
    ],
)
async def test_a_line_that_does_not_fit_is_refused(shop: Shop, line: Row, code: int) -> None:
    """A line of another order, another item, nothing, less than nothing: nothing is made."""
    order, _ = await sold(shop)
    (sold_line,) = order["line_items"]
    given = {"item_id": sold_line["item_id"], "salesorder_item_id": sold_line["line_item_id"], "quantity": 1}
    answer = await shop.send(
        "POST", "/salesreturns", {"line_items": [given | line]}, salesorder_id=order["salesorder_id"]
    )
    assert answer.json()["code"] == code
    assert (await shop.ledger())["salesreturns"] == []


async def test_lines_and_an_order_are_needed(shop: Shop) -> None:
    """No lines, one line twice, no order, an order that is not confirmed."""
    order, _ = await sold(shop)
    with pytest.raises(Refused, match="99002"):
        await shop.call("POST", "/salesreturns", {}, salesorder_id=order["salesorder_id"])
    line = {"salesorder_item_id": order["line_items"][0]["line_item_id"], "quantity": 1}
    with pytest.raises(Refused, match="99001"):
        await shop.call("POST", "/salesreturns", {"line_items": [line, line]}, salesorder_id=order["salesorder_id"])
    with pytest.raises(Refused, match="1002"):
        await shop.call("POST", "/salesreturns", {"line_items": [line]}, salesorder_id="1")
    draft = await shop.order(await shop.contact("Bob"), "SO-2")
    with pytest.raises(Refused, match="99011"):
        await returned(shop, draft, 1)


async def test_the_order_shows_its_returns(shop: Shop) -> None:
    """Every return of it with its statuses, and the units on its line."""
    order, _ = await sold(shop)
    first, second = await returned(shop, order, 2), await returned(shop, order, 0, 1)
    await received(shop, first, 2)
    found = await shop.read("salesorder", order["salesorder_id"])
    assert [(row["salesreturn_id"], row["receive_status"], row["quantity"]) for row in found["salesreturns"]] == [
        (first["salesreturn_id"], "received", 2),
        (second["salesreturn_id"], "", 1),
    ]
    assert found["line_items"][0]["quantity_returned"] == 3


@pytest.mark.parametrize(("since", "before", "after"), [("return", 2, 2), ("receive", 0, 1)])
async def test_when_an_order_counts_units_as_returned(shop: Shop, since: str, before: int, after: int) -> None:
    """From the return on, or from the receive."""
    await shop.switch(returned_counts_from=since)
    order, _ = await sold(shop)
    back = await returned(shop, order, 2)
    seen = (await shop.read("salesorder", order["salesorder_id"]))["line_items"][0]["quantity_returned"]
    await received(shop, back, 1)
    assert (seen, (await shop.read("salesorder", order["salesorder_id"]))["line_items"][0]["quantity_returned"]) == (
        before,
        after,
    )


@pytest.mark.parametrize(("usable", "code"), [(False, 99011), (True, 0)])
async def test_a_draft_waits_for_its_approval(shop: Shop, usable: bool, code: int) -> None:
    """A person approves a draft in the app; whether it can be received before is a switch."""
    await shop.switch(new_return_status="draft", draft_return_usable=usable)
    order, _ = await sold(shop)
    back = await returned(shop, order, 2)
    assert back["salesreturn_status"] == "draft"
    line = {"line_item_id": back["line_items"][0]["line_item_id"], "quantity": 1}
    answer = await shop.send(
        "POST", "/salesreturnreceives", {"line_items": [line]}, salesreturn_id=back["salesreturn_id"]
    )
    assert answer.json()["code"] == code
    await decide(shop, back, "approved")
    assert (await read(shop, back))["salesreturn_status"] == "approved"
    await received(shop, back, 1)


async def decide(shop: Shop, back: Row, status: str) -> None:
    """What a person decides of a return in the app."""
    body = {"organization_id": MAIN, "salesreturn_id": back["salesreturn_id"], "status": status}
    await shop.control("POST", "/_decide", body)


async def test_a_declined_return_frees_its_units(shop: Shop) -> None:
    """It can be neither received nor credited, and another takes its units."""
    order, _ = await sold(shop, quantity=2)
    back = await returned(shop, order, 2)
    await decide(shop, back, "declined")
    with pytest.raises(Refused, match="99011"):
        await received(shop, back, 1)
    await returned(shop, order, 2)
    refused = await shop.http.post("/_decide", json={"organization_id": MAIN, "salesreturn_id": "1", "status": "lost"})
    assert refused.status_code == 400
    assert "declined" in refused.json()["error"]


@pytest.mark.parametrize(("unique", "code"), [(True, 99027), (False, 0)])
async def test_a_number_of_ones_own(shop: Shop, unique: bool, code: int) -> None:
    """The client's number is kept; whether it can be had twice is a switch."""
    await shop.switch(return_number_unique=unique)
    order, _ = await sold(shop)
    assert (await returned(shop, order, 1, salesreturn_number="R-7"))["salesreturn_number"] == "R-7"
    line = {"salesorder_item_id": order["line_items"][0]["line_item_id"], "quantity": 1}
    body = {"line_items": [line], "salesreturn_number": "R-7"}
    answer = await shop.send("POST", "/salesreturns", body, salesorder_id=order["salesorder_id"])
    assert answer.json()["code"] == code


async def test_the_list_honours_nothing_but_paging(shop: Shop) -> None:
    """Every filter, search and order is ignored with a 200; the newest return comes first."""
    order, _ = await sold(shop)
    made = [await returned(shop, order, 1) for _ in range(3)]
    ids = [row["salesreturn_id"] for row in reversed(made)]
    wishes = {
        "salesreturn_number": "nobody",
        "reference_number": "nobody",
        "search_text": "nobody",
        "filter_by": "Status.Draft",
        "last_modified_time": "2099-01-01",
        "sort_column": "date",
        "sort_order": "A",
    }
    answer = await shop.send("GET", "/salesreturns", **wishes)
    assert [row["salesreturn_id"] for row in answer.json()["salesreturns"]] == ids
    last = await shop.call("GET", "/salesreturns", page=2, per_page=2)
    assert [row["salesreturn_id"] for row in last["salesreturns"]] == ids[2:]
    assert last["page_context"]["has_more_page"] is False
    assert (last["salesreturns"][0]["quantity"], last["salesreturns"][0]["refund_status"]) == (1, "not_refunded")
    await shop.switch(return_list_newest_first=False)
    oldest = (await shop.call("GET", "/salesreturns", per_page=1))["salesreturns"]
    assert oldest[0]["salesreturn_id"] == ids[-1]


async def test_what_we_write_back_into_a_return(shop: Shop) -> None:
    """Reference number and custom fields are changed alone, the rest stays."""
    await shop.open({**SHOP, "custom_fields": FIELDS})
    order, _ = await sold(shop)
    back = await returned(shop, order, 2, reference_number="web-1")
    assert back["reference_number"] == "web-1"
    body = {"reference_number": "re_1", "custom_fields": [{"api_name": "cf_refund", "value": "re_1"}]}
    await shop.call("PUT", f"/salesreturns/{back['salesreturn_id']}", body)
    found = await read(shop, back)
    assert (found["reference_number"], found["custom_field_hash"]) == ("re_1", {"cf_refund": "re_1"})
    assert (found["reason"], found["line_items"]) == (back["reason"], back["line_items"])
    (row,) = (await shop.call("GET", "/salesreturns"))["salesreturns"]
    assert row["custom_field_hash"] == {"cf_refund": "re_1"}


async def test_doubts_about_an_update(shop: Shop) -> None:
    """Whether lines have to be repeated, and whether there is a reference number at all."""
    await shop.switch(partial_update_refused=True, return_takes_reference=False)
    order, _ = await sold(shop)
    back = await returned(shop, order, 2, reference_number="web-1")
    assert back["reference_number"] == ""
    path = f"/salesreturns/{back['salesreturn_id']}"
    with pytest.raises(Refused, match="99002"):
        await shop.call("PUT", path, {"reference_number": "re_1"})
    names = ("line_item_id", "item_id", "salesorder_item_id", "quantity", "non_receive_quantity")
    lines = [{name: line[name] for name in names} for line in back["line_items"]]
    changed = (await shop.call("PUT", path, {"line_items": lines, "reason": "Broken"}))["salesreturn"]
    assert (changed["line_items"], changed["reason"]) == (back["line_items"], "Broken")


async def test_lines_change_above_what_came_back(shop: Shop) -> None:
    """Quantities may change, never below what was received, never above what was shipped."""
    order, _ = await sold(shop)
    back = await returned(shop, order, 3)
    await received(shop, back, 2)
    path = f"/salesreturns/{back['salesreturn_id']}"
    line = {"salesorder_item_id": order["line_items"][0]["line_item_id"]}
    for quantity, code in ((1, "99009"), (6, "99024")):
        with pytest.raises(Refused, match=code):
            await shop.call("PUT", path, {"line_items": [{**line, "quantity": quantity}]})
    changed = (await shop.call("PUT", path, {"line_items": [{**line, "quantity": 2}]}))["salesreturn"]
    assert changed["line_items"][0]["line_item_id"] == back["line_items"][0]["line_item_id"]
    assert changed["receive_status"] == "received"


@pytest.mark.parametrize(("refused", "status"), [(True, 400), (False, 200)])
async def test_a_received_return_is_not_deleted(shop: Shop, refused: bool, status: int) -> None:
    """Nor is the shipment whose goods are to come back."""
    await shop.switch(delete_with_children_refused=refused)
    order, _ = await sold(shop)
    shipment = (await shop.ledger())["shipments"][0]
    back = await returned(shop, order, 2)
    assert (await shop.send("DELETE", f"/shipmentorders/{shipment['shipment_id']}")).status_code == status
    await received(shop, back, 2)
    assert (await shop.send("DELETE", f"/salesreturns/{back['salesreturn_id']}")).status_code == status


async def test_the_ledger_tells_returns_and_receives(shop: Shop) -> None:
    """What invariants are counted from, with nothing of the sandbox's own in it."""
    order, _ = await sold(shop)
    receive = await received(shop, await returned(shop, order, 2), 2)
    found = await shop.ledger()
    assert [row["line_items"][0]["quantity_received"] for row in found["salesreturns"]] == [2]
    assert [row["receive_id"] for row in found["receives"]] == [receive["receive_id"]]
    assert found["receives"][0]["line_items"][0]["quantity"] == Decimal(2)
    assert [key for line in found["receives"][0]["line_items"] for key in line if key[0] == "_"] == []
