"""The Stripe sandbox as one aiohttp application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.faults import Answers, Fault, Faults
from sandbox.persistence import Database
from sandbox.stripe import charges, payouts, refunds
from sandbox.stripe.api import ENDPOINTS
from sandbox.stripe.control import Control
from sandbox.stripe.errors import ApiError, rate_limited, server_error
from sandbox.stripe.server import Server, refusals
from sandbox.stripe.webhooks import Deliveries
from sandbox.stripe.world import World

#: The account there is when none is named.
DEFAULT_ACCOUNT = {"id": "acct_1Sandbox", "key": "sk_test_sandbox", "country": "US", "default_currency": "usd"}


def make_app(*, accounts: Sequence[dict[str, Any]] = (DEFAULT_ACCOUNT,), state: Path | None = None) -> web.Application:
    """A Stripe with these accounts ({id, key, country, default_currency, livemode}); `state` is kept in that file."""
    world = World(Database(state))
    deliveries = Deliveries(world)
    world.on_event = deliveries.send
    faults = Faults(Answers(_refuse, _rate_limit, _server_error, _unauthorized))
    server = Server(world, deliveries.delivered)
    control = Control(world, deliveries, faults, list(accounts))
    app = web.Application(middlewares=[faults.middleware(), world.database.middleware(), refusals])
    app.add_routes([*control.routes(), *faults.routes(), *map(server.route, ENDPOINTS)])
    app.cleanup_ctx.append(lambda _: _life(world, deliveries))
    return app


async def _life(world: World, deliveries: Deliveries) -> AsyncIterator[None]:
    await deliveries.start()
    for charge in list(world.table("charges").all()):
        charges.arrange(world, charge)
    for refund in list(world.table("refunds").all()):
        refunds.arrange(world, refund)
    for payout in list(world.table("payouts").all()):
        payouts.arrange(world, payout)
    yield
    await deliveries.stop()
    world.schedule.clear()
    world.database.close()


def _answer(refusal: ApiError) -> web.Response:
    return web.json_response(refusal.body(), status=refusal.status, headers={"Request-Id": "req_fault"})


def _refuse(fault: Fault) -> web.Response:
    code = str(fault.code) if fault.code is not None else None
    return _answer(ApiError("This request was refused on purpose.", code=code))


def _rate_limit(fault: Fault) -> web.Response:
    return _answer(rate_limited())


def _server_error(fault: Fault) -> web.Response:
    return _answer(server_error())


def _unauthorized(fault: Fault) -> web.Response:
    return _answer(ApiError("Invalid API Key provided: ****", status=401))
