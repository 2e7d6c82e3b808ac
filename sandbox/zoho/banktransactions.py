"""Bank transactions of Zoho Books: transfers of funds between two accounts. No key guards against a second one."""

from __future__ import annotations

from decimal import Decimal

from sandbox.zoho import errors
from sandbox.zoho.chart import FUNDS, account_named
from sandbox.zoho.documents import exchange_rate
from sandbox.zoho.listing import Listing
from sandbox.zoho.records import number, required, text, unshown_times
from sandbox.zoho.routing import BOOKS, Answer, Call, crud
from sandbox.zoho.totals import rounded
from sandbox.zoho.wire import Row, public

TRANSFER = "transfer_fund"


def _currency(call: Call) -> Row:
    wanted = text(call.body, "currency_id")
    if not wanted:
        return call.org.currency(call.org.settings["currency_code"])
    row = call.table("currencies").get(wanted)
    if row is None:
        raise errors.missing("Currency")
    return row


def _end(call: Call, name: str) -> Row:
    account = account_named(call.org, text(call.body, name))
    if account.get("account_type") not in FUNDS and not call.switches.transfer_takes_any_account:
        raise errors.not_a_fund(account["account_name"])
    return account


def _create(call: Call) -> Answer:
    body = call.body
    required(body, "transaction_type", "amount")
    if text(body, "transaction_type") != TRANSFER:
        raise errors.invalid_value("transaction_type")  # the sandbox has no use for the others
    required(body, "from_account_id", "to_account_id")
    source, target, currency = _end(call, "from_account_id"), _end(call, "to_account_id"), _currency(call)
    amount = rounded(number(body, "amount"), int(currency["price_precision"]))
    if amount <= 0 or source["account_id"] == target["account_id"]:
        raise errors.invalid_value("amount" if amount <= 0 else "to_account_id")
    row = {
        "transaction_id": call.world.new_id(),
        "transaction_type": TRANSFER,
        "from_account_id": source["account_id"],
        "from_account_name": source["account_name"],
        "to_account_id": target["account_id"],
        "to_account_name": target["account_name"],
        "amount": amount,
        "bank_charges": rounded(number(body, "bank_charges"), int(currency["price_precision"])),
        "date": text(body, "date") or call.org.today(),
        "reference_number": text(body, "reference_number", most=100),
        "description": text(body, "description", most=500),
        "status": "manually_added",
        "exchange_rate": exchange_rate(call, body, currency),
        "currency_id": currency["currency_id"],
        "currency_code": currency["currency_code"],
        **unshown_times(call.org),
    }
    call.table("banktransactions").put(row["transaction_id"], row)
    return Answer(
        "The transaction has been created.",
        {"banktransaction": _show(row)},
        f"/banktransactions/{row['transaction_id']}",
    )


def _show(row: Row) -> Row:
    return {**public(row), "sub_total": row["amount"], "total": row["amount"], "customer_id": "", "vendor_id": ""}


def _one(call: Call) -> Row:
    return call.row("banktransactions", "bank_transaction_id", "Transaction")


def _read(call: Call) -> Answer:
    return Answer("success", {"banktransaction": _show(_one(call))})


def _delete(call: Call) -> Answer:
    call.table("banktransactions").remove(_one(call)["transaction_id"])
    return Answer("The transaction has been deleted.")


def _list_row(call: Call, row: Row) -> Row:
    """As it is seen from the account that the money left."""
    shown = ("transaction_id", "date", "amount", "transaction_type", "status", "reference_number", "description")
    return {
        **{name: row[name] for name in shown},
        **{name: row[name] for name in ("currency_id", "currency_code")},
        "account_id": row["from_account_id"],
        "account_name": row["from_account_name"],
        "offset_account_name": row["to_account_name"],
        "debit_or_credit": "credit",
        "source": "manually_added",
    }


_LIST = Listing(
    "banktransactions",
    "banktransactions",
    "Bank Transactions",
    _list_row,
    filters=("reference_number", "date", "amount", "transaction_type", "status"),
    search=("description",),
)


def _index(call: Call) -> Answer:
    answer = _LIST.answer(call)
    if call.switches.transfers_listed == "twice":
        seen = answer.fields["banktransactions"]
        answer.fields["banktransactions"] = [side for row in seen for side in (row, _other_side(call, row))]
    return answer


def _other_side(call: Call, row: Row) -> Row:
    whole = call.table("banktransactions").get(row["transaction_id"]) or {}
    return {
        **row,
        "account_id": whole["to_account_id"],
        "account_name": whole["to_account_name"],
        "offset_account_name": whole["from_account_name"],
        "debit_or_credit": "debit",
    }


def moved(row: Row) -> list[tuple[str, str, Decimal]]:
    """Account, currency and amount of what a transfer put there, below zero where it took it."""
    code = row["currency_code"]
    return [(row["from_account_name"], code, -row["amount"]), (row["to_account_name"], code, row["amount"])]


ROUTES = crud(
    "/banktransactions",
    "bank_transaction_id",
    "banking",
    family=BOOKS,
    create=_create,
    index=_index,
    read=_read,
    delete=_delete,
)
