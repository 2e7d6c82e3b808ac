"""`throughline audit count`: nothing acknowledged is lost: started = completed + under way + waiting + failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from activities.effects import Once
from activities.sweeps import LAST_STEP
from cli.exits import Exit
from cli.moments import range_of
from cli.output import Format, say, show_rows
from cli.reach import one_connection, open_store, temporal_client
from clients.connections import Connection, load_connections
from clients.settings import load_settings
from clients.store import Store
from domain.sweeps import IGNORED, REFUSED, Case, Heard, RunSeen, recalled
from ingress.starter import Starter

COLUMNS = {
    "connection": "Connection",
    "started": "Started",
    "completed": "Completed",
    "under_way": "Under way",
    "waiting": "Waits for a person",
    "failed": "Failed, to be seen",
    "lost": "Lost",
    "dead": "Dead letters",
}
SINCE = timedelta(days=30)
_PAGE = 200


async def count(name: str, since: str, form: Format) -> Exit:
    """Every payment, refund, dispute and payout acknowledged since then, by what became of it. FAILED: one is lost.

    Started is counted from our own store, the rest from Temporal; of what Temporal has forgotten the effects tell.
    """
    settings = load_settings()
    found = load_connections(settings.connections_file)
    wanted = [one_connection(settings, name)] if name else list(found.values())
    now = datetime.now(UTC)
    begin = range_of(since, "", now)[0] or now - SINCE
    client = await temporal_client(settings)
    store = await open_store(settings)
    try:
        starter = Starter(client, found)
        rows = [await _row(store, starter, one, begin, now) for one in wanted]
    finally:
        await store.close()
    show_rows(rows, COLUMNS, form)
    return Exit.FAILED if any(row["lost"] != "0" for row in rows) else Exit.OK


async def _row(
    store: Store, starter: Starter, connection: Connection, since: datetime, now: datetime
) -> dict[str, str]:
    slug, once = connection.slug, Once(store.effects, lambda: now)
    counted: Counter[str] = Counter()
    known: set[str] = set()
    async for page in _acknowledged(store, slug, since, now):
        fresh = {one.about: one for one in page if one.about not in known}
        known |= fresh.keys()
        runs = await starter.runs(slug, list(fresh.values()))
        for one, run in zip(fresh.values(), runs, strict=True):
            state = _state(run) if run else await _forgotten(store, once, slug, one)
            counted[state] += 1
            if state == "lost":
                say(f"{slug}: {one.about} was acknowledged and has no run. Type: throughline replay {one.about}")
    tally = await store.events.tally(slug, since)
    dead = sum(count for outcome, count in tally.items() if outcome.startswith((IGNORED, REFUSED)))
    figures = {key: str(counted[key]) for key in COLUMNS}
    return figures | {"connection": slug, "started": str(len(known)), "dead": str(dead)}


async def _acknowledged(store: Store, slug: str, since: datetime, until: datetime) -> AsyncIterator[list[Heard]]:
    """Pages of events that should have a run of their own."""
    after = ""
    while rows := await store.events.taken(slug, since, until, after=after, limit=_PAGE):
        heard = [recalled(row.event_id, row.type, row.business_id, row.at) for row in rows]
        yield [one for one in heard if one.case is Case.PAYOUT or one.case in LAST_STEP]
        since, after = rows[-1].at, rows[-1].event_id


async def _forgotten(store: Store, once: Once, slug: str, heard: Heard) -> str:
    """What Temporal has no run of was carried through before its retention ended, or is lost. Of a payout the
    certificate tells.
    """
    if heard.case is Case.PAYOUT:
        return "completed" if await store.payouts.states(slug, [heard.about]) else "lost"
    about = "" if heard.case is Case.PAYMENT else heard.about
    ended = await once.ended(slug, heard.payment_id, LAST_STEP[heard.case], about)
    return "completed" if ended else "lost"


def _state(run: RunSeen) -> str:
    if run.open:
        return "waiting" if run.waiting else "under_way"
    return "completed" if run.succeeded else "failed"
