"""What a payment in the sandbox adds up to, and what it leaves behind."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.stripe.conftest import LINE, Door, Inbox
from tests.sandbox.vendor.stripe_check import object_problems

TAXED = {**LINE, "tax_percent": 19}
WAYS: list[tuple[str, dict[str, Any], int]] = [
    ("checkout", {"lines": [TAXED], "discount": 500, "shipping": 450}, 3998 - 500 + 665 + 450),
    ("invoice", {"lines": [TAXED], "discount": {"percent_off": 10}}, 3998 - 400 + 684),
    ("amount_details", {"lines": [TAXED], "discount": 500, "shipping": 450}, 3998 - 500 + 665 + 450),
    ("metadata", {"lines": [LINE]}, 3998),
    ("bare", {"lines": None, "amount": 777}, 777),
    ("charge_only", {"lines": [LINE]}, 3998),
]


@pytest.mark.parametrize(("via", "wish", "amount"), WAYS, ids=[way[0] for way in WAYS])
async def test_every_way_charges_what_its_lines_add_up_to(
    door: Door, via: str, wish: dict[str, Any], amount: int
) -> None:
    """Each way to pay charges lines less discount plus tax plus shipping, once."""
    paid = await door.pay(via=via, currency="eur", **wish)
    ledger = await door.get("/_ledger")
    assert [charge["amount_captured"] for charge in ledger["charges"]] == [amount]
    assert paid["amount"] == amount
    assert len(ledger["payment_intents"]) == (0 if via == "charge_only" else 1)


@pytest.mark.parametrize(
    ("currency", "line", "expected"),
    [
        ("eur", {"unit_amount": 1190, "quantity": 1, "tax_percent": 19, "tax_inclusive": True}, (1190, 190, 1190)),
        ("eur", {"unit_amount": 333, "quantity": 3, "tax_percent": "7.7"}, (999, 77, 1076)),
        ("jpy", {"unit_amount": 1050, "quantity": 1, "tax_percent": 10}, (1050, 105, 1155)),
        ("kwd", {"unit_amount": 5120, "quantity": 1, "tax_percent": 5}, (5120, 260, 5380)),
        ("isk", {"unit_amount": 50000, "quantity": 1, "tax_percent": "0.3"}, (50000, 200, 50200)),
        ("usd", {"unit_amount_decimal": "0.5", "quantity": 101}, (51, 0, 51)),
    ],
)
async def test_a_line_is_rounded_once_to_what_its_currency_can_express(
    door: Door, currency: str, line: dict[str, Any], expected: tuple[int, int, int]
) -> None:
    """Subtotal, tax and total of a line are half up to the currency's own step; inclusive tax adds nothing."""
    await door.pay(currency=currency, lines=[{"sku": "X", **line}])
    (session,) = (await door.get("/_ledger"))["sessions"]
    (row,) = session["line_items"]
    assert (row["amount_subtotal"], row["amount_tax"], row["amount_total"]) == expected
    assert session["amount_total"] == expected[2]


async def test_totals_of_a_session_are_the_sums_of_its_parts(door: Door) -> None:
    """total = subtotal - discount + shipping + tax on top, and an amount off is spread without losing a cent."""
    lines = [{"sku": name, "unit_amount": 1000, "tax_percent": 20} for name in ("A", "B", "C")]
    shipping = {"amount": 500, "tax_percent": 20}
    await door.pay(lines=lines, discount=100, shipping=shipping)
    (session,) = (await door.get("/_ledger"))["sessions"]
    details = session["total_details"]
    assert [row["amount_discount"] for row in session["line_items"]] == [34, 33, 33]
    assert (details["amount_discount"], details["amount_shipping"], details["amount_tax"]) == (100, 500, 679)
    assert session["amount_total"] == 3000 - 100 + 500 + 679
    assert [tax["amount"] for tax in details["breakdown"]["taxes"]] == [679]


