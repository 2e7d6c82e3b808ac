"""One carried order as Zoho shows it: what of it was changed by hand, and what of that Stripe is to be told."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from temporalio import activity

from activities.carried import CARRY_BACK, ORDER_GONE, CarriedOrder, carried_order
from activities.dossier import Dossier, Written
from activities.effects import Once
from activities.shops import Shop, Shops
from domain.drift import (
    Difference,
    OrderState,
    credited_by_hand,
    differences,
    shown_fields,
    told_by_us,
    told_by_zoho,
    written_fields,
)
from domain.order_polls import AcceptedOrder, CarryBack, OrderLook, OrderNews, Standing
from domain.runs import PaymentRef, StepDone

if TYPE_CHECKING:
    from clients.keys import KeyRing
    from clients.store import Effects, Links

_ACCEPTED, _CARRIED = "order-accepted", "carried-back"


class OrderCheckActivities:
    """What people typed stays here: a run hears which fields differ, and that there is something to tell."""

    def __init__(
        self,
        shops: Shops,
        dossier: Dossier,
        once: Once,
        effects: Effects,
        links: Links,
        keys: KeyRing,
        now: Callable[[], datetime],
    ) -> None:
        self._shops = shops
        self._dossier = dossier
        self._once = once
        self._effects = effects
        self._links = links
        self._keys = keys
        self._now = now

    @activity.defn
    async def see_order(self, wanted: OrderNews) -> OrderLook:
        """The order as it stands, compared with what was written. What Stripe is to be told is kept in the dossier."""
        shop = self._shops[wanted.connection]
        state = await shop.zoho.order_state(wanted.salesorder_id)
        order = carried_order(await self._effects.of(wanted.connection, wanted.payment_id))
        if order.salesorder_id != wanted.salesorder_id or not order.paid or order.busy:
            return OrderLook(standing=_standing(state), ours=True)
        written = await self._dossier.written(wanted)
        look = await self._compared(wanted, shop, state, order, written)
        if state is None or state.void:
            return look
        return look.model_copy(update={"carry": await self._tells(wanted, shop, state, order, written)})

    @activity.defn
    async def carry_back(self, wanted: CarryBack) -> StepDone:
        """Put what people entered in Zoho into the payment's metadata; Stripe merges keys, so it may be repeated."""
        told = await self._dossier.by_hand(wanted)
        digest = self._digest(told)

        async def call() -> StepDone:
            key = f"{activity.info().workflow_id}/{CARRY_BACK}/{wanted.payment_id}/{wanted.turn}/{digest[:16]}"
            await self._shops[wanted.connection].stripe.write_metadata(wanted.payment_id, told, idempotency_key=key)
            return StepDone()

        if told:
            await self._once.repeat(f"{CARRY_BACK}#{wanted.turn}", wanted, StepDone, call)
            await self._links.put(wanted.connection, _CARRIED, wanted.payment_id, digest, at=self._now())
        return StepDone()

    @activity.defn
    async def accept_order(self, wanted: AcceptedOrder) -> StepDone:
        """Remember that a person takes the order as it is; why is kept with the answer."""
        await self._links.put(wanted.connection, _ACCEPTED, wanted.payment_id, wanted.digest, at=self._now())
        return StepDone()

    @activity.defn
    async def note_gone(self, wanted: PaymentRef) -> StepDone:
        """Keep that the order was found deleted, so that a refund of its payment has nothing to credit."""
        await self._once.adopt(ORDER_GONE, wanted, StepDone())
        return StepDone()

    async def _compared(
        self,
        wanted: OrderNews,
        shop: Shop,
        state: OrderState | None,
        order: CarriedOrder,
        written: Written | None,
    ) -> OrderLook:
        found = () if state is None or state.void else _differences(shop, state, order, written)
        digest = self._digest({one.field: f"{one.was}\0{one.now}" for one in found}) if found else ""
        if not found and _standing(state) is not Standing.STANDS:
            digest = _standing(state).value
        accepted = await self._links.get(wanted.connection, _ACCEPTED, wanted.payment_id)
        return OrderLook(
            standing=_standing(state),
            number=state.number if state else "",
            differences=tuple(one.public() for one in found),
            digest=digest,
            accepted=bool(digest) and accepted == f"{order.round}/{digest}",
            invoices=tuple(one.invoice_id for one in state.standing()) if state else (),
            total=order.documents.total,
            turn=order.carried,
            round=order.round,
        )

    async def _tells(
        self, wanted: OrderNews, shop: Shop, state: OrderState, order: CarriedOrder, written: Written | None
    ) -> bool:
        """Whether Stripe is to be told something that it was not told last; that is kept then."""
        fields = {key: source for key, source in shop.mapping.write_back.items() if source.startswith("cf_")}
        keys = shop.policy.shipment_keys
        shown = state if shop.policy.by_hand.tracking else state.model_copy(update={"packages": ()})
        told = told_by_zoho(shown, keys, fields)
        ours = told_by_us(written.draft if written else None, order.shipment, keys, fields)
        digest = await self._links.get(wanted.connection, _CARRIED, wanted.payment_id)
        if not told or digest == self._digest(told) or (digest is None and told.items() <= ours.items()):
            return False
        await self._dossier.keep_by_hand(wanted, told)
        return True

    def _digest(self, said: Mapping[str, str]) -> str:
        return self._keys.pseudonym(json.dumps(dict(said), sort_keys=True).encode())


def _standing(state: OrderState | None) -> Standing:
    if state is None:
        return Standing.GONE
    return Standing.VOID if state.void else Standing.STANDS


def _differences(shop: Shop, state: OrderState, order: CarriedOrder, written: Written | None) -> tuple[Difference, ...]:
    documents = order.documents
    carried = [source for source in shop.mapping.write_back.values() if source.startswith("cf_")]
    if shop.policy.hold_field:
        carried.append(shop.policy.hold_field)
    draft, sent = (written.draft, written.order) if written else (None, None)
    said = written_fields(draft, sent, documents, carried=carried, texts=shop.policy.by_hand.texts)
    found = differences(said, shown_fields(state, documents))
    if state.returned and shop.policy.returns.on:
        return found  # the runs of its returns see their credit notes
    return found + credited_by_hand(state, documents)
