"""What the store remembers of the organisation, so that a known customer's order asks Zoho nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from clients.errors import Refused
from domain.documents import CurrencyFacts, ItemFacts, OrganizationFacts, TaxFacts
from domain.mapping import order_day

if TYPE_CHECKING:
    from clients.store import Links

CREDIT_NOTE = "credit-note"
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

    async def forget_taxes(self, connection: str) -> None:
        """Know the taxes no more: one of them may be gone."""
        await self._links.forget(connection, "catalogue", "taxes")

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

    async def refresh_items(self, connection: str, rows: Sequence[ItemFacts]) -> None:
        """Forget what is not these items' SKU any more, and whom we take for one of them and is another."""
        if not rows:
            return
        now = {row.item_id: row.sku.casefold() if row.active else None for row in rows}
        by_id = await self._links.keys_of(connection, "item", list(now))
        by_sku = await self.items(connection, [row.sku for row in rows if row.sku and row.active])
        stale = {sku for sku, item_id in by_id if sku.casefold() != now[item_id]}
        stale |= {row.sku for row in rows if by_sku.get(row.sku, row.item_id) != row.item_id}
        await self.forget_items(connection, sorted(stale))

    async def linked_items(self, connection: str, product_ids: Sequence[str]) -> dict[str, str]:
        """Zoho's item ids by Stripe product, where somebody linked them."""
        return await self._links.get_many(connection, "product", product_ids) if product_ids else {}

    async def payment_of(self, connection: str, salesorder_id: str) -> str:
        """The payment that the sales order was written for, "" where that is not known."""
        return await self._links.get(connection, "order", salesorder_id) or ""

    async def keep_order(self, connection: str, salesorder_id: str, payment_id: str) -> None:
        """Remember which payment the sales order was written for."""
        await self._keep(connection, "order", salesorder_id, payment_id)

    async def keep_note(self, connection: str, creditnote_id: str, payment_id: str) -> None:
        """Remember which payment the credit note was written for."""
        if creditnote_id:
            await self._keep(connection, CREDIT_NOTE, creditnote_id, payment_id)

    async def day(self, connection: str, at: datetime) -> date:
        """The organisation's calendar day of a moment; UTC's while the organisation is not known."""
        organization = (await self.catalogue(connection)).organization
        return order_day(at, organization.time_zone) if organization else at.astimezone(UTC).date()

    async def note_sweep(self, connection: str, until: datetime) -> None:
        """Remember how far sweeps have come."""
        await self._keep(connection, "sweep", "until", until.isoformat())

    async def warned_of(self, connection: str) -> datetime | None:
        """The end of that day of Zoho's of which people were warned last that its quota does not last."""
        found = await self._links.get(connection, "quota", "warned")
        return datetime.fromisoformat(found) if found else None

    async def keep_warned(self, connection: str, day_ends: datetime) -> None:
        """Remember that people were warned of this day."""
        await self._keep(connection, "quota", "warned", day_ends.isoformat())

    async def _keep(self, connection: str, kind: str, key: str, value: str) -> None:
        await self._links.put(connection, kind, key, value, at=self._now())
