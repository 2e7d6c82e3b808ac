"""`throughline events`: every event that came, what became of it, and those that became nothing with their reason."""

from __future__ import annotations

from enum import StrEnum

from cli.exits import Exit
from cli.moments import said
from cli.output import Format, show_rows
from cli.reach import one_connection, open_store
from clients.settings import load_settings
from clients.store import SeenEvent

COLUMNS = {
    "event": "Event",
    "type": "Type",
    "about": "About",
    "outcome": "Became",
    "at": "Came",
}


class Which(StrEnum):
    """Which events are wanted."""

    ALL = "all"
    DEAD = "dead"  # acknowledged or refused, and nothing came of them
    HEALED = "healed"  # a sweep had to find them


async def list_events(name: str, which: Which, about: str, limit: int, form: Format) -> Exit:
    """The newest events of a connection, or of one payment, refund or dispute."""
    settings = load_settings()
    slug = one_connection(settings, name).slug
    store = await open_store(settings)
    try:
        if which is Which.DEAD:
            found = await store.events.dead(slug, limit=limit)
        elif which is Which.HEALED:
            found = await store.events.healed(slug, limit=limit)
        else:
            found = await store.events.list(slug, business_id=about, limit=limit)
    finally:
        await store.close()
    show_rows([_row(one) for one in found], COLUMNS, form)
    return Exit.OK


def _row(seen: SeenEvent) -> dict[str, str]:
    return {
        "event": seen.event_id,
        "type": seen.type,
        "about": seen.business_id,
        "outcome": seen.outcome,
        "at": said(seen.at),
    }
