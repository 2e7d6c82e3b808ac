"""What crosses Temporal: ids, money, SKUs and decisions. Never a name, an e-mail or an address.

An answer with `unknown` was lost on its way; `asked` counts the tries until then. Whoever looked and found nothing
hands it back as `after`, which lets exactly one more try through.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, Field

from domain.attention import Amendment, Answer, Trouble
from domain.money import Money
from domain.payments import Fact, Fee, PaymentStatus
from domain.policy import PaymentPolicy


class PaymentEvent(Fact):
    """One thing Stripe said about a payment: a hint that wakes the run, which then reads the truth itself.

    `changed` names the fields that an update says it changed, never their values.
    """

    event_id: str
    type: str
    object_id: str
    created: AwareDatetime
    changed: tuple[str, ...] = ()


class UndoKind(StrEnum):
    """What takes a step back."""

    VOID_SALES_ORDER = "void_sales_order"
    VOID_INVOICE = "void_invoice"
    DELETE_PAYMENT = "delete_payment"
    DELETE_PACKAGE = "delete_package"
    DELETE_SHIPMENT = "delete_shipment"
    RESTORE_STOCK = "restore_stock"
    CLEAR_METADATA = "clear_metadata"
    VOID_CREDIT_NOTE = "void_credit_note"
    DELETE_CREDIT_REFUND = "delete_credit_refund"
    UNMARK_REFUND = "unmark_refund"


class Carried(Fact):
    """What a parked run takes with it into its small fresh history. Results of writes are in the effect rows.

    `answer` came while the run was about to park; `aborting` is why everything is being taken back, "" where it is not.
    `undo` is in the order of the steps; `answers` counts what people answered so far, `reminders` how often they were
    told since the run parked. `events` may change what is written already;
    `corrected` is what a change has put right so far.
    """

    trouble: Trouble | None = None
    answer: Answer | None = None
    aborting: str = ""
    round: int = 0
    undo: tuple[UndoKind, ...] = ()
    amendments: tuple[Amendment, ...] = ()
    skipped: tuple[str, ...] = ()
    found: dict[str, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    answers: int = 0
    reminders: int = 0
    events: tuple[PaymentEvent, ...] = ()
    corrected: tuple[str, ...] = ()


class PaymentInput(Fact):
    """What a payment's run starts with. `organization_id` is the fairness key of its Zoho calls."""

    connection: str
    payment_id: str
    organization_id: str
    policy: PaymentPolicy = PaymentPolicy()
    zoho_queue: str = "zoho"
    carried: Carried = Carried()


class ResolveInput(Fact):
    """An event that does not name its payment: `object_id` is an invoice, session or charge."""

    connection: str
    event: PaymentEvent
    policy: PaymentPolicy = PaymentPolicy()


class ResolvedPayment(Fact):
    """The payment (`pi_…`, `ch_…`) that an event's object belongs to, "" where it has none."""

    payment_id: str = ""


class StartPaymentInput(Fact):
    """A payment's run to be started, or woken, by `event`."""

    connection: str
    payment_id: str
    event: PaymentEvent


class Stage(StrEnum):
    """How far a payment has come; the search attribute `Stage`."""

    RECEIVED = "received"
    WAITING_FOR_MONEY = "waiting-for-money"
    PREPARED = "prepared"
    ORDERED = "ordered"
    CONFIRMED = "confirmed"
    INVOICED = "invoiced"
    PAID = "paid"
    NEEDS_ATTENTION = "needs-attention"
    CORRECTED = "corrected"
    TAKEN_BACK = "taken-back"
    CREDITED = "credited"
    REOPENED = "reopened"
    DISPUTED = "disputed"
    DECIDED = "decided"
    FAILED = "failed"


class PaymentRef(Fact):
    """Which payment an activity is about. `round` counts the times its documents were taken back and begun anew.

    `change` is the event whose run corrects them, "" for the payment's own run: each has effects of its own.
    """

    connection: str
    payment_id: str
    round: int = 0
    change: str = ""


class FetchedPayment(Fact):
    """What a run may know of a payment: everything else is in the dossier under `facts_ref`.

    `fee` is None until Stripe has told it; its parts stay in the dossier.
    """

    status: PaymentStatus
    money: Money
    charge_id: str = ""
    facts_ref: str
    lines: tuple[str, ...] = ()
    round: int = 0
    fee: Fee | None = None


class StepDone(Fact):
    """A status change that went through (or was there already), or whose answer was lost."""

    unknown: bool = False
    asked: int = 0


class HoldLetGo(Fact):
    """What a payment is after it was to be cancelled: CANCELED, or PAID where it was captured before."""

    status: PaymentStatus


class WriteBackInput(PaymentRef):
    """What the payment's Stripe metadata shall say. `known` are the ids that the shop's own keys may be filled with."""

    metadata: dict[str, str]
    order_ref: str = ""
    known: dict[str, str] = Field(default_factory=dict)
    after: int = 0


class PaymentResult(Fact):
    """What a payment became."""

    salesorder_id: str
    number: str
    invoice_id: str
    zoho_payment_id: str
    contact_id: str
    total: Money
    stage: Stage = Stage.PAID
    shipment_id: str = ""
    tracking_number: str = ""
