"""A refund, told on the real server with activities that answer from a script."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from domain.attention import AttentionClass
from domain.credits import CreditWritten, PaidOut
from domain.hand_credits import CreditRow, HandCredits
from domain.money import Money
from domain.refunds import RefundStatus
from domain.runs import ResolveInput, Stage, StepDone
from domain.sales import OrderWritten
from tests.workflows.fakes import Script, event, on_stage
from tests.workflows.samples import NOTE, QUICK, REFUND, SOLD
from tests.workflows.test_payments import until_parked, until_stage
from workflows import contract

SALE = ["read_sale", "read_sold_lines"]
BOOKED = ["create_credit_note", "find_account", "pay_out", "mark_refund"]
END = ["end_turn", "notify_refund"]
PENDING = REFUND.model_copy(update={"status": RefundStatus.PENDING})
FAILED = REFUND.model_copy(update={"status": RefundStatus.FAILED, "reason": "lost_or_stolen_card"})


async def carried(client: Client, script: Script, kind: str = "refund.created") -> Any:
    """What a refund's run comes to."""
    async with on_stage(client, script) as stage:
        start = stage.payment()
        refund_id = f"re_{start.payment_id[3:]}"
        return await (await stage.refund(start, event(refund_id, kind))).result()


async def test_a_refund_is_two_reads_and_two_writes(temporal_client: Client) -> None:
    """The sale, its lines, the account; the credit note and the money; and the note in Stripe."""
    script = Script()
    result = await carried(temporal_client, script)
    assert script.names() == ["fetch_refund", "take_turn", *SALE, *BOOKED, *END]
    assert (result["stage"], result["creditnote_id"], result["zoho_refund_id"]) == (Stage.CREDITED, "cn-1", "cr-1")
    (note,) = script.inputs("create_credit_note")
    assert [(line.item_id, line.gross, line.restock) for line in note.lines] == [("i-1", REFUND.money, True)]


async def test_a_lost_memory_costs_a_search(temporal_client: Client) -> None:
    """The order by its number, and whether the credit note is there already, looked for twice."""
    script = Script({"fetch_refund": REFUND.model_copy(update={"salesorder_id": ""})})
    await carried(temporal_client, script)
    looks = ["find_credit_note", "find_credit_note"]
    assert script.names() == ["fetch_refund", "take_turn", "find_sale", *SALE, *looks, *BOOKED, *END]


BY_HAND = ["find_credit_note", "find_credits_by_hand"]
ALIKE = HandCredits(alike=(CreditRow(creditnote_id="cn-9", number="HAND-CN", status="closed", total=REFUND.money),))


async def before(client: Client, script: Script, *answers: dict[str, str]) -> Any:
    """What the run of a refund that a backfill found comes to; where it asks, the answers are given."""
    async with on_stage(client, script) as stage:
        start = stage.payment().model_copy(update={"backfilled": True})
        handle = await stage.refund(start, event(f"re_{start.payment_id[3:]}", "refund.created"))
        for answer in answers:
            trouble = await until_parked(handle)
            assert trouble.attention_class is AttentionClass.CREDIT_BY_HAND
            await handle.signal(contract.RESUME, answer)
        return await handle.result()


async def test_a_refund_from_before_is_looked_for_and_nobody_is_told(temporal_client: Client) -> None:
    """By its id, then by customer, amount and day: two calls more than a live one, and no message."""
    script = Script()
    await before(temporal_client, script)
    assert script.names() == ["fetch_refund", "take_turn", *SALE, *BY_HAND, *BOOKED, "end_turn"]


async def test_a_credit_note_that_names_the_refund_is_taken(temporal_client: Client) -> None:
    """What it lacks is booked, that the money went back; both are remembered."""
    script = Script({"find_credit_note": NOTE})
    result = await before(temporal_client, script)
    assert result["creditnote_id"] == NOTE.creditnote_id
    assert "create_credit_note" not in script.names()
    assert script.names()[-5:] == ["find_account", "pay_out", "keep_credit_found", "mark_refund", "end_turn"]


