"""A sweep's hands: look at a page of what happened, tell the runs what they missed, note that a sweep has ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from temporalio import activity

from activities.effects import Once
from activities.memory import Memory
from activities.shops import Shops
from domain.sweeps import (
    ALREADY_DONE,
    HEALED,
    PULLED,
    Beginning,
    Case,
    Gap,
    Healed,
    HealInput,
    Heard,
    Look,
    Looked,
    Missed,
    RunSeen,
    SweepNote,
    SweepRef,
    Why,
    knew,
    recalled,
    told_by_money,
    was_taken,
    why_missed,
)

if TYPE_CHECKING:
    from clients.store import SeenEvents

ROWS = 200  # of our own events on a page
_REMEMBERED = timedelta(days=7)  # the shortest retention that the doctor lets pass
# The step that ends each kind of story: who has it needs no run that Temporal still remembers.
LAST_STEP = {Case.PAYMENT: "customer_payment", Case.REFUND: "mark_refund", Case.DISPUTE: "notify_dispute"}


class Door(Protocol):
    """The door that events go through, and what is known behind it."""

    @property
    def listens_to(self) -> Sequence[str]:
        """The types of events that are for us."""
        ...

    def hear(self, connection: str, document: Mapping[str, Any]) -> Heard | None:
        """What an event is about."""
        ...

    async def tell(self, connection: str, heard: Heard) -> str:
        """Gives it to its run: `accepted` or `already-done`."""
        ...

    async def runs(self, connection: str, heard: Sequence[Heard]) -> list[RunSeen | None]:
        """The newest run of each."""
        ...


class SweepActivities:
    """What a sweep asks of Stripe, of our store and of Temporal; it asks nothing of Zoho."""

    def __init__(
        self,
        shops: Shops,
        once: Once,
        memory: Memory,
        events: SeenEvents,
        door: Door,
        now: Callable[[], datetime],
    ) -> None:
        self._shops = shops
        self._once = once
        self._memory = memory
        self._events = events
        self._door = door
        self._now = now

    @activity.defn
    async def find_beginning(self, ref: SweepRef) -> Beginning:
        """Since when we have carried anything for the connection, as far as we remember."""
        return Beginning(at=await self._events.first(ref.connection))

    @activity.defn
    async def look_at_received(self, look: Look) -> Looked:
        """A page of the events that we acknowledged; a gap is one that should have a run and has none."""
        since, after = _place(look)
        rows = await self._events.taken(look.connection, since, look.until, after=after, limit=ROWS)
        heard = [recalled(row.event_id, row.type, row.business_id, row.at) for row in rows]
        # Of older ones only the payments can be looked up where Temporal has forgotten their runs.
        heard = [one for one in heard if one.payment_id or one.event.created > self._now() - _REMEMBERED]
        gaps = await self._without_run(look.connection, heard, Why.NO_RUN)
        further = f"{rows[-1].at.isoformat()} {rows[-1].event_id}" if len(rows) == ROWS else ""
        return Looked(gaps=gaps, count=len(rows), after=further)

    @activity.defn
    async def look_at_events(self, look: Look) -> Looked:
        """A page of Stripe's events; a gap is one that never came, or was refused."""
        history, types = self._shops[look.connection].stripe.history, self._door.listens_to
        rows, further = await history.events(types, look.since, look.until, look.after)
        found = (self._door.hear(look.connection, row) for row in rows)
        heard = [one for one in found if one is not None and one.case is not Case.NOTHING]
        told = await self._events.outcomes(look.connection, [one.event.event_id for one in heard])
        unseen = [one for one in heard if not was_taken(told.get(one.event.event_id))]
        gaps = await self._unseen(look, await self._not_thin(look, unseen), told) if unseen else ()
        return Looked(gaps=gaps, count=len(rows), after=further)

    @activity.defn
    async def look_at_balance(self, look: Look) -> Looked:
        """A page of the money that moved; a gap is a charge, refund or dispute that has no run."""
        history = self._shops[look.connection].stripe.history
        rows, further = await history.money(look.since, look.until, look.after)
        heard = [one for row in rows if (one := told_by_money(row)) is not None]
        why = Why.PULLED if look.pull else Why.NEVER_DELIVERED
        return Looked(gaps=await self._without_run(look.connection, heard, why), count=len(rows), after=further)

    @activity.defn
    async def heal_gaps(self, wanted: HealInput) -> Healed:
        """Tell each run what it missed, through the ingress's own door; a repeat tells the same run the same."""
        missed = []
        for gap in wanted.gaps:
            told = await self._door.tell(wanted.connection, gap.heard) if gap.tell else ALREADY_DONE
            await self._note(wanted.connection, gap, told)
            if told != ALREADY_DONE:
                seen, about = gap.heard.event, gap.heard.about
                one = Missed(event_id=seen.event_id, type=seen.type, about=about, source=wanted.source, why=gap.why)
                missed.append(one)
        return Healed(missed=tuple(missed))

    @activity.defn
    async def note_sweep(self, note: SweepNote) -> None:
        """Keep how far sweeps have come, for those who watch that they run."""
        await self._memory.note_sweep(note.connection, note.until)

    async def _without_run(self, connection: str, heard: Sequence[Heard], why: Why) -> tuple[Gap, ...]:
        """One gap for each run that should be there and is not, and whose story nobody has carried through before."""
        # A run that asks Stripe is one event's; every other is that of what the event is about.
        keys = ((one.event.event_id if one.case is Case.UNNAMED else one.about, one) for one in heard)
        wanted = {key: one for key, one in keys if one.case is not Case.NOTHING}
        asked = list(wanted.values())
        runs = await self._door.runs(connection, asked) if asked else []
        lost = [one for one, run in zip(asked, runs, strict=True) if run is None]
        return tuple([Gap(heard=one, why=why) for one in lost if not await self._carried(connection, one)])

    async def _carried(self, connection: str, heard: Heard) -> bool:
        """Temporal forgets a closed run after its retention; our effects do not."""
        step = LAST_STEP.get(heard.case)
        about = "" if heard.case is Case.PAYMENT else heard.about
        return step is not None and await self._once.ended(connection, heard.payment_id, step, about)

    async def _not_thin(self, look: Look, unseen: Sequence[Heard]) -> list[Heard]:
        """Without those that came as thin events: they have ids of their own, so that type and object have to do."""
        abouts = {name for one in unseen for name in (one.about, one.event.object_id)}
        thin = await self._events.thin(look.connection, look.since, abouts)
        return [
            one
            for one in unseen
            if thin.isdisjoint((one.event.type, name) for name in (one.about, one.event.object_id))
        ]

    async def _unseen(self, look: Look, unseen: Sequence[Heard], told: Mapping[str, str]) -> tuple[Gap, ...]:
        if not unseen:
            return ()
        runs = await self._door.runs(look.connection, unseen)
        failed = set() if look.pull else await self._undelivered(look, unseen)
        return tuple(
            Gap(
                heard=one,
                why=why_missed(told.get(one.event.event_id), failed=one.event.event_id in failed, pull=look.pull),
                tell=not knew(run, one),
            )
            for one, run in zip(unseen, runs, strict=True)
        )

    async def _undelivered(self, look: Look, unseen: Sequence[Heard]) -> set[str]:
        """Stripe is asked about no more of the time than the unseen events are of."""
        times = [one.event.created for one in unseen]
        history = self._shops[look.connection].stripe.history
        return await history.undelivered(self._door.listens_to, min(times), max(times) + timedelta(seconds=1))

    async def _note(self, connection: str, gap: Gap, told: str) -> None:
        outcome = PULLED if gap.why is Why.PULLED else f"{HEALED}{gap.why.value}"
        seen = gap.heard.event
        await self._events.heal(
            connection,
            seen.event_id,
            type=seen.type,
            business_id=gap.heard.about,
            outcome=ALREADY_DONE if told == ALREADY_DONE else outcome,
            at=self._now(),
        )


def _place(look: Look) -> tuple[datetime, str]:
    """Where a page of our own events begins: at a moment, behind an id."""
    if not look.after:
        return look.since, ""
    at, _, event_id = look.after.partition(" ")
    return datetime.fromisoformat(at), event_id
