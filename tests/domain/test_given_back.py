"""What has gone back of a payment, as the run of one return or adjustment sees it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from domain.credits import CreditedPieces
from domain.given_back import ReturnMoney, counted, money_now, paid_before
from domain.money import Money
from domain.policy import ADJUSTMENT_ID_KEY, RETURN_ID_KEY
from domain.refunds import RefundSeen, RefundStatus
from domain.returns import ReturnRef

PAID = Money.of(10000, "EUR")
RETURN = ReturnRef(connection="shop", payment_id="pi_1", return_id="r")
ADJUSTMENT = RETURN.model_copy(update={"return_id": "a", "named_by": ADJUSTMENT_ID_KEY})
FAILED = RefundStatus.FAILED


def refund(number: int, key: str = "", made_for: str = "", status: RefundStatus = RefundStatus.SUCCEEDED) -> RefundSeen:
    """The `number`th refund of the payment, over so many euros."""
    return RefundSeen(
        refund_id=f"re_{number}",
        payment_id="pi_1",
        charge_id="ch_1",
        money=Money.of(100 * number, "EUR"),
        status=status,
        at=datetime(2026, 11, number, tzinfo=UTC),
        metadata={key: made_for} if key else {},
    )


def now(about: ReturnRef, *refunds: RefundSeen) -> ReturnMoney:
    """After these refunds, oldest first."""
    return money_now(PAID, refunds[::-1], about, 0)


def test_others_before_and_after_are_told_apart() -> None:
    """By when money first went back for a return; and by the refund of an adjustment that stands."""
    refunds = [
        refund(1, RETURN_ID_KEY, "other"),
        refund(2, ADJUSTMENT_ID_KEY, "b"),
        refund(3, ADJUSTMENT_ID_KEY, "a", FAILED),
        refund(4, RETURN_ID_KEY, "r"),
        refund(5, ADJUSTMENT_ID_KEY, "a"),
        refund(6, RETURN_ID_KEY, "later"),
        refund(7, ADJUSTMENT_ID_KEY, "c"),
    ]
    a_return, adjustment = now(RETURN, *refunds), now(ADJUSTMENT, *refunds)
    assert (a_return.refund_id, a_return.before, a_return.proposed) == ("re_4", ("other",), ("re_2",))
    assert a_return.after == ("re_7", "re_6", "re_5")
    assert (adjustment.refund_id, adjustment.failed) == ("re_5", ("re_3",))
    assert (adjustment.before, adjustment.proposed, adjustment.after) == (("other", "r"), ("re_2",), ("re_7", "re_6"))
    assert adjustment.left == Money.of(10000 - 100 * (1 + 2 + 4 + 6 + 7), "EUR")


def test_an_adjustment_that_gave_nothing_yet_comes_after_all() -> None:
    """So does one whose refund failed: its credit note is void, and it is asked anew."""
    money = now(ADJUSTMENT, refund(1, ADJUSTMENT_ID_KEY, "a", FAILED), refund(2, RETURN_ID_KEY, "r"))
    assert (money.refund_id, money.before, money.after) == ("", ("r",), ())


@pytest.mark.parametrize(
    ("paid", "before"),
    [
        ((), ()),
        (("a", "b"), ("a", "b")),
        (("a", "own", "b", "own"), ("a",)),
        (("own", "a"), ()),
        (("a", "a", "b"), ("a", "b")),
    ],
)
def test_what_counts_is_what_was_paid_first(paid: tuple[str, ...], before: tuple[str, ...]) -> None:
    """Once a return has been paid, also where that failed, what is paid later never changes what it came to."""
    assert paid_before("own", paid) == before


def test_notes_of_our_own_and_of_later_refunds_do_not_count() -> None:
    """One that a person wrote without a reference does, whether money has gone back or not."""
    notes = [
        CreditedPieces(refund_id=name, lines=(("l1", Decimal(1)),)) for name in ("re_1", "re_2", "re_3", "re_4", "")
    ]
    money = ReturnMoney(captured=PAID, given=PAID.zero(), refund_id="re_2", failed=("re_1",), after=("re_4",))
    assert [note.refund_id for note in counted(notes, money)] == ["re_3", ""]
    first = money.model_copy(update={"refund_id": "", "failed": (), "after": ()})
    assert len(counted(notes, first)) == len(notes)


def test_a_proposed_refund_without_a_credit_note_is_named() -> None:
    """Nobody knows which pieces it was for: nothing is priced until somebody says so."""
    money = ReturnMoney(captured=PAID, given=PAID.zero(), proposed=("re_1", "re_2"))
    with pytest.raises(ValueError, match=r"^re_2 gave money back for an adjustment"):
        counted([CreditedPieces(refund_id="re_1")], money)
