"""What a lost dispute leaves to be booked: after refunds, and after disputes that were opened earlier."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.disputes import DisputeFacts, DisputeStatus, holds, loss_of
from domain.money import Money
from domain.refunds import RefundSeen, RefundStatus


def eur(minor: int) -> Money:
    """Cents."""
    return Money.of(minor, "EUR")


def dispute(dispute_id: str, day: int, minor: int, status: DisputeStatus = DisputeStatus.LOST) -> DisputeFacts:
    """A dispute opened on that day."""
    return DisputeFacts(
        dispute_id=dispute_id,
        payment_id="pi_1",
        charge_id="ch_1",
        money=eur(minor),
        status=status,
        opened=datetime(2026, 11, day, tzinfo=UTC),
    )


def refund(refund_id: str, day: int, minor: int, status: RefundStatus = RefundStatus.SUCCEEDED) -> RefundSeen:
    """A refund made on that day."""
    return RefundSeen(
        refund_id=refund_id,
        payment_id="pi_1",
        charge_id="ch_1",
        money=eur(minor),
        status=status,
        at=datetime(2026, 11, day, tzinfo=UTC),
    )


def test_what_was_given_back_before_counts_in_order_of_time() -> None:
    """Refunds that stand and earlier lost disputes; not what failed, was won, or was opened later, nor itself."""
    own = dispute("dp_5", 5, 1000)
    others = [own, dispute("dp_2", 2, 200), dispute("dp_3", 3, 300, DisputeStatus.WON), dispute("dp_9", 9, 900)]
    refunds = [refund("re_4", 4, 40), refund("re_1", 1, 10), refund("re_6", 6, 60, RefundStatus.FAILED)]
    loss = loss_of(own, eur(2000), refunds, others)
    assert loss.refund.before == (eur(10), eur(200), eur(40))
    assert (loss.left, loss.under_way, loss.refund.whole, loss.opened) == (eur(1750), (), False, own.opened)


def test_of_two_lost_in_one_second_each_counts_once() -> None:
    """The ids decide: one of them comes first, so together they never take more than there is."""
    first, second = dispute("dp_1", 5, 1500), dispute("dp_2", 5, 1500)
    losses = [loss_of(one, eur(2000), [], [second, first]) for one in (first, second)]
    assert [loss.left for loss in losses] == [eur(2000), eur(500)]


def test_a_refund_under_way_is_named_and_counts() -> None:
    """What is left depends on it."""
    loss = loss_of(dispute("dp_1", 5, 1000), eur(2000), [refund("re_1", 6, 1500, RefundStatus.PENDING)], [])
    assert (loss.under_way, loss.left) == (("re_1",), eur(500))


def test_the_whole_payment_is_lost_as_a_whole() -> None:
    """In a refund's words: every line is credited with its pieces."""
    assert loss_of(dispute("dp_1", 5, 2000), eur(2000), [], []).refund.whole


def test_goods_stay_until_it_is_won_or_dropped() -> None:
    """An inquiry holds them as well, and a lost dispute for good."""
    kept = {status for status in DisputeStatus if holds(dispute("dp_1", 1, 1, status))}
    assert kept == {DisputeStatus.INQUIRY, DisputeStatus.OPEN, DisputeStatus.LOST}
