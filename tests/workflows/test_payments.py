"""The payment's story on the real server, with activities that answer from a script."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from domain.attention import Trouble
from domain.money import Money
from domain.payers import AddressPlan, AddressUse, ContactClaim, ContactWritten
from domain.payments import PaymentStatus
from domain.plans import LookUp, LookUpKind, OrderPlan
from domain.problems import Problem, ProblemCode
from domain.runs import FetchedPayment, PaymentInput, Stage, StepDone
from domain.sales import InvoiceWritten, OrderWritten, ReceiptWritten
from tests.workflows.fakes import Script, event, on_stage
from tests.workflows.samples import FEE, QUICK, TOTAL, known_plan
from workflows import contract

STORY = [
    "fetch_payment",
    "prepare_order",
    "create_sales_order",
    "confirm_sales_order",
    "create_invoice",
    "mark_invoice_sent",
    "record_payment",
    "write_back",
]
UNPAID = FetchedPayment(status=PaymentStatus.UNPAID, money=TOTAL, facts_ref="f")
PAID = FetchedPayment(status=PaymentStatus.PAID, money=TOTAL, charge_id="ch_1", facts_ref="f", fee=FEE)


def plans(*plans: OrderPlan) -> Any:
    """Answers `prepare_order` with one plan after the other; without any, with a known customer's."""
    left = list(plans)

    def answer(wanted: Any) -> OrderPlan:
        return left.pop(0) if left else known_plan(wanted.payment_id)

    return answer


async def carry(client: Client, script: Script, **changes: Any) -> tuple[Any, WorkflowHandle[Any, Any]]:
    """Run one payment to its end."""
    script.answers.setdefault("prepare_order", plans())
    async with on_stage(client, script) as stage:
        handle = await stage.start(stage.payment(**changes))
        return await handle.result(), handle


async def parked(client: Client, script: Script, **changes: Any) -> Trouble:
    """Run one payment until it waits for a person, and end it there."""
    script.answers.setdefault("prepare_order", plans())
    async with on_stage(client, script) as stage:
        handle = await stage.start(stage.payment(**changes))
        trouble = await until_parked(handle)
        await handle.terminate()
    return trouble


async def until_parked(handle: WorkflowHandle[Any, Any]) -> Trouble:
    """What the run waits for, once it waits in its small fresh history."""
    async with asyncio.timeout(20):
        while True:
            found = await handle.query(contract.TROUBLE)
            history = (await handle.describe()).history_length
            if found is not None and history < 20:
                return Trouble.model_validate(found)


async def test_known_customer_takes_five_zoho_calls(temporal_client: Client) -> None:
    """Order, confirm, invoice, sent mark and payment: nothing else is asked of Zoho."""
    script = Script()
    result, _ = await carry(temporal_client, script)
    assert script.names() == STORY
    assert (result["salesorder_id"], result["zoho_payment_id"], result["stage"]) == ("so-1", "pay-1", "paid")


async def test_three_events_at_once_meet_in_one_run(temporal_client: Client) -> None:
    """Every event of a payment goes to its run, and the story is told once."""
    script = Script({"prepare_order": plans()})
    async with on_stage(temporal_client, script) as stage:
        start = stage.payment()
        kinds = ("charge.succeeded", "payment_intent.succeeded", "checkout.session.completed")
        handles = [await stage.start(start, kind) for kind in kinds]
        await handles[0].result()
    assert len({handle.result_run_id for handle in handles}) == 1
    assert script.names() == STORY


async def test_unpaid_payment_waits_for_the_next_event(temporal_client: Client) -> None:
    """An event is a hint: the run asks Stripe again at each, and writes only when it is paid."""
    patient = QUICK.model_copy(update={"unpaid_patience": timedelta(seconds=60)})
    script = Script({"prepare_order": plans(), "fetch_payment": [UNPAID, PAID]})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment(policy=patient))
        await until_stage(handle, Stage.WAITING_FOR_MONEY)
        await handle.signal(contract.PAYMENT_EVENT, event("pi_1"))
        await handle.result()
    assert script.names() == ["fetch_payment", *STORY]


async def until_stage(handle: WorkflowHandle[Any, Any], stage: Stage) -> None:
    """Ask the run until it says `stage`."""
    while (await handle.query(contract.PROGRESS))["stage"] != stage.value:
        pass


