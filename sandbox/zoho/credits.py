"""What is left of a credit note: its refunds, balance and status, and what orders and sales returns show of it."""

from __future__ import annotations

from decimal import Decimal

from sandbox.zoho import balances, stock
from sandbox.zoho.records import touch
from sandbox.zoho.totals import rounded
from sandbox.zoho.wire import Row, public
from sandbox.zoho.world import Organization

ZERO = Decimal(0)


def refunds_of(org: Organization, note: Row) -> list[Row]:
    """The refunds of a credit note, oldest first."""
    return org.tables["creditnoterefunds"].find("creditnote", note["creditnote_id"])


def settle(org: Organization, note: Row) -> None:
    """Brings balance, status, stock and the customer's credit to what the note and its refunds say."""
    live = not note["_void"] and not note["_draft"]
    note["total_refunded_amount"] = sum((row["amount"] for row in refunds_of(org, note)), ZERO)
    note["balance"] = note["total"] - note["total_refunded_amount"] if live else ZERO
    note["status"] = _status(note)
    stock.settle_credit_note(org, note, live=live)
    balances.move_contact(
        org, note["customer_id"], "unused_credits_receivable_amount", note["balance"] - note["_credit"]
    )
    note["_credit"] = note["balance"]
    touch(org, org.tables["creditnotes"], note["creditnote_id"])
    touch(org, org.tables["salesreturns"], note["salesreturn_id"])


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
        "salesorder_id": next(iter(orders), "") if org.switches.credit_note_tells_order else "",
        "creditnote_refunds": [show_refund(org, row) for row in refunds_of(org, note)],
    }


def show_refund(org: Organization, refund: Row) -> Row:
    """A refund with its note's customer and its amount in both currencies."""
    note = org.tables["creditnotes"].get(refund["creditnote_id"]) or {}
    names = ("creditnote_number", "customer_id", "customer_name", "currency_code")
    base = int(org.currency(org.settings["currency_code"])["price_precision"])
    amounts = {
        "amount_fcy": refund["amount"],
        "amount_bcy": rounded(refund["amount"] * refund["exchange_rate"], base),
    }
    return {**public(refund), **{name: note.get(name, "") for name in names}, **amounts}


def of_order(org: Organization, invoices: list[Row]) -> list[Row]:
    """The credit notes of an order's invoices, as its detail lists them."""
    names = ("creditnote_id", "creditnote_number", "date", "status", "total", "balance", "reference_number")
    found = [note for invoice in invoices for note in org.tables["creditnotes"].find("invoice", invoice["invoice_id"])]
    return [{name: note[name] for name in names} for note in found]


def refunds_of_order(org: Organization, notes: list[Row]) -> list[Row]:
    """The refunds of an order's credit notes, as its detail lists them."""
    return [show_refund(org, row) for note in notes for row in refunds_of(org, note)]


def of_return(org: Organization, return_id: str) -> list[Row]:
    """The credit notes made of a sales return, oldest first."""
    return org.tables["creditnotes"].find("salesreturn", return_id)
