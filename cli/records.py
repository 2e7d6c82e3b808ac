"""The command's groups that look back: the audit trail, and the events that came."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.exits import Exit, Stop
from cli.options import ConnectionName, Output, finish
from cli.output import Format

audit = typer.Typer(
    help="The audit trail: export it, prove that nobody changed it; count that nothing was lost.", no_args_is_help=True
)
events = typer.Typer(help="Stripe's events: what became of each, and those that became nothing.", no_args_is_help=True)


@audit.command("export")
def audit_export(
    connection: ConnectionName = "",
    form: Annotated[str, typer.Option("--format", help="csv or jsonl.")] = "jsonl",
    since: Annotated[str, typer.Option(help="From this day or moment on (UTC where it names no zone).")] = "",
    until: Annotated[str, typer.Option(help="Before this day or moment.")] = "",
    to: Annotated[Path | None, typer.Option(help="A file instead of stdout.")] = None,
) -> None:
    """Write a connection's entries, and show the chain's head to keep elsewhere."""
    from cli.audit import ExportFormat, export

    if form not in set(ExportFormat):
        raise Stop(f"--format takes csv or jsonl, not {form!r}.", Exit.USAGE)
    finish(export(connection, ExportFormat(form), since=since, until=until, to=to))


@audit.command("count")
def audit_count(
    connection: ConnectionName = "",
    since: Annotated[str, typer.Option("--from", help="From this day or moment on; 30 days ago if left out.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Count that what was acknowledged is completed, under way, waiting or visibly failed; name what is lost."""
    from cli.counting import count

    finish(count(connection, since, output))


@events.command("list")
def events_list(
    connection: ConnectionName = "",
    dead: Annotated[bool, typer.Option("--dead", help="Only those that became nothing, with the reason.")] = False,
    healed: Annotated[bool, typer.Option("--healed", help="Only those that a sweep had to find, with why.")] = False,
    about: Annotated[str, typer.Option(help="Only those of this payment, refund or dispute.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 100,
    output: Output = Format.TABLE,
) -> None:
    """The events that came, the newest first, and what became of each."""
    from cli.events import Which, list_events

    if dead + healed + bool(about) > 1:
        raise Stop("Choose one of --dead, --healed and --about.", Exit.USAGE)
    which = Which.DEAD if dead else Which.HEALED if healed else Which.ALL
    finish(list_events(connection, which, about, limit, output))


@audit.command("verify")
def audit_verify(
    connection: ConnectionName = "",
    head: Annotated[str, typer.Option(help="A head that was kept: betrays a trail cut or rewritten since.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Compute the chain again and name the first entry that was changed."""
    from cli.audit import verify

    finish(verify(connection, head, output))
