"""A lost dispute whose order has credit notes that people wrote, told with activities that answer from a script."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from domain.attention import AttentionClass, Trouble
from domain.credits import NoteByHand, PaidOut, Sold
from domain.hand_credits import CreditRow, HandCredits
from domain.money import Money
from domain.policy import PaymentPolicy
from domain.writeoffs import OweState, ReceiptKept, WriteOffSeen
from tests.workflows.fakes import Script, event, on_stage
from tests.workflows.fakes import Stage as Stand
from tests.workflows.samples import LOSS, NOTE, RECORD, SOLD, TOTAL
from tests.workflows.test_disputes import LOST, UNHELD, WRITES_OFF, begun
from tests.workflows.test_payments import until_parked
from workflows import contract

BOTH = pytest.mark.parametrize("policy", [UNHELD, WRITES_OFF], ids=["credited", "written off"])
CLERKS = NoteByHand(creditnote_id="cn-9", number="CN-9", status="open", total=TOTAL)
ALIKE = SOLD.model_copy(update={"by_hand": (CLERKS,), "notes": ("cn-9",), "credited": TOTAL})
NAMED = SOLD.model_copy(update={"named": (CLERKS,), "notes": ("cn-9",), "credited": TOTAL, "noted": True})
CREDITED = NOTE.model_copy(update={"status": "closed"})
PAID_OFF = [WriteOffSeen(state=state) for state in (OweState.PAID, OweState.OWED, OweState.WRITTEN_OFF)]
KEPT = ReceiptKept(record=RECORD, invoice_id="in-1")
WRITES = {"create_credit_note", "lower_payment", "write_off"}


def over(minor: int) -> Sold:
    """The sale whose credit note by hand names the dispute and comes to so much."""
    return NAMED.model_copy(update={"named": (CLERKS.model_copy(update={"total": Money.of(minor, "EUR")}),)})


async def asked(stage: Stand, policy: PaymentPolicy) -> tuple[WorkflowHandle[Any, Any], Trouble]:
    """The parked run, and what it asks."""
    handle = await begun(stage, policy)
    trouble = await until_parked(handle)
    assert (trouble.attention_class, trouble.step) == (AttentionClass.CREDIT_BY_HAND, "lost")
    return stage.client.get_workflow_handle(handle.id), trouble


@BOTH
async def test_a_note_that_may_be_the_disputes_asks_and_named_is_taken(
    temporal_client: Client, policy: PaymentPolicy
) -> None:
    """Nothing is written before; what the note lacks is booked, that its money is gone, and nothing is written off."""
    script = Script({"fetch_dispute": LOST, "read_sale": [ALIKE, NAMED], "read_sold_lines": [ALIKE, NAMED]})
    async with on_stage(temporal_client, script) as stage:
        handle, trouble = await asked(stage, policy)
        assert f"CN-9 over {TOTAL}" in trouble.message
        assert f"put {handle.id.rpartition(':')[2]} into its reference in Zoho, then retry" in trouble.message
        assert not {*WRITES, "pay_out"} & set(script.names())
        await handle.signal(contract.RESUME, "retry")
        result = await handle.result()
    assert (result["creditnote_id"], result["zoho_refund_id"], result["written_off"]) == ("cn-9", "cr-1", "")
    assert (script.names().count("pay_out"), script.names().count("keep_credit_found")) == (1, 1)
    assert not {*WRITES, "find_credit_note", "find_credits_by_hand"} & set(script.names())


@BOTH
async def test_skipped_nothing_is_booked(temporal_client: Client, policy: PaymentPolicy) -> None:
    """The loss is a person's then, as the question says."""
    script = Script({"fetch_dispute": LOST, "read_sold_lines": ALIKE})
    async with on_stage(temporal_client, script) as stage:
        handle, trouble = await asked(stage, policy)
        assert (trouble.skippable, "skip with a reason books nothing" in trouble.message) == (True, True)
        await handle.signal(contract.RESUME, {"action": "skip", "reason": "booked by hand", "by": "Ada"})
        result = await handle.result()
    assert (result["creditnote_id"], result["written_off"]) == ("", "")
    assert not {*WRITES, "pay_out"} & set(script.names())


@BOTH
async def test_a_note_that_names_the_dispute_over_another_amount_is_not_taken(
    temporal_client: Client, policy: PaymentPolicy
) -> None:
    """Corrected in Zoho and retried, it is."""
    script = Script({"fetch_dispute": LOST, "read_sold_lines": [over(1), NAMED]})
    async with on_stage(temporal_client, script) as stage:
        handle, trouble = await asked(stage, policy)
        assert f"CN-9 over 0.01 EUR names {handle.id.rpartition(':')[2]}" in trouble.message
        await handle.signal(contract.RESUME, "retry")
        assert (await handle.result())["creditnote_id"] == "cn-9"
    assert not WRITES & set(script.names())


async def test_two_notes_that_name_the_dispute_are_asked_about(temporal_client: Client) -> None:
    """Which of them is the loss only a person knows."""
    two = NAMED.model_copy(update={"named": (CLERKS, CLERKS.model_copy(update={"number": "CN-10"}))})
    script = Script({"fetch_dispute": LOST, "read_sold_lines": two})
    async with on_stage(temporal_client, script) as stage:
        _, trouble = await asked(stage, UNHELD)
    assert f"CN-9 over {TOTAL}, CN-10 over {TOTAL}" in trouble.message


