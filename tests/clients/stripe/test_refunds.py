"""Refunds and disputes through the gateway, against the Stripe sandbox."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from clients.errors import ClientError, NotFound, OutcomeUnknown, RateLimited, Refused
from clients.stripe.gateway import StripeGateway
from domain.disputes import DisputeStatus
from domain.money import Money
from domain.payments import PaymentStatus
from domain.refunds import RefundStatus
from tests.clients.stripe.fake import FakeStripe, listed
from tests.clients.stripe.shop import Shop

TEN = Money.of(1000, "EUR")


async def test_a_refund_is_made_and_read_back(shop: Shop) -> None:
    """Its money, purpose and metadata, and what it moved; the payment's list finds it by its metadata."""
    paid = await shop.pay("bare", amount=3998)
    refunds, payment = shop.gateway.refunds, paid["payment_intent"]
    made = await refunds.create(
        payment, TEN, purpose="requested_by_customer", metadata={"zoho_return_id": "77"}, idempotency_key="run/refund"
    )
    assert (made.payment_id, made.charge_id, made.money) == (payment, paid["charge"], TEN)
    assert (made.status, made.purpose, made.metadata) == (
        RefundStatus.SUCCEEDED, "requested_by_customer", {"zoho_return_id": "77"}
    )  # fmt: skip
    assert made.moved is not None
    assert (made.moved.money, made.moved.fee, made.moved.net) == (-TEN, TEN.zero(), -TEN)
    second = await refunds.create(payment, TEN, metadata={}, idempotency_key="run/second")
    assert await refunds.of(payment) == [second, made]
    assert await refunds.of(paid["charge"]) == [second, made]
    await refunds.mark(made.refund_id, {"zoho_creditnote_id": "9"}, idempotency_key="run/mark")
    assert (await refunds.look(made.refund_id)).metadata == {"zoho_return_id": "77", "zoho_creditnote_id": "9"}


async def test_a_refund_of_an_old_charge(shop: Shop) -> None:
    """A charge without intent is refunded by its own id, and is the payment."""
    paid = await shop.pay("charge_only", amount=3998)
    made = await shop.gateway.refunds.create(paid["charge"], TEN, metadata={}, idempotency_key="run/refund")
    assert made.payment_id == made.charge_id == paid["charge"]


@pytest.mark.parametrize(
    ("fault", "error", "applied"),
    [
        ({"fault": "lost"}, OutcomeUnknown, True),
        ({"fault": "malformed"}, OutcomeUnknown, True),
        ({"fault": "drop"}, OutcomeUnknown, False),
        ({"fault": "server_error"}, OutcomeUnknown, False),
        ({"fault": "rate_limit"}, RateLimited, False),
        ({"fault": "refuse"}, Refused, False),
    ],
)
async def test_no_fault_refunds_twice(
    shop: Shop, fault: dict[str, Any], error: type[ClientError], applied: bool
) -> None:
    """What may have been made is unknown, never denied; the same key then makes it once."""
    paid = await shop.pay("bare", amount=3998)
    create = shop.gateway.refunds.create
    given: dict[str, Any] = {"metadata": {"case": "77"}, "idempotency_key": "run/refund"}
    await shop.post("/_faults", {"method": "POST", "path": "/v1/refunds$", **fault})
    with pytest.raises(error):
        await create(paid["payment_intent"], TEN, **given)
    assert (len(await shop.ledger("refunds")) == 1) is applied
    made = await create(paid["payment_intent"], TEN, **given)
    assert [row["id"] for row in await shop.ledger("refunds")] == [made.refund_id]


