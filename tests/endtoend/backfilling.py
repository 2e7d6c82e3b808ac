"""Backfills of a house, and people who have entered its orders by hand before."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

from temporalio.client import WorkflowHandle

from domain.backfills import Backfilled, BackfillInput
from tests.endtoend.zoho_desk import Desk
from tests.house import BUYER, House
from workflows import contract

DAYS = 40  # back, so that Stripe has no events of it left


def mug(number: int, **more: Any) -> dict[str, Any]:
    """What a buyer of their own wants: a mug that costs a little more than the one before."""
    buyer = {**BUYER, "name": f"Buyer {number:03d}", "email": f"buyer-{number:03d}@example.com"}
    return {"guest": buyer, "lines": [{"sku": "MUG", "unit_amount": 1500 + number, "quantity": 1}], **more}


async def in_the_past(house: House, *wishes: dict[str, Any], back: timedelta = timedelta(days=DAYS)) -> list[str]:
    """Payments of that time, of which nobody was told; their ids."""
    await house.post(f"{house.stripe_url}/_switches", {"webhook_loss": 1.0})
    await house.post(f"{house.stripe_url}/_clock", {"advance": -back.total_seconds()})
    made = [str((await house.pay(**wish))["payment_intent"]) for wish in wishes]
    await house.post(f"{house.stripe_url}/_clock", {"advance": back.total_seconds()})
    await house.post(f"{house.stripe_url}/_switches", {"webhook_loss": 0.0})
    return made


async def begin(house: House, **changes: Any) -> WorkflowHandle[Any, Backfilled]:
    """A backfill of the last sixty days, once this second is over: a range leaves out the second it ends with."""
    now = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    await asyncio.sleep((now - datetime.now(UTC)).total_seconds())
    usual = {
        "connection": house.slug,
        "organization_id": house.connection.zoho.organization_id,
        "since": now - timedelta(days=60),
        "until": now,
        "policy": house.connection.policy,
        "check_every": timedelta(milliseconds=200),
    }
    return await house.client.start_workflow(
        contract.BACKFILL_WORKFLOW,
        BackfillInput(**{**usual, **changes}),
        id=contract.backfill_workflow_id(house.slug, uuid.uuid4().hex, "now"),
        task_queue=house.queue,
        result_type=Backfilled,
    )


async def backfill(house: House, **changes: Any) -> Backfilled:
    """What it came to; payments that wait for a person still do."""
    return await asyncio.wait_for((await begin(house, **changes)).result(), 120)


async def enter(
    house: House,
    number: int,
    day: date,
    *,
    reference: str = "",
    name: str = "",
    invoiced: bool = True,
    paid: bool = True,
) -> dict[str, Any]:
    """A person enters what the buyer of `mug(number)` bought: contact, order, and by choice invoice and payment."""
    desk = Desk(house)
    buyer = mug(number)["guest"]
    person = {"first_name": buyer["name"], "email": buyer["email"], "is_primary_contact": True}
    contact = {"contact_name": buyer["name"], "contact_type": "customer", "contact_persons": [person]}
    contact_id = (await desk.call("POST", "/contacts", contact))["contact"]["contact_id"]
    [item] = (await desk.call("GET", "/items", sku="MUG"))["items"]
    line = {"item_id": item["item_id"], "rate": (1500 + number) / 100, "quantity": 1}
    sale = {"customer_id": contact_id, "date": day.isoformat(), "reference_number": reference, "line_items": [line]}
    order = {**sale, "salesorder_number": name or f"HAND-{number}"}
    made = (await desk.call("POST", "/salesorders", order, ignore_auto_number_generation="true"))["salesorder"]
    await desk.call("POST", f"/salesorders/{made['salesorder_id']}/status/confirmed")
    if invoiced:
        await _invoice(desk, sale, made, paid)
    return dict(made)


async def _invoice(desk: Desk, sale: dict[str, Any], order: dict[str, Any], paid: bool) -> None:
    [line] = order["line_items"]
    rows = [{**row, "salesorder_item_id": line["line_item_id"]} for row in sale["line_items"]]
    invoice = (await desk.call("POST", "/invoices", {**sale, "line_items": rows}))["invoice"]
    await desk.call("POST", f"/invoices/{invoice['invoice_id']}/status/sent")
    if paid:
        amount = float(invoice["total"])
        share = {"invoice_id": invoice["invoice_id"], "amount_applied": amount}
        given = {"customer_id": sale["customer_id"], "payment_mode": "Bank", "amount": amount, "invoices": [share]}
        await desk.call("POST", "/customerpayments", {**given, "date": sale["date"]})
