"""`POST /webhooks/stripe/{connection}`: verify the raw bytes, name the workflow, start it, answer."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Protocol

from aiohttp import web

from clients.connections import Connection
from clients.errors import TryLater
from domain.changes import is_echo, may_change
from domain.runs import PaymentEvent
from ingress.events import StripeEvent, parse
from ingress.limits import Limits
from ingress.metrics import Metrics
from ingress.signatures import BadDelivery, verify
from ingress.starter import Started
from ingress.subjects import EVENT_TYPES, Disputed, Named, Nothing, Refunded, Unnamed, subject_of
from ingress.turns import Turns

log = logging.getLogger(__name__)
_HEADER = "Stripe-Signature"
Told = Named | Refunded | Disputed | Unnamed


class Starts(Protocol):
    """The part of Starter that a webhook needs."""

    async def payment_event(
        self, connection: str, payment_id: str, seen: PaymentEvent, summary_hint: str = ""
    ) -> Started: ...

    async def refund_event(self, connection: str, refund_id: str, payment_id: str, seen: PaymentEvent) -> Started: ...

    async def dispute_event(self, connection: str, dispute_id: str, payment_id: str, seen: PaymentEvent) -> Started: ...

    async def resolve_event(self, connection: str, seen: PaymentEvent) -> Started: ...


class Remembers(Protocol):
    """The part of SeenEvents that a webhook needs."""

    async def saw(
        self, connection: str, event_id: str, *, type: str, business_id: str, outcome: str, at: datetime
    ) -> bool: ...


class Refusal(Exception):
    """The delivery ends here with `status`; `reason` is for counter and log, the sender gets an id."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


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
            return self._refused(request, kind, refusal)
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
        raw = await self._body(request)
        try:
            verify(raw, request.headers.getall(_HEADER, []), keys, self._now())
            event = parse(raw)
        except BadDelivery as bad:
            raise Refusal(400, bad.reason) from bad
        self._refuse_foreign(event, self._connections[slug])
        return event

    async def _body(self, request: web.Request) -> bytes:
        if request.headers.get("Content-Encoding", "identity") != "identity":
            raise Refusal(415, "encoded")
        if (request.content_length or 0) > self._limits.body_bytes:
            raise Refusal(413, "too-large")
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                return await request.read()
        except web.HTTPRequestEntityTooLarge as error:
            raise Refusal(413, "too-large") from error
        except TimeoutError as error:
            raise Refusal(408, "too-slow") from error
        except (web.RequestPayloadError, ConnectionError) as error:
            raise Refusal(400, "broken-off") from error

    @staticmethod
    def _refuse_foreign(event: StripeEvent, connection: Connection) -> None:
        """403, for the endpoint is wired to the wrong account or mode and somebody has to see that."""
        if event.account not in ("", connection.stripe.account_id):
            raise Refusal(403, "foreign-account")
        if event.livemode != connection.stripe.livemode:
            raise Refusal(403, "foreign-mode")

    async def _pass_on(self, slug: str, event: StripeEvent) -> str:
        """Gives the event to its run; what became of it in a word."""
        try:
            subject = subject_of(event)
        except BadDelivery as bad:
            raise Refusal(400, bad.reason) from bad
        if isinstance(subject, Nothing):
            return f"ignored-{subject.reason}"
        if is_echo(event.changed, self._connections[slug].own_keys()):
            return "ignored-own"
        try:
            outcome = await self._start(slug, event, subject)
        except TryLater as error:
            known = {} if isinstance(subject, Unnamed) else {"payment_id": subject.payment_id}
            log.warning("%s %s: %s", slug, event.event_id, error, extra=known)
            raise Refusal(503, "not-accepted") from error
        about = subject.payment_id if isinstance(subject, Named) else subject.object_id
        first = await self._remember(slug, event, about, outcome)
        return outcome.value if first else "repeated"

    async def _start(self, slug: str, event: StripeEvent, subject: Told) -> Started:
        about = str(event.subject["id"]) if isinstance(subject, Named) else subject.object_id
        seen = PaymentEvent(
            event_id=event.event_id, type=event.type, object_id=about, created=event.created, changed=event.changed
        )
        if isinstance(subject, Named):
            start = partial(self._starter.payment_event, slug, subject.payment_id, seen, subject.money)
            # What changes something is no mere "paid", whatever else it says.
            says_no_more = subject.paid and not may_change(event.type)
            same = (slug, subject.payment_id, subject.paid) if says_no_more else None
            return await self._turns.take(start, same)
        if not isinstance(subject, Unnamed):
            tell = self._starter.refund_event if isinstance(subject, Refunded) else self._starter.dispute_event
            return await self._turns.take(partial(tell, slug, subject.object_id, subject.payment_id, seen))
        return await self._turns.take(partial(self._starter.resolve_event, slug, seen))

    async def _remember(self, slug: str, event: StripeEvent, about: str, outcome: Started) -> bool:
        """Whether it is the first delivery of the event. A failing store costs a note, not the answer."""
        try:
            async with asyncio.timeout(self._limits.remember_seconds):
                return await self._events.saw(
                    slug,
                    event.event_id,
                    type=event.type,
                    business_id=about,
                    outcome=outcome.value,
                    at=self._now(),
                )
        except (TryLater, TimeoutError) as error:
            self._metrics.unremembered()
            log.warning("%s %s was accepted but not noted: %r", slug, event.event_id, error)
            return True

    def _refused(self, request: web.Request, kind: str, refusal: Refusal) -> web.Response:
        error_id, slug = secrets.token_hex(8), request.match_info["connection"]
        known = slug if slug in self._connections else "unknown"
        self._metrics.count(known, kind, refusal.reason)
        log.warning("refused %s: %d %s, error id %s", known, refusal.status, refusal.reason, error_id)
        response = web.json_response({"error": error_id}, status=refusal.status)
        if not request.content.at_eof():
            response.force_close()  # a body is left that nobody will read
        return response
