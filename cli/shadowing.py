"""`throughline shadow`: what a backfill would do to a time, payment by payment, without writing anything."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from cli.backfilling import BULK_PER_MINUTE, Range, range_at
from cli.exits import Exit
from cli.moments import said
from cli.output import Format, say, show_json, show_rows, write_out
from cli.reach import one_connection, open_store
from cli.shadow_eyes import Eyes
from clients.connections import Connection
from clients.errors import QuotaGone
from clients.settings import load_settings
from clients.store import Store
from domain.backfills import CALLS_EACH, Quota, forecast
from domain.shadows import ShadowReport, ShadowRow, Verdict

WORDS = {
    Verdict.CREATE: "would be written",
    Verdict.ADOPT: "entered by hand, would be adopted",
    Verdict.ASK: "a person would be asked",
    Verdict.CARRIED: "carried already",
    Verdict.WAIT: "would wait for a person",
}
COLUMNS = {
    "day": "Paid",
    "payment": "Payment",
    "money": "Amount",
    "verdict": "Would",
    "number": "Order",
    "contact": "Customer",
    "why": "Why, or what differs (ours, Zoho's)",
}
SUMMARY = {"what": "", "payments": "Payments", "money": "Money"}
_TEMPLATES = Path(__file__).parent / "templates"
_TOLD_EVERY = 100  # payments


async def shadow(name: str, since: str, until: str, form: Format, *, html: Path | None = None) -> Exit:
    """Looks at every payment of the time and shows what would become of it. FAILED where it could not see all."""
    settings = load_settings()
    connection = one_connection(settings, name)
    wanted = await range_at(settings, connection, since, until)
    say(f"Looking at {connection.slug} from {said(wanted.since)} to {said(wanted.until)}; nothing is written.")
    store = await open_store(settings)
    try:
        report = await look(connection, store, wanted)
    finally:
        await store.close()
    show(report, form)
    if html is not None:
        write_out(page(report), html)
        say(f"The report is in {html}.")
    return Exit.FAILED if report.ended else Exit.OK


async def look(connection: Connection, store: Store, wanted: Range) -> ShadowReport:
    """The report of the time, as far as Zoho's day reaches."""

    def now() -> datetime:
        return datetime.now(UTC)

    rows: list[ShadowRow] = []
    orders, ended, seen = 0, "", set[str]()
    async with AsyncExitStack() as stack:
        eyes = await Eyes.open(stack, connection, store, now)
        try:
            orders = await eyes.see_orders(wanted.since.date(), wanted.until.date())
            async for charge in eyes.charges(wanted.since, wanted.until):
                if charge.payment_id in seen:
                    continue
                seen.add(charge.payment_id)
                rows.append(await eyes.see(charge))
                if len(rows) % _TOLD_EVERY == 0:
                    say(f"  {len(rows)} payments, until {said(charge.at)}")
        except QuotaGone as gone:
            ended = f"{gone.message}; go on after {gone.when}"
    report = ShadowReport(
        connection=connection.slug,
        since=wanted.since,
        until=wanted.until,
        rows=tuple(rows),
        orders=orders,
        ended=ended,
        calls=dict(eyes.watch.counts),
        made_at=now(),
    )
    return report.model_copy(update={"done_at": await _done_at(connection, store, report)})


async def _done_at(connection: Connection, store: Store, report: ShadowReport) -> datetime | None:
    budget = await store.budgets.read(connection.zoho.organization_id)
    left = budget.left(report.made_at) if budget else None
    quota = Quota(left=left, limit=budget.day_limit, resets_at=budget.day_resets_at) if budget else Quota()
    reserve = connection.zoho.daily_reserve
    return forecast(
        report.to_carry(),
        quota,
        report.made_at,
        calls_each=CALLS_EACH,
        reserve=reserve,
        per_minute=BULK_PER_MINUTE,
    )


def show(report: ShadowReport, form: Format) -> None:
    """The report as a table with its sums, or as JSON."""
    if form is Format.JSON:
        counts = {"counts": report.counts(), "differing": report.differing(), "to_carry": report.to_carry()}
        money = {"money": {verdict.value: report.money(verdict) for verdict in Verdict}}
        show_json({**report.model_dump(mode="json"), **counts, **money})
        return
    show_rows([_row(row) for row in report.rows], COLUMNS, form)
    sums = [
        {"what": WORDS[verdict], "payments": str(report.counts()[verdict.value]), "money": report.money(verdict)}
        for verdict in Verdict
    ]
    total = {"what": "all", "payments": str(len(report.rows)), "money": report.money()}
    show_rows([*sums, total], SUMMARY, form)
    say(f"{report.differing()} orders in Zoho say something else than the payment. Nothing was written.")
    if report.done_at is not None:
        say(f"A backfill that begins now would be done on {report.done_at:%A, %Y-%m-%d %H:%M} UTC.")
    if report.ended:
        say(f"Not complete: {report.ended}.")


def page(report: ShadowReport) -> str:
    """The report as one HTML page that needs no other file, for a browser or a printer."""
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True)
    differing = [row for row in report.rows if row.verdict in (Verdict.ADOPT, Verdict.CARRIED) and row.differences]
    sections = [
        ("Wait for a person", [row for row in report.rows if row.verdict is Verdict.WAIT]),
        ("A person would be asked whether it is the payment's order", _of(report, Verdict.ASK)),
        ("In Zoho, and different", differing),
        ("To be written", _of(report, Verdict.CREATE)),
        ("In Zoho, and the same", [row for row in _of(report, Verdict.ADOPT) if not row.differences]),
        ("Carried already, and the same", [row for row in _of(report, Verdict.CARRIED) if not row.differences]),
    ]
    words = {verdict.value: text for verdict, text in WORDS.items()}
    template = environment.get_template("shadow.html")
    return template.render(report=report, sections=sections, verdicts=list(Verdict), words=words, at=said)


def _of(report: ShadowReport, verdict: Verdict) -> list[ShadowRow]:
    return [row for row in report.rows if row.verdict is verdict]


def _row(row: ShadowRow) -> dict[str, str]:
    differs = "; ".join(f"{one.field}: {one.ours}, {one.zoho}" for one in row.differences)
    return {
        "day": str(row.day or row.at.date()),
        "payment": row.payment_id,
        "money": str(row.money or ""),
        "verdict": row.verdict.value,
        "number": row.number,
        "contact": row.contact,
        "why": " · ".join(filter(None, (row.message, differs, "money went back" * row.went_back))),
    }
