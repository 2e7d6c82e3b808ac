"""Payouts and their lines through the gateway, against the Stripe sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from clients.errors import NotFound, Refused
from clients.signing import SigningRing, signed_by
from clients.stripe.gateway import StripeGateway
from domain.canonical import canonical
from domain.certificates import certify
from domain.matching import explain
from domain.money import Money, total
from domain.payouts import LineKind, PayoutKind, PayoutStatus, Reconciled, sum_faults
from domain.postings import AccountNames
from domain.verification import verify
from tests.clients.stripe.fake import FakeStripe
from tests.clients.stripe.shop import Shop

EUR = "EUR"


async def paid(shop: Shop, **wish: Any) -> dict[str, Any]:
    """A payment whose balance transaction is there."""
    made: dict[str, Any] = await shop.pay("bare", **{"amount": 4990, **wish})
    await shop.post(f"/_charges/{made['charge']}/balance", {})
    return made


async def paid_out(shop: Shop, **wish: Any) -> str:
    """The id of a payout of all there is, paid and reconciled."""
    made = await shop.post("/_payouts", {"pending_too": True, **wish})
    await shop.post(f"/_payouts/{made['id']}/pay", {})
    if made["automatic"]:
        await shop.post(f"/_payouts/{made['id']}/reconcile", {})
    return str(made["id"])


@pytest.fixture
async def shop(shop: Shop) -> Shop:
    """A shop where nothing happens by itself, and whose fees are taxed."""
    never = dict.fromkeys(("balance_after", "payout_after", "reconciled_after"))
    await shop.post("/_switches", {**never, "fee_tax_percent": 19.0})
    return shop


async def test_payouts_of_a_time_are_listed_page_by_page(shop: Shop) -> None:
    """Newest first, each with its own rows, as when it is read alone; those of another time are left out."""
    made = []
    for _ in range(3):
        await paid(shop)
        made.append(await paid_out(shop))
    await shop.post(f"/_payouts/{made[1]}/fail", {})
    payouts, now = shop.gateway.payouts, datetime.now(UTC)
    first = await payouts.made(now - timedelta(hours=1), now, limit=2)
    second = await payouts.made(now - timedelta(hours=1), now, first.after, limit=2)
    assert [one.payout_id for one in (*first.payouts, *second.payouts)] == made[::-1]
    assert (first.after, second.after) == (made[1], "")
    assert first.payouts[1] == await payouts.fetch(made[1])
    assert first.payouts[1].status is PayoutStatus.FAILED
    assert (await payouts.made(now - timedelta(days=2), now - timedelta(days=1))).payouts == ()


async def test_the_balance_is_the_sum_of_all_that_moved(shop: Shop) -> None:
    """A statement from the beginning on, payouts' own rows among them, sums to what Stripe holds; so at any time."""
    payouts, begin = shop.gateway.payouts, datetime.now(UTC) - timedelta(minutes=1)
    assert await payouts.held() == {EUR: Money.of(0, EUR)}
    first = await paid(shop)
    await shop.post("/_movements", {"amount": -250, "kind": "stripe_fee", "category": "fee", "description": "Radar"})
    payout_id = await paid_out(shop)
    await paid(shop, currency="usd")
    statement = (await payouts.statement(begin)).lines
    assert total((row.net for row in statement), EUR) == (await payouts.held())[EUR] > Money.of(0, EUR)
    assert [row.kind for row in statement] == [LineKind.CHARGE, LineKind.PAYOUT, LineKind.FEE, LineKind.CHARGE]
    assert (statement[1].source_id, statement[3].source_id) == (payout_id, first["charge"])
    assert (await payouts.statement(datetime.now(UTC) + timedelta(minutes=1))).lines == ()


async def test_a_payout_is_read_with_every_kind_of_line(shop: Shop) -> None:
    """Charges in two currencies, refunds that stand and fail, a dispute that is won, fees, corrections, reserves."""
    first, dollars = await paid(shop), await paid(shop, currency="usd")
    refund = await shop.post("/_refunds", {"charge": first["charge"], "amount": 1000})
    failed = await shop.post("/_refunds", {"charge": dollars["charge"], "amount": 500})
    await shop.post(f"/_refunds/{failed['id']}/fail", {})
    dispute = await shop.post(f"/_charges/{dollars['charge']}/dispute", {})
    await shop.post(f"/_disputes/{dispute['id']}/close", {"outcome": "won"})
    for amount, kind, category in (
        (-250, "stripe_fee", "fee"),
        (-48, "tax_fee", "tax"),
        (7, "adjustment", "other_adjustment"),
    ):
        await shop.post("/_movements", {"amount": amount, "kind": kind, "category": category, "description": "Radar"})
    payout = await shop.gateway.payouts.fetch(await paid_out(shop))
    lines = await shop.gateway.payouts.lines(payout)
    assert (payout.kind, payout.status, payout.reconciled) == (
        PayoutKind.AUTOMATIC, PayoutStatus.PAID, Reconciled.COMPLETED
    )  # fmt: skip
    assert payout.ready
    assert sum_faults(payout, lines) == []
    assert total((line.net for line in lines), EUR) == payout.money
    kinds = [line.kind for line in reversed(lines)]
    assert kinds == [
        LineKind.CHARGE, LineKind.CHARGE, LineKind.REFUND, LineKind.REFUND, LineKind.REFUND_FAILURE,
        LineKind.DISPUTE, LineKind.DISPUTE_REVERSAL, LineKind.FEE, LineKind.TAX, LineKind.ADJUSTMENT,
    ]  # fmt: skip
    eur, usd, back, _, returned, taken, won, radar, *_ = reversed(lines)
    assert (eur.source_id, eur.payment_id, eur.charged) == (
        first["charge"],
        first["payment_intent"],
        Money.of(4990, EUR),
    )
    assert {part.kind for part in eur.parts} == {"stripe_fee", "tax"}
    assert (usd.charged, usd.amount.currency, usd.rate) == (Money.of(4990, "USD"), EUR, Decimal("0.909091"))
    assert (back.source_id, back.payment_id, back.charged) == (
        refund["id"],
        first["payment_intent"],
        Money.of(-1000, EUR),
    )
    assert (returned.source_id, returned.charged) == (failed["id"], Money.of(500, "USD"))
    assert (taken.source_id, taken.charged, taken.fee) == (dispute["id"], Money.of(-4990, "USD"), Money.of(1500, EUR))
    assert (won.charged, won.fee) == (Money.of(4990, "USD"), Money.of(-1500, EUR))
    assert (radar.says, radar.source_id, radar.charged) == ("Radar", "", None)
    assert eur.says == ""


