"""A parked payment through everything: answered with Temporal's own command line, aborted, cancelled, begun anew."""

from __future__ import annotations

import asyncio
import subprocess
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from cli.temporal_binary import find_or_get
from cli.temporal_server import TemporalServer
from tests.endtoend.test_first_order import MUGS, token
from tests.house import BUYER, ITEMS, ORGANIZATION, SEED, House

LAMP = {"sku": "LAMP", "name": "Lamp", "rate": 49, "stock": 3}
KINDS = ("salesorders", "invoices", "payments")


def signal(server: TemporalServer, workflow_id: str, answer: str) -> None:
    """What an operator types."""
    command = [str(find_or_get(lambda _: None)), "workflow", "signal", "--address", server.address]
    command += ["--workflow-id", workflow_id, "--name", "resume", "--input", answer]
    subprocess.run(command, check=True, capture_output=True, timeout=20)


async def stock_of(house: House, sku: str) -> tuple[Any, Any]:
    """Opening and accounting stock."""
    item = next(item for item in (await house.zoho())["items"] if item["sku"] == sku)
    return item["opening"], item["accounting"]


async def test_unknown_sku_waits_and_goes_on_by_temporals_own_command(
    house: House, temporal_server: TemporalServer
) -> None:
    """The item is made, the signal typed, and the payment ends as one paid order."""
    paid = await house.pay(guest=BUYER, lines=[{"sku": "LAMP", "unit_amount": 4900, "quantity": 1}])
    trouble = await house.parked(paid["payment_intent"])
    assert (trouble.attention_class, str(trouble.at_risk)) == ("unknown_sku", "49.00 EUR")
    organization = {"organization_id": ORGANIZATION, **SEED, "items": [*ITEMS, LAMP]}
    await house.post(f"{house.zoho_url}/_seed", {"organizations": [organization]})
    run = house.run_of(paid["payment_intent"])
    await asyncio.to_thread(signal, temporal_server, run.id, '{"action": "retry"}')
    assert (await house.done(paid["payment_intent"]))["stage"] == "paid"
    ledger = await house.zoho()
    assert [len(ledger[kind]) for kind in KINDS] == [1, 1, 1]
    answers = [entry for entry in await house.store.audit.entries(house.slug) if entry.step.startswith("answer#")]
    assert [entry.note for entry in answers] == ["retry by unknown"]


async def test_amended_sku_sells_the_item_that_was_meant(house: House) -> None:
    """The correction is carried into the order; Stripe's own line stays as it was."""
    paid = await house.pay(guest=BUYER, lines=[{"sku": "MUGG", "unit_amount": 1500, "quantity": 2}])
    await house.parked(paid["payment_intent"])
    await house.answer(paid["payment_intent"], "amend", amendments=[{"line": "1", "field": "sku", "value": "MUG"}])
    await house.done(paid["payment_intent"])
    (order,) = (await house.zoho())["salesorders"]
    assert [line["sku"] for line in order["line_items"]] == ["MUG"]


async def test_abort_leaves_books_and_stock_as_before(house: House) -> None:
    """The receipt is refused after everything else stood: on abort invoice and order are void, and stock is back."""
    await house.fault("zoho", method="POST", path="/customerpayments$", fault="refuse", code=4711)
    paid = await house.pay(guest=BUYER, lines=MUGS)
    trouble = await house.parked(paid["payment_intent"])
    assert trouble.attention_class == "zoho_refused"
    opening, accounting = await stock_of(house, "MUG")
    assert opening - accounting == 2
    await house.answer(paid["payment_intent"], "abort", reason="wrong shop")
    error = await house.failed(paid["payment_intent"])
    assert getattr(error.cause, "type", "") == "Aborted"
    ledger = await house.zoho()
    assert {row["status"] for kind in ("salesorders", "invoices") for row in ledger[kind]} == {"void"}
    assert ledger["payments"] == []
    opening, accounting = await stock_of(house, "MUG")
    assert opening == accounting
    assert (await house.store.audit.verify(house.slug)).ok


async def test_cancel_after_the_payment_takes_all_of_it_back(house: House) -> None:
    """The note to Stripe cannot be written; cancelled there, Zoho has no payment and only void documents."""
    await house.fault("stripe", method="POST", path="/v1/payment_intents/", fault="refuse", code="x")
    paid = await house.pay(guest=BUYER, lines=MUGS)
    await house.parked(paid["payment_intent"])
    assert len((await house.zoho())["payments"]) == 1
    run = house.run_of(paid["payment_intent"])
    await run.cancel()
    with pytest.raises(WorkflowFailureError):
        await run.result()
    ledger = await house.zoho()
    assert ledger["payments"] == []
    assert {row["status"] for kind in ("salesorders", "invoices") for row in ledger[kind]} == {"void"}
    opening, accounting = await stock_of(house, "MUG")
    assert opening == accounting


async def test_order_of_another_total_is_void_until_the_setting_is_right(house: House) -> None:
    """Void, corrected, the void order deleted, retried: one order at Stripe's amount, paid."""
    await house.post(f"{house.zoho_url}/_switches", {"whole_unit_rounding": True})
    paid = await house.pay(guest=BUYER, lines=[{"sku": "MUG", "unit_amount": 1533, "quantity": 1}])
    trouble = await house.parked(paid["payment_intent"])
    assert trouble.attention_class == "totals_differ"
    (void,) = (await house.zoho())["salesorders"]
    assert void["status"] == "void"
    await house.post(f"{house.zoho_url}/_switches", {"whole_unit_rounding": False})
    await house.answer(paid["payment_intent"], "retry")
    await waits_for(house, paid["payment_intent"], "order_number_taken")
    headers = {"Authorization": f"Zoho-oauthtoken {await token(house)}"}
    url = f"{house.zoho_url}/inventory/v1/salesorders/{void['salesorder_id']}?organization_id={ORGANIZATION}"
    (await house.http.delete(url, headers=headers)).raise_for_status()
    await house.answer(paid["payment_intent"], "retry")
    assert (await house.done(paid["payment_intent"]))["stage"] == "paid"
    ledger = await house.zoho()
    assert [str(row["total"]) for row in ledger["salesorders"]] == ["15.33"]
    assert len(ledger["payments"]) == 1


async def waits_for(house: House, payment_id: str, wanted: str) -> None:
    """Until the run asks about this, and no longer about what it asked before."""
    async with asyncio.timeout(30):
        while (await house.parked(payment_id)).attention_class != wanted:
            await asyncio.sleep(0.02)
