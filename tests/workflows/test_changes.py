"""A change of a closed payment, told on the real server with activities that answer from a script."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from domain.attention import Trouble
from domain.corrections import ChangePlan, CustomerPayments, PersonSeen
from domain.money import Money
from domain.payers import AddressPlan, AddressUse
from domain.policy import ForeignFee
from domain.receipts import ReceiptFound
from domain.runs import StepDone
from domain.sales import OrderWritten
from tests.workflows.fakes import Script, event, on_stage
from tests.workflows.samples import FEE, ORDER, QUICK, RECORD, TOTAL
from tests.workflows.test_payments import until_parked
from workflows import contract

PLAN = ChangePlan(
    money=TOTAL, paid=True, salesorder_id="so-1", invoice_id="in-1", zoho_payment_id="pay-1", fee=FEE, order=ORDER
)
STANDS = OrderWritten(salesorder_id="so-1", status="confirmed", total=TOTAL, line_item_ids=("l-1",))
UNCHARGED = RECORD.model_copy(update={"bank_charges": TOTAL.zero()})
TURN, END = ["take_turn", "plan_change"], ["keep_change", "end_turn"]
FEE_SEEN = ["read_receipt", "keep_fee_found"]  # where the fee is on the recorded payment already
NEW_ADDRESS = AddressPlan(missing=(AddressUse.SHIPPING,))


def plan(**changes: Any) -> ChangePlan:
    """The plan of a change of nothing, but for `changes`."""
    return PLAN.model_copy(update=changes)


async def changed(client: Client, script: Script, **policy: Any) -> Any:
    """Carry one change over."""
    async with on_stage(client, script) as stage:
        start = stage.payment(policy=QUICK.model_copy(update=policy))
        return await (await stage.change(start, event("ch_1", "charge.updated"))).result()


@asynccontextmanager
async def a_parked_change(client: Client, script: Script) -> AsyncIterator[tuple[WorkflowHandle[Any, Any], Trouble]]:
    """A change that waits for a person."""
    async with on_stage(client, script) as stage:
        handle = await stage.change(stage.payment(), event("ch_1", "charge.updated"))
        trouble = await until_parked(handle)
        yield client.get_workflow_handle(handle.id), trouble


async def test_nothing_changed_reads_and_writes_nothing(temporal_client: Client) -> None:
    """The truth is as it was written: one read of the recorded payment, for its fee, is all that Zoho is asked."""
    script = Script({"plan_change": PLAN})
    result = await changed(temporal_client, script)
    assert script.names() == [*TURN, *FEE_SEEN, *END]
    assert result["corrected"] == []


async def test_payment_without_an_order_has_nothing_to_correct(temporal_client: Client) -> None:
    """An event of a payment that never became an order, or was taken back, ends in its turn."""
    script = Script()
    await changed(temporal_client, script)
    assert script.names() == [*TURN, "end_turn"]


async def test_late_fee_is_read_compared_and_booked(temporal_client: Client) -> None:
    """Days later, two calls: the payment as it stands, and the fee on it."""
    script = Script({"plan_change": PLAN, "read_receipt": UNCHARGED})
    result = await changed(temporal_client, script)
    assert script.names() == [*TURN, "read_receipt", "book_fee", *END]
    assert result["corrected"] == ["fee"]
    wanted = script.inputs("book_fee")[0]
    assert (wanted.charges, wanted.change) == (FEE.amount, result["event_id"])


async def test_foreign_fee_is_left_as_the_policy_says(temporal_client: Client) -> None:
    """Left to the payout, and said."""
    fee = FEE.model_copy(update={"amount": Money.of(175, "USD")})
    script = Script({"plan_change": plan(fee=fee)})
    result = await changed(temporal_client, script, foreign_fee=ForeignFee.LEAVE)
    assert script.names() == [*TURN, *END]
    assert any("1.75 USD" in note for note in result["notes"])


async def test_new_address_is_added_and_put_on_the_order(temporal_client: Client) -> None:
    """The contact keeps the old one; the order's lines keep their ids, and the invoice, paid, keeps what it said."""
    script = Script({"plan_change": plan(addressed=True), "plan_addresses": NEW_ADDRESS, "read_sales_order": STANDS})
    result = await changed(temporal_client, script)
    names = [*TURN, *FEE_SEEN, "plan_addresses", "add_address", "read_sales_order", "update_sales_order", *END]
    assert script.names() == names
    wanted = script.inputs("update_sales_order")[0]
    assert (wanted.addresses.shipping_address_id, wanted.line_item_ids) == ("a-9", ("l-1",))
    assert script.inputs("keep_change")[0].addresses.shipping_address_id == "a-9"
    assert result["corrected"] == ["address"]
    assert any("invoice" in note for note in result["notes"])


