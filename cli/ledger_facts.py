"""What Stripe's ledger and Zoho's say, gathered by payment and by item, with a currency table of its own."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Ledger = Mapping[str, Any]

# docs.stripe.com/currencies: how many decimals an amount's minor units stand for, 2 where it is not listed.
_NO_DECIMALS = (
    *("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA"),
    *("PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
)
_THREE_DECIMALS = ("BHD", "JOD", "KWD", "OMR", "TND")
_COUNTED_INVOICES = ("sent", "paid", "partially_paid", "overdue", "viewed", "unpaid")


@dataclass(frozen=True)
class Paid:
    """A payment that Stripe says succeeded: `amount` in major units of the upper-case `currency`."""

    payment_id: str
    amount: Decimal
    currency: str
    created: int


@dataclass
class Books:
    """What one organisation has written under one reference. Void documents are left out."""

    orders: list[Ledger] = field(default_factory=list)
    invoices: list[Ledger] = field(default_factory=list)
    payments: list[Ledger] = field(default_factory=list)


def succeeded(stripe: Ledger) -> dict[str, Paid]:
    """Every payment that brought money, by id: intents, and charges without one."""
    intents = [row for row in stripe["payment_intents"] if row["status"] == "succeeded"]
    charges = [row for row in stripe["charges"] if row["paid"] and row["captured"] and not row["payment_intent"]]
    found = [(row, row["amount_received"]) for row in intents] + [(row, row["amount_captured"]) for row in charges]
    return {
        row["id"]: Paid(row["id"], major(minor, row["currency"]), row["currency"].upper(), row["created"])
        for row, minor in found
        if minor
    }


def major(minor: int, currency: str) -> Decimal:
    """Minor units as an amount."""
    return Decimal(minor).scaleb(-decimals(currency))


def decimals(currency: str) -> int:
    """How many decimals Stripe gives amounts of the currency."""
    code = currency.upper()
    return 0 if code in _NO_DECIMALS else 3 if code in _THREE_DECIMALS else 2


def books_by_reference(organization: Ledger) -> dict[str, Books]:
    """The organisation's documents by their reference number."""
    books: dict[str, Books] = defaultdict(Books)
    for row in organization["salesorders"]:
        if row["status"] != "void":
            books[row["reference_number"]].orders.append(row)
    for row in organization["invoices"]:
        if row["status"] != "void":
            books[row["reference_number"]].invoices.append(row)
    for row in organization["payments"]:
        books[row["reference_number"]].payments.append(row)
    return dict(books)


def voided(organization: Ledger) -> Counter[str]:
    """How many void orders there are under each reference."""
    return Counter(row["reference_number"] for row in organization["salesorders"] if row["status"] == "void")


def fee_due(stripe: Ledger) -> dict[str, tuple[Decimal, str]]:
    """What Stripe kept of each payment, once it says so, and in which currency.

    Zoho's payment takes charges in its own currency only: another one's fee is the payout's, or converted.
    """
    rows = {row["id"]: row for row in stripe["balance_transactions"]}
    kept = {}
    for charge in stripe["charges"]:
        row = rows.get(charge["balance_transaction"])
        if row is not None:
            amount = major(row["fee"], row["currency"])
            kept[charge["payment_intent"] or charge["id"]] = amount, row["currency"].upper()
    return kept


def lost(stripe: Ledger) -> dict[str, list[Ledger]]:
    """The disputes that were lost, by payment: the buyer has that money back."""
    found: dict[str, list[Ledger]] = defaultdict(list)
    for row in stripe.get("disputes", ()):
        if row["status"] == "lost":
            found[row["payment_intent"] or row["charge"]].append(row)
    return dict(found)


def written_off(stripe: Ledger, organization: Ledger) -> dict[str, Decimal]:
    """For each payment what has to be written off of it: what lost disputes took that no credit note gives back."""
    credited = {row["reference_number"] for row in organization.get("creditnotes", ()) if row["status"] != "void"}
    found = {
        payment: sum((major(row["amount"], row["currency"]) for row in rows if row["id"] not in credited), Decimal(0))
        for payment, rows in lost(stripe).items()
    }
    return {payment: amount for payment, amount in found.items() if amount}


def returned(organization: Ledger) -> Counter[str]:
    """The pieces of each item id that credit notes have returned to accounting stock."""
    pieces: Counter[str] = Counter()
    for note in organization.get("creditnotes", ()):
        lines = note["line_items"] if note["status"] not in ("void", "draft") else ()
        pieces.update(pieces_of([line for line in lines if line["is_returned_to_stock"]]))
    return pieces


def shipped(organization: Ledger) -> Counter[str]:
    """The pieces of each item id that have left physical stock in a shipment."""
    pieces: Counter[str] = Counter()
    for row in organization.get("packages", ()):
        if row.get("shipment_order"):
            pieces.update(pieces_of(row["line_items"]))
    return pieces


def received_again(organization: Ledger) -> Counter[str]:
    """The pieces of each item id that came back into physical stock."""
    pieces: Counter[str] = Counter()
    for row in organization.get("receives", ()):
        pieces.update(pieces_of(row["line_items"]))
    return pieces


def adjusted_by_payment(organization: Ledger) -> dict[str, Counter[str]]:
    """For each reference, the pieces of each item id that its adjustments have taken out of both ledgers."""
    result: dict[str, Counter[str]] = defaultdict(Counter)
    for row in organization.get("adjustments", ()):
        _take_out(row, result[row["reference_number"]])
    return dict(result)


def adjusted_by_hand(organization: Ledger, made: Collection[str]) -> Counter[str]:
    """The pieces of each item id that the adjustments `made` by a person have taken out of both ledgers."""
    pieces: Counter[str] = Counter()
    for row in organization.get("adjustments", ()):
        if row.get("inventory_adjustment_id") in made:
            _take_out(row, pieces)
    return pieces


def _take_out(adjustment: Ledger, pieces: Counter[str]) -> None:
    for line in adjustment["line_items"] if adjustment["status"] == "adjusted" else ():
        pieces[line["item_id"]] -= int(line["quantity_adjusted"])


def pieces_by_payment(books: Mapping[str, Books]) -> dict[str, Counter[str]]:
    """For each reference, the pieces of each item id that its invoices have taken from accounting stock."""
    result: dict[str, Counter[str]] = {}
    for reference, found in books.items():
        pieces: Counter[str] = Counter()
        for row in found.invoices:
            if row["status"] in _COUNTED_INVOICES:
                pieces.update(pieces_of(row["line_items"]))
        result[reference] = pieces
    return result


def pieces_of(lines: Sequence[Ledger]) -> Counter[str]:
    """The pieces of each item id on these lines."""
    counted: Counter[str] = Counter()
    for line in lines:
        counted[line["item_id"]] += int(line["quantity"])
    return counted
