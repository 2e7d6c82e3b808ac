"""Events on their way to the endpoints: signed, retried, doubled, late or lost as the switches say."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time

import aiohttp

from sandbox.outbox import Outbox
from sandbox.stripe.tables import Doc
from sandbox.stripe.world import World, merged

#: Deliveries under way at the same time.
AT_ONCE = 50

#: Where the object of a thin event is read, by its kind.
URLS = {
    "charge": "/v1/charges/{id}",
    "checkout.session": "/v1/checkout/sessions/{id}",
    "customer": "/v1/customers/{id}",
    "dispute": "/v1/disputes/{id}",
    "invoice": "/v1/invoices/{id}",
    "invoice_payment": "/v1/invoice_payments/{id}",
    "payment_intent": "/v1/payment_intents/{id}",
    "price": "/v1/prices/{id}",
    "product": "/v1/products/{id}",
    "refund": "/v1/refunds/{id}",
}


def create_endpoint(world: World, account: str, params: Doc) -> Doc:
    """A new endpoint; `secret` and `payload` (snapshot or thin) may be given by the sandbox's own door."""
    doc = {
        **world.base("webhook_endpoint", "we_1", account),
        "api_version": params.get("api_version"),
        "application": None,
        "description": params.get("description"),
        "enabled_events": params["enabled_events"],
        "metadata": merged({}, params.get("metadata", {})),
        "status": "enabled",
        "url": params["url"],
        "_payload": params.get("payload") or "snapshot",
        "_secret": params.get("secret") or world.new_id("whsec_", 32),
    }
    return world.table("webhook_endpoints").save(doc)


def signature(body: bytes, secret: str, second: int) -> str:
    """The `Stripe-Signature` of a body: HMAC-SHA256 over `<second>.<body>`."""
    mac = hmac.new(secret.encode(), str(second).encode() + b"." + body, hashlib.sha256)
    return f"t={second},v1={mac.hexdigest()}"


def thin(event: Doc) -> Doc:
    """The notification that tells an event without its data."""
    shown = event["data"]["object"]
    request = event["request"]
    reason = {"type": "request", "request": request} if request["id"] else None
    return {
        "id": event["_thin_id"],
        "object": "v2.core.event",
        "type": f"v1.{event['type']}",
        "created": event["_time"],
        "livemode": event["livemode"],
        "context": None,
        "reason": reason,
        "related_object": {
            "id": shown["id"],
            "type": shown["object"],
            "url": URLS.get(shown["object"], "/v1/{id}").format(id=shown["id"]),
        },
    }


def wants(endpoint: Doc, kind: str) -> bool:
    """Whether an endpoint asked for events of this kind; thin ones are asked for with or without `v1.`."""
    asked = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in asked or kind in asked or f"v1.{kind}" in asked)