async def test_about_a_credit_note_that_is_only_alike_a_person_is_asked(temporal_client: Client) -> None:
    """Skipped, a new one is written; and one that names the refund over another amount is not taken."""
    skip = {"action": "skip", "reason": "another refund's", "by": "Ada"}
    script = Script({"find_credits_by_hand": ALIKE})
    assert (await before(temporal_client, script, skip))["creditnote_id"] == NOTE.creditnote_id
    assert script.names().count("create_credit_note") == 1
    other = NOTE.model_copy(update={"total": Money(minor=1, currency=REFUND.money.currency)})
    script = Script({"find_credit_note": [other, NOTE]})
    await before(temporal_client, script, {"action": "retry", "by": "Ada"})
    assert "create_credit_note" not in script.names()


async def test_a_credit_note_that_people_entered_is_not_taken_back(temporal_client: Client) -> None:
    """Aborted later on, the run leaves it as it is."""
    refused = ApplicationError("no", type="Refused", non_retryable=True)
    script = Script({"find_credit_note": NOTE, "mark_refund": refused})
    async with on_stage(temporal_client, script) as stage:
        start = stage.payment().model_copy(update={"backfilled": True})
        handle = await stage.refund(start, event(f"re_{start.payment_id[3:]}", "refund.created"))
        await until_parked(handle)
        await handle.signal(contract.RESUME, {"action": "abort", "reason": "leave it", "by": "Ada"})
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert {"unmark_refund", "end_turn"} <= set(script.names())
    assert {"void_credit_note", "delete_credit_refund"}.isdisjoint(script.names())


async def test_a_lost_answer_is_looked_for_before_anything_is_repeated(temporal_client: Client) -> None:
    """Found, it is not written again."""
    script = Script({"create_credit_note": CreditWritten(unknown=True, asked=1), "find_credit_note": NOTE})
    await carried(temporal_client, script)
    assert script.names().count("create_credit_note") == 1


async def test_a_pending_refund_is_waited_for(temporal_client: Client) -> None:
    """Stripe says pending; its next word wakes the run."""
    script = Script({"fetch_refund": [PENDING, REFUND]})
    async with on_stage(temporal_client, script) as stage:
        policy = QUICK.model_copy(update={"refund_patience": QUICK.remind_every})
        start = stage.payment(policy=policy)
        handle = await stage.refund(start, event(f"re_{start.payment_id[3:]}", "refund.created"))
        await until_stage(handle, Stage.WAITING_FOR_MONEY)
        await handle.signal(contract.REFUND_EVENT, event("re_1", "refund.updated", "status"))
        assert (await handle.result())["stage"] == Stage.CREDITED
    assert script.names()[:3] == ["fetch_refund", "fetch_refund", "take_turn"]


async def test_a_failure_told_while_it_is_booked_is_heard(temporal_client: Client) -> None:
    """Stripe was read before: it is read again before the run closes, and what was booked is taken back."""
    told: list[bool] = []
    script = Script(
        {
            "fetch_refund": [REFUND, FAILED],
            "take_turn": lambda wanted: StepDone() if told else ApplicationError("not yet", type="ChangeUnderWay"),
            "find_credit_note": [NOTE, None],
        }
    )
    async with on_stage(temporal_client, script) as stage:
        start = stage.payment()
        handle = await stage.refund(start, event(f"re_{start.payment_id[3:]}", "refund.created"))
        while "take_turn" not in script.names():
            await asyncio.sleep(0.01)
        await handle.signal(contract.REFUND_EVENT, event("re_1", "refund.failed"))
        told.append(True)
        result = await handle.result()
    assert result["stage"] == Stage.REOPENED
    assert [name for name in script.names() if "credit_note" in name][-2:] == ["void_credit_note", "find_credit_note"]


async def parked(client: Client, script: Script, answer: Any) -> tuple[Any, WorkflowHandle[Any, Any]]:
    """What a refund's run asks, and the run after the answer."""
    async with on_stage(client, script) as stage:
        start = stage.payment()
        handle = await stage.refund(start, event(f"re_{start.payment_id[3:]}", "refund.created"))
        trouble = await until_parked(handle)
        latest = client.get_workflow_handle(handle.id)
        await latest.execute_update(contract.RESOLVE, answer)
        with suppress(WorkflowFailureError):  # an aborted run fails
            await latest.result()
        return trouble, latest


async def test_a_refund_that_stays_pending_asks_a_person(temporal_client: Client) -> None:
    """After `refund_patience`; asked again, it reads Stripe anew."""
    script = Script({"fetch_refund": [PENDING, REFUND]})
    trouble, _ = await parked(temporal_client, script, {"action": "retry", "by": "ada"})
    assert (trouble.attention_class, trouble.step) == ("refund_pending", "settle")
    assert script.names().count("create_credit_note") == 1


