"""Sales returns: shipped units that are to come back; a return alone moves no stock and no money."""

from __future__ import annotations

from decimal import Decimal

from sandbox.zoho import credits, custom_fields, errors, returned
from sandbox.zoho.listing import Listing
from sandbox.zoho.records import born, number, refer, required, rows, text
from sandbox.zoho.routing import Answer, Call, crud
from sandbox.zoho.wire import Row
from sandbox.zoho.world import Organization

ZERO = Decimal(0)
DECISIONS = ("approved", "declined")


def _line(call: Call, order: Row, given: Row, but: str) -> Row:
    targets = {line["line_item_id"]: line for line in order["line_items"]}
    target = targets.get(text(given, "salesorder_item_id"))
    if target is None or text(given, "item_id", target["item_id"]) != target["item_id"]:
        raise errors.missing("Sales Order line item")
    item = call.table("items").get(target["item_id"])
    if item is None or not item["is_returnable"]:
        raise errors.not_returnable(target["name"])
    quantity, credit_only = number(given, "quantity"), number(given, "non_receive_quantity")
    if quantity < 0 or credit_only < 0 or not quantity + credit_only:
        raise errors.invalid_value("quantity")
    already = returned.units_returned(call.org, order["salesorder_id"], target["line_item_id"], but)
    if quantity + credit_only > target["quantity_shipped"] - already:
        raise errors.overreturned()
    return {
        "line_item_id": call.world.new_id(),
        "salesorder_item_id": target["line_item_id"],
        **{name: target[name] for name in ("item_id", "name", "description", "unit", "rate")},
        "quantity": quantity,
        "non_receive_quantity": credit_only,
        "is_combo_product": False,
        "location_id": call.org.settings["location_id"],
        "location_name": call.org.settings["name"],
    }


def _lines(call: Call, order: Row, but: str = "") -> list[Row]:
    given = rows(call.body, "line_items")
    named = [text(line, "salesorder_item_id") for line in given]
    if len(set(named)) < len(named):
        raise errors.invalid_value("salesorder_item_id")
    return [_line(call, order, line, but) for line in given]


def _number(call: Call) -> str:
    given = text(call.body, "salesreturn_number", most=100)
    taken = given and call.table("salesreturns").find("salesreturn_number", given)
    if taken and call.switches.return_number_unique:
        raise errors.return_number_taken()
    return given or call.org.next_number("RMA-")


def _reference(call: Call) -> str:
    given = text(call.body, "reference_number", most=100)
    return given if call.switches.return_takes_reference else ""


def _create(call: Call) -> Answer:
    order = refer(call, "salesorders", dict(call.query), "salesorder_id", "Sales Order")
    required(call.body, "line_items")
    if order["order_status"] != "confirmed":
        raise errors.wrong_status("sales order", order["order_status"])
    return_id = call.world.new_id()
    back = {
        "salesreturn_id": return_id,
        "line_items": _lines(call, order),
        "salesreturn_number": _number(call),
        "date": text(call.body, "date") or call.org.today(),
        "reason": text(call.body, "reason"),
        "reference_number": _reference(call),
        "salesreturn_status": call.switches.new_return_status,
        "salesorder_id": order["salesorder_id"],
        "salesorder_number": order["salesorder_number"],
        "customer_id": order["customer_id"],
        "customer_name": order["customer_name"],
        "location_id": call.org.settings["location_id"],
        "location_name": call.org.settings["name"],
        **custom_fields.read(call, call.body, "salesreturn"),
        **born(call.org),
        "_born_as": call.world.new_id(),
    }
    call.table("salesreturns").put(return_id, back)
    returned.settle(call.org, back)
    return Answer("Return created successfully", _envelope(call, back), f"/salesreturns/{return_id}")


def _envelope(call: Call, back: Row) -> Row:
    return {"salesreturn": returned.show(call.org, back)}


def _return(call: Call) -> Row:
    return call.row("salesreturns", "salesreturn_id", "Sales Return")


def _read(call: Call) -> Answer:
    return Answer("success", _envelope(call, _return(call)))


def _update(call: Call) -> Answer:
    back, body = _return(call), call.body
    if call.switches.partial_update_refused:
        required(body, "line_items")
    changes: Row = {name: text(body, name) for name in ("date", "reason") if name in body}
    changes |= custom_fields.read(call, body, "salesreturn", back)
    if "reference_number" in body:
        changes["reference_number"] = _reference(call)
    if text(body, "salesreturn_number") not in ("", back["salesreturn_number"]):
        changes["salesreturn_number"] = _number(call)
    if "line_items" in body:
        changes["line_items"] = _changed(call, back)
    back.update(changes)
    returned.settle(call.org, back)
    return Answer("Return updated successfully", _envelope(call, back))


def _changed(call: Call, back: Row) -> list[Row]:
    """The body's lines, each with the id it had; refuses to go below what was received or credited of it."""
    order = call.table("salesorders").get(back["salesorder_id"])
    if order is None:
        raise errors.missing("Sales Order")
    lines = _lines(call, order, back["salesreturn_id"])
    new = {line["salesorder_item_id"]: line for line in lines}
    for line in back["line_items"]:
        kept = new.get(line["salesorder_item_id"])
        if kept is not None:
            kept["line_item_id"] = line["line_item_id"]
        receivable, all_units = (kept["quantity"], returned.units(kept)) if kept else (ZERO, ZERO)
        if returned.received(call.org, back, line["line_item_id"]) > receivable:
            raise errors.has_children("line")
        if returned.credited(call.org, back, line["line_item_id"]) > all_units:
            raise errors.has_children("line")
    return lines


def _delete(call: Call) -> Answer:
    back = _return(call)
    notes = [note for note in credits.of_return(call.org, back["salesreturn_id"]) if not note["_void"]]
    children = returned.receives_of(call.org, back) or notes
    if children and call.switches.delete_with_children_refused:
        raise errors.has_children("sales return")
    call.table("salesreturns").remove(back["salesreturn_id"])
    returned.settle(call.org, back)
    return Answer("The Sales Return has been deleted.")


def decide(org: Organization, return_id: str, status: str) -> Row | None:
    """Approves or declines a return as a person does in the app, for which the API has no operation."""
    back = org.tables["salesreturns"].get(return_id)
    if back is not None:
        back["salesreturn_status"] = status
        returned.settle(org, back)
    return back


_LIST = Listing(
    "salesreturns",
    "salesreturns",
    "Sales Returns",
    lambda call, back: returned.list_row(call.org, back),
    only_pages=True,
)

ROUTES = crud(
    "/salesreturns",
    "salesreturn_id",
    "salesreturns",
    create=_create,
    index=_LIST.answer,
    read=_read,
    update=_update,
    delete=_delete,
)
