"""A payout's run, told on the real server with activities that answer from a script."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from domain.attention import AttentionClass
from domain.credits import CreditWritten, PaidOut
from domain.documents import ReceiptRecord
from domain.missing import Alike, Lacks, Missing, MissingLine, RunTold, ToldHow
from domain.payouts import LineKind, PayoutKind, PayoutStatus
from domain.policy import PayoutMissing
from domain.receipts import ReceiptFound
from domain.reconciling import Certified, PageKept
from domain.runs import Stage
from tests.workflows.fakes import Script, event, on_stage
from tests.workflows.samples import PAYOUT, QUICK, TOTAL
from tests.workflows.test_payments import until_parked, until_stage
from workflows import contract

UNSETTLED = PAYOUT.model_copy(update={"settled": False, "status": PayoutStatus.IN_TRANSIT})
HASH = "0" * 64
AT = datetime(2026, 11, 3, tzinfo=UTC)


def a_payout() -> str:
    """An id nobody else has."""
    return f"po_{uuid.uuid4().hex}"


async def test_a_payout_waits_until_it_is_reconciled(temporal_client: Client) -> None:
    """Paid comes before reconciled; then every page is kept, each from where the one before ended."""
    pages = [PageKept(lines=100, net=TOTAL, after="txn_100"), PageKept(lines=7, net=TOTAL)]
    script = Script({"fetch_payout": [UNSETTLED, PAYOUT], "keep_payout_page": pages})
    async with on_stage(temporal_client, script) as stage:
        payout_id = a_payout()
        handle = await stage.payout(stage.payment(payout_id), event(payout_id, "payout.paid"))
        await until_stage(handle, Stage.RECONCILING)
        assert script.names() == ["fetch_payout"]
        await handle.signal(contract.PAYOUT_EVENT, event(payout_id, "payout.reconciliation_completed"))
        result = await handle.result()
        described = await handle.describe()
    asked = script.inputs("keep_payout_page")
    assert [(page.place, page.after, page.own_id) for page in asked] == [
        (0, "", "txn_own"),
        (100, "txn_100", "txn_own"),
    ]
    assert [one.lines for one in script.inputs("certify_payout")] == [107]
    assert (result["lines"], result["version"], result["hash"]) == (107, 1, HASH)
    assert described.typed_search_attributes[contract.STAGE] == Stage.CERTIFIED
    assert described.typed_search_attributes[contract.BUSINESS_IDS] == [payout_id]


async def test_a_lost_event_is_made_up_for_by_asking(temporal_client: Client) -> None:
    """Nobody says that it is reconciled; Stripe is asked again after the policy's time."""
    script = Script({"fetch_payout": [UNSETTLED, UNSETTLED, PAYOUT]})
    async with on_stage(temporal_client, script) as stage:
        payout_id = a_payout()
        quick = QUICK.model_copy(update={"payout_check": timedelta(milliseconds=50)})
        handle = await stage.payout(stage.payment(payout_id, quick), event(payout_id, "payout.paid"))
        assert (await handle.result())["version"] == 1
    assert script.names().count("fetch_payout") == 3


async def test_a_manual_payout_has_no_pages(temporal_client: Client) -> None:
    """It is certified as a transfer, and its note says that it is not itemised."""
    manual = PAYOUT.model_copy(update={"kind": PayoutKind.MANUAL, "itemised": False})
    script = Script({"fetch_payout": manual})
    async with on_stage(temporal_client, script) as stage:
        payout_id = a_payout()
        handle = await stage.payout(stage.payment(payout_id), event(payout_id, "payout.paid"))
        result = await handle.result()
    assert script.names() == ["fetch_payout", "certify_payout"]
    assert result["notes"] == ["version 1 certified: 0 lines, 0 things to book; manual, not itemised"]


async def test_an_unknown_category_parks_it(temporal_client: Client) -> None:
    """With the money at risk; it cannot be skipped; a retry reads everything anew."""
    unclear = Certified(problems=("txn_1 is of the unknown category 'moon_dust'",))
    script = Script({"certify_payout": [unclear, Certified(version=1, hash=HASH)]})
    async with on_stage(temporal_client, script) as stage:
        payout_id = a_payout()
        handle = await stage.payout(stage.payment(payout_id), event(payout_id, "payout.paid"))
        trouble = await until_parked(handle)
        assert (trouble.attention_class, trouble.skippable) == (AttentionClass.PAYOUT_UNCLEAR, False)
        assert "moon_dust" in trouble.message
        assert trouble.at_risk == TOTAL
        await handle.execute_update(contract.RESOLVE, {"action": "retry", "by": "ada"})
        assert (await temporal_client.get_workflow_handle(handle.id).result())["version"] == 1
    assert script.names().count("keep_payout_page") == 2


