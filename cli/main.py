"""The `throughline` command. Every import that takes time waits until its command is really run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.cases import exceptions, payments
from cli.ending import run_to_end
from cli.exits import Exit, Stop
from cli.options import ConnectionName, Output, finish
from cli.output import Format, say
from cli.payouts import payouts
from cli.records import audit, events
from cli.takeover import backfill
from clients.errors import ClientError, Refused, SettingsError

EXIT_CODES = "Exit codes: 0 fine, 1 a check failed, 2 wrong usage, 3 a setting is wrong, 4 something is unreachable."

app = typer.Typer(
    help="Carries every Stripe payment to Zoho Inventory, exactly once and to the cent.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(payments, name="payments")
app.add_typer(exceptions, name="exceptions")

app.add_typer(audit, name="audit")
app.add_typer(payouts, name="payouts")
app.add_typer(events, name="events")
app.add_typer(backfill, name="backfill")


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
    finish(run_demo(binary, home, ports, once=once, fresh=fresh, unpaced=unpaced, form=output))


@app.command()
def up(
    only: Annotated[str, typer.Option(help="Run one part alone: worker or ingress.")] = "",
    workers: Annotated[int, typer.Option(min=1, help="How many worker processes.")] = 1,
    in_process: Annotated[bool, typer.Option("--in-process", help="All in this one process.")] = False,
) -> None:
    """Run ingress and worker against what the settings name. SIGTERM and Ctrl-C end them in order."""
    from cli.up import run_up

    finish(run_up(only=only, workers=workers, in_process=in_process))


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

    finish(
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

    finish(run_doctor(output))


@app.command()
def trigger(
    event: Annotated[str, typer.Argument(help="An event id (evt_…), or a file that holds an event as JSON.")],
    connection: ConnectionName = "",
    url: Annotated[str, typer.Option(help="The ingress, if not the settings' own.")] = "",
) -> None:
    """Deliver an event to the ingress, signed as Stripe signs it."""
    from cli.trigger import run_trigger

    finish(run_trigger(event, connection=connection, url=url))


@app.command()
def replay(
    named: Annotated[
        str, typer.Argument(metavar="[EVENT|PAYMENT]", help="evt_…, pi_…, ch_…, re_…, dp_… or po_….")
    ] = "",
    connection: ConnectionName = "",
    attention_class: Annotated[
        str, typer.Option("--class", help="All that closed after waiting with this class.")
    ] = "",
    failed: Annotated[bool, typer.Option("--failed", help="All that closed without success.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show which ones.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before many are begun anew.")] = False,
) -> None:
    """Give an event, or what happened to a payment, to its run once more; what has completed stays as it is."""
    from cli.replaying import replay as run_replay
    from cli.replaying import replay_failed

    if bool(named) + bool(attention_class) + failed != 1:
        raise Stop("Name an event or a payment, or choose with --class or --failed: one of them.", Exit.USAGE)
    if named:
        finish(run_replay(named, connection))
    finish(replay_failed(connection, attention_class, dry_run=dry_run, sure=yes))


@app.command()
def rerun(
    payment: Annotated[str, typer.Argument(metavar="PAYMENT", help="pi_… or ch_….")],
    reason: Annotated[str, typer.Option(help="Why; it goes into the audit trail.")] = "",
    from_step: Annotated[
        str,
        typer.Option("--from-step", help="order, invoice, payment, ship, write_back or fee: look anew from here on."),
    ] = "",
    connection: ConnectionName = "",
    by: Annotated[str, typer.Option(help="Who wants it, if not the system's user.")] = "",
) -> None:
    """Tell a closed payment's story once more by today's code and mapping; what is done is not done twice."""
    from cli.rerunning import rerun as run_again
    from cli.resolving import user

    finish(run_again(payment, connection, from_step=from_step, reason=reason, by=by or user()))


@app.command()
def sweep(
    since: Annotated[str, typer.Option("--from", help="A day or moment, UTC where it names no zone.")] = "",
    until: Annotated[str, typer.Option("--to", help="Before this day or moment; now if left out.")] = "",
    connection: ConnectionName = "",
    output: Output = Format.TABLE,
) -> None:
    """Hold a time against what was carried, and start what is missing; schedules do it for what is new."""
    from cli.sweeping import sweep as run_sweep

    finish(run_sweep(connection, since, until, output))


@app.command()
def shadow(
    since: Annotated[str, typer.Option("--from", help="A day of the organisation's, or a moment.")],
    until: Annotated[str, typer.Option("--to", help="Before this day or moment; now if left out.")] = "",
    connection: ConnectionName = "",
    html: Annotated[Path | None, typer.Option("--html", help="Write the report as a page into this file, too.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Show what a backfill would do to a time, and how Zoho differs, to the cent; nothing is written."""
    from cli.shadowing import shadow as run_shadow

    finish(run_shadow(connection, since, until, output, html=html))


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

    finish(show_quota(connection, output, ask_again=ask_again))


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
