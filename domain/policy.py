"""What a shop decides: durations, limits and mapping choices, handed to a run when it starts."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from domain.attention import AttentionClass

PAID = "paid"
REFUND = "refund"
DISPUTE = "dispute"
# What every carried payment's metadata gets.
ORDER_ID_KEY = "zoho_salesorder_id"
ORDER_NUMBER_KEY = "zoho_salesorder_number"
# And what the metadata of a booked refund gets, in the words of Zoho's own screens.
CREDIT_NOTE_ID_KEY = "zoho_creditnote_id"
CREDIT_NOTE_NUMBER_KEY = "zoho_creditnote_number"
# What the metadata of a refund says that was made for a return: its run books it, nobody else.
RETURN_ID_KEY = "zoho_salesreturn_id"
# What else may be written back, besides the order's custom fields.
SOURCES = ("contact_id", "invoice_id", "zoho_payment_id")
# Stripe's limits of metadata.
KEY_LIMIT = 40
VALUE_LIMIT = 500


class ForeignFee(StrEnum):
    """What becomes of a fee that Stripe took in another currency than the payment's."""

    LEAVE = "leave"  # booked with the payout, which is in the fee's currency
    CONVERT = "convert"  # divided by Stripe's own exchange rate, rounded half up


class PartialCapture(StrEnum):
    """What becomes of a payment of which less was captured than its lines come to."""

    HOLD = "hold"  # a person says which lines were captured
    ADJUST = "adjust"  # the difference becomes the order's adjustment


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


class HeldMoney(StrEnum):
    """What becomes of money that is authorised and not captured, when its payment's run is aborted or cancelled."""

    KEEP = "keep"  # a person, or the authorisation's own end, lets go of it
    LET_GO = "let_go"  # the payment is cancelled in Stripe: the buyer has the money at once


class ShipmentKeys(BaseModel):
    """Stripe metadata keys that a shipment's words are written to; "" leaves one out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shipment_id: str = "zoho_shipment_id"
    tracking_number: str = "tracking_number"
    carrier: str = "carrier"
    status: str = "shipment_status"

    def named(self) -> tuple[str, ...]:
        """The keys that are written to."""
        return tuple(filter(None, (self.shipment_id, self.tracking_number, self.carrier, self.status)))


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
    often at most people are told of one class. `quiet`: of what nobody is told: classes, "paid", "refund", "dispute".
    `oversell`: what becomes of an order that wants more than is left; `oversell_patience`: how long it waits for
    payments that may let go of what they reserved before it.
    `held_money`: whether an aborted or cancelled run lets go of money that is authorised only.
    `restock`: which goods return to stock when a payment is refunded as a whole; `refund_patience`: how long a run
    waits for a refund that is under way before it asks a person. `evidence_reminder`: how long before a dispute's
    evidence is due people are told once more.
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
    evidence_reminder: timedelta = timedelta(days=2)
    tell_after: timedelta = timedelta(seconds=10)
    tell_every: timedelta = timedelta(minutes=15)
    quiet: tuple[str, ...] = ()

    @field_validator("quiet")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known = {PAID, REFUND, DISPUTE, *(one.value for one in AttentionClass)}
        for name in names:
            if name not in known:
                raise ValueError(f"there is no class {name!r}: there are {', '.join(sorted(known))}")
        return names


class TaxRounding(StrEnum):
    """Where Zoho rounds tax: once a tax rate over the whole document, or line by line. An organisation's setting."""

    ENTITY_LEVEL = "entity_level"
    ITEM_LEVEL = "item_level"


# With which goods a gift goes that goes with every order.
ANY_ORDER = "*"


class BundlePart(BaseModel):
    """How many pieces of the item `sku` one set holds, or go along as a gift."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sku: str = Field(min_length=1)
    quantity: int = Field(default=1, gt=0)


class MappingPolicy(BaseModel):
    """How Stripe's words become Zoho's. Its hash is pinned by each run.

    `sku_keys`: metadata keys searched for the SKU on price, then product; then the price's `lookup_key`.
    `item_link_key`: metadata key that holds a Zoho item id. `shipping_sku`: the service item that carries taxed
    shipping (Zoho's `shipping_charge` takes no tax); "" refuses taxed shipping.
    `charge_field`, `payment_field`: api_names of the order's custom fields, "" to leave one out.
    `shipment_days`: promised shipment date, days after the order; None leaves it out.
    `tax_rounding`, `rate_decimals`: the organisation's rounding of tax and the decimals it keeps of a unit price; no
    call of the API tells them before the first document, so the shop says them here.
    `delivery_method`: what a shipment says of the way it goes.
    `deposit_account_id`: Zoho account that payments go to (a Stripe clearing account), "" = Undeposited Funds.
    `bundle_parts`: sets that Zoho knows only as items whose stock it does not track, by SKU, with the parts that an
    inventory adjustment takes out of stock.
    `gifts`: pieces that go along and are on no line of the order, by the SKU with each piece of which they go; those
    of `*` go with every order. The same adjustment takes them out of stock.
    `partial_capture`: what becomes of a payment that was captured in part.
    `metadata_fields`: Stripe's metadata keys and the order's custom fields (api_name) that they fill.
    `write_back`: further metadata keys that the payment gets, each with its source: `contact_id`, `invoice_id`,
    `zoho_payment_id`, or a custom field of the order (`cf_…`). A key that is written is never read: that were a loop.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sku_keys: tuple[str, ...] = ("sku",)
    item_link_key: str = "zoho_item_id"
    shipping_sku: str = ""
    charge_field: str = "cf_stripe_charge_id"
    payment_field: str = "cf_stripe_payment_id"
    shipment_days: int | None = Field(default=None, ge=0, le=365)
    tax_rounding: TaxRounding = TaxRounding.ENTITY_LEVEL
    rate_decimals: int = Field(default=6, ge=0, le=12)
    delivery_method: str = Field(default="Standard", min_length=1)
    deposit_account_id: str = ""
    payment_mode: str = "Stripe"
    bundle_parts: dict[str, tuple[BundlePart, ...]] = Field(default_factory=dict)
    gifts: dict[str, tuple[BundlePart, ...]] = Field(default_factory=dict)
    partial_capture: PartialCapture = PartialCapture.HOLD
    metadata_fields: dict[str, str] = Field(default_factory=dict)
    write_back: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _no_loop(self) -> Self:
        if both := sorted(self.own_keys() & self.metadata_fields.keys()):
            raise ValueError(f"{', '.join(both)}: a metadata key is either read or written; name another key")
        if long := sorted(key for key in self.write_back if not 0 < len(key) <= KEY_LIMIT):
            raise ValueError(f"{', '.join(long)}: Stripe takes metadata keys of 1 to {KEY_LIMIT} characters")
        unknown = sorted(s for s in self.write_back.values() if s not in SOURCES and not s.startswith("cf_"))
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: write_back takes {', '.join(SOURCES)} or a custom field cf_…")
        return self

    def own_keys(self) -> frozenset[str]:
        """The metadata keys that we write: a change of nothing but these is our own echo."""
        ours = (ORDER_ID_KEY, ORDER_NUMBER_KEY, CREDIT_NOTE_ID_KEY, CREDIT_NOTE_NUMBER_KEY, RETURN_ID_KEY)
        return frozenset({*ours, *self.write_back})
