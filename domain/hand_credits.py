"""Credit notes that a shop entered by hand for a refund: which of a customer's may be the one. No people's data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from pydantic import AwareDatetime

from domain.disputes import DISPUTES
from domain.hand_orders import DAYS_APART
from domain.money import Money
from domain.payments import Fact
from domain.refunds import RefundRef
from domain.sweeps import REFUNDS


class CreditRow(Fact):
    """A credit note as Zoho's list shows it. `total` is None where it is finer than a minor unit."""

    creditnote_id: str
    number: str = ""
    reference: str = ""
    status: str = ""
    day: date | None = None
    total: Money | None = None


class CreditHandQuery(RefundRef):
    """A customer's credit notes to look through, for one over `total` of about the moment `at`, or `since` another."""

    contact_id: str
    total: Money
    at: AwareDatetime
    since: AwareDatetime | None = None


class HandCredits(Fact):
    """The credit notes that a person has to look at."""

    alike: tuple[CreditRow, ...] = ()


def alike(rows: Iterable[CreditRow], total: Money, first: date, last: date) -> HandCredits:
    """Those of that very amount, within three days of the refund, that stand and name no refund or dispute.

    A dispute goes on from its `first` day to its `last`; a refund has one.
    """
    found = (row for row in rows if _stands(row) and row.total == total)
    return HandCredits(alike=tuple(row for row in found if _near(row, first, last)))


def said(row: CreditRow) -> str:
    """A credit note in the words of a question."""
    made = f" of {row.day}" if row.day else ""
    return f"{row.number or row.creditnote_id}{made} over {row.total or 'an unclear amount'} ({row.status})"


def _stands(row: CreditRow) -> bool:
    return row.status not in ("void", "draft") and not row.reference.startswith((*REFUNDS, *DISPUTES))


def _near(row: CreditRow, first: date, last: date) -> bool:
    return row.day is not None and first - DAYS_APART <= row.day <= last + DAYS_APART
