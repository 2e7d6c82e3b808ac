"""Two stock ledgers, what is committed, and adjustments on top."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.zoho.shop import MAIN, Row, Shop


async def ledgers(shop: Shop, sku: str = "MUG") -> tuple[int, int, int, int]:
    """Accounting, physical, committed and physically committed stock."""
    stock = await shop.stock(sku)
    return stock["accounting"], stock["physical"], stock["committed"], stock["committed_physical"]


@pytest.mark.parametrize(("commits", "committed"), [(False, 0), (True, 2)])
async def test_draft_commits(shop: Shop, commits: bool, committed: int) -> None:
    """Whether a draft order commits stock is a switch; a confirmed one always does, and moves nothing."""
    await shop.switch(draft_commits_stock=commits)
    order = await shop.order()
    assert await ledgers(shop) == (100, 100, committed, committed)
    await shop.call("POST", f"/salesorders/{order['salesorder_id']}/status/confirmed")
    assert await ledgers(shop) == (100, 100, 2, 2)


async def test_sent_invoice_moves_accounting(shop: Shop) -> None:
    """A draft invoice moves nothing, a sent one takes goods out of accounting stock and ends their commitment."""
    order = await shop.confirmed()
    invoice = await shop.invoice(order)
    assert await ledgers(shop) == (100, 100, 2, 2)
    for _ in range(2):
        await shop.call("POST", f"/invoices/{invoice['invoice_id']}/status/sent")
        assert await ledgers(shop) == (98, 100, 0, 2)


async def test_unlinked_invoice(shop: Shop) -> None:
    """An invoice without an order takes stock, and leaves an order's commitment as it is."""
    order = await shop.confirmed()
    lines = [{"item_id": await shop.item_id(), "quantity": 3}]
    await shop.call("POST", "/invoices", {"customer_id": order["customer_id"], "line_items": lines}, send="true")
    assert await ledgers(shop) == (97, 100, 2, 2)


async def test_payment_moves_nothing(shop: Shop) -> None:
    """A payment moves no stock."""
    invoice = await shop.sent(await shop.confirmed())
    before = await ledgers(shop)
    await shop.pay(invoice)
    assert await ledgers(shop) == before


async def test_deleted_order_uncommits(shop: Shop) -> None:
    """A deleted order commits nothing any more."""
    order = await shop.confirmed()
    await shop.call("DELETE", f"/salesorders/{order['salesorder_id']}")
    assert await ledgers(shop) == (100, 100, 0, 0)


async def test_one_item_on_two_lines(shop: Shop) -> None:
    """Lines of the same item add up."""
    item_id = await shop.item_id()
    lines = [{"item_id": item_id, "quantity": 2}, {"item_id": item_id, "quantity": 3}]
    order = await shop.confirmed(line_items=lines)
    assert await ledgers(shop) == (100, 100, 5, 5)
    await shop.sent(order)
    assert await ledgers(shop) == (95, 100, 0, 5)


async def test_negative_allowed(shop: Shop) -> None:
    """By default more can be sold than there is: 6 of 5 (reported by a tester)."""
    order = await shop.confirmed(line_items=[{"item_id": await shop.item_id("CUP"), "quantity": 6}])
    await shop.pay(await shop.sent(order))
    assert await ledgers(shop, "CUP") == (-1, 5, 0, 6)


@pytest.mark.parametrize("way", ["mark", "create", "pay"])
@pytest.mark.parametrize("refused", [False, True])
async def test_negative_refused(shop: Shop, way: str, refused: bool) -> None:
    """Where the switch forbids negative stock, no way of sending an invoice takes it below zero."""
    order = await shop.confirmed(line_items=[{"item_id": await shop.item_id("CUP"), "quantity": 6}])
    await shop.switch(negative_stock_refused=refused)
    code = (await send(shop, order, way))["code"]
    assert code == (99006 if refused else 0)
    assert (await ledgers(shop, "CUP"))[0] == (5 if refused else -1)
    assert (await shop.ledger())["payments"] == [] or not refused


