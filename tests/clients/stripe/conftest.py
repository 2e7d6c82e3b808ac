"""A gateway that speaks to a Stripe of fixed answers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from clients.connections import StripeAccount
from clients.stripe.gateway import StripeGateway
from domain.mapping_policy import MappingPolicy
from sandbox.serving import serve
from sandbox.stripe.app import make_app
from tests.clients.stripe.fake import FakeStripe
from tests.clients.stripe.shop import Shop
from tests.sandbox.vendor.stripe_check import request_problems


def account_at(base: str) -> StripeAccount:
    """A test-mode account whose Stripe is at `base`."""
    return StripeAccount.model_validate(
        {
            "account_id": "acct_1Shop",
            "livemode": False,
            "api_key": "rk_test_shop",
            "webhook_secrets": ["whsec_shop"],
            "api_base": base,
        }
    )


@pytest.fixture
def fake() -> FakeStripe:
    """The answers and what was asked."""
    return FakeStripe()


@pytest.fixture
async def gateway(fake: FakeStripe) -> AsyncIterator[StripeGateway]:
    """The gateway in front of `fake`, impatient: it waits 0.3 s. It may send only what Stripe knows."""
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", fake.handle)
    async with TestServer(app) as server:
        gateway = StripeGateway(account_at(str(server.make_url("/"))), MappingPolicy(), timeout=httpx.Timeout(0.3))
        yield gateway
        await gateway.close()
    assert not [problem for one in fake.sent for problem in request_problems(one.method, one.path, one.params())]


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """A fresh sandbox with one account in Germany."""
    account = {"id": "acct_1Shop", "key": "rk_test_shop", "country": "DE", "default_currency": "eur"}
    running = await serve(make_app(accounts=[account]), "127.0.0.1", 0)
    shop = Shop(running.url, account_at(running.url))
    yield shop
    await shop.close()
    await running.stop()
