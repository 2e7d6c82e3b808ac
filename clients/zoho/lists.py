"""Lists of one organisation's documents, the newest change first, and what still stands for a reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from clients.zoho.caller import Caller
from clients.zoho.codec import Request
from clients.zoho.records import Record
from clients.zoho.records.contacts import Contact
from clients.zoho.records.stock import Item
from clients.zoho.translation.contacts import contact_document
from clients.zoho.translation.goods import item_facts
from domain.by_hand import ZohoList
from domain.order_polls import ChangedContact, ChangedItem, ListedRow

Kind = TypeVar("Kind", bound=Record)
_PAGE = "200"


@dataclass(frozen=True)
class _List:
    """What the rows of a list call their id and their number, and what else tells a change of them."""

    id: str
    number: str
    state: tuple[str, ...]


# The path and the key of the answer are the list's own name.
_LISTS: Mapping[ZohoList, _List] = {
    ZohoList.SALES_ORDERS: _List("salesorder_id", "salesorder_number", ("order_status", "status", "total")),
    ZohoList.INVOICES: _List("invoice_id", "invoice_number", ("status", "total", "balance")),
    ZohoList.PAYMENTS: _List("payment_id", "payment_number", ("amount", "unused_amount")),
    ZohoList.CREDIT_NOTES: _List("creditnote_id", "creditnote_number", ("status", "total", "balance")),
}


class _Row(Record):
    """A row of any list: its other fields are kept as they came."""

    reference_number: str = ""
    last_modified_time: str = ""
    status: str = ""
    customer_id: str = ""

    def word(self, name: str) -> str:
        """A field as text, "" where it is unset; an amount without idle zeros."""
        value = getattr(self, name, "")
        return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


class ZohoLists:
    """What a poll asks of Zoho, one HTTP request a method."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def page(self, wanted: ZohoList, number: int, since: datetime | None) -> tuple[list[ListedRow], bool]:
        """The `number`th page (from 1) of documents, the last changed first, and whether more follow.

        `since` asks for those changed since then. Which lists honour that, or the order, is not settled (facts/zoho.md
        §2): whoever reads them looks at the rows.
        """
        rows, more = await self._read(wanted, _Row, number, since)
        return [_listed(row, _LISTS[wanted]) for row in rows], more

    async def contacts(self, number: int, since: datetime | None) -> tuple[list[ChangedContact], bool]:
        """The same of contacts."""
        rows, more = await self._read(ZohoList.CONTACTS, Contact, number, since)
        return [ChangedContact(**dict(contact_document(row)), modified=_time(row)) for row in rows], more

    async def items(self, number: int, since: datetime | None) -> tuple[list[ChangedItem], bool]:
        """The same of items."""
        rows, more = await self._read(ZohoList.ITEMS, Item, number, since)
        return [ChangedItem(**dict(item_facts(row)), modified=_time(row)) for row in rows], more

    async def _read(
        self, wanted: ZohoList, kind: type[Kind], number: int, since: datetime | None
    ) -> tuple[list[Kind], bool]:
        params = {"page": str(number), "per_page": _PAGE, "sort_column": "last_modified_time", "sort_order": "D"}
        if since is not None:
            params["last_modified_time"] = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S%z}"
        return await self._caller.rows(Request("GET", f"/{wanted.value}", params), kind, wanted.value)

    async def standing(self, wanted: ZohoList, reference: str) -> list[str]:
        """The ids of the documents with this reference that are not void."""
        rows = await self._caller.find(f"/{wanted.value}", _Row, wanted.value, {"reference_number": reference})
        return [row.word(_LISTS[wanted].id) for row in rows if row.status != "void"]


def _listed(row: _Row, about: _List) -> ListedRow:
    return ListedRow(
        document_id=row.word(about.id),
        reference=row.reference_number,
        number=row.word(about.number),
        customer=row.customer_id,
        state="/".join([row.last_modified_time, *map(row.word, about.state)]),
        modified=_time(row),
    )


def _time(row: _Row | Contact | Item) -> datetime | None:
    try:
        found = datetime.fromisoformat(row.last_modified_time)
    except ValueError:
        return None
    return found if found.tzinfo else None
