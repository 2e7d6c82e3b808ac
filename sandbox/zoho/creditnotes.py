"""Credit notes: open when made, linked by the query to an invoice or a sales return, brought to nothing by refunds."""

from __future__ import annotations

from decimal import Decimal

from sandbox.zoho import documents, errors, returned, stock
from sandbox.zoho.credits import refunds_of, settle, show
from sandbox.zoho.listing import Listing
from sandbox.zoho.records import born, flag, refer, required, rows, text
from sandbox.zoho.routing import Answer, Call, Route, crud
from sandbox.zoho.wire import Row

ZERO = Decimal(0)


def _lines(call: Call, body: Row, before: Row | None = None) -> list[Row]:
    known = {line["line_item_id"] for line in before["line_items"]} if before else set()
    lines = documents.read_lines(call, body)
    for line, given in zip(lines, rows(body, "line_items"), strict=True):
        if line["line_item_id"] not in known:
            line["line_item_id"] = call.world.new_id()
        if text(given, "salesreturn_item_id"):
            # All of them are documented as needed for a line of a sales return.
            required(given, "invoice_id", "invoice_item_id", "is_item_shipped", "is_returned_to_stock")
        line["invoice_id"] = text(given, "invoice_id")
        line["invoice_item_id"] = text(given, "invoice_item_id")
        line["salesreturn_item_id"] = text(given, "salesreturn_item_id")
        line["is_item_shipped"] = flag(given, "is_item_shipped", True)
        line["is_returned_to_stock"] = flag(given, "is_returned_to_stock", call.switches.credit_note_restocks)
        line["can_skip_stock_tracking"] = line["is_credit_only_item"] = False
        line["_order_line"] = _order_line(call, line)
        line["_returned"] = line["_cancelled"] = ZERO
    return lines


def _order_line(call: Call, line: Row) -> str:
    """The order's line behind the invoice's line that is credited, "" where none is named."""
    if not line["invoice_item_id"]:
        return ""
    invoice = call.table("invoices").get(line["invoice_id"])
    for target in invoice["line_items"] if invoice else ():
        if target["line_item_id"] == line["invoice_item_id"]:
            if line["quantity"] > target["quantity"]:
                raise errors.invented(20, "The quantity credited is more than the quantity invoiced.")
            return str(target["salesorder_item_id"])
    raise errors.missing("Invoice line item")


def _return_of(call: Call, lines: list[Row], named: str, but: str = "") -> str:
    """The id of the sales return that the query names or the lines credit, "" for none.

    Refuses lines that do not fit it, not counting what the note `but` credits.
    """
    found = {named} - {""}
    for line in lines:
        if line["salesreturn_item_id"]:
            found.add(_fits_return(call, line, lines, but))
    if len(found) > 1:
        raise errors.invalid_value("salesreturn_item_id")
    for return_id in found:
        back = call.table("salesreturns").get(return_id)
        if back is None:
            raise errors.missing("Sales Return")
        returned.check_open(call.org, back)
    return next(iter(found), "")


def _fits_return(call: Call, line: Row, lines: list[Row], but: str) -> str:
    name = line["salesreturn_item_id"]
    found = returned.line_of(call.org, name)
    if found is None or found[1]["item_id"] != line["item_id"]:
        raise errors.missing("Sales Return line item")
    back, target = found
    if not line["is_item_shipped"]:
        raise errors.invalid_value("is_item_shipped")
    if line["_order_line"] != target["salesorder_item_id"]:
        raise errors.invalid_value("invoice_item_id")
    kind: bool | None = line["is_returned_to_stock"]
    left = target["quantity"] if kind else target["non_receive_quantity"]
    if not call.switches.return_credit_matches_kind:
        kind, left = None, returned.units(target)
    own = [other for other in lines if other["salesreturn_item_id"] == name]
    asked = sum((o["quantity"] for o in own if kind in (None, o["is_returned_to_stock"])), ZERO)
    if asked > left - returned.credited(call.org, back, name, restocked=kind, but=but) and (
        call.switches.overcredit_refused
    ):
        raise errors.overcredited()
    return str(back["salesreturn_id"])


def _create(call: Call) -> Answer:
    """`invoice_id` of the body is dropped without a word: only the query links."""
    required(call.body, "customer_id", "date", "line_items")
    lines = _lines(call, call.body)
    document = documents.fill(call, call.body, "creditnote", None, lines)
    invoice = refer(call, "invoices", dict(call.query), "invoice_id", "Invoice") if call.query.get("invoice_id") else {}
    note_id = call.world.new_id()
    note = {
        "creditnote_id": note_id,
        "creditnote_number": _number(call),
        "invoice_id": invoice.get("invoice_id", ""),
        "invoice_number": invoice.get("invoice_number", ""),
        "salesreturn_id": _return_of(call, lines, call.query.get("salesreturn_id", "")),
        **document,
        **born(call.org),
        "status": "draft" if flag(call.body, "is_draft", False) else "open",
        "balance": ZERO,
        "total_credits_used": ZERO,
        "total_refunded_amount": ZERO,
        "_draft": flag(call.body, "is_draft", False),
        "_void": False,
        "_credit": ZERO,
    }
    call.table("creditnotes").put(note_id, note)
    settle(call.org, note)
    return Answer("The credit note has been created.", {"creditnote": show(call.org, note)}, f"/creditnotes/{note_id}")


