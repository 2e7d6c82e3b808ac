"""Packages and shipments: what they need, what they move, and what taking them back moves again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.zoho.shop import Refused, Row, Shop
from tests.sandbox.zoho.test_stock import ledgers


async def packed(shop: Shop, order: Row, quantity: int | None = None) -> Row:
    """A package of all lines of the order, or of so many pieces of each."""
    lines = [
        {"so_line_item_id": line["line_item_id"], "quantity": quantity or line["quantity"]}
        for line in order["line_items"]
    ]
    body = {"date": "2026-11-25", "line_items": lines, "notes": "Stripe payment pi_1"}
    answer = await shop.call("POST", "/packages", body, salesorder_id=order["salesorder_id"])
    package: Row = answer["package"]
    return package


async def shipped(shop: Shop, order: Row, *packages: Row, number: str = "SH-1", **changes: Any) -> Row:
    """A shipment of the packages."""
    body = {"date": "2026-11-25", "delivery_method": "Post", "shipment_number": number, "reference_number": "pi_1"}
    query = {
        "salesorder_id": order["salesorder_id"],
        "package_ids": ",".join(package["package_id"] for package in packages),
    }
    answer = await shop.call("POST", "/shipmentorders", body | changes, **query)
    shipment: Row = answer["shipmentorder"]
    return shipment


async def progress(shop: Shop, order: Row) -> tuple[Any, ...]:
    """Quantities packed, shipped and delivered, and the order's own word."""
    found = await shop.read("salesorder", order["salesorder_id"])
    line = found["line_items"][0]
    names = ("quantity_packed", "quantity_shipped", "quantity_delivered")
    return (*(line[name] for name in names), found["shipped_status"])


async def test_shipment_moves_physical_stock(shop: Shop) -> None:
    """A package moves nothing; its shipment moves physical stock and ends what was committed of it."""
    order = await shop.confirmed()
    await shop.sent(order)
    package = await packed(shop, order)
    assert await ledgers(shop) == (98, 100, 0, 2)
    assert await progress(shop, order) == (2, 0, 0, "pending")
    await shipped(shop, order, package)
    assert await ledgers(shop) == (98, 98, 0, 0)
    assert await progress(shop, order) == (2, 2, 0, "shipped")


async def test_order_shows_package_with_its_shipment(shop: Shop) -> None:
    """One look at the order tells package, shipment, carrier and tracking number."""
    await shop.switch(shipment_gets_tracking=True)
    order = await shop.confirmed()
    package = await packed(shop, order)
    (row,) = (await shop.read("salesorder", order["salesorder_id"]))["packages"]
    assert (row["package_id"], row["shipment_id"], row["status"]) == (package["package_id"], "", "not_shipped")
    shipment = await shipped(shop, order, package)
    (row,) = (await shop.read("salesorder", order["salesorder_id"]))["packages"]
    assert (row["shipment_id"], row["status"]) == (shipment["shipment_id"], "shipped")
    assert (row["carrier"], row["tracking_number"]) == ("DHL", shipment["tracking_number"])
    found = (await shop.call("GET", f"/packages/{package['package_id']}"))["package"]
    assert found["shipment_order"]["tracking_number"] == shipment["tracking_number"] != ""


async def test_delivered(shop: Shop) -> None:
    """A delivered shipment fulfils the order and moves no more stock."""
    order = await shop.confirmed()
    shipment = await shipped(shop, order, await packed(shop, order))
    await shop.call("POST", f"/shipmentorders/{shipment['shipment_id']}/status/delivered")
    assert await progress(shop, order) == (2, 2, 2, "fulfilled")
    assert (await shop.call("GET", f"/shipmentorders/{shipment['shipment_id']}"))["shipmentorder"]["status"] == (
        "delivered"
    )
    assert (await ledgers(shop))[1] == 98


async def test_taken_back_in_reverse(shop: Shop) -> None:
    """Deleting the shipment brings physical stock back; only then the package, and then the order can go."""
    order = await shop.confirmed()
    package = await packed(shop, order)
    shipment = await shipped(shop, order, package)
    assert (await shop.send("DELETE", f"/packages/{package['package_id']}")).json()["code"] == 99009
    await shop.call("DELETE", f"/shipmentorders/{shipment['shipment_id']}")
    assert await ledgers(shop) == (100, 100, 2, 2)
    await shop.call("DELETE", f"/packages/{package['package_id']}")
    assert await progress(shop, order) == (0, 0, 0, "pending")
    for path in (f"/packages/{package['package_id']}", f"/shipmentorders/{shipment['shipment_id']}"):
        assert (await shop.send("GET", path)).json()["code"] == 1002


async def test_parts_add_up(shop: Shop) -> None:
    """Two packages of one order go out one after the other; a third has nothing left to pack."""
    order = await shop.confirmed()
    first, second = await packed(shop, order, 1), await packed(shop, order, 1)
    await shipped(shop, order, first)
    assert await progress(shop, order) == (2, 1, 0, "partially_shipped")
    await shipped(shop, order, second, number="SH-2")
    assert await progress(shop, order) == (2, 2, 0, "shipped")
    with pytest.raises(Refused, match="left to be packed"):
        await packed(shop, order, 1)


