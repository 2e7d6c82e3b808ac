"""Composition root of a worker: settings -> clients -> activities -> Temporal workers."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

from activities.assembly import assemble
from activities.figures import Figures
from activities.shops import Shop, Shops
from clients.connections import Connection, load_connections
from clients.notify import Notifier
from clients.settings import Settings, read_keys
from clients.store import Store
from clients.stripe.gateway import StripeGateway
from clients.stripe.pace import Paces
from clients.telemetry import open_telemetry
from clients.temporal import connect_as_told
from clients.watch import UNWATCHED, Watch
from clients.zoho.client import CALL_TIMEOUT, ZohoClient
from clients.zoho.gateway import ZohoGateway
from clients.zoho.transport import open_http
from ingress.starter import Starter
from workflows import contract
from workflows.numbers import Numbers
from workflows.workers import make_workers

log = logging.getLogger(__name__)
# Of an activity's time: a token's renewal and a second try after a 401 have to fit as well.
_SHARE = 0.4


def now() -> datetime:
    """The clock of the process, UTC."""
    return datetime.now(UTC)


async def open_shop(
    stack: AsyncExitStack,
    connection: Connection,
    store: Store,
    *,
    zoho_seconds: float = CALL_TIMEOUT,
    paces: Paces | None = None,
    watch: Watch = UNWATCHED,
) -> Shop:
    """The connection's two gateways, closed with `stack`; `zoho_seconds` bounds one call to Zoho.

    A call ends well before Temporal gives its activity up: a second one must never start while the first is alive.
    """
    seconds = min(zoho_seconds, connection.policy.call_timeout.total_seconds() * _SHARE)
    pace = (paces or Paces()).of(connection.stripe)
    stripe = StripeGateway(connection.stripe, connection.mapping, pace=pace, watch=watch)
    stack.push_async_callback(stripe.close)
    http = await stack.enter_async_context(open_http(watch=watch))
    slug, tokens, budgets = connection.slug, store.tokens, store.budgets
    zoho = ZohoClient.of(connection.zoho, tokens, http, connection=slug, now=now, timeout=seconds, budgets=budgets)
    return Shop(
        slug=slug,
        account_id=connection.stripe.account_id,
        livemode=connection.stripe.livemode,
        stripe=stripe,
        zoho=ZohoGateway(zoho),
        notifier=Notifier(connection.notify),
        mapping=connection.mapping,
        policy=connection.policy,
    )


async def run_worker(settings: Settings, *, stop: asyncio.Event) -> None:
    """Works until `stop` is set, then lets the calls at hand end. SettingsError; RuntimeError without Temporal."""
    connections = load_connections(settings.connections_file)
    keys = read_keys(settings)
    port = settings.worker_metrics_port
    async with AsyncExitStack() as stack:
        store = await Store.open(settings.database_url(), keys)
        stack.push_async_callback(store.close)
        told = open_telemetry(settings, "worker", metrics_port=port)
        stack.callback(told.tracing.close)
        client = await connect_as_told(settings, keys, runtime=told.runtime, interceptors=told.interceptors)
        paces = Paces()
        opened = [
            await open_shop(stack, one, store, paces=paces, watch=told.watch(one.slug)) for one in connections.values()
        ]
        shops = Shops(opened)
        activities = assemble(shops, store, Starter(client, connections), now)
        queues = (contract.MAIN_QUEUE, contract.ZOHO_QUEUE)
        for worker in make_workers(client, activities, queues=queues):
            await stack.enter_async_context(worker)
        if port:
            numbers = Numbers(client, told.runtime.metric_meter, Figures(store, connections), now)
            stack.callback(numbers.keep(timedelta(seconds=settings.worker_metrics_seconds)).cancel)
        log.info("working for %d connections", len(connections))
        await stop.wait()
