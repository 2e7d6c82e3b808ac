"""Faults at this Stripe: the official SDK sees Stripe's own errors, and an idempotency key heals what is unknown."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.stripe.conftest import Door
from tests.sandbox.vendor.stripe_check import object_problems, request_problems

KINDS: list[tuple[str, type[stripe.StripeError], int]] = [
    ("refuse", stripe.InvalidRequestError, 400),
    ("unauthorized", stripe.AuthenticationError, 401),
    ("rate_limit", stripe.RateLimitError, 429),
    ("server_error", stripe.APIError, 500),
]


@pytest.mark.parametrize(("fault", "error", "status"), KINDS, ids=[kind[0] for kind in KINDS])
async def test_a_fault_is_answered_in_stripes_words(
    door: Door, client: stripe.StripeClient, fault: str, error: type[stripe.StripeError], status: int
) -> None:
    """The SDK raises its class for the status, and nothing was written."""
    await door.post("/_faults", {"fault": fault, "method": "POST", "path": "^/v1/customers$", "retry_after": 3})
    with pytest.raises(error) as refused:
        await client.v1.customers.create_async({"email": "a@example.com"})
    assert refused.value.http_status == status
    assert refused.value.headers is not None
    assert refused.value.headers["retry-after"] == "3"
    assert (await door.get("/_ledger"))["customers"] == []


@pytest.mark.parametrize("fault", ["lost", "malformed"])
async def test_a_write_whose_answer_was_lost_is_told_by_its_key(
    door: Door, client: stripe.StripeClient, fault: str
) -> None:
    """The write happened; repeating it under the same key gives its answer and makes no second."""
    await door.post("/_faults", {"fault": fault, "method": "POST", "path": "^/v1/customers$"})
    params: Any = {"email": "a@example.com"}
    with pytest.raises(stripe.StripeError):
        await client.v1.customers.create_async(params, {"idempotency_key": "k"})
    again = await client.v1.customers.create_async(params, {"idempotency_key": "k"})
    customers = (await door.get("/_ledger"))["customers"]
    assert [customer["id"] for customer in customers] == [again.id]


def test_the_check_against_the_vendor_rings() -> None:
    """An invented field, a missing one, an invented parameter and an unknown endpoint are each reported."""
    line = {"object": "payment_intent_amount_details_line_item", "id": "x", "quantity": 1, "unit_cost": 1, "bogus": 1}
    kind = "payment_intent_amount_details_line_item"
    assert object_problems([line]) == [f"{kind}: there is no bogus", f"{kind}: there is always product_name"]
    create = "POST /v1/payment_intents"
    sent = {"amount": 1, "shipping": {"street": "x", "address": {}, "name": "A"}}
    assert request_problems("POST", "/v1/payment_intents", sent) == [
        f"{create}: there is no shipping.street",
        f"{create}: there is always currency",
    ]
    assert request_problems("GET", "/v1/orders", {}) == ["GET /v1/orders: no such endpoint in the index"]
