"""Invoices: made as drafts, linked to an order line by line; sending one takes its goods out of accounting stock."""

from __future__ import annotations

from decimal import Decimal

from sandbox.zoho import balances, documents, errors, payments, stock
from sandbox.zoho.listing import Listing
from sandbox.zoho.records import born, refer, required, rows, text
from sandbox.zoho.routing import Answer, Call, Route, crud
from sandbox.zoho.wire import Row, public
from sandbox.zoho.world import Organization

ZERO = Decimal(0)


def _lines(call: Call, body: Row, customer_id: str) -> list[Row]:
    lines = documents.read_lines(call, body)
    for line, given in zip(lines, rows(body, "line_items"), strict=True):
        line["line_item_id"] = call.world.new_id()
        line["salesorder_item_id"] = text(given, "salesorder_item_id")
        line["_order"] = _linked(call, line, customer_id) if line["salesorder_item_id"] else ""
        line["_moved"] = line["_invoiced"] = line["_delivered"] = ZERO
    return lines


def _linked(call: Call, line: Row, customer_id: str) -> str:
    """The id of the order that the line is linked to; refuses an order that cannot be invoiced."""
    found = call.table("salesorders").find("line", line["salesorder_item_id"])
    if not found or found[0]["customer_id"] != customer_id:
        raise errors.missing("Sales Order line item")
    order = found[0]
    open_states = ("confirmed", "draft") if call.switches.draft_order_invoiceable else ("confirmed",)
    if order["order_status"] not in open_states:
        raise errors.draft_order()
    for target in order["line_items"]:
        if target["line_item_id"] == line["salesorder_item_id"]:
            left = target["quantity"] - target["quantity_invoiced"]
            if line["quantity"] > left and call.switches.overinvoicing_refused:
                raise errors.overinvoiced()
    return str(order["salesorder_id"])


def _orders(lines: list[Row]) -> list[str]:
    return list(dict.fromkeys(line["_order"] for line in lines if line["_order"]))


def make(call: Call, body: Row, *, sent: bool) -> Row:
    """Makes an invoice of `body`, as a draft or already sent, and returns its row."""
    lines = _lines(call, body, text(body, "customer_id"))
    document = documents.fill(call, body, "invoice", None, lines)
    invoice_id = call.world.new_id()
    invoice = {
        "invoice_id": invoice_id,
        "invoice_number": _number(call, body),
        "payment_terms": 0,
        "payment_terms_label": "Due on Receipt",
        "due_date": text(body, "due_date") or document["date"],
        "payment_expected_date": "",
        "last_payment_date": "",
        "credits_applied": ZERO,
        "tax_amount_withheld": ZERO,
        "write_off_amount": ZERO,
        "payment_reminder_enabled": True,
        "allow_partial_payments": False,
        "reminders_sent": 0,
        "recurring_invoice_id": "",
        "is_viewed_by_client": False,
        "has_attachment": False,
        "client_viewed_time": "",
        "invoice_url": "",
        **document,
        **born(call.org),
        "_orders": _orders(lines),
        "_sent": False,
        "_void": False,
        "_owed": ZERO,
    }
    if sent:
        stock.check_invoice(call.org, invoice)
        invoice["_sent"] = True
    call.table("invoices").put(invoice_id, invoice)
    _settle(call.org, invoice)
    return invoice


def _number(call: Call, body: Row) -> str:
    given = text(body, "invoice_number", most=100)
    if not given or call.query.get("ignore_auto_number_generation") != "true":
        return call.org.next_number("INV-")
    if call.table("invoices").find("invoice_number", given):
        raise errors.invented(15, f'An invoice with the number "{given}" already exists.')
    return given


def _settle(org: Organization, invoice: Row) -> None:
    stock.settle_invoice_and_orders(org, invoice)
    balances.refresh_invoice(org, invoice)