class Deliveries(Outbox):
    """Sends every event to every endpoint that wants it, and keeps each attempt."""

    def __init__(self, world: World) -> None:
        super().__init__(world.database.collection("deliveries"))
        self._world = world
        self._by_event: dict[str, list[str]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def start(self) -> None:
        """Opens the way out and goes on with what was under way when the program ended."""
        for name, row in self._rows.items():
            self._by_event.setdefault(row["event"], []).append(name)
        await super().start()

    async def forget(self) -> None:
        """Ends every delivery under way."""
        await super().forget()
        self._by_event.clear()

    def send(self, event: Doc) -> None:
        """Has a new event delivered to the endpoints of its account."""
        switches, chance = self._world.switches, self._world.fate.random
        for endpoint in self._world.table("webhook_endpoints").find(_account=event["_account"]):
            if not wants(endpoint, event["type"]):
                continue
            lost = chance() < switches.webhook_loss
            self._add(event, endpoint["id"], "lost" if lost else "pending")
            if not lost and chance() < switches.webhook_duplicate:
                self._add(event, endpoint["id"], "pending", duplicate=True)

    def resend(self, event: Doc, endpoint: str | None = None) -> int:
        """Delivers an event once more, as a person does in the dashboard; to how many endpoints."""
        found = [
            row["id"]
            for row in self._world.table("webhook_endpoints").find(_account=event["_account"])
            if endpoint in (None, row["id"]) and (endpoint or wants(row, event["type"]))
        ]
        for name in found:
            self._add(event, name, "pending", duplicate=True)
        return len(found)

    def delivered(self, event_id: str) -> bool:
        """Whether every endpoint that wanted the event has taken it."""
        return all(self._rows[name]["state"] == "delivered" for name in self._by_event.get(event_id, ()))

    def attempts(self) -> list[Doc]:
        """Every attempt until now, in the order of the deliveries."""
        return [
            {"delivery": name, **{key: row[key] for key in ("event", "type", "endpoint", "duplicate")}, **attempt}
            for name, row in self._rows.items()
            for attempt in row["attempts"]
        ]

    def rows(self) -> list[Doc]:
        """The deliveries with their state: pending, delivered, failed or lost."""
        return [dict(row) for row in self._rows.values()]

    def _add(self, event: Doc, endpoint: str, state: str, duplicate: bool = False) -> None:
        name = f"dl_{len(self._rows)}"
        self._rows[name] = {
            "id": name, "event": event["id"], "type": event["type"], "endpoint": endpoint,
            "duplicate": duplicate, "state": state, "attempts": [],
        }  # fmt: skip
        self._by_event.setdefault(event["id"], []).append(name)
        if state == "pending":
            event["pending_webhooks"] += 1
            self._world.table("events").save(event)
            self._spawn(name)

    async def _deliver(self, name: str) -> None:
        switches, row = self._world.switches, self._rows[name]
        wait = switches.webhook_delay + self._world.fate.random() * switches.webhook_spread
        while True:
            if wait > 0:
                await self._world.schedule.sleep(wait)
            async with self._slots:
                attempt = await self._attempt(row)
            row["attempts"].append(attempt)
            failures = len(row["attempts"])
            taken = attempt["status"] is not None and 200 <= attempt["status"] < 300
            if taken or failures > switches.webhook_retries:
                self._finish(name, "delivered" if taken else "failed")
                return
            self._rows.save(name)
            self._world.database.commit()
            wait = switches.webhook_retry_after * 2 ** (failures - 1)

    def _finish(self, name: str, state: str) -> None:
        row = self._rows[name]
        row["state"] = state
        self._rows.save(name)
        event = self._world.table("events").get(row["event"])
        if event is not None and state == "delivered":
            event["pending_webhooks"] -= 1
            self._world.table("events").save(event)
        self._world.database.commit()

    async def _attempt(self, row: Doc) -> Doc:
        number, at = len(row["attempts"]) + 1, self._world.schedule.now()
        status, error = None, None
        endpoint = self._world.table("webhook_endpoints").get(row["endpoint"])
        event = self._world.table("events").get(row["event"])
        if endpoint is None or event is None or self._session is None:
            error = "the endpoint is gone"
        else:
            try:
                status = await self._post(self._session, endpoint, event)
            except (aiohttp.ClientError, TimeoutError, OSError) as failure:
                error = f"{type(failure).__name__}: {failure}"
        return {"attempt": number, "at": at, "status": status, "error": error}

    async def _post(self, session: aiohttp.ClientSession, endpoint: Doc, event: Doc) -> int:
        # The event's object was rendered when it was made: only the event's own fields are left to hide.
        plain = {name: value for name, value in event.items() if name[0] != "_"}
        shown = thin(event) if endpoint["_payload"] == "thin" else plain
        body = json.dumps(shown, separators=(",", ":")).encode()
        # The clock put forward is ours alone: whoever checks the signature looks at his own.
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(body, endpoint["_secret"], int(time.time())),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        limit = aiohttp.ClientTimeout(total=self._world.switches.webhook_timeout)
        async with session.post(endpoint["url"], data=body, headers=headers, timeout=limit) as response:
            await response.read()
            return response.status