def _number(call: Call) -> str:
    given = text(call.body, "creditnote_number", most=100)
    if not given or call.query.get("ignore_auto_number_generation") != "true":
        return call.org.next_number("CN-")
    if call.table("creditnotes").find("creditnote_number", given):
        raise errors.invented(21, f'A credit note with the number "{given}" already exists.')
    return given


def _note(call: Call) -> Row:
    return call.row("creditnotes", "creditnote_id", "Credit Note")


def _read(call: Call) -> Answer:
    return Answer("success", {"creditnote": show(call.org, _note(call))})


def _update(call: Call) -> Answer:
    note, body = _note(call), call.body
    if note["_void"]:
        raise errors.wrong_status("credit note", "void")
    if call.switches.partial_update_refused:
        required(body, "customer_id", "date", "creditnote_number", "line_items")
    lines = _lines(call, body, note) if "line_items" in body else note["line_items"]
    return_id = note["salesreturn_id"]
    if "line_items" in body:
        return_id = _return_of(call, lines, return_id, note["creditnote_id"])
    number = text(body, "creditnote_number", most=100) or note["creditnote_number"]
    if number != note["creditnote_number"] and call.table("creditnotes").find("creditnote_number", number):
        raise errors.invented(21, f'A credit note with the number "{number}" already exists.')
    document = documents.fill(call, body, "creditnote", note, lines)
    if document["total"] < note["total_refunded_amount"]:
        raise errors.overpaid()
    if lines is not note["line_items"]:
        stock.settle_credit_note(call.org, note, live=False)
    note.update(document | {"creditnote_number": number, "salesreturn_id": return_id})
    settle(call.org, note)
    return Answer("The credit note has been updated.", {"creditnote": show(call.org, note)})


def _delete(call: Call) -> Answer:
    note = _note(call)
    if refunds_of(call.org, note) and call.switches.delete_with_children_refused:
        raise errors.has_children("credit note")
    note["_void"] = True
    settle(call.org, note)
    call.table("creditnotes").remove(note["creditnote_id"])
    return Answer("The credit note has been deleted.")


def _mark_void(call: Call) -> Answer:
    note = _note(call)
    if refunds_of(call.org, note):
        raise errors.has_children("credit note")
    note["_void"] = True
    settle(call.org, note)
    return Answer("The credit note has been marked as void.", {"data": {}})


def _mark_open(call: Call) -> Answer:
    note = _note(call)
    if note["_void"]:
        raise errors.wrong_status("credit note", "void")
    note["_draft"] = False
    settle(call.org, note)
    return Answer("The status of the credit note has been changed to open.", {"data": {}})


def _mark_draft(call: Call) -> Answer:
    note = _note(call)
    if not note["_void"]:
        raise errors.wrong_status("credit note", note["status"])
    _return_of(call, note["line_items"], note["salesreturn_id"], note["creditnote_id"])
    note["_void"], note["_draft"] = False, True
    settle(call.org, note)
    return Answer("The status of the credit note has been changed to draft.", {"data": {}})


_ROW = (
    "creditnote_id", "creditnote_number", "customer_id", "customer_name", "reference_number", "date", "status",
    "currency_id", "currency_code", "total", "balance", "created_time", "last_modified_time", "exchange_rate",
    "salesreturn_id", "custom_fields", "custom_field_hash",
)  # fmt: skip


def _list_row(call: Call, note: Row) -> Row:
    return {name: note[name] for name in _ROW}


_LIST = Listing(
    "creditnotes",
    "creditnotes",
    "Credit Notes",
    _list_row,
    filters=("creditnote_number", "reference_number", "customer_id", "customer_name", "status", "date", "total"),
    search=("creditnote_number", "reference_number", "customer_name"),
)
_ONE = "/creditnotes/{creditnote_id}"

ROUTES = [
    *crud(
        "/creditnotes",
        "creditnote_id",
        "creditnotes",
        create=_create,
        index=_LIST.answer,
        read=_read,
        update=_update,
        delete=_delete,
    ),
    Route("POST", f"{_ONE}/void", "creditnotes.CREATE", _mark_void),
    Route("POST", f"{_ONE}/draft", "creditnotes.CREATE", _mark_draft),
    Route("POST", f"{_ONE}/converttoopen", "creditnotes.CREATE", _mark_open),
]
