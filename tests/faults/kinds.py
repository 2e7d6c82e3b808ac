"""The kinds of payment whose calls are tried. A new kind is one row in KINDS; its calls are found by running it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from domain.policy import PaymentPolicy, Ship
from tests.endtoend.outcomes import LINES, everything_told
from tests.endtoend.shops import Shop
from tests.house import BUYER

Wish = dict[str, Any]
ONE_LINE = [{"sku": "MUG", "unit_amount": 1500, "quantity": 2}]
# What a person answers to a run that is to be taken back.
ABORT = {"action": "abort", "reason": "wrong shop"}


def payer(number: int) -> Wish:
    """The `number`th person; whatever tells two of them apart has the form `q7q`."""
    return {**BUYER, "name": f"Ada Q{number}q", "email": f"q{number}q@example.com"}


def moved(number: int) -> Wish:
    """One person at the `number`th address."""
    address = {"line1": f"Q{number}q Str. 1", "city": "Hamburg", "postal_code": "20095", "country": "DE"}
    return {**payer(0), "address": address}


@dataclass(frozen=True)
class Kind:
    """What is paid (`wish` of the shop's `number`th payment), and in what state of the shop.

    `first`: only the first payment of a shop is of this kind; else one of the same kind was paid before.
    `forgets`: our store does not know any contact. `aborted`: it parks when everything is written, and the kind's calls
    are those that take it back. `ships`: the policy has a package and a shipment made.
    """

    name: str
    wish: Callable[[int], Wish]
    first: bool = False
    forgets: bool = False
    aborted: bool = False
    ships: bool = False

    def policy(self, common: PaymentPolicy) -> PaymentPolicy:
        """That of a shop in which the kind is paid."""
        return common.model_copy(update={"ship": Ship.WHEN_PAID}) if self.ships else common

    async def prepare(self, shop: Shop, number: int) -> str:
        """Brings the shop to where the kind's calls begin; the payment's id where it is made already."""
        if self.forgets:
            forget(shop, "links", only="kind IN ('contact', 'address')")
        if not self.aborted:
            return ""
        await shop.fault("stripe", method="POST", path="^/v1/payment_intents/", fault="refuse", code="x")
        payment = await shop.pays(**self.wish(number))
        await shop.parked(payment)
        await everything_told(shop)
        return payment

    async def begin(self, shop: Shop, number: int, payment: str) -> str:
        """Has the kind's calls made from now on; the payment's id."""
        if not self.aborted:
            return await shop.pays(**self.wish(number))
        await shop.answer(payment, **ABORT)
        return payment


def forget(shop: Shop, *tables: str, only: str = "TRUE") -> None:
    """Empties tables of our own store for this shop, or rows of them, as a restored backup of an older day would."""
    with sqlite3.connect(shop.memory, timeout=30) as database:
        for table in tables:
            database.execute(f"DELETE FROM {table} WHERE connection = ? AND {only}", (shop.slug,))


def _known(number: int) -> Wish:
    return {"guest": payer(0), "lines": LINES}


KINDS = {
    kind.name: kind
    for kind in (
        Kind("first of a shop", lambda number: {"guest": BUYER, "lines": LINES}, first=True),
        Kind(
            "known customer, new address, shipped",
            lambda number: {"guest": moved(number), "lines": LINES},
            ships=True,
        ),
        Kind("customer whom only Zoho knows", _known, forgets=True),
        Kind("known customer, invoice", lambda number: {"via": "invoice", "customer": payer(0), "lines": LINES}),
        Kind(
            "new customer, foreign currency",
            lambda number: {"via": "amount_details", "currency": "usd", "customer": payer(number), "lines": ONE_LINE},
        ),
        Kind(
            "known customer, charge without intent",
            lambda number: {"via": "charge_only", "guest": payer(0), "lines": ONE_LINE},
        ),
        Kind("shipped, then aborted", _known, aborted=True, ships=True),
    )
}