async def test_unpaid_payment_gives_up_and_a_later_event_starts_it_again(temporal_client: Client) -> None:
    """After the policy's patience the run closes as failed, so that the id is free for a late payment."""
    script = Script({"prepare_order": plans(), "fetch_payment": [UNPAID, PAID]})
    async with on_stage(temporal_client, script) as stage:
        start = stage.payment()
        with pytest.raises(WorkflowFailureError) as raised:
            await (await stage.start(start)).result()
        assert isinstance(raised.value.cause, ApplicationError)
        assert raised.value.cause.type == "NotPaid"
        await (await stage.start(start)).result()
    assert script.names().count("create_sales_order") == 1


async def test_canceled_payment_writes_nothing(temporal_client: Client) -> None:
    """A canceled payment ends the run before the first write."""
    script = Script({"fetch_payment": FetchedPayment(status=PaymentStatus.CANCELED, money=TOTAL, facts_ref="f")})
    with pytest.raises(WorkflowFailureError) as raised:
        await carry(temporal_client, script)
    assert getattr(raised.value.cause, "type", "") == "PaymentCanceled"
    assert script.names() == ["fetch_payment"]


async def test_what_memory_lacks_is_asked_once(temporal_client: Client) -> None:
    """Look-ups fill the memory, and the plan is made again with what was asked."""
    first = OrderPlan(lookups=(LookUp(kind=LookUpKind.ORGANIZATION), LookUp(kind=LookUpKind.CURRENCIES)))
    second = OrderPlan(lookups=(LookUp(kind=LookUpKind.ITEM, key="MUG"), LookUp(kind=LookUpKind.TAXES)))
    script = Script({"prepare_order": plans(first, second)})
    await carry(temporal_client, script)
    assert script.names()[1:8] == [
        "prepare_order",
        "describe_organization",
        "list_currencies",
        "prepare_order",
        "find_item",
        "list_taxes",
        "prepare_order",
    ]
    assert script.inputs("prepare_order")[2].asked == first.lookups + second.lookups


async def test_a_problem_parks_the_run_before_its_first_write(temporal_client: Client) -> None:
    """The run waits for a person with the problem's sentence, and nothing was written."""
    problem = Problem(code=ProblemCode.UNKNOWN_SKU, message="Zoho has no active item with SKU 'X'")
    script = Script({"prepare_order": OrderPlan(problems=(problem,))})
    error = await parked(temporal_client, script)
    assert (error.attention_class, error.message) == ("unknown_sku", problem.message)
    assert script.names() == ["fetch_payment", "prepare_order", "note_waiting"]


async def test_store_away_in_the_worker_goes_on_as_a_normal_activity(temporal_client: Client) -> None:
    """A local look that fails three times is asked again as an activity, which waits as long as it takes."""
    left = [RuntimeError("store away")] * 3

    def answer(wanted: Any) -> OrderPlan | Exception:
        return left.pop() if left else known_plan(wanted.payment_id)

    script = Script({"prepare_order": answer})
    await carry(temporal_client, script)
    assert script.names().count("prepare_order") == 4


@pytest.mark.parametrize(
    ("write", "look", "lost", "found"),
    [
        ("create_invoice", "find_invoice", InvoiceWritten(unknown=True, asked=1), None),
        ("record_payment", "find_payment", ReceiptWritten(unknown=True, asked=1), None),
    ],
)
async def test_lost_answer_looks_twice_before_it_writes_again(
    temporal_client: Client, write: str, look: str, lost: Any, found: None
) -> None:
    """Look, wait, look again, and only then one more try, which says after how many tries it was looked."""
    good = Script().answer(write, None)
    script = Script({"prepare_order": plans(), write: [lost, good], look: found})
    await carry(temporal_client, script)
    names = [name for name in script.names() if name in (write, look)]
    assert names == [write, look, look, write]
    assert [wanted.after for wanted in script.inputs(write)] == [0, 1]


