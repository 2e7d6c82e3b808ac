"""Journals of Zoho Books: debits and credits that balance. No key of any kind guards against a second one."""

from __future__ import annotations

from decimal import Decimal

from sandbox.zoho import errors
from sandbox.zoho.chart import account_named
from sandbox.zoho.documents import exchange_rate
from sandbox.zoho.listing import Listing
from sandbox.zoho.records import born, number, required, rows, text
from sandbox.zoho.routing import BOOKS, Answer, Call, crud
from sandbox.zoho.totals import rounded
from sandbox.zoho.wire import Row, public

DEBIT, CREDIT = "debit", "credit"
STATUSES = ("draft", "published")


def _line(call: Call, given: Row, precision: int) -> Row:
    account = account_named(call.org, text(given, "account_id"))
    if account.get("account_type") == "bank" and not call.switches.journal_takes_bank:
        raise errors.no_bank_in_journals(account["account_name"])
    side, amount = text(given, "debit_or_credit"), rounded(number(given, "amount"), precision)
    if side not in (DEBIT, CREDIT):
        raise errors.invalid_value("debit_or_credit")
    if amount <= 0:
        raise errors.invalid_value("amount")
    return {
        "line_id": call.world.new_id(),
        "account_id": account["account_id"],
        "account_name": account["account_name"],
        "description": text(given, "description", most=500),
        "debit_or_credit": side,
        "amount": amount,
        "bcy_amount": amount,
        "customer_id": "",
        "tax_id": "",
    }


def _create(call: Call) -> Answer:
    body = call.body
    required(body, "journal_date", "line_items")
    currency = call.org.currency(call.org.settings["currency_code"])
    if text(body, "currency_id") not in ("", currency["currency_id"]):
        raise errors.invalid_value("currency_id")  # what a journal in another one does is nobody's knowledge
    status = text(body, "status") or call.switches.new_journal_status
    if status not in STATUSES:
        raise errors.invalid_value("status")
    lines = [_line(call, given, int(currency["price_precision"])) for given in rows(body, "line_items")]
    debits, credits = (_sum(lines, side) for side in (DEBIT, CREDIT))
    if debits != credits:
        raise errors.unbalanced()
    row = {
        "journal_id": call.world.new_id(),
        "entry_number": call.org.next_number("journal ").removeprefix("journal ").lstrip("0"),
        "journal_date": text(body, "journal_date"),
        "reference_number": text(body, "reference_number", most=100),
        "notes": text(body, "notes", most=2000),
        "journal_type": text(body, "journal_type", "both"),
        "status": status,
        "total": debits,
        "bcy_total": debits,
        "line_item_total": debits,
        "price_precision": currency["price_precision"],
        "exchange_rate": exchange_rate(call, body, currency),
        **{name: currency[name] for name in ("currency_id", "currency_code", "currency_symbol")},
        "line_items": lines,
        **born(call.org),
    }
    call.table("journals").put(row["journal_id"], row)
    return Answer("The journal entry has been created.", {"journal": public(row)}, f"/journals/{row['journal_id']}")


def _sum(lines: list[Row], side: str) -> Decimal:
    return sum((line["amount"] for line in lines if line["debit_or_credit"] == side), Decimal(0))


def _one(call: Call) -> Row:
    return call.row("journals", "journal_id", "Journal")


def _read(call: Call) -> Answer:
    return Answer("success", {"journal": public(_one(call))})


def _delete(call: Call) -> Answer:
    call.table("journals").remove(_one(call)["journal_id"])
    return Answer("The selected journal entry has been deleted.")


_ROW = (
    "journal_id", "journal_date", "entry_number", "reference_number", "currency_id", "notes", "journal_type", "total",
    "bcy_total",
)  # fmt: skip
_LIST = Listing(
    "journals",
    "journals",
    "Manual Journals",
    lambda call, row: {**{name: row[name] for name in _ROW}, "entity_type": "journal"},
    filters=("reference_number", "entry_number", "notes", "total"),
    search=("notes", "reference_number"),
)


def moved(row: Row) -> list[tuple[str, str, Decimal]]:
    """Account, currency and amount of each debit, credits below zero; a draft moves nothing."""
    if row["status"] == "draft":
        return []
    signs = {DEBIT: 1, CREDIT: -1}
    lines = row["line_items"]
    return [(one["account_name"], row["currency_code"], signs[one["debit_or_credit"]] * one["amount"]) for one in lines]


ROUTES = crud(
    "/journals",
    "journal_id",
    "accountants",
    family=BOOKS,
    create=_create,
    index=_LIST.answer,
    read=_read,
    delete=_delete,
)
