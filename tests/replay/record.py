"""Records the histories anew: `python -m tests.replay.record`. Only for a new story; old histories stay as they are."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowFailureError

from cli.ending import run_to_end
from cli.temporal_binary import find_or_get
from cli.temporal_server import TemporalServer
from cli.temporal_setup import NO_LIMITS
from clients.temporal import connect
from domain.payout_checks import PayoutCheckInput
from domain.runs import ResolveInput, Stage
from domain.sweeps import SweepInput, SweepPolicy
from tests.replay.return_stories import ADJUSTMENTS, ORDER_CHECKS, RETURN_POLICIES, RETURNS
from tests.replay.shop_stories import CHECKS, ORDER_POLLS, PAYOUTS, POLLS, RESOLVES, SWEEPS
from tests.replay.stories import AWAITED, BACKFILLS, CHANGES, DISPUTES, PARKING, POLICIES, REFUNDS, STARTS, STORIES
from tests.workflows.fakes import Script, event, on_stage
from tests.workflows.samples import PROMPT, PROPOSALS, QUICK
from tests.workflows.spans import DAY, NOON
from tests.workflows.test_backfills import begin as start_backfill
from tests.workflows.test_backfills import wanted as three_days
from tests.workflows.test_order_polls import read
from tests.workflows.test_payments import until_parked, until_stage
from tests.workflows.test_return_polls import RARELY, also_adjustments, said
from tests.workflows.test_sweeps import wanted
from workflows import contract

HISTORIES = Path(__file__).parent / "histories"


async def record(client: Client, name: str) -> str:
    """The history of one story as JSON: of one that parks the run until then, of one that was resumed the run after."""
    async with on_stage(client, Script(dict(STORIES[name]))) as stage:
        start = stage.payment(f"pi_{name.replace('-', '')}", POLICIES.get(name, QUICK))
        handle = await stage.start(start.model_copy(update=STARTS.get(name, {})))
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
        first = name in ("payment-unknown-sku", "payment-planned-anew")
        run_id = handle.first_execution_run_id if first else None
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


async def record_dispute(client: Client, name: str) -> str:
    """The history of a dispute's run that hears of the dispute and then of its end: of the first run, if it parks."""
    script = Script(dict(DISPUTES[name]))
    async with on_stage(client, script) as stage:
        word = name.replace("-", "")
        handle = await stage.dispute(
            stage.payment(f"pi_{word}", POLICIES.get(name, QUICK)), event(f"du_{word}", "charge.dispute.created")
        )
        while AWAITED.get(name, "read_sale") not in script.names():
            await asyncio.sleep(0.01)
        await handle.signal(contract.DISPUTE_EVENT, event(f"du_{word}", "charge.dispute.closed"))
        if name in PARKING:
            await until_parked(handle)
            await handle.signal(contract.RESUME, PARKING[name])
        await handle.result()
        run_id = handle.first_execution_run_id
        return (await client.get_workflow_handle(handle.id, run_id=run_id).fetch_history()).to_json()


async def record_payout(client: Client, name: str) -> str:
    """The history of a payout's run: of one that asked a person, after the answer."""
    async with on_stage(client, Script(dict(PAYOUTS[name]))) as stage:
        payout_id = f"po_{name.replace('-', '')}"
        start = stage.payment(payout_id, POLICIES.get(name, QUICK))
        handle = await stage.payout(start, event(payout_id, "payout.paid"))
        if name == "payout-certified":
            await until_stage(handle, Stage.RECONCILING)
            await handle.signal(contract.PAYOUT_EVENT, event(payout_id, "payout.reconciliation_completed"))
        if name in PARKING:
            await until_parked(handle)
            await handle.signal(contract.RESUME, PARKING[name])
        try:
            await client.get_workflow_handle(handle.id).result()
        except WorkflowFailureError:
            logging.info("%s fails, as it should", name)
        return (await client.get_workflow_handle(handle.id).fetch_history()).to_json()


async def record_sweep(client: Client, name: str) -> str:
    """The history of a sweep: of one that takes several, the first."""
    regular = SweepInput(connection="shop", policy=QUICK)
    whole = regular.model_copy(update={"sweep": SweepPolicy(window=7 * DAY)})
    starts = {"sweep-windows": wanted(since=NOON - 2 * DAY), "sweep-regular": regular, "sweep-watches-quota": whole}
    start = starts.get(name, wanted())
    async with on_stage(client, Script(dict(SWEEPS[name]))) as stage:
        run_id = contract.sweep_workflow_id("shop", name, "")
        handle = await client.start_workflow(contract.SWEEP_WORKFLOW, start, id=run_id, task_queue=stage.queue)
        await handle.result()
        first = client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        return (await first.fetch_history()).to_json()


async def record_check(client: Client, name: str) -> str:
    """The history of a check of payouts that a schedule started."""
    async with on_stage(client, Script(dict(CHECKS[name]))) as stage:
        handle = await client.start_workflow(
            contract.PAYOUT_CHECK_WORKFLOW,
            PayoutCheckInput(connection="shop", policy=QUICK),
            id=contract.payout_check_workflow_id("shop", name, ""),
            task_queue=stage.queue,
        )
        await handle.result()
        return (await handle.fetch_history()).to_json()


