"""What a shop decides about what people do in Zoho by hand, and which of Zoho's lists tell of it."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class ZohoList(StrEnum):
    """A list of Zoho's that tells what people changed, by its path."""

    SALES_ORDERS = "salesorders"
    INVOICES = "invoices"
    PAYMENTS = "customerpayments"
    CREDIT_NOTES = "creditnotes"
    CONTACTS = "contacts"
    ITEMS = "items"


# What these tell changes what we remember, not what was carried.
REMEMBERED = (ZohoList.CONTACTS, ZohoList.ITEMS)


class ByHandPolicy(BaseModel):
    """What a shop decides about what people do in Zoho by hand.

    `poll_every`: how often Zoho's lists of changed documents are read, 0 never. `lists`: which of them, one call each;
    those of contacts and items only every `memory_every`, 0 each time.
    `by_modified`: whether a list is asked for what has changed since; else it is only sorted, and read until there.
    `overlap`: how much of the time before is read again; `look_back`: how far the first poll looks.
    `checks`: how many carried orders each poll reads back, those least recently looked at first, one call each;
    `check_for`: of how long ago at most. `texts`: whether addresses and custom fields are compared. `tracking`:
    whether tracking that is entered by hand reaches Stripe. `restocked`: whether an order that waits because its goods
    are sold out looks again by itself once Zoho has enough.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    poll_every: timedelta = Field(default=timedelta(minutes=15), ge=timedelta(0))
    lists: tuple[ZohoList, ...] = (
        ZohoList.SALES_ORDERS,
        ZohoList.CREDIT_NOTES,
        ZohoList.CONTACTS,
        ZohoList.ITEMS,
    )
    memory_every: timedelta = Field(default=timedelta(hours=1), ge=timedelta(0))
    by_modified: bool = True
    overlap: timedelta = Field(default=timedelta(minutes=10), ge=timedelta(0))
    look_back: timedelta = Field(default=timedelta(days=1), ge=timedelta(0))
    checks: int = Field(default=2, ge=0, le=100)
    check_for: timedelta = Field(default=timedelta(days=30), ge=timedelta(0))
    texts: bool = True
    tracking: bool = True
    restocked: bool = True

    @property
    def polls(self) -> bool:
        """Whether anything is read at all."""
        return bool(self.poll_every)
