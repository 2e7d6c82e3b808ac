"""Do Stripe's ledger and Zoho's tell the same story? Pure: two ledgers in, what is wrong out.

It shares nothing with the code it judges: no logs, no store, no mapping.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from cli.ledger_facts import (
    Books,
    Ledger,
    Paid,
    adjusted_by_hand,
    adjusted_by_payment,
    books_by_reference,
    fee_due,
    lost,
    major,
    pieces_by_payment,
    received_again,
    returned,
    shipped,
    succeeded,
    written_off,
)

Sold = Mapping[str, Mapping[str, int]]  # payment id -> SKU -> pieces
RETURN_KEY = "zoho_salesreturn_id"  # what a refund's metadata says that was made for a return
ADJUSTMENT_KEY = "zoho_inventory_adjustment_id"  # and what it says that was proposed by an adjustment
Off = Mapping[str, Decimal]  # payment id -> what has to be written off of it


@dataclass(frozen=True)
class Violation:
    """An invariant that does not hold for `subject` (a payment's, document's or item's id)."""

    invariant: str
    subject: str
    message: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.subject}: {self.message}"


def check(
    stripe: Ledger,
    organization: Ledger,
    sold: Sold | None = None,
    taken_back: Collection[str] = (),
    by_hand: Collection[str] = (),
) -> list[Violation]:
    """Every violation between an account's ledger and its organisation's, none where all is well.

    `sold`, where it is known, says what was bought with each payment; stock then has to have moved by it.
    `taken_back` are payments whose orders a person has cancelled: nothing of them may stand. `by_hand` are adjustments
    that a person made; so are those that a refund names.
    """
    counted = {*by_hand, *_made_for(stripe, ADJUSTMENT_KEY)}
    paid = {name: one for name, one in succeeded(stripe).items() if name not in taken_back}
    books = books_by_reference(organization)
    off = {name: amount for name, amount in written_off(stripe, organization).items() if name in paid}
    return [
        *_each_once(paid, books, off),
        *_shipped_once(paid, organization),
        *_amounts(paid, books, off),
        *_fees(paid, books, fee_due(stripe)),
        *_totals(paid, books, off),
        *_nothing_invented(paid, books),
        *_adjustments(paid, organization, counted),
        *_refunded(paid, stripe, organization),
        *_returned_once(stripe, organization),
        *_stock(organization, books, paid, counted),
        *_moved_what_was_sold(organization, books, paid, sold or {}),
    ]


def _each_once(paid: Mapping[str, Paid], books: Mapping[str, Books], off: Off) -> Iterable[Violation]:
    """I1: each succeeded payment has one order, one invoice and one payment, which belong together.

    A payment that was written off as a whole stands no more.
    """
    for payment_id, truth in paid.items():
        found, gone = books.get(payment_id, Books()), off.get(payment_id) == truth.amount
        for name, rows in (("order", found.orders), ("invoice", found.invoices), ("payment", found.payments)):
            none = gone and name == "payment"
            if len(rows) != (not none):
                yield Violation("I1", payment_id, f"has {len(rows)} {name}s in Zoho, not {'none' if none else 'one'}")
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


def _amounts(paid: Mapping[str, Paid], books: Mapping[str, Books], off: Off) -> Iterable[Violation]:
    """I3: what Stripe received is what order, invoice and payment say, and nothing is left to pay.

    What a lost dispute took is no longer paid where it was written off, and just that is written off.
    """
    for payment_id, truth in paid.items():
        found, gone = books.get(payment_id, Books()), off.get(payment_id, Decimal(0))
        named = [("order", row, "total", truth.amount) for row in found.orders]
        named += [("invoice", row, "total", truth.amount) for row in found.invoices]
        named += [("payment", row, "amount", truth.amount - gone) for row in found.payments]
        for name, row, key, due in named:
            if (Decimal(row[key]), row["currency_code"]) != (due, truth.currency):
                said = f"{row[key]} {row['currency_code']}"
                yield Violation("I3", payment_id, f"{name} says {said}, Stripe {due} {truth.currency}")
        for row in found.invoices:
            if Decimal(row["balance"]) != 0:
                yield Violation("I3", payment_id, f"invoice still wants {row['balance']} {row['currency_code']}")
            if Decimal(row.get("write_off_amount", 0)) != gone:
                said = f"{row.get('write_off_amount', 0)} were written off, disputes took {gone} that is not credited"
                yield Violation("I3", payment_id, said)


def _fees(
    paid: Mapping[str, Paid], books: Mapping[str, Books], fees: Mapping[str, tuple[Decimal, str]]
) -> Iterable[Violation]:
    """I3: what Stripe kept in the payment's own currency is what the payment's bank charges say."""
    for payment_id in paid.keys() & fees.keys():
        kept, currency = fees[payment_id]
        for row in books.get(payment_id, Books()).payments:
            if row["currency_code"] == currency and Decimal(row["bank_charges"]) != kept:
                yield Violation("I3", payment_id, f"bank charges {row['bank_charges']}, Stripe kept {kept}")


def _totals(paid: Mapping[str, Paid], books: Mapping[str, Books], off: Off) -> Iterable[Violation]:
    """I3: for each currency, the sum of Stripe's payments, less what was written off, is the sum of Zoho's."""
    received: dict[str, Decimal] = defaultdict(Decimal)
    booked: dict[str, Decimal] = defaultdict(Decimal)
    for truth in paid.values():
        received[truth.currency] += truth.amount - off.get(truth.payment_id, Decimal(0))
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


