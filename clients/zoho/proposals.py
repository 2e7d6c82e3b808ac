"""Inventory adjustments that people make: listed and read, one HTTP request a method. None is ever written here."""

from __future__ import annotations

from clients.errors import NotFound
from clients.zoho.caller import Caller, path
from clients.zoho.codec import Request
from clients.zoho.records.orders import SalesOrderRow
from clients.zoho.records.stock import Adjustment, AdjustmentDetail
from domain.proposals import ProposalRow, ProposalSeen, ProposedLine

_PAGE = 200


class ZohoProposals:
    """What an adjustment's run asks of Zoho."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def page(self, number: int) -> tuple[list[ProposalRow], bool]:
        """The `number`th page (from 1) of all adjustments, and whether more follow. The specification names paging
        only, and no order of the rows.
        """
        request = Request("GET", "/inventoryadjustments", {"page": str(number), "per_page": str(_PAGE)})
        rows, more = await self._caller.rows(request, Adjustment, "inventory_adjustments")
        return [_row(row) for row in rows], more

    async def read(self, adjustment_id: str, field: str) -> ProposalSeen:
        """The adjustment with its lines and what its custom `field` says; `gone` where Zoho has it no more."""
        request = Request("GET", path("inventoryadjustments", adjustment_id))
        try:
            found = await self._caller.one(request, AdjustmentDetail, "inventory_adjustment")
        except NotFound:
            return ProposalSeen(adjustment_id=adjustment_id, gone=True)
        return ProposalSeen(
            adjustment_id=found.inventory_adjustment_id,
            reason=found.reason,
            reference=found.reference_number,
            named=str(found.custom_field_hash.get(field) or "").strip() if field else "",
            status=found.status,
            kind=found.adjustment_type,
            requester=found.created_by_name,
            lines=tuple(
                ProposedLine(item_id=line.item_id, name=line.name, pieces=line.quantity_adjusted)
                for line in found.line_items
            ),
        )

    async def order(self, salesorder_id: str) -> str:
        """The order's id again; "" where Zoho has no such order."""
        request = Request("GET", path("salesorders", salesorder_id))
        try:
            return (await self._caller.one(request, SalesOrderRow, "salesorder", "sales_order")).salesorder_id
        except NotFound:
            return ""


def _row(row: Adjustment) -> ProposalRow:
    state = "/".join((row.status, row.reason, row.reference_number, row.last_modified_time))
    return ProposalRow(
        adjustment_id=row.inventory_adjustment_id,
        day=row.date,
        reason=row.reason,
        reference=row.reference_number,
        kind=row.adjustment_type,
        state=state,
    )