@pytest.mark.parametrize(
    ("write", "look", "found"),
    [
        ("confirm_sales_order", "read_sales_order", None),
        ("create_invoice", "find_invoice", InvoiceWritten(invoice_id="in-7", status="sent", total=TOTAL)),
        ("mark_invoice_sent", "read_invoice", None),
        ("record_payment", "find_payment", ReceiptWritten(zoho_payment_id="pay-7", balance=TOTAL.zero())),
    ],
)
async def test_lost_answer_that_was_applied_is_found(
    temporal_client: Client, write: str, look: str, found: Any
) -> None:
    """What the look finds is taken as written: the write is not repeated."""
    answers = {"prepare_order": plans(), write: {"unknown": True, "asked": 1}}
    script = Script(answers | ({look: found} if found else {}))
    await carry(temporal_client, script)
    assert script.names().count(write) == 1
    assert script.names().count(look) == 1


async def test_taken_number_that_is_ours_is_adopted(temporal_client: Client) -> None:
    """Zoho has the number because an earlier try wrote it: the order is read and the story goes on."""
    script = Script(
        {
            "prepare_order": plans(),
            "create_sales_order": OrderWritten(taken=True),
            "find_sales_order": OrderWritten(salesorder_id="so-1", status="draft", total=TOTAL),
            "read_sales_order": OrderWritten(salesorder_id="so-1", status="draft", total=TOTAL, line_item_ids=("l-1",)),
        }
    )
    await carry(temporal_client, script)
    assert "confirm_sales_order" in script.names()
    assert script.inputs("create_invoice")[0].line_item_ids == ("l-1",)


async def test_taken_number_of_somebody_else_fails_and_touches_nothing(temporal_client: Client) -> None:
    """An order that is not this payment's is neither adopted nor voided."""
    script = Script({"prepare_order": plans(), "create_sales_order": OrderWritten(taken=True)})
    assert (await parked(temporal_client, script)).attention_class == "order_number_taken"
    assert script.names().count("find_sales_order") == 2
    assert "void_sales_order" not in script.names()


async def test_other_total_voids_the_order_and_invoices_nothing(temporal_client: Client) -> None:
    """The order is voided, read back as void, and the run fails naming both totals."""
    off = Money.of(4993, "EUR")
    script = Script(
        {
            "prepare_order": plans(),
            "create_sales_order": OrderWritten(salesorder_id="so-1", status="draft", total=off, line_item_ids=("l-1",)),
            "find_sales_order": OrderWritten(salesorder_id="so-1", status="draft", total=off),
            "read_sales_order": OrderWritten(salesorder_id="so-1", status="void", total=off),
        }
    )
    error = await parked(temporal_client, script)
    assert error.attention_class == "totals_differ"
    assert "49.93 EUR" in error.message
    assert "49.90 EUR" in error.message
    assert script.names()[-4:] == ["void_sales_order", "read_sales_order", "close_round", "note_waiting"]


async def test_new_payer_is_claimed_looked_for_and_created(temporal_client: Client) -> None:
    """A payer nobody knows costs two Zoho calls: one look, one contact with its addresses."""
    script = Script({"prepare_order": lambda w: known_plan(w.payment_id, contact_id="", addresses=None)})
    result, _ = await carry(temporal_client, script)
    assert script.names()[2:6] == ["claim_contact", "find_contact", "create_contact", "plan_addresses"]
    assert result["contact_id"] == "c-1"


async def test_payer_whom_another_run_created_is_taken_from_memory(temporal_client: Client) -> None:
    """A claim that answers with a contact ends the matter."""
    script = Script(
        {
            "prepare_order": lambda w: known_plan(w.payment_id, contact_id="", addresses=None),
            "claim_contact": ContactClaim(contact_id="c-5"),
        }
    )
    result, _ = await carry(temporal_client, script)
    assert result["contact_id"] == "c-5"
    assert "create_contact" not in script.names()


async def test_taken_contact_name_tries_the_next_after_a_look(temporal_client: Client) -> None:
    """A namesake keeps his name; ours gets the e-mail behind it."""
    script = Script(
        {
            "prepare_order": lambda w: known_plan(w.payment_id, contact_id="", addresses=None),
            "create_contact": [ContactWritten(taken=True), ContactWritten(contact_id="c-2")],
        }
    )
    result, _ = await carry(temporal_client, script)
    assert result["contact_id"] == "c-2"
    assert [wanted.name_choice for wanted in script.inputs("create_contact")] == [0, 1]
    assert script.names().count("find_contact") == 2


