"""Shipment orders: packages on their way; a shipment takes its goods out of physical stock."""

from __future__ import annotations

from sandbox.zoho import errors, stock
from sandbox.zoho.records import born, refer, required, text, touch
from sandbox.zoho.routing import Answer, Call, Route, crud
from sandbox.zoho.wire import Row, public
from sandbox.zoho.world import Organization

# What a connected carrier says of a shipment, where there is one.
_CARRIER = {"carrier": "DHL", "service": "Parcel"}


def ship(call: Call, order: Row, packages: list[Row], body: Row) -> Row:
    """Sends packages of one order on their way, and returns the shipment's row."""
    for package in packages:
        if package["salesorder_id"] != order["salesorder_id"]:
            raise errors.missing("Package")
        if package["_shipment"]:
            raise errors.wrong_status("package", "shipped")
    shipment_id = call.world.new_id()
    connected = call.switches.shipment_gets_tracking
    tracked = {**_CARRIER, "tracking_number": f"00340{shipment_id}"} if connected else {"carrier": "", "service": ""}
    shipment = {
        "shipment_id": shipment_id,
        "shipment_number": _number(call, body),
        "salesorder_id": order["salesorder_id"],
        "salesorder_number": order["salesorder_number"],
        "date": text(body, "date"),
        "reference_number": text(body, "reference_number", most=100),
        "delivery_method": text(body, "delivery_method"),
        "tracking_number": text(body, "tracking_number"),
        "notes": text(body, "notes"),
        "status": "shipped",
        "detailed_status": "",
        "status_message": "",
        "is_emailed": False,
        **tracked,
        **{name: order[name] for name in ("customer_id", "customer_name", "currency_id", "currency_code")},
        **born(call.org),
        "_packages": [package["package_id"] for package in packages],
    }
    call.table("shipmentorders").put(shipment_id, shipment)
    for package in packages:
        package["_shipment"] = shipment_id
    _settle(call.org, shipment)
    return shipment


def _number(call: Call, body: Row) -> str:
    given = text(body, "shipment_number", most=100)
    if not given and call.switches.shipment_number_required:
        raise errors.mandatory("shipment_number")
    taken = given and call.table("shipmentorders").find("shipment_number", given)
    if taken and call.switches.shipment_number_unique:
        raise errors.shipment_number_taken()
    return given or call.org.next_number("SHP-")


def _settle(org: Organization, shipment: Row, *, gone: bool = False) -> None:
    """Packs, ships and delivers the packages as far as their shipment says."""
    for package in map(org.tables["packages"].get, shipment["_packages"]):
        if package is not None:
            delivered = not gone and shipment["status"] == "delivered"
            stock.settle_package(org, package, packed=True, shipped=not gone, delivered=delivered)
            touch(org, org.tables["packages"], package["package_id"])
    if org.switches.shipment_touches_order:
        touch(org, org.tables["salesorders"], shipment["salesorder_id"])


def show(shipment: Row) -> Row:
    """A shipment in full."""
    return public(shipment)


def _envelope(call: Call, shipment: Row) -> Row:
    return {"shipment_order" if call.switches.spec_envelope_keys else "shipmentorder": show(shipment)}


def _create(call: Call) -> Answer:
    order = refer(call, "salesorders", dict(call.query), "salesorder_id", "Sales Order")
    required(call.body, "date", "delivery_method")
    if call.switches.tracking_number_required:
        required(call.body, "tracking_number")
    named = [name for name in call.query.get("package_ids", "").split(",") if name]
    packages = [row for row in map(call.table("packages").get, named) if row is not None]
    if not named or len(packages) != len(named):
        raise errors.missing("Package")
    shipment = ship(call, order, packages, call.body)
    location = f"/shipmentorders/{shipment['shipment_id']}"
    return Answer("Shipment Order has been created.", _envelope(call, shipment), location)


def _shipment(call: Call) -> Row:
    return call.row("shipmentorders", "shipmentorder_id", "Shipment Order")


def _read(call: Call) -> Answer:
    return Answer("success", _envelope(call, _shipment(call)))


def _update(call: Call) -> Answer:
    """What is said of it; its packages stay."""
    shipment = _shipment(call)
    for name in ("date", "tracking_number", "carrier", "delivery_method", "notes"):
        shipment[name] = text(call.body, name, shipment[name])
    _settle(call.org, shipment)
    touch(call.org, call.table("shipmentorders"), shipment["shipment_id"])
    return Answer("Shipment Order has been updated.", _envelope(call, shipment))


def _delete(call: Call) -> Answer:
    shipment = _shipment(call)
    if shipment["status"] == "delivered" and not call.switches.delivered_shipment_deletable:
        raise errors.wrong_status("shipment order", "delivered")
    if call.table("salesreturns").find("order", shipment["salesorder_id"]) and (
        call.switches.delete_with_children_refused
    ):
        raise errors.has_children("shipment order")
    for package in map(call.table("packages").get, shipment["_packages"]):
        if package is not None:
            package["_shipment"] = ""
    _settle(call.org, shipment, gone=True)
    call.table("shipmentorders").remove(shipment["shipment_id"])
    return Answer("The shipment order has been deleted.")


def _deliver(call: Call) -> Answer:
    shipment = _shipment(call)
    shipment["status"] = "delivered"
    _settle(call.org, shipment)
    touch(call.org, call.table("shipmentorders"), shipment["shipment_id"])
    return Answer("Shipment Order has been marked as delivered.", {"data": {}})


ROUTES = [
    *crud(
        "/shipmentorders",
        "shipmentorder_id",
        "shipmentorders",
        create=_create,
        read=_read,
        update=_update,
        delete=_delete,
    ),
    Route("POST", "/shipmentorders/{shipmentorder_id}/status/delivered", "shipmentorders.CREATE", _deliver),
]
