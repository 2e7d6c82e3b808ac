"""Disputes of a payment, as tales: decided for the buyer, for us after all, or dropped."""

from __future__ import annotations

import asyncio

from domain.attention import AttentionClass, Trouble
from domain.runs import Stage
from tests.endtoend.outcomes import everything_told
from tests.endtoend.shops import Shop
from tests.faults.tales import ENDED, LONG, OFTEN, Run, Tale, ask, booked, completed, one_of, reached
from workflows import contract


async def _inquire(shop: Shop, payment: str) -> None:
    charge = await one_of(shop, "charges", payment)
    await shop.post(f"{shop.stripe_url}/_charges/{charge}/dispute", {"inquiry": True})


async def _dispute(shop: Shop, payment: str) -> None:
    """The payment is booked and disputed; people are told of that, and of the goods that are held."""
    await booked(shop, payment)
    charge = await one_of(shop, "charges", payment)
    made = await shop.post(f"{shop.stripe_url}/_charges/{charge}/dispute", {})
    told = {f"notify_dispute#{word}@{made['id']}" for word in ("open", "held")}
    async with asyncio.timeout(LONG):
        while not told <= {entry.step for entry in await shop.store.audit.entries(shop.slug)}:
            await asyncio.sleep(OFTEN)


async def _lose(shop: Shop, payment: str) -> None:
    """The buyer's bank decides for the buyer."""
    dispute = await one_of(shop, "disputes", payment)
    await shop.post(f"{shop.stripe_url}/_disputes/{dispute}/close", {"outcome": "lost"})


async def _lost(shop: Shop, payment: str) -> None:
    """The dispute is lost, and what that means is booked."""
    await _dispute(shop, payment)
    await everything_told(shop)
    await _lose(shop, payment)
    run = await _disputes_run(shop, payment)
    async with asyncio.timeout(LONG):
        while not await completed(run):
            await asyncio.sleep(OFTEN)
    await everything_told(shop)


async def _win(shop: Shop, payment: str) -> None:
    """The buyer's bank decides once more, for us. One event tells of it: a second has Stripe read again, or not."""
    dispute = await one_of(shop, "disputes", payment)
    await shop.post(f"{shop.stripe_url}/_switches", {"webhook_loss": 1.0})
    await shop.post(f"{shop.stripe_url}/_disputes/{dispute}/close", {"outcome": "won"})
    await everything_told(shop)
    await shop.post(f"{shop.stripe_url}/_switches", {"webhook_loss": 0.0})
    closed = [row for row in (await shop.stripe(only="events"))["events"] if row["type"] == "charge.dispute.closed"]
    told = [row["id"] for row in closed if row["data"]["object"]["id"] == dispute]
    await shop.post(f"{shop.stripe_url}/_events/{told[-1]}/resend", {})


async def _record_anew(shop: Shop, trouble: Trouble) -> str:
    """What was written off, and nobody remembers, a person takes back by hand, and records the payment as it was."""
    if trouble.attention_class is not AttentionClass.CHANGED_BY_HAND:
        return ""
    books = await shop.books(only="invoices,payments")
    for invoice in books["invoices"]:
        if invoice["write_off_amount"]:
            await ask(shop, "POST", f"/invoices/{invoice['invoice_id']}/writeoff/cancel")
        if invoice["write_off_amount"] or invoice["balance"]:
            money, like = str(invoice["total"]), books["payments"][0]
            share = {"invoice_id": invoice["invoice_id"], "amount_applied": money}
            said = {"customer_id": invoice["customer_id"], "reference_number": invoice["reference_number"]}
            kept = {name: like[name] for name in ("payment_mode", "account_id", "date", "description")}
            await ask(shop, "POST", "/customerpayments", {**kept, **said, "amount": money, "invoices": [share]})
    return "retry"


async def _disputes_run(shop: Shop, payment: str) -> Run:
    disputed = contract.dispute_workflow_id(shop.slug, await one_of(shop, "disputes", payment))
    return shop.client.get_workflow_handle(disputed)


async def _held(shop: Shop, run: Run, dispute: str) -> bool:
    """Once people were told that the goods are held, or are to be held by hand; False where the run ended before."""
    told = {f"notify_dispute#{word}@{dispute}" for word in ("held", "unmarked")}
    while told.isdisjoint(entry.step for entry in await shop.store.audit.entries(shop.slug)):
        if (await run.describe()).status in ENDED:
            return False
        await asyncio.sleep(OFTEN)
    return True


async def _drop_inquiry(shop: Shop, payment: str) -> None:
    """The buyer's bank lets it be, once people were told of it and of the goods that are held."""
    run = await _disputes_run(shop, payment)
    if await reached(run, Stage.DISPUTED) and await _held(shop, run, await one_of(shop, "disputes", payment)):
        await everything_told(shop)
        dispute = await one_of(shop, "disputes", payment)
        await shop.post(f"{shop.stripe_url}/_disputes/{dispute}/close", {"outcome": "won"})


LOST = Tale(before=_dispute, begin=_lose, run=_disputes_run, about="dispute")
WON_AFTER_ALL = Tale(before=_lost, begin=_win, run=_disputes_run, about="dispute", again=True)
UNWRITTEN_AFTER_ALL = Tale(before=_lost, begin=_win, run=_disputes_run, about="dispute", again=True, deed=_record_anew)
INQUIRED = Tale(before=booked, begin=_inquire, run=_disputes_run, about="books", meanwhile=_drop_inquiry)
