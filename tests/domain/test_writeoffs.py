"""A recorded payment that is lowered, and how an invoice stands of which a part is to be written off."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.documents import ReceiptRecord, Share
from domain.money import Money
from domain.writeoffs import OweState, lowered, state_of


def eur(minor: int) -> Money:
    """Cents."""
    return Money.of(minor, "EUR")


def record(amount: int, *shares: tuple[str, int]) -> ReceiptRecord:
    """A recorded payment, applied to invoices."""
    return ReceiptRecord(
        zoho_payment_id="p-1",
        contact_id="c-1",
        mode="Stripe",
        amount=eur(amount),
        day=date(2026, 11, 26),
        shares=tuple(Share(invoice_id=name, amount=eur(minor)) for name, minor in shares),
        bank_charges=eur(3),
    )


@given(st.integers(1, 10**9), st.data())
def test_what_is_lowered_is_less_by_just_that(amount: int, data: st.DataObject) -> None:
    """Payment and share alike; nothing of it is left where all was lost; its charges stay as they are."""
    money = data.draw(st.integers(1, amount))
    left = lowered(record(amount, ("in-1", amount)), "in-1", eur(money))
    assert left == (record(amount - money, ("in-1", amount - money)) if money < amount else None)


def test_other_invoices_keep_their_shares() -> None:
    """Only the invoice whose sale was lost wants money again."""
    assert lowered(record(500, ("in-1", 200), ("in-2", 300)), "in-1", eur(200)) == record(300, ("in-2", 300))


@pytest.mark.parametrize(
    "wrong", [record(500, ("in-2", 500)), record(500, ("in-1", 100)), record(500, ("in-1", 200)), record(500)]
)
def test_what_did_not_bring_so_much_is_not_lowered(wrong: ReceiptRecord) -> None:
    """Another invoice's payment, one that brought less, and one whose rest is on no invoice."""
    with pytest.raises(ValueError, match="p-1"):
        lowered(wrong, "in-1", eur(200))


@pytest.mark.parametrize(
    ("balance", "off", "state"),
    [
        (0, 0, OweState.PAID),
        (200, 0, OweState.OWED),
        (0, 200, OweState.WRITTEN_OFF),
        (100, 0, OweState.OTHER),
        (0, 199, OweState.OTHER),
        (200, 200, OweState.OTHER),
    ],
)
def test_how_an_invoice_stands(balance: int, off: int, state: OweState) -> None:
    """Just the loss counts as ours; whatever else is owed or given up is somebody else's doing."""
    assert state_of(eur(balance), eur(off), eur(200)) is state


def test_amounts_finer_than_a_cent_are_nobody_s() -> None:
    """They are no money of Stripe's."""
    assert {state_of(None, eur(0), eur(1)), state_of(eur(0), None, eur(1))} == {OweState.OTHER}
