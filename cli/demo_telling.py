"""Tells the story to Stripe's sandbox and follows it in the ledgers, never in what our own programs say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any

from cli.demo_refunds import credited, lost_and_credited
from cli.ledger_facts import Books, Ledger, books_by_reference, fee_due, succeeded, voided
from cli.ledgers import Ledgers, Sandboxes
from cli.output import say
from cli.shop import ACCOUNT
from cli.story import STORY, Purchase

MARK = "story"  # metadata key of a payment: which purchase of the story it is
STANDSTILL = 180.0  # seconds without any progress until the demo says so
STAGES = ("announced", "ordered", "confirmed", "invoiced", "sent", "paid", "done", "settled")
TAKEN_BACK = "taken back"
REFUNDED = "refunded"
LOST = "lost, and credited"
AT_ONCE = 0.5  # seconds from a charge to its balance transaction, where the story does not want it later


async def tell(sandboxes: Sandboxes) -> None:
    """Makes every purchase that an earlier demo has not made yet."""
    ledger = (await sandboxes.ledgers()).stripe
    told = told_payments(ledger)
    buyers: dict[str, str] = {}
    for purchase, payment_id in told.items():
        if purchase.buyer:
            buyers[purchase.buyer] = _payment(ledger, payment_id)["customer"]
    for number, purchase in enumerate(STORY):
        if purchase in told:
            continue
        wish = {**purchase.wish, "account": ACCOUNT["id"], "metadata": {MARK: str(number)}}
        if purchase.buyer in buyers:
            wish["customer"] = buyers[purchase.buyer]
        await sandboxes.switch(**_ways(purchase))
        made = await sandboxes.pay(wish)
        if purchase.buyer:
            buyers[purchase.buyer] = made["customer"]
        if purchase.resend:
            await _say_again(sandboxes, made["payment_intent"])
    await sandboxes.switch(balance_after=AT_ONCE, webhook_loss=0.0)


def _ways(purchase: Purchase) -> dict[str, float | None]:
    """When Stripe tells the fee, and whether it is heard; what nobody is to hear it says all at once."""
    if purchase.unheard:
        return {"balance_after": 0.0, "webhook_loss": 1.0}
    late = purchase.late_fee or purchase.canceled
    return {"balance_after": None if late else AT_ONCE, "webhook_loss": 0.0}


async def _say_again(sandboxes: Sandboxes, payment_id: str) -> None:
    """Has every event of a payment delivered once more."""
    for event in (await sandboxes.ledgers()).stripe["events"]:
        about = event["data"]["object"]
        if payment_id in (about["id"], about.get("payment_intent")):
            await sandboxes.resend(event["id"])


def told_payments(stripe: Ledger) -> dict[Purchase, str]:
    """The purchases of the story that were made, with their payment ids."""
    marked = {row["metadata"].get(MARK): row["id"] for row in stripe["payment_intents"]}
    return {purchase: marked[str(n)] for n, purchase in enumerate(STORY) if str(n) in marked}


def _payment(stripe: Ledger, payment_id: str) -> dict[str, Any]:
    return next(row for row in stripe["payment_intents"] if row["id"] == payment_id)


def stage_of(written_back: bool, fee: tuple[Decimal, str] | None, books: Books, voids: int = 0) -> str:
    """How far a payment has come, as its documents show; `fee` is None where Stripe has not told it yet."""
    if not books.orders:
        return TAKEN_BACK if voids and not (books.invoices or books.payments) else "announced"
    if books.payments:
        settled = fee is not None and _booked(books.payments[0], *fee)
        return "paid" if not written_back else "settled" if settled else "done"
    if books.invoices:
        return "invoiced" if books.invoices[0]["status"] == "draft" else "sent"
    return "ordered" if books.orders[0]["status"] == "draft" else "confirmed"


def _booked(payment: Mapping[str, Any], fee: Decimal, currency: str) -> bool:
    """Whether the fee is where it belongs: one in another currency than the payment's is the payout's."""
    return bool(payment["currency_code"] != currency or payment["bank_charges"] == fee)


def stages(ledgers: Ledgers) -> dict[str, str]:
    """The stage of every payment that succeeded."""
    books = books_by_reference(ledgers.zoho)
    rows = [*ledgers.stripe["payment_intents"], *ledgers.stripe["charges"]]
    back = {row["id"] for row in rows if "zoho_salesorder_id" in row["metadata"]}
    fees, voids = fee_due(ledgers.stripe), voided(ledgers.zoho)
    ends = dict.fromkeys(credited(ledgers), REFUNDED) | dict.fromkeys(lost_and_credited(ledgers), LOST)
    now = {
        payment: stage_of(payment in back, fees.get(payment), books.get(payment, Books()), voids[payment])
        for payment in succeeded(ledgers.stripe)
    }
    return {name: ends.get(name, stage) if stage == STAGES[-1] else stage for name, stage in now.items()}


def canceled(ledgers: Ledgers) -> set[str]:
    """The payments that the story has cancelled, once nothing of them stands."""
    now = stages(ledgers)
    told = told_payments(ledgers.stripe)
    return {payment for purchase, payment in told.items() if purchase.canceled and now[payment] == TAKEN_BACK}


Show = Callable[[Ledgers, Mapping[str, str]], None]
Act = Callable[[Ledgers, Mapping[str, str]], Awaitable[None]]


async def follow(sandboxes: Sandboxes, show: Show, act: Act) -> Ledgers:
    """Reads the ledgers, with people acting on what they see, until every payment is settled.

    Ends too when nothing has moved for long; then the checks say why.
    """
    before: dict[str, str] = {}
    moved = time.monotonic()
    while True:
        ledgers = await sandboxes.ledgers()
        now = stages(ledgers)
        show(ledgers, now)
        await act(ledgers, now)
        if now != before:
            before, moved = now, time.monotonic()
        open_ones = _open(ledgers, now)
        if now and not open_ones:
            return ledgers
        if time.monotonic() - moved > STANDSTILL:
            stuck = ", ".join(f"{payment} ({now[payment]})" for payment in open_ones)
            say(f"Nothing has moved for {STANDSTILL:.0f} s: {stuck}. Look at the Temporal UI, and the logs.")
            return ledgers
        await asyncio.sleep(0.5)


def _open(ledgers: Ledgers, now: Mapping[str, str]) -> list[str]:
    """The payments that have not come to where the story leads them."""
    told = {payment: purchase for purchase, payment in told_payments(ledgers.stripe).items()}
    return [payment for payment, stage in now.items() if stage != _end(told.get(payment))]


def _end(purchase: Purchase | None) -> str:
    if purchase is None:
        return STAGES[-1]
    if purchase.lost:
        return LOST
    return TAKEN_BACK if purchase.canceled else REFUNDED if purchase.gives_back else STAGES[-1]
