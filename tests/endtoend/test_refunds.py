"""Refunds made in Stripe, through everything: credit note, money and stock, counted in both ledgers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from cli.ledger_check import check
from domain.policy import RETURN_ID_KEY, Restock, Ship
from domain.refunds import RefundInput
from domain.runs import PaymentEvent, Stage
from tests.endtoend.outcomes import LINES, everything_told
from tests.endtoend.test_changes import stripe_says, until
from tests.endtoend.test_memory_lost import forget_everything
from tests.house import BUYER, MAPPING, QUICK, House, a_house
from workflows import contract

CLEARING = {"accounts": [{"account_id": "900", "account_name": "Stripe clearing"}]}
CLEARED = MAPPING.model_copy(update={"deposit_account_id": "900"})
WHOLE = 3570 + 3207


def shop(client: Client, folder: Path, **changes: Any) -> Any:
    """A house whose money goes through a clearing account."""
    return a_house(client, folder, seed={**CLEARING, **changes.pop("seed", {})}, mapping=CLEARED, **changes)


async def refund(house: House, paid: dict[str, Any], amount: int = 0) -> str:
    """A refund as somebody makes it in Stripe's dashboard; its id."""
    wanted = {"payment_intent": paid["payment_intent"]} | ({"amount": str(amount)} if amount else {})
    return str((await stripe_says(house, "refunds", wanted))["id"])


def run_of(house: House, refund_id: str) -> WorkflowHandle[Any, Any]:
    """The refund's run."""
    return house.client.get_workflow_handle(contract.refund_workflow_id(house.slug, refund_id))


async def booked(house: House, refund_id: str) -> dict[str, Any]:
    """What became of the refund, once its run, which an event is yet to start, has ended."""
    async with asyncio.timeout(60):
        while True:
            try:
                return dict(await run_of(house, refund_id).result())
            except RPCError:
                await asyncio.sleep(0.05)


async def stock(house: House, sku: str = "MUG") -> tuple[int, int, int]:
    """By how much both ledgers are below the opening stock, and what is held back for shipping."""
    item = next(item for item in (await house.zoho(only="items"))["items"] if item["sku"] == sku)
    opening = item["opening"]
    moved = opening - item["accounting"], opening - item["physical"], item["committed_physical"]
    return int(moved[0]), int(moved[1]), int(moved[2])


async def sound(house: House) -> None:
    """Both ledgers tell the same, and the trail holds."""
    assert check(await house.stripe(), await house.zoho()) == []
    assert (await house.store.audit.verify(house.slug)).ok


async def test_a_whole_refund_of_goods_that_never_left(temporal_client: Client, tmp_path: Path) -> None:
    """One credit note over every line, paid out of the clearing account, and the goods are for sale again."""
    async with shop(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=BUYER, lines=LINES)
        await house.done(paid["payment_intent"])
        assert await stock(house) == (2, 0, 2)
        made = await refund(house, paid)
        result = await booked(house, made)
        assert result["stage"] == Stage.CREDITED
        assert await stock(house) == (0, 0, 0)
        ledger = await house.zoho()
        (note,) = ledger["creditnotes"]
        assert (note["status"], note["total"], note["reference_number"]) == ("closed", Decimal("67.77"), made)
        assert note["invoice_id"] == ledger["invoices"][0]["invoice_id"]
        assert [row["amount"] for row in ledger["refunds"]] == [Decimal("67.77")]
        assert ledger["accounts"]["Stripe clearing"]["EUR"] == 0
        (told,) = (await house.stripe())["refunds"]
        assert told["metadata"] == {
            "zoho_creditnote_id": note["creditnote_id"],
            "zoho_creditnote_number": note["creditnote_number"],
        }
        await sound(house)


async def test_a_refund_in_parts(temporal_client: Client, tmp_path: Path) -> None:
    """Each part has its credit note; all of them together credit each tax rate with what was sold at it."""
    async with shop(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=BUYER, lines=LINES)
        await house.done(paid["payment_intent"])
        for amount in (1000, 2345, 0):
            await booked(house, await refund(house, paid, amount))
        ledger = await house.zoho()
        assert [row["total"] for row in ledger["creditnotes"]] == [Decimal(10), Decimal("23.45"), Decimal("34.32")]
        by_rate: dict[str, Decimal] = {}
        for line in (line for note in ledger["creditnotes"] for line in note["line_items"]):
            by_rate[line["tax_name"]] = by_rate.get(line["tax_name"], Decimal(0)) + line["rate"]
        assert by_rate == {"VAT 19": Decimal("35.70"), "VAT 7": Decimal("32.07")}
        assert await stock(house) == (2, 0, 2)
        await sound(house)