LACKS = MissingLine(
    transaction_id="txn_1", kind=LineKind.CHARGE, source_id="ch_1", payment_id="pi_1", money=TOTAL, at=AT
)
RECEIPT = ReceiptRecord(
    zoho_payment_id="zp_1",
    contact_id="c_1",
    mode="Stripe",
    amount=TOTAL,
    day=AT.date(),
    shares=(),
    bank_charges=TOTAL.zero(),
)


async def filled(client: Client, **answers: Any) -> tuple[Script, dict[str, Any]]:
    """A payout that is certified at once; what was asked, and its result."""
    script = Script(answers)
    async with on_stage(client, script) as stage:
        payout_id = a_payout()
        handle = await stage.payout(stage.payment(payout_id), event(payout_id, "payout.paid"))
        result = await handle.result()
    return script, result


async def test_what_zoho_has_by_its_reference_is_remembered(temporal_client: Client) -> None:
    """Under the payment's id or the charge's; no run is told."""
    script, result = await filled(
        temporal_client,
        list_missing=Missing(lines=(LACKS,)),
        find_receipt=[ReceiptFound(), ReceiptFound(zoho_payment_id="zp_1")],
        read_receipt=RECEIPT,
    )
    assert script.names() == [
        "fetch_payout", "keep_payout_page", "list_missing", "find_receipt", "find_receipt", "read_receipt",
        "keep_receipt_found", "certify_payout",
    ]  # fmt: skip
    assert [one.payment_id for one in script.inputs("find_receipt")] == ["pi_1", "ch_1"]
    (kept,) = script.inputs("keep_receipt_found")
    assert (kept.payment_id, kept.likely) == ("pi_1", False)
    assert result["notes"][0] == "lines that lacked something: 1 found in Zoho by their reference"


async def test_what_only_looks_like_it_is_told_to_nobody(temporal_client: Client) -> None:
    """By amount and date: it is remembered as likely, and a person is asked with the certificate."""
    script, result = await filled(
        temporal_client,
        list_missing=Missing(lines=(LACKS,)),
        find_receipt=ReceiptFound(),
        find_alike=Alike(zoho_payment_ids=("zp_1",)),
        read_receipt=RECEIPT,
    )
    (kept,) = script.inputs("keep_receipt_found")
    assert kept.likely
    assert "tell_missing" not in script.names()
    assert "1 look like a payment in Zoho that names nobody" in result["notes"][0]


async def test_what_is_not_there_is_told_to_its_run_and_waited_for(temporal_client: Client) -> None:
    """The certificate is issued when the run has booked it."""
    lacking = Missing(lines=(LACKS,))
    script, result = await filled(
        temporal_client, list_missing=[lacking, lacking, Missing()], find_receipt=ReceiptFound()
    )
    # Only the first look asks Stripe whether the lines are those of the payout.
    assert [one.again for one in script.inputs("list_missing")] == [False, True, True]
    assert [one.line for one in script.inputs("tell_missing")] == [LACKS]
    assert script.names()[-1] == "certify_payout"
    assert "1 told to their runs" in result["notes"][0]


async def test_a_run_that_books_nothing_is_not_waited_for_without_end(temporal_client: Client) -> None:
    """After the policy's time the certificate says what is missing."""
    lacking = Missing(lines=(LACKS.model_copy(update={"what": Lacks.FEE}),), more=3)
    script, result = await filled(temporal_client, list_missing=lacking, certify_payout=Certified(version=1, to_book=4))
    assert 2 < script.names().count("list_missing") < 9
    assert "find_receipt" not in script.names()
    assert result["notes"][1] == "3 more lines lack something and were not looked after"
    assert result["to_book"] == 4


@pytest.mark.parametrize("how", [ToldHow.BEFORE, ToldHow.CLOSED, ToldHow.DONE])
async def test_nobody_waits_where_no_run_was_told(temporal_client: Client, how: ToldHow) -> None:
    """From before this shop was carried, ended by a person, or done: it is certified as it is."""
    refund = LACKS.model_copy(update={"kind": LineKind.REFUND, "source_id": "re_1"})
    script, _ = await filled(
        temporal_client, list_missing=Missing(lines=(refund,)), find_credit_note=None, tell_missing=RunTold(how=how)
    )
    assert script.names()[2:] == ["list_missing", "find_credit_note", "tell_missing", "certify_payout"]


