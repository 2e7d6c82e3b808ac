"""A dispute, told on the real server with activities that answer from a script."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError, CancelledError

from domain.credits import PaidOut
from domain.disputes import DisputeStatus
from domain.money import Money
from domain.payments import Moved
from domain.policy import DisputeHold, DisputeLost, PaymentPolicy, Restock
from domain.runs import Stage, StepDone
from domain.writeoffs import OweState, ReceiptKept, WriteOffSeen
from tests.workflows.fakes import Script, event, on_stage
from tests.workflows.fakes import Stage as Stand
from tests.workflows.samples import DISPUTE, LOSS, NOTE, QUICK, RECORD, SOLD, TOTAL
from tests.workflows.test_payments import until_parked, until_stage
from workflows import contract

OPEN = DISPUTE.model_copy(
    update={"status": DisputeStatus.OPEN, "needs_response": True, "due_by": datetime(2026, 1, 1, tzinfo=UTC)}
)
LOST = DISPUTE.model_copy(update={"status": DisputeStatus.LOST})
UNHELD = QUICK.model_copy(update={"dispute_hold": DisputeHold.GO_ON})
WRITES_OFF = UNHELD.model_copy(update={"dispute_lost": DisputeLost.WRITE_OFF})
UNCERTAIN = StepDone(unknown=True, asked=1)


async def begun(stage: Stand, policy: PaymentPolicy) -> WorkflowHandle[Any, Any]:
    """A dispute's run."""
    start = stage.payment(policy=policy)
    return await stage.dispute(start, event(f"du_{start.payment_id[3:]}", "charge.dispute.closed"))


async def test_people_are_reminded_once_before_evidence_is_due(temporal_client: Client) -> None:
    """The deadline is near: they hear of the dispute, of the deadline, and of the end."""
    script = Script({"fetch_dispute": [OPEN, DISPUTE]})
    async with on_stage(temporal_client, script) as stage:
        handle = await begun(stage, UNHELD.model_copy(update={"evidence_reminder": timedelta(days=1)}))
        await until_stage(handle, Stage.DISPUTED)
        while [wanted.about for wanted in script.inputs("notify_dispute")] != ["open", "reminder"]:
            await asyncio.sleep(0.01)
        await handle.signal(contract.DISPUTE_EVENT, event("du_1", "charge.dispute.closed"))
        assert (await handle.result())["status"] == "won"
    assert [wanted.about for wanted in script.inputs("notify_dispute")] == ["open", "reminder", "won"]
    assert "evidence is due by 2026-01-01" in script.inputs("notify_dispute")[1].message


async def test_a_hold_that_zoho_is_too_ill_for_keeps_no_deadline_from_being_told(temporal_client: Client) -> None:
    """Zoho answers nothing: people are reminded, hear of the end, and the run closes."""
    ill = ApplicationError("zoho 500", type="TryLater")
    script = Script({"fetch_dispute": [OPEN, DISPUTE], "find_sale": ill})
    async with on_stage(temporal_client, script) as stage:
        handle = await begun(stage, QUICK.model_copy(update={"evidence_reminder": timedelta(days=1)}))
        while [wanted.about for wanted in script.inputs("notify_dispute")] != ["open", "reminder"]:
            await asyncio.sleep(0.01)
        await handle.signal(contract.DISPUTE_EVENT, event("du_1", "charge.dispute.closed"))
        assert (await handle.result())["status"] == "won"
    assert "find_sale" in script.names()


async def test_a_hold_that_zoho_refuses_is_told(temporal_client: Client) -> None:
    """The custom field does not exist: people hold the order by hand; the dispute goes on."""
    refused = ApplicationError("zoho 400: no such field", {"service": "zoho"}, type="Refused", non_retryable=True)
    script = Script({"fetch_dispute": [OPEN, DISPUTE], "recall_order": refused})
    async with on_stage(temporal_client, script) as stage:
        handle = await begun(stage, QUICK.model_copy(update={"hold_field": "cf_held"}))
        while "unmarked" not in (told := {one.about: one.message for one in script.inputs("notify_dispute")}):
            await asyncio.sleep(0.01)
        await handle.signal(contract.DISPUTE_EVENT, event("du_1", "charge.dispute.closed"))
        assert (await handle.result())["status"] == "won"
    assert "could not be marked as held, so hold it by hand" in told["unmarked"]