async def test_the_sdk_reads_a_checkout_payment_as_the_client_searches_it(
    door: Door, client: stripe.StripeClient
) -> None:
    """From the intent to its session, to lines with SKU, taxes and the link to the item."""
    paid = await door.pay(lines=[TAXED], currency="eur")
    found = await client.v1.checkout.sessions.list_async({"payment_intent": paid["payment_intent"], "limit": 1})
    expand = ["data.price.product", "data.taxes"]
    lines = await client.v1.checkout.sessions.line_items.list_async(found.data[0].id, {"limit": 100, "expand": expand})
    (line,) = lines.data
    assert line.price is not None
    assert line.taxes is not None
    assert line.price.lookup_key == "TEA-1"
    assert line.price.metadata.to_dict() == {"sku": "TEA-1", "zoho_item_id": "4600000001"}
    assert isinstance(line.price.product, stripe.Product)
    assert [(tax.amount, tax.rate.percentage, tax.rate.inclusive) for tax in line.taxes] == [(760, 19.0, False)]


async def test_the_sdk_reads_an_invoice_payment_as_the_client_searches_it(
    door: Door, client: stripe.StripeClient
) -> None:
    """From the intent to the invoice payment, to the invoice, to lines with their price."""
    paid = await door.pay(via="invoice", lines=[TAXED])
    asked: Any = {"payment": {"type": "payment_intent", "payment_intent": paid["payment_intent"]}}
    payments = await client.v1.invoice_payments.list_async(asked)
    assert payments.data[0].invoice == paid["invoice"]
    expand = ["data.pricing.price_details.price"]
    lines = await client.v1.invoices.line_items.list_async(paid["invoice"], {"expand": expand})
    pricing = lines.data[0].pricing
    assert pricing is not None
    assert pricing.price_details is not None
    assert isinstance(pricing.price_details.price, stripe.Price)
    assert pricing.price_details.price.metadata["sku"] == "TEA-1"


async def test_itemised_amounts_and_metadata_lines_are_read_from_the_intent(
    door: Door, client: stripe.StripeClient
) -> None:
    """Amount details have their own list; lines in metadata are SKU*QUANTITY@UNIT."""
    itemised = await door.pay(via="amount_details")
    rows = await client.v1.payment_intents.amount_details_line_items.list_async(itemised["payment_intent"])
    assert [(row.product_code, row.quantity, row.unit_cost) for row in rows.data] == [("TEA-1", 2, 1999)]
    written = await door.pay(via="metadata")
    intent = await client.v1.payment_intents.retrieve_async(written["payment_intent"])
    assert intent.metadata.to_dict() == {"line_1": "TEA-1*2@1999"}


async def test_the_balance_transaction_comes_after_the_charge(door: Door, inbox: Inbox) -> None:
    """A charge is new without one; `charge.updated` brings it, with the fee taken from the converted amount."""
    await door.switch(balance_after=None)
    paid = await door.pay(currency="eur", via="bare", lines=None, amount=10000)
    await inbox.until(lambda: len(inbox.received) == 3)
    assert (await door.get("/_ledger"))["charges"][0]["balance_transaction"] is None
    await door.post(f"/_charges/{paid['charge']}/balance")
    await inbox.until(lambda: len(inbox.received) == 4)
    event = next(event for event in inbox.events() if event.type == "charge.updated")
    assert event.data.to_dict()["previous_attributes"] == {"balance_transaction": None}
    (row,) = (await door.get("/_ledger"))["balance_transactions"]
    assert (row["amount"], row["currency"], row["exchange_rate"]) == (11000, "usd", 1.1)
    assert (row["fee"], row["net"]) == (349, 10651)
    assert sum(detail["amount"] for detail in row["fee_details"]) == row["fee"]


async def test_the_clock_brings_a_late_balance_transaction(door: Door, inbox: Inbox) -> None:
    """What is due later happens when the clock is put forward."""
    await door.switch(balance_after=3600)
    await door.pay()
    await door.post("/_clock", {"advance": 3600})
    await inbox.until(lambda: "charge.updated" in inbox.types())
    assert len((await door.get("/_ledger"))["balance_transactions"]) == 1


async def test_a_manual_capture_is_authorised_then_taken_in_part(
    door: Door, client: stripe.StripeClient, inbox: Inbox
) -> None:
    """Nothing is received before the capture, and only what was captured after it."""
    paid = await door.pay(via="bare", lines=None, amount=5000, capture="manual")
    assert paid["status"] == "requires_capture"
    intent = await client.v1.payment_intents.capture_async(paid["payment_intent"], {"amount_to_capture": 3000})
    assert (intent.status, intent.amount_received, intent.amount_capturable) == ("succeeded", 3000, 0)
    await inbox.until(lambda: "charge.updated" in inbox.types())
    assert "payment_intent.amount_capturable_updated" in inbox.types()
    assert "charge.captured" in inbox.types()
    assert (await door.get("/_ledger"))["balance_transactions"][0]["amount"] == 3000


