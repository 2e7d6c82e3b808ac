"""Our store is lost after a payment, Temporal forgets it, and its events come again: Zoho knows what was done."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy

from domain.runs import PaymentInput
from tests.endtoend.shops import Shop
from tests.faults.cells import Lane
from tests.faults.faults import STORE
from tests.faults.kinds import KINDS, Kind
from tests.faults.singles import shops_of
from tests.faults.tales import forget
from workflows import contract

PAID = [kind for kind in KINDS.values() if kind.ends_paid]


async def begin_anew(shop: Shop, payment: str) -> None:
    """A new run under the payment's id, as its event starts one once Temporal's retention has ended."""
    before = await shop.run_of(payment).describe()
    start = PaymentInput(
        connection=shop.slug,
        payment_id=payment,
        organization_id=shop.connection.zoho.organization_id,
        policy=shop.connection.policy,
        zoho_queue=f"{before.task_queue}-zoho",
    )
    await shop.client.start_workflow(
        contract.PAYMENT_WORKFLOW,
        start,
        id=before.id,
        task_queue=before.task_queue,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        search_attributes=TypedSearchAttributes([SearchAttributePair(contract.CONNECTION, shop.slug)]),
    )


async def carried_again(shop: Shop, kind: Kind) -> list[str]:
    """What is wrong once the payment's events have come again to a house that remembers nothing."""
    lane = Lane(shop, kind)
    await lane.open()
    story = await lane.undisturbed()
    payment, before = lane.last, await shop.books()
    forget(shop, *STORE)
    await begin_anew(shop, payment)
    await shop.resend(payment)
    await lane.close(payment, "retry", 2.0)
    wrong, _ = await lane.judged(payment, story, trail=False)
    after = await shop.books()
    kinds = ("contacts", "salesorders", "invoices", "payments", "items")
    return wrong + [f"{name} changed" for name in kinds if before[name] != after[name]]


@pytest.mark.timeout(180)
async def test_events_again_after_everything_was_forgotten_write_no_second_document(
    temporal_client: Client, tmp_path: Path
) -> None:
    """Neither Temporal nor our store knows the payment: the new run adopts order, invoice and payment."""
    names = [kind.name for kind in PAID]
    async with shops_of(temporal_client, tmp_path, {kind.name: kind for kind in PAID}) as street:
        found = await asyncio.gather(*(carried_again(street[kind.name], kind) for kind in PAID))
    assert {name: wrong for name, wrong in zip(names, found, strict=True) if wrong} == {}
