"""What was refunded in the demo, and what Zoho's books make of it, read from the two ledgers alone."""

from __future__ import annotations

from collections import defaultdict

from cli.ledger_check import Ledger
from cli.ledgers import Ledgers


def refunded(stripe: Ledger) -> dict[str, list[Ledger]]:
    """The refunds of each payment, in the order they were made; those that failed are left out."""
    found: dict[str, list[Ledger]] = defaultdict(list)
    for row in sorted(stripe["refunds"], key=lambda row: row["created"]):
        if row["status"] not in ("failed", "canceled"):
            found[row["payment_intent"] or row["charge"]].append(row)
    return dict(found)


def notes_of(ledgers: Ledgers) -> dict[str, list[Ledger]]:
    """The credit notes that stand of each payment, as they were written."""
    found: dict[str, list[Ledger]] = defaultdict(list)
    by_refund = {row["id"]: payment for payment, rows in refunded(ledgers.stripe).items() for row in rows}
    for note in sorted(ledgers.zoho["creditnotes"], key=lambda row: int(row["creditnote_id"])):
        if note["reference_number"] in by_refund and note["status"] != "void":
            found[by_refund[note["reference_number"]]].append(note)
    return dict(found)


def credited(ledgers: Ledgers) -> set[str]:
    """The payments of which something was refunded, with a credit note for every refund, and all of it paid out."""
    closed = {note["reference_number"] for note in ledgers.zoho["creditnotes"] if note["status"] == "closed"}
    return {payment for payment, rows in refunded(ledgers.stripe).items() if closed.issuperset(r["id"] for r in rows)}