@pytest.mark.parametrize(("restock", "back"), [(Restock.WHEN_UNSHIPPED, 2), (Restock.ALWAYS, 0)])
async def test_goods_that_have_left_return_by_policy(
    temporal_client: Client, tmp_path: Path, restock: Restock, back: int
) -> None:
    """Shipped goods stay sold unless the policy says that they come back."""
    policy = QUICK.model_copy(update={"ship": Ship.WHEN_PAID, "restock": restock})
    async with shop(temporal_client, tmp_path, policy=policy) as house:
        paid = await house.pay(guest=BUYER, lines=LINES)
        await house.done(paid["payment_intent"])
        await booked(house, await refund(house, paid))
        assert await stock(house) == (back, 2, 0)
        await sound(house)


@pytest.mark.parametrize("write", [r"/creditnotes$", r"/refunds$"])
@pytest.mark.parametrize("fault", ["lost", "server_error", "drop", "malformed"])
async def test_a_lost_answer_books_once(temporal_client: Client, tmp_path: Path, write: str, fault: str) -> None:
    """Applied or not, there is one credit note with one refund, and one audit entry for each."""
    async with shop(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=BUYER, lines=LINES)
        await house.done(paid["payment_intent"])
        await house.fault("zoho", method="POST", path=write, fault=fault)
        await booked(house, await refund(house, paid))
        ledger = await house.zoho()
        assert [len(ledger[kind]) for kind in ("creditnotes", "refunds")] == [1, 1]
        steps = [entry.step.partition("@")[0] for entry in await house.store.audit.entries(house.slug)]
        assert [steps.count(step) for step in ("credit_note", "credit_note_refund", "mark_refund")] == [1, 1, 1]
        await sound(house)


async def test_a_refund_while_the_payment_is_under_way_waits_for_it(temporal_client: Client, tmp_path: Path) -> None:
    """One writer: the credit note comes after the payment's own run has closed."""
    async with shop(temporal_client, tmp_path) as house:
        await house.fault("zoho", method="POST", path="/customerpayments$", fault="refuse", code=4711)
        paid = await house.pay(guest=BUYER, lines=LINES)
        await house.parked(paid["payment_intent"])
        made = await refund(house, paid)
        await until(lambda: _runs(house, made))
        assert (await house.zoho())["creditnotes"] == []
        await house.answer(paid["payment_intent"], "retry")
        await house.done(paid["payment_intent"])
        await booked(house, made)
        assert len((await house.zoho())["creditnotes"]) == 1
        await sound(house)


async def _runs(house: House, refund_id: str) -> bool:
    try:
        return bool(await run_of(house, refund_id).query(contract.PROGRESS))
    except RPCError:
        return False


@pytest.mark.parametrize("settled", [True, False])
async def test_a_refund_that_fails_is_taken_back(temporal_client: Client, tmp_path: Path, settled: bool) -> None:
    """Weeks after it was booked, or before: credit note and refund are gone, and the stock is as it was."""
    async with shop(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=BUYER, lines=LINES)
        await house.done(paid["payment_intent"])
        if not settled:
            await house.post(f"{house.stripe_url}/_switches", {"refund_after": None})
        made = await refund(house, paid)
        if settled:
            await booked(house, made)
        else:
            await until(lambda: _runs(house, made))
        await house.post(f"{house.stripe_url}/_refunds/{made}/fail", {})
        await until(lambda: _reached(house, made, Stage.REOPENED))
        ledger = await house.zoho()
        assert [row["status"] for row in ledger["creditnotes"]] == (["void"] if settled else [])
        assert ledger["refunds"] == []
        assert [row["metadata"] for row in (await house.stripe())["refunds"]] == [{}]
        assert await stock(house) == (2, 0, 2)
        await sound(house)


async def _reached(house: House, refund_id: str, stage: Stage) -> bool:
    try:
        return bool((await booked(house, refund_id))["stage"] == stage)
    except RPCError:
        return False


