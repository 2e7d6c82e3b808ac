"""`POST /webhooks/stripe/{connection}`: verify the raw bytes, name the workflow, start it, answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from aiohttp import web

from clients.connections import Connection
from clients.errors import TryLater
from domain.changes import may_change
from domain.sweeps import IGNORED, REFUSED, Case, Heard
from ingress.deliveries import Refusal, read_body, refused
from ingress.door import Started, Starts, hear, telling
from ingress.events import StripeEvent, parse
from ingress.limits import Limits
from ingress.metrics import Metrics
from ingress.signatures import BadDelivery, verify
from ingress.subjects import EVENT_TYPES
from ingress.turns import Turns

log = logging.getLogger(__name__)
_HEADER = "Stripe-Signature"


class Remembers(Protocol):
    """The part of SeenEvents that a webhook needs."""

    async def saw(
        self, connection: str, event_id: str, *, type: str, business_id: str, outcome: str, at: datetime
    ) -> bool: ...


class StripeWebhook:
    """Answers Stripe. 2xx means: Temporal has it, or it is none of our business. `now` is UTC.

    400 forged, stale or malformed; 403 genuine, but of another account or mode; 404 no such connection;
    408 too slow; 413 too large; 415 encoded; 503 not accepted now: Stripe delivers it again for three days.
    """

    def __init__(
        self,
        connections: Mapping[str, Connection],
        starter: Starts,
        events: Remembers,
        *,
        metrics: Metrics,
        now: Callable[[], datetime],
        limits: Limits,
    ) -> None:
        self._secrets = {
            slug: tuple(secret.get_secret_value() for secret in one.stripe.webhook_secrets)
            for slug, one in connections.items()
        }
        self._connections = connections
        self._starter = starter
        self._events = events
        self._metrics = metrics
        self._now = now
        self._limits = limits
        self._turns = Turns[Started](limits.starts_at_once, limits.turn_seconds)
        self._at_hand = 0

    async def handle(self, request: web.Request) -> web.Response:
        """The answer to one delivery; every one is counted with what became of it."""
        with self._metrics.answering():
            self._at_hand += 1
            try:
                return await self._answer(request)
            finally:
                self._at_hand -= 1

    async def _answer(self, request: web.Request) -> web.Response:
        slug, kind = request.match_info["connection"], "unread"
        try:
            event = await self._read(request, slug)
            kind = event.type if event.type in EVENT_TYPES else "other"
            outcome = await self._pass_on(slug, event)
        except Refusal as refusal:
            return refused(request, self._connections, kind, refusal, self._metrics)
        self._metrics.count(slug, kind, outcome)
        return web.json_response({"outcome": outcome})

    async def _read(self, request: web.Request, slug: str) -> StripeEvent:
        """The event, once it is certain that Stripe sent it to this connection."""
        if slug not in self._connections:
            raise Refusal(404, "unknown-connection")
        keys = [key for key in self._secrets[slug] if key.strip()]
        if not keys:
            raise Refusal(503, "closed")  # an unset secret means closed
        if self._at_hand > self._limits.at_hand:
            raise Refusal(503, "busy")
        raw = await read_body(request, self._limits)
        try:
            verify(raw, request.headers.getall(_HEADER, []), keys, self._now())
            event = parse(raw)
        except BadDelivery as bad:
            raise Refusal(400, bad.reason) from bad
        self._refuse_foreign(event, self._connections[slug])
        return event

    @staticmethod
    def _refuse_foreign(event: StripeEvent, connection: Connection) -> None:
        """403, for the endpoint is wired to the wrong account or mode and somebody has to see that."""
        if event.account not in ("", connection.stripe.account_id):
            raise Refusal(403, "foreign-account")
        if event.livemode != connection.stripe.livemode:
            raise Refusal(403, "foreign-mode")

    async def _pass_on(self, slug: str, event: StripeEvent) -> str:
        """Gives the event to its run; what became of it in a word. What becomes nothing is noted with its reason."""
        try:
            heard = hear(event, self._connections[slug].own_keys())
        except BadDelivery as bad:
            await self._note(slug, event, "", f"{REFUSED}{bad.reason}")
            raise Refusal(400, bad.reason) from bad
        if heard.case is Case.NOTHING:
            await self._note(slug, event, heard.about, f"{IGNORED}{heard.reason}")
            return f"{IGNORED}{heard.reason}"
        try:
            outcome = await self._start(slug, heard)
        except TryLater as error:
            known = {"payment_id": heard.payment_id} if heard.payment_id else {}
            log.warning("%s %s: %s", slug, event.event_id, error, extra=known)
            await self._note(slug, event, heard.about, f"{REFUSED}not-accepted")
            raise Refusal(503, "not-accepted") from error
        return outcome.value if await self._note(slug, event, heard.about, outcome.value) else "repeated"

    async def _start(self, slug: str, heard: Heard) -> Started:
        # What changes something is no mere "paid", whatever else it says.
        says_no_more = heard.paid and not may_change(heard.event.type)
        same = (slug, heard.payment_id, heard.paid) if says_no_more else None
        return await self._turns.take(telling(self._starter, slug, heard), same)

    async def _note(self, slug: str, event: StripeEvent, about: str, outcome: str) -> bool:
        """Whether it is the first delivery of the event. A failing store costs a note, not the answer."""
        try:
            async with asyncio.timeout(self._limits.remember_seconds):
                return await self._events.saw(
                    slug,
                    event.event_id,
                    type=event.type,
                    business_id=about,
                    outcome=outcome,
                    at=self._now(),
                )
        except (TryLater, TimeoutError) as error:
            self._metrics.unremembered()
            log.warning("%s %s (%s) was not noted: %r", slug, event.event_id, outcome, error)
            return True
