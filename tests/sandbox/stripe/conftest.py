"""A running Stripe sandbox, the official SDK on it, and an inbox its webhooks arrive in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
import stripe
from aiohttp import web

from sandbox.serving import Running, serve
from sandbox.stripe.app import make_app

SECRET = "whsec_tests"
LINE = {"sku": "TEA-1", "name": "Tea", "unit_amount": 1999, "quantity": 2, "item_id": "4600000001"}


class Door:
    """The sandbox's own doors as plain calls that answer JSON; a refusal is an AssertionError."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url, self._session = url, session

    async def raw(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """Status and JSON of any request."""
        async with self._session.request(method, self.url + path, **options) as response:
            return response.status, await response.json()

    async def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer to a POST that is expected to succeed."""
        status, shown = await self.raw("POST", path, json=body or {})
        assert status == 200, shown
        return dict(shown)

    async def get(self, path: str) -> dict[str, Any]:
        """The answer to a GET that is expected to succeed."""
        status, shown = await self.raw("GET", path)
        assert status == 200, shown
        return dict(shown)

    async def pay(self, **wish: Any) -> dict[str, Any]:
        """A payment of one line, unless the wish says otherwise."""
        return await self.post("/_pay", {"lines": [LINE], **wish})

    async def switch(self, **values: Any) -> None:
        """Sets switches."""
        await self.post("/_switches", values)


class Inbox:
    """An endpoint that keeps every delivery: headers, body, and the answer it gave."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[tuple[str, bytes]] = []
        self.refuse_next = 0
        self._news = asyncio.Condition()

    async def take(self, request: web.Request) -> web.Response:
        """Refuses the next `refuse_next` deliveries, then takes them."""
        body = await request.read()
        async with self._news:
            self.received.append((request.headers["Stripe-Signature"], body))
            self._news.notify_all()
        if self.refuse_next > 0:
            self.refuse_next -= 1
            return web.Response(status=503)
        return web.Response()

    def events(self) -> list[stripe.Event]:
        """What arrived, its signature verified by the official SDK."""
        return [stripe.Webhook.construct_event(body, mark, SECRET) for mark, body in self.received]

    def types(self) -> list[str]:
        """The types of what arrived."""
        return [event.type for event in self.events()]

    async def until(self, ready: Callable[[], bool]) -> None:
        """Waits until what arrived satisfies `ready`."""
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(ready)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    stripe.enable_telemetry = False
    running = await serve(make_app())
    yield running
    await running.stop()


@pytest.fixture
async def door(running: Running) -> AsyncIterator[Door]:
    async with aiohttp.ClientSession() as session:
        yield Door(running.url, session)


@pytest.fixture
async def client(running: Running) -> AsyncIterator[stripe.StripeClient]:
    http: Any = stripe.HTTPXClient(timeout=5)
    yield stripe.StripeClient("sk_test_sandbox", base_addresses={"api": running.url}, http_client=http)
    await http.close_async()


@pytest.fixture
async def inbox(door: Door) -> AsyncIterator[Inbox]:
    inbox = Inbox()
    app = web.Application()
    app.router.add_post("/hooks", inbox.take)
    running = await serve(app)
    inbox.url = f"{running.url}/hooks"
    await door.post("/_endpoints", {"url": inbox.url, "secret": SECRET})
    yield inbox
    await running.stop()
