"""What a refund gives back of a sale: to the minor unit, whatever the parts."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.credits import NoteByHand, Sold, SoldLine, but_ours, credit_lines, credited_twice, shares
from domain.money import Money, total
from domain.policy import Restock
from domain.refunds import RefundFacts, RefundStatus

MUGS = SoldLine(
    line_item_id="l1", item_id="i1", quantity=Decimal(2), net=Decimal("30.00"), tax_id="t19", tax_percentage=Decimal(19)
)
TEA = SoldLine(line_item_id="l2", item_id="i2", net=Decimal("9.99"), tax_id="t7", tax_percentage=Decimal(7))
SENT = SoldLine(name="Shipping", net=Decimal("4.90"))
SOLD = Sold(salesorder_id="so", status="confirmed", contact_id="c", invoice_id="in", lines=(MUGS, TEA, SENT))
CAPTURED = 3570 + 1069 + 490


def refund(minor: int, *before: int, captured: int = CAPTURED, currency: str = "EUR") -> RefundFacts:
    """A refund of `minor` after others."""
    return RefundFacts(
        refund_id="re_1",
        payment_id="pi_1",
        money=Money.of(minor, currency),
        status=RefundStatus.SUCCEEDED,
        at=datetime(2026, 11, 26, tzinfo=UTC),
        captured=Money.of(captured, currency),
        before=tuple(Money.of(one, currency) for one in before),
    )


def test_a_whole_refund_credits_each_line_with_what_it_came_to() -> None:
    """Pieces, tax and amount of every line, shipping included."""
    lines = credit_lines(SOLD, refund(CAPTURED), Restock.WHEN_UNSHIPPED)
    assert [line.gross.minor for line in lines] == [3570, 1069, 490]
    assert [(line.item_id, line.quantity, line.tax_id) for line in lines] == [
        ("i1", Decimal(2), "t19"),
        ("i2", Decimal(1), "t7"),
        ("", Decimal(1), ""),
    ]
    assert [line.restock for line in lines] == [True, True, False]


def test_a_part_is_shared_out_to_the_rates_and_names_no_goods() -> None:
    """Nobody said what came back: no item, no pieces, one line for each tax rate."""
    lines = credit_lines(SOLD, refund(1000), Restock.ALWAYS)
    assert {line.item_id for line in lines} == {""}
    assert {line.tax_id: line.gross.minor for line in lines} == {"t19": 696, "t7": 208, "": 96}


@pytest.mark.parametrize(
    ("restock", "shipped", "returns"),
    [
        (Restock.NEVER, False, False),
        (Restock.WHEN_UNSHIPPED, False, True),
        (Restock.WHEN_UNSHIPPED, True, False),
        (Restock.ALWAYS, True, True),
    ],
)
def test_what_returns_to_stock(restock: Restock, shipped: bool, returns: bool) -> None:
    """By policy, and by whether the goods have left."""
    sold = SOLD.model_copy(update={"lines": (MUGS.model_copy(update={"shipped": shipped}),)})
    (line,) = credit_lines(sold, refund(3570, captured=3570), restock)
    assert (line.restock, line.shipped) == (returns, shipped)


def test_the_adjustment_of_a_sale_is_spread_over_its_lines() -> None:
    """Zoho's lines may come to a cent more or less than was captured: the credit comes to what was captured."""
    lines = credit_lines(SOLD, refund(CAPTURED - 1, captured=CAPTURED - 1), Restock.NEVER)
    assert sum(line.gross.minor for line in lines) == CAPTURED - 1


money = st.integers(min_value=0, max_value=10**7)


@given(gross=st.lists(money, min_size=1, max_size=6).filter(any), cuts=st.lists(st.integers(1, 10**7), max_size=8))
def test_all_refunds_together_give_back_each_part_exactly(gross: list[int], cuts: list[int]) -> None:
    """However a payment is refunded in parts, no part gets more than it was worth, and all of them get all of it."""
    parts = [Money.of(one, "EUR") for one in gross]
    whole = sum(gross)
    marks = sorted({cut for cut in cuts if cut < whole} | {whole})
    amounts = [Money.of(high - low, "EUR") for low, high in zip([0, *marks], marks, strict=False)]
    sums = [Money.of(0, "EUR")] * len(parts)
    for number, amount in enumerate(amounts):
        given_back = shares(parts, amounts[:number], amount)
        assert total(given_back, "EUR") == amount
        assert all(one.minor >= 0 for one in given_back)
        sums = [so_far + one for so_far, one in zip(sums, given_back, strict=True)]
        assert all(so_far <= part for so_far, part in zip(sums, parts, strict=True))
    assert sums == parts


def test_a_note_by_hand_that_may_be_the_refunds() -> None:
    """Over the same amount; or all of them, where more would be credited than was paid."""
    five, twelve = (
        NoteByHand(creditnote_id=name, total=Money.of(minor, "EUR")) for name, minor in (("5", 500), ("12", 1200))
    )
    sold = SOLD.model_copy(update={"by_hand": (five, twelve), "credited": Money.of(1800, "EUR")})
    assert credited_twice(sold, refund(1200)) == (twelve,)
    assert credited_twice(sold, refund(1100)) == ()
    assert credited_twice(sold, refund(CAPTURED - 1800)) == ()
    assert credited_twice(sold, refund(CAPTURED - 1799)) == (five, twelve)
    assert credited_twice(sold.model_copy(update={"credited": None}), refund(CAPTURED)) == ()
    assert credited_twice(SOLD.model_copy(update={"credited": Money.of(1, "EUR")}), refund(CAPTURED)) == ()


def test_a_note_by_hand_in_another_currency_is_never_alike() -> None:
    """Neither by its figures nor where more would be credited than was paid."""
    dollars = NoteByHand(creditnote_id="12", total=Money.of(1200, "USD"))
    euros = NoteByHand(creditnote_id="5", total=Money.of(500, "EUR"))
    sold = SOLD.model_copy(update={"by_hand": (dollars, euros), "credited": Money.of(500, "EUR")})
    assert credited_twice(sold, refund(1200)) == ()
    assert credited_twice(sold, refund(CAPTURED)) == (euros,)


def test_what_is_known_to_be_ours_is_nobody_elses() -> None:
    """Neither by hand nor named by a person; a second note that names the same cause does not change that."""
    ours, theirs = (NoteByHand(creditnote_id=name) for name in ("ours", "theirs"))
    sold = SOLD.model_copy(update={"by_hand": (ours, theirs), "named": (ours, theirs), "noted": True})
    seen = but_ours(sold, {"ours", "another"})
    assert (seen.by_hand, seen.named, seen.noted) == ((theirs,), (), True)
    assert but_ours(sold, {"another"}) == sold
