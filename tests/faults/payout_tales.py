"""Payouts, as tales: of what was paid out something is missing in the books, and nobody told of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio.client import WorkflowHandle

from tests.endtoend.outcomes import everything_told
from tests.endtoend.shops import Shop
from tests.endtoend.test_payouts import NEVER
from tests.faults.tales import LONG, Tale, tell_fee
from workflows import contract

# A payout waits for the runs that it tells for as long as these take, whatever goes wrong with them.
PATIENT: dict[str, Any] = {"payout_patience": timedelta(seconds=40)}
RADAR = 250  # cents that Stripe bills by itself
_PAYOUTS: dict[tuple[str, str], str] = {}  # by shop and payment


async def _quietly(shop: Shop) -> None:
    """Stripe pays out and reconciles only when it is told to."""
    await shop.post(f"{shop.stripe_url}/_switches", NEVER)


async def _silently(shop: Shop) -> None:
    """And nothing that it has to tell arrives any more."""
    await shop.post(f"{shop.stripe_url}/_switches", {**NEVER, "webhook_loss": 1.0})


async def _pay_out_booked(shop: Shop, payment: str) -> None:
    """The payment is booked; of its fee, and of the payout, nobody hears."""
    await shop.done(payment, within=LONG)
    await everything_told(shop)
    await _silently(shop)
    await _pay_out(shop, payment)


async def _pay_out(shop: Shop, payment: str) -> None:
    """A payout of the payment, and of a fee that Stripe bills by itself, is on its way; what comes next is told."""
    account = {"account": shop.connection.stripe.account_id}
    await tell_fee(shop, payment)
    bill = {"amount": -RADAR, "kind": "stripe_fee", "category": "fee", "description": "Radar"}
    await shop.post(f"{shop.stripe_url}/_movements", {**account, **bill})
    made = await shop.post(f"{shop.stripe_url}/_payouts", {**account, "pending_too": True})
    await shop.post(f"{shop.stripe_url}/_payouts/{made['id']}/reconcile", {})
    _PAYOUTS[shop.slug, payment] = str(made["id"])
    await everything_told(shop)
    await shop.post(f"{shop.stripe_url}/_switches", {"webhook_loss": 0.0})


async def _arrive(shop: Shop, payment: str) -> None:
    await shop.post(f"{shop.stripe_url}/_payouts/{payout_of(shop, payment)}/pay", {})


def payout_of(shop: Shop, payment: str) -> str:
    """The id of the payout that the payment's money went with."""
    return _PAYOUTS[shop.slug, payment]


async def payouts_run(shop: Shop, payment: str) -> WorkflowHandle[Any, Any]:
    """The run of the payment's payout."""
    return shop.client.get_workflow_handle(contract.payout_workflow_id(shop.slug, payout_of(shop, payment)))


_PAYOUT: dict[str, Any] = {"begin": _arrive, "run": payouts_run, "about": "payout"}
POSTED = Tale(shop=_quietly, before=_pay_out_booked, **_PAYOUT)
PAYMENT_MISSING = Tale(shop=_silently, before=_pay_out, **_PAYOUT)
