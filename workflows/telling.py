"""How people hear of a run that waits for them, and that it does no longer."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.messages import MessageActivities
    from domain.attention import Trouble
    from domain.notices import AttentionNotice
    from domain.policy import PaymentPolicy
    from domain.runs import PaymentRef
    from workflows.calls import Calls


class Bell:
    """Tells people of one run. `answers` is how often the run was answered before: each time it may wait anew."""

    def __init__(self, calls: Calls, ref: PaymentRef, policy: PaymentPolicy, answers: int) -> None:
        self._calls = calls
        self._ref = ref
        self._policy = policy
        self._answers = answers

    async def note(self, trouble: Trouble) -> None:
        """Keep that the run waits; whoever speaks first speaks for all that wait for the same reason."""
        notice = self._notice(trouble, "", 0)
        await self._calls.tell(MessageActivities.note_waiting, notice, "Keep that this payment waits for a person")

    async def ring(self, trouble: Trouble, number: int) -> timedelta:
        """Tell people, for the `number`th time; how long to wait until the next time."""
        late = workflow.now() - trouble.since >= self._policy.escalate_after
        message = (
            f"{self._about} {'has waited too long' if late else 'waits for a person'}: "
            f"{trouble.attention_class.value} · {trouble.at_risk or 'amount unknown'} · "
            f"since {trouble.since:%Y-%m-%d %H:%M} UTC · {workflow.info().workflow_id}"
        )
        notice = self._notice(trouble, message, number)
        summary = "Tell people that this payment waits for them"
        told = await self._calls.tell(MessageActivities.tell_attention, notice, summary)
        if told is None:  # nobody could be reached
            return self._policy.tell_every
        return told.again or self._policy.remind_every

    async def still(self, trouble: Trouble, word: str) -> None:
        """Tell people that the run waits no longer: what was done about it, in a `word`."""
        message = f"{self._about} waits no longer: {trouble.attention_class.value} · {word}"
        notice = self._notice(trouble, message, 0)
        await self._calls.tell(MessageActivities.tell_resolved, notice, "Tell people that this payment waits no longer")

    @property
    def _about(self) -> str:
        """The payment; the case itself while its payment is not found."""
        return self._ref.payment_id or self._ref.change

    def _notice(self, trouble: Trouble, message: str, number: int) -> AttentionNotice:
        return AttentionNotice(
            **dict(self._ref),
            message=message,
            number=self._answers * 10_000 + number,
            attention_class=trouble.attention_class.value,
        )
