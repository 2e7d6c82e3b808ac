"""A payment as Stripe tells it, in the shop's words. Holds people's data: lives in the dossier, never in Temporal."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.money import Money


class Fact(BaseModel):
    """A frozen value object: unknown fields are ignored when read back, so that old rows stay readable."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class PaymentStatus(StrEnum):
    """Where the money is: only PAID may become an order."""

    PAID = "paid"
    UNPAID = "unpaid"  # a session unpaid, an intent processing or needing action
    UNCAPTURED = "uncaptured"  # authorised, captured later or never
    CANCELED = "canceled"


class LineSource(StrEnum):
    """Where the lines were found, in the order they are searched."""

    CHECKOUT = "checkout"
    INVOICE = "invoice"
    AMOUNT_DETAILS = "amount_details"
    METADATA = "metadata"
    NONE = "none"


class Address(Fact):
    """A postal address; `country` is the ISO two-letter code. Empty strings are absent."""

    name: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    phone: str = ""

    def is_empty(self) -> bool:
        """True where no part of it would find a door."""
        return not (self.line1 or self.city or self.postal_code or self.country)


class Buyer(Fact):
    """Who paid. `customer_id` (cus_…) is empty for a guest."""

    customer_id: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    address: Address = Address()


class LineTax(Fact):
    """One tax on a line: `percentage` as Stripe's rate says it, whether the price already held it, and the amount."""

    percentage: Decimal
    inclusive: bool
    amount: Money


class PaidLine(Fact):
    """One thing that was paid for. `total` = subtotal - discount + exclusive taxes, as Stripe computes it.

    `unit_minor` is the price of one in minor units, with fractions where Stripe has them (`unit_amount_decimal`).
    `item_id` is the stored link to Zoho (metadata `zoho_item_id` of price or product), `sku` the second choice.
    """

    line_id: str
    product_id: str = ""
    price_id: str = ""
    sku: str = ""
    item_id: str = ""
    description: str = ""
    quantity: int = Field(gt=0)
    unit_minor: Decimal
    subtotal: Money
    discount: Money
    tax: Money
    total: Money
    taxes: tuple[LineTax, ...] = ()


class ShippingCost(Fact):
    """What shipping cost: net or gross as Stripe has it; `total` is what was paid."""

    subtotal: Money
    tax: Money
    total: Money
    taxes: tuple[LineTax, ...] = ()


class FeePart(Fact):
    """One part of a fee: `kind` is Stripe's word (stripe_fee, tax, application_fee …)."""

    kind: str
    amount: Money
    description: str = ""


class Fee(Fact):
    """The fee of a charge, off its balance transaction `transaction_id`, in the currency that Stripe settles in.

    `exchange_rate` is Stripe's own: minor units of that currency for one minor unit of the payment's; None where the
    two are one currency.
    """

    transaction_id: str
    amount: Money
    exchange_rate: Decimal | None = None
    parts: tuple[FeePart, ...] = ()


class Moved(Fact):
    """Money that a balance transaction moved, in the currency that Stripe settles in: `net` = `money` - `fee`.

    Below zero it left us; a fee below zero was given back. `exchange_rate` is as with `Fee`.
    """

    transaction_id: str
    money: Money
    fee: Money
    net: Money
    exchange_rate: Decimal | None = None


class ChargeSays(Fact):
    """What stands on the charge itself. Stripe copies it from the intent once; only the charge's changes are told."""

    receipt_email: str = ""
    shipping: Address = Address()
    metadata: dict[str, str] = Field(default_factory=dict)


class PaymentFacts(Fact):
    """Everything Stripe says about one payment that an order needs.

    `payment_id` is the intent (`pi_…`), or the charge (`ch_…`) where there is no intent. `money` is what was
    received, `intended` what was authorised: more, where only a part was captured. `created` is when the charge was
    made, UTC. `fee` is None until Stripe has made the balance transaction.
    """

    payment_id: str
    charge_id: str = ""
    account_id: str = ""
    livemode: bool
    status: PaymentStatus
    money: Money
    created: AwareDatetime
    description: str = ""
    receipt_email: str = ""
    buyer: Buyer
    billing: Address = Address()
    shipping: Address = Address()
    metadata: dict[str, str] = Field(default_factory=dict)
    line_source: LineSource = LineSource.NONE
    lines: tuple[PaidLine, ...] = ()
    shipping_cost: ShippingCost | None = None
    session_id: str = ""
    invoice_id: str = ""
    intended: Money | None = None
    at_charge: ChargeSays = ChargeSays()
    fee: Fee | None = None

    def paid_at(self) -> datetime:
        """When the money came, UTC."""
        return self.created
