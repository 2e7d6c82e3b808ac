"""A check's hands: a page of Stripe's payouts held against our certificates, and the runs that are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from temporalio import activity

from activities.missing import Explains
from activities.shops import Shops
from activities.sweeps import Door
from domain.canonical import parse
from domain.certified import Certificate
from domain.payout_checks import (
    ENDED,
    OpenLook,
    PayoutLook,
    PayoutsLooked,
    TellPayouts,
    Uncertified,
    compared,
    news_of,
    says_otherwise,
)
from domain.payouts import Payout
from domain.reconciling import CertifyInput
from domain.runs import PaymentEvent, StepDone
from domain.sweeps import HEALED, Why

if TYPE_CHECKING:
    from clients.store import Issued, Payouts, SeenEvents


class PayoutStarter(Door, Protocol):
    """Who can start a payout's run, and knows which runs there are."""

    async def payout_event(self, connection: str, payout_id: str, seen: PaymentEvent, *, again: bool = False) -> object:
        """Signal-with-start of the payout's run; of one that has completed only `again`."""
        ...


_AT_ONCE = 5  # certificates that are matched again by one activity: one of 10,000 lines takes seconds


class PayoutCheckActivities:
    """What a check asks of Stripe, of our store and of Temporal; it asks nothing of Zoho."""

    def __init__(
        self,
        shops: Shops,
        payouts: Payouts,
        explains: Explains,
        events: SeenEvents,
        starter: PayoutStarter,
        now: Callable[[], datetime],
    ) -> None:
        self._shops = shops
        self._payouts = payouts
        self._explains = explains
        self._events = events
        self._starter = starter
        self._now = now

    @activity.defn
    async def look_at_payouts(self, look: PayoutLook) -> PayoutsLooked:
        """A page of Stripe's payouts; what is lacking has no certificate of the state that it is in now."""
        stripe = self._shops[look.connection].stripe
        page = await stripe.payouts.made(look.since, look.until, look.after)
        states = await self._payouts.states(look.connection, [one.payout_id for one in page.payouts])
        certified = {name: one.state for name, one in states.items()}
        open_ones = {name for name, one in states.items() if one.findings and look.open_too}
        asked = [one for one in page.payouts if one.status in ENDED]
        runs = await self._starter.runs(look.connection, [news_of(one) for one in asked]) if asked else []
        known = dict(zip((one.payout_id for one in asked), runs, strict=True))
        found = [(one, known.get(one.payout_id)) for one in page.payouts]
        compared_ = compared(found, certified, regular=look.regular, open_ones=open_ones)
        return compared_.model_copy(update={"after": page.after})

    @activity.defn
    async def look_at_open_payouts(self, look: OpenLook) -> PayoutsLooked:
        """Some payouts whose certificate names what was open; lacking is one of which our own memory says otherwise."""
        issued = await self._payouts.open_ones(look.connection, look.since, look.after, _AT_ONCE)
        changed = [one for row in issued if (one := await self._changed(look.connection, row))]
        runs = await self._starter.runs(look.connection, [news_of(one) for one, _ in changed]) if changed else []
        states = {one.payout_id: state for one, state in changed}
        found = [(one, run) for (one, _), run in zip(changed, runs, strict=True)]
        told = compared(found, states, regular=True, open_ones=states).lacking
        after = issued[-1].payout_id if len(issued) == _AT_ONCE else ""
        return PayoutsLooked(lacking=told, matched=len(issued), after=after)

    async def _changed(self, connection: str, issued: Issued) -> tuple[Payout, str] | None:
        """The payout and the state that its certificate tells, where that does not say what is open now."""
        certificate = await asyncio.to_thread(lambda: Certificate.model_validate(parse(issued.document)))
        head = certificate.certificate
        about = CertifyInput(connection=connection, payment_id=issued.payout_id, lines=head.totals.lines)
        now = await self._explains.explain(about)
        return (now.payout, head.payout.status) if now and says_otherwise(certificate, now) else None

    @activity.defn
    async def tell_payouts(self, wanted: TellPayouts) -> StepDone:
        """Tell each run what its payout is now, and note it; a repeat tells the same run the same."""
        for one in wanted.lacking:
            await self._starter.payout_event(wanted.connection, one.payout_id, one.event, again=True)
            if not one.known:
                await self._note(wanted.connection, one)
        return StepDone()

    async def _note(self, connection: str, one: Uncertified) -> None:
        await self._events.heal(
            connection,
            one.event.event_id,
            type=one.event.type,
            business_id=one.payout_id,
            outcome=f"{HEALED}{Why.NO_CERTIFICATE.value}",
            at=self._now(),
        )
