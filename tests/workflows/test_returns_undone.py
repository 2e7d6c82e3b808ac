"""A return that is aborted or cancelled: what it wrote is taken back, and nothing else."""

from __future__ import annotations

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from domain.policy import ReturnTrigger
from domain.returns import ReceiveWritten
from domain.runs import Stage, StepDone
from tests.workflows.fakes import Script, on_stage
from tests.workflows.returning import (
    ABORT,
    ENTERED,
    GONE_BACK,
    LONG_WAIT,
    NOTED,
    PAID,
    RETRY,
    SETTLED,
    Lively,
    anew,
    answered,
    cancelled,
    policy,
    refusing,
)
from tests.workflows.samples import NOTE, RETURN, UNPAID_BACK
from tests.workflows.test_payments import until_stage


@pytest.mark.parametrize(
    ("stuck", "said"),
    [
        ("take_turn", "nothing had been written; no money went back"),
        ("read_sale", "nothing had been written; no money went back"),
        ("give_back", "nothing had been written; no money went back"),
        ("fetch_refund", "nothing had been written; 49.90 EUR went back with re_1"),
        ("create_credit_note", "nothing had been written; 49.90 EUR went back with re_1"),
        ("receive_return", "credit note CN-1; 49.90 EUR went back with re_1"),
        ("find_account", "the receive, credit note CN-1; 49.90 EUR went back with re_1"),
        ("pay_out", "the receive, credit note CN-1; 49.90 EUR went back with re_1"),
        ("mark_refund", "the refund of credit note CN-1, the receive, credit note CN-1; 49.90 EUR went back with re_1"),
        ("mark_return", "the refund of credit note CN-1, the receive, credit note CN-1; 49.90 EUR went back with re_1"),
    ],
)
@pytest.mark.parametrize("how", ["cancelled", "aborted"])
async def test_what_was_written_is_taken_back(temporal_client: Client, stuck: str, said: str, how: str) -> None:
    """Last first, each seen to be gone; the money that went back is named, and the turn given back."""
    script = Lively(stuck)
    if how == "aborted":
        script.answers[stuck] = refusing()
        _, told = await answered(temporal_client, script, ABORT)
    else:
        told = await cancelled(temporal_client, script, stuck)
    assert told.endswith(f"taken back: {said}")
    seen = script.seen(None)
    assert (seen.notes, seen.receives) == ((), ())
    assert not script.stands("pay_out", "delete_credit_refund")
    assert script.names()[-1] == "end_turn"


async def test_a_cancelled_wait_leaves_nothing(temporal_client: Client) -> None:
    """No turn was taken; it is given back all the same, which harms nobody."""
    script = Script({"read_return": ENTERED})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.return_(stage.payment(policy=policy(**LONG_WAIT)), anew())
        await until_stage(handle, Stage.WAITING_FOR_RETURN)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert script.names() == ["read_return", "remember_payment", "fetch_return_money", "end_turn"]


async def test_a_refund_that_is_made_while_the_run_is_cancelled_is_named(temporal_client: Client) -> None:
    """It was on its way: it is looked for twice before anybody says that no money went back."""
    script = Lively("give_back")
    script.answers["fetch_return_money"] = lambda wanted: (
        GONE_BACK if script.names().count("fetch_return_money") == 3 else UNPAID_BACK
    )
    said = await cancelled(temporal_client, script, "give_back")
    assert said.endswith("49.90 EUR went back with re_1")


async def test_an_undo_that_fails_asks_and_is_retried(temporal_client: Client) -> None:
    """What was undone is not undone again."""
    script = Lively("pay_out")
    script.answers["pay_out"] = refusing()
    right = [refusing(), refusing(), StepDone()]
    script.answers["delete_receive"] = lambda wanted: right.pop(0) if len(right) > 1 else right[0]
    _, said = await answered(temporal_client, script, ABORT, RETRY, RETRY)
    assert said.endswith("taken back: the receive, credit note CN-1; 49.90 EUR went back with re_1")
    assert script.done.count("delete_receive") == script.done.count("void_credit_note") == 1


