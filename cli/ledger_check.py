"""Do Stripe's ledger and Zoho's tell the same story? Pure: two ledgers in, what is wrong out.

It shares nothing with the code it judges: no logs, no store, no mapping, and a currency table of its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Ledger = Mapping[str, Any]
Sold = Mapping[str, Mapping[str, int]]  # payment id -> SKU -> pieces

# docs.stripe.com/currencies: how many decimals an amount's minor units stand for, 2 where it is not listed.
_NO_DECIMALS = (
    *("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA"),
    *("PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
)
_THREE_DECIMALS = ("BHD", "JOD", "KWD", "OMR", "TND")
_COUNTED_INVOICES = ("sent", "paid", "partially_paid", "overdue", "viewed", "unpaid")


@dataclass(frozen=True)
class Violation:
    """An invariant that does not hold for `subject` (a payment's, document's or item's id)."""

    invariant: str
    subject: str
    message: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.subject}: {self.message}"


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


def check(
    stripe: Ledger, organization: Ledger, sold: Sold | None = None, taken_back: Collection[str] = ()
) -> list[Violation]:
    """Every violation between an account's ledger and its organisation's, none where all is well.

    `sold`, where it is known, says what was bought with each payment; stock then has to have moved by it.
    `taken_back` are payments whose orders a person has cancelled: nothing of them may stand.
    """
    paid = {name: one for name, one in succeeded(stripe).items() if name not in taken_back}
    books = books_by_reference(organization)
    return [
        *_each_once(paid, books),
        *_shipped_once(paid, organization),
        *_amounts(paid, books),
        *_fees(paid, books, fee_due(stripe)),
        *_totals(paid, books),
        *_nothing_invented(paid, books),
        *_adjustments(paid, organization),
        *_refunded(paid, stripe, organization),
        *_stock(organization, books, paid, sold),
    ]


def _each_once(paid: Mapping[str, Paid], books: Mapping[str, Books]) -> Iterable[Violation]:
    """I1: each succeeded payment has one order, one invoice and one payment, which belong together."""
    for payment_id in paid:
        found = books.get(payment_id, Books())
        for name, rows in (("order", found.orders), ("invoice", found.invoices), ("payment", found.payments)):
            if len(rows) != 1:
                yield Violation("I1", payment_id, f"has {len(rows)} {name}s in Zoho, not one")
        if found.invoices and found.payments:
            invoice_id = found.invoices[0]["invoice_id"]
            applied = [row["invoice_id"] for row in found.payments[0]["invoices"]]
            if applied != [invoice_id]:
                yield Violation("I1", payment_id, f"its payment is applied to {applied}, not to {invoice_id}")


def _shipped_once(paid: Mapping[str, Paid], organization: Ledger) -> Iterable[Violation]:
    """I1, I6: a payment's goods leave the house once at most, and nobody else's do."""
    for payment_id, count in Counter(row["reference_number"] for row in organization.get("shipments", ())).items():
        if payment_id not in paid:
            yield Violation("I6", payment_id or "(no reference)", f"{count} shipments trace to no payment")
        elif count > 1:
            yield Violation("I1", payment_id, f"has {count} shipments in Zoho, not one")


def _amounts(paid: Mapping[str, Paid], books: Mapping[str, Books]) -> Iterable[Violation]:
    """I3: what Stripe received is what order, invoice and payment say, and nothing is left to pay."""
    for payment_id, truth in paid.items():
        found = books.get(payment_id, Books())
        named = [("order", row, "total") for row in found.orders]
        named += [("invoice", row, "total") for row in found.invoices]
        named += [("payment", row, "amount") for row in found.payments]
        for name, row, key in named:
            if (Decimal(row[key]), row["currency_code"]) != (truth.amount, truth.currency):
                said = f"{row[key]} {row['currency_code']}"
                yield Violation("I3", payment_id, f"{name} says {said}, Stripe {truth.amount} {truth.currency}")
        for row in found.invoices:
            if Decimal(row["balance"]) != 0:
                yield Violation("I3", payment_id, f"invoice still wants {row['balance']} {row['currency_code']}")


def _fees(
    paid: Mapping[str, Paid], books: Mapping[str, Books], fees: Mapping[str, tuple[Decimal, str]]
) -> Iterable[Violation]:
    """I3: what Stripe kept in the payment's own currency is what the payment's bank charges say."""
    for payment_id in paid.keys() & fees.keys():
        kept, currency = fees[payment_id]
        for row in books.get(payment_id, Books()).payments:
            if row["currency_code"] == currency and Decimal(row["bank_charges"]) != kept:
                yield Violation("I3", payment_id, f"bank charges {row['bank_charges']}, Stripe kept {kept}")


def _totals(paid: Mapping[str, Paid], books: Mapping[str, Books]) -> Iterable[Violation]:
    """I3: for each currency, the sum of Stripe's payments is the sum of Zoho's."""
    received: dict[str, Decimal] = defaultdict(Decimal)
    booked: dict[str, Decimal] = defaultdict(Decimal)
    for truth in paid.values():
        received[truth.currency] += truth.amount
    for row in (row for found in books.values() for row in found.payments):
        booked[row["currency_code"]] += Decimal(row["amount"])
    for currency in sorted(received.keys() | booked.keys()):
        if received[currency] != booked[currency]:
            yield Violation("I3", currency, f"Stripe received {received[currency]}, Zoho books {booked[currency]}")