async def test_two_packages_in_one_shipment(shop: Shop) -> None:
    """`package_ids` names several; a package goes out once, and with its own order."""
    order, other = await shop.confirmed(), await shop.confirmed(contact=await shop.contact("Bob"), number="SO-2")
    first, second = await packed(shop, order, 1), await packed(shop, order, 1)
    await shipped(shop, order, first, second)
    assert await progress(shop, order) == (2, 2, 0, "shipped")
    with pytest.raises(Refused, match="status shipped"):
        await shipped(shop, order, first, number="SH-2")
    with pytest.raises(Refused, match="Package"):
        await shipped(shop, other, await packed(shop, other), first, number="SH-3")


@pytest.mark.parametrize("packable", [False, True])
async def test_services(shop: Shop, packable: bool) -> None:
    """Whether a service can be packed is a switch; it moves no stock."""
    await shop.switch(service_lines_packable=packable)
    order = await shop.confirmed(line_items=[{"item_id": await shop.item_id("WRAP"), "quantity": 1}])
    if packable:
        await packed(shop, order)
    else:
        with pytest.raises(Refused, match="Services"):
            await packed(shop, order)


async def test_draft_is_not_packed(shop: Shop) -> None:
    """Only a confirmed order is packed."""
    with pytest.raises(Refused, match="status draft"):
        await packed(shop, await shop.order())


@pytest.mark.parametrize(
    ("switch", "number", "tracking", "code"),
    [
        ({}, "", "", 99002),
        ({"shipment_number_required": False}, "", "", 0),
        ({}, "SH-9", "", 0),
        ({"tracking_number_required": True}, "SH-9", "", 99002),
        ({"tracking_number_required": True}, "SH-9", "1Z", 0),
    ],
)
async def test_what_a_shipment_needs(shop: Shop, switch: Row, number: str, tracking: str, code: int) -> None:
    """Which of the fields that the specification marks are really required are switches (tracking_number_required=)."""
    await shop.switch(**switch)
    order = await shop.confirmed()
    package = await packed(shop, order)
    body = {"date": "2026-11-25", "delivery_method": "Post", "shipment_number": number, "tracking_number": tracking}
    query = {"salesorder_id": order["salesorder_id"], "package_ids": package["package_id"]}
    assert (await shop.send("POST", "/shipmentorders", body, **query)).json()["code"] == code


async def test_shipment_number_without_need(shop: Shop) -> None:
    """Where no number is asked for, the organisation counts."""
    await shop.switch(shipment_number_required=False)
    order = await shop.confirmed()
    assert (await shipped(shop, order, await packed(shop, order), number=""))["shipment_number"] == "SHP-000001"


@pytest.mark.parametrize("unique", [True, False])
async def test_shipment_number_twice(shop: Shop, unique: bool) -> None:
    """Whether two shipments may share a number is a switch."""
    await shop.switch(shipment_number_unique=unique)
    order = await shop.confirmed()
    first, second = await packed(shop, order, 1), await packed(shop, order, 1)
    await shipped(shop, order, first)
    if unique:
        with pytest.raises(Refused, match="number already exists"):
            await shipped(shop, order, second)
    else:
        await shipped(shop, order, second)


@pytest.mark.parametrize("refused", [True, False])
async def test_void_with_package(shop: Shop, refused: bool) -> None:
    """Whether an order with a package can be voided is a switch."""
    await shop.switch(void_with_package_refused=refused)
    order = await shop.confirmed()
    await packed(shop, order)
    code = (await shop.send("POST", f"/salesorders/{order['salesorder_id']}/status/void")).json()["code"]
    assert code == (99009 if refused else 0)


@pytest.mark.parametrize("deletable", [False, True])
async def test_delete_delivered(shop: Shop, deletable: bool) -> None:
    """Whether a delivered shipment can be deleted is a switch."""
    await shop.switch(delivered_shipment_deletable=deletable)
    order = await shop.confirmed()
    shipment = await shipped(shop, order, await packed(shop, order))
    path = f"/shipmentorders/{shipment['shipment_id']}"
    await shop.call("POST", f"{path}/status/delivered")
    assert (await shop.send("DELETE", path)).json()["code"] == (0 if deletable else 99011)


async def test_envelope_of_the_specification(shop: Shop) -> None:
    """The specification calls a shipment otherwise than live answers do; a switch shows its word."""
    order = await shop.confirmed()
    package = await packed(shop, order)
    await shop.switch(spec_envelope_keys=True)
    body = {"date": "2026-11-25", "delivery_method": "Post", "shipment_number": "SH-1"}
    query = {"salesorder_id": order["salesorder_id"], "package_ids": package["package_id"]}
    assert "shipment_order" in await shop.call("POST", "/shipmentorders", body, **query)


@pytest.mark.parametrize("touches", [True, False])
async def test_tracking_is_entered_later(shop: Shop, touches: bool) -> None:
    """Somebody says carrier and number of a shipment: its order shows them, and by a switch its time changes too."""
    await shop.switch(shipment_touches_order=touches)
    order = await shop.confirmed()
    shipment = await shipped(shop, order, await packed(shop, order))
    before = (await shop.read("salesorder", order["salesorder_id"]))["last_modified_time"]
    await shop.advance(60)
    said = {"shipment_number": "SH-1", "date": "2026-11-26", "delivery_method": "Post", "tracking_number": "T-1"}
    await shop.call("PUT", f"/shipmentorders/{shipment['shipment_id']}", said)
    found = await shop.read("salesorder", order["salesorder_id"])
    (package,) = found["packages"]
    assert (package["tracking_number"], package["shipment_date"]) == ("T-1", "2026-11-26")
    assert (found["last_modified_time"] != before) == touches
    assert await progress(shop, order) == (2, 2, 0, "shipped")
