"""`throughline backfill` as it is typed. What takes time to import waits until a command is really run."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.exits import Exit, Stop
from cli.options import ConnectionName, Output, finish
from cli.output import Format

backfill = typer.Typer(help="Carry payments from before the shop was connected.", invoke_without_command=True)

Since = Annotated[str, typer.Option("--from", help="A day of the organisation's, or a moment.")]
Until = Annotated[str, typer.Option("--to", help="Before this day or moment; now if left out.")]
Named = Annotated[str, typer.Argument(metavar="[ID]", help="backfill:…, where there are several.")]


@backfill.callback()
def backfill_start(
    context: typer.Context,
    since: Since = "",
    until: Until = "",
    connection: ConnectionName = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing: as `throughline shadow`.")] = False,
    at_once: Annotated[int, typer.Option(min=1, max=1000, help="Payments that are under way at once.")] = 20,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for its end.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Carry the payments of a time, the oldest first, while live payments go before; Ctrl-C leaves it running."""
    if context.invoked_subcommand is not None:
        return
    if not since:
        raise Stop("Say from when on: throughline backfill --from 2026-01-01 [--to …].", Exit.USAGE)
    if dry_run:
        from cli.shadowing import shadow

        finish(shadow(connection, since, until, output))
    from cli.backfilling import start

    finish(start(connection, since, until, at_once=at_once, detach=detach, form=output))


@backfill.command("show")
def backfill_show(named: Named = "", connection: ConnectionName = "", output: Output = Format.TABLE) -> None:
    """How far backfills have come; those that are running, or the newest."""
    from cli.backfilling import show

    finish(show(named, connection, output))


@backfill.command("pause")
def backfill_pause(named: Named = "", connection: ConnectionName = "") -> None:
    """Start no more payments for now; those under way go on."""
    from cli.backfilling import pause

    finish(pause(named, connection))


@backfill.command("resume")
def backfill_resume(named: Named = "", connection: ConnectionName = "") -> None:
    """Go on."""
    from cli.backfilling import resume

    finish(resume(named, connection))
