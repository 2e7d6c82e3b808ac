"""The `throughline` command. Every import that takes time waits until its command is really run."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.ending import run_to_end
from cli.exits import Exit, Stop
from cli.output import Format, say
from clients.errors import ClientError, Refused, SettingsError

EXIT_CODES = "Exit codes: 0 fine, 1 a check failed, 2 wrong usage, 3 a setting is wrong, 4 something is unreachable."

app = typer.Typer(
    help="Carries every Stripe payment to Zoho Inventory, exactly once and to the cent.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
payments = typer.Typer(help="Look at payments: what Temporal runs and what was written.", no_args_is_help=True)
app.add_typer(payments, name="payments")
exceptions = typer.Typer(help="Payments that wait for a person: see what they ask, and answer.", no_args_is_help=True)
app.add_typer(exceptions, name="exceptions")

audit = typer.Typer(help="The audit trail: export it, and prove that nobody changed it.", no_args_is_help=True)
app.add_typer(audit, name="audit")

Output = Annotated[Format, typer.Option("--output", "-o", help="How results are written.")]
ConnectionName = Annotated[str, typer.Option("--connection", "-c", help="The connection's name.")]
ClassName = Annotated[str, typer.Option("--class", help="Only those of this class, such as unknown_sku.")]
Query = Annotated[str, typer.Option("--query", help="Only those that match this query of Temporal's.")]


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the checks instead of at Ctrl-C.")] = False,
    home: Annotated[Path, typer.Option(help="Where the demo keeps its state.")] = Path(".throughline/demo"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget an earlier demo's state first.")] = False,
    unpaced: Annotated[
        bool, typer.Option("--unpaced", help="Lift our own limits of Zoho calls; the sandbox keeps its own.")
    ] = False,
    temporal_port: Annotated[int, typer.Option(help="Temporal's port.")] = 7233,
    ui_port: Annotated[int, typer.Option(help="The Temporal UI's port.")] = 8233,
    ingress_port: Annotated[int, typer.Option(help="Where Stripe's webhooks arrive.")] = 8080,
    stripe_port: Annotated[int, typer.Option(help="The Stripe sandbox's port.")] = 8081,
    zoho_port: Annotated[int, typer.Option(help="The Zoho sandbox's port.")] = 8082,
    output: Output = Format.TABLE,
) -> None:
    """Everything at once: Temporal, both sandboxes, a worker, the ingress, and a story of payments."""
    from cli.demo import run_demo
    from cli.demo_house import DemoPorts
    from cli.temporal_binary import find_or_get

    binary = find_or_get(say)  # here, where Ctrl-C ends a build at once
    ports = DemoPorts(temporal=temporal_port, ui=ui_port, ingress=ingress_port, stripe=stripe_port, zoho=zoho_port)
    _run(run_demo(binary, home, ports, once=once, fresh=fresh, unpaced=unpaced, form=output))


@app.command()
def up(
    only: Annotated[str, typer.Option(help="Run one part alone: worker or ingress.")] = "",
    workers: Annotated[int, typer.Option(min=1, help="How many worker processes.")] = 1,
    in_process: Annotated[bool, typer.Option("--in-process", help="All in this one process.")] = False,
) -> None:
    """Run ingress and worker against what the settings name. SIGTERM and Ctrl-C end them in order."""
    from cli.up import run_up

    _run(run_up(only=only, workers=workers, in_process=in_process))


@app.command()
def sandbox(
    stripe_port: Annotated[int, typer.Option(help="The Stripe sandbox's port.")] = 8081,
    zoho_port: Annotated[int, typer.Option(help="The Zoho sandbox's port.")] = 8082,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    state: Annotated[Path | None, typer.Option(help="Keep state in this folder.")] = None,
    connections: Annotated[Path | None, typer.Option(help="Seed a shop and write its connection file here.")] = None,
    webhook_url: Annotated[
        str, typer.Option(help="Where the seeded shop's webhooks go.")
    ] = "http://127.0.0.1:8080/webhooks/stripe/demo",
    calls_per_minute: Annotated[
        int, typer.Option(min=0, help="The seeded shop's own pace of Zoho calls; 0 for none.")
    ] = 100,
) -> None:
    """Run a Stripe and a Zoho to try everything on."""
    from cli.sandbox import run_sandbox

    _run(
        run_sandbox(
            host,
            stripe_port,
            zoho_port,
            state=state,
            connections=connections,
            webhook_url=webhook_url,
            per_minute=calls_per_minute,
        )
    )


@app.command()
def doctor(output: Output = Format.TABLE) -> None:
    """Check settings, credentials, clock, Temporal and store; tell the cure of what is wrong."""
    from cli.doctor import run_doctor

    _run(run_doctor(output))


@app.command()
def trigger(
    event: Annotated[str, typer.Argument(help="An event id (evt_…), or a file that holds an event as JSON.")],
    connection: ConnectionName = "",
    url: Annotated[str, typer.Option(help="The ingress, if not the settings' own.")] = "",
) -> None:
    """Deliver an event to the ingress, signed as Stripe signs it."""
    from cli.trigger import run_trigger

    _run(run_trigger(event, connection=connection, url=url))


@app.command()
def quota(
    connection: ConnectionName = "",
    ask_again: Annotated[
        bool, typer.Option("--ask-again", help="Forget the limits that were met: the next call asks Zoho.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """What is left of each Zoho organisation's day, what it waits for, and when it will be used up at today's pace."""
    from cli.quota import show_quota

    _run(show_quota(connection, output, ask_again=ask_again))


@payments.command("list")
def payments_list(
    connection: ConnectionName = "",
    stage: Annotated[str, typer.Option(help="Only those at this stage, such as paid.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 20,
    output: Output = Format.TABLE,
) -> None:
    """The payments that Temporal knows."""
    from cli.payments import list_payments

    _run(list_payments(connection=connection, stage=stage, limit=limit, form=output))


@payments.command("show")
def payments_show(
    business_id: Annotated[str, typer.Argument(metavar="ID", help="Any of a payment's ids: pi_…, ch_…, SO-…")],
    output: Output = Format.TABLE,
) -> None:
    """One payment: its run, every write that was made for it, and where it links to."""
    from cli.payments import show_payment

    _run(show_payment(business_id, output))


@exceptions.command("list")
def exceptions_list(
    connection: ConnectionName = "",
    attention_class: ClassName = "",
    query: Query = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    output: Output = Format.TABLE,
) -> None:
    """The payments that wait for a person, the one that waits longest first, with the money at risk."""
    from cli.exceptions import list_exceptions
    from cli.waiting import Selection

    chosen = Selection(connection=connection, attention_class=attention_class, query=query)
    _run(list_exceptions(chosen, limit, output))


@exceptions.command("show")
def exceptions_show(
    business_id: Annotated[str, typer.Argument(metavar="ID", help="Any of a payment's ids: pi_…, ch_…, SO-…")],
    connection: ConnectionName = "",
    output: Output = Format.TABLE,
) -> None:
    """One payment: what happened, what can be answered with which command, and who answered before."""
    from cli.exceptions import show_exception

    _run(show_exception(business_id, connection, output))


@exceptions.command("resolve")
def exceptions_resolve(
    action: Annotated[str, typer.Argument(help="retry, amend, skip or abort.")],
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Any of a payment's ids.")] = None,
    connection: ConnectionName = "",
    attention_class: ClassName = "",
    query: Query = "",
    reason: Annotated[str, typer.Option(help="Why; skip and abort need it. It goes into the audit trail.")] = "",
    change: Annotated[
        list[str] | None, typer.Option("--set", metavar="LINE:FIELD=VALUE", help="For amend, such as 1:sku=MUG.")
    ] = None,
    by: Annotated[str, typer.Option(help="Who answers, if not the system's user.")] = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask before many are answered, or before an abort.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Answer one payment that waits, or all that match."""
    from cli.resolving import answer_of, resolve
    from cli.waiting import Selection

    if ids and (attention_class or query):
        raise Stop("Name payments, or choose them by --class and --query: not both.", Exit.USAGE)
    chosen = Selection(tuple(ids or ()), connection, attention_class, query)
    _run(resolve(chosen, answer_of(action, reason=reason, by=by, changes=change or ()), sure=yes, form=output))


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
    _run(export(connection, ExportFormat(form), since=since, until=until, to=to))


@audit.command("verify")
def audit_verify(
    connection: ConnectionName = "",
    head: Annotated[str, typer.Option(help="A head that was kept: betrays a trail cut or rewritten since.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Compute the chain again and name the first entry that was changed."""
    from cli.audit import verify

    _run(verify(connection, head, output))


def _run(command: Coroutine[Any, Any, Exit]) -> None:
    raise typer.Exit(int(asyncio.run(command)))


def run(arguments: list[str] | None = None) -> int:
    """Runs the command and turns every error of ours into a sentence on stderr and an exit code."""
    try:
        app(arguments, prog_name="throughline")
    except SystemExit as request:
        return int(request.code or 0)
    except Stop as stop:
        say(str(stop))
        return stop.code
    except SettingsError as error:
        say(f"{error}")
        return Exit.SETTINGS
    except ClientError as error:
        say(f"{error}")
        return Exit.FAILED if isinstance(error, Refused) else Exit.UNREACHABLE
    return Exit.OK


def main() -> None:
    """The console script: ends the process itself, in the one way that is safe with Temporal's threads."""
    run_to_end(run)


if __name__ == "__main__":
    main()
