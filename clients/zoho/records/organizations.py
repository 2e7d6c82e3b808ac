"""What Zoho answers about the organisation: itself, its currencies and taxes."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from clients.zoho.records import Record


class Organization(Record):
    """The organisation the token speaks for. `price_precision` counts decimals of its base currency."""

    organization_id: str = Field(min_length=1)
    name: str = ""
    time_zone: str = ""
    currency_code: str = ""
    price_precision: int = 2
    plan_name: str = ""
    sales_tax_type: str = ""


class Currency(Record):
    """A currency the organisation has. `exchange_rate`: one in base currency, 0 where Zoho tells none."""

    currency_id: str = Field(min_length=1)
    currency_code: str = Field(min_length=1)
    price_precision: int = 2
    exchange_rate: Decimal = Decimal(0)
    is_base_currency: bool = False


class Tax(Record):
    """A tax or a tax group."""

    tax_id: str = Field(min_length=1)
    tax_name: str = ""
    tax_percentage: Decimal = Decimal(0)
    tax_type: str = ""
