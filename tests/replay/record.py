"""Records the histories anew: `python -m tests.replay.record`. Only for a new story; old histories stay as they are."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from temporalio.client import Client, WorkflowFailureError

from cli.ending import run_to_end
from cli.temporal_binary import find_or_get
from cli.temporal_server import TemporalServer
from cli.temporal_setup import Limits
from clients.temporal import connect
from domain.runs import ResolveInput, Stage
from tests.replay.stories import CHANGES, PARKING, POLICIES, REFUNDS, STORIES
from tests.workflows.fakes import Script, event, on_stage
from tests.workflows.samples import QUICK
from tests.workflows.test_payments import until_parked, until_stage
from workflows import contract

HISTORIES = Path(__file__).parent / "histories"


async def record(client: Client, name: str) -> str:
    """The history of one story as JSON: of one that parks the run until then, of one that was resumed the run after."""
    async with on_stage(client, Script(dict(STORIES[name]))) as stage:
        start = stage.payment(f"pi_{name.replace('-', '')}", POLICIES.get(name, QUICK))
        handle = await stage.start(start)
        if name == "payment-paid-later":
            await until_stage(handle, Stage.WAITING_FOR_MONEY)
            await handle.signal(contract.PAYMENT_EVENT, event("pi_1"))
        if name in PARKING:
            await until_parked(handle)
            await handle.signal(contract.RESUME, PARKING[name])
        try:
            await handle.result()
        except WorkflowFailureError:
            logging.info("%s fails, as it should", name)
        run_id = handle.first_execution_run_id if name == "payment-unknown-sku" else None
        return (await client.get_workflow_handle(handle.id, run_id=run_id).fetch_history()).to_json()


async def record_change(client: Client, name: str) -> str:
    """The history of a change of a closed payment."""
    async with on_stage(client, Script(dict(CHANGES[name]))) as stage:
        word = name.replace("-", "")
        seen = event("ch_1", "charge.updated", "shipping").model_copy(update={"event_id": f"evt_{word}"})
        handle = await stage.change(stage.payment(f"pi_{word}"), seen)
        await handle.result()
        return (await handle.fetch_history()).to_json()


async def record_refund(client: Client, name: str) -> str:
    """The history of a refund's run."""
    async with on_stage(client, Script(dict(REFUNDS[name]))) as stage:
        word = name.replace("-", "")
        handle = await stage.refund(stage.payment(f"pi_{word}"), event(f"re_{word}", "refund.created"))
        if name == "refund-pending":
            await until_stage(handle, Stage.WAITING_FOR_MONEY)
            await handle.signal(contract.REFUND_EVENT, event(f"re_{word}", "refund.updated", "status"))
        await handle.result()
        return (await handle.fetch_history()).to_json()


async def record_resolve(client: Client) -> str:
    """The history of an event that does not name its payment."""
    async with on_stage(client, Script()) as stage:
        start = ResolveInput(connection="shop", event=event("in_1", "invoice.paid"), policy=QUICK)
        handle = await client.start_workflow(
            contract.RESOLVE_WORKFLOW, start, id="resolve:shop:evt_1", task_queue=stage.queue
        )
        await handle.result()
        return (await handle.fetch_history()).to_json()


def _tidy(history: str) -> str:
    """Without what names the machine it was recorded on."""
    history = re.sub(r'"stackTrace": "(?:[^"\\]|\\.)*"', '"stackTrace": ""', history)
    history = re.sub(r'"identity": "[^"]*"', '"identity": "recorder"', history)
    return re.sub(r'"\d+@[^"]*"', '"recorder"', history)


def _recorder(name: str) -> Callable[[Client, str], Awaitable[str]]:
    if name in CHANGES:
        return record_change
    return record_refund if name in REFUNDS else record


async def main() -> int:
    """Records what is missing, or everything with `--all`."""
    with tempfile.TemporaryDirectory() as home:
        server = TemporalServer(find_or_get(logging.info), Path(home), limits=Limits(None, None))
        async with server:
            client = await connect(server.address)
            for name in [*STORIES, *CHANGES, *REFUNDS, "resolve"]:
                path = HISTORIES / f"{name}.json"
                if path.exists() and "--all" not in sys.argv:
                    continue
                if name == "resolve":
                    history = await record_resolve(client)
                else:
                    history = await _recorder(name)(client, name)
                path.write_text(_tidy(history) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    run_to_end(lambda: asyncio.run(main()))
