"""The store as the rest of the house holds it."""

from __future__ import annotations

from typing import Self

from clients.keys import KeyRing
from clients.store.audit import Audit
from clients.store.budgets import Budgets
from clients.store.database import Database, open_database
from clients.store.dossiers import Dossiers
from clients.store.effects import Effects
from clients.store.events import SeenEvents
from clients.store.links import Links
from clients.store.notices import Notices
from clients.store.payouts import Payouts
from clients.store.reservations import Reservations
from clients.store.tokens import Tokens


class Store:
    """One database, a drawer for each kind of memory. `keys` makes the pseudonyms that links are kept under.

    Every method raises TryLater(service="store") where the database did not do it, and may be called again.
    """

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database = database
        self.keys = keys
        self.audit = Audit(database)
        self.effects = Effects(database, self.audit)
        self.links = Links(database)
        self.events = SeenEvents(database)
        self.tokens = Tokens(database, keys)
        self.budgets = Budgets(database)
        self.dossiers = Dossiers(database, keys)
        self.notices = Notices(database)
        self.reservations = Reservations(database)
        self.payouts = Payouts(database)

    @classmethod
    async def open(cls, url: str, keys: KeyRing) -> Self:
        """The store at `sqlite+aiosqlite:///…` or `postgresql+asyncpg://…`, with the tables of this release.

        Several processes may open it at once: one migrates, the others wait. SettingsError for a wrong
        address or a database of a newer release; Unreachable where nobody answers.
        """
        return cls(await open_database(url), keys)

    async def close(self) -> None:
        """Let what is under way end, and close every connection. Without it a process does not exit."""
        await self._database.close()
