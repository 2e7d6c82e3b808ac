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
from domain.order_polls import AcceptedOrder, CarryBack, OrderLook, OrderNews, ShipmentNews, Standing
from domain.policy import SHIPMENT
from domain.runs import PaymentRef, StepDone
from domain.tracking import ShipmentWords, shipments_told

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
        return look.model_copy(update=await self._tells(wanted, shop, state, order, written))

    @activity.defn
    async def carry_back(self, wanted: CarryBack) -> StepDone:
        """Put what people entered in Zoho into the payment's metadata, and take out what they took out there; Stripe
        merges keys, so it may be repeated.
        """
        told, words = await self._dossier.by_hand(wanted), await self._dossier.shipments(wanted) or ShipmentWords()
        shop = self._shops[wanted.connection]
        said = told | await _emptied(shop, wanted, words)

        async def call() -> StepDone:
            about = f"{wanted.payment_id}/{wanted.turn}/{self._digest(said)[:16]}"
            key = f"{activity.info().workflow_id}/{CARRY_BACK}/{about}"
            if said:
                await shop.stripe.write_metadata(wanted.payment_id, said, idempotency_key=key)
            return StepDone()

        if told or words.over:
            note = "written" if said else "nothing of ours is there to be emptied"
            await self._once.repeat(f"{CARRY_BACK}#{wanted.turn}", wanted, StepDone, call, note=note)
            await self._keep_carried(wanted, told, words.carried(told, shop.policy.shipment_keys.named()))
        return StepDone()

    @activity.defn
    async def notify_shipment(self, wanted: ShipmentNews) -> StepDone:
        """Tell people once what the last look found of the order's shipments; where the dossier is gone, nothing."""
        words = await self._dossier.shipments(wanted)

        async def call() -> StepDone:
            news = words.news if words else ""
            await self._shops[wanted.connection].notifier.send(SHIPMENT.capitalize(), news)
            return StepDone()

        if words is None or not words.news:
            return StepDone()
        return await self._once.write(f"notify_{SHIPMENT}#{wanted.turn}", wanted, StepDone, call)

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
        self, wanted: OrderNews, shop: Shop, state: OrderState | None, order: CarriedOrder, written: Written | None
    ) -> dict[str, bool]:
        """Whether Stripe, and people, are to be told something that they were not told last; that is kept then."""
        told = _told(shop, state)
        ours = told_by_us(
            written.draft if written else None, order.shipment, shop.policy.shipment_keys, _fields(shop), order.told
        )
        kept = await self._dossier.shipments(wanted)
        # Of an order that was carried before this was kept, what was to be carried last was said.
        known = kept or ShipmentWords(round=order.round, said=ours | await self._dossier.by_hand(wanted))
        words = known.in_round(order.round, ours).looked(told, _followed(shop, state))
        digest = await self._links.get(wanted.connection, _CARRIED, wanted.payment_id)
        if not words.over and not (told and (known.begun or self._unsaid(told, ours, digest))):
            return {}
        if kept or digest or order.told is not None:  # else what is there may have been told long ago
            words = words.model_copy(update={"news": _news(wanted, shop, state, words, told)})
        await self._dossier.keep_shipments(wanted, words)
        await self._dossier.keep_by_hand(wanted, told)
        return {"carry": True, "tell": bool(words.news)}

    def _unsaid(self, told: Mapping[str, str], ours: Mapping[str, str], digest: str | None) -> bool:
        """Whether that is not what Stripe was told last; before anything was carried back, what our own run told."""
        return not told.items() <= ours.items() if digest is None else digest != self._digest(told)

    async def _keep_carried(self, wanted: CarryBack, told: Mapping[str, str], words: ShipmentWords) -> None:
        await self._links.put(wanted.connection, _CARRIED, wanted.payment_id, self._digest(told), at=self._now())
        await self._dossier.keep_shipments(wanted, words)

    def _digest(self, said: Mapping[str, str]) -> str:
        return self._keys.pseudonym(json.dumps(dict(said), sort_keys=True).encode())


def _fields(shop: Shop) -> dict[str, str]:
    """The custom fields of the order that Stripe is told, by the metadata key of each."""
    return {key: source for key, source in shop.mapping.write_back.items() if source.startswith("cf_")}


def _told(shop: Shop, state: OrderState | None) -> dict[str, str]:
    """What Stripe is to be told of the order, nothing where it counts no longer."""
    if state is None or state.void:
        return {}
    shown = state if shop.policy.by_hand.tracking else state.model_copy(update={"packages": ()})
    return told_by_zoho(shown, shop.policy.shipment_keys, _fields(shop))


def _followed(shop: Shop, state: OrderState | None) -> tuple[str, ...]:
    """The metadata keys that are emptied once the order has nothing to say under them."""
    void_and_sent = state is not None and state.void and bool(state.shipments)
    return shop.policy.shipment_keys.named() if shop.policy.by_hand.tracking and not void_and_sent else ()


def _news(
    wanted: OrderNews, shop: Shop, state: OrderState | None, words: ShipmentWords, told: Mapping[str, str]
) -> str:
    """What people are to hear of its shipments; of an order that counts no longer they are asked."""
    hears = shop.notifier.wanted and shop.policy.tells_shipments
    if state is None or state.void or not (hears and words.tells_more(told, shop.policy.shipment_keys)):
        return ""
    return shipments_told(wanted.payment_id, state.number, state.shipments)


async def _emptied(shop: Shop, wanted: CarryBack, words: ShipmentWords) -> dict[str, str]:
    """The metadata keys that are over, where Stripe still says a word of ours there: a stranger's stays."""
    if not words.over:
        return {}
    ours = await shop.stripe.still_says(wanted.payment_id, words.over)
    return dict.fromkeys(sorted(ours), "")


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
