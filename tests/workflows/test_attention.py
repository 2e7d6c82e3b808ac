"""A run that cannot go on waits for a person, and does what the person says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError, CancelledError

from domain.attention import AmendableField, Amendment, Trouble
from domain.payments import PaymentStatus
from domain.plans import OrderPlan
from domain.problems import Problem, ProblemCode
from domain.runs import FetchedPayment
from domain.sales import InvoiceWritten, OrderWritten, ReceiptWritten
from tests.workflows.fakes import Script, Stage, on_stage
from tests.workflows.samples import FEE, QUICK, TOTAL, known_plan
from tests.workflows.test_payments import STORY, until_parked
from workflows import contract

PROBLEM = Problem(code=ProblemCode.UNKNOWN_SKU, message="Zoho has no active item with SKU 'X'")
TWO_LINES = FetchedPayment(
    status=PaymentStatus.PAID, money=TOTAL, charge_id="ch_1", facts_ref="f", lines=("li_a", "li_b"), fee=FEE
)


def once_a_problem(*problems: OrderPlan) -> Any:
    """`prepare_order` finds the problem as often as given, then none."""
    left = list(problems) or [OrderPlan(problems=(PROBLEM,))]

    def answer(wanted: Any) -> OrderPlan:
        return left.pop(0) if left else known_plan(wanted.payment_id)

    return answer


@asynccontextmanager
async def a_parked_run(
    client: Client, script: Script, **policy: Any
) -> AsyncIterator[tuple[Stage, WorkflowHandle[Any, Any], Trouble]]:
    """A run that waits for a person."""
    script.answers.setdefault("prepare_order", once_a_problem())
    async with on_stage(client, script) as stage:
        handle = await stage.start(stage.payment(policy=QUICK.model_copy(update=policy)))
        trouble = await until_parked(handle)
        yield stage, client.get_workflow_handle(handle.id), trouble


async def shown(handle: WorkflowHandle[Any, Any]) -> str:
    """The current details, as the Temporal UI shows them."""
    metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return str(metadata.current_details)


async def test_retry_by_signal_goes_on_and_ends_paid(temporal_client: Client) -> None:
    """The plain signal of Temporal's own command line is enough."""
    script = Script()
    async with a_parked_run(temporal_client, script, tell_after=timedelta(days=1)) as (_, handle, trouble):
        assert trouble.attention_class == "unknown_sku"
        await handle.signal(contract.RESUME, {"action": "retry"})
        result = await handle.result()
    assert result["stage"] == "paid"
    assert script.names() == [
        "fetch_payment",
        "prepare_order",
        "note_waiting",
        "record_answer",
        "tell_resolved",
        *STORY,
    ]
    assert script.inputs("record_answer")[0].by == "unknown"


async def test_a_bare_word_is_an_answer(temporal_client: Client) -> None:
    """`--input '"retry"'` is what people type first."""
    script = Script()
    async with a_parked_run(temporal_client, script) as (_, handle, _):
        await handle.signal(contract.RESUME, "retry")
        assert (await handle.result())["stage"] == "paid"


async def test_update_names_who_answered(temporal_client: Client) -> None:
    """The command sends the operator's name, which goes into the audit trail."""
    script = Script()
    async with a_parked_run(temporal_client, script) as (_, handle, _):
        said = await handle.execute_update(contract.RESOLVE, {"action": "retry", "by": "ada", "reason": "item made"})
        await handle.result()
    assert said == "retry"
    record = script.inputs("record_answer")[0]
    assert (record.by, record.reason, record.attention_class) == ("ada", "item made", "unknown_sku")


async def test_amend_carries_the_correction_into_the_plan(temporal_client: Client) -> None:
    """A line is named by its position or its id; the correction outlives later parkings."""
    script = Script({"fetch_payment": TWO_LINES})
    async with a_parked_run(temporal_client, script) as (_, handle, trouble):
        assert trouble.lines == ("li_a", "li_b")
        amendment = {"line": "2", "field": "sku", "value": "MUG"}
        await handle.signal(contract.RESUME, {"action": "amend", "amendments": [amendment]})
        await handle.result()
    assert script.inputs("prepare_order")[-1].amendments == (
        Amendment(line="li_b", field=AmendableField.SKU, value="MUG"),
    )


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"action": "skip", "reason": "no"}, "skip is no answer to unknown_sku"),
        ({"action": "abort"}, "abort needs a reason"),
        ({"action": "amend"}, "at least one amendment"),
        (
            {"action": "amend", "amendments": [{"line": "9", "field": "sku", "value": "X"}]},
            "there is no line '9'",
        ),
        ({"action": "amend", "amendments": [{"line": "1", "field": "price", "value": "1"}]}, "field"),
        ({"action": "dance"}, "action"),
        ({"action": "retry", "colour": "red"}, "no colour"),
        (["retry"], "JSON object"),
    ],
)
async def test_wrong_answer_is_refused_with_the_reason_and_nothing_is_lost(
    temporal_client: Client, said: Any, why: str
) -> None:
    """By update at once, by signal in the current details; the run waits on and takes the next answer."""
    script = Script({"fetch_payment": TWO_LINES})
    async with a_parked_run(temporal_client, script) as (_, handle, _):
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(contract.RESOLVE, said)
        assert why in str(refused.value.cause)
        await handle.signal(contract.RESUME, said)
        assert why in await shown(handle)
        await handle.signal(contract.RESUME, "retry")
        assert (await handle.result())["stage"] == "paid"


