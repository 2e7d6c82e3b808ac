"""One payment, one trace: from the webhook through the run and each activity to each HTTP call, and nobody in it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHandle
from temporalio.worker import Replayer

from cli.temporal_server import TemporalServer
from clients.keys import KeyRing
from clients.telemetry import tracing_interceptors
from clients.temporal import ThroughlinePlugin, connect
from clients.tracing import open_tracing
from tests.endtoend.test_privacy import CANARIES, GUEST, MUGS
from tests.house import House, a_house
from workflows import contract
from workflows.workers import WORKFLOWS

# Activities that look into our own store and call nobody.
SILENT = {
    "claim_contact",
    "release_contact",
    "plan_addresses",
    "notify_paid",
}


@dataclass
class Spans:
    """The spans of a file, by id."""

    file: Path
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def read(self) -> Spans:
        """What was written until now."""
        for line in self.file.read_text(encoding="utf-8").splitlines():
            span = json.loads(line)
            self.rows[span["context"]["span_id"]] = span
        return self

    def of(self, trace: str) -> list[dict[str, Any]]:
        """The spans of one trace."""
        return [span for span in self.rows.values() if span["context"]["trace_id"] == f"0x{trace}"]

    def above(self, span: dict[str, Any]) -> Iterator[str]:
        """The names of a span's parents, the nearest first."""
        while span["parent_id"]:
            span = self.rows[span["parent_id"]]
            yield span["name"]


@asynccontextmanager
async def a_traced_house(server: TemporalServer, folder: Path, keys: KeyRing | None = None) -> AsyncIterator[House]:
    """A house whose spans go to `traces.jsonl`, all of them when it is left."""
    tracing = open_tracing("file", "test", file=folder / "traces.jsonl", endpoint="")
    client = await connect(server.address, server.namespace, keys=keys, interceptors=tracing_interceptors(tracing))
    try:
        async with a_house(client, folder, tracing=tracing) as house:
            yield house
    finally:
        tracing.close()


async def trace_of(handle: WorkflowHandle[Any, Any]) -> str:
    """The trace that the run remembers."""
    return str(await (await handle.describe()).memo_value(contract.TRACE_ID))


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
async def test_one_trace_from_the_webhook_to_each_call(
    temporal_server: TemporalServer, tmp_path: Path, encrypted: bool
) -> None:
    """Every HTTP call of a payment has its activity, the run and the webhook above it, in the run's own trace."""
    keys = KeyRing.generate() if encrypted else None
    async with a_traced_house(temporal_server, tmp_path, keys) as house:
        paid = await house.pay(guest=GUEST, lines=MUGS)
        await house.done(paid["payment_intent"])
        run = house.run_of(paid["payment_intent"])
        trace = await trace_of(run)
        history = await run.fetch_history()
        ledger = await house.zoho()
    await Replayer(workflows=WORKFLOWS, plugins=[ThroughlinePlugin(keys)]).replay_workflow(history)
    spans = Spans(tmp_path / "traces.jsonl").read()
    mine = spans.of(trace)
    scheduled = {
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    }
    done = {span["name"].removeprefix("RunActivity:") for span in mine if span["name"].startswith("RunActivity:")}
    assert (
        done == {*scheduled, "prepare_order", "claim_contact", "plan_addresses", "release_contact"} & done | scheduled
    )
    calls = [span for span in mine if span["name"].endswith((" zoho", " stripe"))]
    for call in calls:
        above = list(spans.above(call))
        assert above[0].startswith("RunActivity:"), above
        assert "StartWorkflow" in above[-2] or "WithStart" in above[-2], above
        assert above[-1] == "POST /webhooks/stripe/{connection}", above
    callers = {next(spans.above(call)).removeprefix("RunActivity:") for call in calls}
    assert callers == scheduled - SILENT
    api_calls = [call for call in calls if "/inventory/v1" in call["attributes"]["url.full"]]
    assert len(api_calls) == sum(ledger["calls"]["counts"].values())


async def test_nobody_is_in_a_trace(temporal_server: TemporalServer, tmp_path: Path) -> None:
    """Zoho's filters carry e-mails and names, its errors quote them: the file has the names of the filters only."""
    async with a_traced_house(temporal_server, tmp_path) as house:
        first = await house.pay(guest=GUEST, lines=MUGS)
        await house.done(first["payment_intent"])
        namesake = await house.pay(guest={**GUEST, "email": "other-" + CANARIES["email"]}, lines=MUGS)
        await house.done(namesake["payment_intent"])
        refused = await house.pay(guest=GUEST, lines=[{"sku": "NOPE", "unit_amount": 100, "quantity": 1}])
        await house.parked(refused["payment_intent"])
    text = (tmp_path / "traces.jsonl").read_text(encoding="utf-8")
    assert "email=***" in text
    for word in (*CANARIES.values(), CANARIES["email"].replace("@", "%40"), "Quetzalcoatl", "refresh_token=refresh"):
        assert word not in text, word


async def test_without_tracing_a_run_remembers_no_trace(house: House) -> None:
    """Nothing is added to a run where nobody asked for traces."""
    paid = await house.pay(guest=GUEST, lines=MUGS)
    await house.done(paid["payment_intent"])
    assert await (await house.run_of(paid["payment_intent"]).describe()).memo() == {}
