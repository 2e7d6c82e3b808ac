"""Effect rows: what makes a write to the outside happen once, although its writer may die at any moment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, delete, select, update

from clients.store.audit import Audit, AuditEntry, canonical
from clients.store.database import Database
from clients.store.schema import audit, effects
from domain.money import Money


class EffectState(StrEnum):
    """What to do about a write: do it, look first, take the known result, or leave it to somebody else."""

    FRESH = "fresh"
    UNKNOWN = "unknown"
    DONE = "done"
    HELD = "held"


@dataclass(frozen=True)
class Effect:
    """The answer to `begin`. `result` is filled where DONE; `owner` is whose intent it is, or was.

    `asked` counts the times somebody set out to write: who looked and found nothing hands it back as `after`.
    """

    state: EffectState
    owner: str
    asked: int
    result: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EffectRow:
    """One effect as it is remembered. `completed_at` None: begun, and nobody knows yet."""

    step: str
    stripe_id: str
    owner: str
    begun_at: datetime
    completed_at: datetime | None
    result: dict[str, str]
    actor: str = ""
    amount: Money | None = None
    note: str = ""


_KEY = (effects.c.connection, effects.c.stripe_id, effects.c.step)
_ROW = tuple(column == bindparam(f"row_{column.name}") for column in _KEY)
_TAKE = update(effects).where(*_ROW)
_WITHDRAW = delete(effects).where(*_ROW, effects.c.owner == bindparam("row_owner"), effects.c.completed_at.is_(None))
_WITH_AUDIT = (
    select(effects, audit.c.actor, audit.c.minor, audit.c.currency, audit.c.note)
    .outerjoin(
        audit,
        (audit.c.connection == effects.c.connection)
        & (audit.c.stripe_id == effects.c.stripe_id)
        & (audit.c.step == effects.c.step),
    )
    .where(effects.c.connection == bindparam("connection"))
    .order_by(effects.c.begun_at, effects.c.step)
)
_OF = _WITH_AUDIT.where(effects.c.stripe_id == bindparam("stripe_id"))
_OF_MANY = _WITH_AUDIT.where(effects.c.stripe_id.in_(bindparam("stripe_ids", expanding=True)))
_AT_ONCE = 500  # databases bound the parameters of a statement


class Effects:
    """One row per (connection, step, Stripe id). Its audit entry is written with its completion, once."""

    def __init__(self, database: Database, trail: Audit) -> None:
        self._database = database
        self._trail = trail
        insert = database.insert(effects)
        self._begin = insert.on_conflict_do_update(
            index_elements=_KEY,
            set_={
                "asked": case((effects.c.owner == insert.excluded.owner, effects.c.asked + 1), else_=effects.c.asked)
            },
        ).returning(effects)
        self._complete = insert.on_conflict_do_update(
            index_elements=_KEY,
            set_={"completed_at": insert.excluded.completed_at, "result": insert.excluded.result},
            where=effects.c.completed_at.is_(None),
        ).returning(effects.c.asked)

    async def begin(
        self,
        connection: str,
        step: str,
        stripe_id: str,
        *,
        owner: str,
        at: datetime,
        lease: timedelta | None = None,
        after: int = 0,
    ) -> Effect:
        """Write down that `owner` is about to do `step`, and say whether it may.

        FRESH: nobody tried, or nobody since the caller looked (`after`, the `asked` it was told before).
        UNKNOWN: it may have happened, look first; the owner's own intent, or another's that is older than
        `lease` and now is `owner`'s. HELD: another's. DONE: with its result.
        """
        row = _key(connection, step, stripe_id) | {"owner": owner, "begun_at": at, "asked": 1, "result": "{}"}

        def work(visit: Connection) -> Effect:
            found = visit.execute(self._begin, row).one()
            if found.completed_at is not None:
                return Effect(EffectState.DONE, found.owner, found.asked, json.loads(found.result))
            mine = found.owner == owner
            tried = found.asked - 1 if mine else found.asked
            expired = lease is not None and found.begun_at + lease < at
            if not mine and not expired and tried != after:
                return Effect(EffectState.HELD, found.owner, tried)
            if tried:
                # Its own intent is renewed too: the lease runs from the last time somebody set out to write.
                taken = {"owner": owner, "begun_at": at, "asked": tried + 1}
                visit.execute(_TAKE, _row_key(row) | taken)
            return Effect(EffectState.FRESH if tried == after else EffectState.UNKNOWN, owner, tried + 1)

        return await self._database.write(work)

    async def complete(
        self,
        connection: str,
        step: str,
        stripe_id: str,
        *,
        result: Mapping[str, str],
        at: datetime,
        actor: str,
        amount: Money | None = None,
        note: str = "",
    ) -> None:
        """Keep the result and append one entry to the audit chain. Repeated, it changes nothing.

        `result` holds ids and numbers, never people's data: it is kept in clear, and for good.
        """
        entry = AuditEntry(
            connection=connection,
            stripe_id=stripe_id,
            step=step,
            at=at,
            actor=actor,
            amount=amount,
            result=dict(result),
            note=note,
        )
        row = _key(connection, step, stripe_id) | {
            "owner": actor,
            "begun_at": at,
            "asked": 1,
            "completed_at": at,
            "result": canonical(entry.result),
        }

        def work(visit: Connection) -> None:
            if visit.execute(self._complete, row).first() is not None:
                self._trail.append(visit, entry)

        await self._database.write(work)

    async def withdraw(self, connection: str, step: str, stripe_id: str, *, owner: str) -> None:
        """Forget `owner`'s intent, for the write definitely did not happen. A completed effect stays."""
        row = _row_key(_key(connection, step, stripe_id)) | {"row_owner": owner}
        await self._database.execute(_WITHDRAW, row)

    async def of(self, connection: str, stripe_id: str) -> list[EffectRow]:
        """Every effect that carries this Stripe id, oldest first."""
        rows = await self._database.read(_OF, connection=connection, stripe_id=stripe_id)
        return [_effect_row(row) for row in rows]

    async def of_many(self, connection: str, stripe_ids: Sequence[str]) -> list[EffectRow]:
        """Every effect that carries one of these Stripe ids, oldest first of each. One statement for each 500."""
        found: list[EffectRow] = []
        for begin in range(0, len(stripe_ids), _AT_ONCE):
            some = list(stripe_ids[begin : begin + _AT_ONCE])
            rows = await self._database.read(_OF_MANY, connection=connection, stripe_ids=some)
            found += map(_effect_row, rows)
        return found


def _key(connection: str, step: str, stripe_id: str) -> dict[str, object]:
    return {"connection": connection, "stripe_id": stripe_id, "step": step}


def _row_key(row: Mapping[str, object]) -> dict[str, object]:
    return {f"row_{column.name}": row[column.name] for column in _KEY}


def _effect_row(row: Row[Any]) -> EffectRow:
    return EffectRow(
        step=row.step,
        stripe_id=row.stripe_id,
        owner=row.owner,
        begun_at=row.begun_at,
        completed_at=row.completed_at,
        result=json.loads(row.result),
        actor=row.actor or "",
        amount=None if row.currency is None else Money.of(row.minor, row.currency),
        note=row.note or "",
    )
