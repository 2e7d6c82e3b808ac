"""A sales order as we will write it to Zoho. Holds people's data: lives in the dossier, never in Temporal."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import Field

from domain.contacts import ContactIdentity
from domain.money import Money
from domain.payments import Address, Buyer, Fact


class OrderLine(Fact):
    """One line: `rate` in major units of one piece (gross where the order is tax inclusive), `discount` as an
    amount.

    `item_id` is set where a stored link named it; else `sku` has to be looked up. `tax_percentage` None = no tax.
    """

    line_id: str
    sku: str = ""
    item_id: str = ""
    product_id: str = ""
    name: str = ""
    description: str = ""
    quantity: int = Field(gt=0)
    rate: Decimal
    discount: Money
    tax_percentage: Decimal | None = None


class OrderDraft(Fact):
    """The whole order before it exists. `total` is what Zoho has to come to: Stripe's amount, to the minor unit.

    `reference` is the payment id. `tax` is Stripe's tax on lines and shipping; Zoho's own may differ by roundings.
    `adjustment` closes the gap between Zoho's rounding and Stripe's, at most one minor unit a line. `custom_fields`
    maps a field's api_name to its value. `uncaptured` is what the lines come to beyond the money that was captured; it
    is part of the adjustment.
    """

    number: str
    reference: str
    order_date: date
    shipment_date: date | None = None
    inclusive: bool
    lines: tuple[OrderLine, ...]
    shipping_charge: Money
    adjustment: Money
    uncaptured: Money | None = None
    tax: Money
    total: Money
    buyer: Buyer
    contact: ContactIdentity
    billing: Address = Address()
    shipping: Address = Address()
    custom_fields: dict[str, str] = Field(default_factory=dict)
    notes: str = ""
