"""Payouts through everything: paid and refunded at Stripe, booked in Zoho, paid out, certified, checked offline."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from clients.signing import signed_by
from domain.canonical import parse
from domain.certified import Certificate
from domain.journal import imbalance, journal
from domain.policy import PayoutMissing
from domain.runs import PaymentEvent, Stage
from domain.sweeps import Source, Why
from domain.verification import verify
from tests.endtoend.outcomes import LINES, everything_told
from tests.endtoend.sweeping import all_closed, forget, found, sweep
from tests.endtoend.test_memory_lost import forget_everything
from tests.endtoend.zoho_desk import Desk, starter_of
from tests.house import BUYER, QUICK, SIGNER, House, a_house
from workflows import contract

ONE_MUG = [{"sku": "MUG", "unit_amount": 1500, "quantity": 1}]
TODAY = datetime.now(UTC).date().isoformat()
NEVER = {"payout_after": None, "reconciled_after": None}


async def paid(house: House, **wish: Any) -> dict[str, Any]:
    """A payment that is booked in Zoho with its fee."""
    made = await house.pay(guest=BUYER, lines=LINES, **wish)
    await house.post(f"{house.stripe_url}/_charges/{made['charge']}/balance", {})
    await house.done(made["payment_intent"])
    return made


async def paid_out(house: House, **given: Any) -> str:
    """The id of a payout of all there is."""
    about = {"account": house.connection.stripe.account_id, "pending_too": True, **given}
    return str((await house.post(f"{house.stripe_url}/_payouts", about))["id"])


async def step(house: House, payout_id: str, what: str) -> None:
    """Something happens to a payout."""
    await house.post(f"{house.stripe_url}/_payouts/{payout_id}/{what}", {})


def run_of(house: House, payout_id: str) -> WorkflowHandle[Any, Any]:
    """The payout's run."""
    return house.client.get_workflow_handle(contract.payout_workflow_id(house.slug, payout_id))


async def refunded(house: House, refund_id: str, stage: Stage) -> dict[str, Any]:
    """What became of a refund, once its run has come to `stage`."""
    handle = house.client.get_workflow_handle(contract.refund_workflow_id(house.slug, refund_id))
    async with asyncio.timeout(60):
        while True:
            try:
                result = dict(await handle.result())
                if result["stage"] == stage:
                    return result
            except RPCError:
                pass
            await asyncio.sleep(0.05)


async def certified(house: House, payout_id: str, versions: int = 1) -> Certificate:
    """The newest certificate once there are `versions`, its run has ended, and it verifies by our public key."""
    async with asyncio.timeout(60):
        while True:
            try:
                await run_of(house, payout_id).result()
            except RPCError:
                await asyncio.sleep(0.05)
                continue
            issued = await house.store.payouts.versions(house.slug, payout_id)
            if len(issued) >= versions:
                break
            await asyncio.sleep(0.05)
    before = issued[-2] if len(issued) > 1 else None
    assert verify(issued[-1], signed_by, trusted=SIGNER.public_key, previous=before).flaws == ()
    return Certificate.model_validate(parse(issued[-1]))


async def test_a_payout_is_certified_line_by_line(temporal_client: Client, tmp_path: Path) -> None:
    """Every line is linked to the document that our runs wrote; only what nobody booked is left to be posted."""
    async with a_house(temporal_client, tmp_path) as house:
        await house.post(f"{house.stripe_url}/_switches", NEVER)
        made = [await paid(house), await paid(house)]
        refund = await house.post(
            f"{house.stripe_url}/_refunds", {"account": "acct_1Test", "charge": made[0]["charge"], "amount": 1500}
        )
        booked = await refunded(house, refund["id"], Stage.CREDITED)
        fee = {"account": "acct_1Test", "amount": -250, "kind": "stripe_fee", "category": "fee", "description": "Radar"}
        await house.post(f"{house.stripe_url}/_movements", fee)
        await everything_told(house)
        await all_closed(house)
        calls = (await house.zoho(only="calls"))["calls"]
        payout_id = await settled(house)
        certificate = await certified(house, payout_id)
        assert (await house.zoho(only="calls"))["calls"] == calls
        radar, back, second, first = certificate.lines
        payments = {row["payment_id"] for row in (await house.zoho(only="payments"))["payments"]}
        assert {first.counterpart.document, second.counterpart.document} == payments
        assert (first.counterpart.confidence, first.payment) == ("linked", made[0]["payment_intent"])
        assert (back.counterpart.document, back.counterpart.creditnote) == (
            booked["zoho_refund_id"],
            booked["creditnote_id"],
        )
        assert (radar.kind, radar.counterpart.confidence) == ("fee", "none")
        assert certificate.certificate.findings == []
        still = [(one.entry, one.account) for one in journal(certificate, open_only=True)]
        assert still == [
            (radar.transaction, "Stripe Clearing"), (radar.transaction, "Stripe Fees"),
            (payout_id, "Stripe Clearing"), (payout_id, "Bank"),
        ]  # fmt: skip
        assert imbalance(journal(certificate)) == {}
        assert "Lovelace" not in json.dumps(certificate.document())


