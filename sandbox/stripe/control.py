"""The sandbox's own doors, all under `/_`: seeding, paying, time, switches, deliveries and the ledger to count."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

from aiohttp import web

from sandbox.faults import Faults
from sandbox.stripe import balances, charges, checkout, disputes, intents, invoices, payouts, refunds
from sandbox.stripe.errors import ApiError, missing_parameter
from sandbox.stripe.pay import pay
from sandbox.stripe.rendering import Wanted, render
from sandbox.stripe.tables import KINDS, Doc
from sandbox.stripe.webhooks import Deliveries, create_endpoint
from sandbox.stripe.world import World

#: Tables that are part of what the shop sells, not of what happened.
CATALOG = ("products", "prices", "tax_rates", "coupons", "promotion_codes")


def seed_account(world: World, given: Doc) -> None:
    """Adds or replaces an account: {id, key, country, default_currency, livemode, name, restricted}.

    `restricted` are further keys with their rights: {key: {"payment_intents": "write", "charges": "read"}}.
    """
    for name in ("id", "key"):
        if not given.get(name):
            raise missing_parameter(f"accounts[{name}]")
    keys = given["key"] if isinstance(given["key"], list) else [given["key"]]
    world.accounts[given["id"]] = {
        "id": given["id"],
        "keys": keys,
        "restricted": given.get("restricted") or {},
        "name": given.get("name") or "Sandbox Shop",
        "country": given.get("country") or "US",
        "default_currency": (given.get("default_currency") or "usd").lower(),
        "livemode": bool(given.get("livemode")),
        "created": world.schedule.second(),
    }


class Control:
    """The handlers of `/_…`."""

    def __init__(self, world: World, deliveries: Deliveries, faults: Faults, accounts: list[Doc]) -> None:
        self._world, self._deliveries, self._faults, self._first = world, deliveries, faults, accounts
        self._seed_first()

    def routes(self) -> list[web.RouteDef]:
        """All doors but `/_faults`."""
        act = self._act
        return [
            web.get("/_ledger", self._ledger),
            web.get("/_deliveries", self._list_deliveries),
            web.get("/_switches", self._show_switches),
            web.post("/_switches", self._set_switches),
            web.post("/_clock", self._clock),
            web.post("/_seed", self._seed),
            web.post("/_reset", self._reset),
            web.post("/_endpoints", self._endpoint),
            web.post("/_pay", self._pay),
            web.post("/_invoices", self._invoice),
            web.post("/_checkout/{id}/complete", act("sessions", checkout.complete_session)),
            web.post("/_checkout/{id}/settle", act("sessions", checkout.settle_session)),
            web.post("/_intents/{id}/succeed", act("payment_intents", _succeed)),
            web.post("/_intents/{id}/settle", act("payment_intents", _settle)),
            web.post("/_invoices/{id}/pay", act("invoices", invoices.pay_invoice)),
            web.post("/_charges/{id}/balance", act("charges", _balance)),
            web.post("/_refunds", self._make(refunds.create_refund)),
            web.post("/_refunds/{id}/settle", act("refunds", lambda world, doc, given: refunds.settle(world, doc))),
            web.post("/_refunds/{id}/fail", act("refunds", _fail_refund)),
            web.post("/_charges/{id}/dispute", act("charges", disputes.open_dispute)),
            web.post("/_disputes/{id}/answer", act("disputes", _answer)),
            web.post("/_disputes/{id}/escalate", act("disputes", _escalate)),
            web.post("/_disputes/{id}/close", act("disputes", _close_dispute)),
            web.post("/_movements", self._make(balances.move)),
            web.post("/_payouts", self._make(payouts.open_payout)),
            web.post("/_payouts/{id}/pay", act("payouts", _pay_payout)),
            web.post("/_payouts/{id}/reconcile", act("payouts", _reconcile)),
            web.post("/_payouts/{id}/fail", act("payouts", _fail_payout)),
            web.post("/_events/{id}/resend", self._resend),
        ]

    def _act(
        self, table: str, do: Callable[[World, Doc, Doc], Doc]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handler(request: web.Request) -> web.Response:
            given = await _body(request)
            doc = self._world.table(table).get(request.match_info["id"])
            if doc is None:
                word = self._world.table(table).word
                raise ApiError(f"No such {word}: '{request.match_info['id']}'", status=404, code="resource_missing")
            return web.json_response(self._world.show(do(self._world, doc, given)))

        return handler

    def _seed_first(self) -> None:
        for account in self._first:
            if account["id"] not in self._world.accounts:
                seed_account(self._world, account)
        self._world.database.commit()

    def _account_of(self, given: Doc) -> str:
        name = given.get("account") or next(iter(self._world.accounts), None)
        if name not in self._world.accounts:
            raise ApiError(f"No such account: {name}", param="account")
        return str(name)

    async def _ledger(self, request: web.Request) -> web.Response:
        """All sections, or those that the query's `only` names."""
        only = [name for name in request.query.get("only", "").split(",") if name]
        return web.json_response({name: tell() for name, tell in self._sections() if not only or name in only})

    def _sections(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        world = self._world
        for kind in KINDS:
            if kind not in (*CATALOG, "sessions"):
                yield kind, partial(_rendered, world, kind)
        yield "sessions", self._sessions
        # Stripe's own objects show ten lines at most; here are all of them.
        yield "invoice_lines", lambda: _all_lines(world, "invoices")
        yield "amount_details_line_items", lambda: _all_lines(world, "payment_intents")
        yield "catalog", lambda: {name: [world.show(doc) for doc in world.table(name).all()] for name in CATALOG}
        about = ("id", "name", "country", "default_currency", "livemode")
        yield "accounts", lambda: [{name: row[name] for name in about} for row in world.accounts.values()]
        yield "deliveries", self._deliveries.rows

    def _sessions(self) -> list[Doc]:
        tables = self._world.tables
        lines: Wanted = {"line_items": {}, "total_details": {"breakdown": {}}}
        return [
            {**render(doc, tables, lines), "line_items": render(doc["_lines"], tables, {"taxes": {}})}
            for doc in self._world.table("sessions").all()
        ]

    async def _list_deliveries(self, request: web.Request) -> web.Response:
        return web.json_response({"attempts": self._deliveries.attempts(), "deliveries": self._deliveries.rows()})

    async def _show_switches(self, request: web.Request) -> web.Response:
        return web.json_response(asdict(self._world.switches))

    async def _set_switches(self, request: web.Request) -> web.Response:
        try:
            self._world.set_switches(await _body(request))
        except ValueError as error:
            raise ApiError(str(error)) from error
        return await self._show_switches(request)

    async def _clock(self, request: web.Request) -> web.Response:
        given = await _body(request)
        self._world.advance(float(given.get("advance", 0)))
        return web.json_response({"now": self._world.schedule.now()})

    async def _seed(self, request: web.Request) -> web.Response:
        given = await _body(request)
        for account in given.get("accounts") or []:
            seed_account(self._world, account)
        return web.json_response({"accounts": list(self._world.accounts)})

    async def _reset(self, request: web.Request) -> web.Response:
        given = await _body(request)
        world, keep = self._world, given.get("keep") or []
        kept = {name: dict(world.database.collection(name)) for name in keep}
        await self._deliveries.forget()
        world.schedule.clear()
        world.database.clear()
        world.tables.forget_indexes()
        world.switches.reset()
        self._faults.clear()
        for name in kept.get("accounts", {}):
            world.accounts[name] = kept["accounts"][name]
        for doc in kept.get("webhook_endpoints", {}).values():
            world.table("webhook_endpoints").save(doc)
        if not world.accounts:
            self._seed_first()
        return web.json_response({"accounts": list(world.accounts)})

    async def _endpoint(self, request: web.Request) -> web.Response:
        given = {"enabled_events": ["*"], **await _body(request)}
        if not given.get("url"):
            raise missing_parameter("url")
        doc = create_endpoint(self._world, self._account_of(given), given)
        return web.json_response({**self._world.show(doc), "secret": doc["_secret"], "payload": doc["_payload"]})

    async def _pay(self, request: web.Request) -> web.Response:
        given = await _body(request)
        return web.json_response(pay(self._world, self._account_of(given), given))

    async def _invoice(self, request: web.Request) -> web.Response:
        given = {**await _body(request), "via": "invoice", "outcome": "unpaid"}
        return web.json_response(pay(self._world, self._account_of(given), given))

    def _make(self, make: Callable[[World, str, Doc], Doc]) -> Callable[[web.Request], Awaitable[web.Response]]:
        """A door that makes something in the account which is named, as somebody does in the dashboard."""

        async def handler(request: web.Request) -> web.Response:
            given = await _body(request)
            return web.json_response(self._world.show(make(self._world, self._account_of(given), given)))

        return handler

    async def _resend(self, request: web.Request) -> web.Response:
        given = await _body(request)
        event = self._world.table("events").get(request.match_info["id"])
        if event is None:
            raise ApiError(f"No such event: '{request.match_info['id']}'", status=404, code="resource_missing")
        return web.json_response({"resent": self._deliveries.resend(event, given.get("webhook_endpoint"))})


def _rendered(world: World, kind: str) -> list[Doc]:
    return [render(doc, world.tables) for doc in world.table(kind).all()]


def _all_lines(world: World, table: str) -> dict[str, Any]:
    return {doc["id"]: render(doc["_lines"], world.tables) for doc in world.table(table).all() if doc["_lines"]}


def _succeed(world: World, doc: Doc, given: Doc) -> Doc:
    if doc["status"] not in intents.OPEN:
        raise ApiError(f"The intent is {doc['status']}", code="payment_intent_unexpected_state")
    return intents.charge_intent(world, doc, given.get("payment_method"), given.get("billing_details"))


def _settle(world: World, doc: Doc, given: Doc) -> Doc:
    return intents.settle_intent(world, doc, given.get("outcome") == "failed")


def _balance(world: World, doc: Doc, given: Doc) -> Doc:
    return charges.add_balance(world, doc)


def _fail_refund(world: World, doc: Doc, given: Doc) -> Doc:
    return refunds.fail(world, doc, given.get("reason") or "expired_or_canceled_card")


def _answer(world: World, doc: Doc, given: Doc) -> Doc:
    return disputes.answer(world, doc)


def _escalate(world: World, doc: Doc, given: Doc) -> Doc:
    return disputes.escalate(world, doc)


def _close_dispute(world: World, doc: Doc, given: Doc) -> Doc:
    return disputes.close(world, doc, given.get("outcome") or "lost")


def _pay_payout(world: World, doc: Doc, given: Doc) -> Doc:
    return payouts.pay(world, doc)


def _reconcile(world: World, doc: Doc, given: Doc) -> Doc:
    return payouts.reconcile(world, doc)


def _fail_payout(world: World, doc: Doc, given: Doc) -> Doc:
    return payouts.fail(world, doc, given.get("code") or "account_closed")


async def _body(request: web.Request) -> Doc:
    if not request.can_read_body:
        return {}
    given = await request.json()
    if not isinstance(given, dict):
        raise ApiError("The body is a JSON object")
    return given