async def record_backfill(client: Client, name: str) -> str:
    """The history of a backfill."""
    async with on_stage(client, Script(dict(BACKFILLS[name]))) as stage:
        handle = await start_backfill(stage, three_days(3))
        await handle.result()
        return (await handle.fetch_history()).to_json()


async def record_return(client: Client, name: str) -> str:
    """The history of a return's run, the one after the answer where it parked."""
    async with on_stage(client, Script(dict(RETURNS[name]))) as stage:
        start = stage.payment(policy=RETURN_POLICIES.get(name, PROMPT))
        handle = client.get_workflow_handle((await stage.return_(start, f"ret-{name.replace('-', '')}")).id)
        if name in PARKING:
            await until_parked(handle)
            await handle.execute_update(contract.RESOLVE, PARKING[name])
        try:
            await handle.result()
        except WorkflowFailureError:
            logging.info("%s fails, as it should", name)
        return (await client.get_workflow_handle(handle.id).fetch_history()).to_json()


async def record_adjustment(client: Client, name: str) -> str:
    """The history of an adjustment's run: of the one after the last answer, where it asked for one."""
    async with on_stage(client, Script(dict(ADJUSTMENTS[name]))) as stage:
        handle = await stage.adjustment(name, PROPOSALS)
        if name == "adjustment-refund-failed":
            await until_parked(handle)
            first = client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
            return (await first.fetch_history()).to_json()
        if name != "adjustment-refused":
            await until_parked(handle)
            await handle.execute_update(contract.RESOLVE, {"action": "approve", "by": "Grace"})
        await handle.result()
        return (await client.get_workflow_handle(handle.id).fetch_history()).to_json()


async def record_poll(client: Client, name: str) -> str:
    """The history of the run that reads the list, once it has; it is still open."""
    script = Script(dict(POLLS[name]))
    async with on_stage(client, script) as stage:
        about = {"adjustments": "adjustment" in name, "told": "told" in name}
        handle = await stage.polls(also_adjustments(RARELY), name, 1, **about)
        await said(handle)
        history = (await handle.fetch_history()).to_json()
        await handle.terminate()
        return history


async def record_order_poll(client: Client, name: str) -> str:
    """The history of the run that reads what was changed in Zoho, once it has; it is still open."""
    script, policy = ORDER_POLLS[name]
    async with on_stage(client, Script(dict(script))) as stage:
        handle = await stage.order_polls(policy, name)
        await read(handle)
        history = (await handle.fetch_history()).to_json()
        await handle.terminate()
        return history


async def record_order_check(client: Client, name: str) -> str:
    """The history of a run that looks into an order, the one after the answer where it parked."""
    async with on_stage(client, Script(dict(ORDER_CHECKS[name]))) as stage:
        handle = await stage.check(stage.payment(f"pi_{name.replace('-', '')}"))
        if name in PARKING:
            await until_parked(handle)
            await handle.signal(contract.RESUME, PARKING[name])
        await client.get_workflow_handle(handle.id).result()
        return (await client.get_workflow_handle(handle.id).fetch_history()).to_json()


async def record_resolve(client: Client, name: str) -> str:
    """The history of an event that does not name its payment: where Stripe refuses to tell it, until that waits."""
    async with on_stage(client, Script(dict(RESOLVES[name]))) as stage:
        start = ResolveInput(connection="shop", event=event("in_1", "invoice.paid"), policy=QUICK)
        handle = await client.start_workflow(
            contract.RESOLVE_WORKFLOW, start, id=f"resolve:shop:evt_{name}", task_queue=stage.queue
        )
        if name == "resolve-refused":
            await until_parked(handle)
            await handle.signal(contract.RESUME, "retry")
        await handle.result()
        first = client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        return (await first.fetch_history()).to_json()


def _tidy(history: str) -> str:
    """Without what names the machine it was recorded on."""
    history = re.sub(r'"stackTrace": "(?:[^"\\]|\\.)*"', '"stackTrace": ""', history)
    history = re.sub(r'"identity": "[^"]*"', '"identity": "recorder"', history)
    return re.sub(r'"\d+@[^"]*"', '"recorder"', history)


# What is recorded: the scripts of each kind of run by name, and how one of them is played.
KINDS: tuple[tuple[dict[str, dict[str, Any]], Callable[[Client, str], Awaitable[str]]], ...] = (
    (STORIES, record),
    (CHANGES, record_change),
    (REFUNDS, record_refund),
    (DISPUTES, record_dispute),
    (PAYOUTS, record_payout),
    (SWEEPS, record_sweep),
    (CHECKS, record_check),
    (BACKFILLS, record_backfill),
    (RETURNS, record_return),
    ({name: script for name, (script, _) in ORDER_POLLS.items()}, record_order_poll),
    (ORDER_CHECKS, record_order_check),
    (ADJUSTMENTS, record_adjustment),
    (POLLS, record_poll),
    (RESOLVES, record_resolve),
)


async def main() -> int:
    """Records what is missing, or everything with `--all`."""
    with tempfile.TemporaryDirectory() as home:
        server = TemporalServer(find_or_get(logging.info), Path(home), limits=NO_LIMITS)
        async with server:
            client = await connect(server.address)
            for name, recorder in ((name, recorder) for stories, recorder in KINDS for name in stories):
                path = HISTORIES / f"{name}.json"
                if not path.exists() or "--all" in sys.argv:
                    path.write_text(_tidy(await recorder(client, name)) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    run_to_end(lambda: asyncio.run(main()))