async def test_what_stripe_refuses_to_refund(shop: Shop) -> None:
    """More than is left, what is refunded already, what is disputed, a key of another refund: each with its code."""
    paid, other = [(await shop.pay("bare", amount=1500)) for _ in range(2)]
    create = shop.gateway.refunds.create

    async def refused(payment: str, amount: Money, key: str) -> str:
        with pytest.raises(Refused) as refusal:
            await create(payment, amount, metadata={}, idempotency_key=key)
        return refusal.value.code

    assert await refused(paid["payment_intent"], Money.of(1501, "EUR"), "a") == ""
    await create(paid["payment_intent"], TEN, metadata={}, idempotency_key="b")
    assert await refused(paid["payment_intent"], Money.of(400, "EUR"), "b") == "idempotency_error"
    await create(paid["payment_intent"], Money.of(500, "EUR"), metadata={}, idempotency_key="c")
    assert await refused(paid["payment_intent"], Money.of(1, "EUR"), "d") == "charge_already_refunded"
    await shop.post(f"/_charges/{other['charge']}/dispute", {})
    assert await refused(other["payment_intent"], TEN, "e") == "charge_disputed"
    assert sum(row["amount"] for row in await shop.ledger("refunds")) == 1500


@pytest.mark.parametrize("amount", [Money.of(1000, "JPY"), Money.of(0, "EUR"), Money.of(-1, "EUR")])
async def test_another_currency_is_never_sent(shop: Shop, amount: Money) -> None:
    """Stripe would take the number for its own currency: 1000 yen would be 10 euro."""
    paid = await shop.pay("bare", amount=3998)
    with pytest.raises(Refused) as refusal:
        await shop.gateway.refunds.create(paid["payment_intent"], amount, metadata={}, idempotency_key="k")
    assert refusal.value.code == "currency"
    assert await shop.ledger("refunds") == []


async def test_a_refund_that_failed_tells_both_movements(shop: Shop) -> None:
    """What left and what came back, and why."""
    paid = await shop.pay("bare", amount=3998)
    made = await shop.gateway.refunds.create(paid["payment_intent"], TEN, metadata={}, idempotency_key="k")
    await shop.post(f"/_refunds/{made.refund_id}/fail", {"reason": "lost_or_stolen_card"})
    seen = await shop.gateway.refunds.look(made.refund_id)
    assert (seen.status, seen.failure) == (RefundStatus.FAILED, "lost_or_stolen_card")
    assert seen.moved is not None
    assert seen.returned is not None
    assert seen.moved.net + seen.returned.net == TEN.zero()


async def test_an_answer_that_cannot_be_understood_denies_nothing(fake: FakeStripe, gateway: StripeGateway) -> None:
    """After a write it leaves open what was written; read, it is refused with the fields and without their values."""
    odd = {"object": "refund", "id": "re_1", "created": 1, "amount": "much", "currency": "eur", "status": "succeeded"}
    fake.on("GET /v1/payment_intents/pi_1", {"object": "payment_intent", "id": "pi_1", "currency": "eur"})
    fake.on("POST /v1/refunds", odd)
    fake.on("GET /v1/refunds", listed(odd))
    with pytest.raises(OutcomeUnknown):
        await gateway.refunds.create("pi_1", TEN, metadata={}, idempotency_key="k")
    with pytest.raises(Refused) as refusal:
        await gateway.refunds.of("pi_1")
    assert refusal.value.code == "shape"
    assert "much" not in str(refusal.value)


async def test_money_that_was_only_authorised_is_let_go(shop: Shop) -> None:
    """Once, however often; what was paid stays paid; nobody's payment is NotFound."""
    held = await shop.pay("bare", amount=3998, capture="manual")
    paid = await shop.pay("bare", amount=3998)
    cancel = shop.gateway.cancel_payment
    for key in ("a", "a", "b"):
        assert await cancel(held["payment_intent"], idempotency_key=key) is PaymentStatus.CANCELED
    assert await cancel(paid["payment_intent"], idempotency_key="c") is PaymentStatus.PAID
    with pytest.raises(NotFound):
        await cancel("pi_nowhere", idempotency_key="d")


