"""Refunds and disputes of payments from before: carried after these, and not doubled where people were first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from domain.attention import AttentionClass, Trouble
from domain.policy import DisputeLost, PaymentPolicy
from domain.sweeps import SweepPolicy
from tests.endtoend.backfilling import DAYS, backfill, enter, in_the_past, mug
from tests.endtoend.disputing import WRITES_OFF
from tests.endtoend.sweeping import all_closed, sweep
from tests.endtoend.test_backfill import day_of_past
from tests.endtoend.test_refunds import refund, run_of, shop, sound
from tests.endtoend.zoho_desk import Desk
from tests.house import QUICK, House
from workflows import contract

DAY = timedelta(days=1)
CREDITS = QUICK.model_copy(update={"dispute_lost": DisputeLost.CREDIT_NOTE})


@asynccontextmanager
async def back_then(house: House) -> AsyncIterator[None]:
    """Stripe's clock stands where the payments of the past were made, and nobody is told of anything."""
    away = timedelta(days=DAYS).total_seconds()
    await house.post(f"{house.stripe_url}/_switches", {"webhook_loss": 1.0})
    await house.post(f"{house.stripe_url}/_clock", {"advance": -away})
    yield
    await house.post(f"{house.stripe_url}/_clock", {"advance": away})
    await house.post(f"{house.stripe_url}/_switches", {"webhook_loss": 0.0})


async def disputed(house: House, payment_id: str, outcome: str) -> str:
    """A dispute of the payment that the bank has decided; its id."""
    charges = {row["payment_intent"]: row["id"] for row in (await house.stripe())["charges"]}
    made = await house.post(f"{house.stripe_url}/_charges/{charges[payment_id]}/dispute", {})
    await house.post(f"{house.stripe_url}/_disputes/{made['id']}/close", {"outcome": outcome})
    return str(made["id"])


async def credit(house: House, number: int, invoice: dict[str, Any], *, reference: str = "") -> dict[str, Any]:
    """A person credits what the buyer of `mug(number)` paid, and books that the money went back; what he entered."""
    desk, day = Desk(house), day_of_past().isoformat()
    [line] = (await desk.call("GET", f"/invoices/{invoice['invoice_id']}"))["invoice"]["line_items"]
    row = {"item_id": line["item_id"], "rate": (1500 + number) / 100, "quantity": 1}
    row |= {"invoice_id": invoice["invoice_id"], "invoice_item_id": line["line_item_id"]}
    body = {"customer_id": invoice["customer_id"], "date": day, "reference_number": reference, "line_items": [row]}
    made = (await desk.call("POST", "/creditnotes", body, invoice_id=invoice["invoice_id"]))["creditnote"]
    money = {"date": day, "refund_mode": "Bank", "amount": float(made["total"]), "from_account_id": "900"}
    await desk.call("POST", f"/creditnotes/{made['creditnote_id']}/refunds", money)
    return {**body, "creditnote_id": made["creditnote_id"], "creditnote_number": made["creditnote_number"]}


async def test_refunds_and_disputes_follow_their_payments(temporal_client: Client, tmp_path: Path) -> None:
    """Of payments that it carries and of one that was carried; once each, on the queue of bulk work, and counted."""
    async with shop(temporal_client, tmp_path, policy=CREDITS) as house:
        live = await house.pay(**mug(1))
        await house.done(live["payment_intent"])
        await house.post(f"{house.stripe_url}/_switches", {"webhook_loss": 1.0})
        unheard = await refund(house, live, 300)
        parts, lost, won, _ = await in_the_past(house, *(mug(number) for number in range(2, 6)))
        async with back_then(house):
            refunds = [unheard, *[await refund(house, {"payment_intent": parts}, amount) for amount in (500, 400)]]
            disputes = [await disputed(house, lost, "lost"), await disputed(house, won, "won")]
        done = await backfill(house)
        assert (done.total, done.started, done.completed, done.known, done.refunded) == (5, 4, 4, 1, 3)
        cases = done.cases
        assert (cases.found, cases.started, cases.completed, cases.known, cases.waiting) == (5, 5, 5, 0, 0)
        ledger = await house.zoho()
        credited = {row["reference_number"]: row["total"] * 100 for row in ledger["creditnotes"]}
        assert credited == {unheard: 300, refunds[1]: 500, refunds[2]: 400, disputes[0]: 1503}
        for run in map(lambda one: run_of(house, one), refunds):
            queues = {
                event.activity_task_scheduled_event_attributes.task_queue.name
                for event in (await run.fetch_history()).events
                if event.HasField("activity_task_scheduled_event_attributes")
            }
            assert queues == {house.queue, f"{house.queue}-zoho-bulk"}
        await all_closed(house)
        await sound(house)
        again = await backfill(house)
        assert (again.started, again.cases.started, again.cases.known) == (0, 0, 5)
        assert (await sweep(house, back=60 * DAY, sweep=SweepPolicy(window=90 * DAY))).missed == {}


