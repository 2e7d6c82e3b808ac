"""The gateway against the Stripe sandbox: each way a shop takes money, read back as it was sold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from clients.errors import NotAllowed, NotFound, OutcomeUnknown, RateLimited, Refused
from clients.stripe.gateway import StripeAccountInfo
from domain.money import Money, total
from domain.payments import LineSource, PaymentStatus
from tests.clients.stripe.shop import Shop

ADA: dict[str, Any] = {
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    "phone": "+441234",
    "address": {"line1": "1 Byron Rd", "city": "London", "postal_code": "N1 1AA", "country": "GB"},
}
SOLD: list[dict[str, Any]] = [
    {"sku": "MUG", "name": "Mug", "unit_amount": 1250, "quantity": 2, "tax_percent": 19, "item_id": "4600"},
    {"sku": "CUP", "name": "Cup", "unit_amount": 333, "quantity": 3, "tax_percent": 7},
]
PLAIN: list[dict[str, Any]] = [
    {"sku": "MUG", "name": "Mug", "unit_amount": 1250, "quantity": 2},
    {"sku": "CUP", "name": "Cup", "unit_amount": 333, "quantity": 3},
]


async def test_checkout_with_tax_discount_and_shipping(shop: Shop) -> None:
    """Lines, taxes, discount, shipping and people come back, and together they are the money to the cent."""
    made = await shop.pay(
        "checkout",
        lines=SOLD,
        discount=500,
        shipping={"amount": 490, "tax_percent": 19},
        customer=ADA,
        shipping_details={"name": "Bob", "address": {"line1": "2 Quay", "city": "Cork", "country": "IE"}},
    )
    facts = await shop.gateway.fetch_payment(made["payment_intent"])
    assert (facts.status, facts.line_source) == (PaymentStatus.PAID, LineSource.CHECKOUT)
    assert (facts.session_id, facts.charge_id) == (made["session"], made["charge"])
    assert [(line.sku, line.item_id, line.quantity) for line in facts.lines] == [("MUG", "4600", 2), ("CUP", "", 3)]
    assert [tax.percentage for line in facts.lines for tax in line.taxes] == [19, 7]
    assert total((line.discount for line in facts.lines), "EUR") == Money.of(500, "EUR")
    assert facts.shipping_cost is not None
    assert facts.shipping_cost.taxes[0].percentage == 19
    assert total((line.total for line in facts.lines), "EUR") + facts.shipping_cost.total == facts.money
    assert (facts.buyer.customer_id, facts.buyer.name) == (made["customer"], "Ada Lovelace")
    assert (facts.billing.line1, facts.shipping.name, facts.shipping.line1) == ("1 Byron Rd", "Bob", "2 Quay")


async def test_an_inclusive_tax_is_inside_the_price(shop: Shop) -> None:
    """The gross price is the subtotal, and the tax is said to be in it."""
    lines = [
        {"sku": "MUG", "name": "Mug", "unit_amount": 1190, "quantity": 1, "tax_percent": 19, "tax_inclusive": True}
    ]
    made = await shop.pay("checkout", lines=lines, guest=ADA)
    facts = await shop.gateway.fetch_payment(made["payment_intent"])
    (line,) = facts.lines
    assert (line.subtotal.minor, line.total.minor, line.tax.minor) == (1190, 1190, 190)
    assert line.taxes[0].inclusive
    assert facts.buyer.customer_id == ""
    assert facts.buyer.email == "ada@example.com"


async def test_an_invoice(shop: Shop) -> None:
    """An invoice's lines have SKU, link, tax rates and discounts like those of a checkout."""
    made = await shop.pay("invoice", lines=SOLD, discount=500, customer=ADA)
    facts = await shop.gateway.fetch_payment(made["payment_intent"])
    assert (facts.line_source, facts.invoice_id) == (LineSource.INVOICE, made["invoice"])
    assert [(line.sku, line.item_id, line.quantity) for line in facts.lines] == [("MUG", "4600", 2), ("CUP", "", 3)]
    assert [tax.percentage for line in facts.lines for tax in line.taxes] == [19, 7]
    assert total((line.total for line in facts.lines), "EUR") == facts.money