async def test_custom_fields_cost_a_look_and_a_write(temporal_client: Client) -> None:
    """No address is asked for where none changed."""
    script = Script({"plan_change": plan(fields=True), "read_sales_order": STANDS})
    result = await changed(temporal_client, script)
    assert script.names() == [*TURN, *FEE_SEEN, "read_sales_order", "update_sales_order", *END]
    assert result["corrected"] == ["fields"]


async def test_person_is_corrected_once_and_not_where_it_says_so_already(temporal_client: Client) -> None:
    """E-mail, name and phone at the contact's person."""
    script = Script({"plan_change": plan(person=True)})
    result = await changed(temporal_client, script)
    assert script.names() == [*TURN, *FEE_SEEN, "find_person", "update_person", *END]
    assert (script.inputs("update_person")[0].person_id, result["corrected"]) == ("cp-1", ["person"])
    same = Script({"plan_change": plan(person=True), "find_person": PersonSeen(person_id="cp-1", same=True)})
    assert (await changed(temporal_client, same))["corrected"] == []
    assert "update_person" not in same.names()


@pytest.mark.parametrize(
    ("write", "look", "found", "what"),
    [
        ("book_fee", "find_fee", StepDone(), {"read_receipt": UNCHARGED}),
        ("update_person", "see_person", StepDone(), {"plan_change": plan(person=True, fee=None)}),
        (
            "update_sales_order",
            "find_correction",
            STANDS,
            {"plan_change": plan(fields=True, fee=None), "read_sales_order": STANDS},
        ),
    ],
)
async def test_lost_answer_is_looked_for_before_it_is_written_again(
    temporal_client: Client, write: str, look: str, found: Any, what: dict[str, Any]
) -> None:
    """Found, it is taken as written; not found after two looks, it is written once more."""
    lost = {"unknown": True, "asked": 1}
    seen = Script({"plan_change": PLAN, **what, write: lost, look: found})
    await changed(temporal_client, seen)
    assert [name for name in seen.names() if name in (write, look)] == [write, look]
    good = Script().answer(write, None)
    unseen = Script({"plan_change": PLAN, **what, write: [lost, good]})
    await changed(temporal_client, unseen)
    assert [name for name in unseen.names() if name in (write, look)] == [write, look, look, write]
    assert [wanted.after for wanted in unseen.inputs(write)] == [0, 1]


async def test_open_payment_is_waited_for(temporal_client: Client) -> None:
    """One writer: the turn is asked for until the payment's own run has closed."""
    still_open = ApplicationError("still open", type="PaymentStillOpen")
    script = Script({"take_turn": [still_open, still_open, StepDone()], "plan_change": PLAN})
    await changed(temporal_client, script)
    assert script.names().count("take_turn") == 3
    assert script.names().count("plan_change") == 1


@pytest.mark.parametrize(
    ("answers", "attention_class", "step"),
    [
        ({"plan_change": plan(money=Money.of(4000, "EUR"))}, "money_changed", "money"),
        ({"plan_change": plan(paid=False)}, "money_changed", "money"),
        ({"plan_change": plan(person=True), "find_person": PersonSeen()}, "person_missing", "person"),
        (
            {"plan_change": plan(fields=True), "read_sales_order": STANDS.model_copy(update={"status": "void"})},
            "changed_by_hand",
            "order",
        ),
        (
            {"plan_change": plan(fields=True), "read_sales_order": STANDS.model_copy(update={"line_item_ids": ()})},
            "changed_by_hand",
            "order",
        ),
        (
            {
                "plan_change": plan(fields=True),
                "read_sales_order": STANDS,
                "update_sales_order": STANDS.model_copy(update={"total": Money.of(1, "EUR")}),
            },
            "changed_by_hand",
            "order",
        ),
        ({"plan_change": plan(zoho_payment_id=""), "find_receipt": ReceiptFound()}, "receipt_missing", "fee"),
    ],
)
async def test_what_no_program_can_correct_parks_and_may_be_skipped(
    temporal_client: Client, answers: dict[str, Any], attention_class: str, step: str
) -> None:
    """Each has a class of its own; skipped, the run goes on with what it can."""
    script = Script(answers)
    async with a_parked_change(temporal_client, script) as (handle, trouble):
        assert (trouble.attention_class, trouble.step, trouble.skippable) == (attention_class, step, True)
        assert trouble.at_risk is not None
        shown = (await handle.describe()).typed_search_attributes
        assert shown[contract.NEEDS_ATTENTION] is True
        await handle.execute_update(contract.RESOLVE, {"action": "skip", "by": "ada", "reason": "by hand"})
        await handle.result()
    assert script.names()[-1] == "end_turn"
    record = script.inputs("record_answer")[0]
    assert (record.by, record.attention_class, record.change != "") == ("ada", attention_class, True)