async def test_nothing_is_taken_back_before_it_is_our_turn(temporal_client: Client) -> None:
    """Another run may write the payment's documents while somebody thinks: the abort waits for its end."""
    later = ApplicationError("another change is being carried over", type="ChangeUnderWay")
    script = Lively()
    script.answers["mark_return"] = refusing()
    script.answers["take_turn"] = [StepDone(), later, later, StepDone()]
    _, said = await answered(temporal_client, script, ABORT)
    assert "taken back: the refund of credit note CN-1" in said
    names = script.names()
    names = names[names.index("record_answer") :]
    undone = [name for name in names if name.startswith(("take_turn", "unmark", "delete", "void", "end_turn"))]
    assert undone[:3] == ["take_turn"] * 3
    assert undone[3:] == ["unmark_refund", "delete_credit_refund", "delete_receive", "void_credit_note", "end_turn"]


async def test_an_abort_after_the_refund_failed_takes_back_what_that_one_left(temporal_client: Client) -> None:
    """It fails while a person thinks about another trouble: its own metadata forgets the credit note."""
    script = Lively()
    script.answers["mark_return"] = refusing()
    failed = UNPAID_BACK.model_copy(update={"failed": ("re_1",)})
    script.answers["fetch_return_money"] = lambda wanted: failed if "record_answer" in script.names() else UNPAID_BACK
    _, said = await answered(temporal_client, script, ABORT)
    assert said.endswith("the refund of credit note CN-1, the receive, credit note CN-1; no money went back")
    assert [one.refund_id for one in script.inputs("unmark_refund")] == ["re_1"]


async def test_a_credit_note_that_somebody_wrote_meanwhile_stays(temporal_client: Client) -> None:
    """Zoho refuses ours beside theirs; aborted, ours is looked for by its refund, and theirs is not touched."""
    script = Script({"create_credit_note": refusing(), "read_return": [RETURN, NOTED], "fetch_return_money": GONE_BACK})
    _, said = await answered(temporal_client, script, ABORT)
    assert said.endswith("taken back: nothing had been written; 49.90 EUR went back with re_1")
    assert not {"void_credit_note", "delete_credit_refund"} & set(script.names())


async def test_a_credit_note_that_shows_late_is_taken_back(temporal_client: Client) -> None:
    """It was on its way when the run was cancelled."""
    script = Lively("create_credit_note")
    script.answers["find_credit_note"] = [None, NOTE, None]
    await cancelled(temporal_client, script, "create_credit_note")
    assert [one.creditnote_id for one in script.inputs("void_credit_note")] == ["cn-1"]


async def test_money_that_somebody_else_paid_out_in_the_books_stays_so(temporal_client: Client) -> None:
    """The bookkeeper has booked the credit note's refund, which made the money go back: an abort leaves hers."""
    script = Script({"read_return": SETTLED, "find_paid_out": PAID, "mark_return": refusing()})
    script.answers["fetch_return_money"] = lambda wanted: GONE_BACK if "give_back" in script.names() else UNPAID_BACK
    _, said = await answered(temporal_client, script, ABORT, trigger=ReturnTrigger.CREDIT_NOTE_REFUND)
    assert "delete_credit_refund" not in script.names()
    assert said.endswith("taken back: the receive; 49.90 EUR went back with re_1")


async def test_goods_that_are_received_while_the_run_is_cancelled_are_taken_out_again(temporal_client: Client) -> None:
    """The receive was on its way: it is looked for twice."""
    script = Lively("receive_return")
    script.answers["own_receives"] = [ReceiveWritten(), ReceiveWritten(receive_ids=("rc-1",))]
    await cancelled(temporal_client, script, "receive_return")
    assert [one.receive_id for one in script.inputs("delete_receive")] == ["rc-1"]
    looks = [one.before for one in script.inputs("read_return")]
    assert () in looks, "what was received before the run's own receive is not ours"
    assert looks[0] is None, "and until then nothing is"


async def test_money_that_is_booked_while_the_run_is_cancelled_is_taken_out_of_their_note(
    temporal_client: Client,
) -> None:
    """A note of somebody else's stays, and is open as it was."""
    script = Lively("pay_out")
    script.answers |= {"read_return": NOTED, "find_paid_out": [None, PAID, None]}
    await cancelled(temporal_client, script, "pay_out", trigger=ReturnTrigger.CREDIT_NOTE)
    assert [one.zoho_refund_id for one in script.inputs("delete_credit_refund")] == ["cr-1"]
    assert "void_credit_note" not in script.names()