@pytest.mark.parametrize(
    ("via", "source"),
    [("amount_details", LineSource.AMOUNT_DETAILS), ("metadata", LineSource.METADATA)],
)
async def test_an_intent_that_names_its_lines(shop: Shop, via: str, source: LineSource) -> None:
    """SKU, quantity and price come from the intent itself."""
    made = await shop.pay(via, lines=PLAIN, guest=ADA)
    facts = await shop.gateway.fetch_payment(made["payment_intent"])
    assert facts.line_source is source
    assert [(line.sku, line.quantity, line.unit_minor) for line in facts.lines] == [
        ("MUG", 2, Decimal(1250)),
        ("CUP", 3, Decimal(333)),
    ]
    assert total((line.total for line in facts.lines), "EUR") == facts.money


async def test_an_old_charge(shop: Shop) -> None:
    """A charge without intent is a payment of its own, with the lines of its metadata."""
    made = await shop.pay("charge_only", lines=PLAIN, guest=ADA)
    facts = await shop.gateway.fetch_payment(made["charge"])
    assert (facts.payment_id, facts.line_source) == (made["charge"], LineSource.METADATA)
    assert total((line.total for line in facts.lines), "EUR") == facts.money == Money.of(3499, "EUR")


@pytest.mark.parametrize(("currency", "unit"), [("jpy", 500), ("kwd", 12340)])
async def test_currencies_without_cents(shop: Shop, currency: str, unit: int) -> None:
    """Minor units are taken as Stripe has them, with no or with three decimals."""
    lines = [{"sku": "MUG", "name": "Mug", "unit_amount": unit, "quantity": 2}]
    made = await shop.pay("checkout", lines=lines, currency=currency, guest=ADA)
    facts = await shop.gateway.fetch_payment(made["payment_intent"])
    assert facts.money == facts.lines[0].total == Money.of(2 * unit, currency)


async def test_money_that_has_not_come(shop: Shop) -> None:
    """An authorised payment is uncaptured, a delayed one unpaid until it settles."""
    held = await shop.pay("checkout", lines=PLAIN, guest=ADA, capture="manual")
    facts = await shop.gateway.fetch_payment(held["payment_intent"])
    assert (facts.status, facts.money.minor, facts.lines) == (PaymentStatus.UNCAPTURED, 0, ())
    late = await shop.pay("checkout", lines=PLAIN, guest=ADA, outcome="async")
    assert (await shop.gateway.fetch_payment(late["payment_intent"])).status is PaymentStatus.UNPAID
    await shop.post(f"/_checkout/{late['session']}/settle", {})
    assert (await shop.gateway.fetch_payment(late["payment_intent"])).status is PaymentStatus.PAID


async def test_every_id_leads_to_the_payment(shop: Shop) -> None:
    """Charge, session and invoice of a payment resolve to it."""
    bought = await shop.pay("checkout", lines=PLAIN, guest=ADA)
    billed = await shop.pay("invoice", lines=PLAIN, customer=ADA)
    old = await shop.pay("charge_only", lines=PLAIN, guest=ADA)
    resolve = shop.gateway.resolve_payment
    assert await resolve(bought["session"]) == await resolve(bought["charge"]) == bought["payment_intent"]
    assert await resolve(billed["invoice"]) == billed["payment_intent"]
    assert await resolve(old["charge"]) == old["charge"]
    with pytest.raises(NotFound):
        await resolve("ch_nowhere")


async def test_metadata_is_merged_once(shop: Shop) -> None:
    """What was there stays; a repeat under the same key is the same write; another under it is refused."""
    made = await shop.pay("metadata", lines=PLAIN, guest=ADA)
    payment = made["payment_intent"]
    for _ in range(2):
        await shop.gateway.write_metadata(payment, {"zoho_order": "SO-1"}, idempotency_key="run/write")
    with pytest.raises(Refused):
        await shop.gateway.write_metadata(payment, {"zoho_order": "SO-2"}, idempotency_key="run/write")
    facts = await shop.gateway.fetch_payment(payment)
    assert facts.metadata["zoho_order"] == "SO-1"
    assert len(facts.lines) == 2