async def test_events_again_and_in_any_order_change_nothing(temporal_client: Client, tmp_path: Path) -> None:
    """Everything that Stripe told of two refunds, told again, leaves the same books."""
    async with shop(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=BUYER, lines=LINES)
        await house.done(paid["payment_intent"])
        for amount in (1000, 500):
            await booked(house, await refund(house, paid, amount))
        before = await house.zoho(only="creditnotes,refunds,items")
        for event in reversed((await house.stripe())["events"]):
            await house.post(f"{house.stripe_url}/_events/{event['id']}/resend", {})
        await everything_told(house)
        query = f"{contract.CONNECTION.name} = '{house.slug}' AND ExecutionStatus = 'Running'"
        await until(lambda: _none_open(house, query))
        assert await house.zoho(only="creditnotes,refunds,items") == before
        await sound(house)


async def _none_open(house: House, query: str) -> bool:
    return (await house.client.count_workflows(query)).count == 0


async def test_a_refund_of_a_payment_that_was_never_carried_asks_a_person(
    temporal_client: Client, tmp_path: Path
) -> None:
    """Skipped, it is left to the person; nothing was written."""
    async with shop(temporal_client, tmp_path, events=["refund.created"]) as house:
        paid = await house.pay(guest=BUYER, lines=LINES)
        made = await refund(house, paid)
        await until(lambda: parked_at(house, made))
        trouble = await run_of(house, made).query(contract.TROUBLE)
        assert (trouble["attention_class"], trouble["step"]) == ("not_carried", "sale")
        answer = {"action": "skip", "reason": "sold before we came", "by": "test"}
        await run_of(house, made).execute_update(contract.RESOLVE, answer)
        assert (await booked(house, made))["creditnote_id"] == ""
        assert (await house.zoho())["creditnotes"] == []


async def parked_at(house: House, refund_id: str) -> bool:
    try:
        return await run_of(house, refund_id).query(contract.TROUBLE) is not None
    except RPCError:
        return False


async def test_a_refund_made_for_a_return_is_not_booked_twice(temporal_client: Client, tmp_path: Path) -> None:
    """Its metadata names the return, whose own run books it; a refund of somebody else beside it is booked."""
    async with shop(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=BUYER, lines=LINES)
        await house.done(paid["payment_intent"])
        wanted = {"payment_intent": paid["payment_intent"], "amount": "1500", f"metadata[{RETURN_ID_KEY}]": "460001"}
        ours = str((await stripe_says(house, "refunds", wanted))["id"])
        theirs = await refund(house, paid, 1000)
        assert "return 460001" in (await booked(house, ours))["notes"][-1]
        assert (await booked(house, theirs))["creditnote_id"]
        assert [row["reference_number"] for row in (await house.zoho())["creditnotes"]] == [theirs]


async def test_an_abort_takes_the_credit_note_back(temporal_client: Client, tmp_path: Path) -> None:
    """The refund of the note was refused: aborted, the note is void and nothing was paid out."""
    async with shop(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=BUYER, lines=LINES)
        await house.done(paid["payment_intent"])
        await house.fault("zoho", method="POST", path=r"/creditnotes/\d+/refunds$", fault="refuse", code=4711)
        made = await refund(house, paid)
        await until(lambda: parked_at(house, made))
        answer = {"action": "abort", "reason": "booked by hand", "by": "test"}
        await run_of(house, made).execute_update(contract.RESOLVE, answer)
        await until(lambda: _voided(house))
        assert (await house.zoho())["refunds"] == []
        assert await stock(house) == (2, 0, 2)


async def _voided(house: House) -> bool:
    return [row["status"] for row in (await house.zoho())["creditnotes"]] == ["void"]


@pytest.mark.parametrize("forgets", [True, False])
async def test_a_run_once_more_books_no_second_credit_note(
    temporal_client: Client, tmp_path: Path, forgets: bool
) -> None:
    """Known from our memory; and where that is lost, found in Zoho by the refund's id."""
    async with shop(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=BUYER, lines=LINES)
        await house.done(paid["payment_intent"])
        made = await refund(house, paid)
        first = await booked(house, made)
        before = await house.zoho(only="creditnotes,refunds")
        if forgets:
            forget_everything(tmp_path)
        again = await run_again(house, made, paid["payment_intent"])
        assert {**again, "notes": []} == {**first, "notes": []}
        assert await house.zoho(only="creditnotes,refunds") == before


async def run_again(house: House, refund_id: str, payment_id: str) -> dict[str, Any]:
    """The completed refund's run once more, on purpose."""
    seen = PaymentEvent(event_id="evt_x", type="refund.updated", object_id=refund_id, created=datetime.now(UTC))
    start = RefundInput(**house.start_of(payment_id), refund_id=refund_id, event=seen)
    return await house.once_more(contract.REFUND_WORKFLOW, start, contract.refund_workflow_id(house.slug, refund_id))
