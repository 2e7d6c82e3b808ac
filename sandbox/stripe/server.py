"""How a request to the API is answered: key, limit, parameters, idempotency, rendering, errors."""

from __future__ import annotations

import hashlib
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import BasicAuth, web
from aiohttp.typedefs import Handler

from sandbox.stripe.calls import Call, Endpoint
from sandbox.stripe.errors import ApiError, lacks_right, rate_limited, unauthorized
from sandbox.stripe.form import decode
from sandbox.stripe.parameters import checked
from sandbox.stripe.rendering import render, wanted
from sandbox.stripe.tables import KINDS, Doc
from sandbox.stripe.world import API_VERSION, Cause, World

KEY_LIFE = 24 * 3600


@dataclass(frozen=True)
class Asked:
    """A request with all it takes to answer it; `headers` are those of the answer."""

    endpoint: Endpoint
    request: web.Request
    account: str
    given: Doc
    key: str | None
    headers: dict[str, str]


class Server:
    """The API in front of the state; a request is worked off without waiting, so none sees half of another."""

    def __init__(self, world: World, delivered: Callable[[str], bool]) -> None:
        self._world, self._delivered = world, delivered
        self._recent: dict[tuple[str, str, str], deque[float]] = {}

    def route(self, endpoint: Endpoint) -> web.RouteDef:
        """The endpoint as aiohttp knows it."""

        async def handler(request: web.Request) -> web.Response:
            text = await request.text() if request.method == "POST" else request.rel_url.raw_query_string
            return self.answer(endpoint, request, text)

        return web.route(endpoint.method, endpoint.path, handler)

    def answer(self, endpoint: Endpoint, request: web.Request, text: str) -> web.Response:
        """The answer to one request, refusals included."""
        headers = {
            "Request-Id": self._world.new_id("req_", 14),
            "Stripe-Version": request.headers.get("Stripe-Version", API_VERSION),
        }
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        if key is not None:
            headers["Idempotency-Key"] = key
        try:
            account = self._account(request)
            self._permit(account, request, endpoint)
            self._limit(account, endpoint)
            asked = Asked(endpoint, request, account, decode(text), key, headers)
            status, body = self._apply(asked)[:2] if key is None else self._once(asked, key)
        except ApiError as refusal:
            status, body = refusal.status, json.dumps(refusal.body())
        return web.Response(text=body, status=status, content_type="application/json", headers=headers)

    def _account(self, request: web.Request) -> str:
        secret = _secret(request)
        if not secret:
            raise ApiError("You did not provide an API key.", status=401)
        for name, about in self._world.accounts.items():
            if secret in about["keys"] or secret in about.get("restricted", {}):
                if request.headers.get("Stripe-Account", name) != name:
                    raise ApiError("The key has no access to this account.", status=403, code="account_invalid")
                return name
        raise unauthorized(secret)

    def _permit(self, account: str, request: web.Request, endpoint: Endpoint) -> None:
        """Every key may see its own account; a restricted one may do what it was given, resource by resource."""
        rights = self._world.account(account).get("restricted", {}).get(_secret(request))
        resource = endpoint.path.partition("/{")[0].removeprefix("/v1/")
        if rights is None or resource == "account":
            return
        level = "read" if endpoint.method == "GET" else "write"
        if rights.get(resource) in (level, "write"):
            return
        named = request.match_info.get("id")
        if named is None or self._world.switches.rights_before_lookup or self._exists(named, account):
            raise lacks_right(resource, level)

    def _exists(self, named: str, account: str) -> bool:
        return any(self._world.table(name).get(named, account) is not None for name in KINDS)

    def _limit(self, account: str, endpoint: Endpoint) -> None:
        limit = self._world.switches.requests_per_second
        if not limit:
            return
        recent = self._recent.setdefault((account, endpoint.method, endpoint.path), deque())
        now = time.monotonic()
        while recent and recent[0] <= now - 1:
            recent.popleft()
        if len(recent) >= limit:
            raise rate_limited()
        recent.append(now)

    def _once(self, asked: Asked, key: str) -> tuple[int, str]:
        """The answer the key remembers, or the first one."""
        if len(key) > 255:
            raise ApiError("Idempotency keys are 255 characters at most", kind="idempotency_error")
        answers, name, now = self._world.answers, f"{asked.account}:{key}", self._world.schedule.now()
        what = json.dumps([asked.request.path, asked.given], sort_keys=True)
        mark = hashlib.sha256(what.encode()).hexdigest()
        stored = answers.get(name)
        if stored is not None and stored["at"] > now - KEY_LIFE:
            if stored["mark"] != mark:
                message = (
                    "Keys for idempotent requests can only be used with the same parameters and the same endpoint"
                    f" they were first used with. Try using a key other than '{key}'."
                )
                raise ApiError(message, kind="idempotency_error")
            asked.headers.update({"Idempotent-Replayed": "true", "Original-Request": stored["request"]})
            return stored["status"], stored["body"]
        status, body, kept = self._apply(asked)
        if kept:
            request_id = asked.headers["Request-Id"]
            answers[name] = {"mark": mark, "at": now, "status": status, "body": body, "request": request_id}
        return status, body

    def _apply(self, asked: Asked) -> tuple[int, str, bool]:
        """Status, body, and whether an idempotency key remembers them."""
        world = self._world
        params = checked(asked.endpoint.spec, asked.given)
        wants = wanted(params.get("expand"))
        if asked.request.method == "POST":
            world.cause = Cause(asked.headers["Request-Id"], asked.key)
        try:
            path, ids = asked.request.path, asked.request.match_info
            result = asked.endpoint.handler(Call(world, asked.account, params, path, ids, self._delivered))
            shown: Any = render(result, world.tables, wants)
            return 200, json.dumps(shown), True
        except ApiError as refusal:
            return refusal.status, json.dumps(refusal.body()), refusal.stored
        finally:
            world.cause = Cause()


def _secret(request: web.Request) -> str:
    given = request.headers.get("Authorization", "")
    scheme, _, secret = given.partition(" ")
    if scheme.lower() == "basic":
        try:
            return str(BasicAuth.decode(given).login)
        except ValueError:
            raise unauthorized("") from None
    return secret


async def unknown_url(request: web.Request) -> web.Response:
    """The answer to a path Stripe (or this sandbox) does not have."""
    refusal = ApiError(f"Unrecognized request URL ({request.method}: {request.path}).", status=404)
    return web.json_response(refusal.body(), status=404)


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns what the sandbox's own doors refuse, and what aiohttp does not find, into Stripe's error bodies."""
    try:
        return await handler(request)
    except ApiError as refusal:
        return web.json_response(refusal.body(), status=refusal.status)
    except json.JSONDecodeError as error:
        return web.json_response(ApiError(f"Invalid JSON: {error}").body(), status=400)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return await unknown_url(request)
