"""Credit notes: open when made, linked by the query's `invoice_id`, brought to nothing by refunds and by invoices."""

from __future__ import annotations

from decimal import Decimal

from sandbox.zoho import balances, documents, errors, stock
from sandbox.zoho.listing import Listing
from sandbox.zoho.records import born, flag, number, refer, required, rows, text, touch
from sandbox.zoho.routing import Answer, Call, Route, crud
from sandbox.zoho.totals import rounded
from sandbox.zoho.wire import Row, public
from sandbox.zoho.world import Organization

ZERO = Decimal(0)


def _lines(call: Call, body: Row) -> list[Row]:
    lines = documents.read_lines(call, body)
    for line, given in zip(lines, rows(body, "line_items"), strict=True):
        line["line_item_id"] = call.world.new_id()
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
        "salesreturn_id": text(call.query, "salesreturn_id"),
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
    _settle(call.org, note)
    return Answer("The credit note has been created.", {"creditnote": show(call.org, note)}, f"/creditnotes/{note_id}")


def _number(call: Call) -> str:
    given = text(call.body, "creditnote_number", most=100)
    if not given or call.query.get("ignore_auto_number_generation") != "true":
        return call.org.next_number("CN-")
    if call.table("creditnotes").find("creditnote_number", given):
        raise errors.invented(21, f'A credit note with the number "{given}" already exists.')
    return given


def _refunds(org: Organization, note: Row) -> list[Row]:
    return org.tables["creditnoterefunds"].find("creditnote", note["creditnote_id"])


def _settle(org: Organization, note: Row) -> None:
    """Brings balance, status, stock and the customer's credit to what the note and its refunds say."""
    live = not note["_void"] and not note["_draft"]
    note["total_refunded_amount"] = sum((row["amount"] for row in _refunds(org, note)), ZERO)
    note["balance"] = note["total"] - note["total_refunded_amount"] if live else ZERO
    note["status"] = _status(note)
    stock.settle_credit_note(org, note, live=live)
    balances.move_contact(
        org, note["customer_id"], "unused_credits_receivable_amount", note["balance"] - note["_credit"]
    )
    note["_credit"] = note["balance"]
    touch(org, org.tables["creditnotes"], note["creditnote_id"])


def _status(note: Row) -> str:
    if note["_void"]:
        return "void"
    if note["_draft"]:
        return "draft"
    return "open" if note["balance"] else "closed"


def show(org: Organization, note: Row) -> Row:
    """A credit note in full, with its refunds."""
    orders = {
        order["salesorder_id"]
        for line in note["line_items"]
        for order in org.tables["salesorders"].find("line", line["_order_line"])
    }
    return {
        **public(note),
        "line_items": [public(line) for line in note["line_items"]],
        "salesorder_id": next(iter(orders), ""),
        "creditnote_refunds": [_show_refund(org, row) for row in _refunds(org, note)],
    }


def of_order(org: Organization, order: Row, invoices: list[Row]) -> list[Row]:
    """The credit notes of an order's invoices, as its detail lists them."""
    names = ("creditnote_id", "creditnote_number", "date", "status", "total", "balance", "reference_number")
    found = [note for invoice in invoices for note in org.tables["creditnotes"].find("invoice", invoice["invoice_id"])]
    return [{name: note[name] for name in names} for note in found]


def refunds_of_order(org: Organization, notes: list[Row]) -> list[Row]:
    """The refunds of an order's credit notes, as its detail lists them."""
    return [
        _show_refund(org, row)
        for note in notes
        for row in org.tables["creditnoterefunds"].find("creditnote", note["creditnote_id"])
    ]


def _note(call: Call) -> Row:
    return call.row("creditnotes", "creditnote_id", "Credit Note")


def _read(call: Call) -> Answer:
    return Answer("success", {"creditnote": show(call.org, _note(call))})


def _delete(call: Call) -> Answer:
    note = _note(call)
    if _refunds(call.org, note) and call.switches.delete_with_children_refused:
        raise errors.has_children("credit note")
    note["_void"] = True
    _settle(call.org, note)
    call.table("creditnotes").remove(note["creditnote_id"])
    return Answer("The credit note has been deleted.")


def _mark_void(call: Call) -> Answer:
    note = _note(call)
    if _refunds(call.org, note):
        raise errors.has_children("credit note")
    note["_void"] = True
    _settle(call.org, note)
    return Answer("The credit note has been marked as void.", {"data": {}})


def _mark_open(call: Call) -> Answer:
    note = _note(call)
    if note["_void"]:
        raise errors.wrong_status("credit note", "void")
    note["_draft"] = False
    _settle(call.org, note)
    return Answer("The status of the credit note has been changed to open.", {"data": {}})