async def test_a_cancelled_authorisation_can_no_longer_be_captured(door: Door, client: stripe.StripeClient) -> None:
    """Cancelling lets the authorisation go; capturing it then is refused with Stripe's code."""
    paid = await door.pay(capture="manual")
    intent = await client.v1.payment_intents.cancel_async(paid["payment_intent"])
    assert intent.status == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.payment_intents.capture_async(paid["payment_intent"])
    assert refused.value.code == "payment_intent_unexpected_state"


async def test_a_delayed_method_completes_unpaid_and_is_settled_later(door: Door, inbox: Inbox) -> None:
    """The session completes with payment_status unpaid; settling tells the asynchronous success and the intent's."""
    paid = await door.pay(outcome="async")
    assert paid["status"] == "processing"
    session = (await door.get("/_ledger"))["sessions"][0]
    assert (session["status"], session["payment_status"]) == ("complete", "unpaid")
    settled = await door.post(f"/_checkout/{paid['session']}/settle")
    assert settled["payment_status"] == "paid"
    await inbox.until(lambda: "checkout.session.async_payment_succeeded" in inbox.types())
    assert "payment_intent.succeeded" in inbox.types()


async def test_a_failed_settlement_takes_no_money(door: Door) -> None:
    """A delayed payment that fails leaves a failed charge and an intent that waits for another method."""
    paid = await door.pay(outcome="async")
    await door.post(f"/_checkout/{paid['session']}/settle", {"outcome": "failed"})
    ledger = await door.get("/_ledger")
    assert ledger["charges"][0]["status"] == "failed"
    assert ledger["payment_intents"][0]["status"] == "requires_payment_method"
    assert ledger["balance_transactions"] == []


async def test_a_declined_card_is_a_card_error(client: stripe.StripeClient) -> None:
    """Confirming with the declined test card is a 402 that names the code, and the intent can be tried again."""
    intent = await client.v1.payment_intents.create_async({"amount": 1000, "currency": "usd"})
    with pytest.raises(stripe.CardError) as declined:
        await client.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_chargeDeclined"})
    assert declined.value.code == "card_declined"
    paid = await client.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
    assert paid.status == "succeeded"


async def test_a_session_made_by_the_sdk_is_completed_by_a_guest(door: Door, client: stripe.StripeClient) -> None:
    """Made with inline prices, tax rate, coupon and shipping; the guest's details are on session and charge."""
    rate = await client.v1.tax_rates.create_async({"display_name": "VAT", "inclusive": True, "percentage": 20})
    coupon = await client.v1.coupons.create_async({"percent_off": 10, "duration": "once"})
    session = await client.v1.checkout.sessions.create_async(
        {
            "mode": "payment",
            "success_url": "https://example.com/thanks",
            "discounts": [{"coupon": coupon.id}],
            "shipping_options": [
                {
                    "shipping_rate_data": {
                        "display_name": "Post",
                        "type": "fixed_amount",
                        "fixed_amount": {"amount": 490, "currency": "gbp"},
                    }
                }
            ],
            "line_items": [
                {
                    "price_data": {"currency": "gbp", "unit_amount": 1200, "product_data": {"name": "Mug"}},
                    "quantity": 1,
                    "tax_rates": [rate.id],
                }
            ],
        }
    )
    assert (session.payment_intent, session.amount_total) == (None, 1080 + 490)
    guest = {"email": "ada@example.com", "name": "Ada", "address": {"country": "GB", "city": "London"}}
    sent = {"name": "Ada", "address": {"line1": "1 Mill Lane", "city": "London", "country": "GB"}}
    await door.post(f"/_checkout/{session.id}/complete", {"customer_details": guest, "shipping_details": sent})
    done = await client.v1.checkout.sessions.retrieve_async(
        session.id, {"expand": ["payment_intent.latest_charge", "line_items", "total_details.breakdown"]}
    )
    assert isinstance(done.payment_intent, stripe.PaymentIntent)
    assert isinstance(done.payment_intent.latest_charge, stripe.Charge)
    assert (done.payment_status, done.customer) == ("paid", None)
    assert done.payment_intent.latest_charge.billing_details.email == "ada@example.com"
    assert done.payment_intent.shipping is not None
    assert done.total_details is not None
    assert done.total_details.amount_tax == 180