async def test_a_note_that_a_person_wrote_stays_when_the_run_is_aborted(temporal_client: Client) -> None:
    """It is theirs, whatever becomes of the run."""
    refused = ApplicationError("no account", type="Refused", non_retryable=True)
    script = Script({"fetch_dispute": LOST, "read_sold_lines": NAMED, "pay_out": refused})
    async with on_stage(temporal_client, script) as stage:
        handle = await begun(stage, UNHELD)
        await until_parked(handle)
        again = temporal_client.get_workflow_handle(handle.id)
        await again.signal(contract.RESUME, {"action": "abort", "reason": "leave it", "by": "Ada"})
        with pytest.raises(WorkflowFailureError):
            await again.result()
    assert not {"void_credit_note", "delete_credit_refund"} & set(script.names())


@BOTH
async def test_what_our_memory_knows_to_be_ours_is_no_question(temporal_client: Client, policy: PaymentPolicy) -> None:
    """Told again, the loss stands as it was booked, and is not written off besides."""
    ours = SOLD.model_copy(update={"notes": ("cn-1",), "credited": TOTAL, "noted": True})
    closed = {"find_credit_note": CREDITED, "find_paid_out": PaidOut(zoho_refund_id="cr-1")}
    script = Script({"fetch_dispute": LOST, "read_sold_lines": ours, **closed})
    async with on_stage(temporal_client, script) as stage:
        result = await (await begun(stage, policy)).result()
    assert (result["creditnote_id"], result["written_off"]) == ("cn-1", "")
    assert not {*WRITES, "pay_out"} & set(script.names())


async def test_a_note_that_its_order_shows_is_there_though_the_list_lags(temporal_client: Client) -> None:
    """Zoho refused ours once, and a person wrote one: whatever the list says, no second one is written."""
    refused = ApplicationError("zoho 400: no", {"service": "zoho"}, type="Refused", non_retryable=True)
    script = Script({"fetch_dispute": LOST, "read_sold_lines": [SOLD, NAMED], "create_credit_note": refused})
    async with on_stage(temporal_client, script) as stage:
        handle = await begun(stage, UNHELD)
        await until_parked(handle)
        again = temporal_client.get_workflow_handle(handle.id)
        await again.signal(contract.RESUME, "retry")
        assert (await again.result())["creditnote_id"] == "cn-9"
    assert [script.names().count(name) for name in ("create_credit_note", "find_credit_note")] == [1, 2]


@pytest.mark.parametrize("sold", [ALIKE, NAMED], ids=["alike", "named"])
async def test_a_note_that_meets_a_write_off_under_way_is_asked_about(temporal_client: Client, sold: Sold) -> None:
    """Both would book the loss twice: void again, the write-off goes on."""
    seen = [WriteOffSeen(state=state) for state in (OweState.OWED, OweState.OWED, OweState.WRITTEN_OFF)]
    script = Script({"fetch_dispute": LOST, "read_sold_lines": [sold, SOLD], "recall_receipt": KEPT, "see_owed": seen})
    async with on_stage(temporal_client, script) as stage:
        handle, trouble = await asked(stage, WRITES_OFF)
        assert f"CN-9 over {TOTAL}, and {TOTAL} of it are being written off" in trouble.message
        assert not {*WRITES, "pay_out"} & set(script.names())
        await handle.signal(contract.RESUME, "retry")
        assert (await handle.result())["written_off"] == "in-1"
    assert (script.names().count("write_off"), "pay_out" in script.names()) == (1, False)


async def test_a_note_for_something_else_after_the_write_off_is_no_question(temporal_client: Client) -> None:
    """Told again, what is written off stays so."""
    written_off = WriteOffSeen(state=OweState.WRITTEN_OFF)
    script = Script({"fetch_dispute": LOST, "read_sold_lines": ALIKE, "recall_receipt": KEPT, "see_owed": written_off})
    async with on_stage(temporal_client, script) as stage:
        assert (await (await begun(stage, WRITES_OFF)).result())["written_off"] == "in-1"
    assert "write_off" not in script.names()


async def test_a_named_note_on_an_invoice_that_is_not_just_paid_is_asked_about(temporal_client: Client) -> None:
    """Somebody wrote off as well, or our memory is gone: nothing more is booked."""
    written_off = WriteOffSeen(state=OweState.WRITTEN_OFF)
    script = Script({"fetch_dispute": LOST, "read_sold_lines": NAMED, "see_owed": written_off})
    async with on_stage(temporal_client, script) as stage:
        await asked(stage, WRITES_OFF)
    assert not {*WRITES, "pay_out"} & set(script.names())


async def test_a_write_off_from_before_is_weighed_like_a_credit_note(temporal_client: Client) -> None:
    """The customer's notes since it was opened are looked through: people may have written one of no order."""
    alike = HandCredits(alike=(CreditRow(creditnote_id="cn-9", number="CN-9", status="closed", total=TOTAL),))
    loss = LOSS.model_copy(update={"opened": LOST.opened})
    looks = {"find_credits_by_hand": [alike, HandCredits()], "see_owed": PAID_OFF}
    script = Script({"fetch_dispute": LOST, "fetch_loss": loss, **looks})
    async with on_stage(temporal_client, script) as stage:
        start = stage.payment(policy=WRITES_OFF).model_copy(update={"backfilled": True})
        handle = await stage.dispute(start, event(f"du_{start.payment_id[3:]}", "charge.dispute.closed"))
        trouble = await until_parked(handle)
        assert trouble.attention_class is AttentionClass.CREDIT_BY_HAND
        again = temporal_client.get_workflow_handle(handle.id)
        await again.signal(contract.RESUME, "retry")
        assert (await again.result())["written_off"] == "in-1"
    assert "create_credit_note" not in script.names()
    assert [wanted.since for wanted in script.inputs("find_credits_by_hand")] == [LOST.opened, LOST.opened]
