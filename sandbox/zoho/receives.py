"""Receives of sales returns: goods that have come back; they alone put returned goods into physical stock."""

from __future__ import annotations

from decimal import Decimal

from sandbox.zoho import errors, returned, stock
from sandbox.zoho.records import born, number, refer, required, rows, text
from sandbox.zoho.routing import Answer, Call, crud
from sandbox.zoho.wire import Row


def _line(call: Call, back: Row, given: Row) -> Row:
    lines = {line["line_item_id"]: line for line in back["line_items"]}
    target = lines.get(text(given, "line_item_id"))
    if target is None:
        raise errors.missing("Sales Return line item")
    quantity = number(given, "quantity")
    if quantity <= 0:
        raise errors.invalid_value("quantity")
    left = target["quantity"] - returned.received(call.org, back, target["line_item_id"])
    if quantity > left and call.switches.overreceive_refused:
        raise errors.overreceived()
    return {
        **{name: target[name] for name in ("line_item_id", "item_id", "name", "description", "unit")},
        "quantity": quantity,
        "is_combo_product": False,
        "_moved": Decimal(0),
    }


def _lines(call: Call, back: Row) -> list[Row]:
    given = rows(call.body, "line_items")
    named = [text(line, "line_item_id") for line in given]
    if len(set(named)) < len(named):
        raise errors.invalid_value("line_item_id")
    return [_line(call, back, line) for line in given]


def _create(call: Call) -> Answer:
    back = refer(call, "salesreturns", dict(call.query), "salesreturn_id", "Sales Return")
    required(call.body, "line_items")
    returned.check_open(call.org, back)
    receive_id = call.world.new_id()
    receive = {
        "receive_id": receive_id,
        "receive_number": call.org.next_number("PR-"),
        "salesreturn_id": back["salesreturn_id"],
        "salesreturn_number": back["salesreturn_number"],
        "date": text(call.body, "date") or call.org.today(),
        "notes": text(call.body, "notes"),
        "line_items": _lines(call, back),
        **born(call.org),
    }
    stock.settle_receive(call.org, receive, received=True)
    call.table("salesreturnreceives").put(receive_id, receive)
    returned.settle(call.org, back)
    return Answer(
        "Sales Return Receive Created Successfully",
        {"salesreturn": returned.show_receive(receive)},
        f"/salesreturnreceives/{receive_id}",
    )


def _delete(call: Call) -> Answer:
    receive = call.row("salesreturnreceives", "salesreturnreceive_id", "Sales Return Receive")
    stock.settle_receive(call.org, receive, received=False)
    call.table("salesreturnreceives").remove(receive["receive_id"])
    back = call.table("salesreturns").get(receive["salesreturn_id"])
    if back is not None:
        returned.settle(call.org, back)
    return Answer("Sales Return Receive Deleted Successfully.")


ROUTES = crud("/salesreturnreceives", "salesreturnreceive_id", "salesreturnreceives", create=_create, delete=_delete)