def _nothing_invented(paid: Mapping[str, Paid], books: Mapping[str, Books]) -> Iterable[Violation]:
    """I6: every document traces to a payment that succeeded."""
    for reference, found in books.items():
        if reference in paid:
            continue
        for name, rows in (("order", found.orders), ("invoice", found.invoices), ("payment", found.payments)):
            if rows:
                yield Violation("I6", reference or "(no reference)", f"{len(rows)} {name}s trace to no payment")


def _adjustments(paid: Mapping[str, Paid], organization: Ledger) -> Iterable[Violation]:
    """I1 and I6: at most one adjustment a payment, and none that traces to no payment."""
    counted = Counter(row["reference_number"] for row in organization.get("adjustments", ()))
    for reference, count in counted.items():
        if reference not in paid:
            yield Violation("I6", reference or "(no reference)", f"{count} adjustments trace to no payment")
        elif count > 1:
            yield Violation("I1", reference, f"has {count} adjustments in Zoho, not one")


def _refunded(paid: Mapping[str, Paid], stripe: Ledger, organization: Ledger) -> Iterable[Violation]:
    """I3, I4, I6: each refund that stands has one credit note over its amount, all of it paid out; nothing else has.

    A refund that is still under way may have none yet.
    """
    notes = [row for row in organization.get("creditnotes", ()) if row["status"] not in ("void", "draft")]
    out: dict[str, Decimal] = defaultdict(Decimal)
    for row in organization.get("refunds", ()):
        out[row["creditnote_id"]] += Decimal(row["amount"])
    credited = defaultdict(list)
    for note in notes:
        credited[note["reference_number"]].append(note)
    standing = {
        row["id"]: row
        for row in stripe.get("refunds", ())
        if row["status"] == "succeeded" and (row["payment_intent"] or row["charge"]) in paid
    }
    for reference in sorted(credited.keys() | standing.keys()):
        found, refund = credited[reference], standing.get(reference)
        if refund is None:
            yield Violation("I6", reference or "(no reference)", f"{len(found)} credit notes trace to no refund")
            continue
        wanted = [major(refund["amount"], refund["currency"])]
        for name, amounts in (
            ("credit notes over", [Decimal(note["total"]) for note in found]),
            ("paid out", [out[note["creditnote_id"]] for note in found]),
        ):
            if amounts != wanted:
                yield Violation("I3", reference, f"{name} {', '.join(map(str, amounts)) or 'nothing'}, not {wanted[0]}")


def returned(organization: Ledger) -> Counter[str]:
    """The pieces of each item id that credit notes have returned to accounting stock."""
    pieces: Counter[str] = Counter()
    for note in organization.get("creditnotes", ()):
        lines = note["line_items"] if note["status"] not in ("void", "draft") else ()
        pieces.update(_pieces([line for line in lines if line["is_returned_to_stock"]]))
    return pieces


def _stock(
    organization: Ledger, books: Mapping[str, Books], paid: Mapping[str, Paid], sold: Sold | None
) -> Iterable[Violation]:
    """I2: accounting stock moved by what was invoiced less what was credited, physical by what was shipped, both by
    payments' adjustments; what was sold moved.
    """
    invoiced = pieces_by_payment(books)
    adjusted = adjusted_by_payment(organization)
    parts: Counter[str] = Counter()
    for payment_id in paid:
        parts.update(adjusted.get(payment_id, Counter()))
    moved: Counter[str] = Counter()
    for pieces in invoiced.values():
        moved.update(pieces)
    back = returned(organization)
    shipped: Counter[str] = Counter()
    for row in organization.get("packages", ()):
        if row.get("shipment_order"):
            shipped.update(_pieces(row["line_items"]))
    for item in organization["items"]:
        if not item["track_inventory"]:
            continue
        on_shelf = Decimal(item["opening"]) - parts[item["item_id"]]
        expected = on_shelf - moved[item["item_id"]] + back[item["item_id"]]
        if Decimal(item["accounting"]) != expected:
            yield Violation("I2", item["sku"], f"accounting stock is {item['accounting']}, not {expected}")
        expected = on_shelf - shipped[item["item_id"]]
        if Decimal(item["physical"]) != expected:
            yield Violation("I2", item["sku"], f"physical stock is {item['physical']}, not {expected}")
    shelf = {item["item_id"]: item["sku"] for item in organization["items"] if item["track_inventory"]}
    for payment_id in paid.keys() & (sold or {}).keys():
        pieces = invoiced.get(payment_id, Counter()) + adjusted.get(payment_id, Counter())
        got = {shelf[item_id]: count for item_id, count in pieces.items() if item_id in shelf}
        wanted = dict((sold or {})[payment_id])
        if got != wanted:
            yield Violation("I2", payment_id, f"moved {got}, sold {wanted}")


def adjusted_by_payment(organization: Ledger) -> dict[str, Counter[str]]:
    """For each reference, the pieces of each item id that its adjustments have taken out of both ledgers."""
    result: dict[str, Counter[str]] = defaultdict(Counter)
    for row in organization.get("adjustments", ()):
        for line in row["line_items"] if row["status"] == "adjusted" else ():
            result[row["reference_number"]][line["item_id"]] -= int(line["quantity_adjusted"])
    return dict(result)


def pieces_by_payment(books: Mapping[str, Books]) -> dict[str, Counter[str]]:
    """For each reference, the pieces of each item id that its invoices have taken from accounting stock."""
    result: dict[str, Counter[str]] = {}
    for reference, found in books.items():
        pieces: Counter[str] = Counter()
        for row in found.invoices:
            if row["status"] in _COUNTED_INVOICES:
                pieces.update(_pieces(row["line_items"]))
        result[reference] = pieces
    return result


def _pieces(lines: Sequence[Ledger]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for line in lines:
        counted[line["item_id"]] += int(line["quantity"])
    return counted
