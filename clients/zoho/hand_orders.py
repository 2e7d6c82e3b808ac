"""Sales orders that people entered: looked for by what names them, by customer, or by the days they were made on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from clients.zoho.caller import Caller, path
from clients.zoho.codec import Request
from clients.zoho.records.orders import SalesOrder, SalesOrderRow
from clients.zoho.translation.amounts import day_of, exact
from domain.hand_orders import DAYS_APART, OrderRow
from domain.shadows import StandingLine, StandingSale

_PATH = "/salesorders"


class ZohoHandOrders:
    """One call a method. ClientErrors as from the client."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def named(self, *, reference: str = "", number: str = "") -> list[OrderRow]:
        """The orders with this reference, or this number."""
        return await self._found({"reference_number": reference, "salesorder_number": number})

    async def of_customer(self, contact_id: str, day: date) -> list[OrderRow]:
        """The customer's orders of about that day, at most 200; those of other days may be among them."""
        return await self._found({"customer_id": contact_id}, _days(day - DAYS_APART, day + DAYS_APART))

    async def between(self, first: date, last: date, page: int) -> tuple[list[OrderRow], bool]:
        """A page of the orders of these days, and whether more follow; those of other days may be among them."""
        request = Request("GET", _PATH, {**_days(first, last), "page": str(page), "per_page": "200"})
        rows, more = await self._caller.rows(request, SalesOrderRow, "salesorders")
        return [_row(row) for row in rows], more

    async def sale(self, salesorder_id: str) -> StandingSale:
        """The order with its sums, lines and what hangs on it."""
        request = Request("GET", path("salesorders", salesorder_id))
        return _sale(await self._caller.one(request, SalesOrder, "salesorder", "sales_order"))

    async def _found(self, wanted: Mapping[str, str], narrowed: Mapping[str, str] | None = None) -> list[OrderRow]:
        rows = await self._caller.find(_PATH, SalesOrderRow, "salesorders", wanted, narrowed=narrowed)
        return [_row(row) for row in rows]


def _days(first: date, last: date) -> dict[str, str]:
    return {"date_start": first.isoformat(), "date_end": last.isoformat()}


def _row(row: SalesOrderRow) -> OrderRow:
    return OrderRow(
        salesorder_id=row.salesorder_id,
        number=row.salesorder_number,
        reference=row.reference_number,
        status=row.order_status or row.status,
        contact_id=row.customer_id,
        day=day_of(row.date),
        total=exact(row.total, row.currency_code) if row.currency_code else None,
    )


def _sale(order: SalesOrder) -> StandingSale:
    alive = [invoice for invoice in order.invoices if invoice.status != "void"]
    return StandingSale(
        row=_row(order),
        inclusive=order.is_inclusive_tax,
        shipping=order.shipping_charge,
        adjustment=order.adjustment,
        tax=order.tax_total,
        lines=tuple(
            StandingLine(item_id=line.item_id, sku=line.sku, quantity=line.quantity, rate=line.rate)
            for line in order.line_items
        ),
        invoiced=sum((invoice.total for invoice in alive), start=order.total * 0),
        open=sum((invoice.balance for invoice in alive), start=order.total * 0),
    )
