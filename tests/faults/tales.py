"""What happens to a payment: until a kind's calls begin, what has them made, and whose run makes them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

import httpx
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError

from domain.attention import AttentionClass, Trouble
from domain.runs import Stage
from tests.endtoend.outcomes import everything_told
from tests.endtoend.shops import BY_HAND, Shop
from tests.endtoend.test_changes import HARBOUR, stripe_says
from tests.endtoend.test_first_order import token
from workflows import contract

Run = WorkflowHandle[Any, Any]
Act = Callable[[Shop, str], Awaitable[object]]  # what happens to the payment of this id
LONG = 120.0  # seconds a payment may take until it is booked, on a crowded machine
OFTEN = 0.1  # seconds between two looks how far a run is
ENDED = (WorkflowExecutionStatus.FAILED, WorkflowExecutionStatus.CANCELED, WorkflowExecutionStatus.COMPLETED)
RECOUNT, CAME_BACK = "Recount", "Customer return"  # why somebody adjusts stock
_TOKENS: dict[str, str] = {}  # other people's, by shop
SCARCE, WANTED = "POT", 2  # the item that is sold out, and how many pieces of it are bought
# What a person answers to a run that is to be taken back.
ABORT = {"action": "abort", "reason": "wrong shop"}


async def _payments_run(shop: Shop, payment: str) -> Run:
    return shop.run_of(payment)


@dataclass(frozen=True)
class Tale:
    """`before` happens to a payment that is made already, and `begin` has the calls made; without them, paying does.

    `shop`: what happens in the shop first. `run`: whose calls they are; `about`: what is taken back with it, where it
    is aborted or cancelled: the payment, its refund, its return (whose money stays with the buyer), what its payout
    posted, or nothing, for what corrects the books leaves them true. `back`: the calls themselves take it all back.
    `again`: such a run has ended before. `by_hand`: people have changed the documents, so that the ledgers may differ.
    `meanwhile` happens beside the calls. `deed`: what a person does for a run that waits for it, before he answers with
    what it returns, "" for a run that does not. `asks`: a person is asked, and agrees, though nothing goes wrong.
    """

    shop: Callable[[Shop], Awaitable[object]] | None = None
    before: Act | None = None
    begin: Act | None = None
    run: Callable[[Shop, str], Awaitable[Run]] = _payments_run
    about: Literal["payment", "refund", "return", "dispute", "books", "payout"] = "payment"
    back: bool = False
    again: bool = False
    by_hand: bool = False
    meanwhile: Act | None = None
    deed: Callable[[Shop, Trouble], Awaitable[str]] | None = None
    asks: bool = False


async def booked(shop: Shop, payment: str) -> None:
    """The payment is carried and paid."""
    await shop.done(payment, within=LONG)


async def _parked(shop: Shop, payment: str) -> None:
    await shop.parked(payment, within=LONG)


async def _abort(shop: Shop, payment: str) -> None:
    await shop.answer(payment, **ABORT)


async def reached(run: Run, stage: Stage) -> bool:
    """Once the run says to the server, which is asked and not its worker, that it is there; False where it ended."""
    while True:
        try:
            about = await run.describe()
        except RPCError:  # it has not begun
            about = None
        if about and about.typed_search_attributes.get(contract.STAGE) == stage.value:
            return True
        if about and about.status in ENDED:
            return False
        await asyncio.sleep(OFTEN)


async def _authorised(shop: Shop, payment: str) -> None:
    """The run waits for the capture, and has read what every event until now told."""
    async with asyncio.timeout(LONG):
        await reached(shop.run_of(payment), Stage.WAITING_FOR_MONEY)
        await everything_told(shop)
        while await _is_busy(shop.run_of(payment)):
            await asyncio.sleep(OFTEN)


async def _is_busy(run: Run) -> bool:
    about = (await run.describe()).raw_description
    return bool(about.pending_activities) or about.HasField("pending_workflow_task")


# Refunds.


async def refund(shop: Shop, payment: str) -> None:
    """All of the payment goes back, as somebody has it do in Stripe's dashboard."""
    named = {"charge" if payment.startswith("ch_") else "payment_intent": payment}
    await shop.post(f"{shop.stripe_url}/_refunds", {"account": shop.connection.stripe.account_id, **named})


