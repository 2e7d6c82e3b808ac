"""Inventory adjustments: signed deltas of their own, on top of whatever documents moved."""

from __future__ import annotations

from decimal import Decimal

from sandbox.zoho import custom_fields, errors, stock
from sandbox.zoho.comments import USER
from sandbox.zoho.listing import Listing
from sandbox.zoho.records import born, number, refer, required, rows, text, touch
from sandbox.zoho.routing import Answer, Call, Route, crud
from sandbox.zoho.wire import Row, public

_KINDS = ("quantity", "value")


def _line(call: Call, given: Row) -> Row:
    item = refer(call, "items", given, "item_id", "Item")
    return {
        "line_item_id": call.world.new_id(),
        "item_id": item["item_id"],
        "name": item["name"],
        "description": text(given, "description"),
        "quantity_adjusted": number(given, "quantity_adjusted"),
        "item_total": Decimal(0),
        "unit": item["unit"],
        "is_combo_product": False,
        "_moved": Decimal(0),
    }


def show(row: Row) -> Row:
    """An adjustment in full."""
    return {**public(row), "line_items": [public(line) for line in row["line_items"]]}


def _create(call: Call) -> Answer:
    body = call.body
    required(body, "date", "reason", "adjustment_type", "line_items")
    kind = text(body, "adjustment_type")
    if kind not in _KINDS:
        raise errors.invalid_value("adjustment_type")
    applied = call.switches.adjustment_applies_at_once or call.query.get("status") == "adjusted"
    row = {
        "inventory_adjustment_id": call.world.new_id(),
        "date": text(body, "date"),
        "reason": text(body, "reason", most=50),
        "reason_id": "",
        "description": text(body, "description"),
        "reference_number": text(body, "reference_number", most=100),
        "adjustment_type": kind,
        "status": "adjusted" if applied else "draft",
        "total": Decimal(0),
        "line_items": [_line(call, given) for given in rows(body, "line_items")],
        **custom_fields.read(call, body, "inventoryadjustment"),
        **born(call.org),
    }
    if call.switches.adjustment_tells_maker:
        row["created_by_name"] = USER
    stock.settle_adjustment(call.org, row, applied=applied)
    call.table("inventoryadjustments").put(row["inventory_adjustment_id"], row)
    return Answer(
        "Inventory Adjustment has been added.",
        {"inventory_adjustment": show(row)},
        f"/inventoryadjustments/{row['inventory_adjustment_id']}",
    )


def _row(call: Call) -> Row:
    return call.row("inventoryadjustments", "inventory_adjustment_id", "Inventory Adjustment")


def _read(call: Call) -> Answer:
    return Answer("success", {"inventory_adjustment": show(_row(call))})


def _update(call: Call) -> Answer:
    row, body = _row(call), call.body
    applied = row["status"] == "adjusted"
    changed: Row = {name: text(body, name, row[name]) for name in ("date", "reason", "description", "reference_number")}
    changed |= custom_fields.read(call, body, "inventoryadjustment", row)
    if "line_items" in body:
        lines = [_line(call, given) for given in rows(body, "line_items")]
        stock.settle_adjustment(call.org, row, applied=False)
        changed["line_items"] = lines
    row.update(changed)
    stock.settle_adjustment(call.org, row, applied=applied)
    touch(call.org, call.table("inventoryadjustments"), row["inventory_adjustment_id"])
    return Answer("Inventory Adjustment has been updated.", {"inventory_adjustment": show(row)})


def _approve(call: Call) -> Answer:
    row = _row(call)
    row["status"] = "adjusted"
    stock.settle_adjustment(call.org, row, applied=True)
    touch(call.org, call.table("inventoryadjustments"), row["inventory_adjustment_id"])
    return Answer("The inventory adjustment has been approved.")


def _delete(call: Call) -> Answer:
    row = _row(call)
    stock.settle_adjustment(call.org, row, applied=False)
    call.table("inventoryadjustments").remove(row["inventory_adjustment_id"])
    return Answer("The inventory adjustment has been deleted.")


def _list_row(call: Call, row: Row) -> Row:
    return {name: value for name, value in public(row).items() if name != "line_items"}


_LIST = Listing(
    "inventoryadjustments",
    "inventory_adjustments",
    "Inventory Adjustments",
    _list_row,
    filters=("reference_number", "date", "reason", "status"),
    search=("reason", "reference_number"),
)

ROUTES = [
    *crud(
        "/inventoryadjustments",
        "inventory_adjustment_id",
        "inventoryadjustments",
        create=_create,
        index=_LIST.answer,
        read=_read,
        update=_update,
        delete=_delete,
    ),
    Route(
        "POST",
        "/inventoryadjustments/{inventory_adjustment_id}/approve",
        "inventoryadjustments.UPDATE",
        _approve,
    ),
]