async def test_automatic_tax_and_a_promotion_code_are_applied(door: Door, client: stripe.StripeClient) -> None:
    """Each price is taxed as its behaviour says, after the code's discount, and shipping is taxed too."""
    coupon = await client.v1.coupons.create_async({"amount_off": 300, "currency": "eur", "duration": "once"})
    code = await client.v1.promotion_codes.create_async({"promotion": {"type": "coupon", "coupon": coupon.id}})
    made: Any = {
        "currency": "eur", "product_data": {"name": "Mug"}, "unit_amount": 1200, "metadata": {"sku": "MUG"}
    }  # fmt: skip
    inclusive = await client.v1.prices.create_async(made | {"tax_behavior": "inclusive"})
    exclusive = await client.v1.prices.create_async(made | {"tax_behavior": "exclusive"})
    params: Any = {
        "mode": "payment",
        "automatic_tax": {"enabled": True},
        "discounts": [{"promotion_code": code.id}],
        "line_items": [{"price": price.id, "quantity": 1} for price in (inclusive, exclusive)],
        "shipping_options": [
            {"shipping_rate_data": {"display_name": "Post", "fixed_amount": {"amount": 500, "currency": "eur"}}}
        ],
    }
    session = await client.v1.checkout.sessions.create_async(params)
    rows = (await client.v1.checkout.sessions.line_items.list_async(session.id)).data
    assert [(row.amount_discount, row.amount_tax, row.amount_total) for row in rows] == [
        (150, 175, 1050),
        (150, 210, 1260),
    ]
    assert session.shipping_cost is not None
    assert (session.shipping_cost.amount_tax, session.amount_total) == (100, 1050 + 1260 + 600)


async def test_a_long_cart_is_read_to_its_end(door: Door, client: stripe.StripeClient) -> None:
    """Lines beyond the first page come by paging, in the cart's order, and add up."""
    lines = [{"sku": f"SKU-{number}", "unit_amount": 100 + number} for number in range(120)]
    paid = await door.pay(lines=lines)
    page = await client.v1.checkout.sessions.line_items.list_async(paid["session"], {"limit": 100})
    rows = [row async for row in page.auto_paging_iter()]
    assert [row.description for row in rows] == [line["sku"] for line in lines]
    assert sum(row.amount_total for row in rows) == paid["amount"]


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (0, "usd", "parameter_invalid_integer"),
        (49, "usd", "amount_too_small"),
        (100_000_000, "usd", "amount_too_large"),
        (5125, "kwd", None),
        (550, "isk", "invalid_charge_amount_no_decimal_compatible"),
        (1000, "xxx", None),
    ],
)
async def test_an_amount_that_cannot_be_charged_is_refused(
    client: stripe.StripeClient, amount: int, currency: str, code: str | None
) -> None:
    """Limits, steps and currencies are Stripe's."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.payment_intents.create_async({"amount": amount, "currency": currency})
    assert refused.value.code == code


async def test_every_object_shown_exists_at_stripe(door: Door, inbox: Inbox) -> None:
    """Ledger and events hold only fields Stripe has, and all those it always has."""
    for via, wish, _ in WAYS:
        await door.pay(via=via, currency="eur", customer={"email": "b@example.com", "name": "B"}, **wish)
    await door.pay(outcome="async")
    await door.pay(outcome="unpaid")
    await door.switch(balance_after=0)
    await door.post("/_clock", {"advance": 60})
    await inbox.until(lambda: inbox.types().count("charge.updated") >= 6)
    ledger = await door.get("/_ledger")
    ours = {"accounts", "deliveries"}
    shown = [value for name, value in ledger.items() if name not in ours]
    # The ledger shows a session's lines as they are, where Stripe wraps them in a list.
    assert sorted(set(object_problems(shown))) == []
    assert [len(ledger[name]) > 0 for name in ("charges", "invoices", "sessions", "events")] == [True] * 4
