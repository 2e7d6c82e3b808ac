"""Payments made in the Stripe sandbox before they are announced, and the webhooks that will announce them."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from aiohttp import ClientSession

from bench.shops import Shop

# What a checkout says about one payment; the middle one alone is enough.
TOLD = ("charge.succeeded", "payment_intent.succeeded", "checkout.session.completed")
_PAGE = 100


@dataclass
class Sale:
    """A paid payment. `events` are the bodies that announce it, by type."""

    shop: Shop
    payment_id: str
    events: dict[str, bytes] = field(default_factory=dict)

    @property
    def workflow_id(self) -> str:
        """Its run."""
        return f"payment:{self.shop.slug}:{self.payment_id}"


@dataclass(frozen=True)
class Webhook:
    """One delivery, signed at the moment it is sent."""

    shop: Shop
    body: bytes
    about: str  # the payment's id

    def headers(self) -> dict[str, str]:
        """As Stripe sends them."""
        second = int(time.time())
        mac = hmac.new(self.shop.secret.encode(), f"{second}.".encode() + self.body, hashlib.sha256)
        return {"Content-Type": "application/json", "Stripe-Signature": f"t={second},v1={mac.hexdigest()}"}


class Till:
    """Sells in one sandbox. A customer of a shop is known after the first payment of his that was carried."""

    def __init__(self, http: ClientSession, stripe_url: str) -> None:
        self._http = http
        self._url = stripe_url

    async def sell(self, shop: Shop, customer: str = "1", sku: str = "LAMP-01") -> Sale:
        """One checkout of two lines by a customer with an address; `sku` is the first line's."""
        wish = {
            "account": shop.account,
            "currency": "eur",
            "customer": _customer(shop, customer),
            "capture": "automatic",  # Stripe knows its fee at once: when a run ends is not up to Stripe's clock
            "lines": [
                {"sku": sku, "unit_amount": 4900, "quantity": 1},
                {"sku": "BULB-E27", "unit_amount": 450, "quantity": 2},
            ],
        }
        async with self._http.post(f"{self._url}/_pay", json=wish) as answer:
            answer.raise_for_status()
            return Sale(shop, (await answer.json())["payment_intent"])

    async def announce(self, sales: Iterable[Sale]) -> None:
        """Reads the events of all these sales from Stripe."""
        waiting = {sale.payment_id: sale for sale in sales}
        for shop in {sale.shop for sale in waiting.values()}:
            async for event in self._events(shop):
                sale = waiting.get(_payment_of(event["data"]["object"]))
                if sale is not None and event["type"] in TOLD:
                    sale.events[event["type"]] = json.dumps(event, separators=(",", ":")).encode()

    async def _events(self, shop: Shop) -> Any:
        last: dict[str, str] = {}
        while True:
            query = {"limit": str(_PAGE), **last}
            key = {"Authorization": f"Bearer {shop.key}"}
            async with self._http.get(f"{self._url}/v1/events", params=query, headers=key) as answer:
                answer.raise_for_status()
                page = await answer.json()
            for event in page["data"]:
                yield event
            if not page["has_more"]:
                return
            last = {"starting_after": page["data"][-1]["id"]}


def webhooks(sales: Sequence[Sale], types: Sequence[str] = TOLD) -> list[Webhook]:
    """The deliveries of these sales, each sale's one after the other."""
    return list(chain.from_iterable([Webhook(s.shop, s.events[t], s.payment_id) for t in types] for s in sales))


def invented(sale: Sale, payments: int) -> list[Webhook]:
    """Deliveries about payments that nobody made, alike but for their ids: for an ingress whose runs nobody carries."""
    told = [(sale.events[kind], json.loads(sale.events[kind])["id"].encode()) for kind in TOLD]

    def one(number: int, body: bytes, event_id: bytes) -> Webhook:
        payment = f"{sale.payment_id}{number}"
        body = body.replace(sale.payment_id.encode(), payment.encode())
        return Webhook(sale.shop, body.replace(event_id, event_id + b"%d" % number), payment)

    return [one(number, *each) for number in range(payments) for each in told]


def _payment_of(shown: dict[str, Any]) -> str:
    return str(shown["id"] if shown["object"] == "payment_intent" else shown.get("payment_intent"))


def _customer(shop: Shop, name: str) -> dict[str, Any]:
    return {
        "id": f"cus_Bench{shop.number}x{name}",
        "name": f"Grace Hopper {name}",
        "email": f"grace{name}@shop{shop.number}.example",
        "address": {"line1": "Hafen 3", "city": "Kiel", "postal_code": "24103", "country": "DE"},
    }
