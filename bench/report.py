"""The figures as tables: for the terminal, and as Markdown between two marks of a document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.figures import Figures, Round, Storm, Waits, cpu_each, rate
from bench.load import Answers
from bench.stats import Spread, median

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
PARTS = ("temporal", "worker", "ingress", "sandbox", "bare", "load")


@dataclass(frozen=True)
class Sheet:
    """One table."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def show(tables: Iterable[Sheet]) -> None:
    """These tables on standard output."""
    console = Console()
    for sheet in tables:
        table = Table(title=sheet.title, title_justify="left", caption=sheet.note or None, caption_justify="left")
        for place, column in enumerate(sheet.columns):
            table.add_column(column, justify="right" if place else "left")
        for row in sheet.rows:
            table.add_row(*row)
        console.print(table)


def put_down(sheets: Iterable[Sheet], document: Path, begin: str, end: str) -> None:
    """Puts these tables between the two marks; ValueError where `document` lacks one."""
    before, found, rest = document.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{document} has no place for figures: it needs {begin} and {end}")
    tables = "\n".join(map(_markdown, sheets))
    document.write_text(f"{before}{begin}\n\n{tables}\n{end}{after}", encoding="utf-8")


def sheets(figures: Figures) -> Iterator[Sheet]:
    """All tables that there are figures for."""
    yield Sheet("Taken", ("", ""), list(figures.where.items()))
    yield _throughput(figures)
    yield _cpu(figures)
    yield _answers(figures)
    yield _waits(figures)
    yield _costs(figures)
    if figures.storm:
        yield storm_sheet(figures.storm)
    yield Sheet(
        "Worker start, seconds",
        ("", "median", "slowest", "aim"),
        [
            (
                f"{len(figures.starts)} starts until Temporal knows it on both queues",
                f"{median(figures.starts):.2f}",
                f"{max(figures.starts):.2f}",
                "under 3",
            )
        ],
    )


def _throughput(figures: Figures) -> Sheet:
    plan, shares = figures.plan, figures.shares
    rows = [
        ("payments, Zoho's limits lifted", *_rates(figures.house), f"{cpu_each(figures.house, *PARTS):.0f}"),
        ("bare workflows, as many empty activities", *_rates(figures.bare), f"{cpu_each(figures.bare, *PARTS):.0f}"),
        ("payments beside bare workflows", f"{median(shares):.0%}", f"{min(shares):.0%} – {max(shares):.0%}", ""),
    ]
    if figures.honest:
        pace = figures.honest.round
        calls = f"{figures.honest.refused} calls refused"
        rows.append(
            ("one organisation at Zoho's pace", f"{pace.rate:.2f} ({pace.rate * 60:.0f} a minute)", calls, _all(pace))
        )
    note = (
        f"{plan.rounds} rounds of {plan.payments} payments over {plan.shops} organisations and as many bare workflows,"
        f" in turns, {plan.at_once} at once; sandbox, ingress and sender on the same cores. Aim: at least 45 %."
    )
    return Sheet("End to end, a second", ("", "median", "range", "CPU ms each"), rows, note)


def _rates(rounds: Sequence[Round]) -> tuple[str, str]:
    all_rates = [each.rate for each in rounds]
    return f"{rate(rounds):.1f}", f"{min(all_rates):.1f} – {max(all_rates):.1f}"


def _all(one: Round) -> str:
    return f"{one.cpu_each(*PARTS):.0f}"


def _cpu(figures: Figures) -> Sheet:
    rows = [
        (part, f"{cpu_each(figures.house, part):.1f}", f"{cpu_each(figures.bare, part):.1f}")
        for part in PARTS
        if any(part in each.cpu for each in figures.house)
    ]
    note = "load: the sender of webhooks, which also waits for each run's end; bare: the bare workflows' worker."
    return Sheet("CPU milliseconds by process", ("", "a payment", "a bare workflow"), rows, note)