async def test_failed_contact_releases_its_claim(temporal_client: Client) -> None:
    """Where no name is free the run fails, and another run may try."""
    script = Script(
        {
            "prepare_order": lambda w: known_plan(w.payment_id, contact_id="", addresses=None),
            "create_contact": ContactWritten(taken=True),
        }
    )
    assert (await parked(temporal_client, script)).attention_class == "contact_name_taken"
    names = script.names()
    assert names.index("create_contact") < names.index("release_contact")


async def test_new_address_costs_one_call_and_goes_onto_the_order(temporal_client: Client) -> None:
    """A known payer's new address is added, once where both addresses are the same."""
    plan = AddressPlan(missing=(AddressUse.BILLING,), same=True)
    script = Script({"prepare_order": lambda w: known_plan(w.payment_id, addresses=plan)})
    await carry(temporal_client, script)
    wanted = script.inputs("create_sales_order")[0].addresses
    assert (wanted.billing_address_id, wanted.shipping_address_id) == ("a-9", "a-9")
    assert script.names().count("add_address") == 1


async def test_people_are_told_where_they_want_to(temporal_client: Client) -> None:
    """The message holds ids and money, nothing else."""
    script = Script({"prepare_order": lambda w: known_plan(w.payment_id, notify=True)})
    await carry(temporal_client, script)
    message = script.inputs("notify_paid")[0].message
    assert "49.90 EUR" in message
    assert "SO-" in message


async def test_every_task_replayed_from_the_start_gives_the_same(temporal_client: Client) -> None:
    """Without a cache each workflow task replays the whole history: the story is deterministic."""
    script = Script({"prepare_order": plans()})
    async with on_stage(temporal_client, script, cached=0) as stage:
        await (await stage.start(stage.payment())).result()
    assert script.names() == STORY


async def test_two_hundred_signals_change_nothing(temporal_client: Client) -> None:
    """A storm of events ends in one run with one story."""
    script = Script({"prepare_order": plans()})
    async with on_stage(temporal_client, script) as stage:
        start = stage.payment()
        handle = await stage.start(start)
        for _ in range(199):
            try:
                await handle.signal(contract.PAYMENT_EVENT, event(start.payment_id))
            except RPCError:
                break  # closed already: a completed run takes no signal
        await handle.result()
    assert script.names() == STORY


async def test_a_payment_costs_few_actions(temporal_client: Client) -> None:
    """Start with signal, seven activities, one round of local ones, two upserts: eleven actions, no timer."""
    script = Script()
    _, handle = await carry(temporal_client, script)
    counts: dict[str, int] = {}
    async for entry in handle.fetch_history_events():
        name = EventType.Name(entry.event_type).removeprefix("EVENT_TYPE_")
        counts[name] = counts.get(name, 0) + 1
    assert counts["ACTIVITY_TASK_SCHEDULED"] == 7
    assert counts["UPSERT_WORKFLOW_SEARCH_ATTRIBUTES"] == 2
    assert counts["MARKER_RECORDED"] == 1
    assert "TIMER_STARTED" not in counts


async def test_the_run_is_found_by_any_of_its_ids(temporal_client: Client) -> None:
    """Charge, order and payment ids, and the order's number, all lead to the run."""
    script = Script()
    result, handle = await carry(temporal_client, script)
    attributes = (await handle.describe()).typed_search_attributes
    ids = attributes[contract.BUSINESS_IDS]
    assert {"ch_1", "so-1", "in-1", "pay-1", result["number"]} <= set(ids)
    assert attributes[contract.STAGE] == "paid"


async def test_activities_carry_summaries_for_people(temporal_client: Client) -> None:
    """Each step says in the UI what it does, in words and money."""
    script = Script()
    _, handle = await carry(temporal_client, script)
    summaries = []
    async for entry in handle.fetch_history_events():
        if entry.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            payload = entry.user_metadata.summary
            summaries += await temporal_client.data_converter.decode([payload], [str])
    assert len(summaries) == 7
    assert any("over 49.90 EUR" in text for text in summaries)


def test_start_has_defaults_for_all_but_names() -> None:
    """A run started by an older release still reads: new fields have defaults."""
    start = PaymentInput.model_validate({"connection": "a", "payment_id": "pi_1", "organization_id": "1"})
    assert start.zoho_queue == contract.ZOHO_QUEUE
    assert StepDone.model_validate({}).unknown is False
