"""`throughline quota`: what each Zoho organisation may still be asked today, from our own store, without a call."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cli.exits import Exit
from cli.output import Format, show_json, show_rows
from cli.reach import one_connection, open_store
from clients.connections import Connection, load_connections
from clients.settings import load_settings
from clients.zoho.budget import Budget, Rules
from clients.zoho.codec import said
from domain.quota import moment

COLUMNS = {
    "connection": "Connection",
    "organization": "Organisation",
    "used": "Used today",
    "left": "Left",
    "kept": "Kept for payments",
    "resets": "Day ends",
    "forecast": "At this pace",
    "waits": "Waits",
    "at_once": "At once",
}


async def show_quota(name: str, form: Format, *, ask_again: bool) -> Exit:
    """One line for each connection; JSON has the moments in UTC. `ask_again` forgets the limits that were met first."""
    settings = load_settings()
    found = load_connections(settings.connections_file)
    wanted = [one_connection(settings, name)] if name else list(found.values())
    store = await open_store(settings)
    try:
        for one in wanted if ask_again else ():
            await store.budgets.forget(one.zoho.organization_id)
        now = datetime.now(UTC)
        known = [(one, await store.budgets.read(one.zoho.organization_id)) for one in wanted]
    finally:
        await store.close()
    if form is Format.JSON:
        show_json([_facts(connection, budget, now) for connection, budget in known])
    else:
        show_rows([_row(connection, budget, now) for connection, budget in known], COLUMNS, form)
    return Exit.OK


def _facts(connection: Connection, budget: Budget | None, now: datetime) -> dict[str, Any]:
    """null: nobody knows, because no answer of today told it yet."""
    zoho = connection.zoho
    rules = Rules(zoho.calls_at_once, zoho.calls_per_minute, zoho.daily_reserve)
    row = budget or Budget(zoho.organization_id)
    left = row.left(now)
    blocked = row.blocked_until is not None and now < row.blocked_until
    return {
        "connection": connection.slug,
        "organization": zoho.organization_id,
        "limit": row.day_limit,
        "used": None if left is None or row.day_limit is None else row.day_limit - left,
        "left": left,
        "reserve": zoho.daily_reserve,
        "kept": None if left is None else row.kept(rules, now),
        "live_per_hour": None if left is None else round(row.live_pace(now), 1),
        "resets_at": _utc(row.day_resets_at if left is not None else None),
        "gone_at": _utc(row.gone_at(now)),
        "blocked_until": _utc(row.blocked_until if blocked else None),
        "blocked_code": row.blocked_code if blocked else "",
        "calls_at_once": row.calls_at_once(rules, now),
        "calls_per_minute": zoho.calls_per_minute,
        "time_zone": row.time_zone,
        "told_at": _utc(row.told_at),
    }


def _row(connection: Connection, budget: Budget | None, now: datetime) -> dict[str, str]:
    facts = _facts(connection, budget, now)
    known = facts["left"] is not None
    zone = facts["time_zone"]
    return {
        "connection": facts["connection"],
        "organization": facts["organization"],
        "used": f"{facts['used']} of {facts['limit']}" if known else "not told yet today",
        "left": str(facts["left"]) if known else "",
        "kept": str(facts["kept"]) if known else "",
        "resets": _said(facts["resets_at"], zone),
        "forecast": _forecast(facts),
        "waits": _waits(facts),
        "at_once": str(facts["calls_at_once"]),
    }


def _forecast(facts: dict[str, Any]) -> str:
    if facts["left"] is None:
        return ""
    if facts["left"] == 0:
        return "gone"
    return f"gone at {_said(facts['gone_at'], facts['time_zone'])}" if facts["gone_at"] else "lasts"


def _waits(facts: dict[str, Any]) -> str:
    if facts["blocked_until"]:
        return f"until {_said(facts['blocked_until'], facts['time_zone'])}: {said(facts['blocked_code'])}"
    if facts["left"] == 0:
        return f"until {_said(facts['resets_at'], facts['time_zone'])}: {said('45')}"
    return ""


def _said(at: str | None, time_zone: str) -> str:
    return moment(datetime.fromisoformat(at), time_zone) if at else ""


def _utc(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else None
