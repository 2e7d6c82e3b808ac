"""The sandbox's own addresses, which Zoho does not have: ledger, reset, seed, switches and clock."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from aiohttp import web

from sandbox.zoho import (
    banktransactions,
    credits,
    items,
    journals,
    packages,
    payments,
    returned,
    rules,
    salesreturns,
    shipments,
)
from sandbox.zoho.errors import Refusal
from sandbox.zoho.invoices import show as show_invoice
from sandbox.zoho.salesorders import show as show_order
from sandbox.zoho.seed import seed
from sandbox.zoho.settings import show_organization
from sandbox.zoho.tokens import Accounts
from sandbox.zoho.webhooks import Webhooks
from sandbox.zoho.wire import Row, decode, public, respond
from sandbox.zoho.world import Organization, World


def ledger(org: Organization, only: Collection[str] = ()) -> Row:
    """What one organisation holds and was asked: all sections, or those that `only` names."""
    tables = org.tables
    sections: dict[str, Callable[[], Any]] = {
        "organization": lambda: show_organization(org),
        "contacts": lambda: [public(row) for row in tables["contacts"].rows()],
        "items": lambda: [items.ledger(row) for row in tables["items"].rows()],
        "salesorders": lambda: [show_order(org, row) for row in tables["salesorders"].rows()],
        "invoices": lambda: [show_invoice(org, row) for row in tables["invoices"].rows()],
        "payments": lambda: [payments.show(org, row) for row in tables["customerpayments"].rows()],
        "packages": lambda: [packages.show(org, row) for row in tables["packages"].rows()],
        "shipments": lambda: [shipments.show(row) for row in tables["shipmentorders"].rows()],
        "creditnotes": lambda: [credits.show(org, row) for row in tables["creditnotes"].rows()],
        "refunds": lambda: [credits.show_refund(org, row) for row in tables["creditnoterefunds"].rows()],
        "salesreturns": lambda: [returned.show(org, row) for row in tables["salesreturns"].rows()],
        "receives": lambda: [returned.show_receive(row) for row in tables["salesreturnreceives"].rows()],
        "adjustments": lambda: [public(row) for row in tables["inventoryadjustments"].rows()],
        "banktransactions": lambda: [public(row) for row in tables["banktransactions"].rows()],
        "journals": lambda: [public(row) for row in tables["journals"].rows()],
        "accounts": lambda: _accounts(org),
        "calls": lambda: _calls(org),
    }
    return {name: tell() for name, tell in sections.items() if not only or name in only}


def _accounts(org: Organization) -> dict[str, dict[str, Decimal]]:
    """What is on each account, by its name and currency: of payments, refunds, transfers and journals."""
    sums = payments.accounts(org)
    moves = [move for row in org.tables["banktransactions"].rows() for move in banktransactions.moved(row)]
    moves += [move for row in org.tables["journals"].rows() for move in journals.moved(row)]
    for account, currency, amount in moves:
        held = sums.setdefault(account, {})
        held[currency] = held.get(currency, Decimal(0)) + amount
    return sums


def _calls(org: Organization) -> Row:
    return {
        "counts": dict(org.calls.counts),
        "refused": dict(org.calls.refused),
        "last": list(org.calls.last),
        "used_today": org.limits.used_today,
    }


class Control:
    """Handlers of the addresses that begin with `/_`."""

    def __init__(self, world: World, accounts: Accounts, disarm: Callable[[], None], webhooks: Webhooks) -> None:
        self._world, self._accounts, self._disarm, self._webhooks = world, accounts, disarm, webhooks

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get("/_ledger", self._ledger),
            web.post("/_reset", self._reset),
            web.post("/_seed", self._seed),
            web.get("/_switches", self._switches),
            web.post("/_switches", self._switch),
            web.post("/_clock", self._clock),
            web.post("/_revoke", self._revoke),
            web.post("/_decide", self._decide),
        ]

    async def _ledger(self, request: web.Request) -> web.Response:
        wanted = request.query.get("organization_id", "")
        only = [name for name in request.query.get("only", "").split(",") if name]
        found = self._world.organizations.items()
        shown = {key: ledger(org, only) for key, org in found if wanted in ("", key)}
        return respond({"organizations": shown, "token_calls": dict(self._accounts.calls)})

    async def _reset(self, request: web.Request) -> web.Response:
        await self._webhooks.forget()
        self._world.reset()
        self._accounts.clear()
        self._disarm()
        return respond({"reset": True})

    async def _seed(self, request: web.Request) -> web.Response:
        try:
            seeded = seed(self._world, decode(await request.read()))
        except (ValueError, KeyError) as error:
            return respond({"error": str(error)}, 400)
        except Refusal as refusal:
            return respond(refusal.body(), 400)
        return respond({"organizations": [show_organization(org) for org in seeded]})

    async def _switches(self, request: web.Request) -> web.Response:
        return respond({"switches": asdict(self._world.switches)})

    async def _switch(self, request: web.Request) -> web.Response:
        try:
            self._world.set_switches(decode(await request.read()))
        except (ValueError, Refusal) as error:
            return respond({"error": str(error)}, 400)
        return await self._switches(request)

    async def _clock(self, request: web.Request) -> web.Response:
        try:
            self._world.advance(float(decode(await request.read())["advance"]))
        except (KeyError, TypeError, ValueError, Refusal):
            return respond({"error": 'a clock takes {"advance": seconds}'}, 400)
        return respond({"now": self._world.now()})

    async def _decide(self, request: web.Request) -> web.Response:
        given = decode(await request.read())
        org, status = self._world.organizations.get(given.get("organization_id", "")), given.get("status")
        if org is None or status not in salesreturns.DECISIONS:
            return respond(
                {"error": "a decision takes organization_id, salesreturn_id and a status: approved or declined"}, 400
            )
        back = salesreturns.decide(org, given.get("salesreturn_id", ""), status)
        if back is None:
            return respond({"error": f"there is no sales return {given.get('salesreturn_id')!r}"}, 400)
        if change := rules.edited(org, "salesreturns", back["salesreturn_id"]):
            self._webhooks.tell(change)
        return respond({"salesreturn": returned.show(org, back)})

    async def _revoke(self, request: web.Request) -> web.Response:
        self._accounts.revoke_all()
        return respond({"revoked": True})