async def test_a_refund_that_failed_is_carried_both_ways(temporal_client: Client, tmp_path: Path) -> None:
    """It was booked and taken back, so both of its lines have their document, and nothing is to be booked."""
    async with a_house(temporal_client, tmp_path) as house:
        await house.post(f"{house.stripe_url}/_switches", NEVER)
        made = await paid(house)
        refund = await house.post(
            f"{house.stripe_url}/_refunds", {"account": "acct_1Test", "charge": made["charge"], "amount": 1500}
        )
        booked = await refunded(house, refund["id"], Stage.CREDITED)
        await house.post(f"{house.stripe_url}/_refunds/{refund['id']}/fail", {})
        await refunded(house, refund["id"], Stage.REOPENED)
        payout_id = await settled(house)
        certificate = await certified(house, payout_id)
        kinds = {line.kind: line.counterpart.document for line in certificate.lines}
        assert kinds["refund"] == kinds["refund_failure"] == booked["zoho_refund_id"]
        assert certificate.certificate.findings == []


async def test_a_payment_nobody_booked_is_named(temporal_client: Client, tmp_path: Path) -> None:
    """Its money stands apart, and the certificate of a shop that wants the report alone says what is missing."""
    policy = QUICK.model_copy(update={"payout_missing": PayoutMissing.REPORT})
    async with a_house(temporal_client, tmp_path, events=("payout.*", "payout.paid"), policy=policy) as house:
        await house.post(f"{house.stripe_url}/_switches", NEVER)
        made = await house.pay(guest=BUYER, lines=LINES)
        await house.post(f"{house.stripe_url}/_charges/{made['charge']}/balance", {})
        payout_id = await paid_out(house)
        await step(house, payout_id, "reconcile")
        await step(house, payout_id, "pay")
        certificate = await certified(house, payout_id)
        assert [one.kind for one in certificate.certificate.findings] == ["payment_missing"]
        assert certificate.certificate.totals.accounts["unmatched"] == 6777


async def retell(house: House, payout_id: str) -> WorkflowHandle[Any, Any]:
    """The payout's run, begun once more."""
    seen = PaymentEvent(event_id="evt_again", type="payout.failed", object_id=payout_id, created=datetime.now(UTC))
    await starter_of(house).payout_event(house.slug, payout_id, seen)
    return run_of(house, payout_id)


async def retold(house: House, payout_id: str) -> Certificate:
    """What the run that was begun once more has certified."""
    await (await retell(house, payout_id)).result()
    return await certified(house, payout_id)


async def parked(run: WorkflowHandle[Any, Any]) -> dict[str, Any]:
    """What the run waits for a person for."""
    async with asyncio.timeout(60):
        while True:
            try:
                if trouble := await run.query(contract.TROUBLE):
                    return dict(trouble)
            except RPCError:
                pass
            await asyncio.sleep(0.05)


async def settled(house: House) -> str:
    """A payout of all there is, that the bank has and Stripe has reconciled."""
    payout_id = await paid_out(house)
    await step(house, payout_id, "pay")
    await step(house, payout_id, "reconcile")
    return payout_id


