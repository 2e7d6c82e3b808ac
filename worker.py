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
from clients.settings import Settings, read_keys, read_signing_keys
from clients.store import Store
from clients.stripe.gateway import StripeGateway
from clients.stripe.pace import Paces
from clients.telemetry import open_telemetry
from clients.temporal import connect_as_told
from clients.watch import UNWATCHED, Watch
from clients.zoho.client import CALL_TIMEOUT
from clients.zoho.gateway import live_and_bulk
from clients.zoho.transport import open_http
from domain.certificates import Signer
from ingress.starter import Starter
from workflows.numbers import Numbers
from workflows.schedules import keep_schedules
from workflows.workers import make_workers

log = logging.getLogger(__name__)
# Of an activity's time: a token's renewal and a second try after a 401 have to fit as well, and a second attempt must
# never start while the first is alive.
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
    signer: Signer | None = None,
) -> Shop:
    """The connection's gateways, closed with `stack`; `zoho_seconds` bounds one call to Zoho."""
    seconds = min(zoho_seconds, connection.policy.call_timeout.total_seconds() * _SHARE)
    pace = (paces or Paces()).of(connection.stripe)
    stripe = StripeGateway(connection.stripe, connection.mapping, pace=pace, watch=watch)
    stack.push_async_callback(stripe.close)
    http = await stack.enter_async_context(open_http(watch=watch))
    live, bulk = live_and_bulk(connection, store.tokens, store.budgets, http, now=now, timeout=seconds)
    return Shop(
        slug=connection.slug,
        account_id=connection.stripe.account_id,
        livemode=connection.stripe.livemode,
        stripe=stripe,
        zoho=live,
        bulk=bulk,
        notifier=Notifier(connection.notify),
        mapping=connection.mapping,
        policy=connection.policy,
        accounts=connection.accounts,
        signer=signer,
    )


async def run_worker(settings: Settings, *, stop: asyncio.Event) -> None:
    """Works until `stop` is set, then lets the calls at hand end. SettingsError; RuntimeError without Temporal."""
    connections = load_connections(settings.connections_file)
    keys, signer, paces = read_keys(settings), read_signing_keys(settings), Paces()
    async with AsyncExitStack() as stack:
        store = await Store.open(settings.database_url(), keys)
        stack.push_async_callback(store.close)
        told = open_telemetry(settings, "worker", metrics_port=settings.worker_metrics_port)
        stack.callback(told.tracing.close)
        client = await connect_as_told(settings, keys, runtime=told.runtime, interceptors=told.interceptors)
        opened = [
            await open_shop(stack, one, store, watch=told.watch(one.slug), paces=paces, signer=signer)
            for one in connections.values()
        ]
        starter = Starter(client, connections)
        for worker in make_workers(client, assemble(Shops(opened), store, starter, now)):
            await stack.enter_async_context(worker)
        await starter.poll_all()
        await keep_schedules(client, [each for one in connections.values() for each in one.regular()], now())
        if settings.worker_metrics_port:
            numbers = Numbers(client, told.runtime.metric_meter, Figures(store, connections), now)
            stack.callback(numbers.keep(timedelta(seconds=settings.worker_metrics_seconds)).cancel)
        log.info("working for %d connections", len(connections))
        await stop.wait()
