"""A sweep: what Stripe says happened in a time, held against the runs that exist. Ids only, never people's data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.changes import begins_case, may_change, says_paid, tells_dispute, tells_refund
from domain.disputes import DISPUTES
from domain.payments import Fact
from domain.policy import PaymentPolicy
from domain.runs import PaymentEvent

EVENTS_KEPT = timedelta(days=30)  # docs.stripe.com/api/events
NAMED = 100  # gaps that a result names; the events' rows name them all
# How an event's row says what became of it.
ALREADY_DONE, PULLED, HEALED, IGNORED, REFUSED = "already-done", "pulled", "healed-", "ignored-", "refused-"
_PAYMENTS = ("pi_", "ch_", "py_")
REFUNDS = ("re_", "pyr_")
_PAYOUTS = ("po_",)


class SweepPolicy(BaseModel):
    """When sweeps run and how far they look. `every` None: 10 minutes, or 30 seconds where there are no webhooks.

    `overlap`: how much of the time before a sweep looks at again, for Stripe may list an event late. `settle`: what is
    younger may still be on its way as a webhook and waits for the next sweep; nothing waits where there are none.
    `look_back`: how far the first sweep looks, and one whose predecessors are forgotten. `window`: what one run of the
    workflow looks at before it continues as new.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    every: timedelta | None = Field(default=None, ge=timedelta(seconds=1), le=timedelta(days=1))
    overlap: timedelta = Field(default=timedelta(minutes=5), ge=timedelta(0))
    settle: timedelta = Field(default=timedelta(minutes=1), ge=timedelta(0))
    look_back: timedelta = Field(default=timedelta(days=3), gt=timedelta(0))
    window: timedelta = Field(default=timedelta(days=1), ge=timedelta(seconds=1))

    def step(self, pull: bool) -> timedelta:
        """How often sweeps start."""
        return self.every or (timedelta(seconds=30) if pull else timedelta(minutes=10))


class Case(StrEnum):
    """What kind of run an event belongs to; UNNAMED: Stripe has to be asked, NOTHING: none."""

    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"
    PAYOUT = "payout"
    UNNAMED = "unnamed"
    NOTHING = "nothing"


_BEGINS = {Case.REFUND: "refund.created", Case.DISPUTE: "charge.dispute.created"}


class Heard(Fact):
    """An event by its ids. `about` is its payment, refund, dispute or payout, or what Stripe has to be asked about.

    `payment_id` is "" where only Stripe knows it. `money` and `paid` are for people, such as `49.90 EUR`; `reason` says
    in a word why it is NOTHING.
    """

    event: PaymentEvent
    case: Case
    about: str = ""
    payment_id: str = ""
    money: str = ""
    paid: str = ""
    reason: str = ""


class RunSeen(Fact):
    """The newest run of a workflow id: open (`waiting`: for a person), or closed at a moment, successfully or not.

    `settles`: it is open until Stripe says how the money, or the dispute, came out.
    """

    open: bool
    waiting: bool = False
    settles: bool = False
    succeeded: bool = False
    closed_at: AwareDatetime | None = None


class MoneyRow(Fact):
    """A balance transaction (`txn_…`) by its ids. `category` is Stripe's reporting category, `source` what made it."""

    transaction_id: str
    category: str
    source: str
    payment_id: str
    at: AwareDatetime


class Source(StrEnum):
    """Where a sweep looks, in this order."""

    RECEIVED = "received"  # events that we acknowledged
    EVENTS = "events"  # Stripe's list of events
    BALANCE = "balance"  # money that moved


class Why(StrEnum):
    """Why an event or a run was missed."""

    NEVER_DELIVERED = "never-delivered"  # Stripe sent it to no endpoint of ours, or has no such event
    DELIVERY_FAILED = "delivery-failed"  # Stripe tried, or still tries
    REFUSED = "refused"  # it came, and our door did not take it
    NO_RUN = "no-run"  # we acknowledged it, and there is no run
    PULLED = "pulled"  # there are no webhooks: nothing was missed
    NO_CERTIFICATE = "no-certificate"  # of a payout: none tells the state that it is in


class Gap(Fact):
    """An event to be told to its run; `tell` False: its run knew it when it closed, it only has to be noted."""

    heard: Heard
    why: Why
    tell: bool = True


class Look(Fact):
    """A page of one source: what happened from `since` up to, not including, `until`; `after` an earlier page's end."""

    connection: str
    since: AwareDatetime
    until: AwareDatetime
    pull: bool = False
    after: str = ""


class Looked(Fact):
    """What was found on a page of `count` rows; `after` "" on the last page."""

    gaps: tuple[Gap, ...] = ()
    count: int = 0
    after: str = ""


class HealInput(Fact):
    """Gaps to be healed."""

    connection: str
    source: Source
    gaps: tuple[Gap, ...]


class Missed(Fact):
    """A gap that was healed: what it is about, where it was seen, and why it was missed."""

    event_id: str
    type: str
    about: str
    source: Source
    why: Why


class Healed(Fact):
    """The gaps that really were; the others' runs knew already."""

    missed: tuple[Missed, ...] = ()


