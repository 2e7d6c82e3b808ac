"""Stripe's fee on the recorded payment: at once, a little later, in another currency, after a lost answer."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from domain.money import Money
from domain.payments import Fee
from domain.policy import ForeignFee
from domain.receipts import ReceiptFound
from domain.runs import FetchedPayment, Stage, StepDone
from domain.sales import ReceiptWritten
from tests.workflows.fakes import Script, event, on_stage
from tests.workflows.samples import ANSWERS, FEE, QUICK, RECORD, TOTAL
from tests.workflows.test_payments import STORY, carry, plans, until_parked, until_stage
from workflows import contract

FEELESS: FetchedPayment = ANSWERS["fetch_payment"].model_copy(update={"fee": None})
UNCHARGED = RECORD.model_copy(update={"bank_charges": TOTAL.zero()})
RECORDED = ReceiptWritten(zoho_payment_id="pay-1", balance=TOTAL.zero(), record=UNCHARGED)
PATIENT = QUICK.model_copy(update={"fee_patience": timedelta(seconds=60)})


def late(**answers: Any) -> Script:
    """A payment whose fee Stripe does not know yet when it is recorded."""
    script = {"prepare_order": plans(), "fetch_payment": FEELESS, "record_payment": RECORDED}
    return Script(script | answers)


async def until_asked(script: Script, name: str) -> None:
    """Until the run has called the activity."""
    async with asyncio.timeout(20):
        while name not in script.names():
            await asyncio.sleep(0.02)


async def test_known_fee_goes_into_the_payment_itself(temporal_client: Client) -> None:
    """Five calls to Zoho, and the fee is among what the last one says."""
    script = Script()
    await carry(temporal_client, script)
    assert script.names() == STORY
    assert script.inputs("record_payment")[0].bank_charges == FEE.amount


async def test_late_fee_is_one_more_call_after_the_event(temporal_client: Client) -> None:
    """The run reads paid, waits, hears `charge.updated`, reads the fee, and writes it once."""
    script = late(fetch_fee=FEE)
    async with on_stage(temporal_client, script) as stage:
        start = stage.payment(policy=PATIENT)
        handle = await stage.start(start)
        await until_stage(handle, Stage.PAID)
        await handle.signal(contract.PAYMENT_EVENT, event("ch_1", "charge.updated", "balance_transaction"))
        await handle.result()
    assert script.names() == [*STORY, "fetch_fee", "book_fee"]
    assert script.inputs("record_payment")[0].bank_charges is None
    wanted = script.inputs("book_fee")[0]
    assert (wanted.charges, wanted.record) == (FEE.amount, UNCHARGED)


async def test_event_that_came_while_the_run_was_writing_is_not_missed(temporal_client: Client) -> None:
    """What was heard after the payment was read counts, although the run was busy then."""
    script = late(fetch_fee=FEE, mark_invoice_sent=lambda _: StepDone())
    async with on_stage(temporal_client, script) as stage:
        start = stage.payment(policy=PATIENT)
        handle = await stage.start(start)
        await until_asked(script, "fetch_payment")
        await handle.signal(contract.PAYMENT_EVENT, event("ch_1", "charge.updated", "balance_transaction"))
        async with asyncio.timeout(30):
            await handle.result()
    assert script.names().count("book_fee") == 1


async def test_patience_ends_with_a_look(temporal_client: Client) -> None:
    """A lost event costs nothing: at the end of the patience the run asks Stripe itself."""
    script = late(fetch_fee=FEE)
    await carry(temporal_client, script)
    assert script.names() == [*STORY, "fetch_fee", "book_fee"]


async def test_fee_that_does_not_come_is_not_guessed(temporal_client: Client) -> None:
    """The run closes as paid without it, and says so."""
    script = late()
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment())
        assert (await handle.result())["stage"] == "paid"
        notes = (await handle.query(contract.PROGRESS))["notes"]
    assert script.names() == [*STORY, "fetch_fee"]
    assert "Stripe has not told its fee yet" in notes


@pytest.mark.parametrize(("foreign", "charges"), [(ForeignFee.LEAVE, None), (ForeignFee.CONVERT, Money.of(159, "EUR"))])
async def test_fee_in_another_currency_is_left_or_converted(
    temporal_client: Client, foreign: ForeignFee, charges: Money | None
) -> None:
    """175 US cents at 1.10 are 159.09: 159 euro cents where the shop wants them, else the payout's matter."""
    fee = Fee(transaction_id="txn_1", amount=Money.of(175, "USD"), exchange_rate=Decimal("1.1"))
    foreign_paid = FEELESS.model_copy(update={"fee": fee})
    script = Script({"prepare_order": plans(), "fetch_payment": foreign_paid, "record_payment": RECORDED})
    if charges:
        script.answers["record_payment"] = RECORDED.model_copy(
            update={"record": RECORD.model_copy(update={"bank_charges": charges})}
        )
    await carry(temporal_client, script, policy=QUICK.model_copy(update={"foreign_fee": foreign}))
    assert script.names() == STORY
    assert script.inputs("record_payment")[0].bank_charges == charges


