"""Payouts: what is available goes to the bank, arrives, is reconciled, and sometimes comes back.

docs.stripe.com/payouts/reconciliation and docs.stripe.com/api/payouts. Only an automatic payout knows its lines. What
Stripe does not say (when the lines can be listed, what an instant payout costs) are switches.
"""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.stripe.amounts import rounded
from sandbox.stripe.balances import Movement, book
from sandbox.stripe.errors import ApiError
from sandbox.stripe.tables import Doc
from sandbox.stripe.wishes import check_names
from sandbox.stripe.world import World, changed

KINDS = ("automatic", "manual", "instant")
KNOWN = frozenset({"account", "kind", "amount", "pending_too"})
FAILURES = {
    "account_closed": "The bank account has been closed",
    "account_frozen": "The bank account has been frozen",
    "could_not_process": "The bank could not process this payout",
    "debit_not_authorized": "Debit transactions are not approved on the bank account",
    "insufficient_funds": "The Stripe account has insufficient funds to cover the payout",
    "no_account": "The bank account could not be located",
}


def open_payout(world: World, account: str, given: Doc) -> Doc:
    """Makes a payout {kind, amount, pending_too}; tells `payout.created`, later `payout.paid` and the reconciliation.

    An automatic one takes every available row that was not paid out (with `pending_too` also what is not available
    yet) and may be below zero; a manual or instant one takes `amount` off the balance and names no rows.
    """
    check_names(given, KNOWN)
    kind = given.get("kind") or "automatic"
    if kind not in KINDS:
        raise ApiError(f"kind is one of {', '.join(KINDS)}", param="kind")
    rows = list(_open_rows(world, account, bool(given.get("pending_too"))))
    balance = sum(row["net"] for row in rows)
    doc = _made(world, account, kind, _amount(kind, given.get("amount"), balance))
    _book_own(world, doc, kind)
    if kind == "automatic":
        for row in [*rows, world.need("balance_transactions", doc["balance_transaction"], account)]:
            row |= {"_payout": doc["id"], "status": "available"}
            world.table("balance_transactions").save(row)
    world.table("payouts").save(doc)
    world.emit("payout.created", doc)
    arrange(world, doc)
    return doc


def _amount(kind: str, wanted: int | None, balance: int) -> int:
    if kind == "automatic":
        if wanted is not None or balance == 0:
            raise ApiError("An automatic payout takes what there is, and there has to be something", param="amount")
        return balance
    if type(wanted) is not int or not 1 <= wanted <= balance:
        message = "You have insufficient funds in your Stripe account for this transfer."
        raise ApiError(message, code="balance_insufficient", param="amount")
    return wanted


def _open_rows(world: World, account: str, pending_too: bool) -> Iterator[Doc]:
    """The rows that no payout has taken yet, oldest first."""
    now = world.schedule.now()
    for row in world.table("balance_transactions").find(_account=account):
        if row.get("_payout") is None and (pending_too or row["available_on"] <= now):
            yield row


def _made(world: World, account: str, kind: str, amount: int) -> Doc:
    base, switches = world.base("payout", "po_1", account), world.switches
    automatic, now = kind == "automatic", world.schedule.now()
    arrives, reconciled = switches.payout_after, switches.reconciled_after
    return {
        **base,
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": base["created"] + (0 if kind == "instant" else 86400),
        "automatic": automatic,
        "balance_transaction": None,
        "currency": world.account(account)["default_currency"],
        "description": "STRIPE PAYOUT" if automatic else None,
        "destination": None,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "metadata": {},
        "method": "instant" if kind == "instant" else "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "in_progress" if automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "pending",
        "trace_id": {"status": "pending", "value": None},
        "type": "card" if kind == "instant" else "bank_account",
        "_paid_due": None if arrives is None else now + arrives,
        "_reconciled_due": None if reconciled is None or not automatic else now + reconciled,
    }


