"""A Zoho Inventory to try everything on: many organisations, their token server, and a ledger to count."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from sandbox.faults import Answers, Fault, Faults
from sandbox.persistence import Database
from sandbox.zoho import (
    adjustments,
    banktransactions,
    chart,
    comments,
    contacts,
    creditnotes,
    creditrefunds,
    errors,
    invoices,
    items,
    journals,
    packages,
    payments,
    receives,
    salesorders,
    salesreturns,
    settings,
    shipments,
)
from sandbox.zoho.control import Control
from sandbox.zoho.gate import TOKEN, Gate, split_data_center
from sandbox.zoho.routing import Router
from sandbox.zoho.switches import Switches
from sandbox.zoho.tokens import Accounts
from sandbox.zoho.webhooks import Webhooks
from sandbox.zoho.wire import respond
from sandbox.zoho.world import World

ROUTES = [
    *settings.ROUTES,
    *contacts.ROUTES,
    *items.ROUTES,
    *salesorders.ROUTES,
    *invoices.ROUTES,
    *payments.ROUTES,
    *packages.ROUTES,
    *shipments.ROUTES,
    *adjustments.ROUTES,
    *creditnotes.ROUTES,
    *creditrefunds.ROUTES,
    *comments.ROUTES,
    *salesreturns.ROUTES,
    *receives.ROUTES,
]
BOOKS_ROUTES = [*chart.ROUTES, *banktransactions.ROUTES, *journals.ROUTES]

_LIMITS = {44: errors.minute_limit(), 45: errors.day_limit(1000), 1070: errors.concurrency_limit()}


def _answered(refusal: errors.Refusal) -> web.Response:
    return respond(refusal.body(), refusal.status)


def _refuse(fault: Fault) -> web.Response:
    refusal = errors.invented(0, "The sandbox was told to refuse this.")
    if fault.code is not None:
        refusal.code = int(fault.code)
    return _answered(refusal)


def _rate_limit(fault: Fault) -> web.Response:
    return _answered(_LIMITS[int(fault.code or 44)])


FAULT_ANSWERS = Answers(
    refuse=_refuse,
    rate_limit=_rate_limit,
    server_error=lambda fault: _answered(errors.internal()),
    unauthorized=lambda fault: _answered(errors.unauthorized()),
)


def make_app(*, state: Path | None = None, switches: Switches | None = None) -> web.Application:
    """The program; with a `state` file it goes on where it was stopped.

    APIs under /inventory/v1 and /books/v3, tokens at /oauth/v2/token, all of them also behind a data centre's name
    (/eu/inventory/v1), which then has to be the organisation's.
    """
    database = Database(state)
    world = World(database, switches or Switches())
    accounts = Accounts(world)
    faults = Faults(FAULT_ANSWERS)
    webhooks = Webhooks(world)
    gate = Gate(world, accounts, {"/inventory/v1": Router(ROUTES), "/books/v3": Router(BOOKS_ROUTES)}, webhooks.run)

    async def token(request: web.Request) -> web.Response:
        form = {**dict(request.query), **{k: str(v) for k, v in (await request.post()).items()}}
        data_center, _ = split_data_center(request.path)
        prefix = f"/{data_center}" if data_center else ""
        return accounts.answer(form, data_center=data_center, host=f"{request.scheme}://{request.host}{prefix}")

    async def start(app: web.Application) -> None:
        await webhooks.start()

    async def close(app: web.Application) -> None:
        await webhooks.stop()
        database.close()

    app = web.Application(middlewares=[gate.middleware(), faults.middleware(), database.middleware()])
    app.add_routes([*faults.routes(), *webhooks.routes(), *Control(world, accounts, faults.clear, webhooks).routes()])
    app.router.add_post(TOKEN, token)
    app.router.add_post(f"/{{data_center}}{TOKEN}", token)
    app.router.add_route("*", "/{tail:.*}", gate.dispatch)
    app.on_startup.append(start)
    app.on_cleanup.append(close)
    return app
