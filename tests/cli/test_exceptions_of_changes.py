"""`throughline exceptions` for changes of a payment that has closed: listed, shown and answered by their event."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from cli.temporal_server import TemporalServer
from domain.money import Money
from tests.cli.conftest import until
from tests.cli.test_exceptions import Shop, reach
from tests.workflows.fakes import Script, event, on_stage
from tests.workflows.samples import known_plan
from tests.workflows.test_changes import plan
from tests.workflows.test_payments import until_parked


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
