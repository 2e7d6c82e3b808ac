"""The audit trail: one entry per completed effect, each one sealed to the one before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, or_, select, text

from clients.store.database import Database
from clients.store.schema import audit, effects
from domain.money import Money

# What the first entry of a chain is sealed to.
GENESIS = "0" * 64
_PAGE = 200
_BEFORE_ALL = -(2**63)


@dataclass(frozen=True)
class AuditEntry:
    """What was done: ids, money and who, never people's data. `seq` counts from 1 in its connection."""

    connection: str
    stripe_id: str
    step: str
    at: datetime
    actor: str
    amount: Money | None
    result: dict[str, str]
    note: str = ""
    seq: int = 0
    hash: str = ""

    def seal(self, previous: str) -> str:
        """64 hex digits: SHA-256 over the previous entry's hash and this entry's canonical JSON."""
        body = {
            "connection": self.connection,
            "seq": self.seq,
            "stripe_id": self.stripe_id,
            "step": self.step,
            "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "actor": self.actor,
            "minor": self.amount.minor if self.amount else None,
            "currency": self.amount.currency if self.amount else None,
            "result": self.result,
            "note": self.note,
        }
        return hashlib.sha256(previous.encode() + canonical(body).encode()).hexdigest()


@dataclass(frozen=True)
class AuditReport:
    """What a check of one chain found. `first_bad` is the `seq` where it breaks, None where it holds.

    `head` ("<seq>:<hash>") is to be kept elsewhere: given to a later check, it betrays a chain that was cut
    or written anew.
    """

    entries: int
    ok: bool
    head: str
    first_bad: int | None = None
    reason: str = ""


_LAST = (
    select(audit.c.seq, audit.c.hash)
    .where(audit.c.connection == bindparam("connection"))
    .order_by(audit.c.seq.desc())
    .limit(1)
)
_PAGE_AFTER = (
    select(audit)
    .where(audit.c.connection == bindparam("connection"), audit.c.seq > bindparam("after"))
    .order_by(audit.c.seq)
    .limit(_PAGE)
)
_OF = (
    select(audit)
    .where(audit.c.connection == bindparam("connection"), audit.c.stripe_id == bindparam("stripe_id"))
    .order_by(audit.c.seq)
)
# Effects and trail tell the same story, or one of them was changed by hand.
_DISAGREEING = (
    select(audit.c.seq, effects.c.step, effects.c.stripe_id)
    .select_from(
        effects.outerjoin(
            audit,
            (audit.c.connection == effects.c.connection)
            & (audit.c.stripe_id == effects.c.stripe_id)
            & (audit.c.step == effects.c.step),
        )
    )
    .where(
        effects.c.connection == bindparam("connection"),
        effects.c.completed_at.is_not(None),
        or_(audit.c.seq.is_(None), audit.c.result != effects.c.result),
    )
    .order_by(audit.c.seq)
    .limit(1)
)
# One writer at a time extends a chain; in SQLite every writing transaction already is alone.
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended('audit:' || CAST(:connection AS text), 0))")


def canonical(value: Mapping[str, object]) -> str:
    """The one JSON text of `value`: keys sorted, no spaces, letters as they are."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class Audit:
    """The trail of every connection. Written by `Effects.complete` only."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = insert(audit)

    def append(self, visit: Connection, entry: AuditEntry) -> None:
        """Extend the chain inside the transaction of `visit`."""
        if visit.dialect.name == "postgresql":
            visit.execute(_ALONE, {"connection": entry.connection})
        last = visit.execute(_LAST, {"connection": entry.connection}).first()
        seq, previous = (last.seq, last.hash) if last else (0, GENESIS)
        entry = replace(entry, seq=seq + 1)
        visit.execute(
            self._insert,
            {
                "connection": entry.connection,
                "seq": entry.seq,
                "stripe_id": entry.stripe_id,
                "step": entry.step,
                "at": entry.at,
                "actor": entry.actor,
                "minor": entry.amount.minor if entry.amount else None,
                "currency": entry.amount.currency if entry.amount else None,
                "result": canonical(entry.result),
                "note": entry.note,
                "hash": entry.seal(previous),
            },
        )

    async def length(self, connection: str) -> int:
        """How many entries the trail has, by the newest one's number."""
        rows = await self._database.read(_LAST, connection=connection)
        return int(rows[0].seq) if rows else 0

    async def between(
        self, connection: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> AsyncIterator[AuditEntry]:
        """The entries from `since` to before `until`, oldest first, read a page at a time."""
        async for entry in self._all(connection):
            if (since is None or entry.at >= since) and (until is None or entry.at < until):
                yield entry

    async def entries(self, connection: str, stripe_id: str | None = None) -> list[AuditEntry]:
        """The trail of one Stripe id, or the whole trail of the connection, oldest first."""
        if stripe_id is None:
            return [entry async for entry in self._all(connection)]
        rows = await self._database.read(_OF, connection=connection, stripe_id=stripe_id)
        return [_entry(row) for row in rows]

    async def verify(self, connection: str, *, head: str = "") -> AuditReport:
        """Compute the chain again and name the first entry that was edited, removed, inserted or moved.

        `head` of an earlier report also betrays a chain that was cut off or wholly rewritten since.
        """
        known_seq, _, known_hash = head.partition(":")
        count, previous = 0, GENESIS
        async for entry in self._all(connection):
            expected = count + 1
            reason = _fault(entry, expected, previous)
            if not reason and str(entry.seq) == known_seq and entry.hash != known_hash:
                reason = "is not the entry that the exported head names"
            if reason:
                return _broken(count, previous, min(entry.seq, expected), reason)
            count, previous = expected, entry.hash
        if known_seq and int(known_seq) > count:
            return _broken(count, previous, count + 1, "is missing: the exported head is further on")
        return await self._compared(connection, AuditReport(entries=count, ok=True, head=f"{count}:{previous}"))

    async def _compared(self, connection: str, report: AuditReport) -> AuditReport:
        rows = await self._database.read(_DISAGREEING, connection=connection)
        if not rows:
            return report
        what = "is not what the effect says" if rows[0].seq else "is missing"
        reason = f"the entry of {rows[0].step} for {rows[0].stripe_id} {what}"
        return replace(report, ok=False, first_bad=rows[0].seq or report.entries + 1, reason=reason)

    async def _all(self, connection: str) -> AsyncIterator[AuditEntry]:
        after = _BEFORE_ALL
        while True:
            rows = await self._database.read(_PAGE_AFTER, connection=connection, after=after)
            for row in rows:
                yield _entry(row)
            if len(rows) < _PAGE:
                return
            after = rows[-1].seq


def _fault(entry: AuditEntry, expected: int, previous: str) -> str:
    """What is wrong with this entry in this place, "" for nothing."""
    if entry.seq > expected:
        return "is missing"
    if entry.seq < expected:
        return "was inserted"
    return "" if entry.hash == entry.seal(previous) else "was changed, or something before it was"


def _broken(count: int, previous: str, seq: int, reason: str) -> AuditReport:
    return AuditReport(
        entries=count, ok=False, head=f"{count}:{previous}", first_bad=seq, reason=f"entry {seq} {reason}"
    )


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(
        connection=row.connection,
        stripe_id=row.stripe_id,
        step=row.step,
        at=row.at,
        actor=row.actor,
        amount=None if row.currency is None else Money.of(row.minor, row.currency),
        result=json.loads(row.result),
        note=row.note,
        seq=row.seq,
        hash=row.hash,
    )