def _adjustments(paid: Mapping[str, Paid], organization: Ledger, by_hand: Collection[str]) -> Iterable[Violation]:
    """I1 and I6: at most one adjustment a payment, and none that traces to no payment and no person."""
    rows = (row for row in organization.get("adjustments", ()) if row.get("inventory_adjustment_id") not in by_hand)
    for reference, count in Counter(row["reference_number"] for row in rows).items():
        if reference not in paid:
            yield Violation("I6", reference or "(no reference)", f"{count} adjustments trace to no payment")
        elif count > 1:
            yield Violation("I1", reference, f"has {count} adjustments in Zoho, not one")


def _refunded(paid: Mapping[str, Paid], stripe: Ledger, organization: Ledger) -> Iterable[Violation]:
    """I3, I4, I6: each refund that stands has one credit note over its amount, all of it paid out; nothing else has,
    but for lost disputes, which are credited in the same way or written off.

    A refund that is still under way may have none yet. One that was made for a return has the return's note, whose
    reference may be an earlier refund that failed. A credit note that somebody wrote for a return is nobody's until
    money went back for it.
    """
    out: dict[str, Decimal] = defaultdict(Decimal)
    for row in organization.get("refunds", ()):
        out[row["creditnote_id"]] += Decimal(row["amount"])
    standing = {
        row.get("metadata", {}).get(RETURN_KEY) or row["id"]: row
        for row in stripe.get("refunds", ())
        if row["status"] == "succeeded" and (row["payment_intent"] or row["charge"]) in paid
    }
    credited = _credited(organization, standing)
    lost_ones = [row for payment, rows in lost(stripe).items() if payment in paid for row in rows]
    standing |= {row["id"]: row for row in lost_ones if row["id"] in credited}
    for reference in sorted(credited.keys() | standing.keys()):
        found, refund = credited.get(reference, []), standing.get(reference)
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


def _credited(organization: Ledger, returns: Collection[str]) -> dict[str, list[Ledger]]:
    """The credit notes that count, by their return or else their reference; of those that people wrote for a return
    only where it is among `returns`.
    """
    credited: dict[str, list[Ledger]] = defaultdict(list)
    for note in organization.get("creditnotes", ()):
        back = note.get("salesreturn_id")
        if note["status"] not in ("void", "draft") and (note["reference_number"] or not back or back in returns):
            credited[back or note["reference_number"]].append(note)
    return credited


def _made_for(stripe: Ledger, key: str) -> Counter[str]:
    """What refunds that stand say under the metadata `key` that they were made for, and how many of each."""
    return Counter(
        row["metadata"][key]
        for row in stripe.get("refunds", ())
        if key in row.get("metadata", {}) and row["status"] in ("succeeded", "pending", "requires_action")
    )


def _returned_once(stripe: Ledger, organization: Ledger) -> Iterable[Violation]:
    """I4, I6: for one return, or adjustment, money goes back once at most, and for none that Zoho does not have."""
    for article, name, key, rows, field in (
        ("a", "return", RETURN_KEY, "salesreturns", "salesreturn_id"),
        ("an", "adjustment", ADJUSTMENT_KEY, "adjustments", "inventory_adjustment_id"),
    ):
        known = {row.get(field) for row in organization.get(rows, ())}
        for zoho_id, count in _made_for(stripe, key).items():
            if zoho_id not in known:
                yield Violation("I6", zoho_id, f"{count} refunds for {article} {name} that Zoho does not have")
            elif count > 1:
                yield Violation("I4", zoho_id, f"{count} refunds for one {name}")


def _stock(
    organization: Ledger, books: Mapping[str, Books], paid: Mapping[str, Paid], by_hand: Collection[str]
) -> Iterable[Violation]:
    """I2: accounting stock moved by what was invoiced less what was credited, physical by what was shipped less what
    was received again, both by payments' adjustments and people's.
    """
    adjusted = adjusted_by_payment(organization)
    parts: Counter[str] = Counter()
    for payment_id in paid:
        parts.update(adjusted.get(payment_id, Counter()))
    parts.update(adjusted_by_hand(organization, by_hand))
    moved: Counter[str] = Counter()
    for pieces in pieces_by_payment(books).values():
        moved.update(pieces)
    back, left, received = returned(organization), shipped(organization), received_again(organization)
    for item in organization["items"]:
        if not item["track_inventory"]:
            continue
        on_shelf = Decimal(item["opening"]) - parts[item["item_id"]]
        expected = on_shelf - moved[item["item_id"]] + back[item["item_id"]]
        if Decimal(item["accounting"]) != expected:
            yield Violation("I2", item["sku"], f"accounting stock is {item['accounting']}, not {expected}")
        expected = on_shelf - left[item["item_id"]] + received[item["item_id"]]
        if Decimal(item["physical"]) != expected:
            yield Violation("I2", item["sku"], f"physical stock is {item['physical']}, not {expected}")


def _moved_what_was_sold(
    organization: Ledger, books: Mapping[str, Books], paid: Mapping[str, Paid], sold: Sold
) -> Iterable[Violation]:
    """I2: a payment's invoice and adjustments moved what was bought with it."""
    invoiced, adjusted = pieces_by_payment(books), adjusted_by_payment(organization)
    shelf = {item["item_id"]: item["sku"] for item in organization["items"] if item["track_inventory"]}
    for payment_id in paid.keys() & sold.keys():
        pieces = invoiced.get(payment_id, Counter()) + adjusted.get(payment_id, Counter())
        got = {shelf[item_id]: count for item_id, count in pieces.items() if item_id in shelf}
        wanted = dict(sold[payment_id])
        if got != wanted:
            yield Violation("I2", payment_id, f"moved {got}, sold {wanted}")
