"""Sales orders: draft, confirmed, void; the number is unique; the detail shows all that came of the order."""

from __future__ import annotations

from decimal import Decimal

from sandbox.zoho import balances, credits, cycle, documents, errors, packages, returned, stock
from sandbox.zoho.listing import Listing
from sandbox.zoho.records import born, required, text, touch
from sandbox.zoho.routing import Answer, Call, Route, crud
from sandbox.zoho.wire import Row, public
from sandbox.zoho.world import Organization

ZERO = Decimal(0)
QUANTITIES = (
    "invoiced", "packed", "shipped", "delivered", "cancelled", "returned", "backordered", "dropshipped",
    "manuallyfulfilled", "allocated", "picked",
)  # fmt: skip


def _progress(call: Call, line: Row, before: Row | None) -> None:
    for name in (f"quantity_{kind}" for kind in QUANTITIES):
        line[name] = before[name] if before else ZERO
    item = call.table("items").get(line["item_id"])
    line["is_returnable"], line["is_fulfillable"] = bool(item and item["is_returnable"]), bool(item)
    line["is_invoiced"] = line["quantity_invoiced"] >= line["quantity"]
    for name in ("_sent", "_committed", "_committed_physical"):
        line[name] = before[name] if before else ZERO


def _lines(call: Call, before: Row | None) -> list[Row]:
    known = {line["line_item_id"]: line for line in before["line_items"]} if before else {}
    lines = documents.read_lines(call, call.body)
    for line in lines:
        _progress(call, line, known.get(line["line_item_id"]))
        if line["line_item_id"] not in known:
            line["line_item_id"] = call.world.new_id()
    return lines


def _taken(call: Call, number: str) -> bool:
    found = call.table("salesorders").find("salesorder_number", number, ignore_case=call.switches.text_ignores_case)
    if call.switches.void_frees_number:
        found = [order for order in found if order["order_status"] != "void"]
    if not call.switches.concurrent_numbers_unique:
        found = [order for order in found if order["_created"] < call.arrived]
    return bool(found)


def _number(call: Call) -> str:
    given = text(call.body, "salesorder_number", most=100)
    if call.query.get("ignore_auto_number_generation") == "true":
        required(call.body, "salesorder_number")
    elif given and call.switches.number_without_flag == "refused":
        raise errors.number_given()
    elif not given or call.switches.number_without_flag == "replaced":
        given = call.org.next_number("SO-")
    if _taken(call, given):
        raise errors.number_taken()
    return given


def _create(call: Call) -> Answer:
    required(call.body, "customer_id", "line_items")
    lines = _lines(call, None)
    document = documents.fill(call, call.body, "salesorder", None, lines)
    order_id = call.world.new_id()
    order = {
        "salesorder_id": order_id,
        "salesorder_number": _number(call),
        "status": "draft",
        "order_status": "draft",
        "current_sub_status": "draft",
        "shipment_date": text(call.body, "shipment_date"),
        "delivery_method": text(call.body, "delivery_method"),
        "delivery_method_id": "",
        "estimate_id": "",
        "pricebook_id": "",
        "is_drop_shipment": False,
        "is_backorder": False,
        "sales_channel": "direct_sales",
        **document,
        **born(call.org),
    }
    call.table("salesorders").put(order_id, order)
    stock.settle_order(call.org, order)
    _note_transaction(call, order)
    return Answer("Sales Order has been created.", _envelope(call, order), f"/salesorders/{order_id}")


def _note_transaction(call: Call, order: Row) -> None:
    contact = call.table("contacts").get(order["customer_id"])
    if contact is not None and not contact["has_transaction"]:
        contact["has_transaction"] = True
        call.table("contacts").save(contact["contact_id"])


def _envelope(call: Call, order: Row) -> Row:
    key = "sales_order" if call.switches.spec_envelope_keys else "salesorder"
    return {key: show(call.org, order)}


def _invoices(org: Organization, order: Row) -> list[Row]:
    return org.tables["invoices"].find("order", order["salesorder_id"])


def _statuses(org: Organization, order: Row) -> Row:
    if order["order_status"] == "draft":
        return {"invoiced_status": "", "paid_status": "", "shipped_status": ""}
    ordered = sum((line["quantity"] for line in order["line_items"]), ZERO)
    invoiced = sum((line["quantity_invoiced"] for line in order["line_items"]), ZERO)
    live = [invoice for invoice in _invoices(org, order) if invoice["status"] != "void"]
    paid = bool(live) and all(invoice["balance"] == 0 for invoice in live)
    part = any(invoice["payment_made"] for invoice in live)
    return {
        "invoiced_status": "invoiced" if invoiced >= ordered else "partially_invoiced" if invoiced else "not_invoiced",
        "paid_status": "paid" if paid else "partially_paid" if part else "unpaid",
        "shipped_status": _shipped(order),
    }


def _shipped(order: Row) -> str:
    goods = [line for line in order["line_items"] if line["product_type"] == "goods"]
    ordered, shipped, delivered = (
        sum((line[name] for line in goods), ZERO) for name in ("quantity", "quantity_shipped", "quantity_delivered")
    )
    if not shipped:
        return "pending"
    return "fulfilled" if delivered >= ordered else "shipped" if shipped >= ordered else "partially_shipped"


