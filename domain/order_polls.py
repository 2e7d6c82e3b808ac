"""What a poll of Zoho's lists reads, and what a look at an order found: ids, money and field names only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from pydantic import AwareDatetime

from domain.by_hand import REMEMBERED, ZohoList
from domain.documents import ContactDocument, ItemFacts
from domain.drift import Difference
from domain.money import Money
from domain.payments import Fact
from domain.runs import PaymentInput, PaymentRef


class Changed(Protocol):
    """A row that tells when it was changed, None where Zoho does not say."""

    @property
    def modified(self) -> datetime | None: ...


Row = TypeVar("Row", bound=Changed)


class PollQuery(Fact):
    """Which connection's lists are to be read."""

    connection: str


class OrderNews(PaymentRef):
    """A payment's order that may have been changed by hand.

    `state` is that of the list's row that told so, under `document_id`; both are "" where it was drawn to be read back.
    """

    salesorder_id: str
    document_id: str = ""
    state: str = ""


class PollBegun(Fact):
    """From when on documents are wanted, when the poll began, and which orders are to be read back.

    `remembered` is from when on contacts and items are wanted, None where that is not yet due. `sold_out`: some order
    waits for goods.
    """

    since: AwareDatetime
    at: AwareDatetime
    due: tuple[OrderNews, ...] = ()
    remembered: AwareDatetime | None = None
    sold_out: bool = False

    def since_of(self, listed: ZohoList) -> datetime | None:
        """From when on this list is wanted; None: not this time."""
        return self.remembered if listed in REMEMBERED else self.since


class PollEnd(Fact):
    """A poll that began `at` has read everything; `remembered`: contacts and items, too."""

    connection: str
    at: AwareDatetime
    remembered: bool = False


class Restocked(Fact):
    """The payments that wait for goods which are there again."""

    payment_ids: tuple[str, ...] = ()


class ListQuery(Fact):
    """A page (from 1) of a list; documents changed before `since` are not wanted."""

    connection: str
    list: ZohoList
    since: AwareDatetime
    page: int = 1


class ListedRow(Fact):
    """A document as its list shows it: `modified` is None where Zoho does not say, `state` changes when it does.

    `customer` is the contact that it is for.
    """

    document_id: str
    reference: str = ""
    number: str = ""
    customer: str = ""
    state: str = ""
    modified: AwareDatetime | None = None


class ChangedContact(ContactDocument):
    """A contact as its list shows it. Holds people's data: never crosses Temporal."""

    modified: AwareDatetime | None = None


class ChangedItem(ItemFacts):
    """An item as its list shows it."""

    modified: AwareDatetime | None = None


class NamelessNote(Fact):
    """A credit note whose row, in this `state`, does not say which order it is for."""

    connection: str
    document_id: str
    state: str = ""


class ListedOrders(Fact):
    """What a page tells: orders to be looked at, how many rows it has, and whether `more` pages have to be read.

    `nameless` may be for orders of ours.
    """

    news: tuple[OrderNews, ...] = ()
    nameless: tuple[NamelessNote, ...] = ()
    rows: int = 0
    more: bool = False


class Standing(StrEnum):
    """Whether an order is there."""

    STANDS = "stands"
    VOID = "void"
    GONE = "gone"  # deleted


class OrderLook(Fact):
    """An order as it was looked at.

    `ours`: our own runs have taken it back, or still write it, whatever it looks like. `differences` are without data
    of people; `digest` stands for all of them, and `accepted` says that a person took just these. `invoices` stand.
    `carry` says that Stripe is to be told something, for the `turn`th time; `tell` that people are, too.
    """

    standing: Standing
    number: str = ""
    total: Money | None = None
    ours: bool = False
    differences: tuple[Difference, ...] = ()
    digest: str = ""
    accepted: bool = False
    invoices: tuple[str, ...] = ()
    carry: bool = False
    tell: bool = False
    turn: int = 0
    round: int = 0

    @property
    def asks(self) -> bool:
        """Whether a person has to decide about it."""
        return bool(self.digest) and not (self.ours or self.accepted)


class CarryBack(PaymentRef):
    """Stripe's metadata is to say what the last look found, for the `turn`th time."""

    turn: int = 0


class ShipmentNews(CarryBack):
    """People are to hear what the last look found of an order's shipments."""

    after: int = 0


class KeptLook(OrderNews):
    """An order was looked at, and dealt with."""


class AcceptedOrder(PaymentRef):
    """A person takes an order as it is: the differences that `digest` stands for."""

    digest: str


class OrderCheckInput(PaymentInput):
    """What the run starts with that looks into an order which somebody changed."""

    salesorder_id: str


class OrderRef(PaymentRef):
    """A payment's order, by Zoho's id."""

    salesorder_id: str


class CheckResult(Fact):
    """What became of an order that somebody changed."""

    payment_id: str
    salesorder_id: str
    standing: Standing
    refund_id: str = ""
    notes: tuple[str, ...] = ()


class LeftMoney(Fact):
    """What a payment brought, and what of it has not gone back; `attempt` counts our refunds for the order so far."""

    captured: Money
    left: Money
    attempt: int = 0


class GiveAllBack(PaymentRef):
    """What is left of a payment, to go back because its order was cancelled in Zoho."""

    salesorder_id: str
    money: Money
    attempt: int = 0
    answers: int = 0
    after: int = 0


class StandingQuery(PaymentRef):
    """Which documents of this list still stand for the payment?"""

    list: ZohoList


class StandingFound(Fact):
    """Their ids."""

    document_ids: tuple[str, ...] = ()


def changed_since(rows: Sequence[Row], since: datetime) -> list[Row]:
    """The rows that were changed since then, or may have been."""
    return [row for row in rows if row.modified is None or row.modified >= since]


def reaches_back(rows: Sequence[Changed], since: datetime) -> bool:
    """Whether a page proves that all later pages are older than `since`: newest first, and its last row is older."""
    moments = [row.modified for row in rows]
    if not moments or None in moments:
        return False
    told = [moment for moment in moments if moment is not None]
    return told == sorted(told, reverse=True) and told[-1] < since
