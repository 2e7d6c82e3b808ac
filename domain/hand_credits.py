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
    """A customer's credit notes to look through, for one over `total` of about the moment `at`."""

    contact_id: str
    total: Money
    at: AwareDatetime


class HandCredits(Fact):
    """The credit notes that a person has to look at."""

    alike: tuple[CreditRow, ...] = ()


def alike(rows: Iterable[CreditRow], total: Money, day: date) -> HandCredits:
    """Those of that very amount, within three days of the refund, that stand and name no refund or dispute."""
    return HandCredits(alike=tuple(row for row in rows if _stands(row) and row.total == total and _near(row, day)))


def said(row: CreditRow) -> str:
    """A credit note in the words of a question."""
    made = f" of {row.day}" if row.day else ""
    return f"{row.number or row.creditnote_id}{made} over {row.total or 'an unclear amount'} ({row.status})"


def _stands(row: CreditRow) -> bool:
    return row.status not in ("void", "draft") and not row.reference.startswith((*REFUNDS, *DISPUTES))


def _near(row: CreditRow, day: date) -> bool:
    return row.day is not None and abs(row.day - day) <= DAYS_APART
