"""Payouts posted in Zoho Books through everything: the clearing account ends where Stripe's balance does."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.service import RPCError

from domain.policy import BooksPolicy
from domain.runs import Stage
from tests.endtoend.test_documented import told
from tests.endtoend.test_payouts import NEVER, certified, paid, paid_out, refunded, run_of, step
from tests.house import BUYER, MAPPING, QUICK, House, a_house
from workflows import contract

KINDS = {
    "Stripe Clearing": "payment_clearing",
    "Bank": "bank",
    "Stripe Fees": "expense",
    "Bank Fees and Charges": "expense",
    "Exchange Gain or Loss": "other_expense",
}
ACCOUNTS = [
    {"account_id": f"90{number}", "account_name": name, "account_type": kind}
    for number, (name, kind) in enumerate(KINDS.items())
]
POSTS = QUICK.model_copy(update={"books": BooksPolicy(post=True)})


async def balances(house: House) -> dict[str, Decimal]:
    """What is on each account of Zoho, in euro."""
    found: dict[str, dict[str, Decimal]] = (await house.zoho(only="accounts"))["accounts"]
    return {name: held["EUR"] for name, held in found.items() if "EUR" in held}


async def settled(house: House, versions: int = 1, **given: Any) -> str:
    """A payout of all there is, reconciled, certified and posted."""
    payout_id = await paid_out(house, **given)
    await step(house, payout_id, "pay")
    if given.get("kind") is None:
        await step(house, payout_id, "reconcile")
    await certified(house, payout_id, versions)
    return payout_id


async def bill(house: House, cents: int) -> None:
    """Stripe bills a fee by itself."""
    fee = {"account": "acct_1Test", "amount": -cents, "kind": "stripe_fee", "category": "fee", "description": "Radar"}
    await house.post(f"{house.stripe_url}/_movements", fee)


async def test_every_payout_is_posted_once(temporal_client: Client, tmp_path: Path) -> None:
    """Automatic, failed and carried by the next, instant, negative, in one shop, with the answer to each first write
    lost: after each of them the clearing account holds what Stripe holds, and the bank what came. One that is refused
    and aborted leaves nothing, and is posted when it begins anew.
    """
    async with a_house(temporal_client, tmp_path, **with_books()) as house:
        await house.post(f"{house.stripe_url}/_switches", NEVER)
        await paid(house)
        await bill(house, 250)
        for path in ("banktransactions", "journals"):
            await house.fault("zoho", fault="lost", method="POST", path=f"/books/v3/{path}$")
        first = await settled(house)
        now = await balances(house)
        assert now["Stripe Clearing"] == 0
        assert now["Stripe Fees"] == Decimal("2.50")
        came = now["Bank"]
        result = await run_of(house, first).result()
        assert len(result["posted"]) == 2

        await step(house, first, "fail")
        await certified(house, first, 2)
        now = await balances(house)
        assert (now["Stripe Clearing"], now["Bank"]) == (came, Decimal(0))

        again = await settled(house)
        now = await balances(house)
        assert (now["Stripe Clearing"], now["Bank"]) == (Decimal(0), came)

        await paid(house)
        await settled(house, kind="instant", amount=2000)
        held = (await balances(house))["Stripe Clearing"]
        last = await settled(house)
        now = await balances(house)
        assert held > 0
        assert (now["Stripe Clearing"], now["Stripe Fees"]) == (Decimal(0), Decimal("2.70"))

        await bill(house, 500)
        before = await asked(house)
        owed = await settled(house)
        assert await asked(house) - before == Counter(
            {f"{how} /banktransactions": 1 for how in ("GET", "POST")}
            | {f"{how} /journals": 1 for how in ("GET", "POST")}
            | {"GET /chartofaccounts": 1, "GET /journals/{journal_id}": 1}
            | {"GET /banktransactions/{bank_transaction_id}": 1}
        )
        now = await balances(house)
        assert (now["Stripe Clearing"], now["Stripe Fees"]) == (Decimal(0), Decimal("7.70"))
        assert sum(now.values()) == sum(await receivable(house))

        gone = await given_up_and_begun_anew(house)
        assert (await balances(house))["Stripe Fees"] == Decimal("8.70")
        assert (await balances(house))["Stripe Clearing"] == 0
        transfers, journals = await references(house)
        assert len(transfers) == len(set(transfers)) == 7
        assert {first, f"{first}/back", again, last, owed, gone} < set(transfers)
        assert len(journals) == len(set(journals)) == 4
        assert {f"{first}/1", f"{owed}/1", f"{gone}/1"} < set(journals)


async def test_gain_and_loss_is_posted(temporal_client: Client, tmp_path: Path) -> None:
    """34.00 dollars count as 31.28 euro in the books and settle as 30.91; 10.00 of them go back and count as 9.20:
    what the rates differ by is posted, and the clearing account ends at nothing in the own currency.
    """
    async with a_house(temporal_client, tmp_path, **with_books()) as house:
        await house.post(f"{house.stripe_url}/_switches", NEVER)
        made = await house.pay(guest=BUYER, currency="usd", lines=[{"sku": "MUG", "unit_amount": 1700, "quantity": 2}])
        await house.post(f"{house.stripe_url}/_charges/{made['charge']}/balance", {})
        await house.done(made["payment_intent"])
        back = {"account": "acct_1Test", "charge": made["charge"], "amount": 1000}
        refund = await house.post(f"{house.stripe_url}/_refunds", back)
        await refunded(house, refund["id"], Stage.CREDITED)
        payout_id = await settled(house)
        certificate = await certified(house, payout_id)
        assert certificate.certificate.findings == []
        moved = {line.kind: line.amount for line in certificate.lines}
        posted = {(line.kind, entry.account): entry.minor for line in certificate.lines for entry in line.postings}
        gain = {"charge": moved["charge"] - 3128, "refund": moved["refund"] + 920}
        assert (posted["charge", "receivables"], posted["refund", "refunds"]) == (3128, -920)
        assert {kind: posted[kind, "exchange"] for kind in gain} == gain
        found = (await house.zoho(only="accounts"))["accounts"]
        clearing = found["Stripe Clearing"]
        assert clearing["USD"] == 24
        assert clearing["EUR"] + clearing["USD"] * Decimal("0.92") == 0
        assert found["Exchange Gain or Loss"]["EUR"] == Decimal(-sum(gain.values())) / 100


def with_books() -> dict[str, Any]:
    """A shop that posts, with the rights that docs/connecting.md asks for and no more."""
    mapping = MAPPING.model_copy(update={"deposit_account_id": "900"})
    scopes = [*told(r"^ZohoBooks\..*$"), "ZohoInventory.FullAccess.all"]
    assert len(scopes) == 7
    return {"policy": POSTS, "mapping": mapping, "seed": {"accounts": ACCOUNTS, "scopes": scopes}}


async def given_up_and_begun_anew(house: House) -> str:
    """A payout whose journal is refused: aborted, nothing of it stands in Books; begun anew, it is posted."""
    before = await balances(house)
    await bill(house, 100)
    await house.fault("zoho", fault="refuse", method="POST", path="/books/v3/journals$")
    payout_id = await paid_out(house)
    await step(house, payout_id, "pay")
    await step(house, payout_id, "reconcile")
    await aborted(house, payout_id)
    assert await balances(house) == before
    await told_again(house, payout_id)
    await certified(house, payout_id)
    return payout_id


async def references(house: House) -> tuple[list[str], list[str]]:
    """Those of the transfers and of the journals in Books."""
    books = await house.zoho(only="banktransactions,journals")
    transfers, journals = (
        [row["reference_number"] for row in books[kind]] for kind in ("banktransactions", "journals")
    )
    return transfers, journals


async def aborted(house: House, payout_id: str) -> None:
    """The run waits for a person, who has it take back what it posted."""
    handle = run_of(house, payout_id)
    async with asyncio.timeout(60):
        while not await waits(handle):
            await asyncio.sleep(0.05)
    trouble = await handle.query(contract.TROUBLE)
    assert (trouble["attention_class"], trouble["step"]) == ("zoho_refused", "post")
    await handle.execute_update(contract.RESOLVE, {"action": "abort", "by": "test", "reason": "not this month"})
    with pytest.raises(WorkflowFailureError) as raised:
        await handle.result()
    assert "taken back in Zoho Books: transfer" in str(raised.value.cause)


async def waits(handle: WorkflowHandle[Any, Any]) -> bool:
    """Whether a run, which an event is yet to start, waits for a person."""
    try:
        return bool((await handle.describe()).typed_search_attributes.get(contract.NEEDS_ATTENTION))
    except RPCError:
        return False


async def told_again(house: House, payout_id: str) -> None:
    """Stripe sends once more that the payout is paid, which begins its run anew."""
    for event in (await house.stripe(only="events"))["events"]:
        if event["type"] == "payout.paid" and payout_id in str(event["data"]):
            await house.post(f"{house.stripe_url}/_events/{event['id']}/resend", {})
    async with asyncio.timeout(60):
        while (await run_of(house, payout_id).describe()).status is WorkflowExecutionStatus.FAILED:
            await asyncio.sleep(0.05)


async def asked(house: House) -> Counter[str]:
    """How often Books was asked what."""
    counts: dict[str, int] = (await house.zoho(only="calls"))["calls"]["counts"]
    books = ("/banktransactions", "/journals", "/chartofaccounts")
    return Counter({name: count for name, count in counts.items() if name.partition(" ")[2].startswith(books)})


async def receivable(house: House) -> list[Decimal]:
    """What customers' payments brought."""
    return [row["amount"] for row in (await house.zoho(only="payments"))["payments"]]
