"""`throughline audit`: the trail of a connection for others to keep, and the proof that nobody changed it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.exits import Exit, Stop
from cli.moments import moment_of
from cli.output import Format, say, show_rows, write_out
from cli.reach import one_connection, open_store
from clients.settings import load_settings
from domain.sheets import to_sheet

if TYPE_CHECKING:
    from clients.store import AuditEntry

FIELDS = ("connection", "seq", "at", "stripe_id", "step", "actor", "amount", "currency", "result", "note", "hash")
REPORT = {"connection": "Connection", "entries": "Entries", "ok": "Intact", "head": "Head", "reason": "Reason"}


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
    begin, end = moment_of(since), moment_of(until)
    store = await open_store(settings)
    try:
        rows = [_row(entry) async for entry in store.audit.between(slug, since=begin, until=end)]
        report = await store.audit.verify(slug)
    finally:
        await store.close()
    write_out(_csv(rows) if form is ExportFormat.CSV else _json_lines(rows), to)
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
    return to_sheet(
        FIELDS, (row | {"result": json.dumps(row["result"], ensure_ascii=False, sort_keys=True)} for row in rows)
    )
