"""Sales returns of one organisation: listed, read, received and marked, one HTTP request a method."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from clients.errors import NotFound
from clients.zoho.caller import Caller, path
from clients.zoho.codec import Request
from clients.zoho.documents import CustomField
from clients.zoho.documents.returns import ChangedReturn, NewReceive, ReceivedLine, ReturnedLine
from clients.zoho.records.orders import SalesOrder
from clients.zoho.records.returns import Receive, SalesReturn, SalesReturnLine, SalesReturnRow
from domain.return_polls import ReturnRow
from domain.returns import OrderTrace, ReturnLine, ReturnNote, ReturnSeen

_PAGE = 200


class ZohoReturns:
    """What a return's run asks of Zoho. A ClientError that a method raises says whether it may have happened."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def page(self, number: int) -> tuple[list[ReturnRow], bool]:
        """The `number`th page (from 1) of all returns, and whether more follow. Zoho honours paging here, nothing else
        (facts/zoho.md §2), and may put a new row on top of any page at any time.
        """
        request = Request("GET", "/salesreturns", {"page": str(number), "per_page": str(_PAGE)})
        rows, more = await self._caller.rows(request, SalesReturnRow, "salesreturns")
        return [_row(row) for row in rows], more

    async def read(self, return_id: str) -> ReturnSeen:
        """The return with its lines, receives and credit notes; `gone` where Zoho has it no more."""
        request = Request("GET", path("salesreturns", return_id))
        try:
            return _seen(await self._caller.one(request, SalesReturn, "salesreturn", "sales_return"))
        except NotFound:
            return ReturnSeen(return_id=return_id, gone=True)

    async def trace(self, salesorder_id: str, fields: tuple[str, ...]) -> OrderTrace:
        """The ids of Stripe's that the order's custom `fields`, its reference and its payments hold."""
        request = Request("GET", path("salesorders", salesorder_id))
        order = await self._caller.one(request, SalesOrder, "salesorder", "sales_order")
        said = [str(order.custom_field_hash.get(name, "")) for name in fields if name]
        said += [order.reference_number, *(payment.reference_number for payment in order.payments)]
        ids = [one for one in said if one.startswith(("pi_", "ch_", "py_"))]
        found = tuple(dict.fromkeys(ids))
        return OrderTrace(salesorder_id=salesorder_id, number=order.salesorder_number, candidates=found)

    async def receive(self, return_id: str, lines: tuple[tuple[str, Decimal], ...], day: date) -> str:
        """Book pieces as received: they are in physical stock again. Twice receives twice; the id of the receive."""
        body = NewReceive(
            date=day, line_items=tuple(ReceivedLine(line_item_id=line, quantity=pieces) for line, pieces in lines)
        )
        request = Request("POST", "/salesreturnreceives", {"salesreturn_id": return_id}, body=body.body())
        return (await self._caller.one(request, Receive, "salesreturn", "salesreturnreceive")).receive_id

    async def delete_receive(self, receive_id: str) -> None:
        """Take a receive back: its pieces are out of stock again."""
        await self._caller.call(Request("DELETE", path("salesreturnreceives", receive_id)))

    async def mark(self, seen: ReturnSeen, fields: Mapping[str, str]) -> None:
        """The return with these custom fields, by api_name, and otherwise as it was `seen`."""
        body = ChangedReturn(
            line_items=tuple(
                ReturnedLine(
                    line_item_id=line.line_id,
                    item_id=line.item_id,
                    salesorder_item_id=line.order_line_id,
                    quantity=line.quantity,
                    non_receive_quantity=line.credit_only,
                )
                for line in seen.lines
            ),
            custom_fields=tuple(CustomField(api_name=name, value=value) for name, value in fields.items()),
        )
        request = Request(
            "PUT", path("salesreturns", seen.return_id), {"salesorder_id": seen.salesorder_id}, body=body.body()
        )
        await self._caller.call(request)


def _row(row: SalesReturnRow) -> ReturnRow:
    state = f"{row.salesreturn_status}/{row.receive_status}/{row.refund_status}/{row.refunded_amount}"
    return ReturnRow(return_id=row.salesreturn_id, day=row.date, state=state)


def _seen(found: SalesReturn) -> ReturnSeen:
    received: dict[str, Decimal] = {}
    for receive in found.salesreturnreceives:
        for line in receive.line_items:
            received[line.line_item_id] = received.get(line.line_item_id, Decimal(0)) + line.quantity
    return ReturnSeen(
        return_id=found.salesreturn_id,
        number=found.salesreturn_number,
        status=found.salesreturn_status,
        refund_status=found.refund_status,
        receive_status=found.receive_status,
        salesorder_id=found.salesorder_id,
        requester=found.requester(),
        lines=tuple(_line(line, received) for line in found.line_items),
        notes=tuple(
            ReturnNote(creditnote_id=n.creditnote_id, number=n.creditnote_number, status=n.status, total=n.total)
            for n in found.creditnotes
        ),
        receives=tuple(receive.receive_id for receive in found.salesreturnreceives),
        fields={name: str(value) for name, value in found.custom_field_hash.items()},
    )


def _line(line: SalesReturnLine, received: Mapping[str, Decimal]) -> ReturnLine:
    return ReturnLine(
        line_id=line.line_item_id,
        item_id=line.item_id,
        order_line_id=line.salesorder_item_id,
        quantity=line.quantity,
        credit_only=line.non_receive_quantity,
        received=received.get(line.line_item_id, Decimal(0)),
    )
