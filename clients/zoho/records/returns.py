"""What Zoho answers about returns; as tolerant as `clients.zoho.records`."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from clients.zoho.records import Comment, Record
from clients.zoho.records.credits import LinkedCreditNote


class SalesReturnRow(Record):
    """A return as a list shows it, and what every detail has too."""

    salesreturn_id: str = Field(min_length=1)
    salesreturn_number: str = ""
    date: str = ""
    salesorder_id: str = ""
    salesreturn_status: str = ""
    receive_status: str = ""
    refund_status: str = ""
    refunded_amount: Decimal = Decimal(0)


class SalesReturnLine(Record):
    """A line of a return: what can be received of it, and what cannot."""

    line_item_id: str = Field(min_length=1)
    item_id: str = ""
    salesorder_item_id: str = ""
    quantity: Decimal = Decimal(0)
    non_receive_quantity: Decimal = Decimal(0)


class ReceivedRow(Record):
    """A line of a receive."""

    line_item_id: str = ""
    item_id: str = ""
    quantity: Decimal = Decimal(0)


class Receive(Record):
    """Goods of a return that were received at one time."""

    receive_id: str = Field(min_length=1)
    line_items: tuple[ReceivedRow, ...] = ()


class SalesReturn(SalesReturnRow):
    """A return with its lines, what was received of it, and its credit notes."""

    line_items: tuple[SalesReturnLine, ...] = ()
    salesreturnreceives: tuple[Receive, ...] = ()
    creditnotes: tuple[LinkedCreditNote, ...] = ()
    comments: tuple[Comment, ...] = ()
    custom_field_hash: dict[str, object] = Field(default_factory=dict)
    created_by_name: str = ""

    def requester(self) -> str:
        """Who entered it, as far as its history tells."""
        added = (note.commented_by for note in self.comments if note.operation_type.casefold() in ("added", "created"))
        return self.created_by_name or next(added, "")
