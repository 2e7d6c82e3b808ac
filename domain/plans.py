"""The order as planned from our own memory, and what has to be asked of Zoho first."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from domain.attention import Amendment
from domain.documents import Part
from domain.money import Money
from domain.payers import AddressPlan
from domain.payments import Fact
from domain.problems import Problem
from domain.runs import PaymentRef


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
    all of them together hold, with the gifts.
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