async def _fail(shop: Shop, payment: str) -> None:
    """The payment's refund did not reach the buyer."""
    await shop.post(f"{shop.stripe_url}/_refunds/{await one_of(shop, 'refunds', payment)}/fail", {})


async def _refunds_run(shop: Shop, payment: str) -> Run:
    refunded = contract.refund_workflow_id(shop.slug, await one_of(shop, "refunds", payment))
    return shop.client.get_workflow_handle(refunded)


async def _refunded(shop: Shop, payment: str) -> None:
    await booked(shop, payment)
    await refund(shop, payment)
    run = await _refunds_run(shop, payment)
    async with asyncio.timeout(LONG):
        while not await completed(run):
            await asyncio.sleep(OFTEN)


async def completed(run: Run) -> bool:
    """Whether the run has ended well."""
    try:
        return (await run.describe()).status is WorkflowExecutionStatus.COMPLETED
    except RPCError:  # an event is yet to start it
        return False


async def uninvoiced(shop: Shop, payment: str) -> None:
    """Somebody deletes the recorded payment in Zoho and voids the invoice; the order stays as it was."""
    await booked(shop, payment)
    books = await shop.books(only="payments,invoices")
    (recorded,) = [row["payment_id"] for row in books["payments"] if row["reference_number"] == payment]
    (invoice,) = [row["invoice_id"] for row in books["invoices"] if row["reference_number"] == payment]
    await ask(shop, "DELETE", f"/customerpayments/{recorded}")
    await ask(shop, "POST", f"/invoices/{invoice}/status/void")


@asynccontextmanager
async def _by_hand(shop: Shop) -> AsyncIterator[Shop]:
    """The shop for people, who are no part of us."""
    async with httpx.AsyncClient(timeout=30, headers=BY_HAND) as http:
        yield replace(shop, http=http)


async def ask(
    shop: Shop, method: str, path: str, body: object = None, *, api: str = "inventory/v1", **named: str
) -> Any:
    """A request to Zoho by somebody else; its answer."""
    query = {"organization_id": shop.connection.zoho.organization_id, **named}
    url = f"{shop.zoho_url}/{api}{path}"
    async with _by_hand(shop) as theirs:
        for known in (True, False):  # ten tokens in ten minutes are all that there are, so one is kept until it ends
            if not known or shop.slug not in _TOKENS:
                _TOKENS[shop.slug] = await token(theirs)
            headers = {"Authorization": f"Zoho-oauthtoken {_TOKENS[shop.slug]}"}
            answer = await theirs.http.request(method, url, params=query, headers=headers, json=body)
            if answer.status_code != 401:
                break
    answer.raise_for_status()
    return answer.json(parse_float=Decimal)


async def _in_stripe(shop: Shop, path: str, form: Mapping[str, str]) -> None:
    """What somebody does in Stripe's dashboard."""
    async with _by_hand(shop) as theirs:
        await stripe_says(theirs, path, dict(form))


async def one_of(shop: Shop, kind: str, payment: str) -> str:
    """The id of the payment's only refund, charge or dispute."""
    rows = (await shop.stripe(only=kind))[kind]
    return next(str(row["id"]) for row in rows if payment in (row["id"], row["payment_intent"], row.get("charge")))


# Changes afterwards.


async def tell_fee(shop: Shop, payment: str) -> None:
    """Stripe knows the payment's fee from now on."""
    await shop.post(f"{shop.stripe_url}/_charges/{await one_of(shop, 'charges', payment)}/balance", {})


async def _fee_once_paid(shop: Shop, payment: str) -> None:
    """Stripe tells the payment's fee once it is recorded in Zoho; never, where it is not."""
    if await reached(shop.run_of(payment), Stage.PAID):
        await tell_fee(shop, payment)


async def _move(shop: Shop, payment: str) -> None:
    """The shop corrects the address that the parcel goes to."""
    form = {f"shipping[address][{part}]": value for part, value in HARBOUR.items()}
    await _in_stripe(shop, f"charges/{await one_of(shop, 'charges', payment)}", form | {"shipping[name]": "Byron"})


async def _rename(shop: Shop, payment: str) -> None:
    """The customer has another e-mail address."""
    customer = await _customer(shop, payment)
    await _in_stripe(shop, f"customers/{customer['id']}", {"email": "new." + customer["email"]})


