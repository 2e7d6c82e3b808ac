"""Disputes of a payment, through everything: who hears of what, what is held, and what the books say in the end."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle

from domain.policy import DisputeHold, DisputeLost, PaymentPolicy, Restock, Ship
from domain.runs import Stage
from tests.endtoend.disputing import WRITES_OFF, close, dispute, disputed, lost, paid, reached, says, told
from tests.endtoend.outcomes import everything_told
from tests.endtoend.test_changes import until
from tests.endtoend.test_memory_lost import forget_everything
from tests.endtoend.test_refunds import WHOLE, shop, sound, stock
from tests.house import QUICK, House
from workflows import contract

DOCUMENTS = "salesorders,invoices,payments,creditnotes,refunds,items,accounts"


async def test_a_won_dispute_is_told_and_closes(temporal_client: Client, tmp_path: Path) -> None:
    """Opened with its deadline and the money that was taken; held; decided; nothing was written to Zoho."""
    async with shop(temporal_client, tmp_path) as house:
        run = await disputed(house, reason="product_not_received", due_by=1_900_000_000)
        seen = await reached(run, Stage.DISPUTED)
        assert "product_not_received" in seen["notes"][0]
        assert "2030-03-17" in seen["notes"][0]
        before = await house.zoho(only=DOCUMENTS)
        await everything_told(house)
        await until(lambda: says(house, "open", "held"))
        await close(house, run, "won")
        result = await run.result()
        assert (result["status"], result["creditnote_id"]) == ("won", "")
        assert await told(house) == ["open", "held", "won"]
        assert await house.zoho(only=DOCUMENTS) == before
        await sound(house)


async def test_a_lost_dispute_asks_what_becomes_of_the_books(temporal_client: Client, tmp_path: Path) -> None:
    """By policy it waits with the money at risk until somebody says what he did."""
    policy = QUICK.model_copy(update={"dispute_lost": DisputeLost.ASK, "dispute_hold": DisputeHold.GO_ON})
    async with shop(temporal_client, tmp_path, policy=policy) as house:
        run = await disputed(house)
        await reached(run, Stage.DISPUTED)
        await everything_told(house)
        await close(house, run, "lost")
        await reached(run, Stage.NEEDS_ATTENTION)
        trouble = await run.query(contract.TROUBLE)
        assert (trouble["attention_class"], trouble["step"]) == ("dispute_lost", "lost")
        assert trouble["at_risk"] == {"minor": WHOLE, "currency": "EUR"}
        said = {"action": "skip", "reason": "written off in Zoho", "by": "ada"}
        await run.execute_update(contract.RESOLVE, said)
        assert (await run.result())["status"] == "lost"
        assert await told(house) == ["open", "lost"]
        assert (await house.zoho())["creditnotes"] == []


@pytest.mark.parametrize("escalates", [False, True])
async def test_an_inquiry_may_come_to_nothing(temporal_client: Client, tmp_path: Path, escalates: bool) -> None:
    """Told as an inquiry; it ends, or becomes a dispute that is told as one."""
    policy = QUICK.model_copy(update={"dispute_hold": DisputeHold.GO_ON})
    async with shop(temporal_client, tmp_path, policy=policy) as house:
        run = await disputed(house, inquiry=True)
        await reached(run, Stage.DISPUTED)
        await everything_told(house)
        dispute_id = run.id.rpartition(":")[2]
        if escalates:
            await house.post(f"{house.stripe_url}/_disputes/{dispute_id}/escalate", {})
            await everything_told(house)
            await until(lambda: says(house, "inquiry", "open"))
        await close(house, run, "won")
        assert (await run.result())["status"] == ("won" if escalates else "dropped")
        assert await told(house) == (["inquiry", "open", "won"] if escalates else ["inquiry", "dropped"])


@pytest.mark.parametrize(
    ("amount", "ship", "back"),
    [(WHOLE, Ship.NEVER, (0, 0, 0)), (WHOLE, Ship.WHEN_PAID, (2, 2, 0)), (2000, Ship.NEVER, (2, 0, 2))],
)
async def test_a_lost_dispute_is_credited(
    temporal_client: Client, tmp_path: Path, amount: int, ship: Ship, back: tuple[int, int, int]
) -> None:
    """One credit note over the disputed money, out of the clearing account; only goods that never left are sold anew.

    What the bank took, and its fee, is kept for the payout.
    """
    policy = QUICK.model_copy(update={"ship": ship, "restock": Restock.ALWAYS})
    async with shop(temporal_client, tmp_path, policy=policy) as house:
        run, result = await lost(house, amount=amount)
        dispute_id = run.id.rpartition(":")[2]
        ledger = await house.zoho()
        (note,) = ledger["creditnotes"]
        money = Decimal(amount) / 100
        assert (note["status"], note["total"], note["reference_number"]) == ("closed", money, dispute_id)
        assert f"Stripe dispute {dispute_id}" in note["notes"]
        assert (result["creditnote_id"], result["number"]) == (note["creditnote_id"], note["creditnote_number"])
        assert [row["amount"] for row in ledger["refunds"]] == [money]
        assert ledger["accounts"]["Stripe clearing"]["EUR"] == Decimal(WHOLE - amount) / 100
        assert await stock(house) == back
        assert [(one["money"]["minor"], one["fee"]["minor"]) for one in result["withdrawn"]] == [(-amount, 1500)]
        entries = [one for one in await house.store.audit.entries(house.slug) if one.step.startswith("moved#")]
        assert [str(one.amount) for one in entries] == [f"-{money + 15:.2f} EUR"]
        assert (await told(house))[-2:] == ["lost", "booked"]
        await sound(house)


@pytest.mark.parametrize("amount", [WHOLE, 2000])
async def test_a_lost_dispute_is_written_off_by_policy(temporal_client: Client, tmp_path: Path, amount: int) -> None:
    """The recorded payment is lowered by the disputed money, or gone, and just that of the invoice is given up."""
    async with shop(temporal_client, tmp_path, policy=WRITES_OFF) as house:
        _, result = await lost(house, amount=amount)
        ledger = await house.zoho()
        (invoice,) = ledger["invoices"]
        assert (result["written_off"], result["creditnote_id"]) == (invoice["invoice_id"], "")
        assert (invoice["balance"], invoice["write_off_amount"]) == (0, Decimal(amount) / 100)
        assert [row["amount"] for row in ledger["payments"]] == [Decimal(one) / 100 for one in (WHOLE - amount,) if one]
        assert ledger["creditnotes"] == []
        assert await stock(house) == (2, 0, 2)
        await sound(house)


BOOKS = [
    (QUICK, "POST", r"/creditnotes$"),
    (QUICK, "POST", r"/refunds$"),
    (WRITES_OFF, "DELETE", r"/customerpayments/\d+$"),
    (WRITES_OFF, "POST", r"/writeoff$"),
]
UNDOES = [
    (QUICK, "DELETE", r"/refunds/\d+$"),
    (QUICK, "POST", r"/creditnotes/\d+/void$"),
    (WRITES_OFF, "POST", r"/writeoff/cancel$"),
    (WRITES_OFF, "POST", r"/customerpayments$"),
]
OTHERS = ["server_error", "drop", "malformed", "server_error"]


def with_faults(places: list[tuple[PaymentPolicy, str, str]]) -> list[tuple[PaymentPolicy, str, str, str]]:
    """At each place the answer is lost, and one of the other faults happens."""
    return [(*place, fault) for place, other in zip(places, OTHERS, strict=True) for fault in ("lost", other)]


@pytest.mark.parametrize(("policy", "method", "path", "fault"), with_faults(BOOKS))
async def test_a_lost_answer_books_once(
    temporal_client: Client, tmp_path: Path, policy: PaymentPolicy, method: str, path: str, fault: str
) -> None:
    """Applied or not, the loss is booked once, with one audit entry for each write."""
    async with shop(temporal_client, tmp_path, policy=policy) as house:
        made = await paid(house)
        await house.fault("zoho", method=method, path=path, fault=fault)
        run = await dispute(house, made)
        await reached(run, Stage.DISPUTED)
        await everything_told(house)
        await close(house, run, "lost")
        await run.result()
        steps = [entry.step.partition("@")[0] for entry in await house.store.audit.entries(house.slug)]
        wrote = ["credit_note", "credit_note_refund"] if policy is QUICK else ["lower_payment", "write_off"]
        assert [steps.count(step) for step in wrote] == [1, 1]
        await sound(house)


async def won_after_all(house: House, run: WorkflowHandle[Any, Any]) -> None:
    """The bank decides once more, for us; return when the run that this starts has ended."""
    first = (await run.describe()).run_id
    await everything_told(house)
    await close(house, run, "won")
    await everything_told(house)

    async def ended() -> bool:
        about = await run.describe()
        return about.run_id != first and about.close_time is not None

    await until(ended)
    assert (await run.result())["status"] == "won"


@pytest.mark.parametrize("policy", [QUICK, WRITES_OFF])
@pytest.mark.parametrize("amount", [WHOLE, 2000])
async def test_one_that_is_won_after_all_is_taken_back(
    temporal_client: Client, tmp_path: Path, policy: PaymentPolicy, amount: int
) -> None:
    """Lost, booked, and reinstated: the books are as before the dispute; told again, nothing changes."""
    async with shop(temporal_client, tmp_path, policy=policy) as house:
        run, _ = await lost(house, amount=amount)
        await won_after_all(house, run)
        ledger = await house.zoho()
        assert [row["status"] for row in ledger["creditnotes"]] == (["void"] if policy is QUICK else [])
        assert [(row["balance"], row["write_off_amount"]) for row in ledger["invoices"]] == [(0, 0)]
        assert [(row["amount"], row["account_name"]) for row in ledger["payments"]] == [
            (Decimal(WHOLE) / 100, "Stripe clearing")
        ]
        assert ledger["refunds"] == []
        assert "reopened" in await told(house)
        await sound(house)
        before = await house.zoho(only=DOCUMENTS)
        for event in reversed((await house.stripe())["events"]):
            await house.post(f"{house.stripe_url}/_events/{event['id']}/resend", {})
        await everything_told(house)
        query = f"{contract.CONNECTION.name} = '{house.slug}' AND ExecutionStatus = 'Running'"
        await until(lambda: _none_open(house, query))
        assert await house.zoho(only=DOCUMENTS) == before


async def _none_open(house: House, query: str) -> bool:
    return (await house.client.count_workflows(query)).count == 0


@pytest.mark.parametrize(("policy", "method", "path", "fault"), with_faults(UNDOES))
async def test_a_lost_answer_takes_back_once(
    temporal_client: Client, tmp_path: Path, policy: PaymentPolicy, method: str, path: str, fault: str
) -> None:
    """Whatever undo's answer is lost, what was booked is gone once and for all."""
    async with shop(temporal_client, tmp_path, policy=policy) as house:
        run, _ = await lost(house)
        await house.fault("zoho", method=method, path=path, fault=fault)
        await won_after_all(house, run)
        ledger = await house.zoho()
        assert (len(ledger["payments"]), ledger["refunds"]) == (1, [])
        await sound(house)


async def test_a_credit_note_is_found_without_our_memory(temporal_client: Client, tmp_path: Path) -> None:
    """Our store was lost after the loss was booked: the note is found in Zoho by the dispute's id, and taken back."""
    async with shop(temporal_client, tmp_path) as house:
        run, _ = await lost(house)
        forget_everything(tmp_path)
        await won_after_all(house, run)
        assert [row["status"] for row in (await house.zoho())["creditnotes"]] == ["void"]
