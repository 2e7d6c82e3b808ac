"""A return as Zoho has it, what its run is told and asks, and what becomes of it."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime, Field

from domain.money import Money
from domain.payments import Fact
from domain.policy import RETURN_ID_KEY, ReturnTrigger
from domain.runs import PaymentInput, PaymentRef, Stage

_ENDED = ("rejected", "void", "declined", "cancelled")
_UNSETTLED = ("draft", "pending_approval", "submitted")


class ReturnEvent(Fact):
    """Somebody said something about a return: `source` is "webhook", "poll", "refund" or "person".

    `payment_id` is the payment of the refund that says it, "" for the others. `failed`: that refund did not reach the
    buyer.
    """

    source: str
    said: str = ""
    payment_id: str = ""
    failed: bool = False


class ReturnRef(PaymentRef):
    """Which return an activity is about; `payment_id` is "" until its payment is found. `change` is the return too.

    `named_by` is the metadata key by which a refund in Stripe names it; another key is of something else that gives
    money back, an adjustment.
    """

    return_id: str
    named_by: str = RETURN_ID_KEY


class ReturnInput(PaymentInput):
    """What a return's run starts with: Zoho's id of the return. Its payment is found by the run, "" until then."""

    return_id: str
    event: ReturnEvent | None = None


class ReturnLine(Fact):
    """A line of a return. `quantity` pieces can be received, `credit_only` cannot: they are credited, never stocked."""

    line_id: str
    item_id: str = ""
    order_line_id: str = ""
    quantity: Decimal = Decimal(0)
    credit_only: Decimal = Decimal(0)
    received: Decimal = Decimal(0)

    @property
    def pieces(self) -> Decimal:
        """All that came back, or will."""
        return self.quantity + self.credit_only


class ReturnNote(Fact):
    """A credit note of a return, as the return shows it."""

    creditnote_id: str
    number: str = ""
    status: str = ""
    total: Decimal = Decimal(0)


class SeenInZoho(Fact):
    """What somebody entered in Zoho, as Zoho shows it. `requester` is who did, "" where Zoho does not say; `gone`:
    deleted.
    """

    status: str = ""
    requester: str = ""
    gone: bool = False

    @property
    def ended(self) -> str:
        """Why nothing will come of it, "" where something may."""
        if self.gone:
            return "it was deleted in Zoho"
        return f"it is {self.status} in Zoho" if self.status in _ENDED else ""


class ReturnSeen(SeenInZoho):
    """A return as Zoho shows it. `fields` are its custom fields, by api_name."""

    return_id: str
    number: str = ""
    receive_status: str = ""
    refund_status: str = ""
    salesorder_id: str = ""
    lines: tuple[ReturnLine, ...] = ()
    notes: tuple[ReturnNote, ...] = ()
    receives: tuple[str, ...] = ()
    fields: dict[str, str] = Field(default_factory=dict)

    @property
    def approved(self) -> bool:
        """Whether Zoho's own approval is behind it."""
        return not self.ended and self.status not in _UNSETTLED

    @property
    def note(self) -> ReturnNote | None:
        """The credit note that was written for it and that counts; the first of several."""
        return next(iter(self.standing), None)

    @property
    def standing(self) -> tuple[ReturnNote, ...]:
        """Its credit notes that count: neither drafts nor void."""
        return tuple(note for note in self.notes if note.status in ("open", "closed"))

    @property
    def received(self) -> bool:
        """Whether all that can be received was."""
        return not self.missing()

    def missing(self) -> tuple[tuple[str, Decimal], ...]:
        """Lines with the pieces that are still to be received."""
        if self.receive_status == "received":
            return ()
        left = ((line.line_id, line.quantity - line.received) for line in self.lines)
        return tuple((line_id, pieces) for line_id, pieces in left if pieces > 0)

    def triggers(self, trigger: ReturnTrigger) -> bool:
        """Whether what the policy waits for has happened. Whoever paid a credit note out has decided everything."""
        note = self.note
        if not self.approved:
            return False
        if trigger is ReturnTrigger.CREDIT_NOTE_REFUND or (note and note.status == "closed"):
            return note is not None and note.status == "closed"
        if trigger is ReturnTrigger.CREDIT_NOTE:
            return note is not None
        return trigger is ReturnTrigger.APPROVED or self.received


class ReturnQuery(ReturnRef):
    """A return, or another of the same order, to be read.

    `before` are the receives that others had booked when the run came to its own, None where it had not yet; `deleted`
    is one that should be gone.
    """

    document_id: str = ""
    before: tuple[str, ...] | None = None
    deleted: str = ""


class OrderTrace(Fact):
    """What an order in Zoho says about its payment, most certain first: ids of Stripe's that its fields hold."""

    salesorder_id: str
    number: str = ""
    candidates: tuple[str, ...] = ()


class ReturnedPayment(Fact):
    """The payment (`pi_…`, `ch_…`) behind a return's order and what told it; `foreign`: Stripe does not know it."""

    payment_id: str = ""
    told_by: str = ""
    foreign: str = ""


class TraceInput(ReturnRef):
    """Ids that may be the payment's, for Stripe to say; without any, its metadata is searched for the order."""

    salesorder_id: str
    candidates: tuple[str, ...] = ()


class ReceiveInput(ReturnRef):
    """Pieces of lines that came back and are to be in stock again, on the day of `at`."""

    lines: tuple[tuple[str, Decimal], ...]
    at: AwareDatetime
    after: int = 0


class ReceiveWritten(Fact):
    """A receive as Zoho has it."""

    receive_ids: tuple[str, ...] = ()
    unknown: bool = False
    asked: int = 0


class ReceiveDocument(ReturnRef):
    """A receive to be taken back."""

    receive_id: str
    after: int = 0


class StatusInput(ReturnRef):
    """What the return shall say in Zoho: its refund and how that stands; `seen` is the return as it was read."""

    seen: ReturnSeen
    refund_id: str
    status: str
    after: int = 0


class GivenResult(Fact):
    """What became of what was to give money back; the ids are empty where nothing was to be given back."""

    payment_id: str = ""
    stage: Stage
    refund_id: str = ""
    creditnote_id: str = ""
    money: Money | None = None
    notes: tuple[str, ...] = ()


class ReturnResult(GivenResult):
    """What became of a return."""

    return_id: str


class FoundBy(StrEnum):
    """What told the payment of an order."""

    MEMORY = "our own memory"
    ORDER = "the order's fields in Zoho"
    METADATA = "Stripe's metadata"
