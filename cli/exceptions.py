"""`throughline exceptions list` and `show`: which payments wait for a person, what they ask, who answered before."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.exits import Exit
from cli.output import Format, say, show_json, show_rows
from cli.reach import open_store, temporal_client
from cli.runs import ATTENDED, count_runs
from cli.waiting import Selection, Waiting, answers, find_waiting
from clients.settings import Settings, load_settings
from domain.attention import Action, Trouble
from domain.money import Money, total

COLUMNS = {
    "payment": "Payment",
    "connection": "Connection",
    "class": "Class",
    "at_risk": "At risk",
    "age": "Waits",
    "answers": "Answers",
    "message": "What happened",
}
ANSWER_COLUMNS = {"at": "Answered", "said": "What"}


async def list_exceptions(chosen: Selection, limit: int, form: Format) -> Exit:
    """The payments that wait and match, the one that waits longest first, and the money they hold up."""
    client = await temporal_client(load_settings())
    waiting = await find_waiting(client, chosen, limit)
    now = datetime.now(UTC)
    if form is Format.JSON:
        show_json([row_of(one, now) for one in waiting])
        return Exit.OK
    if waiting:
        show_rows([row_of(one, now) for one in waiting], COLUMNS, form)
    say(summary(waiting, now))
    beyond = await count_runs(client, chosen.clauses(), kinds=ATTENDED) - limit if len(waiting) >= limit else 0
    if beyond > 0:
        say(f"{beyond} that began earlier are not shown: raise --limit.")
    return Exit.OK


async def show_exception(business_id: str, connection: str, form: Format) -> Exit:
    """One payment: what happened, what can be answered and with which command, what was answered before."""
    settings = load_settings()
    client = await temporal_client(settings)
    (one,) = await find_waiting(client, Selection(ids=(business_id,), connection=connection))
    now = datetime.now(UTC)
    before = await _answered(settings, one)
    offers = commands(one.payment, one.trouble) if one.trouble else []
    if form is Format.JSON:
        show_json({**row_of(one, now), "commands": offers, "answered": before})
        return Exit.OK
    _show(one, offers, before, now)
    return Exit.OK


def row_of(one: Waiting, now: datetime) -> dict[str, str]:
    """A waiting payment in the words of the list."""
    row = {"payment": one.payment, "connection": one.connection, "workflow": one.run.id}
    trouble = one.trouble
    if trouble is None:
        return {**row, "message": one.silent or "does not wait for a person"}
    return {
        **row,
        "class": trouble.attention_class.value,
        "at_risk": str(trouble.at_risk or ""),
        "age": age(now - trouble.since),
        "answers": " ".join(action.value for action in trouble.actions()),
        "message": trouble.message,
        "step": trouble.step,
        "since": f"{trouble.since:%Y-%m-%dT%H:%M:%SZ}",
        "lines": " ".join(trouble.lines),
    }


def summary(waiting: Iterable[Waiting], now: datetime) -> str:
    """How many wait, the money at risk in each currency, and how long the first of them has waited."""
    troubles = [one.trouble for one in waiting if one.trouble]
    silent = sum(1 for one in waiting if one.silent)
    unheard = f" {silent} could not be asked." if silent else ""
    if not troubles:
        return "Nothing waits for a person." if not silent else unheard.strip()
    oldest = age(now - min(trouble.since for trouble in troubles))
    noun = "payment waits" if len(troubles) == 1 else "payments wait"
    return f"{len(troubles)} {noun}: {risk_of(troubles)} at risk, the oldest for {oldest}.{unheard}"


def risk_of(troubles: Iterable[Trouble]) -> str:
    """The money at risk, a sum for each currency; it says where an amount is unknown."""
    amounts = [trouble.at_risk for trouble in troubles]
    known = [amount for amount in amounts if amount is not None]
    sums = [_sum(known, currency) for currency in sorted({amount.currency for amount in known})]
    unknown = len(amounts) - len(known)
    return ", ".join([*sums, f"{unknown} unknown amounts"] if unknown else sums)


def age(span: timedelta) -> str:
    """A time in its largest whole unit: `3 d`, `5 h`, `12 min`, `8 s`."""
    seconds = max(0, int(span.total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def commands(payment: str, trouble: Trouble) -> list[str]:
    """The exact command for each answer that can be given; `…` is for the person to fill in."""
    more = {Action.AMEND: " --set 1:sku=…", Action.SKIP: " --reason '…'", Action.ABORT: " --reason '…'"}
    more |= {Action.ADOPT: " --order …"} if len(trouble.orders) > 1 else {}
    return [
        f"throughline exceptions resolve {action.value} {shlex.quote(payment)}{more.get(action, '')}"
        for action in trouble.actions()
    ]


def _sum(amounts: list[Money], currency: str) -> str:
    return str(total((amount for amount in amounts if amount.currency == currency), currency))


async def _answered(settings: Settings, one: Waiting) -> list[dict[str, str]]:
    """Who answered what, and why, from the audit trail."""
    store = await open_store(settings)
    try:
        entries = await store.audit.entries(one.connection, one.carried)
    finally:
        await store.close()
    return [
        {"at": f"{entry.at:%Y-%m-%d %H:%M:%S} UTC", "said": entry.note}
        for entry in entries
        if answers(one.run.id, entry.step)
    ]


def _show(one: Waiting, offers: list[str], before: list[dict[str, str]], now: datetime) -> None:
    row: dict[str, Any] = row_of(one, now)
    facts = [{"what": key.replace("_", " "), "is": value} for key, value in row.items() if value]
    show_rows(facts, {"what": "", "is": ""}, Format.TABLE)
    if before:
        show_rows(before, ANSWER_COLUMNS, Format.TABLE, title="Answers so far")
    if offers:
        say("You can answer:")
    for offer in offers:
        say(f"  {offer}")
