"""The order's number is made of the payment's id alone, and no two payments share one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.numbers import order_number, shipment_number
from tests.domain.stripe_like import PROPERTY

ids = st.from_regex(r"(pi|ch|py)_[A-Za-z0-9_]{1,30}", fullmatch=True)


def test_the_format_is_frozen() -> None:
    """These numbers stand in shops' books: a change of the format would write their orders twice."""
    assert order_number("pi_3ABC") == "SO-3ABC"
    assert order_number("ch_3ABC") == "SO-ch-3ABC"
    assert order_number("py_3ABC") == "SO-py-3ABC"


def test_shipments_are_numbered_like_their_order() -> None:
    """One that was taken back is followed by another number."""
    assert [shipment_number("pi_3ABC", round) for round in (0, 1, 2)] == ["SH-3ABC", "SH-3ABC-2", "SH-3ABC-3"]
    assert shipment_number("ch_3ABC") == "SH-ch-3ABC"


@PROPERTY
@given(ids, ids)
def test_two_payments_have_two_numbers(one: str, other: str) -> None:
    """Different ids give different numbers."""
    assert (order_number(one) == order_number(other)) == (one == other)


@PROPERTY
@given(st.from_regex(r"[A-Za-z0-9_]{1,20}", fullmatch=True))
def test_kinds_of_ids_never_meet(tail: str) -> None:
    """An intent, a charge and a payment with the same tail have three numbers."""
    assert len({order_number(f"{kind}_{tail}") for kind in ("pi", "ch", "py")}) == 3


@pytest.mark.parametrize("wrong", ["", "pi_", "in_123", "pi_1-2", "xpi_1", "pi_1\n", "pi_é"])
def test_no_other_id_has_a_number(wrong: str) -> None:
    """What is no payment's id is refused."""
    with pytest.raises(ValueError, match="no payment id"):
        order_number(wrong)
