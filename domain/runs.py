"""What crosses Temporal: ids, money, SKUs and decisions. Never a name, an e-mail or an address.

An answer with `unknown` was lost on its way; `asked` counts the tries until then. Whoever looked and found nothing
hands it back as `after`, which lets exactly one more try through.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime, Field

from domain.attention import Amendment, Answer, Trouble
from domain.documents import OrderDocumentLine, OwnStep, PackageDocument, Part, ReceiptRecord
from domain.money import Money
from domain.payments import Fact, Fee, PaymentStatus
from domain.policy import PaymentPolicy
from domain.problems import Problem


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


class LookUpKind(StrEnum):
    """What the cache lacks, and one Zoho call would tell."""

    ORGANIZATION = "organization"
    CURRENCIES = "currencies"
    TAXES = "taxes"
    ITEM = "item"


class LookUp(Fact):
    """One question for Zoho: `key` is the SKU of an item, "" for the others."""

    kind: LookUpKind
    key: str = ""


class LookUpInput(Fact):
    """A look-up for one connection."""

    connection: str
    lookup: LookUp


class AddressUse(StrEnum):
    """Which of an order's two addresses."""

    BILLING = "billing"
    SHIPPING = "shipping"


class AddressPlan(Fact):
    """Zoho's ids of the order's addresses, "" where it has none; `missing` are those the contact does not have yet.

    `same` says that both are one address, which is added once; `unread` that the contact may have them all the same.
    """

    billing_address_id: str = ""
    shipping_address_id: str = ""
    missing: tuple[AddressUse, ...] = ()
    same: bool = False
    unread: bool = False


class PrepareInput(PaymentRef):
    """Map and check the payment under `facts_ref`; `asked` look-ups that are still missing become problems."""

    facts_ref: str
    asked: tuple[LookUp, ...] = ()
    amendments: tuple[Amendment, ...] = ()


class OrderPlan(Fact):
    """The order as far as our own memory can settle it.

    `item_ids` and `tax_ids` are by position of the order's lines ("" = untaxed). `exchange_rate` is None where the
    order is in the organisation's own currency. `contact_id` and `addresses` are set where the cache knows them.
    `notify` says that the connection wants people told. `sets` are items that the shop sells as sets, and `parts` what
    all of them together hold.
    """

    number: str = ""
    order_ref: str = ""
    mapping_hash: str = ""
    total: Money | None = None
    item_ids: tuple[str, ...] = ()
    tax_ids: tuple[str, ...] = ()
    exchange_rate: Decimal | None = None
    contact_id: str = ""
    addresses: AddressPlan | None = None
    notify: bool = False
    sets: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    lookups: tuple[LookUp, ...] = ()
    problems: tuple[Problem, ...] = ()


class ContactClaim(Fact):
    """The contact, if it is known; `mine` says that this run has the right to look for it and create it."""

    contact_id: str = ""
    mine: bool = False


class ContactInput(PaymentRef):
    """A contact to find or create. `name_choice` counts up while names are taken."""

    order_ref: str
    name_choice: int = 0
    after: int = 0


class ContactWritten(Fact):
    """`taken` where the name belongs to somebody else; `unknown` where the answer was lost.

    A look that found no contact tells the first name that it did not see taken as `name_choice`.
    """

    contact_id: str = ""
    name_choice: int = 0
    taken: bool = False
    unknown: bool = False
    asked: int = 0


class AddressPlanInput(PaymentRef):
    """Which of the order's addresses does the contact have?"""

    order_ref: str
    contact_id: str


class AddressInput(PaymentRef):
    """An address to add to a contact."""

    order_ref: str
    contact_id: str
    use: AddressUse = AddressUse.BILLING
    after: int = 0


class AddressWritten(Fact):
    """An address at a contact, by Zoho's id."""

    address_id: str = ""
    unknown: bool = False
    asked: int = 0


class OrderNumber(PaymentRef):
    """A payment's sales order, by its number."""

    number: str


class OrderInput(OrderNumber):
    """A sales order to write: the draft under `order_ref` with Zoho's ids.

    `reserved` says that its goods were reserved in our store; `backordered` names what there is too little of.
    """

    order_ref: str
    total: Money
    contact_id: str
    addresses: AddressPlan = AddressPlan()
    item_ids: tuple[str, ...]
    tax_ids: tuple[str, ...]
    exchange_rate: Decimal | None = None
    reserved: bool = False
    backordered: tuple[str, ...] = ()
    after: int = 0


class DocumentRef(PaymentRef):
    """A document of a payment, by Zoho's id. `deleted` are payments that should be gone from it.

    `reserved` says that its goods were reserved in our store, which has to hear when the order is confirmed.
    """

    document_id: str
    total: Money
    deleted: tuple[str, ...] = ()
    reserved: bool = False
    after: int = 0


class OrderWritten(Fact):
    """A sales order as Zoho has it. `taken`: the number exists already, so look.

    `goods` are the lines that can be packed; `own_steps` what the organisation does by itself once it is confirmed.
    """

    salesorder_id: str = ""
    status: str = ""
    total: Money | None = None
    reference: str = ""
    line_item_ids: tuple[str, ...] = ()
    goods: tuple[OrderDocumentLine, ...] = ()
    invoices: tuple[InvoiceWritten, ...] = ()
    packages: tuple[PackageDocument, ...] = ()
    own_steps: tuple[OwnStep, ...] = ()
    taken: bool = False
    unknown: bool = False
    asked: int = 0


class InvoiceInput(OrderInput):
    """An invoice for the order `salesorder_id`, line by line."""

    salesorder_id: str
    line_item_ids: tuple[str, ...]


class InvoiceWritten(Fact):
    """An invoice as Zoho has it."""

    invoice_id: str = ""
    number: str = ""
    status: str = ""
    total: Money | None = None
    balance: Money | None = None
    payment_ids: tuple[str, ...] = ()
    short_items: tuple[str, ...] = ()
    unknown: bool = False
    asked: int = 0


class ReceiptInput(PaymentRef):
    """Money received, to be recorded as a customer payment against `invoice_id`; `bank_charges` is Stripe's fee."""

    order_ref: str
    invoice_id: str
    contact_id: str
    total: Money
    exchange_rate: Decimal | None = None
    bank_charges: Money | None = None
    after: int = 0


class ReceiptWritten(Fact):
    """A customer payment as Zoho has it; `balance` is what the invoice still wants.

    `record` is None where the payment was found through its invoice, which does not tell the whole of it.
    """

    zoho_payment_id: str = ""
    balance: Money | None = None
    record: ReceiptRecord | None = None
    unknown: bool = False
    asked: int = 0


class StepDone(Fact):
    """A status change that went through (or was there already), or whose answer was lost."""

    unknown: bool = False
    asked: int = 0


class WriteBackInput(PaymentRef):
    """What the payment's Stripe metadata shall say. `known` are the ids that the shop's own keys may be filled with."""

    metadata: dict[str, str]
    order_ref: str = ""
    known: dict[str, str] = Field(default_factory=dict)
    after: int = 0


class NotifyInput(PaymentRef):
    """What people are told: `message` holds ids and money only."""

    message: str
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


OrderWritten.model_rebuild()
