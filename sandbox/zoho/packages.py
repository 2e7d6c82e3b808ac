"""Packages: what of an order's goods was put into boxes; a package has no stock to move until it is shipped."""

from __future__ import annotations

from decimal import Decimal

from sandbox.zoho import errors, stock
from sandbox.zoho.records import born, number, refer, required, rows, text
from sandbox.zoho.routing import Answer, Call, crud
from sandbox.zoho.wire import Row, public
from sandbox.zoho.world import Organization

ZERO = Decimal(0)


def _line(call: Call, order: Row, given: Row, place: int) -> Row:
    known = {line["line_item_id"]: line for line in order["line_items"]}
    target = known.get(text(given, "so_line_item_id"))
    if target is None:
        raise errors.missing("Sales Order line item")
    if target["product_type"] == "service" and not call.switches.service_lines_packable:
        raise errors.not_packable()
    quantity = number(given, "quantity")
    if quantity <= 0 or quantity > target["quantity"] - target["quantity_packed"]:
        raise errors.overpacked()
    return {
        "line_item_id": call.world.new_id(),
        "so_line_item_id": target["line_item_id"],
        **{name: target[name] for name in ("item_id", "sku", "name", "description", "unit")},
        "item_order": place,
        "quantity": quantity,
        "is_invoiced": target["is_invoiced"],
        "_packed": ZERO,
        "_shipped": ZERO,
        "_delivered": ZERO,
    }


def pack(call: Call, order: Row, body: Row) -> Row:
    """Puts the body's lines of a confirmed order into a package, and returns its row."""
    if order["order_status"] != "confirmed":
        raise errors.wrong_status("sales order", order["order_status"])
    lines = [_line(call, order, given, place) for place, given in enumerate(rows(body, "line_items"))]
    package_id = call.world.new_id()
    package = {
        "package_id": package_id,
        "package_number": text(body, "package_number", most=100) or call.org.next_number("PKG-"),
        "salesorder_id": order["salesorder_id"],
        "salesorder_number": order["salesorder_number"],
        "date": text(body, "date"),
        "notes": text(body, "notes"),
        "is_emailed": False,
        "total_quantity": sum((line["quantity"] for line in lines), ZERO),
        "line_items": lines,
        **{name: order[name] for name in ("customer_id", "customer_name", "email")},
        **born(call.org),
        "_shipment": "",
    }
    call.table("packages").put(package_id, package)
    stock.settle_package(call.org, package, packed=True, shipped=False, delivered=False)
    return package


def pack_order(call: Call, order: Row) -> Row | None:
    """Packs all that an order still has to deliver; None where there is nothing."""
    lines = [
        {"so_line_item_id": line["line_item_id"], "quantity": line["quantity"] - line["quantity_packed"]}
        for line in order["line_items"]
        if line["product_type"] == "goods" and line["quantity"] > line["quantity_packed"]
    ]
    return pack(call, order, {"date": call.org.today(), "line_items": lines}) if lines else None


def shipment_of(org: Organization, package: Row) -> Row | None:
    """The shipment that a package went out with."""
    return org.tables["shipmentorders"].get(package["_shipment"]) if package["_shipment"] else None


def of_order(org: Organization, order_id: str) -> list[Row]:
    """An order's packages as the order shows them: each with the words of its shipment, "" while it has none."""
    return [_linked(org, package) for package in org.tables["packages"].find("order", order_id)]


def _linked(org: Organization, package: Row) -> Row:
    shipment = shipment_of(org, package)
    names = ("shipment_id", "shipment_number", "carrier", "service", "tracking_number", "detailed_status")
    told = {name: shipment[name] if shipment else "" for name in names}
    return {
        "package_id": package["package_id"],
        "package_number": package["package_number"],
        "status": shipment["status"] if shipment else "not_shipped",
        "status_message": "",
        "shipment_status": shipment["status"] if shipment else "",
        "shipment_date": shipment["date"] if shipment else "",
        "delivery_days": "",
        "delivery_guarantee": False,
        **told,
    }


def show(org: Organization, package: Row) -> Row:
    """A package in full, with its shipment where it has one."""
    shipment = shipment_of(org, package)
    names = (
        "shipment_id", "shipment_number", "carrier", "service", "tracking_number", "detailed_status",
        "delivery_method", "status", "notes",
    )  # fmt: skip
    told = {"shipment_order": {name: shipment[name] for name in names}} if shipment else {}
    return {**public(package), "line_items": [public(line) for line in package["line_items"]], **told}


def _create(call: Call) -> Answer:
    order = refer(call, "salesorders", dict(call.query), "salesorder_id", "Sales Order")
    required(call.body, "date", "line_items")
    package = pack(call, order, call.body)
    return Answer(
        "The package has been created.", {"package": show(call.org, package)}, f"/packages/{package['package_id']}"
    )


def _package(call: Call) -> Row:
    return call.row("packages", "package_id", "Package")


def _read(call: Call) -> Answer:
    return Answer("success", {"package": show(call.org, _package(call))})


def _delete(call: Call) -> Answer:
    package = _package(call)
    if package["_shipment"] and call.switches.delete_with_children_refused:
        raise errors.has_children("package")
    stock.settle_package(call.org, package, packed=False, shipped=False, delivered=False)
    call.table("packages").remove(package["package_id"])
    return Answer("The package has been deleted.")


ROUTES = crud("/packages", "package_id", "packages", create=_create, read=_read, delete=_delete)
