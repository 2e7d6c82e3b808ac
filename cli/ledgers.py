"""Both sandboxes as the demo sees them: their ledgers, read afresh each time, amounts exact."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from cli.exits import CannotStart
from cli.shop import ACCOUNT, ORGANIZATION_ID

_MINUTE_IS_FULL = 429
_TRIES = 24  # the organisation's minute, and some more


@dataclass(frozen=True)
class Ledgers:
    """What both sides hold at one moment."""

    stripe: dict[str, Any]
    zoho: dict[str, Any]  # of the shop's organisation


class Sandboxes:
    """The two programs at their addresses. CannotStart where one does not answer or refuses."""

    def __init__(self, http: httpx.AsyncClient, stripe_url: str, zoho_url: str, *, ask_again: float = 5.0) -> None:
        self._http = http
        self._ask_again = ask_again  # seconds
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

    async def dispute(self, charge_id: str) -> dict[str, Any]:
        """Has the buyer's bank dispute the charge, and take its money."""
        return await self._json("POST", f"{self.stripe_url}/_charges/{charge_id}/dispute", {})

    async def lose(self, dispute_id: str) -> None:
        """Has the bank decide for the buyer."""
        await self._json("POST", f"{self.stripe_url}/_disputes/{dispute_id}/close", {"outcome": "lost"})

    async def pay_out(self) -> dict[str, Any]:
        """Has Stripe send all that it holds for the shop to the bank."""
        return await self._json("POST", f"{self.stripe_url}/_payouts", {"account": ACCOUNT["id"], "pending_too": True})

    async def resend(self, event_id: str) -> None:
        """Has Stripe deliver an event once more."""
        await self._json("POST", f"{self.stripe_url}/_events/{event_id}/resend", {})

    async def zoho_token(self, credentials: dict[str, str]) -> str:
        """An access token of Zoho's, as any program gets one."""
        query = str(httpx.QueryParams({"grant_type": "refresh_token", **credentials}))
        return str((await self._json("POST", f"{self.zoho_url}/oauth/v2/token?{query}"))["access_token"])

    async def zoho(
        self, method: str, path: str, token: str, body: dict[str, Any] | None, query: dict[str, str]
    ) -> dict[str, Any]:
        """One call of Zoho's own API. Waits, as a person would, where the house has used the minute's calls up."""
        url = f"{self.zoho_url}/inventory/v1{path}?{httpx.QueryParams(query)}"
        return await self._json(method, url, body, {"Authorization": f"Zoho-oauthtoken {token}"}, tries=_TRIES)

    async def _json(
        self,
        method: str,
        url: str,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        tries: int = 1,
    ) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, url, json=body, headers=headers)
            while answer.status_code == _MINUTE_IS_FULL and tries > 1:
                await asyncio.sleep(self._ask_again)
                tries -= 1
                answer = await self._http.request(method, url, json=body, headers=headers)
        except httpx.TransportError as error:
            raise CannotStart(f"The sandbox at {url} does not answer: {error!r}.") from error
        if not answer.is_success:
            raise CannotStart(f"The sandbox refused {method} {url}: {answer.text}")
        found: dict[str, Any] = json.loads(answer.content, parse_float=Decimal)
        return found