async def test_what_is_lost_is_booked_in_turn(temporal_client: Client) -> None:
    """Nobody else writes meanwhile; the note is dated by the day it is booked; every move is kept with its fee."""
    moved = Moved(transaction_id="txn_9", money=-TOTAL, fee=Money.of(1500, "EUR"), net=Money.of(-6490, "EUR"))
    lost = LOST.model_copy(update={"withdrawn": (moved,), "opened": datetime(2026, 1, 1, tzinfo=UTC)})
    script = Script({"fetch_dispute": lost})
    async with on_stage(temporal_client, script) as stage:
        result = await (await begun(stage, QUICK.model_copy(update={"restock": Restock.ALWAYS}))).result()
    assert script.names() == [
        "fetch_dispute",
        "notify_dispute",
        "keep_moves",
        "take_turn",
        "fetch_loss",
        "read_sale",
        "read_sold_lines",
        "create_credit_note",
        "find_account",
        "pay_out",
        "end_turn",
        "notify_dispute",
    ]
    assert script.inputs("keep_moves")[0].moves == (moved,)
    wanted = script.inputs("create_credit_note")[0]
    assert (wanted.refund_id[:3], wanted.cause, wanted.at.year > 2025) == ("du_", "dispute", True)
    assert wanted.at > lost.opened + timedelta(days=1)
    assert (result["number"], result["zoho_refund_id"], result["withdrawn"][0]["transaction_id"]) == (
        "CN-1", "cr-1", "txn_9"
    )  # fmt: skip


async def test_goods_that_have_left_are_not_restocked(temporal_client: Client) -> None:
    """A bank sends nothing back, whatever the policy says of refunds."""
    left = SOLD.model_copy(update={"lines": tuple(one.model_copy(update={"shipped": True}) for one in SOLD.lines)})
    script = Script({"fetch_dispute": LOST, "read_sold_lines": left})
    async with on_stage(temporal_client, script) as stage:
        await (await begun(stage, UNHELD.model_copy(update={"restock": Restock.ALWAYS}))).result()
    assert [line.restock for line in script.inputs("create_credit_note")[0].lines] == [False]


async def test_a_refund_under_way_is_waited_for(temporal_client: Client) -> None:
    """What is left depends on it: the turn is given back, Stripe is asked again, and then the loss is booked."""
    pending = LOSS.model_copy(update={"under_way": ("re_1",)})
    script = Script({"fetch_dispute": LOST, "fetch_loss": [pending, pending, LOSS]})
    async with on_stage(temporal_client, script) as stage:
        policy = UNHELD.model_copy(
            update={"remind_every": timedelta(milliseconds=20), "refund_patience": timedelta(days=1)}
        )
        assert (await (await begun(stage, policy)).result())["number"] == "CN-1"
    assert [script.names().count(name) for name in ("take_turn", "end_turn", "create_credit_note")] == [3, 3, 1]


async def test_a_refund_that_never_settles_asks_a_person(temporal_client: Client) -> None:
    """After the policy's patience, naming the refund."""
    script = Script({"fetch_dispute": LOST, "fetch_loss": LOSS.model_copy(update={"under_way": ("re_1",)})})
    async with on_stage(temporal_client, script) as stage:
        policy = UNHELD.model_copy(update={"refund_patience": timedelta(milliseconds=50)})
        trouble = await until_parked(await begun(stage, policy))
    assert (trouble.attention_class, trouble.step, "re_1" in trouble.message) == ("refund_pending", "lost", True)