def show(org: Organization, order: Row) -> Row:
    """An order in full, with the documents that came of it."""
    invoices = _invoices(org, order)
    notes = credits.of_order(org, invoices)
    payments = [payment for invoice in invoices for payment in balances.payments_of(org, invoice)]
    names = (
        "invoice_id",
        "invoice_number",
        "reference_number",
        "status",
        "date",
        "due_date",
        "total",
        "balance",
    )
    return {
        **public(order),
        **_statuses(org, order),
        "line_items": [public(line) for line in order["line_items"]],
        "invoices": [{name: invoice[name] for name in names} for invoice in invoices],
        "payments": payments,
        "packages": packages.of_order(org, order["salesorder_id"]),
        "salesreturns": returned.of_order(org, order["salesorder_id"]),
        "creditnotes": notes,
        "refunds": credits.refunds_of_order(org, notes) if org.switches.order_tells_refunds else [],
        "purchaseorders": [],
        "balance": order["total"] - sum((payment["amount"] for payment in payments), ZERO),
        "so_cycle_preference": cycle.show(org, order),
    }


def _order(call: Call) -> Row:
    return call.row("salesorders", "salesorder_id", "Sales Order")


def _read(call: Call) -> Answer:
    return Answer("success", {"salesorder": show(call.org, _order(call))})


def _update(call: Call) -> Answer:
    order = _order(call)
    if order["order_status"] == "void":
        raise errors.wrong_status("sales order", "void")
    if not call.switches.invoiced_order_editable and any(i["status"] != "void" for i in _invoices(call.org, order)):
        raise errors.has_children("sales order")
    number = text(call.body, "salesorder_number", most=100)
    if number not in ("", order["salesorder_number"]) and _taken(call, number):
        raise errors.number_taken()
    lines = _lines(call, order) if "line_items" in call.body else order["line_items"]
    kept = {line["line_item_id"] for line in lines}
    if any(line["quantity_invoiced"] and line["line_item_id"] not in kept for line in order["line_items"]):
        raise errors.has_children("line")
    document = documents.fill(call, call.body, "salesorder", order, lines)
    _uncommit(call, order, lines)
    own = ("salesorder_number", "shipment_date", "delivery_method")
    order.update(document | {name: text(call.body, name) for name in own if call.body.get(name)})
    stock.settle_order(call.org, order)
    touch(call.org, call.table("salesorders"), order["salesorder_id"])
    return Answer("Sales Order has been updated.", _envelope(call, order))


def _uncommit(call: Call, order: Row, lines: list[Row]) -> None:
    # What the old lines committed is given back before the new ones commit anew.
    stock.settle_order(call.org, {**order, "order_status": "void"})
    for line in lines:
        line["_committed"] = line["_committed_physical"] = ZERO


def _delete(call: Call) -> Answer:
    order = _order(call)
    children = _invoices(call.org, order) or packages.of_order(call.org, order["salesorder_id"])
    if children and call.switches.delete_with_children_refused:
        raise errors.has_children("sales order")
    stock.settle_order(call.org, {**order, "order_status": "void"})
    call.table("salesorders").remove(order["salesorder_id"])
    return Answer("Sales Order has been deleted.")


def _confirm(call: Call) -> Answer:
    order = _order(call)
    if order["order_status"] == "void":
        raise errors.wrong_status("sales order", "void")
    fresh = order["order_status"] == "draft"
    order["order_status"] = order["current_sub_status"] = "confirmed"
    order["status"] = call.switches.confirmed_status
    stock.settle_order(call.org, order)
    if fresh:
        cycle.run(call, order)
    touch(call.org, call.table("salesorders"), order["salesorder_id"])
    return Answer("Sales order status has been changed to Confirmed.", {"data": {}})


def _void(call: Call) -> Answer:
    order = _order(call)
    live = [invoice for invoice in _invoices(call.org, order) if invoice["status"] != "void"]
    if live and call.switches.void_with_invoice_refused:
        raise errors.has_children("sales order")
    if packages.of_order(call.org, order["salesorder_id"]) and call.switches.void_with_package_refused:
        raise errors.has_children("sales order")
    order["status"] = order["order_status"] = order["current_sub_status"] = "void"
    stock.settle_order(call.org, order)
    touch(call.org, call.table("salesorders"), order["salesorder_id"])
    return Answer("Sales order status has been changed to Void.", {"data": {}})


_ROW = (
    "salesorder_id", "salesorder_number", "customer_id", "customer_name", "email", "reference_number", "date",
    "shipment_date", "status", "order_status", "current_sub_status", "currency_id", "currency_code", "total",
    "bcy_total", "sub_total", "created_time", "last_modified_time", "is_emailed", "is_drop_shipment",
    "is_backorder", "sales_channel", "custom_fields", "custom_field_hash",
)  # fmt: skip


def _list_row(call: Call, order: Row) -> Row:
    sums = {
        name: sum((line[name] for line in order["line_items"]), ZERO)
        for name in ("quantity", "quantity_invoiced", "quantity_packed", "quantity_shipped")
    }
    return {**{name: order[name] for name in _ROW}, **sums, **_statuses(call.org, order)}


_LIST = Listing(
    "salesorders",
    "salesorders",
    "Sales Orders",
    _list_row,
    filters=(
        "salesorder_number",
        "reference_number",
        "customer_id",
        "customer_name",
        "status",
        "date",
        "total",
        "shipment_date",
    ),
    search=("salesorder_number", "reference_number", "customer_name"),
)

ROUTES = [
    *crud(
        "/salesorders",
        "salesorder_id",
        "salesorders",
        create=_create,
        index=_LIST.answer,
        read=_read,
        update=_update,
        delete=_delete,
    ),
    Route("POST", "/salesorders/{salesorder_id}/status/confirmed", "salesorders.CREATE", _confirm),
    Route("POST", "/salesorders/{salesorder_id}/status/void", "salesorders.CREATE", _void),
]
