"""Orders that a shop entered by hand for a payment: which of Zoho's orders may be the one. No people's data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum

from domain.documents import OrderDocumentLine
from domain.money import Money
from domain.numbers import order_number
from domain.payments import Fact
from domain.runs import PaymentRef

# Whoever types an order in does it on the day of the payment or some days later; a transfer may be typed before.
DAYS_APART = timedelta(days=3)
_PAYMENTS = ("pi_", "ch_", "py_")


class OrderRow(Fact):
    """A sales order as Zoho's list shows it. `total` is None where it is finer than a minor unit."""

    salesorder_id: str
    number: str = ""
    reference: str = ""
    status: str = ""
    contact_id: str = ""
    day: date | None = None
    total: Money | None = None


class FoundBy(StrEnum):
    """By what an order is looked for, the surest first."""

    REFERENCE = "reference"
    NUMBER = "number"
    CUSTOMER = "customer"


class HandQuery(PaymentRef):
    """Orders to look for, in one call: `words` is the reference, the number, or the id of the customer's contact.

    `charge_id` is another name that the payment may have been entered under.
    """

    found_by: FoundBy
    words: str
    order_ref: str
    total: Money
    charge_id: str = ""


class HandOrders(Fact):
    """`sure`: the order that names the payment, or has its number; `alike`: those that a person has to look at.

    `own`: the order that we wrote ourselves stands, so nobody entered one.
    """

    own: bool = False
    sure: OrderRow | None = None
    alike: tuple[OrderRow, ...] = ()


class NumbersKnown(Fact):
    """The order numbers that the payment's metadata hold, under the keys that the shop names."""

    numbers: tuple[str, ...] = ()


class AdoptInput(PaymentRef):
    """An order that somebody entered, to be taken as the payment's."""

    salesorder_id: str
    order_ref: str
    item_ids: tuple[str, ...]
    total: Money


def stands(row: OrderRow) -> bool:
    """Whether the order counts at all."""
    return row.status != "void"


def of_another(row: OrderRow, names: Sequence[str]) -> bool:
    """Whether the order says itself that it is another payment's than the one with these ids."""
    return row.reference.startswith(_PAYMENTS) and row.reference not in names


def sorted_out(rows: Sequence[OrderRow], known: Mapping[str, str], wanted: HandQuery, day: date) -> HandOrders:
    """Which of the orders that Zoho has for the question is the payment's, or may be.

    `known` are the payments that orders were taken for before.
    """
    names = [name for name in (wanted.payment_id, wanted.charge_id) if name]
    number = order_number(wanted.payment_id)
    standing = [row for row in rows if stands(row) and not of_another(row, names)]
    if any(row.number == number and row.reference in names for row in standing):
        return HandOrders(own=True)
    alive = [row for row in standing if row.number != number]
    if wanted.found_by is FoundBy.CUSTOMER:
        named = [row for row in alive if row.reference in names or known.get(row.salesorder_id) == wanted.payment_id]
        return HandOrders(sure=named[0] if named else None, alike=tuple(alike(alive, wanted.total, day)))
    return HandOrders(sure=alive[0] if alive else None)


def alike(rows: Sequence[OrderRow], total: Money, day: date) -> list[OrderRow]:
    """Those of that very amount that were made within three days of the payment."""
    return [row for row in rows if row.total == total and row.day is not None and abs(row.day - day) <= DAYS_APART]


def fitted(lines: Sequence[OrderDocumentLine], wanted: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """The ids of an order's lines in the order of the `wanted` items and pieces; () where they are not the same."""
    left = list(lines)
    found = []
    for item_id, pieces in wanted:
        line = next((one for one in left if one.item_id == item_id and one.quantity == pieces), None)
        if line is None:
            return ()
        left.remove(line)
        found.append(line.line_item_id)
    return () if left else tuple(found)


def said(row: OrderRow) -> str:
    """An order in the words of a question."""
    made = f" of {row.day}" if row.day else ""
    return f"{row.number or row.salesorder_id}{made} over {row.total or 'an unclear amount'} ({row.status})"
