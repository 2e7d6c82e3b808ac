"""`throughline sweep`: a time held against what was carried, by a run of its own, and what was missing in it."""

from __future__ import annotations

from datetime import UTC, datetime

from cli.exits import Exit
from cli.moments import range_of, said
from cli.output import Format, say, show_json, show_rows
from cli.progress import bar
from cli.reach import one_connection, temporal_client
from cli.runs import run_asked_for
from clients.settings import load_settings
from domain.sweeps import Swept
from workflows import contract

COLUMNS = {"about": "Missed", "type": "Event", "source": "Seen in", "why": "Why"}


async def sweep(name: str, since: str, until: str, form: Format, *, queue: str = contract.MAIN_QUEUE) -> Exit:
    """Sweeps from `since` until `until` and shows what was missed; it is being carried when the command ends.

    Stop for a time that has not been; FAILED where the sweep itself failed.
    """
    settings = load_settings()
    connection = one_connection(settings, name)
    begin, end = range_of(since, until, datetime.now(UTC))
    if not until and not connection.stripe.pull:
        end -= connection.sweep.settle  # what is younger may still be on its way
    begin = begin or end - connection.sweep.look_back
    client = await temporal_client(settings)
    say(f"Sweeping {connection.slug} from {said(begin)} to {said(end)}; Ctrl-C leaves it running.")
    with bar("Looked at") as looked:
        swept = await run_asked_for(
            client,
            contract.SWEEP_WORKFLOW,
            connection.sweeps(),
            (begin, end),
            id_of=contract.sweep_workflow_id,
            what="sweep",
            gives=Swept,
            queue=queue,
            show=lambda seen: looked(sum(seen.looked.values())),
        )
    _show(swept, form)
    return Exit.OK


def _show(swept: Swept, form: Format) -> None:
    if form is Format.JSON:
        show_json(swept.model_dump(mode="json"))
        return
    looked = ", ".join(f"{count} {source}" for source, count in swept.looked.items())
    say(f"Looked at {looked}.")
    if swept.events_from is not None:
        say(
            f"Stripe keeps its events for 30 days: before {said(swept.events_from)} only the money that moved was "
            "looked at; what changed without money (an address, a cancellation) is not found there."
        )
    if not swept.missed:
        say("Nothing was missed.")
        return
    counted = ", ".join(f"{count} {why}" for why, count in swept.missed.items())
    say(f"Missed and told now: {counted}. throughline events list --healed names them all.")
    rows = [{"about": one.about, "type": one.type, "source": one.source, "why": one.why} for one in swept.gaps]
    show_rows(rows, COLUMNS, form)
