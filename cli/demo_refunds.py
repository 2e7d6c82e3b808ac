"""What was refunded in the demo, or lost to a bank, and what Zoho's books make of it: read from the two ledgers."""

from __future__ import annotations

from collections import defaultdict

from cli.ledger_facts import Ledger, lost
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
    back = [*refunded(ledgers.stripe).items(), *lost(ledgers.stripe).items()]
    by_refund = {row["id"]: payment for payment, rows in back for row in rows}
    for note in sorted(ledgers.zoho["creditnotes"], key=lambda row: int(row["creditnote_id"])):
        if note["reference_number"] in by_refund and note["status"] != "void":
            found[by_refund[note["reference_number"]]].append(note)
    return dict(found)


def credited(ledgers: Ledgers) -> set[str]:
    """The payments of which something was refunded, with a credit note for every refund, and all of it paid out."""
    return _closed(ledgers, refunded(ledgers.stripe))


def lost_and_credited(ledgers: Ledgers) -> set[str]:
    """The same of the payments that were lost to a bank."""
    return _closed(ledgers, lost(ledgers.stripe))


def _closed(ledgers: Ledgers, back: dict[str, list[Ledger]]) -> set[str]:
    closed = {note["reference_number"] for note in ledgers.zoho["creditnotes"] if note["status"] == "closed"}
    return {payment for payment, rows in back.items() if closed.issuperset(row["id"] for row in rows)}
