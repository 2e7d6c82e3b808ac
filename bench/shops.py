"""The shops whose payments are measured: a Stripe account and a Zoho organisation each, with stock that lasts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from cli import shop as demo

# Zoho's limits lifted; an honest organisation keeps those of the sandbox, which are Zoho's.
_UNLIMITED = {"minute_limit": 0, "daily_limit": 0, "concurrency_limit": 0}
_STOCK = 1_000_000
_AT_ONCE = 5  # calls in process that a free organisation has


@dataclass(frozen=True)
class Shop:
    """One connection of the bench."""

    number: int
    honest: bool = False  # Zoho's own limits, as the sandbox has them
    minute_limit: int = 0  # Zoho's, for a shop that is not honest
    pace: int = 0  # the calls a minute that our settings say
    policy: str = f"{demo.POLICY}\nby_hand = {{poll_every = 0}}"  # as the connections file has it

    @property
    def slug(self) -> str:
        """Its name in the connections file."""
        return f"shop-{self.number}"

    @property
    def account(self) -> str:
        """Its Stripe account."""
        return f"acct_1Bench{self.number}"

    @property
    def key(self) -> str:
        """Its Stripe key."""
        return f"sk_test_bench{self.number}"

    @property
    def secret(self) -> str:
        """What its webhooks are signed with."""
        return f"whsec_bench{self.number}"

    @property
    def organization(self) -> str:
        """Its Zoho organisation."""
        return str(70_000_000 + self.number)

    def connection(self, stripe_url: str, zoho_url: str) -> str:
        """Its part of the connections file."""
        seed = self.seed()
        return demo.CONNECTION.format(
            slug=self.slug,
            account=self.account,
            key=self.key,
            secret=self.secret,
            stripe_url=stripe_url,
            zoho_url=zoho_url,
            organization=self.organization,
            client_id=seed["client_id"],
            client_secret=seed["client_secret"],
            refresh_token=seed["refresh_token"],
            deposit=demo.CLEARING_ACCOUNT_ID,
            per_minute=self.per_minute,
            policy=self.policy,
        )

    @property
    def per_minute(self) -> int:
        """Our own pace of its calls."""
        return demo.MINUTE if self.honest else self.pace

    def seed(self) -> dict[str, Any]:
        """Its organisation as the Zoho sandbox takes it."""
        items = [{**item, "stock": _STOCK} if "stock" in item else item for item in demo.ITEMS]
        return {
            **demo.ORGANIZATION,
            **self._limits(),
            "organization_id": self.organization,
            "client_id": f"1000.BENCH{self.number}",
            "refresh_token": f"1000.bench-refresh-{self.number}",
            "items": items,
        }

    def _limits(self) -> dict[str, int]:
        if self.honest:
            return {}
        return {"minute_limit": self.minute_limit, "concurrency_limit": _AT_ONCE} if self.minute_limit else _UNLIMITED


async def open_shops(shops: list[Shop], http: ClientSession, stripe_url: str, zoho_url: str) -> None:
    """Seeds both sandboxes."""
    accounts = [{**demo.ACCOUNT, "id": shop.account, "key": shop.key} for shop in shops]
    organizations = [shop.seed() for shop in shops]
    for url, body in ((stripe_url, {"accounts": accounts}), (zoho_url, {"organizations": organizations})):
        async with http.post(f"{url}/_seed", json=body) as answer:
            answer.raise_for_status()


def write_connections(shops: list[Shop], stripe_url: str, zoho_url: str, file: Path) -> None:
    """The connections file of all these shops."""
    file.write_text("\n".join(shop.connection(stripe_url, zoho_url) for shop in shops), encoding="utf-8")
    file.chmod(0o600)