async def test_which_of_our_words_still_stand(shop: Shop) -> None:
    """Key by key, exactly as written: another's word, and a key that is not there, are none of ours."""
    intent, charge = [await shop.pay(via, lines=PLAIN, guest=ADA) for via in ("metadata", "charge_only")]
    for payment in (intent["payment_intent"], charge["charge"]):
        await shop.gateway.write_metadata(payment, {"tracking_number": "B", "carrier": "x"}, idempotency_key=payment)
        words = {"tracking_number": ("A", "B"), "carrier": ("DHL",), "shipment_status": ("shipped", "")}
        assert await shop.gateway.still_says(payment, words) == {"tracking_number"}


@pytest.mark.parametrize(
    ("fault", "error", "applied"),
    [
        ({"fault": "lost"}, OutcomeUnknown, True),
        ({"fault": "malformed"}, OutcomeUnknown, True),
        ({"fault": "drop"}, OutcomeUnknown, False),
        ({"fault": "server_error"}, OutcomeUnknown, False),
        ({"fault": "refuse"}, Refused, False),
        ({"fault": "rate_limit", "retry_after": 2}, RateLimited, False),
        ({"fault": "unauthorized"}, NotAllowed, False),
    ],
)
async def test_a_fault_never_claims_too_much(
    shop: Shop, fault: dict[str, Any], error: type[Exception], applied: bool
) -> None:
    """What may have been written is unknown, what was refused is not there; the same key then makes it once."""
    made = await shop.pay("bare", amount=3499)
    payment = made["payment_intent"]
    await shop.post("/_faults", {"method": "POST", "path": f"/v1/payment_intents/{payment}", **fault})
    write = shop.gateway.write_metadata
    with pytest.raises(error):
        await write(payment, {"zoho_order": "SO-1"}, idempotency_key="run/write")
    (row,) = await shop.ledger("payment_intents")
    assert ("zoho_order" in row["metadata"]) is applied
    await write(payment, {"zoho_order": "SO-1"}, idempotency_key="run/write")
    (row,) = await shop.ledger("payment_intents")
    assert row["metadata"]["zoho_order"] == "SO-1"


async def test_whose_key_it_is(shop: Shop) -> None:
    """The account is named; a key that nobody has is not allowed."""
    assert await shop.gateway.get_account() == StripeAccountInfo("acct_1Shop", False, "DE", "EUR")


async def test_a_fee_is_told_once_stripe_has_settled(shop: Shop) -> None:
    """None until then; with its parts and, for a foreign payment, Stripe's own rate; also for a charge alone."""
    await shop.post("/_switches", {"balance_after": None, "fee_tax_percent": 19.0})
    for way, currency in (("checkout", "eur"), ("checkout", "usd"), ("charge_only", "eur")):
        lines = [{"sku": "MUG", "unit_amount": 10000, "quantity": 1}]
        made = await shop.pay(way, lines=lines, guest=ADA, currency=currency)
        payment_id = made["payment_intent"] or made["charge"]
        assert await shop.gateway.fetch_fee(payment_id) is None
        assert (await shop.gateway.fetch_payment(payment_id)).fee is None
        row = await shop.post(f"/_charges/{made['charge']}/balance", {})
        fee = await shop.gateway.fetch_fee(payment_id)
        assert fee is not None
        assert (fee.transaction_id, fee.amount) == (row["id"], Money.of(row["fee"], "eur"))
        assert [part.kind for part in fee.parts] == ["stripe_fee", "tax"]
        assert total((part.amount for part in fee.parts), "EUR") == fee.amount
        assert (fee.exchange_rate is None) == (currency == "eur")
        assert (await shop.gateway.fetch_payment(payment_id)).fee == fee


async def test_what_a_customer_paid_is_listed_newest_first(shop: Shop) -> None:
    """Only what was paid, with its currency and the order that it names."""
    who = {"id": "cus_a", **ADA}
    paid = [await shop.pay("checkout", lines=SOLD, customer=who, currency=currency) for currency in ("eur", "usd")]
    await shop.pay("checkout", lines=SOLD, customer=who, outcome="unpaid")
    named = {"zoho_salesorder_id": "so-1"}
    await shop.gateway.write_metadata(paid[1]["payment_intent"], named, idempotency_key="once")
    found = await shop.gateway.payments_of(paid[0]["customer"])
    assert found == [(paid[1]["payment_intent"], "USD", "so-1"), (paid[0]["payment_intent"], "EUR", "")]
