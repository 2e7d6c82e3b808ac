"""What a shop decides: durations, limits and mapping choices, handed to a run when it starts."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, field_validator

from domain.attention import AttentionClass
from domain.by_hand import ByHandPolicy
from domain.money import Money

PAID = "paid"
REFUND = "refund"
DISPUTE = "dispute"
RETURN = "return"
QUOTA = "quota"
SHIPMENT = "shipment"
# What every carried payment's metadata gets.
ORDER_ID_KEY = "zoho_salesorder_id"
ORDER_NUMBER_KEY = "zoho_salesorder_number"
# And what the metadata of a booked refund gets, in the words of Zoho's own screens.
CREDIT_NOTE_ID_KEY = "zoho_creditnote_id"
CREDIT_NOTE_NUMBER_KEY = "zoho_creditnote_number"
# What the metadata of a refund says that was made for a return: its run books it, nobody else.
RETURN_ID_KEY = "zoho_salesreturn_id"
# And of one that was proposed by an inventory adjustment.
ADJUSTMENT_ID_KEY = "zoho_inventory_adjustment_id"
# How many characters Stripe takes of a metadata value.
VALUE_LIMIT = 500


class PayoutMissing(StrEnum):
    """What becomes of a payout's lines that lack their document, or its fee."""

    BOOK = "book"  # looked for in Zoho, and booked by the run it belongs to
    REPORT = "report"  # the certificate says so; Zoho is asked nothing


class ForeignPayout(StrEnum):
    """What becomes of a payout in another currency than the organisation's own, which is not posted in Zoho Books."""

    ASK = "ask"  # each waits for a person
    EXPORT = "export"  # left to people, who take its journal


class ForeignFee(StrEnum):
    """What becomes of a fee that Stripe took in another currency than the payment's."""

    LEAVE = "leave"  # booked with the payout, which is in the fee's currency
    CONVERT = "convert"  # divided by Stripe's own exchange rate, rounded half up


class Ship(StrEnum):
    """Whether a run makes package and shipment in Zoho: not at all, or once the payment is recorded."""

    NEVER = "never"
    WHEN_PAID = "when_paid"


class Oversell(StrEnum):
    """What becomes of an order that wants more than Zoho has left for sale."""

    GO_ON = "go_on"  # sold all the same; a note on the run says so
    BACKORDER = "backorder"  # confirmed and marked, and not shipped
    HOLD = "hold"  # a person decides before the order is written


class Restock(StrEnum):
    """Which goods of a sale that is refunded as a whole return to stock by its credit note."""

    NEVER = "never"
    WHEN_UNSHIPPED = "when_unshipped"  # those that never left the house
    ALWAYS = "always"


class ReturnTrigger(StrEnum):
    """When money goes back for a return that somebody entered in Zoho, the boldest last."""

    OFF = "off"  # never by itself
    CREDIT_NOTE_REFUND = "credit_note_refund"  # somebody booked the return's credit note as paid out
    CREDIT_NOTE = "credit_note"  # somebody wrote a credit note for the return
    RECEIVED = "received"  # all goods of the return were received
    APPROVED = "approved"  # the return itself is enough


class ReturnShipping(StrEnum):
    """Whether what was paid for shipping goes back with a return."""

    NEVER = "never"
    WITH_ALL = "with_all"  # with the return by which everything has come back


class HeldMoney(StrEnum):
    """What becomes of money that is authorised and not captured, when its payment's run is aborted or cancelled."""

    KEEP = "keep"  # a person, or the authorisation's own end, lets go of it
    LET_GO = "let_go"  # the payment is cancelled in Stripe: the buyer has the money at once


class DisputeHold(StrEnum):
    """What becomes of goods that have not left when their payment is disputed, until the dispute is won or dropped."""

    HOLD = "hold"  # our runs ship them no more; people are told, and the order is marked where `hold_field` says
    GO_ON = "go_on"  # they go out as if nothing had happened


class DisputeLost(StrEnum):
    """What becomes of the books when a dispute is lost, so that the buyer's bank keeps the money."""

    CREDIT_NOTE = "credit_note"  # as a refund of that money: the sale is credited, its clearing account is right
    WRITE_OFF = "write_off"  # the sale stands; what it brought is lowered, and what is then owed is written off
    ASK = "ask"  # a person books it