async def test_lost_answer_of_the_fee_is_read_back(temporal_client: Client) -> None:
    """The write is not repeated where the payment shows the fee; where it does not, after two looks."""
    lost = {"unknown": True, "asked": 1}
    seen = late(fetch_fee=FEE, book_fee=lost, find_fee=StepDone())
    await carry(temporal_client, seen)
    assert seen.names()[-2:] == ["book_fee", "find_fee"]
    unseen = late(fetch_fee=FEE, book_fee=[lost, StepDone()])
    await carry(temporal_client, unseen)
    assert unseen.names()[-4:] == ["book_fee", "find_fee", "find_fee", "book_fee"]
    assert [wanted.after for wanted in unseen.inputs("book_fee")] == [0, 1]


async def test_payment_found_by_its_invoice_is_read_before_the_fee(temporal_client: Client) -> None:
    """An adopted payment is known by its id only, or not even by that: it is looked for by its reference."""
    found = ReceiptWritten(balance=TOTAL.zero())
    script = late(fetch_fee=FEE, record_payment=found, read_receipt=UNCHARGED)
    await carry(temporal_client, script)
    assert script.names()[-4:] == ["fetch_fee", "find_receipt", "read_receipt", "book_fee"]


async def test_fee_that_is_on_the_payment_already_is_remembered(temporal_client: Client) -> None:
    """The answer to what recorded both was lost: nothing is written, but a payout has to know of the fee."""
    charged = RECORD.model_copy(update={"bank_charges": FEE.amount})
    lost = {"unknown": True, "asked": 1}
    seen = ReceiptWritten(zoho_payment_id="pay-1", balance=TOTAL.zero())
    script = Script({
        "prepare_order": plans(), "record_payment": lost, "find_payment": seen, "read_receipt": charged
    })  # fmt: skip
    await carry(temporal_client, script)
    assert script.names()[-2:] == ["read_receipt", "keep_fee_found"]
    assert script.inputs("keep_fee_found")[0].charges == FEE.amount


async def test_payment_that_is_nowhere_parks_and_may_be_skipped(temporal_client: Client) -> None:
    """Somebody deleted the record: a person looks, and the order is complete without the fee."""
    script = late(fetch_fee=FEE, record_payment=ReceiptWritten(balance=TOTAL.zero()), find_receipt=ReceiptFound())
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment())
        trouble = await until_parked(handle)
        assert (trouble.attention_class, trouble.step, trouble.skippable) == ("receipt_missing", "fee", True)
        open_run = temporal_client.get_workflow_handle(handle.id)
        await open_run.signal(contract.RESUME, {"action": "skip", "reason": "booked by hand"})
        assert (await open_run.result())["stage"] == "paid"
    assert "book_fee" not in script.names()


async def test_refused_fee_parks_and_goes_on_at_retry(temporal_client: Client) -> None:
    """The payment stands, the fee does not: a person sees both."""
    refused = ApplicationError("zoho 400: no", {"service": "zoho"}, type="Refused", non_retryable=True)
    script = late(fetch_fee=FEE, book_fee=[refused, StepDone()])
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment())
        trouble = await until_parked(handle)
        assert (trouble.attention_class, trouble.step) == ("zoho_refused", "fee")
        open_run = temporal_client.get_workflow_handle(handle.id)
        await open_run.signal(contract.RESUME, "retry")
        await open_run.result()
    assert script.names().count("book_fee") == 2


@pytest.mark.parametrize(
    ("changed", "handed_over"),
    [
        (("balance_transaction",), False),
        (("shipping",), True),
        (("balance_transaction", "receipt_email"), True),
        ((), True),
    ],
)
async def test_changes_heard_by_an_open_run_get_a_run_of_their_own(
    temporal_client: Client, changed: tuple[str, ...], handed_over: bool
) -> None:
    """Nothing that may change what is written is dropped; the fee alone is the run's own business."""
    script = late(fetch_fee=FEE)
    async with on_stage(temporal_client, script) as stage:
        start = stage.payment(policy=PATIENT)
        handle = await stage.start(start)
        await until_stage(handle, Stage.PAID)
        change, fee = event("ch_1", "charge.updated", *changed), event("ch_1", "charge.updated", "balance_transaction")
        await handle.signal(contract.PAYMENT_EVENT, change)
        await handle.signal(contract.PAYMENT_EVENT, fee)
        await handle.result()
    assert [wanted.event for wanted in script.inputs("start_change")] == ([change] if handed_over else [])
