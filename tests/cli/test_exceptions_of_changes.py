"""`throughline exceptions` for changes of a payment that has closed: listed, shown and answered by their event."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ApplicationError

from cli.runs import ATTENDED
from cli.temporal_server import TemporalServer
from domain.money import Money
from domain.runs import ResolveInput
from tests.cli.conftest import until
from tests.cli.test_exceptions import Shop, reach
from tests.workflows.fakes import Script, event, on_stage
from tests.workflows.samples import ANSWERS, QUICK, known_plan
from tests.workflows.test_changes import plan
from tests.workflows.test_payments import until_parked
from workflows import contract
from workflows.attended import Attended
from workflows.workers import WORKFLOWS


@pytest.fixture
async def shop(temporal_client: Client, temporal_server: TemporalServer, tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop whose payments close, and whose changes find another amount in Stripe."""
    script = Script({"plan_change": plan(money=Money.of(4000, "EUR"))})
    script.answers["prepare_order"] = lambda wanted: known_plan(wanted.payment_id)
    async with on_stage(temporal_client, script) as stage:
        yield Shop(temporal_client, stage, f"shop-{uuid.uuid4().hex[:12]}", reach(temporal_server), tmp_path)


async def test_a_parked_change_is_listed_shown_and_answered(shop: Shop) -> None:
    """Beside the closed payment it is the one that waits."""
    start = shop.stage.payment().model_copy(update={"connection": shop.slug})
    await (await shop.stage.start(start)).result()
    seen = event("ch_1", "charge.updated", "shipping")
    handle = await shop.stage.change(start, seen)
    await until_parked(handle)

    async def listed() -> bool:
        return bool(await shop.rows("list", "--connection", shop.slug))

    await until(listed)
    (row,) = await shop.rows("list", "--connection", shop.slug)
    assert (row["payment"], row["class"], row["answers"]) == (seen.event_id, "money_changed", "retry skip abort")
    shown = await shop.command("show", seen.event_id)
    assert f"resolve skip {seen.event_id}" in shown.out + shown.err
    ended = await shop.command("resolve", "skip", seen.event_id, "--reason", "booked by hand", "--by", "ada")
    assert ended.code == 0, ended.err
    assert (await shop.client.get_workflow_handle(handle.id).result())["event_id"] == seen.event_id


async def test_an_event_that_waits_is_listed_and_answered(shop: Shop) -> None:
    """Stripe refuses to tell which payment it means: the resolver's run is found by the event, and by its object."""
    seen = event("in_1", "invoice.paid")
    shop.stage.script.answers["resolve_payment"] = [
        ApplicationError("no right", {"service": "stripe"}, type="Refused", non_retryable=True),
        ANSWERS["resolve_payment"],
    ]
    known: list[SearchAttributePair[Any]] = [
        SearchAttributePair(contract.CONNECTION, shop.slug),
        SearchAttributePair(contract.BUSINESS_IDS, [seen.object_id, seen.event_id]),
    ]
    run = await shop.client.start_workflow(
        contract.RESOLVE_WORKFLOW,
        ResolveInput(connection=shop.slug, event=seen, policy=QUICK),
        id=contract.resolve_workflow_id(shop.slug, seen.event_id),
        task_queue=shop.stage.queue,
        search_attributes=TypedSearchAttributes(known),
    )
    await until_parked(run)

    async def listed() -> bool:
        return bool(await shop.rows("list", "--connection", shop.slug))

    await until(listed)
    (row,) = await shop.rows("list", "--connection", shop.slug)
    assert (row["payment"], row["class"], row["answers"]) == (seen.event_id, "stripe_refused", "retry skip abort")
    ended = await shop.command("resolve", "retry", seen.event_id, "--by", "ada")
    assert ended.code == 0, ended.err
    assert await run.result() == "pi_found"


def test_every_run_that_may_wait_is_known_to_the_command() -> None:
    """Else nobody would see it."""
    waits = {kind.__name__ for kind in WORKFLOWS if issubclass(kind, Attended)}
    assert set(ATTENDED) == waits
