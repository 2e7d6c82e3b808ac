"""What people are told, and what they answered, as it crosses Temporal: ids and money only."""

from __future__ import annotations

from datetime import timedelta

from domain.attention import Amendment
from domain.runs import PaymentRef, StepDone


class NotifyInput(PaymentRef):
    """What people are told: `message` holds ids and money only. `about` tells messages of one thing apart."""

    message: str
    about: str = ""
    number: int = 0
    after: int = 0


class AttentionNotice(NotifyInput):
    """That a run waits for a person, or no longer does. `number` counts what people were told of it."""

    attention_class: str


class Told(StepDone):
    """`again`: somebody spoke of the same class a moment ago, so speak after this time; None: all is said for now."""

    again: timedelta | None = None


class AnswerRecord(PaymentRef):
    """A person's answer, for the audit trail."""

    number: int
    action: str
    by: str
    reason: str = ""
    attention_class: str = ""
    amendments: tuple[Amendment, ...] = ()
