"""Both sandboxes as the demo sees them: their ledgers, read afresh each time, amounts exact."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from cli.exits import CannotStart
from cli.shop import ACCOUNT, ORGANIZATION_ID


@dataclass(frozen=True)
class Ledgers:
    """What both sides hold at one moment."""

    stripe: dict[str, Any]
    zoho: dict[str, Any]  # of the shop's organisation


class Sandboxes:
    """The two programs at their addresses. CannotStart where one does not answer or refuses."""

    def __init__(self, http: httpx.AsyncClient, stripe_url: str, zoho_url: str) -> None:
        self._http = http
        self.stripe_url = stripe_url
        self.zoho_url = zoho_url

    async def ledgers(self) -> Ledgers:
        """Both ledgers now."""
        stripe = await self._json("GET", f"{self.stripe_url}/_ledger")
        zoho = await self._json("GET", f"{self.zoho_url}/_ledger?organization_id={ORGANIZATION_ID}")
        return Ledgers(stripe, zoho["organizations"][ORGANIZATION_ID])

    async def pay(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Makes a payment in the Stripe sandbox; the ids of what came of it."""
        return await self._json("POST", f"{self.stripe_url}/_pay", wish)

    async def switch(self, **positions: Any) -> None:
        """Moves switches of the Stripe sandbox."""
        await self._json("POST", f"{self.stripe_url}/_switches", positions)

    async def settle(self, charge_id: str) -> None:
        """Has Stripe make the charge's balance transaction, which tells the fee."""
        await self._json("POST", f"{self.stripe_url}/_charges/{charge_id}/balance", {})

    async def refund(self, payment_id: str, amount: int) -> dict[str, Any]:
        """Has somebody give `amount` minor units back, or with 0 all that is left, as in Stripe's dashboard."""
        wish = {"account": ACCOUNT["id"], "payment_intent": payment_id} | ({"amount": amount} if amount else {})
        return await self._json("POST", f"{self.stripe_url}/_refunds", wish)

    async def resend(self, event_id: str) -> None:
        """Has Stripe deliver an event once more."""
        await self._json("POST", f"{self.stripe_url}/_events/{event_id}/resend", {})

    async def _json(self, method: str, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, url, json=body)
        except httpx.TransportError as error:
            raise CannotStart(f"The sandbox at {url} does not answer: {error!r}.") from error
        if not answer.is_success:
            raise CannotStart(f"The sandbox refused {method} {url}: {answer.text}")
        found: dict[str, Any] = json.loads(answer.content, parse_float=Decimal)
        return found
