"""`throughline payments`: what Temporal runs for payments, and what the store remembers of their writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from temporalio.client import (
    RPCTimeoutOrCancelledError,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.service import RPCError

from cli.exits import Exit, Stop
from cli.output import Format, say, show_json, show_rows
from cli.reach import open_store, temporal_client
from cli.runs import QUERY_PATIENCE, connection_is, find_runs, names_of, quoted
from clients.settings import Settings, load_settings
from domain.money import Money
from workflows import contract

COLUMNS = {
    "payment": "Payment",
    "connection": "Connection",
    "stage": "Stage",
    "run": "Run",
    "attention": "Needs a person",
    "started": "Started",
    "order": "Order",
}
EFFECT_COLUMNS = {
    "step": "Write",
    "begun": "Begun",
    "completed": "Completed",
    "amount": "Amount",
    "result": "Result",
}


async def list_payments(*, connection: str, stage: str, limit: int, form: Format) -> Exit:
    """The newest payments' runs, filtered by connection and stage."""
    client = await temporal_client(load_settings())
    clauses = connection_is(connection)
    clauses += [f"{contract.STAGE.name} = '{quoted(stage)}'"] if stage else []
    rows = [_row(run) for run in await find_runs(client, clauses, limit)]
    if form is Format.JSON:
        show_json(rows)
    else:
        show_rows(rows, COLUMNS, form)
    return Exit.OK


async def show_payment(business_id: str, form: Format) -> Exit:
    """The newest run that carries `business_id`, its progress, and every effect the store holds for it."""
    settings = load_settings()
    client = await temporal_client(settings)
    runs = await find_runs(client, [f"{contract.BUSINESS_IDS.name} = '{quoted(business_id)}'"], 1)
    if not runs:
        raise Stop(f"Temporal knows no payment with the id {business_id}: it was never announced, or is forgotten.")
    run = runs[0]
    row = _row(run)
    handle = client.get_workflow_handle(run.id, run_id=run.run_id)
    shown = await handle.describe()
    detail = {
        **row,
        "workflow": run.id,
        "summary": await shown.static_summary() or "",
        "trace": await shown.memo_value(contract.TRACE_ID, ""),
        "progress": await _progress(handle, run),
        "effects": await _effects(settings, row["connection"], row["payment"]),
    }
    if form is Format.JSON:
        show_json(detail)
    else:
        _show_detail(detail)
    return Exit.OK


def _show_detail(detail: dict[str, Any]) -> None:
    say(f"{detail['summary'] or detail['workflow']}")
    progress = [{"what": key, "is": _text(value)} for key, value in detail["progress"].items()]
    facts = [{"what": key, "is": detail[key]} for key in ("workflow", "run", "started", "trace") if detail[key]]
    show_rows([*facts, *progress], {"what": "", "is": ""}, Format.TABLE)
    show_rows(detail["effects"], EFFECT_COLUMNS, Format.TABLE, title="Writes")


def _text(value: Any) -> str:
    """A value of a run's answer in words: money as `49.90 EUR`, lists with commas."""
    if isinstance(value, dict) and value.keys() == {"minor", "currency"}:
        return str(Money(**value))
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _row(run: WorkflowExecution) -> dict[str, str]:
    """A run in the words of the list."""
    seen = run.typed_search_attributes
    connection, payment = names_of(run)
    ids = seen.get(contract.BUSINESS_IDS) or ()
    return {
        "payment": payment,
        "connection": connection,
        "stage": seen.get(contract.STAGE) or "",
        "run": run.status.name.lower() if run.status is not None else "",
        "attention": (seen.get(contract.ATTENTION_CLASS) or "yes") if seen.get(contract.NEEDS_ATTENTION) else "",
        "started": f"{run.start_time:%Y-%m-%d %H:%M:%S} UTC",
        "order": next((known for known in ids if known.startswith("SO-")), ""),
        "ids": " ".join(ids),
    }


async def _progress(handle: WorkflowHandle[Any, Any], run: WorkflowExecution) -> dict[str, Any]:
    """What the run itself says; its result where it has completed, nothing where no worker answers."""
    if run.status is WorkflowExecutionStatus.COMPLETED:
        result = await handle.result()
        return dict(result) if isinstance(result, dict) else {"result": result}
    try:
        return dict(await handle.query(contract.PROGRESS, rpc_timeout=QUERY_PATIENCE))
    except (RPCError, RPCTimeoutOrCancelledError, WorkflowQueryFailedError) as error:
        return {"progress": f"no worker answered: {error}"}


async def _effects(settings: Settings, connection: str, payment_id: str) -> list[dict[str, str]]:
    store = await open_store(settings)
    try:
        rows = await store.effects.of(connection, payment_id)
    finally:
        await store.close()
    return [
        {
            "step": row.step,
            "begun": f"{row.begun_at:%H:%M:%S.%f}"[:-3],
            "completed": f"{row.completed_at:%H:%M:%S.%f}"[:-3] if row.completed_at else "unknown",
            "amount": str(row.amount or ""),
            "result": _ids_of(row.result),
        }
        for row in rows
    ]


def _ids_of(result: Mapping[str, str]) -> str:
    """The ids and words that a write brought; an activity's whole answer is kept as one JSON text."""
    found: dict[str, Any] = {}
    for key, value in result.items():
        if key == "answer":
            found |= json.loads(value)
        else:
            found[key] = value
    return " ".join(f"{key}={value}" for key, value in found.items() if value and isinstance(value, str))