async def test_a_credit_note_with_the_refund_as_reference_is_remembered(temporal_client: Client) -> None:
    """With its refund; of a note that paid nothing out the run is told."""
    refund = LACKS.model_copy(update={"kind": LineKind.REFUND, "source_id": "re_1"})
    note = CreditWritten(creditnote_id="cn_1", number="CN-1", total=TOTAL)
    script, _ = await filled(
        temporal_client,
        list_missing=Missing(lines=(refund,)),
        find_credit_note=note,
        find_paid_out=PaidOut(zoho_refund_id="zr_1"),
    )
    (kept,) = script.inputs("keep_credit_found")
    assert (kept.change, kept.creditnote_id, kept.zoho_refund_id, kept.money) == ("re_1", "cn_1", "zr_1", TOTAL)
    script, _ = await filled(
        temporal_client,
        list_missing=[Missing(lines=(refund,)), Missing()],
        find_credit_note=note,
        find_paid_out=None,
    )
    assert "tell_missing" in script.names()


async def test_a_shop_may_want_the_report_alone(temporal_client: Client) -> None:
    """Then nothing is looked for."""
    script = Script({"list_missing": Missing(lines=(LACKS,))})
    async with on_stage(temporal_client, script) as stage:
        payout_id = a_payout()
        policy = QUICK.model_copy(update={"payout_missing": PayoutMissing.REPORT})
        handle = await stage.payout(stage.payment(payout_id, policy), event(payout_id, "payout.paid"))
        await handle.result()
    assert script.names() == ["fetch_payout", "keep_payout_page", "certify_payout"]


@pytest.mark.parametrize("action", ["retry", "skip"])
async def test_what_is_uncertain_asks_a_person(temporal_client: Client, action: str) -> None:
    """The certificate is issued already; a retry looks whether the books were corrected, a skip lets it stand."""
    asks = Certified(version=1, hash=HASH, asks=("txn_1 looks like zp_1; confirm it",))
    script = Script({"certify_payout": [asks, Certified(version=2, hash="1" * 64) if action == "retry" else asks]})
    async with on_stage(temporal_client, script) as stage:
        payout_id = a_payout()
        handle = await stage.payout(stage.payment(payout_id), event(payout_id, "payout.paid"))
        trouble = await until_parked(handle)
        assert (trouble.attention_class, trouble.skippable) == (AttentionClass.PAYOUT_UNCERTAIN, True)
        await handle.execute_update(contract.RESOLVE, {"action": action, "by": "ada", "reason": "it is that one"})
        result = await temporal_client.get_workflow_handle(handle.id).result()
    assert result["version"] == (2 if action == "retry" else 1)


async def test_an_abort_takes_nothing_back(temporal_client: Client) -> None:
    """Nothing was written that could be."""
    script = Script({"certify_payout": Certified(problems=("sums are off",))})
    async with on_stage(temporal_client, script) as stage:
        payout_id = a_payout()
        handle = await stage.payout(stage.payment(payout_id), event(payout_id, "payout.paid"))
        await until_parked(handle)
        await handle.execute_update(contract.RESOLVE, {"action": "abort", "by": "ada", "reason": "by hand"})
        with pytest.raises(WorkflowFailureError) as raised:
            await temporal_client.get_workflow_handle(handle.id).result()
    assert isinstance(raised.value.cause, ApplicationError)
    assert "nothing was written to Zoho" in str(raised.value.cause)
    assert not {name for name in script.names() if name.startswith(("void", "delete", "release", "fetch_payment"))}


async def test_a_failure_while_it_is_certified_is_certified_too(temporal_client: Client) -> None:
    """The bank sends it back just then: the run goes on and reads it anew."""
    failed = PAYOUT.model_copy(update={"status": PayoutStatus.FAILED})
    again = ApplicationError("the store is away", type="TryLater", next_retry_delay=timedelta(milliseconds=500))
    answers = [again, Certified(version=1, hash=HASH), Certified(version=2, hash="1" * 64)]
    script = Script({"fetch_payout": [PAYOUT, failed], "certify_payout": answers})
    async with on_stage(temporal_client, script) as stage:
        payout_id = a_payout()
        handle = await stage.payout(stage.payment(payout_id), event(payout_id, "payout.paid"))
        while "certify_payout" not in script.names():
            await asyncio.sleep(0.01)
        await handle.signal(contract.PAYOUT_EVENT, event(payout_id, "payout.failed"))
        result = await temporal_client.get_workflow_handle(handle.id).result()
    assert (result["status"], result["version"]) == ("failed", 2)
    assert script.names().count("fetch_payout") == 2