async def _customer(shop: Shop, payment: str) -> dict[str, Any]:
    told = await shop.stripe(only="payment_intents,customers")
    (named,) = [row["customer"] for row in told["payment_intents"] if row["id"] == payment]
    return next(row for row in told["customers"] if row["id"] == named)


async def _changes_run(shop: Shop, payment: str) -> Run:
    """The run of the last thing that changed of the payment's charge."""
    return await _run_of_change(shop, payment, await one_of(shop, "charges", payment))


async def _renamings_run(shop: Shop, payment: str) -> Run:
    return await _run_of_change(shop, payment, (await _customer(shop, payment))["id"], payment)


async def _run_of_change(shop: Shop, payment: str, changed: str, *named: str) -> Run:
    events = (await shop.stripe(only="events"))["events"]
    told = [row["id"] for row in events if row["type"].endswith(".updated") and row["data"]["object"]["id"] == changed]
    return shop.client.get_workflow_handle(contract.change_workflow_id(shop.slug, told[-1], *named))


# Before the money comes.


async def _capture_part(shop: Shop, payment: str) -> None:
    await _in_stripe(shop, f"payment_intents/{payment}/capture", {"amount_to_capture": "1500"})


async def _cancel_in_stripe(shop: Shop, payment: str) -> None:
    await _in_stripe(shop, f"payment_intents/{payment}/cancel", {})


async def _give_up(shop: Shop, payment: str) -> None:
    await shop.run_of(payment).cancel()


# Sold out.


async def _count(shop: Shop, pieces: int) -> None:
    """Somebody counts the scarce item: so many pieces are left for sale."""
    (item,) = [row for row in (await shop.books(only="items"))["items"] if row["sku"] == SCARCE]
    missing = pieces - int(item["accounting"] - item["committed"])
    if missing:
        lines = [{"item_id": item["item_id"], "quantity_adjusted": missing}]
        body = {"date": "2026-11-23", "reason": RECOUNT, "adjustment_type": "quantity", "line_items": lines}
        await ask(shop, "POST", "/inventoryadjustments", body)


async def _sell_out(shop: Shop) -> None:
    await _count(shop, 0)


async def _restock(shop: Shop, trouble: Trouble) -> str:
    """More is there before a person answers a run that wants more."""
    if trouble.attention_class is not AttentionClass.OVERSOLD:
        return ""
    await _count(shop, WANTED)
    return "retry"


async def _refuse_note(shop: Shop) -> None:
    await shop.fault("stripe", method="POST", path="^/v1/payment_intents/", fault="refuse", code="x")


PAID = Tale()
PAID_WITH_FEE = Tale(meanwhile=_fee_once_paid)
ABORTED = Tale(shop=_refuse_note, before=_parked, begin=_abort, back=True)
REFUNDED = Tale(before=booked, begin=refund, run=_refunds_run, about="refund")
REFUND_FAILED = Tale(before=_refunded, begin=_fail, run=_refunds_run, about="refund", again=True)
REFUNDED_UNINVOICED = Tale(before=uninvoiced, begin=refund, run=_refunds_run, about="refund", by_hand=True)
FEE_LATER = Tale(before=booked, begin=tell_fee, run=_changes_run, about="books")
MOVED = Tale(before=booked, begin=_move, run=_changes_run, about="books")
RENAMED = Tale(before=booked, begin=_rename, run=_renamings_run, about="books")
CAPTURED_LATER = Tale(before=_authorised, begin=_capture_part)
CANCELED_IN_STRIPE = Tale(before=_authorised, begin=_cancel_in_stripe, back=True)
GIVEN_UP = Tale(before=_authorised, begin=_give_up, back=True)
SOLD_OUT = Tale(shop=_sell_out, deed=_restock)
SOLD_OUT_ABORTED = Tale(shop=_sell_out, before=_parked, begin=_abort, back=True)


def forget(shop: Shop, *tables: str, only: str = "TRUE") -> None:
    """Empties tables of our own store for this shop, or rows of them, as a restored backup of an older day would."""
    with sqlite3.connect(shop.memory, timeout=30) as database:
        for table in tables:
            database.execute(f"DELETE FROM {table} WHERE connection = ? AND {only}", (shop.slug,))
