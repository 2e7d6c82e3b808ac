"""Refunds of credit notes: money that goes back to the customer from an account."""

from __future__ import annotations

from sandbox.zoho import errors
from sandbox.zoho.credits import refunds_of, settle, show_refund
from sandbox.zoho.listing import Listing
from sandbox.zoho.records import born, number, required, text
from sandbox.zoho.routing import Answer, Call, Route
from sandbox.zoho.totals import rounded
from sandbox.zoho.wire import Row


def _note(call: Call) -> Row:
    return call.row("creditnotes", "creditnote_id", "Credit Note")


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
    settle(call.org, note)
    shown = {"creditnote_refund": show_refund(call.org, refund)}
    place = f"/creditnotes/{note['creditnote_id']}/refunds/{refund['creditnote_refund_id']}"
    return Answer("The refund information for this credit note has been saved.", shown, place)


def _one(call: Call) -> Row:
    refund = call.row("creditnoterefunds", "creditnote_refund_id", "Credit Note refund")
    if refund["creditnote_id"] != _note(call)["creditnote_id"]:
        raise errors.missing("Credit Note refund")
    return refund


def _read(call: Call) -> Answer:
    return Answer("success", {"creditnote_refund": show_refund(call.org, _one(call))})


def _delete(call: Call) -> Answer:
    refund = _one(call)
    call.table("creditnoterefunds").remove(refund["creditnote_refund_id"])
    settle(call.org, _note(call))
    return Answer("The refund has been successfully deleted.")


def _of_note(call: Call) -> Answer:
    shown = [show_refund(call.org, row) for row in refunds_of(call.org, _note(call))]
    return Answer("success", {"creditnote_refunds": shown})


_LIST = Listing(
    "creditnoterefunds",
    "creditnote_refunds",
    "Credit Note Refunds",
    lambda call, row: show_refund(call.org, row),
    filters=("customer_id",),
    search=(),
)
_ALL = "/creditnotes/{creditnote_id}/refunds"
_ONE = f"{_ALL}/{{creditnote_refund_id}}"

ROUTES = [
    Route("GET", "/creditnotes/refunds", "creditnotes.READ", _LIST.answer),
    Route("GET", _ALL, "creditnotes.READ", _of_note),
    Route("POST", _ALL, "creditnotes.CREATE", _refund),
    Route("GET", _ONE, "creditnotes.READ", _read),
    Route("DELETE", _ONE, "creditnotes.DELETE", _delete),
]