async def send(shop: Shop, order: Row, way: str) -> Row:
    """Sends an invoice of the order by marking, creating or paying it."""
    line = order["line_items"][0]
    lines = [{"item_id": line["item_id"], "quantity": 6, "salesorder_item_id": line["line_item_id"]}]
    body: dict[str, Any] = {"customer_id": order["customer_id"], "line_items": lines}
    if way == "create":
        await shop.send("POST", "/invoices", body, send="true")
        return dict(shop.last.json())
    invoice = (await shop.call("POST", "/invoices", body))["invoice"]
    if way == "mark":
        await shop.send("POST", f"/invoices/{invoice['invoice_id']}/status/sent")
        return dict(shop.last.json())
    target = {"invoice_id": invoice["invoice_id"], "amount_applied": 27}
    body = {"customer_id": order["customer_id"], "payment_mode": "x", "amount": 27, "invoices": [target]}
    await shop.send("POST", "/customerpayments", body)
    return dict(shop.last.json())


@pytest.mark.parametrize(("plain", "on_hand", "actual"), [(True, 98, 100), (False, 100, 98)])
async def test_stock_fields(shop: Shop, plain: bool, on_hand: int, actual: int) -> None:
    """Which ledger the plain and the `actual_` fields show is a switch, on items and on lines."""
    await shop.switch(plain_stock_is_accounting=plain)
    invoice = await shop.sent(await shop.confirmed())
    item = await shop.read("item", await shop.item_id())
    line = (await shop.read("invoice", invoice["invoice_id"]))["line_items"][0]
    for found in (item, line):
        assert (found["stock_on_hand"], found["available_stock"]) == (on_hand, on_hand)
        assert found["actual_available_stock"] == actual
    committed = (item["committed_stock"], item["actual_committed_stock"])
    assert committed == ((0, 2) if plain else (2, 0))
    assert item["available_for_sale_stock"] == on_hand - committed[0]
    assert item["actual_available_for_sale_stock"] == actual - committed[1]


async def adjust(shop: Shop, quantity: int, **changes: Any) -> Row:
    """Adjusts the mugs."""
    lines = [{"item_id": await shop.item_id(), "quantity_adjusted": quantity}]
    query = {"status": changes.pop("status")} if "status" in changes else {}
    body = {"date": "2026-11-23", "reason": "Recount", "adjustment_type": "quantity", "line_items": lines}
    answer = await shop.call("POST", "/inventoryadjustments", body | changes, **query)
    adjustment: Row = answer["inventory_adjustment"]
    return adjustment


async def test_adjustment_counts_twice(shop: Shop) -> None:
    """An adjustment on top of a sent invoice counts the goods twice."""
    await shop.sent(await shop.confirmed())
    made = await adjust(shop, -2, reference_number="pi_1")
    assert (await ledgers(shop))[:2] == (96, 98)
    rows = (await shop.send("GET", "/inventoryadjustments", reference_number="pi_1")).json()["inventory_adjustments"]
    assert [row["inventory_adjustment_id"] for row in rows] == [made["inventory_adjustment_id"]]


@pytest.mark.parametrize(("at_once", "moved"), [(True, 7), (False, 0)])
async def test_adjustment_applies(shop: Shop, at_once: bool, moved: int) -> None:
    """Whether an adjustment moves stock at once is a switch; `?status=adjusted` and an approval always do it."""
    await shop.switch(adjustment_applies_at_once=at_once)
    made = await adjust(shop, 7)
    assert (await ledgers(shop))[:2] == (100 + moved, 100 + moved)
    await shop.call("POST", f"/inventoryadjustments/{made['inventory_adjustment_id']}/approve")
    assert (await ledgers(shop))[:2] == (107, 107)
    await adjust(shop, 1, status="adjusted")
    assert (await ledgers(shop))[:2] == (108, 108)


async def test_adjustment_deleted(shop: Shop) -> None:
    """A deleted adjustment is taken back, and read no more."""
    made = await adjust(shop, -5)
    path = f"/inventoryadjustments/{made['inventory_adjustment_id']}"
    assert (await shop.call("GET", path))["inventory_adjustment"]["line_items"][0]["quantity_adjusted"] == -5
    await shop.call("DELETE", path)
    assert (await ledgers(shop))[:2] == (100, 100)
    assert (await shop.send("GET", path)).json()["code"] == 1002