def owing(*states: OweState) -> list[WriteOffSeen]:
    """How the invoice stands, look by look."""
    return [WriteOffSeen(state=state) for state in states]


async def test_a_write_off_that_memory_has_lost_is_gone_on_with(temporal_client: Client) -> None:
    """Just the loss is owed already: it is given up; an abort then says that it stands, for nobody knows what was."""
    refused = ApplicationError("zoho 400: no", {"service": "zoho"}, type="Refused", non_retryable=True)
    script = Script({"fetch_dispute": LOST, "see_owed": WriteOffSeen(state=OweState.OWED), "write_off": refused})
    async with on_stage(temporal_client, script) as stage:
        handle = await begun(stage, WRITES_OFF)
        await until_parked(handle)
        again = temporal_client.get_workflow_handle(handle.id)
        await again.signal(contract.RESUME, {"action": "abort", "reason": "booked by hand"})
        while (trouble := await until_parked(again)).step == "lost":
            await asyncio.sleep(0.02)
    assert (trouble.attention_class, "we do not remember" in trouble.message) == ("undo_failed", True)
    assert not {"lower_payment", "restore_payment", "cancel_write_off"} & set(script.names())


async def test_a_write_off_whose_answers_are_lost_is_looked_for(temporal_client: Client) -> None:
    """Both answers are lost and both writes were made: neither is made again."""
    seen = owing(OweState.PAID, OweState.OWED, OweState.OWED, OweState.WRITTEN_OFF, OweState.WRITTEN_OFF)
    script = Script({"fetch_dispute": LOST, "see_owed": seen, "lower_payment": UNCERTAIN, "write_off": UNCERTAIN})
    async with on_stage(temporal_client, script) as stage:
        result = await (await begun(stage, WRITES_OFF)).result()
    assert [script.names().count(name) for name in ("lower_payment", "write_off")] == [1, 1]
    assert result["written_off"] == "in-1"
    assert "bank charges of 1.75 EUR" in result["notes"][-2]


@pytest.mark.parametrize(
    ("record", "state", "says"),
    [
        (RECORD, OweState.OTHER, "owed or written off already"),
        (RECORD.model_copy(update={"shares": ()}), OweState.PAID, "not all on its invoice"),
    ],
)
async def test_books_that_a_person_changed_are_his(
    temporal_client: Client, record: Any, state: OweState, says: str
) -> None:
    """A payment or invoice that is not as it was carried is not touched."""
    script = Script({"fetch_dispute": LOST, "read_receipt": record, "see_owed": WriteOffSeen(state=state)})
    async with on_stage(temporal_client, script) as stage:
        trouble = await until_parked(await begun(stage, WRITES_OFF))
    assert (trouble.attention_class, says in trouble.message) == ("changed_by_hand", True)
    assert not {"lower_payment", "write_off"} & set(script.names())


async def test_a_payment_lowered_before_it_parked_is_not_lowered_again(temporal_client: Client) -> None:
    """The write-off was refused once: told again, the payment as it was is recalled, not read."""
    kept = ReceiptKept(record=RECORD, invoice_id="in-1")
    refused = ApplicationError("zoho 400: no", {"service": "zoho"}, type="Refused", non_retryable=True)
    seen = owing(OweState.PAID, OweState.OWED, OweState.OWED, OweState.WRITTEN_OFF)
    answers = {"recall_receipt": [None, kept], "see_owed": seen, "write_off": [refused, StepDone()]}
    script = Script({"fetch_dispute": LOST, **answers})
    async with on_stage(temporal_client, script) as stage:
        handle = await begun(stage, WRITES_OFF)
        await until_parked(handle)
        again = temporal_client.get_workflow_handle(handle.id)
        await again.signal(contract.RESUME, "retry")
        assert (await again.result())["written_off"] == "in-1"
    assert [script.names().count(name) for name in ("read_receipt", "write_off")] == [1, 2]
    assert {wanted.record.amount for wanted in script.inputs("lower_payment")} == {TOTAL}


