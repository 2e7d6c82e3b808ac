"""The client against a running Zoho sandbox: an order's goods packed, shipped, seen on the order, and taken back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from clients.zoho.client import ZohoClient
from clients.zoho.documents.shipping import NewPackage, NewPackageLine, NewShipment
from clients.zoho.records.orders import SalesOrder, Shipment
from clients.zoho.translation.orders import order_document, own_steps
from domain.documents import OwnStep
from tests.clients.zoho.sandboxed.shop import DAY, Sandbox, a_contact, an_order


async def shipped(client: ZohoClient) -> tuple[SalesOrder, str, Shipment]:
    """A confirmed order, its package, and its shipment."""
    order = await an_order(client, await client.create_contact(a_contact()))
    await client.confirm_sales_order(order.salesorder_id)
    line = NewPackageLine(so_line_item_id=order.line_items[0].line_item_id, quantity=Decimal(5))
    package = await client.create_package(
        order.salesorder_id, NewPackage(date=DAY, line_items=(line,), notes="pi_3ABC")
    )
    body = NewShipment(shipment_number="SH-3ABC", date=DAY, delivery_method="Post", reference_number="pi_3ABC")
    return order, package.package_id, await client.create_shipment(order.salesorder_id, [package.package_id], body)


async def physical(sandbox: Sandbox) -> Any:
    """What is on the shelf of green tea."""
    return next(row["physical"] for row in (await sandbox.ledger())["items"] if row["sku"] == "TEA-1")


@pytest.mark.parametrize("spec_keys", [False, True])
async def test_the_order_tells_package_and_shipment(sandbox: Sandbox, client: ZohoClient, spec_keys: bool) -> None:
    """One read of the order shows both with carrier and tracking number, whatever the envelopes are called."""
    await sandbox.post("/_switches", {"shipment_gets_tracking": True, "spec_envelope_keys": spec_keys})
    order, package_id, shipment = await shipped(client)
    assert (shipment.carrier, shipment.status, shipment.reference_number) == ("DHL", "shipped", "pi_3ABC")
    await sandbox.post("/_switches", {"spec_envelope_keys": False})
    (package,) = order_document(await client.get_sales_order(order.salesorder_id)).packages
    assert package.package_id == package_id
    assert package.shipment is not None
    assert (package.shipment.shipment_id, package.shipment.number) == (shipment.shipment_id, "SH-3ABC")
    assert (package.shipment.tracking_number, package.shipment.carrier) == (shipment.tracking_number, "DHL")
    assert await physical(sandbox) == 95


async def test_shipment_and_package_are_taken_back(sandbox: Sandbox, client: ZohoClient) -> None:
    """First the shipment, then the package: the shelf is full again and the order has neither."""
    order, package_id, shipment = await shipped(client)
    await client.delete_shipment(shipment.shipment_id)
    (package,) = order_document(await client.get_sales_order(order.salesorder_id)).packages
    assert package.shipment is None
    await client.delete_package(package_id)
    assert (await client.get_sales_order(order.salesorder_id)).packages == ()
    assert await physical(sandbox) == 100


async def test_lines_say_whether_they_are_goods_in_stock(client: ZohoClient) -> None:
    """Only these are packed."""
    order = order_document(await an_order(client, await client.create_contact(a_contact())))
    assert [line.stocked for line in order.lines] == [True]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [("off", ()), ("invoice", ("invoice",)), ("payment", ("invoice", "payment")), ("shipment", tuple(OwnStep))],
)
async def test_own_steps_are_read_off_the_new_order(
    sandbox: Sandbox, client: ZohoClient, steps: str, expected: tuple[str, ...]
) -> None:
    """The answer to the new order tells what the organisation will do by itself."""
    await sandbox.post("/_switches", {"so_cycle_preference": steps})
    order = await an_order(client, await client.create_contact(a_contact()))
    assert order_document(order).own_steps == expected


@pytest.mark.parametrize(
    "preference",
    [
        {},
        {"is_feature_enabled": False, "can_create_invoice": True},
        {"is_feature_enabled": "true", "can_create_invoice": True},
        {"is_feature_enabled": True, "invoice_preference": {"record_payment": True}},
    ],
)
def test_what_is_not_said_is_not_expected(preference: dict[str, object]) -> None:
    """An organisation that is silent, or off, leaves every step to us."""
    assert own_steps(preference) == ()
