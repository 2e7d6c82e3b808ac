"""`throughline payouts` as it is typed. What takes time to import waits until a command is really run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import ConnectionName, Output, finish
from cli.output import Format

payouts = typer.Typer(
    help="Payouts: what each is made of, certificates that prove it, journals for the books.", no_args_is_help=True
)

CertificateFile = Annotated[Path, typer.Argument(metavar="FILE", help="A certificate, as JSON.")]


@payouts.command("list")
def payouts_list(
    connection: ConnectionName = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 20,
    output: Output = Format.TABLE,
) -> None:
    """The certificates that were issued, with what is still to be looked at."""
    from cli.certificates import list_certificates

    finish(list_certificates(connection, limit, output))


@payouts.command("reconcile")
def payouts_reconcile(
    since: Annotated[str, typer.Option("--from", help="A day or moment, UTC where it names no zone.")] = "",
    until: Annotated[str, typer.Option("--to", help="Before this day or moment; now if left out.")] = "",
    open_too: Annotated[
        bool, typer.Option("--open", help="Those as well whose certificate names what was open then.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Until each that was told is certified, or waits for a person.")
    ] = False,
    connection: ConnectionName = "",
    output: Output = Format.TABLE,
) -> None:
    """Have every payout of a time certified as it is now; a schedule does it each night for the last weeks."""
    from cli.reconciling import reconcile

    finish(reconcile(connection, since, until, output, open_too=open_too, wait=wait))


@payouts.command("month")
def payouts_month(
    name: Annotated[str, typer.Argument(metavar="[YYYY-MM]", help="The last month that is over, if left out.")] = "",
    connection: ConnectionName = "",
    html: Annotated[Path | None, typer.Option(help="Write the month as one page for a browser.")] = None,
    pdf: Annotated[Path | None, typer.Option(help="Write that page as a PDF, by a Chromium on this machine.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write every posting, for the accountant.")] = None,
    browser: Annotated[str, typer.Option(help="The browser that prints the PDF, if not the first found.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """A month of the Stripe clearing account: its payouts, opening and movements to closing, and what is still open."""
    from cli.months import Wanted, month

    finish(month(Wanted(name, connection, html, pdf, csv, browser), output))


@payouts.command("show")
def payouts_show(
    payout: Annotated[str, typer.Argument(metavar="ID", help="po_…")],
    connection: ConnectionName = "",
    version: Annotated[int, typer.Option(min=0, help="Which version; 0 is the newest.")] = 0,
    to: Annotated[Path | None, typer.Option(help="Write the certificate itself into this file.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """A payout's certificate: every line with its document, what was found, and what was posted in Zoho Books."""
    from cli.certificates import show_certificate

    finish(show_certificate(payout, connection, version, to, output))


@payouts.command("verify")
def payouts_verify(
    file: CertificateFile,
    key: Annotated[str, typer.Option(help="The public key that signed it: base64, or a file with it.")] = "",
    previous: Annotated[Path | None, typer.Option(help="The version before, which this one has to name.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Check a certificate by itself, without store or network, and name what is wrong: which line, which cent."""
    from cli.proofs import verify_file

    raise typer.Exit(verify_file(file, key, previous, output))


@payouts.command("journal")
def payouts_journal(
    file: CertificateFile,
    form: Annotated[str, typer.Option("--format", help="csv or json.")] = "csv",
    open_only: Annotated[
        bool, typer.Option("--open", help="Only what no document of the books carries already.")
    ] = False,
    summarised: Annotated[bool, typer.Option("--summary", help="One line an account.")] = False,
    to: Annotated[Path | None, typer.Option(help="A file instead of stdout.")] = None,
) -> None:
    """Write a certificate's postings as balanced double-entry lines. One that is not sound is refused."""
    from cli.proofs import write_journal

    write_journal(file, form, to, open_only=open_only, summarised=summarised)


@payouts.command("keys")
def payouts_keys(
    output: Output = Format.TABLE,
) -> None:
    """Show the public keys of this install's certificates, to be kept where they are checked."""
    from cli.proofs import show_keys

    show_keys(output)