class Swept(Fact):
    """What a sweep came to. The next one goes on at `until`; `looked` counts rows by source, `missed` gaps by why.

    `gaps` names the first hundred. `begun`: what was before is not for sweeps that go on by themselves. `events_from`:
    the time before it is older than Stripe's events, and was swept by balance transactions alone; None where nothing
    was.
    """

    since: AwareDatetime
    until: AwareDatetime
    looked: dict[str, int] = Field(default_factory=dict)
    missed: dict[str, int] = Field(default_factory=dict)
    gaps: tuple[Missed, ...] = ()
    events_from: AwareDatetime | None = None
    begun: AwareDatetime | None = None

    def counted(self, source: Source, rows: int) -> Swept:
        """With `rows` more looked at."""
        return self.model_copy(update={"looked": self.looked | {source.value: self.looked.get(source, 0) + rows}})

    def with_missed(self, found: Iterable[Missed]) -> Swept:
        """With these gaps too."""
        counts, gaps = dict(self.missed), list(self.gaps)
        for one in found:
            counts[one.why.value] = counts.get(one.why.value, 0) + 1
            gaps += [one] if len(gaps) < NAMED else []
        return self.model_copy(update={"missed": counts, "gaps": tuple(gaps)})


class SweepInput(Fact):
    """What a sweep starts with. A schedule's says no `since` and `until`: from where the one before ended until now.

    `begun` is when the schedule was made: payments from before the shop was connected are not carried unasked.
    `done`, `source` and `after` are what a run that continues as new takes with it.
    """

    connection: str
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    regular: bool = True
    begun: AwareDatetime | None = None
    pull: bool = False
    sweep: SweepPolicy = SweepPolicy()
    policy: PaymentPolicy = PaymentPolicy()
    done: Swept | None = None
    source: Source = Source.RECEIVED
    after: str = ""


class SweepRef(Fact):
    """Whose sweeps."""

    connection: str


class Beginning(Fact):
    """When the first event came that we remember; None where none did."""

    at: AwareDatetime | None = None


class SweepNote(Fact):
    """A regular sweep that has ended, for whoever watches that they do."""

    connection: str
    until: AwareDatetime


def recalled(event_id: str, kind: str, about: str, at: datetime) -> Heard:
    """An event that was acknowledged, from what its row says of it; NOTHING where it started no run by itself."""
    event = PaymentEvent(event_id=event_id, type=kind, object_id=about, created=at)
    if about.startswith(_PAYOUTS):
        return Heard(event=event, case=Case.PAYOUT, about=about)
    if kind.startswith("v1.") and not about.startswith("pi_"):
        return Heard(event=event, case=Case.UNNAMED, about=about)  # any other thin event names no payment of its object
    if about.startswith(REFUNDS) and tells_refund(kind):
        return Heard(event=event, case=Case.REFUND, about=about)
    if about.startswith(DISPUTES) and tells_dispute(kind):
        return Heard(event=event, case=Case.DISPUTE, about=about)
    if about.startswith(_PAYMENTS) and not tells_refund(kind):
        case = Case.PAYMENT if says_paid(kind) else Case.NOTHING
        return Heard(event=event, case=case, about=about, payment_id=about)
    return Heard(event=event, case=Case.UNNAMED if about else Case.NOTHING, about=about)


def told_by_money(moved: MoneyRow) -> Heard | None:
    """What Stripe would have said when the money moved; None for rows that belong to no run of ours."""
    kind, case = _told(moved)
    if not kind:
        return None
    about = moved.payment_id if case is Case.PAYMENT else moved.source
    event = PaymentEvent(event_id=moved.transaction_id, type=kind, object_id=moved.source, created=moved.at)
    return Heard(event=event, case=case, about=about, payment_id=moved.payment_id)


def begun_case(case: Case, case_id: str, payment_id: str, at: datetime) -> Heard:
    """What Stripe would have said when the refund or dispute was made."""
    kind = _BEGINS[case]
    event = PaymentEvent(event_id=case_id, type=kind, object_id=case_id, created=at)
    return Heard(event=event, case=case, about=case_id, payment_id=payment_id)


def _told(moved: MoneyRow) -> tuple[str, Case]:
    if moved.category == "charge" and moved.source.startswith(("ch_", "py_")):
        return "charge.succeeded", Case.PAYMENT
    if moved.category == "refund" and moved.source.startswith(REFUNDS):
        return _BEGINS[Case.REFUND], Case.REFUND
    if moved.category == "dispute" and moved.source.startswith(DISPUTES):
        return _BEGINS[Case.DISPUTE], Case.DISPUTE
    return "", Case.NOTHING


def why_missed(outcome: str | None, *, failed: bool, pull: bool) -> Why:
    """`outcome` is what the event's row says, None without one; `failed` what Stripe says of its delivery."""
    if outcome is not None:
        return Why.REFUSED
    if pull:
        return Why.PULLED
    return Why.DELIVERY_FAILED if failed else Why.NEVER_DELIVERED


def was_taken(outcome: str | None) -> bool:
    """Whether an event with this row has found its end: with a run, or as nothing on purpose."""
    return outcome is not None and not outcome.startswith(REFUSED)


def knew(run: RunSeen | None, heard: Heard) -> bool:
    """Whether the event's run knew it when it closed, for a run reads the truth from Stripe.

    A run that closed without success after the event stays closed: a person has seen to it. One that found out what an
    event is about has told it.
    """
    if run is None or run.open or run.closed_at is None or run.closed_at < heard.event.created:
        return False
    return not run.succeeded or heard.case is Case.UNNAMED or _only_begins(heard.event.type)


def _only_begins(kind: str) -> bool:
    """Whether an event of this type says no more than that its run should be there."""
    if tells_refund(kind) or tells_dispute(kind):
        return begins_case(kind)
    return says_paid(kind) and not may_change(kind)
