"""Which credit notes of a customer may have been entered for a refund."""

from __future__ import annotations

from datetime import date

import pytest

from domain.hand_credits import CreditRow, alike, said
from domain.money import Money

DAY = date(2026, 11, 20)
MONEY = Money(minor=500, currency="EUR")
ROW = CreditRow(creditnote_id="cn-1", number="CN-1", status="closed", day=DAY, total=MONEY)


@pytest.mark.parametrize(
    ("change", "asks"),
    [
        ({}, True),
        ({"day": date(2026, 11, 23)}, True),
        ({"day": date(2026, 11, 24)}, False),
        ({"day": None}, False),
        ({"total": Money(minor=501, currency="EUR")}, False),
        ({"total": Money(minor=500, currency="USD")}, False),
        ({"total": None}, False),
        ({"status": "void"}, False),
        ({"status": "draft"}, False),
        ({"reference": "RMA-17"}, True),
        ({"reference": "re_other"}, False),
        ({"reference": "du_other"}, False),
    ],
)
def test_only_what_may_be_the_refunds_is_asked_about(change: dict[str, object], asks: bool) -> None:
    """The same amount within three days, standing, and not another refund's or dispute's by its own word."""
    row = ROW.model_copy(update=change)
    assert alike([row], MONEY, DAY, DAY).alike == ((row,) if asks else ())


@pytest.mark.parametrize(("day", "asks"), [(1, False), (2, True), (15, True), (23, True), (24, False)])
def test_a_dispute_goes_on_for_long(day: int, asks: bool) -> None:
    """From the day on which it was opened until it is booked somebody may have credited it."""
    row = ROW.model_copy(update={"day": date(2026, 11, day)})
    assert bool(alike([row], MONEY, date(2026, 11, 5), DAY).alike) is asks


def test_a_question_names_number_day_amount_and_state() -> None:
    """As a person sees it in Zoho."""
    assert said(ROW) == "CN-1 of 2026-11-20 over 5.00 EUR (closed)"
