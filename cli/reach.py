"""How commands reach what the settings name, with a sentence where they cannot."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cli.exits import CannotStart, Exit, Stop
from clients.settings import Settings, read_keys

if TYPE_CHECKING:
    from temporalio.client import Client

    from clients.connections import Connection
    from clients.store import Store
    from clients.zoho.client import ZohoClient


async def temporal_client(settings: Settings) -> Client:
    """A client of the settings' Temporal; CannotStart where it does not answer."""
    from clients.temporal import connect_as_told

    try:
        return await connect_as_told(settings, read_keys(settings))
    except RuntimeError as error:
        raise CannotStart(
            f"Temporal at {settings.temporal_address} cannot be reached ({error}). Start it, or set "
            "THROUGHLINE_TEMPORAL_ADDRESS to where it is."
        ) from error


async def open_store(settings: Settings) -> Store:
    """The settings' store, at the newest version."""
    from clients.store import Store

    settings.home.mkdir(parents=True, exist_ok=True)
    return await Store.open(settings.database_url(), read_keys(settings))


@asynccontextmanager
async def zoho_client(connection: Connection, store: Store) -> AsyncIterator[ZohoClient]:
    """A client of the connection's organisation, which shares its token and its budget with the workers."""
    from clients.zoho.client import ZohoClient
    from clients.zoho.transport import open_http

    async with open_http() as http:
        yield ZohoClient.of(
            connection.zoho,
            store.tokens,
            http,
            connection=connection.slug,
            now=lambda: datetime.now(UTC),
            budgets=store.budgets,
        )


def one_connection(settings: Settings, name: str) -> Connection:
    """The connection `name`, or the only one there is. Stop where that is not clear."""
    from clients.connections import load_connections

    found = load_connections(settings.connections_file)
    if not name and len(found) == 1:
        return next(iter(found.values()))
    if name in found:
        return found[name]
    known = ", ".join(found)
    raise Stop(
        f"There is no connection {name!r}: there are {known}." if name else f"Choose one with --connection: {known}.",
        Exit.USAGE,
    )


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM or Ctrl-C sets, in the running loop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def cancel_on_signals() -> None:
    """Has SIGTERM and Ctrl-C cancel the running task, so that whatever it opened is closed in order."""
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("there is no running task to cancel")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
