"""Work in bulk has a queue and a share of the quota of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from temporalio.client import Client

from cli.ledger_check import check
from domain.runs import PaymentEvent
from ingress.starter import Starter
from tests.house import BUYER, ORGANIZATION, a_house
from workflows import contract


async def test_a_payment_on_the_bulk_queue_is_carried_and_counts_as_no_live_one(
    temporal_client: Client, tmp_path: Path
) -> None:
    """The same story, by the worker of that queue: none of its calls is counted as a live payment's."""
    async with a_house(temporal_client, tmp_path, events=("customer.updated",)) as house:
        connections = {house.slug: house.connection}
        bulk = contract.bulk_queue(f"{house.queue}-zoho")
        starter = Starter(temporal_client, connections, task_queue=house.queue, zoho_queue=bulk)
        usual = Starter(temporal_client, connections, task_queue=house.queue, zoho_queue=f"{house.queue}-zoho")
        live, past = [await house.pay(guest=BUYER, lines=[{"sku": "MUG", "unit_amount": 1500}]) for _ in range(2)]
        for paid, told in ((past, starter), (live, usual)):
            name = str(paid["payment_intent"])
            seen = PaymentEvent(
                event_id=f"evt_{name}", type="payment_intent.succeeded", object_id=name, created=datetime.now(UTC)
            )
            await told.payment_event(house.slug, name, seen)
            assert (await house.done(name))["stage"] == "paid"
            budget = await house.store.budgets.read(ORGANIZATION)
            assert budget is not None
            assert budget.day_left is not None
            assert budget.day_left <= 1_000_000 - 5
            assert (budget.live_today >= 5) is (told is usual)
            assert (budget.live_today == 0) is (told is starter)
        assert check(await house.stripe(), await house.zoho()) == []