async def test_a_refund_without_an_order_asks_a_person(temporal_client: Client) -> None:
    """Skipped, nothing is booked."""
    script = Script({"fetch_refund": REFUND.model_copy(update={"salesorder_id": ""}), "find_sale": None})
    trouble, _ = await parked(temporal_client, script, {"action": "skip", "reason": "by hand", "by": "ada"})
    assert (trouble.attention_class, trouble.step) == ("not_carried", "sale")
    assert trouble.at_risk == REFUND.money
    assert "create_credit_note" not in script.names()


async def test_a_credit_note_that_comes_to_another_total_is_taken_back(temporal_client: Client) -> None:
    """It parks; aborted, the note is void, and seen to be."""
    other = NOTE.model_copy(update={"total": Money.of(1, "EUR")})
    script = Script({"create_credit_note": other, "find_credit_note": [other, None]})
    trouble, _ = await parked(temporal_client, script, {"action": "abort", "reason": "wrong tax", "by": "ada"})
    assert (trouble.attention_class, trouble.step) == ("totals_differ", "credit_note")
    assert script.names()[-4:] == ["find_paid_out", "void_credit_note", "find_credit_note", "end_turn"]


async def test_nothing_is_taken_back_before_it_is_our_turn(temporal_client: Client) -> None:
    """The turn runs out while a person thinks, and another run writes: the abort waits for its end."""
    later = ApplicationError("another change is being carried over", type="ChangeUnderWay")
    script = Script({"take_turn": [StepDone(), later, later, StepDone()], "find_credit_note": [NOTE, None]})
    script.answers["pay_out"] = ApplicationError("no", {"service": "zoho"}, type="Refused", non_retryable=True)
    await parked(temporal_client, script, {"action": "abort", "reason": "wrong", "by": "ada"})
    names = [name for name in script.names() if name in ("take_turn", "pay_out", "void_credit_note", "end_turn")]
    assert names == ["take_turn", "pay_out", *["take_turn"] * 3, "void_credit_note", "end_turn"]


@pytest.mark.parametrize("cause", ["nothing of worth", "nothing is left"])
async def test_a_refund_that_no_line_can_take_asks_a_person(temporal_client: Client, cause: str) -> None:
    """The invoice tells no amounts, or the refunds before took all of it: booked by hand, it is skipped."""
    answers: dict[str, Any] = {"read_sold_lines": SOLD.model_copy(update={"lines": ()})}
    if cause == "nothing is left":
        answers = {"fetch_refund": REFUND.model_copy(update={"before": (REFUND.captured,)})}
    script = Script(answers)
    trouble, _ = await parked(temporal_client, script, {"action": "skip", "reason": "by hand", "by": "ada"})
    assert (trouble.attention_class, trouble.step) == ("changed_by_hand", "sale")
    assert "create_credit_note" not in script.names()


async def test_an_order_that_was_taken_back_has_nothing_to_credit(temporal_client: Client) -> None:
    """No invoice stands: the run says so and ends."""
    script = Script({"read_sale": SOLD.model_copy(update={"invoice_id": "", "status": "void"})})
    result = await carried(temporal_client, script)
    assert script.names() == ["fetch_refund", "take_turn", "read_sale", *END]
    assert "nothing to credit" in result["notes"][-1]


async def test_an_order_that_the_run_had_voided_before_it_parked_is_taken_back(temporal_client: Client) -> None:
    """The look at the void order was refused: told again, the run keeps that the sale was taken back."""
    script = Script(
        {
            "fetch_refund": REFUND.model_copy(update={"cancelled": True}),
            "read_sale": SOLD.model_copy(update={"invoice_id": "", "status": "void"}),
        }
    )
    await carried(temporal_client, script)
    assert script.names() == ["fetch_refund", "take_turn", "read_sale", "close_round", *END]


async def test_a_hold_that_was_let_go_has_nothing_to_credit(temporal_client: Client) -> None:
    """Nothing was captured, so Zoho is not even asked."""
    script = Script({"fetch_refund": REFUND.model_copy(update={"captured": REFUND.money.zero()})})
    result = await carried(temporal_client, script)
    assert script.names() == ["fetch_refund", "take_turn", *END]
    assert "authorised only" in result["notes"][-1]