async def test_answer_to_a_run_that_does_not_wait_is_refused(temporal_client: Client) -> None:
    """Nothing is parked, so nothing can be answered."""
    patient = QUICK.model_copy(update={"unpaid_patience": timedelta(seconds=60)})
    unpaid = FetchedPayment(status=PaymentStatus.UNPAID, money=TOTAL, facts_ref="f")
    script = Script({"fetch_payment": unpaid})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment(policy=patient))
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(contract.RESOLVE, {"action": "retry"})
        assert "not waiting" in str(refused.value.cause)
        await handle.terminate()


async def test_of_two_answers_the_first_counts(temporal_client: Client) -> None:
    """Two people at once: one is obeyed, the other is told who was first."""
    script = Script()
    async with a_parked_run(temporal_client, script) as (_, handle, _):
        answers = [handle.execute_update(contract.RESOLVE, {"action": "retry", "by": who}) for who in ("ada", "bob")]
        said = await asyncio.gather(*answers, return_exceptions=True)
        await handle.result()
    refused = [one for one in said if isinstance(one, WorkflowUpdateFailedError)]
    assert len(refused) <= 1
    assert len(script.inputs("record_answer")) == 1


async def test_abort_before_any_write_takes_nothing_back(temporal_client: Client) -> None:
    """The run closes as failed, and says where the money is."""
    script = Script()
    async with a_parked_run(temporal_client, script) as (_, handle, _):
        await handle.signal(contract.RESUME, {"action": "abort", "reason": "test payment"})
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()
    cause = raised.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == "Aborted"
    assert "Stripe still holds 49.90 EUR" in cause.message
    assert "void_sales_order" not in script.names()


ORDERED = OrderWritten(
    salesorder_id="so-1",
    status="confirmed",
    total=TOTAL,
    line_item_ids=("l-1",),
    invoices=(InvoiceWritten(invoice_id="in-1", number="INV-1", status="paid", total=TOTAL, balance=TOTAL.zero()),),
)


def standing() -> dict[str, Any]:
    """Zoho as it answers while a paid order is taken back step by step."""
    stands = {"payment": True, "invoice": True, "order": True}

    def take(what: str) -> Any:
        def answer(_: Any) -> dict[str, Any]:
            stands[what] = False
            return {}

        return answer

    def invoice(_: Any) -> InvoiceWritten:
        return InvoiceWritten(
            invoice_id="in-1",
            number="INV-1",
            status="paid" if stands["invoice"] else "void",
            total=TOTAL,
            balance=TOTAL.zero() if stands["payment"] else TOTAL,
            payment_ids=("pay-1",) if stands["payment"] else (),
        )

    return {
        "find_sales_order": lambda _: ORDERED if stands["order"] else None,
        "read_sales_order": lambda _: ORDERED.model_copy(update={} if stands["order"] else {"status": "void"}),
        "read_invoice": invoice,
        "delete_payment": take("payment"),
        "void_invoice": take("invoice"),
        "void_sales_order": take("order"),
    }


async def test_abort_takes_everything_back_in_reverse_and_sees_that_it_worked(temporal_client: Client) -> None:
    """Payment, invoice, order: each undone after the one that came later, each read back."""
    left = ReceiptWritten(zoho_payment_id="pay-1", balance=TOTAL)
    script = Script({"prepare_order": once_a_problem(known_plan("pi_x")), "record_payment": left, **standing()})
    async with a_parked_run(temporal_client, script) as (_, handle, trouble):
        assert trouble.attention_class == "balance_left"
        await handle.signal(contract.RESUME, {"action": "abort", "reason": "wrong shop"})
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    undone = [n for n in script.names() if n in ("delete_payment", "void_invoice", "void_sales_order", "close_round")]
    assert undone == ["delete_payment", "void_invoice", "void_sales_order", "close_round"]