class ShipmentKeys(BaseModel):
    """Stripe metadata keys that a shipment's words are written to; "" leaves one out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shipment_id: str = "zoho_shipment_id"
    tracking_number: str = "tracking_number"
    carrier: str = "carrier"
    status: str = "shipment_status"
    date: str = ""

    def named(self) -> tuple[str, ...]:
        """The keys that are written to."""
        return tuple(filter(None, (self.shipment_id, self.tracking_number, self.carrier, self.status, self.date)))


class ReturnPolicy(BaseModel):
    """What a shop decides about returns that are entered in Zoho.

    `trigger`: what has to happen before money goes back. `receive`: whether the run books the goods as received where
    nobody did by then. `shipping`: whether shipping goes back too. `approve_above`: by currency, in major units, from
    where on a second person is asked; a currency without a limit asks always, once any has one. `since`: returns of an
    earlier day are left alone; None: those that are there when the shop is polled first.
    `poll_every`: how often Zoho's list of returns is read, 0 never. `look_every`, `look_at_most`: a return that
    waits is looked at after this time, then after twice as long and so on, until every `look_at_most`.
    `refund_field`, `status_field`: api_names of the custom fields of returns and credit notes that tell Stripe's refund
    and how it stands, "" to leave one out.
    `adjustment_reason`, `adjustment_order_field`: an inventory adjustment with this reason, or with an order in this
    custom field (api_name), proposes a refund, whatever `trigger` says; "" and "": none does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    trigger: ReturnTrigger = ReturnTrigger.OFF
    receive: bool = True
    shipping: ReturnShipping = ReturnShipping.NEVER
    approve_above: dict[str, Decimal] = Field(default_factory=dict)
    since: date | None = None
    poll_every: timedelta | None = timedelta(minutes=5)
    look_every: timedelta = timedelta(minutes=15)
    look_at_most: timedelta = timedelta(hours=6)
    refund_field: str = "cf_stripe_refund_id"
    status_field: str = "cf_stripe_refund_status"
    adjustment_reason: str = ""
    adjustment_order_field: str = ""

    def says(self, refund_id: str, status: str) -> dict[str, str]:
        """The custom fields of a document that tell a refund and how it stands."""
        told = {self.refund_field: refund_id, self.status_field: status}
        return {name: value for name, value in told.items() if name}

    @property
    def on(self) -> bool:
        """Whether returns are carried at all."""
        return self.trigger is not ReturnTrigger.OFF

    @property
    def polls(self) -> bool:
        """Whether Zoho's list of returns is read from time to time."""
        return self.on and bool(self.poll_every)

    @property
    def adjustments(self) -> bool:
        """Whether an inventory adjustment can propose a refund."""
        return bool(self.adjustment_reason or self.adjustment_order_field)

    @property
    def polls_adjustments(self) -> bool:
        """Whether Zoho's list of adjustments is read from time to time."""
        return self.adjustments and bool(self.poll_every)

    def needs_approval(self, money: Money) -> bool:
        """Whether a second person has to agree to so much."""
        limit = self.approve_above.get(money.currency)
        return bool(self.approve_above) and (limit is None or money.decimal() > limit)