async def test_a_dispute_is_read_with_its_money(shop: Shop) -> None:
    """Open with its deadline, then won: what was withdrawn and reinstated, each with its fee."""
    paid = await shop.pay("bare", amount=3998)
    wish = {"reason": "product_not_received", "amount": 1000, "due_by": 1_900_000_000}
    opened = await shop.post(f"/_charges/{paid['charge']}/dispute", wish)
    facts = await shop.gateway.disputes.fetch(opened["id"])
    assert (facts.payment_id, facts.charge_id, facts.money) == (paid["payment_intent"], paid["charge"], TEN)
    assert (facts.status, facts.reason, facts.needs_response) == (DisputeStatus.OPEN, "product_not_received", True)
    assert facts.due_by == datetime.fromtimestamp(1_900_000_000, UTC)
    (taken,) = facts.withdrawn
    fee = Money.of(1500, "EUR")
    assert (taken.money, taken.fee, taken.net, facts.reinstated) == (-TEN, fee, -TEN - fee, ())
    await shop.post(f"/_disputes/{opened['id']}/close", {"outcome": "won"})
    won = await shop.gateway.disputes.fetch(opened["id"])
    assert (won.status, won.needs_response, won.withdrawn) == (DisputeStatus.WON, False, (taken,))
    assert [(one.money, one.fee, one.net) for one in won.reinstated] == [(TEN, -fee, TEN + fee)]
    assert await shop.gateway.disputes.of(paid["payment_intent"]) == [won]


@pytest.mark.parametrize(
    ("wish", "path", "status"),
    [
        ({"inquiry": True}, "", DisputeStatus.INQUIRY),
        ({"inquiry": True}, "answer", DisputeStatus.INQUIRY),
        ({"inquiry": True}, "close", DisputeStatus.DROPPED),
        ({"inquiry": True}, "escalate", DisputeStatus.OPEN),
        ({}, "answer", DisputeStatus.OPEN),
        ({}, "close", DisputeStatus.LOST),
    ],
)
async def test_where_a_dispute_stands(shop: Shop, wish: dict[str, Any], path: str, status: DisputeStatus) -> None:
    """Each of Stripe's words is one of ours; an inquiry has moved no money."""
    paid = await shop.pay("bare", amount=3998)
    opened = await shop.post(f"/_charges/{paid['charge']}/dispute", wish)
    if path:
        await shop.post(f"/_disputes/{opened['id']}/{path}", {})
    facts = await shop.gateway.disputes.fetch(opened["id"])
    assert facts.status is status
    assert bool(facts.withdrawn) is (status in (DisputeStatus.OPEN, DisputeStatus.LOST))


async def test_a_status_that_nobody_knows_is_not_guessed(fake: FakeStripe, gateway: StripeGateway) -> None:
    """Money may have moved: a person has to see it."""
    fake.on("GET /v1/disputes/du_1", {"object": "dispute", "id": "du_1", "status": "arbitration"})
    with pytest.raises(Refused) as refusal:
        await gateway.disputes.fetch("du_1")
    assert refusal.value.code == "shape"


async def test_what_a_disputed_charge_brought(shop: Shop) -> None:
    """All of it, whatever part is disputed; in another currency it is refused, for no rate is ours to take."""
    paid = await shop.pay("bare", amount=3998)
    assert await shop.gateway.disputes.captured(paid["charge"], "EUR") == Money.of(3998, "EUR")
    with pytest.raises(Refused) as refusal:
        await shop.gateway.disputes.captured(paid["charge"], "USD")
    assert refusal.value.code == "currency"


async def test_a_dispute_that_was_lost_may_be_won(shop: Shop) -> None:
    """An appeal: the money comes back, as another balance transaction."""
    paid = await shop.pay("bare", amount=3998)
    opened = await shop.post(f"/_charges/{paid['charge']}/dispute", {})
    for outcome, status in (("lost", DisputeStatus.LOST), ("won", DisputeStatus.WON)):
        await shop.post(f"/_disputes/{opened['id']}/close", {"outcome": outcome})
        assert (await shop.gateway.disputes.fetch(opened["id"])).status is status
    won = await shop.gateway.disputes.fetch(opened["id"])
    assert [one.net + two.net for one, two in zip(won.withdrawn, won.reinstated, strict=True)] == [TEN.zero()]
