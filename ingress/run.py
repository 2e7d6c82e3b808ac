"""The ingress as a process: opens what it needs, serves until told to stop, finishes what it has begun."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from aiohttp import web

from clients.connections import load_connections
from clients.errors import SettingsError
from clients.settings import Settings, read_keys
from clients.store import Store
from clients.telemetry import tracing_interceptors
from clients.temporal import connect_as_told
from clients.tracing import open_tracing
from ingress.app import DOORMAN, LIMITS, make_app

log = logging.getLogger(__name__)
_LINGER_SECONDS = 1.0  # for a refused body to arrive, so that the sender can read why


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[str]:
    """`app` on `host` and `port` (0: a free one), under its limits; yields its address.

    On leaving, no new connection is taken and the requests at hand are answered. SettingsError: a busy port.
    """
    limits = app[LIMITS]
    runner = web.AppRunner(
        app,
        access_log=None,
        auto_decompress=False,
        keepalive_timeout=limits.header_seconds,  # aiohttp counts it from the connection's start, too
        lingering_time=_LINGER_SECONDS,
        shutdown_timeout=limits.finish_seconds,
    )
    await runner.setup()
    try:
        await _listen(runner, host, port)
        assert runner.server is not None
        sweep = asyncio.create_task(app[DOORMAN].watch(runner.server, limits.sweep_seconds))
        try:
            yield f"http://{host}:{runner.addresses[0][1]}"
        finally:
            sweep.cancel()
            with suppress(asyncio.CancelledError):
                await sweep
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port, backlog=512).start()
    except OSError as error:
        raise SettingsError(
            f"ingress_port: cannot listen on {host}:{port} ({error.strerror or error}); "
            "stop what uses it, or set THROUGHLINE_INGRESS_PORT to a free port"
        ) from error


async def run_ingress(
    settings: Settings, stop: asyncio.Event, *, on_ready: Callable[[str], None] | None = None
) -> None:
    """Serves as `settings` say until `stop` is set; `on_ready` is told the address. Temporal may be down.

    SettingsError for a wrong setting or a busy port.
    """
    connections = load_connections(settings.connections_file)
    keys = read_keys(settings)
    tracing = open_tracing(settings.traces, "ingress", file=settings.traces_path(), endpoint=settings.traces_endpoint)
    client = await connect_as_told(settings, keys, lazy=True, interceptors=tracing_interceptors(tracing))
    store = await Store.open(settings.database_url(), keys)
    try:
        app = make_app(connections, client, store, tracing=tracing)
        async with serving(app, settings.ingress_host, settings.ingress_port) as address:
            log.info("listening on %s for %d connections", address, len(connections))
            if on_ready is not None:
                on_ready(address)
            await stop.wait()
    finally:
        await store.close()
        await asyncio.to_thread(tracing.close)