class BooksPolicy(BaseModel):
    """What a shop decides about Zoho Books.

    `post`: whether what a payout's certificate says is posted there; else it is there to be exported. `since`: payouts
    that arrived on an earlier day are left to be exported, whatever becomes of them; None: none is. `foreign`: what
    becomes of payouts in another currency than the organisation's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    post: bool = False
    since: date | None = None
    foreign: ForeignPayout = ForeignPayout.ASK


class PaymentPolicy(BaseModel):
    """How a payment's run behaves. Every duration is a value, so a test takes milliseconds where a shop takes days.

    `unpaid_patience`: how long a run waits for an unpaid or uncaptured payment before it gives up as failed.
    `settle_wait`: after an unknown outcome, how long until a slow write must show when it is looked for again.
    `contact_lease`: how long one run may hold the right to create a contact before another takes it over.
    `first_retry`, `longest_retry`: the pace of repeated calls. `call_timeout`: one activity attempt.
    `remind_every`: how often people are told again of a run that waits for them; `escalate_after`: from when on the
    reminder says that it has waited too long.
    `ship`: whether package and shipment are made; `shipment_keys`: where they are told in Stripe's metadata.
    `fee_patience`: how long a paid run stays open for Stripe's fee; one that comes later is booked by a run of its own.
    `foreign_fee`: what becomes of a fee in another currency than the payment's.
    `tell_after`: how long a run that waits lets others join before people are told of all of them; `tell_every`: how
    often at most people are told of one class. `quiet`: of what nobody is told: classes, "paid" (which means shipments
    too), "shipment", "refund", "dispute", "return", "quota".
    `oversell`: what becomes of an order that wants more than is left; `oversell_patience`: how long it waits for
    payments that may let go of what they reserved before it.
    `held_money`: whether an aborted or cancelled run lets go of money that is authorised only.
    `restock`: which goods return to stock when a payment is refunded as a whole; `refund_patience`: how long a run
    waits for a refund that is under way before it asks a person. `sale_patience`: how long it waits for the payment's
    own run, where that has not begun: a webhook was lost, and the next sweep finds it. `evidence_reminder`: how long
    before a dispute's evidence is due people are told once more; `dispute_hold`: whether goods that have not left are
    held back while it lasts, `hold_field` the order's custom field that then names the dispute, "" for none;
    `dispute_lost`: what a lost one does to the books. `payout_check`: how often a payout is looked at that is not
    settled; `payout_missing`: what becomes of lines that lack their document, `payout_look`: how soon it
    is looked whether the runs that were told have booked it, ever more seldom after that; `payout_patience`: after
    how long the certificate says that it is missing. `returns`: what becomes of returns that are entered in Zoho;
    `by_hand`: of what else people do there. `order_number_keys`: Stripe
    metadata keys that hold the number under which somebody may have entered a backfilled payment's order by hand.
    `books`: whether payouts are posted in Zoho Books.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    unpaid_patience: timedelta = timedelta(days=7)
    settle_wait: timedelta = timedelta(seconds=30)
    contact_lease: timedelta = timedelta(seconds=90)
    first_retry: timedelta = timedelta(seconds=1)
    longest_retry: timedelta = timedelta(minutes=2)
    call_timeout: timedelta = timedelta(seconds=45)
    remind_every: timedelta = timedelta(days=1)
    escalate_after: timedelta = timedelta(days=3)
    ship: Ship = Ship.NEVER
    shipment_keys: ShipmentKeys = ShipmentKeys()
    fee_patience: timedelta = timedelta(minutes=10)
    foreign_fee: ForeignFee = ForeignFee.LEAVE
    oversell: Oversell = Oversell.GO_ON
    oversell_patience: timedelta = timedelta(minutes=10)
    held_money: HeldMoney = HeldMoney.KEEP
    restock: Restock = Restock.WHEN_UNSHIPPED
    refund_patience: timedelta = timedelta(days=30)
    sale_patience: timedelta = timedelta(minutes=20)
    evidence_reminder: timedelta = timedelta(days=2)
    returns: ReturnPolicy = ReturnPolicy()
    by_hand: ByHandPolicy = ByHandPolicy()
    dispute_hold: DisputeHold = DisputeHold.HOLD
    hold_field: str = Field(default="", pattern=r"^(cf_\w+)?$")
    dispute_lost: DisputeLost = DisputeLost.CREDIT_NOTE
    payout_check: timedelta = timedelta(hours=6)
    payout_missing: PayoutMissing = PayoutMissing.BOOK
    payout_look: timedelta = timedelta(seconds=10)
    payout_patience: timedelta = timedelta(days=1)
    books: BooksPolicy = BooksPolicy()
    tell_after: timedelta = timedelta(seconds=10)
    tell_every: timedelta = timedelta(minutes=15)
    quiet: tuple[str, ...] = ()
    order_number_keys: tuple[str, ...] = ()

    @property
    def tells_shipments(self) -> bool:
        """Whether people hear of what is shipped later; who wants no word of paid orders wants none of this."""
        return not {PAID, SHIPMENT} & set(self.quiet)

    @field_validator("quiet")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known = {PAID, SHIPMENT, REFUND, DISPUTE, RETURN, QUOTA, *(one.value for one in AttentionClass)}
        for name in names:
            if name not in known:
                raise ValueError(f"there is no class {name!r}: there are {', '.join(sorted(known))}")
        return names
