"""The kinds of payment whose calls are tried. A new kind is one row in KINDS; its calls are found by running it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from domain.policy import BundlePart, MappingPolicy, Oversell, PaymentPolicy, Ship
from domain.runs import Stage
from tests.endtoend.outcomes import LINES, everything_told
from tests.endtoend.shops import Shop, Ways
from tests.house import BUYER, MAPPING
from workflows import contract

Wish = dict[str, Any]
ONE_LINE = [{"sku": "MUG", "unit_amount": 1500, "quantity": 2}]
SHIPS: Wish = {"ship": Ship.WHEN_PAID}
GIFTS = MAPPING.model_copy(update={"gifts": {"*": (BundlePart(sku="POT"),)}})
_OFTEN = 0.1  # seconds between two looks how far a run is
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
    are those that take it back. `fee`: Stripe tells its fee once the payment is recorded. `policy` and `mapping` are
    what the shop does otherwise than others, `preferences` what its Zoho does; `own` are documents that Zoho makes by
    itself, of which our trail need not tell.
    """

    name: str
    wish: Callable[[int], Wish]
    first: bool = False
    forgets: bool = False
    aborted: bool = False
    fee: bool = False
    policy: Wish = field(default_factory=dict, hash=False)
    mapping: MappingPolicy = field(default=MAPPING, hash=False)
    preferences: Wish = field(default_factory=dict, hash=False)
    own: tuple[str, ...] = ()

    def ways(self, common: PaymentPolicy) -> Ways:
        """Those of a shop in which the kind is paid."""
        return Ways(common.model_copy(update=self.policy), self.mapping, self.preferences)

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
        if self.aborted:
            await shop.answer(payment, **ABORT)
            return payment
        return await shop.pays(**self.wish(number))


async def tell_fee(shop: Shop, payment: str) -> None:
    """Stripe tells the payment's fee once it is recorded in Zoho; never, where it is not."""
    while (status := await _recorded(shop, payment)) is not True:
        if status in (WorkflowExecutionStatus.FAILED, WorkflowExecutionStatus.CANCELED):
            return
        await asyncio.sleep(_OFTEN)
    charges = (await shop.stripe(only="charges"))["charges"]
    charge = next(row["id"] for row in charges if payment in (row["id"], row["payment_intent"]))
    await shop.post(f"{shop.stripe_url}/_charges/{charge}/balance", {})


async def _recorded(shop: Shop, payment: str) -> WorkflowExecutionStatus | Literal[True] | None:
    """Whether the run says so to the server, which is asked and not the worker; else how it stands."""
    try:
        about = await shop.run_of(payment).describe()
    except RPCError:  # it has not begun
        return None
    return about.typed_search_attributes.get(contract.STAGE) == Stage.PAID.value or about.status


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
            policy=SHIPS,
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
        Kind("known customer, fee while it runs", _known, fee=True, policy={"fee_patience": timedelta(seconds=90)}),
        Kind("last pieces, with gifts", _known, policy={"oversell": Oversell.HOLD}, mapping=GIFTS),
        Kind(
            "an organisation that invoices by itself",
            _known,
            preferences={"so_cycle_preference": "invoice"},
            own=("invoices",),
        ),
        Kind("shipped with gifts, then aborted", _known, aborted=True, policy=SHIPS, mapping=GIFTS),
    )
}