async def test_a_refund_that_was_made_for_a_return_is_left_to_its_run(temporal_client: Client) -> None:
    """Booked there, it is not booked here: that run is told, and started anew by a refund that failed."""
    for status, again in ((RefundStatus.SUCCEEDED, False), (RefundStatus.PENDING, False), (RefundStatus.FAILED, True)):
        script = Script({"fetch_refund": REFUND.model_copy(update={"return_id": "ret-1", "status": status})})
        result = await carried(temporal_client, script)
        assert script.names() == ["fetch_refund", "tell_return"]
        (told,) = script.inputs("tell_return")
        assert (told.return_id, told.again, told.event.source) == ("ret-1", again, "refund")
        assert "return ret-1" in result["notes"][-1]


async def test_a_refund_that_an_adjustment_proposed_is_left_to_its_run(temporal_client: Client) -> None:
    """That run is told instead, and started anew by a refund that failed."""
    for status, again in ((RefundStatus.SUCCEEDED, False), (RefundStatus.FAILED, True)):
        script = Script({"fetch_refund": REFUND.model_copy(update={"adjustment_id": "77", "status": status})})
        result = await carried(temporal_client, script)
        assert script.names() == ["fetch_refund", "tell_proposal"]
        (told,) = script.inputs("tell_proposal")
        assert (told.return_id, told.again, told.event.source) == ("77", again, "refund")
        assert "adjustment 77" in result["notes"][-1]


async def test_an_order_that_was_never_invoiced_is_void(temporal_client: Client) -> None:
    """A whole refund cancels it: the order is void, seen to be, and nothing is credited."""
    order = OrderWritten(salesorder_id="so-1", status="confirmed", total=REFUND.money, line_item_ids=("l-1",))
    void = order.model_copy(update={"status": "void"})
    script = Script(
        {
            "read_sale": SOLD.model_copy(update={"invoice_id": "", "zoho_payment_id": ""}),
            "find_sales_order": order,
            "read_sales_order": [order, void],
        }
    )
    result = await carried(temporal_client, script)
    assert script.names().count("void_sales_order") == 1
    assert "create_credit_note" not in script.names()
    assert "it is void" in result["notes"][-1]


@pytest.mark.parametrize("stands", [True, False])
async def test_a_refund_that_failed_leaves_nothing(temporal_client: Client, stands: bool) -> None:
    """What was booked is taken back, the money first; what was not is not."""
    answers: dict[str, Any] = {"fetch_refund": FAILED}
    if stands:
        answers |= {"find_credit_note": [NOTE, None], "find_paid_out": [PaidOut(zoho_refund_id="cr-1"), None]}
    script = Script(answers)
    result = await carried(temporal_client, script, "refund.failed")
    backwards = ["unmark_refund", "delete_credit_refund", "void_credit_note"]
    assert [name for name in script.names() if name in backwards] == (backwards if stands else [])
    assert result["stage"] == Stage.REOPENED
    assert "lost_or_stolen_card" in result["notes"][-1]


@pytest.mark.parametrize("kind", ["refund.created", "charge.refunded", "charge.refund.updated", "v1.refund.failed"])
async def test_every_refund_of_an_event_is_told(temporal_client: Client, kind: str) -> None:
    """An event of a charge may be about several: each run reads for itself what is true."""
    script = Script()
    async with on_stage(temporal_client, script) as stage:
        seen = event("ch_1", kind)
        start = ResolveInput(connection="shop", event=seen, policy=QUICK)
        found = await temporal_client.execute_workflow(
            contract.RESOLVE_WORKFLOW, start, id=f"resolve:shop:{seen.event_id}", task_queue=stage.queue
        )
    assert found == "re_1"
    assert script.names() == ["resolve_refunds", "start_refund"]


@pytest.mark.parametrize("kind", ["charge.dispute.created", "v1.charge.dispute.closed"])
async def test_a_dispute_that_does_not_name_its_payment_is_resolved(temporal_client: Client, kind: str) -> None:
    """Stripe is asked for its payment, and its own run is told."""
    script = Script()
    async with on_stage(temporal_client, script) as stage:
        seen = event("du_1", kind)
        start = ResolveInput(connection="shop", event=seen, policy=QUICK)
        found = await temporal_client.execute_workflow(
            contract.RESOLVE_WORKFLOW, start, id=f"resolve:shop:{seen.event_id}", task_queue=stage.queue
        )
    assert found == "du_1"
    assert script.names() == ["resolve_dispute", "start_dispute"]