def _mark_draft(call: Call) -> Answer:
    note = _note(call)
    if not note["_void"]:
        raise errors.wrong_status("credit note", note["status"])
    note["_void"], note["_draft"] = False, True
    _settle(call.org, note)
    return Answer("The status of the credit note has been changed to draft.", {"data": {}})


def _refund(call: Call) -> Answer:
    """No key of any kind guards against a second one; the balance does."""
    note, body = _note(call), call.body
    required(body, "date", "amount", "from_account_id")
    if note["status"] != "open":
        raise errors.wrong_status("credit note", note["status"])
    amount = rounded(number(body, "amount"), int(note["price_precision"]))
    if amount <= 0 or amount > note["balance"]:
        raise errors.invented(22, "The refund amount is more than the balance of the credit note.")
    account = next(
        (row for row in call.org.settings["accounts"] if row["account_id"] == text(body, "from_account_id")), None
    )
    if account is None:
        raise errors.missing("Account")
    refund = {
        "creditnote_refund_id": call.world.new_id(),
        "creditnote_id": note["creditnote_id"],
        "date": text(body, "date"),
        "refund_mode": text(body, "refund_mode"),
        "reference_number": text(body, "reference_number", most=100),
        "amount": amount,
        "exchange_rate": number(body, "exchange_rate", note["exchange_rate"]),
        "from_account_id": account["account_id"],
        "from_account_name": account["account_name"],
        "description": text(body, "description"),
        **born(call.org),
    }
    call.table("creditnoterefunds").put(refund["creditnote_refund_id"], refund)
    _settle(call.org, note)
    shown = {"creditnote_refund": _show_refund(call.org, refund)}
    place = f"/creditnotes/{note['creditnote_id']}/refunds/{refund['creditnote_refund_id']}"
    return Answer("The refund information for this credit note has been saved.", shown, place)


def _show_refund(org: Organization, refund: Row) -> Row:
    note = org.tables["creditnotes"].get(refund["creditnote_id"]) or {}
    names = ("creditnote_number", "customer_id", "customer_name", "currency_code")
    base = int(org.currency(org.settings["currency_code"])["price_precision"])
    amounts = {
        "amount_fcy": refund["amount"],
        "amount_bcy": rounded(refund["amount"] * refund["exchange_rate"], base),
    }
    return {**public(refund), **{name: note.get(name, "") for name in names}, **amounts}


def show_refund(org: Organization, refund: Row) -> Row:
    """A refund as the ledger tells it."""
    return _show_refund(org, refund)


def _one_refund(call: Call) -> Row:
    refund = call.row("creditnoterefunds", "creditnote_refund_id", "Credit Note refund")
    if refund["creditnote_id"] != _note(call)["creditnote_id"]:
        raise errors.missing("Credit Note refund")
    return refund


def _read_refund(call: Call) -> Answer:
    return Answer("success", {"creditnote_refund": _show_refund(call.org, _one_refund(call))})


def _delete_refund(call: Call) -> Answer:
    refund = _one_refund(call)
    call.table("creditnoterefunds").remove(refund["creditnote_refund_id"])
    _settle(call.org, _note(call))
    return Answer("The refund has been successfully deleted.")


def _own_refunds(call: Call) -> Answer:
    shown = [_show_refund(call.org, row) for row in _refunds(call.org, _note(call))]
    return Answer("success", {"creditnote_refunds": shown})


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
_REFUND_LIST = Listing(
    "creditnoterefunds",
    "creditnote_refunds",
    "Credit Note Refunds",
    lambda call, row: _show_refund(call.org, row),
    filters=("customer_id",),
    search=(),
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
        delete=_delete,
    ),
    Route("POST", f"{_ONE}/void", "creditnotes.CREATE", _mark_void),
    Route("POST", f"{_ONE}/draft", "creditnotes.CREATE", _mark_draft),
    Route("POST", f"{_ONE}/converttoopen", "creditnotes.CREATE", _mark_open),
    Route("GET", "/creditnotes/refunds", "creditnotes.READ", _REFUND_LIST.answer),
    Route("GET", f"{_ONE}/refunds", "creditnotes.READ", _own_refunds),
    Route("POST", f"{_ONE}/refunds", "creditnotes.CREATE", _refund),
    Route("GET", f"{_ONE}/refunds/{{creditnote_refund_id}}", "creditnotes.READ", _read_refund),
    Route("DELETE", f"{_ONE}/refunds/{{creditnote_refund_id}}", "creditnotes.DELETE", _delete_refund),
]