async def test_lines_come_page_by_page(shop: Shop) -> None:
    """Each once, the payout's own row in none of them, wherever it falls."""
    for _ in range(5):
        await paid(shop)
    payout = await shop.gateway.payouts.fetch(await paid_out(shop))
    seen, after, sizes = [], "", []
    assert payout.own is not None
    while True:
        page = await shop.gateway.payouts.page(payout.payout_id, payout.own.transaction_id, after, limit=2)
        seen += [line.transaction_id for line in page.lines]
        sizes.append(len(page.lines))
        if not (after := page.after):
            break
    assert sizes == [1, 2, 2]
    assert seen == [line.transaction_id for line in await shop.gateway.payouts.lines(payout)]
    assert len(set(seen)) == 5
    assert payout.own.transaction_id not in seen


@pytest.mark.parametrize("kind", ["manual", "instant"])
async def test_a_payout_that_is_not_itemised_has_no_lines(shop: Shop, kind: str) -> None:
    """Nothing is asked for; its own row says what it took, its fee with it."""
    await paid(shop)
    payout = await shop.gateway.payouts.fetch(await paid_out(shop, kind=kind, amount=2000))
    assert (payout.kind.value, payout.itemised, payout.ready) == (kind, False, True)
    assert await shop.gateway.payouts.lines(payout) == []
    assert payout.own is not None
    assert payout.own.fee == Money.of(20 if kind == "instant" else 0, EUR)
    with pytest.raises(Refused):
        await shop.gateway.payouts.page(payout.payout_id, "")


async def test_a_payout_that_failed_tells_what_came_back(shop: Shop) -> None:
    """With Stripe's word for it; the next payout has that row, and its money."""
    await paid(shop)
    payout_id = await paid_out(shop)
    await shop.post(f"/_payouts/{payout_id}/fail", {"code": "no_account"})
    payout = await shop.gateway.payouts.fetch(payout_id)
    assert (payout.status, payout.failure) == (PayoutStatus.FAILED, "no_account")
    assert payout.returned is not None
    assert payout.returned.net == payout.money
    again = await shop.gateway.payouts.fetch(await paid_out(shop))
    (line,) = await shop.gateway.payouts.lines(again)
    assert (line.kind, line.source_id, line.net) == (LineKind.PAYOUT_REVERSAL, payout_id, again.money)


async def test_one_that_is_not_reconciled_is_not_ready(shop: Shop) -> None:
    """Its lines are refused with Stripe's code until it is."""
    await paid(shop)
    made = await shop.post("/_payouts", {"pending_too": True})
    payout = await shop.gateway.payouts.fetch(made["id"])
    assert (payout.status, payout.ready) == (PayoutStatus.PENDING, False)
    with pytest.raises(Refused) as refusal:
        await shop.gateway.payouts.lines(payout)
    assert refusal.value.code == "payout_reconciliation_not_ready"
    with pytest.raises(NotFound):
        await shop.gateway.payouts.fetch("po_nowhere")


async def test_a_word_that_nobody_knows_is_not_guessed(fake: FakeStripe, gateway: StripeGateway) -> None:
    """A status, and a reconciliation, that are new."""
    odd = {"object": "payout", "id": "po_1", "amount": 1, "currency": "eur", "status": "beamed", "created": 1}
    fake.on("GET /v1/payouts/po_1", odd)
    with pytest.raises(Refused, match="unknown status 'beamed'"):
        await gateway.payouts.fetch("po_1")
    fake.on("GET /v1/payouts/po_1", {**odd, "status": "paid", "reconciliation_status": "maybe"})
    with pytest.raises(Refused, match="unknown reconciliation_status 'maybe'"):
        await gateway.payouts.fetch("po_1")


async def test_what_was_read_can_be_certified(shop: Shop) -> None:
    """From the sandbox's rows to a document that verifies by itself; nobody's name is in it."""
    made = await paid(shop, description="For Ada Lovelace", guest={"email": "ada@example.com", "name": "Ada Lovelace"})
    await shop.post("/_refunds", {"charge": made["charge"], "amount": 990})
    payout = await shop.gateway.payouts.fetch(await paid_out(shop))
    ring = SigningRing.generate()
    explained = explain(payout, await shop.gateway.payouts.lines(payout), ())
    certificate = certify(explained, AccountNames(), ring, connection="shop", at=payout.created)
    text = canonical(certificate.document())
    assert verify(text, signed_by, trusted=ring.public_key).sound
    assert b"Lovelace" not in text  # "Ada" alone may stand in a random id
    assert b"example.com" not in text
