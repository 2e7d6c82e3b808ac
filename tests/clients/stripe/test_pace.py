"""Stripe's limits are kept before Stripe has to say so."""

from __future__ import annotations

import asyncio
import time

import pytest
import stripe

from clients.connections import StripeAccount
from clients.errors import RateLimited
from clients.stripe.failures import failure
from clients.stripe.gateway import StripeGateway
from clients.stripe.pace import Pace, Paces, endpoint
from domain.mapping_policy import MappingPolicy
from sandbox.serving import serve
from sandbox.stripe.app import make_app
from tests.clients.stripe.conftest import account_at
from tests.clients.stripe.shop import Shop
from tests.clients.stripe.test_sandbox import PLAIN

ROOT = "https://api.stripe.com"


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("get", "/v1/payment_intents/pi_3SCN0001?expand[0]=customer", "GET /v1/payment_intents/*"),
        ("post", "/v1/payment_intents/pi_3SCN0001", "POST /v1/payment_intents/*"),
        ("get", "/v1/checkout/sessions/cs_test_a1/line_items", "GET /v1/checkout/sessions/*/line_items"),
        ("get", "/v1/account", "GET /v1/account"),
    ],
)
def test_a_path_template_is_one_endpoint(method: str, path: str, name: str) -> None:
    """Ids do not tell endpoints apart, words and methods do."""
    assert endpoint(method, ROOT + path) == name


async def sent(pace: Pace, urls: list[str]) -> list[float]:
    """When each request may go, asked for all at once."""
    times: list[float] = []

    async def one(url: str) -> None:
        await pace.turn("get", ROOT + url)
        times.append(time.monotonic())

    await asyncio.gather(*(one(url) for url in urls))
    return times


def busiest(times: list[float]) -> int:
    """The most in any one second."""
    return max(sum(begin <= one < begin + 1 for one in times) for begin in times)


async def test_no_second_has_more_than_the_account_or_the_endpoint_takes() -> None:
    """60 requests to one endpoint, then 120 to six: neither limit is passed, and neither is idle."""
    one = await sent(Pace(100, 25), [f"/v1/charges/ch_{n}" for n in range(60)])
    many = await sent(Pace(50, 25), [f"/v1/thing{'s' * (n % 6)}/id_{n}" for n in range(120)])
    assert 18 <= busiest(one) <= 25
    assert 36 <= busiest(many) <= 50


async def test_eighty_payments_at_once_meet_no_limit_of_a_test_account() -> None:
    """Two gateways of one account share its pace: Stripe, which takes 25 a second, refuses nothing."""
    server = await serve(make_app(accounts=[{"id": "acct_1Shop", "key": "rk_test_shop", "country": "DE"}]))
    account: StripeAccount = account_at(server.url)
    shop, paces = Shop(server.url, account), Paces()
    payment = (await shop.pay("metadata", lines=PLAIN))["payment_intent"]
    await shop.post("/_switches", {"requests_per_second": 25})
    gateways = [StripeGateway(account, MappingPolicy(), pace=paces.of(account)) for _ in range(2)]
    writes = [
        gateways[n % 2].write_metadata(payment, {"order": f"SO-{n}"}, idempotency_key=f"run/{n}") for n in range(80)
    ]
    try:
        await asyncio.gather(*writes)
    finally:
        for gateway in (*gateways, shop.gateway):
            await gateway.close()
        await shop.close()
        await server.stop()


def test_those_who_meet_a_limit_together_come_back_at_different_moments() -> None:
    """Without a `Retry-After` the wait is drawn, between one and three seconds; also for an object that is locked."""
    for code in ("rate_limit", "lock_timeout"):
        limited = stripe.RateLimitError("slow down", http_status=429, code=code)
        found = [failure(limited, write=True) for _ in range(20)]
        assert {type(one) for one in found} == {RateLimited}
        waits = {one.retry_after for one in found}
        assert len(waits) > 10
        assert all(wait is not None and 1 <= wait <= 3 for wait in waits)
