"""What an adjustment says of a return: whether it was meant, and which pieces of the order came back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.credits import CreditedPieces, Sold, SoldLine, returned_lines
from domain.money import Money
from domain.policy import ReturnPolicy
from domain.proposals import ProposalSeen, ProposedLine, credited_before, proposed_pieces
from domain.returns import ReturnLine, ReturnSeen

REASON = ReturnPolicy(adjustment_reason="Customer return")
FIELD = ReturnPolicy(adjustment_order_field="cf_return_of")
SALE = Sold(
    salesorder_id="so",
    status="confirmed",
    lines=(
        SoldLine(line_item_id="l1", order_line_id="o1", item_id="mug", quantity=Decimal(2), net=Decimal("30.00")),
        SoldLine(line_item_id="l2", order_line_id="o2", item_id="tea", quantity=Decimal(3), net=Decimal("29.97")),
        SoldLine(line_item_id="l3", order_line_id="o3", item_id="tea", quantity=Decimal(1), net=Decimal("5.00")),
        SoldLine(name="Shipping", net=Decimal("4.90")),
    ),
)


def proposal(*pieces: tuple[str, int], **words: str) -> ProposalSeen:
    """An adjustment of these items."""
    lines = tuple(ProposedLine(item_id=item, name=item.upper(), pieces=Decimal(count)) for item, count in pieces)
    return ProposalSeen(adjustment_id="77", kind="quantity", status="adjusted", lines=lines, **words)


@pytest.mark.parametrize(
    ("policy", "words", "meant"),
    [
        (REASON, {"reason": " customer RETURN "}, True),
        (REASON, {"reason": "Recount"}, False),
        (REASON, {"reason": "Recount", "named": "SO-1"}, True),
        (REASON, {"reason": "Customer return", "reference": "pi_1"}, False),
        (FIELD, {"reason": "", "reference": "SO-1"}, False),
        (FIELD, {"named": "SO-1", "reference": "ch_1"}, False),
        (ReturnPolicy(), {"reason": ""}, False),
    ],
)
def test_what_proposes_a_refund(policy: ReturnPolicy, words: dict[str, str], meant: bool) -> None:
    """The agreed reason or an order in the field; never what has a payment's id as its reference."""
    assert proposal(("mug", 1), **words).meant(policy) is meant


def test_one_of_value_proposes_nothing() -> None:
    """It moves no pieces."""
    seen = proposal(("mug", 1), reason="Customer return").model_copy(update={"kind": "value"})
    assert not seen.meant(REASON)


@pytest.mark.parametrize(("status", "counts", "ended"), [
    ("adjusted", True, False), ("", True, False), ("draft", False, False), ("pending_approval", False, False),
    ("rejected", False, True), ("void", False, True),
])  # fmt: skip
def test_when_it_counts(status: str, counts: bool, ended: bool) -> None:
    """Once it has moved stock; until then it may still come to nothing."""
    seen = proposal(("mug", 1)).model_copy(update={"status": status})
    assert (seen.counts, bool(seen.ended)) == (counts, ended)


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        ([("pot", 1)], "POT is not in the order"),
        ([("mug", 3)], "more pieces of MUG"),
        ([("mug", 2), ("mug", 1)], "more pieces of MUG"),
        ([("mug", 1), ("tea", -1)], "takes TEA out of stock"),
        ([("mug", 0)], "no pieces"),
        ([], "no pieces"),
        ([("tea", 2)], "several prices"),
    ],
)
def test_what_does_not_fit_is_said(pieces: list[tuple[str, int]], why: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match=why):
        proposed_pieces(proposal(*pieces), SALE, {})


def test_all_of_several_prices_need_no_choice() -> None:
    """Whichever piece it was, all of them came back."""
    found = proposed_pieces(proposal(("tea", 4)), SALE, {})
    assert [(one.line_item_id, one.quantity, one.restock) for one in found] == [
        ("l2", Decimal(3), False),
        ("l3", Decimal(1), False),
    ]


def test_what_came_back_otherwise_is_counted() -> None:
    """By returns and by credit notes."""
    back = ReturnSeen(return_id="1", lines=(ReturnLine(line_id="r", order_line_id="o2", quantity=Decimal(2)),))
    notes = [CreditedPieces(refund_id="re_other", lines=(("l1", Decimal(1)),))]
    before = credited_before(SALE, [back], notes)
    assert before == {"l2": 2, "l1": 1}
    (mug,) = proposed_pieces(proposal(("mug", 1)), SALE, before)
    assert (mug.quantity, mug.before) == (Decimal(1), Decimal(1))
    with pytest.raises(ValueError, match="2, and 1 can still"):
        proposed_pieces(proposal(("mug", 2)), SALE, before)


@given(
    counts=st.lists(st.integers(1, 3), min_size=1, max_size=5),
    net=st.integers(1, 9999),
    rest=st.integers(1, 9999),
    captured=st.integers(1, 99999),
)
def test_piece_by_piece_comes_to_what_the_line_cost(counts: list[int], net: int, rest: int, captured: int) -> None:
    """However the pieces are split over adjustments, all of them cost the line's share of the payment."""
    line = SoldLine(line_item_id="l1", item_id="mug", quantity=Decimal(sum(counts)), net=Decimal(net) / 100)
    sold = Sold(
        salesorder_id="so", status="confirmed", lines=(line, SoldLine(name="Shipping", net=Decimal(rest) / 100))
    )
    paid = Money.of(captured, "EUR")
    share = paid.split([one.weight for one in sold.lines])[0]
    given_back, before = 0, {"l1": Decimal(0)}
    for count in counts:
        lines = returned_lines(sold, paid, proposed_pieces(proposal(("mug", count)), sold, before), shipping=False)
        given_back += sum(one.gross.minor for one in lines)
        before["l1"] += count
    assert given_back == share.minor