def invoice_order(call: Call, order: Row, *, sent: bool) -> Row:
    """Makes an invoice of all that is left to be invoiced of an order."""
    lines = []
    for line in order["line_items"]:
        left = line["quantity"] - line["quantity_invoiced"]
        if left > 0:
            names = ("item_id", "name", "description", "rate", "unit", "discount", "tax_id")
            copied = {name: line[name] for name in names}
            lines.append({**copied, "quantity": left, "salesorder_item_id": line["line_item_id"]})
    if not lines:
        raise errors.overinvoiced()
    kept = (
        "customer_id", "is_inclusive_tax", "discount_type", "discount", "is_discount_before_tax", "shipping_charge",
        "adjustment", "exchange_rate", "reference_number", "billing_address_id", "shipping_address_id",
    )  # fmt: skip
    return make(call, {**{name: order[name] for name in kept}, "line_items": lines}, sent=sent)


def pay_in_full(call: Call, invoice: Row) -> None:
    """Records the payment of a whole invoice, as the organisation's sales order cycle does."""
    if not invoice["balance"]:
        return
    target = {"invoice_id": invoice["invoice_id"], "amount_applied": invoice["balance"]}
    payments.record(
        call,
        {
            "customer_id": invoice["customer_id"],
            "payment_mode": "cash",
            "amount": invoice["balance"],
            "exchange_rate": invoice["exchange_rate"],
            "invoices": [target],
        },
    )


def show(org: Organization, invoice: Row) -> Row:
    """An invoice in full: lines with the present stock of their items, its orders and payments."""
    lines = []
    for line in invoice["line_items"]:
        item = org.tables["items"].get(line["item_id"])
        lines.append({**public(line), **(stock.fields(org, item) if item else {})})
    shown = {"payments": balances.payments_of(org, invoice)} if org.switches.invoice_shows_payments else {}
    orders = [order for order in map(org.tables["salesorders"].get, invoice["_orders"]) if order]
    return {
        **public(invoice),
        "line_items": lines,
        **shown,
        "salesorder_id": orders[0]["salesorder_id"] if orders else "",
        "salesorder_number": orders[0]["salesorder_number"] if orders else "",
    }


def _created(call: Call, invoice: Row) -> Answer:
    return Answer(
        "The invoice has been created.",
        {"invoice": show(call.org, invoice)},
        f"/invoices/{invoice['invoice_id']}",
    )


def _create(call: Call) -> Answer:
    required(call.body, "customer_id", "line_items")
    return _created(call, make(call, call.body, sent=call.query.get("send") == "true"))


def _create_from_order(call: Call) -> Answer:
    order = refer(call, "salesorders", dict(call.query), "salesorder_id", "Sales Order")
    return _created(call, invoice_order(call, order, sent=False))


def _invoice(call: Call) -> Row:
    return call.row("invoices", "invoice_id", "Invoice")


def _read(call: Call) -> Answer:
    return Answer("success", {"invoice": show(call.org, _invoice(call))})


def _payments(call: Call) -> Answer:
    return Answer("success", {"payments": balances.payments_of(call.org, _invoice(call))})


def _update(call: Call) -> Answer:
    invoice = _invoice(call)
    if invoice["_void"]:
        raise errors.wrong_status("invoice", "void")
    body = call.body if "line_items" in call.body else {**call.body, "line_items": _as_given(invoice)}
    lines = _lines(call, body, invoice["customer_id"])
    document = documents.fill(call, body, "invoice", invoice, lines)
    if document["total"] < invoice["payment_made"]:
        raise errors.overpaid()
    _take_back(call.org, invoice)
    invoice.update(document | {"_orders": _orders(lines)})
    if call.body.get("due_date"):
        invoice["due_date"] = text(call.body, "due_date")
    _settle(call.org, invoice)
    return Answer("Invoice information has been updated.", {"invoice": show(call.org, invoice)})


def _as_given(invoice: Row) -> list[Row]:
    names = (
        "item_id",
        "name",
        "description",
        "rate",
        "quantity",
        "unit",
        "discount",
        "tax_id",
        "salesorder_item_id",
    )
    return [{name: line[name] for name in names} for line in invoice["line_items"]]


def _take_back(org: Organization, invoice: Row) -> None:
    stock.settle_invoice_and_orders(org, {**invoice, "_void": True})