def _answers(figures: Figures) -> Sheet:
    plan = figures.plan
    rows = []
    if figures.calm:
        rows.append(_answered("while payments run", figures.calm.answers, "p99 under 50"))
    if figures.burst:
        rows.append(_answered("while payments run", figures.burst.answers, "p99 under 1000, none refused"))
    if figures.alone:
        rows.append(_answered("nobody works", figures.alone, "p99 under 50"))
    note = (
        f"From the moment a webhook was due, three for each payment. {plan.calm_seconds:g}, {plan.burst_seconds:g} and"
    )
    note += (
        f" {plan.alone_seconds:g} seconds long. What is refused is delivered again until it is taken, as Stripe does."
    )
    columns = ("", "webhooks", "a second", "p50", "p99", "slowest", "refused", "aim")
    return Sheet("Webhook answers, milliseconds", columns, rows, note)


def _answered(name: str, answers: Answers, aim: str) -> tuple[str, ...]:
    count = str(len(answers.rows))
    return (name, count, f"{answers.rate:.0f}", *_milliseconds(answers.spread), str(answers.refused), aim)


def _milliseconds(spread: Spread) -> tuple[str, str, str]:
    return f"{spread.p50 * 1000:.0f}", f"{spread.p99 * 1000:.0f}", f"{spread.most * 1000:.0f}"


def _waits(figures: Figures) -> Sheet:
    rows = []
    if figures.single:
        rows.append(_waited("one payment at a time", figures.single))
    if figures.calm:
        rows.append(_waited(f"{_pace(figures.calm.answers)} payments a second", figures.calm.waits))
    if figures.busy:
        rows.append(_waited(f"{figures.plan.at_once} payments at once, as fast as they go", figures.busy))
    if burst := figures.burst:
        words = f"{burst.payments} payments in {figures.plan.burst_seconds:g} s; all paid after {burst.drained:.0f} s"
        rows.append(_waited(words, burst.waits))
    columns = ("", "to stock p50", "p99", "to paid p50", "p99")
    return Sheet("From the webhook, seconds", columns, rows)


def _pace(answers: Answers) -> str:
    return f"{answers.rate / 3:.1f}"


def _waited(name: str, waits: Waits) -> tuple[str, ...]:
    return (name, *(f"{s:.2f}" for s in (waits.stock.p50, waits.stock.p99, waits.paid.p50, waits.paid.p99)))


def _costs(figures: Figures) -> Sheet:
    columns = ("", "history events", "bytes", "activities", "local", "tasks", "Temporal actions", "Zoho calls")
    rows = [
        (name, *map(str, (c.events, c.stored, c.activities, c.local, c.tasks, c.actions, c.zoho)))
        for name, c in figures.costs.items()
    ]
    return Sheet("A payment's costs, counted", columns, rows)


def storm_sheet(storm: Storm) -> Sheet:
    """How many calls were wasted on refusals."""
    rows = [
        (
            name,
            str(gale.orders),
            str(gale.calls),
            str(gale.refused),
            f"{gale.wasted:.1%}",
            f"{gale.calls / gale.orders:.2f}",
            f"{gale.seconds:.0f}",
            "wasted under 5%, at most 6 an order",
        )
        for name, gale in storm.gales.items()
    ]
    note = "Temporal's pace lifted, orders announced at ten times Zoho's limit, five calls at once, blocks of 60 s."
    note += f" A turn of the budget takes {storm.turn.p50 * 1000:.1f} ms (p99 {storm.turn.p99 * 1000:.1f})."
    columns = ("", "orders", "calls", "refused (429)", "wasted", "calls an order", "seconds", "aim")
    return Sheet("A storm at ten times the limit", columns, rows, note)


def _markdown(sheet: Sheet) -> str:
    rule = "| --- |" + " ---: |" * (len(sheet.columns) - 1)
    lines = [f"### {sheet.title}", "", f"| {' | '.join(sheet.columns)} |", rule]
    lines += [f"| {' | '.join(row)} |" for row in sheet.rows]
    return "\n".join([*lines, "", *([sheet.note, ""] if sheet.note else [])])
