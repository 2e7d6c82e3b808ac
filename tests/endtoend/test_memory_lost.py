"""Losing our own memory, or remembering what is no longer there, costs a look and no money."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy

from domain.runs import PaymentInput
from tests.endtoend.test_first_order import MUGS, token
from tests.house import BUYER, House, a_house
from workflows import contract


def forget_everything(folder: Path) -> None:
    """Empty every table that remembers documents, as a restored backup of yesterday would be."""
    for file in folder.glob("*.db"):
        with sqlite3.connect(file, timeout=10) as database:
            for table in ("effects", "links", "dossiers", "audit"):
                database.execute(f"DELETE FROM {table}")


async def run_again(house: House, payment_id: str) -> dict[str, object]:
    """The completed payment's run once more, on purpose."""
    start = PaymentInput(
        connection=house.slug,
        payment_id=payment_id,
        organization_id=house.connection.zoho.organization_id,
        policy=house.connection.policy,
        zoho_queue=f"house-{house.slug}-zoho",
    )
    handle = await house.client.start_workflow(
        contract.PAYMENT_WORKFLOW,
        start,
        id=contract.payment_workflow_id(house.slug, payment_id),
        task_queue=f"house-{house.slug}",
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    )
    return dict(await handle.result())


async def test_run_again_with_an_empty_store_adopts_what_stands(temporal_client: Client, tmp_path: Path) -> None:
    """Order, invoice, payment and contact are found in Zoho, and nothing is written a second time."""
    async with a_house(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=BUYER, lines=MUGS)
        first = await house.done(paid["payment_intent"])
        before = await house.zoho()
        forget_everything(tmp_path)
        again = await run_again(house, paid["payment_intent"])
        after = await house.zoho()
    assert again == first
    for kind in ("salesorders", "invoices", "payments", "contacts"):
        assert after[kind] == before[kind]


async def test_run_again_with_its_memory_writes_nothing(temporal_client: Client, tmp_path: Path) -> None:
    """Every effect is known as done: Zoho is not even asked."""
    async with a_house(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=BUYER, lines=MUGS)
        first = await house.done(paid["payment_intent"])
        before = (await house.zoho())["calls"]["counts"]
        again = await run_again(house, paid["payment_intent"])
        assert (await house.zoho())["calls"]["counts"] == before
    assert again == first


async def test_contact_deleted_in_zoho_is_looked_for_anew(house: House) -> None:
    """The refused order makes us forget the contact; a retry finds or creates one."""
    paid = await house.pay(guest=BUYER, lines=MUGS)
    await house.done(paid["payment_intent"])
    ledger = await house.zoho()
    await house.post(f"{house.zoho_url}/_switches", {"delete_with_children_refused": False})
    headers = {"Authorization": f"Zoho-oauthtoken {await token(house)}"}
    root, query = f"{house.zoho_url}/inventory/v1", f"?organization_id={house.connection.zoho.organization_id}"
    for kind, key in (("customerpayments", "payment_id"), ("invoices", "invoice_id"), ("salesorders", "salesorder_id"),
                      ("contacts", "contact_id")):  # fmt: skip
        rows = ledger["payments" if kind == "customerpayments" else kind]
        for row in rows:
            gone = await house.http.delete(f"{root}/{kind}/{row[key]}{query}", headers=headers)
            gone.raise_for_status()
    second = await house.pay(guest=BUYER, lines=MUGS)
    assert (await house.parked(second["payment_intent"])).attention_class == "zoho_refused"
    await house.answer(second["payment_intent"], "retry")
    assert (await house.done(second["payment_intent"]))["stage"] == "paid"
    after = await house.zoho()
    assert [order["reference_number"] for order in after["salesorders"]] == [second["payment_intent"]]
    assert len(after["contacts"]) == 1


async def test_lost_payment_is_not_recorded_twice_where_invoices_hide_their_payments(house: House) -> None:
    """The balance is the second guard: an invoice that wants nothing has been paid."""
    await house.post(f"{house.zoho_url}/_switches", {"invoice_shows_payments": False})
    await house.fault("zoho", method="POST", path="/customerpayments$", fault="lost")
    paid = await house.pay(guest=BUYER, lines=MUGS)
    await house.done(paid["payment_intent"])
    ledger = await house.zoho()
    assert len(ledger["payments"]) == 1
    assert ledger["invoices"][0]["status"] == "paid"
