"""Which pieces of a sale came back by returns: by the lines of its invoice, and whether that is all of them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from domain.credits import CreditedPieces, Returned, Sold
from domain.returns import ReturnSeen


def pieces_of(
    seen: ReturnSeen, earlier: Iterable[ReturnSeen], sold: Sold, credited: Iterable[CreditedPieces] = ()
) -> tuple[Returned, ...]:
    """What came back, by the lines of the invoice: receivable pieces and credit-only ones apart.

    `earlier` are the returns of the order that money went back for before, `credited` what credit notes without a
    return give back. ValueError names a line that is on no invoice.
    """
    before: dict[str, Decimal] = {}
    for one in earlier:
        for line in one.lines:
            before[line.order_line_id] = before.get(line.order_line_id, Decimal(0)) + line.pieces
    by_order_line = {line.order_line_id: line.line_item_id for line in sold.lines if line.order_line_id}
    ordered = {invoiced: line for line, invoiced in by_order_line.items()}
    for invoiced, pieces in (one for note in credited for one in note.lines):
        if line_id := ordered.get(invoiced):
            before[line_id] = before.get(line_id, Decimal(0)) + pieces
    found: list[Returned] = []
    for line in seen.lines:
        if line.order_line_id not in by_order_line:
            raise ValueError(f"line {line.line_id} of return {seen.number} is on no invoice of its order")
        told = before.get(line.order_line_id, Decimal(0))
        for quantity, restock in ((line.quantity, True), (line.credit_only, False)):
            if quantity:
                invoiced = by_order_line[line.order_line_id]
                found.append(
                    Returned(
                        line_item_id=invoiced,
                        quantity=quantity,
                        before=told,
                        restock=restock,
                        salesreturn_item_id=line.line_id,
                    )
                )
                told += quantity
        before[line.order_line_id] = told
    return tuple(found)


def is_all(returns: Iterable[ReturnSeen], sold: Sold) -> bool:
    """Whether by these returns everything that was sold has come back."""
    back: dict[str, Decimal] = {}
    for line in (line for one in returns for line in one.lines):
        back[line.order_line_id] = back.get(line.order_line_id, Decimal(0)) + line.pieces
    goods = [line for line in sold.lines if line.order_line_id and line.weight > 0]
    return all(back.get(line.order_line_id, Decimal(0)) >= line.quantity for line in goods)
