"""`throughline payouts reconcile`: what was paid out in a time, held against our certificates, by a run of its own."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from temporalio.client import Client, WorkflowExecutionStatus

from cli.exits import Exit
from cli.moments import range_of, said
from cli.output import Format, say, show_json, show_rows
from cli.progress import bar
from cli.reach import one_connection, temporal_client
from cli.runs import run_asked_for
from clients.settings import load_settings
from domain.payout_checks import PayoutsChecked
from workflows import contract

COLUMNS = {"payout": "Told", "status": "Status", "amount": "Amount"}

_EVERY = 0.5  # seconds between two looks at the runs that are waited for


async def reconcile(
    name: str,
    since: str,
    until: str,
    form: Format,
    *,
    open_too: bool = False,
    wait: bool = False,
    queue: str = contract.MAIN_QUEUE,
) -> Exit:
    """Has every payout that was made from `since` until `until` certified as it is now, with `open_too` those as well
    whose certificate names what was open; their runs go on by themselves, or are waited for.

    Stop for a time that has not been; FAILED where the check itself failed.
    """
    settings = load_settings()
    connection = one_connection(settings, name)
    begin, end = range_of(since, until, datetime.now(UTC))
    begin = begin or end - connection.payouts.look_back
    client = await temporal_client(settings)
    say(f"Checking the payouts of {connection.slug} made from {said(begin)} to {said(end)}; Ctrl-C leaves it running.")
    with bar("Payouts looked at") as looked:
        checked = await run_asked_for(
            client,
            contract.PAYOUT_CHECK_WORKFLOW,
            connection.payout_checks().model_copy(update={"open_too": open_too}),
            (begin, end),
            id_of=contract.payout_check_workflow_id,
            what="check of the payouts",
            gives=PayoutsChecked,
            queue=queue,
            show=lambda seen: looked(seen.count),
        )
    _show(checked, form)
    if wait and checked.told:
        await _until_ended(
            client, [contract.payout_workflow_id(connection.slug, one.payout_id) for one in checked.told]
        )
    return Exit.OK


async def _until_ended(client: Client, ids: list[str]) -> None:
    """Until each run has ended, or waits for a person: how many did."""
    open_, waiting, completed = set(ids), 0, 0
    with bar("Payouts certified", len(ids)) as ended:
        while open_:
            for run_id in sorted(open_):
                about = await client.get_workflow_handle(run_id).describe()
                asks = bool(about.typed_search_attributes.get(contract.NEEDS_ATTENTION))
                if about.status is WorkflowExecutionStatus.RUNNING and not asks:
                    continue
                open_.remove(run_id)
                waiting += about.status is WorkflowExecutionStatus.RUNNING
                completed += about.status is WorkflowExecutionStatus.COMPLETED
                ended(len(ids) - len(open_))
            await asyncio.sleep(_EVERY if open_ else 0)
    others = len(ids) - completed - waiting
    say(f"{completed} certified, {waiting} wait for a person" + (f", {others} ended otherwise." if others else "."))


def _show(checked: PayoutsChecked, form: Format) -> None:
    if form is Format.JSON:
        show_json(checked.model_dump(mode="json"))
        return
    say(
        f"Looked at {checked.count} payouts: {checked.certified} certified as they are now, {checked.under_way} under "
        f"way, {checked.lacking} told now."
    )
    if checked.told:
        rows = [{"payout": one.payout_id, "status": one.status.value, "amount": str(one.money)} for one in checked.told]
        show_rows(rows, COLUMNS, form)
        say("Their runs match and certify them: throughline payouts list, and throughline exceptions list.")