def _book_own(world: World, doc: Doc, kind: str) -> None:
    """The payout's own row: what leaves the balance, below zero where money goes to the bank."""
    currency = doc["currency"]
    percent = world.switches.percent("instant_fee_percent") if kind == "instant" else 0
    fee = rounded(doc["amount"] * percent / 100, currency) if percent else 0
    what = Movement(-doc["amount"], currency, "payout", "payout", "STRIPE PAYOUT", fee, "Instant payout fee")
    doc["balance_transaction"] = book(world, doc["_account"], doc["id"], what)["id"]


def arrange(world: World, doc: Doc) -> None:
    """Puts what is still to come of a payout on the schedule, also after a restart."""
    if doc["status"] == "pending" and doc["_paid_due"] is not None:
        world.schedule.at(doc["_paid_due"], lambda: _on_time(world, doc["id"], "pay"))
    if doc["reconciliation_status"] == "in_progress" and doc["_reconciled_due"] is not None:
        world.schedule.at(doc["_reconciled_due"], lambda: _on_time(world, doc["id"], "reconcile"))


def _on_time(world: World, payout: str, what: str) -> None:
    doc = world.table("payouts").get(payout)
    if doc is not None and what == "pay" and doc["status"] == "pending":
        pay(world, doc)
    if doc is not None and what == "reconcile" and doc["reconciliation_status"] == "in_progress":
        reconcile(world, doc)
    world.database.commit()


def pay(world: World, doc: Doc) -> Doc:
    """The bank has it; tells `payout.paid`. It can still fail."""
    if doc["status"] != "pending":
        raise _wrong_state(doc, "paid")
    trace = {"status": "supported", "value": doc["id"][-9:]}
    before = changed(doc, {"status": "paid", "trace_id": trace})
    return _tell(world, doc, "payout.paid", before)


def reconcile(world: World, doc: Doc) -> Doc:
    """Stripe knows all its lines; tells `payout.reconciliation_completed`."""
    if doc["reconciliation_status"] != "in_progress":
        raise ApiError(f"Payout {doc['id']} is {doc['reconciliation_status']}: it cannot be reconciled")
    before = changed(doc, {"reconciliation_status": "completed"})
    return _tell(world, doc, "payout.reconciliation_completed", before)


def fail(world: World, doc: Doc, code: str = "account_closed") -> Doc:
    """The bank sent it back, also after it was paid: the money is in the balance again; tells `payout.failed`."""
    if code not in FAILURES:
        raise ApiError(f"Invalid failure code: one of {', '.join(FAILURES)}", param="code")
    if doc["status"] not in ("pending", "paid"):
        raise _wrong_state(doc, "failed")
    what = Movement(doc["amount"], doc["currency"], "payout_failure", "payout_reversal", "STRIPE PAYOUT FAILURE")
    returned = book(world, doc["_account"], doc["id"], what)["id"]
    changes = {"status": "failed", "failure_code": code, "failure_message": FAILURES[code]}
    before = changed(doc, {**changes, "failure_balance_transaction": returned})
    return _tell(world, doc, "payout.failed", before)


def lines(world: World, account: str, params: Doc) -> Iterator[Doc]:
    """The rows of the payout `params` names, newest first, its own with them; ApiError where it has no list."""
    payout = world.need("payouts", params["payout"], account, "payout")
    if not payout["automatic"]:
        message = "Balance transaction history can only be filtered on automatic transfers, not manual."
        raise ApiError(message, param="payout")
    if payout["reconciliation_status"] != "completed" and not world.switches.payout_lists_early:
        message = f"Payout {payout['id']} is not reconciled yet."
        raise ApiError(message, code="payout_reconciliation_not_ready", param="payout")
    wanted = {name: params[name] for name in ("source", "type", "currency") if params.get(name)}
    return world.table("balance_transactions").find(newest_first=True, _payout=payout["id"], **wanted)


def _tell(world: World, doc: Doc, kind: str, before: Doc) -> Doc:
    world.table("payouts").save(doc)
    world.emit(kind, doc, before)
    return doc


def _wrong_state(doc: Doc, what: str) -> ApiError:
    return ApiError(f"Payout {doc['id']} is {doc['status']}: it cannot be {what}")
