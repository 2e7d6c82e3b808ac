"""A refund that an adjustment proposed and that came to nothing: it failed, or its run was aborted."""

from __future__ import annotations

import uuid

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from domain.attention import AttentionClass
from domain.proposals import OrderFound
from domain.refunds import RefundStatus
from domain.runs import StepDone
from tests.workflows.fakes import Script, on_stage
from tests.workflows.samples import NOTE, PROPOSALS, REFUND, UNPAID_BACK
from tests.workflows.test_adjustments import GONE_BACK, answered, asks, begun


async def aborted(client: Client, script: Script) -> str:
    """What a run says that is aborted because Zoho refuses to book that the money went back."""
    script.answers["pay_out"] = ApplicationError("no", {"service": "zoho"}, type="Refused", non_retryable=True)
    async with on_stage(client, script) as stage:
        handle = await begun(stage)
        await asks(handle, AttentionClass.APPROVAL_NEEDED)
        await answered(handle, "approve")
        await asks(handle, AttentionClass.ZOHO_REFUSED)
        await answered(handle, "abort", reason="pays in cash")
        with pytest.raises(WorkflowFailureError) as ended:
            await handle.result()
        return str(ended.value.cause)


async def test_an_abort_takes_out_the_note_of_a_refund_that_failed_meanwhile(temporal_client: Client) -> None:
    """Zoho refuses the money, the refund fails while that waits: no credit note of it stands in the end."""
    failed = UNPAID_BACK.model_copy(update={"failed": ("re_1",)})
    script = Script(
        {
            "fetch_return_money": [UNPAID_BACK, UNPAID_BACK, failed],
            "find_credit_note": [NOTE, None],
        }
    )
    said = await aborted(temporal_client, script)
    assert "taken back: credit note CN-1; no money went back" in said
    assert [one.creditnote_id for one in script.inputs("void_credit_note")] == ["cn-1"]


async def test_nothing_is_taken_back_before_it_is_our_turn(temporal_client: Client) -> None:
    """The turn was given back while a person thought, and another run writes: the abort waits for its end."""
    later = ApplicationError("another change is being carried over", type="ChangeUnderWay")
    script = Script(
        {
            "fetch_return_money": [UNPAID_BACK, UNPAID_BACK, GONE_BACK],
            "take_turn": [StepDone(), StepDone(), later, later, StepDone()],
            "find_credit_note": [NOTE, None],
        }
    )
    await aborted(temporal_client, script)
    written = [name for name in script.names() if name in ("take_turn", "pay_out", "void_credit_note", "end_turn")]
    assert written[written.index("pay_out") :] == [
        "pay_out",
        "end_turn",
        *["take_turn"] * 3,
        "void_credit_note",
        "end_turn",
    ]


async def test_a_refund_that_fails_at_once_writes_nothing(temporal_client: Client) -> None:
    """The buyer still waits for the money, and a person is asked."""
    script = Script({"fetch_refund": REFUND.model_copy(update={"status": RefundStatus.FAILED})})
    async with on_stage(temporal_client, script) as stage:
        handle = await begun(stage)
        await asks(handle, AttentionClass.APPROVAL_NEEDED)
        await answered(handle, "approve")
        await asks(handle, AttentionClass.REFUND_FAILED)
        assert "create_credit_note" not in script.names()
        await answered(handle, "abort", reason="paid in cash")


async def test_a_failed_refund_is_not_given_again_for_another_order(temporal_client: Client) -> None:
    """Begun anew by the refund, which tells the payment; the adjustment has come to name another since."""
    script = Script(
        {
            "fetch_return_money": UNPAID_BACK.model_copy(update={"failed": ("re_0",)}),
            "find_named_order": [OrderFound(salesorder_id="so-1"), OrderFound(salesorder_id="so-2")],
        }
    )
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.adjustment(uuid.uuid4().hex, PROPOSALS, "pi_1")
        await asks(handle, AttentionClass.REFUND_FAILED)
        await answered(handle, "retry")
        assert "was about another" in (await asks(handle, AttentionClass.ADJUSTMENT_UNMATCHED)).message
        assert "give_back" not in script.names()