async def test_cancel_takes_everything_back(temporal_client: Client) -> None:
    """`temporal workflow cancel` leaves the books as they were."""
    script = Script({"prepare_order": lambda w: known_plan(w.payment_id), "record_payment": RuntimeError("away")})
    script.answers |= standing()
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment())
        async with asyncio.timeout(20):
            while "record_payment" not in script.names():
                await asyncio.sleep(0.02)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()
    assert isinstance(raised.value.cause, CancelledError)
    undone = [n for n in script.names() if n in ("delete_payment", "void_invoice", "void_sales_order")]
    assert undone == ["delete_payment", "void_invoice", "void_sales_order"]


async def test_undo_that_fails_parks_loudly_and_goes_on_at_retry(temporal_client: Client) -> None:
    """What could not be taken back is named; a retry goes on undoing, not doing."""
    left = ReceiptWritten(zoho_payment_id="pay-1", balance=TOTAL)
    refused = ApplicationError("zoho 400: has a shipment", {"service": "zoho"}, type="Refused", non_retryable=True)
    zoho = standing()
    void = zoho["void_sales_order"]
    tries = iter([refused])
    zoho["void_sales_order"] = lambda wanted: next(tries, None) or void(wanted)
    script = Script({"prepare_order": once_a_problem(known_plan("pi_x")), "record_payment": left, **zoho})
    async with a_parked_run(temporal_client, script) as (_, handle, _):
        await handle.signal(contract.RESUME, {"action": "abort", "reason": "wrong shop"})
        trouble = await until_undo_parked(handle)
        assert trouble.attention_class == "undo_failed"
        assert "the sales order" in trouble.message
        await handle.signal(contract.RESUME, "retry")
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()
    assert getattr(raised.value.cause, "type", "") == "Aborted"
    assert script.names().count("delete_payment") == 1
    assert script.names().count("record_payment") == 1


async def until_undo_parked(handle: WorkflowHandle[Any, Any]) -> Trouble:
    """The trouble of the undo, in its own fresh history."""
    async with asyncio.timeout(20):
        while True:
            found = await handle.query(contract.TROUBLE)
            trouble = Trouble.model_validate(found) if found else None
            if trouble is not None and trouble.attention_class == "undo_failed":
                return trouble
            await asyncio.sleep(0.02)


async def test_skipped_step_is_left_out(temporal_client: Client) -> None:
    """The order is complete without the note in Stripe's metadata; skipping it needs a reason."""
    refused = ApplicationError("stripe 403: no right", {"service": "stripe"}, type="NotAllowed", non_retryable=True)
    script = Script({"prepare_order": lambda w: known_plan(w.payment_id), "write_back": refused})
    async with a_parked_run(temporal_client, script) as (_, handle, trouble):
        assert (trouble.step, trouble.skippable) == ("write_back", True)
        await handle.signal(contract.RESUME, {"action": "skip", "reason": "key has no right"})
        assert (await handle.result())["stage"] == "paid"
    assert script.names().count("write_back") == 1


async def test_people_are_reminded_and_the_history_stays_small(temporal_client: Client) -> None:
    """Each reminder is one timer and one activity; the wait itself costs nothing."""
    script = Script()
    async with a_parked_run(temporal_client, script, remind_every=timedelta(milliseconds=50)) as (_, handle, _):
        async with asyncio.timeout(20):
            while len(script.inputs("tell_attention")) < 4:
                await asyncio.sleep(0.02)
        await handle.signal(contract.RESUME, "retry")
        await handle.result()
    numbers = [notice.number for notice in script.inputs("tell_attention")]
    assert numbers[:4] == [1, 2, 3, 4]
    assert "waits for a person" in script.inputs("tell_attention")[0].message


async def test_parked_runs_are_found_by_one_query(temporal_client: Client) -> None:
    """NeedsAttention and its class are search attributes, and go when the run goes on."""
    script = Script()
    async with a_parked_run(temporal_client, script) as (_, handle, _):
        shown = (await handle.describe()).typed_search_attributes
        assert shown[contract.NEEDS_ATTENTION] is True
        assert shown[contract.ATTENTION_CLASS] == "unknown_sku"
        assert shown[contract.STAGE] == "needs-attention"
        await handle.signal(contract.RESUME, "retry")
        await handle.result()
        after = (await handle.describe()).typed_search_attributes
    assert after[contract.NEEDS_ATTENTION] is False


async def test_a_parked_run_says_the_command_in_the_ui(temporal_client: Client) -> None:
    """An operator copies the command from the current details."""
    script = Script({"fetch_payment": TWO_LINES})
    async with a_parked_run(temporal_client, script) as (_, handle, _):
        details = await shown(handle)
        await handle.terminate()
    assert f"temporal workflow signal --workflow-id {handle.id} --name resume" in details
    assert "49.90 EUR at risk" in details
    assert "li_a" in details
