"""What a sales order of Zoho's says of the credit notes that were written for it."""

from __future__ import annotations

from typing import Any

from clients.zoho.records.orders import SalesOrder
from clients.zoho.translation.credits import sale_of
from domain.money import Money


def order(*notes: dict[str, Any]) -> SalesOrder:
    """An order in euros with these credit notes."""
    about = {"salesorder_id": "so", "currency_code": "EUR", "total": 49.9}
    return SalesOrder.model_validate({**about, "creditnotes": notes})


def note(name: str, total: float, **more: str) -> dict[str, Any]:
    """A credit note as an order shows it."""
    return {"creditnote_id": name, "creditnote_number": f"CN-{name}", "status": "open", "total": total, **more}


def test_a_note_is_in_the_currency_that_it_says() -> None:
    """Else in its order's; what is in another currency is no part of what was credited of the sale."""
    sold = sale_of(order(note("1", 12), note("2", 5, currency_code="EUR"), note("3", 12, currency_code="USD")))
    assert [str(one.total) for one in sold.by_hand] == ["12.00 EUR", "5.00 EUR", "12.00 USD"]
    assert (sold.credited, sold.notes) == (Money.of(1700, "EUR"), ("1", "2", "3"))


def test_what_counts_by_nothing_or_names_a_cause_of_stripes_is_not_by_hand() -> None:
    """Void ones and drafts are no credit notes yet, or no longer; what names the cause that is asked about is told."""
    void, draft = (note(one, 7, status=one, reference_number="dp_1") for one in ("void", "draft"))
    mine, other = (note(one, 5, reference_number=one) for one in ("dp_1", "re_1"))
    sold = sale_of(order(void, draft, mine, other, note("2", 5)), "dp_1")
    assert ([one.creditnote_id for one in sold.by_hand], sold.notes) == (["2"], ("dp_1", "re_1", "2"))
    assert [(one.number, one.status) for one in sold.named] == [("CN-dp_1", "open")]
    assert (sold.noted, sale_of(order(note("1", 5))).noted) == (True, False)
