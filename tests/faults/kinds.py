"""The kinds of payment whose calls are tried. A new kind is one row in KINDS; its calls are found by running it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from temporalio.client import WorkflowHandle

from domain.mapping_policy import BundlePart, MappingPolicy, PartialCapture
from domain.policy import (
    BooksPolicy,
    DisputeLost,
    HeldMoney,
    Oversell,
    PaymentPolicy,
    ReturnPolicy,
    ReturnTrigger,
    Ship,
)
from tests.endtoend.outcomes import LINES, everything_told
from tests.endtoend.shops import Shop, Ways
from tests.endtoend.test_books import ACCOUNTS
from tests.faults import by_hand_tales, dispute_tales, payout_tales, return_tales, tales
from tests.faults.tales import Tale, forget
from tests.house import BUYER, MAPPING

Wish = dict[str, Any]
ONE_LINE = [{"sku": "MUG", "unit_amount": 1500, "quantity": 2}]
TWO_LINES = [*ONE_LINE, {"sku": "TEA", "unit_amount": 999, "quantity": 1}]
LAST_PIECES = [{"sku": tales.SCARCE, "unit_amount": 4990, "quantity": tales.WANTED}]
SHIPS: Wish = {"ship": Ship.WHEN_PAID}
HOLDS: Wish = {"oversell": Oversell.HOLD}
WAITS: Wish = {"unpaid_patience": timedelta(hours=1)}
LETS_GO: Wish = {**WAITS, "held_money": HeldMoney.LET_GO}
RETURNS = {"poll_every": timedelta(0), "look_every": timedelta(seconds=1), "look_at_most": timedelta(seconds=2)}
AGREES: Wish = {**SHIPS, "returns": ReturnPolicy(trigger=ReturnTrigger.APPROVED, **RETURNS)}
PROPOSES: Wish = {**SHIPS, "returns": ReturnPolicy(adjustment_reason=tales.CAME_BACK, **RETURNS)}
CREDITS: Wish = {**SHIPS, "returns": ReturnPolicy(trigger=ReturnTrigger.CREDIT_NOTE, **RETURNS)}
WRITES_OFF: Wish = {"dispute_lost": DisputeLost.WRITE_OFF}
GIFTS = MAPPING.model_copy(update={"gifts": {"*": (BundlePart(sku="POT"),)}})
POSTS: Wish = {**payout_tales.PATIENT, "books": BooksPolicy(post=True)}
INTO_CLEARING = MAPPING.model_copy(update={"deposit_account_id": ACCOUNTS[0]["account_id"]})
PARTS = MAPPING.model_copy(update={"partial_capture": PartialCapture.ADJUST})


def payer(number: int) -> Wish:
    """The `number`th person; whatever tells two of them apart has the form `q7q`."""
    return {**BUYER, "name": f"Ada Q{number}q", "email": f"q{number}q@example.com"}


def moved(number: int) -> Wish:
    """One person at the `number`th address."""
    address = {"line1": f"Q{number}q Str. 1", "city": "Hamburg", "postal_code": "20095", "country": "DE"}
    return {**payer(0), "address": address}


@dataclass(frozen=True)
class Kind:
    """What is paid (`wish` of the shop's `number`th payment), what happens to it, and in what state of the shop.

    `first`: only the first payment of a shop is of this kind; else one of the same kind was paid before.
    `forgets`: our store does not know any contact. `policy` and `mapping` are what the shop does otherwise than others,
    `preferences` what its Zoho does, `seed` what else that has; `own` are documents that Zoho makes by itself, of which
    our trail need not tell.
    """

    name: str
    wish: Callable[[int], Wish]
    tale: Tale = tales.PAID
    first: bool = False
    forgets: bool = False
    policy: Wish = field(default_factory=dict, hash=False)
    mapping: MappingPolicy = field(default=MAPPING, hash=False)
    preferences: Wish = field(default_factory=dict, hash=False)
    seed: Wish = field(default_factory=dict, hash=False)
    own: tuple[str, ...] = ()

    @property
    def ends_paid(self) -> bool:
        """Whether its events, told again to a house that knows nothing, are those of a payment that stands."""
        return self.tale in (tales.PAID, tales.PAID_WITH_FEE, tales.REFUNDED, tales.REFUND_FAILED)

    @property
    def asks(self) -> bool:
        """Whether a person is asked though nothing goes wrong."""
        return self.tale.asks or self.tale.deed is not None

    def ways(self, common: PaymentPolicy) -> Ways:
        """Those of a shop in which the kind is paid."""
        return Ways(common.model_copy(update=self.policy), self.mapping, self.preferences, self.seed)

    async def prepare(self, shop: Shop, number: int) -> str:
        """Brings the shop to where the kind's calls begin; the payment's id where it is made already."""
        if self.forgets:
            forget(shop, "links", only="kind IN ('contact', 'address')")
        if self.tale.shop:
            await self.tale.shop(shop)
        if self.tale.before is None:
            return ""
        payment = await shop.pays(**self.wish(number))
        await self.tale.before(shop, payment)
        await everything_told(shop)
        return payment

    async def begin(self, shop: Shop, number: int, prepared: str) -> str:
        """Has the kind's calls made from now on; the payment's id."""
        if self.tale.begin is None:
            return await shop.pays(**self.wish(number))
        await self.tale.begin(shop, prepared)
        return prepared

    async def ended(self, shop: Shop, payment: str) -> str:
        """The id of the run that has ended before the kind's calls begin, "" where there is none."""
        return str((await (await self.run(shop, payment)).describe()).run_id) if self.tale.again else ""

    async def run(self, shop: Shop, payment: str) -> WorkflowHandle[Any, Any]:
        """The run whose calls are the kind's."""
        return await self.tale.run(shop, payment)


def _known(number: int) -> Wish:
    return {"guest": payer(0), "lines": LINES}


def _held(number: int) -> Wish:
    return {"guest": payer(0), "lines": TWO_LINES, "capture": "manual"}


def _scarce(number: int) -> Wish:
    return {"guest": payer(0), "lines": LAST_PIECES}


def _sent(number: int) -> Wish:
    sent = {"name": "Ada", "address": {**BUYER["address"], "line1": "Packstation 1"}}
    return {"guest": payer(number), "lines": LINES, "shipping_details": sent}


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
        Kind(
            "known customer, fee while it runs",
            _known,
            tales.PAID_WITH_FEE,
            policy={"fee_patience": timedelta(seconds=90)},
        ),
        Kind("last pieces, with gifts", _known, policy=HOLDS, mapping=GIFTS),
        Kind(
            "an organisation that invoices by itself",
            _known,
            preferences={"so_cycle_preference": "invoice"},
            own=("invoices",),
        ),
        Kind("sold out, then restocked", _scarce, tales.SOLD_OUT, policy=HOLDS),
        Kind("captured in part later", _held, tales.CAPTURED_LATER, policy=WAITS, mapping=PARTS),
        Kind("fee of days later", _known, tales.FEE_LATER),
        Kind("address changed afterwards", _sent, tales.MOVED),
        Kind(
            "payer changed afterwards",
            lambda number: {"customer": {"id": f"cus_q{number}q", **payer(number)}, "lines": LINES},
            tales.RENAMED,
        ),
        Kind("refunded as a whole", _known, tales.REFUNDED),
        Kind("refunded, and the refund fails", _known, tales.REFUND_FAILED),
        Kind("refunded, and no invoice stands", _known, tales.REFUNDED_UNINVOICED),
        Kind("a piece comes back", _known, return_tales.RETURNED, policy=AGREES),
        Kind("a piece comes back, our memory lost", _known, return_tales.RETURNED_FORGOTTEN, policy=AGREES),
        Kind("a piece comes back, credited by people", _known, return_tales.RETURNED_WITH_NOTE, policy=CREDITS),
        Kind("a piece comes back, then aborted", _known, return_tales.RETURN_ABORTED, policy=AGREES),
        Kind("credited by people, then aborted", _known, return_tales.RETURN_WITH_NOTE_ABORTED, policy=CREDITS),
        Kind("an adjustment for a return", _known, return_tales.ADJUSTED, policy=PROPOSES),
        Kind("cancelled in Zoho, given back", _known, by_hand_tales.CANCELLED_IN_ZOHO),
        Kind("disputed: lost", _known, dispute_tales.LOST),
        Kind("disputed: lost, written off", _known, dispute_tales.LOST, policy=WRITES_OFF),
        Kind("disputed: lost, then won after all", _known, dispute_tales.WON_AFTER_ALL),
        Kind("disputed: written off, then won after all", _known, dispute_tales.UNWRITTEN_AFTER_ALL, policy=WRITES_OFF),
        Kind("inquired into by the buyer's bank", _known, dispute_tales.INQUIRED),
        Kind(
            "paid out and posted, the fee missing",
            _known,
            payout_tales.POSTED,
            policy=POSTS,
            mapping=INTO_CLEARING,
            seed={"accounts": ACCOUNTS},
        ),
        Kind("paid out, the payment missing", _known, payout_tales.PAYMENT_MISSING, policy=payout_tales.PATIENT),
        Kind("sold out, then aborted", _scarce, tales.SOLD_OUT_ABORTED, policy=HOLDS),
        Kind("authorised, then cancelled in Stripe", _held, tales.CANCELED_IN_STRIPE, policy=WAITS),
        Kind("authorised, then its run cancelled", _held, tales.GIVEN_UP, policy=LETS_GO),
        Kind("shipped with gifts, then aborted", _known, tales.ABORTED, policy=SHIPS, mapping=GIFTS),
    )
}