async def test_what_was_lost_is_booked_before_it_is_certified(temporal_client: Client, tmp_path: Path) -> None:
    """A payment, its fee and a refund of which nobody told us: each is booked once, by the run it belongs to."""
    async with a_house(temporal_client, tmp_path) as house:
        await house.post(f"{house.stripe_url}/_switches", NEVER)
        known = await house.pay(guest=BUYER, lines=LINES)
        await house.done(known["payment_intent"])
        await everything_told(house)
        await house.post(f"{house.stripe_url}/_switches", {"webhook_loss": 1.0})
        lost = await house.pay(guest=BUYER, lines=LINES)
        for charge in (known["charge"], lost["charge"]):
            await house.post(f"{house.stripe_url}/_charges/{charge}/balance", {})
        about = {"account": "acct_1Test", "charge": known["charge"], "amount": 1500}
        refund = await house.post(f"{house.stripe_url}/_refunds", about)
        payout_id = await settled(house)
        certificate = await retold(house, payout_id)
        assert certificate.certificate.findings == []
        counterparts = {line.kind: line.counterpart for line in certificate.lines}
        notes = (await house.zoho(only="creditnotes"))["creditnotes"]
        assert [note["reference_number"] for note in notes] == [refund["id"]]
        assert counterparts["refund"].creditnote == notes[0]["creditnote_id"]
        payments = (await house.zoho(only="payments"))["payments"]
        assert {row["reference_number"] for row in payments} == {known["payment_intent"], lost["payment_intent"]}
        assert all(row["bank_charges"] > 0 for row in payments)


async def test_what_our_memory_lost_is_found_in_zoho(temporal_client: Client, tmp_path: Path) -> None:
    """By the references on the documents; nothing is written there, and a lost dispute's credit note is found too."""
    async with a_house(temporal_client, tmp_path) as house:
        await house.post(f"{house.stripe_url}/_switches", NEVER)
        made, other = await paid(house), await paid(house)
        about = {"account": "acct_1Test", "charge": made["charge"], "amount": 1500}
        refund = await house.post(f"{house.stripe_url}/_refunds", about)
        await refunded(house, refund["id"], Stage.CREDITED)
        dispute = await house.post(f"{house.stripe_url}/_charges/{other['charge']}/dispute", {})
        await house.post(f"{house.stripe_url}/_disputes/{dispute['id']}/close", {"outcome": "lost"})
        await everything_told(house)
        await all_closed(house)
        first = await certified(house, await settled(house))
        assert first.certificate.findings == []
        assert {line.counterpart.confidence for line in first.lines} == {"linked"}
        (taken,) = [line for line in first.lines if line.kind == "dispute"]
        assert [(one.account, bool(one.document)) for one in taken.postings] == [
            ("refunds", True), ("dispute_fees", False)
        ]  # fmt: skip
        forget_everything(tmp_path)
        before = await house.zoho()
        again = await retold(house, first.certificate.payout.id)
        assert [line.counterpart for line in again.lines] == [
            line.counterpart.model_copy(update={"order": ""}) for line in first.lines
        ]
        after = await house.zoho()
        assert {name: after[name] for name in ("payments", "creditnotes", "invoices", "salesorders")} == {
            name: before[name] for name in ("payments", "creditnotes", "invoices", "salesorders")
        }


async def test_a_payment_entered_by_hand_asks_a_person(temporal_client: Client, tmp_path: Path) -> None:
    """It has the amount and the day and names nobody; when a person has put Stripe's id on it, a retry finds it."""
    async with a_house(temporal_client, tmp_path) as house:
        await house.post(f"{house.stripe_url}/_switches", NEVER)
        await paid(house)
        await everything_told(house)
        await house.post(f"{house.stripe_url}/_switches", {"webhook_loss": 1.0})
        made = await house.pay(guest=BUYER, lines=ONE_MUG)
        desk = Desk(house)
        contact = (await desk.call("POST", "/contacts", {"contact_name": "By hand"}))["contact"]["contact_id"]
        sold = {"name": "Mug", "rate": "15.00", "quantity": 1}
        billed = {"customer_id": contact, "line_items": [sold], "date": TODAY}
        invoice = (await desk.call("POST", "/invoices", billed))["invoice"]["invoice_id"]
        received = {"customer_id": contact, "payment_mode": "cash", "amount": "15.00", "date": TODAY}
        received["invoices"] = [{"invoice_id": invoice, "amount_applied": "15.00"}]
        payment = (await desk.call("POST", "/customerpayments", received))["payment"]["payment_id"]
        await house.post(f"{house.stripe_url}/_charges/{made['charge']}/balance", {})
        payout_id = await settled(house)
        run = await retell(house, payout_id)
        trouble = await parked(run)
        assert trouble["attention_class"] == "payout_uncertain"
        assert f"looks like {payment}; confirm it" in trouble["message"]
        named = {**received, "reference_number": made["payment_intent"]}
        await desk.call("PUT", f"/customerpayments/{payment}", named)
        await run.execute_update(contract.RESOLVE, {"action": "retry", "by": "ada"})
        second = await certified(house, payout_id, 2)
        lines = {line.payment: line.counterpart for line in second.lines}
        assert (lines[made["payment_intent"]].document, lines[made["payment_intent"]].confidence) == (payment, "linked")
        assert [one.kind for one in second.certificate.findings] == ["fee_missing"]
        assert len((await house.zoho(only="payments"))["payments"]) == 2


