"""What became of a sales return: received, credited and refunded; and what that makes of its order."""

from __future__ import annotations

from decimal import Decimal

from sandbox.zoho import comments, credits, errors
from sandbox.zoho.records import touch
from sandbox.zoho.wire import Row, public
from sandbox.zoho.world import Organization

ZERO = Decimal(0)


def receives_of(org: Organization, back: Row) -> list[Row]:
    """The receives of a sales return, oldest first."""
    return org.tables["salesreturnreceives"].find("salesreturn", back["salesreturn_id"])


def line_of(org: Organization, line_id: str) -> tuple[Row, Row] | None:
    """The sales return and its line of that id."""
    for back in org.tables["salesreturns"].find("line", line_id):
        for line in back["line_items"]:
            if line["line_item_id"] == line_id:
                return back, line
    return None


def received(org: Organization, back: Row, line_id: str) -> Decimal:
    """How much of a return's line has been received."""
    lines = [line for receive in receives_of(org, back) for line in receive["line_items"]]
    return sum((line["quantity"] for line in lines if line["line_item_id"] == line_id), ZERO)


def credited(org: Organization, back: Row, line_id: str, *, restocked: bool | None = None, but: str = "") -> Decimal:
    """How much of a return's line is in credit notes, drafts too: all, or what does or does not return to stock.

    The credit note `but` does not count.
    """
    found = credits.of_return(org, back["salesreturn_id"])
    notes = [note for note in found if not note["_void"] and note["creditnote_id"] != but]
    lines = [line for note in notes for line in note["line_items"] if line["salesreturn_item_id"] == line_id]
    return sum((line["quantity"] for line in lines if restocked in (None, line["is_returned_to_stock"])), ZERO)


def units(line: Row) -> Decimal:
    """All units of a return's line, receivable or not."""
    return Decimal(line["quantity"] + line["non_receive_quantity"])


def units_returned(org: Organization, order_id: str, order_line_id: str, but: str = "") -> Decimal:
    """How many units of an order's line are in returns other than `but`; a declined return has none."""
    return sum(
        (
            units(line)
            for back in org.tables["salesreturns"].find("order", order_id)
            if back["salesreturn_id"] != but and back["salesreturn_status"] != "declined"
            for line in back["line_items"]
            if line["salesorder_item_id"] == order_line_id
        ),
        ZERO,
    )


def settle(org: Organization, back: Row) -> None:
    """Notes the time of a change, and tells the order's lines how much of them is returned."""
    touch(org, org.tables["salesreturns"], back["salesreturn_id"])
    orders = org.tables["salesorders"]
    order = orders.get(back["salesorder_id"])
    if order is not None:
        for line in order["line_items"]:
            line["quantity_returned"] = _returned(org, order["salesorder_id"], line["line_item_id"])
        orders.save(order["salesorder_id"])


def _returned(org: Organization, order_id: str, line_id: str) -> Decimal:
    if org.switches.returned_counts_from == "return":
        return units_returned(org, order_id, line_id)
    return sum(
        (
            received(org, back, line["line_item_id"])
            for back in org.tables["salesreturns"].find("order", order_id)
            for line in back["line_items"]
            if line["salesorder_item_id"] == line_id
        ),
        ZERO,
    )


def _receive_status(org: Organization, back: Row) -> str:
    """ "" for a return of credit-only units."""
    due = sum((line["quantity"] for line in back["line_items"]), ZERO)
    came = sum((received(org, back, line["line_item_id"]) for line in back["line_items"]), ZERO)
    if not due:
        return ""
    return "received" if came >= due else "partially_received" if came else "not_received"


def _live(org: Organization, back: Row) -> list[Row]:
    found = credits.of_return(org, back["salesreturn_id"])
    return [note for note in found if not note["_void"] and not note["_draft"]]


def refunded_amount(org: Organization, back: Row) -> Decimal:
    """What the customer got back for a return, by the switch `refund_status_follows`."""
    field = "total_refunded_amount" if org.switches.refund_status_follows == "refunds" else "total"
    return sum((note[field] for note in _live(org, back)), ZERO)


def _refund_status(org: Organization, back: Row) -> str:
    notes, amount = _live(org, back), refunded_amount(org, back)
    if not amount:
        return "not_refunded"
    # A note that is linked by the query alone says nothing of lines: it is taken to be for the whole return.
    whole = any(not line["salesreturn_item_id"] for note in notes for line in note["line_items"]) or all(
        credited(org, back, line["line_item_id"]) >= units(line) for line in back["line_items"]
    )
    paid = amount >= sum((note["total"] for note in notes), ZERO)
    return "refunded" if whole and paid else "partially_refunded"


def check_open(org: Organization, back: Row) -> None:
    """Refuses to receive or credit a return that is declined, or still a draft."""
    status = back["salesreturn_status"]
    if status == "declined" or (status == "draft" and not org.switches.draft_return_usable):
        raise errors.wrong_status("sales return", status)


def statuses(org: Organization, back: Row) -> Row:
    """The three statuses of a return."""
    receive, refund, status = _receive_status(org, back), _refund_status(org, back), back["salesreturn_status"]
    done = status == "approved" and receive in ("", "received") and refund == "refunded"
    return {
        "salesreturn_status": "closed" if done and org.switches.return_closes else status,
        "receive_status": receive,
        "refund_status": refund,
    }


def show(org: Organization, back: Row) -> Row:
    """A return in full, with its receives and its credit notes."""
    names = ("creditnote_id", "creditnote_number", "status", "date", "total")
    return {
        **public(back),
        **statuses(org, back),
        "line_items": [_show_line(org, back, line) for line in back["line_items"]],
        "comments": [comments.line(org, "system", "Added", back["_born_as"])],
        "salesreturnreceives": [show_receive(receive, inner=True) for receive in receives_of(org, back)],
        "creditnotes": [
            {name: note[name] for name in names} for note in credits.of_return(org, back["salesreturn_id"])
        ],
    }


def _show_line(org: Organization, back: Row, line: Row) -> Row:
    quantities = {
        "quantity_received": received(org, back, line["line_item_id"]),
        "quantity_credited": credited(org, back, line["line_item_id"]),
    }
    return {**public(line), **quantities}


def show_receive(receive: Row, *, inner: bool = False) -> Row:
    """A receive for itself, or as its return shows it."""
    outer = ("salesreturn_id", "salesreturn_number", "created_time", "last_modified_time")
    shown = {name: value for name, value in public(receive).items() if not (inner and name in outer)}
    return {**shown, "line_items": [public(line) for line in receive["line_items"]]}


_ROW = (
    "salesreturn_id", "salesreturn_number", "date", "salesorder_id", "salesorder_number", "customer_id",
    "customer_name", "reference_number", "custom_fields", "custom_field_hash", "created_time", "last_modified_time",
)  # fmt: skip


def list_row(org: Organization, back: Row) -> Row:
    """A return as the list shows it."""
    return {
        **{name: back[name] for name in _ROW},
        **statuses(org, back),
        "quantity": sum((units(line) for line in back["line_items"]), ZERO),
        "refunded_amount": refunded_amount(org, back),
    }


def of_order(org: Organization, order_id: str) -> list[Row]:
    """The returns of an order as its detail lists them."""
    names = (
        "salesreturn_id", "salesreturn_number", "date", "salesreturn_status", "receive_status", "refund_status",
        "quantity", "reference_number",
    )  # fmt: skip
    rows = [list_row(org, back) for back in org.tables["salesreturns"].find("order", order_id)]
    return [{name: row[name] for name in names} for row in rows]