def _delete(call: Call) -> Answer:
    invoice = _invoice(call)
    if invoice["payment_made"] and call.switches.delete_with_children_refused:
        raise errors.has_children("invoice")
    _empty(call.org, invoice)
    call.table("invoices").remove(invoice["invoice_id"])
    return Answer("The invoice has been deleted.")


def _empty(org: Organization, invoice: Row) -> None:
    payments.release_invoice(org, invoice)
    invoice["_void"] = True
    _settle(org, invoice)


def _mark_sent(call: Call) -> Answer:
    invoice = _invoice(call)
    if invoice["_void"]:
        raise errors.wrong_status("invoice", "void")
    payments.send(call.org, invoice)
    balances.refresh_invoice(call.org, invoice)
    return Answer("Invoice status has been changed to Sent.", {"data": {}})


def _mark_void(call: Call) -> Answer:
    _empty(call.org, _invoice(call))
    return Answer("Invoice status has been changed to Void.", {"data": {}})


def _mark_draft(call: Call) -> Answer:
    invoice = _invoice(call)
    if not invoice["_void"]:
        raise errors.wrong_status("invoice", invoice["status"])
    invoice["_void"] = invoice["_sent"] = False
    _settle(call.org, invoice)
    return Answer("Status of invoice changed from void to draft.", {"data": {}})


def _write_off(call: Call) -> Answer:
    """Gives up all that the invoice still wants."""
    invoice = _invoice(call)
    if not invoice["_sent"] or invoice["_void"] or invoice["balance"] <= 0:
        raise errors.wrong_status("invoice", invoice["status"])
    invoice["write_off_amount"] += invoice["balance"]
    balances.refresh_invoice(call.org, invoice)
    return Answer("Invoice has been written off.")


def _cancel_write_off(call: Call) -> Answer:
    invoice = _invoice(call)
    if invoice["_void"] or not invoice["write_off_amount"]:
        raise errors.wrong_status("invoice", invoice["status"])
    invoice["write_off_amount"] = ZERO
    balances.refresh_invoice(call.org, invoice)
    return Answer("The writeoff done for this invoice has been cancelled.")


_ROW = (
    "invoice_id", "invoice_number", "customer_id", "customer_name", "email", "reference_number", "date", "due_date",
    "status", "currency_id", "currency_code", "total", "balance", "created_time", "last_modified_time",
    "is_emailed", "is_viewed_by_client", "has_attachment", "client_viewed_time", "payment_expected_date",
    "last_payment_date", "shipping_charge", "adjustment", "write_off_amount", "exchange_rate", "location_id",
    "location_name", "salesperson_id", "salesperson_name", "custom_fields", "custom_field_hash",
)  # fmt: skip


def _list_row(call: Call, invoice: Row) -> Row:
    return {name: invoice[name] for name in _ROW}


_LIST = Listing(
    "invoices",
    "invoices",
    "Invoices",
    _list_row,
    filters=(
        "invoice_number", "reference_number", "customer_id", "customer_name", "email", "status", "date", "due_date",
        "total", "balance",
    ),
    search=("invoice_number", "reference_number", "customer_name"),
)  # fmt: skip

ROUTES = [
    *crud(
        "/invoices",
        "invoice_id",
        "invoices",
        create=_create,
        index=_LIST.answer,
        read=_read,
        update=_update,
        delete=_delete,
    ),
    Route("POST", "/invoices/fromsalesorder", "invoices.CREATE", _create_from_order),
    Route("POST", "/invoices/{invoice_id}/status/sent", "invoices.CREATE", _mark_sent),
    Route("POST", "/invoices/{invoice_id}/status/void", "invoices.CREATE", _mark_void),
    Route("POST", "/invoices/{invoice_id}/status/draft", "invoices.CREATE", _mark_draft),
    Route("POST", "/invoices/{invoice_id}/writeoff", "invoices.CREATE", _write_off),
    Route("POST", "/invoices/{invoice_id}/writeoff/cancel", "invoices.CREATE", _cancel_write_off),
    Route("GET", "/invoices/{invoice_id}/payments", "invoices.READ", _payments),
]
