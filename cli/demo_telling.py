"""Tells the story to Stripe's sandbox and follows it in the ledgers, never in what our own programs say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from cli.ledger_check import Books, Ledger, books_by_reference, succeeded
from cli.ledgers import Ledgers, Sandboxes
from cli.output import say
from cli.shop import ACCOUNT
from cli.story import STORY, Purchase

MARK = "story"  # metadata key of a payment: which purchase of the story it is
STANDSTILL = 180.0  # seconds without any progress until the demo says so
STAGES = ("announced", "ordered", "confirmed", "invoiced", "sent", "paid", "done")


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
        made = await sandboxes.pay(wish)
        if purchase.buyer:
            buyers[purchase.buyer] = made["customer"]
        if purchase.resend:
            await _say_again(sandboxes, made["payment_intent"])


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


def stage_of(written_back: bool, books: Books | None) -> str:
    """How far a payment has come, as its documents show."""
    if books is None or not books.orders:
        return "announced"
    if books.payments:
        return "done" if written_back else "paid"
    if books.invoices:
        return "invoiced" if books.invoices[0]["status"] == "draft" else "sent"
    return "ordered" if books.orders[0]["status"] == "draft" else "confirmed"


def stages(ledgers: Ledgers) -> dict[str, str]:
    """The stage of every payment that succeeded."""
    books = books_by_reference(ledgers.zoho)
    rows = [*ledgers.stripe["payment_intents"], *ledgers.stripe["charges"]]
    back = {row["id"] for row in rows if "zoho_salesorder_id" in row["metadata"]}
    return {payment: stage_of(payment in back, books.get(payment)) for payment in succeeded(ledgers.stripe)}


async def follow(sandboxes: Sandboxes, show: Callable[[Ledgers, Mapping[str, str]], None]) -> Ledgers:
    """Reads the ledgers until every payment is done, or nothing has moved for long; then the checks say why."""
    before: dict[str, str] = {}
    moved = time.monotonic()
    while True:
        ledgers = await sandboxes.ledgers()
        now = stages(ledgers)
        show(ledgers, now)
        if now != before:
            before, moved = now, time.monotonic()
        if now and all(stage == "done" for stage in now.values()):
            return ledgers
        if time.monotonic() - moved > STANDSTILL:
            stuck = ", ".join(f"{payment} ({stage})" for payment, stage in now.items() if stage != "done")
            say(f"Nothing has moved for {STANDSTILL:.0f} s: {stuck}. Look at the Temporal UI, and the logs.")
            return ledgers
        await asyncio.sleep(0.5)
