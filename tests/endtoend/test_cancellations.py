"""A sale that is given up before the goods leave, through everything: nothing is held back, and nobody is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError

from domain.policy import HeldMoney
from domain.runs import Stage
from tests.endtoend.outcomes import LINES, everything_told
from tests.endtoend.test_changes import authorised, stripe_says, until
from tests.endtoend.test_first_order import token
from tests.endtoend.test_refunds import booked, parked_at, refund, run_of, shop, sound, stock
from tests.house import BUYER, QUICK, House
from workflows import contract


async def undo_by_hand(house: House) -> None:
    """Somebody deletes the recorded payment in Zoho and voids the invoice; the order stays as it was."""
    headers = {"Authorization": f"Zoho-oauthtoken {await token(house)}"}
    organization = {"organization_id": house.connection.zoho.organization_id}
    ledger = await house.zoho()
    payment, invoice = ledger["payments"][0]["payment_id"], ledger["invoices"][0]["invoice_id"]
    for method, path in (("DELETE", f"customerpayments/{payment}"), ("POST", f"invoices/{invoice}/status/void")):
        url = f"{house.zoho_url}/inventory/v1/{path}"
        (await house.http.request(method, url, params=organization, headers=headers)).raise_for_status()


async def nothing_open(house: House) -> None:
    """Every run has closed: nobody is asked."""
    query = f"{contract.CONNECTION.name} = '{house.slug}' AND ExecutionStatus = 'Running'"

    async def none_open() -> bool:
        return (await house.client.count_workflows(query)).count == 0

    await until(none_open)


async def intent(house: House, payment_id: str) -> dict[str, Any]:
    """The payment as Stripe has it."""
    rows: list[dict[str, Any]] = (await house.stripe(only="payment_intents"))["payment_intents"]
    return next(row for row in rows if row["id"] == payment_id)


@pytest.mark.parametrize(
    ("held", "fault", "after"),
    [
        (HeldMoney.KEEP, "", "requires_capture"),
        (HeldMoney.LET_GO, "", "canceled"),
        (HeldMoney.LET_GO, "lost", "canceled"),
        (HeldMoney.LET_GO, "server_error", "canceled"),
    ],
)
async def test_a_run_that_is_cancelled_before_the_capture(
    temporal_client: Client, tmp_path: Path, held: HeldMoney, fault: str, after: str
) -> None:
    """Nothing was written; the buyer has the money at once where the policy says so, whatever becomes of the answer."""
    policy = QUICK.model_copy(update={"held_money": held, "unpaid_patience": QUICK.unpaid_patience * 1000})
    async with shop(temporal_client, tmp_path, policy=policy) as house:
        payment_id = await authorised(house, lines=LINES)
        if fault:
            await house.fault("stripe", method="POST", path="/cancel$", fault=fault)
        await house.run_of(payment_id).cancel()
        with pytest.raises(WorkflowFailureError):
            await house.run_of(payment_id).result()
        assert (await intent(house, payment_id))["status"] == after
        steps = [entry.step for entry in await house.store.audit.entries(house.slug)]
        assert steps.count("let_go_of_hold") == (held is HeldMoney.LET_GO)
        await everything_told(house)
        await nothing_open(house)
        assert (await house.zoho())["salesorders"] == []
        assert await stock(house) == (0, 0, 0)
        await sound(house)


@pytest.mark.parametrize("told_as_refund", [False, True])
async def test_a_hold_that_is_let_go_in_the_dashboard(
    temporal_client: Client, tmp_path: Path, told_as_refund: bool
) -> None:
    """The payment's run closes; a refund that Stripe makes of it has nothing to credit, and asks nobody."""
    async with shop(temporal_client, tmp_path) as house:
        await house.post(f"{house.stripe_url}/_switches", {"release_makes_refund": told_as_refund})
        payment_id = await authorised(house, lines=LINES)
        await stripe_says(house, f"payment_intents/{payment_id}/cancel", {})
        failure = await house.failed(payment_id)
        assert getattr(failure.cause, "type", "") == "PaymentCanceled"
        await everything_told(house)
        for made in (await house.stripe())["refunds"]:
            assert "authorised only" in (await booked(house, made["id"]))["notes"][-1]
        await nothing_open(house)
        ledger = await house.zoho()
        assert (ledger["salesorders"], ledger["creditnotes"]) == ([], [])


@pytest.mark.parametrize("fault", ["", "lost", "drop", "server_error"])
async def test_an_order_whose_invoice_a_person_voided_is_void_when_it_is_refunded(
    temporal_client: Client, tmp_path: Path, fault: str
) -> None:
    """Nothing is invoiced any more: no credit note can be written, and no goods stay held back, whatever the answer."""
    async with shop(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=BUYER, lines=LINES)
        await house.done(paid["payment_intent"])
        await undo_by_hand(house)
        if fault:
            await house.fault("zoho", method="POST", path="/status/void$", fault=fault)
        made = await refund(house, paid)
        result = await booked(house, made)
        assert (result["stage"], result["creditnote_id"]) == (Stage.CREDITED, "")
        ledger = await house.zoho()
        assert [order["status"] for order in ledger["salesorders"]] == ["void"]
        assert ledger["creditnotes"] == []
        assert await stock(house) == (0, 0, 0)
        voids = [entry for entry in await house.store.audit.entries(house.slug) if "void_sales_order" in entry.step]
        assert len(voids) == 1
        assert (await house.store.audit.verify(house.slug)).ok


async def test_a_refund_that_fails_after_its_order_was_voided_is_told(temporal_client: Client, tmp_path: Path) -> None:
    """A void order does not come back: people hear that the money is here, and the goods are not held back."""
    async with shop(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=BUYER, lines=LINES)
        await house.done(paid["payment_intent"])
        await undo_by_hand(house)
        made = await refund(house, paid)
        await booked(house, made)
        await house.post(f"{house.stripe_url}/_refunds/{made}/fail", {})

        async def reopened() -> bool:
            return bool((await booked(house, made))["stage"] == Stage.REOPENED)

        await until(reopened)
        assert "stays void" in (await booked(house, made))["notes"][-1]


async def test_a_part_of_what_nobody_invoiced_asks_a_person(temporal_client: Client, tmp_path: Path) -> None:
    """The order is not void, for the rest of it was paid; skipped, nothing is written."""
    async with shop(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=BUYER, lines=LINES)
        await house.done(paid["payment_intent"])
        await undo_by_hand(house)
        made = await refund(house, paid, 1000)
        await until(lambda: parked_at(house, made))
        trouble = await run_of(house, made).query(contract.TROUBLE)
        assert (trouble["attention_class"], trouble["step"]) == ("changed_by_hand", "sale")
        answer = {"action": "skip", "reason": "booked by hand", "by": "test"}
        await run_of(house, made).execute_update(contract.RESOLVE, answer)
        assert "left to a person" in (await booked(house, made))["notes"][-1]
        assert [order["status"] for order in (await house.zoho())["salesorders"]] != ["void"]