async def test_a_won_dispute_of_which_nothing_was_booked_asks_zoho_nothing(temporal_client: Client) -> None:
    """Our memory knows: no turn, no look."""
    script = Script({"fetch_dispute": DISPUTE})
    async with on_stage(temporal_client, script) as stage:
        assert (await (await begun(stage, UNHELD)).result())["status"] == "won"
    assert script.names() == ["fetch_dispute", "notify_dispute"]


async def test_where_memory_is_gone_a_write_off_is_a_persons(temporal_client: Client) -> None:
    """Zoho keeps no reference of a write-off: whether one is ours nobody can tell, but that none stands any more."""
    taken = Moved(transaction_id="txn_9", money=-TOTAL, fee=TOTAL.zero(), net=-TOTAL)
    gone = DISPUTE.model_copy(update={"forgotten": True, "withdrawn": (taken,)})
    script = Script({"fetch_dispute": gone, "see_owed": owing(OweState.WRITTEN_OFF, OweState.PAID)})
    async with on_stage(temporal_client, script) as stage:
        handle = await begun(stage, WRITES_OFF)
        assert (await until_parked(handle)).attention_class == "changed_by_hand"
        again = temporal_client.get_workflow_handle(handle.id)
        await again.signal(contract.RESUME, "retry")
        assert (await again.result())["status"] == "won"


async def test_what_is_taken_back_in_two_goes_is_told_once(temporal_client: Client) -> None:
    """The note is void, but the look at it is refused: after a retry nothing stands, and people hear of it."""
    refused = ApplicationError("zoho 400: no", {"service": "zoho"}, type="Refused", non_retryable=True)
    begun_once = [DISPUTE.model_copy(update={"begun": True}), DISPUTE.model_copy(update={"round": 1})]
    script = Script(
        {
            "fetch_dispute": begun_once,
            "find_credit_note": [NOTE, refused, None],
            "find_paid_out": None,
        }
    )
    async with on_stage(temporal_client, script) as stage:
        handle = await begun(stage, UNHELD)
        assert (await until_parked(handle)).attention_class == "undo_failed"
        again = temporal_client.get_workflow_handle(handle.id)
        await again.signal(contract.RESUME, "retry")
        assert (await again.result())["status"] == "won"
    assert [wanted.about for wanted in script.inputs("notify_dispute")] == ["won", "won", "reopened"]


async def test_a_cancellation_while_it_takes_back_is_no_trouble(temporal_client: Client) -> None:
    """Nobody is asked: the rest is taken back, and the run is cancelled."""
    script = Script(
        {
            "fetch_dispute": DISPUTE.model_copy(update={"begun": True}),
            "find_credit_note": [NOTE, NOTE, None],
            "find_paid_out": None,
            "void_credit_note": [ApplicationError("zoho 500", type="TryLater"), StepDone()],
        }
    )
    async with on_stage(temporal_client, script) as stage:
        handle = await begun(stage, UNHELD)
        while "void_credit_note" not in script.names():
            await asyncio.sleep(0.01)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
    assert isinstance(failed.value.cause, CancelledError)
    assert "note_waiting" not in script.names()


async def test_a_cancelled_run_takes_back_what_an_earlier_one_booked(temporal_client: Client) -> None:
    """Won after all, and cancelled while it waits for its turn: the books are true all the same."""
    later = ApplicationError("the payment's own run is still open", type="PaymentStillOpen")
    script = Script(
        {
            "fetch_dispute": DISPUTE.model_copy(update={"begun": True}),
            "take_turn": later,
            "find_credit_note": [NOTE, None],
            "find_paid_out": [PaidOut(zoho_refund_id="cr-1"), None],
        }
    )
    async with on_stage(temporal_client, script) as stage:
        handle = await begun(stage, UNHELD)
        while "take_turn" not in script.names():
            await asyncio.sleep(0.01)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert {"delete_credit_refund", "void_credit_note", "end_turn"} <= set(script.names())
