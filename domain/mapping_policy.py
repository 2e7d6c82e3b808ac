"""How a shop's words in Stripe become Zoho's: pinned by each run."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.policy import (
    ADJUSTMENT_ID_KEY,
    CREDIT_NOTE_ID_KEY,
    CREDIT_NOTE_NUMBER_KEY,
    ORDER_ID_KEY,
    ORDER_NUMBER_KEY,
    RETURN_ID_KEY,
)

# What else may be written back, besides the order's custom fields.
SOURCES = ("contact_id", "invoice_id", "zoho_payment_id")
# And how many characters Stripe takes of a metadata key.
KEY_LIMIT = 40


class PartialCapture(StrEnum):
    """What becomes of a payment of which less was captured than its lines come to."""

    HOLD = "hold"  # a person says which lines were captured
    ADJUST = "adjust"  # the difference becomes the order's adjustment


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
        orders = (ORDER_ID_KEY, ORDER_NUMBER_KEY)
        refunds = (CREDIT_NOTE_ID_KEY, CREDIT_NOTE_NUMBER_KEY, RETURN_ID_KEY, ADJUSTMENT_ID_KEY)
        return frozenset({*orders, *refunds, *self.write_back})