async def test_a_payout_that_fails_later_has_a_second_version(temporal_client: Client, tmp_path: Path) -> None:
    """It names the first one; the next payout has the row that came back and books nothing twice."""
    async with a_house(temporal_client, tmp_path) as house:
        await house.post(f"{house.stripe_url}/_switches", NEVER)
        await paid(house)
        payout_id = await settled(house)
        first = await certified(house, payout_id)
        await step(house, payout_id, "fail")
        second = await certified(house, payout_id, 2)
        head = second.certificate
        assert (head.version, head.previous, head.payout.status) == (2, first.hash, "failed")
        assert [(entry.account, entry.minor) for entry in head.settlement] == [
            ("bank", -head.payout.minor), ("bank", head.payout.minor)
        ]  # fmt: skip
        again = await paid_out(house)
        await step(house, again, "pay")
        await step(house, again, "reconcile")
        (line,) = (await certified(house, again)).lines
        assert (line.kind, line.source) == ("payout_reversal", payout_id)
        assert [(entry.account, entry.document) for entry in line.postings] == [("bank", payout_id)]


async def test_a_sweep_knows_the_runs_of_payouts(temporal_client: Client, tmp_path: Path) -> None:
    """Nothing is missed of one that is certified; where Temporal has lost its run, it has one again."""
    async with a_house(temporal_client, tmp_path) as house:
        await house.post(f"{house.stripe_url}/_switches", NEVER)
        await paid(house)
        payout_id = await settled(house)
        certificate = await certified(house, payout_id)
        await everything_told(house)
        assert (await sweep(house)).missed == {}
        await forget(house, run_of(house, payout_id))
        assert found(await sweep(house)) == {(payout_id, Source.RECEIVED, Why.NO_RUN)}
        await all_closed(house)
        assert await certified(house, payout_id) == certificate


async def test_a_manual_payout_is_labelled(temporal_client: Client, tmp_path: Path) -> None:
    """Certified as a transfer without lines."""
    async with a_house(temporal_client, tmp_path) as house:
        await house.post(f"{house.stripe_url}/_switches", NEVER)
        await paid(house)
        payout_id = await paid_out(house, kind="instant", amount=2000)
        await step(house, payout_id, "pay")
        head = (await certified(house, payout_id)).certificate
        assert (head.payout.itemised, head.payout.kind, head.payout.minor, head.payout.fee) == (
            False,
            "instant",
            2000,
            20,
        )


async def test_an_unknown_category_waits_for_a_person(temporal_client: Client, tmp_path: Path) -> None:
    """Named with its money; nothing is certified."""
    async with a_house(temporal_client, tmp_path) as house:
        await house.post(f"{house.stripe_url}/_switches", NEVER)
        odd = {"account": "acct_1Test", "amount": 777, "kind": "adjustment", "category": "moon_dust"}
        await house.post(f"{house.stripe_url}/_movements", odd)
        payout_id = await settled(house)
        trouble = await parked(run_of(house, payout_id))
        assert trouble["attention_class"] == "payout_unclear"
        assert "moves 7.77 EUR and is of the unknown category 'moon_dust'" in trouble["message"]
        assert await house.store.payouts.versions(house.slug, payout_id) == []
