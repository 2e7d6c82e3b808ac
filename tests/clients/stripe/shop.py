"""A shop at the Stripe sandbox, seen from both sides."""

from __future__ import annotations

from typing import Any

import httpx

from clients.connections import StripeAccount
from clients.stripe.gateway import StripeGateway
from domain.mapping_policy import MappingPolicy


class Shop:
    """The sandbox's own doors and the gateway of its account."""

    def __init__(self, url: str, account: StripeAccount) -> None:
        self.gateway = StripeGateway(account, MappingPolicy())
        self._http = httpx.AsyncClient(base_url=url)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """What `POST path` answers."""
        answer = await self._http.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def pay(self, via: str, **wish: Any) -> Any:
        """The ids of one payment in euro made `via` one of the sandbox's ways."""
        return await self.post("/_pay", {"via": via, "currency": "eur", **wish})

    async def ledger(self, table: str) -> list[Any]:
        """One table of the sandbox's ledger."""
        rows: list[Any] = (await self._http.get("/_ledger")).json()[table]
        return rows

    async def close(self) -> None:
        """Ends every connection."""
        await self._http.aclose()
        await self.gateway.close()
