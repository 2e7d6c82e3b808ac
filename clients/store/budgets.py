"""What each organisation may still be asked of, in the store: one row, changed by one caller at a time."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, delete, func, insert, select, update

from clients.store.database import Database
from clients.store.schema import budget_slots, budgets
from clients.zoho.budget import Budget, Entry, Outcome, Rules, after_call, hold, on_entry

_NAMES = tuple(field.name for field in fields(Budget))
_OF: BindParameter[str] = bindparam("of")
_READ = select(budgets).where(budgets.c.organization == _OF)
_LOCK = _READ.with_for_update()
_CHANGE = update(budgets).where(budgets.c.organization == _OF)
_DEAD = delete(budget_slots).where(budget_slots.c.organization == _OF, budget_slots.c.until <= bindparam("now"))
_BUSY = select(func.count()).where(budget_slots.c.organization == _OF)
_TAKE = insert(budget_slots)
_END = delete(budget_slots).where(budget_slots.c.organization == _OF, budget_slots.c.slot == bindparam("ended"))


class Budgets:
    """The BudgetStore that all workers of an install share."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._first = database.insert(budgets).on_conflict_do_nothing(index_elements=[budgets.c.organization])

    async def enter(self, organization: str, *, slot: str, rules: Rules, until: datetime, now: datetime) -> Entry:
        """Take one of the calls at once until `leave` or `until`, or say what holds it. TryLater."""

        def work(visit: Connection) -> Entry:
            budget = self._locked(visit, organization)
            visit.execute(_DEAD, {"of": organization, "now": now})
            held = hold(budget, _busy(visit, organization), rules, now)
            if held is None:
                visit.execute(_TAKE, {"organization": organization, "slot": slot, "until": until})
                _keep(visit, budget, on_entry(budget, rules, now))
            return Entry(budget, held)

        return await self._database.write(work)

    async def leave(self, organization: str, *, slot: str, outcome: Outcome, now: datetime) -> None:
        """End the call and remember what its answer told. TryLater."""

        def work(visit: Connection) -> None:
            budget = self._locked(visit, organization)
            _keep(visit, budget, after_call(budget, _busy(visit, organization), outcome, now))
            visit.execute(_END, {"of": organization, "ended": slot})

        await self._database.write(work)

    async def learn_zone(self, organization: str, time_zone: str) -> None:
        """Remember the organisation's time zone. TryLater."""

        def work(visit: Connection) -> None:
            self._locked(visit, organization)
            visit.execute(_CHANGE.values(time_zone=time_zone), {"of": organization})

        await self._database.write(work)

    async def forget(self, organization: str) -> None:
        """Forget every limit that was learned, so that the next call asks Zoho. TryLater."""
        nothing = {"day_left": None, "at_once": None, "blocked_until": None, "blocked_code": ""}
        await self._database.execute(_CHANGE.values(**nothing), {"of": organization})

    async def read(self, organization: str) -> Budget | None:
        """The row; None before the first call. TryLater."""
        rows = await self._database.read(_READ, of=organization)
        return _budget(rows[0]) if rows else None

    def _locked(self, visit: Connection, organization: str) -> Budget:
        """The row, which nobody else changes before the transaction ends; made where it was not there."""
        row = visit.execute(_LOCK, {"of": organization}).first()
        if row is None:
            visit.execute(self._first, asdict(Budget(organization)))
            row = visit.execute(_LOCK, {"of": organization}).one()
        return _budget(row)


def _busy(visit: Connection, organization: str) -> int:
    return int(visit.execute(_BUSY, {"of": organization}).scalar_one())


def _keep(visit: Connection, before: Budget, after: Budget) -> None:
    """Write what changed, if anything did."""
    changed = {name: value for name in _NAMES if (value := getattr(after, name)) != getattr(before, name)}
    if changed:
        visit.execute(_CHANGE.values(**changed), {"of": before.organization})


def _budget(row: Row[Any]) -> Budget:
    return Budget(**row._mapping)
