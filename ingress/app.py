"""The ingress as one aiohttp application: webhooks, health, metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

from aiohttp import web
from temporalio.client import Client

from clients.connections import Connection
from clients.errors import TryLater
from clients.store import Store
from clients.temporal import is_ready
from clients.tracing import NO_TRACING, Tracing
from ingress.door import Starts as StripeStarts
from ingress.limits import Doorman, Limits
from ingress.metrics import Metrics
from ingress.starter import Starter
from ingress.stripe import StripeWebhook
from ingress.tracing import watched
from ingress.zoho import ReturnStarts, ZohoWebhook

DOORMAN = web.AppKey("doorman", Doorman)
LIMITS = web.AppKey("limits", Limits)
_READY_WITHIN = timedelta(seconds=2)


class Starts(StripeStarts, ReturnStarts, Protocol):
    """The part of Starter that the webhooks need."""


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class Health:
    """`/healthz`: the process answers. `/readyz`: Temporal and the store do; 503 names who does not."""

    def __init__(self, client: Client, store: Store) -> None:
        self._client = client
        self._store = store

    async def alive(self, _: web.Request) -> web.Response:
        """Always 200."""
        return web.json_response({"status": "ok"})

    async def ready(self, _: web.Request) -> web.Response:
        """200 when an event could be accepted now."""
        temporal, store = await asyncio.gather(is_ready(self._client, _READY_WITHIN), self._store_ready())
        states = {"temporal": temporal, "store": store}
        return web.json_response(states, status=200 if all(states.values()) else 503)

    async def _store_ready(self) -> bool:
        try:
            async with asyncio.timeout(_READY_WITHIN.total_seconds()):
                await self._store.events.list("", limit=1)
        except (TryLater, TimeoutError):
            return False
        return True


def make_app(
    connections: Mapping[str, Connection],
    client: Client,
    store: Store,
    *,
    starter: Starts | None = None,
    now: Callable[[], datetime] = utc_now,
    limits: Limits | None = None,
    tracing: Tracing = NO_TRACING,
) -> web.Application:
    """The application; a `starter` of your own for other queues. It closes nothing that it was given."""
    limits = limits or Limits()
    metrics, doorman, health = Metrics(), Doorman(limits.connections), Health(client, store)
    starts: Starts = starter or Starter(client, connections)
    zoho = ZohoWebhook(connections, starts, metrics=metrics, limits=limits)
    webhook = StripeWebhook(
        connections,
        starts,
        store.events,
        metrics=metrics,
        now=now,
        limits=limits,
    )

    async def show_metrics(_: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4"})

    app = web.Application(
        middlewares=[doorman.middleware, watched(tracing, connections)], client_max_size=limits.body_bytes
    )
    app[DOORMAN], app[LIMITS] = doorman, limits
    app.router.add_post("/webhooks/stripe/{connection}", webhook.handle)
    app.router.add_post("/webhooks/zoho/{connection}", zoho.handle)
    app.router.add_get("/healthz", health.alive)
    app.router.add_get("/readyz", health.ready)
    app.router.add_get("/metrics", show_metrics)
    return app
