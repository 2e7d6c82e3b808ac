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
    DELETE_RECEIVE = "delete_receive"
    RESTORE_PAYMENT = "restore_payment"
    CANCEL_WRITE_OFF = "cancel_write_off"


class Carried(Fact):
    """What a parked run takes with it into its small fresh history. Results of writes are in the effect rows.

    `answer` came while the run was about to park; `aborting` is why everything is being taken back, "" where it is not.
    `undo` is in the order of the steps; `answers` counts what people answered so far, `reminders` how often they were
    told since the run parked. `events` may change what is written already;
    `corrected` is what a change has put right so far, `approved` the amount that a second person has agreed to, in
    answer to the words `agreed`.
    `adopted` is Zoho's id of the order that a person said is the payment's. `planned_anew`: what we remembered was gone
    in Zoho, and the story was told again for it.
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
    approved: Money | None = None
    agreed: str = ""
    adopted: str = ""
    planned_anew: bool = False


class RerunStep(StrEnum):
    """From where a payment's story may be told anew on purpose, in the order of the story."""

    ORDER = "order"
    INVOICE = "invoice"
    PAYMENT = "payment"
    SHIP = "ship"
    WRITE_BACK = "write_back"
    FEE = "fee"


class Rerun(Fact):
    """A story that is told once more on purpose: what is done is skipped.

    From `from_step` on our memory counts no more: each step looks what stands in Zoho, takes that, and writes only what
    is missing. Its effects are kept apart under `tag`.
    """

    tag: str = ""
    from_step: RerunStep | None = None

    def change(self, step: RerunStep) -> str:
        """Under which name the effects of a step are kept; "" where those of before count."""
        steps = list(RerunStep)
        anew = self.from_step is not None and steps.index(step) >= steps.index(self.from_step)
        return self.tag if anew else ""


class PaymentInput(Fact):
    """What a payment's run starts with. `organization_id` is the fairness key of its Zoho calls.

    `backfilled`: a backfill found it, so somebody may have entered its order by hand, and nobody has to be told of it.
    `rerun`: a person has it told once more, and from where on anew.
    """

    connection: str
    payment_id: str
    organization_id: str
    policy: PaymentPolicy = PaymentPolicy()
    zoho_queue: str = "zoho"
    backfilled: bool = False
    rerun: Rerun = Rerun()
    carried: Carried = Carried()


class ResolveInput(PaymentInput):
    """An event that does not name its payment: `object_id` is an invoice, session, customer or charge."""

    payment_id: str = ""
    organization_id: str = ""
    event: PaymentEvent


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
    CHECKED = "checked"
    TAKEN_BACK = "taken-back"
    CREDITED = "credited"
    REOPENED = "reopened"
    WAITING_FOR_RETURN = "waiting-for-return"
    REFUSED = "refused"
    DISPUTED = "disputed"
    DECIDED = "decided"
    RECONCILING = "reconciling"
    CERTIFIED = "certified"
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


class WrittenBack(StepDone):
    """What was put into the metadata, the shop's own keys apart; None where that was not kept yet."""

    metadata: dict[str, str] | None = None


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
