"""People are told what became of a payment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from temporalio import activity

from activities.effects import TAKEN_BACK, Once
from activities.shops import Shops
from clients.errors import TryLater
from domain.cards import mask_cards
from domain.notices import AnswerRecord, AttentionNotice, NotifyInput, Told
from domain.policy import DISPUTE, REFUND, RETURN
from domain.runs import PaymentRef, StepDone

if TYPE_CHECKING:
    from clients.store import Notices, Turn


class MessageActivities:
    """Messages go to the addresses of the connection; answers go into the audit trail."""

    def __init__(self, shops: Shops, once: Once, notices: Notices, now: Callable[[], datetime]) -> None:
        self._shops = shops
        self._once = once
        self._notices = notices
        self._now = now

    @activity.defn
    async def record_answer(self, wanted: AnswerRecord) -> StepDone:
        """Keep who answered what, and why, for good."""

        async def call() -> StepDone:
            return StepDone()

        said = mask_cards(f"{wanted.action} by {wanted.by}: {wanted.reason}".rstrip(": "))
        return await self._once.repeat(f"answer#{wanted.number}", wanted, StepDone, call, note=said)

    @activity.defn
    async def close_round(self, wanted: PaymentRef) -> StepDone:
        """Keep that everything this payment made was taken back, so that each step may be done anew."""

        async def call() -> StepDone:
            return StepDone()

        return await self._once.repeat(f"{TAKEN_BACK}#{wanted.round}", wanted, StepDone, call, note="taken back")

    @activity.defn
    async def note_waiting(self, wanted: AttentionNotice) -> StepDone:
        """Keep that a run waits, so that whoever speaks first speaks for it, too."""
        await self._notices.join(*_where(wanted), at=self._now())
        return StepDone()

    @activity.defn
    async def tell_attention(self, wanted: AttentionNotice) -> Told:
        """Tell people of all that wait for the same reason, in one message; or be silent, where that was just done."""
        turn = await self._turn(wanted)
        if turn is None or not turn.waiting:
            return Told(again=turn.again if turn else None)

        async def call() -> Told:
            await self._ask(wanted, turn.waiting)
            return Told()

        return await self._once.write(f"tell_attention#{wanted.number}", wanted, Told, call)

    @activity.defn
    async def tell_resolved(self, wanted: AttentionNotice) -> StepDone:
        """Tell people that nothing waits for this reason any more, if this was the last they were told of."""
        told = await self._notices.leave(*_where(wanted))
        if not told:
            return StepDone()

        async def call() -> StepDone:
            await self._say_resolved(wanted, told)
            return StepDone()

        return await self._once.write(f"tell_resolved#{wanted.number}", wanted, StepDone, call)

    @activity.defn
    async def notify_paid(self, wanted: NotifyInput) -> StepDone:
        """Tell people once; where the answer was lost they are not told twice."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].notifier.send("Order paid", wanted.message)
            return StepDone()

        return await self._once.write("notify_paid", wanted, StepDone, call)

    @activity.defn
    async def notify_refund(self, wanted: NotifyInput) -> StepDone:
        """Tell people once of each thing that became of a refund, where they want to hear of refunds."""
        return await self._news(REFUND, wanted)

    @activity.defn
    async def notify_dispute(self, wanted: NotifyInput) -> StepDone:
        """Tell people once of a state of a dispute, where they want to hear of disputes."""
        return await self._news(DISPUTE, wanted)

    @activity.defn
    async def notify_return(self, wanted: NotifyInput) -> StepDone:
        """Tell people once what became of a return, where they want to hear of returns."""
        return await self._news(RETURN, wanted)

    async def _news(self, topic: str, wanted: NotifyInput) -> StepDone:
        shop = self._shops[wanted.connection]

        async def call() -> StepDone:
            await shop.notifier.send(topic.capitalize(), wanted.message)
            return StepDone()

        if topic in shop.policy.quiet:
            return StepDone()
        return await self._once.write(f"notify_{topic}#{wanted.about}", wanted, StepDone, call)

    async def _turn(self, wanted: AttentionNotice) -> Turn | None:
        """Whether it is this run's turn to speak; None where nobody wants to hear of its class."""
        policy = self._shops[wanted.connection].policy
        if wanted.attention_class in policy.quiet:
            return None
        stale = 2 * (policy.remind_every + policy.tell_every)
        return await self._notices.turn(*_where(wanted), at=self._now(), every=policy.tell_every, stale=stale)

    async def _ask(self, wanted: AttentionNotice, waiting: int) -> None:
        """Send it; where nobody took it, it was not said, and the next one need not wait."""
        try:
            await self._send(wanted, *_asking(wanted, waiting))
        except TryLater:
            await self._notices.unsaid(*_where(wanted))
            raise

    async def _say_resolved(self, wanted: AttentionNotice, told: int) -> None:
        """Send it; where nobody took it, the run is told of still, so that its next try says it."""
        try:
            await self._send(wanted, *_resolved(wanted, told))
        except TryLater:
            await self._notices.come_back(*_where(wanted), at=self._now(), told=told)
            raise

    async def _send(self, wanted: NotifyInput, title: str, body: str) -> None:
        await self._shops[wanted.connection].notifier.send(title, body)


def _where(wanted: AttentionNotice) -> tuple[str, str, str]:
    return wanted.connection, wanted.attention_class, wanted.change or wanted.payment_id


def _asking(wanted: AttentionNotice, waiting: int) -> tuple[str, str]:
    """Title and body: one payment by name, many by their number."""
    if waiting == 1:
        return "A payment waits for you", wanted.message
    name = wanted.attention_class
    look = f"throughline exceptions list --connection {wanted.connection} --class {name}"
    return (
        f"{waiting} payments wait for you",
        f"{waiting} payments wait: {name} · {look} · one of them: {wanted.message}",
    )


def _resolved(wanted: AttentionNotice, told: int) -> tuple[str, str]:
    name = wanted.attention_class
    body = wanted.message if told == 1 else f"none of {told} payments of {wanted.connection} waits any more: {name}"
    return "Resolved", body
