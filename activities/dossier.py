"""What was fetched and mapped for a payment, in the encrypted dossier; rebuilt from Stripe where it is missing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from activities.memory import Memory
from activities.shops import Shops
from clients.errors import Refused
from domain.mapping import map_order
from domain.orders import OrderDraft
from domain.payments import Fact, Fee, PaymentFacts
from domain.runs import PaymentRef
from domain.sales import OrderInput
from domain.totals import RoundingRules
from domain.tracking import ShipmentWords

if TYPE_CHECKING:
    from clients.store import Dossiers

_FACTS = "facts"
_ORDER = "order"
_WRITTEN = "written"
_BY_HAND = "by_hand"
_SHIPMENTS = "shipments"


class Written(Fact):
    """An order as it was written: the draft, Zoho's ids for it, and what Stripe said then."""

    draft: OrderDraft
    order: OrderInput
    facts: PaymentFacts


class DossierChanged(Refused):
    """The dossier is gone and Stripe tells another story now than when the order was mapped."""

    def __init__(self, payment_id: str) -> None:
        super().__init__(
            "store",
            f"the dossier of {payment_id} was deleted and what Stripe says has changed since; start the payment again",
            code="dossier_changed",
        )


class Dossier:
    """Facts and drafts by payment, each named by the keyed hash of its content."""

    def __init__(self, dossiers: Dossiers, memory: Memory, shops: Shops, now: Callable[[], datetime]) -> None:
        self._dossiers = dossiers
        self._memory = memory
        self._shops = shops
        self._now = now

    async def fetch(self, ref: PaymentRef) -> tuple[PaymentFacts, str]:
        """The payment as Stripe tells it now, kept under the returned name."""
        facts = await self._shops[ref.connection].stripe.fetch_payment(ref.payment_id)
        return facts, await self._put(ref, _FACTS, facts.model_dump_json())

    async def facts(self, ref: PaymentRef) -> PaymentFacts:
        """The payment as it was fetched."""
        kept = await self._dossiers.get(ref.connection, ref.payment_id, _FACTS)
        if kept is None:
            return (await self.fetch(ref))[0]
        return PaymentFacts.model_validate_json(kept)

    async def keep_fee(self, ref: PaymentRef, fee: Fee) -> None:
        """Add a fee that came late to the payment's facts."""
        facts = (await self.facts(ref)).model_copy(update={"fee": fee})
        await self._put(ref, _FACTS, facts.model_dump_json())

    async def keep_order(self, ref: PaymentRef, draft: OrderDraft) -> str:
        """The name under which `draft` is kept."""
        return await self._put(ref, _ORDER, draft.model_dump_json())

    async def keep_written(self, ref: PaymentRef, draft: OrderDraft, order: OrderInput) -> None:
        """What is being written to Zoho, and of which facts: a later change is compared with it."""
        written = Written(draft=draft, order=order, facts=await self.facts(ref))
        await self._put(ref, _WRITTEN, written.model_dump_json())

    async def written(self, ref: PaymentRef) -> Written | None:
        """The order as it was written last; None where the dossier was deleted, or the order adopted."""
        kept = await self._dossiers.get(ref.connection, ref.payment_id, _WRITTEN)
        return None if kept is None else Written.model_validate_json(kept)

    async def keep_by_hand(self, ref: PaymentRef, said: Mapping[str, str]) -> None:
        """What people entered in Zoho, by the metadata key that Stripe is to hear it under."""
        await self._put(ref, _BY_HAND, json.dumps(dict(said)))

    async def by_hand(self, ref: PaymentRef) -> dict[str, str]:
        """The same; nothing where the dossier was deleted since."""
        kept = await self._dossiers.get(ref.connection, ref.payment_id, _BY_HAND)
        return {} if kept is None else dict(json.loads(kept))

    async def keep_shipments(self, ref: PaymentRef, words: ShipmentWords) -> None:
        """What Stripe and people are told of the order's shipments."""
        await self._put(ref, _SHIPMENTS, words.model_dump_json())

    async def shipments(self, ref: PaymentRef) -> ShipmentWords | None:
        """The same; None where Stripe was told nothing yet, or before this was kept, or the dossier was deleted."""
        kept = await self._dossiers.get(ref.connection, ref.payment_id, _SHIPMENTS)
        return None if kept is None else ShipmentWords.model_validate_json(kept)

    async def order(self, ref: PaymentRef, order_ref: str) -> OrderDraft:
        """The draft named `order_ref`; mapped anew when it is missing, DossierChanged when it comes out different."""
        kept = await self._dossiers.get(ref.connection, ref.payment_id, _ORDER)
        if kept is not None:
            return OrderDraft.model_validate_json(kept)
        draft = await self._map_again(ref)
        if await self.keep_order(ref, draft) != order_ref:
            raise DossierChanged(ref.payment_id)
        return draft

    async def _map_again(self, ref: PaymentRef) -> OrderDraft:
        facts = await self.facts(ref)
        catalogue = await self._memory.catalogue(ref.connection)
        currency = catalogue.currency(facts.money.currency)
        if catalogue.organization is None or currency is None:
            raise DossierChanged(ref.payment_id)
        mapping = self._shops[ref.connection].mapping
        rules = RoundingRules.of(mapping, price_precision=currency.price_precision)
        return map_order(facts, mapping, time_zone=catalogue.organization.time_zone, settings=rules)

    async def _put(self, ref: PaymentRef, part: str, text: str) -> str:
        return await self._dossiers.put(ref.connection, ref.payment_id, part, text.encode(), at=self._now())
