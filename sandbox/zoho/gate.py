"""What stands before every operation: address, token, scope, organisation and quotas, in that order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from sandbox.zoho import errors
from sandbox.zoho.routing import BOOKS, Answer, Call, Route, Router
from sandbox.zoho.settings import APPS
from sandbox.zoho.tokens import FULL_ACCESS, Accounts
from sandbox.zoho.wire import Row, decode, respond, stamp
from sandbox.zoho.world import Organization, World

DATA_CENTERS = ("us", "eu", "in", "au", "jp", "ca", "sa", "cn", "uk", "ae")
#: What each of Zoho's apps answers below, and how it calls where a new record is.
APIS = {"/inventory/v1": "/api/v1", "/books/v3": "/api/v3"}
TOKEN = "/oauth/v2/token"


@dataclass(frozen=True)
class Admitted:
    """A request that passed the gate, before its body is read."""

    org: Organization
    route: Route
    params: dict[str, str]
    arrived: float
    place: str


Run = Callable[[Route, Call], Answer]
ADMITTED = web.RequestKey("admitted", Admitted)


def split_data_center(path: str) -> tuple[str, str]:
    """`/eu/inventory/v1/items` -> ("eu", "/inventory/v1/items"); "" where the path names no data centre."""
    first, _, rest = path[1:].partition("/")
    return (first, f"/{rest}") if first in DATA_CENTERS else ("", path)


class Gate:
    """Admits requests to the API, counts them, and has their operation run."""

    def __init__(self, world: World, accounts: Accounts, routers: dict[str, Router], run: Run) -> None:
        self._world, self._accounts, self._routers, self._run = world, accounts, routers, run

    def middleware(self) -> Middleware:
        """Outside of everything, so that a request which a fault spoils is counted too."""

        @web.middleware
        async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
            data_center, path = split_data_center(request.path)
            if path.startswith("/_") or path == TOKEN:
                return await handler(request)
            return await self._pass(request, handler, data_center, path)

        return gate

    async def _pass(self, request: web.Request, handler: Handler, dc: str, path: str) -> web.StreamResponse:
        now = self._world.now()
        try:
            api = next((api for api in self._routers if path.startswith(f"{api}/")), None)
            if api is None:
                raise errors.invalid_url()
            route, params = self._routers[api].find(request.method, path[len(api) :])
            allowed = self._authorized(request, route, dc)
            if route.template.startswith("/organizations"):
                request[ADMITTED] = Admitted(allowed[0], route, params, now, APIS[api])
                return await self._uncounted(request, handler, request[ADMITTED])
            org = self._organization(request, allowed)
            if route.family == BOOKS and "books" not in org.settings.get("apps", APPS):
                raise errors.no_books()
        except errors.Refusal as refusal:
            return respond(refusal.body(), refusal.status)
        request[ADMITTED] = Admitted(org, route, params, now, APIS[api])
        return await self._counted(request, handler, request[ADMITTED])

    def _authorized(self, request: web.Request, route: Route, dc: str) -> list[Organization]:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Zoho-oauthtoken" and not (kind == "Bearer" and self._world.switches.accept_bearer):
            raise errors.unauthorized()
        opened = [org for org in self._accounts.organizations(token) if dc in ("", org.settings["data_center"])]
        if not opened:
            raise errors.unauthorized()
        scopes = opened[0].settings["scopes"]
        if FULL_ACCESS[route.family] not in scopes and f"{route.family}.{route.scope}" not in scopes:
            raise errors.unauthorized(opened[0].switches.missing_scope_status)
        return opened

    def _organization(self, request: web.Request, allowed: list[Organization]) -> Organization:
        wanted = request.query.get("organization_id", "")
        if not wanted:
            if len(allowed) == 1 and self._world.switches.single_organization_default:
                return allowed[0]
            raise errors.organization_needed([_choice(org, index) for index, org in enumerate(allowed)])
        for org in allowed:
            if org.id == wanted:
                return org
        raise errors.organization_unknown()

    async def _uncounted(self, request: web.Request, handler: Handler, admitted: Admitted) -> web.StreamResponse:
        admitted.org.calls.count(admitted.route.operation)
        answer = await handler(request)
        at = stamp(admitted.arrived, admitted.org.zone)
        admitted.org.calls.note(admitted.route.operation, request.path, at, answer.status)
        return answer

    async def _counted(self, request: web.Request, handler: Handler, admitted: Admitted) -> web.StreamResponse:
        org = admitted.org
        at = stamp(admitted.arrived, org.zone)
        org.calls.count(admitted.route.operation)
        try:
            org.limits.enter(admitted.arrived, org.switches)
        except errors.Refusal as refusal:
            org.calls.note(admitted.route.operation, request.path, at, refusal.status, str(refusal.code))
            response = respond(refusal.body(), refusal.status, org.limits.headers(admitted.arrived))
            if org.switches.retry_after_header:
                seconds = org.limits.retry_after(refusal.code, admitted.arrived)
                response.headers["Retry-After"] = str(seconds)
            return response
        try:
            answer = await handler(request)
        finally:
            org.limits.leave()
        org.calls.note(admitted.route.operation, request.path, at, answer.status)
        answer.headers.update(org.limits.headers(self._world.now()))
        return answer

    async def dispatch(self, request: web.Request) -> web.Response:
        """Reads the body and runs the operation; the last thing that happens to an admitted request."""
        admitted = request.get(ADMITTED)
        if admitted is None:
            refusal = errors.invalid_url()
            return respond(refusal.body(), refusal.status)
        org = admitted.org
        raw = await request.read()
        if org.switches.answer_seconds:
            await asyncio.sleep(org.switches.answer_seconds)
        try:
            call = Call(self._world, org, admitted.params, dict(request.query), decode(raw), admitted.arrived)
            return _success(self._run(admitted.route, call), admitted.place)
        except errors.Refusal as refusal:
            return respond(refusal.body(), refusal.status)


def _success(answer: Answer, place: str) -> web.Response:
    body = {"code": 0, "message": answer.message, **answer.fields}
    if not answer.location:
        return respond(body)
    return respond(body, 201, {"Location": f"{place}{answer.location}"})


def _choice(org: Organization, index: int) -> Row:
    return {
        "organization_id": org.id,
        "name": org.settings["name"],
        "is_default_org": index == 0,
    }
