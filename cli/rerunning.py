"""`throughline rerun`: a closed payment's story told once more, on purpose, by today's code and mapping."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from cli.exits import Exit, Stop
from cli.output import say
from cli.reach import one_connection, open_store, temporal_client
from cli.runs import ATTENDED, connection_is, find_runs, quoted
from clients.settings import load_settings
from domain.runs import Rerun, RerunStep
from ingress.starter import Starter
from workflows import contract


async def rerun(
    payment_id: str, name: str, *, from_step: str, reason: str, by: str, queue: str = contract.MAIN_QUEUE
) -> Exit:
    """Starts the payment's run again and keeps in the audit trail who wanted it, and why.

    Stop for what is no payment, a step there is none of, or while one of the payment's runs is open.
    """
    _understand(payment_id, from_step, reason)
    settings = load_settings()
    connection = one_connection(settings, name)
    client = await temporal_client(settings)
    clauses = [f"{contract.BUSINESS_IDS.name} = '{quoted(payment_id)}'", "ExecutionStatus = 'Running'"]
    if open_ := await find_runs(client, [*connection_is(connection.slug), *clauses], kinds=ATTENDED):
        raise Stop(f"{open_[0].id} is open: only one run may write a payment's documents. Wait for it, or answer it.")
    anew = Rerun(tag=f"rerun-{uuid.uuid4().hex[:8]}", from_step=RerunStep(from_step) if from_step else None)
    store = await open_store(settings)
    try:
        await store.effects.complete(
            connection.slug,
            anew.tag,
            payment_id,
            result={"from": from_step},
            at=datetime.now(UTC),
            actor=by,
            note=f"{by} had it told once more{f' from {from_step} on' if from_step else ''}: {reason}",
        )
    finally:
        await store.close()
    starter = Starter(client, {connection.slug: connection}, task_queue=queue)
    await starter.rerun_payment(connection.slug, payment_id, anew)
    looks = f"from {from_step} on, each step looks at Zoho and writes what is missing"
    said = looks if from_step else "what is done is skipped"
    say(f"{contract.payment_workflow_id(connection.slug, payment_id)} runs once more: {said}.")
    return Exit.OK


def _understand(payment_id: str, from_step: str, reason: str) -> None:
    """Stop where what was typed is no payment, no step or no reason."""
    if not payment_id.startswith(("pi_", "ch_", "py_")):
        raise Stop(f"{payment_id!r} is no payment: name pi_… or ch_….", Exit.USAGE)
    if from_step and from_step not in set(RerunStep):
        raise Stop(f"There is no step {from_step!r}: there are {', '.join(RerunStep)}.", Exit.USAGE)
    if not reason.strip():
        raise Stop("Say why with --reason: it goes into the audit trail.", Exit.USAGE)
