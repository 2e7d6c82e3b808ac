"""What the store remembers of the organisation, so that a known customer's order asks Zoho nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from clients.errors import Refused
from domain.documents import CurrencyFacts, OrganizationFacts, TaxFacts

if TYPE_CHECKING:
    from clients.store import Links

_CURRENCIES = TypeAdapter(tuple[CurrencyFacts, ...])
_TAXES = TypeAdapter(tuple[TaxFacts, ...])
# An exchange rate is a day's; everything else holds until Zoho refuses it.
_RATES_HOLD = timedelta(days=1)


@dataclass(frozen=True)
class Catalogue:
    """The organisation as remembered; None where it was never asked."""

    organization: OrganizationFacts | None
    currencies: tuple[CurrencyFacts, ...] | None
    rates_are_old: bool
    taxes: tuple[TaxFacts, ...] | None

    def currency(self, code: str) -> CurrencyFacts | None:
        """The organisation's currency with this code."""
        return next((row for row in self.currencies or () if row.code == code), None)


class Memory:
    """Answers that Zoho gave, under (connection, kind, key)."""

    def __init__(self, links: Links, now: Callable[[], datetime]) -> None:
        self._links = links
        self._now = now

    async def catalogue(self, connection: str) -> Catalogue:
        """All that is remembered of the organisation, in one read."""
        found = await self._links.get_many(
            connection, "catalogue", ["organization", "currencies", "currencies_at", "taxes"]
        )
        asked_at = found.get("currencies_at")
        old = asked_at is not None and datetime.fromisoformat(asked_at) + _RATES_HOLD < self._now()
        organization, currencies, taxes = (found.get(k) for k in ("organization", "currencies", "taxes"))
        return Catalogue(
            organization=OrganizationFacts.model_validate_json(organization) if organization else None,
            currencies=_CURRENCIES.validate_json(currencies) if currencies else None,
            rates_are_old=old,
            taxes=_TAXES.validate_json(taxes) if taxes else None,
        )

    async def currency(self, connection: str, code: str) -> CurrencyFacts:
        """The organisation's currency with this code; Refused where it has none."""
        found = (await self.catalogue(connection)).currency(code)
        if found is None:
            raise Refused("zoho", f"the organisation has no currency {code}; add it in Zoho", code="no_currency")
        return found

    async def keep_organization(self, connection: str, organization: OrganizationFacts) -> None:
        """Remember the organisation."""
        await self._keep(connection, "catalogue", "organization", organization.model_dump_json())

    async def keep_currencies(self, connection: str, rows: Sequence[CurrencyFacts]) -> None:
        """Remember the currencies and when their rates were asked."""
        await self._keep(connection, "catalogue", "currencies", _CURRENCIES.dump_json(tuple(rows)).decode())
        await self._keep(connection, "catalogue", "currencies_at", self._now().isoformat())

    async def keep_taxes(self, connection: str, rows: Sequence[TaxFacts]) -> None:
        """Remember the taxes."""
        await self._keep(connection, "catalogue", "taxes", _TAXES.dump_json(tuple(rows)).decode())

    async def items(self, connection: str, skus: Sequence[str]) -> dict[str, str]:
        """Zoho's item ids by SKU, where known."""
        return await self._links.get_many(connection, "item", skus) if skus else {}

    async def keep_item(self, connection: str, sku: str, item_id: str) -> None:
        """Remember which item has the SKU."""
        await self._keep(connection, "item", sku, item_id)

    async def forget_items(self, connection: str, skus: Sequence[str]) -> None:
        """Know these items no more: Zoho refused one of them."""
        for sku in skus:
            await self._links.forget(connection, "item", sku)

    async def linked_items(self, connection: str, product_ids: Sequence[str]) -> dict[str, str]:
        """Zoho's item ids by Stripe product, where somebody linked them."""
        return await self._links.get_many(connection, "product", product_ids) if product_ids else {}

    async def _keep(self, connection: str, kind: str, key: str, value: str) -> None:
        await self._links.put(connection, kind, key, value, at=self._now())