@pytest.mark.parametrize(("applied", "moved"), [(True, 3), (False, 0)])
async def test_adjustment_changed(shop: Shop, applied: bool, moved: int) -> None:
    """Other words leave the stock as it is, other lines move it anew; a draft still moves none."""
    await shop.switch(adjustment_applies_at_once=applied)
    made = await adjust(shop, 5)
    path = f"/inventoryadjustments/{made['inventory_adjustment_id']}"
    changed = (await shop.call("PUT", path, {"reference_number": "SO-1"}))["inventory_adjustment"]
    assert (changed["reference_number"], changed["reason"]) == ("SO-1", "Recount")
    assert (await ledgers(shop))[:2] == ((105, 105) if applied else (100, 100))
    lines = [{"item_id": await shop.item_id(), "quantity_adjusted": 3}]
    await shop.call("PUT", path, {"line_items": lines})
    assert (await ledgers(shop))[:2] == (100 + moved, 100 + moved)


@pytest.mark.parametrize("tells", [True, False])
async def test_adjustment_maker(shop: Shop, tells: bool) -> None:
    """Whether an adjustment says who made it is a switch."""
    await shop.switch(adjustment_tells_maker=tells)
    lines = [{"item_id": await shop.item_id(), "quantity_adjusted": 1}]
    body = {"date": "2026-11-23", "reason": "Recount", "adjustment_type": "quantity", "line_items": lines}
    made = (await shop.send("POST", "/inventoryadjustments", body)).json()["inventory_adjustment"]
    assert ("created_by_name" in made) == tells, "the specification has no such field"


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"reason": "a" * 51}, 99003), ({"reason": ""}, 99002), ({"adjustment_type": "colour"}, 99001)],
)
async def test_adjustment_refused(shop: Shop, changes: Row, code: int) -> None:
    """A reason beyond 50 characters, none, or an unknown type is refused."""
    lines = [{"item_id": await shop.item_id(), "quantity_adjusted": 1}]
    body = {"date": "2026-11-23", "reason": "Recount", "adjustment_type": "quantity", "line_items": lines}
    assert (await shop.send("POST", "/inventoryadjustments", body | changes)).json()["code"] == code


async def test_adjustments_are_found_page_by_page(shop: Shop) -> None:
    """A row of the list carries reason, reference and custom fields, the detail the items and their quantities."""
    field = {"api_name": "cf_order", "entity": "inventoryadjustment"}
    await shop.control("POST", "/_seed", {"organizations": [{"organization_id": MAIN, "custom_fields": [field]}]})
    told = [{"api_name": "cf_order", "value": "SO-1"}]
    made = await adjust(shop, 2, reason="Return", reference_number="RMA-9", custom_fields=told)
    await adjust(shop, -1)
    first = await shop.call("GET", "/inventoryadjustments", per_page=1)
    assert (first["inventory_adjustments"][0]["reason"], first["page_context"]["has_more_page"]) == ("Recount", True)
    (row,) = (await shop.call("GET", "/inventoryadjustments", per_page=1, page=2))["inventory_adjustments"]
    assert row["inventory_adjustment_id"] == made["inventory_adjustment_id"]
    assert (row["reason"], row["reference_number"]) == ("Return", "RMA-9")
    assert row["custom_field_hash"] == {"cf_order": "SO-1"}
    assert [(entry["label"], entry["value"]) for entry in row["custom_fields"]] == [("Order", "SO-1")]
    found = await shop.call("GET", f"/inventoryadjustments/{row['inventory_adjustment_id']}")
    (line,) = found["inventory_adjustment"]["line_items"]
    assert (line["item_id"], line["quantity_adjusted"]) == (await shop.item_id(), 2)


async def test_value_adjustment(shop: Shop) -> None:
    """An adjustment of value moves no stock."""
    await adjust(shop, 3, adjustment_type="value")
    assert (await ledgers(shop))[:2] == (100, 100)


@pytest.mark.parametrize("shown", [True, False])
async def test_item_details_tell_what_is_left_for_sale_or_not(shop: Shop, shown: bool) -> None:
    """The specification names the stock of locations only: whether the rest is there is a switch."""
    await shop.switch(itemdetails_show_for_sale=shown)
    await shop.confirmed()
    (item,) = (await shop.call("GET", "/itemdetails", item_ids=await shop.item_id()))["items"]
    assert item.get("available_for_sale_stock") == (98 if shown else None)
    assert ("committed_stock" in item) is shown
