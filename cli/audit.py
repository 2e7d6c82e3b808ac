"""`throughline audit`: the trail of a connection for others to keep, and the proof that nobody changed it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from cli.exits import Exit, Stop
from cli.output import Format, say, show_rows
from cli.reach import one_connection, open_store
from clients.settings import load_settings

if TYPE_CHECKING:
    from clients.store import AuditEntry

FIELDS = ("connection", "seq", "at", "stripe_id", "step", "actor", "amount", "currency", "result", "note", "hash")
REPORT = {"connection": "Connection", "entries": "Entries", "ok": "Intact", "head": "Head", "reason": "Reason"}
# A spreadsheet would take a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class ExportFormat(StrEnum):
    """How entries are written."""

    CSV = "csv"
    JSONL = "jsonl"


async def export(connection: str, form: ExportFormat, *, since: str, until: str, to: Path | None) -> Exit:
    """The entries of a time, oldest first, to a file or stdout; the chain's head to stderr. FAILED where it broke.

    The whole chain is verified, too: a part of it proves nothing by itself.
    """
    settings = load_settings()
    slug = one_connection(settings, connection).slug
    begin, end = _time(since), _time(until)
    store = await open_store(settings)
    try:
        rows = [_row(entry) async for entry in store.audit.between(slug, since=begin, until=end)]
        report = await store.audit.verify(slug)
    finally:
        await store.close()
    _write(_csv(rows) if form is ExportFormat.CSV else _json_lines(rows), to)
    say(f"{len(rows)} entries. The chain's head: {report.head}")
    if not report.ok:
        say(f"The trail was changed: {report.reason}.")
    return Exit.OK if report.ok else Exit.FAILED


async def verify(connection: str, head: str, form: Format) -> Exit:
    """Whether the chain holds, and still holds the entry that an earlier `head` names. FAILED where it does not."""
    settings = load_settings()
    slug = one_connection(settings, connection).slug
    number, _, digest = head.partition(":")
    if head and not (number.isdecimal() and len(digest) == 64):
        raise Stop("A head is <number>:<64 hex digits>, as `throughline audit export` shows it.", Exit.USAGE)
    store = await open_store(settings)
    try:
        report = await store.audit.verify(slug, head=head)
    finally:
        await store.close()
    intact = "yes" if report.ok else "no"
    row = {"connection": slug, "entries": str(report.entries), "ok": intact, "head": report.head}
    show_rows([{**row, "reason": report.reason}], REPORT, form)
    return Exit.OK if report.ok else Exit.FAILED


def _time(text: str) -> datetime | None:
    """A day or a moment, UTC where it names no zone."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Stop(f"{text!r} is no time: write 2026-11-25 or 2026-11-25T08:00:00+01:00.", Exit.USAGE) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _row(entry: AuditEntry) -> dict[str, Any]:
    return {
        "connection": entry.connection,
        "seq": entry.seq,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "stripe_id": entry.stripe_id,
        "step": entry.step,
        "actor": entry.actor,
        "amount": f"{entry.amount.decimal():f}" if entry.amount else "",
        "currency": entry.amount.currency if entry.amount else "",
        "result": entry.result,
        "note": entry.note,
        "hash": entry.hash,
    }


def _json_lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _csv(rows: Iterable[dict[str, Any]]) -> str:
    page = io.StringIO()
    writer = csv.DictWriter(page, FIELDS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        result = json.dumps(row["result"], ensure_ascii=False, sort_keys=True)
        writer.writerow({key: _cell(str(value)) for key, value in {**row, "result": result}.items()})
    return page.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _write(text: str, to: Path | None) -> None:
    if to is None:
        typer.echo(text, nl=False)
        return
    try:
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Stop(f"{to} cannot be written ({error.strerror}).", Exit.USAGE) from None
