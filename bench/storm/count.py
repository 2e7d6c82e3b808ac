"""What came of a storm, counted from the two ledgers alone. Pure: ledgers in, numbers and violations out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cli.ledger_check import Violation
from cli.ledger_facts import Books, Ledger, books_by_reference, succeeded

DOCUMENTS = ("order", "invoice", "payment")


@dataclass(frozen=True)
class Count:
    """Of payments, but for `events`, `acknowledged` (events answered 2xx at least once) and `refused` (attempts).

    A payment is completed when it has an order, a paid invoice and a payment; lost when one of its events was
    acknowledged and it is neither completed nor waits for a person; doubled when it has two of anything.
    """

    payments: int
    events: int
    acknowledged: int
    refused: int
    completed: int
    parked: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]


def count(stripe: Ledger, organizations: Iterable[Ledger], parked: Collection[str]) -> Count:
    """`parked`: the payments that Temporal says wait for a person."""
    books: dict[str, Books] = {}
    for organization in organizations:
        for reference, found in books_by_reference(organization).items():
            known = books.setdefault(reference, Books())
            known.orders += found.orders
            known.invoices += found.invoices
            known.payments += found.payments
    paid = succeeded(stripe)
    heard = acknowledged(stripe)
    told = {payment_of(event) for event in stripe["events"] if event["id"] in heard}
    done = {payment for payment in paid if _complete(books.get(payment, Books()))}
    return Count(
        payments=len(paid),
        events=len({row["event"] for row in stripe["deliveries"]}),
        acknowledged=len(heard),
        refused=sum(not taken(attempt) for row in stripe["deliveries"] for attempt in row["attempts"]),
        completed=len(done),
        parked=len(paid.keys() & set(parked)),
        lost=tuple(sorted((paid.keys() & told) - done - set(parked))),
        doubled=tuple(sorted(reference for reference, found in books.items() if _doubled(found))),
    )


def acknowledged(stripe: Ledger) -> set[str]:
    """The events that were answered 2xx at least once."""
    return {row["event"] for row in stripe["deliveries"] if any(map(taken, row["attempts"]))}


def unheard(stripe: Ledger) -> list[str]:
    """Events that were never acknowledged and that nobody is trying to deliver: Stripe would send them again."""
    heard = acknowledged(stripe)
    trying = {row["event"] for row in stripe["deliveries"] if row["state"] == "pending"}
    return sorted({row["event"] for row in stripe["deliveries"]} - heard - trying)


def all_heard(stripe: Ledger) -> bool:
    """Whether every event was acknowledged and none is under way."""
    return all(row["state"] != "pending" for row in stripe["deliveries"]) and not unheard(stripe)


def taken(attempt: Mapping[str, Any]) -> bool:
    """Whether a delivery's attempt was answered 2xx."""
    return attempt["status"] is not None and 200 <= attempt["status"] < 300


def payment_of(event: Ledger) -> str:
    """The payment that an event is about."""
    shown = event["data"]["object"]
    return str(shown["id"] if shown["object"] == "payment_intent" else shown.get("payment_intent"))


def only(stripe: Ledger, payments: Collection[str]) -> dict[str, Any]:
    """Of Stripe's ledger what `cli.ledger_check` reads, of these payments."""
    return {
        "payment_intents": [row for row in stripe["payment_intents"] if row["id"] in payments],
        "charges": [row for row in stripe["charges"] if (row["payment_intent"] or row["id"]) in payments],
        "balance_transactions": stripe["balance_transactions"],
    }


def fees_missing(stripe: Ledger, organization: Ledger) -> list[Violation]:
    """I3: every payment carries what Stripe kept of it, where that is in its own currency."""
    kept = {row["id"]: row for row in stripe["balance_transactions"]}
    fees = {
        row["payment_intent"] or row["id"]: kept[row["balance_transaction"]]
        for row in stripe["charges"]
        if row["balance_transaction"] in kept
    }
    return [
        Violation(
            "I3", row["reference_number"], f"Stripe kept {fee['fee']} {fee['currency']}, no bank charges are booked"
        )
        for row in organization["payments"]
        if (fee := fees.get(row["reference_number"])) and fee["currency"].upper() == row["currency_code"]
        if fee["fee"] and not Decimal(row["bank_charges"] or 0)
    ]


def contacts_doubled(organization: Ledger) -> list[Violation]:
    """I1, for people: no two contacts of an organisation have the same address for mail."""
    seen = Counter(row["email"] for row in organization["contacts"] if row.get("email"))
    return [
        Violation("I1", email, f"has {times} contacts in Zoho, not one") for email, times in seen.items() if times > 1
    ]


# What the audit trail calls the making of each document of a payment.
STEPS = {"order": "sales_order", "invoice": "invoice", "payment": "customer_payment"}


def trail_differs(organization: Ledger, entries: Sequence[tuple[str, str]]) -> list[Violation]:
    """I10: the trail has one entry for each document that stands, and none for one that does not.

    `entries` are pairs of Stripe id and step.
    """
    written = Counter(entries)
    wrong = [
        Violation("I10", payment, f"has {times} entries of {step} in the audit trail, not one")
        for (payment, step), times in written.items()
        if times > 1
    ]
    books = books_by_reference(organization)
    for payment in books.keys() | {payment for payment, step in written if step in STEPS.values()}:
        found = books.get(payment, Books())
        for name, rows in zip(DOCUMENTS, (found.orders, found.invoices, found.payments), strict=True):
            said = written[(payment, STEPS[name])]
            if said != len(rows):
                wrong.append(Violation("I10", payment, f"has {len(rows)} {name}s and {said} entries about them"))
    return wrong


def _complete(found: Books) -> bool:
    paid = all(row["status"] == "paid" for row in found.invoices)
    return bool(found.orders and found.invoices and found.payments) and paid


def _doubled(found: Books) -> bool:
    return max(len(found.orders), len(found.invoices), len(found.payments)) > 1
