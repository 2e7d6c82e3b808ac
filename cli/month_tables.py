"""A month in the terminal: results on stdout, the verdict on stderr."""

from __future__ import annotations

import sys

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cli.month_text import FLOWS, day, figure, open_words, title, verdict
from cli.output import PIPED_WIDTH, say
from domain.months import Balance, Month, MonthPayout


def show_month(month: Month) -> None:
    """Payouts, each currency's balance, and what is open."""
    console = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)
    if month.payouts:
        console.print(_payouts(month))
    for one in month.balances:
        console.print(_balance(month, one))
    if month.open:
        console.print(_open(month))
    for wrong in month.discrepancies:
        say(f"WRONG {wrong.message}")
    for sentence in month.unseen:
        say(sentence)
    say(f"{title(month)}: {verdict(month)} {open_words(month)}")


def proof(one: MonthPayout) -> str:
    """Whether its certificate proves it, in a word or two."""
    if one.flaws:
        return "does NOT verify"
    return f"version {one.version}, verified" if one.version else "none yet"


def _payouts(month: Month) -> Table:
    table = _table(f"Payouts of {title(month)}", "Payout", "Left Stripe", "At the bank", "Kind", "Status")
    for heading in ("Amount", "Lines"):
        table.add_column(heading, justify="right")
    for heading in ("Certificate", "To look at", "Hash"):
        table.add_column(heading, overflow="fold")
    zone = month.span.zone
    for one in month.payouts:
        table.add_row(
            one.payout_id, day(one.created, zone), f"{one.arrival:%Y-%m-%d}", one.kind, one.status, str(one.money),
            str(one.lines or ""), proof(one), str(one.findings or ""), one.hash[:16],
        )  # fmt: skip
    return table


def _balance(month: Month, balance: Balance) -> Table:
    table = _table(f"Stripe clearing account, {balance.currency}", "What")
    for heading in (balance.currency, "Rows"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_row("Opening balance", figure(balance.opening), "", end_section=True)
    for flow in balance.flows:
        table.add_row(FLOWS[flow.flow], figure(flow.money, sign=True), str(flow.rows))
    if balance.difference:
        table.add_row("DOES NOT ADD UP BY", figure(-balance.difference, sign=True), "")
    table.add_section()
    table.add_row("Closing balance" if month.over else "Balance now", figure(balance.closing), "")
    if balance.waiting_rows:
        table.add_row("  of the month, in no certificate yet", figure(balance.waiting), str(balance.waiting_rows))
    if balance.on_its_way:
        table.add_row("  left, and at the bank only afterwards", figure(balance.on_its_way), "")
    return table


def _open(month: Month) -> Table:
    table = _table("Still open", "About", "What", "Message")
    table.add_column("At risk", justify="right", no_wrap=True)
    for one in month.open:
        table.add_row(one.about, one.kind, one.message, str(one.at_risk or ""))
    return table


def _table(heading: str, *columns: str) -> Table:
    table = Table(title=heading, title_justify="left", box=SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
