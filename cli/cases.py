"""The command's groups about single payments: look at them, and answer those that wait."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.exits import Exit, Stop
from cli.options import ConnectionName, Output, finish
from cli.output import Format

payments = typer.Typer(help="Look at payments: what Temporal runs and what was written.", no_args_is_help=True)
exceptions = typer.Typer(help="Payments that wait for a person: see what they ask, and answer.", no_args_is_help=True)

ClassName = Annotated[str, typer.Option("--class", help="Only those of this class, such as unknown_sku.")]
Query = Annotated[str, typer.Option("--query", help="Only those that match this query of Temporal's.")]


@payments.command("list")
def payments_list(
    connection: ConnectionName = "",
    stage: Annotated[str, typer.Option(help="Only those at this stage, such as paid.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 20,
    output: Output = Format.TABLE,
) -> None:
    """The payments that Temporal knows."""
    from cli.payments import list_payments

    finish(list_payments(connection=connection, stage=stage, limit=limit, form=output))


@payments.command("show")
def payments_show(
    business_id: Annotated[str, typer.Argument(metavar="ID", help="Any of a payment's ids: pi_…, ch_…, SO-…")],
    output: Output = Format.TABLE,
) -> None:
    """One payment: its run, every write that was made for it, and where it links to."""
    from cli.payments import show_payment

    finish(show_payment(business_id, output))


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
    finish(list_exceptions(chosen, limit, output))


@exceptions.command("show")
def exceptions_show(
    business_id: Annotated[str, typer.Argument(metavar="ID", help="Any of a payment's ids: pi_…, ch_…, SO-…")],
    connection: ConnectionName = "",
    output: Output = Format.TABLE,
) -> None:
    """One payment: what happened, what can be answered with which command, and who answered before."""
    from cli.exceptions import show_exception

    finish(show_exception(business_id, connection, output))


@exceptions.command("resolve")
def exceptions_resolve(
    action: Annotated[str, typer.Argument(help="What the payment offers: retry, skip, abort …")],
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Any of a payment's ids.")] = None,
    connection: ConnectionName = "",
    attention_class: ClassName = "",
    query: Query = "",
    reason: Annotated[str, typer.Option(help="Why; skip and abort need it. It goes into the audit trail.")] = "",
    change: Annotated[
        list[str] | None, typer.Option("--set", metavar="LINE:FIELD=VALUE", help="For amend, such as 1:sku=MUG.")
    ] = None,
    order: Annotated[str, typer.Option(help="For adopt, the order's number where there are several.")] = "",
    by: Annotated[str, typer.Option(help="Who answers, if not the system's user.")] = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask before many are answered, an abort or a refund.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Answer one payment that waits, or all that match."""
    from cli.resolving import answer_of, resolve
    from cli.waiting import Selection

    if ids and (attention_class or query):
        raise Stop("Name payments, or choose them by --class and --query: not both.", Exit.USAGE)
    chosen = Selection(tuple(ids or ()), connection, attention_class, query)
    answer = answer_of(action, reason=reason, by=by, changes=change or (), order=order)
    finish(resolve(chosen, answer, sure=yes, form=output))