async def test_retried_change_compares_anew(temporal_client: Client) -> None:
    """After the cause was put right the story is told from the start."""
    script = Script({"plan_change": [plan(money=Money.of(4000, "EUR")), PLAN]})
    async with a_parked_change(temporal_client, script) as (handle, _):
        await handle.signal(contract.RESUME, "retry")
        await handle.result()
    assert script.names().count("take_turn") == 2
    assert script.names().count("plan_change") == 2


async def test_aborted_change_says_what_stands(temporal_client: Client) -> None:
    """What was corrected is what Stripe says: it stays, and is named; the turn is given back."""
    hand = STANDS.model_copy(update={"status": "void"})
    script = Script({"plan_change": plan(fields=True), "read_receipt": UNCHARGED, "read_sales_order": hand})
    async with a_parked_change(temporal_client, script) as (handle, _):
        await handle.signal(contract.RESUME, {"action": "abort", "reason": "enough"})
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()
    assert isinstance(raised.value.cause, ApplicationError)
    assert raised.value.cause.type == "Aborted"
    assert "corrected until then: fee" in raised.value.cause.message
    assert "end_turn" in script.names()
    assert "delete_payment" not in script.names()


async def test_customers_event_reaches_a_payment_of_each_currency(temporal_client: Client) -> None:
    """The resolver asks Stripe what the customer paid, and tells each payment's run."""
    script = Script({"resolve_customer": CustomerPayments(payment_ids=("pi_eur", "pi_usd"))})
    async with on_stage(temporal_client, script) as stage:
        seen = event("cus_1", "customer.updated", "email")
        await temporal_client.execute_workflow(
            contract.RESOLVE_WORKFLOW,
            {"connection": "shop", "event": seen.model_dump(mode="json")},
            id=contract.resolve_workflow_id("shop", seen.event_id),
            task_queue=stage.queue,
        )
    assert [wanted.payment_id for wanted in script.inputs("start_payment")] == ["pi_eur", "pi_usd"]


async def test_an_event_whose_payment_stripe_does_not_tell_waits_for_a_person(temporal_client: Client) -> None:
    """Nobody else knows of it: refused, it is kept and shown; answered, it is passed on; aborted, it is given up."""
    refused = ApplicationError("no such right", {"service": "stripe", "code": "x"}, type="Refused", non_retryable=True)
    for answer, told in (("retry", ["pi_eur"]), ("skip", []), ("abort", [])):
        script = Script({"resolve_customer": [refused, CustomerPayments(payment_ids=("pi_eur",))]})
        async with on_stage(temporal_client, script) as stage:
            seen = event("cus_1", "customer.updated", "email")
            start = {"connection": "shop", "event": seen.model_dump(mode="json")}
            run = contract.resolve_workflow_id("shop", seen.event_id)
            handle = await temporal_client.start_workflow(
                contract.RESOLVE_WORKFLOW, start, id=run, task_queue=stage.queue
            )
            trouble = await until_parked(handle)
            assert (trouble.attention_class, trouble.step, trouble.skippable) == ("stripe_refused", "resolve", True)
            await handle.signal(contract.RESUME, {"action": answer, "reason": "of a test", "by": "ada"})
            with suppress(WorkflowFailureError):
                await handle.result()
        assert [wanted.payment_id for wanted in script.inputs("start_payment")] == told