async def test_a_credit_note_that_people_entered_is_adopted_and_not_doubled(
    temporal_client: Client, tmp_path: Path
) -> None:
    """By the refund's id as reference; about one that is only alike a person is asked, and it holds nothing up."""
    async with shop(temporal_client, tmp_path) as house:
        paid = await in_the_past(house, mug(1), mug(2))
        async with back_then(house):
            named, alike = [await refund(house, {"payment_intent": one}) for one in paid]
        for number, one in enumerate(paid, start=1):
            await enter(house, number, day_of_past(), reference=one)
        invoices = sorted((await house.zoho())["invoices"], key=lambda row: row["total"])
        await credit(house, 1, invoices[0], reference=named)
        asked = await credit(house, 2, invoices[1])
        before = await house.zoho(only="creditnotes,refunds")
        done = await backfill(house)
        assert (done.completed, done.waiting) == (2, 0)
        assert (done.cases.started, done.cases.completed, done.cases.waiting) == (2, 1, 1)
        trouble = Trouble.model_validate(await run_of(house, alike).query(contract.TROUBLE))
        assert (trouble.attention_class, trouble.skippable) == (AttentionClass.CREDIT_BY_HAND, True)
        assert asked["creditnote_number"] in trouble.message
        await Desk(house).call("PUT", f"/creditnotes/{asked['creditnote_id']}", {**asked, "reference_number": alike})
        await run_of(house, alike).signal(contract.RESUME, {"action": "retry", "by": "Ada"})
        results = [await run_of(house, one).result() for one in (named, alike)]
        after = await house.zoho(only="creditnotes,refunds")
        assert [row["creditnote_id"] for row in results] == [row["creditnote_id"] for row in after["creditnotes"]]
        assert (
            [len(after[name]) for name in ("creditnotes", "refunds")] == [2, 2] == [len(one) for one in before.values()]
        )
        steps = {entry.step.partition("@")[0] for entry in await house.store.audit.entries(house.slug, paid[0])}
        assert {"credit_note", "credit_note_refund", "mark_refund"} <= steps
        assert (await house.store.audit.verify(house.slug)).ok


@pytest.mark.parametrize("policy", [CREDITS, WRITES_OFF], ids=["credited", "written off"])
async def test_a_dispute_that_people_credited_back_then_is_not_booked_again(
    temporal_client: Client, tmp_path: Path, policy: PaymentPolicy
) -> None:
    """Their note of those days is asked about, and named it is taken as it is: nothing is written a second time."""
    async with shop(temporal_client, tmp_path, policy=policy) as house:
        (paid,) = await in_the_past(house, mug(1))
        async with back_then(house):
            dispute_id = await disputed(house, paid, "lost")
        await enter(house, 1, day_of_past(), reference=paid)
        (invoice,) = (await house.zoho())["invoices"]
        entered = await credit(house, 1, invoice)
        before = await house.zoho(only="creditnotes,refunds,invoices,payments")
        assert (await backfill(house)).cases.waiting == 1
        run = house.client.get_workflow_handle(contract.dispute_workflow_id(house.slug, dispute_id))
        trouble = Trouble.model_validate(await run.query(contract.TROUBLE))
        assert (trouble.attention_class, trouble.step) == (AttentionClass.CREDIT_BY_HAND, "lost")
        assert "made since the dispute was opened: " + entered["creditnote_number"] in trouble.message
        named = {**entered, "reference_number": dispute_id}
        await Desk(house).call("PUT", f"/creditnotes/{entered['creditnote_id']}", named)
        await run.signal(contract.RESUME, {"action": "retry", "by": "Ada"})
        assert (await run.result())["creditnote_id"] == entered["creditnote_id"]
        after = await house.zoho(only="creditnotes,refunds,invoices,payments")
        assert [len(after[name]) for name in after] == [len(before[name]) for name in before]
        assert [(row["balance"], row["write_off_amount"]) for row in after["invoices"]] == [(0, 0)]
        assert (await house.store.audit.verify(house.slug)).ok
